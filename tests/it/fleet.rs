//! Applications that change while they run: `scale` and `deploy`, and what else happens meanwhile.

use eureka_sim::observe::{EventLevel, Recording, Watch};
use eureka_sim::report::{CheckReport, check_text};
use eureka_sim::study;
use serde_json::Value;

use crate::support::{events_of, plan_of};

/// One server that is open at once, and two instances of `A`, called `a0-0` and `a1-0`; `words` are more
/// of theirs. Latency is 1 ms.
fn scenario(words: &str, entries: &[(&str, &str)]) -> String {
    let entry = |(at, action): &(&str, &str)| format!("[[timeline]]\nat = \"{at}\"\n{action}\n");
    format!(
        r#"
schema = 1
duration = "10m"
[network]
latency = "1ms"
[eureka.server]
enable-self-preservation = false
[[apps]]
name = "A"
instances = 2
instance-id = "a{{index}}-{{n}}"
{words}
{}"#,
        entries.iter().map(entry).collect::<String>()
    )
}

/// When (s) the processes of an index started and went, in order: `+` and `-`.
fn lives(events: &[Value], process: &str) -> Vec<String> {
    let life = |event: &Value| {
        let sign = match (event["event"].as_str()?, event["what"].as_str()) {
            ("start", _) => '+',
            ("exit", _) | ("fault", Some("kill")) => '-',
            _ => return None,
        };
        let seconds = event["t_ms"].as_f64()? / 1000.0;
        (event["process"] == process).then(|| format!("{sign}{}", seconds.round()))
    };
    events.iter().filter_map(life).collect()
}

fn changes(text: &str) -> Vec<Value> {
    events_of(&plan_of(text), EventLevel::Changes)
}

/// What happened to leases, by id: `register`, `cancel`, `expired-lease`, and when (s).
fn leases(events: &[Value], id: &str) -> Vec<String> {
    let kinds = ["register", "cancel", "expired-lease"];
    let of = |event: &&Value| event["id"] == format!("A/{id}");
    let said = |event: &Value| {
        let kind = event["event"].as_str().filter(|kind| kinds.contains(kind))?;
        let status = event["status"].as_str().map(|status| format!(" {status}"));
        let at = event["t_ms"].as_f64()? / 1000.0;
        Some(format!("{} {kind}{}", at.round(), status.unwrap_or_default()))
    };
    events.iter().filter(of).filter_map(said).collect()
}

fn recorded(text: &str) -> Recording {
    let plan = plan_of(text);
    study::run(&plan, Watch::<false>::new(&plan), &mut ()).expect("nobody interrupts").0
}

#[test]
fn who_is_added_starts_and_who_is_removed_says_goodbye() {
    let events = changes(&scenario(
        "drain = \"4s\"",
        &[
            ("1m", "scale = { app = \"A\", to = 4, every = \"10s\" }"),
            ("3m", "scale = { app = \"A\", to = 1, every = \"20s\" }"),
        ],
    ));
    // 4 s of drain, and 3 s until Spring's client says DELETE.
    assert_eq!(lives(&events, "A/0"), ["+0"]);
    assert_eq!(lives(&events, "A/1"), ["+0", "-227"]);
    assert_eq!(lives(&events, "A/2"), ["+60", "-207"]);
    assert_eq!(lives(&events, "A/3"), ["+70", "-187"]);
    let whole = ["70 register UP", "180 register DOWN", "187 cancel"];
    assert_eq!(leases(&events, "a3-0"), whole);
}

#[test]
fn who_is_removed_without_grace_is_a_ghost_until_it_is_evicted() {
    let scale = ("1m", "scale = { app = \"A\", to = 1, graceful = false }");
    let events = changes(&scenario("", &[scale]));
    assert_eq!(lives(&events, "A/1"), ["+0", "-60"]);
    let leases = leases(&events, "a1-0");
    assert!(leases[1].ends_with("expired-lease"), "{leases:?}");
    assert_eq!(leases.len(), 2);
}

#[test]
fn who_was_removed_is_not_started_with_its_application() {
    let events = changes(&scenario(
        "",
        &[
            ("1m", "scale = { app = \"A\", to = 1, graceful = false }"),
            ("2m", "kill = \"app:A\""),
            ("3m", "start = \"app:A\""),
            ("4m", "scale = { app = \"A\", to = 2 }"),
        ],
    ));
    assert_eq!(lives(&events, "A/0"), ["+0", "-120", "+180"]);
    assert_eq!(lives(&events, "A/1"), ["+0", "-60", "+240"]);
}

#[test]
fn a_removal_calls_off_what_would_have_started() {
    let events = changes(&scenario(
        "start = { every = \"2m\" }\ndrain = \"20s\"",
        &[
            ("30s", "scale = { app = \"A\", to = 1 }"),
            ("60s", "restart = { select = \"app:A\", down = \"30s\" }"),
            ("70s", "scale = { app = \"A\", to = 0 }"),
            ("4m", "scale = { app = \"A\", to = 1 }"),
            ("5m", "restart = { select = \"app:A\", graceful = true }"),
            ("5m1s", "scale = { app = \"A\", to = 0 }"),
        ],
    ));
    assert_eq!(lives(&events, "A/1"), [""; 0]);
    assert_eq!(lives(&events, "A/0"), ["+0", "-60", "+240", "-323"]);
}

/// A place has one process at a time: who is wanted again starts when its predecessor went.
#[test]
fn who_is_added_again_on_its_way_out_starts_when_it_went() {
    let events = changes(&scenario(
        "drain = \"20s\"",
        &[
            ("1m", "scale = { app = \"A\", to = 1 }"),
            ("65s", "scale = { app = \"A\", to = 2 }"),
            ("5m", "kill = \"instance:A/1\""),
        ],
    ));
    assert_eq!(lives(&events, "A/1"), ["+0", "-83", "+83", "-300"]);
}

#[test]
fn a_replacement_starts_when_its_predecessor_went_and_is_another_instance() {
    let deploy = ("1m", "deploy = { app = \"A\", every = \"40s\", down = \"5s\" }");
    let events = changes(&scenario("drain = \"10s\"", &[deploy]));
    assert_eq!(lives(&events, "A/0"), ["+0", "-73", "+78"]);
    assert_eq!(lives(&events, "A/1"), ["+0", "-113", "+118"]);
    let old = ["0 register UP", "60 register DOWN", "73 cancel"];
    assert_eq!(leases(&events, "a0-0"), old);
    assert_eq!(leases(&events, "a0-1"), ["78 register UP"]);
    assert_eq!(leases(&events, "a1-1"), ["118 register UP"]);
    let replaced: Vec<&Value> = events.iter().filter(|it| it["what"] == "replace").collect();
    assert_eq!(replaced[1]["by"], serde_json::json!(["a1-1"]));
    assert_eq!(replaced[1]["processes"], serde_json::json!(["A/1"]));
}

#[test]
fn without_new_ids_the_replacement_takes_the_lease_over() {
    let deploy = "deploy = { app = \"A\", batch = 2, graceful = false, new-ids = false }";
    let events = changes(&scenario("", &[("1m", deploy)]));
    assert_eq!(lives(&events, "A/1"), ["+0", "-60", "+65"]);
    assert_eq!(leases(&events, "a1-0"), ["0 register UP", "65 register UP"]);
    assert_eq!(leases(&events, "a1-1"), [""; 0]);
}

/// Killed and replaced: registries have both, one of them a ghost.
#[test]
fn killed_predecessors_are_ghosts_beside_their_replacements() {
    let deploy = "deploy = { app = \"A\", batch = 2, graceful = false }";
    let text = scenario("", &[("1m", deploy)]).replace("duration = \"10m\"", "duration = \"2m\"");
    let server = &recorded(&text).summary.servers[0];
    assert_eq!((server.registry_size, server.alive, server.ghosts), (Some(4), 2, 2));
}

#[test]
fn who_is_dead_at_its_turn_is_replaced_too() {
    let events = changes(&scenario(
        "",
        &[
            ("30s", "kill = \"instance:A/1\""),
            ("1m", "deploy = { app = \"A\", batch = 2, graceful = false }"),
        ],
    ));
    assert_eq!(lives(&events, "A/1"), ["+0", "-30", "+65"]);
    assert_eq!(leases(&events, "a1-1"), ["65 register UP"]);
}

#[test]
fn starting_in_a_gap_starts_the_replacement() {
    let events = changes(&scenario(
        "",
        &[
            ("1m", "deploy = { app = \"A\", batch = 2, graceful = false, down = \"1m\" }"),
            ("80s", "start = \"app:A\""),
        ],
    ));
    assert_eq!(lives(&events, "A/0"), ["+0", "-60", "+80"]);
    assert_eq!(leases(&events, "a0-1"), ["80 register UP"]);
    assert_eq!(leases(&events, "a0-0")[1..].len(), 1, "only evicted");
}

/// The second deployment comes while the first one's predecessors drain, or its replacements are awaited.
#[test]
fn deployments_that_overlap_have_one_process_at_a_time() {
    let second = "deploy = { app = \"A\", batch = 2, down = \"10s\" }";
    let while_it_drains = changes(&scenario(
        "drain = \"30s\"",
        &[("1m", "deploy = { app = \"A\", batch = 2 }"), ("70s", second)],
    ));
    assert_eq!(lives(&while_it_drains, "A/0"), ["+0", "-90", "+100"]);
    assert_eq!(leases(&while_it_drains, "a0-1"), [""; 0]);
    assert_eq!(leases(&while_it_drains, "a0-2"), ["100 register UP"]);
    let first = "deploy = { app = \"A\", batch = 2, graceful = false, down = \"30s\" }";
    let while_awaited = changes(&scenario("", &[("1m", first), ("80s", second)]));
    assert_eq!(lives(&while_awaited, "A/0"), ["+0", "-60", "+90"]);
    assert_eq!(leases(&while_awaited, "a0-2"), ["90 register UP"]);
}

/// The stop waits for the end of the pause, and so does the replacement.
#[test]
fn a_frozen_predecessor_goes_when_it_resumes() {
    let events = changes(&scenario(
        "",
        &[
            ("50s", "for = \"30s\"\npause = \"app:A\""),
            ("1m", "deploy = { app = \"A\", batch = 2 }"),
        ],
    ));
    assert_eq!(lives(&events, "A/0"), ["+0", "-80", "+85"]);
}

#[test]
fn what_replacements_are_is_what_their_group_says() {
    let words = "health = { check = true }\n\
                 second-client = { servers = [\"eureka-0\"], start = \"20s\", stop = \"50s\" }";
    let events = changes(&scenario(
        words,
        &[
            ("1m", "deploy = { app = \"A\", graceful = false, batch = 2 }"),
            ("2m", "scale = { app = \"A\", to = 3 }"),
            ("150s", "set-health = { select = \"app:A\", status = \"DOWN\" }"),
        ],
    ));
    for id in ["a0-1", "a2-0"] {
        let leases = leases(&events, id);
        assert!(leases.iter().any(|it| it.ends_with("DOWN")), "{id}: {leases:?}");
        // The second client registers it too, and says goodbye for it when it is shut down.
        assert!(leases.iter().any(|it| it.ends_with("cancel")), "{id}: {leases:?}");
    }
}

const CALLER: &str = "[[apps]]\nname = \"C\"\ninstances = 1\nstart = \"30s\"\n\
                      calls = { app = \"A\", per-second = 10 }\n";

/// The process at its place is alive, and another one.
#[test]
fn calls_to_a_predecessor_go_to_the_dead_though_its_replacement_runs() {
    let deploy = "deploy = { app = \"A\", batch = 2, graceful = false, down = \"0s\" }";
    let text = scenario(CALLER, &[("2m", deploy)]).replace("\"10m\"", "\"3m\"");
    let recording = recorded(&text);
    let app = &recording.summary.apps[0];
    let (to_dead, failed) = (app.calls_to_dead, app.calls_failed.expect("it is called"));
    assert!((200..=600).contains(&to_dead), "{to_dead} calls to the dead");
    assert_eq!(failed, to_dead, "nobody retries");
    let dead = recording.summary.staleness.expect("somebody calls");
    let named: Vec<(&str, &str, f64)> = dead
        .iter()
        .map(|dead| (dead.instance.as_str(), dead.process.as_str(), dead.died_ms))
        .collect();
    assert_eq!(named.len(), 2);
    assert!(named.contains(&("A/a0-0", "A/0", 120_000.0)), "{named:?}");
}

#[test]
fn who_is_added_calls_and_is_called() {
    let text = scenario(
        CALLER,
        &[
            ("1m", "scale = { app = \"C\", to = 3 }"),
            ("2m", "scale = { app = \"A\", to = 4 }"),
            ("8m", "kill = { select = \"app:A\", count = 2, pick = \"last\" }"),
            ("9m", "scale = { app = \"C\", to = 0, graceful = false }"),
        ],
    ) + "[observe]\nviews = true\n[[expect]]\nmetric = \"traffic-to-dead\"\nview = \"C/2\"\n\
         instance = \"A/3\"\nat = \"end\"\nabove = 0\n\
         [[expect]]\nmetric = \"registry-size\"\napp = \"A\"\nview = \"C/1\"\nat = \"5m\"\nequals = 4\n";
    let summary = recorded(&text).summary;
    // 30 s alone, eight minutes of three, each from when it runs.
    let calls = summary.apps[0].calls.expect("it is called");
    assert!((300 + 3 * 4790..=300 + 3 * 4800).contains(&calls), "{calls}");
    for verdict in &summary.expectations {
        assert!(verdict.ok, "{verdict:?}");
    }
    assert_eq!((summary.apps[0].instances, summary.apps[1].instances), (4, 0));
}

#[test]
fn check_counts_those_that_are_there_at_first_and_says_what_follows() {
    let plan = plan_of(&scenario(
        CALLER,
        &[
            ("1m", "scale = { app = \"A\", to = 40, every = \"1s\" }"),
            ("2m", "scale = { app = \"C\", to = 2 }"),
        ],
    ));
    let report = CheckReport::new(&plan);
    assert_eq!(report.servers[0].instances, 3);
    assert_eq!((report.consumers[0].callers, report.consumers[0].per_second), (1, 10.0));
    let details = report.timeline[0]["details"].as_str().expect("it has some");
    assert!(details.ends_with("adds A/2 to A/39, the last at 1m37s"), "{details}");
    assert!(check_text(&plan).contains(details));
    assert!(check_text(&plan).contains("at first"), "{}", check_text(&plan));
}

/// A run in which clients say DOWN and DELETE over a link that is slow for a moment.
fn overtaking(reorder: bool) -> Vec<String> {
    let slow = "for = \"1s\"\nslow = { from = \"app:A\", to = \"servers\", latency = \"10s\" }";
    let text = scenario("", &[("59500ms", slow), ("1m", "stop = \"instance:A/1\"")]);
    let text = text.replace("[network]", &format!("[network]\nreorder = {reorder}"));
    leases(&changes(&text), "a1-0")
}

#[test]
fn in_order_no_goodbye_overtakes_what_was_said_before() {
    let overtaken = ["0 register UP", "63 cancel", "70 register DOWN"];
    assert_eq!(overtaking(true)[..3], overtaken);
    let in_order = ["0 register UP", "70 register DOWN", "70 cancel"];
    assert_eq!(overtaking(false), in_order);
}

/// With one latency nothing overtakes anyway.
#[test]
fn order_costs_nothing_where_there_is_order() {
    let digest = |network: &str| {
        let deploy = ("1m", "deploy = { app = \"A\" }");
        let text = scenario(CALLER, &[deploy]).replace("latency = \"1ms\"", network);
        recorded(&text).summary.digest
    };
    let in_order = |latency: &str| digest(&format!("latency = \"{latency}\"\nreorder = false"));
    let free = |latency: &str| digest(&format!("latency = \"{latency}\""));
    assert_eq!(in_order("1ms"), free("1ms"));
    assert_ne!(in_order("1ms..9s"), free("1ms..9s"));
}
