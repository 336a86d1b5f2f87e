//! Redirects that Eureka's own layer follows (`RedirectingEurekaHttpClient`): of Jersey 1, whose HTTP
//! library hands every 302 up.

use super::bench::{Bench, Stub};
use crate::eureka::client::{Application, HttpClientKind};
use crate::eureka::{Flavor, InstanceStatus};

/// A client that only registers, with a heartbeat every 10 s.
fn client(servers: u16) -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, servers);
    bench.profile.http_client = HttpClientKind::Jersey1;
    bench.profile.application = Application::Scripted;
    bench.profile.instance.lease_renewal_interval_in_seconds = 10;
    bench
}

/// s0 sends it to s1, where it registers.
fn redirected(servers: u16) -> Bench {
    let mut bench = client(servers);
    bench.rule(0, "*", Stub::Redirect(1));
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(1_000);
    bench.expect(&["0 POST s0 UP@0 302", "13 POST s1 UP@0 204"]);
    bench
}

/// Recording `redirect`.
#[test]
fn the_first_request_is_followed_and_the_rest_go_to_the_target() {
    let mut bench = redirected(2);
    bench.to(25_000);
    bench.expect(&["10000 PUT s1 UP@0 200", "20009 PUT s1 UP@0 200"]);
}

#[test]
fn a_redirect_of_the_target_is_an_answer() {
    let mut bench = redirected(2);
    bench.rule_times(1, "PUT", Stub::Redirect(0), 1);
    bench.to(25_000);
    bench.expect(&["10000 PUT s1 UP@0 302", "20009 PUT s1 UP@0 200"]);
    bench.expect_events(&["Failed"], &[]);
}

#[test]
fn of_ten_redirects_in_a_row_the_last_is_not_followed() {
    let mut bench = client(2);
    bench.rule(0, "*", Stub::Redirect(1));
    bench.rule(1, "*", Stub::Redirect(0));
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(1_000);
    let mut expected = Vec::new();
    for number in 0..20 {
        // s0, s1, s0 … ten times; then the next of the list, s1, s0, s1 …
        let server = (number + number / 10) % 2;
        expected.push(format!("{} POST s{server} UP@0 302", 13 * number));
    }
    assert_eq!(bench.sent(), expected);

    // Nine are followed.
    let mut bench = client(2);
    bench.rule_times(0, "*", Stub::Redirect(0), 9);
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(1_000);
    let lines = bench.sent();
    assert_eq!(lines.len(), 10);
    assert_eq!(lines[9], "117 POST s0 UP@0 204");
}

#[test]
fn a_redirect_to_nowhere_fails_the_attempt() {
    let mut bench = client(2);
    bench.rule(0, "*", Stub::Code(302));
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(1_000);
    bench.expect(&["0 POST s0 UP@0 302", "13 POST s1 UP@0 204"]);
}

/// Whoever is in quarantine is the endpoint of the list, not the target.
#[test]
fn a_target_that_refuses_puts_the_endpoint_into_quarantine() {
    let mut bench = client(6);
    bench.rule(0, "*", Stub::Redirect(1));
    bench.rule_times(1, "*", Stub::Refuse, 1);
    bench.start();
    bench.set_status(InstanceStatus::Up);
    bench.to(1_000);
    bench.expect(&["0 POST s0 UP@0 302", "13 POST s1 UP@0 refused", "14 POST s1 UP@0 204"]);
    bench.rule_times(1, "*", Stub::Refuse, 1);
    bench.to(15_000);
    // Not s0, which is in quarantine.
    bench.expect(&["10000 PUT s1 UP@0 refused", "10001 PUT s1 UP@0 200"]);
}

#[test]
fn an_exception_at_the_target_leads_back_to_the_endpoint() {
    let mut bench = redirected(2);
    bench.rule_times(1, "PUT", Stub::Reset(5), 1);
    bench.to(25_000);
    bench.expect(&[
        "10000 PUT s1 UP@0 reset",
        "10005 PUT s0 UP@0 302",
        "10014 PUT s1 UP@0 200",
        "20023 PUT s1 UP@0 200",
    ]);
}

/// The heartbeat of 10 s is at the target when a registration loses it, and pins its client again: a
/// client that has no target any more, until the next call finds one.
#[test]
fn a_target_is_lost_though_another_call_pins_its_client_again_and_found_by_the_next() {
    let mut bench = redirected(2);
    bench.rule_times(1, "PUT", Stub::Slow(2_000), 1);
    bench.to(11_000);
    bench.rule_times(1, "POST", Stub::Reset(1), 1);
    bench.set_status(InstanceStatus::Down);
    bench.to(45_000);
    bench.expect(&[
        "10000 PUT s1 UP@0 200",
        "11000 POST s1 DOWN@11000 reset",
        "11001 POST s0 DOWN@11000 302",
        "11014 POST s1 DOWN@11000 204",
        // The heartbeat ended at 12000.
        "22000 PUT s0 DOWN@11000 302",
        "22009 PUT s1 DOWN@11000 200",
        "32018 PUT s1 DOWN@11000 200",
        "42027 PUT s1 DOWN@11000 200",
    ]);
}

#[test]
fn an_answer_that_is_not_accepted_does_not_lose_the_target() {
    let mut bench = redirected(2);
    bench.rule_times(1, "PUT", Stub::Slow(2_000), 1);
    bench.to(11_000);
    bench.rule_times(1, "POST", Stub::Code(500), 1);
    bench.set_status(InstanceStatus::Down);
    bench.to(25_000);
    bench.expect(&[
        "10000 PUT s1 UP@0 200",
        "11000 POST s1 DOWN@11000 500",
        "11013 POST s0 DOWN@11000 302",
        "11026 POST s1 DOWN@11000 204",
        "22000 PUT s1 DOWN@11000 200",
    ]);
}
