//! Faults that meet: what begins, ends or happens twice while something else is under way.

use std::io::Cursor;

use eureka_sim::replay;
use serde_json::{Value, json};

use crate::support::{events, plan_of, traces};

/// One server, two instances of `A`, and this.
fn scenario(rest: &str) -> String {
    format!(
        r#"
schema = 1
duration = "6m"
[cluster]
servers = 1
[network]
latency = "2ms"
[[apps]]
name = "A"
instances = 2
{rest}"#
    )
}

fn entry(at: &str, action: &str) -> String {
    format!("[[timeline]]\nat = \"{at}\"\n{action}\n")
}

/// When (ms) things of a kind happened to a process.
fn times(events: &[Value], kind: &str, field: &str, process: &str) -> Vec<f64> {
    let is = |event: &&Value| event["event"] == kind && event[field] == process;
    events.iter().filter(is).map(|event| event["t_ms"].as_f64().expect("a time")).collect()
}

#[test]
fn a_pause_of_no_length_ends_at_once() {
    let text = scenario(&entry("0s", "for = \"0s\"\npause = \"server:eureka-0\""));
    let answered = times(&events(&text), "request", "server", "eureka-0");
    assert!(answered.len() > 20, "{answered:?}");
}

/// The client reads within five seconds; a hold keeps its heartbeat back for three, and it is frozen
/// when the answer comes. It resumes after its timeout: the answer was there first.
#[test]
fn an_answer_that_came_in_time_counts_after_a_pause() {
    let rest = format!(
        "http-client = \"jersey3\"\neureka.client.eureka-server-read-timeout-seconds = 5\n{}{}",
        entry("58s", "for = \"6s\"\nhold = { from = \"app:A\", to = \"servers\" }"),
        entry("63s", "for = \"20s\"\npause = \"app:A\""),
    );
    let events = events(&scenario(&rest));
    let failed = events.iter().filter(|event| event["event"] == "failed");
    assert_eq!(failed.collect::<Vec<_>>(), Vec::<&Value>::new());
    // It did wait: nothing came from it while it was frozen.
    let sent = times(&events, "request", "from", "A/0");
    assert!(sent.iter().all(|at| !(64_100.0..83_000.0).contains(at)), "{sent:?}");
}

#[test]
fn a_skew_that_ends_leaves_a_later_one_alone() {
    let skews = |rest: &str| {
        let events = events(&scenario(rest));
        let skews = events.iter().filter(|event| event["what"] == "skew-clock");
        skews.map(|event| (event["t_ms"].as_f64(), event["ppm"].as_i64())).collect::<Vec<_>>()
    };
    let skew = |ppm: i64| format!("skew-clock = {{ select = \"server:eureka-0\", ppm = {ppm} }}");
    let first = entry("1m", &format!("name = \"a\"\nfor = \"1m\"\n{}", skew(200)));
    let rest = format!("{first}{}{}", entry("3m", &skew(-500)), entry("4m", "heal = \"a\""));
    assert_eq!(
        skews(&rest),
        [(Some(60_000.0), Some(200)), (Some(120_000.0), Some(0)), (Some(180_000.0), Some(-500)),]
    );
    // One within the other: the outer one goes on.
    let inner = entry("80s", &format!("for = \"10s\"\n{}", skew(-500)));
    assert_eq!(
        skews(&format!("{first}{inner}")),
        [
            (Some(60_000.0), Some(200)),
            (Some(80_000.0), Some(-500)),
            (Some(90_000.0), Some(200)),
            (Some(120_000.0), Some(0)),
        ]
    );
}

#[test]
fn a_restart_that_was_overtaken_starts_nobody() {
    let rest = [
        entry("1m", "restart = { select = \"instance:A/0\", down = \"60s\" }"),
        entry("90s", "start = \"instance:A/0\""),
        entry("105s", "kill = \"instance:A/0\""),
    ];
    let started = times(&events(&scenario(&rest.concat())), "start", "process", "A/0");
    assert_eq!(started, [0.0, 90_000.0]);
}

#[test]
fn a_frozen_process_that_is_stopped_twice_ends_once() {
    let rest = [
        entry("60s", "for = \"60s\"\npause = \"server:eureka-0\""),
        entry("70s", "stop = \"server:eureka-0\""),
        entry("80s", "stop = \"server:eureka-0\""),
    ];
    let ended = times(&events(&scenario(&rest.concat())), "exit", "process", "eureka-0");
    assert_eq!(ended, [120_000.0]);
}

#[test]
fn a_trace_stands_still_with_its_server_whatever_happens_to_its_clock() {
    let rest = [
        entry("60s", "for = \"50s\"\npause = \"server:eureka-0\""),
        entry("70s", "for = \"90s\"\npause = \"server:eureka-0\""),
        entry("90s", "step-clock = { select = \"server:eureka-0\", by = \"7s\" }"),
        entry("200s", "for = \"30s\"\nskew-clock = { select = \"server:eureka-0\", ppm = 900 }"),
        entry("210s", "for = \"70s\"\npause = \"server:eureka-0\""),
    ];
    for (name, text) in traces(&plan_of(&scenario(&rest.concat()))) {
        let replayed = replay::replay(Cursor::new(&text)).expect("it is a trace");
        assert_eq!(replayed.first, None, "{name}");
        assert!(text.contains("\"pause\""), "{name}: the pauses are in it");
    }
}

/// A server that fails answers without doing the work, as often as it is told and to the methods it is
/// told; `heal` ends it.
#[test]
fn a_failing_server_does_not_do_the_work() {
    let run = |rest: &str| {
        let fail = format!("name = \"f\"\nfail = {{ select = \"servers\", {rest} }}");
        let rest = [entry("70s", &fail), entry("160s", "heal = \"f\"")].concat();
        events(&scenario(&rest))
    };
    let fail = |rest: &str| {
        let events = run(rest);
        let done = times(&events, "request", "server", "eureka-0");
        done.iter().filter(|at| (70_000.0..160_000.0).contains(*at)).count()
    };
    // Three heartbeats and three fetches of each, and of the server itself.
    let all = fail("methods = [\"DELETE\"]");
    assert_eq!(fail("status = 500"), 0);
    let half = fail("status = 500, share = \"50%\"");
    assert!(0 < half && half < all, "{half} of {all}");
    let fetches = fail("status = 500, methods = [\"PUT\", \"POST\"]");
    let heartbeats = fail("status = 500, methods = [\"GET\"]");
    assert!(fetches > 0 && heartbeats > 0);
    assert_eq!(fetches + heartbeats, all);
    // Whoever asked sees what it was answered instead.
    let events = run("status = 429, methods = [\"PUT\"]");
    let failed = events.iter().filter(|event| event["event"] == "failed").collect::<Vec<_>>();
    assert!(!failed.is_empty());
    for event in failed {
        assert_eq!((&event["method"], &event["outcome"]), (&json!("PUT"), &json!("429")));
    }
}
