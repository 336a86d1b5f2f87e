//! Calls between processes: sending, losing, executing, answering, giving up.
//!
//! What becomes of a message is decided when it is sent; whether anybody listens, when it arrives.
//! A caller that stops waiting does not take its request back.

use super::super::call::{Call, CallId, Message, Purpose};
use super::super::fact::{BatchOutcome, Fact, Observer, RequestLine};
use super::super::host::HostId;
use super::super::network::{Fate, Leg};
use super::super::queue::EventQueue;
use super::{Deferred, Event, Held, World};
use crate::eureka::client::{AttemptFailure, Outcome};
use crate::eureka::server::peer::{BatchId, Failure};
use crate::sim::CutMode;
use crate::time::{Instant, Span};

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// A process sends a request.
    #[inline(always)]
    pub(super) fn send(
        &mut self,
        caller: HostId,
        target: HostId,
        purpose: Purpose,
        line: Option<RequestLine>,
        message: Message,
    ) {
        let (_, read_timeout) = self.timeouts(caller, &purpose);
        let deadline_seq = self.next_seq();
        let host = &mut self.hosts[caller.index()];
        let number = host.calls;
        host.calls += 1;
        let id = self.calls.add(Call {
            caller,
            generation: host.generation,
            target,
            number,
            purpose,
            line,
            message,
            sent: self.now,
            deadline: self.now + read_timeout,
            deadline_seq,
            caller_done: false,
            server_done: false,
            turned_away: false,
            settled: false,
            timeout_queued: false,
            references: 0,
        });
        let link = (caller, target);
        match self.network.fate(&self.streams, link, (caller, number, Leg::Request)) {
            Fate::Arrives(span) => self.forward(id, link, span),
            Fate::Held(entry, span) => self.hold(entry, Event::Arrive(id), link, span, id),
            Fate::Lost => {
                self.calls.get(id).server_done = true;
                self.queue_timeout(id);
            }
            Fate::Cut(mode, span) => self.cannot_connect(id, mode, span),
        }
    }

    /// Connect and read timeout of a call.
    #[inline(always)]
    pub(super) fn timeouts(&self, caller: HostId, purpose: &Purpose) -> (Span, Span) {
        match purpose {
            Purpose::Job(_) => {
                let profile = self.profile_of(caller);
                (profile.connect_timeout(), profile.read_timeout())
            }
            Purpose::Batch { .. } => self.servers[caller.index()].peer_timeouts(),
        }
    }

    #[inline(always)]
    pub(super) fn forward(&mut self, id: CallId, link: (HostId, HostId), span: Span) {
        let at = self.network.arrival(link, self.now, span);
        if at >= self.calls.get(id).deadline {
            self.queue_timeout(id);
        }
        self.refer(id, at, Event::Arrive(id));
    }

    /// Queues an event that names a call. What lies beyond the end of the run never happens.
    #[inline(always)]
    pub(super) fn refer(&mut self, id: CallId, at: Instant, event: Event) {
        if at <= self.setup.duration {
            self.calls.get(id).references += 1;
            self.push(at, event);
        }
    }

    #[cold]
    fn queue_timeout(&mut self, id: CallId) {
        let call = self.calls.get(id);
        if call.timeout_queued || call.caller_done {
            return;
        }
        call.timeout_queued = true;
        let (at, seq) = (call.deadline, call.deadline_seq);
        if at <= self.setup.duration {
            call.references += 1;
            self.push_at(at, seq, Event::Timeout(id));
        }
    }

    #[cold]
    fn hold(&mut self, entry: usize, event: Event, link: (HostId, HostId), span: Span, id: CallId) {
        self.calls.get(id).references += 1;
        self.held.push(Held { entry, event, link, span });
        self.queue_timeout(id);
    }

    /// The hold of a timeline entry ends: its messages go on their way.
    pub(super) fn release_held(&mut self, entry: usize) {
        let held = std::mem::take(&mut self.held);
        for message in held {
            if message.entry == entry {
                let at = self.network.arrival(message.link, self.now, message.span);
                self.push(at, message.event);
            } else {
                self.held.push(message);
            }
        }
    }

    /// No connection: known after one latency if it is refused, else after the connect timeout.
    #[cold]
    pub(super) fn cannot_connect(&mut self, id: CallId, mode: CutMode, span: Span) {
        let call = self.calls.get(id);
        call.server_done = true;
        let (caller, purpose) = (call.caller, call.purpose);
        let (failure, after) = match mode {
            CutMode::Refuse => (AttemptFailure::Refused, span),
            CutMode::Blackhole => {
                (AttemptFailure::ConnectTimeout, self.timeouts(caller, &purpose).0)
            }
        };
        self.calls.get(id).message = Message::Failure(failure);
        self.refer(id, self.now + after, Event::End(id));
    }

    /// A request arrives.
    #[inline(always)]
    pub(super) fn arrive(&mut self, id: CallId) {
        let target = self.calls.get(id).target;
        let host = &self.hosts[target.index()];
        if !host.listening {
            self.nobody_listens(id);
        } else if host.paused.is_some() {
            return self.arrive_while_frozen(id, target);
        } else if self.failing.is_empty() || !self.refused_by_script(id) {
            self.execute(id);
        }
        self.calls.dereference(id);
    }

    #[cold]
    fn arrive_while_frozen(&mut self, id: CallId, target: HostId) {
        let Some(pause) = &mut self.hosts[target.index()].paused else {
            return;
        };
        if self.network.setup().accept_queue.is_some_and(|most| pause.accepted >= most) {
            self.not_accepted(id);
            self.calls.dereference(id);
        } else {
            // The host's kernel accepts the connection; nobody reads from it.
            pause.accepted += 1;
            pause.arrived.push(Deferred::Arrive(id));
            self.queue_timeout(id);
        }
    }

    #[cold]
    fn nobody_listens(&mut self, id: CallId) {
        let black_hole =
            self.network.setup().dead_hosts_are_black_holes && !self.target_is_alive(id);
        let call = self.calls.get(id);
        call.server_done = true;
        if call.caller_done {
            return;
        }
        if black_hole {
            let (caller, purpose, sent) = (call.caller, call.purpose, call.sent);
            call.message = Message::Failure(AttemptFailure::ConnectTimeout);
            let at = sent + self.timeouts(caller, &purpose).0;
            self.refer(id, at.max(self.now), Event::End(id));
        } else {
            call.message = Message::Failure(AttemptFailure::Refused);
            call.references += 1;
            self.end(id);
        }
    }

    fn target_is_alive(&mut self, id: CallId) -> bool {
        let target = self.calls.get(id).target;
        self.hosts[target.index()].alive
    }

    /// The target has executed the request: its answer goes back, if somebody waits for it.
    #[inline(always)]
    pub(super) fn reply(&mut self, id: CallId, answer: Message) {
        let call = self.calls.get(id);
        call.server_done = true;
        if call.caller_done {
            return;
        }
        call.message = answer;
        let (caller, target, number) = (call.caller, call.target, call.number);
        let deadline = call.deadline;
        let link = (target, caller);
        match self.network.fate(&self.streams, link, (caller, number, Leg::Reply)) {
            Fate::Arrives(span) => match self.network.arrival(link, self.now, span) {
                at if at < deadline => self.refer(id, at, Event::End(id)),
                _ => self.queue_timeout(id),
            },
            Fate::Lost | Fate::Cut(..) => self.queue_timeout(id),
            Fate::Held(entry, span) => self.hold(entry, Event::End(id), link, span, id),
        }
    }

    /// The target died with the request unanswered: the connection breaks, one latency later.
    pub(super) fn reset(&mut self, id: CallId) {
        let call = self.calls.get(id);
        call.server_done = true;
        if !call.caller_done {
            call.message = Message::Failure(AttemptFailure::Reset);
            let (caller, target, number) = (call.caller, call.target, call.number);
            let link = (target, caller);
            match self.network.fate(&self.streams, link, (caller, number, Leg::Reply)) {
                Fate::Arrives(span) => {
                    let at = self.network.arrival(link, self.now, span);
                    self.refer(id, at, Event::End(id));
                }
                Fate::Lost | Fate::Cut(..) | Fate::Held(..) => self.queue_timeout(id),
            }
        }
        self.calls.dereference(id);
    }

    /// The outcome of a call arrives at its caller.
    #[inline(always)]
    pub(super) fn end(&mut self, id: CallId) {
        let caller = self.calls.get(id).caller;
        if self.hosts[caller.index()].paused.is_some() {
            self.end_while_frozen(id, caller);
        } else {
            self.conclude(id, self.now);
        }
    }

    #[cold]
    fn end_while_frozen(&mut self, id: CallId, caller: HostId) {
        let Some(pause) = &mut self.hosts[caller.index()].paused else {
            return;
        };
        let call = self.calls.get(id);
        if std::mem::replace(&mut call.settled, true) {
            self.calls.dereference(id);
        } else if matches!(call.message, Message::Failure(AttemptFailure::ConnectTimeout)) {
            pause.due.push((self.now, Deferred::End(id)));
        } else {
            pause.arrived.push(Deferred::End(id));
        }
    }

    /// The caller has waited long enough.
    #[cold]
    pub(super) fn timeout(&mut self, id: CallId) {
        let call = self.calls.get(id);
        if call.deadline > self.now {
            // The connection was made late: the answer is waited for from then on.
            call.timeout_queued = false;
            self.queue_timeout(id);
            self.calls.dereference(id);
            return;
        }
        let caller = call.caller;
        if !call.caller_done && self.hosts[caller.index()].paused.is_some() {
            if std::mem::replace(&mut call.settled, true) {
                // An answer that arrived in time waits to be read.
                self.calls.dereference(id);
            } else {
                self.defer_due(caller, Deferred::Timeout(id));
            }
            return;
        }
        self.conclude_timeout(id, self.now);
    }

    pub(super) fn conclude_timeout(&mut self, id: CallId, until: Instant) {
        let call = self.calls.get(id);
        if call.caller_done {
            self.calls.dereference(id);
            return;
        }
        if call.server_done {
            call.message = Message::None;
        }
        self.conclude_with(id, until, Message::Failure(AttemptFailure::ReadTimeout));
    }

    /// The caller goes on with the outcome that has arrived.
    #[inline(always)]
    pub(super) fn conclude(&mut self, id: CallId, until: Instant) {
        let call = self.calls.get(id);
        if call.caller_done {
            self.calls.dereference(id);
            return;
        }
        let outcome = std::mem::take(&mut call.message);
        self.conclude_with(id, until, outcome);
    }

    #[inline(always)]
    fn conclude_with(&mut self, id: CallId, until: Instant, outcome: Message) {
        let call = self.calls.get(id);
        call.caller_done = true;
        let (caller, target, purpose) = (call.caller, call.target, call.purpose);
        let (line, took) = (call.line, self.now.since(call.sent));
        let turned_away = call.turned_away;
        let host = &self.hosts[caller.index()];
        let same_process = host.alive && host.generation == call.generation;
        self.calls.dereference(id);
        match purpose {
            Purpose::Job(job) if !same_process => self.jobs.remove(job),
            Purpose::Job(job) => {
                if turned_away || matches!(outcome, Message::Failure(_)) {
                    self.emit_failure((caller, target), line, &outcome);
                }
                self.client_call_ended(caller, until, job, outcome_of(outcome));
            }
            Purpose::Batch { node, batch, number } => {
                let link = (caller, target);
                self.batch_ended(link, (node, batch, number), same_process, took, outcome);
            }
        }
    }

    /// The call of a client was not executed by anybody.
    #[cold]
    fn emit_failure(
        &mut self,
        (from, to): (HostId, HostId),
        line: Option<RequestLine>,
        outcome: &Message,
    ) {
        match (outcome, line) {
            (&Message::Failure(outcome), Some(request)) => {
                self.emit(&Fact::Failed { from, to, request, outcome });
            }
            (&Message::Answer { code, .. }, Some(request)) => {
                self.emit(&Fact::TurnedAway { from, to, request, code });
            }
            _ => {}
        }
    }

    /// A batch has come to its end, as its sender sees it.
    #[inline(never)]
    fn batch_ended(
        &mut self,
        (sender, to): (HostId, HostId),
        (node, batch, number): (u32, BatchId, u64),
        same_process: bool,
        took: Span,
        outcome: Message,
    ) {
        let (known, items) = match outcome {
            Message::BatchAnswer { code, items } => (BatchOutcome::Answered(code), items),
            Message::Failure(failure) => (BatchOutcome::Failed(failure), Vec::new()),
            Message::Answer { code, .. } => (BatchOutcome::Answered(code), Vec::new()),
            Message::None | Message::Request(_) | Message::Batch(_) => return,
        };
        let codes: Vec<u16> = items.iter().map(|(code, _)| *code).collect();
        if !same_process {
            return;
        }
        self.emit(&Fact::BatchEnded {
            batch: number,
            from: sender,
            to,
            outcome: known,
            took,
            codes: &codes,
        });
        match known {
            BatchOutcome::Answered(200..300) => self.batch_answered(sender, node, batch, &items),
            BatchOutcome::Answered(503) => {
                self.batch_failed(sender, node, batch, Failure::Congestion);
            }
            BatchOutcome::Answered(_) => {
                self.batch_failed(sender, node, batch, Failure::Permanent);
            }
            BatchOutcome::Failed(failure) => {
                let release = self.releases.of(sender, self.setup);
                let slow = failure == AttemptFailure::ReadTimeout
                    && release.takes_read_timeouts_for_congestion();
                let why = if slow { Failure::Congestion } else { Failure::Transient };
                self.batch_failed(sender, node, batch, why);
            }
        }
    }
}

#[inline(always)]
fn outcome_of(message: Message) -> Outcome<std::sync::Arc<crate::eureka::server::Applications>> {
    match message {
        Message::Answer { code, body, error_body } => {
            Outcome::Answered { code, body, error_body, location: None }
        }
        Message::Failure(failure) => Outcome::Failed(failure),
        Message::None | Message::Request(_) | Message::Batch(_) | Message::BatchAnswer { .. } => {
            Outcome::Failed(AttemptFailure::Reset)
        }
    }
}
