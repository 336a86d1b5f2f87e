//! Nanoseconds per handled event with all of Eureka's rules on: three servers that replicate to one
//! another, N instances that beat every 30 s and fetch deltas, 1–5 ms of latency. Start-up is over
//! before the clock runs.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use eureka_sim::scenario::{self, Files};
use eureka_sim::sim::queue::{EventQueue, Heap, TimingWheel};
use eureka_sim::sim::{Event, Setup, Silent, World};
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

/// A run that is past its start-up.
fn warm<Q: EventQueue<Event>>(setup: &Setup) -> World<'_, Silent, Q> {
    let mut world = World::new(setup, Silent);
    let all = world.run_until(Instant::ZERO + Span::from_secs(600), u64::MAX);
    assert!(all, "the number of events is not limited");
    world
}

/// Time for so many events, which is what criterion asks for. A run that ends is replaced by another.
#[expect(clippy::disallowed_types, reason = "a bench measures real time")]
fn events<'a, Q: EventQueue<Event>>(
    world: &mut World<'a, Silent, Q>,
    setup: &'a Setup,
    wanted: u64,
) -> Duration {
    let (mut left, mut spent) = (wanted, Duration::ZERO);
    while left > 0 {
        let before = world.handled();
        let started = std::time::Instant::now();
        black_box(world.run_until(setup.duration, left));
        spent += started.elapsed();
        let handled = world.handled() - before;
        left -= handled;
        if handled == 0 {
            *world = warm(setup);
        }
    }
    spent
}

/// Criterion calls the closure for each sample; the run goes on from one to the next.
fn bench<Q: EventQueue<Event>>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    queue: &str,
    instances: u32,
) {
    let setup = fleet(instances);
    let mut world = None;
    group.bench_function(BenchmarkId::new(queue, instances), |b| {
        let world = world.get_or_insert_with(|| warm::<Q>(&setup));
        b.iter_custom(|wanted| events(world, &setup, wanted));
    });
}

fn hot_path(c: &mut Criterion) {
    let mut group = c.benchmark_group("event");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    for instances in [1_000, 10_000, 100_000] {
        bench::<TimingWheel<Event>>(&mut group, "wheel", instances);
    }
    bench::<Heap<Event>>(&mut group, "heap", 100_000);
    group.finish();
}

criterion_group!(benches, hot_path);
criterion_main!(benches);
