//! What older releases of the client did otherwise.

use super::bench::{Bench, Stub};
use crate::eureka::client::{Application, HttpClientKind};
use crate::eureka::{Flavor, InstanceStatus, Release};

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
