//! The time series: one row for each server and sample.

use super::traffic::Traffic;
use super::truth::Truth;
use crate::eureka::server::Gauges;
use crate::scenario::Sampling;
use crate::sim::{Fact, HostId, TrafficCounts, WorldView};
use crate::time::{Instant, Span};

/// One row: a server at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub at: Instant,
    /// Which server.
    pub server: HostId,
    /// What its monitoring shows.
    pub gauges: Gauges,
    /// Instances that really run.
    pub alive: u64,
    /// Instances in its registry that do not run.
    pub ghosts: u64,
    /// Instances that should be in its registry and are not.
    pub missing: u64,
    /// Renewals counted in the minute under way.
    pub renews_current_min: i64,
    /// Leases it has evicted so far.
    pub expired_counter: u64,
    /// Calls between applications in the second that was complete last; the same for every server.
    pub last_second: TrafficCounts,
    /// Attempts sent to the dead so far; likewise.
    pub traffic_to_dead: u64,
}

/// What rows are made of, besides what the servers say.
type Parts<'a> = (&'a Truth, &'a Traffic);

/// All rows of a run, in order of time.
#[derive(Clone, Debug)]
pub struct Series {
    every: Sampling,
    rows: Vec<Row>,
    /// For each server, the position of its last row, plus one.
    last: Vec<usize>,
    /// Servers that get a row at this instant, whatever the interval.
    wanted: Vec<HostId>,
    /// Something that shows in rows may have changed.
    touched: bool,
    /// When the next regular sample is due.
    next: Instant,
}

impl Series {
    /// No rows yet.
    #[must_use]
    pub fn new(every: Sampling, servers: usize) -> Self {
        Self {
            every,
            rows: Vec::new(),
            last: vec![0; servers],
            wanted: Vec::new(),
            touched: false,
            next: Instant::ZERO,
        }
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Takes note of a fact.
    pub(super) fn fact(&mut self, fact: &Fact<'_>) {
        match fact {
            Fact::Initialised(server) | Fact::SelfPreservation { server, .. } => {
                self.wanted.push(*server);
            }
            _ => {}
        }
        self.touched = true;
    }

    /// Everything of an instant has happened; the state lasts until just before `next`.
    pub(super) fn elapsed(
        &mut self,
        next: Instant,
        (truth, traffic): Parts<'_>,
        world: &WorldView<'_>,
    ) {
        let now = world.now();
        for server in std::mem::take(&mut self.wanted) {
            self.sample(now, server, (truth, traffic), world, true);
        }
        match self.every {
            Sampling::Change => {
                if std::mem::take(&mut self.touched) {
                    for server in world.server_hosts() {
                        self.sample(now, server, (truth, traffic), world, false);
                    }
                }
            }
            Sampling::Every(interval) => {
                while self.next < next {
                    self.all(self.next, (truth, traffic), world);
                    self.next += interval.max(Span::from_nanos(1));
                }
            }
        }
    }

    /// The last rows, at the end of the run.
    pub(super) fn finish(&mut self, (truth, traffic): Parts<'_>, world: &WorldView<'_>) {
        self.all(world.now(), (truth, traffic), world);
    }

    /// All of it; nothing stays.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self::new(self.every, self.last.len());
        std::mem::replace(self, empty)
    }

    fn all(&mut self, at: Instant, (truth, traffic): Parts<'_>, world: &WorldView<'_>) {
        for server in world.server_hosts() {
            self.sample(at, server, (truth, traffic), world, true);
        }
    }

    fn sample(
        &mut self,
        at: Instant,
        server: HostId,
        (truth, traffic): Parts<'_>,
        world: &WorldView<'_>,
        even_if_unchanged: bool,
    ) {
        let Some(gauges) = world.gauges(server) else {
            self.last[server.index()] = 0;
            return;
        };
        let row = Row {
            at,
            server,
            gauges,
            alive: truth.alive(None),
            ghosts: truth.ghosts(server, None),
            missing: truth.missing(server, None),
            renews_current_min: world
                .registry(server)
                .map_or(0, crate::eureka::server::Registry::renews_current_min),
            expired_counter: truth.evicted(server).0,
            last_second: traffic.last_second(),
            traffic_to_dead: world.traffic(None).to_dead,
        };
        let last = self.last[server.index()].checked_sub(1).map(|last| self.rows[last]);
        let unchanged = last.is_some_and(|last| Row { at, ..last } == row);
        let repeated = last.is_some_and(|last| last.at == at) && unchanged;
        if repeated || (unchanged && !even_if_unchanged) {
            return;
        }
        self.rows.push(row);
        self.last[server.index()] = self.rows.len();
    }
}
