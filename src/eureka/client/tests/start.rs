//! From the process start to the first registration, in both flavours.

use super::super::resolver::Servers;
use super::bench::{Bench, Stub};
use crate::eureka::client::{ClientConfig, ClientProcess, Endpoints};
use crate::eureka::config::{ConfigError, ConfigValue};
use crate::eureka::{Flavor, InstanceStatus};
use crate::time::Span;

/// A Netflix client whose application takes so long to call itself UP.
fn netflix(warm_up_ms: u64) -> Bench {
    let mut bench = Bench::new(Flavor::Netflix, 1);
    bench.profile.warm_up = Span::from_millis(warm_up_ms);
    bench
}

/// One that never does.
fn netflix_forever_starting() -> Bench {
    netflix(1_000_000_000)
}

/// Vector V11, recording `start-spring-defaults`.
#[test]
fn spring_fetches_and_then_registers_up_at_once() {
    let mut bench = Bench::new(Flavor::SpringCloud, 1);
    bench.start();
    bench.to(75_000);
    bench.expect(&[
        "0 GET s0 apps 200",
        "21 POST s0 UP@21 204",
        "30021 GET s0 apps 200",
        "30021 PUT s0 UP@21 200",
        "60030 PUT s0 UP@21 200",
        "60042 GET s0 apps 200",
    ]);
    assert_eq!(bench.statuses(), ["0 STARTING@0", "21 UP@21"]);
}

#[test]
fn the_first_registration_of_spring_puts_its_replicator_thirty_seconds_after_its_end() {
    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    // The lease is long, so that no heartbeat sends the change first.
    bench.profile.instance.lease_renewal_interval_in_seconds = 1_000;
    bench.start();
    bench.to(1_000);
    bench.set_metadata();
    bench.to(40_000);
    bench.set_metadata();
    bench.to(70_000);
    bench.expect(&[
        "0 POST s0 UP@0 204",
        "30013 POST s0 UP@1000 204",
        "60026 POST s0 UP@40000 204",
    ]);
}

/// Vector V12, recording `start-netflix-defaults`.
#[test]
fn netflix_registers_starting_with_the_404_of_its_first_heartbeat_and_stays_so() {
    let mut bench = netflix_forever_starting();
    bench.start();
    bench.to(65_000);
    bench.expect(&[
        "0 GET s0 apps 200",
        "30021 GET s0 apps 200",
        "30021 PUT s0 STARTING@21 404",
        "30030 POST s0 STARTING@30030 204",
        // The replicator's first run, at 40021, finds nothing dirty.
        "60042 GET s0 apps 200",
        "60043 PUT s0 STARTING@30030 200",
    ]);
}

/// Recording `start-netflix-up-at-10s`.
#[test]
fn netflix_registers_up_as_soon_as_it_is_warm() {
    let mut bench = netflix(10_000);
    bench.start();
    bench.to(35_000);
    bench.expect(&[
        "0 GET s0 apps 200",
        "10000 POST s0 UP@10000 204",
        "30021 GET s0 apps 200",
        "30021 PUT s0 UP@10000 200",
    ]);
}

/// Recording `start-netflix-up-at-35s`.
#[test]
fn netflix_registers_twice_if_it_gets_warm_after_its_first_heartbeat() {
    let mut bench = netflix(35_000);
    bench.start();
    bench.to(45_000);
    bench.expect(&[
        "0 GET s0 apps 200",
        "30021 GET s0 apps 200",
        "30021 PUT s0 STARTING@21 404",
        "30030 POST s0 STARTING@30030 204",
        "35000 POST s0 UP@35000 204",
    ]);
}

#[test]
fn netflix_runs_its_replicator_first_forty_seconds_after_the_constructor() {
    for delay in [40, 7] {
        let mut bench = netflix_forever_starting();
        bench.profile.client.initial_instance_info_replication_interval_seconds = delay;
        bench.profile.instance.lease_renewal_interval_in_seconds = 1_000;
        bench.start();
        bench.to(50_000);
        let posted = format!("{}021 POST s0 STARTING@21 204", delay);
        let mut sent = bench.sent();
        sent.retain(|line| line.contains("POST"));
        assert_eq!(sent, [posted]);
    }
}

#[test]
fn an_instance_that_is_enabled_from_the_start_says_up_from_its_first_heartbeat_on() {
    for flavor in [Flavor::Netflix, Flavor::SpringCloud] {
        let mut bench = Bench::registering(flavor, 1);
        bench.profile.instance.instance_enabled_onit = true;
        bench.start();
        bench.to(50_000);
        // Nothing changes, so nothing is sent on demand.
        bench.expect(&["30000 PUT s0 UP@0 404", "30009 POST s0 UP@30009 204"]);
        assert_eq!(bench.statuses(), ["0 UP@0"]);
    }
}

#[test]
fn spring_can_start_with_another_status() {
    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    bench.profile.instance.initial_status = InstanceStatus::OutOfService;
    bench.start();
    bench.to(1_000);
    bench.expect(&["0 POST s0 OUT_OF_SERVICE@0 204"]);

    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    bench.profile.instance.initial_status = InstanceStatus::Starting;
    bench.start();
    bench.to(35_000);
    bench.expect(&["30000 PUT s0 STARTING@0 404", "30009 POST s0 STARTING@30009 204"]);
}

#[test]
fn without_updates_on_demand_even_spring_registers_with_its_first_heartbeat() {
    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    bench.profile.client.on_demand_update_status_change = false;
    bench.start();
    bench.to(50_000);
    bench.expect(&["30000 PUT s0 UP@0 404", "30009 POST s0 UP@30009 204"]);
}

#[test]
fn every_timer_counts_from_the_end_of_the_first_fetch() {
    let mut bench = netflix_forever_starting();
    bench.serve("B/b1=UP");
    bench.rule_times(0, "GET", Stub::Slow(2_000), 1);
    bench.start();
    bench.to(1_999);
    assert!(bench.client().is_staying());
    bench.to(35_000);
    bench.expect(&[
        "0 GET s0 apps 200",
        "32000 GET s0 delta 200",
        "32000 PUT s0 STARTING@2000 404",
        "32009 POST s0 STARTING@32009 204",
    ]);
}

#[test]
fn the_warm_up_counts_from_the_process_start_but_ends_only_after_the_constructor() {
    for (first_fetch, warm_up, up) in [(2_000, 5_000, "5000 UP@5000"), (2_000, 500, "2000 UP@2000")]
    {
        let mut bench = netflix(warm_up);
        bench.rule_times(0, "GET", Stub::Slow(first_fetch), 1);
        bench.start();
        bench.to(10_000);
        assert_eq!(bench.statuses(), ["0 STARTING@0", up]);
    }
}

/// Recording `start-fetch-fails`.
#[test]
fn a_first_fetch_that_fails_everywhere_is_no_obstacle() {
    let mut bench = Bench::new(Flavor::SpringCloud, 4);
    for server in 0..4 {
        bench.rule(server, "GET", Stub::Refuse);
    }
    bench.start();
    bench.to(1_000);
    bench.expect(&[
        "0 GET s0 apps refused",
        "1 GET s1 apps refused",
        "2 GET s2 apps refused",
        "3 POST s0 UP@3 204",
    ]);
    assert_eq!(bench.believes(), "v-1");
}

#[test]
fn a_black_holed_first_fetch_holds_spring_up_for_three_minutes_each() {
    let mut bench = Bench::new(Flavor::SpringCloud, 2);
    bench.rule(0, "*", Stub::BlackHole);
    bench.start();
    bench.to(200_000);
    bench.expect(&[
        "0 GET s0 apps connect-timeout",
        "180000 GET s1 apps 200",
        "180021 POST s0 UP@180021 connect-timeout",
    ]);
}

#[test]
fn a_client_that_does_not_register_only_fetches() {
    for flavor in [Flavor::Netflix, Flavor::SpringCloud] {
        let mut bench = Bench::fetching(flavor, 1);
        bench.start();
        bench.to(100_000);
        bench.expect(&[
            "0 GET s0 apps 200",
            "30021 GET s0 apps 200",
            "60042 GET s0 apps 200",
            "90063 GET s0 apps 200",
        ]);
    }
}

#[test]
fn a_client_that_neither_registers_nor_fetches_sends_nothing() {
    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    bench.profile.client.register_with_eureka = false;
    bench.start();
    assert_eq!(bench.client().next_wake(), None);
    bench.to(1_000_000);
    bench.expect(&[]);
}

#[test]
fn a_client_that_knows_no_server_fails_without_a_request_and_goes_on_trying() {
    let mut bench = Bench::new(Flavor::SpringCloud, 0);
    bench.start();
    bench.to(40_000);
    bench.expect(&[]);
    assert!(bench.client().next_wake().is_some());
}

#[test]
fn the_servers_of_the_own_zone_come_first_and_each_part_is_shuffled_for_itself() {
    let mut bench = Bench::fetching(Flavor::Netflix, 4);
    bench.endpoints = Endpoints {
        own_zone: vec![2, 3],
        other_zones: vec![0, 1],
        in_given_order: false,
        configured: None,
    };
    bench.draws.orders = [vec![3, 2], vec![1, 0]].into();
    for server in 0..4 {
        bench.rule(server, "GET", Stub::Refuse);
    }
    bench.start();
    bench.to(1_000);
    bench.expect(&["0 GET s3 apps refused", "1 GET s2 apps refused", "2 GET s1 apps refused"]);
    assert_eq!(bench.draws.shuffles, 2);
}

#[test]
fn servers_in_a_given_order_are_not_shuffled() {
    let mut bench = Bench::fetching(Flavor::Netflix, 3);
    bench.endpoints.in_given_order = true;
    bench.start();
    bench.to(700_000);
    assert_eq!(bench.draws.shuffles, 0);
}

/// `config.rs`: "Keys whose effect is not modelled yet are refused, not ignored".
#[test]
fn what_is_not_modelled_cannot_be_switched_on_without_effect() {
    let mut config = ClientConfig::new(Flavor::SpringCloud);
    let on = ConfigValue::Flag(true);
    assert_eq!(config.set("webclient.enabled", &on), Err(ConfigError::NotYet));
}

/// Timeline S3: UP before there is a listener, so the heartbeat's 404 registers, or the replicator.
#[test]
fn with_asynchronous_initialisation_spring_registers_with_its_first_heartbeat() {
    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    bench.profile.instance.async_client_initialization = true;
    bench.start();
    assert_eq!(bench.statuses(), ["0 STARTING@0", "0 UP@0"]);
    bench.to(61_000);
    bench.expect(&[
        "30000 PUT s0 UP@0 404",
        "30009 POST s0 UP@30009 204",
        "60022 PUT s0 UP@30009 200",
    ]);
}

/// Between its timers a client is nothing but this, with the few servers that it knows.
#[test]
fn a_client_that_waits_takes_three_cache_lines_and_nothing_on_the_heap() {
    assert_eq!(size_of::<Option<ClientProcess>>(), 3 * 64);
    for flavor in [Flavor::Netflix, Flavor::SpringCloud] {
        let mut bench = Bench::new(flavor, 6);
        bench.start();
        bench.to(100_000);
        let client = bench.client();
        assert!(client.client.rare.is_none() && client.extras.is_none(), "{flavor:?}: {client:?}");
        assert!(matches!(client.client.servers, Servers::Few(6, _)));
    }
}
