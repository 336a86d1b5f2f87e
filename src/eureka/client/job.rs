//! What the workers of a client are doing: calls under way and where they go on afterwards.

use std::num::NonZeroU32;

use super::event::Which;
use super::transport::{EndpointClient, Operation, StackKind};
use crate::eureka::InstanceStatus;
use crate::eureka::server::CacheKey;

/// Number of a call under way, in [`Jobs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobId(NonZeroU32);

/// What is sent to a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// `POST apps/{app}`: the instance as it is now.
    Register(Box<crate::eureka::InstanceInfo>),
    /// `PUT apps/{app}/{id}`
    Heartbeat {
        /// `status`, which the server ignores.
        status: Option<InstanceStatus>,
        /// `lastDirtyTimestamp`
        dirty: Option<i64>,
    },
    /// `DELETE apps/{app}/{id}`
    Cancel,
    /// `GET apps/` or `apps/delta`
    Get(CacheKey),
}

/// Which thread works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Start-up and shutdown.
    Application,
    /// A heartbeat.
    Heartbeat,
    /// A fetch.
    Refresh,
    /// The replicator.
    Replicator,
}

/// What the worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Renew,
    /// After a heartbeat was answered 404; the dirty timestamp that was set then, if one was.
    ReRegister(Option<i64>),
    /// The replicator's registration; the dirty timestamp when it began.
    Replicate(i64),
    /// The constructor's registration.
    RegisterAtInit,
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
            Self::ReRegister(_) | Self::Replicate(_) | Self::RegisterAtInit => Operation::Register,
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
    pub(super) which: Which,
    pub(super) worker: Worker,
    pub(super) step: Step,
    pub(super) attempts: u8,
    /// Redirects that this attempt has followed.
    pub(super) hops: u8,
    /// How often this attempt's request was put on the wire, which the HTTP library may do by
    /// itself.
    pub(super) copies: u8,
    /// Its thread's interrupt flag is set.
    pub(super) interrupted: bool,
    /// The server of this attempt came from the list.
    pub(super) from_list: bool,
    /// The attempt under way: through whom, and at which server.
    pub(super) client: Option<(EndpointClient, u16)>,
    /// The list as it was when the call first needed it, and how much of it was tried.
    pub(super) candidates: Option<Vec<u16>>,
    pub(super) tried: usize,
    /// The stack's session when the call began.
    pub(super) session: u16,
    /// What was sent, if the HTTP library may repeat it; or the body that is being written.
    pub(super) request: Option<Request>,
}

/// Which client of an endpoint, of all that a process makes: one is made for each endpoint tried, and
/// some HTTP libraries give each its own connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointClientId {
    stack: StackKind,
    session: u16,
    number: u16,
}

/// The calls under way of all clients that share it.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// Those that are over and free included.
    slots: Vec<Job>,
    free: Vec<JobId>,
}

impl Jobs {
    /// Inlined, so that a job is made where it stays: to copy what was written a moment ago takes longer
    /// than to write it.
    #[inline(always)]
    pub(super) fn add(&mut self, which: Which, worker: Worker, step: Step) -> JobId {
        let job = Job {
            which,
            worker,
            step,
            attempts: 0,
            hops: 0,
            copies: 0,
            interrupted: false,
            from_list: false,
            client: None,
            candidates: None,
            tried: 0,
            session: 0,
            request: None,
        };
        if let Some(id) = self.free.pop() {
            // A job that is over has nothing to drop.
            std::mem::forget(std::mem::replace(&mut self.slots[id.index()], job));
            return id;
        }
        self.slots.push(job);
        JobId(NonZeroU32::new(self.slots.len() as u32).expect("one was just added"))
    }

    pub(super) fn get(&mut self, id: JobId) -> &mut Job {
        debug_assert!(!self.free.contains(&id), "a call under way has its job");
        &mut self.slots[id.index()]
    }

    /// The client whose call it is.
    pub fn which(&mut self, id: JobId) -> Which {
        self.get(id).which
    }

    /// Through which client of an endpoint its attempt goes; none before the first.
    pub fn endpoint_client(&mut self, id: JobId) -> Option<EndpointClientId> {
        let job = self.get(id);
        let (stack, session) = (job.step.stack(), job.session);
        job.client.map(|(client, _)| EndpointClientId { stack, session, number: client.number })
    }

    /// Forgets a job: it ended, or its process died.
    #[inline(always)]
    pub fn remove(&mut self, id: JobId) {
        let job = self.get(id);
        (job.candidates, job.request) = (None, None);
        self.free.push(id);
    }
}

impl JobId {
    const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}
