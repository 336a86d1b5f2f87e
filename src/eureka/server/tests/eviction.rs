//! `AbstractInstanceRegistry.evict(long)` and the task that calls it.

use super::super::EvictRun;
use super::{Fact, Server, ServerConfig, unzipped};
use crate::eureka::{ActionType, Flavor, InstanceKey, InstanceStatus};
use crate::time::Span;

fn without_self_preservation(percent: f64) -> impl FnOnce(&mut ServerConfig) {
    move |config| {
        config.enable_self_preservation = false;
        config.renewal_percent_threshold = percent;
    }
}

/// All runs since this was last asked.
fn runs(server: &mut Server) -> Vec<EvictRun> {
    let run = |fact| match fact {
        Fact::EvictRun(run) => Some(run),
        _ => None,
    };
    server.facts().into_iter().filter_map(run).collect()
}

/// `evict(additional)` at this moment.
fn evict(server: &mut Server, additional_ms: i64) -> EvictRun {
    server.ask(|registry, at| registry.evict(at, additional_ms));
    runs(server).pop().expect("it leaves its run")
}

/// The 300 recorded trials: registrations and cancellations, the order of the maps after them, the
/// wall clock, and whom `evict(0)` cancelled in which order with every lease expired.
#[test]
fn three_hundred_random_registries_are_listed_and_evicted_in_javas_order() {
    const LIFE_MS: u64 = 1_000_000;
    let table = unzipped("evict-order-300-trials.txt.gz");
    let mut trials = 0;
    for trial in table.split_inclusive("TRIAL ").skip(1) {
        let mut lines = trial.trim_end_matches("TRIAL ").lines();
        let percent = lines.next().and_then(|text| text.parse().ok()).expect("a percentage");
        let wall = trial.lines().find_map(|line| line.strip_prefix("T ")).expect("a wall clock");
        let wall: i64 = wall.parse().expect("it is a number");
        let configure = without_self_preservation(percent);
        let epoch = wall - LIFE_MS as i64;
        let mut server = Server::started(epoch, Flavor::Netflix, "2.0.6", configure);
        for line in lines {
            let (kind, rest) = line.split_once(' ').expect("a line has a kind");
            match kind {
                "R" | "C" => {
                    let (app, id) = rest.split_once(' ').expect("an application and an id");
                    let info = server.instance(app, id);
                    if kind == "R" {
                        server.register(info);
                    } else {
                        assert!(server.cancel(info.key), "trial {trials}: {line}");
                    }
                }
                "O" => assert_eq!(order(&server), rest.trim(), "trial {trials}"),
                "T" => server.freeze(LIFE_MS),
                "E" => {
                    let run = evict(&mut server, 0);
                    assert_eq!(victims(&server, &run.evicted), rest.trim(), "trial {trials}");
                    trials += 1;
                }
                _ => panic!("trial {trials}: {line}"),
            }
        }
    }
    assert_eq!(trials, 300);
}

/// `APP/id` of everything registered, in the order of the maps.
fn order(server: &Server) -> String {
    let registry = &server.registry;
    let keys = registry.apps().flat_map(|app| registry.instances_of(app));
    keys.map(|key| server.names.full(key)).collect::<Vec<_>>().join(" ")
}

/// `APP(id)` of victims; the list of cancellations tells the same.
fn victims(server: &Server, keys: &[InstanceKey]) -> String {
    let cancelled = server.registry.recent_canceled().newest_first().take(keys.len());
    let cancelled: Vec<InstanceKey> = cancelled.map(|(_, key)| key).collect();
    assert!(cancelled.iter().eq(keys.iter().rev().take(1000)));
    let text = |&key: &InstanceKey| {
        let app = server.names.app_name(server.names.app_of(key));
        format!("{app}({})", server.names.id_text(key))
    };
    keys.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// One run over `size` expired leases: the limit and how many went.
fn limited(size: usize, percent: f64) -> (i64, usize) {
    let configure = without_self_preservation(percent);
    let mut server = Server::started(super::EPOCH, Flavor::Netflix, "2.0.6", configure);
    server.register_many(size);
    server.freeze(90_001);
    let run = evict(&mut server, 0);
    assert_eq!((run.enabled, run.expired), (true, size));
    assert_eq!(server.gauges().local_registry_size, (size - run.evicted.len()) as i64);
    (run.limit, run.evicted.len())
}

#[test]
fn one_run_takes_what_the_percentage_leaves_of_all_leases() {
    let check = |sizes: &[usize], limit: usize| {
        for &size in sizes {
            assert_eq!(limited(size, 0.85), (limit as i64, limit), "{size} at 0.85");
        }
    };
    check(&[1, 2, 6], 1);
    check(&[7, 13], 2);
    check(&[14, 20], 3);
    check(&[21, 26], 4);
    check(&[40], 6);
    check(&[100], 15);
}

#[test]
fn what_one_run_leaves_is_a_product_of_doubles_cut_off() {
    // Exactly 63, 29, 57 and 63 would stay; the products are a little less.
    assert_eq!(limited(90, 0.7), (28, 28));
    assert_eq!(limited(50, 0.58), (22, 22));
    assert_eq!(limited(100, 0.57), (44, 44));
    assert_eq!(limited(180, 0.35), (118, 118));
    assert_eq!(limited(10, 0.33), (7, 7));
    assert_eq!(limited(3, 0.999), (1, 1));
}

#[test]
fn a_percentage_outside_0_to_1_evicts_nobody_or_everybody() {
    assert_eq!(limited(10, 1.0), (0, 0));
    assert_eq!(limited(10, 1.5), (-5, 0));
    assert_eq!(limited(10, 0.0), (10, 10));
    assert_eq!(limited(10, -0.5), (15, 10), "more than there are");
    assert_eq!(limited(10, f64::NAN), (10, 10), "Java casts NaN to 0");
}

#[test]
fn living_leases_count_for_the_limit_but_are_not_victims() {
    let mut server =
        Server::started(super::EPOCH, Flavor::Netflix, "2.0.6", without_self_preservation(0.5));
    let dying = server.register_many(3);
    server.freeze(90_000);
    for n in 0..4 {
        server.register_new("YOUNG", &format!("y{n}"));
    }
    assert_eq!(evict(&mut server, 0).expired, 0, "a lease lasts its last millisecond");
    server.freeze(1);
    assert_eq!(evict(&mut server, 1).expired, 0, "additional time");
    let run = evict(&mut server, 0);
    assert_eq!((run.expired, run.limit, run.evicted.len()), (3, 4, 3));
    let mut evicted = run.evicted;
    evicted.sort();
    assert_eq!(evicted, dying);
}

#[test]
fn nobody_is_evicted_while_expiration_is_disabled_though_leases_are_counted() {
    let mut server = Server::new(Flavor::Netflix);
    server.open(1);
    server.register_many(4);
    server.freeze(90_001);
    let run = evict(&mut server, 0);
    assert_eq!((run.enabled, run.expired, run.limit), (false, 4, 1));
    assert!(run.evicted.is_empty());
    assert_eq!(server.gauges().local_registry_size, 4);
}

#[test]
fn whether_leases_may_expire_is_asked_once_and_not_for_each_victim() {
    let mut server = Server::started(super::EPOCH, Flavor::Netflix, "2.0.6", |config| {
        config.renewal_percent_threshold = 0.2;
    });
    server.open(1);
    let keys = server.register_many(10);
    server.renew_all(&[keys[0]; 5]);
    server.advance(60_000);
    assert!(server.gauges().is_lease_expiration_enabled, "5 > (int) (11 * 2 * 0.2)");
    // From here on one cancel would be enough to disable it.
    server.registry.config_mut().renewal_percent_threshold = 0.85;
    server.facts();
    server.freeze(120_001);
    let run = evict(&mut server, 0);
    assert_eq!((run.limit, run.evicted.len()), (2, 2));
    assert!(!server.gauges().is_lease_expiration_enabled);
}

#[test]
fn an_eviction_deletes_the_instance_and_its_override_but_tells_no_peer() {
    let mut server =
        Server::started(super::EPOCH, Flavor::Netflix, "2.0.6", without_self_preservation(0.0));
    server.open(1);
    let key = server.register_new("SVC", "h00");
    let holder = server.registry.lease(key).expect("it is registered").holder;
    server.registry.handed().clear();
    let (id, now) = (server.names.id_of(key), server.now());
    server.registry.overrides.put(id, InstanceStatus::Down, now.mono);
    server.freeze(90_001);
    assert_eq!(evict(&mut server, 0).evicted, [key]);
    assert!(server.registry.handed_list().is_empty());
    assert!(!server.registry.overrides.contains(id, server.now().mono));
    let info = &server.registry.objects()[holder];
    assert_eq!(info.action_type, Some(ActionType::Deleted));
    assert_eq!(info.last_updated_timestamp, server.now().wall);
    assert_eq!(server.registry.recently_changed().len(), 2);
}

/// Compensation of every run since this was last asked.
fn compensations(server: &mut Server) -> Vec<i64> {
    runs(server).iter().map(|run| run.compensation_ms).collect()
}

fn opened() -> Server {
    let mut server = Server::new(Flavor::Netflix);
    server.init();
    server.open(1);
    server
}

#[test]
fn a_late_run_gives_every_lease_its_own_lateness() {
    let mut server = opened();
    server.advance(65_000);
    server.freeze(200_000);
    server.thaw();
    assert_eq!(compensations(&mut server), [0, 145_000], "265 s - 60 s - one interval");
    server.advance(60_000);
    assert_eq!(compensations(&mut server), [0]);
}

#[test]
fn the_first_run_after_opening_is_never_compensated() {
    let mut server = opened();
    server.freeze(300_000);
    server.thaw();
    assert_eq!(compensations(&mut server), [0]);
    server.advance(10_000);
    server.open(1);
    server.freeze(130_000);
    server.thaw();
    assert_eq!(compensations(&mut server), [0], "opening again makes a new task");
}

#[test]
fn lateness_is_measured_on_the_monotonic_clock() {
    let mut server = opened();
    server.advance(60_000);
    server.clock.step(server.at, 600_000_000_000);
    server.advance(60_000);
    assert_eq!(compensations(&mut server), [0, 0], "a step forward is no lateness");
    server.clock.step(server.at, -25_000_000_000);
    server.advance(85_000);
    assert_eq!(compensations(&mut server), [25_000], "a step back delays the timer");
}

#[test]
fn compensation_is_in_whole_milliseconds_and_follows_the_interval_at_run_time() {
    let mut server = opened();
    server.advance(60_000);
    server.registry.config_mut().eviction_interval_timer_in_ms = 50_000;
    server.at += Span::from_nanos(60_000_999_999);
    server.thaw();
    assert_eq!(compensations(&mut server), [0, 10_000]);
}
