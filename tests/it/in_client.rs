//! What is notable inside clients: written to `events.jsonl`, and counted by expectations.

use serde_json::Value;

use crate::support::{events, events_of, plan_of};
use eureka_sim::observe::{EventLevel, Watch};
use eureka_sim::study;

const HEAD: &str = "schema = 1\nname = \"in-client\"\nduration = \"12m\"\n\
                    [cluster]\nservers = 1\nerror-bodies = \"none\"\n";

/// The lines of one kind that are of a process: seconds, and the line.
#[track_caller]
fn of(events: &[Value], kind: &str, process: &str) -> Vec<(u64, Value)> {
    let ours = events.iter().filter(|line| line["event"] == kind && line["process"] == process);
    let found =
        ours.map(|line| (line["t_ms"].as_f64().expect("a time") as u64 / 1000, line.clone()));
    found.collect()
}

#[test]
fn a_change_without_a_token_is_told_and_a_check_that_throws_too() {
    let text = format!(
        "{HEAD}[[apps]]\nname = \"A\"\ninstances = 1\nstart = \"1m\"\nhealth = {{ check = true }}\n\
         [[timeline]]\nat = \"2m10s\"\nset-health = {{ select = \"app:A\", status = \"throw\" }}\n"
    );
    let told = events(&text);
    // Attaching the check and UP take both tokens; the second attaching finds none.
    assert_eq!(of(&told, "on-demand-rate-limited", "A/0").len(), 1);
    let thrown = of(&told, "health-exception", "A/0");
    assert_eq!(thrown.first().map(|(at, _)| *at), Some(150), "{thrown:?}");
}

#[test]
fn a_client_that_reaches_nobody_says_why() {
    let text = format!(
        "{HEAD}[[apps]]\nname = \"A\"\ninstances = 1\nstart = \"1m\"\nhttp-client = \"jersey3\"\n\
         eureka.instance.lease-renewal-interval-in-seconds = 7\n\
         [[timeline]]\nat = \"5m\"\nfor = \"3m\"\n\
         partition = {{ from = \"app:A\", to = \"servers\", mode = \"blackhole\" }}\n"
    );
    let told = events(&text);
    let during = |kind: &str| {
        let lines = of(&told, kind, "A/0");
        assert!(lines.iter().all(|(at, _)| (300..500).contains(at)), "{kind}: {lines:?}");
        lines
    };
    let failed = during("heartbeat-failed");
    // Pinned, the only server is asked twice.
    let why = "TransportException: Cannot execute request on any known server";
    assert!(failed.iter().all(|(_, line)| line["why"] == why), "{failed:?}");
    assert!(!during("fetch-failed").is_empty());
    // Two connect timeouts of 5 s are more than one period of 7 s.
    let late = during("supervisor-timeout");
    assert!(late.iter().any(|(_, line)| line["of"] == "heartbeat"), "{late:?}");
}

#[test]
fn what_the_registry_says_of_an_instance_is_told_to_it() {
    let text = format!("{HEAD}[[apps]]\nname = \"A\"\ninstances = 1\nstart = \"1m\"\n");
    let told = of(&events(&text), "remote-status", "A/0");
    let seen: Vec<_> = told.iter().map(|(_, line)| (&line["from"], &line["status"])).collect();
    assert_eq!(seen, [(&Value::from("UNKNOWN"), &Value::from("UP"))]);
}

#[test]
fn a_constructor_that_throws_ends_the_process_and_says_why() {
    let text = format!(
        "{HEAD}[[servers]]\nname = \"eureka-0\"\nstart = \"5m\"\n[[apps]]\nname = \"A\"\ninstances = 1\n\
         start = \"1m\"\neureka.client.should-enforce-registration-at-init = true\n"
    )
    .replace("servers = 1\n", "");
    let told = events(&text);
    let failed = of(&told, "construct-failed", "A/0");
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].0, 60);
    assert_eq!(
        failed[0].1["why"],
        "TransportException: Cannot execute request on any known server"
    );
    assert!(!told.iter().any(|line| line["event"] == "register" && line["id"] == "A/a-0000"));
}

#[test]
fn only_all_events_list_them_and_expectations_count_them_all_the_same() {
    let text = format!(
        "{HEAD}[[apps]]\nname = \"A\"\ninstances = 3\nstart = \"1m\"\n\
         [[expect]]\nevent = \"remote-status\"\nequals = 3\n\
         [[expect]]\nevent = \"remote-status\"\ninstance = \"A/1\"\nequals = 1\n"
    );
    let plan = plan_of(&text);
    let changes = events_of(&plan, EventLevel::Changes);
    assert!(!changes.iter().any(|line| line["event"] == "remote-status"));
    let run = study::run(&plan, Watch::<false>::new(&plan), &mut ());
    let (recording, _) = run.expect("nobody interrupts");
    for verdict in recording.summary.expectations {
        assert!(verdict.ok, "{verdict:?}");
    }
}
