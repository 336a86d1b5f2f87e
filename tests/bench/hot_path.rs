//! Nanoseconds per event with all of Eureka's rules on: three servers that replicate to one another, N
//! instances that beat every 30 s and fetch deltas, 1–5 ms of latency. Start-up is over before the clock
//! runs.
//!
//! `event` is an event of the queue. A batch is one of them however many replicas it carries; `handled`
//! counts each replica too, as a simulator does that sends them one by one.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use eureka_sim::scenario::{self, Files};
use eureka_sim::sim::queue::{EventQueue, Heap, TimingWheel};
use eureka_sim::sim::{Event, Fact, Observer, Setup, World, WorldView};
use eureka_sim::time::{Instant, Span};

struct NoIncludes;

impl Files for NoIncludes {
    fn read(&self, _: &Path) -> Result<String, String> {
        Err("nothing is included here".to_owned())
    }
}

fn fleet(instances: u32) -> Arc<Setup> {
    let text = format!(
        r#"
        schema   = 1
        duration = "12h"
        [cluster]
        servers = 3
        [network]
        latency = "1ms..5ms"
        [[apps]]
        name      = "ORDERS"
        instances = {instances}
        start     = {{ first = "70s", spread = "30s" }}
        "#
    );
    let plan =
        scenario::load(Path::new("bench.toml"), &text, scenario::Changes::default(), &NoIncludes);
    Arc::clone(&plan.expect("the scenario of this bench is one").setup)
}

/// Counts the replicas that were sent.
#[derive(Clone, Copy, Default)]
struct Replicas(u64);

impl Observer for Replicas {
    fn fact(&mut self, _: Instant, fact: &Fact<'_>, _: &WorldView<'_>) {
        if let Fact::BatchSent { items, .. } = fact {
            self.0 += items.len() as u64;
        }
    }
}

type Run<'a, Q> = World<'a, Replicas, Q>;

/// What is counted.
#[derive(Clone, Copy)]
enum Unit {
    /// An event of the queue.
    Event,
    /// Likewise, or a replica.
    Handled,
}

impl Unit {
    fn of<Q: EventQueue<Event>>(self, world: &mut Run<'_, Q>) -> u64 {
        let mut replicas = 0;
        world.observe(|counted, _, _| replicas = counted.0);
        match self {
            Self::Event => world.handled(),
            Self::Handled => world.handled() + replicas,
        }
    }
}

/// A run that is past its start-up.
fn warm<Q: EventQueue<Event>>(setup: &Setup) -> Run<'_, Q> {
    let mut world = World::new(setup, Replicas::default());
    let all = world.run_until(Instant::ZERO + Span::from_secs(600), u64::MAX);
    assert!(all, "the number of events is not limited");
    world
}

/// Time for so many, which is what criterion asks for: the last batch may bring some more, and the time
/// is that of the share that was asked for. A run that ends is replaced by another.
#[expect(clippy::disallowed_types, reason = "a bench measures real time")]
fn time_of<'a, Q: EventQueue<Event>>(
    world: &mut Run<'a, Q>,
    setup: &'a Setup,
    unit: Unit,
    wanted: u64,
) -> Duration {
    let (mut done, mut spent) = (0, Duration::ZERO);
    while done < wanted {
        let before = unit.of(world);
        let started = std::time::Instant::now();
        black_box(world.run_until(setup.duration, wanted - done));
        spent += started.elapsed();
        let more = unit.of(world) - before;
        done += more;
        if more == 0 {
            *world = warm(setup);
        }
    }
    spent.mul_f64(wanted as f64 / done as f64)
}

/// Criterion calls the closure for each sample; the run goes on from one to the next.
fn bench<Q: EventQueue<Event>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    queue: &str,
    instances: u32,
    unit: Unit,
) {
    let setup = fleet(instances);
    let mut world = None;
    group.bench_function(BenchmarkId::new(queue, instances), |b| {
        let world = world.get_or_insert_with(|| warm::<Q>(&setup));
        b.iter_custom(|wanted| time_of(world, &setup, unit, wanted));
    });
}

fn hot_path(c: &mut Criterion) {
    let mut group = c.benchmark_group("event");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    for instances in [1_000, 10_000, 100_000] {
        bench::<TimingWheel<Event>>(&mut group, "wheel", instances, Unit::Event);
    }
    bench::<Heap<Event>>(&mut group, "heap", 100_000, Unit::Event);
    group.finish();
    let mut group = c.benchmark_group("handled");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    for instances in [1_000, 10_000, 100_000] {
        bench::<TimingWheel<Event>>(&mut group, "wheel", instances, Unit::Handled);
    }
    group.finish();
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
