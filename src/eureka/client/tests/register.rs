//! The heartbeat's own way to register: 404, a new dirty timestamp, a registration (`renew()`).

use super::bench::{Bench, Stub};
use crate::eureka::{Flavor, InstanceStatus};
use crate::time::Span;

/// A client that registered UP at 10 s: heartbeats at 30000 and 60009, replicator at 40013 and 70013.
fn registered() -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.warm_up = Span::from_secs(10);
    bench.start();
    bench.to(11_000);
    bench.expect(&["10000 POST s0 UP@10000 204"]);
    bench
}

/// Recording `heartbeat-404-reregister`.
#[test]
fn a_404_makes_the_client_register_with_the_time_of_the_answer_as_dirty_timestamp() {
    let mut bench = registered();
    bench.forget();
    bench.to(75_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 404",
        "30009 POST s0 UP@30009 204",
        // Clean again: the replicator has nothing to send at 40013 and 70013.
        "60022 PUT s0 UP@30009 200",
    ]);
    assert_eq!(bench.statuses(), ["0 STARTING@0", "10000 UP@10000"], "the status itself stays");
}

#[test]
fn the_dirty_timestamp_is_the_wall_clock_even_if_that_went_back() {
    let mut bench = registered();
    bench.forget();
    bench.step_clock(-100_000);
    bench.to(35_000);
    bench.expect(&["30000 PUT s0 UP@10000 404", "30009 POST s0 UP@-69991 204"]);
}

#[test]
fn an_answer_that_is_accepted_but_neither_200_nor_404_ends_the_heartbeat() {
    for code in [201, 204, 299, 302] {
        let mut bench = registered();
        bench.rule(0, "PUT", Stub::Code(code));
        bench.to(75_000);
        let first = format!("30000 PUT s0 UP@10000 {code}");
        let second = format!("60009 PUT s0 UP@10000 {code}");
        bench.expect(&[&first, &second]);
    }
}

/// Recording `heartbeat-404-register-404`: unlike the replicator, the heartbeat looks at the answer.
#[test]
fn only_204_makes_the_instance_clean_after_a_404() {
    for code in [404, 302, 200] {
        let mut bench = registered();
        bench.forget();
        bench.rule_times(0, "POST", Stub::Code(code), 1);
        bench.to(45_000);
        let posted = format!("30009 POST s0 UP@30009 {code}");
        let again = "40013 POST s0 UP@30009 204";
        bench.expect(&["30000 PUT s0 UP@10000 404", &posted, again]);
    }
}

/// Recording `heartbeat-404-register-fails`.
#[test]
fn a_registration_that_fails_after_a_404_is_left_to_the_replicator() {
    let mut bench = registered();
    bench.forget();
    bench.rule_times(0, "POST", Stub::Code(500), 2);
    bench.to(45_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 404",
        // The pinned server, then the first of the list, which is the same.
        "30009 POST s0 UP@30009 500",
        "30022 POST s0 UP@30009 500",
        "40013 POST s0 UP@30009 204",
    ]);
}

#[test]
fn a_change_during_the_registration_after_a_404_stays_dirty() {
    let mut bench = registered();
    bench.forget();
    bench.rule_times(0, "POST", Stub::Slow(1_000), 1);
    bench.to(30_500);
    bench.set_metadata();
    bench.to(45_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 404",
        "30009 POST s0 UP@30009 204",
        "40013 POST s0 UP@30500 204",
    ]);
}

#[test]
fn a_change_in_the_millisecond_of_the_404_is_never_sent() {
    let mut bench = registered();
    bench.forget();
    bench.to(30_009);
    bench.set_metadata();
    bench.to(75_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 404",
        "30009 POST s0 UP@30009 204",
        "60022 PUT s0 UP@30009 200",
    ]);
}

#[test]
fn a_run_of_the_replicator_during_that_registration_sends_a_second_one() {
    let mut bench = registered();
    bench.forget();
    bench.rule_times(0, "POST", Stub::Slow(12_000), 1);
    bench.to(75_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 404",
        "30009 POST s0 UP@30009 204",
        "40013 POST s0 UP@30009 204",
        "72009 PUT s0 UP@30009 200",
    ]);
}

/// Recording `on-demand-dropped-then-heartbeat`.
#[test]
fn a_change_nobody_sent_reaches_the_server_by_the_404_of_the_next_heartbeat() {
    let mut bench = registered();
    for (at, status) in [
        (50_000, InstanceStatus::Down),
        (50_200, InstanceStatus::Up),
        (50_400, InstanceStatus::Down),
    ] {
        bench.to(at);
        bench.set_status(status);
    }
    bench.to(75_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 200",
        "50000 POST s0 DOWN@50000 204",
        "50200 POST s0 UP@50200 204",
        "60009 PUT s0 DOWN@50400 404",
        "60018 POST s0 DOWN@60018 204",
    ]);
}

/// Recording `stuck-m11-post-broken`.
#[test]
fn while_registrations_fail_every_heartbeat_and_every_run_tries_again() {
    let mut bench = registered();
    bench.rule(0, "POST", Stub::Code(413));
    bench.to(12_000);
    bench.set_status(InstanceStatus::Down);
    bench.to(65_000);
    bench.expect(&[
        "12000 POST s0 DOWN@12000 413",
        "12013 POST s0 DOWN@12000 413",
        "30000 PUT s0 DOWN@12000 404",
        "30009 POST s0 DOWN@30009 413",
        "30022 POST s0 DOWN@30009 413",
        "42026 POST s0 DOWN@30009 413",
        "60035 PUT s0 DOWN@30009 404",
        "60044 POST s0 DOWN@60044 413",
        "60057 POST s0 DOWN@60044 413",
    ]);
}
