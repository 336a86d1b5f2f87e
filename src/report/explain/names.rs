//! What places and times are called in an explanation.

use crate::observe::{Labels, LeaseTimes, Place};
use crate::scenario::Plan;
use crate::sim::HostId;
use crate::time::{Instant, Span};

/// The names of a plan, and its zero of wall clocks.
pub(super) struct Names {
    labels: Labels,
    epoch_ms: i64,
}

impl Names {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { labels: Labels::new(plan), epoch_ms: plan.setup.epoch_ms }
    }

    /// Where something happens: `itself`, `eureka-0`, `view GATEWAY/0`, `other views`, `network`.
    pub(super) fn place(&self, place: Place) -> String {
        match place {
            Place::Process => "itself".to_owned(),
            Place::Server(server) => self.host(server),
            Place::Client(client) => format!("view {}", self.host(client)),
            Place::Others => "other views".to_owned(),
            Place::Network => "network".to_owned(),
        }
    }

    pub(super) fn host(&self, host: HostId) -> String {
        self.labels.host(host)
    }

    /// A timeline entry; what a cure adds has no name.
    pub(super) fn entry(&self, entry: usize) -> &str {
        self.labels.entry(entry)
    }

    /// A wall-clock time, in ms since the run's start. Callers from outside may send any number at all.
    pub(super) const fn since_start(&self, wall_ms: i64) -> i64 {
        wall_ms.saturating_sub(self.epoch_ms)
    }

    /// When a lease ends, on the clock of its server, as a time of the run.
    pub(super) fn end_of(&self, lease: LeaseTimes) -> String {
        self.wall(lease.end())
    }

    /// A wall-clock time as a time of the run; ms where it is before its start.
    pub(super) fn wall(&self, wall_ms: i64) -> String {
        let ms = self.since_start(wall_ms);
        match u64::try_from(ms) {
            Ok(ms) if ms < u64::MAX / 1_000_000 => Span::from_millis(ms).to_string(),
            _ => format!("{ms} ms"),
        }
    }
}

/// An instant, to the millisecond.
pub(super) fn time(at: Instant) -> String {
    at.to_string()
}

/// How long something took; of long times the milliseconds are nobody's concern.
pub(super) fn about(span: Span) -> String {
    match span.millis() {
        ms if ms < 10_000 => Span::from_millis(ms).to_string(),
        ms => Span::from_secs((ms + 500) / 1000).to_string(),
    }
}
