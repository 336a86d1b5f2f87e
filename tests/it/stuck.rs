//! The scenarios below `scenarios/stuck`: what each shows is so, and is no longer so with its cure. What
//! the specification holds possible and no client does is shown not to happen.

use std::path::PathBuf;

use eureka_sim::observe::{EventLevel, Watch};
use eureka_sim::report::render_diagnostics;
use eureka_sim::scenario::{self, Plan};
use eureka_sim::study;
use serde_json::Value;

use crate::support::{NoIncludes, events, events_of, plan_of, shipped_scenarios};

/// A mechanism's scenario with some values set otherwise.
fn stuck(number: u32, sets: &[&str]) -> Plan {
    let path = path(number);
    let text = std::fs::read_to_string(&path).expect("a scenario can be read");
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let plan = scenario::load(
        &path,
        &text,
        scenario::Changes { sets: &sets, ..scenario::Changes::default() },
        &NoIncludes,
    );
    plan.unwrap_or_else(|no| panic!("{}", render_diagnostics(&no.sources, &no.diagnostics)))
}

fn path(number: u32) -> PathBuf {
    let prefix = format!("m{number:02}-");
    let is = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        path.parent().is_some_and(|folder| folder.ends_with("stuck"))
            && name.is_some_and(|name| name.starts_with(&prefix))
    };
    let mut found = shipped_scenarios().into_iter().filter(is);
    let path = found.next().unwrap_or_else(|| panic!("M{number} has no scenario"));
    assert_eq!(found.next(), None, "M{number} has one scenario");
    path
}

/// The labels of the expectations that do not hold.
fn fails(plan: &Plan) -> Vec<String> {
    let run = study::run(plan, Watch::<false>::new(plan), &mut ());
    let verdicts = run.expect("nobody interrupts").0.summary.expectations;
    assert!(verdicts.len() >= 3, "{} expects something", plan.name);
    verdicts.into_iter().filter(|verdict| !verdict.ok).map(|verdict| verdict.text).collect()
}

/// With these settings the expectations whose labels begin so fail: those of the stuck state.
fn cured(number: u32, sets: &[&str], labels: &[&str]) {
    let failed = fails(&stuck(number, sets));
    for start in labels {
        let found = failed.iter().any(|label| label.starts_with(start));
        assert!(found, "M{number} {sets:?}: `{start}` holds; these fail: {failed:#?}");
    }
}

/// With these settings everything that the scenario expects is so all the same.
fn still_stuck(number: u32, sets: &[&str]) {
    assert_eq!(fails(&stuck(number, sets)), Vec::<String>::new(), "M{number} {sets:?}");
}

#[test]
fn every_mechanism_has_a_scenario_and_every_scenario_holds() {
    for number in 1..=18 {
        still_stuck(number, &[]);
    }
}

/// Own status of an instance at the end, by what its client said of itself.
fn own_status(events: &[Value], instance: &str) -> String {
    let mut said = events.iter().filter(|event| event["event"] == "local-status");
    let last = said.rfind(|event| event["client"] == instance);
    last.and_then(|event| event["status"].as_str()).expect("it has said something").to_owned()
}

/// Where the registry is wrong for ever, the process itself says UP.
#[test]
fn the_stuck_call_themselves_up() {
    for number in [5, 6, 7, 8, 9, 11, 12, 14, 15, 16, 18] {
        let text = std::fs::read_to_string(path(number)).expect("a scenario can be read");
        let stuck = match number {
            7 => vec!["REPLACED/0", "RETURNED/0", "MISTYPED/0"],
            14 => vec!["PAYMENTS/1"],
            _ => vec!["ORDERS/0"],
        };
        for instance in stuck {
            assert_eq!(own_status(&events(&text), instance), "UP", "M{number} {instance}");
        }
    }
}

#[test]
fn m1_is_gone_with_2_0_5_and_was_there_before() {
    let stuck = ["2.0.4 is DOWN for ever", "its client has said"];
    cured(1, &["apps.ORDERS.release=2.0.5"], &stuck);
    cured(1, &["apps.ORDERS.release=2.0.6"], &stuck);
    for release in ["1.9.17", "1.10.18", "2.0.0"] {
        still_stuck(1, &[&format!("apps.ORDERS.release={release}")]);
    }
}

#[test]
fn m2_ends_without_self_preservation_and_needs_more_than_three_seconds_since_1_8_7() {
    let off = "eureka.server.enable-self-preservation=false";
    cured(2, &[off], &["the registration puts it back", "before 1.8.7", "two leases"]);
    cured(2, &["timeline.late.slow.latency=2s"], &["the registration puts it back"]);
    cured(2, &["apps.HASTY.release=1.8.7"], &["before 1.8.7"]);
    // What is sent when shutdown begins is not even sent before 1.8.7.
    cured(2, &["apps.ORDERS.release=1.8.6"], &["the registration puts it back"]);
}

#[test]
fn m3_needs_a_check_without_timeout() {
    cured(3, &["timeline.hang.set-health.takes=10s"], &["DOWN for ever"]);
    cured(3, &["apps.ORDERS.health={ check = false }", SILENT_HANG], &["DOWN for ever"]);
}

/// Nobody is asked who has no check.
const SILENT_HANG: &str = "timeline.hang.set-health.select=app:CURED";

#[test]
fn m4_ends_without_self_preservation_or_with_a_delete_that_is_heard() {
    let all = ["killed during", "not to unregister", "a DELETE answered 503"];
    cured(4, &["eureka.server.enable-self-preservation=false"], &all);
    cured(4, &["apps.KILLED.drain=5s"], &all[..1]);
    cured(4, &["apps.SILENT.eureka.client.should-unregister-on-shutdown=true"], &all[1..2]);
    cured(4, &["apps.REFUSED.drain=0s"], &all[2..]);
}

#[test]
fn m5_and_m9_need_a_clock_that_was_fast_and_servers_that_compare() {
    let good = ["timeline.fast.step-clock.by=0s", "timeline.right.step-clock.by=0s"];
    cured(5, &good, &["DOWN until its clock"]);
    cured(5, &["cluster.release=1.4.10"], &["DOWN until its clock"]);
    still_stuck(5, &["cluster.release=1.4.11"]);
    cured(9, &good, &["after its first heartbeat"]);
    // A batch's 409 has brought its record since 1.7.0 (Netflix/eureka#934).
    cured(9, &["cluster.release=1.6.2"], &["after its first heartbeat"]);
    still_stuck(9, &["cluster.release=1.7.0"]);
}

#[test]
fn m6_is_gone_with_a_check_that_says_down_instead() {
    cured(6, &["apps.ORDERS.out-of-service=down"], &["OUT_OF_SERVICE for ever"]);
}

#[test]
fn m7_ends_where_nothing_is_lost_and_nobody_returns_in_time() {
    cured(7, &["timeline.cut.for=10s"], &["(b) the peer keeps it"]);
    let evicted = ["timeline.again.at=9m10s", "eureka.server.enable-self-preservation=false"];
    cured(7, &evicted, &["(a) the new process"]);
    cured(7, &["timeline.typo.override-status.status=UP"], &["(c) UNKNOWN", "(c) and each"]);
}

#[test]
fn m8_needs_a_torn_body_that_is_overtaken() {
    cured(8, &["timeline.late.slow.latency=0s"], &["then STARTING"]);
    cured(8, &["sim.hand-off=0s"], &["then STARTING"]);
}

#[test]
fn m10_ends_with_another_answer_and_without_a_check() {
    let unsure = ["UNKNOWN as long", "the server renews no lease", "each heartbeat"];
    cured(10, &["timeline.unsure.set-health.status=UP"], &unsure);
    cured(10, &["apps.CHECKED.health={ check = false }"], &["with one the registry shows UP"]);
}

#[test]
fn m11_ends_with_the_gateways_fault_whatever_the_server_compares() {
    let deletes = "timeline.gateway.fail.methods=[\"DELETE\"]";
    cured(11, &[deletes], &["DOWN as long"]);
    still_stuck(11, &["eureka.server.sync-when-timestamp-differs=false"]);
}

#[test]
fn m12_is_gone_without_the_limiter_and_lasts_longer_without_the_servers_comparison() {
    let interval = "apps.ORDERS.eureka.client.instance-info-replication-interval-seconds";
    cured(12, &[&format!("{interval}=121")], &["DOWN though it is UP"]);
    let slow = format!("{interval}=120");
    // The next heartbeat mends it.
    still_stuck(12, &[&slow]);
    let blind = [slow.as_str(), "eureka.server.sync-when-timestamp-differs=false"];
    let failed = fails(&stuck(12, &blind));
    assert!(failed.iter().any(|label| label.starts_with("the next heartbeat")), "{failed:?}");
}

#[test]
fn m13_needs_an_application_that_never_says_up() {
    cured(13, &["apps.ORDERS.initial-status=UP"], &["Netflix: STARTING"]);
    cured(13, &["apps.CARTS.initial-status=UP"], &["Spring: STARTING"]);
}

#[test]
fn m14_ends_without_self_preservation_and_without_deltas() {
    cured(14, &["eureka.server.enable-self-preservation=false"], &["(a) killed"]);
    let full = "apps.GATEWAY.eureka.client.disable-delta=true";
    cured(14, &[full], &["(c) who missed", "(c) and never"]);
}

#[test]
fn m15_ends_with_a_quarantine_as_large_as_the_list() {
    let key = "apps.ORDERS.eureka.client.transport.retryable-client-quarantine-refresh-percentage";
    cured(15, &[&format!("{key}=1.0")], &["alive, and absent"]);
    still_stuck(15, &[&format!("{key}=0.74")]);
}

#[test]
fn m16_needs_one_millisecond() {
    cured(16, &["timeline.up.at=5m1ms"], &["DOWN for ever"]);
    for release in ["1.4.11", "1.8.7", "1.10.18", "2.0.4", "2.0.5"] {
        still_stuck(16, &[&format!("cluster.release={release}")]);
    }
}

#[test]
fn m17_is_gone_with_a_health_check() {
    cured(17, &["apps.ORDERS.health={ check = true }"], &["DOWN for ever"]);
}

#[test]
fn m18_is_gone_with_jersey_or_timeouts_below_the_renewal_interval() {
    cured(18, &["apps.ORDERS.http-client=jersey3"], &["alive, and absent", "eureka-1 never"]);
    let both = |ms: u32| {
        ["connect", "socket"]
            .map(|which| format!("apps.ORDERS.eureka.client.timeout.{which}-timeout={ms}"))
    };
    let [connect, socket] = &both(5_000);
    cured(18, &[connect, socket], &["alive, and absent", "eureka-1 never"]);
    // The supervisor waits 30 s.
    let [connect, socket] = &both(31_000);
    still_stuck(18, &[connect, socket]);
}

/// One server and one instance that registers at 70 s, beats every 30 s, and is stopped at 100.1 s; its
/// DELETE is sent at 103.1 s.
fn goodbye(http_client: &str, health: &str, seed: u32, timeline: &str) -> Vec<Value> {
    events(&format!(
        "schema = 1\nduration = \"3m\"\nseed = {seed}\n[cluster]\nservers = 1\nerror-bodies = \"none\"\n\
         [network]\nlatency = \"1ms..3ms\"\n\
         [[apps]]\nname = \"A\"\ninstances = 1\nstart = \"70s\"\nhttp-client = \"{http_client}\"\n{health}\n\
         [[timeline]]\nat = \"100100ms\"\nstop = \"app:A\"\n{timeline}"
    ))
}

/// What A did to its lease from 100.1 s on, as the server saw it, in seconds.
fn seen(events: &[Value]) -> Vec<(u64, String)> {
    let at = |event: &Value| event["t_ms"].as_f64().expect("a time") as u64;
    let of_a = |event: &&Value| {
        event["event"] == "request" && event["from"] == "A/0" && event["method"] != "GET"
    };
    let told = events.iter().filter(of_a).filter(|event| at(event) >= 100_100);
    let words = |event: &Value| {
        let method = event["method"].as_str().expect("a method");
        format!("{method} {}", event["code"])
    };
    told.map(|event| (at(event) / 1000, words(event))).collect()
}

fn slow(at: &str, lasts: &str, from: &str, to: &str, by: &str) -> String {
    format!(
        "[[timeline]]\nat = \"{at}\"\nfor = \"{lasts}\"\n\
         slow = {{ from = \"{from}\", to = \"{to}\", latency = \"{by}\", direction = \"one-way\" }}\n"
    )
}

/// Every transport that scenarios have.
const TRANSPORTS: [&str; 4] = ["jersey1", "jersey3", "restclient", "resttemplate"];

/// The heartbeat twin of M2: the PUT of 100.0 s arrives after the DELETE and is answered 404, and nobody
/// registers for it.
#[test]
fn a_heartbeat_that_comes_after_the_delete_registers_nobody() {
    let late = slow("100s", "50ms", "app:A", "servers", "6s");
    for transport in TRANSPORTS {
        let seen = seen(&goodbye(transport, "", 0, &late));
        let expected = [(100, "POST 204"), (103, "DELETE 200"), (106, "PUT 404")];
        assert_eq!(seen, expected.map(|(at, what)| (at, what.to_owned())), "{transport}");
    }
}

/// The POST of DOWN is lost on its way.
const LOST: &str = "[[timeline]]\nat = \"100090ms\"\nfor = \"50ms\"\n\
                    lossy = { from = \"app:A\", to = \"servers\", loss = 1.0, direction = \"one-way\" }\n";

/// The retry twin: no second one follows the DELETE.
#[test]
fn a_lost_registration_is_not_repeated_after_the_delete() {
    for transport in TRANSPORTS {
        let seen = seen(&goodbye(transport, "", 0, LOST));
        assert_eq!(seen, [(103, "DELETE 200".to_owned())], "{transport}");
    }
}

/// As long as the DELETE itself is unanswered the transport is open, and a worker of Jersey goes on when
/// it is interrupted; Spring's clients get no connection.
#[test]
fn both_twins_happen_to_jersey_while_the_delete_is_unanswered() {
    let unanswered = slow("103050ms", "100ms", "servers", "app:A", "7s");
    let late = slow("100s", "50ms", "app:A", "servers", "6s");
    for (twin, at) in [(late.as_str(), 106), (LOST, 108)] {
        for transport in TRANSPORTS {
            let seen = seen(&goodbye(transport, "", 0, &format!("{twin}{unanswered}")));
            let registers = seen.contains(&(at, "POST 204".to_owned()));
            assert_eq!(registers, transport.starts_with("jersey"), "{transport}: {seen:?}");
        }
    }
}

/// The other way into M2: a check that is interrupted by `shutdown()` ends with an exception, and its run
/// goes on to register DOWN at the instant of the DELETE. Which of the two is first is chance.
#[test]
fn an_interrupted_check_races_the_delete() {
    let hang = "[[timeline]]\nat = \"95s\"\n\
                set-health = { select = \"app:A\", status = \"UP\", takes = \"1d\", interruptible = true }\n";
    let last = |interruptible: &str| -> Vec<String> {
        let hang = hang.replace("true", interruptible);
        let last = |seed| seen(&goodbye("jersey3", "health = { check = true }", seed, &hang)).pop();
        (0..12).filter_map(last).map(|(_, what)| what).collect()
    };
    let chance = last("true");
    assert!(chance.contains(&"POST 204".to_owned()), "{chance:?}");
    assert!(chance.contains(&"DELETE 200".to_owned()), "{chance:?}");
    assert_eq!(last("false"), vec!["DELETE 200"; 12]);
}

/// What the detector finds in a scenario: class, instance, server and mechanism, in the order of time.
fn found(plan: &Plan) -> Vec<String> {
    let text = |line: &Value| {
        let field = |name: &str| line[name].as_str().unwrap_or("unknown").to_owned();
        let app = field("id").split('/').next().unwrap_or_default().to_owned();
        [field("class"), app, field("server"), field("mechanism")].join(" ")
    };
    let lines = events_of(plan, EventLevel::Changes);
    lines.iter().filter(|line| line["event"] == "stuck").map(text).collect()
}

/// Each mechanism's scenario is found to be stuck by just that mechanism, and the cure beside it is not. M10 is no
/// matter of the registry: it says what the check said. M12 is over within 30 s.
#[test]
fn the_detector_finds_each_mechanism_and_no_cure() {
    let every: [(u32, &[&str], &[&str]); 18] = [
        (1, &[], &["stuck-down ORDERS eureka-0 M1"]),
        (2, &[], &["stuck-down HASTY eureka-0 M2", "stuck-down ORDERS eureka-0 M2"]),
        (3, &[], &["stuck-down ORDERS eureka-0 M3"]),
        (
            4,
            &[],
            &[
                "stuck-down SILENT eureka-0 M4",
                "stuck-down KILLED eureka-0 M4",
                "stuck-down REFUSED eureka-0 M4",
            ],
        ),
        (5, &[], &["stuck-down ORDERS eureka-0 M5"]),
        (6, &[], &["stuck-out-of-service ORDERS eureka-0 M6"]),
        (
            7,
            &[],
            &[
                "stuck-unknown MISTYPED eureka-0 M7",
                "stuck-unknown MISTYPED eureka-1 M7",
                "stuck-out-of-service REPLACED eureka-0 M7",
                "stuck-out-of-service REPLACED eureka-1 M7",
                "diverged-between-peers RETURNED eureka-1 M7",
                "stuck-out-of-service RETURNED eureka-1 M7",
            ],
        ),
        (8, &[], &["stuck-starting ORDERS eureka-0 M8"]),
        (9, &[], &["stuck-down ORDERS eureka-1 M9", "stuck-down ORDERS eureka-0 M9"]),
        (10, &[], &[]),
        (11, &[], &["stuck-down ORDERS eureka-0 M11"]),
        (12, &["observe.stuck-after=5s"], &["stuck-down ORDERS eureka-0 M12"]),
        (13, &[], &["stuck-starting ORDERS eureka-0 M13", "stuck-starting CARTS eureka-0 M13"]),
        (14, &[], &["up-but-dead PAYMENTS eureka-0 M14"]),
        (
            15,
            &[],
            &[
                "alive-but-missing EUREKA eureka-3 M15",
                "alive-but-missing ORDERS eureka-3 M15",
                "up-but-dead EUREKA eureka-3 M14",
            ],
        ),
        (16, &[], &["stuck-down ORDERS eureka-0 M16"]),
        (17, &[], &["stuck-down ORDERS eureka-0 M17"]),
        (
            18,
            &[],
            &["alive-but-missing EUREKA eureka-1 M15", "alive-but-missing ORDERS eureka-1 M18"],
        ),
    ];
    for (number, sets, wanted) in every {
        let found = found(&stuck(number, sets));
        assert_eq!(found, wanted, "M{number}");
    }
}

/// Cut off, nobody is stuck: the network is not healthy. Two minutes after it is he is.
#[test]
fn nobody_is_stuck_while_he_is_cut_off() {
    let plan = |cut: &str| {
        let text = format!(
            "schema = 1\nname = 's'\nduration = '20m'\n[cluster]\n[network]\nlatency = '2ms'\n\
             [[apps]]\nname = 'ORDERS'\ninstances = 30\nstart = '70s'\n\
             [[timeline]]\nat = '4m'\n{cut}\n\
             [[timeline]]\nat = '4m'\nkill = 'instance:ORDERS/0'"
        );
        plan_of(&text)
    };
    let away = |of: &str, lasts: &str| {
        format!(
            "{lasts}partition = {{ from = 'instance:ORDERS/{of}', to = 'servers', mode = 'refuse' }}"
        )
    };
    assert_eq!(found(&plan(&away("1", ""))), Vec::<String>::new(), "cut off for ever");
    assert_eq!(
        found(&plan(&away("1", "for = '10m'\n"))),
        Vec::<String>::new(),
        "back after a while"
    );
    let quiet = "for = '10m'\nfail = { select = 'servers', status = 503 }";
    let all = found(&plan(quiet));
    assert!(all.iter().any(|line| line.starts_with("up-but-dead ORDERS")), "{all:?}");
}
