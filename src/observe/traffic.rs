//! Calls between applications over time, and what became of the dead that were called.

use super::staleness::{Deaths, Staleness};
use crate::sim::{Fact, TrafficCounts, TrafficFact, WorldView};
use crate::time::{Instant, Span};

/// Most pieces of a run that are kept for figures: so many can be told apart.
const MOST_PIECES: u64 = 400;

/// Calls within a second or, in a long run, some more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficPoint {
    /// The beginning of it.
    pub from: Instant,
    /// The end of it.
    pub to: Instant,
    /// Calls to all applications.
    pub counts: TrafficCounts,
}

/// Everything about calls.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    points: Vec<TrafficPoint>,
    /// How long a piece is, in ns.
    piece_nanos: u64,
    /// The second that was complete last.
    last_second: TrafficCounts,
    second_at: Instant,
    deaths: Deaths,
    staleness: Vec<Staleness>,
}

impl Traffic {
    pub(super) fn new(duration: Instant) -> Self {
        let second = Span::from_secs(1).nanos();
        let pieces = duration.nanos().div_ceil(second);
        let piece_nanos = second * pieces.div_ceil(MOST_PIECES).max(1);
        Self { piece_nanos, ..Self::default() }
    }

    /// Calls over time, in order; none if nobody calls.
    #[must_use]
    pub fn points(&self) -> &[TrafficPoint] {
        &self.points
    }

    /// The dead that could be called, those that were called longest first.
    #[must_use]
    pub fn staleness(&self) -> &[Staleness] {
        &self.staleness
    }

    /// Calls in the second that was complete last.
    pub(super) const fn last_second(&self) -> TrafficCounts {
        self.last_second
    }

    pub(super) fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        if world.setup().calls.is_empty() {
            return;
        }
        if let Fact::Traffic(TrafficFact::Second { counts, .. }) = fact {
            self.second(at, *counts);
        }
        self.deaths.fact(at, fact, world);
    }

    /// A second of calls to one application.
    fn second(&mut self, at: Instant, counts: TrafficCounts) {
        if self.second_at < at {
            (self.second_at, self.last_second) = (at, TrafficCounts::default());
        }
        self.last_second = self.last_second.and(counts);
        let piece = |end: Instant| end.nanos().saturating_sub(1) / self.piece_nanos;
        match self.points.last_mut() {
            Some(last) if piece(last.to) == piece(at) => {
                (last.to, last.counts) = (at, last.counts.and(counts));
            }
            last => {
                let from = last.map_or(Instant::ZERO, |last| last.to);
                self.points.push(TrafficPoint { from, to: at, counts });
            }
        }
    }

    /// The run has ended.
    pub(super) fn finish(&mut self, world: &WorldView<'_>) {
        self.staleness = self.deaths.take(world);
    }
}
