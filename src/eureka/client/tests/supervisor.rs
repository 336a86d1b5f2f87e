//! Periods, back-off and pools of heartbeats and fetches (`TimedSupervisorTask`).

use super::bench::{Bench, Stub};
use crate::eureka::Flavor;
use crate::eureka::client::HttpClientKind;

/// The instants of the requests of one method.
fn instants(bench: &mut Bench, method: &str) -> Vec<u64> {
    let lines = bench.sent();
    let of_method = |line: &&String| line.split(' ').nth(1) == Some(method);
    lines
        .iter()
        .filter(of_method)
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect()
}

/// A Netflix client, UP and registered, with this renewal interval (s) and read timeout (s).
fn registered(interval: i32, read_timeout: i32) -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.instance.lease_renewal_interval_in_seconds = interval;
    bench.profile.client.eureka_server_read_timeout_seconds = read_timeout;
    bench.start();
    bench.to(20);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench
}

#[test]
fn a_heartbeat_follows_one_interval_after_the_end_of_the_last() {
    let mut bench = registered(10, 8);
    bench.to(25_000);
    bench.rule_times(0, "PUT", Stub::Slow(3_000), 1);
    bench.to(50_000);
    assert_eq!(instants(&mut bench, "PUT"), [10_000, 20_009, 30_018, 43_018]);
}

#[test]
fn a_fetch_follows_one_interval_after_the_end_of_the_last() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(95_000);
    assert_eq!(instants(&mut bench, "GET"), [0, 30_021, 60_042, 90_063]);
}

/// Recording `heartbeat-refused`.
#[test]
fn a_heartbeat_that_fails_does_not_make_the_next_one_later() {
    let mut bench = registered(30, 8);
    bench.rule(0, "PUT", Stub::Refuse);
    bench.to(40_000);
    bench.rule(0, "PUT", Stub::Code(500));
    bench.to(125_000);
    // The pinned server is tried twice; a failed heartbeat unpins it.
    assert_eq!(instants(&mut bench, "PUT"), [30_000, 30_001, 60_002, 90_011, 120_020]);
}

#[test]
fn a_fetch_that_fails_does_not_make_the_next_one_later() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(1_000);
    bench.rule(0, "GET", Stub::Code(500));
    bench.to(95_000);
    assert_eq!(instants(&mut bench, "GET"), [0, 30_021, 30_042, 60_063, 90_084]);
}

/// Recordings `heartbeat-one-timeout` and `heartbeat-two-timeouts`.
#[test]
fn one_timeout_makes_a_gap_of_two_minutes_and_two_in_a_row_make_one_of_four_and_a_half() {
    for (timeouts, expected) in [
        (1, [30_000, 60_009, 150_009, 180_018].as_slice()),
        (2, &[30_000, 60_009, 150_009, 300_009, 330_018]),
    ] {
        let mut bench = registered(30, 70);
        bench.to(35_000);
        bench.rule_times(0, "PUT", Stub::Slow(35_000), timeouts);
        bench.to(expected[expected.len() - 1]);
        assert_eq!(instants(&mut bench, "PUT"), expected, "{timeouts}");
    }
}

/// Vector V4.
#[test]
fn perpetual_timeouts_double_the_delay_up_to_ten_intervals() {
    let mut bench = registered(30, 100);
    bench.rule(0, "PUT", Stub::Slow(31_000));
    bench.to(1_860_000);
    let seconds: Vec<u64> =
        instants(&mut bench, "PUT").into_iter().map(|instant| instant / 1_000).collect();
    assert_eq!(seconds, [30, 120, 270, 540, 870, 1_200, 1_530, 1_860]);
}

/// Recording `supervisor-bound-2`: 5 s + 2 × 5 s for ever.
#[test]
fn the_bound_is_a_multiple_of_the_interval() {
    let mut bench = registered(5, 100);
    bench.profile.client.heartbeat_executor_exponential_back_off_bound = 2;
    bench.rule(0, "PUT", Stub::Slow(6_000));
    bench.to(50_000);
    assert_eq!(instants(&mut bench, "PUT"), [5_000, 20_000, 35_000, 50_000]);
}

/// Vector V3, less its last row: a task of the client never throws.
#[test]
fn a_run_that_ends_in_time_ends_the_back_off() {
    let mut bench = registered(1, 100);
    bench.rule(0, "PUT", Stub::Slow(0));
    bench.rule_times(0, "PUT", Stub::Slow(2_500), 3);
    bench.to(20_000);
    assert_eq!(instants(&mut bench, "PUT"), [1_000, 4_000, 9_000, 18_000, 19_000, 20_000]);
}

#[test]
fn a_failed_run_that_ends_in_time_ends_the_back_off_too() {
    let mut bench = registered(5, 100);
    bench.rule(0, "PUT", Stub::Code(404));
    bench.rule(0, "POST", Stub::Code(500));
    bench.rule_times(0, "PUT", Stub::Slow(6_000), 2);
    bench.to(45_000);
    // 5 s: too long; 20 s: too long; 45 s: PUT and re-registration fail at once.
    bench.sent();
    bench.to(50_100);
    bench.expect(&[
        "45009 POST s0 UP@45009 500",
        "45022 POST s0 UP@45009 500",
        "50035 PUT s0 UP@45009 404",
        "50044 POST s0 UP@50044 500",
        "50057 POST s0 UP@50044 500",
    ]);
}

/// Recording `supervisor-rejected`.
#[test]
fn with_every_worker_busy_the_next_try_comes_after_the_current_delay() {
    let mut bench = registered(5, 40);
    bench.profile.client.heartbeat_executor_thread_pool_size = 1;
    bench.to(7_000);
    bench.rule_times(0, "PUT", Stub::Hang, 1);
    bench.to(70_000);
    bench.expect(&[
        "5000 PUT s0 UP@0 200",
        // Given up at 15009; rejected at 25009, 35009, 45009.
        "10009 PUT s0 UP@0 read-timeout",
        "50009 PUT s0 UP@0 200",
        "55009 PUT s0 UP@0 200",
        "60018 PUT s0 UP@0 200",
        "65027 PUT s0 UP@0 200",
    ]);
}

/// How many workers a flavour has, seen by requests that never end.
fn workers(flavor: Flavor, method: &'static str) -> usize {
    let mut bench = Bench::new(flavor, 1);
    bench.profile.http_client = HttpClientKind::Jersey3;
    bench.profile.client.eureka_server_read_timeout_seconds = 1_000_000;
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(1_000);
    bench.sent();
    bench.rule(0, method, Stub::Hang);
    bench.to(20_000_000);
    instants(&mut bench, method).len()
}

#[test]
fn netflix_has_five_heartbeat_and_five_fetch_workers_and_spring_two_of_each() {
    for method in ["PUT", "GET"] {
        assert_eq!(workers(Flavor::Netflix, method), 5, "{method}");
        assert_eq!(workers(Flavor::SpringCloud, method), 2, "{method}");
    }
}

#[test]
fn the_pools_of_heartbeats_and_fetches_are_sized_apart() {
    for (heartbeats, fetches) in [(1, 3), (3, 1)] {
        let mut bench = Bench::new(Flavor::Netflix, 1);
        bench.profile.client.heartbeat_executor_thread_pool_size = heartbeats;
        bench.profile.client.cache_refresh_executor_thread_pool_size = fetches;
        bench.profile.client.eureka_server_read_timeout_seconds = 1_000_000;
        bench.start();
        bench.to(1_000);
        bench.rule(0, "PUT", Stub::Hang);
        bench.rule(0, "GET", Stub::Hang);
        bench.sent();
        bench.to(20_000_000);
        let lines = bench.sent();
        let count = |method: &str| lines.iter().filter(|line| line.contains(method)).count();
        assert_eq!((count("PUT"), count("GET")), (heartbeats as usize, fetches as usize));
    }
}

/// Recording `heartbeat-one-timeout`: a timeout at 130 s, an answer at 130 s that renews all the same.
#[test]
fn an_abandoned_heartbeat_goes_on_and_changes_no_timer() {
    let mut bench = registered(30, 70);
    bench.to(35_000);
    bench.rule_times(0, "PUT", Stub::Hang, 1);
    bench.to(190_000);
    bench.expect(&[
        "30000 PUT s0 UP@0 200",
        "60009 PUT s0 UP@0 read-timeout",
        "130009 PUT s0 UP@0 200",
        "150009 PUT s0 UP@0 200",
        "180018 PUT s0 UP@0 200",
    ]);
}

#[test]
fn a_404_that_comes_long_after_the_timeout_still_registers_with_a_new_timestamp() {
    let mut bench = registered(30, 100);
    bench.forget();
    bench.rule_times(0, "PUT", Stub::Slow(45_000), 1);
    bench.to(130_000);
    bench.expect(&[
        "30000 PUT s0 UP@0 404",
        "75000 POST s0 UP@75000 204",
        "120000 PUT s0 UP@75000 200",
    ]);
}

/// Recording `pause-45s`.
#[test]
fn after_a_pause_every_chain_runs_once_and_then_keeps_its_period() {
    let mut bench = Bench::new(Flavor::Netflix, 1);
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(65_000);
    bench.sent();
    bench.freeze_to(110_000);
    bench.to(150_000);
    bench.expect(&[
        "110000 PUT s0 UP@21 200",
        "110000 GET s0 delta 200",
        "140009 PUT s0 UP@21 200",
        "140021 GET s0 delta 200",
    ]);
}
