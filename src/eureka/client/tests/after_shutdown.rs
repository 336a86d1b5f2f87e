//! `shutdown()` returns, and the process lives on: what its threads do then.

use super::bench::{Bench, Stub};
use crate::eureka::client::{Application, HttpClientKind, Which};
use crate::eureka::{Flavor, InstanceStatus};

/// A client over this library, UP and registered, which will outlive its `shutdown()`.
fn registered(kind: HttpClientKind, servers: u16) -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, servers);
    bench.profile.http_client = kind;
    bench.profile.application = Application::Scripted;
    bench.profile.client.eureka_server_read_timeout_seconds = 100;
    bench.outlives_shutdown = true;
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(25_000);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench.events();
    bench
}

/// A heartbeat of 30 s is answered at 40 s; the client is shut down from 31 to 34011.
fn with_heartbeat_under_way(kind: HttpClientKind, servers: u16) -> Bench {
    let mut bench = registered(kind, servers);
    bench.rule_times(0, "PUT", Stub::Slow(10_000), 1);
    bench
}

fn shut_down_at_31(bench: &mut Bench) {
    bench.to(31_000);
    bench.shut_down(Which::First);
    bench.to(100_000);
    assert_eq!(bench.exited, Some(34_011));
}

/// Client finding A4, recordings `shutdown-in-flight-closed` and `real-shutdown-*`.
#[test]
fn jersey_is_closed_and_an_answer_that_comes_later_is_none() {
    for kind in [HttpClientKind::Jersey1, HttpClientKind::Jersey3] {
        let mut bench = with_heartbeat_under_way(kind, 2);
        shut_down_at_31(&mut bench);
        bench.expect(&["30000 PUT s0 UP@0 200", "34000 DELETE s0 200"]);
        // The pinned server, then the list.
        let unsent =
            ["40000 PUT s0 DOWN@34000 client-closed", "40000 PUT s1 DOWN@34000 client-closed"];
        assert_eq!(bench.unsent(), unsent);
        bench.expect_events(&["Heartbeat"], &["40000 HeartbeatFailed(RetryLimit)"]);
    }
}

#[test]
fn springs_client_is_not_closed_and_its_answer_counts() {
    let mut bench = with_heartbeat_under_way(HttpClientKind::RestClient, 2);
    shut_down_at_31(&mut bench);
    bench.expect(&["30000 PUT s0 UP@0 200", "34000 DELETE s0 200"]);
    assert_eq!(bench.unsent(), [""; 0]);
    bench.expect_events(&["Heartbeat"], &[]);
}

/// Client findings A2 and F20, recording `stuck-m02-heartbeat-twin`: the registration after the 404 is
/// a new call, with neither the pin nor a new session.
#[test]
fn a_call_that_begins_later_has_the_session_but_not_the_pin() {
    let mut bench = Bench::registering(Flavor::Netflix, 2);
    bench.profile.http_client = HttpClientKind::RestClient;
    bench.profile.application = Application::Scripted;
    bench.outlives_shutdown = true;
    bench.draws.sessions = [0.5, 0.5, 0.123].into();
    bench.rule_times(0, "POST", Stub::Refuse, 1);
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(25_000);
    bench.expect(&["0 POST s0 UP@0 refused", "1 POST s1 UP@0 204"]);
    bench.forget();
    bench.rule_times(1, "PUT", Stub::Slow(10_000), 1);
    shut_down_at_31(&mut bench);
    bench.expect(&["30000 PUT s1 UP@0 404", "34000 DELETE s1 404"]);
    // With the pin it would be s1, s0, s1.
    let unsent = ["40000 POST s0 DOWN@40000 interrupted", "40000 POST s1 DOWN@40000 interrupted"];
    assert_eq!(bench.unsent(), unsent);
    assert_eq!(bench.draws.sessions, [0.123]);
}

/// HARNESS.md 30: a read that nobody answers ends with its own timeout.
#[test]
fn a_read_under_way_when_jersey_is_closed_ends_with_its_timeout() {
    let mut bench = registered(HttpClientKind::Jersey3, 1);
    bench.profile.client.eureka_server_read_timeout_seconds = 20;
    bench.rule_times(0, "PUT", Stub::Hang, 1);
    bench.to(31_000);
    bench.shut_down(Which::First);
    bench.to(49_000);
    assert_eq!(bench.unsent(), [""; 0]);
    bench.to(51_000);
    assert_eq!(bench.unsent(), ["50000 PUT s0 DOWN@34000 client-closed"]);
}

/// A client that has fetched its own instance as UP, and fetches it as DOWN during `shutdown()`.
fn with_fetch_under_way(ms: u64) -> Bench {
    let mut bench = Bench::new(Flavor::Netflix, 1);
    bench.profile.application = Application::Scripted;
    bench.profile.client.eureka_server_read_timeout_seconds = 100;
    bench.outlives_shutdown = true;
    bench.serve("A/i1=UP");
    bench.start();
    bench.to(25_000);
    bench.change(2, "A/i1=DOWN", "~A/i1=DOWN");
    bench.rule_times(0, "GET", Stub::Slow(ms), 1);
    bench.events();
    bench.to(31_000);
    bench.shut_down(Which::First);
    bench.to(100_000);
    bench
}

/// Client finding A6, recording `shutdown-blocks-fetch`: the last step of the fetch waits for
/// `shutdown()`, and goes on when that has returned.
#[test]
fn a_fetch_that_shutdown_blocks_ends_right_after_it() {
    let mut bench = with_fetch_under_way(2_000);
    let told = ["34011 ShutdownReturned(First)", "34011 RemoteStatus(Up, Down)"];
    bench.expect_events(
        &["Shutdown", "RemoteStatus"],
        &[&["34011 TransportShutdown"][..], &told].concat(),
    );
    assert_eq!(bench.client().remote_status(), InstanceStatus::Down);
    assert_eq!(bench.client().next_wake(), None);
}

/// A fetch that raises has no last step.
#[test]
fn a_fetch_that_fails_during_shutdown_waits_for_nothing() {
    let mut bench = Bench::new(Flavor::Netflix, 1);
    bench.profile.application = Application::Scripted;
    bench.outlives_shutdown = true;
    bench.serve("A/i1=UP");
    bench.start();
    bench.to(30_000);
    bench.rule(0, "GET", Stub::Code(500));
    bench.to(30_020);
    bench.events();
    bench.shut_down(Which::First);
    bench.to(100_000);
    bench.expect_events(
        &["FetchFailed", "Returned"],
        &["30063 FetchFailed(NoKnownServer)", "33031 ShutdownReturned(First)"],
    );
}

/// Recording `shutdown-twice`.
#[test]
fn a_second_shutdown_waits_for_the_first_and_a_third_returns_at_once() {
    let mut bench = registered(HttpClientKind::Jersey3, 1);
    bench.shut_down(Which::First);
    bench.to(26_000);
    bench.shut_down(Which::First);
    bench.to(27_000);
    bench.expect_events(&["Shutdown"], &[]);
    bench.to(60_000);
    bench.shut_down(Which::First);
    bench.expect_events(
        &["Shutdown"],
        &[
            "28011 TransportShutdown",
            "28011 ShutdownReturned(First)",
            "28011 ShutdownReturned(First)",
            "60000 ShutdownReturned(First)",
        ],
    );
    bench.expect(&["28000 DELETE s0 200"]);
}

#[test]
fn the_status_may_still_change_and_nobody_hears_of_it() {
    let mut bench = registered(HttpClientKind::RestClient, 1);
    bench.shut_down(Which::First);
    bench.to(60_000);
    bench.sent();
    bench.set_status(InstanceStatus::Up);
    bench.to(1_000_000);
    bench.expect(&[]);
    assert_eq!(bench.statuses().last().unwrap(), "60000 UP@60000");
    assert_eq!(bench.client().next_wake(), None);
}
