//! How changes are sent: on demand, periodically, and what makes the instance clean
//! (`InstanceInfoReplicator`).

use super::bench::{Bench, Stub};
use crate::eureka::{Flavor, InstanceStatus};
use crate::time::Span;
use InstanceStatus::{Down, OutOfService, Up};

/// A client that is UP, registered at 0, and whose heartbeats are far away.
fn registered(servers: u16) -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, servers);
    bench.profile.instance.lease_renewal_interval_in_seconds = 100_000;
    bench.start();
    bench.to(20);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench
}

#[test]
fn a_change_of_status_is_sent_at_once_and_the_next_run_is_one_interval_after_that() {
    let mut bench = registered(1);
    bench.to(20_000);
    bench.set_status(Down);
    bench.to(21_000);
    bench.set_metadata();
    bench.to(60_000);
    // The run due at 30013 was cancelled.
    bench.expect(&["20000 POST s0 DOWN@20000 204", "50013 POST s0 DOWN@21000 204"]);
    assert_eq!(bench.statuses(), ["0 STARTING@0", "0 UP@0", "20000 DOWN@20000"]);
}

#[test]
fn a_change_of_metadata_waits_for_the_next_run() {
    let mut bench = registered(1);
    bench.to(5_000);
    bench.set_metadata();
    bench.to(35_000);
    bench.expect(&["30013 POST s0 UP@5000 204"]);
}

#[test]
fn setting_the_status_it_has_changes_nothing_and_costs_nothing() {
    let mut bench = registered(1);
    for _ in 0..5 {
        bench.set_status(Up);
    }
    bench.to(25_000);
    bench.set_status(Down);
    bench.to(25_100);
    bench.set_status(Up);
    bench.to(70_000);
    bench.expect(&["25000 POST s0 DOWN@25000 204", "25100 POST s0 UP@25100 204"]);
}

/// Recording `limiter-vector`, in short: the tokens return 15 s after the *first* update.
#[test]
fn the_third_change_within_fifteen_seconds_waits_for_the_next_run() {
    let mut bench = registered(1);
    bench.to(1_000);
    bench.set_status(Down);
    bench.to(2_000);
    bench.set_status(Up);
    bench.to(14_999);
    bench.set_status(Down);
    bench.to(50_000);
    // The refused update did not move the run that the last one set.
    bench.expect(&["1000 POST s0 DOWN@1000 204", "31013 POST s0 DOWN@14999 204"]);

    let mut bench = registered(1);
    bench.to(1_000);
    bench.set_status(Down);
    bench.to(2_000);
    bench.set_status(Up);
    bench.to(15_000);
    bench.set_status(Down);
    bench.to(16_000);
    bench.expect(&["1000 POST s0 DOWN@1000 204", "15000 POST s0 DOWN@15000 204"]);
}

/// Vector V2: 120 div interval per minute; 0 switches the limiter off.
#[test]
fn the_interval_decides_how_fast_tokens_return() {
    for (interval, per_minute) in [
        (5, 24),
        (10, 12),
        (15, 8),
        (20, 6),
        (24, 5),
        (30, 4),
        (31, 3),
        (40, 3),
        (41, 2),
        (60, 2),
        (61, 1),
        (120, 1),
    ] {
        let mut bench = registered(1);
        bench.profile.client.instance_info_replication_interval_seconds = interval;
        let token = 60_000 / per_minute;
        bench.to(100);
        bench.set_status(Down);
        bench.to(token - 1);
        bench.set_status(Up);
        assert_eq!(bench.sent().len(), 1, "{interval}: two at once");
        bench.set_status(Down);
        bench.to(token);
        bench.set_status(Up);
        assert_eq!(bench.sent().len(), 1, "{interval}: and one every {token} ms");
    }
    let mut bench = registered(1);
    bench.profile.client.instance_info_replication_interval_seconds = 121;
    bench.rule(0, "POST", Stub::Slow(0));
    for step in 1..=20 {
        bench.to(100 * step);
        bench.set_status(if step % 2 == 1 { Down } else { Up });
    }
    assert_eq!(bench.sent().len(), 20, "no limit");
}

/// Recording `on-demand-during-slow-run`.
#[test]
fn a_change_during_a_run_is_sent_when_the_run_has_ended() {
    let mut bench = registered(1);
    bench.rule_times(0, "POST", Stub::Slow(4_000), 1);
    bench.to(20_000);
    bench.set_status(Down);
    bench.to(21_000);
    bench.set_status(OutOfService);
    bench.to(60_000);
    bench.expect(&["20000 POST s0 DOWN@20000 204", "24000 POST s0 OUT_OF_SERVICE@21000 204"]);
}

/// Recording `dirty-while-register-in-flight`: the flag is cleared only if nothing changed since.
#[test]
fn a_registration_does_not_make_clean_what_changed_while_it_was_under_way() {
    let mut bench = registered(1);
    bench.rule_times(0, "POST", Stub::Slow(4_000), 1);
    bench.to(20_000);
    bench.set_status(Down);
    bench.to(20_001);
    bench.set_metadata();
    bench.to(60_000);
    bench.expect(&["20000 POST s0 DOWN@20000 204", "54000 POST s0 DOWN@20001 204"]);
}

/// Recording `dirty-same-millisecond`.
#[test]
fn a_change_in_the_millisecond_of_the_one_under_way_is_never_sent() {
    let mut bench = registered(1);
    bench.to(20_000);
    bench.set_status(Down);
    bench.set_metadata();
    bench.to(200_000);
    bench.expect(&["20000 POST s0 DOWN@20000 204"]);
}

/// Recording `dirty-clock-back`.
#[test]
fn a_change_after_the_clock_went_back_counts_as_sent_too() {
    let mut bench = registered(1);
    bench.rule_times(0, "POST", Stub::Slow(4_000), 1);
    bench.to(20_000);
    bench.set_status(Down);
    bench.to(21_000);
    bench.step_clock(-60_000);
    bench.set_metadata();
    bench.to(200_000);
    bench.expect(&["20000 POST s0 DOWN@20000 204"]);
}

/// Recording `register-accepted-non-204`.
#[test]
fn any_accepted_answer_makes_the_instance_clean() {
    for code in [200, 201, 204, 302, 404] {
        let mut bench = registered(1);
        bench.rule(0, "POST", Stub::Code(code));
        bench.to(20_000);
        bench.set_status(Down);
        bench.to(200_000);
        let posted = format!("20000 POST s0 DOWN@20000 {code}");
        bench.expect(&[&posted]);
    }
}

/// Recording `register-fails-keeps-dirty`.
#[test]
fn a_failed_registration_is_repeated_one_interval_after_it_failed() {
    let mut bench = registered(1);
    bench.rule_times(0, "POST", Stub::Code(500), 3);
    bench.to(20_000);
    bench.set_status(Down);
    bench.to(120_000);
    bench.expect(&[
        "20000 POST s0 DOWN@20000 500",
        "20013 POST s0 DOWN@20000 500",
        "50026 POST s0 DOWN@20000 500",
        "80039 POST s0 DOWN@20000 204",
    ]);
}

/// Recording `retry-payload-is-live`.
#[test]
fn each_attempt_sends_the_instance_as_it_is_then() {
    let mut bench = registered(2);
    bench.profile.client.on_demand_update_status_change = false;
    bench.to(10_000);
    bench.set_metadata();
    bench.rule_times(0, "POST", Stub::Late(500, 5_000), 1);
    bench.to(32_000);
    bench.set_metadata();
    bench.to(70_000);
    bench.expect(&[
        "30013 POST s0 UP@10000 500",
        "35013 POST s0 UP@32000 204",
        // Only what was dirty when the run began is clean now.
        "65026 POST s0 UP@32000 204",
    ]);
}

#[test]
fn the_thread_that_changes_the_status_hands_the_update_over_in_its_own_time() {
    let mut bench = registered(1);
    bench.draws.hand_off = Span::from_millis(7);
    bench.to(20_000);
    bench.set_status(Down);
    bench.to(20_003);
    // Sent with the update, because it happened before the thread woke up.
    bench.set_metadata();
    bench.to(60_000);
    // And as much again from the body's status to its timestamp.
    bench.expect(&["20014 POST s0 DOWN@20003 204"]);
}

/// Recording `replicator-interval-7`, without its health check.
#[test]
fn the_interval_counts_from_the_end_of_a_run() {
    let mut bench = registered(1);
    bench.profile.client.instance_info_replication_interval_seconds = 7;
    bench.rule(0, "POST", Stub::Code(500));
    bench.to(29_000);
    bench.set_metadata();
    bench.to(52_000);
    bench.expect(&[
        "30013 POST s0 UP@29000 500",
        "30026 POST s0 UP@29000 500",
        "37039 POST s0 UP@29000 500",
        "44052 POST s0 UP@29000 500",
        "51065 POST s0 UP@29000 500",
    ]);
}

/// Trap T33, recording `start-double-loop`: an update on demand runs while `start()` is held between its
/// two halves. What the first run set as its next is forgotten, not cancelled: two chains for ever.
#[test]
fn an_update_before_the_first_run_is_scheduled_makes_a_second_chain_of_runs() {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.application = crate::eureka::client::Application::Scripted;
    bench.profile.instance.lease_renewal_interval_in_seconds = 100_000;
    bench.profile.replicator_start_takes = Span::from_millis(100);
    bench.start();
    bench.to(50);
    bench.set_status(Up);
    for seconds in [25, 35, 55, 65, 85, 95, 115, 125] {
        bench.to(seconds * 1_000);
        bench.set_metadata();
    }
    bench.to(135_000);
    bench.expect(&[
        "50 POST s0 UP@50 204",
        "30063 POST s0 UP@25000 204",
        "40100 POST s0 UP@35000 204",
        "60076 POST s0 UP@55000 204",
        "70113 POST s0 UP@65000 204",
        "90089 POST s0 UP@85000 204",
        "100126 POST s0 UP@95000 204",
        "120102 POST s0 UP@115000 204",
        "130139 POST s0 UP@125000 204",
    ]);
}

/// Without an update in between there is one chain, from the end of the wait.
#[test]
fn a_start_that_is_held_only_begins_later() {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.instance.initial_status = InstanceStatus::Starting;
    bench.profile.instance.lease_renewal_interval_in_seconds = 100_000;
    bench.profile.replicator_start_takes = Span::from_millis(100);
    bench.start();
    bench.to(60_000);
    bench.expect(&["40100 POST s0 STARTING@0 204"]);
    bench.expect_events(&["Constructed"], &["100 Constructed(First)"]);
}
