//! The time series: one row for each server and sample.

use super::measures::Measures;
use super::traffic::Traffic;
use crate::eureka::server::Gauges;
use crate::scenario::{Metric, Sampling};
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
type Parts<'a> = (&'a Measures, &'a Traffic);

/// All rows of a run, in order of time.
#[derive(Clone, Debug)]
pub struct Series {
    every: Sampling,
    rows: Vec<Row>,
    /// Metrics besides, and their values: as many for each row.
    metrics: Vec<Metric>,
    values: Vec<f64>,
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
    pub fn new(every: Sampling, metrics: Vec<Metric>, servers: usize) -> Self {
        Self {
            every,
            rows: Vec::new(),
            metrics,
            values: Vec::new(),
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

    /// The metrics that rows have besides, in their order.
    #[must_use]
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The rows, each with the values of these metrics; flags are 0 and 1. What is of the whole run
    /// is the same for every server.
    pub fn rows_with_metrics(&self) -> impl Iterator<Item = (&Row, &[f64])> {
        let count = self.metrics.len();
        let of_row = move |row: usize| &self.values[row * count..(row + 1) * count];
        self.rows.iter().enumerate().map(move |(number, row)| (row, of_row(number)))
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

    /// Something has changed by time alone.
    pub(super) const fn touch(&mut self) {
        self.touched = true;
    }

    /// Everything of the instant `now` has happened; the state lasts until just before `next`.
    pub(super) fn elapsed(
        &mut self,
        (now, next): (Instant, Instant),
        (measures, traffic): Parts<'_>,
        world: &WorldView<'_>,
    ) {
        for server in std::mem::take(&mut self.wanted) {
            self.sample(now, server, (measures, traffic), world, true);
        }
        match self.every {
            Sampling::Change => {
                let unseen = self.metrics.iter().any(|metric| metric.changes_without_a_fact());
                if std::mem::take(&mut self.touched) || unseen {
                    for server in world.server_hosts() {
                        self.sample(now, server, (measures, traffic), world, false);
                    }
                }
            }
            Sampling::Every(interval) => {
                while self.next < next {
                    self.all(self.next, (measures, traffic), world);
                    self.next += interval.max(Span::from_nanos(1));
                }
            }
        }
    }

    /// The last rows, at the end of the run.
    pub(super) fn finish(&mut self, (measures, traffic): Parts<'_>, world: &WorldView<'_>) {
        self.all(world.now(), (measures, traffic), world);
    }

    /// All of it; nothing stays.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self::new(self.every, self.metrics.clone(), self.last.len());
        std::mem::replace(self, empty)
    }

    fn all(&mut self, at: Instant, (measures, traffic): Parts<'_>, world: &WorldView<'_>) {
        for server in world.server_hosts() {
            self.sample(at, server, (measures, traffic), world, true);
        }
    }

    fn sample(
        &mut self,
        at: Instant,
        server: HostId,
        (measures, traffic): Parts<'_>,
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
            alive: measures.truth.alive(None),
            ghosts: measures.truth.ghosts(server, None),
            missing: measures.truth.missing(server, None),
            renews_current_min: world
                .registry(server)
                .map_or(0, crate::eureka::server::Registry::renews_current_min),
            expired_counter: measures.truth.evicted(server).0,
            last_second: traffic.last_second(),
            traffic_to_dead: world.traffic(None).to_dead,
        };
        let first = self.values.len();
        for metric in &self.metrics {
            // A server that runs has a number of everything that may be asked for.
            let value = measures.of_server(*metric, None, (server, at), world);
            self.values.push(value.unwrap_or_default());
        }
        let count = self.metrics.len();
        let last = self.last[server.index()].checked_sub(1);
        let unchanged = last.is_some_and(|last| {
            let values = &self.values[last * count..(last + 1) * count];
            Row { at, ..self.rows[last] } == row && values == &self.values[first..]
        });
        let repeated = unchanged && last.is_some_and(|last| self.rows[last].at == at);
        if repeated || (unchanged && !even_if_unchanged) {
            self.values.truncate(first);
            return;
        }
        self.rows.push(row);
        self.last[server.index()] = self.rows.len();
    }
}
