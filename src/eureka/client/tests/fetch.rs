//! Which fetch is sent, and what becomes of its answer (`fetchRegistry`).

use super::bench::{Bench, Stub};
use crate::eureka::Flavor;

/// A client that has fetched this registry at 0; its fetches follow at 30021, 60042, …
fn fetched(registry: &str) -> Bench {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.serve(registry);
    bench.start();
    bench.to(1_000);
    bench.expect(&["0 GET s0 apps 200"]);
    bench
}

/// Recording `fetch-delta-actions`.
#[test]
fn the_first_fetch_is_full_and_deltas_follow_that_add_modify_and_delete() {
    let mut bench = fetched("B/b1=UP B/b2=UP C/c1=UP");
    assert_eq!(bench.believes(), "v1 UP_3_ B/b1=UP B/b2=UP C/c1=UP");
    bench.change(2, "B/b1=DOWN B/b2=UP B/b3=UP C/c1=UP", "+B/b3=UP ~B/b1=DOWN");
    bench.to(31_000);
    assert_eq!(bench.believes(), "v2 DOWN_1_UP_3_ B/b2=UP B/b3=UP B/b1=DOWN C/c1=UP");
    bench.change(3, "B/b1=DOWN B/b3=UP C/c1=UP", "+B/b3=UP ~B/b1=DOWN -B/b2=UP");
    bench.to(61_000);
    assert_eq!(bench.believes(), "v3 DOWN_1_UP_2_ B/b3=UP B/b1=DOWN C/c1=UP");
    bench.change(4, "B/b1=DOWN B/b3=UP", "-C/c1=UP");
    bench.to(91_000);
    assert_eq!(bench.believes(), "v4 DOWN_1_UP_1_ B/b3=UP B/b1=DOWN");
    bench.change(5, "B/b1=DOWN B/b3=UP D/d1=UP D/d2=STARTING", "+D/d1=UP ~D/d2=STARTING");
    bench.to(121_000);
    let all = "v5 DOWN_1_STARTING_1_UP_2_ B/b3=UP B/b1=DOWN D/d1=UP D/d2=STARTING";
    assert_eq!(bench.believes(), all);
    bench.expect(&[
        "30021 GET s0 delta 200",
        "60042 GET s0 delta 200",
        "90063 GET s0 delta 200",
        "120084 GET s0 delta 200",
    ]);
}

/// Recording `fetch-empty-registry`.
#[test]
fn while_nothing_is_registered_every_fetch_is_full() {
    let mut bench = fetched("");
    bench.to(61_000);
    bench.serve("B/b1=UP");
    bench.to(130_000);
    bench.expect(&[
        "30021 GET s0 apps 200",
        "60042 GET s0 apps 200",
        "90063 GET s0 apps 200",
        "120084 GET s0 delta 200",
    ]);
}

#[test]
fn a_registry_that_becomes_empty_by_a_delta_is_fetched_in_full_again() {
    let mut bench = fetched("B/b1=UP");
    bench.change(2, "", "-B/b1=UP");
    bench.to(61_000);
    bench.expect(&["30021 GET s0 delta 200", "60042 GET s0 apps 200"]);
}

/// Recording `fetch-hash-mismatch`.
#[test]
fn a_hash_that_differs_brings_a_full_fetch_at_once_whose_version_is_the_deltas() {
    let mut bench = fetched("B/b1=UP");
    bench.change(7, "B/b1=UP B/b2=UP", "");
    bench.to(30_043);
    assert_eq!(bench.believes(), "v7 UP_1_ B/b1=UP", "the delta stays applied meanwhile");
    bench.to(65_000);
    assert_eq!(bench.believes(), "v7 UP_2_ B/b1=UP B/b2=UP");
    bench.expect(&["30021 GET s0 delta 200", "30042 GET s0 apps 200", "60063 GET s0 delta 200"]);
}

/// Recording `fetch-blind-spot`.
#[test]
fn a_replacement_that_was_missed_is_never_noticed_if_the_counts_are_equal() {
    let mut bench = fetched("B/b1=UP");
    bench.change(2, "B/b2=UP", "");
    bench.to(100_000);
    assert_eq!(bench.believes(), "v2 UP_1_ B/b1=UP");
    bench.expect(&["30021 GET s0 delta 200", "60042 GET s0 delta 200", "90063 GET s0 delta 200"]);
}

/// Vector V14, recording `fetch-ghost`: DELETED before ADDED, of an application not known yet.
#[test]
fn a_ghost_is_driven_out_by_the_full_fetch_of_the_same_cycle() {
    let mut bench = fetched("B/b1=UP");
    bench.change(2, "B/b1=UP F/y=UP", "-F/x=UP +F/y=UP");
    bench.to(30_043);
    assert_eq!(bench.believes(), "v2 UP_3_ B/b1=UP F/x=UP F/y=UP");
    bench.to(31_000);
    assert_eq!(bench.believes(), "v2 UP_2_ B/b1=UP F/y=UP");
    bench.expect(&["30021 GET s0 delta 200", "30042 GET s0 apps 200"]);
}

/// Recording `fetch-ghost-stays`.
#[test]
fn a_ghost_whose_full_fetch_failed_goes_with_the_next_delta_that_lists_it() {
    let mut bench = fetched("B/b1=UP");
    bench.change(2, "B/b1=UP F/y=UP", "-F/x=UP +F/y=UP");
    bench.to(30_030);
    bench.rule_times(0, "GET", Stub::Code(500), 2);
    bench.to(59_000);
    assert_eq!(bench.believes(), "v2 UP_3_ B/b1=UP F/x=UP F/y=UP");
    bench.to(65_000);
    assert_eq!(bench.believes(), "v2 UP_2_ B/b1=UP F/y=UP");
}

#[test]
fn without_deltas_every_fetch_is_full() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.profile.client.disable_delta = true;
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(65_000);
    bench.expect(&["0 GET s0 apps 200", "30021 GET s0 apps 200", "60042 GET s0 apps 200"]);
}

/// Recording `fetch-log-delta-diff`.
#[test]
fn logging_the_difference_brings_a_full_fetch_after_every_delta() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.profile.client.log_delta_diff = true;
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(65_000);
    bench.expect(&[
        "0 GET s0 apps 200",
        "30021 GET s0 delta 200",
        "30042 GET s0 apps 200",
        "60063 GET s0 delta 200",
        "60084 GET s0 apps 200",
    ]);
}

/// Recordings `accept-delta` and `fetch-failures`.
#[test]
fn a_delta_without_a_body_is_followed_by_a_full_fetch_at_once() {
    for code in [200, 204, 302, 403, 404] {
        let mut bench = fetched("B/b1=UP");
        bench.serve("B/b1=UP B/b2=UP");
        bench.rule_times(0, "GET", Stub::Code(code), 1);
        bench.to(65_000);
        let refused = format!("30021 GET s0 delta {code}");
        bench.expect(&[&refused, "30042 GET s0 apps 200", "60063 GET s0 delta 200"]);
        assert_eq!(bench.believes(), "v1 UP_2_ B/b1=UP B/b2=UP");
    }
}

#[test]
fn a_delta_that_fails_is_not_followed_by_a_full_fetch() {
    for code in [400, 401, 500, 503] {
        let mut bench = fetched("B/b1=UP");
        bench.serve("B/b1=UP B/b2=UP");
        bench.rule_times(0, "GET", Stub::Code(code), 2);
        bench.to(59_000);
        let (first, second) =
            (format!("30021 GET s0 delta {code}"), format!("30042 GET s0 delta {code}"));
        bench.expect(&[&first, &second]);
        assert_eq!(bench.believes(), "v1 UP_1_ B/b1=UP");
    }
}

/// Recording `accept-full`.
#[test]
fn a_full_fetch_without_a_body_changes_nothing() {
    for code in [200, 204, 302] {
        let mut bench = fetched("B/b1=UP");
        bench.profile.client.disable_delta = true;
        bench.serve("B/b1=UP B/b2=UP");
        bench.rule_times(0, "GET", Stub::Code(code), 1);
        bench.to(59_000);
        let line = format!("30021 GET s0 apps {code}");
        bench.expect(&[&line]);
        assert_eq!(bench.believes(), "v1 UP_1_ B/b1=UP");
    }
}

#[test]
fn a_full_fetch_takes_403_and_404_for_failures() {
    for code in [403, 404, 500] {
        let mut bench = fetched("");
        bench.rule(0, "GET", Stub::Code(code));
        bench.to(59_000);
        let (first, second) =
            (format!("30021 GET s0 apps {code}"), format!("30042 GET s0 apps {code}"));
        bench.expect(&[&first, &second]);
    }
}

/// Recordings `fetch-reconcile-no-body` and `fetch-reconcile-fails`.
#[test]
fn a_delta_stays_applied_if_the_full_fetch_after_it_brings_nothing() {
    for (stub, times) in [(Stub::Code(200), 1), (Stub::Code(500), 2), (Stub::Refuse, 2)] {
        let mut bench = fetched("B/b1=UP");
        bench.change(2, "B/b1=UP B/b2=UP B/b3=UP", "+B/b2=UP");
        bench.to(30_030);
        bench.rule_times(0, "GET", stub, times);
        bench.to(59_000);
        assert_eq!(bench.believes(), "v2 UP_2_ B/b1=UP B/b2=UP", "{stub:?}");
        assert_eq!(bench.sent().len(), 1 + times as usize, "{stub:?}");
    }
}

/// Recording `stuck-m14-fetch-dead`.
#[test]
fn a_registry_is_kept_as_long_as_no_server_answers() {
    let mut bench = fetched("B/b1=UP B/b2=DOWN");
    bench.rule(0, "GET", Stub::Refuse);
    bench.to(7_200_000);
    assert_eq!(bench.believes(), "v1 DOWN_1_UP_1_ B/b1=UP B/b2=DOWN");
}

/// A client with a fetch under way that hangs for 40 s and one that overtakes it.
fn overtaken(bench: &mut Bench) {
    bench.profile.client.eureka_server_read_timeout_seconds = 200;
    bench.profile.http_client = crate::eureka::client::HttpClientKind::Recorded;
    bench.profile.client.timeout_socket_timeout = 200_000;
}

/// Recording `fetch-overlap-generation`.
#[test]
fn of_two_deltas_under_way_the_first_to_arrive_is_applied_and_the_other_dropped() {
    let mut bench = fetched("B/b1=UP");
    overtaken(&mut bench);
    bench.change(2, "B/b1=UP B/b2=UP", "+B/b2=UP");
    bench.rule_times(0, "GET", Stub::Slow(100_000), 1);
    bench.to(31_000);
    bench.change(3, "B/b1=UP B/b2=UP B/b3=UP", "+B/b2=UP +B/b3=UP");
    bench.to(125_000);
    let newer = "v3 UP_3_ B/b1=UP B/b2=UP B/b3=UP";
    assert_eq!(bench.believes(), newer);
    bench.to(140_000);
    assert_eq!(bench.believes(), newer, "the older delta came at 130021");
    bench.expect(&["30021 GET s0 delta 200", "120021 GET s0 delta 200"]);
}

#[test]
fn of_two_full_fetches_under_way_the_first_to_arrive_is_stored_and_the_other_dropped() {
    let mut bench = fetched("B/b1=UP");
    overtaken(&mut bench);
    bench.profile.client.disable_delta = true;
    bench.rule_times(0, "GET", Stub::Slow(100_000), 1);
    bench.to(31_000);
    bench.serve("B/b2=UP");
    bench.to(125_000);
    assert_eq!(bench.believes(), "v1 UP_1_ B/b2=UP");
    bench.to(140_000);
    assert_eq!(bench.believes(), "v1 UP_1_ B/b2=UP", "the older registry came at 130021");
    bench.expect(&["30021 GET s0 apps 200", "120021 GET s0 apps 200"]);
}

#[test]
fn a_full_fetch_after_a_delta_is_dropped_if_another_fetch_overtakes_it() {
    let mut bench = fetched("B/b1=UP");
    overtaken(&mut bench);
    bench.change(2, "B/b1=UP B/b2=UP", "");
    bench.to(30_030);
    bench.rule_times(0, "GET", Stub::Slow(100_000), 1);
    bench.to(31_000);
    bench.change(3, "B/b1=UP B/b3=UP", "+B/b3=UP");
    bench.to(140_000);
    assert_eq!(bench.believes(), "v3 UP_2_ B/b1=UP B/b3=UP");
    bench.expect(&["30021 GET s0 delta 200", "30042 GET s0 apps 200", "120021 GET s0 delta 200"]);
}

/// Recording `fetch-no-filter`.
#[test]
fn callers_see_up_instances_only_unless_the_filter_is_off() {
    let registry = "B/b1=UP B/b2=DOWN B/b3=STARTING B/b4=OUT_OF_SERVICE B/b5=UNKNOWN C/c1=UP";
    let bench = fetched(registry);
    let view = bench.views.get(bench.client().view());
    assert_eq!((view.visible(true), view.visible(false)), (2, 6));
    assert_eq!(view.instances().count(), 6);
}

/// Vector V8.
#[test]
fn the_hash_counts_every_status_in_the_order_of_its_name() {
    let registry = "B/b1=UP B/b2=UNKNOWN B/b3=STARTING C/c1=OUT_OF_SERVICE C/c2=DOWN C/c3=UP";
    let hash = "DOWN_1_OUT_OF_SERVICE_1_STARTING_1_UNKNOWN_1_UP_2_";
    assert!(fetched(registry).believes().starts_with(&format!("v1 {hash} ")));
    let up: Vec<String> = (0..12).map(|number| format!("B/b{number}=UP")).collect();
    assert!(fetched(&up.join(" ")).believes().starts_with("v1 UP_12_ "));
    let mixed = format!("{} C/c=DOWN", up[1..].join(" "));
    assert!(fetched(&mixed).believes().starts_with("v1 DOWN_1_UP_11_ "));
    assert_eq!(fetched("").believes(), "v1");
}
