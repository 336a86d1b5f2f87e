//! Fault schedules drawn swarm-style: for each run it is drawn first which kinds of faults there are at
//! all and whom they are about, then what happens when and for how long.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use toml::{Table, Value};

use crate::scenario::{HuntPlan, Plan, units};
use crate::sim::HostId;
use crate::time::{Instant, Span};

/// The words of the timeline that can be drawn. The others do nothing by themselves (`heal`, `start`,
/// `delete-override`), need values that nobody can guess (`set-config`, `call`), or change who there is (`scale`).
pub const DRAWN: [&str; 18] = [
    "kill",
    "stop",
    "restart",
    "deploy",
    "pause",
    "partition",
    "isolate",
    "hold",
    "slow",
    "lossy",
    "fail",
    "step-clock",
    "skew-clock",
    "set-status",
    "set-health",
    "override-status",
    "deregister",
    "set-metadata",
];

/// Who there is to be drawn from.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Selectors of the servers.
    servers: Vec<String>,
    /// All of them.
    all_servers: Value,
    /// Selectors of the instances, and whether each has a health check.
    instances: Vec<(String, bool)>,
    /// Applications that are not protected in part, by name.
    apps: Vec<String>,
    /// Words that may be drawn, and make sense here.
    words: Vec<&'static str>,
    /// Instants at which something happens anyway.
    anchors: Vec<Span>,
    /// Faults are drawn from here on.
    after: Span,
    /// And up to here.
    window: Span,
    most: u32,
}

impl Cast {
    /// Of a plan whose faults may last until `window`.
    #[must_use]
    pub fn new(plan: &Plan, hunt: &HuntPlan, window: Span) -> Self {
        let setup = &plan.setup;
        let free = |host: usize| !hunt.protect.contains(HostId::new(host));
        let servers = setup.servers.iter().enumerate().filter(|(host, _)| free(*host));
        let servers = servers.map(|(_, server)| format!("server:{}", server.name)).collect();
        let (mut instances, mut apps) = (Vec::new(), Vec::new());
        for app in &plan.apps {
            let name = setup.names.app_name(app.app);
            let hosts: Vec<usize> = app.hosts.iter().cloned().flatten().collect();
            for (index, host) in hosts.iter().enumerate().filter(|(_, host)| free(**host)) {
                let check = setup.profile_of(HostId::new(*host)).health_check;
                instances.push((format!("instance:{name}/{index}"), check));
            }
            if hosts.iter().all(|host| free(*host)) {
                apps.push(name.to_owned());
            }
        }
        let span = |at: Instant| Span::from_nanos(at.nanos());
        let entries = setup.timeline.iter().map(|entry| span(entry.at));
        let starts = setup.clients.iter().filter_map(|client| client.start).map(span);
        let after = hunt.after.min(window);
        let within = |at: &Span| (after..=window).contains(at);
        let mut anchors: Vec<Span> = entries.chain(starts).filter(within).collect();
        anchors.sort_unstable();
        anchors.dedup();
        let checked = instances.iter().any(|(_, check)| *check);
        let servers: Vec<String> = servers;
        let all_servers = match servers.len() == setup.servers.len() {
            true => text("servers"),
            false => servers.iter().map(|server| Value::from(&**server)).collect::<Vec<_>>().into(),
        };
        let allowed = |word: &&'static str| {
            let wanted = hunt.faults.as_ref().is_none_or(|faults| faults.contains(word));
            let possible = match *word {
                "set-health" => checked,
                "deploy" => !apps.is_empty(),
                "override-status" | "deregister" | "fail" | "partition" | "hold" | "slow"
                | "lossy" => !servers.is_empty(),
                _ => true,
            };
            wanted && possible && !instances.is_empty()
        };
        let words = DRAWN.into_iter().filter(allowed).collect();
        Self {
            servers,
            all_servers,
            instances,
            apps,
            words,
            anchors,
            after,
            window,
            most: hunt.max_faults,
        }
    }

    /// Whether anything can be drawn.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.words.is_empty() || self.most == 0
    }

    /// The entries of a run: a function of the search's seed and the run's number.
    #[must_use]
    pub fn draw(&self, seed: u64, number: u64) -> Vec<Table> {
        if self.is_idle() {
            return Vec::new();
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        let mut words: Vec<&'static str> =
            self.words.iter().copied().filter(|_| rng.random_bool(0.5)).collect();
        if words.is_empty() {
            words.extend(self.words.choose(&mut rng));
        }
        let focus = self.instances.choose(&mut rng).map_or_else(String::new, |of| of.0.clone());
        let count = rng.random_range(1..=self.most);
        let mut script =
            Script { cast: self, rng, focus, anchors: self.anchors.clone(), entries: Vec::new() };
        for _ in 0..count {
            if let Some(word) = words.choose(&mut script.rng) {
                script.add(word);
            }
        }
        let mut entries = script.entries;
        entries.sort_by_key(|(at, _)| *at);
        entries.into_iter().map(|(_, entry)| entry).collect()
    }
}

/// A schedule being drawn.
struct Script<'a> {
    cast: &'a Cast,
    rng: ChaCha8Rng,
    /// The instance that most of it is about.
    focus: String,
    /// Instants at which something that was drawn begins or ends.
    anchors: Vec<Span>,
    entries: Vec<(Span, Table)>,
}

const MILLI: Span = Span::from_millis(1);
const SECOND: Span = Span::from_secs(1);
const MINUTE: Span = Span::from_secs(60);

impl Script<'_> {
    /// One fault, which may be several entries.
    fn add(&mut self, word: &'static str) {
        let at = self.instant();
        match word {
            "kill" | "stop" => {
                let who = self.process();
                self.push(at, word, text(&who));
                let gap = self.log(MILLI, MINUTE);
                // A kill in the grace period, and a start thereafter.
                if word == "stop" && self.chance(0.3) {
                    self.push(at + gap, "kill", text(&who));
                }
                if self.chance(0.5) {
                    let more = self.log(MILLI, MINUTE);
                    self.push(at + gap + more, "start", text(&who));
                }
            }
            "restart" => {
                let (who, graceful) = (self.process(), self.chance(0.5));
                let down = length(self.log(MILLI, MINUTE));
                let table =
                    table([("select", who.into()), ("down", down), ("graceful", graceful.into())]);
                self.push(at, word, table);
            }
            "deploy" => {
                let Some(app) = self.cast.apps.choose(&mut self.rng).cloned() else { return };
                let (every, graceful) = (length(self.log(SECOND, MINUTE)), self.chance(0.5));
                let new = self.chance(0.5);
                let entries = [
                    ("app", app.into()),
                    ("every", every),
                    ("graceful", graceful.into()),
                    ("new-ids", new.into()),
                ];
                self.push(at, word, table(entries));
            }
            "pause" | "isolate" => {
                let who = self.process();
                self.push_lasting(at, word, text(&who));
            }
            "partition" | "hold" | "slow" | "lossy" => self.link(at, word),
            "fail" => {
                let Some(server) = self.cast.servers.choose(&mut self.rng).cloned() else { return };
                let status = *[503, 500, 404, 401].choose(&mut self.rng).unwrap_or(&503);
                let mut fail = table([("select", server.into()), ("status", status.into())]);
                if self.chance(0.7) {
                    let method =
                        *["POST", "PUT", "DELETE", "GET"].choose(&mut self.rng).unwrap_or(&"PUT");
                    fail.insert("methods".to_owned(), vec![Value::from(method)].into());
                }
                self.push_lasting(at, word, fail);
            }
            "step-clock" => {
                let who = self.process();
                let by = self.log(MILLI, Span::from_secs(1200)).millis() as i64;
                let by = if self.chance(0.5) { by } else { -by };
                let step = |by: i64| {
                    table([("select", who.clone().into()), ("by", format!("{by}ms").into())])
                };
                self.push(at, word, step(by));
                // Set right again.
                if self.chance(0.6) {
                    let gap = self.log(SECOND, MINUTE.saturating_mul(10));
                    self.push(at + gap, word, step(-by));
                }
            }
            "skew-clock" => {
                let who = self.process();
                let ppm = self.rng.random_range(-100_000..=100_000);
                self.push_lasting(at, word, table([("select", who.into()), ("ppm", ppm.into())]));
            }
            "set-status" => {
                // From a refresh, whose two changes are next to each other, to a slow drain.
                let gaps = (Span::from_nanos(100_000), MINUTE);
                self.changes(at, word, &["DOWN", "STARTING", "OUT_OF_SERVICE"], gaps, false);
            }
            "set-health" => {
                let gaps = (SECOND, MINUTE.saturating_mul(3));
                self.changes(at, word, &["DOWN", "OUT_OF_SERVICE", "UNKNOWN"], gaps, true);
            }
            "override-status" => {
                let who = self.instance();
                let server = self.cast.servers.choose(&mut self.rng).cloned().unwrap_or_default();
                let server = server.trim_start_matches("server:").to_owned();
                let ask =
                    || vec![("select", Value::from(&*who)), ("server", Value::from(&*server))];
                let status =
                    *["OUT_OF_SERVICE", "DOWN", "UP"].choose(&mut self.rng).unwrap_or(&"DOWN");
                let set = ask().into_iter().chain([("status", status.into())]);
                self.push(at, word, table(set));
                if self.chance(0.75) {
                    let gap = self.log(MILLI, MINUTE.saturating_mul(5));
                    self.push(at + gap, "delete-override", table(ask()));
                }
            }
            "deregister" => {
                let who = self.instance();
                let server = self.cast.servers.choose(&mut self.rng).cloned().unwrap_or_default();
                let server = server.trim_start_matches("server:").to_owned();
                self.push(at, word, table([("select", who.into()), ("server", server.into())]));
            }
            _ => {
                let who = self.instance();
                let entries =
                    [("select", who.into()), ("key", "hunt".into()), ("value", "1".into())];
                self.push(at, "set-metadata", table(entries));
            }
        }
    }

    /// A status or an answer of the health check goes through up to three others and back to UP.
    fn changes(
        &mut self,
        at: Span,
        word: &'static str,
        others: &[&str],
        (least, most): (Span, Span),
        checked: bool,
    ) {
        let mut who = self.instance();
        if checked {
            let with: Vec<&String> = self
                .cast
                .instances
                .iter()
                .filter(|(_, check)| *check)
                .map(|(name, _)| name)
                .collect();
            if !with.contains(&&who) {
                who = with.choose(&mut self.rng).map_or_else(String::new, |name| (*name).clone());
            }
        }
        let change =
            |status: &str| table([("select", who.clone().into()), ("status", status.into())]);
        let mut at = at;
        for _ in 0..self.rng.random_range(1..=3) {
            let status = *others.choose(&mut self.rng).unwrap_or(&"DOWN");
            self.push(at, word, change(status));
            at = at + self.log(least, most);
        }
        self.push(at, word, change("UP"));
    }

    /// A fault between two sides.
    fn link(&mut self, at: Span, word: &'static str) {
        let mut from = self.process();
        let one = self.cast.servers.choose(&mut self.rng).cloned();
        if one.as_ref() == Some(&from) {
            from = self.instance();
        }
        let to = match one.filter(|_| self.chance(0.5)) {
            Some(server) => server.into(),
            None => self.cast.all_servers.clone(),
        };
        let mut link = match self.chance(0.5) {
            true => table([("from", from.into()), ("to", to)]),
            false => table([("from", to), ("to", from.into())]),
        };
        if self.chance(0.5) {
            link.insert("direction".to_owned(), "one-way".into());
        }
        match word {
            "slow" => {
                let latency = length(self.log(MILLI, Span::from_secs(20)));
                link.insert("latency".to_owned(), latency);
            }
            "lossy" => {
                let loss = format!("{}%", self.rng.random_range(10..=100));
                link.insert("loss".to_owned(), loss.into());
            }
            "partition" if self.chance(0.5) => {
                link.insert("mode".to_owned(), "refuse".into());
            }
            _ => {}
        }
        self.push_lasting(at, word, link);
    }

    /// Most faults of a schedule are about one instance.
    fn instance(&mut self) -> String {
        if self.chance(0.7) {
            return self.focus.clone();
        }
        let any = self.cast.instances.choose(&mut self.rng);
        any.map_or_else(String::new, |(name, _)| name.clone())
    }

    fn process(&mut self) -> String {
        match self.cast.servers.choose(&mut self.rng).cloned() {
            Some(server) if self.chance(0.3) => server,
            _ => self.instance(),
        }
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    /// When something happens: any time, or near to where something happens anyway, or at the same instant.
    fn instant(&mut self) -> Span {
        let window = self.cast.window;
        // As likely near to what was drawn as near to what the scenario does.
        let own = self.rng.random_bool(0.5);
        let near = if own && !self.anchors.is_empty() { &self.anchors } else { &self.cast.anchors };
        let anchor = near.choose(&mut self.rng).copied();
        match anchor.filter(|_| self.rng.random_bool(0.6)) {
            Some(anchor) => {
                let off = match self.chance(0.4) {
                    true => Span::ZERO,
                    false => self.log(MILLI, MINUTE),
                };
                let at = if self.chance(0.5) { anchor + off } else { anchor - off };
                at.clamp(self.cast.after, window)
            }
            None => {
                let left = window - self.cast.after;
                let seconds = self.rng.random_range(0..=left.nanos() / SECOND.nanos());
                self.cast.after + Span::from_secs(seconds)
            }
        }
    }

    /// Between these, every order of magnitude as likely; whole milliseconds, below that whole tenths.
    fn log(&mut self, least: Span, most: Span) -> Span {
        // Of powers of two, so that no logarithm of a platform's library decides.
        let doublings = (most.nanos() / least.nanos().max(1)).max(1).ilog2();
        let low = least.nanos() << self.rng.random_range(0..=doublings);
        let nanos = self.rng.random_range(low..=low.saturating_mul(2)).min(most.nanos());
        let grain = if nanos < MILLI.nanos() { MILLI.nanos() / 10 } else { MILLI.nanos() };
        Span::from_nanos((nanos / grain).max(1) * grain)
    }

    fn push(&mut self, at: Span, word: &'static str, value: impl Into<Value>) {
        if at > self.cast.window {
            return;
        }
        self.anchors.push(at);
        let entry = table([("at", length(at)), (word, value.into())]);
        self.entries.push((at, entry));
    }

    /// A fault that is over by the end of the window.
    fn push_lasting(&mut self, at: Span, word: &'static str, value: impl Into<Value>) {
        let left = self.cast.window - at;
        if left < MILLI {
            return;
        }
        let lasts = self.log(MILLI, left.min(MINUTE.saturating_mul(15)));
        self.push(at, word, value);
        if let Some((_, entry)) = self.entries.last_mut() {
            entry.insert("for".to_owned(), length(lasts));
        }
        self.anchors.push(at + lasts);
    }
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn text(text: &str) -> Value {
    Value::from(text)
}

/// A duration as it is written: whole ms, or µs.
pub(super) fn length(span: Span) -> Value {
    units::written(span).into()
}
