//! Verdicts: every expectation checked while the run happens.

use std::collections::BTreeSet;

use super::listing::Listing;
use super::measures::Measures;
use super::stuck::Finding;
use crate::eureka::{AppId, InstanceKey, InstanceStatus};
use crate::scenario::{Bounds, EventKind, Metric, Plan, Servers, Subject, Wanted, When};
use crate::sim::{Fact, HostId, TrafficFact, WorldView};
use crate::time::{Instant, Span};

/// How an expectation came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The sentence shown for it.
    pub text: String,
    /// Whether it holds.
    pub ok: bool,
    /// The numbers: `min 1000 (eureka-1 at 5m00s)`.
    pub detail: String,
}

/// A value at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reading {
    Number(f64),
    Status(Option<InstanceStatus>),
}

/// A value, where and when.
#[derive(Clone, Copy, Debug)]
struct Seen {
    reading: Reading,
    server: Option<HostId>,
    at: Instant,
}

/// One expectation under way.
#[derive(Clone, Debug)]
struct Check {
    text: String,
    subject: Subject,
    /// The least and the greatest value in its time.
    least: Option<Seen>,
    greatest: Option<Seen>,
    last: Option<Seen>,
    /// For "at some time": the last value of each server.
    last_of: Vec<Option<Seen>>,
    /// What a client saw when something last happened to it.
    viewed: Option<Reading>,
    /// The first value that was not as expected.
    violation: Option<Seen>,
    /// For "at some time": for each server, when it first was so.
    satisfied: Vec<Option<Instant>>,
    /// Events counted, and the first and last of them.
    count: u64,
    first_event: Option<(Instant, Option<HostId>)>,
    /// Attempts sent to the dead that the expectation is about, and the longest dead of them.
    to_dead: u64,
    staleness: Span,
    /// A server named in the expectation did not run.
    absent: Option<Instant>,
    evaluated: bool,
}

/// All expectations of a run.
#[derive(Clone, Debug)]
pub(super) struct Checks {
    checks: Vec<Check>,
    listing: Listing,
    /// Kinds of events that are counted.
    kinds: BTreeSet<EventKind>,
    /// Something happened since the last evaluation.
    touched: bool,
}

impl Checks {
    pub(super) fn new(plan: &Plan) -> Self {
        let servers = plan.setup.servers.len();
        let check = |expectation: &crate::scenario::Expectation| Check {
            text: expectation.text.clone(),
            subject: expectation.subject.clone(),
            least: None,
            greatest: None,
            last: None,
            viewed: None,
            violation: None,
            satisfied: vec![None; servers],
            last_of: vec![None; servers],
            count: 0,
            first_event: None,
            to_dead: 0,
            staleness: Span::ZERO,
            absent: None,
            evaluated: false,
        };
        let kinds = plan.expectations.iter().filter_map(|expectation| match expectation.subject {
            Subject::Event { kind, .. } => Some(kind),
            Subject::Metric { .. } => None,
        });
        Self {
            checks: plan.expectations.iter().map(check).collect(),
            listing: Listing::new(servers),
            kinds: kinds.collect(),
            touched: true,
        }
    }

    pub(super) fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        self.touched = true;
        if let Some(host) = view_of(fact) {
            for check in &mut self.checks {
                if let Subject::Metric { view: Some(client), .. } = check.subject
                    && client == host
                {
                    check.viewed = None;
                }
            }
        }
        if let Fact::Traffic(TrafficFact::ToDead { from, to, dead_for }) = *fact {
            let dead_for = dead_for.unwrap_or_default();
            let app_of = world.names().app_of(to);
            self.checks.iter_mut().for_each(|check| check.note_dead(from, (to, app_of), dead_for));
        }
        if !self.kinds.is_empty() {
            self.count(at, fact, world);
        }
    }

    fn count(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        // Whether a view has changed is not looked at if nobody counts it.
        if matches!(fact, Fact::View { .. }) && !self.kinds.contains(&EventKind::View) {
            return;
        }
        let Some(counted) =
            self.listing.counted(fact).filter(|counted| self.kinds.contains(counted))
        else {
            return;
        };
        let event = Event::of(fact, world);
        self.note(counted, at, &event, world);
    }

    /// Counts an event where it is asked for.
    fn note(&mut self, counted: EventKind, at: Instant, event: &Event, world: &WorldView<'_>) {
        for check in &mut self.checks {
            let Subject::Event { kind, server, app, instance, during, .. } = &check.subject else {
                continue;
            };
            let timely = during.is_none_or(|(from, to)| (from..=to).contains(&at));
            let of_app = |key: InstanceKey, app: AppId| world.names().app_of(key) == app;
            let right = *kind == counted
                && timely
                && server.is_none_or(|server| event.server == Some(server))
                && instance.is_none_or(|key| event.keys.contains(&key))
                && app.is_none_or(|app| {
                    event.app == Some(app) || event.keys.iter().any(|key| of_app(*key, app))
                });
            if right {
                check.count += 1;
                check.first_event.get_or_insert((at, event.server));
            }
        }
    }

    /// Instances are found to be stuck, by time alone.
    pub(super) fn found(&mut self, findings: &[Finding], world: &WorldView<'_>) {
        self.touched = true;
        for finding in findings {
            let server = Some(finding.server);
            let event = Event { server, app: None, keys: vec![finding.key] };
            self.note(EventKind::Stuck, finding.at, &event, world);
        }
    }

    /// The state lasts from `now` until just before `next`.
    pub(super) fn elapsed(
        &mut self,
        (now, next): (Instant, Instant),
        measures: &Measures,
        world: &WorldView<'_>,
    ) {
        let touched = std::mem::take(&mut self.touched);
        for check in &mut self.checks {
            let Subject::Metric { metric, when, .. } = check.subject else {
                continue;
            };
            let (from, to) = match when {
                When::Always => (Instant::ZERO, Instant::NEVER),
                When::During(from, to) | When::Within(from, to) => (from, to),
            };
            // The instants of the window in which the state is as it is now: from … until.
            let last = Instant::from_nanos(next.nanos().saturating_sub(1));
            let (first, until) = (now.max(from), last.min(to));
            let unchanged = !touched && !metric.grows() && !metric.changes_without_a_fact();
            if first > until || (unchanged && check.evaluated) {
                continue;
            }
            check.evaluated = true;
            check.evaluate(first, measures, world);
            if metric.grows() && until > first {
                check.evaluate(until, measures, world);
            }
        }
    }

    /// The run has ended: each server that runs has a line of its registry.
    pub(super) fn finish(&mut self, world: &WorldView<'_>) {
        if !self.kinds.contains(&EventKind::Registry) {
            return;
        }
        for server in world.server_hosts() {
            if let Some(registry) = world.registry(server) {
                let keys = registry.apps().flat_map(|app| registry.instances_of(app)).collect();
                let event = Event { server: Some(server), app: None, keys };
                self.note(EventKind::Registry, world.now(), &event, world);
            }
        }
    }

    pub(super) fn verdicts(&self, server_name: impl Fn(HostId) -> String) -> Vec<Verdict> {
        self.checks.iter().map(|check| check.verdict(&server_name)).collect()
    }
}

/// Whose view a fact may have changed.
const fn view_of(fact: &Fact<'_>) -> Option<HostId> {
    match fact {
        Fact::View { client: host, .. } | Fact::Started(host, _) | Fact::Exited(host, _) => {
            Some(*host)
        }
        Fact::Fault(fault) => fault.host(),
        _ => None,
    }
}

impl Check {
    /// An attempt was sent to an instance that was dead for so long.
    fn note_dead(&mut self, from: HostId, (to, of_app): (InstanceKey, AppId), dead_for: Span) {
        let Subject::Metric { metric, app, instance, view, .. } = self.subject else {
            return;
        };
        let meant = metric.is_traffic()
            && app.is_none_or(|app| app == of_app)
            && instance.is_none_or(|key| key == to)
            && view.is_none_or(|client| client == from);
        if meant {
            self.to_dead += 1;
            self.staleness = self.staleness.max(dead_for);
        }
    }

    /// A metric of calls.
    fn traffic(
        &self,
        metric: Metric,
        app: Option<AppId>,
        view: Option<HostId>,
        world: &WorldView<'_>,
    ) -> f64 {
        match metric {
            Metric::Staleness => self.staleness.nanos() as f64 / 1e9,
            Metric::TrafficToDeadShare => {
                let counts =
                    view.map_or_else(|| world.traffic(app), |client| world.traffic_of(client, app));
                self.to_dead as f64 / counts.attempts.max(1) as f64
            }
            _ => self.to_dead as f64,
        }
    }

    fn evaluate(&mut self, at: Instant, measures: &Measures, world: &WorldView<'_>) {
        let Subject::Metric { metric, servers, app, instance, view, bounds, when } = self.subject
        else {
            return;
        };
        let read = Read { metric, app, instance, at, measures, world };
        let within = matches!(when, When::Within(..));
        if metric.is_traffic() {
            let reading = Reading::Number(self.traffic(metric, app, view, world));
            self.see(Seen { reading, server: None, at }, &bounds, within, 0);
            return;
        }
        if let Some(client) = view {
            let reading = *self.viewed.get_or_insert_with(|| read.of_view(client));
            self.see(Seen { reading, server: None, at }, &bounds, within, 0);
            return;
        }
        if metric.is_global() {
            let reading = Reading::Number(read.of_run());
            self.see(Seen { reading, server: None, at }, &bounds, within, 0);
            return;
        }
        match servers {
            Servers::One(server) => match read.of_server(server) {
                Some(reading) => {
                    let seen = Seen { reading, server: Some(server), at };
                    self.see(seen, &bounds, within, server.index());
                }
                None if !within && !world.is_alive(server) => {
                    self.absent.get_or_insert(at);
                }
                None => {}
            },
            Servers::Each => {
                for server in world.server_hosts() {
                    if let Some(reading) = read.of_server(server) {
                        let seen = Seen { reading, server: Some(server), at };
                        self.see(seen, &bounds, within, server.index());
                    }
                }
            }
            Servers::Sum | Servers::Max | Servers::Min => {
                let all = world.server_hosts().filter_map(|server| read.of_server(server));
                let numbers = all.filter_map(|reading| match reading {
                    Reading::Number(number) => Some(number),
                    Reading::Status(_) => None,
                });
                let together = match servers {
                    Servers::Sum => numbers.reduce(|a, b| a + b),
                    Servers::Max => numbers.reduce(f64::max),
                    _ => numbers.reduce(f64::min),
                };
                if let Some(number) = together {
                    let seen = Seen { reading: Reading::Number(number), server: None, at };
                    self.see(seen, &bounds, within, 0);
                }
            }
        }
    }

    fn see(&mut self, seen: Seen, bounds: &Bounds, within: bool, slot: usize) {
        self.last = Some(seen);
        if let Reading::Number(number) = seen.reading {
            let below = |other: &Option<Seen>| other.is_none_or(|other| number < other.number());
            let above = |other: &Option<Seen>| other.is_none_or(|other| number > other.number());
            if below(&self.least) {
                self.least = Some(seen);
            }
            if above(&self.greatest) {
                self.greatest = Some(seen);
            }
        }
        let holds = match (seen.reading, bounds.equals) {
            (Reading::Number(number), _) => bounds.hold(number),
            (Reading::Status(status), Some(Wanted::Status(wanted))) => status == wanted,
            (Reading::Status(_), _) => false,
        };
        if within {
            self.last_of[slot] = Some(seen);
            if holds {
                self.satisfied[slot].get_or_insert(seen.at);
            }
        } else if !holds {
            self.violation.get_or_insert(seen);
        }
    }

    fn verdict(&self, name: &impl Fn(HostId) -> String) -> Verdict {
        let (ok, detail) = match &self.subject {
            Subject::Event { bounds, .. } => {
                let first = self.first_event.map_or_else(String::new, |(at, server)| {
                    let server = server.map(|server| format!(" ({})", name(server)));
                    format!(", first at {at}{}", server.unwrap_or_default())
                });
                let times = if self.count == 1 { "time" } else { "times" };
                (bounds.hold(self.count as f64), format!("{} {times}{first}", self.count))
            }
            Subject::Metric { metric, when: When::Within(..), .. } => {
                self.within_verdict(metric.is_flag(), name)
            }
            Subject::Metric { metric, bounds, .. } => {
                let flag = metric.is_flag();
                match (self.absent, self.violation, self.last) {
                    (Some(at), None, _) => (false, format!("the server was not running at {at}")),
                    (_, Some(seen), _) => (false, seen.text(flag, name)),
                    (None, None, None) => (false, "no server was running".to_owned()),
                    (None, None, Some(last)) => (true, self.extreme(bounds, flag, last, name)),
                }
            }
        };
        Verdict { text: self.text.clone(), ok, detail }
    }

    fn within_verdict(&self, flag: bool, name: &impl Fn(HostId) -> String) -> (bool, String) {
        let mut latest: Option<Instant> = None;
        for (last, satisfied) in self.last_of.iter().zip(&self.satisfied) {
            match (last, satisfied) {
                (_, Some(at)) => latest = latest.max(Some(*at)),
                (Some(missed), None) => {
                    let who = missed.server.map(|server| format!(" at {}", name(server)));
                    let (who, value) = (who.unwrap_or_default(), missed.value(flag));
                    return (false, format!("never so{who}; last seen {value} at {}", missed.at));
                }
                (None, None) => {}
            }
        }
        match latest {
            Some(at) => (true, format!("first at {at}")),
            None => (false, "no server was running".to_owned()),
        }
    }

    /// The value that came nearest to a bound.
    fn extreme(
        &self,
        bounds: &Bounds,
        flag: bool,
        last: Seen,
        name: &impl Fn(HostId) -> String,
    ) -> String {
        let lower = bounds.at_least.is_some() || bounds.above.is_some();
        let upper = bounds.at_most.is_some() || bounds.below.is_some();
        let shown = |label: &str, seen: &Option<Seen>| {
            seen.map(|seen| format!("{label} {}", seen.text(flag, name)))
        };
        let texts: Vec<String> = [
            lower.then(|| shown("min", &self.least)).flatten(),
            upper.then(|| shown("max", &self.greatest)).flatten(),
        ]
        .into_iter()
        .flatten()
        .collect();
        if texts.is_empty() { last.value(flag) } else { texts.join(", ") }
    }
}

impl Seen {
    fn number(&self) -> f64 {
        match self.reading {
            Reading::Number(number) => number,
            Reading::Status(_) => 0.0,
        }
    }

    fn value(&self, flag: bool) -> String {
        match self.reading {
            Reading::Number(number) if flag => (number != 0.0).to_string(),
            Reading::Number(number) => {
                let rounded = (number * 1000.0).round() / 1000.0;
                rounded.to_string()
            }
            Reading::Status(Some(status)) => status.name().to_owned(),
            Reading::Status(None) => "ABSENT".to_owned(),
        }
    }

    /// `160 (eureka-0 at 5m00s)`
    fn text(&self, flag: bool, name: &impl Fn(HostId) -> String) -> String {
        let value = self.value(flag);
        match self.server {
            Some(server) => format!("{value} ({} at {})", name(server), self.at),
            None => format!("{value} (at {})", self.at),
        }
    }
}

/// Reads a metric.
struct Read<'a> {
    metric: Metric,
    app: Option<AppId>,
    instance: Option<InstanceKey>,
    at: Instant,
    measures: &'a Measures,
    world: &'a WorldView<'a>,
}

impl Read<'_> {
    fn of_run(&self) -> f64 {
        self.measures.of_run(self.metric, self.app, self.at, self.world)
    }

    /// At a server, if it runs.
    fn of_server(&self, server: HostId) -> Option<Reading> {
        if self.metric == Metric::Status {
            let registry = self.world.registry(server)?;
            return Some(Reading::Status(self.instance.and_then(|key| registry.status_of(key))));
        }
        let place = (server, self.at);
        self.measures.of_server(self.metric, self.app, place, self.world).map(Reading::Number)
    }

    /// As a client sees it; a client that does not run sees nothing.
    fn of_view(&self, client: HostId) -> Reading {
        let only_up = self.world.setup().profile_of(client).client.filter_only_up_instances;
        let view = self.world.client(client).map(|client| self.world.views().get(client.view()));
        if self.metric == Metric::Status {
            let found =
                view.and_then(|view| view.instances().find(|info| Some(info.key) == self.instance));
            return Reading::Status(found.map(|info| info.status));
        }
        let size = match (view, self.app) {
            (None, _) => 0,
            (Some(view), None) => view.visible(only_up) as usize,
            (Some(view), Some(app)) => view
                .instances()
                .filter(|info| self.world.names().app_of(info.key) == app)
                .filter(|info| !only_up || info.status == InstanceStatus::Up)
                .count(),
        };
        Reading::Number(size as f64)
    }
}

/// What an event concerns.
struct Event {
    server: Option<HostId>,
    /// The application that it names, besides those of the instances.
    app: Option<AppId>,
    keys: Vec<InstanceKey>,
}

impl Event {
    /// What a fact concerns that is an event.
    fn of(fact: &Fact<'_>, world: &WorldView<'_>) -> Self {
        let of =
            |server: HostId, keys: Vec<InstanceKey>| Self { server: Some(server), app: None, keys };
        let process = |host: HostId| Self {
            server: world.is_server(host).then_some(host),
            app: None,
            keys: vec![world.key(host)],
        };
        let nowhere = |app, keys| Self { server: None, app, keys };
        match fact {
            Fact::Started(host, _) | Fact::Exited(host, _) | Fact::InClient(host, _) => {
                process(*host)
            }
            Fact::View { client, .. } | Fact::LocalStatus { client, .. } => process(*client),
            Fact::Fault(fault) => match fault.host() {
                Some(host) => process(host),
                None => nowhere(None, Vec::new()),
            },
            Fact::Request { server, request, .. } => {
                of(*server, request.key().into_iter().collect())
            }
            Fact::Failed { from, to, .. } | Fact::TurnedAway { from, to, .. } => {
                of(*to, vec![world.key(*from)])
            }
            Fact::BatchSent { from, items, .. } => {
                of(*from, items.iter().map(|item| item.key).collect())
            }
            Fact::TaskDropped { from, key, .. } | Fact::ReplicaNotFound { from, key, .. } => {
                of(*from, vec![*key])
            }
            Fact::EvictRun { server, run } => of(*server, run.evicted.clone()),
            Fact::Registered { server, key, .. }
            | Fact::Renewed { server, key, .. }
            | Fact::Overridden { server, key, .. }
            | Fact::Cancelled { server, key, .. }
            | Fact::Adopted { server, key, .. }
            | Fact::StatusChanged { server, key, .. } => of(*server, vec![*key]),
            Fact::Traffic(TrafficFact::ToDead { to, .. }) => nowhere(None, vec![*to]),
            Fact::Traffic(TrafficFact::Failed { app, to, .. }) => {
                nowhere(Some(*app), to.iter().copied().collect())
            }
            Fact::Traffic(TrafficFact::Balancer { client, app, .. }) => {
                Self { app: Some(*app), ..process(*client) }
            }
            Fact::Traffic(TrafficFact::Second { .. } | TrafficFact::CacheFill(_))
            | Fact::BatchEnded { .. } => nowhere(None, Vec::new()),
            Fact::Initialised(server)
            | Fact::Listening(server)
            | Fact::Closed(server)
            | Fact::OpenForTraffic { server, .. }
            | Fact::Threshold { server, .. }
            | Fact::Expected { server, .. }
            | Fact::Bucket { server, .. }
            | Fact::Peers { server, .. }
            | Fact::SelfPreservation { server, .. }
            | Fact::BelowRenewThreshold { server, .. } => of(*server, Vec::new()),
        }
    }
}
