//! `com.netflix.eureka.util.MeasuredRate`: events in the last *complete* minute.

/// Counts in two buckets, rotated by a timer of [`MeasuredRate::PERIOD_MS`].
#[derive(Clone, Copy, Debug, Default)]
pub struct MeasuredRate {
    last: i64,
    current: i64,
}

impl MeasuredRate {
    /// Milliseconds between rotations, for both users.
    pub const PERIOD_MS: i64 = 60_000;

    /// `increment()`: counts in the current bucket, whether or not the timer was started.
    pub fn increment(&mut self) {
        self.current += 1;
    }

    /// `getCount()`: what the last complete bucket counted.
    #[must_use]
    pub const fn count(&self) -> i64 {
        self.last
    }

    /// What the bucket under way has counted so far.
    #[must_use]
    pub const fn current(&self) -> i64 {
        self.current
    }

    /// The timer task: the current bucket becomes the last one.
    pub(super) fn rotate(&mut self) {
        self.last = self.current;
        self.current = 0;
    }
}
