//! The constructor that must not fail (`enforce-*-at-init`), and the status that the registry shows of
//! the own instance.

use super::bench::{Bench, Stub};
use crate::eureka::Flavor;
use crate::eureka::client::{Application, CallFailure, ConstructFailure};

/// A client whose application does nothing, with so many servers.
fn scripted(servers: u16) -> Bench {
    let mut bench = Bench::new(Flavor::Netflix, servers);
    bench.profile.application = Application::Scripted;
    bench
}

/// One that has fetched this registry from its only server.
fn scripted_that_fetched(registry: &str) -> Bench {
    let mut bench = scripted(1);
    bench.serve(registry);
    bench.start();
    bench.to(1_000);
    bench
}

/// The constructor throws this, after these requests, and nothing follows.
#[track_caller]
fn check_fails(bench: &mut Bench, failure: ConstructFailure, at: u64, lines: &[&str]) {
    bench.start();
    bench.to(200_000);
    bench.expect(lines);
    let told = format!("{at} ConstructFailed({failure:?})");
    bench.expect_events(&["Construct"], &[&told]);
    assert_eq!(bench.exited, Some(at));
    assert!(!bench.client().is_staying());
}

#[test]
fn a_first_fetch_that_is_enforced_must_not_fail() {
    for (stub, outcome, ms) in [
        (Stub::Refuse, "refused", 1),
        (Stub::Code(404), "404", 21),
        (Stub::Code(500), "500", 21),
        (Stub::BlackHole, "connect-timeout", 5_000),
    ] {
        let mut bench = scripted(1);
        bench.profile.client.should_enforce_fetch_registry_at_init = true;
        bench.rule(0, "GET", stub);
        let line = format!("0 GET s0 apps {outcome}");
        check_fails(&mut bench, ConstructFailure::Fetch, ms, &[&line]);
    }
}

/// Spec §6.1: success is no exception, whatever was stored.
#[test]
fn an_enforced_fetch_that_brings_nothing_is_none_that_failed() {
    for code in [200, 204] {
        let mut bench = scripted(1);
        bench.profile.client.should_enforce_fetch_registry_at_init = true;
        bench.rule(0, "GET", Stub::Code(code));
        bench.start();
        bench.to(1_000);
        bench.expect_events(&["Construct"], &["21 Constructed(First)"]);
        assert_eq!(bench.believes(), "v-1");
    }
}

#[test]
fn a_first_fetch_that_is_not_enforced_may_fail() {
    let mut bench = scripted(1);
    bench.rule(0, "GET", Stub::Refuse);
    bench.start();
    bench.to(1_000);
    bench.expect_events(&["Construct"], &["1 Constructed(First)"]);
}

/// Client finding A13, recording `start-enforce-registration`: the body carried the timestamp of the
/// construction, and `start()` of the replicator sets a later one.
#[test]
fn an_enforced_registration_comes_after_the_fetch_and_the_first_heartbeat_is_unknown_again() {
    let mut bench = scripted(1);
    bench.profile.client.should_enforce_registration_at_init = true;
    bench.start();
    bench.to(42_000);
    bench.expect(&[
        "0 GET s0 apps 200",
        "21 POST s0 STARTING@0 204",
        "30034 GET s0 apps 200",
        "30034 PUT s0 STARTING@34 404",
        "30043 POST s0 STARTING@30043 204",
    ]);
    bench.expect_events(&["Construct"], &["34 Constructed(First)"]);
}

/// Recording `start-enforce-registration-fails`.
#[test]
fn an_enforced_registration_must_be_answered_204() {
    for code in [200, 201, 404] {
        let mut bench = scripted(1);
        bench.profile.client.fetch_registry = false;
        bench.profile.client.should_enforce_registration_at_init = true;
        bench.rule(0, "POST", Stub::Code(code));
        let line = format!("0 POST s0 STARTING@0 {code}");
        check_fails(&mut bench, ConstructFailure::Response, 13, &[&line]);
    }
}

#[test]
fn an_enforced_registration_that_raises_says_why() {
    let mut bench = scripted(2);
    bench.profile.client.fetch_registry = false;
    bench.profile.client.should_enforce_registration_at_init = true;
    for server in 0..2 {
        bench.rule(server, "POST", Stub::Refuse);
    }
    let lines = ["0 POST s0 STARTING@0 refused", "1 POST s1 STARTING@0 refused"];
    check_fails(&mut bench, ConstructFailure::Register(CallFailure::NoKnownServer), 2, &lines);

    let mut bench = scripted(4);
    bench.profile.client.fetch_registry = false;
    bench.profile.client.should_enforce_registration_at_init = true;
    for server in 0..4 {
        bench.rule(server, "POST", Stub::Code(500));
    }
    let lines =
        ["0 POST s0 STARTING@0 500", "13 POST s1 STARTING@0 500", "26 POST s2 STARTING@0 500"];
    check_fails(&mut bench, ConstructFailure::Register(CallFailure::RetryLimit), 39, &lines);

    let mut bench = scripted(0);
    bench.profile.client.fetch_registry = false;
    bench.profile.client.should_enforce_registration_at_init = true;
    check_fails(&mut bench, ConstructFailure::Register(CallFailure::NoServers), 0, &[]);
}

/// The texts of `RetryableEurekaHttpClient` and `DiscoveryClient` 2.0.6.
#[test]
fn each_failure_has_the_message_of_its_exception() {
    for (failure, message) in [
        (
            ConstructFailure::Register(CallFailure::NoServers),
            "There is no known eureka server; cluster server list is empty",
        ),
        (
            ConstructFailure::Register(CallFailure::NoKnownServer),
            "Cannot execute request on any known server",
        ),
        (
            ConstructFailure::Register(CallFailure::RetryLimit),
            "Retry limit reached; giving up on completing the request",
        ),
        (ConstructFailure::Fetch, "Fetch registry error at startup. Initial fetch failed."),
        (ConstructFailure::Response, "Registration error at startup. Invalid server response."),
    ] {
        assert!(failure.message().ends_with(&format!("Exception: {message}")), "{failure:?}");
    }
}

/// The resolver of a client whose constructor threw is not shut down.
#[test]
fn the_list_of_a_client_that_failed_is_still_shuffled() {
    let mut bench = scripted(2);
    bench.profile.client.should_enforce_fetch_registry_at_init = true;
    for server in 0..2 {
        bench.rule(server, "GET", Stub::Refuse);
    }
    bench.start();
    bench.to(1_000_000);
    assert_eq!(bench.draws.shuffles, 4);
}

/// Spec §6.7, recording `fetch-remote-status`.
#[test]
fn the_status_that_the_registry_shows_is_told_and_changes_nothing() {
    let mut bench = scripted_that_fetched("A/i1=UP B/b1=UP");
    bench.change(2, "A/i1=DOWN B/b1=UP", "~A/i1=DOWN");
    bench.to(31_000);
    bench.change(3, "B/b1=UP", "-A/i1=DOWN");
    bench.to(61_000);
    bench.serve("B/b1=UP B/b2=UP");
    bench.to(125_000);
    let told = [
        "21 RemoteStatus(Unknown, Up)",
        "30042 RemoteStatus(Up, Down)",
        "60063 RemoteStatus(Down, Unknown)",
    ];
    bench.expect_events(&["RemoteStatus"], &told);
    assert_eq!(bench.statuses(), ["0 STARTING@0"]);
}

/// Spec §6.1: neither CacheRefreshed nor the remote status if the fetch raised.
#[test]
fn a_fetch_that_raises_leaves_the_remote_status_as_it_was() {
    let mut bench = scripted_that_fetched("A/i1=UP");
    bench.change(2, "A/i1=DOWN A/i2=UP", "~A/i1=DOWN");
    bench.to(30_030);
    // The delta is applied; the full fetch that follows fails.
    bench.rule(0, "GET", Stub::Code(500));
    bench.to(31_000);
    assert_eq!(bench.believes(), "v2 DOWN_1_ A/i1=DOWN");
    bench.expect_events(&["RemoteStatus"], &["21 RemoteStatus(Unknown, Up)"]);
}

/// Even if that brings nothing new.
#[test]
fn the_fetch_after_one_that_raises_tells_the_remote_status() {
    let mut bench = scripted_that_fetched("A/i1=UP");
    bench.change(2, "A/i1=DOWN A/i2=UP", "~A/i1=DOWN");
    bench.to(30_030);
    bench.rule_times(0, "GET", Stub::Code(500), 2);
    bench.to(59_000);
    bench.change(2, "A/i1=DOWN", "");
    bench.to(65_000);
    let told = ["21 RemoteStatus(Unknown, Up)", "60105 RemoteStatus(Up, Down)"];
    bench.expect_events(&["RemoteStatus"], &told);
}
