//! The token bucket of updates on demand (`RateLimiter`).

use super::bench::EPOCH;
use crate::eureka::client::RateLimiter;

/// Which of these are let through; times in ms after the first.
#[track_caller]
fn check(burst: i64, per_minute: i64, expected: &[(i64, bool)]) {
    let mut limiter = RateLimiter::default();
    for (place, &(after, allowed)) in expected.iter().enumerate() {
        let got = limiter.acquire(burst, per_minute, EPOCH + after);
        assert_eq!(got, allowed, "number {place}, {after} ms after the first");
    }
}

/// Vector V1.
#[test]
fn two_at_once_then_one_per_fifteen_seconds_on_the_grid_of_the_first() {
    let expected = [
        (0, true),
        (0, true),
        (1, false),
        (14_999, false),
        (15_000, true),
        (15_001, false),
        (29_999, false),
        (30_000, true),
        (44_999, false),
        (45_000, true),
        (45_000, false),
        (120_000, true),
        (120_001, true),
        (120_002, false),
        (130_000, false),
        (134_999, false),
        (135_000, true),
    ];
    check(2, 4, &expected);
}

/// The second half of vector V1.
#[test]
fn a_clock_stepped_back_gives_no_token_until_it_has_caught_up() {
    let expected = [
        (0, true),
        (0, true),
        (-3_600_000, false),
        (-1, false),
        (0, false),
        (14_999, false),
        (15_000, true),
    ];
    check(2, 4, &expected);
}

#[test]
fn a_clock_stepped_forward_gives_no_more_than_the_burst() {
    let later = 1_000_000_000;
    check(2, 4, &[(0, true), (0, true), (later, true), (later, true), (later, false)]);
}

#[test]
fn without_burst_or_rate_there_is_no_limit() {
    for (burst, per_minute) in [(2, 0), (0, 4), (-1, 4), (2, -1)] {
        check(burst, per_minute, &[(0, true); 5]);
    }
}
