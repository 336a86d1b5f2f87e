//! `com.netflix.discovery.util.RateLimiter`, per minute: a token bucket in 64-bit integers.

/// The bucket of one replicator. Packed: a hundred thousand clients have one each.
#[derive(Clone, Copy, Debug, Default)]
#[repr(Rust, packed(4))]
pub struct RateLimiter {
    consumed: i32,
    /// Wall clock (ms) of the grid on which tokens return; 0 before the first.
    last_refill: i64,
}

impl RateLimiter {
    const MILLIS_PER_MINUTE: i64 = 60_000;

    /// `acquire(burstSize, averageRate, currentTimeMillis)`: whether there was a token. A burst or
    /// rate that is not positive switches the limiter off.
    pub fn acquire(&mut self, burst: i64, per_minute: i64, wall: i64) -> bool {
        if burst <= 0 || per_minute <= 0 {
            return true;
        }
        self.refill(burst, per_minute, wall);
        let available = i64::from(self.consumed) < burst;
        self.consumed += i32::from(available);
        available
    }

    /// How many tokens there are at `wall`, without taking one; none: there is no limit.
    #[must_use]
    pub fn available(mut self, burst: i64, per_minute: i64, wall: i64) -> Option<i64> {
        if burst <= 0 || per_minute <= 0 {
            return None;
        }
        self.refill(burst, per_minute, wall);
        Some(burst - i64::from(self.consumed))
    }

    fn refill(&mut self, burst: i64, per_minute: i64, wall: i64) {
        let since = i128::from(wall) - i128::from(self.last_refill);
        let new = (since * i128::from(per_minute) / i128::from(Self::MILLIS_PER_MINUTE)) as i64;
        if new > 0 {
            self.last_refill = if self.last_refill == 0 {
                wall
            } else {
                self.last_refill + new.saturating_mul(Self::MILLIS_PER_MINUTE) / per_minute
            };
            let left = i64::from(self.consumed).min(burst) - new;
            self.consumed = left.max(0) as i32;
        }
    }
}
