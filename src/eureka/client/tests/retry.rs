//! Which server is asked (`RetryableEurekaHttpClient`, `ServerStatusEvaluators`): pin, list,
//! quarantine, three attempts; what is an answer and what is a failure.

use serde_json::Value;

use super::super::resolver::Servers;
use super::super::transport::{Operation, Stack, StackKind};
use super::super::{DiscoveryClient, Which};
use super::bench::{Bench, Stub};
use crate::eureka::Flavor;
use crate::eureka::client::HttpClientKind;
use crate::time::Span;

/// Six calls for each number of servers, dead ones at the head of the list, and start.
const RETRY_TABLE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/golden/client/tables/retry-open.jsonl"
));

/// A client with a heartbeat every 10 s, UP and registered: pinned to s0.
fn pinned(servers: u16) -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, servers);
    bench.profile.instance.lease_renewal_interval_in_seconds = 10;
    bench.start();
    bench.to(1_000);
    bench.sent();
    // Whoever is alive knows the instance.
    for server in 0..servers {
        bench.rule(server, "PUT", Stub::Code(200));
    }
    bench
}

/// Which servers a heartbeat asks, in order: `s0! s1`, `!` for a refusal. They come one per interval.
fn heartbeats(bench: &mut Bench, from_ms: u64, calls: u64) -> Vec<String> {
    let mut found = Vec::new();
    for call in 0..calls {
        bench.to(from_ms + 10_050 * call);
        let lines = bench.sent();
        let asked: Vec<String> = lines.iter().filter_map(|line| asked(line)).collect();
        found.push(asked.join(" "));
    }
    found
}

fn asked(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let failed = if words.last() == Some(&"refused") { "!" } else { "" };
    (words[1] == "PUT").then(|| format!("{}{failed}", words[2]))
}

/// Table `retry-open` of the recordings (vector V5 is part of it).
#[test]
fn pin_list_and_quarantine_lead_where_they_led_the_real_client() {
    let mut lines = RETRY_TABLE.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(lines.next().unwrap()["format"], "eureka-golden/client-retry/1");
    let mut rows = 0;
    for row in lines {
        let number = |field: &str| row[field].as_u64().unwrap() as u16;
        let (servers, dead) = (number("servers"), number("dead"));
        let mut bench = pinned(servers);
        match row["start"].as_str().unwrap() {
            "pinned" => {}
            "fresh" => bench.client.as_mut().unwrap().client.registration = Stack::new(),
            other => panic!("{other}"),
        }
        for server in 0..dead {
            bench.rule(server, "*", Stub::Refuse);
        }
        let expected: Vec<String> = row["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| {
                let servers =
                    call.as_array().unwrap().iter().map(|server| server.as_str().unwrap());
                servers.collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert_eq!(heartbeats(&mut bench, 10_040, 6), expected, "{row}");
        rows += 1;
    }
    assert_eq!(rows, 42);
}

/// The rows of vector V5 in which servers die one after the other.
#[test]
fn servers_that_die_one_after_the_other_are_told_apart_by_pin_and_quarantine() {
    for (servers, deaths, expected) in [
        // After A, B has died too: C is healthy, and yet the first call fails.
        (3, [0, 1].as_slice(), ["s1! s0! s1!", "s0! s1! s2"]),
        // A is in quarantine and skipped: fewer than the threshold.
        (4, &[0, 1], ["s1! s1! s2", "s2"]),
        // D is never tried again.
        (4, &[0, 1, 2], ["s2! s0! s1!", "s0! s1! s2!"]),
        (2, &[0, 1], ["s1! s0! s1!", "s0! s1!"]),
    ] {
        let mut bench = pinned(servers);
        for (round, &dead) in deaths.iter().enumerate() {
            bench.rule(dead, "*", Stub::Refuse);
            if round + 1 < deaths.len() {
                bench.to(10_050 * (round as u64 + 1));
            }
        }
        bench.sent();
        let from = 10_050 * deaths.len() as u64 + 20;
        assert_eq!(heartbeats(&mut bench, from, 2), expected, "{servers} {deaths:?}");
    }
}

/// The last rows of vector V5, recording `retry-n6-four-dead`.
#[test]
fn with_four_of_six_dead_at_the_head_of_the_list_the_living_are_never_reached() {
    let mut bench = pinned(6);
    bench.rule(0, "*", Stub::Refuse);
    bench.to(10_100);
    bench.rule(1, "*", Stub::Refuse);
    bench.to(20_200);
    bench.sent();
    bench.rule(2, "*", Stub::Refuse);
    bench.rule(3, "*", Stub::Refuse);
    let expected = ["s2! s2! s3!", "s0! s1! s2!", "s0! s1! s2!", "s0! s1! s2!"];
    assert_eq!(heartbeats(&mut bench, 30_100, 4), expected);
}

/// Recording `retry-stays-after-recovery`.
#[test]
fn a_client_stays_with_the_server_that_answered_when_the_first_is_back() {
    let mut bench = pinned(3);
    bench.rule(0, "*", Stub::Refuse);
    assert_eq!(heartbeats(&mut bench, 10_050, 1), ["s0! s0! s1"]);
    bench.rule(0, "*", Stub::Code(200));
    assert_eq!(heartbeats(&mut bench, 20_100, 5), ["s1"; 5]);
}

/// Recording `retry-two-stacks`.
#[test]
fn registrations_and_fetches_choose_their_servers_apart() {
    let mut bench = Bench::new(Flavor::Netflix, 2);
    bench.profile.warm_up = Span::from_secs(10);
    bench.start();
    bench.to(25_000);
    bench.rule(0, "PUT", Stub::Refuse);
    bench.sent();
    bench.to(65_000);
    bench.expect(&[
        "30021 GET s0 apps 200",
        "30021 PUT s0 UP@10000 refused",
        "30022 PUT s0 UP@10000 refused",
        "30023 PUT s1 UP@10000 404",
        "30032 POST s1 UP@30032 204",
        "60042 GET s0 apps 200",
        "60045 PUT s1 UP@30032 200",
    ]);
}

/// Recording `retry-quarantine-percentage`.
#[test]
fn a_small_percentage_forgives_every_quarantined_server_at_once() {
    let mut bench = pinned(4);
    bench.profile.client.retryable_client_quarantine_refresh_percentage = 0.25;
    bench.rule(0, "*", Stub::Refuse);
    assert_eq!(heartbeats(&mut bench, 10_050, 1), ["s0! s0! s1"]);
    bench.rule(1, "*", Stub::Refuse);
    assert_eq!(heartbeats(&mut bench, 20_100, 2), ["s1! s0! s1!", "s0! s1! s2"]);
}

const REGISTRATION: StackKind = StackKind::Registration;

/// A client that knows so many servers.
fn client(servers: u16) -> DiscoveryClient {
    let mut client = DiscoveryClient::new(Which::First);
    client.servers = Servers::of(&(0..servers).collect::<Vec<_>>(), &[]);
    client
}

fn candidates(client: &mut DiscoveryClient) -> Vec<u16> {
    client.host_candidates(REGISTRATION, 0, 0.66)
}

/// The thresholds of spec §7.3 (for three servers and fewer quarantine never excludes one).
#[test]
fn two_thirds_of_the_servers_rounded_down_in_quarantine_forgive_all() {
    for (servers, threshold) in
        [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3), (6, 3), (7, 4), (8, 5), (9, 5), (10, 6)]
    {
        for quarantined in 0..=servers {
            let mut client = client(servers);
            for server in 0..quarantined {
                client.quarantine(REGISTRATION, 0, server);
            }
            let first = if quarantined >= threshold { 0 } else { quarantined };
            let left: Vec<u16> = (first..servers).collect();
            assert_eq!(candidates(&mut client), left, "{quarantined} of {servers}");
        }
    }
}

#[test]
fn a_server_that_left_the_list_leaves_the_quarantine() {
    let mut client = client(4);
    for server in [0, 8, 9] {
        client.quarantine(REGISTRATION, 0, server);
    }
    // One of four, not three of four.
    assert_eq!(candidates(&mut client), [1, 2, 3]);
}

#[test]
fn the_quarantine_of_one_stack_is_not_that_of_the_other() {
    let mut client = client(4);
    client.quarantine(StackKind::Query, 0, 0);
    assert_eq!(candidates(&mut client), [0, 1, 2, 3]);
}

#[test]
fn a_success_takes_nobody_out_of_quarantine() {
    let mut client = client(4);
    let endpoint = client.retryable(REGISTRATION, 0).endpoint_client(0);
    client.quarantine(REGISTRATION, 0, 0);
    client.retryable(REGISTRATION, 0).pin(endpoint);
    assert_eq!(candidates(&mut client), [1, 2, 3]);
}

#[test]
fn a_pinned_server_that_fails_is_unpinned_but_not_quarantined() {
    let mut bench = pinned(4);
    bench.rule_times(0, "*", Stub::Refuse, 1);
    bench.to(15_000);
    // Tried again at once, as the first of the list.
    bench.expect(&["10000 PUT s0 UP@0 refused", "10001 PUT s0 UP@0 200"]);
}

#[test]
fn a_late_failure_of_an_old_pin_leaves_a_newer_one_even_at_the_same_server() {
    let mut client = client(4);
    let session = client.retryable(REGISTRATION, 0);
    let (old, new) = (session.endpoint_client(0), session.endpoint_client(0));
    session.pin(old);
    session.pin(new);
    session.unpin(old);
    assert_eq!(session.pinned(), Some(new));
    session.unpin(new);
    assert_eq!(session.pinned(), None);
}

#[test]
fn a_late_success_pins_its_own_server_again() {
    let mut bench = pinned(2);
    bench.profile.client.eureka_server_read_timeout_seconds = 100;
    // The heartbeat of 10 s is answered by s0 at 45 s. Meanwhile that of 40 s has pinned s1.
    bench.rule_times(0, "*", Stub::Refuse, 2);
    bench.rule_times(0, "PUT", Stub::Slow(35_000), 1);
    bench.to(100_000);
    let lines = bench.sent();
    let asked: Vec<String> = lines.iter().filter_map(|line| asked(line)).collect();
    assert_eq!(asked, ["s0", "s0!", "s0!", "s1", "s0", "s0", "s0", "s0", "s0"]);
}

/// Recording `retry-hang-then-failover`: the pinned server is the first of the list, so it is tried
/// twice before the other.
#[test]
fn a_hanging_server_costs_two_read_timeouts_if_it_is_pinned_and_first() {
    let mut bench = Bench::registering(Flavor::Netflix, 2);
    bench.start();
    bench.to(1_000);
    bench.rule(0, "*", Stub::Hang);
    bench.sent();
    bench.to(60_000);
    bench.expect(&[
        "30000 PUT s0 UP@0 read-timeout",
        "38000 PUT s0 UP@0 read-timeout",
        "46000 PUT s1 UP@0 404",
        "46009 POST s1 UP@46009 204",
    ]);
}

/// Vector V6.
#[test]
fn what_is_an_answer_depends_on_what_was_asked() {
    for code in 100..600 {
        let success = (200..300).contains(&code);
        let accepts = |operation: Operation| operation.accepts(code);
        let registering = success || [302, 404].contains(&code);
        assert_eq!(accepts(Operation::Register), registering, "register {code}");
        assert_eq!(accepts(Operation::Heartbeat), registering, "heartbeat {code}");
        assert!(accepts(Operation::Cancel), "cancel {code}");
        let delta = success || [302, 403, 404].contains(&code);
        assert_eq!(accepts(Operation::Delta), delta, "delta {code}");
        assert_eq!(accepts(Operation::Full), success || code == 302, "full {code}");
    }
}

#[test]
fn an_answer_that_is_not_accepted_sends_the_call_to_the_next_server() {
    for code in [307, 400, 401, 403, 409, 429, 500, 503] {
        let mut bench = pinned(2);
        bench.rule(0, "PUT", Stub::Code(code));
        bench.to(15_000);
        let first = format!("10000 PUT s0 UP@0 {code}");
        let second = format!("10009 PUT s0 UP@0 {code}");
        bench.expect(&[&first, &second, "10018 PUT s1 UP@0 200"]);
    }
}

#[test]
fn a_broken_connection_sends_the_call_to_the_next_server() {
    let mut bench = pinned(2);
    bench.profile.http_client = HttpClientKind::Recorded;
    bench.rule(0, "PUT", Stub::Reset(5));
    bench.to(15_000);
    bench.expect(&["10000 PUT s0 UP@0 reset", "10005 PUT s0 UP@0 reset", "10010 PUT s1 UP@0 200"]);
}

/// Not pinned by a recording: the heartbeat of 10 s loses s0 after a registration has gone to s1.
#[test]
fn a_late_failure_of_the_old_pin_goes_on_with_the_newer_one() {
    let mut bench = pinned(3);
    bench.rule_times(0, "PUT", Stub::Late(500, 3_000), 1);
    bench.to(11_000);
    bench.rule_times(0, "POST", Stub::Refuse, 2);
    bench.set_metadata();
    bench.set_status(crate::eureka::InstanceStatus::Down);
    bench.to(35_000);
    bench.expect(&[
        "10000 PUT s0 UP@0 500",
        "11000 POST s0 DOWN@11000 refused",
        "11001 POST s0 DOWN@11000 refused",
        "11002 POST s1 DOWN@11000 204",
        "13000 PUT s1 DOWN@11000 200",
        "23009 PUT s1 DOWN@11000 200",
        "33018 PUT s1 DOWN@11000 200",
    ]);
}

/// Not pinned by a recording: s0 stays in quarantine though s1 answered after it, and though s0 itself
/// would answer again.
#[test]
fn an_answer_takes_nobody_out_of_quarantine() {
    let mut bench = pinned(6);
    bench.rule_times(0, "*", Stub::Refuse, 2);
    assert_eq!(heartbeats(&mut bench, 10_050, 1), ["s0! s0! s1"]);
    bench.rule_times(1, "*", Stub::Refuse, 1);
    assert_eq!(heartbeats(&mut bench, 20_100, 1), ["s1! s1"]);
    bench.rule_times(1, "*", Stub::Refuse, 2);
    assert_eq!(heartbeats(&mut bench, 30_150, 1), ["s1! s1! s2"]);
}
