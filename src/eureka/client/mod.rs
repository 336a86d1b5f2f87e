//! One Eureka client process as a state machine: `DiscoveryClient`, its `ApplicationInfoManager`,
//! `InstanceInfoReplicator`, supervisors and transport.
//!
//! The client asks for nothing but the time and a few random draws. Its threads are *workers*, whose
//! calls are [`Jobs`] by number: a request leaves as an [`Effect::Send`], its end comes back through
//! [`DiscoveryClient::ended`]. Timers are polled: [`DiscoveryClient::next_wake`] says when,
//! [`DiscoveryClient::wake`] runs what is due.

mod config;
mod fetch;
mod heartbeat;
mod job;
mod life;
mod profile;
mod rate_limiter;
mod replicator;
mod supervisor;
mod timer;
mod transport;
mod view;

use std::sync::Arc;

pub use config::{ClientConfig, InstanceConfig};
use job::{Job, Step, Worker};
pub use job::{JobId, Jobs, Request};
pub use profile::{ClientProfile, ErrorBody, HttpClientKind};
pub use rate_limiter::RateLimiter;
use replicator::Replicator;
use supervisor::Supervisor;
use timer::{TimerOrder, TimerSlot};
pub use transport::{AttemptFailure, Outcome};
use transport::{MAX_ATTEMPTS, Operation, Stack, StackKind};
pub use view::{View, ViewId, Views};

use crate::eureka::server::Applications;
use crate::eureka::{InstanceInfo, InstanceKey, InstanceStatus, Metadata};
use crate::time::{Now, Span};

/// The random decisions of a client, made by whoever runs it.
pub trait Draws {
    /// `Collections.shuffle` of a list of servers.
    fn shuffle(&mut self, servers: &mut [u16]);
    /// `ThreadLocalRandom.nextDouble()`, uniform in [0, 1): the length of a session.
    fn session_length(&mut self) -> f64;
    /// How long a thread takes to hand work to another.
    fn hand_off(&mut self) -> Span;
}

/// The servers a client knows, by number: those of its own zone, then the others. Each part is
/// shuffled for itself, unless the order is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Of the client's zone (`ZoneAffinityClusterResolver`).
    pub own_zone: Vec<u16>,
    /// Of the other zones.
    pub other_zones: Vec<u16>,
    /// Whether the order stays as it is here. Java's client has no such mode: this is the order that
    /// its shuffle happened to give, when it is to be known.
    pub in_given_order: bool,
}

/// What a client needs to do something: the instant, and what it shares with others.
pub struct Cx<'a> {
    /// What its clocks show.
    pub now: Now,
    /// Timers due by this (monotonic, ns) run. Now, but for a process that resumes after a pause:
    /// what came due later in the pause runs after what else happened before it.
    pub until: u64,
    /// How it is built.
    pub profile: &'a ClientProfile,
    /// The servers it knows.
    pub endpoints: &'a Endpoints,
    /// The calls under way of all clients.
    pub jobs: &'a mut Jobs,
    /// The views of all clients.
    pub views: &'a mut Views,
    /// Its random decisions.
    pub draws: &'a mut dyn Draws,
    /// What it does.
    pub out: &'a mut Vec<Effect>,
}

/// Something a client does.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Sends a request; the end of it must be told to [`DiscoveryClient::ended`].
    Send {
        /// Whose it is.
        job: JobId,
        /// To which server.
        server: u16,
        /// What.
        request: Request,
    },
    /// Its own status changed.
    LocalStatus {
        /// To this.
        status: InstanceStatus,
        /// Its dirty timestamp (wall, ms).
        dirty: i64,
    },
    /// Its local registry changed; both views are held by the client until the effect is drained.
    View {
        /// From this; one hold of it goes to whoever drains the effect.
        old: ViewId,
        /// To this.
        new: ViewId,
    },
    /// The constructor returned: the application runs.
    Constructed,
    /// `shutdown()` returned: the process ends.
    Exited,
}

/// How far the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Constructing,
    Running,
    /// DOWN is set, work in progress is finished.
    Draining,
    /// `shutdown()` waits for the replicator.
    StoppingReplicator,
    /// `shutdown()` waits for the answer to its cancel.
    Unregistering,
    Exited,
}

/// Which timer of a client.
#[derive(Clone, Copy)]
enum Timer {
    Refresh,
    Heartbeat,
    Replicator,
    Resolver,
    Application,
}

/// One client process.
#[derive(Clone, Debug)]
pub struct DiscoveryClient {
    key: InstanceKey,
    phase: Phase,
    status: InstanceStatus,
    /// `isInstanceInfoDirty`
    dirty: bool,
    last_dirty: i64,
    /// Metadata the application set; none if it never did.
    metadata: Option<Metadata>,
    /// The replicator's listener is attached: status changes are sent at once.
    listening_to_status: bool,
    heartbeat: Supervisor,
    refresh: Supervisor,
    replicator: Replicator,
    registration: Stack,
    query: Stack,
    /// The list of servers, in the order of the last shuffle.
    servers: Vec<u16>,
    resolver: TimerSlot,
    /// What the application does next: UP after its warm-up, `shutdown()` after its drain.
    application: TimerSlot,
    order: TimerOrder,
    /// Monotonic clock (ns) of the earliest timer, as [`DiscoveryClient::wake`] left them.
    next: u64,
    view: ViewId,
    /// `fetchRegistryGeneration`
    generation: u32,
    /// Monotonic clock (ns) of the process start.
    born: u64,
}

impl DiscoveryClient {
    /// The instance of this client.
    #[must_use]
    pub const fn key(&self) -> InstanceKey {
        self.key
    }

    /// Its own status.
    #[must_use]
    pub const fn status(&self) -> InstanceStatus {
        self.status
    }

    /// Its dirty timestamp (wall, ms).
    #[must_use]
    pub const fn last_dirty(&self) -> i64 {
        self.last_dirty
    }

    /// What it believes.
    #[must_use]
    pub const fn view(&self) -> ViewId {
        self.view
    }

    /// Whether it wants to be registered: it has not begun to go away.
    #[must_use]
    pub const fn is_staying(&self) -> bool {
        matches!(self.phase, Phase::Constructing | Phase::Running)
    }

    /// Monotonic clock (ns) of the next timer.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        let next = self.next;
        (next != u64::MAX).then_some(next)
    }

    /// Monotonic clock (ns) of the timer that is due first.
    fn next_due(&self) -> u64 {
        let of_workers = self.refresh.timer.due.min(self.heartbeat.timer.due);
        let others = self.resolver.due.min(self.application.due);
        of_workers.min(others).min(self.replicator.next_due())
    }

    /// The timer that is due first, of several the one that was set first.
    fn earliest(&self) -> Timer {
        let mut first = (self.refresh.timer, Timer::Refresh);
        for other in [
            (self.heartbeat.timer, Timer::Heartbeat),
            (self.replicator.next(), Timer::Replicator),
            (self.resolver, Timer::Resolver),
            (self.application, Timer::Application),
        ] {
            if other.0 < first.0 {
                first = other;
            }
        }
        first.1
    }

    /// Runs what is due by [`Cx::until`], in the order of due times.
    pub fn wake(&mut self, cx: &mut Cx<'_>) {
        loop {
            self.next = self.next_due();
            if self.next == u64::MAX || self.next > cx.until {
                return;
            }
            match self.earliest() {
                Timer::Refresh => self.refresh_timer(cx),
                Timer::Heartbeat => self.heartbeat_timer(cx),
                Timer::Replicator => self.replicator_timer(cx),
                Timer::Resolver => self.resolver_timer(cx),
                Timer::Application => self.application_timer(cx),
            }
        }
    }

    /// A request that was sent has ended. Whatever thread waited for it goes on.
    pub fn ended(&mut self, cx: &mut Cx<'_>, id: JobId, outcome: Outcome<Arc<Applications>>) {
        let job = cx.jobs.get(id);
        let operation = job.step.operation();
        let (client, from_list, session) = (job.client, job.from_list, job.session);
        let interrupted = job.interrupted;
        let Some(client) = client else {
            return;
        };
        let kind = cx.profile.http_client;
        let answer = match outcome {
            Outcome::Answered { code, body, error_body } => {
                // Only a heartbeat's answer is searched for an instance, whatever its status.
                let read = operation == Operation::Heartbeat && code >= 300;
                let unreadable = read && kind.fails_on(error_body);
                // EurekaJacksonCodec refuses to read a registry on an interrupted thread.
                let aborted = body.is_some() && interrupted && kind.is_jersey();
                (operation.accepts(code) && !unreadable && !aborted).then_some((code, body))
            }
            Outcome::Failed(_) => None,
        };
        let stack = self.stack(job.step.stack());
        match answer {
            Some((code, body)) => {
                stack.session(session).succeeded(client);
                stack.call_over(session);
                self.answered(cx, id, code, body);
            }
            None => {
                stack.session(session).failed(client, from_list);
                self.attempt(cx, id);
            }
        }
        self.wake(cx);
    }

    fn stack(&mut self, kind: StackKind) -> &mut Stack {
        match kind {
            StackKind::Registration => &mut self.registration,
            StackKind::Query => &mut self.query,
        }
    }

    /// A worker begins a call; if it cannot even be sent, the worker goes on at once.
    fn call(&mut self, cx: &mut Cx<'_>, worker: Worker, step: Step) -> JobId {
        let id = cx.jobs.add(worker, step);
        self.first_attempt(cx, id);
        id
    }

    /// The worker of `id` begins another call.
    fn next_call(&mut self, cx: &mut Cx<'_>, id: JobId, step: Step) {
        let job = cx.jobs.get(id);
        job.step = step;
        (job.attempts, job.client, job.candidates, job.tried) = (0, None, None, 0);
        self.first_attempt(cx, id);
    }

    fn first_attempt(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let interval = cx.profile.client.sessioned_client_reconnect_interval_seconds;
        let interval_ms = i64::from(interval) * 1000;
        let wall = cx.now.wall;
        let draws = &mut *cx.draws;
        let step = cx.jobs.get(id).step;
        let stack = self.stack(step.stack());
        cx.jobs.get(id).session = stack.begin_call(interval_ms, wall, || draws.session_length());
        self.attempt(cx, id);
    }

    /// `RetryableEurekaHttpClient.execute`: the next attempt of a call, or its failure.
    fn attempt(&mut self, cx: &mut Cx<'_>, id: JobId) {
        loop {
            let Some(client) = self.next_endpoint(cx, id) else {
                self.gave_up(cx, id);
                return;
            };
            let job = cx.jobs.get(id);
            job.client = Some(client);
            job.attempts += 1;
            if job.interrupted && cx.profile.http_client.refuses_interrupted_thread() {
                // No packet leaves, but it counts as a failed attempt.
                let (from_list, session, step) = (job.from_list, job.session, job.step);
                self.stack(step.stack()).session(session).failed(client, from_list);
                continue;
            }
            let step = job.step;
            let request = self.request(cx, step);
            cx.out.push(Effect::Send { job: id, server: client.server, request });
            return;
        }
    }

    /// The pinned server, else the next of the list; none after three attempts or at its end.
    fn next_endpoint(&mut self, cx: &mut Cx<'_>, id: JobId) -> Option<transport::EndpointClient> {
        let (attempts, step, session) = {
            let job = cx.jobs.get(id);
            (job.attempts, job.step, job.session)
        };
        if attempts == MAX_ATTEMPTS {
            return None;
        }
        if let Some(pinned) = self.stack(step.stack()).session(session).pinned() {
            cx.jobs.get(id).from_list = false;
            return Some(pinned);
        }
        if cx.jobs.get(id).candidates.is_none() {
            self.use_resolver(cx);
            let percentage = cx.profile.client.retryable_client_quarantine_refresh_percentage;
            let servers = std::mem::take(&mut self.servers);
            let session = self.stack(step.stack()).session(session);
            let candidates = session.host_candidates(&servers, percentage);
            self.servers = servers;
            cx.jobs.get(id).candidates = Some(candidates);
        }
        let job = cx.jobs.get(id);
        let server = *job.candidates.as_ref()?.get(job.tried)?;
        job.tried += 1;
        job.from_list = true;
        Some(self.stack(step.stack()).session(session).endpoint_client(server))
    }

    /// What an attempt sends: read from the live instance at each attempt.
    fn request(&self, cx: &Cx<'_>, step: Step) -> Request {
        match step {
            Step::Renew => Request::Heartbeat { status: self.status, dirty: self.last_dirty },
            Step::ReRegister(_) | Step::Replicate(_) => {
                Request::Register(Box::new(self.instance_info(cx)))
            }
            Step::FetchFull(_) | Step::Reconcile(..) => {
                Request::Get(crate::eureka::server::CacheKey::AllApps)
            }
            Step::FetchDelta(_) => Request::Get(crate::eureka::server::CacheKey::AllAppsDelta),
            Step::Unregister => Request::Cancel,
        }
    }

    /// The `InstanceInfo` as it is now.
    fn instance_info(&self, cx: &Cx<'_>) -> InstanceInfo {
        InstanceInfo {
            key: self.key,
            status: self.status,
            overridden_status: InstanceStatus::Unknown,
            action_type: None,
            last_dirty_timestamp: self.last_dirty,
            last_updated_timestamp: self.last_dirty,
            lease_info: Some(cx.profile.lease_info()),
            vip_address: cx.profile.vip_address,
            secure_vip_address: cx.profile.secure_vip_address,
            metadata: Arc::clone(self.metadata.as_ref().unwrap_or(&cx.profile.metadata)),
        }
    }

    /// The call of a job was answered: its worker goes on.
    fn answered(&mut self, cx: &mut Cx<'_>, id: JobId, code: u16, body: Option<Arc<Applications>>) {
        let step = cx.jobs.get(id).step;
        match step {
            Step::Renew => self.renewed(cx, id, code),
            Step::ReRegister(dirty) => self.re_registered(cx, id, dirty, code),
            Step::Replicate(dirty) => self.replicated(cx, id, Some(dirty)),
            Step::FetchFull(generation) => self.fetched_full(cx, id, generation, body),
            Step::FetchDelta(generation) => self.fetched_delta(cx, id, generation, code, body),
            Step::Reconcile(generation, version) => {
                self.reconciled(cx, id, generation, version, body);
            }
            Step::Unregister => self.unregistered(cx, id),
        }
    }

    /// The call of a job failed for good: its worker goes on.
    fn gave_up(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let (step, session) = (cx.jobs.get(id).step, cx.jobs.get(id).session);
        self.stack(step.stack()).call_over(session);
        match step {
            Step::Renew | Step::ReRegister(_) => self.heartbeat_ended(cx, id),
            Step::Replicate(_) => self.replicated(cx, id, None),
            Step::FetchFull(_) | Step::FetchDelta(_) | Step::Reconcile(..) => {
                self.fetch_ended(cx, id);
            }
            Step::Unregister => self.unregistered(cx, id),
        }
    }

    /// The shared list of servers is used: its periodic refresh begins with the first use.
    fn use_resolver(&mut self, cx: &mut Cx<'_>) {
        if !self.resolver.is_set() && self.phase != Phase::Exited {
            let period = cx.profile.client.eureka_service_url_poll_interval_seconds;
            self.resolver = self.order.set(cx.now.mono + profile::seconds(period).nanos());
        }
    }

    /// `AsyncResolver`'s refresh: the list is shuffled anew, even if nothing changed.
    fn resolver_timer(&mut self, cx: &mut Cx<'_>) {
        self.resolver = TimerSlot::NONE;
        self.use_resolver(cx);
        self.shuffle_servers(cx);
    }

    fn shuffle_servers(&mut self, cx: &mut Cx<'_>) {
        self.servers.clear();
        for part in [&cx.endpoints.own_zone, &cx.endpoints.other_zones] {
            let start = self.servers.len();
            self.servers.extend_from_slice(part);
            if !cx.endpoints.in_given_order {
                cx.draws.shuffle(&mut self.servers[start..]);
            }
        }
    }

    /// `InstanceInfo.setIsDirtyWithTime()`: the timestamp that says so.
    fn set_dirty(&mut self, cx: &Cx<'_>) -> i64 {
        self.dirty = true;
        self.last_dirty = cx.now.wall;
        self.last_dirty
    }

    /// `InstanceInfo.unsetIsDirty(long)`: what was sent is clean, unless it changed in a *later*
    /// millisecond.
    fn unset_dirty(&mut self, sent: i64) {
        if self.last_dirty <= sent {
            self.dirty = false;
        }
    }
}

impl Job {
    fn is_of(&self, worker: Worker) -> bool {
        self.worker == worker
    }
}

#[cfg(test)]
mod tests;
