//! `run --trace` of clusters and misfortunes nobody chose: every trace is one of the words of
//! `golden/README.md`, and the core redoes each server process from its file alone.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::Cursor;

use eureka_sim::observe::EventLevel;
use eureka_sim::replay;
use eureka_sim::sim::queue::Heap;
use eureka_sim::study;
use proptest::prelude::*;
use serde_json::Value;

use crate::settling::observed;
use crate::support::{events_of, plan_of, traces};

/// One of each class of releases, and the first with another rule of replication.
const RELEASES: [&str; 14] = [
    "1.3.4", "1.4.4", "1.4.8", "1.4.10", "1.6.2", "1.7.0", "1.8.6", "1.8.8", "1.9.3", "1.9.6",
    "1.9.8", "1.10.18", "2.0.6", "2.0.6",
];

/// A server: flavour, release, what it is configured to do, when it starts.
#[derive(Clone, Debug)]
struct Server {
    spring: bool,
    release: usize,
    settings: Vec<usize>,
    start: u8,
}

const SETTINGS: [&str; 17] = [
    "enable-self-preservation = false",
    "renewal-percent-threshold = 0.5",
    "renewal-percent-threshold = 0.2",
    "eviction-interval-timer-in-ms = 7000",
    "eviction-interval-timer-in-ms = 13001",
    "renewal-threshold-update-interval-ms = 20000",
    "renewal-threshold-update-interval-ms = 45000",
    "expected-client-renewal-interval-seconds = 10",
    "wait-time-in-ms-when-sync-empty = 0",
    "registry-sync-retries = 2",
    "registry-sync-retry-wait-ms = 3000",
    "response-cache-update-interval-ms = 5000",
    "use-read-only-response-cache = false",
    "sync-when-timestamp-differs = false",
    "disable-delta = true",
    "retention-time-in-m-s-in-delta-queue = 20000",
    "response-cache-auto-expiration-in-seconds = 11",
];

/// What happens: `S` and `T` are servers, `I` is an instance.
const FAULTS: [&str; 46] = [
    "kill = \"I\"",
    "stop = \"I\"",
    "start = \"I\"",
    "restart = { select = \"I\", down = \"3s\" }",
    "restart = { select = \"S\", down = \"4s\" }",
    "restart = { select = \"S\", down = \"25s\", graceful = true }",
    "stop = \"S\"",
    "start = \"S\"",
    "pause = \"S\"",
    "pause = [\"S\", \"T\"]",
    "pause = \"I\"",
    "step-clock = { select = \"S\", by = \"50s\" }",
    "step-clock = { select = \"S\", by = \"-70s\" }",
    "step-clock = { select = \"I\", by = \"20s\" }",
    "step-clock = { select = \"I\", by = \"-20s\" }",
    "skew-clock = { select = \"S\", ppm = 1300 }",
    "skew-clock = { select = \"S\", ppm = -40000 }",
    "override-status = { select = \"I\", status = \"OUT_OF_SERVICE\", server = \"S\" }",
    "override-status = { select = \"I\", status = \"UP\", server = \"S\" }",
    "override-status = { select = \"I\", status = \"DOWN\", server = \"S\" }",
    "delete-override = { select = \"I\", server = \"S\" }",
    "delete-override = { select = \"I\", server = \"S\", status = \"UP\" }",
    "deregister = { select = \"I\", server = \"S\" }",
    "set-metadata = { select = \"I\", key = \"k\", value = \"v\", server = \"S\" }",
    "set-metadata = { select = \"I\", key = \"k\", value = \"w\" }",
    "set-status = { select = \"I\", status = \"DOWN\" }",
    "set-status = { select = \"I\", status = \"UP\" }",
    "call = { server = \"S\", method = \"PUT\", path = \"/apps/A/ID?lastDirtyTimestamp=1700000090000\" }",
    "call = { server = \"S\", method = \"GET\", path = \"/apps/delta\" }",
    "partition = { from = \"S\", to = \"T\", direction = \"one-way\" }",
    "partition = { from = \"S\", to = \"T\", mode = \"refuse\" }",
    "hold = { from = \"S\", to = \"T\" }",
    "slow = { from = \"S\", to = \"T\", latency = \"120ms\" }",
    "lossy = { from = \"servers\", to = \"all\", loss = \"30%\" }",
    "fail = { select = \"S\", status = 503, share = \"50%\" }",
    "set-config = { select = \"S\", key = \"eureka.server.renewal-percent-threshold\", value = 0.4 }",
    "restart = { select = \"S\", down = \"4s\", release = \"1.8.6\" }",
    "restart = { select = [\"S\", \"I\"], down = \"4s\", graceful = true, release = \"2.0.6\" }",
    "set-config = { select = \"S\", key = \"eureka.client.service-url.defaultZone\", value = \"URLS\" }",
    "set-config = { select = \"I\", key = \"eureka.client.service-url.defaultZone\", value = \"URLS\" }",
    "stop = { select = \"S\", drain = \"7s\" }",
    "restart = { select = \"S\", down = \"0s\", graceful = true }",
    "scale = { app = \"A\", to = NUMBER, every = \"2s\" }",
    "scale = { app = \"A\", to = NUMBER, graceful = false }",
    "deploy = { app = \"A\", batch = 2, every = \"3s\", down = \"1s\" }",
    "deploy = { app = \"A\", batch = \"100%\", new-ids = false }",
];

/// What starts an instance, and what adds and removes some.
const STARTS: [usize; 3] = [2, 3, 37];
const SCALE: [usize; 2] = [42, 43];

/// Those that have an end of their own.
const LASTING: [usize; 12] = [8, 9, 10, 15, 16, 29, 30, 31, 32, 33, 34, 34];

#[derive(Clone, Debug)]
struct Case {
    seed: u32,
    arrivals_first: bool,
    eviction_first: bool,
    /// As many connections wait at a frozen process.
    accepted: u8,
    reorder: bool,
    latency: &'static str,
    interval: u8,
    duration: u8,
    instances: u8,
    servers: Vec<Server>,
    /// Tenths of a second, what, at which servers, to which instance, for how many seconds.
    faults: Vec<(u16, usize, usize, usize, u8)>,
}

impl Case {
    fn text(&self) -> String {
        let mut text = format!(
            "schema = 1\nname = \"traced\"\nduration = \"4m\"\nseed = {}\n[network]\nlatency = \"{}\"\n\
             accept-count = {}\nreorder = {}\n[sim]\nresume = \"{}\"\nrotation = \"{}\"\n[eureka.instance]\nlease-renewal-interval-in-seconds = {}\n\
             lease-expiration-duration-in-seconds = {}\n[eureka.client]\n\
             registry-fetch-interval-seconds = 5\n",
            self.seed,
            self.latency,
            self.accepted,
            self.reorder,
            if self.arrivals_first { "arrivals-first" } else { "timers-first" },
            if self.eviction_first { "after-eviction" } else { "before-eviction" },
            self.interval,
            self.duration,
        );
        let mut add = |line: String| writeln!(text, "{line}").expect("it is a text");
        for (index, server) in self.servers.iter().enumerate() {
            let flavor = if server.spring { "spring-cloud" } else { "netflix" };
            add(format!(
                "[[servers]]\nname = \"s{index}\"\nflavor = \"{flavor}\"\nrelease = \"{}\"\nstart = \"{}s\"",
                RELEASES[server.release], server.start,
            ));
            let mut said = BTreeSet::new();
            for setting in server.settings.iter().map(|&setting| SETTINGS[setting]) {
                if said.insert(setting.split(' ').next()) {
                    add(format!("eureka.server.{setting}"));
                }
            }
        }
        add(format!(
            "[[apps]]\nname = \"A\"\ninstances = {}\ninstance-id = \"a{{index}}:x-{{n}}\"\n\
             start = {{ first = \"1s\", spread = \"40s\" }}",
            self.instances
        ));
        if self.seed.is_multiple_of(2) {
            add("calls = { app = \"A\", per-second = 2, retries = 1, cache-ttl = \"5s\" }"
                .to_owned());
        }
        let scales = self.faults.iter().any(|fault| SCALE.contains(&fault.1));
        for &(at, fault, servers, instance, seconds) in &self.faults {
            if scales && STARTS.contains(&fault) {
                // Those that were removed cannot be started.
                continue;
            }
            let instance = instance % usize::from(self.instances);
            let (one, other) = (servers % self.servers.len(), (servers / 7) % self.servers.len());
            let what = FAULTS[fault];
            // `server = "S"` is a name, elsewhere a selector is wanted.
            let what = what.replace("server = \"S\"", &format!("server = \"s{one}\""));
            let what = what.replace("\"S\"", &format!("\"server:s{one}\""));
            let what = what.replace("\"T\"", &format!("\"server:s{other}\""));
            let what = what.replace("\"I\"", &format!("\"instance:A/{instance}\""));
            let what = what.replace("ID", &format!("a{instance}:x-0"));
            let what = what.replace("NUMBER", &format!("{}", seconds % 9));
            let urls = |server: usize| format!("http://s{server}:8761/eureka/");
            let what = what.replace("URLS", &format!("{},{}", urls(one), urls(other)));
            add(format!("[[timeline]]\nat = \"{}ms\"\n{what}", u32::from(at) * 100));
            if LASTING.contains(&fault) {
                add(format!("for = \"{seconds}s\""));
            }
        }
        text
    }
}

prop_compose! {
    fn server()(
        spring in prop::bool::weighted(0.7),
        release in 0..RELEASES.len(),
        settings in prop::collection::vec(0..SETTINGS.len(), 0..7),
        start in prop::sample::select(vec![0_u8, 0, 0, 5, 50]),
    ) -> Server {
        Server { spring, release, settings, start }
    }
}

prop_compose! {
    fn case()(
        seed in any::<u32>(),
        arrivals_first in any::<bool>(),
        eviction_first in any::<bool>(),
        accepted in prop::sample::select(vec![0_u8, 1, 3, 100]),
        reorder in any::<bool>(),
        latency in prop::sample::select(vec!["0us", "2ms", "1ms..90ms", "130ms", "333us..7ms"]),
        interval in prop::sample::select(vec![3_u8, 5, 30]),
        duration in prop::sample::select(vec![4_u8, 11, 90]),
        instances in 1..7_u8,
        servers in prop::collection::vec(server(), 1..=4),
        faults in prop::collection::vec(
            (0..2300_u16, 0..FAULTS.len(), 0..400_usize, 0..20_usize, 0..=80_u8), 0..16),
    ) -> Case {
        Case { seed, arrivals_first, eviction_first, accepted, reorder, latency, interval, duration, instances, servers, faults }
    }
}

/// The words of `golden/README.md` that a trace of a run uses: operation and fields.
const WORDS: [(&str, &[&str]); 17] = [
    ("init", &[]),
    ("view", &["instances"]),
    ("sync-up", &["attempts"]),
    ("open", &["count"]),
    ("register", &["instance", "app", "replica"]),
    ("renew", &["app", "id", "replica", "overridden", "status", "dirty"]),
    ("cancel", &["app", "id", "replica"]),
    ("status", &["app", "id", "value", "dirty", "replica"]),
    ("delete-status", &["app", "id", "value", "dirty", "replica"]),
    ("metadata", &["app", "id", "meta"]),
    ("batch", &["items"]),
    ("get", &["what", "name", "app"]),
    ("advance", &["ns", "timers"]),
    ("pause", &["ns", "timers"]),
    ("timers", &[]),
    ("step-wall", &["ms"]),
    ("set", &["key", "value"]),
];

/// What is not one of the words of the format in a line.
fn foreign(line: &Value) -> Option<String> {
    let op = line["op"].as_str()?;
    let Some((_, own)) = WORDS.iter().find(|(word, _)| *word == op) else {
        return Some(format!("the operation {op}"));
    };
    let fields = line.as_object()?.keys().map(String::as_str);
    let mut foreign = fields
        .filter(|field| !own.contains(field))
        .filter(|field| !["op", "r", "out", "ev", "wall", "s"].contains(field));
    if let Some(field) = foreign.next() {
        return Some(format!("{op}: the field {field}"));
    }
    let timers = &line["timers"];
    let word = match op {
        "advance" => "exclusive",
        _ => "later",
    };
    (!timers.is_null() && timers != word).then(|| format!("{op}: timers {timers}"))
}

/// Every process has a file of its own, of the format's words only, and the core redoes it.
fn check(text: &str) -> Result<(), String> {
    let plan = plan_of(text);
    let traces = traces(&plan);
    let names: BTreeSet<&String> = traces.iter().map(|(name, _)| name).collect();
    if names.len() != traces.len() {
        return Err(format!("two processes have one file: {names:?}"));
    }
    for (name, trace) in &traces {
        for (number, line) in trace.lines().enumerate() {
            let line: Value = serde_json::from_str(line).expect("a line is JSON");
            if let Some(foreign) = foreign(&line) {
                return Err(format!("{name}:{}: {foreign}", number + 1));
            }
        }
        let first = trace.lines().next().unwrap_or_default();
        if replay::kind_of(first) != Some(replay::TraceKind::Registry) {
            return Err(format!("{name} is no trace"));
        }
        let replayed = replay::replay(Cursor::new(trace)).map_err(|no| format!("{name}: {no}"))?;
        if let Some(first) = replayed.first {
            let of = trace.lines().nth(first.line as usize - 1).unwrap_or_default();
            let of: String = of.chars().take(600).collect();
            let (expected, got) = first.values_at_path();
            return Err(format!(
                "{name}:{} {}: written {expected}, redone {got}\n{of}",
                first.line, first.path
            ));
        }
    }
    Ok(())
}

/// The format makes up a host from the id if it is not told one.
#[test]
fn an_id_that_begins_with_a_colon_has_a_host_all_the_same() {
    let text = "schema = 1\nduration = \"3m\"\n[cluster]\nservers = 2\n[[apps]]\nname = \"A\"\ninstances = 2\ninstance-id = \":{index}\"\n";
    assert_eq!(check(text), Ok(()));
}

/// A skewed clock leaves parts of a millisecond behind: a timer finds its time come where the whole
/// milliseconds of a trace have it come a moment later, or sooner.
#[test]
fn timers_of_a_skewed_clock_see_in_the_trace_what_they_saw() {
    let skews = (1..=9).map(|ppm| {
        format!(
            "[[timeline]]\nat = \"{ppm}s\"\nfor = \"900ms\"\nskew-clock = {{ select = \"server:s0\", ppm = {ppm}71 }}\n"
        )
    });
    let text = format!(
        "schema = 1\nduration = \"5m\"\n[[servers]]\nname = \"s0\"\n[network]\nlatency = \"1ms..90ms\"\n\
         [[apps]]\nname = \"A\"\ninstances = 3\n{}",
        skews.collect::<String>()
    );
    assert_eq!(check(&text), Ok(()));
}

/// Two servers whose clocks and overrides disagree about an instance: the first has stored `first` for
/// it, the second, cut off, `second` with a later timestamp; after the heal it answers 409.
fn conflict(release: &str, first: &str, second: &str, rest: &str) -> String {
    let status = |at: &str, server: &str, query: &str| {
        format!(
            "[[timeline]]\nat = \"{at}\"\ncall = {{ server = \"{server}\", method = \"PUT\", path = \"/apps/A/a/status?{query}\" }}\n"
        )
    };
    format!(
        r#"
schema = 1
duration = "6m"
[cluster]
release = "{release}"
[[servers]]
name = "s0"
register-with-eureka = false
eureka.server.peer-node-read-timeout-ms = 5000
[[servers]]
name = "s1"
register-with-eureka = false
[network]
latency = "2ms"
[[apps]]
name = "A"
instances = 1
instance-id = "a"
servers = ["s0"]
start = "30s"
[[timeline]]
at = "100s"
for = "60s"
partition = {{ from = "server:s0", to = "server:s1" }}
{first}{second}{rest}"#,
        first = status("90s", "s0", first),
        second = status("110s", "s1", second),
    )
}

/// What a server takes over from a peer has no word of its own: it is told so that the registry ends as
/// it did, what it counts included.
#[test]
fn a_copy_taken_over_from_a_peer_is_redone_with_the_override_that_it_replaced() {
    let later = "value=DOWN&lastDirtyTimestamp=1700000300000";
    for release in ["1.7.0", "1.8.8", "1.9.3", "2.0.6"] {
        let text = conflict(release, "value=OUT_OF_SERVICE", later, "");
        assert_eq!(check(&text), Ok(()), "{release}");
        let traces = traces(&plan_of(&text));
        assert!(traces[0].1.contains("\"delete-status\""), "{release}: one replaced the other");
        // The instance says DOWN itself meanwhile.
        let down = "[[timeline]]\nat = \"95s\"\nset-status = { select = \"instance:A/0\", status = \"DOWN\" }\n";
        let text = conflict(release, "value=OUT_OF_SERVICE", later, down);
        assert_eq!(check(&text), Ok(()), "{release}");
    }
}

/// The override of a copy stays behind where the instance is gone when the copy comes: no operation does
/// that, so the file ends there, and not with a line that is wrong.
#[test]
fn a_trace_ends_before_what_no_operation_can_say() {
    let later = "value=DOWN&lastDirtyTimestamp=1700000300000";
    let slow = "[[timeline]]\nat = \"159s\"\nfor = \"60s\"\nslow = { from = \"server:s1\", to = \"server:s0\", latency = \"3s\", direction = \"one-way\" }\n";
    let text = conflict("2.0.6", "value=UP", later, slow);
    let plan = plan_of(&text);
    let events = events_of(&plan, EventLevel::All);
    let conflict = events.iter().find(|e| {
        e["event"] == "replication-batch"
            && e["codes"].as_array().is_some_and(|c| c.contains(&409.into()))
    });
    let sent = conflict.expect("there is a conflict")["t_ms"].as_f64().expect("a time") as u64;
    let gone = format!(
        "[[timeline]]\nat = \"{}ms\"\nderegister = {{ select = \"instance:A/0\", server = \"s0\" }}\n",
        sent + 1_000
    );
    let text = format!("{text}{gone}");
    assert_eq!(check(&text), Ok(()));
    let traces = traces(&plan_of(&text));
    let last = |name: &str| {
        let (_, trace) = traces.iter().find(|(file, _)| file == name).expect("it has a trace");
        let line: Value =
            serde_json::from_str(trace.lines().last().unwrap_or_default()).expect("JSON");
        line["wall"].as_i64().expect("a line has a time")
    };
    assert!(last("s0.jsonl") < last("s1.jsonl"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_trace_of_any_server_is_redone_from_its_file(case in case()) {
        let text = case.text();
        if let Err(no) = check(&text) {
            return Err(TestCaseError::fail(format!("{no}\n{text}")));
        }
        let plan = plan_of(&text);
        let (digest, handled) = study::digest::<Heap<_>>(&plan);
        prop_assert_eq!((digest.to_string(), handled), observed(&plan), "{}", text);
    }
}
