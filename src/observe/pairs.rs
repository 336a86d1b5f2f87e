//! Where every two servers differ, over time: sampled as the series is, if anybody asks for it.

use super::divergence::{Differences, Divergence};
use crate::scenario::Sampling;
use crate::sim::HostId;
use crate::time::{Instant, Span};

/// Two servers at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairRow {
    /// When.
    pub at: Instant,
    /// The one that comes first in the scenario.
    pub server: HostId,
    /// The other one.
    pub peer: HostId,
    /// On how many instances they differ.
    pub between: Differences,
}

/// All rows of a run, in order of time. There is none of a server that does not run.
#[derive(Clone, Debug)]
pub struct Pairs {
    every: Sampling,
    rows: Vec<PairRow>,
    /// When the next regular sample is due.
    next: Instant,
    /// What every pair was when it was last written, in the order of [`Divergence::pairs`], and the
    /// number of changes until then.
    last: Vec<(HostId, HostId, Differences)>,
    seen: u64,
}

impl Pairs {
    /// No rows yet.
    pub(super) const fn new(every: Sampling) -> Self {
        Self { every, rows: Vec::new(), next: Instant::ZERO, last: Vec::new(), seen: 0 }
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[PairRow] {
        &self.rows
    }

    /// Everything of the instant `now` has happened; the state lasts until just before `next`.
    pub(super) fn elapsed(&mut self, now: Instant, next: Instant, divergence: &Divergence) {
        match self.every {
            Sampling::Change => self.changed(now, divergence),
            Sampling::Every(interval) => {
                while self.next < next {
                    self.all(self.next, divergence);
                    self.next += interval.max(Span::from_nanos(1));
                }
            }
        }
    }

    /// The last rows, at the end of the run.
    pub(super) fn finish(&mut self, now: Instant, divergence: &Divergence) {
        if self.rows.last().is_none_or(|last| last.at < now) {
            self.all(now, divergence);
        }
    }

    fn all(&mut self, at: Instant, divergence: &Divergence) {
        let row = |(server, peer, between)| PairRow { at, server, peer, between };
        self.rows.extend(divergence.pairs().map(row));
    }

    /// Rows of the pairs that are not what they were.
    fn changed(&mut self, at: Instant, divergence: &Divergence) {
        if std::mem::replace(&mut self.seen, divergence.changes()) == divergence.changes() {
            return;
        }
        let before = |pair: &(HostId, HostId, Differences)| {
            let found = self.last.binary_search_by_key(&(pair.1, pair.0), |last| (last.1, last.0));
            found.ok().map(|position| self.last[position].2)
        };
        for pair in divergence.pairs().filter(|pair| before(pair) != Some(pair.2)) {
            let (server, peer, between) = pair;
            self.rows.push(PairRow { at, server, peer, between });
        }
        self.last.clear();
        self.last.extend(divergence.pairs());
    }
}
