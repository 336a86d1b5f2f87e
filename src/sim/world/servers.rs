//! What server processes do: start-up, timers, requests, replication.

use rand::seq::SliceRandom;

use super::super::call::{CallId, Message, Purpose, request_fact};
use super::super::fact::{
    Fact, Observer, OperationKind, Party, Reply, RequestFact, RequestLine, ServerOperation,
};
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::super::random::Stream;
use super::{Event, World};
use crate::eureka::client::{ClientProcess, ErrorBody, Request};
use crate::eureka::server::peer::{BatchId, Failure, PeerEurekaNode};
use crate::eureka::server::resources::{self, Answer, BatchItem, DirtyParameter, StatusParameter};
use crate::eureka::server::{At, EurekaServer, InfoRef, Registry, Setup, TimerKind};
use crate::eureka::{Flavor, InstanceInfo, InstanceStatus};
use crate::sim::OutsideRequest;
use crate::time::{HostClock, Instant, Now, Span};

/// A server's process.
#[derive(Debug, Default)]
pub(super) struct ServerProcess {
    /// Registry and queues; none before it is initialised.
    pub(super) core: Option<EurekaServer>,
    /// The embedded client.
    pub(super) embedded: Option<ClientProcess>,
    /// When start-up sync looks next.
    next_look: Option<Instant>,
    /// How often it has looked.
    looks: i32,
    /// When it is to be opened, if that is fixed.
    open_at: Option<Instant>,
    opened: bool,
    /// As observers last heard.
    threshold: i32,
    expected: i32,
    protected: Option<bool>,
    below_renew_threshold: bool,
    connect_timeout: Span,
    read_timeout: Span,
}

impl ServerProcess {
    /// Connect and read timeout towards peers.
    pub(super) const fn peer_timeouts(&self) -> (Span, Span) {
        (self.connect_timeout, self.read_timeout)
    }

    /// When anything of the process is due.
    fn next_wake(&self) -> Option<Instant> {
        let core = self.core.as_ref();
        let timers = core.and_then(|core| core.registry.next_wake());
        let queues =
            core.and_then(|core| core.peers.iter().filter_map(PeerEurekaNode::next_run).min());
        let client = self.embedded.as_ref().and_then(ClientProcess::next_wake);
        let on_the_clock = [timers, queues, client].into_iter().flatten();
        let on_the_clock = on_the_clock.map(HostClock::instant_of_mono);
        on_the_clock.chain(self.next_look).chain(self.open_at).min()
    }
}

/// What of a server is due.
enum Due {
    Timers,
    Look,
    Open,
    Client,
    Queue(usize),
}

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// A server's process starts with its embedded client; the registry comes after that.
    pub(super) fn start_server(&mut self, host: HostId) {
        let profile = &self.setup.profile_of(host).client;
        if profile.fetch_registry || profile.register_with_eureka {
            self.start_client(host);
        } else {
            self.server_constructed(host);
            self.arm_server(host);
        }
    }

    /// The embedded client's constructor has returned: registry and queues are made.
    pub(super) fn server_constructed(&mut self, host: HostId) {
        let setup = self.setup;
        let server = &setup.servers[host.index()];
        let now = self.now_at(host);
        let has_peers = !server.peers.is_empty();
        let config = server.config.clone();
        let (class, flavor) = (server.release.class(), server.flavor);
        // The constructor ran earlier in this millisecond; so its timer is in step with the clock.
        let moment = self.clock_of(host).nanos_into_milli(self.now);
        let made = Now { mono: now.mono - moment, ..now };
        let mut registry = Registry::new(Setup { flavor, class, has_peers, config }, made);
        registry.set_eviction_before_rotation(setup.races.eviction_before_rotation);
        registry.init(At { now, names: &setup.names });
        let mut config = server.config.clone();
        if setup.races.one_batch_at_a_time {
            config.max_threads_for_peer_replication = 1;
        }
        let peers = server.peers.iter().map(|_| PeerEurekaNode::new(&config)).collect();
        let millis = |ms: i32| Span::from_millis(ms.unsigned_abs().into());
        let process = &mut self.servers[host.index()];
        process.connect_timeout = millis(config.peer_node_connect_timeout_ms);
        process.read_timeout = millis(config.peer_node_read_timeout_ms);
        process.core = Some(EurekaServer { registry, peers });
        process.open_at = server.open.map(|open| open.max(self.now));
        self.embedded_view_changed(host);
        self.operation(host, &OperationKind::Init);
        self.emit(&Fact::Initialised(host));
        if server.flavor == Flavor::SpringCloud {
            self.listen(host);
        }
        if self.servers[host.index()].open_at.is_none() {
            self.look(host);
        }
    }

    fn listen(&mut self, host: HostId) {
        self.hosts[host.index()].listening = true;
        self.emit(&Fact::Listening(host));
    }

    /// `syncUp`: looks, and looks again later as long as there is nothing to see; then the server is
    /// opened for traffic.
    fn look(&mut self, host: HostId) {
        let looks = self.setup.servers[host.index()].config.registry_sync_retries;
        let process = &mut self.servers[host.index()];
        process.next_look = None;
        if process.looks >= looks {
            self.open(host, 0);
            return;
        }
        process.looks += 1;
        let look = process.looks;
        let count = self.sync_up_once(host);
        if count > 0 {
            self.open(host, count);
            return;
        }
        let Some(core) = &self.servers[host.index()].core else {
            return;
        };
        if core.registry.sync_up_waits_after(look, looks) {
            let wait = core.registry.config().registry_sync_retry_wait_ms;
            let wait = Span::from_millis(wait.unsigned_abs());
            self.servers[host.index()].next_look = Some(self.now + wait);
        } else {
            self.open(host, 0);
        }
    }

    /// Registers what the embedded client sees, and says how many instances that are.
    fn sync_up_once(&mut self, host: HostId) -> i32 {
        let only_up = self.setup.profile_of(host).client.filter_only_up_instances;
        let process = &self.servers[host.index()];
        let mut seen: Vec<InstanceInfo> = Vec::new();
        if let Some(client) = &process.embedded {
            for app in &self.views.get(client.view()).apps {
                let visible = |info: &&std::sync::Arc<InstanceInfo>| {
                    !only_up || info.status == InstanceStatus::Up
                };
                let first = seen.len();
                seen.extend(app.instances.iter().filter(visible).map(|info| (**info).clone()));
                if !self.setup.races.no_shuffle {
                    let (host, app) = (host.index() as u64, app.app.index() as u64);
                    let mut rng = self.streams.decision(Stream::SyncOrder, host, app);
                    seen[first..].shuffle(&mut rng);
                }
            }
        }
        let setup = self.setup;
        let at = At { now: self.now_at(host), names: &setup.names };
        let Some(core) = &mut self.servers[host.index()].core else {
            return 0;
        };
        let objects = core.registry.objects_mut();
        let view: Vec<InfoRef> = seen.iter().map(|info| objects.add_info(info.clone())).collect();
        let count = core.registry.sync_up_once(at, &view);
        for info in view {
            core.registry.objects_mut().release_info(info);
        }
        self.operation(host, &OperationKind::SyncUp(&seen, count));
        self.after_operation(host);
        count
    }

    /// `openForTraffic`; Spring's registry replaces a count of 0.
    fn open(&mut self, host: HostId, sync_count: i32) {
        let setup = self.setup;
        let server = &setup.servers[host.index()];
        let spring = server.flavor == Flavor::SpringCloud;
        let count = if spring && sync_count == 0 {
            server.config.default_open_for_traffic_count
        } else {
            sync_count
        };
        let at = At { now: self.now_at(host), names: &setup.names };
        let process = &mut self.servers[host.index()];
        process.open_at = None;
        process.opened = true;
        let Some(core) = &mut process.core else {
            return;
        };
        core.registry.open_for_traffic(at, count);
        self.operation(host, &OperationKind::Open(count));
        self.emit(&Fact::OpenForTraffic { server: host, sync_count, count });
        self.emit_gauge_changes(host);
        self.after_operation(host);
        self.expect_end_of_wait(host);
        if !self.hosts[host.index()].listening {
            self.listen(host);
        }
        let up = InstanceStatus::Up;
        self.drive(host, self.now, |client, cx| client.set_instance_status(cx, up));
    }

    /// The updater counts what the embedded client shows its callers.
    pub(super) fn embedded_view_changed(&mut self, host: HostId) {
        let only_up = self.setup.profile_of(host).client.filter_only_up_instances;
        let process = &mut self.servers[host.index()];
        if let (Some(core), Some(client)) = (&mut process.core, &process.embedded) {
            let visible = self.views.get(client.view()).visible(only_up);
            core.registry.set_view_size(visible as usize);
        }
    }

    /// Runs whatever of a server is due, in the order it came due.
    pub(super) fn wake_server(&mut self, host: HostId) {
        while let Some(due) = self.due(host) {
            match due {
                Due::Timers => self.run_timers(host),
                Due::Look => self.look(host),
                Due::Open => {
                    let count = match self.setup.servers[host.index()].config.registry_sync_retries
                    {
                        0 => 0,
                        _ => self.sync_up_once(host),
                    };
                    self.open(host, count);
                }
                Due::Client => self.wake_client(host, self.now),
                Due::Queue(peer) => self.run_queue(host, peer),
            }
        }
        self.arm_server(host);
    }

    fn due(&self, host: HostId) -> Option<Due> {
        let process = &self.servers[host.index()];
        let core = process.core.as_ref();
        let clock = |mono: Option<u64>| mono.map(HostClock::instant_of_mono);
        let timers = clock(core.and_then(|core| core.registry.next_wake()));
        let client = clock(process.embedded.as_ref().and_then(ClientProcess::next_wake));
        let queues = core.into_iter().flat_map(|core| core.peers.iter().enumerate());
        let queues = queues.map(|(peer, node)| (clock(node.next_run()), Due::Queue(peer)));
        let others = [
            (timers, Due::Timers),
            (process.next_look, Due::Look),
            (process.open_at, Due::Open),
            (client, Due::Client),
        ];
        let all = others.into_iter().chain(queues);
        let due = all.filter_map(|(at, due)| Some((at.filter(|&at| at <= self.now)?, due)));
        due.min_by_key(|(at, _)| *at).map(|(_, due)| due)
    }

    fn run_timers(&mut self, host: HostId) {
        let setup = self.setup;
        let at = At { now: self.now_at(host), names: &setup.names };
        let process = &self.servers[host.index()];
        let updates = process
            .core
            .as_ref()
            .is_some_and(|core| core.registry.wakes_by(TimerKind::ThresholdUpdate, at.now.mono));
        if updates && O::WANTS_OPERATIONS {
            let only_up = setup.profile_of(host).client.filter_only_up_instances;
            let shown = process.embedded.as_ref().map(ClientProcess::view);
            let shown = shown.unwrap_or(crate::eureka::client::ViewId::EMPTY);
            let (observer, view, _) = self.split();
            if let Some(operation) =
                view.operation(host, OperationKind::View(view.views.get(shown), only_up))
            {
                observer.operation(view.now(), &operation, &view);
            }
        }
        if let Some(core) = &mut self.servers[host.index()].core {
            core.registry.run_timers(at);
        }
        self.operation(host, &OperationKind::Timers);
        self.after_operation(host);
    }

    /// One pass of the dispatcher towards a peer; if a batch is complete it is sent.
    fn run_queue(&mut self, host: HostId, peer: usize) {
        let setup = self.setup;
        let now = self.now_at(host);
        let mut items = self.items.pop().unwrap_or_default();
        let Some(EurekaServer { registry, peers }) = &mut self.servers[host.index()].core else {
            return;
        };
        let batch = peers[peer].run(registry.objects_mut(), &setup.names, now, &mut items);
        let Some(batch) = batch else {
            self.items.push(items);
            return;
        };
        let target = HostId::new(setup.servers[host.index()].peers[peer].into());
        let number = self.batches;
        self.batches += 1;
        self.emit(&Fact::BatchSent { batch: number, from: host, to: target, items: &items });
        let purpose = Purpose::Batch { peer: peer as u16, batch, number };
        self.send(host, target, purpose, None, Message::Batch(items));
    }

    pub(super) fn batch_answered(
        &mut self,
        host: HostId,
        peer: u16,
        batch: BatchId,
        items: &[(u16, Option<Box<InstanceInfo>>)],
    ) {
        let setup = self.setup;
        let at = At { now: self.now_at(host), names: &setup.names };
        let Some(EurekaServer { registry, peers }) = &mut self.servers[host.index()].core else {
            return;
        };
        let newer = peers[peer as usize].answered(registry, at, batch, items);
        for theirs in newer {
            if let Some(core) = &mut self.servers[host.index()].core {
                let adopted = core.registry.adopt(at, (*theirs).clone());
                self.operation(host, &OperationKind::Adopted(&theirs, adopted));
                self.after_operation(host);
            }
        }
        self.after_operation(host);
        self.arm_server(host);
    }

    pub(super) fn batch_failed(&mut self, host: HostId, peer: u16, batch: BatchId, why: Failure) {
        let now = self.now_at(host);
        if let Some(EurekaServer { registry, peers }) = &mut self.servers[host.index()].core {
            peers[peer as usize].failed(registry.objects_mut(), batch, why, now);
        }
        self.arm_server(host);
    }

    /// Executes a request that has arrived, and answers it.
    pub(super) fn execute(&mut self, id: CallId) {
        let call = self.calls.get(id);
        let (server, caller) = (call.target, call.caller);
        let answer = match std::mem::take(&mut call.message) {
            Message::Request(request) => {
                // Its process may be gone, and another instance run in its place.
                let key = call.line.and_then(RequestLine::key).unwrap_or(self.key_of(caller));
                self.execute_request(server, caller, key, request)
            }
            Message::Batch(items) => self.execute_batch(server, caller, items),
            Message::None
            | Message::Answer { .. }
            | Message::BatchAnswer { .. }
            | Message::Failure(_) => return,
        };
        self.reply(id, answer);
        self.arm_queues(server);
    }

    fn execute_request(
        &mut self,
        server: HostId,
        from: HostId,
        key: crate::eureka::InstanceKey,
        request: Request,
    ) -> Message {
        let setup = self.setup;
        let at = At { now: self.now_at(server), names: &setup.names };
        let Some(core) = &mut self.servers[server.index()].core else {
            return self.error(503);
        };
        let registry = &mut core.registry;
        let absent = StatusParameter::Absent;
        let (code, body) = match &request {
            Request::Heartbeat { dirty, .. } => {
                let dirty = dirty.map_or(DirtyParameter::Absent, DirtyParameter::Value);
                (resources::renew(registry, at, key, dirty, absent, false).code, None)
            }
            Request::Register(info) => {
                let app = at.names.app_of(info.key);
                let registration = resources::Registration::complete((**info).clone(), app);
                (resources::register(registry, at, registration, false), None)
            }
            Request::Cancel => (resources::cancel(registry, at, key, false), None),
            Request::Get(what) => match resources::fetch(registry, at, *what) {
                Ok(payload) => (200, Some(payload)),
                Err(code) => (code, None),
            },
        };
        let fact = request_fact(key, &request);
        if O::WANTS_OPERATIONS {
            let reply = match &body {
                Some(payload) => Reply::Payload(payload),
                None => Reply::Answer(Answer { code, instance: None }),
            };
            self.operation(server, &OperationKind::Request(&fact, &reply));
        }
        let from = Party::Host(from);
        self.emit(&Fact::Request { server, from, request: fact, code });
        if let (Request::Heartbeat { .. }, true) = (&request, self.was_renewed(server)) {
            self.emit(&Fact::Renewed { server, key, replica: false });
        }
        self.after_operation(server);
        Message::Answer { code, body, error_body: self.error_body(code) }
    }

    /// Whether the heartbeat just executed renewed a lease: it is in the minute's count then.
    fn was_renewed(&mut self, server: HostId) -> bool {
        let process = &mut self.servers[server.index()];
        process.core.as_mut().is_some_and(|core| core.registry.take_renewed())
    }

    fn execute_batch(
        &mut self,
        server: HostId,
        from: HostId,
        mut items: Vec<BatchItem>,
    ) -> Message {
        let setup = self.setup;
        let at = At { now: self.now_at(server), names: &setup.names };
        let copies: Vec<BatchItem> = if O::WANTS_OPERATIONS { items.clone() } else { Vec::new() };
        let mut answers = std::mem::take(&mut self.answers);
        answers.clear();
        let mut renewed = std::mem::take(&mut self.renewed);
        let Some(core) = &mut self.servers[server.index()].core else {
            return self.error(503);
        };
        core.registry.touch(items.iter().map(|item| item.key));
        for item in items.drain(..) {
            let key = item.key;
            resources::batch_replication(&mut core.registry, at, [item], &mut answers);
            if core.registry.take_renewed() {
                renewed.push(key);
            }
        }
        let registry = &core.registry;
        let entity = |answer: &Answer| {
            answer.instance.map(|info| Box::new(registry.objects()[info].clone()))
        };
        let results = answers.iter().map(|answer| (answer.code, entity(answer))).collect();
        if O::WANTS_OPERATIONS {
            self.operation(server, &OperationKind::Batch(&copies, &answers));
        }
        if let Some(core) = &mut self.servers[server.index()].core {
            for info in answers.iter().filter_map(|answer| answer.instance) {
                core.registry.objects_mut().release_info(info);
            }
        }
        self.answers = answers;
        self.items.push(items);
        let request = RequestFact::Batch;
        self.emit(&Fact::Request { server, from: Party::Host(from), request, code: 200 });
        for key in renewed.drain(..) {
            self.emit(&Fact::Renewed { server, key, replica: true });
        }
        self.renewed = renewed;
        self.after_operation(server);
        Message::BatchAnswer { code: 200, items: results }
    }

    /// Somebody outside the cluster asks; the answer goes nowhere.
    pub(super) fn execute_outside(&mut self, server: HostId, request: &OutsideRequest) {
        let setup = self.setup;
        let at = At { now: self.now_at(server), names: &setup.names };
        if !self.hosts[server.index()].listening {
            return;
        }
        let Some(core) = &mut self.servers[server.index()].core else {
            return;
        };
        let registry = &mut core.registry;
        let code = |code| Answer { code, instance: None };
        let mut payload = None;
        let (answer, fact) = match request {
            OutsideRequest::Register(body) => (
                code(resources::register(registry, at, (**body).clone(), false)),
                RequestFact::Register(&body.info),
            ),
            OutsideRequest::Heartbeat(key, dirty, overridden) => (
                resources::renew(registry, at, *key, *dirty, *overridden, false),
                RequestFact::Heartbeat { key: *key, status: None, dirty: *dirty },
            ),
            OutsideRequest::Cancel(key) => {
                (code(resources::cancel(registry, at, *key, false)), RequestFact::Cancel(*key))
            }
            OutsideRequest::StatusUpdate(key, value, dirty) => (
                code(resources::status_update(registry, at, *key, *value, *dirty, false)),
                RequestFact::StatusUpdate { key: *key, value: *value, dirty: *dirty },
            ),
            OutsideRequest::DeleteStatus(key, value, dirty) => (
                code(resources::delete_status_update(registry, at, *key, *value, *dirty, false)),
                RequestFact::DeleteStatus { key: *key, value: *value, dirty: *dirty },
            ),
            OutsideRequest::Metadata(key, entries) => {
                let entries = entries.iter().cloned().collect();
                (
                    code(resources::update_metadata(registry, at, *key, &entries)),
                    RequestFact::Metadata(*key),
                )
            }
            OutsideRequest::Get(what) => {
                let answer = match resources::fetch(registry, at, *what) {
                    Ok(found) => {
                        payload = Some(found);
                        code(200)
                    }
                    Err(refused) => code(refused),
                };
                (answer, RequestFact::Get(*what))
            }
            OutsideRequest::GetInstance(key) => {
                (resources::get_instance(registry, at, *key), RequestFact::GetInstance(*key))
            }
            OutsideRequest::GetById(id) => {
                (resources::get_instance_by_id(registry, at, *id), RequestFact::GetById(*id))
            }
        };
        let renewed = registry.take_renewed();
        let reply = payload.as_deref().map_or(Reply::Answer(answer), Reply::Payload);
        match request {
            OutsideRequest::Metadata(key, entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| (&**key, &**value)).collect();
                self.operation(server, &OperationKind::Metadata(*key, &entries, answer.code));
            }
            OutsideRequest::Register(body) => {
                self.operation(server, &OperationKind::Register(body, answer.code));
            }
            _ => self.operation(server, &OperationKind::Request(&fact, &reply)),
        }
        let from = Party::Outside;
        self.emit(&Fact::Request { server, from, request: fact, code: answer.code });
        if let (OutsideRequest::Heartbeat(key, ..), true) = (request, renewed) {
            self.emit(&Fact::Renewed { server, key: *key, replica: false });
        }
        self.after_operation(server);
        self.arm_server(server);
    }

    fn error(&self, code: u16) -> Message {
        Message::Answer { code, body: None, error_body: self.error_body(code) }
    }

    pub(super) fn error_body(&self, code: u16) -> ErrorBody {
        if code >= 400 { self.setup.error_bodies } else { ErrorBody::None }
    }

    /// What follows from an operation on a registry: facts, tasks for the peers, and dispatchers that
    /// a task has woken. Gauges change with facts only (or by time, see
    /// [`World::expect_end_of_wait`]); a renewal leaves none.
    pub(super) fn after_operation(&mut self, host: HostId) {
        let now = self.now_at(host);
        let Some(core) = &mut self.servers[host.index()].core else {
            return;
        };
        core.replicate_to_peers(now);
        if !core.registry.facts().is_empty() {
            let mut facts = std::mem::take(core.registry.facts());
            for fact in &facts {
                self.emit_registry_fact(host, fact);
            }
            facts.clear();
            if let Some(core) = &mut self.servers[host.index()].core {
                *core.registry.facts() = facts;
            }
            self.emit_gauge_changes(host);
        }
        let ready = |world: &Self, peer: usize| {
            let core = world.servers[host.index()].core.as_ref();
            let next = core.and_then(|core| core.peers[peer].next_run());
            next.is_some_and(|next| next <= now.mono)
        };
        for peer in 0..self.setup.servers[host.index()].peers.len() {
            while ready(self, peer) {
                self.run_queue(host, peer);
            }
        }
    }

    fn emit_registry_fact(&mut self, server: HostId, fact: &crate::eureka::server::Fact) {
        use crate::eureka::server::Fact as Core;
        match fact {
            Core::Registered { key, status, is_replication, is_new } => {
                let (key, status, replica) = (*key, *status, *is_replication);
                self.emit(&Fact::Registered { server, key, status, replica, is_new: *is_new });
            }
            Core::Cancelled { key, is_replication, evicted } => {
                let (key, replica, evicted) = (*key, *is_replication, *evicted);
                self.emit(&Fact::Cancelled { server, key, replica, evicted });
            }
            Core::StatusChanged { key, status } => {
                self.emit(&Fact::StatusChanged { server, key: *key, status: *status });
            }
            Core::Overridden { key, status } => {
                self.emit(&Fact::Overridden { server, key: *key, status: *status });
            }
            Core::EvictRun(run) => self.emit(&Fact::EvictRun { server, run }),
            Core::TimerRan { kind: TimerKind::RenewalRate, after, .. } => {
                let renews = after.num_of_renews_in_last_min;
                self.emit(&Fact::Bucket { server, renews });
            }
            Core::TimerRan { kind: TimerKind::CacheFill, .. } => self.cache_filled(server),
            Core::TimerRan { .. } => {}
        }
    }

    /// What monitoring shows of a server may change by time alone; observers are to see it then.
    pub(super) fn expect_end_of_wait(&mut self, host: HostId) {
        let Some(core) = &self.servers[host.index()].core else {
            return;
        };
        let after = core.registry.wait_ends() + 1;
        if let Some(at) = self.clock_of(host).instant_of_wall(after).filter(|&at| at > self.now) {
            self.push(at, Event::WaitOver(host));
        }
    }

    pub(super) fn emit_gauge_changes(&mut self, server: HostId) {
        let now = self.now_at(server);
        let process = &mut self.servers[server.index()];
        let Some(core) = &process.core else {
            return;
        };
        let (from, to) = (process.threshold, core.registry.threshold());
        let on = core.registry.config().enable_self_preservation
            && !core.registry.is_lease_expiration_enabled();
        let changed = process.opened && process.protected != Some(on);
        let below = core.registry.is_below_renew_threshold(now);
        let below_changed = process.below_renew_threshold != below;
        process.below_renew_threshold = below;
        process.threshold = to;
        let expected = core.registry.expected();
        let expected_changed = std::mem::replace(&mut process.expected, expected) != expected;
        if changed {
            process.protected = Some(on);
        }
        if from != to {
            self.emit(&Fact::Threshold { server, from, to });
        }
        if expected_changed {
            self.emit(&Fact::Expected { server, to: expected });
        }
        if changed {
            self.emit(&Fact::SelfPreservation { server, on });
        }
        if below_changed {
            self.emit(&Fact::BelowRenewThreshold { server, on: below });
        }
    }

    /// After a request only the dispatchers may have something to do earlier than before.
    fn arm_queues(&mut self, host: HostId) {
        let core = self.servers[host.index()].core.as_ref();
        let next =
            core.and_then(|core| core.peers.iter().filter_map(PeerEurekaNode::next_run).min());
        self.arm(host, next.map(HostClock::instant_of_mono));
    }

    pub(super) fn arm_server(&mut self, host: HostId) {
        let next = self.servers[host.index()].next_wake();
        self.arm(host, next);
    }

    /// Tells an observer that wants to know what was done to a registry.
    pub(super) fn operation(&mut self, host: HostId, kind: &OperationKind<'_>) {
        if !O::WANTS_OPERATIONS {
            return;
        }
        let (observer, view, _) = self.split();
        if let Some(operation) = view.operation(host, kind.clone()) {
            observer.operation(view.now(), &operation, &view);
        }
    }
}

impl<'a> super::WorldView<'a> {
    fn operation(&self, host: HostId, kind: OperationKind<'a>) -> Option<ServerOperation<'a>> {
        Some(ServerOperation {
            server: host,
            generation: self.hosts[host.index()].generation,
            now: self.clocks(host),
            registry: self.registry(host)?,
            kind,
        })
    }
}
