//! What replaying does with traces that nobody recorded. That it agrees with recorded ones is shown
//! by `tests/it/golden.rs`.

use std::io::Cursor;

use super::{Replayed, replay};

const CLIENT: &str = r#"{"format":"eureka-golden/client/1","release":"2.0.6","flavor":"netflix","mode":"virtual","tolerance_ms":0,"transport":"jersey3","name":"x","about":"x","epoch-ms":1700000000000,"until":200000,"config":{},"servers":["s0","s1"]}"#;
const HEADER: &str = r#"{"format":"eureka-golden/registry/1","name":"x","flavor":"netflix","epoch_ms":1700000000000,"peers":0,"self":{"app":"EUREKA","id":"e"},"config":{},"release":"2.0.6"}"#;

fn replayed(lines: &[&str]) -> Replayed {
    with_header(HEADER, lines)
}

fn with_header(header: &str, lines: &[&str]) -> Replayed {
    let text = [header].iter().chain(lines).fold(String::new(), |text, line| text + line + "\n");
    replay(Cursor::new(text)).expect("it has the form of a trace")
}

/// A year in ms.
const YEAR: i64 = 31_536_000_000;

/// Executes `operation`, which moves the wall clock by `years`, again and again: all agree until one
/// would lead beyond what clocks can show, and that one is the first difference.
fn check_ends_beyond_time(operation: &str, years: i64, field: &str) {
    let line = |count: i64| {
        let wall = 1_700_000_000_000 + count * years * YEAR;
        format!(r#"{{{operation},"wall":{wall},"s":[0,0,0,0,0,0,0]}}"#)
    };
    let lines: Vec<String> = (1..=700).map(line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let first = replayed(&lines).first.expect("700 years are too many");
    assert_eq!(first.field, field, "{first:?}");
    assert!(first.got.as_str().is_some_and(|got| got.contains("clocks can show")), "{first:?}");
}

#[test]
fn times_that_add_up_beyond_what_clocks_can_show_are_differences_not_panics() {
    check_ends_beyond_time(r#""op":"step-wall","ms":31536000000"#, 1, "ms");
    check_ends_beyond_time(r#""op":"step-wall","ms":-31536000000"#, -1, "ms");
    check_ends_beyond_time(r#""op":"pause","ns":31536000000000000,"timers":"later""#, 1, "ns");
}

/// The one number that is less than nothing by more than any other is more than it.
#[test]
fn a_step_by_the_least_of_all_numbers_is_no_operation() {
    let line = format!(r#"{{"op":"step-wall","ms":{},"wall":0,"s":[0,0,0,0,0,0,0]}}"#, i64::MIN);
    let first = replayed(&[&line]).first.expect("no clock goes back that far");
    assert_eq!((first.line, first.field.as_str()), (2, "ms"));
}

#[test]
fn a_start_up_sync_without_end_is_a_difference() {
    let replayed = replayed(&[r#"{"op":"sync-up","attempts":2147483647}"#]);
    let first = replayed.first.expect("it differs");
    assert_eq!((first.line, first.field.as_str()), (2, "attempts"));
}

#[test]
fn sums_of_absurd_times_wrap_as_in_java() {
    let replayed = replayed(&[
        r#"{"op":"init"}"#,
        r#"{"op":"open","count":2147483647}"#,
        r#"{"op":"register","instance":{"app":"A","id":"x","dirty":-9223372036854775808,"lease":{"renewal":1,"duration":-2147483648}}}"#,
        r#"{"op":"renew","app":"A","id":"x","dirty":9223372036854775807}"#,
        r#"{"op":"evict","additional":9223372036854775807}"#,
        r#"{"op":"evict","additional":-9223372036854775808}"#,
        r#"{"op":"dump"}"#,
    ]);
    assert_eq!(replayed.operations, 7);
}

/// A client that is there twice, or ends without having been there.
#[test]
fn clients_that_cannot_be_are_differences_not_panics() {
    let construct = r#"{"t":0,"app":"construct then=UP"}"#;
    let second = r#"{"t":50,"app":"second-client s1"}"#;
    let shutdown = r#"{"t":60,"app":"second-shutdown"}"#;
    for lines in [
        &[construct, r#"{"t":10,"app":"construct then=UP"}"#] as &[&str],
        &[construct, shutdown],
        &[construct, second, second],
        &[second],
        &[second, construct, shutdown],
    ] {
        let first = with_header(CLIENT, lines).first.expect("it differs");
        assert_eq!(first.field, "app", "{lines:?}: {first:?}");
    }
}

/// Its constructor has failed; what is left of it resolves the servers' names every second for ten years.
#[test]
fn a_client_that_is_busy_without_a_word_is_given_up() {
    let header = r#"{"format":"eureka-golden/client/1","release":"2.0.6","flavor":"netflix","mode":"virtual","transport":"jersey3","epoch-ms":0,"until":300000000000,"config":{"eureka.client.fetch-registry":false,"eureka.client.should-enforce-registration-at-init":true,"eureka.client.eureka-service-url-poll-interval-seconds":1},"servers":["s0"]}"#;
    let post = r#"{"t":0,"request":{"by":"app","server":"s0","method":"POST","path":"apps/A","status-in-body":"STARTING","dirty":0,"outcome":"500","ms":13}}"#;
    let replayed = with_header(header, &[r#"{"t":0,"app":"construct"}"#, post]);
    assert_eq!(replayed.operations, 1, "{:?}", replayed.first);
}
