//! Calls between applications: who is called when, what fails, and how long the dead are called.

use std::sync::Arc;

use eureka_sim::observe::{EventLevel, EventLog, Recording, Watch};
use eureka_sim::report::{CheckReport, Figure, check_text, series_csv, summary_text};
use eureka_sim::scenario::Plan;
use eureka_sim::sim::Setup;
use eureka_sim::sim::queue::{Heap, TimingWheel};
use eureka_sim::study;
use eureka_sim::time::{Instant, Span};
use serde_json::{Value, json};

use crate::support::{SharedBuffer, events_of, plan_of};

/// Three PROVIDERs (hosts 1 to 3) from 10 s on, and one CALLER (host 4) from 2m on, which makes 10 calls
/// a second; `calls` are the rest of its words, `rest` what else is in the file. Latency is 1 ms.
fn plan(duration: &str, calls: &str, rest: &str) -> Plan {
    plan_of(&format!(
        r#"
schema = 1
duration = "{duration}"
[network]
latency = "1ms"
[eureka.server]
enable-self-preservation = false
[[apps]]
name = "PROVIDER"
instances = 3
start = "10s"
[[apps]]
name = "CALLER"
instances = 1
start = "2m"
calls = {{ app = "PROVIDER", per-second = 10{calls} }}
{rest}
"#
    ))
}

/// The plan with something else in its setup.
fn with(plan: &Plan, change: impl FnOnce(&mut Setup)) -> Plan {
    let mut setup = (*plan.setup).clone();
    change(&mut setup);
    Plan { setup: Arc::new(setup), ..plan.clone() }
}

fn with_black_holes(plan: Plan) -> Plan {
    with(&plan, |setup| setup.network.dead_hosts_are_black_holes = true)
}

fn without_calls(plan: &Plan) -> Plan {
    with(plan, |setup| setup.calls.clear())
}

fn recorded(plan: &Plan) -> Recording {
    study::run(plan, Watch::<false>::new(plan), &mut ()).expect("nobody interrupts").0
}

fn events(plan: &Plan, kind: &str) -> Vec<Value> {
    let mut events = events_of(plan, EventLevel::All);
    events.retain(|event| event["event"] == kind);
    events
}

fn ms(event: &Value) -> f64 {
    event["t_ms"].as_f64().expect("an event has a time")
}

/// Calls, attempts, failed calls and attempts to the dead of a run, and of a second of it.
fn counts(plan: &Plan) -> [u64; 4] {
    let recording = recorded(plan);
    let app = &recording.summary.apps[0];
    let of_calls = [app.calls, app.attempts, app.calls_failed];
    let [calls, attempts, failed] = of_calls.map(|count| count.expect("it is called"));
    [calls, attempts, failed, app.calls_to_dead]
}

fn in_second(events: &[Value], second: u64) -> &Value {
    let at = (second * 1000) as f64;
    events.iter().find(|event| ms(event) == at).expect("every second is told")
}

const DEAD: &str = "[[timeline]]\nat = \"4m\"\nkill = \"instance:PROVIDER/1\"\n";

#[test]
fn calls_are_made_evenly_once_the_caller_runs() {
    let plan = plan("4m", "", "");
    let seconds = events(&plan, "calls");
    assert_eq!(seconds.len(), 240);
    for (second, event) in seconds.iter().enumerate() {
        let expected = if second < 120 { 0 } else { 10 };
        let calls = event["calls"].as_u64().expect("a number");
        // In its first second the phase decides.
        assert!(calls == expected || (second == 120 && calls == 9), "{event}");
    }
    let [calls, attempts, failed, to_dead] = counts(&plan);
    assert_eq!((calls, failed, to_dead), (attempts, 0, 0));
    assert!(events(&plan, "call-failed").is_empty(), "what is answered is no event");
}

/// Who is called belongs to an application even where nobody was there to be picked.
#[test]
fn calls_that_found_nobody_are_of_the_application_that_was_called() {
    let expect = |event: &str, app: &str, bound: &str| {
        format!("[[expect]]\nevent = \"{event}\"\napp = \"{app}\"\n{bound}\n")
    };
    let rest = [
        "[[apps]]\nname = \"LATE\"\ninstances = 1\nstart = \"5m\"\n",
        "[[apps]]\nname = \"EAGER\"\ninstances = 1\nstart = \"2m\"\n",
        "calls = { app = \"LATE\", per-second = 1 }\n",
        &expect("call-failed", "LATE", "at-least = 175\nat-most = 181"),
        &expect("call-failed", "PROVIDER", "never = true"),
        &expect("call-failed", "EAGER", "never = true"),
        &expect("balancer", "PROVIDER", "happens = true"),
    ]
    .concat();
    let plan = plan("5m", ", cache-ttl = \"35s\"", &rest);
    let failed = events(&plan, "call-failed");
    assert!(failed.iter().all(|event| event["id"].is_null() && event["app"] == "LATE"));
    for verdict in recorded(&plan).summary.expectations {
        assert!(verdict.ok, "{verdict:?}");
    }
}

#[test]
fn the_dead_have_their_turn_as_the_living() {
    let failed = events(&plan("5m", "", DEAD), "call-failed");
    let first: Vec<f64> = failed.iter().take(10).map(ms).collect();
    // One in three, at 10 calls a second.
    for pair in first.windows(2) {
        assert!((pair[1] - pair[0] - 300.0).abs() < 1e-6, "{first:?}");
    }
    assert!(failed.iter().all(|event| event["id"] == "PROVIDER/provider-0001"));
    assert!(failed.iter().all(|event| event["outcome"] == "refused" && event["last"] == true));
    let to_dead = events(&plan("5m", "", DEAD), "call-to-dead");
    assert_eq!(to_dead.len(), failed.len());
    // Refused one latency after it was sent.
    assert!((ms(&failed[0]) - ms(&to_dead[0]) - 1.0).abs() < 1e-6);
    let dead_for = to_dead[0]["dead_ms"].as_f64().expect("it has run");
    assert!((dead_for - (ms(&to_dead[0]) - 240_000.0)).abs() < 0.002, "{dead_for}");
    assert_eq!(to_dead[0]["from"], "CALLER/0");
}

#[test]
fn a_retry_goes_to_the_next_instance_or_to_the_same() {
    let [calls, attempts, failed, to_dead] = counts(&plan("5m", ", retries = 1", DEAD));
    assert_eq!((failed, attempts - calls), (0, to_dead), "the other one answers");
    let same = ", retries = 2, retry-other = false";
    let [calls, attempts, failed, to_dead] = counts(&plan("5m", same, DEAD));
    assert_eq!((attempts - calls, to_dead), (2 * failed, 3 * failed));
    let last: Vec<bool> = events(&plan("5m", same, DEAD), "call-failed")
        .iter()
        .take(6)
        .map(|event| event["last"] == true)
        .collect();
    assert_eq!(last, [false, false, true, false, false, true]);
}

/// Two of three are dead: whoever failed is passed over, the other dead one is not.
#[test]
fn retries_go_on_until_somebody_answers() {
    let two = format!("{DEAD}[[timeline]]\nat = \"4m\"\nkill = \"instance:PROVIDER/2\"\n");
    assert!(counts(&plan("5m", ", retries = 1", &two))[2] > 100);
    assert_eq!(counts(&plan("5m", ", retries = 2", &two))[2], 0);
}

#[test]
fn a_black_hole_costs_the_timeout() {
    let plan = with_black_holes(plan("5m", ", timeout = \"700ms\"", DEAD));
    let (failed, to_dead) = (events(&plan, "call-failed"), events(&plan, "call-to-dead"));
    assert_eq!(failed[0]["outcome"], "connect-timeout");
    assert!((ms(&failed[0]) - ms(&to_dead[0]) - 700.0).abs() < 1e-6);
}

fn network_fault(action: &str) -> String {
    format!("[[timeline]]\nat = \"4m\"\nfor = \"10s\"\n{action}\n")
}

/// Faults of the network between caller and called, and what the caller sees of them.
#[test]
fn the_network_between_them_decides() {
    let between = "from = \"app:CALLER\", to = \"instance:PROVIDER/1\"";
    let back = "from = \"instance:PROVIDER/1\", to = \"app:CALLER\", direction = \"one-way\"";
    for (action, outcome) in [
        (format!("partition = {{ {between} }}"), "connect-timeout"),
        (format!("partition = {{ {between}, mode = \"refuse\" }}"), "refused"),
        (format!("partition = {{ {back} }}"), "read-timeout"),
        (format!("hold = {{ {between} }}"), "read-timeout"),
        (format!("lossy = {{ {between}, loss = \"100%\" }}"), "read-timeout"),
        (format!("slow = {{ {between}, latency = \"600ms\" }}"), "read-timeout"),
        ("isolate = \"instance:PROVIDER/1\"".to_owned(), "connect-timeout"),
    ] {
        let plan = plan("5m", "", &network_fault(&action));
        let failed = events(&plan, "call-failed");
        // A third of the calls of ten seconds.
        assert!((33..=34).contains(&failed.len()), "{action}: {}", failed.len());
        assert!(failed.iter().all(|event| event["outcome"] == outcome), "{action}: {}", failed[0]);
        assert_eq!(counts(&plan)[3], 0, "{action}: nobody is dead");
    }
    // Slow, but in time.
    let slow = format!("slow = {{ {between}, latency = \"400ms\" }}");
    assert_eq!(counts(&plan("5m", "", &network_fault(&slow)))[2], 0);
    assert_ne!(counts(&plan("5m", ", timeout = \"500ms\"", &network_fault(&slow)))[2], 0);
}

#[test]
fn who_is_frozen_answers_when_it_goes_on_if_somebody_still_waits() {
    let fault = "[[timeline]]\nat = \"4m\"\nfor = \"10s\"\npause = \"instance:PROVIDER/1\"\n";
    let failed = events(&plan("5m", "", fault), "call-failed");
    // Of 33 or 34 calls those of the last second are answered.
    assert!((30..=31).contains(&failed.len()), "{}", failed.len());
    assert!(failed.iter().all(|event| event["outcome"] == "read-timeout"));
    assert!(events(&plan("5m", "", &fault.replace("10s", "900ms")), "call-failed").is_empty());
}

#[test]
fn a_frozen_caller_calls_nobody_and_keeps_its_pace() {
    let fault = "[[timeline]]\nat = \"4m\"\nfor = \"10s\"\npause = \"app:CALLER\"\n";
    let plan = plan("5m", "", fault);
    let seconds = events(&plan, "calls");
    for second in 130..300 {
        let expected = if (241..=250).contains(&second) { 0 } else { 10 };
        assert_eq!(in_second(&seconds, second)["calls"], expected, "{second}");
    }
    // Of what it has sent it learns at the end.
    let dead = "[[timeline]]\nat = \"239900ms\"\nkill = \"app:PROVIDER\"\n";
    let plan = self::plan("5m", ", timeout = \"5s\"", &format!("{dead}{fault}"));
    let failed = events(&with_black_holes(plan), "call-failed");
    assert_eq!(ms(&failed[0]), 250_000.0);
}

#[test]
fn nobody_calls_after_its_own_death_and_a_new_process_begins_anew() {
    let fault =
        "[[timeline]]\nat = \"4m\"\nrestart = { select = \"app:CALLER\", down = \"10s\" }\n";
    let seconds = events(&plan("5m", "", fault), "calls");
    let calls = |second: u64| in_second(&seconds, second)["calls"].as_u64();
    assert_eq!((calls(240), calls(241), calls(250)), (Some(10), Some(0), Some(0)));
    assert_eq!(calls(260), Some(10), "one process calls, not two");
}

/// Until it has fetched somebody, a caller has nobody to call: that fails without an attempt.
#[test]
fn without_an_instance_a_call_fails_at_once() {
    let plan = with(&plan("5m", ", retries = 3, cache-ttl = \"35s\"", ""), |setup| {
        // Both start together.
        setup.clients.iter_mut().for_each(|client| client.start = Some(Instant::ZERO));
    });
    let failed = events(&plan, "call-failed");
    assert!(failed.len() > 100, "{}", failed.len());
    assert!(failed.iter().all(|event| event["outcome"] == "no-instance" && event["id"].is_null()));
    // An empty list is not kept: what is fetched is called at once.
    let last = ms(failed.last().expect("there are some"));
    let lists = events(&plan, "balancer");
    assert_eq!((&lists[0]["from"], &lists[0]["to"]), (&json!(0), &json!(3)));
    assert!(ms(&lists[0]) - last <= 100.0 + 1e-6, "{last} {}", lists[0]);
    let [calls, attempts, failed, _] = counts(&plan);
    assert_eq!(attempts, calls - failed);
}

/// The list is older by up to its time to live, from its writing on.
#[test]
fn a_balancer_keeps_its_list() {
    let last = |calls: &str| {
        let to_dead = events(&plan("12m", calls, DEAD), "call-to-dead");
        ms(to_dead.last().expect("there are some"))
    };
    let (none, some) = (last(""), last(", cache-ttl = \"35s\""));
    assert!(some > none && some <= none + 35_000.0, "{none} {some}");
    let lists = events(&plan("12m", ", cache-ttl = \"35s\"", DEAD), "balancer");
    let (first, final_list) = (&lists[0], lists.last().expect("there are some"));
    assert_eq!((&first["to"], &final_list["to"]), (&json!(3), &json!(2)));
    assert!(ms(final_list) > some);
    assert!(lists.len() <= 3, "a list that is the same as before is no event: {lists:?}");
}

/// Three failures, 10 s without it; then one more for 20 s, and one more for 30 s each.
#[test]
fn a_circuit_breaker_leaves_out_who_fails() {
    let attempts = |calls: &str| events(&plan("6m", calls, DEAD), "call-failed");
    let failed = attempts(", circuit-breaker = true");
    let gaps: Vec<u64> =
        failed.windows(2).map(|pair| ((ms(&pair[1]) - ms(&pair[0])) / 1000.0) as u64).collect();
    assert_eq!(gaps, [0, 0, 10, 20, 30, 30]);
    assert!(attempts("").len() > 300);
    // With all of them dead, all are called all the same.
    let all = DEAD.replace("instance:PROVIDER/1", "app:PROVIDER");
    let [_, _, failed, _] = counts(&plan("6m", ", circuit-breaker = true", &all));
    assert!(failed >= 1190, "{failed}");
}

/// An instance that runs again under its old name is alive.
#[test]
fn a_new_process_of_the_same_name_is_not_dead() {
    let fault = "[[timeline]]\nat = \"4m\"\nrestart = { select = \"instance:PROVIDER/1\", down = \"20s\" }\n";
    let plan = plan("6m", "", fault);
    let to_dead = events(&plan, "call-to-dead");
    assert!(ms(to_dead.last().expect("there are some")) < 260_000.0);
    let staleness = recorded(&plan).summary.staleness.expect("somebody calls");
    assert_eq!(staleness.len(), 1);
    assert_eq!(staleness[0].calls, to_dead.len() as u64);
    // It was offered all the time.
    assert_eq!((staleness[0].seconds.registry, staleness[0].seconds.fetch), (None, None));
}

/// Somebody who was registered from outside has no process to call.
#[test]
fn who_never_ran_is_dead_but_not_stale() {
    let body = r#"{"instance":{"instanceId":"x","app":"PROVIDER","hostName":"x","ipAddr":"1.1.1.1","status":"UP","dataCenterInfo":{"name":"MyOwn"}}}"#;
    let call = format!(
        "[[timeline]]\nat = \"90s\"\ncall = {{ server = \"eureka-0\", method = \"POST\", path = \"/apps/PROVIDER\", body = '{body}' }}\n"
    );
    let plan = plan("4m", "", &call);
    let to_dead = events(&plan, "call-to-dead");
    assert!(to_dead.len() > 100 && to_dead[0]["dead_ms"].is_null());
    assert_eq!(recorded(&plan).summary.staleness.as_deref(), Some(&[][..]));
}

#[test]
fn staleness_is_told_layer_by_layer() {
    let stop = "[[timeline]]\nat = \"4m\"\nstop = \"instance:PROVIDER/1\"\n[[timeline]]\nat = \"6m\"\nkill = \"instance:PROVIDER/2\"\n";
    let recording = recorded(&plan("20m", ", cache-ttl = \"35s\"", stop));
    let dead = recording.summary.staleness.as_deref().expect("somebody calls");
    let [killed, stopped] = dead else { panic!("two died: {dead:?}") };
    assert_eq!((killed.process.as_str(), killed.how), ("PROVIDER/2", "kill"));
    assert_eq!((stopped.process.as_str(), stopped.how), ("PROVIDER/1", "stop"));
    for (dead, most) in [(killed, [240.0, 270.0, 300.0, 335.0]), (stopped, [0.0, 30.0, 60.0, 95.0])]
    {
        let of = dead.seconds;
        let layers = [of.registry, of.read_only_cache, of.fetch, of.balancer];
        let layers = layers.map(|layer| layer.expect("every layer forgets it"));
        assert!(layers.is_sorted(), "{dead:?}");
        for (layer, most) in layers.into_iter().zip(most) {
            assert!(layer <= most, "{dead:?}");
        }
        assert_eq!(of.read_write_cache, of.registry);
        let last = of.last_call.expect("it was called");
        assert!(last > of.fetch.expect("seen above") && last < layers[3], "{dead:?}");
    }
}

/// Nobody stopped it: it may not run before it is registered, and is cut off.
#[test]
fn a_process_whose_client_cannot_be_made_ends_by_itself() {
    let entry = |at: &str, action: &str| format!("[[timeline]]\nat = \"{at}\"\n{action}\n");
    let rest = "[eureka.client]\nshould-enforce-registration-at-init = true\n".to_owned()
        + &entry("4m", "kill = \"instance:PROVIDER/1\"")
        + &entry(
            "5m",
            "partition = { from = \"instance:PROVIDER/1\", to = \"servers\", mode = \"refuse\" }",
        )
        + &entry("5m1s", "start = \"instance:PROVIDER/1\"");
    let recording = recorded(&plan("10m", "", &rest));
    let dead = recording.summary.staleness.as_deref().expect("somebody calls");
    let how: Vec<(&str, &str)> = dead.iter().map(|it| (it.process.as_str(), it.how)).collect();
    assert_eq!(how.len(), 2, "{dead:?}");
    assert!(
        how.contains(&("PROVIDER/1", "kill")) && how.contains(&("PROVIDER/1", "exit")),
        "{how:?}"
    );
}

#[test]
fn metrics_of_calls_are_of_whom_they_ask_for() {
    let expectations = r#"
[[apps]]
name = "QUIET"
instances = 1
start = "11m"
calls = { app = "PROVIDER", per-second = 1 }
[[expect]]
metric = "traffic-to-dead"
during = "0s..4m"
equals = 0
[[expect]]
metric = "traffic-to-dead"
app = "PROVIDER"
at = "5m"
above = 190
below = 210
[[expect]]
metric = "traffic-to-dead"
view = "QUIET/0"
equals = 0
[[expect]]
metric = "traffic-to-dead"
instance = "PROVIDER/2"
equals = 0
[[expect]]
metric = "traffic-to-dead-share"
at = "4m"
within = "1m"
at-least = "10%"
[[expect]]
metric = "traffic-to-dead-share"
at-most = "30%"
[[expect]]
metric = "staleness"
at = "5m"
at-least = 59.6
at-most = 60
[[expect]]
event = "call-to-dead"
app = "PROVIDER"
during = "4m..5m"
at-least = 190
"#;
    for verdict in recorded(&plan("12m", "", &format!("{DEAD}{expectations}"))).summary.expectations
    {
        assert!(verdict.ok, "{verdict:?}");
    }
}

/// Consumers have random numbers of their own: with and without them, Eureka's traffic is the same.
#[test]
fn calls_change_nothing_of_eureka() {
    let with = plan("8m", ", retries = 1", DEAD);
    let without = without_calls(&with);
    let of_calls = ["calls", "call-failed", "call-to-dead", "balancer", "view"];
    let eureka = |plan: &Plan| {
        let mut events = events_of(plan, EventLevel::All);
        events.retain(|event| !of_calls.iter().any(|kind| event["event"] == *kind));
        events
    };
    assert_eq!(eureka(&with), eureka(&without));
    assert!(events(&with, "view").iter().all(|view| view["client"] == "CALLER/0"));
    assert!(events(&without, "view").is_empty());
}

#[test]
fn runs_with_calls_are_deterministic_and_nobody_who_watches_changes_them() {
    let lossy = network_fault("lossy = { from = \"all\", to = \"app:PROVIDER\", loss = \"30%\" }");
    let calls = ", retries = 2, cache-ttl = \"20s\", circuit-breaker = true";
    let plan = plan("8m", calls, &format!("{DEAD}{lossy}"));
    let (digest, handled) = study::digest::<TimingWheel<_>>(&plan);
    assert_eq!(study::digest::<Heap<_>>(&plan), (digest, handled));
    let mut watch = Watch::<true>::new(&plan);
    let sink = SharedBuffer::default();
    watch.events = Some(EventLog::new(EventLevel::All, &plan, Box::new(sink)));
    let (recording, _) = study::run(&plan, watch, &mut ()).expect("nobody interrupts");
    assert_eq!((recording.summary.digest, recording.summary.events), (digest.to_string(), handled));
    // How many calls were answered is part of it.
    let other = with(&plan, |setup| {
        setup.calls[0].every = setup.calls[0].every + Span::from_millis(1);
    });
    assert_ne!(study::digest::<TimingWheel<_>>(&other).0, digest);
}

/// A call that is answered costs the one event that makes it.
#[test]
fn an_answered_call_is_one_event() {
    let handled = |plan: &Plan| study::digest::<TimingWheel<_>>(plan).1;
    let plan = plan("6m", "", "");
    let [calls, ..] = counts(&plan);
    let more = handled(&plan) - handled(&without_calls(&plan));
    assert_eq!(more, calls + 360, "and one for every second");
}

#[test]
fn reports_show_calls_only_if_there_are_any() {
    let with = plan("8m", ", cache-ttl = \"35s\"", DEAD);
    let without = without_calls(&with);
    let csv = |plan: &Plan| {
        let recording = recorded(plan);
        let mut bytes = Vec::new();
        let calls = !plan.setup.calls.is_empty();
        series_csv(&recording.series, &recording.labels, calls, &mut bytes).expect("into memory");
        String::from_utf8(bytes).expect("CSV is text")
    };
    let columns = "callsLastSec,callsFailedLastSec,callsToDeadLastSec,callsToDead";
    let (some, none) = (csv(&with), csv(&without));
    assert!(some.lines().next().expect("a header").ends_with(columns));
    let row = some.lines().find(|row| row.starts_with("250000,")).expect("a row a second");
    assert!(row.ends_with(",10,3,3,33") || row.ends_with(",10,4,4,34"), "{row}");
    assert!(!none.contains("calls"));
    let texts = |plan: &Plan| {
        let recording = recorded(plan);
        let json = serde_json::to_string(&recording.summary).expect("a summary is JSON");
        let figure = Figure::RegistrySize.svg(plan, &recording);
        (summary_text(&recording, ""), json, figure, check_text(plan))
    };
    let (text, json, figure, check) = texts(&with);
    assert!(text.contains("attempts") && text.contains("PROVIDER/1"), "{text}");
    assert!(text.contains("it stayed in a registry up to"), "{text}");
    assert!(json.contains("\"staleness\":[{\"instance\":\"PROVIDER/provider-0001\""), "{json}");
    assert!(figure.contains("to the dead"));
    assert!(check.contains("one instance calls"), "{check}");
    let consumer = &CheckReport::new(&with).consumers[0];
    assert_eq!((consumer.stale_after_stop_s, consumer.stale_after_crash_s), (95.0, 335.0));
    let (text, json, figure, check) = texts(&without);
    assert!(!text.contains("called") && !json.contains("staleness"));
    assert!(!figure.contains("to the dead") && !check.contains("call"));
}
