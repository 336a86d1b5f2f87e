//! What a script does to a run: actions at instants, with everything resolved to hosts and numbers.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::host::HostId;
use super::host_set::{HostSet, Selection};
use super::latency::Loss;
use crate::eureka::client::{HealthAnswer, HealthDuration, InstanceChange};
use crate::eureka::config::ConfigValue;
use crate::eureka::server::CacheKey;
use crate::eureka::server::resources::{DirtyParameter, Registration, StatusParameter};
use crate::eureka::{InstanceKey, InstanceStatus, NameId, Release, ServiceUrl};
use crate::time::{Instant, Span};

/// One entry of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEntry {
    /// When.
    pub at: Instant,
    /// When a fault with a duration ends.
    pub until: Option<Instant>,
    /// What.
    pub action: Action,
}

/// What `scale` or `deploy` does at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetStep {
    /// When.
    pub at: Instant,
    /// The timeline entry it belongs to.
    pub entry: usize,
    /// What becomes of the members.
    pub change: FleetChange,
    /// To whom it happens: positions in [`Setup::members`](super::Setup::members).
    pub members: Range<usize>,
}

/// What becomes of a member of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FleetChange {
    /// It starts to belong to it: its process starts.
    Add,
    /// It does not belong to it any more: its process goes, and does not return.
    Remove,
    /// Its process goes, and another takes its place.
    Replace,
}

impl FleetChange {
    /// What it is called in reports: `add`, `remove`, `replace`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

/// A process of an application, and the instance it is from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where it runs.
    pub host: HostId,
    /// Which instance the next process there is.
    pub key: InstanceKey,
}

/// A fault of the network between two sets of hosts, in the direction of the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Messages from these …
    pub from: HostSet,
    /// … to these.
    pub to: HostSet,
    /// Messages the other way too.
    pub both_ways: bool,
}

/// What a cut does to a connection attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutMode {
    /// Nothing comes back.
    Blackhole,
    /// It is refused after one latency.
    Refuse,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The processes are gone, without goodbye.
    Kill(Selection),
    /// The processes end gracefully; with this drain instead of their own.
    Stop(Selection, Option<Span>),
    /// What is dead starts, as a new process.
    Start(Selection),
    /// Killed (or stopped), and started so long after it went.
    Restart {
        /// What.
        select: Selection,
        /// How long it is down.
        down: Span,
        /// Stopped instead of killed.
        graceful: bool,
        /// The new process is another release.
        upgrade: Option<Upgrade>,
    },
    /// Instances are added or removed, as the [`FleetStep`]s of the entry say.
    Scale {
        /// Those that are removed are stopped instead of killed.
        graceful: bool,
    },
    /// Instances are replaced, as the [`FleetStep`]s of the entry say.
    Deploy {
        /// They are stopped instead of killed.
        graceful: bool,
        /// How long after an instance went its replacement starts.
        down: Span,
    },
    /// The whole process is frozen, until the entry's end; both its clocks go on.
    Pause(Selection),
    /// Messages are lost.
    Partition(Cut, CutMode),
    /// The selected hosts are cut off from all others.
    Isolate(HostSet),
    /// Messages wait, and are delivered at the end.
    Hold(Cut),
    /// Messages take so much longer.
    Slow(Cut, Span),
    /// A share of the messages is lost.
    Lossy(Cut, Loss),
    /// Servers answer so without doing the work.
    Fail {
        /// Which.
        servers: HostSet,
        /// With this status.
        status: u16,
        /// To this share of the requests.
        share: Loss,
        /// Of these methods; empty: all.
        methods: Vec<Method>,
    },
    /// Ends the entries listed.
    Heal(Vec<usize>),
    /// The wall clocks jump by so many ns.
    StepClock(Selection, i64),
    /// The wall clocks run fast by so many parts per million, until the entry's end.
    SkewClock(Selection, i64),
    /// The applications set their own status.
    SetStatus(Selection, InstanceStatus),
    /// The applications' health checks answer this from now on, and take so long.
    SetHealth(Selection, HealthAnswer, HealthDuration),
    /// The applications set their metadata.
    SetMetadata(Selection, Arc<str>, Arc<str>),
    /// A configuration value of servers changes.
    SetConfig(Selection, String, ConfigValue),
    /// What instances are configured to say of themselves changes: key and value as they were given,
    /// and what they mean.
    ConfigureInstance(Selection, String, ConfigValue, InstanceChange),
    /// `service-url` of processes changes: the key and value as they were given, and what they mean.
    SetServiceUrls(Selection, String, ConfigValue, ZoneUrls),
    /// Somebody outside the cluster sends requests to a server, one after the other.
    Outside(HostId, Vec<OutsideRequest>),
}

/// The release of a process that is started anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Of Eureka.
    pub release: Release,
    /// For each profile of the setup that is concerned, the one that differs from it by the release.
    pub profiles: BTreeMap<usize, usize>,
}

/// The URLs of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneUrls {
    /// Which.
    pub zone: String,
    /// In the order they are written.
    pub urls: Vec<ServiceUrl>,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

/// A request from outside the cluster. It is at the server at the instant it is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum OutsideRequest {
    /// `POST apps/{app}`: the body, but for its timestamps, and these.
    Register(Box<Registration>, BodyTimestamps),
    /// `PUT apps/{app}/{id}`
    Heartbeat(InstanceKey, DirtyParameter, StatusParameter),
    /// `DELETE apps/{app}/{id}`
    Cancel(InstanceKey),
    /// `PUT apps/{app}/{id}/status`
    StatusUpdate(InstanceKey, StatusParameter, DirtyParameter),
    /// `DELETE apps/{app}/{id}/status`
    DeleteStatus(InstanceKey, StatusParameter, DirtyParameter),
    /// `PUT apps/{app}/{id}/metadata`
    Metadata(InstanceKey, Vec<(Arc<str>, Arc<str>)>),
    /// A read through the response cache.
    Get(CacheKey),
    /// `GET apps/{app}/{id}`
    GetInstance(InstanceKey),
    /// `GET instances/{id}`
    GetById(NameId),
}

/// The timestamps in the body of a registration, ms since 1970; none where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyTimestamps {
    /// `lastDirtyTimestamp`
    pub last_dirty: Option<i64>,
    /// `lastUpdatedTimestamp`
    pub last_updated: Option<i64>,
}

impl BodyTimestamps {
    /// The body as a server decodes it whose wall clock shows `now` (ms since 1970), which takes the place
    /// of what is absent.
    #[must_use]
    pub fn decoded(self, body: &Registration, now: i64) -> Registration {
        let mut registration = body.clone();
        registration.info.last_dirty_timestamp = self.last_dirty.unwrap_or(now);
        registration.info.last_updated_timestamp = self.last_updated.unwrap_or(now);
        registration
    }
}
