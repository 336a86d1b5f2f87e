//! `TimedSupervisorTask`: runs a task periodically, each run so long after the end of the last, and
//! waits longer and longer after runs that did not end in time.

use super::job::JobId;
use super::timer::TimerSlot;
use crate::time::Span;

/// One supervised task: heartbeats, or fetches.
#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    /// When the task runs next, or (while a run is awaited) when it is given up.
    pub(super) timer: TimerSlot,
    /// From the end of one run to the start of the next.
    delay: Span,
    /// The run that is awaited.
    pub(super) awaited: Option<JobId>,
    /// The run that is awaited has no call under way: its thread waits for a monitor.
    pub(super) blocked: bool,
    /// Runs that have not ended, the abandoned ones included.
    pub(super) running: u8,
}

impl Supervisor {
    pub(super) const fn new() -> Self {
        Self {
            timer: TimerSlot::NONE,
            delay: Span::ZERO,
            awaited: None,
            blocked: false,
            running: 0,
        }
    }

    /// The delay before the first run is the period.
    pub(super) fn start(&mut self, period: Span) -> Span {
        self.delay = period;
        period
    }

    /// The run ended in time, successful or not: back to the period.
    pub(super) fn finished(&mut self, period: Span) -> Span {
        self.delay = period;
        period
    }

    /// The run did not end in time: twice the delay, up to `bound` periods.
    pub(super) fn timed_out(&mut self, period: Span, bound: i32) -> Span {
        let longest = period.saturating_mul(bound.unsigned_abs().into());
        self.delay = self.delay.saturating_mul(2).min(longest);
        self.delay
    }

    /// No worker was free: the delay stays.
    pub(super) const fn rejected(&self) -> Span {
        self.delay
    }
}
