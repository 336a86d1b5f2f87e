//! What Apache HttpClient 5 below Spring's `RestClient` repeats by itself: what was answered 429 or 503,
//! once, a second later (client finding A9).

use super::bench::{Bench, Stub};
use crate::eureka::client::HttpClientKind;
use crate::eureka::{Flavor, InstanceStatus};

/// A Spring client, UP and registered, with this renewal interval (s).
fn registered(kind: HttpClientKind, interval: i32) -> Bench {
    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    bench.profile.http_client = kind;
    bench.profile.instance.lease_renewal_interval_in_seconds = interval;
    bench.start();
    bench.to(900);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench
}

/// Recording `spring-503-retry`; that the bytes are the same is pinned by no recording.
#[test]
fn what_is_repeated_is_what_was_sent_and_not_what_the_instance_is_now() {
    for code in [429, 503] {
        let mut bench = registered(HttpClientKind::RestClient, 30);
        bench.rule_times(0, "PUT", Stub::Code(code), 2);
        bench.to(30_500);
        bench.set_metadata();
        bench.to(59_000);
        bench.expect(&[
            &format!("30000 PUT s0 UP@0 {code}"),
            &format!("31009 PUT s0 UP@0 {code} again"),
            // The next attempt is Eureka's own: it is not refused any more, and reads the instance.
            "31018 PUT s0 UP@30500 404",
            "31027 POST s0 UP@31027 204",
        ]);
    }
}

#[test]
fn registrations_are_repeated_as_they_were_too() {
    let mut bench = registered(HttpClientKind::RestClient, 30);
    bench.rule_times(0, "POST", Stub::Code(503), 1);
    bench.to(1_000);
    bench.set_status(InstanceStatus::Down);
    bench.to(1_500);
    bench.set_metadata();
    bench.to(29_000);
    bench.expect(&["1000 POST s0 DOWN@1000 503", "2013 POST s0 DOWN@1000 204 again"]);
}

#[test]
fn each_attempt_is_two_requests_and_no_more() {
    let mut bench = registered(HttpClientKind::RestClient, 30);
    bench.rule(0, "PUT", Stub::Code(503));
    bench.to(59_000);
    bench.expect(&[
        "30000 PUT s0 UP@0 503",
        "31009 PUT s0 UP@0 503 again",
        "31018 PUT s0 UP@0 503",
        "32027 PUT s0 UP@0 503 again",
    ]);
}

#[test]
fn no_other_answer_and_no_other_library_repeats() {
    for (kind, code) in [
        (HttpClientKind::RestClient, 500),
        (HttpClientKind::RestClient, 502),
        (HttpClientKind::Jersey1, 503),
        (HttpClientKind::Jersey3, 503),
        (HttpClientKind::Recorded, 503),
    ] {
        let mut bench = registered(kind, 30);
        bench.rule_times(0, "PUT", Stub::Code(code), 1);
        bench.to(59_000);
        let lines = [format!("30000 PUT s0 UP@0 {code}"), "30009 PUT s0 UP@0 200".to_owned()];
        assert_eq!(bench.sent(), lines, "{kind:?}");
    }
}

/// Client findings A2 and A9: the supervisor's interrupt falls into the second.
#[test]
fn an_interrupt_in_that_second_ends_the_call() {
    let mut bench = registered(HttpClientKind::RestClient, 1);
    bench.rule_times(0, "PUT", Stub::Code(503), 1);
    bench.to(4_500);
    bench.expect(&["1000 PUT s0 UP@0 503", "4000 PUT s0 UP@0 200"]);
    assert_eq!(bench.unsent(), ["2000 PUT s0 UP@0 interrupted"]);
    let told = ["2000 HttpRetryInterrupted", "2000 HeartbeatFailed(NoKnownServer)"];
    bench.expect_events(&["Interrupted", "Failed"], &told);
}

/// A thread whose flag is set already does not wait at all.
#[test]
fn a_thread_that_was_interrupted_before_does_not_wait() {
    let mut bench = registered(HttpClientKind::RestClient, 1);
    bench.rule_times(0, "PUT", Stub::Late(503, 1_500), 1);
    bench.to(3_900);
    bench.expect(&["1000 PUT s0 UP@0 503"]);
    let told = ["2500 HttpRetryInterrupted", "2500 HeartbeatFailed(NoKnownServer)"];
    bench.expect_events(&["Interrupted", "Failed"], &told);
}
