//! What an instance says of itself: metadata, lease and host name that change while it runs, and bodies
//! that are torn.

use super::bench::Bench;
use crate::eureka::client::{Application, InstanceChange};
use crate::eureka::{Flavor, InstanceStatus, LeaseInfo};
use crate::time::Span;

/// A client that is UP, registered at 0: heartbeats at 30000 and 60009, runs at 30013 and 60013.
fn registered() -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.application = Application::Scripted;
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(10_000);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench
}

fn lease(bench: &Bench) -> LeaseInfo {
    bench.body.as_ref().unwrap().lease_info.unwrap()
}

/// Trap T29, recording `metadata-and-lease`.
#[test]
fn a_new_lease_is_registered_by_the_next_run_and_the_heartbeats_keep_their_interval() {
    let mut bench = registered();
    assert_eq!(lease(&bench), LeaseInfo::new(30, 90));
    bench.configure(InstanceChange::RenewalInterval(7));
    bench.configure(InstanceChange::Duration(20));
    assert!(!bench.client().is_dirty(), "nobody has looked yet");
    bench.to(95_000);
    bench.expect(&[
        "30000 PUT s0 UP@0 200",
        "30013 POST s0 UP@30013 204",
        "60009 PUT s0 UP@30013 200",
        "90018 PUT s0 UP@30013 200",
    ]);
    assert_eq!(lease(&bench), LeaseInfo::new(7, 20));
}

#[test]
fn half_a_lease_can_change() {
    let mut bench = registered();
    bench.configure(InstanceChange::Duration(20));
    bench.to(31_000);
    assert_eq!(lease(&bench), LeaseInfo::new(30, 20));
}

#[test]
fn a_lease_that_is_configured_as_it_was_is_no_change() {
    let mut bench = registered();
    bench.configure(InstanceChange::RenewalInterval(30));
    bench.configure(InstanceChange::Duration(90));
    bench.to(45_000);
    bench.expect(&["30000 PUT s0 UP@0 200"]);
}

#[test]
fn a_new_host_name_is_registered_by_the_next_run() {
    let mut bench = registered();
    bench.configure(InstanceChange::HostName("h2".into()));
    bench.to(30_012);
    assert_eq!(bench.client().host_name(), None);
    bench.sent();
    bench.to(59_000);
    assert_eq!(bench.client().host_name(), Some("h2"));
    bench.expect(&["30013 POST s0 UP@30013 204"]);
    // Once is enough.
    bench.configure(InstanceChange::HostName("h2".into()));
    bench.to(89_000);
    bench.expect(&["60009 PUT s0 UP@30013 200"]);
}

#[test]
fn metadata_is_dirty_at_once_and_in_every_body_from_then_on() {
    let mut bench = registered();
    bench.to(32_000);
    bench.expect(&["30000 PUT s0 UP@0 200"]);
    bench.set_metadata_entry("zone", "z1");
    assert!(bench.client().is_dirty());
    bench.to(61_000);
    let entries = |bench: &Bench| {
        let metadata = &bench.body.as_ref().unwrap().metadata;
        metadata.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    let lines =
        ["60009 PUT s0 UP@32000 404", "60013 POST s0 UP@32000 204", "60018 POST s0 UP@60018 204"];
    bench.expect(&lines);
    assert_eq!(entries(&bench), ["zone=z1"]);
    bench.set_status(InstanceStatus::Down);
    bench.to(62_000);
    bench.expect(&["61000 POST s0 DOWN@61000 204"]);
    assert_eq!(entries(&bench), ["zone=z1"]);
}

/// Stuck mechanism M8, recording `stuck-m08-torn-body`: the status of a body is read before its
/// timestamp, and it may change between the two.
#[test]
fn a_torn_body_has_the_old_status_and_the_new_timestamp() {
    let mut bench = registered();
    bench.profile.torn_bodies = Span::from_millis(2);
    bench.to(20_000);
    bench.set_status(InstanceStatus::Down);
    bench.to(20_001);
    bench.set_status(InstanceStatus::Up);
    bench.to(25_000);
    // The flag is clear of both by the second, which is right.
    bench.expect(&["20002 POST s0 DOWN@20001 204", "20017 POST s0 UP@20001 204"]);
}

#[test]
fn heartbeats_and_whole_bodies_are_not_torn() {
    let mut bench = registered();
    bench.profile.torn_bodies = Span::from_millis(2);
    bench.to(20_000);
    bench.set_status(InstanceStatus::Down);
    bench.to(31_000);
    bench.expect(&["20002 POST s0 DOWN@20000 204", "30000 PUT s0 DOWN@20000 200"]);
}
