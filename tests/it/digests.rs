//! A run is a function of its file and seed: the same digest on either queue, observed or not, in
//! every build. The digests of the shipped scenarios are part of the project.

use std::fmt::Write;
use std::path::Path;

use eureka_sim::observe::{EventLevel, EventLog, TraceLog, Watch};
use eureka_sim::scenario::Plan;
use eureka_sim::sim::queue::{Heap, TimingWheel};
use eureka_sim::{replay, study};
use expect_test::{expect, expect_file};

use crate::support::{plan, plan_of, recorded_scenarios, shipped_scenarios, traces};

/// The digest and number of events with everybody watching.
fn observed(plan: &Plan) -> (String, u64) {
    let mut watch = Watch::<true>::new(plan);
    watch.events = Some(EventLog::new(EventLevel::All, plan, Box::new(std::io::sink())));
    watch.trace = Some(TraceLog::new(plan, Box::new(|_| Ok(Box::new(std::io::sink())))));
    let (recording, _) = study::run(plan, watch, &mut ()).expect("nobody interrupts");
    for verdict in &recording.summary.expectations {
        assert!(verdict.ok, "{}: {verdict:?}", plan.name);
    }
    (recording.summary.digest, recording.summary.events)
}

/// What each expects is so, too. `UPDATE_EXPECT=1` writes the file anew.
#[test]
fn shipped_scenarios_have_the_digests_that_are_committed() {
    let mut lines = String::new();
    for path in shipped_scenarios() {
        let plan = plan(&path);
        let (digest, events) = study::digest::<TimingWheel<_>>(&plan);
        writeln!(lines, "{digest} {events} {}", plan.name).expect("a text can be written to");
        assert_eq!(study::digest::<Heap<_>>(&plan), (digest, events), "{}: heap", plan.name);
        assert_eq!(observed(&plan), (digest.to_string(), events), "{}: observed", plan.name);
    }
    expect_file!["../digests.txt"].assert_eq(&lines);
}

#[test]
fn the_seed_is_part_of_the_plan() {
    let path = shipped_scenarios().remove(0);
    let mut other = plan(&path);
    let setup = std::sync::Arc::make_mut(&mut other.setup);
    setup.seed += 1;
    let (digest, _) = study::digest::<TimingWheel<_>>(&other);
    assert_ne!(digest, study::digest::<TimingWheel<_>>(&plan(&path)).0);
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

/// `run --trace`: what a simulated server was asked and answered is a trace like those of the real
/// classes, and the core redoes it from the file alone.
#[test]
fn traces_of_runs_replay_without_divergence() {
    for path in shipped_scenarios().into_iter().chain(recorded_scenarios()) {
        let plan = plan(&path);
        let traces = traces(&plan);
        assert!(traces.len() >= plan.setup.servers.len(), "{}: a trace each", plan.name);
        for (name, text) in traces {
            let replayed = replay::replay(std::io::Cursor::new(&text))
                .unwrap_or_else(|error| panic!("{} {name}: {error}", plan.name));
            assert_eq!(replayed.first, None, "{} {name}", plan.name);
            assert!(replayed.operations > 10, "{} {name} is empty", plan.name);
        }
    }
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
