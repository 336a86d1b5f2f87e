//! `java.util.Timer` on clocks that step and stall.

use super::super::Timer;
use crate::time::{HostClock, Instant, Now, Span};

/// A host whose process sleeps in one timer.
struct Sleeper {
    clock: HostClock,
    timer: Timer,
}

/// Wall clock (ms) at which every run begins.
const EPOCH: i64 = 1_700_000_000_000;

impl Sleeper {
    fn new(timer: impl Fn(Now) -> Timer, started: Instant) -> Self {
        let clock = HostClock::new(EPOCH);
        Self { clock, timer: timer(clock.now(started)) }
    }

    fn every_minute() -> Self {
        Self::new(|now| Timer::every(now, 60_000), Instant::ZERO)
    }

    /// The seconds at which the task runs, up to and with this one.
    fn runs_until(&mut self, second: u64) -> Vec<f64> {
        let mut runs = Vec::new();
        loop {
            let woken = HostClock::instant_of_mono(self.timer.wake());
            if woken > at(second) {
                return runs;
            }
            if self.timer.wakes(self.clock.now(woken)) {
                runs.push(woken.nanos() as f64 / 1e9);
            }
        }
    }

    /// The thread of a frozen process wakes when it is resumed.
    fn wakes_late(&mut self, second: u64) -> bool {
        assert!(HostClock::instant_of_mono(self.timer.wake()) < at(second));
        self.timer.wakes(self.clock.now(at(second)))
    }
}

fn at(second: u64) -> Instant {
    Instant::ZERO + Span::from_secs(second)
}

#[test]
fn a_timer_runs_once_a_period() {
    assert_eq!(Sleeper::every_minute().runs_until(240), [60.0, 120.0, 180.0, 240.0]);
}

#[test]
fn a_late_timer_runs_once_and_keeps_its_new_phase() {
    let mut sleeper = Sleeper::every_minute();
    assert_eq!(sleeper.runs_until(60), [60.0]);
    assert!(sleeper.wakes_late(305));
    assert_eq!(sleeper.runs_until(430), [365.0, 425.0]);
}

#[test]
fn a_timer_with_a_first_date_runs_then_and_drifts_as_well() {
    let half_minutes = |now: Now| Timer::from(now, EPOCH + 10_000, 30_000);
    let mut sleeper = Sleeper::new(half_minutes, Instant::ZERO);
    assert_eq!(sleeper.runs_until(40), [10.0, 40.0]);
    assert!(sleeper.wakes_late(75));
    assert_eq!(sleeper.runs_until(105), [105.0]);
    let past = |now: Now| Timer::from(now, EPOCH - 10_000, 30_000);
    assert_eq!(Sleeper::new(past, Instant::ZERO).runs_until(30), [0.0, 30.0], "the date is over");
}

#[test]
fn after_a_step_back_a_timer_sleeps_for_what_is_missing() {
    let mut sleeper = Sleeper::every_minute();
    sleeper.clock.step(at(30), -10_000_000_000);
    assert_eq!(sleeper.runs_until(190), [70.0, 130.0, 190.0]);
}

#[test]
fn a_step_forward_wakes_no_timer_and_owes_no_runs() {
    let mut sleeper = Sleeper::every_minute();
    sleeper.clock.step(at(30), 600_000_000_000);
    assert_eq!(sleeper.runs_until(180), [60.0, 120.0, 180.0]);
}

#[test]
fn a_timer_on_a_slow_clock_looks_until_the_wall_shows_its_time() {
    let mut sleeper = Sleeper::every_minute();
    sleeper.clock.set_skew(Instant::ZERO, -500_000);
    let runs = sleeper.runs_until(121);
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!((120.0..120.003).contains(&runs[0]), "{runs:?}");
}

#[test]
fn a_timer_keeps_the_part_of_a_millisecond_it_was_started_at() {
    let started = Instant::from_nanos(400_001);
    let mut sleeper = Sleeper::new(|now| Timer::every(now, 60_000), started);
    assert_eq!(sleeper.runs_until(121), [60.000_400_001, 120.000_400_001]);
}

#[test]
#[should_panic(expected = "needs a positive period, not 0")]
fn a_period_of_zero_is_refused() {
    Sleeper::new(|now| Timer::every(now, 0), Instant::ZERO);
}
