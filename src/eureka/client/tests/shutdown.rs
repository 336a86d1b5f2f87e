//! The end of a process: asked to go, in both flavours, or killed.

use super::bench::{Bench, Stub};
use crate::eureka::client::{HttpClientKind, ViewId};
use crate::eureka::{Flavor, InstanceStatus};
use crate::time::Span;

/// A client that registered UP at 10 s: heartbeats at 30000 and 60009, replicator at 40013 and 70013.
fn registered(flavor: Flavor) -> Bench {
    let mut bench = Bench::registering(flavor, 1);
    bench.profile.warm_up = Span::from_secs(10);
    bench.profile.instance.initial_status = match flavor {
        Flavor::Netflix => InstanceStatus::Up,
        Flavor::SpringCloud => InstanceStatus::Starting,
    };
    bench.start();
    bench.to(10_000);
    bench.set_status(InstanceStatus::Up);
    bench.to(35_000);
    bench.expect(&["10000 POST s0 UP@10000 204", "30000 PUT s0 UP@10000 200"]);
    bench
}

/// Stopped at `ms`: what is sent from then on, and when the process is gone.
#[track_caller]
fn check_stop(bench: &mut Bench, ms: u64, drain: u64, lines: &[&str], exited: u64) {
    bench.to(ms);
    bench.sent();
    assert!(bench.stop(drain));
    bench.to(ms + 1_000_000);
    bench.expect(lines);
    assert_eq!(bench.exited, Some(exited));
    assert_eq!(bench.client().next_wake(), None);
}

/// Recording `shutdown-idle`.
#[test]
fn netflix_waits_three_seconds_and_cancels_and_nobody_hears_of_its_down() {
    let mut bench = registered(Flavor::Netflix);
    check_stop(&mut bench, 50_000, 0, &["53000 DELETE s0 200"], 53_011);
    assert_eq!(bench.statuses(), ["0 STARTING@0", "10000 UP@10000", "53000 DOWN@53000"]);
}

/// Recording `shutdown-heartbeat-goes-on`.
#[test]
fn heartbeats_go_on_while_shutdown_waits() {
    let mut bench = registered(Flavor::Netflix);
    let lines = ["60009 PUT s0 UP@10000 200", "62000 DELETE s0 200"];
    check_stop(&mut bench, 59_000, 0, &lines, 62_011);
}

#[test]
fn netflix_knows_no_drain() {
    let mut bench = registered(Flavor::Netflix);
    check_stop(&mut bench, 50_000, 60_000, &["53000 DELETE s0 200"], 53_011);
}

/// Vector V13, recording `shutdown-spring-drain`.
#[test]
fn spring_says_down_drains_with_heartbeats_waits_and_cancels() {
    let mut bench = registered(Flavor::SpringCloud);
    let lines =
        ["50000 POST s0 DOWN@50000 204", "60009 PUT s0 DOWN@50000 200", "68000 DELETE s0 200"];
    check_stop(&mut bench, 50_000, 15_000, &lines, 68_011);
    assert_eq!(bench.statuses(), ["0 STARTING@0", "10000 UP@10000", "50000 DOWN@50000"]);
}

/// Recording `shutdown-spring-no-drain`: the update waits behind `stop()`, which waits for the timer
/// that the update cancels.
#[test]
fn spring_without_a_drain_says_down_and_cancels_three_seconds_later() {
    let mut bench = registered(Flavor::SpringCloud);
    let lines = ["50000 POST s0 DOWN@50000 204", "53000 DELETE s0 200"];
    check_stop(&mut bench, 50_000, 0, &lines, 53_011);
}

#[test]
fn a_run_that_was_cancelled_during_the_wait_ends_it_when_it_would_have_been_due() {
    let mut bench = registered(Flavor::SpringCloud);
    let lines = ["68000 POST s0 DOWN@68000 204", "70013 DELETE s0 200"];
    check_stop(&mut bench, 68_000, 0, &lines, 70_024);
}

/// Client finding F22: what was cancelled before `stop()` is not waited for.
#[test]
fn a_run_that_was_cancelled_before_the_wait_is_not_waited_for() {
    let mut bench = registered(Flavor::SpringCloud);
    bench.to(49_000);
    bench.rule_times(0, "POST", Stub::Slow(2_000), 1);
    bench.set_status(InstanceStatus::Down);
    check_stop(&mut bench, 50_000, 0, &["51000 DELETE s0 200"], 51_011);
}

/// Recording `shutdown-idle-periodic-in-2s`, without its health check.
#[test]
fn a_run_that_is_due_during_the_wait_runs_and_ends_it() {
    let mut bench = registered(Flavor::Netflix);
    check_stop(&mut bench, 68_013, 0, &["70013 DELETE s0 200"], 70_024);

    let mut bench = registered(Flavor::Netflix);
    bench.to(61_000);
    bench.set_metadata();
    let lines = ["70013 POST s0 UP@61000 204", "70026 DELETE s0 200"];
    check_stop(&mut bench, 68_013, 0, &lines, 70_037);
}

/// Recording `shutdown-register-in-flight`.
#[test]
fn a_registration_under_way_is_waited_for() {
    let mut bench = registered(Flavor::Netflix);
    bench.to(49_000);
    bench.rule_times(0, "POST", Stub::Slow(1_813), 1);
    bench.set_status(InstanceStatus::OutOfService);
    check_stop(&mut bench, 49_986, 0, &["50813 DELETE s0 200"], 50_824);
}

/// Recording `shutdown-queued-behind-run`, without its health check.
#[test]
fn a_run_that_waits_behind_a_registration_is_waited_for_too() {
    let mut bench = registered(Flavor::SpringCloud);
    bench.to(49_000);
    bench.rule_times(0, "POST", Stub::Slow(1_500), 1);
    bench.set_status(InstanceStatus::OutOfService);
    // Spring's DOWN is that run: what the first one set as its next is rejected.
    let lines = ["50500 POST s0 DOWN@50000 204", "50513 DELETE s0 200"];
    check_stop(&mut bench, 50_000, 0, &lines, 50_524);
}

/// Recording `shutdown-register-slow`: the way to an ownerless DOWN.
#[test]
fn a_registration_is_not_waited_for_longer_than_three_seconds() {
    for flavor in [Flavor::Netflix, Flavor::SpringCloud] {
        let mut bench = registered(flavor);
        bench.profile.client.timeout_socket_timeout = 8_000;
        bench.to(49_000);
        bench.rule_times(0, "POST", Stub::Slow(7_000), 1);
        bench.set_status(InstanceStatus::Down);
        // It is answered at 56000, or fails: the process is gone and sends nothing more.
        check_stop(&mut bench, 50_000, 0, &["53000 DELETE s0 200"], 53_011);
    }
}

#[test]
fn a_down_without_a_token_is_sent_by_the_heartbeats_of_the_drain() {
    let mut bench = registered(Flavor::SpringCloud);
    for (at, status) in [(45_000, InstanceStatus::OutOfService), (45_100, InstanceStatus::Up)] {
        bench.to(at);
        bench.set_status(status);
    }
    let lines =
        ["60009 PUT s0 DOWN@50000 404", "60018 POST s0 DOWN@60018 204", "73000 DELETE s0 200"];
    check_stop(&mut bench, 50_000, 20_000, &lines, 73_011);
}

#[test]
fn a_down_without_a_token_and_without_a_drain_is_never_sent() {
    let mut bench = registered(Flavor::SpringCloud);
    for (at, status) in [(45_000, InstanceStatus::OutOfService), (45_100, InstanceStatus::Up)] {
        bench.to(at);
        bench.set_status(status);
    }
    check_stop(&mut bench, 50_000, 0, &["53000 DELETE s0 200"], 53_011);
}

#[test]
fn what_the_application_sets_while_shutdown_waits_is_not_sent() {
    let mut bench = registered(Flavor::Netflix);
    bench.to(50_000);
    bench.stop(0);
    bench.to(51_000);
    bench.set_status(InstanceStatus::OutOfService);
    bench.to(60_000);
    bench.expect(&["53000 DELETE s0 200"]);
}

/// Recording `shutdown-no-unregister`.
#[test]
fn a_client_that_is_not_to_unregister_just_ends() {
    let mut bench = registered(Flavor::SpringCloud);
    bench.profile.client.should_unregister_on_shutdown = false;
    check_stop(&mut bench, 50_000, 0, &["50000 POST s0 DOWN@50000 204"], 53_000);

    let mut bench = registered(Flavor::Netflix);
    bench.profile.client.should_unregister_on_shutdown = false;
    check_stop(&mut bench, 50_000, 0, &[], 53_000);
    assert_eq!(bench.statuses().last().unwrap(), "10000 UP@10000");
}

/// Recordings `accept-cancel-500` and `stuck-m04-cancel-accepted-503`.
#[test]
fn any_answer_to_the_cancel_ends_the_process() {
    for code in [200, 401, 404, 500, 503] {
        let mut bench = registered(Flavor::Netflix);
        bench.rule(0, "DELETE", Stub::Code(code));
        check_stop(&mut bench, 50_000, 0, &[&format!("53000 DELETE s0 {code}")], 53_011);
    }
}

/// Recordings `shutdown-refused` and `shutdown-blackhole`.
#[test]
fn a_cancel_without_an_answer_is_tried_three_times_and_then_given_up() {
    let mut bench = Bench::registering(Flavor::Netflix, 3);
    bench.start();
    bench.to(50_000);
    for server in 0..3 {
        bench.rule(server, "*", Stub::Refuse);
    }
    let lines = ["53000 DELETE s0 refused", "53001 DELETE s0 refused", "53002 DELETE s1 refused"];
    check_stop(&mut bench, 50_000, 0, &lines, 53_003);

    let mut bench = registered(Flavor::Netflix);
    bench.rule(0, "*", Stub::BlackHole);
    let lines = ["53000 DELETE s0 connect-timeout", "58000 DELETE s0 connect-timeout"];
    check_stop(&mut bench, 50_000, 0, &lines, 63_000);
}

/// A heartbeat under way at the cancel, whose 404 comes before the cancel's answer.
fn late_404(kind: HttpClientKind) -> Bench {
    let mut bench = registered(Flavor::Netflix);
    bench.profile.http_client = kind;
    bench.forget();
    bench.rule(0, "PUT", Stub::Slow(996));
    bench.rule(0, "DELETE", Stub::Slow(500));
    bench.to(58_000);
    bench.sent();
    bench.stop(0);
    bench.to(100_000);
    bench
}

#[test]
fn a_404_that_comes_while_the_cancel_is_under_way_registers_down_with_jersey() {
    for kind in [HttpClientKind::Jersey1, HttpClientKind::Jersey3] {
        let mut bench = late_404(kind);
        bench.expect(&[
            "60009 PUT s0 UP@10000 404",
            "61000 DELETE s0 404",
            "61005 POST s0 DOWN@61005 204",
        ]);
        assert_eq!(bench.exited, Some(61_500));
    }
}

/// Recording `stuck-m02-heartbeat-twin`: the thread is interrupted.
#[test]
fn a_404_that_comes_while_the_cancel_is_under_way_is_lost_with_springs_client() {
    let mut bench = late_404(HttpClientKind::RestClient);
    bench.expect(&["60009 PUT s0 UP@10000 404", "61000 DELETE s0 404"]);
}

#[test]
fn when_shutdown_has_returned_no_timer_is_left_whatever_was_under_way() {
    let mut bench = Bench::new(Flavor::SpringCloud, 1);
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(20_000);
    bench.set_status(InstanceStatus::Down);
    bench.to(50_000);
    // A heartbeat, a fetch and a registration are under way.
    bench.rule(0, "PUT", Stub::Slow(20_000));
    bench.rule(0, "GET", Stub::Slow(20_000));
    bench.to(61_000);
    bench.rule(0, "POST", Stub::Slow(20_000));
    bench.set_status(InstanceStatus::Up);
    bench.to(61_500);
    bench.sent();
    bench.stop(0);
    bench.to(1_000_000);
    bench.expect(&["64500 DELETE s0 200"]);
    assert_eq!(bench.exited, Some(64_511));
}

#[test]
fn a_client_that_is_ending_cannot_be_stopped_again() {
    for (flavor, drain) in
        [(Flavor::Netflix, 0), (Flavor::SpringCloud, 0), (Flavor::SpringCloud, 10_000)]
    {
        let mut bench = registered(flavor);
        bench.to(50_000);
        assert!(bench.client().is_staying());
        assert!(bench.stop(drain));
        assert!(!bench.client().is_staying());
        assert!(!bench.stop(drain));
        bench.to(50_000 + drain + 3_005);
        assert!(!bench.stop(drain), "the cancel is under way");
        bench.to(100_000);
        assert!(!bench.stop(drain), "it is gone");
        let lines = bench.sent();
        assert_eq!(lines.iter().filter(|line| line.contains("DELETE")).count(), 1);
    }
}

#[test]
fn a_client_that_is_stopped_in_its_constructor_ends_at_once() {
    let mut bench = Bench::new(Flavor::SpringCloud, 1);
    bench.rule(0, "*", Stub::BlackHole);
    bench.start();
    check_stop(&mut bench, 1_000, 10_000, &[], 1_000);
}

#[test]
fn a_client_that_is_stopped_before_it_is_warm_never_says_up() {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.warm_up = Span::from_secs(10);
    bench.start();
    check_stop(&mut bench, 8_000, 0, &["11000 DELETE s0 404"], 11_011);
    assert_eq!(bench.statuses(), ["0 STARTING@0", "11000 DOWN@11000"]);
}

#[test]
fn a_client_that_only_fetches_ends_without_a_word() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.start();
    check_stop(&mut bench, 10_000, 0, &[], 10_000);

    let mut bench = Bench::fetching(Flavor::SpringCloud, 1);
    bench.start();
    check_stop(&mut bench, 10_000, 5_000, &[], 15_000);
}

#[test]
fn a_killed_client_gives_back_its_view_and_says_nothing() {
    let mut bench = Bench::new(Flavor::SpringCloud, 1);
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(40_000);
    bench.sent();
    let view = bench.client().view();
    assert_ne!(view, ViewId::EMPTY);
    bench.views.hold(view);
    bench.kill();
    bench.to(1_000_000);
    bench.expect(&[]);
    // The hold of this test is the last; a view made now takes the place that becomes free.
    bench.views.release(view);
    let payload = bench.payload(1, "C/c1=UP");
    assert_eq!(bench.views.full(&payload), view);
}

/// Client finding A6, recording `shutdown-blocks-fetch`: a fetch that completes during the wait blocks
/// until `shutdown()` has returned. Its supervisor gives up on it after one interval.
#[test]
fn a_fetch_that_completes_while_shutdown_waits_is_the_last() {
    let mut bench = Bench::new(Flavor::Netflix, 1);
    bench.profile.client.registry_fetch_interval_seconds = 1;
    bench.profile.warm_up = Span::from_millis(21);
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(20_500);
    bench.sent();
    bench.stop(0);
    bench.to(30_000);
    bench.expect(&["21441 GET s0 delta 200", "23500 DELETE s0 200"]);
}
