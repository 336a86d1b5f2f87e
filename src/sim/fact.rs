//! Facts: what happened in a run, as observers and the digest see it.

use super::fault_fact::FaultFact;
use super::host::HostId;
use super::traffic_fact::TrafficFact;
use super::world::WorldView;
use crate::eureka::client::{AttemptFailure, ClientEvent, View};
use crate::eureka::config::ConfigValue;
use crate::eureka::server::peer::{Adopted, Dropped, TaskAction};
use crate::eureka::server::resources::{
    Answer, BatchItem, DirtyParameter, Registration, StatusParameter,
};
use crate::eureka::server::{Applications, CacheKey, Decision, EvictRun, Registry};
use crate::eureka::{InstanceInfo, InstanceKey, InstanceStatus, NameId};
use crate::time::{Instant, Now, Span};

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// A process of the run.
    Host(HostId),
    /// Somebody outside the cluster: an operator, a script.
    Outside,
}

/// What was asked of a server.
#[derive(Clone, Debug)]
pub enum RequestFact<'a> {
    /// `POST apps/{app}`
    Register(&'a InstanceInfo),
    /// `PUT apps/{app}/{id}`
    Heartbeat {
        /// Whose.
        key: InstanceKey,
        /// `status`
        status: Option<InstanceStatus>,
        /// `lastDirtyTimestamp`
        dirty: DirtyParameter,
    },
    /// `DELETE apps/{app}/{id}`
    Cancel(InstanceKey),
    /// `PUT apps/{app}/{id}/status`
    StatusUpdate {
        /// Whose.
        key: InstanceKey,
        /// `value`
        value: StatusParameter,
        /// `lastDirtyTimestamp`
        dirty: DirtyParameter,
    },
    /// `DELETE apps/{app}/{id}/status`
    DeleteStatus {
        /// Whose.
        key: InstanceKey,
        /// `value`
        value: StatusParameter,
        /// `lastDirtyTimestamp`
        dirty: DirtyParameter,
    },
    /// `PUT apps/{app}/{id}/metadata`
    Metadata(InstanceKey),
    /// A read through the response cache.
    Get(CacheKey),
    /// `GET apps/{app}/{id}`
    GetInstance(InstanceKey),
    /// `GET instances/{id}`
    GetById(NameId),
    /// `POST peerreplication/batch`
    Batch,
}

/// The first line of a client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestLine {
    /// `POST apps/{app}`
    Register(InstanceKey),
    /// `PUT apps/{app}/{id}`
    Heartbeat(InstanceKey),
    /// `DELETE apps/{app}/{id}`
    Cancel(InstanceKey),
    /// A fetch.
    Get(CacheKey),
}

/// How a replication batch ended, as its sender knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchOutcome {
    /// Answered with this status.
    Answered(u16),
    /// Not answered.
    Failed(AttemptFailure),
}

/// One fact. Servers and clients are hosts; instances are keys of the run's names.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// A process starts; its generation counts from 0.
    Started(HostId, u32),
    /// A graceful stop has ended.
    Exited(HostId, u32),
    /// A server's registry is initialised.
    Initialised(HostId),
    /// A server accepts connections.
    Listening(HostId),
    /// A server that is stopped accepts no connections any more, and its registry is gone; its process
    /// goes on until its client has said goodbye.
    Closed(HostId),
    /// `openForTraffic`
    OpenForTraffic {
        /// Which server.
        server: HostId,
        /// What start-up sync copied.
        sync_count: i32,
        /// What it was opened with.
        count: i32,
    },
    /// A server executed a request.
    Request {
        /// Which server.
        server: HostId,
        /// Who sent it.
        from: Party,
        /// What.
        request: RequestFact<'a>,
        /// How it was answered.
        code: u16,
        /// The length of the payload in the answer ([`Applications::json_bytes`]); 0 if there is
        /// none.
        bytes: u64,
    },
    /// A client's request was answered by a server that fails (`fail`), and not executed.
    TurnedAway {
        /// Whose.
        from: HostId,
        /// At which server.
        to: HostId,
        /// What it was.
        request: RequestLine,
        /// How it was answered.
        code: u16,
    },
    /// A client's request got no answer.
    Failed {
        /// Whose.
        from: HostId,
        /// At which server.
        to: HostId,
        /// What it was.
        request: RequestLine,
        /// Why.
        outcome: AttemptFailure,
    },
    /// A server sends a replication batch.
    BatchSent {
        /// Identifies the batch among all of the run.
        batch: u64,
        /// Who sends it.
        from: HostId,
        /// To whom.
        to: HostId,
        /// What is on the wire.
        items: &'a [BatchItem],
    },
    /// The sender knows how a batch ended.
    BatchEnded {
        /// Which.
        batch: u64,
        /// Who sent it.
        from: HostId,
        /// To whom.
        to: HostId,
        /// How.
        outcome: BatchOutcome,
        /// After how long.
        took: Span,
        /// The status of each item.
        codes: &'a [u16],
    },
    /// A dispatcher let go of a task that its peer has not confirmed, and not for a newer one. Tasks
    /// that end with their server's process are not told of.
    TaskDropped {
        /// Whose dispatcher.
        from: HostId,
        /// Towards which peer.
        to: HostId,
        /// Whose the task was.
        key: InstanceKey,
        /// What the peer was to do.
        action: TaskAction,
        /// Why.
        why: Dropped,
    },
    /// A peer answered a heartbeat with 404: the registration is on its way to it.
    ReplicaNotFound {
        /// The server that knows the instance.
        from: HostId,
        /// The peer that does not.
        to: HostId,
        /// Whose heartbeat.
        key: InstanceKey,
    },
    /// A peer answered a heartbeat with a copy of its own that is newer: it was taken.
    Adopted {
        /// The server that took it.
        server: HostId,
        /// The peer.
        from: HostId,
        /// Of which instance.
        key: InstanceKey,
    },
    /// A lease was made or replaced.
    Registered {
        /// At which server.
        server: HostId,
        /// Whose.
        key: InstanceKey,
        /// With this status.
        status: InstanceStatus,
        /// By a peer.
        replica: bool,
        /// There was none before.
        is_new: bool,
        /// What was compared. Not in the digest: it follows from what is.
        decision: Decision,
    },
    /// A lease was renewed by a heartbeat.
    Renewed {
        /// At which server.
        server: HostId,
        /// Whose.
        key: InstanceKey,
        /// By a peer.
        replica: bool,
    },
    /// A lease was cancelled or evicted.
    Cancelled {
        /// At which server.
        server: HostId,
        /// Whose.
        key: InstanceKey,
        /// By a peer.
        replica: bool,
        /// By the eviction task.
        evicted: bool,
    },
    /// A stored status changed without a registration.
    StatusChanged {
        /// At which server.
        server: HostId,
        /// Whose.
        key: InstanceKey,
        /// To this.
        status: InstanceStatus,
    },
    /// An override was set or deleted.
    Overridden {
        /// At which server.
        server: HostId,
        /// For which instance.
        key: InstanceKey,
        /// To this; none: deleted.
        status: Option<InstanceStatus>,
    },
    /// The eviction task ran.
    EvictRun {
        /// At which server.
        server: HostId,
        /// What it found and did.
        run: &'a EvictRun,
    },
    /// The renewal threshold changed.
    Threshold {
        /// At which server.
        server: HostId,
        /// From this.
        from: i32,
        /// To this.
        to: i32,
    },
    /// A minute of renewals is complete.
    Bucket {
        /// At which server.
        server: HostId,
        /// How many.
        renews: i64,
    },
    /// The list of its peers changed.
    Peers {
        /// Whose.
        server: HostId,
        /// All of them, by position, in the order it fans out to them.
        peers: &'a [u16],
    },
    /// `expectedNumberOfClientsSendingRenews` changed, of which the threshold need not show anything.
    Expected {
        /// At which server.
        server: HostId,
        /// To this.
        to: i32,
    },
    /// Self-preservation went on (nothing is evicted) or off.
    SelfPreservation {
        /// At which server.
        server: HostId,
        /// On.
        on: bool,
    },
    /// `isBelowRenewThresold` changed: the dashboard warns, or does so no longer.
    BelowRenewThreshold {
        /// At which server.
        server: HostId,
        /// It warns.
        on: bool,
    },
    /// A client sees something else than before.
    View {
        /// Which client (or server, for its embedded one).
        client: HostId,
        /// Before.
        old: &'a View,
        /// Now.
        new: &'a View,
    },
    /// An instance's own status changed.
    LocalStatus {
        /// Whose.
        client: HostId,
        /// To this.
        status: InstanceStatus,
        /// Its dirty timestamp, ms since 1970 on its own clock.
        dirty: i64,
    },
    /// Something notable happened inside a client, or inside the one of a server.
    InClient(HostId, ClientEvent),
    /// The script did something.
    Fault(FaultFact<'a>),
    /// Something happened between consumers and those they call.
    Traffic(TrafficFact<'a>),
}

/// An operation on one server's registry, for traces in the form of the recordings. Observers get it
/// before the registry's out-lists are drained.
#[derive(Debug)]
pub struct ServerOperation<'a> {
    /// The server.
    pub server: HostId,
    /// Its process: 1 for the first.
    pub generation: u32,
    /// What its clocks show.
    pub now: Now,
    /// Its registry, right after the operation.
    pub registry: &'a Registry,
    /// What was done, and the result.
    pub kind: OperationKind<'a>,
}

/// What was done to a registry.
#[derive(Clone, Debug)]
pub enum OperationKind<'a> {
    /// The constructor, and `init`.
    Init,
    /// Timers are about to run that read the embedded client's view; what it shows, and whether only
    /// what is UP.
    View(&'a View, bool),
    /// One look of start-up sync: what it registered, and how many.
    SyncUp(&'a [InstanceInfo], i32),
    /// `openForTraffic` with this count.
    Open(i32),
    /// A request of a client or from outside.
    Request(&'a RequestFact<'a>, &'a Reply<'a>),
    /// A registration from outside, and its status.
    Register(&'a Registration, u16),
    /// Metadata set by a request.
    Metadata(InstanceKey, &'a [(&'a str, &'a str)], u16),
    /// A replication batch and the answers to its items.
    Batch(&'a [BatchItem], &'a [Answer]),
    /// A peer answered a heartbeat with its own copy, which was taken.
    Adopted(&'a InstanceInfo, Adopted),
    /// A wall-clock step of this many ns; the clocks show the time after it.
    StepWall(i64),
    /// A configuration key was set.
    Set(&'a str, &'a ConfigValue),
    /// Timers that were due ran.
    Timers,
    /// The process was frozen until now.
    Resumed,
}

/// The result of a request.
#[derive(Debug)]
pub enum Reply<'a> {
    /// A status code, perhaps with the live instance.
    Answer(Answer),
    /// A payload.
    Payload(&'a Applications),
}

/// Somebody who watches a run without influencing it.
pub trait Observer {
    /// Whether it wants [`Observer::operation`].
    const WANTS_OPERATIONS: bool = false;

    /// A fact happened. `world` shows the state after it.
    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>);

    /// An operation on a registry.
    fn operation(&mut self, at: Instant, operation: &ServerOperation<'_>, world: &WorldView<'_>) {
        let _ = (at, operation, world);
    }

    /// Everything of this instant has happened: `world` stays as it is until just before `next`.
    fn elapsed(&mut self, next: Instant, world: &WorldView<'_>) {
        let _ = (next, world);
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn fact(&mut self, _at: Instant, _fact: &Fact<'_>, _world: &WorldView<'_>) {}
}

impl RequestFact<'_> {
    /// The instance it is about, if it is about one.
    #[must_use]
    pub fn key(&self) -> Option<InstanceKey> {
        match self {
            Self::Register(info) => Some(info.key),
            Self::Heartbeat { key, .. }
            | Self::Cancel(key)
            | Self::StatusUpdate { key, .. }
            | Self::DeleteStatus { key, .. }
            | Self::Metadata(key)
            | Self::GetInstance(key) => Some(*key),
            Self::Get(_) | Self::GetById(_) | Self::Batch => None,
        }
    }
}

impl RequestLine {
    /// The instance it is about, if it is about one.
    pub(super) const fn key(self) -> Option<InstanceKey> {
        match self {
            Self::Register(key) | Self::Heartbeat(key) | Self::Cancel(key) => Some(key),
            Self::Get(_) => None,
        }
    }
}
