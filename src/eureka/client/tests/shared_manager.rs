//! Two clients on one `ApplicationInfoManager`: one instance, one listener, two clusters (trap T32,
//! client finding A11).

use super::bench::{Bench, Stub};
use crate::eureka::client::{Application, Which};
use crate::eureka::{Flavor, InstanceStatus};

/// The first client, at s0, is UP and registered at 0; the second is made at 7 s, at s1.
fn two() -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, 2);
    bench.profile.application = Application::Scripted;
    bench.endpoints.own_zone = vec![0];
    bench.outlives_shutdown = true;
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(7_000);
    bench.construct_second(&[1]);
    bench.to(8_000);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench.expect_events(&["Constructed"], &["0 Constructed(First)", "7000 Constructed(Second)"]);
    bench
}

/// Spec §12, recording `two-clients-two-clusters`: each registration makes the instance newer than the
/// other cluster knows it.
#[test]
fn each_cluster_answers_404_to_every_heartbeat() {
    let mut bench = two();
    bench.to(100_000);
    bench.expect(&[
        // `start()` of the second replicator at 7000 made it dirty; the first sends it.
        "30000 PUT s0 UP@7000 404",
        "30009 POST s0 UP@30009 204",
        // The replicator's run finds it dirty still.
        "30013 POST s0 UP@30009 204",
        "37000 PUT s1 UP@30009 404",
        "37009 POST s1 UP@37009 204",
        "60022 PUT s0 UP@37009 404",
        "60031 POST s0 UP@60031 204",
        "67022 PUT s1 UP@60031 404",
        "67031 POST s1 UP@67031 204",
        "90044 PUT s0 UP@67031 404",
        "90053 POST s0 UP@90053 204",
        "97044 PUT s1 UP@90053 404",
        "97053 POST s1 UP@97053 204",
    ]);
}

#[test]
fn the_listener_of_the_second_replaces_that_of_the_first() {
    let mut bench = two();
    bench.set_status(InstanceStatus::OutOfService);
    bench.to(29_000);
    bench.expect(&["8000 POST s1 OUT_OF_SERVICE@8000 204"]);
}

#[test]
fn the_end_of_the_first_takes_the_listener_of_the_second_away() {
    let mut bench = two();
    bench.shut_down(Which::First);
    bench.to(20_000);
    bench.expect(&["11000 DELETE s0 200"]);
    bench.expect_events(&["Returned"], &["11011 ShutdownReturned(First)"]);
    bench.set_status(InstanceStatus::Up);
    bench.to(38_000);
    // Only its heartbeat tells.
    bench.expect(&["37000 PUT s1 UP@20000 404", "37009 POST s1 UP@37009 204"]);
}

/// Recording `two-clients-second-leaves`.
#[test]
fn the_end_of_the_second_makes_the_first_say_down_for_ever() {
    let mut bench = two();
    bench.shut_down(Which::Second);
    bench.to(125_000);
    bench.expect(&[
        "11000 DELETE s1 404",
        "30000 PUT s0 DOWN@11000 404",
        "30009 POST s0 DOWN@30009 204",
        "30013 POST s0 DOWN@30009 204",
        "60022 PUT s0 DOWN@30009 200",
        "90031 PUT s0 DOWN@30009 200",
        "120040 PUT s0 DOWN@30009 200",
    ]);
    bench.expect_events(&["Returned"], &["11011 ShutdownReturned(Second)"]);
    assert_eq!(bench.exited, None, "the first goes on");
}

#[test]
fn each_stays_with_its_own_servers_transport_and_view() {
    let mut bench = Bench::new(Flavor::Netflix, 2);
    bench.profile.application = Application::Scripted;
    bench.endpoints.own_zone = vec![0];
    bench.outlives_shutdown = true;
    bench.serve("A/i1=UP B/b1=UP");
    bench.start();
    bench.to(5_000);
    bench.serve("A/i1=DOWN");
    bench.construct_second(&[1]);
    bench.to(6_000);
    assert_eq!(bench.believes(), "v1 UP_2_ A/i1=UP B/b1=UP", "the first's");
    assert_eq!(bench.client().remote_status(), InstanceStatus::Up);
    bench.rule(1, "GET", Stub::Refuse);
    bench.to(36_000);
    bench.sent();
    bench.shut_down(Which::Second);
    bench.to(40_000);
    assert!(bench.client().transport_is_closed(Which::Second));
    assert!(!bench.client().transport_is_closed(Which::First));
    bench.to(61_000);
    let lines = bench.sent();
    assert!(lines.iter().any(|line| line.contains("GET s0")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("GET s1")), "{lines:?}");
}

#[test]
fn a_second_whose_constructor_throws_leaves_the_first_alone() {
    let mut bench = two_with_enforced_registration();
    bench.rule(1, "POST", Stub::Refuse);
    bench.construct_second(&[1]);
    bench.to(20_000);
    bench.set_status(InstanceStatus::Down);
    bench.to(20_100);
    bench.expect(&["7000 POST s1 UP@13 refused", "20000 POST s0 DOWN@20000 204"]);
    bench.expect_events(&["Construct"], &["7001 ConstructFailed(Register(NoKnownServer))"]);
    assert_eq!(bench.exited, None);
}

fn two_with_enforced_registration() -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, 2);
    bench.profile.application = Application::Scripted;
    bench.profile.client.should_enforce_registration_at_init = true;
    bench.profile.instance.instance_enabled_onit = true;
    bench.endpoints.own_zone = vec![0];
    bench.start();
    bench.to(7_000);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench.events();
    bench
}

/// Nobody has the object before its constructor returns.
#[test]
fn a_second_that_is_still_being_made_is_shut_down_when_it_is_made() {
    let mut bench = two_with_enforced_registration();
    bench.rule(1, "POST", Stub::Slow(4_000));
    bench.construct_second(&[1]);
    bench.to(9_000);
    bench.shut_down(Which::Second);
    bench.to(60_000);
    bench.expect_events(
        &["Constructed", "Returned"],
        &["11000 Constructed(Second)", "14011 ShutdownReturned(Second)"],
    );
    let lines = bench.sent();
    let of_second: Vec<&String> = lines.iter().filter(|line| line.contains(" s1 ")).collect();
    assert_eq!(of_second, ["7000 POST s1 UP@13 204", "14000 DELETE s1 200"]);
    assert_eq!(bench.exited, None);
}
