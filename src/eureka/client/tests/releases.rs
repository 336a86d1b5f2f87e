//! What older releases of the client did otherwise.

use super::bench::{Bench, Stub};
use crate::eureka::client::{Application, HttpClientKind};
use crate::eureka::{Flavor, InstanceStatus, Release};
use crate::time::Span;

/// A client of this release, UP and registered at 0.
fn registered(release: Release) -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.application = Application::Scripted;
    bench.profile.release = release;
    bench.profile.http_client = HttpClientKind::jersey(release);
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(10_000);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench
}

/// `InstanceInfoReplicator.stop()` is `shutdownNow()` in the jars of 1.3.4 to 1.7.0, and waits in 1.8.8;
/// Netflix/eureka#1023 is in 1.8.7.
#[test]
fn before_1_8_7_shutdown_waits_for_nothing() {
    for (release, cancelled) in [
        (Release::new(1, 3, 4), 50_000),
        (Release::new(1, 7, 0), 50_000),
        (Release::new(1, 8, 6), 50_000),
        (Release::new(1, 8, 7), 53_000),
        (Release::new(1, 10, 18), 53_000),
    ] {
        let mut bench = registered(release);
        bench.to(50_000);
        bench.sent();
        bench.stop(0);
        bench.to(100_000);
        assert_eq!(bench.sent(), [format!("{cancelled} DELETE s0 200")], "{release:?}");
        assert_eq!(bench.exited, Some(cancelled + 11), "{release:?}");
    }
}

#[test]
fn before_1_8_7_a_registration_under_way_is_left_behind_at_once() {
    let mut bench = registered(Release::new(1, 7, 0));
    bench.rule_times(0, "POST", Stub::Slow(1_000), 1);
    bench.to(20_000);
    bench.set_status(InstanceStatus::OutOfService);
    bench.to(20_100);
    bench.stop(0);
    bench.to(100_000);
    bench.expect(&["20000 POST s0 OUT_OF_SERVICE@20000 204", "20100 DELETE s0 200"]);
}

/// `DiscoveryClient.renew()` calls neither `setIsDirtyWithTime()` nor `unsetIsDirty(long)` in the jars
/// of 1.3.4 to 1.7.0, and both in 1.8.8; the change is in 1.8.1.
#[test]
fn before_1_8_1_a_404_registers_the_instance_as_it_is() {
    for (release, posted, heartbeat) in [
        (Release::new(1, 3, 4), "60018 POST s0 UP@0 204", "90031 PUT s0 UP@0 200"),
        (Release::new(1, 8, 0), "60018 POST s0 UP@0 204", "90031 PUT s0 UP@0 200"),
        (Release::new(1, 8, 1), "60018 POST s0 UP@60018 204", "90031 PUT s0 UP@60018 200"),
        (Release::new(2, 0, 6), "60018 POST s0 UP@60018 204", "90031 PUT s0 UP@60018 200"),
    ] {
        let mut bench = registered(release);
        bench.to(40_000);
        bench.forget();
        bench.sent();
        bench.to(95_000);
        assert_eq!(bench.sent(), ["60009 PUT s0 UP@0 404", posted, heartbeat], "{release:?}");
    }
}

/// What was dirty stays so: the replicator's next run sends it once more.
#[test]
fn before_1_8_1_what_a_404_registered_is_sent_again_by_the_replicator() {
    for (release, lines) in [
        (
            Release::new(1, 7, 0),
            &[
                "30000 PUT s0 UP@20000 404",
                "30009 POST s0 UP@20000 204",
                "30013 POST s0 UP@20000 204",
            ] as &[&str],
        ),
        (
            Release::new(1, 8, 1),
            &[
                "30000 PUT s0 UP@20000 404",
                "30009 POST s0 UP@30009 204",
                "30013 POST s0 UP@30009 204",
            ],
        ),
    ] {
        let mut bench = registered(release);
        bench.to(20_000);
        bench.set_metadata();
        bench.to(59_000);
        assert_eq!(bench.sent(), lines, "{release:?}");
    }
}

/// `DiscoveryClient.getHealthCheckHandler()` is a check and a write in the jars of 1.3.4 to 1.8.8, and a
/// compare-and-set from 1.9.3 on: Netflix/eureka#1088, behind spring-cloud-netflix#2490.
#[test]
fn before_1_9_3_a_check_attached_at_the_wrong_moment_is_lost() {
    for (release, attached, lost) in [
        // The replicator wakes at 20007, finds none, and attaches the default one at 20014.
        (Release::new(1, 8, 8), 20_010, true),
        (Release::new(1, 8, 8), 20_006, false),
        (Release::new(1, 8, 8), 20_015, false),
        (Release::new(1, 9, 3), 20_010, false),
    ] {
        let mut bench = Bench::registering(Flavor::Netflix, 1);
        bench.profile.application = Application::Scripted;
        bench.profile.release = release;
        bench.draws.hand_off = Span::from_millis(7);
        bench.start();
        bench.to(20_000);
        bench.set_status(InstanceStatus::Down);
        bench.to(attached);
        bench.register_health_check();
        bench.to(100_000);
        let ends = if lost { InstanceStatus::Down } else { InstanceStatus::Up };
        assert_eq!(bench.client().status(), ends, "{release:?}, attached at {attached}");
    }
}

#[test]
fn attaching_a_check_asks_for_nothing_before_1_4_3() {
    for (release, asked) in [(Release::new(1, 4, 2), 0), (Release::new(1, 4, 3), 1)] {
        let mut bench = registered(release);
        bench.events();
        bench.register_health_check();
        bench.to(10_001);
        let events = bench.events();
        let evaluations = events.iter().filter(|event| event.contains("HealthEvaluate("));
        assert_eq!(evaluations.count(), asked, "{release:?}: {events:?}");
    }
}

#[test]
fn a_setting_has_no_effect_before_it_existed() {
    for (release, cancels) in [(Release::new(1, 8, 1), true), (Release::new(1, 8, 2), false)] {
        let mut bench = registered(release);
        bench.profile.client.should_unregister_on_shutdown = false;
        bench.stop(0);
        bench.to(50_000);
        assert_eq!(bench.sent().len(), usize::from(cancels), "{release:?}");
    }
    for (release, posts) in [(Release::new(1, 8, 3), 0), (Release::new(1, 8, 4), 1)] {
        let mut bench = Bench::registering(Flavor::Netflix, 1);
        bench.profile.release = release;
        bench.profile.application = Application::Scripted;
        bench.profile.client.should_enforce_registration_at_init = true;
        bench.start();
        assert_eq!(bench.sent().len(), posts, "{release:?}");
    }
    for (release, fails) in [(Release::new(1, 9, 22), false), (Release::new(1, 9, 23), true)] {
        let mut bench = Bench::fetching(Flavor::Netflix, 1);
        bench.profile.release = release;
        bench.profile.client.should_enforce_fetch_registry_at_init = true;
        bench.rule(0, "*", Stub::Refuse);
        bench.start();
        bench.to(1_000);
        let events = bench.events();
        assert_eq!(
            events.iter().any(|event| event.contains("ConstructFailed")),
            fails,
            "{events:?}"
        );
    }
}

/// `ResolverUtils.randomize` seeded with the address. For three servers only four orders ever come.
#[test]
fn before_1_10_14_a_host_never_changes_its_order() {
    let of = |servers: u16, release: Release, address_hash: i32| {
        let mut bench = Bench::registering(Flavor::Netflix, servers);
        bench.profile.release = release;
        bench.draws.address_hash = address_hash;
        bench.start();
        let shuffled = bench.client().client.servers.as_slice().to_vec();
        bench.to(1_000_000);
        assert_eq!(bench.client().client.servers.as_slice(), shuffled, "{address_hash}");
        (shuffled, bench.draws.shuffles)
    };
    // As the JDK's Random has it for the hash codes of 10.0.0.3, 10.0.0.7 and 192.168.1.20.
    for (address_hash, expected) in [
        (511_552_168, [1, 3, 4, 2, 0]),
        (511_552_172, [3, 2, 1, 0, 4]),
        (1_734_945_242, [1, 0, 3, 2, 4]),
    ] {
        assert_eq!(of(5, Release::new(1, 10, 13), address_hash).0, expected);
    }
    let order = |release, address_hash| of(3, release, address_hash);
    let mut orders = std::collections::BTreeSet::new();
    for address_hash in 0..1_000 {
        let (order, by_chance) = order(Release::new(1, 10, 13), address_hash * 7_919);
        assert_eq!(by_chance, 0);
        orders.insert(order);
    }
    let possible = [vec![0, 1, 2], vec![1, 0, 2], vec![1, 2, 0], vec![2, 1, 0]];
    assert!(orders.iter().all(|order| possible.contains(order)), "{orders:?}");
    assert_eq!(orders.len(), 4);
    assert!(order(Release::new(1, 10, 14), 1).1 > 0, "by chance");
}
