//! What the figures show besides the series: faults, self-preservation, evictions, renewals.

use std::collections::{BTreeMap, BTreeSet};

use super::labels::Labels;
use crate::scenario::Plan;
use crate::sim::{Action, Fact, FaultFact, HostId, WorldView};
use crate::time::{Instant, Span};

/// A fault while it lasted, or an action at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultWindow {
    /// `partition`, `pause eureka-0`, `kill`
    pub what: String,
    /// From here …
    pub from: Instant,
    /// … to here; the same for something that happened at one instant.
    pub to: Instant,
}

/// A time in which a server was in self-preservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Which server.
    pub server: HostId,
    /// From here …
    pub from: Instant,
    /// … to here, or to the end of the run.
    pub to: Option<Instant>,
}

/// The end of a server's process and of its registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessEnd {
    /// Which server.
    pub server: HostId,
    /// When.
    pub at: Instant,
}

/// A run of the eviction task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvictionPoint {
    /// When.
    pub at: Instant,
    /// At which server.
    pub server: HostId,
    /// Whether it might evict.
    pub enabled: bool,
    /// Leases that had expired.
    pub expired: u64,
    /// The most it might evict.
    pub limit: i64,
    /// What it evicted.
    pub evicted: u64,
    /// By how many ms it was late.
    pub compensation_ms: i64,
}

/// Renewals that arrived within half a minute or, in a long run, some more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePoint {
    /// The end of it.
    pub at: Instant,
    /// At which server.
    pub server: HostId,
    /// How many arrived, scaled to a minute.
    pub per_minute: u64,
}

/// How long the pieces are in which arriving renewals are counted, in ns: half a minute, in which an
/// instance with the usual interval beats once, or a multiple.
const RATE_PIECE: u64 = 30_000_000_000;
/// Most pieces of a run: a figure is not wider.
const MOST_PIECES: u64 = 4000;

/// Everything that has a beginning and an end, and everything counted in between.
#[derive(Clone, Debug, Default)]
pub struct Timespans {
    faults: Vec<FaultWindow>,
    /// Network faults that last: the timeline entry, and their place among the faults.
    open: BTreeMap<usize, usize>,
    /// Each `scale` and `deploy` so far: the timeline entry, and its place among the faults.
    scripted: BTreeMap<usize, usize>,
    /// When the last of these changed something, and whom.
    sent_away: (Instant, BTreeSet<HostId>),
    /// Pauses that last, by host.
    paused: BTreeMap<HostId, usize>,
    /// Clocks that run fast or slowly, by host.
    skewed: BTreeMap<HostId, usize>,
    /// By server: whether its registry exists.
    running: Vec<bool>,
    ends: Vec<ProcessEnd>,
    lanes: Vec<Lane>,
    evictions: Vec<EvictionPoint>,
    rates: Vec<RatePoint>,
    /// Renewals of the piece under way, by server.
    counted: Vec<u64>,
    piece: u64,
    piece_nanos: u64,
}

impl Timespans {
    pub(super) fn new(servers: usize, duration: Instant) -> Self {
        let pieces = duration.nanos().div_ceil(RATE_PIECE);
        let piece_nanos = RATE_PIECE * pieces.div_ceil(MOST_PIECES).max(1);
        Self {
            counted: vec![0; servers],
            running: vec![false; servers],
            piece_nanos,
            ..Self::default()
        }
    }

    /// Faults in the order they began.
    #[must_use]
    pub fn faults(&self) -> &[FaultWindow] {
        &self.faults
    }

    /// Self-preservation in the order it began.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// When servers' processes ended, in order.
    #[must_use]
    pub fn ends(&self) -> &[ProcessEnd] {
        &self.ends
    }

    /// Eviction runs in order.
    #[must_use]
    pub fn evictions(&self) -> &[EvictionPoint] {
        &self.evictions
    }

    /// Arriving renewals in order.
    #[must_use]
    pub fn rates(&self) -> &[RatePoint] {
        &self.rates
    }

    pub(super) fn fact(
        &mut self,
        at: Instant,
        fact: &Fact<'_>,
        world: &WorldView<'_>,
        labels: &Labels,
    ) {
        match *fact {
            Fact::Renewed { server, .. } => self.count(at, server),
            Fact::SelfPreservation { server, on: true } => {
                self.lanes.push(Lane { server, from: at, to: None });
            }
            Fact::SelfPreservation { server, on: false } => self.end_lane(server, at),
            Fact::EvictRun { server, run } => self.evictions.push(EvictionPoint {
                at,
                server,
                enabled: run.enabled,
                expired: run.expired as u64,
                limit: run.limit,
                evicted: run.evicted.len() as u64,
                compensation_ms: run.compensation_ms,
            }),
            Fact::Initialised(server) => self.running[server.index()] = true,
            Fact::Closed(server) => self.process_gone(server, at),
            Fact::Exited(host, _) => self.process_gone(host, at),
            Fact::Fault(ref fault) => self.fault(at, fault, world, labels),
            _ => {}
        }
    }

    fn count(&mut self, at: Instant, server: HostId) {
        self.advance(at);
        self.counted[server.index()] += 1;
    }

    /// Pieces that are over by now are complete.
    fn advance(&mut self, at: Instant) {
        let piece = at.nanos() / self.piece_nanos;
        while self.piece < piece {
            self.piece += 1;
            let at = Instant::from_nanos(self.piece * self.piece_nanos);
            for (server, count) in self.counted.iter_mut().enumerate() {
                let renewals = std::mem::take(count) * 60_000_000_000;
                let per_minute = renewals.div_euclid(self.piece_nanos);
                self.rates.push(RatePoint { at, server: HostId::new(server), per_minute });
            }
        }
    }

    fn end_lane(&mut self, server: HostId, at: Instant) {
        let open = self.lanes.iter_mut().rev().find(|lane| lane.server == server);
        if let Some(lane) = open.filter(|lane| lane.to.is_none()) {
            lane.to = Some(at);
        }
    }

    fn process_gone(&mut self, host: HostId, at: Instant) {
        self.end_lane(host, at);
        if let Some(place) = self.paused.remove(&host) {
            self.faults[place].to = at;
        }
        if let Some(running) = self.running.get_mut(host.index())
            && std::mem::take(running)
        {
            self.ends.push(ProcessEnd { server: host, at });
        }
    }

    fn fault(
        &mut self,
        at: Instant,
        fault: &FaultFact<'_>,
        world: &WorldView<'_>,
        labels: &Labels,
    ) {
        // A server by its name; the clients, who may be thousands, together.
        let named = |what: &str, host: HostId| match world.is_server(host) {
            true => format!("{what} {}", labels.host(host)),
            false => what.to_owned(),
        };
        match *fault {
            FaultFact::Process("resume", host) => {
                if let Some(place) = self.paused.remove(&host) {
                    self.faults[place].to = at;
                }
            }
            FaultFact::Process("pause", host) => {
                let place = self.add(at, named("pause", host));
                self.paused.insert(host, place);
            }
            FaultFact::Process(what, host) => {
                if what == "kill" {
                    self.process_gone(host, at);
                }
                // What a `scale` or `deploy` does is shown by it.
                let (when, hosts) = &self.sent_away;
                if *when != at || !hosts.contains(&host) {
                    self.add(at, named(what, host));
                }
            }
            FaultFact::SetStatus(_, status) => {
                self.add(at, format!("set {status}"));
            }
            FaultFact::SetHealth(_, answer, _) => {
                self.add(at, format!("health {}", answer.name()));
            }
            FaultFact::StepClock(host, by) => {
                let sign = if by < 0 { '-' } else { '+' };
                let step = Span::from_nanos(by.unsigned_abs());
                self.add(at, named(&format!("clock {sign}{step}"), host));
            }
            FaultFact::SkewClock(host, ppm) => {
                if let Some(place) = self.skewed.remove(&host) {
                    self.faults[place].to = at;
                }
                if ppm != 0 {
                    let place = self.add(at, named("skew", host));
                    self.skewed.insert(host, place);
                }
            }
            FaultFact::SetConfig(_, key, _) => {
                self.add(at, format!("set {key}"));
            }
            FaultFact::Network { what, entry, .. } => {
                let place = self.add(at, what.to_owned());
                self.open.insert(entry, place);
            }
            FaultFact::Fleet { entry, members, .. } => {
                let place = match self.scripted.get(&entry) {
                    Some(place) => *place,
                    None => self.add(at, labels.entry(entry).to_owned()),
                };
                self.scripted.insert(entry, place);
                self.faults[place].to = at;
                self.sent_away = (at, members.iter().map(|member| member.host).collect());
            }
            FaultFact::Heal { entry } => {
                if let Some(place) = self.open.remove(&entry) {
                    self.faults[place].to = at;
                }
            }
        }
    }

    /// Adds a fault; the same thing at the same instant to many processes is one.
    fn add(&mut self, at: Instant, what: String) -> usize {
        let now = self.faults.iter().enumerate().rev().take_while(|(_, fault)| fault.from == at);
        if let Some((known, _)) = now.into_iter().find(|(_, fault)| fault.what == what) {
            return known;
        }
        self.faults.push(FaultWindow { what, from: at, to: at });
        self.faults.len() - 1
    }

    /// The run has ended: what lasts, lasted until now.
    pub(super) fn finish(&mut self, at: Instant, plan: &Plan) {
        self.advance(at);
        let last = [&self.paused, &self.skewed].into_iter().flat_map(BTreeMap::values);
        for place in self.open.values().chain(last) {
            self.faults[*place].to = at;
        }
        // Requests from outside are faults too, for who looks at a figure.
        for (entry, words) in plan.setup.timeline.iter().zip(&plan.timeline) {
            if let Action::Outside(..) = entry.action {
                let (from, to) = (entry.at, entry.at);
                self.faults.push(FaultWindow { what: words.what.to_owned(), from, to });
            }
        }
        self.faults.sort_by_key(|fault| fault.from);
    }
}
