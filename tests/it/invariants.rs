//! What holds in every run, whatever the cluster, its configuration and its misfortunes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use eureka_sim::scenario;
use eureka_sim::sim::queue::TimingWheel;
use eureka_sim::sim::{Event, Fact, HostId, Observer, World, WorldView};
use eureka_sim::time::Instant;
use proptest::prelude::*;

use crate::support::NoIncludes;

/// A cluster, so many instances, and misfortunes: at which second, what, for how long.
#[derive(Clone, Debug)]
struct Case {
    flavor: &'static str,
    servers: u8,
    instances: u8,
    renewal_interval: u8,
    threshold: u8,
    self_preservation: bool,
    loss: u8,
    seed: u32,
    faults: Vec<(u16, usize, u8)>,
}

const FAULTS: [&str; 18] = [
    r#"kill = { select = "app:A", share = "10%" }"#,
    r#"kill = { select = "app:A", share = "60%" }"#,
    r#"stop = { select = "app:A", count = 2 }"#,
    r#"start = "app:A""#,
    r#"restart = { select = "app:A", count = 3, down = "20s" }"#,
    r#"restart = { select = "server:eureka-0", down = "10s" }"#,
    r#"pause = "server:eureka-0""#,
    r#"pause = { select = "app:A", count = 2 }"#,
    r#"partition = { from = "app:A", to = "server:eureka-0", direction = "one-way" }"#,
    r#"isolate = "server:eureka-0""#,
    r#"step-clock = { select = "server:eureka-0", by = "40s" }"#,
    r#"step-clock = { select = "app:A", by = "-40s" }"#,
    r#"hold = { from = "app:A", to = "server:eureka-0" }"#,
    r#"lossy = { from = "app:A", to = "servers", loss = "50%" }"#,
    r#"slow = { from = "servers", to = "app:A", latency = "9s" }"#,
    r#"skew-clock = { select = "server:eureka-0", ppm = 20000 }"#,
    r#"restart = { select = "server:eureka-0", down = "5s", graceful = true }"#,
    r#"set-status = { select = "app:A", status = "OUT_OF_SERVICE" }"#,
];

/// Those that take a while.
fn lasts(fault: usize) -> bool {
    (6..=9).contains(&fault) || (12..=15).contains(&fault)
}

impl Case {
    fn text(&self) -> String {
        let mut text = format!(
            r#"
schema = 1
duration = "12m"
seed = {}
[cluster]
flavor = "{}"
servers = {}
[eureka.server]
renewal-percent-threshold = 0.{:02}
enable-self-preservation = {}
[eureka.instance]
lease-renewal-interval-in-seconds = {}
[network]
latency = "1ms..30ms"
loss = "{}%"
[[apps]]
name = "A"
instances = {}
start = {{ first = "0s", spread = "90s" }}
"#,
            self.seed,
            self.flavor,
            self.servers,
            self.threshold,
            self.self_preservation,
            self.renewal_interval,
            self.loss,
            self.instances,
        );
        for &(at, fault, seconds) in &self.faults {
            write!(text, "[[timeline]]\nat = \"{at}s\"\n{}\n", FAULTS[fault])
                .expect("it is a text");
            if lasts(fault) {
                writeln!(text, "for = \"{seconds}s\"").expect("so it is here");
            }
        }
        text
    }
}

prop_compose! {
    fn case()(
        flavor in prop::sample::select(vec!["spring-cloud", "netflix"]),
        servers in 1..=3_u8,
        instances in 5..40_u8,
        renewal_interval in prop::sample::select(vec![5_u8, 10, 30]),
        threshold in 1..100_u8,
        self_preservation in any::<bool>(),
        loss in prop::sample::select(vec![0_u8, 0, 2, 30]),
        seed in any::<u32>(),
        faults in prop::collection::vec((0..700_u16, 0..FAULTS.len(), 1..=200_u8), 0..8),
    ) -> Case {
        Case { flavor, servers, instances, renewal_interval, threshold, self_preservation, loss, seed, faults }
    }
}

/// Watches the rules.
#[derive(Default)]
struct Rules {
    last: Instant,
    runs: usize,
    evicted: BTreeMap<HostId, usize>,
    leases: BTreeMap<HostId, i64>,
    announced: BTreeMap<HostId, usize>,
}

impl Observer for Rules {
    fn elapsed(&mut self, _next: Instant, world: &WorldView<'_>) {
        for server in world.server_hosts() {
            if let Some(gauges) = world.gauges(server) {
                let leases = self.leases.get(&server).copied().unwrap_or(0);
                assert_eq!(gauges.local_registry_size, leases, "registered less removed");
                assert!(gauges.num_of_renews_per_min_threshold >= 0);
            }
        }
    }

    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        assert!(at >= self.last, "time never goes back");
        self.last = at;
        match fact {
            Fact::EvictRun { server, run } => {
                self.runs += 1;
                let evicted = run.evicted.len();
                assert!(evicted <= run.expired, "only what has expired is evicted");
                assert!(evicted as i64 <= run.limit.max(0), "never more than the limit");
                assert!(run.enabled || evicted == 0, "nobody while expiration is disabled");
                if run.enabled {
                    let most = (run.expired as i64).min(run.limit);
                    assert_eq!(evicted as i64, most, "and if it is enabled, as many as may be");
                }
                assert!(run.compensation_ms >= 0);
                *self.announced.entry(*server).or_default() += evicted;
                let registry = world.registry(*server).expect("a server that evicts runs");
                for &victim in &run.evicted {
                    assert!(registry.lease(victim).is_none(), "a victim has no lease any more");
                }
            }
            Fact::Initialised(server) => {
                self.leases.insert(*server, 0);
            }
            Fact::Cancelled { server, evicted, .. } => {
                *self.evicted.entry(*server).or_default() += usize::from(*evicted);
                *self.leases.entry(*server).or_default() -= 1;
            }
            Fact::Registered { server, is_new: true, .. } => {
                *self.leases.entry(*server).or_default() += 1;
            }
            _ => {}
        }
        if let Fact::Renewed { server, .. } | Fact::Registered { server, .. } = fact {
            assert!(!world.is_paused(*server), "a frozen server does nothing");
            assert!(world.is_alive(*server), "nor does a dead one");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn eviction_keeps_its_rules(case in case()) {
        let text = case.text();
        let plan = scenario::load(Path::new("case.toml"), &text, scenario::Changes::default(), &NoIncludes);
        let plan = plan.unwrap_or_else(|no| panic!("{}", eureka_sim::report::render_diagnostics(
            &no.sources,
            &no.diagnostics,
        )));
        let mut world = World::<_, TimingWheel<Event>>::new(&plan.setup, Rules::default());
        prop_assert!(world.run_until(plan.setup.duration, u64::MAX));
        let rules = world.into_observer();
        prop_assert!(rules.runs > 0, "some server opened and its task ran");
        let some = |counts: BTreeMap<HostId, usize>| -> BTreeMap<_, _> {
            counts.into_iter().filter(|(_, count)| *count > 0).collect()
        };
        prop_assert_eq!(some(rules.evicted), some(rules.announced), "each victim is cancelled once");
    }
}
