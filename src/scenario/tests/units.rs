//! Durations, ranges, windows and shares.

use expect_test::expect;

use super::{FLEET, HEAD, plan, problems};
use crate::scenario::units::{self, DurationError, LONGEST};
use crate::time::Span;

const MALFORMED: DurationError = DurationError::Malformed;
const TOO_LONG: DurationError = DurationError::TooLong;

#[test]
fn durations_are_integers_with_units() {
    let nanos = |text| units::duration(text).map(Span::nanos);
    for (text, expected) in [
        ("0s", 0),
        ("1us", 1_000),
        ("250ms", 250_000_000),
        ("90s", 90_000_000_000),
        ("5m", 300_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("2d", 172_800_000_000_000),
        ("1d1h1m1s1ms1us", 90_061_001_001_000),
        // Neither order nor uniqueness of units is asked for.
        ("1s1m1s", 62_000_000_000),
        ("007s", 7_000_000_000),
    ] {
        assert_eq!(nanos(text), Ok(expected), "{text}");
    }
    for text in [
        "", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "5S", "5sec", "5.5s", "1h30", "1e3s", "∞",
        "5ns", "5w", "1..2s", "५s",
    ] {
        assert_eq!(nanos(text), Err(MALFORMED), "{text:?}");
    }
}

#[test]
fn durations_end_at_ten_years() {
    assert_eq!(units::duration("3652d"), Ok(LONGEST));
    for text in ["3652d1us", "3653d", "18446744073709551615s", "99999999999999999999999d"] {
        assert_eq!(units::duration(text), Err(TOO_LONG), "{text}");
    }
    // The parts may overflow one by one or together.
    assert_eq!(units::duration("3652d3652d"), Err(TOO_LONG));
}

#[test]
fn only_steps_of_a_clock_have_a_sign() {
    assert_eq!(units::signed_duration("-30s"), Ok(-30_000_000_000));
    assert_eq!(units::signed_duration("+1ms"), Ok(1_000_000));
    assert_eq!(units::signed_duration("1ms"), Ok(1_000_000));
    for text in ["--1s", "-+1s", "-", "- 1s"] {
        assert_eq!(units::signed_duration(text), Err(MALFORMED), "{text}");
    }
    assert_eq!(units::signed_duration("-4000d"), Err(TOO_LONG));
}

#[test]
fn ranges_are_closed_and_in_order() {
    let span = |nanos| Span::from_nanos(nanos);
    assert_eq!(units::range("1ms..5ms"), Ok((span(1_000_000), span(5_000_000))));
    assert_eq!(units::range("1ms..1ms"), Ok((span(1_000_000), span(1_000_000))));
    assert_eq!(units::range("5ms..1ms"), Err(DurationError::Inverted));
    for text in ["1ms", "1ms..", "..1ms", "1ms...5ms", "1ms..2ms..3ms", "1ms .. 2ms"] {
        assert_eq!(units::range(text), Err(MALFORMED), "{text}");
    }
}

#[test]
fn shares_are_percentages_or_fractions() {
    for (text, expected) in [
        ("0%", Some(0)),
        ("16%", Some(160_000_000)),
        ("0.5%", Some(5_000_000)),
        ("0.0000001%", Some(1)),
        ("100%", Some(1_000_000_000)),
        ("100.0000001%", None),
        ("101%", None),
        ("0.00000001%", None),
        ("-1%", None),
        ("16", None),
        ("16 %", None),
        ("%", None),
        (".5%", None),
        ("5.%", None),
        ("1000%", None),
        ("١%", None),
    ] {
        assert_eq!(units::percentage(text), expected, "{text}");
    }
    for (number, expected) in [
        (0.0, Some(0)),
        (0.16, Some(160_000_000)),
        (1.0, Some(1_000_000_000)),
        (1.000_001, None),
        (-0.1, None),
        (f64::NAN, None),
        (f64::INFINITY, None),
    ] {
        assert_eq!(units::fraction(number), expected, "{number}");
    }
}

#[test]
fn what_is_wrong_with_a_duration_is_said() {
    let of = |value: &str| problems(&format!("schema = 1\nduration = {value}"));
    expect![[r#"
        s.toml:2:12: S003 expected a duration like `"30s"` or `"1h30m"`, found a whole number
            ^ this is a whole number
    "#]]
    .assert_eq(&of("30"));
    expect![[r#"
        s.toml:2:12: S005 `30` is not a duration
            = write it like `"30s"` or `"1h30m"`; units are us, ms, s, m, h, d, without spaces
    "#]]
    .assert_eq(&of("\"30\""));
    expect![[r#"
        s.toml:2:12: S006 `duration` must be longer than 0s
    "#]]
    .assert_eq(&of("\"0s\""));
    expect![[r#"
        s.toml:2:12: S005 `-5m` is not a duration
            = write it like `"30s"` or `"1h30m"`; units are us, ms, s, m, h, d, without spaces
    "#]]
    .assert_eq(&of("\"-5m\""));
    expect![[r#"
        s.toml:2:12: S006 `300000000000000h` must be at most ten years
    "#]]
    .assert_eq(&of("\"300000000000000h\""));
    expect![[r#"
        s.toml:2:12: S003 expected a duration like `"30s"` or `"1h30m"`, found a date
            ^ this is a date
    "#]]
    .assert_eq(&of("1979-05-27T07:32:00Z"));
    expect![[r#"
        s.toml:4:11: S016 `5ms..1ms` ends before it begins
            = write the smaller one first
    "#]]
    .assert_eq(&problems(&format!("{HEAD}[network]\nlatency = \"5ms..1ms\"")));
    expect![[r#"
        s.toml:16:10: S011 the window lies beyond the end of the run at 10m00s
            = lower it, or raise the top-level `duration`
    "#]]
    .assert_eq(&problems(&format!(
        "{FLEET}[[expect]]\nmetric = \"ghosts\"\nat-most = 0\nduring = \"5m..11m\""
    )));
    expect![[r#"
        s.toml:15:38: S005 `16` is not a share from 0 to 1
            = write it like `"16%"` or `0.16`
    "#]]
    .assert_eq(&problems(&format!(
        "{FLEET}[[timeline]]\nat = \"1m\"\nkill = {{ select = \"clients\", share = 16 }}"
    )));
}

#[test]
fn the_longest_run_is_a_plan() {
    let plan = plan("schema = 1\nname = \"long\"\nduration = \"3652d\"");
    assert_eq!(plan.setup.duration.nanos(), LONGEST.nanos());
}
