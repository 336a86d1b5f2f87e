//! The timers of a server process, each a `java.util.Timer` with a thread of its own.

use super::ServerConfig;
use super::measured_rate::MeasuredRate;
use super::registry::{At, Fact, Registry};
use crate::eureka::java::Timer;
use crate::time::Now;

/// The timers in the order they are first scheduled, which decides the order at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// `Eureka-DeltaRetentionTimer`: drops old items of the delta queue.
    DeltaRetention,
    /// `Eureka-MeasureRateTimer` of the replication rate.
    ReplicationRate,
    /// `Eureka-CacheFillTimer`: refreshes the read-only cache.
    CacheFill,
    /// `RenewalThresholdUpdater`: the 15-minute task.
    ThresholdUpdate,
    /// `Eureka-MeasureRateTimer` of the renewal rate.
    RenewalRate,
    /// `Eureka-EvictionTimer`.
    Eviction,
}

impl TimerKind {
    const ALL: [Self; 6] = [
        Self::DeltaRetention,
        Self::ReplicationRate,
        Self::CacheFill,
        Self::ThresholdUpdate,
        Self::RenewalRate,
        Self::Eviction,
    ];
}

/// The timers that run, by [`TimerKind`].
#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    timers: [Option<Timer>; TimerKind::ALL.len()],
    /// Monotonic clock of the first wake-up of any.
    next: Option<u64>,
    /// The eviction task is asked before the renewal bucket rotates, if both are due at one instant.
    eviction_first: bool,
}

impl Timers {
    /// The timer of the registry's constructor.
    pub(super) fn new(now: Now, config: &ServerConfig) -> Self {
        let mut timers = Self::default();
        let period = config.delta_retention_timer_interval_in_ms;
        timers.schedule(TimerKind::DeltaRetention, Timer::every(now, period));
        timers
    }

    /// The timers of `init`. The read-only cache is first refreshed at a multiple of its interval.
    pub(super) fn init(&mut self, now: Now, config: &ServerConfig) {
        self.schedule(TimerKind::ReplicationRate, Timer::every(now, MeasuredRate::PERIOD_MS));
        if config.use_read_only_response_cache {
            let period = config.response_cache_update_interval_ms;
            let first = now.wall / period * period + period;
            self.schedule(TimerKind::CacheFill, Timer::from(now, first, period));
        }
        let period = config.renewal_threshold_update_interval_ms.into();
        self.schedule(TimerKind::ThresholdUpdate, Timer::every(now, period));
    }

    /// The timers of `postInit`. The renewal rate is started once; the eviction task anew each time.
    pub(super) fn open(&mut self, now: Now, config: &ServerConfig) {
        if self.timers[TimerKind::RenewalRate as usize].is_none() {
            self.schedule(TimerKind::RenewalRate, Timer::every(now, MeasuredRate::PERIOD_MS));
        }
        let period = config.eviction_interval_timer_in_ms;
        self.schedule(TimerKind::Eviction, Timer::every(now, period));
    }

    fn schedule(&mut self, kind: TimerKind, timer: Timer) {
        self.timers[kind as usize] = Some(timer);
        self.find_next();
    }

    fn find_next(&mut self) {
        self.next = self.timers.iter().flatten().map(Timer::wake).min();
    }

    /// The timer that wakes first, if one wakes at or before `mono`.
    fn due(&self, mono: u64) -> Option<TimerKind> {
        let next = self.next.filter(|&next| next <= mono)?;
        let wakes =
            |kind: TimerKind| self.timers[kind as usize].is_some_and(|timer| timer.wake() == next);
        if self.eviction_first && wakes(TimerKind::Eviction) {
            return Some(TimerKind::Eviction);
        }
        TimerKind::ALL.into_iter().find(|&kind| wakes(kind))
    }
}

impl Registry {
    /// Monotonic clock (ns) at which the next timer thread wakes.
    #[must_use]
    pub const fn next_wake(&self) -> Option<u64> {
        self.timers.next
    }

    /// Whether this timer's thread wakes at or before `mono`.
    #[must_use]
    pub fn wakes_by(&self, kind: TimerKind, mono: u64) -> bool {
        self.timers.timers[kind as usize].is_some_and(|timer| timer.wake() <= mono)
    }

    /// At one instant the eviction task runs before the bucket of renewals rotates. They run on two
    /// threads, so the order is a race; the default is the order of scheduling, the other way round.
    pub fn set_eviction_before_rotation(&mut self, eviction_first: bool) {
        self.timers.eviction_first = eviction_first;
    }

    /// Runs every timer whose thread has woken by now, in the order of their waking, ties in the
    /// order they were first scheduled. After a pause each runs once, however late.
    pub fn run_timers(&mut self, at: At<'_>) {
        while let Some(kind) = self.timers.due(at.now.mono) {
            let fires = self.timers.timers[kind as usize].as_mut().is_some_and(|t| t.wakes(at.now));
            self.timers.find_next();
            if fires {
                let before = self.gauges(at.now);
                self.run_timer(at, kind);
                let after = self.gauges(at.now);
                self.facts.push(Fact::TimerRan { kind, before, after });
            }
        }
    }

    fn run_timer(&mut self, at: At<'_>, kind: TimerKind) {
        match kind {
            TimerKind::DeltaRetention => self.drop_old_changes(at.now.wall),
            TimerKind::ReplicationRate => self.replications_last_min.rotate(),
            TimerKind::CacheFill => self.refresh_read_only_cache(at),
            TimerKind::ThresholdUpdate => self.update_renewal_threshold(),
            TimerKind::RenewalRate => self.renews_last_min.rotate(),
            TimerKind::Eviction => self.eviction_task(at),
        }
    }
}
