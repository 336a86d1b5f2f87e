//! One call of a worker: its attempts, until an answer is accepted or the call has failed.

use std::sync::Arc;

use super::event::{CallFailure, ClientEvent, ConstructFailure};
use super::job::{JobId, Request, Step, Worker};
use super::profile::HttpClientKind;
use super::rare::Sleeper;
use super::transport::{
    AttemptFailure, EndpointClient, Operation, Outcome, Quarantined, Retryable, Stack, StackKind,
    Unsent, quarantine_threshold,
};
use super::{ClientProcess, Cx, DiscoveryClient, Effect};
use crate::eureka::server::{Applications, CacheKey};
use crate::time::Span;

/// Attempts of one call, the one at the pinned server included.
const MAX_ATTEMPTS: u8 = 3;
/// `RedirectingEurekaHttpClient.MAX_FOLLOWED_REDIRECTS`
const MAX_REDIRECTS: u8 = 10;
/// How long Apache HttpClient 5 waits before it repeats what was answered 429 or 503.
const HTTP_RETRY_INTERVAL: Span = Span::from_secs(1);

impl ClientProcess {
    /// A worker begins a call; if it cannot even be sent, the worker goes on at once.
    pub(super) fn call(&mut self, cx: &mut Cx<'_>, worker: Worker, step: Step) -> JobId {
        let id = cx.jobs.add(self.client.which, worker, step);
        self.first_attempt(cx, id);
        id
    }

    /// The worker of `id` begins another call.
    pub(super) fn next_call(&mut self, cx: &mut Cx<'_>, id: JobId, step: Step) {
        let job = cx.jobs.get(id);
        job.step = step;
        (job.attempts, job.client, job.candidates, job.tried) = (0, None, None, 0);
        self.first_attempt(cx, id);
    }

    #[inline(always)]
    pub(super) fn first_attempt(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let kind = cx.jobs.get(id).step.stack();
        if self.client.stack(kind).session_is_over(cx.now.wall) {
            self.begin_session(cx, kind);
        }
        let present = &mut self.client.stack(kind).present;
        present.calls += 1;
        cx.jobs.get(id).session = present.session;
        self.attempt(cx, id);
    }

    #[cold]
    fn begin_session(&mut self, cx: &mut Cx<'_>, kind: StackKind) {
        let interval = cx.profile.client.sessioned_client_reconnect_interval_seconds;
        let draw = cx.draws.session_length();
        let stack = self.client.stack(kind);
        let over = stack.begin_session(i64::from(interval) * 1000, cx.now.wall, draw);
        self.client.keep_past(kind, over);
    }

    /// `RetryableEurekaHttpClient.execute`: the next attempt of a call, or its failure.
    #[inline(always)]
    fn attempt(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let job = cx.jobs.get(id);
        let most = if cx.profile.rest.is_some() { 1 } else { MAX_ATTEMPTS };
        if job.attempts == most {
            return self.gave_up(cx, id, CallFailure::RetryLimit);
        }
        job.attempts += 1;
        (job.hops, job.copies) = (0, 0);
        let pinned = self.client.retryable(job.step.stack(), job.session).pinned();
        job.from_list = pinned.is_none();
        match pinned.map_or_else(|| self.next_candidate(cx, id), Ok) {
            Ok(client) => self.send(cx, id, client, client.target().unwrap_or(client.endpoint)),
            Err(failure) => self.gave_up(cx, id, failure),
        }
    }

    /// The next server of the list.
    #[cold]
    fn next_candidate(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
    ) -> Result<EndpointClient, CallFailure> {
        let job = cx.jobs.get(id);
        let (kind, session) = (job.step.stack(), job.session);
        if job.candidates.is_none() {
            self.use_resolver(cx);
            let percentage = cx.profile.client.retryable_client_quarantine_refresh_percentage;
            let candidates = self.client.host_candidates(kind, session, percentage);
            cx.jobs.get(id).candidates = Some(candidates);
        }
        let job = cx.jobs.get(id);
        let candidates = job.candidates.as_deref().unwrap_or_default();
        if candidates.is_empty() {
            return Err(CallFailure::NoServers);
        }
        let server = *candidates.get(job.tried).ok_or(CallFailure::NoKnownServer)?;
        job.tried += 1;
        Ok(self.client.retryable(kind, session).endpoint_client(server))
    }

    /// Sends an attempt to `server`, if the HTTP library lets it. What it says is read now, from the
    /// live instance.
    #[inline(always)]
    fn send(&mut self, cx: &mut Cx<'_>, id: JobId, client: EndpointClient, server: u16) {
        let job = cx.jobs.get(id);
        job.client = Some((client, server));
        let (step, interrupted) = (job.step, job.interrupted);
        let http_client = cx.profile.http_client;
        let unsent = if self.client.transport_closed && http_client.is_jersey() {
            Some(Unsent::ClientClosed)
        } else if interrupted && http_client.refuses_interrupted_thread() {
            Some(Unsent::Interrupted)
        } else {
            None
        };
        let request = self.request(cx, step);
        if let Some(why) = unsent {
            return self.could_not_send(cx, id, server, request, why);
        }
        if matches!(request, Request::Register(_))
            && let torn = cx.profile.torn_bodies.max(cx.draws.hand_off())
            && !torn.is_zero()
        {
            cx.jobs.get(id).request = Some(request);
            self.client.sleep(cx.now.mono + torn.nanos(), Sleeper::Body(id));
            return;
        }
        self.put_on_the_wire(cx, id, request, false);
    }

    #[cold]
    fn could_not_send(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        server: u16,
        request: Request,
        why: Unsent,
    ) {
        let worker = cx.jobs.get(id).worker;
        cx.out.push(Effect::Unsent { worker, server, request, why });
        self.attempt_failed(cx, id, true);
    }

    /// The rest of a body is written: its timestamp is read now, after its status.
    pub(super) fn body_written(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let Some(mut request) = cx.jobs.get(id).request.take() else {
            return;
        };
        if let Request::Register(info) = &mut request {
            info.last_dirty_timestamp = self.last_dirty;
        }
        self.put_on_the_wire(cx, id, request, false);
    }

    /// The HTTP library repeats what it sent a second ago.
    pub(super) fn repeat_request(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let job = cx.jobs.get(id);
        let Some(request) = job.request.take() else {
            return;
        };
        if job.interrupted {
            cx.tell(ClientEvent::HttpRetryInterrupted);
            self.attempt_failed(cx, id, true);
        } else {
            self.put_on_the_wire(cx, id, request, true);
        }
    }

    #[inline(always)]
    fn put_on_the_wire(&mut self, cx: &mut Cx<'_>, id: JobId, request: Request, again: bool) {
        let job = cx.jobs.get(id);
        let Some((_, server)) = job.client else {
            return;
        };
        job.copies = job.copies.saturating_add(1);
        let http_client = cx.profile.http_client;
        let repeats = http_client.copies_without_answer(job.step.operation()) > job.copies;
        if repeats || (job.copies == 1 && http_client.repeats_after_503()) {
            job.request = Some(request.clone());
        }
        let worker = job.worker;
        cx.out.push(Effect::Send { job: id, worker, server, request, again });
    }

    /// A request that was sent has ended. Whatever thread waited for it goes on.
    #[inline(always)]
    pub(super) fn attempt_ended(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        outcome: Outcome<Arc<Applications>>,
    ) {
        let job = cx.jobs.get(id);
        let Some((client, server)) = job.client else {
            return;
        };
        let operation = job.step.operation();
        let (interrupted, copies) = (job.interrupted, job.copies);
        let http_client = cx.profile.http_client;
        let closed = self.client.transport_closed && http_client.is_jersey();
        let (code, body, error_body, location) = match outcome {
            Outcome::Answered { code, body, error_body, location } => {
                (code, body, error_body, location)
            }
            Outcome::Failed(AttemptFailure::Reset) => return self.connection_closed(cx, id),
            Outcome::Failed(_) => return self.attempt_failed(cx, id, true),
        };
        if closed {
            return self.attempt_failed(cx, id, true);
        }
        if matches!(code, 429 | 503) && copies == 1 && http_client.repeats_after_503() {
            return self.wait_to_repeat(cx, id);
        }
        let registry = body.is_some() && !cx.profile.registries_come_as_objects;
        if unreadable(http_client, operation, code, error_body, registry && interrupted) {
            return self.attempt_failed(cx, id, true);
        }
        if code == 302 && client.target().is_none() {
            return self.follow_redirect(cx, id, location);
        }
        if !operation.accepts(code) {
            return self.attempt_failed(cx, id, false);
        }
        let job = cx.jobs.get(id);
        let (kind, session) = (job.step.stack(), job.session);
        let answered = if client.target().is_none() {
            self.client.find_target(kind, session, client);
            client.answered_by(server)
        } else if self.client.lost_its_target(kind, session, client) {
            client.without_target()
        } else {
            client
        };
        self.client.retryable(kind, session).pin(answered);
        self.client.call_over(kind, session);
        self.answered(cx, id, code, body);
    }

    /// The connection closed before a byte of the answer came. The HTTP library may send the same
    /// bytes again at once, on another connection, if it still gets one.
    #[cold]
    fn connection_closed(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let http_client = cx.profile.http_client;
        let job = cx.jobs.get(id);
        let goes_on = !(job.interrupted && http_client.refuses_interrupted_thread());
        let copies = http_client.copies_without_answer(job.step.operation());
        if goes_on
            && job.copies < copies
            && let Some(request) = job.request.take()
        {
            self.put_on_the_wire(cx, id, request, true);
        } else {
            self.attempt_failed(cx, id, true);
        }
    }

    /// The HTTP library sends the same bytes again a second after a 429 or 503.
    #[cold]
    fn wait_to_repeat(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let job = cx.jobs.get(id);
        // A thread that is interrupted already does not wait at all.
        let wait = if job.interrupted { Span::ZERO } else { HTTP_RETRY_INTERVAL };
        self.client.sleep(cx.now.mono + wait.nanos(), Sleeper::HttpRetry(id));
    }

    /// The first answers of an endpoint decide who talks for it; later ones are the caller's.
    #[cold]
    fn follow_redirect(&mut self, cx: &mut Cx<'_>, id: JobId, location: Option<u16>) {
        let job = cx.jobs.get(id);
        job.hops += 1;
        match (job.client, location) {
            (Some((client, _)), Some(target)) if job.hops < MAX_REDIRECTS => {
                job.copies = 0;
                self.send(cx, id, client, target);
            }
            _ => self.attempt_failed(cx, id, true),
        }
    }

    /// An attempt raised an exception, or its answer is not accepted: the next one.
    #[cold]
    fn attempt_failed(&mut self, cx: &mut Cx<'_>, id: JobId, raised: bool) {
        let job = cx.jobs.get(id);
        let (kind, session, from_list) = (job.step.stack(), job.session, job.from_list);
        if let Some((client, _)) = job.client {
            let retryable = self.client.retryable(kind, session);
            retryable.unpin(client);
            // Another call through this client may still pin it again.
            if raised && client.target().is_some() && retryable.calls > 1 {
                self.client.lose_target(kind, session, client);
            }
            if from_list {
                self.client.quarantine(kind, session, client.endpoint);
            }
        }
        self.attempt(cx, id);
    }

    /// What an attempt sends.
    fn request(&self, cx: &Cx<'_>, step: Step) -> Request {
        match step {
            Step::Renew => {
                let rest = cx.profile.rest;
                let status = rest.is_none_or(|rest| rest.sends_status).then_some(self.status);
                let dirty = rest.is_none_or(|rest| rest.sends_dirty).then_some(self.last_dirty);
                Request::Heartbeat { status, dirty }
            }
            Step::ReRegister(_) | Step::Replicate(_) | Step::RegisterAtInit => {
                self.registration(cx)
            }
            Step::FetchFull(_) | Step::Reconcile(..) => Request::Get(cx.profile.full_fetch()),
            Step::FetchDelta(_) => Request::Get(CacheKey::AllAppsDelta),
            Step::Unregister => Request::Cancel,
        }
    }

    #[cold]
    fn registration(&self, cx: &Cx<'_>) -> Request {
        Request::Register(Box::new(self.instance_info(cx)))
    }

    /// The call of a job was answered: its worker goes on.
    #[inline(always)]
    fn answered(&mut self, cx: &mut Cx<'_>, id: JobId, code: u16, body: Option<Arc<Applications>>) {
        match cx.jobs.get(id).step {
            Step::Renew => self.renewed(cx, id, code),
            Step::FetchDelta(generation) => self.fetched_delta(cx, id, generation, code, body),
            // What follows is rare, and cold.
            Step::ReRegister(dirty) => self.re_registered(cx, id, dirty, code),
            Step::Replicate(dirty) => self.replicated(cx, id, Some(dirty)),
            Step::RegisterAtInit => {
                let failure = (code != 204).then_some(ConstructFailure::Response);
                self.registered_at_init(cx, id, failure);
            }
            Step::FetchFull(generation) => self.fetched_full(cx, id, generation, code, body),
            Step::Reconcile(generation, version) => {
                self.reconciled(cx, id, (generation, version), code, body);
            }
            Step::Unregister => self.unregistered(cx, id),
        }
    }

    /// The call of a job failed for good: its worker goes on.
    #[cold]
    fn gave_up(&mut self, cx: &mut Cx<'_>, id: JobId, failure: CallFailure) {
        let (step, session) = (cx.jobs.get(id).step, cx.jobs.get(id).session);
        self.client.call_over(step.stack(), session);
        if step.operation() == Operation::Register {
            cx.tell(ClientEvent::RegisterFailed(failure));
        }
        match step {
            Step::Renew | Step::ReRegister(_) => {
                cx.tell(ClientEvent::HeartbeatFailed(failure));
                self.heartbeat_ended(cx, id);
            }
            Step::Replicate(_) => {
                cx.tell(ClientEvent::ReplicatorFailed(failure));
                self.replicated(cx, id, None);
            }
            Step::RegisterAtInit => {
                self.registered_at_init(cx, id, Some(ConstructFailure::Register(failure)))
            }
            Step::FetchFull(_) | Step::FetchDelta(_) | Step::Reconcile(..) => {
                cx.tell(ClientEvent::FetchFailed(failure));
                self.fetch_failed(cx, id);
            }
            Step::Unregister => {
                cx.tell(ClientEvent::CancelFailed(failure));
                self.unregistered(cx, id);
            }
        }
    }
}

/// Whether an answer's entity makes the attempt fail. `registry_on_interrupted_thread`:
/// `EurekaJacksonCodec` refuses to read a registry on such a thread.
fn unreadable(
    http_client: HttpClientKind,
    operation: Operation,
    code: u16,
    error_body: super::ErrorBody,
    registry_on_interrupted_thread: bool,
) -> bool {
    // Only a heartbeat's answer is searched for an instance, whatever its status.
    (operation == Operation::Heartbeat && http_client.fails_on(code, error_body))
        || (registry_on_interrupted_thread && http_client.is_jersey())
}

impl DiscoveryClient {
    pub(super) fn stack(&mut self, kind: StackKind) -> &mut Stack {
        match kind {
            StackKind::Registration => &mut self.registration,
            StackKind::Query => &mut self.query,
        }
    }

    /// The session of a call under way.
    pub(super) fn retryable(&mut self, kind: StackKind, session: u16) -> &mut Retryable {
        if self.stack(kind).present.session == session {
            return &mut self.stack(kind).present;
        }
        self.past_session(kind, session)
    }

    #[cold]
    fn past_session(&mut self, kind: StackKind, session: u16) -> &mut Retryable {
        let past = &mut self.rare().past;
        let of_call =
            |(stack, past): &&mut (StackKind, Retryable)| *stack == kind && past.session == session;
        let found = past.iter_mut().find(of_call);
        &mut found.expect("a session is kept as long as calls of it are under way").1
    }

    /// A session is over, but not for the calls that began in it.
    #[cold]
    pub(super) fn keep_past(&mut self, kind: StackKind, over: Retryable) {
        if over.calls > 0 {
            self.rare().past.push((kind, over));
        } else {
            self.forget_session(kind, over.session);
        }
    }

    /// A call of that session has ended.
    fn call_over(&mut self, kind: StackKind, session: u16) {
        let retryable = self.retryable(kind, session);
        retryable.calls -= 1;
        if retryable.calls == 0 && self.stack(kind).present.session != session {
            self.forget_past(kind, session);
        }
    }

    #[cold]
    fn forget_past(&mut self, kind: StackKind, session: u16) {
        let over =
            |(stack, past): &(StackKind, Retryable)| *stack == kind && past.session == session;
        self.rare().past.retain(|past| !over(past));
        self.forget_session(kind, session);
    }

    fn forget_session(&mut self, stack: StackKind, session: u16) {
        if let Some(rare) = &mut self.rare {
            let other = |q: &Quarantined| q.stack != stack || q.session != session;
            rare.quarantine.retain(other);
            rare.dropped_targets.retain(other);
        }
    }

    /// `RetryableEurekaHttpClient.getHostCandidates()`: the list without the quarantined servers,
    /// unless so many are there that all are forgiven.
    pub(super) fn host_candidates(
        &mut self,
        stack: StackKind,
        session: u16,
        percentage: f64,
    ) -> Vec<u16> {
        let servers = self.servers.as_slice();
        let Some(rare) = &mut self.rare else {
            return servers.to_vec();
        };
        let here = |q: &Quarantined| q.stack == stack && q.session == session;
        rare.quarantine.retain(|q| !here(q) || servers.contains(&q.what));
        let quarantined: Vec<u16> =
            rare.quarantine.iter().filter(|q| here(q)).map(|q| q.what).collect();
        if quarantined.len() >= quarantine_threshold(servers.len(), percentage) {
            rare.quarantine.retain(|q| !here(q));
            return servers.to_vec();
        }
        servers.iter().copied().filter(|server| !quarantined.contains(server)).collect()
    }

    pub(super) fn quarantine(&mut self, stack: StackKind, session: u16, server: u16) {
        let entry = Quarantined { stack, session, what: server };
        let quarantine = &mut self.rare().quarantine;
        if !quarantine.contains(&entry) {
            quarantine.push(entry);
        }
    }

    fn lose_target(&mut self, stack: StackKind, session: u16, client: EndpointClient) {
        let entry = Quarantined { stack, session, what: client.number };
        self.rare().dropped_targets.push(entry);
    }

    /// An answer: whoever gave it is the target, even if there was one that was lost.
    fn find_target(&mut self, stack: StackKind, session: u16, client: EndpointClient) {
        let entry = Quarantined { stack, session, what: client.number };
        if let Some(rare) = &mut self.rare {
            rare.dropped_targets.retain(|dropped| *dropped != entry);
        }
    }

    fn lost_its_target(&self, stack: StackKind, session: u16, client: EndpointClient) -> bool {
        let entry = Quarantined { stack, session, what: client.number };
        self.rare.as_ref().is_some_and(|rare| rare.dropped_targets.contains(&entry))
    }
}
