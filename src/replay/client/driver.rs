//! Drives one client through a trace's time.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use super::judge::{Judge, Kind};
use super::process::{Process, Settings};
use super::render::{self, Render};
use super::{Drawn, Event, Question, Refusal, Trace};
use crate::eureka::Names;
use crate::eureka::client::{
    AttemptFailure, ClientEvent, ClientProcess, Cx, Draws, Effect, Endpoints, ErrorBody,
    HttpClientKind, JobId, Outcome, Request, Unsent, ViewId, Which, Worker,
};
use crate::eureka::java::hash_code;
use crate::eureka::server::Applications;
use crate::golden::client::{Act, Answered, ClientHeader, Construct, Draw};
use crate::replay::Replayed;
use crate::time::Span;

/// How many lines may come out for each that was recorded, before the rest is given up.
pub(super) const MOST_LINES: usize = 10;
/// How many steps may be taken for each line that may come out.
pub(super) const MOST_STEPS: usize = 100;

/// The end of a request, on its way to the client.
struct Ending {
    /// ns; none if it never comes.
    at: Option<u64>,
    job: JobId,
    outcome: Outcome<Arc<Applications>>,
    /// It brings a whole registry.
    full: bool,
    sent: u64,
    /// The line that will tell of it.
    line: Value,
}

/// The draws of the trace, to be drawn again.
struct DrawQueue {
    now: u64,
    /// How many `java.util.Random` were made or used, as the recorder counts them.
    numbers: u32,
    queue: VecDeque<Drawn>,
    /// Draws that came at another time, or were others.
    wrong: Vec<(u64, Value, Value)>,
}

impl DrawQueue {
    fn next(&mut self, what: &str) -> Option<Draw> {
        let missing = json!(format!("{what} at {} ms", self.now as f64 / 1e6));
        let Some(drawn) = self.queue.pop_front() else {
            self.wrong.push((u64::MAX, Value::Null, missing));
            return None;
        };
        let kind = match drawn.draw {
            Draw::ServerOrder(_) => "server-order",
            Draw::SessionLength(_) => "session-length",
        };
        if drawn.at != self.now || kind != what {
            self.wrong.push((drawn.line, json!(kind), missing));
        }
        Some(drawn.draw)
    }
}

impl Draws for DrawQueue {
    fn shuffle(&mut self, servers: &mut [u16]) {
        if servers.len() < 2 {
            return;
        }
        if let Some(Draw::ServerOrder(order)) = self.next("server-order") {
            let sorted = |list: &[u16]| {
                let mut list = list.to_vec();
                list.sort_unstable();
                list
            };
            if sorted(&order) == sorted(servers) {
                servers.copy_from_slice(&order);
            }
        }
    }

    fn session_length(&mut self) -> f64 {
        self.numbers = self.numbers.wrapping_add(1);
        match self.next("session-length") {
            Some(Draw::SessionLength(u)) => u,
            _ => 0.5,
        }
    }

    fn hand_off(&mut self) -> Span {
        Span::ZERO
    }

    fn address_hash(&mut self) -> i32 {
        hash_code("127.0.0.1")
    }
}

/// The client and everything around it.
pub(super) struct Driver {
    trace: Trace,
    names: Names,
    process: Process<DrawQueue>,
    regions: Option<String>,
    epoch: i64,
    until: u64,
    endings: Vec<Ending>,
    judge: Judge,
    construct: Construct,
    constructed: bool,
    hand_off_immediate: bool,
    status: Value,
    view: Value,
    stored_hash: Option<String>,
    last_fetch_ok: i64,
    last_heartbeat_ok: i64,
    /// The number of the first random number of the last shuffle.
    shuffle: u32,
    generation: u32,
}

impl Driver {
    pub(super) fn new(
        header: &ClientHeader,
        mut trace: Trace,
        mut names: Names,
    ) -> Result<Self, Refusal> {
        let Settings { mut profile, zones, regions, .. } = Settings::of(header, &mut names)?;
        profile.registries_come_as_objects = true;
        for scripted in &trace.script {
            if let Event::Act(Act::HoldReplicatorStart(held)) = scripted.what {
                profile.replicator_start_takes = held;
            }
        }
        let of_second = trace.script.iter().filter_map(|scripted| match &scripted.what {
            Event::Act(Act::SecondClient(servers)) => Some(servers),
            _ => None,
        });
        let of_second: Vec<u16> = of_second.flatten().copied().collect();
        let own: Vec<u16> =
            (0..header.servers).filter(|server| !of_second.contains(server)).collect();
        let other_zones = own.repeat(zones - 1);
        let endpoints =
            Endpoints { own_zone: own, other_zones, in_given_order: false, configured: None };
        let queue = std::mem::take(&mut trace.draws);
        let draws = DrawQueue { now: 0, numbers: 0, queue, wrong: Vec::new() };
        Ok(Self {
            process: Process::new(profile, endpoints, draws, header.epoch_ms, &mut names),
            regions,
            epoch: header.epoch_ms,
            until: header.until,
            endings: Vec::new(),
            judge: Judge::default(),
            construct: Construct::default(),
            constructed: false,
            hand_off_immediate: false,
            status: Value::Null,
            view: Value::Null,
            stored_hash: None,
            last_fetch_ok: -1,
            last_heartbeat_ok: -1,
            shuffle: 0,
            generation: 0,
            trace,
            names,
        })
    }

    pub(super) fn run(mut self) -> Replayed {
        let most = 1_000 + MOST_LINES * self.trace.recorded.len();
        // A client may be busy without a word.
        for _ in 0..MOST_STEPS * most {
            if self.judge.len() >= most || !self.next_instant() {
                break;
            }
            if self.trace.script.front().is_some_and(|scripted| scripted.at <= self.process.now) {
                self.script();
            } else if let Some(place) =
                self.first_ending().filter(|(at, _)| *at <= self.process.now)
            {
                let ending = self.endings.remove(place.1);
                self.deliver(ending);
            } else {
                self.step(|client, cx| _ = client.wake_one(cx));
            }
        }
        for ending in std::mem::take(&mut self.endings) {
            self.judge.came(ending.sent, Kind::Request, ending.line);
        }
        let left = self.process.draws.queue.drain(..);
        let unused =
            left.map(|drawn| (drawn.line, json!("a draw"), Value::Null)).collect::<Vec<_>>();
        for (line, expected, got) in self.process.draws.wrong.into_iter().chain(unused) {
            let end = self.trace.recorded.last().map_or(1, |recorded| recorded.line);
            self.judge.differs(line.min(end), "draw", expected, got);
        }
        self.judge.verdict(self.trace.recorded)
    }

    /// Goes to the next instant at which something happens; false after the last.
    fn next_instant(&mut self) -> bool {
        let scripted = self.trace.script.front().map(|scripted| scripted.at);
        let ending = self.first_ending().map(|(at, _)| at);
        let next = [scripted, ending, self.process.next_wake()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= self.until) else {
            return false;
        };
        self.process.now = self.process.now.max(next);
        self.process.draws.now = self.process.now;
        self.process.now <= self.until
    }

    fn first_ending(&self) -> Option<(u64, usize)> {
        let ends = self.endings.iter().enumerate();
        ends.filter_map(|(place, ending)| Some((ending.at?, place))).min()
    }

    /// The next line of the script.
    fn script(&mut self) {
        let Some(scripted) = self.trace.script.pop_front() else {
            return;
        };
        match scripted.what {
            Event::Probe => self.probe(),
            Event::Act(act) => self.act(act),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Construct(construct) => {
                self.construct = construct;
                self.start();
            }
            // Nothing is left to happen after the end.
            Act::Pause(span) => self.process.now = self.process.now.saturating_add(span.nanos()),
            Act::HandOffImmediate => self.hand_off_immediate = true,
            act => {
                let effects = self.process.perform(act);
                self.apply(effects, None);
                self.notice();
            }
        }
    }

    fn probe(&mut self) {
        let Some(client) = &self.process.client else {
            return;
        };
        let since = |wall: i64| if wall < 0 { wall } else { wall - self.epoch };
        let line = json!({
            "last-fetch-ok": since(self.last_fetch_ok),
            "last-heartbeat-ok": since(self.last_heartbeat_ok),
            "fetch-generation": client.fetch_generation(),
        });
        self.judge.came(self.process.now, Kind::Probe, line);
    }

    fn start(&mut self) {
        let effects = self.process.start();
        self.apply(effects, None);
        self.notice();
    }

    /// A thread of the client runs until it waits.
    fn step(&mut self, act: impl FnOnce(&mut ClientProcess, &mut Cx<'_>)) {
        let effects = self.process.run(act);
        self.apply(effects, None);
        self.notice();
    }

    /// Does what the client does. `full`: a whole registry came, with this hash.
    fn apply(&mut self, effects: Vec<Effect>, full: Option<&str>) {
        let mut stored = false;
        let mut constructed = false;
        for effect in effects {
            match effect {
                Effect::Send { job, worker, server, request, again } => {
                    self.sent(job, worker, server, &request, again);
                }
                Effect::Unsent { worker, server, request, why } => {
                    self.unsent(worker, server, &request, why);
                }
                Effect::LocalStatus { from: Some(from), status, .. } => {
                    self.event_line(format!("status-change {from} -> {status}"));
                }
                Effect::LocalStatus { from: None, status, dirty } => {
                    // The instance is there before the constructor begins.
                    self.status = Render::new_instance(status, dirty - self.epoch);
                    self.judge.came(self.process.now, Kind::Status, self.status.clone());
                }
                Effect::View { old, .. } => {
                    self.process.views.release(old);
                    if let Some(hash) = full {
                        self.stored_hash = Some(hash.to_owned());
                        stored = true;
                    }
                }
                Effect::Event(ClientEvent::Constructed(Which::First)) => {
                    self.notice();
                    self.constructed = true;
                    self.notice();
                    self.event_line("constructed".to_owned());
                    constructed = true;
                }
                Effect::Event(event) => self.event(event, stored),
                Effect::Constructed | Effect::Exited => {}
            }
        }
        if constructed {
            self.after_construction();
        }
    }

    /// The constructor's thread goes on, if the script says so, without waiting for anything.
    fn after_construction(&mut self) {
        let Construct { health, then, health_twice } = self.construct.clone();
        let attach = |wanted: bool| wanted.then_some(None);
        let acts = [attach(health), then.map(Some), attach(health_twice)];
        for act in acts.into_iter().flatten() {
            let effects = self.process.run(|client, cx| match act {
                None => client.register_health_check(cx),
                Some(status) => client.set_instance_status(cx, status),
            });
            self.apply(effects, None);
            if self.hand_off_immediate {
                self.run_woken();
            }
        }
    }

    /// The threads that were woken run before the one that woke them goes on.
    fn run_woken(&mut self) {
        loop {
            let mut ran = false;
            self.step(|client, cx| ran = client.wake_one(cx));
            if !ran {
                return;
            }
        }
    }

    fn event(&mut self, event: ClientEvent, stored: bool) {
        let wall = self.process.clock_now().wall;
        match event {
            ClientEvent::CacheRefreshed if !stored => {
                let view = self.process.client.as_ref().map_or(ViewId::EMPTY, ClientProcess::view);
                self.stored_hash = Some(self.process.views.get(view).counts.to_string());
            }
            ClientEvent::RefreshSucceeded => self.last_fetch_ok = wall,
            ClientEvent::HeartbeatSucceeded => self.last_heartbeat_ok = wall,
            ClientEvent::SupervisorDelay(which, delay) => {
                let line = json!({render::supervised(which): delay.nanos() / 1_000_000});
                self.judge.came(self.process.now, Kind::SupervisorDelay, line);
            }
            _ => {}
        }
        if let Some(text) = render::event(event) {
            self.event_line(text);
        }
    }

    fn event_line(&mut self, text: String) {
        self.judge.came(self.process.now, Kind::Event, Value::String(text));
    }

    /// Status and view, if they changed: a thread has begun to wait.
    fn notice(&mut self) {
        let Some(client) = &self.process.client else {
            return;
        };
        if client.fetch_generation() != self.generation {
            // Each application is shuffled, then the lists of both kinds of VIP addresses: one list
            // for each application, none of the secure ones.
            self.generation = client.fetch_generation();
            self.shuffle = self.process.draws.numbers.wrapping_add(1);
            let apps = self.process.views.get(client.view()).apps.len() as u32;
            self.process.draws.numbers = self.process.draws.numbers.wrapping_add(2 * apps + 2);
        }
        let render = self.render();
        let status = render.status(client);
        let stored =
            self.stored_hash.as_deref().filter(|_| self.process.profile.client.fetch_registry);
        let only_up = self.process.profile.client.filter_only_up_instances;
        let seed = self.trace.shows_order.then_some(self.shuffle);
        let view = render.view(self.process.views.get(client.view()), stored, only_up, seed);
        if status != self.status {
            self.status = status.clone();
            self.judge.came(self.process.now, Kind::Status, status);
        }
        if self.constructed && view != self.view {
            self.view = view.clone();
            self.judge.came(self.process.now, Kind::View, view);
        }
    }

    fn render(&self) -> Render<'_> {
        Render {
            names: &self.names,
            epoch: self.epoch,
            regions: self.regions.as_deref(),
            shows_lease: self.trace.shows_lease,
        }
    }

    /// The recorded request that this one is, if there is one. It is taken out.
    fn question(&mut self, line: &Value, again: bool, leaves: bool) -> Option<Question> {
        let now = self.process.now;
        let is_this = |question: &Question| {
            let recorded = &question.request;
            let same = |field: &str| recorded.get(field) == line.get(field);
            let repeated = recorded.get("http-retry") == Some(&Value::Bool(true));
            let left = match question.answer.answered {
                Answered::Interrupted => false,
                Answered::ClientClosed(_) => question.answer.after != Some(0),
                _ => true,
            };
            question.at == now
                && ["by", "server", "method", "path"].into_iter().all(same)
                && repeated == again
                && left == leaves
        };
        let place = self.trace.questions.iter().position(is_this)?;
        Some(self.trace.questions.remove(place))
    }

    fn sent(&mut self, job: JobId, worker: Worker, server: u16, request: &Request, again: bool) {
        let Some(client) = &self.process.client else {
            return;
        };
        let mut line = self.render().request(client, worker, server, request);
        if again {
            line["http-retry"] = json!(true);
        }
        let full =
            matches!(request, Request::Get(what) if *what == self.process.profile.full_fetch());
        let question = self.question(&line, again, true);
        let failed = Outcome::Failed(AttemptFailure::Reset);
        let Some(Question { request, answer, .. }) = question else {
            line["outcome"] = json!("(no such request was recorded)");
            let never =
                Ending { at: None, job, outcome: failed, full, sent: self.process.now, line };
            self.endings.push(never);
            return;
        };
        for field in ["outcome", "ms", "arrived", "answer", "content", "location"] {
            if let Some(value) = request.get(field) {
                line[field] = value.clone();
            }
        }
        let answered = |code, body, location| Outcome::Answered {
            code,
            body,
            error_body: ErrorBody::None,
            location,
        };
        let (outcome, ends) = match answer.answered {
            Answered::Code(code, body, location) => (answered(code, body, location), true),
            Answered::Failed(failure) => (Outcome::Failed(failure), true),
            Answered::ClientClosed(Some(code)) => (answered(code, None, None), true),
            Answered::ClientClosed(None) => (failed, true),
            Answered::Interrupted | Answered::Pending => (failed, false),
        };
        let at = answer.after.filter(|_| ends).map(|after| self.process.now.saturating_add(after));
        self.endings.push(Ending { at, job, outcome, full, sent: self.process.now, line });
    }

    fn unsent(&mut self, worker: Worker, server: u16, request: &Request, why: Unsent) {
        let Some(client) = &self.process.client else {
            return;
        };
        let mut line = self.render().request(client, worker, server, request);
        let outcome = match why {
            Unsent::Interrupted => "interrupted",
            Unsent::ClientClosed => "client-closed",
        };
        line["outcome"] = json!(outcome);
        line["ms"] = json!(0);
        self.question(&line, false, false);
        self.judge.came(self.process.now, Kind::Request, line);
    }

    /// A request ends. That its transport was closed meanwhile is the client's to notice.
    fn deliver(&mut self, ending: Ending) {
        let Ending { job, outcome, full, sent, mut line, .. } = ending;
        if let (Outcome::Answered { code, .. }, Some(client)) = (&outcome, &self.process.client) {
            let jersey = self.process.profile.http_client != HttpClientKind::RestClient;
            let closed = jersey && client.transport_is_closed(self.process.jobs.which(job));
            let said = if closed { "client-closed".to_owned() } else { code.to_string() };
            line["outcome"] = json!(said);
        }
        self.judge.came(sent, Kind::Request, line);
        let hash = match &outcome {
            Outcome::Answered { body: Some(body), .. } if full => Some(body.hash.to_string()),
            _ => None,
        };
        let effects = self.process.run(|client, cx| client.ended(cx, job, outcome));
        self.apply(effects, hash.as_deref());
        self.notice();
    }
}
