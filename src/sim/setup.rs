//! What a run is made from.

use std::ops::Range;

use super::action::{FleetStep, Member, TimelineEntry};
use super::host::HostId;
use super::network::NetworkSetup;
use crate::eureka::client::{ClientProfile, Endpoints, ErrorBody};
use crate::eureka::server::ServerConfig;
use crate::eureka::{AppId, Flavor, InstanceKey, Names, Release, ServiceUrl};
use crate::time::{Instant, Span};

/// Everything a run depends on.
#[derive(Clone, Debug)]
pub struct Setup {
    /// All randomness.
    pub seed: u64,
    /// How long it lasts.
    pub duration: Instant,
    /// Wall clock at t = 0, ms since 1970.
    pub epoch_ms: i64,
    /// All names.
    pub names: Names,
    /// The servers: the first hosts.
    pub servers: Vec<ServerSetup>,
    /// The clients: the hosts after them.
    pub clients: Vec<ClientSetup>,
    /// How clients (and the servers' embedded ones) are built, by position.
    pub profiles: Vec<ClientProfile>,
    /// The servers that clients know, by position.
    pub endpoints: Vec<Endpoints>,
    /// The network.
    pub network: NetworkSetup,
    /// What error answers carry.
    pub error_bodies: ErrorBody,
    /// Races, decided.
    pub races: Races,
    /// Who calls whom, in the order of the callers' hosts.
    pub calls: Vec<CallSetup>,
    /// The script, in order of time; entries of one instant in the order they are executed.
    pub timeline: Vec<TimelineEntry>,
    /// What `scale` and `deploy` do, in the order of their entries and then of time.
    pub steps: Vec<FleetStep>,
    /// To whom they do it.
    pub members: Vec<Member>,
}

impl Setup {
    /// How many hosts there are.
    #[must_use]
    pub fn host_count(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    /// The instance that the first process of a host is: a client's, or a server's own.
    #[must_use]
    pub fn first_key_of(&self, host: HostId) -> InstanceKey {
        match host.index().checked_sub(self.servers.len()) {
            None => self.servers[host.index()].own,
            Some(client) => self.clients[client].key,
        }
    }

    /// How the client of a host (a server's embedded one) is built.
    #[must_use]
    pub fn profile_of(&self, host: HostId) -> &ClientProfile {
        &self.profiles[self.profile_number(host)]
    }

    /// The position of that in [`Setup::profiles`].
    #[must_use]
    pub fn profile_number(&self, host: HostId) -> usize {
        match host.index().checked_sub(self.servers.len()) {
            None => self.servers[host.index()].profile,
            Some(client) => self.clients[client].profile as usize,
        }
    }

    /// The servers that the client of a host knows.
    #[must_use]
    pub fn endpoints_of(&self, host: HostId) -> &Endpoints {
        let endpoints = match host.index().checked_sub(self.servers.len()) {
            None => self.servers[host.index()].endpoints,
            Some(client) => self.clients[client].endpoints as usize,
        };
        &self.endpoints[endpoints]
    }

    /// The calls that the client of a host makes.
    #[must_use]
    pub fn calls_of(&self, host: HostId) -> &[CallSetup] {
        let from = self.calls.partition_point(|calls| calls.callers.end <= host.index());
        let rest = &self.calls[from..];
        &rest[..rest.partition_point(|calls| calls.callers.start <= host.index())]
    }
}

/// Calls that the instances of a group make to an application, evenly over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSetup {
    /// Hosts of the callers; two of these are equal or have nothing in common.
    pub callers: Range<usize>,
    /// Whom they call.
    pub app: AppId,
    /// Time between two calls of one caller.
    pub every: Span,
    /// How often a call is tried again.
    pub retries: u32,
    /// Then on the next instance, else on the same.
    pub retry_other: bool,
    /// How long the load balancer keeps a list; zero: it asks Eureka's client each time.
    pub cache_ttl: Span,
    /// How long the answer to an attempt is waited for.
    pub timeout: Span,
    /// Instances that fail are left out for a while.
    pub circuit_breaker: bool,
}

/// A server.
#[derive(Clone, Debug)]
pub struct ServerSetup {
    /// Its name, which is its host name.
    pub name: String,
    /// Who packaged it.
    pub flavor: Flavor,
    /// Which release it is.
    pub release: Release,
    /// `eureka.server.*`
    pub config: ServerConfig,
    /// Its peers, in the order Eureka fans out to them.
    pub peers: Vec<ServiceUrl>,
    /// Whether the script changes who they are.
    pub peers_change: bool,
    /// When its process starts.
    pub start: Instant,
    /// When it is opened for traffic, if not by the flavour's rules.
    pub open: Option<Instant>,
    /// Its embedded client's profile.
    pub profile: usize,
    /// The servers its embedded client knows.
    pub endpoints: usize,
    /// Its own instance.
    pub own: InstanceKey,
}

impl ServerSetup {
    /// Whether it has peers, or may have some later.
    #[must_use]
    pub fn may_replicate(&self) -> bool {
        !self.peers.is_empty() || self.peers_change
    }

    /// The positions of its peers, in the order it fans out to them.
    #[must_use]
    pub fn peer_servers(&self) -> Vec<u16> {
        self.peers.iter().map(|peer| peer.server).collect()
    }
}

/// A client.
#[derive(Clone, Copy, Debug)]
pub struct ClientSetup {
    /// The instance that its first process is.
    pub key: InstanceKey,
    /// When its process starts; never, if only the script starts it: it is added later.
    pub start: Option<Instant>,
    /// Its profile.
    pub profile: u32,
    /// The servers it knows.
    pub endpoints: u32,
}

/// Decisions that are races between threads in the real thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Races {
    /// At one instant the eviction task runs before the bucket of renewals rotates.
    pub eviction_before_rotation: bool,
    /// After a pause, what arrived is handled before overdue timers.
    pub arrivals_first: bool,
    /// How long a client's thread takes to hand work to another: between these, both included.
    pub hand_off: (Span, Span),
    /// Batches to a peer are sent one after the other, by one worker.
    pub one_batch_at_a_time: bool,
    /// Lists of servers and views keep their order.
    pub no_shuffle: bool,
}
