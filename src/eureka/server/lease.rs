//! `com.netflix.eureka.lease.Lease`.

use super::objects::InfoRef;

/// The time-bound right of an instance to be in the registry. All times in ms since 1970 on the
/// server's wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// Whose lease it is.
    pub holder: InfoRef,
    /// Milliseconds.
    pub duration: i32,
    /// When it was made.
    pub registration_timestamp: i64,
    /// When it was cancelled; 0 if it was not.
    pub eviction_timestamp: i64,
    /// When the instance first was UP; 0 if never.
    pub service_up_timestamp: i64,
    /// When it was made or, after a renewal, the renewal plus one duration. Not between the others: they
    /// are copied in pairs, and a pair of which one was written a moment ago takes longer.
    pub last_update_timestamp: i64,
}

impl Lease {
    /// `Lease(T, int)`. The duration is computed in `int` and wraps beyond 2,147,483 seconds.
    pub(super) fn new(holder: InfoRef, duration_in_secs: i32, now: i64) -> Self {
        Self {
            holder,
            duration: duration_in_secs.wrapping_mul(1000),
            registration_timestamp: now,
            eviction_timestamp: 0,
            service_up_timestamp: 0,
            last_update_timestamp: now,
        }
    }

    /// `Lease.renew()`: stores the time *plus one duration*, which is why a renewed lease lasts two
    /// durations. Known in Eureka, and never fixed. Sums of `long` wrap in Java, here as below.
    pub(super) fn renew(&mut self, now: i64) {
        self.last_update_timestamp = now.wrapping_add(self.duration.into());
    }

    /// `Lease.cancel()`: the first call wins.
    pub(super) fn cancel(&mut self, now: i64) {
        if self.eviction_timestamp <= 0 {
            self.eviction_timestamp = now;
        }
    }

    /// `Lease.serviceUp()`: the first call wins.
    pub(super) fn service_up(&mut self, now: i64) {
        if self.service_up_timestamp == 0 {
            self.service_up_timestamp = now;
        }
    }

    /// `Lease.isExpired(long)`: cancelled, or *more* than the duration and `additional_ms` after the
    /// last update.
    #[must_use]
    pub fn is_expired(&self, now: i64, additional_ms: i64) -> bool {
        let end = self.last_update_timestamp.wrapping_add(self.duration.into());
        self.eviction_timestamp > 0 || now > end.wrapping_add(additional_ms)
    }
}
