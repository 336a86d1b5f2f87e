//! The two clocks of one host.
//!
//! Leases, dirty timestamps and `java.util.Timer` read the wall clock, which an operator or NTP can
//! step and which may run fast or slow; compensation time and Guava's caches read the monotonic
//! clock, which does neither. A paused process reads neither; both go on meanwhile.

use super::{Instant, Span};

/// Nanoseconds in a millisecond.
const MILLI: i64 = 1_000_000;

/// What one process reads from its clocks at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// `System.currentTimeMillis()`: milliseconds since 1970, rounded down.
    pub wall: i64,
    /// `System.nanoTime()`: nanoseconds since some instant before the run.
    pub mono: u64,
}

/// The wall clock of a host: an offset from virtual time that may be stepped, and a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostClock {
    /// Wall clock in nanoseconds since 1970 at `anchor`.
    wall_at_anchor: i64,
    anchor: Instant,
    /// Parts per million by which the wall clock runs fast.
    ppm: i64,
}

impl HostClock {
    /// `System.nanoTime()` at the start of a run. Not zero, because Eureka reads a stored zero as "never".
    pub const MONO_AT_START: u64 = 1_000_000_000;

    /// A clock that shows `epoch_ms` (milliseconds since 1970) at the start of the run.
    #[must_use]
    pub const fn new(epoch_ms: i64) -> Self {
        Self { wall_at_anchor: epoch_ms * MILLI, anchor: Instant::ZERO, ppm: 0 }
    }

    /// What a process on this host reads at `at`.
    #[must_use]
    #[inline(always)]
    pub fn now(&self, at: Instant) -> Now {
        Now { wall: self.wall_nanos(at).div_euclid(MILLI), mono: Self::mono(at) }
    }

    /// Ns since the wall clock began the millisecond it shows at `at`.
    #[must_use]
    pub fn nanos_into_milli(&self, at: Instant) -> u64 {
        self.wall_nanos(at).rem_euclid(MILLI) as u64
    }

    /// The first instant, from the last change of this clock on, at which it shows `wall` ms or more;
    /// `None` if it never does because it stands still.
    #[must_use]
    pub fn instant_of_wall(&self, wall: i64) -> Option<Instant> {
        let missing = (wall * MILLI - self.wall_at_anchor).max(0);
        let rate = i128::from(1_000_000 + self.ppm);
        // The smallest `elapsed` with floor(elapsed * rate / 10^6) >= missing.
        let elapsed = (rate > 0).then(|| (i128::from(missing) * 1_000_000 + rate - 1) / rate)?;
        Some(self.anchor + Span::from_nanos(elapsed as u64))
    }

    /// The monotonic clock at `at`: the same on every host.
    #[must_use]
    #[inline(always)]
    pub const fn mono(at: Instant) -> u64 {
        Self::MONO_AT_START + at.nanos()
    }

    /// The instant at which the monotonic clock shows `mono`.
    #[must_use]
    #[inline(always)]
    pub const fn instant_of_mono(mono: u64) -> Instant {
        Instant::from_nanos(mono.saturating_sub(Self::MONO_AT_START))
    }

    /// The wall clock jumps by `by_nanos` at `at`; the monotonic clock does not notice.
    pub fn step(&mut self, at: Instant, by_nanos: i64) {
        self.wall_at_anchor = self.wall_nanos(at) + by_nanos;
        self.anchor = at;
    }

    /// From `at` on the wall clock gains `ppm` microseconds per second (negative: it loses).
    pub fn set_skew(&mut self, at: Instant, ppm: i64) {
        self.wall_at_anchor = self.wall_nanos(at);
        self.anchor = at;
        self.ppm = ppm;
    }

    #[inline(always)]
    fn wall_nanos(&self, at: Instant) -> i64 {
        let elapsed = at.since(self.anchor).nanos() as i64;
        let true_time = self.wall_at_anchor + elapsed;
        if self.ppm == 0 { true_time } else { true_time + self.gained(elapsed) }
    }

    #[cold]
    fn gained(&self, elapsed: i64) -> i64 {
        (i128::from(elapsed) * i128::from(self.ppm)).div_euclid(1_000_000) as i64
    }
}
