//! The metrics of a whole cluster: replication, divergence, convergence, bytes, registrations by
//! cause; as expectations and as columns.

use eureka_sim::eureka::{InstanceKey, InstanceStatus};
use eureka_sim::observe::{EventLevel, PairRow, Recording, Watch};
use eureka_sim::report::{Figure, divergence_csv, series_csv};
use eureka_sim::scenario::{Metric, Plan};
use eureka_sim::sim::queue::TimingWheel;
use eureka_sim::sim::{Event, Fact, HostId, Observer, World, WorldView};
use eureka_sim::study;
use eureka_sim::time::Instant;

use crate::support::{events_of, plan_of};

fn plan(duration: &str, rest: &str) -> Plan {
    plan_of(&format!("schema = 1\nduration = \"{duration}\"\n{rest}"))
}

fn recorded(plan: &Plan) -> Recording {
    study::run(plan, Watch::<false>::new(plan), &mut ()).expect("nobody interrupts").0
}

/// Every expectation of a run holds.
fn holds(plan: &Plan) {
    for verdict in recorded(plan).summary.expectations {
        assert!(verdict.ok, "{}: {}", verdict.text, verdict.detail);
    }
}

/// The values of a metric at a server, in the last row up to each of these times (ms).
fn values(recording: &Recording, metric: &str, server: usize, at: &[u64]) -> Vec<f64> {
    let named = |known: &Metric| known.name() == metric;
    let column = recording.series.metrics().iter().position(named).expect("it was asked for");
    let rows = || {
        recording.series.rows_with_metrics().filter(|(row, _)| row.server == HostId::new(server))
    };
    let value = |ms: &u64| {
        let found = rows().take_while(|(row, _)| row.at.nanos() <= ms * 1_000_000).last();
        found.expect("there is a row by then").1[column]
    };
    at.iter().map(value).collect()
}

/// Two servers that are nobody's clients, and three instances at the first that beat so often
/// (seconds). Cut off from one another from 5m to 6m; at 5m10s the first one hears that its instances
/// are out of service.
fn override_lost(servers: u32, mode: &str, beats: u32, rest: &str) -> String {
    format!(
        r#"
[cluster]
servers = {servers}
[eureka.client]
register-with-eureka = false
fetch-registry = false
[[apps]]
name = "A"
instances = 3
start = "10s"
servers = ["eureka-0"]
kind = "rest"
eureka.instance.lease-renewal-interval-in-seconds = {beats}
eureka.instance.lease-expiration-duration-in-seconds = 900
eureka.client.register-with-eureka = true
[[timeline]]
at = "5m"
for = "1m"
partition = {{ from = "server:eureka-0", to = "server:eureka-1", mode = "{mode}" }}
[[timeline]]
at = "5m10s"
override-status = {{ select = "app:A", status = "OUT_OF_SERVICE", server = "eureka-0" }}
{rest}"#
    )
}

fn expect(metric: &str, more: &str) -> String {
    format!("[[expect]]\nmetric = \"{metric}\"\n{more}\n")
}

/// A batch with the three registrations leaves at 10.501 s. The override's three tasks leave at
/// 310.5 s and then every 300 ms (200 for the connect timeout, 100 for the shaper), the last time at
/// 339.9 s: 99 times, and none arrives. At 340 s, 30 s after they were made, they have expired, which
/// is seen when the last batch comes back, at 340.1 s.
#[test]
fn a_lost_override_is_counted_batch_by_batch_and_task_by_task() {
    let end = "at = \"end\"\nserver = \"eureka-0\"\nequals = ";
    let expects = [
        expect("replication-batches", &format!("{end}100")),
        expect("replication-batches-failed", &format!("{end}99")),
        expect("replication-dropped", &format!("{end}3")),
        expect("replication-expired", &format!("{end}3")),
        expect("replication-overflows", &format!("{end}0")),
        expect("replication-expired", "during = \"0s..340099ms\"\nserver = \"sum\"\nequals = 0"),
        expect("replication-expired", "during = \"340100ms..10m\"\nserver = \"sum\"\nequals = 3"),
        expect("replication-batches", "at = \"end\"\nserver = \"eureka-1\"\nequals = 0"),
    ];
    let event = "[[expect]]\nevent = \"replication-dropped\"\n";
    let events = [
        format!("{event}equals = 3\n"),
        format!("{event}equals = 3\napp = \"A\"\nserver = \"eureka-0\"\n"),
        format!("{event}equals = 1\ninstance = \"A/1\"\nduring = \"340100ms..340100ms\"\n"),
        format!("{event}never = true\nserver = \"eureka-1\"\n"),
    ];
    let rest = expects.concat() + &events.concat();
    let plan = plan("10m", &override_lost(2, "blackhole", 600, &rest));
    holds(&plan);
    let all = events_of(&plan, EventLevel::All);
    let dropped = all.iter().filter(|event| event["event"] == "replication-dropped");
    let dropped: Vec<String> = dropped.map(ToString::to_string).collect();
    assert_eq!(dropped.len(), 3);
    assert_eq!(
        dropped[2],
        r#"{"t_ms":340100,"event":"replication-dropped","from":"eureka-0","to":"eureka-1","action":"StatusUpdate","id":"A/a-0000","why":"expired"}"#
    );
    let changes = events_of(&plan, EventLevel::Changes);
    assert!(changes.iter().all(|event| event["event"] != "replication-dropped"));
}

/// Refused batches come back after 1 ms and wait for the next try of their 110 ms. The tasks are too
/// old from 340 s on, and leave the backlog at the first try after that, without another fact.
#[test]
fn the_backlog_falls_when_tasks_expire() {
    let always = "server = \"eureka-0\"\nduring = \"339s..341s\"\nat-least = 0";
    let within = "server = \"eureka-0\"\nat = \"340s\"\nwithin = \"200ms\"\nequals = 0";
    let rest = expect("replication-backlog", always)
        + &expect("replication-backlog", within)
        + "[observe]\nevery = \"change\"\nmetrics = [\"replication-backlog\", \"replication-expired\"]\n";
    let plan = plan("10m", &override_lost(2, "refuse", 600, &rest));
    holds(&plan);
    let recording = recorded(&plan);
    let rows = recording.series.rows_with_metrics();
    let of_first = rows.filter(|(row, _)| row.server == HostId::new(0));
    let late = of_first.skip_while(|(row, _)| row.at.nanos() < 339_900_000_000);
    let late: Vec<_> = late.map(|(row, values)| (row.at.nanos() / 1_000_000, values)).collect();
    let dropped = late.iter().position(|(_, values)| *values == [0.0, 3.0]);
    let dropped = dropped.expect("the tasks are dropped");
    assert_eq!(late[dropped - 1].1, [3.0, 0.0], "they waited until then");
    assert!((340_000..340_110).contains(&late[dropped].0), "{late:?}");
}

/// A buffer for two tasks: the third pushes out the first.
#[test]
fn tasks_without_room_are_counted_apart() {
    let small = "[eureka.server]\nmax-elements-in-peer-replication-pool = 2\n";
    let rest = [
        expect("replication-overflows", "server = \"eureka-0\"\nat = \"end\"\nequals = 1"),
        expect("replication-expired", "server = \"eureka-0\"\nat = \"end\"\nequals = 0"),
        expect("replication-dropped", "server = \"eureka-0\"\nat = \"end\"\nequals = 1"),
        expect("peer-divergence-presence", "at = \"end\"\nequals = 1"),
        expect("peer-divergence-status", "at = \"end\"\nequals = 0"),
    ];
    let quiet = override_lost(2, "blackhole", 600, &rest.concat());
    let (cluster, _) = quiet.split_once("[[timeline]]").expect("it has a timeline");
    holds(&plan("4m", &format!("{small}{cluster}{}", rest.concat())));
}

/// Nothing reconciles an override that its peer missed: 240 s after the heal they still differ.
#[test]
fn a_run_that_never_converges_counts_on() {
    let divergence = [
        expect("peer-divergence", "during = \"5m10s..10m\"\nequals = 3"),
        expect("peer-divergence-status", "during = \"5m10s..10m\"\nequals = 3"),
        expect("peer-divergence-presence", "during = \"11s..10m\"\nequals = 0"),
        expect("convergence-seconds", "during = \"0s..6m\"\nequals = 0"),
        expect("convergence-seconds", "at = \"6m30s\"\nequals = 30"),
        expect("convergence-seconds", "at = \"end\"\nequals = 240"),
    ];
    holds(&plan("10m", &override_lost(2, "blackhole", 30, &divergence.concat())));
    // Of three servers two agree; and a heal of anything else begins anew.
    let slow = "[[timeline]]\nat = \"7m\"\nfor = \"30s\"\nslow = { from = \"clients\", to = \"servers\", latency = \"9ms\" }\n";
    let convergence = [
        expect("convergence-seconds", "at = \"449999ms\"\nequals = 89.999"),
        expect("convergence-seconds", "at = \"7m30s\"\nequals = 0"),
        expect("convergence-seconds", "at = \"end\"\nequals = 150"),
    ];
    let rest = "[observe]\nmetrics = [\"peer-divergence-status\"]\n".to_owned();
    let rest = rest + slow + &convergence.concat();
    let plan = plan("10m", &override_lost(3, "blackhole", 30, &rest));
    holds(&plan);
    let recording = recorded(&plan);
    let pairs = recording.pairs.as_ref().expect("they were asked for").rows();
    let last: Vec<(usize, usize, u64, u64)> = pairs[pairs.len() - 3..]
        .iter()
        .map(|row| (row.server.index(), row.peer.index(), row.between.presence, row.between.status))
        .collect();
    assert_eq!(last, [(0, 1, 0, 3), (0, 2, 0, 0), (1, 2, 0, 3)]);
}

/// While the second server is away, which never agreed, the first one agrees with itself: 60 s. When
/// it is back it has to agree too. At 430.029 s the instances beat, at .530 the second server hears
/// of it and answers 404, at 431.032 it has their registrations: 71.032 s after the heal.
#[test]
fn a_server_that_restarts_before_all_agreed_must_agree_too() {
    let restart =
        "[[timeline]]\nat = \"7m\"\nrestart = { select = \"server:eureka-1\", down = \"10s\" }\n";
    let convergence = [
        expect("convergence-seconds", "at = \"419999ms\"\nequals = 59.999"),
        expect("convergence-seconds", "during = \"7m..429999ms\"\nequals = 60"),
        expect("convergence-seconds", "at = \"7m10s\"\nequals = 70"),
        expect("convergence-seconds", "during = \"431032ms..10m\"\nequals = 71.032"),
        expect(
            "replica-not-found-registrations",
            "server = \"eureka-0\"\nat = \"end\"\nequals = 3",
        ),
        expect(
            "replica-not-found-registrations",
            "server = \"sum\"\nat = \"430530ms\"\nequals = 0",
        ),
        expect(
            "replica-not-found-registrations",
            "server = \"sum\"\nat = \"430531ms\"\nequals = 3",
        ),
    ];
    let rest = format!("{restart}{}", convergence.concat());
    holds(&plan("10m", &override_lost(2, "blackhole", 30, &rest)));
}

/// Once they have agreed, what comes later is no part of it: neither another change nor a restart.
#[test]
fn convergence_is_the_first_agreement_after_the_last_heal() {
    let text = r#"
[cluster]
servers = 3
[eureka.client]
register-with-eureka = false
fetch-registry = false
[[apps]]
name = "A"
instances = 3
start = "10s"
servers = ["eureka-0"]
eureka.client.register-with-eureka = true
[[timeline]]
at = "2m"
for = "30s"
partition = { from = "server:eureka-0", to = "servers" }
[[timeline]]
at = "130s"
set-status = { select = "instance:A/1", status = "DOWN" }
[[timeline]]
at = "2m5s"
for = "5s"
isolate = "server:eureka-2"
[[timeline]]
at = "4m"
set-status = { select = "instance:A/2", status = "DOWN" }
[[timeline]]
at = "5m"
restart = { select = "server:eureka-1", down = "10s" }
"#;
    let at_heal = "during = \"150s..10m\"\nbelow = 1";
    let expects = [
        // The first heal found them agreed.
        expect("convergence-seconds", "during = \"0s..149999ms\"\nequals = 0"),
        expect("convergence-seconds", at_heal),
        expect("convergence-seconds", "during = \"155s..10m\"\nabove = 0"),
        // What came later is there, and does not count.
        expect("peer-divergence-status", "at = \"240100ms\"\nequals = 1"),
        expect("peer-divergence-presence", "at = \"310s\"\nequals = 3"),
        expect("peer-divergence", "at = \"end\"\nequals = 0"),
    ];
    holds(&plan("10m", &format!("{text}{}", expects.concat())));
}

/// Every divergence there is, by comparing everything with everything; and what was recorded.
struct Compared {
    watch: Watch<false>,
    /// At the end of each instant: all, presence, status.
    all: Vec<(Instant, [u64; 3])>,
    pairs: Vec<Vec<PairRow>>,
}

impl Observer for Compared {
    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        self.watch.fact(at, fact, world);
    }

    fn elapsed(&mut self, next: Instant, world: &WorldView<'_>) {
        let running: Vec<HostId> =
            world.server_hosts().filter(|server| world.registry(*server).is_some()).collect();
        let said = |server: HostId, key: InstanceKey| -> Option<InstanceStatus> {
            world.registry(server).and_then(|registry| registry.status_of(key))
        };
        let keys = (0..world.names().instance_count()).map(InstanceKey::from_index);
        let mut counts = [0; 3];
        let mut pairs = Vec::new();
        for &peer in &running {
            for &server in running.iter().take_while(|server| **server != peer) {
                let between = eureka_sim::observe::Differences::default();
                pairs.push(PairRow { at: world.now(), server, peer, between });
            }
        }
        for key in keys {
            let (mut presence, mut status) = (false, false);
            for pair in &mut pairs {
                match (said(pair.server, key), said(pair.peer, key)) {
                    (Some(a), Some(b)) if a != b => {
                        status = true;
                        pair.between.status += 1;
                    }
                    (None, Some(_)) | (Some(_), None) => {
                        presence = true;
                        pair.between.presence += 1;
                    }
                    _ => {}
                }
            }
            let differs = [presence || status, presence, status].map(u64::from);
            counts.iter_mut().zip(differs).for_each(|(count, more)| *count += more);
        }
        self.all.push((world.now(), counts));
        self.pairs.push(pairs);
        self.watch.elapsed(next, world);
    }
}

/// Restarts, cuts, overrides, statuses and evictions at three servers that are each other's clients.
const RESTLESS: &str = r#"
[observe]
every = "change"
metrics = ["peer-divergence", "peer-divergence-presence", "peer-divergence-status"]
[cluster]
servers = 3
error-bodies = "none"
[eureka.server]
enable-self-preservation = false
[network]
latency = "1ms..9ms"
loss = "2%"
[[apps]]
name = "A"
instances = 8
start = { spread = "30s" }
[[timeline]]
at = "2m"
for = "2m"
partition = { from = "server:eureka-0", to = "servers" }
[[timeline]]
at = "2m10s"
override-status = { select = "instance:A/1", status = "OUT_OF_SERVICE", server = "eureka-1" }
[[timeline]]
at = "2m20s"
set-status = { select = ["instance:A/0", "instance:A/2", "instance:A/3"], status = "DOWN" }
[[timeline]]
at = "5m"
restart = { select = "server:eureka-2", down = "15s" }
[[timeline]]
at = "6m"
restart = { select = "server:eureka-0", down = "1m", graceful = true }
[[timeline]]
at = "7m"
kill = { select = "app:A", count = 2, pick = "last" }
"#;

#[test]
fn divergence_is_what_comparing_everything_with_everything_finds() {
    let plan = plan("12m", RESTLESS);
    let watch = Watch::<false>::new(&plan);
    let compared = Compared { watch, all: Vec::new(), pairs: Vec::new() };
    let mut world = World::<_, TimingWheel<Event>>::new(&plan.setup, compared);
    assert!(world.run_until(plan.setup.duration, u64::MAX));
    let digest = world.digest();
    let mut recording = None;
    world.observe(|compared, _, view| recording = Some(compared.watch.finish(view, digest)));
    let recording = recording.expect("it was finished");
    let Compared { all, pairs, .. } = world.into_observer();

    let mut checked = 0;
    let mut most = [0.0_f64; 3];
    for (row, values) in recording.series.rows_with_metrics() {
        if let Ok(position) = all.binary_search_by_key(&row.at, |(at, _)| *at) {
            let counted = all[position].1.map(|count| count as f64);
            assert_eq!(values, counted, "at {}", row.at);
            most.iter_mut().zip(counted).for_each(|(most, count)| *most = most.max(count));
            checked += 1;
        }
    }
    assert!(checked > 100 && most.iter().all(|most| *most >= 2.0), "{checked} rows, {most:?}");
    // Each instant's pairs are those that were written last.
    let rows = recording.pairs.as_ref().expect("they were asked for").rows();
    let mut written = 0;
    let mut latest = std::collections::BTreeMap::new();
    for ((at, _), pairs) in all.iter().zip(&pairs) {
        while let Some(row) = rows.get(written).filter(|row| row.at <= *at) {
            latest.insert((row.server, row.peer), row.between);
            written += 1;
        }
        for pair in pairs {
            assert_eq!(latest.get(&(pair.server, pair.peer)), Some(&pair.between), "at {at}");
        }
    }
    assert!(written > 20, "{written} rows");
}

/// What the real codec writes of one instance of ORDERS with a VIP address of six letters, a secure
/// one besides and the id `orders-0000` is 1030 bytes with its application (`json-sizes.txt`).
#[test]
fn fetches_are_counted_with_the_bytes_of_their_json() {
    let text = r#"
[cluster]
servers = 1
[eureka.client]
register-with-eureka = false
fetch-registry = false
[[apps]]
name = "ORDERS"
instances = 3
start = "10s"
vip = "orders"
eureka.client.register-with-eureka = true
[[timeline]]
at = "5m"
call = { server = "eureka-0", method = "GET", path = "/apps" }
[[timeline]]
at = "5m1s"
call = { server = "eureka-0", method = "GET", path = "/apps" }
[[timeline]]
at = "6m"
call = { server = "eureka-0", method = "GET", path = "/apps/delta" }
[[timeline]]
at = "7m"
call = { server = "eureka-0", method = "GET", path = "/apps/ORDERS" }
"#;
    // Three of them, one hash, two commas; without the secure VIP address and its field.
    let (nobody, one, secure) = (77, 1030, r#""secureVipAddress":"orders","#.len());
    let application = r#"{"name":"ORDERS","instance":[]}"#.len();
    let instance = one - nobody - application - "UP_1_".len() - secure;
    let full = nobody + application + "UP_3_".len() + 3 * instance + 2;
    // Three minutes and a sweep later nothing is in the delta any more.
    let delta = nobody + "UP_3_".len();
    let at = |metric: &str, at: &str, value: usize| {
        expect(metric, &format!("server = \"eureka-0\"\nat = \"{at}\"\nequals = {value}"))
    };
    let expects = [
        at("full-fetches", "4m59s", 0),
        at("full-fetch-bytes", "4m59s", 0),
        at("full-fetch-bytes", "5m", full),
        at("full-fetch-bytes", "end", 2 * full),
        at("full-fetches", "end", 2),
        at("delta-fetches", "end", 1),
        at("delta-bytes", "5m59s", 0),
        at("delta-bytes", "end", delta),
    ];
    holds(&plan("10m", &format!("{text}{}", expects.concat())));
}

/// A client that turns to the second server when the first does not answer for 8 s.
#[test]
fn registrations_are_counted_by_their_cause() {
    let text = r#"
[cluster]
servers = 2
error-bodies = "none"
[eureka.client]
register-with-eureka = false
fetch-registry = false
[[apps]]
name = "A"
instances = 5
start = "10s"
servers = ["eureka-0", "eureka-1"]
http-client = "jersey3"
eureka.client.register-with-eureka = true
[[timeline]]
at = "5m"
set-status = { select = "instance:A/0", status = "DOWN" }
[[timeline]]
at = "6m"
restart = { select = "instance:A/1", down = "10s" }
[[timeline]]
at = "7m"
deregister = { select = "instance:A/2", server = "eureka-0" }
[[timeline]]
at = "9m"
restart = { select = "server:eureka-1", down = "5s" }
# Answers are lost, so that A/3 asks the first server twice and then the second.
[[timeline]]
at = "12m"
for = "20s"
partition = { from = "server:eureka-0", to = "instance:A/3", direction = "one-way" }
[[timeline]]
at = "12m1s"
set-status = { select = "instance:A/3", status = "DOWN" }
"#;
    let at = |metric: &str, server: &str, at: &str, value: u32| {
        expect(metric, &format!("server = \"{server}\"\nat = \"{at}\"\nequals = {value}"))
    };
    let expects = [
        at("dirty-registrations", "sum", "4m59s", 0),
        at("dirty-registrations", "eureka-0", "5m1s", 1),
        at("dirty-registrations", "sum", "end", 2),
        at("restart-registrations", "sum", "6m", 0),
        at("restart-registrations", "eureka-0", "6m15s", 1),
        at("restart-registrations", "sum", "end", 1),
        at("not-found-registrations", "sum", "7m", 0),
        at("not-found-registrations", "eureka-0", "7m31s", 1),
        at("not-found-registrations", "sum", "end", 1),
        at("replica-not-found-registrations", "sum", "9m", 0),
        at("replica-not-found-registrations", "eureka-0", "9m40s", 5),
        at("replica-not-found-registrations", "sum", "end", 5),
        at("repeated-registrations", "sum", "12m1s", 0),
        at("repeated-registrations", "eureka-0", "12m10s", 1),
        at("repeated-registrations", "eureka-1", "12m18s", 1),
        at("repeated-registrations", "sum", "end", 2),
        at("conflict-registrations", "sum", "end", 0),
    ];
    holds(&plan("20m", &format!("{text}{}", expects.concat())));
}

/// The recording of a 409 (finding 11): the adopting server takes the copy at 255.106 s.
#[test]
fn a_copy_that_is_taken_after_a_409_is_counted_at_the_server_that_took_it() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/cluster/conflict-409/scenario.toml");
    let text = std::fs::read_to_string(path).expect("the recording is there");
    let expects = [
        expect("conflict-registrations", "server = \"sum\"\nat = \"255105ms\"\nequals = 0"),
        expect("conflict-registrations", "server = \"sum\"\nat = \"255107ms\"\nequals = 1"),
        expect("conflict-registrations", "server = \"eureka-0\"\nat = \"end\"\nequals = 1"),
        expect("conflict-registrations", "server = \"sum\"\nat = \"end\"\nequals = 1"),
    ];
    holds(&plan_of(&format!("{text}\n{}", expects.concat())));
}

/// Columns after those of the contract, in their order; and nothing of it changes a run.
#[test]
fn metrics_are_columns_that_do_not_touch_the_run() {
    let with = |metrics: &str| {
        let observe = format!("[observe]\nmetrics = [{metrics}]\n");
        plan("7m", &override_lost(2, "blackhole", 30, &observe))
    };
    let text = |recording: &Recording| {
        let mut csv = Vec::new();
        series_csv(&recording.series, &recording.labels, false, &mut csv).expect("it is memory");
        String::from_utf8(csv).expect("it is text")
    };
    let plain = recorded(&with(""));
    let names = "'ghosts', 'convergence-seconds', 'replication-expired', 'lease-expiration-enabled', 'peer-divergence'";
    let plan = with(names);
    let more = recorded(&plan);
    assert_eq!(plain.summary.digest, more.summary.digest);
    assert_eq!(plain.summary.events, more.summary.events);
    assert!(plain.pairs.is_none());
    let (plain, csv) = (text(&plain), text(&more));
    let header = csv.lines().next().expect("it has a header");
    assert!(header.ends_with(",expiredCounter,convergence-seconds,replication-expired,lease-expiration-enabled,peer-divergence"), "{header}");
    for (without, line) in plain.lines().zip(csv.lines()) {
        assert!(line.starts_with(&format!("{without},")), "{line}");
    }
    assert_eq!(plain.lines().count(), csv.lines().count());
    // The tasks of the override expired, and those of the heartbeats that were made with them.
    let ends =
        |row: &str, end: &str| csv.lines().any(|line| line.starts_with(row) && line.ends_with(end));
    assert!(ends("420000,eureka-0,", ",60,6,false,3"), "{csv}");
    assert!(ends("420000,eureka-1,", ",60,0,true,3"), "{csv}");
    assert_eq!(
        values(&more, "convergence-seconds", 1, &[359_000, 361_000, 390_000]),
        [0.0, 1.0, 30.0]
    );

    let mut pairs = Vec::new();
    let rows = more.pairs.as_ref().expect("divergence was asked for");
    divergence_csv(rows, &more.labels, &mut pairs).expect("it is memory");
    let pairs = String::from_utf8(pairs).expect("it is text");
    assert_eq!(pairs.lines().next(), Some("t_ms,server,peer,presence,status"));
    assert_eq!(pairs.lines().last(), Some("420000,eureka-0,eureka-1,0,3"));
    // A row every second from 0 s on, until the end.
    assert_eq!(pairs.lines().count(), 1 + 421);
}

/// A server that does not run has no row, and no pair.
#[test]
fn a_pair_has_rows_while_both_run() {
    let rest = "[observe]\nmetrics = [\"peer-divergence\"]\n[[timeline]]\nat = \"7m\"\nrestart = { select = \"server:eureka-1\", down = \"10s\" }\n";
    let recording = recorded(&plan("8m", &override_lost(2, "blackhole", 30, rest)));
    let rows = recording.pairs.as_ref().expect("they were asked for").rows();
    let seconds = |row: &PairRow| row.at.nanos() / 1_000_000_000;
    let away: Vec<u64> =
        (0..=480).filter(|at| !rows.iter().any(|row| seconds(row) == *at)).collect();
    assert_eq!(away, (420..430).collect::<Vec<u64>>());
}

#[test]
fn the_figure_of_metrics_has_a_panel_for_each() {
    let metrics = "[observe]\nmetrics = [\"replication-backlog\", \"peer-divergence\", \"full-fetch-bytes\"]\n";
    let plan = plan("7m", &override_lost(3, "blackhole", 30, metrics));
    let recording = recorded(&plan);
    assert!(Figure::Metrics.is_of(&recording));
    let svg = Figure::Metrics.svg(&plan, &recording);
    let position = |text: &str| svg.find(text).unwrap_or_else(|| panic!("{text} in {svg}"));
    let positions = [
        position("replication-backlog: tasks that wait"),
        position("peer-divergence: instances"),
        position("eureka-0 / eureka-2"),
        position("full-fetch-bytes: bytes"),
        position("0 throughout"),
        position("Self-preservation"),
    ];
    assert!(positions.is_sorted(), "{positions:?}");
    assert_eq!(svg.matches("0 throughout").count(), 1);
    let without = recorded(&self::plan("7m", &override_lost(3, "blackhole", 30, "")));
    assert!(!Figure::Metrics.is_of(&without));
}

/// Once a Spring server is closed it has no registry: it protects nobody, and is no peer of anybody, long
/// before its process ends.
#[test]
fn a_server_that_is_closed_counts_no_more_while_it_says_goodbye() {
    let stopped = r#"
[cluster]
servers = 2
[[apps]]
name = "A"
instances = 10
[[timeline]]
at = "3m"
kill = { select = "app:A", count = 5 }
[[timeline]]
at = "5m"
stop = { select = "server:eureka-0", drain = "4m" }
[observe]
every = "10s"
metrics = ["peer-divergence"]
[[expect]]
metric = "peer-divergence"
during = "5m..9m"
equals = 0
[[expect]]
metric = "ghosts"
server = "max"
during = "6m..8m"
equals = 5
[[expect]]
event = "closed"
server = "eureka-0"
equals = 1
"#;
    let plan = plan("12m", stopped);
    holds(&plan);
    let recording = recorded(&plan);
    let mut lanes = recording.timespans.lanes().iter().filter(|lane| lane.server == HostId::new(0));
    let protected = lanes.next_back().expect("half of the fleet was killed");
    assert_eq!(protected.to, Some(Instant::from_nanos(300_000_000_000)));
}

/// Two clusters in one file: nobody is missing where he never asked, and they need not agree. A server
/// that somebody lists beside another belongs to its cluster, peers or not.
#[test]
fn clusters_side_by_side_are_apart() {
    let two = |lists: [&str; 2], rest: &str| {
        let app = |(name, list): (&str, &str)| {
            format!(
                "[[apps]]\nname = \"{name}\"\ninstances = 2\nkind = \"rest\"\nservers = {list}\n\
                 eureka.client.register-with-eureka = true\n"
            )
        };
        let apps: String = ["A", "B"].into_iter().zip(lists).map(app).collect();
        plan(
            "2m",
            &format!(
                "[eureka.client]\nregister-with-eureka = false\nfetch-registry = false\n\
                 [[servers]]\nname = \"one\"\npeers = []\n[[servers]]\nname = \"two\"\npeers = []\n\
                 {apps}{rest}"
            ),
        )
    };
    let each = |missing: u32, differ: u32| {
        [
            expect("registry-size", "at = \"end\"\nequals = 2"),
            expect("missing", &format!("at = \"end\"\nequals = {missing}")),
            expect(
                "missing",
                &format!("at = \"end\"\napp = \"B\"\nserver = \"one\"\nequals = {missing}"),
            ),
            expect("missing-seconds", &format!("at = \"end\"\nat-least = {}", missing * 118)),
            expect("missing-seconds", &format!("at = \"end\"\nat-most = {}", missing * 120 + 1)),
            expect("peer-divergence", &format!("at = \"end\"\nequals = {differ}")),
        ]
        .concat()
    };
    holds(&two(["[\"one\"]", "[\"two\"]"], &each(0, 0)));
    holds(&two(["[\"one\"]", "[\"two\", \"one\"]"], &each(2, 4)));
}
