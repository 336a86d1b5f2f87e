//! `TimedSupervisorTask`: runs a task periodically, each run so long after the end of the last, and
//! waits longer and longer after runs that did not end in time.

use super::job::JobId;
use crate::time::Span;

/// One supervised task: heartbeats, or fetches.
#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    /// From the end of one run to the start of the next, in periods.
    factor: u32,
    /// The run that is awaited.
    pub(super) awaited: Option<JobId>,
    /// Runs that have not ended, the abandoned ones included.
    pub(super) running: u8,
}

impl Supervisor {
    pub(super) const fn new() -> Self {
        Self { factor: 1, awaited: None, running: 0 }
    }

    /// From the end of one run to the start of the next.
    pub(super) const fn delay(&self, period: Span) -> Span {
        period.saturating_mul(self.factor as u64)
    }

    /// The run ended in time, successful or not: back to the period. Whether that is a change.
    pub(super) const fn finished(&mut self) -> bool {
        let changed = self.factor != 1;
        self.factor = 1;
        changed
    }

    /// The run did not end in time: twice the delay, up to `bound` periods. Whether that is a change.
    pub(super) fn timed_out(&mut self, bound: i32) -> bool {
        let longer = self.factor.saturating_mul(2).min(bound.unsigned_abs());
        std::mem::replace(&mut self.factor, longer) != longer
    }
}
