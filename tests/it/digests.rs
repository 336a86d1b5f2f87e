//! A run is a function of its file and seed: the same digest on either queue, observed or not, in
//! every build. The digests of the shipped scenarios are part of the project.

use std::path::Path;

use eureka_sim::observe::{Summary, Watch};
use eureka_sim::scenario::Plan;
use eureka_sim::sim::queue::{Heap, TimingWheel};
use eureka_sim::{replay, study};
use expect_test::{expect, expect_file};

use crate::support::{Shipped, closely_watched, plan, plan_of, recorded_scenarios, shipped};

/// What each expects is so, too. `UPDATE_EXPECT=1` writes the file anew.
#[test]
fn shipped_scenarios_have_the_digests_that_are_committed() {
    let line = |of: &Shipped| {
        let (plan, summary) = (&of.plan, &of.recording.summary);
        let (digest, events) = study::digest::<TimingWheel<_>>(plan);
        assert_eq!(study::digest::<Heap<_>>(plan), (digest, events), "{}: heap", plan.name);
        let observed = (summary.digest.clone(), summary.events);
        assert_eq!(observed, (digest.to_string(), events), "{}: observed", plan.name);
        for verdict in &summary.expectations {
            assert!(verdict.ok, "{}: {verdict:?}", plan.name);
        }
        format!("{digest} {events} {}\n", plan.name)
    };
    let mut lines = String::new();
    study::in_order(shipped(), 0, line, |line| lines += &line);
    expect_file!["../digests.txt"].assert_eq(&lines);
}

#[test]
fn the_seed_is_part_of_the_plan() {
    let path = Path::new("scenarios/partitions/partition-between-peers.toml");
    let mut other = plan(path);
    let setup = std::sync::Arc::make_mut(&mut other.setup);
    setup.seed += 1;
    let (digest, _) = study::digest::<TimingWheel<_>>(&other);
    assert_ne!(digest, study::digest::<TimingWheel<_>>(&plan(path)).0);
}

/// Faults of every kind, real start-ups, restarts, clock steps: the recorded clusters.
#[test]
fn both_queues_give_the_same_digest_of_every_recorded_cluster() {
    for path in recorded_scenarios() {
        let plan = plan(&path);
        let wheel = study::digest::<TimingWheel<_>>(&plan);
        assert_eq!(wheel, study::digest::<Heap<_>>(&plan), "{}", plan.name);
    }
}

/// Instances and servers times events: a trace repeats the whole registry after each operation, and
/// those of the largest fleets are gigabytes.
const LONGEST_TRACE: u64 = 15_000_000;

/// `run --trace` and `--events all`: watched so closely a run is the same; and what a simulated server
/// was asked and answered is a trace like those of the real classes, which the core redoes from the
/// file alone. `traced` has random clusters besides.
#[test]
fn traces_of_runs_replay_without_divergence() {
    let is_short = |of: &&Shipped| {
        let summary = &of.recording.summary;
        let instances: u64 = summary.apps.iter().map(|app| app.instances).sum();
        summary.events * (instances + summary.servers.len() as u64) <= LONGEST_TRACE
    };
    let short = shipped().iter().filter(is_short);
    let short: Vec<_> = short.map(|of| (of.plan.clone(), Some(&of.recording.summary))).collect();
    assert!(short.len() >= 90, "most are short: {}", short.len());
    let recorded = recorded_scenarios().into_iter().map(|path| (plan(&path), None));
    let all: Vec<_> = recorded.chain(short).collect();
    let replay_all = |(plan, summary): &(Plan, Option<&Summary>)| {
        let (digest, traces) = closely_watched(plan);
        assert!(summary.is_none_or(|summary| summary.digest == digest), "{}", plan.name);
        assert!(traces.len() >= plan.setup.servers.len(), "{}: a trace each", plan.name);
        for (name, text) in traces {
            let replayed = replay::replay(std::io::Cursor::new(&text))
                .unwrap_or_else(|error| panic!("{} {name}: {error}", plan.name));
            assert_eq!(replayed.first, None, "{} {name}", plan.name);
            assert!(replayed.operations > 0, "{} {name} is empty", plan.name);
        }
    };
    study::in_order(&all, 0, replay_all, |()| {});
}

/// Ends a run after so many looks.
struct Impatient(u32);

impl study::Pulse for Impatient {
    fn beat(&mut self, _now: eureka_sim::time::Instant, _events: u64) -> bool {
        self.0 -= 1;
        self.0 > 0
    }
}

#[test]
fn a_run_that_is_interrupted_ends_and_says_so() {
    let plan = plan(Path::new("scenarios/self-preservation/mass-kill-above-the-limit.toml"));
    let run = study::run(&plan, Watch::<false>::new(&plan), &mut Impatient(2));
    assert!(matches!(run, Err(study::Interrupted)));
}

/// Logarithms and exponentials come from libm, not from the platform.
#[test]
fn log_normal_latencies_are_the_same_on_every_machine() {
    let plan = plan_of(
        r#"
schema = 1
duration = "5m"
[cluster]
servers = 2
[network]
latency = { median = "2ms", p99 = "400ms" }
[[apps]]
name = "A"
instances = 20
"#,
    );
    let (digest, _) = study::digest::<TimingWheel<_>>(&plan);
    expect!["321464b5348f50ae3a8380f10f950a2c"].assert_eq(&digest.to_string());
}
