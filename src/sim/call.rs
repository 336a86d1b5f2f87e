//! Calls: requests under way, from sending to the moment both sides are done with them.

use std::sync::Arc;

use super::action::Method;
use super::fact::{RequestFact, RequestLine};
use super::host::HostId;
use crate::eureka::client::{AttemptFailure, ErrorBody, JobId, Request};
use crate::eureka::server::Applications;
use crate::eureka::server::peer::BatchId;
use crate::eureka::server::resources::{BatchItem, DirtyParameter};
use crate::eureka::{InstanceInfo, InstanceKey};
use crate::time::Instant;

/// Number of a call, in [`Calls`].
pub(super) type CallId = u32;

/// Whose call it is, within the process that made it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// A client's worker.
    Job(JobId),
    /// A server's batch to the peer of this number.
    Batch { node: u32, batch: BatchId, number: u64 },
}

/// What is on its way, or waits to be handled.
#[derive(Clone, Debug, Default)]
pub(super) enum Message {
    /// Nothing (any more).
    #[default]
    None,
    /// A client's request.
    Request(Request),
    /// A replication batch.
    Batch(Vec<BatchItem>),
    /// The answer to a request.
    Answer { code: u16, body: Option<Arc<Applications>>, error_body: ErrorBody },
    /// The answer to a batch: status and entity of each item.
    BatchAnswer { code: u16, items: Vec<(u16, Option<Box<InstanceInfo>>)> },
    /// No answer.
    Failure(AttemptFailure),
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) caller: HostId,
    /// The process of the caller that made it.
    pub(super) generation: u32,
    pub(super) target: HostId,
    /// Its number among the caller's calls, for random draws.
    pub(super) number: u32,
    pub(super) purpose: Purpose,
    /// What a client asked; none for a batch.
    pub(super) line: Option<RequestLine>,
    pub(super) message: Message,
    pub(super) sent: Instant,
    /// When the caller stops waiting for an answer.
    pub(super) deadline: Instant,
    /// The place of that timeout among events of one instant: that of the sending.
    pub(super) deadline_seq: u64,
    /// The caller knows the outcome (or is gone).
    pub(super) caller_done: bool,
    /// The request will not be executed any more.
    pub(super) server_done: bool,
    /// A server that fails has answered without executing it.
    pub(super) turned_away: bool,
    /// The caller is frozen, and will learn the outcome that came first.
    pub(super) settled: bool,
    /// The timeout is in the queue.
    pub(super) timeout_queued: bool,
    /// Queued or deferred events that name it.
    pub(super) references: u8,
}

/// All calls under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// Those that are over and free included.
    slots: Vec<Call>,
    free: Vec<CallId>,
}

impl Calls {
    /// Inlined, so that a call is made where it stays: to copy what was written a moment ago takes longer
    /// than to write it.
    #[inline(always)]
    pub(super) fn add(&mut self, call: Call) -> CallId {
        if let Some(id) = self.free.pop() {
            // A call that is over has nothing to drop.
            std::mem::forget(std::mem::replace(&mut self.slots[id as usize], call));
            return id;
        }
        self.slots.push(call);
        self.slots.len() as CallId - 1
    }

    #[inline(always)]
    pub(super) fn get(&mut self, id: CallId) -> &mut Call {
        let call = &mut self.slots[id as usize];
        debug_assert!(!call.is_over(), "an event names a call that is under way");
        call
    }

    /// An event that named the call was handled; forgets it if nothing else will happen to it.
    #[inline(always)]
    pub(super) fn dereference(&mut self, id: CallId) {
        let call = self.get(id);
        call.references -= 1;
        if call.is_over() {
            if !matches!(call.message, Message::None) {
                call.drop_message();
            }
            self.free.push(id);
        }
    }
}

impl Call {
    #[cold]
    fn drop_message(&mut self) {
        self.message = Message::None;
    }

    /// Nothing will happen to it any more.
    const fn is_over(&self) -> bool {
        self.references == 0 && self.caller_done && self.server_done
    }

    /// The HTTP method of the request.
    pub(super) const fn method(&self) -> Method {
        match self.line {
            Some(RequestLine::Register(_)) | None => Method::Post,
            Some(RequestLine::Heartbeat(_)) => Method::Put,
            Some(RequestLine::Cancel(_)) => Method::Delete,
            Some(RequestLine::Get(_)) => Method::Get,
        }
    }
}

/// What a request was, for facts.
#[inline(always)]
pub(super) fn request_fact(key: InstanceKey, request: &Request) -> RequestFact<'_> {
    match request {
        Request::Register(info) => RequestFact::Register(info),
        Request::Heartbeat { status, dirty } => RequestFact::Heartbeat {
            key,
            status: *status,
            dirty: dirty.map_or(DirtyParameter::Absent, DirtyParameter::Value),
        },
        Request::Cancel => RequestFact::Cancel(key),
        Request::Get(what) => RequestFact::Get(*what),
    }
}

/// The first line of a request.
#[inline(always)]
pub(super) fn request_line(key: InstanceKey, request: &Request) -> RequestLine {
    match request {
        Request::Register(_) => RequestLine::Register(key),
        Request::Heartbeat { .. } => RequestLine::Heartbeat(key),
        Request::Cancel => RequestLine::Cancel(key),
        Request::Get(what) => RequestLine::Get(*what),
    }
}
