//! What ends a client's stay with a server: its session, and the shuffles of the list of servers
//! (`SessionedEurekaHttpClient`, `AsyncResolver`).

use super::super::transport::Stack;
use super::bench::{Bench, EPOCH, Stub};
use crate::eureka::{Flavor, InstanceStatus};

/// Ten-second heartbeats; s0 was dead for the first of them, so the client is pinned to s1.
fn at_the_second(servers: u16) -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, servers);
    bench.profile.instance.lease_renewal_interval_in_seconds = 10;
    for server in 0..servers {
        bench.rule(server, "PUT", Stub::Code(200));
    }
    bench
}

/// The server of the last heartbeats sent.
fn asked(bench: &mut Bench) -> Vec<String> {
    let lines = bench.sent();
    let puts = lines.iter().filter(|line| line.contains("PUT"));
    puts.map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect()
}

fn lose_the_first(bench: &mut Bench) {
    bench.start();
    bench.to(1_000);
    bench.rule(0, "*", Stub::Refuse);
    bench.to(15_000);
    assert_eq!(asked(bench), ["s0", "s0", "s1"]);
}

/// Whether a session that begins with this draw is over so many ms later.
fn is_over(draw: f64, after: i64) -> bool {
    let mut stack = Stack::new();
    stack.begin_session(1_200_000, EPOCH, draw);
    stack.session_is_over(EPOCH + after)
}

#[test]
fn a_session_lasts_from_half_to_one_and_a_half_of_what_is_configured() {
    for (draw, length) in [
        (0.0, 600_000),
        (0.25, 900_000),
        (0.5, 1_200_000),
        // Java truncates towards zero.
        (0.000_000_1, 600_001),
        (0.999_999_9, 1_799_999),
    ] {
        assert!(!is_over(draw, length - 1), "{draw}: not yet");
        assert!(is_over(draw, length), "{draw}: {length} ms");
    }
}

/// Recording `session-reconnect`.
#[test]
fn the_first_call_after_the_end_of_a_session_goes_to_the_head_of_the_list() {
    let mut bench = at_the_second(2);
    bench.profile.client.sessioned_client_reconnect_interval_seconds = 100;
    // The first is drawn at construction and never used.
    bench.draws.sessions = [0.7, 0.0, 0.9].into();
    lose_the_first(&mut bench);
    bench.rule(0, "*", Stub::Code(200));
    // From 0 on 50 s; the heartbeat of 50 s is the first after that.
    bench.to(45_000);
    assert_eq!(asked(&mut bench), ["s1", "s1", "s1"]);
    bench.to(75_000);
    assert_eq!(asked(&mut bench), ["s0", "s0", "s0"]);
}

#[test]
fn a_new_session_forgets_the_quarantine() {
    let mut bench = at_the_second(6);
    bench.profile.client.sessioned_client_reconnect_interval_seconds = 40;
    lose_the_first(&mut bench);
    bench.to(35_000);
    assert_eq!(asked(&mut bench), ["s1", "s1"]);
    bench.to(45_000);
    // In quarantine it would have been passed over: one of six is below the threshold.
    assert_eq!(asked(&mut bench), ["s0", "s1"]);
}

/// Recording `clock-forward-session`.
#[test]
fn the_session_is_measured_by_the_wall_clock() {
    let mut bench = at_the_second(2);
    lose_the_first(&mut bench);
    bench.rule(0, "*", Stub::Code(200));
    bench.step_clock(1_200_000);
    bench.to(25_000);
    assert_eq!(asked(&mut bench), ["s0"], "forward: it is over");

    let mut bench = at_the_second(2);
    bench.profile.client.sessioned_client_reconnect_interval_seconds = 40;
    lose_the_first(&mut bench);
    bench.rule(0, "*", Stub::Code(200));
    bench.step_clock(-1_000_000);
    bench.to(500_000);
    let asked = asked(&mut bench);
    assert!(asked.iter().all(|server| server == "s1"), "back: it goes on, {asked:?}");
}

#[test]
fn registrations_and_fetches_have_sessions_of_their_own() {
    let mut bench = Bench::new(Flavor::Netflix, 2);
    bench.profile.client.sessioned_client_reconnect_interval_seconds = 100;
    // Two are drawn at construction and never used. Then the fetches' session is drawn first, by the
    // constructor's fetch: 145 s; then the heartbeats': 55 s.
    bench.draws.sessions = [0.5, 0.5, 0.95, 0.05].into();
    bench.rule_times(0, "*", Stub::Refuse, 2);
    bench.start();
    bench.to(100_000);
    let lines = bench.sent();
    let of = |method: &str| -> Vec<&str> {
        let lines = lines.iter().filter(|line| line.contains(method));
        lines.map(|line| line.split(' ').nth(2).unwrap()).collect()
    };
    assert_eq!(of("GET"), ["s0", "s1", "s1", "s1", "s1"]);
    assert_eq!(of("PUT"), ["s1", "s0", "s0"]);
}

#[test]
fn an_answer_of_the_old_session_pins_nothing_in_the_new_one() {
    let mut bench = at_the_second(2);
    bench.profile.client.sessioned_client_reconnect_interval_seconds = 25;
    bench.profile.client.eureka_server_read_timeout_seconds = 100;
    bench.start();
    bench.to(1_000);
    bench.rule(0, "*", Stub::Refuse);
    bench.rule_times(1, "PUT", Stub::Slow(55_000), 1);
    // Sent to s1 at 10 s in the first session, answered at 65 s in the second.
    bench.to(30_000);
    assert_eq!(asked(&mut bench), ["s0", "s0", "s1"]);
    bench.heal();
    bench.to(64_000);
    let before = asked(&mut bench);
    assert!(before.iter().all(|server| server == "s0"), "{before:?}");
    assert!(!before.is_empty());
    bench.to(75_000);
    let after = asked(&mut bench);
    assert!(after.iter().all(|server| server == "s0"), "{after:?}");
    assert!(!after.is_empty());
}

#[test]
fn the_list_is_shuffled_at_the_start_and_then_every_five_minutes_from_its_first_use() {
    let mut bench = Bench::fetching(Flavor::Netflix, 2);
    bench.start();
    let mut at = |ms| {
        bench.to(ms);
        bench.draws.shuffles
    };
    assert_eq!([at(0), at(299_999), at(300_000), at(599_999), at(600_000)], [1, 1, 2, 2, 3]);

    // Without a fetch the first use is the registration: here the heartbeat at 30 s.
    let mut bench = Bench::registering(Flavor::SpringCloud, 2);
    bench.profile.client.on_demand_update_status_change = false;
    bench.profile.client.eureka_service_url_poll_interval_seconds = 100;
    bench.start();
    let mut at = |ms| {
        bench.to(ms);
        bench.draws.shuffles
    };
    assert_eq!([at(0), at(129_999), at(130_000), at(229_999), at(230_000)], [1, 1, 2, 2, 3]);
}

/// Recording `resolver-two-zones`.
#[test]
fn a_shuffle_matters_only_to_the_next_call_without_a_pin() {
    let mut bench = at_the_second(3);
    bench.profile.client.eureka_service_url_poll_interval_seconds = 35;
    bench.draws.orders = [vec![0, 1, 2], vec![2, 1, 0], vec![1, 2, 0]].into();
    bench.start();
    bench.to(55_000);
    assert_eq!(asked(&mut bench), ["s0"; 5], "shuffled at 35 s, pinned all the same");
    bench.rule(0, "*", Stub::Refuse);
    bench.to(65_000);
    assert_eq!(asked(&mut bench), ["s0", "s2"]);
    bench.to(75_000);
    bench.rule(2, "*", Stub::Refuse);
    bench.to(85_000);
    assert_eq!(asked(&mut bench), ["s2", "s2", "s1"], "shuffled again at 70 s");
}

/// Spec §7.2: a call under way when the session ends goes on with the old `RetryableEurekaHttpClient`:
/// its pin, its quarantine. Here the new session is at s1 when the old call loses s0.
#[test]
fn a_call_of_the_old_session_does_not_use_the_new_sessions_pin() {
    let mut bench = Bench::registering(Flavor::Netflix, 2);
    bench.profile.client.sessioned_client_reconnect_interval_seconds = 40;
    bench.start();
    bench.to(1_000);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench.rule_times(0, "PUT", Stub::Late(500, 25_000), 1);
    bench.to(31_000);
    bench.rule(0, "*", Stub::Refuse);
    bench.to(45_000);
    bench.set_status(InstanceStatus::Down);
    bench.to(60_000);
    bench.expect(&[
        "30000 PUT s0 UP@0 500",
        "45000 POST s0 DOWN@45000 refused",
        "45001 POST s1 DOWN@45000 204",
        // Unpinned in its own session: from the head of the list.
        "55000 PUT s0 DOWN@45000 refused",
        "55001 PUT s1 DOWN@45000 200",
    ]);
}
