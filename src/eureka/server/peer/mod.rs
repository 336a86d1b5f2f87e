//! Replication to one peer: `PeerEurekaNode`, its batching dispatcher and what comes back.
//!
//! Every operation of a client becomes a task for every peer. Tasks wait half a second, leave in
//! batches, are overwritten by newer ones of the same kind for the same instance, expire, and are
//! retried after failures of the network; what each says is the state of the instance when it is
//! *sent*. The dispatcher's thread is an event: [`PeerEurekaNode::next_run`] says when. What happened
//! to tasks on the way is left in an out-list ([`PeerEurekaNode::facts`]) for the caller to drain.

mod acceptor;
mod nodes;
mod task;
mod traffic_shaper;

use acceptor::AcceptorExecutor;
pub use nodes::PeerEurekaNodes;
pub use task::{Task, TaskAction};
pub use traffic_shaper::Failure;

use super::config::ServerConfig;
use super::objects::Objects;
use super::registry::{At, Registry};
use super::replicate::Handed;
use super::resources::BatchItem;
use crate::eureka::{InstanceInfo, InstanceKey, InstanceStatus, LeaseInfo, Names, ServiceUrl};
use crate::time::Now;

/// Number of a batch under way to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchId(u32);

/// `PeerEurekaNode`: the queue towards one peer.
#[derive(Clone, Debug)]
pub struct PeerEurekaNode {
    peer: ServiceUrl,
    number: u32,
    acceptor: AcceptorExecutor,
    /// Tasks of the batches under way, by [`BatchId`]; empty where none is.
    under_way: Vec<Vec<Task>>,
    max_time_for_replication: i64,
    facts: Vec<PeerFact>,
}

/// Why a dispatcher let go of a task that no peer has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// It was too old when it was looked at (`expiredTasks`).
    Expired,
    /// There was no room for it (`queueOverflows`).
    Overflow,
    /// A newer one of the same kind for the same instance took its place (`overriddenTasks`).
    Overridden,
    /// Its batch was answered with a status after which nothing is tried again.
    PermanentError,
}

impl Dropped {
    /// The name used in reports: `permanent-error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Overflow => "overflow",
            Self::Overridden => "overridden",
            Self::PermanentError => "permanent-error",
        }
    }
}

/// Something that happened to a task and leaves no trace in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerFact {
    /// It was dropped, not for a newer one.
    Dropped {
        /// Whose it was.
        key: InstanceKey,
        /// What it was to do at the peer.
        action: TaskAction,
        /// Why; never [`Dropped::Overridden`].
        why: Dropped,
    },
    /// A heartbeat was answered 404: the registration goes to the peer.
    NotFound {
        /// Whose.
        key: InstanceKey,
    },
}

impl PeerEurekaNode {
    /// A dispatcher with nothing to do, the `number`-th of its process.
    #[must_use]
    pub fn new(config: &ServerConfig, peer: ServiceUrl, number: u32) -> Self {
        Self {
            peer,
            number,
            acceptor: AcceptorExecutor::new(
                config.max_elements_in_peer_replication_pool as usize,
                config.max_threads_for_peer_replication as u32,
            ),
            under_way: Vec::new(),
            max_time_for_replication: config.max_time_for_replication.into(),
            facts: Vec::new(),
        }
    }

    /// Who it is.
    #[must_use]
    pub const fn peer(&self) -> &ServiceUrl {
        &self.peer
    }

    /// What tells it from every other node of its process, those that are shut down included.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// `PeerEurekaNode.shutDown()`: what has not been sent is lost.
    fn shut_down(self, objects: &mut Objects) {
        let under_way = self.under_way.into_iter().flatten();
        for task in self.acceptor.into_tasks().chain(under_way) {
            release(objects, &task);
        }
    }

    /// `PeerEurekaNode.register`, `.heartbeat`, `.cancel`, …: makes the task and hands it to the
    /// dispatcher. An operation on an instance that was not visible makes no task. The reference in
    /// `handed` stays the caller's.
    #[inline(always)]
    pub fn submit(&mut self, objects: &mut Objects, handed: &Handed, now: Now) {
        if let Handed::Heartbeat { key, info: Some(info), overridden } = *handed {
            let expiry = now.wall + renewal_ms(&objects[info]);
            let (action, info) = (TaskAction::Heartbeat, Some(info));
            let task = Task { key, action, info, overridden, expiry, submitted: now.wall };
            self.enqueue(objects, task, now);
        } else {
            self.submit_other(objects, handed, now);
        }
    }

    /// [`PeerEurekaNode::submit`] of what is no heartbeat.
    #[cold]
    fn submit_other(&mut self, objects: &mut Objects, handed: &Handed, now: Now) {
        let (key, action, info) = match *handed {
            Handed::Register { info } => (objects[info].key, TaskAction::Register, Some(info)),
            Handed::Cancel { key } => (key, TaskAction::Cancel, None),
            Handed::StatusUpdate { key, info: Some(info), .. } => {
                (key, TaskAction::StatusUpdate, Some(info))
            }
            Handed::DeleteStatusOverride { key, info: Some(info) } => {
                (key, TaskAction::DeleteStatusOverride, Some(info))
            }
            Handed::Heartbeat { .. }
            | Handed::StatusUpdate { info: None, .. }
            | Handed::DeleteStatusOverride { info: None, .. } => return,
        };
        let life = match (action, info) {
            (TaskAction::Register, Some(info)) => renewal_ms(&objects[info]),
            _ => self.max_time_for_replication,
        };
        let expiry = now.wall + life;
        let task = Task { key, action, info, overridden: None, expiry, submitted: now.wall };
        self.enqueue(objects, task, now);
    }

    /// The dispatcher gets a task, which keeps a reference to its instance.
    #[inline(always)]
    fn enqueue(&mut self, objects: &mut Objects, task: Task, now: Now) {
        if let Some(info) = task.info {
            objects.retain_info(info);
        }
        self.acceptor.process(task, now.mono);
    }

    /// Monotonic clock (ns) at which the dispatcher's thread next has something to look at.
    #[must_use]
    pub const fn next_run(&self) -> Option<u64> {
        self.acceptor.next_run()
    }

    /// One pass of the dispatcher's thread, if it is one in which nothing happens; whether it was.
    pub fn idles(&mut self, now: Now) -> bool {
        self.acceptor.idles(now)
    }

    /// One pass of the dispatcher's thread. If a batch is complete it is returned, written into
    /// `items` as it goes on the wire; the thread then runs again at once.
    pub fn run(
        &mut self,
        objects: &mut Objects,
        names: &Names,
        now: Now,
        items: &mut Vec<BatchItem>,
    ) -> Option<BatchId> {
        let mut dropped = Vec::new();
        let tasks = self.acceptor.run(now, &mut dropped);
        for (task, why) in dropped {
            if why != Dropped::Overridden {
                self.note_dropped(&task, why);
            }
            release(objects, &task);
        }
        let tasks = tasks?;
        for some in tasks.chunks(Registry::TOUCHED_AHEAD) {
            some.iter().filter_map(|task| task.info).for_each(|info| objects.touch_info(info));
            items.extend(some.iter().map(|task| task.on_the_wire(objects, names)));
        }
        let free = self.under_way.iter().position(Vec::is_empty);
        let slot = free.unwrap_or_else(|| {
            self.under_way.push(Vec::new());
            self.under_way.len() - 1
        });
        self.under_way[slot] = tasks;
        Some(BatchId(slot as u32))
    }

    /// The peer answered the batch. `codes` are those of the items in order, with the entity of each
    /// if it has one. A heartbeat that was answered 404 sends the registration, one answered with the
    /// peer's instance is to [`Registry::adopt`] that: those instances are returned, in order
    /// (`ReplicationTaskProcessor.handleBatchResponse`).
    #[must_use]
    pub fn answered(
        &mut self,
        registry: &mut Registry,
        at: At<'_>,
        batch: BatchId,
        codes: &[(u16, Option<Box<InstanceInfo>>)],
    ) -> Vec<Box<InstanceInfo>> {
        let mut newer = Vec::new();
        let tasks = std::mem::take(&mut self.under_way[batch.0 as usize]);
        self.acceptor.batch_done();
        for (task, (code, entity)) in tasks.iter().zip(codes) {
            let heartbeat = task.action == TaskAction::Heartbeat;
            if let (true, 404, Some(info)) = (heartbeat, *code, task.info) {
                self.facts.push(PeerFact::NotFound { key: task.key });
                self.submit(&mut registry.objects, &Handed::Register { info }, at.now);
            } else if let (true, Some(theirs)) = (heartbeat && *code != 200, entity)
                && registry.config.sync_when_timestamp_differs
            {
                newer.push(theirs.clone());
            }
        }
        for task in &tasks {
            release(&mut registry.objects, task);
        }
        newer
    }

    /// The batch came to nothing. Congestion and network errors put its tasks back into the queue,
    /// anything else loses them.
    pub fn failed(&mut self, objects: &mut Objects, batch: BatchId, failure: Failure, now: Now) {
        let tasks = std::mem::take(&mut self.under_way[batch.0 as usize]);
        self.acceptor.batch_done();
        if failure == Failure::Permanent {
            for task in &tasks {
                self.note_dropped(task, Dropped::PermanentError);
                release(objects, task);
            }
        } else {
            self.acceptor.reprocess(tasks, failure, now);
        }
    }

    /// The process goes on, having been frozen at `frozen` (monotonic, ns): for this thread too time
    /// has passed that it did not see.
    pub fn resume(&mut self, frozen: u64) {
        self.acceptor.resume(frozen);
    }

    /// Tasks that wait, those under way not included.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.acceptor.waiting()
    }

    /// What happened since the caller last drained it.
    pub const fn facts(&mut self) -> &mut Vec<PeerFact> {
        &mut self.facts
    }

    fn note_dropped(&mut self, task: &Task, why: Dropped) {
        self.facts.push(PeerFact::Dropped { key: task.key, action: task.action, why });
    }
}

/// How long a task lives that tells of a lease: one renewal interval (ms).
#[inline(always)]
fn renewal_ms(info: &InstanceInfo) -> i64 {
    let seconds = info
        .lease_info
        .map_or(LeaseInfo::DEFAULT_DURATION, |lease| lease.renewal_interval_in_secs.get());
    i64::from(seconds.wrapping_mul(1000))
}

/// What became of a peer's copy of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// It was registered.
    Registered,
    /// Likewise, after its override had taken the place of another one; the instance it replaced had
    /// this status.
    RegisteredOver(InstanceStatus),
    /// The stored instance was newer: it was registered anew, with the override of the copy.
    OverrideOnly,
    /// Java fails, because the instance is not visible here; its override was stored.
    Failed,
}

impl Registry {
    /// `PeerEurekaNode.syncInstancesIfTimestampDiffers`: takes a peer's copy of an instance.
    pub fn adopt(&mut self, at: At<'_>, theirs: InstanceInfo) -> Adopted {
        let mut adopted = Adopted::Registered;
        if theirs.overridden_status != InstanceStatus::Unknown {
            let status = theirs.overridden_status;
            let before = self.stored_override(at, theirs.key);
            if !self.store_overridden_status_if_required(at, theirs.key, status) {
                return Adopted::Failed;
            }
            let lease = self.lease(theirs.key);
            if let (true, Some(lease)) = (before != Some(status), lease) {
                let stored = &self.objects[lease.holder];
                if stored.last_dirty_timestamp > theirs.last_dirty_timestamp
                    && self.class.keeps_newer_stored_instance()
                {
                    adopted = Adopted::OverrideOnly;
                } else if before.is_some() {
                    adopted = Adopted::RegisteredOver(stored.status);
                }
            }
        }
        let info = self.objects.add_info(theirs);
        self.register(at, info, true);
        self.objects.release_info(info);
        adopted
    }
}

#[inline(always)]
fn release(objects: &mut Objects, task: &Task) {
    if let Some(info) = task.info {
        objects.release_info(info);
    }
}

#[cfg(test)]
mod tests;
