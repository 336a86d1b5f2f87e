//! What the workers of a client are doing: calls under way and where they go on afterwards.

use super::transport::{EndpointClient, Operation, StackKind};
use crate::eureka::InstanceStatus;
use crate::eureka::server::CacheKey;

/// Number of a call under way, in [`Jobs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobId(u32);

/// What is sent to a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// `POST apps/{app}`: the instance as it is now.
    Register(Box<crate::eureka::InstanceInfo>),
    /// `PUT apps/{app}/{id}`
    Heartbeat {
        /// `status`, which the server ignores.
        status: InstanceStatus,
        /// `lastDirtyTimestamp`
        dirty: i64,
    },
    /// `DELETE apps/{app}/{id}`
    Cancel,
    /// `GET apps/` or `apps/delta`
    Get(CacheKey),
}

/// Which thread works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worker {
    /// Start-up and shutdown.
    Application,
    Heartbeat,
    Refresh,
    Replicator,
}

/// What the worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Renew,
    /// After a heartbeat was answered 404; the dirty timestamp that was set then.
    ReRegister(i64),
    /// The replicator's registration; the dirty timestamp when it began.
    Replicate(i64),
    /// A full fetch; the generation when it began.
    FetchFull(u32),
    /// A delta; likewise.
    FetchDelta(u32),
    /// The full fetch after a delta that did not fit: the generation, and the delta's version.
    Reconcile(u32, i64),
    Unregister,
}

impl Step {
    pub(super) const fn operation(self) -> Operation {
        match self {
            Self::Renew => Operation::Heartbeat,
            Self::ReRegister(_) | Self::Replicate(_) => Operation::Register,
            Self::FetchFull(_) | Self::Reconcile(..) => Operation::Full,
            Self::FetchDelta(_) => Operation::Delta,
            Self::Unregister => Operation::Cancel,
        }
    }

    pub(super) const fn stack(self) -> StackKind {
        match self.operation() {
            Operation::Delta | Operation::Full => StackKind::Query,
            Operation::Register | Operation::Heartbeat | Operation::Cancel => {
                StackKind::Registration
            }
        }
    }
}

/// One worker with a call under way.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) worker: Worker,
    pub(super) step: Step,
    pub(super) attempts: u8,
    /// The attempt under way: at whom, and whether that came from the list.
    pub(super) client: Option<EndpointClient>,
    pub(super) from_list: bool,
    /// The list as it was when the call first needed it, and how much of it was tried.
    pub(super) candidates: Option<Vec<u16>>,
    pub(super) tried: usize,
    /// The stack's session when the call began.
    pub(super) session: u32,
    /// Its supervisor gave up on it; the thread's interrupt flag is set.
    pub(super) interrupted: bool,
}

/// The calls under way of all clients that share it.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    slots: Vec<Option<Job>>,
    free: Vec<u32>,
}

impl Jobs {
    pub(super) fn add(&mut self, worker: Worker, step: Step) -> JobId {
        let job = Job {
            worker,
            step,
            attempts: 0,
            client: None,
            from_list: false,
            candidates: None,
            tried: 0,
            session: 0,
            interrupted: false,
        };
        if let Some(number) = self.free.pop() {
            self.slots[number as usize] = Some(job);
            return JobId(number);
        }
        self.slots.push(Some(job));
        JobId(self.slots.len() as u32 - 1)
    }

    pub(super) fn get(&mut self, id: JobId) -> &mut Job {
        self.slots[id.0 as usize].as_mut().expect("a call under way has its job")
    }

    /// Forgets a job: it ended, or its process died.
    pub fn remove(&mut self, id: JobId) {
        if self.slots[id.0 as usize].take().is_some() {
            self.free.push(id.0);
        }
    }
}
