//! One client on a bench: stub servers answer it, and time passes when a test says so.
//!
//! The stubs do what those of the recordings do, and take as long: 21 ms for a GET, 9 for a PUT, 13
//! for a POST, 11 for a DELETE, 1 for a refusal. They know one instance: a registration keeps the
//! larger dirty timestamp, a heartbeat is answered 404 if there is none or if it has a larger one.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::eureka::client::{
    AttemptFailure, ClientEvent, ClientProcess, ClientProfile, Cx, Draws, Effect, Endpoints,
    ErrorBody, HealthAnswer, HealthDuration, HttpClientKind, InstanceChange, JobId, Jobs, Outcome,
    Request, Unsent, ViewId, Views, Which,
};
use crate::eureka::server::{Application, Applications, CacheKey, JsonLength};
use crate::eureka::{
    ActionType, AppId, Flavor, InstanceInfo, InstanceKey, InstanceStatus, Metadata, Names, Release,
};
use crate::time::{HostClock, Instant, Now, Span};

/// Wall clock at the start; dirty timestamps are shown relative to it.
pub(super) const EPOCH: i64 = 1_700_000_000_000;

const MILLI: u64 = 1_000_000;

/// What a stub does instead of its usual.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stub {
    /// Answers this, without an entity and without doing anything.
    Code(u16),
    /// Answers this with an error page, without doing anything.
    Page(u16, ErrorBody),
    /// Refuses the connection.
    Refuse,
    /// Lets the connection attempt run into its timeout.
    BlackHole,
    /// Does its usual, but no answer comes before the read timeout.
    Hang,
    /// Does its usual, but the answer comes only after so many ms.
    Slow(u64),
    /// Answers this after so many ms, without doing anything.
    Late(u16, u64),
    /// Breaks the connection after so many ms.
    Reset(u64),
    /// Answers 302, with a `Location` at this server.
    Redirect(u16),
}

struct Rule {
    server: u16,
    method: &'static str,
    stub: Stub,
    times: u32,
}

/// The random decisions of the client: its servers stay in the order of their numbers, a session
/// lasts what is configured, threads hand over in no time; unless a test says otherwise.
pub(super) struct Drawn {
    /// The next results of shuffles.
    pub(super) orders: VecDeque<Vec<u16>>,
    /// The next session lengths; 0.5 after these.
    pub(super) sessions: VecDeque<f64>,
    pub(super) hand_off: Span,
    pub(super) address_hash: i32,
    /// How many lists of servers were shuffled.
    pub(super) shuffles: u32,
}

impl Draws for Drawn {
    fn shuffle(&mut self, servers: &mut [u16]) {
        if servers.len() > 1 {
            self.shuffles += 1;
            if let Some(order) = self.orders.pop_front() {
                servers.copy_from_slice(&order);
            }
        }
    }

    fn session_length(&mut self) -> f64 {
        self.sessions.pop_front().unwrap_or(0.5)
    }

    fn hand_off(&mut self) -> Span {
        self.hand_off
    }

    fn address_hash(&mut self) -> i32 {
        self.address_hash
    }
}

struct Answer {
    at: u64,
    number: u32,
    job: JobId,
    outcome: Outcome<Arc<Applications>>,
}

/// The client, what it shares with others, and the stubs.
pub(super) struct Bench {
    pub(super) profile: ClientProfile,
    pub(super) endpoints: Endpoints,
    pub(super) draws: Drawn,
    pub(super) views: Views,
    /// When `shutdown()` returned.
    pub(super) exited: Option<u64>,
    pub(super) client: Option<ClientProcess>,
    /// The process lives on when its first client has been shut down.
    pub(super) outlives_shutdown: bool,
    /// The last registration sent.
    pub(super) body: Option<InstanceInfo>,
    jobs: Jobs,
    names: Names,
    key: InstanceKey,
    now_ns: u64,
    clock_ms: i64,
    lines: Vec<String>,
    unsent: Vec<String>,
    events: Vec<String>,
    statuses: Vec<String>,
    rules: Vec<Rule>,
    /// The dirty timestamp of the instance at each server that has it.
    records: Vec<Option<i64>>,
    full: Arc<Applications>,
    delta: Arc<Applications>,
    answers: Vec<Answer>,
    numbers: u32,
}

impl Bench {
    /// A client that registers and fetches, with its flavour's defaults and usual HTTP client, and
    /// servers s0, s1 …
    pub(super) fn new(flavor: Flavor, servers: u16) -> Self {
        let mut names = Names::default();
        let app = names.app("A");
        let key = names.instance(app, "i1");
        let http_client = match flavor {
            Flavor::Netflix => HttpClientKind::Jersey3,
            Flavor::SpringCloud => HttpClientKind::RestClient,
        };
        let profile = ClientProfile::new(flavor, Release::NEWEST, http_client);
        let own_zone = (0..servers).collect();
        let nothing = Arc::new(applications(&mut names, 1, ""));
        Self {
            profile,
            endpoints: Endpoints {
                own_zone,
                other_zones: Vec::new(),
                in_given_order: false,
                configured: None,
            },
            draws: Drawn {
                orders: VecDeque::new(),
                sessions: VecDeque::new(),
                hand_off: Span::ZERO,
                address_hash: 0,
                shuffles: 0,
            },
            views: Views::default(),
            exited: None,
            client: None,
            outlives_shutdown: false,
            body: None,
            jobs: Jobs::default(),
            key,
            now_ns: 0,
            clock_ms: 0,
            lines: Vec::new(),
            unsent: Vec::new(),
            events: Vec::new(),
            statuses: Vec::new(),
            rules: Vec::new(),
            records: vec![None; servers.into()],
            full: Arc::clone(&nothing),
            delta: nothing,
            answers: Vec::new(),
            numbers: 0,
            names,
        }
    }

    /// One that registers only.
    pub(super) fn registering(flavor: Flavor, servers: u16) -> Self {
        let mut bench = Self::new(flavor, servers);
        bench.profile.client.fetch_registry = false;
        bench
    }

    /// One that fetches only.
    pub(super) fn fetching(flavor: Flavor, servers: u16) -> Self {
        let mut bench = Self::new(flavor, servers);
        bench.profile.client.register_with_eureka = false;
        bench
    }

    /// The client is to fetch one VIP address only.
    pub(super) fn fetch_single_vip(&mut self) {
        self.profile.single_vip = Some(self.names.intern("b"));
    }

    /// The process starts now.
    pub(super) fn start(&mut self) {
        let key = self.key;
        self.client = Some(self.act(|cx| {
            let mut client = ClientProcess::start(cx, key);
            client.wake(cx);
            client
        }));
    }

    /// Lets everything happen that is due by `ms`.
    pub(super) fn to(&mut self, ms: u64) {
        let end = ms * MILLI;
        loop {
            let answer = self.answers.iter().map(|answer| (answer.at, answer.number)).min();
            let woken = self.client.as_ref().and_then(ClientProcess::next_wake);
            let woken = woken.map(|mono| HostClock::instant_of_mono(mono).nanos());
            let next = answer.map(|(at, _)| at).into_iter().chain(woken).min();
            let Some(next) = next.filter(|&next| next <= end) else {
                break;
            };
            self.now_ns = self.now_ns.max(next);
            if let Some((_, number)) = answer.filter(|(at, _)| *at == next) {
                let place = self.answers.iter().position(|answer| answer.number == number);
                let answer = self.answers.swap_remove(place.unwrap());
                self.with(|client, cx| client.ended(cx, answer.job, answer.outcome));
            } else {
                self.with(|_, _| {});
            }
        }
        self.now_ns = end;
    }

    /// The process stands still until `ms`; what came due meanwhile runs then.
    pub(super) fn freeze_to(&mut self, ms: u64) {
        self.now_ns = ms * MILLI;
        self.to(ms);
    }

    /// The wall clock jumps.
    pub(super) fn step_clock(&mut self, ms: i64) {
        self.clock_ms += ms;
    }

    /// The application sets its status.
    pub(super) fn set_status(&mut self, status: InstanceStatus) {
        self.with(|client, cx| client.set_instance_status(cx, status));
    }

    /// What the application's health check answers from now on.
    pub(super) fn set_health(&mut self, answer: HealthAnswer) {
        self.set_health_that_takes(answer, 0, false);
    }

    /// The same, of a check that takes so many ms and perhaps notices an interrupt.
    pub(super) fn set_health_that_takes(
        &mut self,
        answer: HealthAnswer,
        ms: u64,
        interruptible: bool,
    ) {
        let duration = HealthDuration { takes: millis(ms), interruptible };
        self.with(|client, _| client.set_health(answer, duration));
    }

    /// The application attaches its health-check handler.
    pub(super) fn register_health_check(&mut self) {
        self.with(ClientProcess::register_health_check);
    }

    /// It attaches its check as a callback.
    pub(super) fn register_health_check_callback(&mut self) {
        self.with(|client, _| client.register_health_check_callback());
    }

    /// The instance is configured anew.
    pub(super) fn configure(&mut self, change: InstanceChange) {
        self.with(|client, cx| client.configure_instance(cx, change));
    }

    /// A second client is made on the same `ApplicationInfoManager`, which knows these servers.
    pub(super) fn construct_second(&mut self, servers: &[u16]) {
        let endpoints = Endpoints { own_zone: servers.to_vec(), ..Endpoints::default() };
        self.with(|client, cx| client.construct_second(cx, endpoints));
    }

    /// `shutdown()` of one of the clients.
    pub(super) fn shut_down(&mut self, which: Which) {
        self.with(|client, cx| client.shutdown(cx, which));
    }

    /// The application changes its metadata.
    pub(super) fn set_metadata(&mut self) {
        self.with(|client, cx| client.set_metadata(cx, Metadata::default()));
    }

    /// The same, with this entry.
    pub(super) fn set_metadata_entry(&mut self, key: &str, value: &str) {
        let metadata = Metadata::new([(Arc::from(key), Arc::from(value))].into());
        self.with(|client, cx| client.set_metadata(cx, metadata));
    }

    /// The process is asked to end.
    pub(super) fn stop(&mut self, drain_ms: u64) -> bool {
        self.with(|client, cx| client.stop(cx, Span::from_millis(drain_ms)))
    }

    /// The process is killed: what it sent is on its way, nothing else is left of it.
    pub(super) fn kill(&mut self) {
        self.client.take().unwrap().bury(&mut self.views, &mut self.jobs);
        self.answers.clear();
    }

    pub(super) fn client(&self) -> &ClientProcess {
        self.client.as_ref().unwrap()
    }

    /// From now on `server` does this with requests of `method` (`*`: all).
    pub(super) fn rule(&mut self, server: u16, method: &'static str, stub: Stub) {
        self.rule_times(server, method, stub, u32::MAX);
    }

    /// The same, for so many requests.
    pub(super) fn rule_times(&mut self, server: u16, method: &'static str, stub: Stub, times: u32) {
        self.rules.insert(0, Rule { server, method, stub, times });
    }

    /// Every server does its usual again.
    pub(super) fn heal(&mut self) {
        self.rules.clear();
    }

    /// The servers forget the instance.
    pub(super) fn forget(&mut self) {
        self.records.fill(None);
    }

    /// The servers' registry from now on: `B/b1=UP B/b2=DOWN`. Their delta is empty.
    pub(super) fn serve(&mut self, registry: &str) {
        self.full = Arc::new(applications(&mut self.names, 1, registry));
        let delta = Applications { apps: Vec::new(), ..(*self.full).clone() };
        self.delta = Arc::new(delta);
    }

    /// A change of the servers' registry, and the delta that tells of it: `+B/b1=UP` was added, `~`
    /// modified, `-` deleted. The delta's hash is that of the registry.
    pub(super) fn change(&mut self, version: i64, registry: &str, delta: &str) {
        self.full = Arc::new(applications(&mut self.names, 1, registry));
        let delta = applications(&mut self.names, version, delta);
        self.delta = Arc::new(Applications { hash: self.full.hash, ..delta });
    }

    /// What was sent since the last call: instant, method, server, what, how it ends.
    pub(super) fn sent(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// Exactly these were sent since the last call.
    #[track_caller]
    pub(super) fn expect(&mut self, lines: &[&str]) {
        assert_eq!(self.sent(), lines);
    }

    /// What was not sent since the last call, and why.
    pub(super) fn unsent(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unsent)
    }

    /// What the client told since the last call: instant and event.
    pub(super) fn events(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events)
    }

    /// Exactly these of the events with these names were told since the last call.
    #[track_caller]
    pub(super) fn expect_events(&mut self, names: &[&str], events: &[&str]) {
        let mut told = self.events();
        told.retain(|event| names.iter().any(|name| event.contains(name)));
        assert_eq!(told, events);
    }

    /// Every change of the client's own status: instant, status and dirty timestamp.
    pub(super) fn statuses(&self) -> &[String] {
        &self.statuses
    }

    /// What the client believes: version, hash, instances in their order.
    pub(super) fn believes(&self) -> String {
        let id = self.client().view();
        let view = self.views.get(id);
        format!("v{} {} {}", view.version, view.counts, self.names_of(id)).trim_end().to_owned()
    }

    /// The instances of a view in their order.
    pub(super) fn names_of(&self, view: ViewId) -> String {
        let instances = self.views.get(view).instances();
        let shown = instances.map(|info| format!("{}={}", self.names.full(info.key), info.status));
        shown.collect::<Vec<_>>().join(" ")
    }

    /// A payload as the servers make them, to be used without one.
    pub(super) fn payload(&mut self, version: i64, text: &str) -> Arc<Applications> {
        Arc::new(applications(&mut self.names, version, text))
    }

    fn with<R>(&mut self, act: impl FnOnce(&mut ClientProcess, &mut Cx<'_>) -> R) -> R {
        let mut client = self.client.take().unwrap();
        let result = self.act(|cx| {
            let result = act(&mut client, cx);
            client.wake(cx);
            result
        });
        self.client = Some(client);
        result
    }

    fn act<R>(&mut self, act: impl FnOnce(&mut Cx<'_>) -> R) -> R {
        let mono = HostClock::mono(Instant::from_nanos(self.now_ns));
        let wall = EPOCH + (self.now_ns / MILLI) as i64 + self.clock_ms;
        let mut out = Vec::new();
        let result = act(&mut Cx {
            now: Now { wall, mono },
            until: mono,
            profile: &self.profile,
            endpoints: &self.endpoints,
            jobs: &mut self.jobs,
            views: &mut self.views,
            draws: &mut self.draws,
            tell_routine: false,
            out: &mut out,
        });
        for effect in out {
            self.apply(effect);
        }
        result
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Send { job, server, request, again, .. } => {
                self.receive(job, server, &request, again);
            }
            Effect::Unsent { server, request, why, .. } => {
                let (method, what, _) = question(&request);
                let why = match why {
                    Unsent::Interrupted => "interrupted",
                    Unsent::ClientClosed => "client-closed",
                };
                self.unsent.push(format!("{} {method} s{server}{what} {why}", self.now_ns / MILLI));
            }
            Effect::Event(event) => self.tell(event),
            Effect::LocalStatus { status, dirty, .. } => {
                self.statuses.push(format!("{} {status}@{}", self.now_ns / MILLI, dirty - EPOCH));
            }
            Effect::View { old, .. } => self.views.release(old),
            Effect::Constructed => {}
            Effect::Exited => {
                self.exited = Some(self.now_ns / MILLI);
                if !self.outlives_shutdown {
                    // The process is gone: nobody is there to get an answer.
                    self.answers.clear();
                }
            }
        }
    }

    fn tell(&mut self, event: ClientEvent) {
        self.events.push(format!("{} {event:?}", self.now_ns / MILLI));
    }

    /// A stub gets a request, and its answer goes on its way.
    fn receive(&mut self, job: JobId, server: u16, request: &Request, again: bool) {
        let (method, what, usual_ms) = question(request);
        if let Request::Register(info) = request {
            self.body = Some((**info).clone());
        }
        let rule = self.rules.iter_mut().find(|rule| {
            rule.server == server && ["*", method].contains(&rule.method) && rule.times > 0
        });
        let stub = rule.map(|rule| {
            rule.times -= 1;
            rule.stub
        });
        let answered =
            |code, body, error_body| Outcome::Answered { code, body, error_body, location: None };
        let (outcome, shown, after) = match stub {
            Some(Stub::Code(code)) => {
                (answered(code, None, ErrorBody::None), code.to_string(), millis(usual_ms))
            }
            Some(Stub::Redirect(target)) => {
                let outcome = Outcome::Answered {
                    code: 302,
                    body: None,
                    error_body: ErrorBody::None,
                    location: Some(target),
                };
                (outcome, "302".to_owned(), millis(usual_ms))
            }
            Some(Stub::Page(code, page)) => {
                (answered(code, None, page), code.to_string(), millis(usual_ms))
            }
            Some(Stub::Late(code, ms)) => {
                (answered(code, None, ErrorBody::None), code.to_string(), millis(ms))
            }
            Some(Stub::Refuse) => {
                (Outcome::Failed(AttemptFailure::Refused), "refused".to_owned(), millis(1))
            }
            Some(Stub::BlackHole) => {
                let failure = AttemptFailure::ConnectTimeout;
                let after = self.profile.connect_timeout();
                (Outcome::Failed(failure), "connect-timeout".to_owned(), after)
            }
            Some(Stub::Reset(ms)) => {
                (Outcome::Failed(AttemptFailure::Reset), "reset".to_owned(), millis(ms))
            }
            Some(Stub::Hang) => {
                self.execute(server, request);
                let failure = AttemptFailure::ReadTimeout;
                let after = self.profile.read_timeout();
                (Outcome::Failed(failure), "read-timeout".to_owned(), after)
            }
            None | Some(Stub::Slow(_)) => {
                let (code, body) = self.execute(server, request);
                let ms = if let Some(Stub::Slow(ms)) = stub { ms } else { usual_ms };
                (answered(code, body, ErrorBody::None), code.to_string(), millis(ms))
            }
        };
        let now = self.now_ns / MILLI;
        let again = if again { " again" } else { "" };
        self.lines.push(format!("{now} {method} s{server}{what} {shown}{again}"));
        self.numbers += 1;
        let at = self.now_ns + after.nanos();
        self.answers.push(Answer { at, number: self.numbers, job, outcome });
    }

    fn execute(&mut self, server: u16, request: &Request) -> (u16, Option<Arc<Applications>>) {
        let record = &mut self.records[usize::from(server)];
        match request {
            Request::Register(info) => {
                *record = (*record).max(Some(info.last_dirty_timestamp));
                (204, None)
            }
            Request::Heartbeat { dirty, .. } => {
                let current = record.is_some_and(|known| dirty.is_none_or(|dirty| known >= dirty));
                (if current { 200 } else { 404 }, None)
            }
            Request::Cancel => (if record.take().is_some() { 200 } else { 404 }, None),
            Request::Get(CacheKey::AllAppsDelta) => (200, Some(Arc::clone(&self.delta))),
            Request::Get(_) => (200, Some(Arc::clone(&self.full))),
        }
    }
}

/// Method and contents of a request, and the ms it usually takes.
fn question(request: &Request) -> (&'static str, String, u64) {
    match request {
        Request::Register(info) => {
            let dirty = info.last_dirty_timestamp - EPOCH;
            ("POST", format!(" {}@{dirty}", info.status), 13)
        }
        Request::Heartbeat { status, dirty } => {
            let status = status.map(|status| status.to_string()).unwrap_or_default();
            let dirty = dirty.map(|dirty| (dirty - EPOCH).to_string()).unwrap_or_default();
            ("PUT", format!(" {status}@{dirty}"), 9)
        }
        Request::Cancel => ("DELETE", String::new(), 11),
        Request::Get(CacheKey::AllAppsDelta) => ("GET", " delta".to_owned(), 21),
        Request::Get(CacheKey::Vip(_)) => ("GET", " vip".to_owned(), 21),
        Request::Get(_) => ("GET", " apps".to_owned(), 21),
    }
}

fn millis(ms: u64) -> Span {
    Span::from_millis(ms)
}

/// `+B/b1=UP`: what happened, application, instance, status.
fn applications(names: &mut Names, version: i64, text: &str) -> Applications {
    let mut apps: Vec<(AppId, Vec<Arc<InstanceInfo>>)> = Vec::new();
    for word in text.split_whitespace() {
        let (instance, status) = word.split_once('=').unwrap();
        let action_type = match instance.as_bytes()[0] {
            b'+' => Some(ActionType::Added),
            b'~' => Some(ActionType::Modified),
            b'-' => Some(ActionType::Deleted),
            _ => None,
        };
        let (app, id) = instance.trim_start_matches(['+', '~', '-']).split_once('/').unwrap();
        let app = names.app(app);
        let info = InstanceInfo {
            key: names.instance(app, id),
            status: InstanceStatus::value_of(status).unwrap(),
            overridden_status: InstanceStatus::Unknown,
            action_type,
            last_dirty_timestamp: EPOCH,
            last_updated_timestamp: EPOCH,
            lease_info: None,
            vip_address: None,
            secure_vip_address: None,
            metadata: Metadata::default(),
        };
        let place = apps.iter().position(|(known, _)| *known == app).unwrap_or_else(|| {
            apps.push((app, Vec::new()));
            apps.len() - 1
        });
        apps[place].1.push(Arc::new(info));
    }
    let apps: Vec<_> =
        apps.into_iter().map(|(app, list)| Arc::new(Application::new(app, list))).collect();
    let hash = apps.iter().map(|app| app.counts).sum();
    Applications { version, hash, apps, json_length: JsonLength::of_all() }
}
