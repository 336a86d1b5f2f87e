//! The life of a `DiscoveryClient`: its constructor and `shutdown()`.

use super::event::{ClientEvent, ConstructFailure, Supervised, Which};
use super::health::Health;
use super::job::{JobId, Jobs, Step, Worker};
use super::rare::Sleeper;
use super::replicator::{Replicator, STOP_TIMEOUT};
use super::resolver::{Endpoints, Servers};
use super::supervisor::Supervisor;
use super::timer::{Timer, Timers};
use super::transport::{Stack, StackKind};
use super::view::{ViewId, Views};
use super::{
    ClientProcess, Cx, DiscoveryClient, Effect, InstanceExtras, Listener, Phase, RateLimiter,
};
use crate::eureka::{InstanceKey, InstanceStatus};

impl DiscoveryClient {
    pub(super) fn new(which: Which) -> Self {
        Self {
            which,
            phase: Phase::Constructing,
            transport_closed: false,
            remote: InstanceStatus::Unknown,
            remote_is_of_view: true,
            health: Health::new(),
            timers: Timers::new(),
            heartbeat: Supervisor::new(),
            refresh: Supervisor::new(),
            replicator: Replicator::new(),
            registration: Stack::new(),
            query: Stack::new(),
            servers: Servers::new(),
            view: ViewId::EMPTY,
            generation: 0,
            running: [0; 2],
            limiter: RateLimiter::default(),
            rare: None,
        }
    }
}

impl ClientProcess {
    /// A process starts: its `InstanceInfo` is made, STARTING unless it is enabled from the start,
    /// and the constructor begins with a full fetch if there is one to make.
    pub fn start(cx: &mut Cx<'_>, key: InstanceKey) -> Self {
        let instance = &cx.profile.instance;
        let status = match cx.profile.rest {
            Some(_) => instance.initial_status,
            None if instance.instance_enabled_onit => InstanceStatus::Up,
            None => InstanceStatus::Starting,
        };
        let mut process = Self {
            key,
            status,
            dirty: false,
            listener: Listener::None,
            last_dirty: cx.now.wall,
            client: DiscoveryClient::new(Which::First),
            extras: None,
        };
        cx.out.push(Effect::LocalStatus { from: None, status, dirty: process.last_dirty });
        let (answer, duration) = cx.profile.health;
        process.set_health(answer, duration);
        if cx.profile.rest.is_some() {
            cx.views.hold(ViewId::EMPTY);
            process.begin_rest(cx);
        } else {
            process.begin_before_the_client(cx);
            process.await_second(cx);
            process.construct(cx);
        }
        process
    }

    /// Another `DiscoveryClient` is made on the same `ApplicationInfoManager`, with these servers.
    pub fn construct_second(&mut self, cx: &mut Cx<'_>, endpoints: Endpoints) {
        let mut second = DiscoveryClient::new(Which::Second);
        second.rare().endpoints = Some(endpoints);
        self.extras().second = Some(Box::new(second));
        self.as_client(Which::Second, |process| process.construct(cx));
    }

    fn construct(&mut self, cx: &mut Cx<'_>) {
        cx.views.hold(ViewId::EMPTY);
        let config = &cx.profile.client;
        if config.register_with_eureka || config.fetch_registry {
            self.shuffle_servers(cx);
        }
        // Each `SessionedEurekaHttpClient` draws a length at its construction, and another one when
        // its first session begins.
        for stack in [config.register_with_eureka, config.fetch_registry] {
            if stack {
                cx.draws.session_length();
            }
        }
        if config.fetch_registry {
            self.call(cx, Worker::Application, Step::FetchFull(0));
        } else {
            self.register_at_init(cx);
        }
    }

    /// The constructor's fetch is over.
    pub(super) fn fetched_at_init(&mut self, cx: &mut Cx<'_>, successful: bool) {
        if !successful && cx.profile.enforces_fetch() {
            self.construct_failed(cx, ConstructFailure::Fetch);
        } else {
            self.register_at_init(cx);
        }
    }

    fn register_at_init(&mut self, cx: &mut Cx<'_>) {
        if cx.profile.enforces_registration() {
            self.call(cx, Worker::Application, Step::RegisterAtInit);
        } else {
            self.init_scheduled_tasks(cx);
        }
    }

    /// The constructor's registration is over. It leaves the dirty flag alone.
    #[cold]
    pub(super) fn registered_at_init(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        failure: Option<ConstructFailure>,
    ) {
        cx.jobs.remove(id);
        if cx.profile.rest.is_some() {
            self.schedule(cx, Supervised::Heartbeat);
            return;
        }
        match failure {
            Some(failure) => self.construct_failed(cx, failure),
            None => self.init_scheduled_tasks(cx),
        }
    }

    fn construct_failed(&mut self, cx: &mut Cx<'_>, failure: ConstructFailure) {
        cx.tell(ClientEvent::ConstructFailed(failure));
        self.client.phase = Phase::Exited;
        if self.client.which == Which::First {
            cx.out.push(Effect::Exited);
        }
    }

    /// `initScheduledTasks()`
    fn init_scheduled_tasks(&mut self, cx: &mut Cx<'_>) {
        if cx.profile.client.fetch_registry {
            self.schedule(cx, Supervised::CacheRefresh);
        }
        if cx.profile.client.register_with_eureka {
            self.schedule(cx, Supervised::Heartbeat);
            self.client.replicator.is_made = true;
            if cx.profile.client.on_demand_update_status_change {
                self.listener = Listener::Of(self.client.which);
            }
            self.start_replicator(cx);
        } else {
            self.constructed(cx);
        }
    }

    /// The constructor returns.
    pub(super) fn constructed(&mut self, cx: &mut Cx<'_>) {
        self.client.phase = Phase::Running;
        cx.out.push(Effect::Event(ClientEvent::Constructed(self.client.which)));
        if self.client.which == Which::First {
            cx.out.push(Effect::Constructed);
            self.begin_to_work(cx);
        }
        if let Some(rare) = &mut self.client.rare
            && rare.shutdowns > 0
        {
            rare.shutdowns -= 1;
            self.shut_down(cx);
        }
    }

    /// `DiscoveryClient.shutdown()`: first the replicator is stopped. Heartbeats go on meanwhile. A
    /// second call waits for the first, and does nothing. Before the constructor has returned nobody has
    /// the object: then the call comes right after it.
    pub fn shutdown(&mut self, cx: &mut Cx<'_>, which: Which) {
        let second = self.extras.as_ref().is_some_and(|extras| extras.second.is_some());
        if which == Which::Second && !second {
            return;
        }
        self.as_client(which, |process| process.shut_down(cx));
    }

    pub(super) fn shut_down(&mut self, cx: &mut Cx<'_>) {
        match self.client.phase {
            Phase::Exited => {
                cx.tell(ClientEvent::ShutdownReturned(self.client.which));
                return;
            }
            Phase::Constructing | Phase::StoppingReplicator | Phase::Unregistering => {
                self.client.rare().shutdowns += 1;
                return;
            }
            Phase::Running | Phase::Draining => {}
        }
        // The listeners of all clients have one id.
        self.listener = Listener::None;
        self.client.phase = Phase::StoppingReplicator;
        if self.client.replicator.is_made && cx.profile.shutdown_waits() {
            self.client.stop_replicator();
            self.client.sleep(cx.now.mono + STOP_TIMEOUT.nanos(), Sleeper::Application);
            self.replicator_may_have_terminated(cx);
        } else {
            self.client.stop_replicator();
            self.replicator_stopped(cx);
        }
    }

    /// A run of the replicator ended after `stop()`: its pool may have ended before the three seconds
    /// are over, or end as soon as a cancelled run leaves its queue.
    pub(super) fn replicator_may_have_terminated(&mut self, cx: &mut Cx<'_>) {
        if self.client.phase != Phase::StoppingReplicator {
            return;
        }
        match self.client.replicator_terminates() {
            Some(at) if at <= cx.now.mono => self.replicator_stopped(cx),
            Some(at) => {
                if let Some(limit) = self.client.forget_sleeper(Sleeper::Application) {
                    self.client.sleep(at.min(limit), Sleeper::Application);
                }
            }
            None => {}
        }
    }

    /// The rest of `shutdown()`: everything is interrupted, then the instance is cancelled.
    pub(super) fn replicator_stopped(&mut self, cx: &mut Cx<'_>) {
        self.client.forget_sleeper(Sleeper::Application);
        self.kill_replicator(cx);
        self.cancel_supervisors(cx);
        if cx.profile.unregisters_on_shutdown() {
            self.set_status(cx, InstanceStatus::Down);
            self.client.phase = Phase::Unregistering;
            self.call(cx, Worker::Application, Step::Unregister);
        } else {
            self.exit(cx);
        }
    }

    /// The cancel was answered, with whatever status, or given up.
    #[cold]
    pub(super) fn unregistered(&mut self, cx: &mut Cx<'_>, id: JobId) {
        cx.jobs.remove(id);
        self.exit(cx);
    }

    /// The transport is closed and `shutdown()` returns; what waited for it goes on.
    fn exit(&mut self, cx: &mut Cx<'_>) {
        self.client.phase = Phase::Exited;
        self.client.timers.clear(Timer::Resolver);
        self.client.transport_closed = true;
        cx.tell(ClientEvent::TransportShutdown);
        for kind in [StackKind::Registration, StackKind::Query] {
            // Pin and quarantine are dropped, the session is not; calls under way keep theirs.
            let over = self.client.stack(kind).begin_retryable();
            self.client.keep_past(kind, over);
        }
        let (blocked, shutdowns) = match &mut self.client.rare {
            Some(rare) => (std::mem::take(&mut rare.blocked), std::mem::take(&mut rare.shutdowns)),
            None => (Vec::new(), 0),
        };
        for _ in 0..=shutdowns {
            cx.tell(ClientEvent::ShutdownReturned(self.client.which));
        }
        for id in blocked {
            self.update_instance_remote_status(cx, id);
        }
        if self.client.which == Which::First {
            cx.out.push(Effect::Exited);
        }
    }

    /// The process is gone: gives back what it shared. Its calls under way are the caller's to drop.
    pub fn bury(self, views: &mut Views, jobs: &mut Jobs) {
        let second = self.extras.and_then(|extras| extras.second).map(|second| *second);
        for client in [Some(self.client), second].into_iter().flatten() {
            views.release(client.view);
            // Threads that wait for something else than an answer.
            for id in client.rare.iter().flat_map(|rare| rare.waiting_jobs()) {
                jobs.remove(id);
            }
        }
    }

    pub(super) fn extras(&mut self) -> &mut InstanceExtras {
        self.extras.get_or_insert_default()
    }
}
