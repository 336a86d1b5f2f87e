//! What holds of every run however it is driven, and of every cluster once its troubles are over.

use std::collections::BTreeMap;
use std::fmt::Write;

use eureka_sim::eureka::InstanceStatus;
use eureka_sim::observe::{EventLevel, EventLog, TraceLog, Watch};
use eureka_sim::scenario::Plan;
use eureka_sim::sim::queue::{EventQueue, Heap, TimingWheel};
use eureka_sim::sim::{Event, Fact, Observer, World, WorldView};
use eureka_sim::study;
use eureka_sim::time::{Instant, Span};
use proptest::prelude::*;

use crate::support::plan_of;

/// Everything but what the last part of this page names: `S` and `T` are servers, `I` is an instance.
const FAULTS: [&str; 21] = [
    "kill = \"I\"",
    "stop = \"I\"",
    "start = \"I\"",
    "restart = { select = \"I\", down = \"9s\" }",
    "kill = \"S\"",
    "start = \"S\"",
    "restart = { select = \"S\", down = \"9s\" }",
    "restart = { select = \"S\", down = \"9s\", graceful = true }",
    "step-clock = { select = \"S\", by = \"30s\" }",
    "step-clock = { select = \"S\", by = \"-30s\" }",
    "deregister = { select = \"I\", server = \"S\" }",
    "set-status = { select = \"I\", status = \"DOWN\" }",
    "set-status = { select = \"I\", status = \"UP\" }",
    "set-metadata = { select = \"I\", key = \"k\", value = \"v\" }",
    "pause = \"S\"",
    "pause = \"I\"",
    "partition = { from = \"S\", to = \"T\" }",
    "partition = { from = \"S\", to = \"T\", direction = \"one-way\" }",
    "isolate = \"S\"",
    "slow = { from = \"S\", to = \"T\", latency = \"150ms\" }",
    "lossy = { from = \"all\", to = \"all\", loss = \"20%\" }",
];
/// From here on they take a while.
const FIRST_LASTING: usize = 14;

/// Second, fault, servers, instance, duration.
type Fault = (u8, usize, usize, usize, u8);

fn timeline(faults: &[Fault], servers: usize, instances: usize) -> String {
    let mut text = String::new();
    for &(at, fault, one, instance, seconds) in faults {
        let (s, t) = (one % servers, (one / 5) % servers);
        let what = FAULTS[fault].replace("server = \"S\"", &format!("server = \"eureka-{s}\""));
        let what = what.replace("\"S\"", &format!("\"server:eureka-{s}\""));
        let what = what.replace("\"T\"", &format!("\"server:eureka-{t}\""));
        let what = what.replace("\"I\"", &format!("\"instance:A/{}\"", instance % instances));
        let lasts =
            if fault >= FIRST_LASTING { format!("for = \"{seconds}s\"\n") } else { String::new() };
        writeln!(text, "[[timeline]]\nat = \"{at}s\"\n{what}\n{lasts}").expect("it is a text");
    }
    text
}

prop_compose! {
    fn faults()(
        faults in prop::collection::vec(
            (30..220_u8, 0..FAULTS.len(), 0..100_usize, 0..9_usize, 1..=50_u8), 0..12),
    ) -> Vec<Fault> {
        faults
    }
}

/// Leases of 15 s, no self-preservation, so that what is dead goes; at 280 s everything is over. At
/// 800 s everybody runs: a client that was stopped may have waited until then for three servers that
/// did not answer its goodbye.
fn healed(flavor: &str, servers: usize, instances: usize, seed: u32, faults: &[Fault]) -> String {
    format!(
        r#"
schema = 1
duration = "20m"
seed = {seed}
[cluster]
flavor = "{flavor}"
servers = {servers}
[network]
latency = "1ms..20ms"
[eureka.server]
enable-self-preservation = false
eviction-interval-timer-in-ms = 10000
registry-sync-retry-wait-ms = 3000
[eureka.instance]
lease-renewal-interval-in-seconds = 5
lease-expiration-duration-in-seconds = 15
[[apps]]
name = "A"
instances = {instances}
start = {{ first = "20s", spread = "9s" }}
{}
[[timeline]]
at = "280s"
start = "all"
[[timeline]]
at = "800s"
start = "all"
"#,
        timeline(faults, servers, instances)
    )
}

struct Nobody;

impl Observer for Nobody {
    fn fact(&mut self, _: Instant, _: &Fact<'_>, _: &WorldView<'_>) {}
}

/// What each server lists at the end, by name.
fn listed(plan: &Plan) -> Vec<BTreeMap<String, InstanceStatus>> {
    let mut world = World::<_, TimingWheel<Event>>::new(&plan.setup, Nobody);
    assert!(world.run_until(plan.setup.duration, u64::MAX));
    let mut lists = Vec::new();
    world.observe(|_, _, view: &WorldView<'_>| {
        for server in view.server_hosts() {
            let registry = view.registry(server).expect("every server runs");
            let keys = registry.apps().flat_map(|app| registry.instances_of(app));
            let names = view.names();
            let status = |key| registry.status_of(key).expect("what is listed has a status");
            lists.push(keys.map(|key| (names.full(key), status(key))).collect());
        }
    });
    lists
}

/// A run in slices of so many events and so much time: its digest and its events.
fn sliced<Q: EventQueue<Event>>(plan: &Plan, events: u64, step: u64) -> (String, u64) {
    let mut world = World::<_, Q>::new(&plan.setup, Nobody);
    let mut limit = Instant::ZERO;
    while limit < plan.setup.duration {
        limit = (limit + Span::from_millis(step)).min(plan.setup.duration);
        while !world.run_until(limit, events) {}
        assert_eq!(world.now(), limit);
    }
    (world.digest().to_string(), world.handled())
}

/// Likewise with everybody who may watch.
pub(crate) fn observed(plan: &Plan) -> (String, u64) {
    let mut watch = Watch::<true>::new(plan);
    watch.events = Some(EventLog::new(EventLevel::All, plan, Box::new(std::io::sink())));
    watch.trace = Some(TraceLog::new(plan, Box::new(|_| Ok(Box::new(std::io::sink())))));
    let (recording, _) = study::run(plan, watch, &mut ()).expect("nobody interrupts");
    (recording.summary.digest, recording.summary.events)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    /// Seven minutes are many leases, beats, backed-off heartbeats, eviction runs and looks of start-up
    /// sync. Left out of the misfortunes is what Eureka never reconciles: overrides (cluster finding
    /// 13), OUT_OF_SERVICE of an instance's own (rule 4 holds at its server and not at the peers), and
    /// clocks of clients that go back (finding 12).
    #[test]
    fn servers_agree_once_all_is_over(
        flavor in prop::sample::select(vec!["spring-cloud", "netflix"]),
        servers in 2..=4_usize,
        instances in 1..8_usize,
        seed in any::<u32>(),
        faults in faults(),
    ) {
        let text = healed(flavor, servers, instances, seed, &faults);
        let lists = listed(&plan_of(&text));
        for list in &lists {
            prop_assert_eq!(list, &lists[0], "{}", text);
            let of_the_app = list.keys().filter(|name| name.starts_with("A/")).count();
            prop_assert_eq!(of_the_app, instances, "{}", text);
        }
    }

    #[test]
    fn a_run_is_the_same_however_it_is_driven(
        flavor in prop::sample::select(vec!["spring-cloud", "netflix"]),
        servers in 1..=3_usize,
        seed in any::<u32>(),
        faults in faults(),
        events in 1..500_u64,
        step in 1..20_000_u64,
    ) {
        let text = healed(flavor, servers, 5, seed, &faults).replace("\"20m\"", "\"320s\"");
        let text = text.replace("at = \"800s\"", "at = \"300s\"");
        let plan = plan_of(&text);
        let (digest, handled) = study::digest::<TimingWheel<_>>(&plan);
        let whole = (digest.to_string(), handled);
        prop_assert_eq!(&whole, &sliced::<TimingWheel<_>>(&plan, events, step), "wheel\n{}", text);
        prop_assert_eq!(&whole, &sliced::<Heap<_>>(&plan, events, step), "heap\n{}", text);
        prop_assert_eq!(&whole, &observed(&plan), "observed\n{}", text);
    }
}
