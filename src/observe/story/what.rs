//! What happens to an instance, with the numbers that were compared: one entry of its story.

use crate::eureka::InstanceStatus;
use crate::eureka::client::{AttemptFailure, ClientEvent, HealthAnswer};
use crate::eureka::server::peer::{Dropped, TaskAction};
use crate::eureka::server::rules::Rule;
use crate::eureka::server::{Decision, Lease};
use crate::observe::Seen;
use crate::sim::HostId;
use crate::time::{Instant, Span};

/// One entry of a story: something that happened, or the same several times.
#[derive(Clone, Debug, PartialEq)]
pub struct StoryEvent {
    /// When, for the first time.
    pub at: Instant,
    /// When for the last time.
    pub last: Instant,
    /// How often.
    pub count: u64,
    /// Where.
    pub place: Place,
    /// What; numbers that change from time to time are the last ones.
    pub what: What,
}

/// Where something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the instance's own process, or on its host.
    Process,
    /// At a server.
    Server(HostId),
    /// In the view of a consumer.
    Client(HostId),
    /// In the views of all consumers that are not named.
    Others,
    /// Between hosts.
    Network,
}

/// What happened. Timestamps are ms since 1970 on the clock of whoever set them.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The process starts; its generation counts from 0.
    Started(u32),
    /// Its graceful stop has ended.
    Exited,
    /// The script does this to it: `kill`, `stop`, `pause`, `resume`, `set-metadata`.
    Script(&'static str),
    /// Its application is told to set this status.
    SetStatus(InstanceStatus),
    /// Its health check answers this from now on, after so long.
    SetHealth(HealthAnswer, Span),
    /// Its wall clock jumps by so many ns.
    StepClock(i64),
    /// Its wall clock runs fast by so many parts per million.
    SkewClock(i64),
    /// A configuration key changes.
    Configured(String),
    /// It calls itself this.
    OwnStatus {
        /// Its own status.
        status: InstanceStatus,
        /// With this dirty timestamp.
        dirty: i64,
        /// Tokens of the rate limiter that are left; none: there is no limit.
        tokens: Option<i64>,
    },
    /// Something notable happens inside its client.
    Client {
        /// What.
        event: ClientEvent,
        /// Tokens of the rate limiter that are left.
        tokens: Option<i64>,
    },
    /// A request of it is not executed.
    Unheard {
        /// By this server.
        to: HostId,
        /// `registration`, `heartbeat`, `DELETE`
        request: &'static str,
        /// What came back.
        outcome: Unheard,
    },
    /// A server makes a lease of a registration.
    Registered {
        /// The status that is stored then.
        status: InstanceStatus,
        /// What was compared, and the rule.
        decision: Decision,
        /// From a peer.
        replica: bool,
        /// The new lease.
        lease: Option<LeaseTimes>,
    },
    /// A server refuses a registration.
    Refused(u16),
    /// A server answers a heartbeat.
    Heartbeat {
        /// So.
        code: u16,
        /// The timestamp that it brings; none if it brings none.
        dirty: Option<i64>,
        /// What the registry has: status and timestamp; none if it does not know the instance.
        stored: Option<(InstanceStatus, i64)>,
        /// Timestamps are compared (`sync-when-timestamp-differs`).
        compares: bool,
        /// The lease as it is then.
        lease: Option<LeaseTimes>,
    },
    /// A heartbeat that a peer has passed on renews the lease.
    Renewed {
        /// The lease as it is then.
        lease: Option<LeaseTimes>,
    },
    /// A peer answers a task of a batch otherwise than 200.
    Answered {
        /// Whose task it is.
        from: HostId,
        /// What was to be done.
        action: TaskAction,
        /// The answer.
        code: u16,
        /// The timestamp that was brought.
        dirty: Option<i64>,
        /// The one that the peer has.
        stored: Option<i64>,
    },
    /// A lease is taken off by a DELETE.
    Deleted {
        /// Of a peer.
        replica: bool,
    },
    /// A DELETE finds no lease.
    NothingToDelete(u16),
    /// The eviction task finds the lease expired.
    Evict(Eviction),
    /// The stored status changes at a renewal, by this rule; none: by a request.
    StatusSet(InstanceStatus, Option<Rule>),
    /// An override is stored, or (none) deleted, and the status that the instance has then.
    Override(Option<InstanceStatus>, Option<InstanceStatus>),
    /// Somebody outside asks for this, and gets this answer.
    Operator(String, u16),
    /// A server tells a peer about the instance.
    Told {
        /// Which peer.
        to: HostId,
        /// What it is to do.
        action: TaskAction,
        /// Status and timestamp, as far as they are on the wire.
        status: Option<InstanceStatus>,
        /// Likewise.
        dirty: Option<i64>,
    },
    /// A batch about the instance is not executed.
    BatchLost {
        /// By which peer.
        to: HostId,
        /// What came back.
        outcome: Unheard,
    },
    /// A server gives up a task.
    Dropped {
        /// For which peer.
        to: HostId,
        /// What the peer was to do.
        action: TaskAction,
        /// Why.
        why: Dropped,
    },
    /// A peer's newer copy takes the place of the server's.
    Adopted {
        /// Which peer.
        from: HostId,
        /// What is stored then.
        stored: Option<(InstanceStatus, i64)>,
    },
    /// The server itself: `starts`, `accepts connections`, `is stopped`, …
    Server(&'static str),
    /// A consumer's view shows this from now on; with [`Place::Others`] one of them, or several.
    Sees(Seen),
    /// A fault of the network begins, of this kind, or (none) ends: the number of its timeline entry.
    Fault(Option<&'static str>, usize),
}

/// What comes of a request that is not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// No answer.
    Failed(AttemptFailure),
    /// This status of a server that fails.
    Code(u16),
}

/// When a lease ends, in ms since 1970 on the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimes {
    /// What it stores as its last update; after a renewal one duration later than that.
    pub updated: i64,
    /// Its duration in ms.
    pub duration: i64,
}

impl LeaseTimes {
    pub(super) const fn of(lease: &Lease) -> Self {
        Self { updated: lease.last_update_timestamp, duration: lease.duration as i64 }
    }

    /// It is expired later than this.
    #[must_use]
    pub const fn end(self) -> i64 {
        self.updated.wrapping_add(self.duration)
    }
}

/// What the eviction task does with an expired lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// As which of those that were drawn it was drawn, from 1; none: it stays.
    pub rank: Option<usize>,
    /// How many leases had expired.
    pub expired: usize,
    /// How many may be evicted in a run.
    pub limit: i64,
    /// Anybody may be evicted: self-preservation is off, or renewals suffice.
    pub enabled: bool,
    /// Renewals of the last minute, and the threshold that they have to be above.
    pub renews: (i64, i32),
    /// When the lease ended, ms since 1970 on the server's clock; none if it is not known any more.
    pub ended: Option<i64>,
}
