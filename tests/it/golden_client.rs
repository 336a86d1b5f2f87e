//! Every recorded trace of a client is replayed without a divergence; what is changed in one is noticed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::golden::{Found, line_with, replace_in_line, replay_all, replayed, text_of};
use eureka_sim::replay::{Divergence, TraceKind};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/client").join(name)
}

#[test]
fn the_client_equals_the_real_one_on_every_trace_of_a_virtual_clock() {
    let found = replay_all(&folder("virtual"), TraceKind::Client);
    assert_eq!(found, Found { files: 128, operations: 3_600, skipped: 0 });
}

fn trace(name: &str) -> String {
    text_of(&folder("virtual").join(format!("{name}.jsonl.gz")))
}

/// The first difference of a trace after `from` became `to` in the first line with `wanted`; and that
/// line.
#[track_caller]
fn altered(name: &str, wanted: &str, from: &str, to: &str) -> (u64, Divergence) {
    let text = trace(name);
    let line = line_with(&text, wanted);
    let changed = replace_in_line(&text, line, from, to);
    assert!(changed != text, "nothing was changed");
    let replayed = replayed(&changed).expect("it is still a trace");
    assert_eq!(replayed.skipped, None);
    (line as u64, replayed.first.expect("it differs"))
}

/// The change is reported at its own line, as part of that field.
#[track_caller]
fn check_reported(name: &str, wanted: &str, from: &str, to: &str, path: &str) {
    let (line, first) = altered(name, wanted, from, to);
    assert_eq!((first.line, first.path.as_str()), (line, path), "{from} -> {to}: {first:?}");
}

#[test]
fn an_altered_value_is_reported_at_its_line() {
    let name = "start-spring-health";
    let post = "\"method\":\"POST\"";
    check_reported(name, post, "\"dirty\":21", "\"dirty\":22", "request.dirty");
    check_reported(name, post, "in-body\":\"UP", "in-body\":\"DOWN", "request.status-in-body");
    check_reported(name, "\"status\":{", "\"STARTING\"", "\"UP\"", "status.instance");
    check_reported(name, "\"view\":", "\"UP_1_\"", "\"UP_2_\"", "view.hash");
    check_reported(name, "rate-limited", "rate-limited", "after-stop", "event");
    let delay = "\"supervisor-delay\":{";
    check_reported("supervisor-bound-2", delay, ":10000", ":11000", "supervisor-delay.heartbeat");
    check_reported("probe-timestamps", "\"t\":31000", ":30042", ":30043", "probe.last-fetch-ok");
    check_reported("metadata-and-lease", "\"lease\":", "\"h1\"", "\"h2\"", "request.host");
    let interrupted = "\"outcome\":\"interrupted\"";
    check_reported(
        "spring-interrupted-worker",
        interrupted,
        "interrupted",
        "refused",
        "request.outcome",
    );
}

#[test]
fn a_line_that_is_missing_or_one_too_many_is_reported() {
    let text = trace("start-spring-health");
    let line = line_with(&text, "on-demand-rate-limited");
    let content = text.lines().nth(line - 1).expect("there is such a line");
    let without = text.replace(&format!("{content}\n"), "");
    let first = replayed(&without).expect("a trace").first.expect("it differs");
    assert_eq!((first.expected, first.got), (Value::Null, json!("on-demand-rate-limited")));
    let twice = text.replace(content, &format!("{content}\n{content}"));
    let first = replayed(&twice).expect("a trace").first.expect("it differs");
    assert_eq!(first.line, line as u64 + 1);
    assert_eq!((first.expected, first.got), (json!("on-demand-rate-limited"), Value::Null));
}

#[test]
fn an_instant_that_is_off_by_a_fraction_of_a_millisecond_is_reported() {
    let (line, first) = altered("shutdown-idle", "shutdown-returned", "47011", "47011.001");
    assert_eq!((first.line, first.field.as_str()), (line, "event"));
}

#[test]
fn draws_are_held_to_their_instant_and_kind() {
    let name = "session-reconnect";
    let text = trace(name);
    let of_session = text.lines().enumerate().filter(|(_, line)| line.contains("session-length"));
    let (place, last) = of_session.last().expect("it draws lengths");
    let doubled = text.replace(&format!("{last}\n"), &format!("{last}\n{last}\n"));
    let first = replayed(&doubled).expect("a trace").first.expect("one draw is left over");
    assert_eq!((first.line, first.field.as_str()), (place as u64 + 2, "draw"));
    let dropped = text.replace(&format!("{last}\n"), "");
    assert_eq!(replayed(&dropped).expect("a trace").first.expect("one is missing").field, "draw");
}

#[test]
fn what_is_not_understood_is_reported_at_its_line() {
    let name = "shutdown-idle";
    for (wanted, from, to, path) in [
        ("\"app\":\"shutdown\"", "\"shutdown\"", "\"shutdown now\"", "app"),
        ("\"app\":\"construct", "then=UP", "then=SIDEWAYS", "app"),
        ("\"record\"", "\"record\"", "\"recrod\"", "recrod"),
        ("\"method\":\"PUT\"", "\"outcome\":\"200\"", "\"outcome\":\"fine\"", "request.outcome"),
        ("\"method\":\"PUT\"", "\"ms\":9", "\"ms\":-9", "request.ms"),
        ("\"method\":\"PUT\"", "{\"t\":", "{\"surprise\":1,\"t\":", "t"),
        ("\"format\"", "\"mode\":\"virtual\"", "\"mode\":\"vitrual\"", "mode"),
        ("\"format\"", "\"transport\":\"jersey3\"", "\"transport\":\"pigeon\"", "transport"),
        (
            "\"format\"",
            "\"config\":{}",
            "\"config\":{\"eureka.client.colour\":1}",
            "config.eureka.client.colour",
        ),
        ("\"format\"", "\"until\":", "\"surprise\":1,\"until\":", "surprise"),
    ] {
        check_reported(name, wanted, from, to, path);
    }
}

/// Time that goes back, and clocks that go where no clock goes.
#[test]
fn times_that_cannot_be_are_reported() {
    let text = trace("shutdown-idle");
    let check = |line: &str, field: &str| {
        let number = text.lines().count() as u64 + 1;
        let first =
            replayed(&format!("{text}{line}\n")).expect("a trace").first.expect("it differs");
        assert_eq!((first.line, first.field.as_str()), (number, field), "{line}");
    };
    check(r#"{"t":0,"event":"constructed"}"#, "t");
    check(r#"{"t":-1,"event":"constructed"}"#, "t");
    check(r#"{"t":1e300,"event":"constructed"}"#, "t");
    check(r#"{"t":"later","event":"constructed"}"#, "t");
    let late = text
        .replace("1700000000000", "8999999999999")
        .replace("\"until\":80000", "\"until\":315576000000");
    assert_eq!(replayed(&late).expect("a trace").first.expect("too late").field, "epoch-ms");
    let step = r#"{"t":900000,"app":"step-clock 315576000000"}"#.to_owned() + "\n";
    let first = replayed(&(text.clone() + &step.repeat(40))).expect("a trace").first;
    assert_eq!(first.expect("200 years are too many").field, "app");
}

#[test]
fn a_trace_of_endless_work_ends() {
    let header = r#"{"format":"eureka-golden/client/1","release":"2.0.6","flavor":"netflix","mode":"virtual","tolerance_ms":0,"transport":"jersey3","name":"x","about":"","epoch-ms":1700000000000,"until":315576000000,"config":{"eureka.client.fetch-registry":false,"eureka.instance.lease-renewal-interval-in-seconds":1},"servers":["s0"]}"#;
    let text = format!("{header}\n{}\n", r#"{"t":0,"app":"construct"}"#);
    let replayed = replayed(&text).expect("a trace");
    assert_eq!(replayed.operations, 0);
    assert!(replayed.divergences > 1_000, "{}", replayed.divergences);
}

#[test]
fn a_thread_held_where_nobody_can_hold_it_is_a_reason_to_skip_the_trace() {
    let text = trace("shutdown-idle");
    let construct = text.lines().find(|line| line.contains("\"construct")).expect("it begins");
    let held = r#"{"t":0,"app":"preempt DiscoveryClient.renew 5"}"#;
    let replayed =
        replayed(&text.replace(construct, &format!("{held}\n{construct}"))).expect("a trace");
    assert_eq!(
        replayed.skipped.as_deref(),
        Some("no thread is held in DiscoveryClient.renew here")
    );
    assert_eq!((replayed.operations, replayed.divergences), (0, 0));
}

/// HARNESS.md: after a full fetch the stored hash is the one the server sent, not one that is computed.
#[test]
fn the_hash_that_is_stored_after_a_full_fetch_is_the_servers() {
    let name = "fetch-blind-spot";
    let (_, first) = altered(name, "\"content\":{", "\"hash\":\"UP_", "\"hash\":\"UP_9");
    assert_eq!(first.path, "view.stored-hash", "{first:?}");
    assert_eq!(first.got["stored-hash"], "UP_92_", "{first:?}");
}
