//! What is made of a run: events as they are written, verdicts, what figures show.

use eureka_sim::observe::{EventLevel, EventLog, Recording, Watch};
use eureka_sim::report::{CheckReport, Figure};
use eureka_sim::scenario::Plan;
use eureka_sim::study::{self, Pulse};
use eureka_sim::time::Instant;
use serde_json::Value;

use crate::support::{SharedBuffer, events_of, plan_of};

fn plan(duration: &str, rest: &str) -> Plan {
    plan_of(&format!("schema = 1\nduration = \"{duration}\"\n{rest}"))
}

fn recorded(plan: &Plan) -> Recording {
    study::run(plan, Watch::<false>::new(plan), &mut ()).expect("nobody interrupts").0
}

fn t_ms(event: &Value) -> f64 {
    event["t_ms"].as_f64().expect("an event has a time")
}

/// The windows of faults, `what from – to`, in the order they are drawn.
fn windows(recording: &Recording) -> Vec<String> {
    let faults = recording.timespans.faults().iter();
    faults.map(|fault| format!("{} {} – {}", fault.what, fault.from, fault.to)).collect()
}

fn details(recording: &Recording) -> Vec<(bool, &str)> {
    let verdicts = recording.summary.expectations.iter();
    verdicts.map(|verdict| (verdict.ok, verdict.detail.as_str())).collect()
}

/// How far behind the run its file is, at worst, once a server has died.
struct Behind(SharedBuffer, f64);

impl Pulse for Behind {
    fn beat(&mut self, now: Instant, _events: u64) -> bool {
        let now = now.nanos() as f64 / 1e6;
        if now > 600_000.0 {
            let text = self.0.text();
            let last = text.lines().last().expect("something is written");
            let last: Value = serde_json::from_str(last).expect("a line is JSON");
            self.1 = self.1.max(now - t_ms(&last));
        }
        true
    }
}

/// Batches take a second, so that at every time some are under way.
const BATCHES: &str = r#"
[cluster]
flavor = "netflix"
servers = 2
[network]
latency = "500ms"
[eureka.instance]
lease-renewal-interval-in-seconds = 1
[[apps]]
name = "A"
instances = 40
"#;

#[test]
fn events_do_not_wait_for_the_batches_of_the_dead() {
    let of_the_first =
        |line: &&Value| line["event"] == "replication-batch" && line["from"] == "eureka-0";
    // While a batch is on its way.
    let calm = events_of(&plan("11m", BATCHES), EventLevel::All);
    let sent = calm.iter().filter(of_the_first).map(t_ms).find(|sent| *sent > 600_000.0);
    let at = sent.expect("it sends batches") as u64 + 100;
    for fault in ["kill", "stop"] {
        let dies = format!("[[timeline]]\nat = \"{at}ms\"\n{fault} = \"server:eureka-0\"\n");
        let plan = plan("20m", &format!("{BATCHES}{dies}"));
        let buffer = SharedBuffer::default();
        let mut watch = Watch::<false>::new(&plan);
        watch.events = Some(EventLog::new(EventLevel::All, &plan, Box::new(buffer.clone())));
        let mut behind = Behind(buffer.clone(), 0.0);
        let _ = study::run(&plan, watch, &mut behind).expect("nobody interrupts");
        assert!(behind.1 < 20_000.0, "{fault}: {} ms behind", behind.1);
        // In their place, and pending, as at the end of a run.
        let lines: Vec<Value> =
            buffer.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(lines.is_sorted_by_key(t_ms), "{fault}");
        let of_the_dead =
            |line: &&Value| line["event"] == "replication-batch" && line["from"] == "eureka-0";
        let last = lines.iter().rfind(of_the_dead).expect("it sent batches");
        assert_eq!(last["outcome"], "pending", "{last}");
    }
}

#[test]
fn a_step_of_many_clocks_is_one_window_that_says_how_far() {
    let step = |at: &str, select: &str, by: &str| {
        format!(
            "[[timeline]]\nat = \"{at}\"\nstep-clock = {{ select = \"{select}\", by = \"{by}\" }}\n"
        )
    };
    let text = format!(
        "[[apps]]\nname = \"A\"\ninstances = 30\n{}{}{}",
        step("20s", "app:A", "500ms"),
        step("30s", "app:A", "-90s"),
        step("40s", "server:eureka-0", "2s"),
    );
    let windows = windows(&recorded(&plan("1m", &text)));
    assert_eq!(
        windows,
        ["clock +500ms 20s – 20s", "clock -1m30s 30s – 30s", "clock +2s eureka-0 40s – 40s"]
    );
}

#[test]
fn a_pause_ends_with_its_process_and_a_skew_with_its_time() {
    let text = r#"
[[apps]]
name = "A"
instances = 2
[[timeline]]
at = "60s"
for = "2m"
pause = "server:eureka-0"
[[timeline]]
at = "90s"
kill = "server:eureka-0"
[[timeline]]
at = "100s"
for = "30s"
skew-clock = { select = "app:A", ppm = 200 }
"#;
    let windows = windows(&recorded(&plan("5m", text)));
    assert_eq!(
        windows,
        ["pause eureka-0 1m00s – 1m30s", "kill eureka-0 1m30s – 1m30s", "skew 1m40s – 2m10s"]
    );
}

#[test]
fn arriving_renewals_fall_to_nothing_when_nobody_beats_any_more() {
    let text = r#"
[[apps]]
name = "A"
instances = 10
[[timeline]]
at = "5m"
kill = "app:A"
[[timeline]]
at = "5m"
kill = "server:eureka-0"
"#;
    let recording = recorded(&plan("10m", text));
    let rates = recording.timespans.rates();
    assert!(rates.iter().any(|rate| rate.per_minute > 0));
    let last = rates.last().expect("there are some");
    assert_eq!((last.at.to_string().as_str(), last.per_minute), ("10m00s", 0));
}

/// Where polylines of a figure begin and end, in columns.
fn columns(svg: &str) -> Vec<(i32, i32)> {
    let points = svg.split("<polyline").skip(1).filter_map(|line| {
        let points = line.split("points=\"").nth(1)?.split('"').next()?;
        let mut columns = points
            .split_whitespace()
            .filter_map(|point| point.split(',').next()?.parse::<i32>().ok());
        let first = columns.next()?;
        Some((first, columns.next_back().unwrap_or(first)))
    });
    points.collect()
}

#[test]
fn a_curve_is_broken_while_its_server_does_not_run() {
    let text = r#"
[observe]
every = "change"
[cluster]
servers = 1
[[apps]]
name = "A"
instances = 5
[[timeline]]
at = "10m"
kill = "server:eureka-0"
[[timeline]]
at = "20m"
start = "server:eureka-0"
"#;
    let plan = plan("30m", text);
    let recording = recorded(&plan);
    let svg = Figure::RegistrySize.svg(&plan, &recording);
    // The width of half an hour: minute 10 to 20 is the second third.
    let server = svg
        .split("<polyline")
        .filter(|line| line.contains("#0072B2") && line.contains("stroke-width=\"3\""));
    let server: String = server.map(|line| format!("<polyline{line}")).collect();
    let (left, right) = (78, 1200 - 178);
    let at = |minute: i32| left + (right - left) * minute / 30;
    let across = columns(&server)
        .into_iter()
        .filter(|(from, to)| *from < at(15) && *to > at(15) && *from >= left && *to < right + 2);
    assert_eq!(across.count(), 0, "{server}");
    // It is drawn up to the very end of its process.
    assert!(
        columns(&server).iter().any(|(_, to)| (at(10) - 1..=at(10) + 1).contains(to)),
        "{server}"
    );
}

#[test]
fn what_was_never_so_shows_the_value_of_the_server_that_missed_it() {
    let text = r#"
[cluster]
servers = 2
[[apps]]
name = "A"
instances = 3
servers = ["eureka-1"]
[[timeline]]
at = "0s"
partition = { from = "server:eureka-0", to = "server:eureka-1" }
[[expect]]
metric = "registry-size"
app = "A"
at = "100s"
within = "30s"
equals = 3
[[expect]]
metric = "lease-expiration-enabled"
at = "20s"
within = "5s"
equals = true
[[expect]]
metric = "status"
instance = "A/0"
at = "100s"
within = "30s"
equals = "UP"
"#;
    let recording = recorded(&plan("5m", text));
    let details = details(&recording);
    for ((ok, detail), wanted) in details.into_iter().zip([
        "never so at eureka-0; last seen 0 at 2m",
        "never so at eureka-0; last seen false at 2",
        "never so at eureka-0; last seen ABSENT at 2m",
    ]) {
        assert!(!ok && detail.starts_with(wanted), "{detail}");
    }
}

/// A client that fetches from a registry in which versions change more often than what it sees.
const VIEWS: &str = r#"
[observe]
views = true
[cluster]
servers = 1
[[apps]]
name = "A"
instances = 4
[[timeline]]
at = "4m"
step-clock = { select = "app:A", by = "1s" }
[[timeline]]
at = "5m"
set-metadata = { select = "app:A", key = "k", value = "v" }
[[timeline]]
at = "7m"
set-status = { select = "instance:A/0", status = "DOWN" }
[[timeline]]
at = "9m"
kill = "instance:A/1"
"#;

#[test]
fn expectations_count_the_lines_of_events() {
    let kinds = [
        "start",
        "exit",
        "listening",
        "closed",
        "open-for-traffic",
        "request",
        "failed",
        "replication-batch",
        "evict-run",
        "view",
        "local-status",
        "fault",
        "register",
        "renew",
        "cancel",
        "expired-lease",
        "override",
        "threshold",
        "bucket",
        "self-preservation",
        "below-renew-threshold",
    ];
    let expect = |kind: &str| format!("[[expect]]\nevent = \"{kind}\"\nat-least = 0\n");
    let expects: String = kinds.iter().map(|kind| expect(kind)).collect();
    let plan = plan("20m", &format!("{VIEWS}{expects}"));
    let (recording, changes, all) =
        (recorded(&plan), events_of(&plan, EventLevel::Changes), events_of(&plan, EventLevel::All));
    let mut wrong = Vec::new();
    for (kind, (_, detail)) in kinds.iter().zip(details(&recording)) {
        let lines = |events: &[Value]| events.iter().filter(|line| line["event"] == **kind).count();
        // What only `--events all` lists is counted all the same.
        let listed = match lines(&changes) {
            0 if !["evict-run", "bucket"].contains(kind) => lines(&all),
            listed => listed,
        };
        let counted: usize =
            detail.split(' ').next().and_then(|count| count.parse().ok()).expect("a count");
        if counted != listed {
            wrong.push(format!("{kind}: {counted} counted, {listed} listed"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The registry of an application and what a client sees of it, through restarts of both.
#[test]
fn what_is_counted_by_application_follows_the_registry_and_the_view() {
    let text = r#"
[cluster]
servers = 1
[[apps]]
name = "A"
instances = 4
[[apps]]
name = "B"
instances = 3
[[timeline]]
at = "4m"
stop = "instance:A/0"
[[timeline]]
at = "10m"
restart = { select = "server:eureka-0", down = "10s" }
[[timeline]]
at = "20m"
kill = "instance:B/0"
[[timeline]]
at = "21m"
start = "instance:B/0"
"#;
    let expect = |more: &str| format!("[[expect]]\nmetric = \"registry-size\"\n{more}\n");
    let expects: String = [
        "app = \"A\"\nat = \"3m\"\nequals = 4",
        "app = \"B\"\nat = \"3m\"\nequals = 3",
        "app = \"A\"\nat = \"9m\"\nequals = 3",
        "app = \"A\"\nat = \"10m15s\"\nequals = 0",
        "app = \"A\"\nat = \"end\"\nequals = 3",
        "app = \"B\"\nat = \"end\"\nequals = 3",
        "view = \"B/0\"\nat = \"19m\"\nequals = 6",
        "view = \"B/0\"\napp = \"B\"\nat = \"19m\"\nequals = 3",
        "view = \"B/0\"\napp = \"B\"\nat = \"20m30s\"\nequals = 0",
        "view = \"B/0\"\napp = \"A\"\nat = \"end\"\nequals = 3",
        "view = \"B/0\"\napp = \"B\"\nat = \"end\"\nequals = 3",
    ]
    .map(expect)
    .concat();
    let recording = recorded(&plan("30m", &format!("{text}{expects}")));
    eprintln!("{:#?}", details(&recording));
    for verdict in &recording.summary.expectations {
        assert!(verdict.ok, "{verdict:?}");
    }
}

fn checked(rest: &str) -> CheckReport {
    CheckReport::new(&plan("1m", rest))
}

#[test]
fn the_check_computes_thresholds_as_the_registry_does() {
    let cluster = |flavor: &str, interval: i32| {
        format!(
            "[cluster]\nflavor = \"{flavor}\"\nservers = 2\n[eureka.server]\n\
             expected-client-renewal-interval-seconds = {interval}\n[[apps]]\nname = \"A\"\n\
             instances = 10\n"
        )
    };
    for flavor in ["netflix", "spring-cloud"] {
        for interval in [0, -1, 30, 7] {
            let text = cluster(flavor, interval);
            let server = &checked(&text).servers[0];
            // The registry's own answer, once the 15-minute task has run.
            let run = recorded(&plan("20m", &text)).summary;
            let threshold = server.threshold_after_update.unwrap_or(server.threshold);
            assert_eq!(Some(threshold), run.servers[0].threshold, "{flavor} {interval}");
        }
    }
}

#[test]
fn a_threshold_that_is_not_positive_is_not_said_to_evict() {
    let text = "[eureka.server]\nrenewal-percent-threshold = -0.5\n[[apps]]\nname = \"A\"\ninstances = 10\n";
    let report = checked(text);
    let of = |code: &str| {
        let warning = report.warnings.iter().find(|warning| warning.code == code);
        &warning.unwrap_or_else(|| panic!("{code} in {:?}", report.warnings)).text
    };
    assert!(of("H002").contains("unless self-preservation is off"), "{}", of("H002"));
    assert!(of("H003").contains("threshold is -1"), "{}", of("H003"));
}

/// It changes by time alone, even of a clock that is stepped; the run says so with a fact.
#[test]
fn a_warning_that_comes_by_time_alone_is_seen_at_its_instant() {
    for (sampled, when) in [("1s", ""), ("7m", "step-clock"), ("7m", "skew-clock")] {
        let fault = match when {
            "" => String::new(),
            "step-clock" => "[[timeline]]\nat = \"60s\"\nstep-clock = { select = \"server:eureka-0\", by = \"-30s\" }\n".to_owned(),
            skew => format!("[[timeline]]\nat = \"60s\"\n{skew} = {{ select = \"server:eureka-0\", ppm = 900 }}\n"),
        };
        let text = format!(
            "[observe]\nevery = \"{sampled}\"\n[cluster]\nflavor = \"netflix\"\nservers = 1\n{fault}\
             [eureka.client]\nregister-with-eureka = false\n[[expect]]\n\
             metric = \"below-renew-threshold\"\nequals = false\n"
        );
        let plan = plan("20m", &text);
        let events = events_of(&plan, EventLevel::Changes);
        let on = events.iter().find(|event| event["event"] == "below-renew-threshold");
        let nanos = (t_ms(on.expect("it warns")) * 1e6) as u64;
        let recording = recorded(&plan);
        let wanted = format!("true (eureka-0 at {})", Instant::from_nanos(nanos));
        assert_eq!(details(&recording), [(false, wanted.as_str())], "{when}");
    }
}

/// What a server expects is set anew when it is opened: those who came before are forgotten.
#[test]
fn check_warns_of_a_fleet_that_starts_before_its_servers_are_open() {
    let warned = |servers: u32, first: &str| {
        let fleet = format!(
            "[cluster]\nservers = {servers}\n[[apps]]\nname = \"A\"\ninstances = 40\nstart = {{ first = \"{first}\", every = \"250ms\" }}"
        );
        let warnings = CheckReport::new(&plan("20m", &fleet)).warnings;
        let expected = |at: u64| {
            let recording = recorded(&plan("20m", &fleet));
            let rows = recording.series.rows().iter();
            let mut rows = rows.filter(|row| row.server.index() == 0);
            let row = rows.rfind(|row| row.at.nanos() <= at * 1_000_000_000);
            row.map_or(0, |row| row.gauges.expected_number_of_clients_sending_renews)
        };
        // The servers themselves, which are two at most, may come early or late in any case.
        let forgotten = expected(600) + 2 < expected(1_000);
        (warnings.iter().any(|warning| warning.code == "H007"), forgotten)
    };
    assert_eq!(warned(2, "5s"), (true, true));
    assert_eq!(warned(2, "70s"), (false, false));
    assert_eq!(warned(1, "5s"), (false, false));
}

/// Each server that runs has one at the end, which holds whoever is registered there.
#[test]
fn registries_at_the_end_are_events_that_can_be_expected() {
    let expect = |rest: &str| format!("[[expect]]\nevent = \"registry\"\n{rest}\n");
    let plan = plan(
        "5m",
        &[
            "[cluster]\nservers = 3\n[[apps]]\nname = \"A\"\ninstances = 1\nstart = \"2m\"\n",
            "[[timeline]]\nat = \"4m\"\nkill = \"server:eureka-2\"\n",
            &expect("equals = 2"),
            &expect("equals = 1\nserver = \"eureka-0\"\nat = \"end\""),
            &expect("never = true\nserver = \"eureka-2\""),
            &expect("equals = 2\ninstance = \"A/0\""),
            &expect("never = true\nduring = \"0s..4m59s\""),
        ]
        .concat(),
    );
    let recording = recorded(&plan);
    assert_eq!(details(&recording).len(), 5);
    for verdict in &recording.summary.expectations {
        assert!(verdict.ok, "{verdict:?}");
    }
    let lines = events_of(&plan, EventLevel::All);
    assert_eq!(lines.iter().filter(|line| line["event"] == "registry").count(), 2);
}
