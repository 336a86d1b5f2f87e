//! One Eureka client process as a state machine: `DiscoveryClient`, its `ApplicationInfoManager`,
//! `InstanceInfoReplicator`, supervisors and transport.
//!
//! The client asks for nothing but the time and a few random draws. Its threads are *workers*, whose
//! calls are [`Jobs`] by number: a request leaves as an [`Effect::Send`], its end comes back through
//! [`ClientProcess::ended`]. Timers are polled: [`ClientProcess::next_wake`] says when,
//! [`ClientProcess::wake`] runs what is due.

mod application;
mod call;
mod config;
mod event;
mod fetch;
mod health;
mod heartbeat;
mod job;
mod life;
mod profile;
mod rare;
mod rate_limiter;
mod releases;
mod replicator;
mod resolver;
mod rest;
mod supervisor;
mod timer;
mod transport;
mod view;

use std::sync::Arc;

pub use application::InstanceChange;
use application::InstanceExtras;
pub use config::{ClientConfig, InstanceConfig};
pub use event::{CallFailure, ClientEvent, ConstructFailure, Supervised, Which};
use health::Health;
pub use health::{HealthAnswer, HealthCheck, HealthDuration};
pub use job::{EndpointClientId, JobId, Jobs, Request, Worker};
pub use profile::{Application, ClientProfile, ErrorBody, HttpClientKind, SecondClient};
use rare::{Rare, Sleeper};
pub use rate_limiter::RateLimiter;
use replicator::Replicator;
pub use resolver::Endpoints;
use resolver::Servers;
pub use rest::RestClient;
use supervisor::Supervisor;
use timer::{Due, Timer, Timers};
use transport::Stack;
pub use transport::{AttemptFailure, Outcome, Unsent};
pub use view::{View, ViewId, Views};

use crate::eureka::server::Applications;
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::time::{Now, Span};

/// The random decisions of a client, made by whoever runs it.
pub trait Draws {
    /// `Collections.shuffle` of the servers of a zone.
    fn shuffle(&mut self, servers: &mut [u16]);
    /// `ThreadLocalRandom.nextDouble()`, uniform in [0, 1): the length of a session.
    fn session_length(&mut self) -> f64;
    /// How long a thread takes to hand work to another, or from reading something to what it does
    /// with it.
    fn hand_off(&mut self) -> Span;
    /// `String.hashCode()` of the host's IPv4 address: the seed of shuffles before 1.10.14.
    fn address_hash(&mut self) -> i32;
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
    /// Whether it tells of what happens all the time: each fetch and heartbeat that succeeds.
    pub tell_routine: bool,
    /// What it does.
    pub out: &'a mut Vec<Effect>,
}

/// Something a client does.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Sends a request; the end of it must be told to [`ClientProcess::ended`].
    Send {
        /// Whose it is.
        job: JobId,
        /// Which thread.
        worker: Worker,
        /// To which server.
        server: u16,
        /// What.
        request: Request,
        /// The HTTP library repeats it, byte for byte.
        again: bool,
    },
    /// Would have sent a request, but nothing left the process; the worker has gone on.
    Unsent {
        /// Which thread.
        worker: Worker,
        /// To which server.
        server: u16,
        /// What.
        request: Request,
        /// Why not.
        why: Unsent,
    },
    /// Its own status changed.
    LocalStatus {
        /// From this; none if the instance was just made.
        from: Option<InstanceStatus>,
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
    /// Something happened inside.
    Event(ClientEvent),
    /// The constructor returned: the application runs.
    Constructed,
    /// `shutdown()` returned, or the constructor failed: the process ends.
    Exited,
}

/// How far a client is.
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

/// Who hears of status changes. All clients attach their listener under one id, so that the last one
/// replaces the others, and any shutdown removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listener {
    None,
    Of(Which),
}

/// One client process: an `ApplicationInfoManager` with its `InstanceInfo`, and the `DiscoveryClient`
/// that makes it known.
///
/// A hundred thousand of them do not fit into a cache, so the order of the fields is that in which they
/// are needed: three cache lines, of which a heartbeat reads the first two.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct ClientProcess {
    last_dirty: i64,
    key: InstanceKey,
    status: InstanceStatus,
    /// `isInstanceInfoDirty`
    dirty: bool,
    listener: Listener,
    /// The client whose thread runs. A second one, if there is one, waits in `extras`; while one of
    /// its threads runs the two change places.
    client: DiscoveryClient,
    extras: Option<Box<InstanceExtras>>,
}

/// `DiscoveryClient`
#[derive(Clone, Debug)]
#[repr(C)]
struct DiscoveryClient {
    timers: Timers,
    which: Which,
    phase: Phase,
    transport_closed: bool,
    /// `lastRemoteInstanceStatus`
    remote: InstanceStatus,
    rare: Option<Box<Rare>>,
    replicator: Replicator,
    heartbeat: Supervisor,
    registration: Stack,
    view: ViewId,
    /// `fetchRegistryGeneration`
    generation: u32,
    /// Heartbeats and fetches that have not ended, the abandoned ones included.
    running: [u8; 2],
    health: Health,
    /// `remote` is what the view says.
    remote_is_of_view: bool,
    limiter: RateLimiter,
    refresh: Supervisor,
    query: Stack,
    /// The list of servers, in the order of the last shuffle.
    servers: Servers,
}

impl ClientProcess {
    /// The instance of this process.
    #[must_use]
    pub const fn key(&self) -> InstanceKey {
        self.key
    }

    /// Its own status.
    #[must_use]
    pub const fn status(&self) -> InstanceStatus {
        self.status
    }

    /// Whether it changed since it was sent last.
    #[must_use]
    pub const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Its dirty timestamp (wall, ms).
    #[must_use]
    pub const fn last_dirty(&self) -> i64 {
        self.last_dirty
    }

    /// Its status as its own view has it; UNKNOWN if it is not there.
    #[must_use]
    pub const fn remote_status(&self) -> InstanceStatus {
        self.client.remote
    }

    /// What it believes.
    #[must_use]
    pub const fn view(&self) -> ViewId {
        self.client.view
    }

    /// How many registries it has stored or changed.
    #[must_use]
    pub const fn fetch_generation(&self) -> u32 {
        self.client.generation
    }

    /// Whether a client's transport was closed by `shutdown()`.
    #[must_use]
    pub fn transport_is_closed(&self, which: Which) -> bool {
        let second = self.extras.as_ref().and_then(|extras| extras.second.as_ref());
        match which {
            Which::First => self.client.transport_closed,
            Which::Second => second.is_some_and(|second| second.transport_closed),
        }
    }

    /// Whether it wants to be registered: it has not begun to go away.
    #[must_use]
    pub const fn is_staying(&self) -> bool {
        matches!(self.client.phase, Phase::Constructing | Phase::Running)
    }

    /// Whether its constructor runs: nobody has the client yet.
    #[must_use]
    pub const fn is_constructing(&self) -> bool {
        matches!(self.client.phase, Phase::Constructing)
    }

    /// Reads each of its cache lines, so that they are near when it does something.
    pub fn touch(&self) {
        let DiscoveryClient { rare, generation, query, .. } = &self.client;
        std::hint::black_box((self.last_dirty, rare.is_some(), *generation, *query));
    }

    /// When (monotonic, ns; `u64::MAX` for never) the next heartbeat is due, and to which server it goes
    /// if that still answers then.
    #[must_use]
    pub fn next_heartbeat(&self) -> (u64, u16) {
        (self.client.timers.at(Timer::Heartbeat), self.client.registration.present.server())
    }

    /// Monotonic clock (ns) of what is due next.
    #[must_use]
    #[inline(always)]
    pub fn next_wake(&self) -> Option<u64> {
        let (next, _) = self.next_due();
        (next != u64::MAX).then_some(next)
    }

    /// Runs what is due by [`Cx::until`], in the order of due times. When (monotonic, ns) the next is
    /// due.
    #[inline(always)]
    pub fn wake(&mut self, cx: &mut Cx<'_>) -> Option<u64> {
        loop {
            let (next, which) = self.next_due();
            if next > cx.until {
                return (next != u64::MAX).then_some(next);
            }
            let another = self.enter(which);
            self.run_first(cx);
            self.leave(another);
        }
    }

    /// Runs the thread that is due first, until it waits for something; false if none is due by
    /// [`Cx::until`].
    pub fn wake_one(&mut self, cx: &mut Cx<'_>) -> bool {
        let (next, which) = self.next_due();
        let due = next <= cx.until;
        if due {
            self.as_client(which, |process| process.run_first(cx));
        }
        due
    }

    /// When (monotonic, ns) the first thread is due, and whose it is.
    #[inline(always)]
    fn next_due(&self) -> (u64, Which) {
        let first = self.client.next_due();
        if self.extras.is_some() { self.next_due_of_both(first) } else { (first, Which::First) }
    }

    #[cold]
    fn next_due_of_both(&self, first: u64) -> (u64, Which) {
        let second = self.extras.as_ref().and_then(|extras| extras.second.as_ref());
        match second.map(|second| second.next_due()) {
            Some(second) if second < first => (second, Which::Second),
            _ => (first, Which::First),
        }
    }

    /// The thread of the client in place that is due first goes on.
    #[inline(always)]
    fn run_first(&mut self, cx: &mut Cx<'_>) {
        let (due, timer) = self.client.timers.first(self.client.replicator.is_busy());
        if let Some((sleeper_due, what)) = self.client.first_sleeper()
            && sleeper_due.is_before(due)
        {
            return self.go_on(cx, sleeper_due, what);
        }
        match timer {
            Timer::Refresh => self.supervisor_timer(cx, Supervised::CacheRefresh),
            Timer::Heartbeat => self.supervisor_timer(cx, Supervised::Heartbeat),
            Timer::Periodic => self.run_periodic(cx),
            Timer::Resolver => self.resolver_timer(cx),
        }
    }

    #[cold]
    fn go_on(&mut self, cx: &mut Cx<'_>, due: Due, what: Sleeper) {
        self.client.forget_sleeper_due(due);
        match what {
            Sleeper::Application => self.application_wakes(cx),
            Sleeper::AttachHealthCheck => self.register_health_check(cx),
            Sleeper::SecondClient => self.begin_second(cx),
            Sleeper::SecondShutdown => self.shutdown(cx, Which::Second),
            Sleeper::OnDemand => self.run_on_demand(cx),
            Sleeper::Periodic => self.refresh_instance_info(cx),
            Sleeper::Cancelled => self.replicator_may_have_terminated(cx),
            Sleeper::HealthCheck => self.check_ended(cx),
            Sleeper::ReplicatorStart => self.schedule_first_run(cx),
            Sleeper::Body(id) => self.body_written(cx, id),
            Sleeper::HttpRetry(id) => self.repeat_request(cx, id),
        }
        self.client.tidy();
    }

    /// A request that was sent has ended. Whatever thread waited for it goes on, until it waits again.
    #[inline(always)]
    pub fn ended(&mut self, cx: &mut Cx<'_>, id: JobId, outcome: Outcome<Arc<Applications>>) {
        let which = cx.jobs.get(id).which;
        let another = self.enter(which);
        self.attempt_ended(cx, id, outcome);
        self.leave(another);
    }

    /// A thread of that client begins to run; whether the two clients have changed places for it.
    #[inline(always)]
    fn enter(&mut self, which: Which) -> bool {
        let another = self.client.which != which;
        if another {
            self.change_places();
        }
        another
    }

    /// It waits again.
    #[inline(always)]
    fn leave(&mut self, another: bool) {
        if another {
            self.change_places();
        }
    }

    /// A thread of that client runs.
    fn as_client<R>(&mut self, which: Which, act: impl FnOnce(&mut Self) -> R) -> R {
        let another = self.enter(which);
        let result = act(self);
        self.leave(another);
        result
    }

    #[cold]
    fn change_places(&mut self) {
        let second = self.extras.as_mut().and_then(|extras| extras.second.as_mut());
        std::mem::swap(&mut self.client, second.expect("a thread of a client runs, so it exists"));
    }
}

impl DiscoveryClient {
    /// When (monotonic, ns) the first thread is due; `u64::MAX` if all wait for something else.
    #[inline(always)]
    fn next_due(&self) -> u64 {
        let timers = self.timers.first_at(self.replicator.is_busy());
        match self.first_sleeper() {
            Some((due, _)) => timers.min(due.at),
            None => timers,
        }
    }
}

#[cfg(test)]
mod tests;
