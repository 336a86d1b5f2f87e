//! What observers may see of a run.

use std::sync::Arc;

use super::super::consumer::TrafficCounts;
use super::super::host::{Host, HostId};
use super::super::setup::Setup;
use super::consumers::Consumers;
use super::releases::Releases;
use super::servers::ServerProcess;
use crate::eureka::client::{ClientProcess, Views};
use crate::eureka::server::{Application, EurekaServer, Gauges, Registry};
use crate::eureka::{AppId, InstanceKey, Names, Release};
use crate::time::{HostClock, Instant, Now};

/// A run, read-only.
#[derive(Debug)]
pub struct WorldView<'a> {
    pub(super) setup: &'a Setup,
    pub(super) now: Instant,
    pub(super) hosts: &'a [Host],
    pub(super) clocks: &'a [HostClock],
    pub(super) servers: &'a [ServerProcess],
    pub(super) views: &'a Views,
    pub(super) consumers: &'a Consumers,
    pub(super) releases: &'a Releases,
    pub(super) handled: u64,
}

impl<'a> WorldView<'a> {
    /// What the run is made from.
    #[must_use]
    pub const fn setup(&self) -> &'a Setup {
        self.setup
    }

    /// All names.
    #[must_use]
    pub const fn names(&self) -> &'a Names {
        &self.setup.names
    }

    /// The instant.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Which release the present process of a server is.
    #[must_use]
    pub fn release_of(&self, server: HostId) -> Release {
        self.releases.of(server, self.setup)
    }

    /// Events handled so far.
    #[must_use]
    pub const fn handled(&self) -> u64 {
        self.handled
    }

    /// What the clocks of a host show.
    #[must_use]
    pub fn clocks(&self, host: HostId) -> Now {
        self.clocks[self.hosts[host.index()].clock as usize].now(self.now)
    }

    /// Ns since the wall clock of a host began its millisecond.
    #[must_use]
    pub fn wall_nanos_into_milli(&self, host: HostId) -> u64 {
        self.clocks[self.hosts[host.index()].clock as usize].nanos_into_milli(self.now)
    }

    /// Whether the host's process runs, frozen or not.
    #[must_use]
    pub fn is_alive(&self, host: HostId) -> bool {
        self.hosts[host.index()].alive
    }

    /// Whether it is frozen.
    #[must_use]
    pub fn is_paused(&self, host: HostId) -> bool {
        self.hosts[host.index()].paused.is_some()
    }

    /// All hosts: servers first, then clients.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.hosts.len()).map(HostId::new)
    }

    /// The servers.
    pub fn server_hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.servers.len()).map(HostId::new)
    }

    /// Whether the host is a server.
    #[must_use]
    pub const fn is_server(&self, host: HostId) -> bool {
        host.index() < self.servers.len()
    }

    /// The instance of a host: that of its last process, once that is gone and until the next starts.
    #[must_use]
    pub fn key(&self, host: HostId) -> InstanceKey {
        self.hosts[host.index()].key
    }

    /// A server's registry and queues, once it is initialised and as long as its process runs.
    #[must_use]
    pub fn server(&self, server: HostId) -> Option<&'a EurekaServer> {
        self.servers[server.index()].core.as_ref()
    }

    /// A server's registry; likewise.
    #[must_use]
    pub fn registry(&self, server: HostId) -> Option<&'a Registry> {
        self.server(server).map(|server| &server.registry)
    }

    /// A server's gauges; likewise.
    #[must_use]
    pub fn gauges(&self, server: HostId) -> Option<Gauges> {
        self.registry(server).map(|registry| registry.gauges(self.clocks(server)))
    }

    /// A client's process (a server's embedded one for a server), as long as it runs.
    #[must_use]
    pub fn client(&self, host: HostId) -> Option<&'a ClientProcess> {
        self.hosts[host.index()].client.as_ref()
    }

    /// All views of clients.
    #[must_use]
    pub const fn views(&self) -> &'a Views {
        self.views
    }

    /// Calls so far to an application, or all.
    #[must_use]
    pub fn traffic(&self, app: Option<AppId>) -> TrafficCounts {
        self.consumers.counts(app)
    }

    /// Calls so far by one client to an application, or all.
    #[must_use]
    pub fn traffic_of(&self, caller: HostId, app: Option<AppId>) -> TrafficCounts {
        self.consumers.counts_of(self.setup, caller, app)
    }

    /// The lists of an application that load balancers keep and would use for their next call.
    pub fn balancer_lists(
        &self,
        app: AppId,
    ) -> impl Iterator<Item = (HostId, &'a Arc<Application>)> {
        self.consumers.cached(self.setup, app, self.now)
    }

    /// Whether the host's process is one that registers, and has not begun to go away.
    #[must_use]
    pub fn wants_to_be_registered(&self, host: HostId) -> bool {
        let registers = self.setup.profile_of(host).client.register_with_eureka;
        registers && self.is_alive(host) && self.client(host).is_none_or(ClientProcess::is_staying)
    }
}
