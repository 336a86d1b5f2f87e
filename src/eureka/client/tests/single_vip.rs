//! A client that fetches one VIP address only (`registry-refresh-single-vip-address`).

use super::bench::{Bench, Stub};
use crate::eureka::Flavor;

fn fetched(registry: &str) -> Bench {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.fetch_single_vip();
    bench.serve(registry);
    bench.start();
    bench.to(1_000);
    bench.expect(&["0 GET s0 vip 200"]);
    bench
}

/// Recording `fetch-single-vip`.
#[test]
fn it_asks_for_that_address_and_never_for_a_delta() {
    let mut bench = fetched("B/b1=UP");
    bench.change(2, "B/b2=UP B/b3=UP", "+B/b9=UP");
    bench.to(65_000);
    bench.expect(&["30021 GET s0 vip 200", "60042 GET s0 vip 200"]);
    assert_eq!(bench.believes(), "v1 UP_2_ B/b2=UP B/b3=UP");
}

#[test]
fn logging_the_difference_asks_for_nothing_more() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.fetch_single_vip();
    bench.profile.client.log_delta_diff = true;
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(31_000);
    bench.expect(&["0 GET s0 vip 200", "30021 GET s0 vip 200"]);
}

/// 404 of an address that nobody has is a failure: the old list stays.
#[test]
fn an_address_that_is_gone_keeps_the_last_list() {
    let mut bench = fetched("B/b1=UP");
    bench.rule(0, "GET", Stub::Code(404));
    bench.to(59_000);
    bench.expect(&["30021 GET s0 vip 404", "30042 GET s0 vip 404"]);
    bench.expect_events(&["Fetch"], &["30063 FetchFailed(NoKnownServer)"]);
    assert_eq!(bench.believes(), "v1 UP_1_ B/b1=UP");
}
