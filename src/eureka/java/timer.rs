//! `java.util.Timer` with one fixed-delay task, on the two clocks of its host.
//!
//! The due time is a wall-clock time, but the thread waits for a *duration*, on the monotonic
//! clock, and looks at the wall clock only when it wakes. So a backward step of the wall clock makes
//! it wait again for what is missing, and a forward step does not wake it early.

use crate::time::Now;

/// Nanoseconds in a millisecond.
const MILLI: i64 = 1_000_000;

/// One scheduled task and its thread.
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    /// Wall clock (ms) at which the task may fire.
    due: i64,
    /// Monotonic clock (ns) at which the thread looks next.
    wake: u64,
    /// Milliseconds from the start of one run to the next.
    period: i64,
}

impl Timer {
    /// `schedule(task, delay, period)` with both equal: the first run is `period` ms from now.
    ///
    /// # Panics
    /// If `period` is not positive (Java throws `IllegalArgumentException`).
    #[must_use]
    pub fn every(now: Now, period: i64) -> Self {
        Self::from(now, now.wall + period, period)
    }

    /// `schedule(task, Date first, period)`: the first run at wall clock `first` (ms).
    ///
    /// # Panics
    /// If `period` is not positive (Java throws `IllegalArgumentException`).
    #[must_use]
    pub fn from(now: Now, first: i64, period: i64) -> Self {
        assert!(period > 0, "java.util.Timer needs a positive period, not {period}");
        let mut timer = Self { due: first, wake: 0, period };
        timer.wait(now);
        timer
    }

    /// When (monotonic, ns) the thread looks at the wall clock next.
    #[must_use]
    pub const fn wake(&self) -> u64 {
        self.wake
    }

    /// The thread wakes: true if the task is to run now. Its next run is then one period from now,
    /// however late this one is. Either way the thread waits again.
    pub fn wakes(&mut self, now: Now) -> bool {
        let fires = now.wall >= self.due;
        if fires {
            self.due = now.wall + self.period;
        }
        self.wait(now);
        fires
    }

    fn wait(&mut self, now: Now) {
        let wait = (self.due - now.wall).max(0) * MILLI;
        self.wake = now.mono + wait as u64;
    }
}
