//! Spans and clocks.

use super::{HostClock, Instant, Now, Span};

#[test]
fn spans_read_like_a_stopwatch() {
    let check = |nanos: u64, text: &str| assert_eq!(Span::from_nanos(nanos).to_string(), text);
    check(0, "0s");
    check(999, "999ns");
    check(500_000, "500us");
    check(250_000_000, "250ms");
    check(45_000_000_000, "45s");
    check(720_000_000_000, "12m00s");
    check(3_605_000_000_000, "1h00m05s");
    check(307_250_000_000, "5m07.25s");
}

#[test]
fn t_ms_has_up_to_three_decimals() {
    let check = |nanos: u64, text: &str| assert_eq!(Instant::from_nanos(nanos).millis_text(), text);
    check(0, "0");
    check(4_000_000, "4");
    check(4_500_000, "4.5");
    check(20_137_001_999, "20137.001");
}

#[test]
fn the_wall_clock_is_rounded_down_to_milliseconds_and_steps_alone() {
    let mut clock = HostClock::new(1_700_000_000_000);
    let at = Instant::from_nanos(1_999_999);
    assert_eq!(clock.now(at), Now { wall: 1_700_000_000_001, mono: 1_001_999_999 });
    clock.step(at, -30_000_000_000);
    assert_eq!(clock.now(at), Now { wall: 1_699_999_970_001, mono: 1_001_999_999 });
    assert_eq!(clock.now(at + Span::from_nanos(1)).wall, 1_699_999_970_002);
}

#[test]
fn a_skewed_clock_gains_from_its_start_on_and_keeps_what_it_gained() {
    let mut clock = HostClock::new(0);
    clock.set_skew(Instant::ZERO + Span::from_secs(10), 200);
    let later = Instant::ZERO + Span::from_secs(110);
    assert_eq!(clock.now(later).wall, 110_020);
    clock.set_skew(later, 0);
    assert_eq!(clock.now(later + Span::from_secs(5)).wall, 115_020);
    clock.set_skew(later, -1_000_000);
    assert_eq!(clock.now(later + Span::from_secs(5)).wall, 110_020, "a stopped clock stands still");
    assert_eq!(clock.instant_of_wall(110_021), None);
}

#[test]
fn a_wall_time_is_reached_at_the_first_nanosecond_that_shows_it() {
    let anchor = Instant::from_nanos(123_456_789);
    for ppm in [0, 200, -200, 333_333, -999_999] {
        let mut clock = HostClock::new(5);
        clock.set_skew(anchor, ppm);
        let at = clock.instant_of_wall(1_000).expect("the clock runs");
        assert!(clock.now(at).wall >= 1_000, "{ppm}");
        assert!(clock.now(Instant::from_nanos(at.nanos() - 1)).wall < 1_000, "{ppm}");
    }
}
