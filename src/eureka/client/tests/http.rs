//! What the HTTP library below decides: timeouts, error pages, interrupted threads.

use super::bench::{Bench, Stub};
use crate::eureka::client::{ErrorBody, HttpClientKind};
use crate::eureka::{Flavor, InstanceStatus, Release};
use crate::time::Span;
use HttpClientKind::{Jersey1, Jersey3, Recorded, RestClient, RestTemplate, WebClient};

/// A Netflix-flavoured client over another library, UP and registered at 10 s.
fn registered(kind: HttpClientKind, servers: u16) -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, servers);
    bench.profile.http_client = kind;
    bench.profile.warm_up = Span::from_secs(10);
    bench.start();
    bench.to(11_000);
    bench.expect(&["10000 POST s0 UP@10000 204"]);
    bench
}

#[test]
fn netflix_changed_its_jersey_with_release_two() {
    let of = |major, minor, patch| HttpClientKind::jersey(Release::new(major, minor, patch));
    assert_eq!([of(1, 3, 4), of(1, 10, 18)], [Jersey1, Jersey1]);
    assert_eq!([of(2, 0, 0), of(2, 0, 6)], [Jersey3, Jersey3]);
}

#[test]
fn jersey_waits_five_and_eight_seconds_and_springs_own_clients_three_minutes() {
    let (short, long) = ((5, 8), (180, 180));
    for (kind, (connect, read)) in [
        (Jersey1, short),
        (Jersey3, short),
        (RestClient, long),
        (RestTemplate, long),
        (WebClient, long),
        (Recorded, long),
    ] {
        let bench = {
            let mut bench = Bench::new(Flavor::SpringCloud, 1);
            bench.profile.http_client = kind;
            bench
        };
        assert_eq!(bench.profile.connect_timeout(), Span::from_secs(connect), "{kind:?}");
        assert_eq!(bench.profile.read_timeout(), Span::from_secs(read), "{kind:?}");
    }
}

#[test]
fn jersey_and_springs_own_clients_have_settings_of_their_own() {
    let mut bench = Bench::new(Flavor::SpringCloud, 1);
    let client = &mut bench.profile.client;
    client.eureka_server_connect_timeout_seconds = 1;
    client.eureka_server_read_timeout_seconds = 2;
    client.timeout_connect_timeout = 3;
    client.timeout_socket_timeout = 4;
    for (kind, connect, read) in
        [(Jersey1, 1_000, 2_000), (Jersey3, 1_000, 2_000), (RestClient, 3, 4)]
    {
        bench.profile.http_client = kind;
        assert_eq!(bench.profile.connect_timeout().millis(), connect, "{kind:?}");
        assert_eq!(bench.profile.read_timeout().millis(), read, "{kind:?}");
    }
}

#[test]
fn a_black_hole_costs_the_connect_timeout_and_a_hang_the_read_timeout() {
    for (stub, outcome, first, second) in [
        (Stub::BlackHole, "connect-timeout", 35_000, 40_000),
        (Stub::Hang, "read-timeout", 38_000, 46_000),
    ] {
        let mut bench = registered(Jersey3, 2);
        bench.rule(0, "*", stub);
        bench.to(50_000);
        let lines = [
            format!("30000 PUT s0 UP@10000 {outcome}"),
            format!("{first} PUT s0 UP@10000 {outcome}"),
            format!("{second} PUT s1 UP@10000 404"),
        ];
        assert_eq!(bench.sent()[..3], lines);
    }
}

/// What each library makes of a heartbeat's 404 with such a body: true if it registers.
#[track_caller]
fn check_404(kind: HttpClientKind, body: ErrorBody, registers: bool) {
    let mut bench = registered(kind, 2);
    bench.rule_times(0, "PUT", Stub::Page(404, body), 2);
    bench.rule(1, "PUT", Stub::Code(200));
    bench.to(39_000);
    let lines: &[&str] = if registers {
        &["30000 PUT s0 UP@10000 404", "30009 POST s0 UP@30009 204"]
    } else {
        // A failed attempt: unpinned, tried again, quarantined, another server.
        &["30000 PUT s0 UP@10000 404", "30009 PUT s0 UP@10000 404", "30018 PUT s1 UP@10000 200"]
    };
    assert_eq!(bench.sent(), lines, "{kind:?} {body:?}");
}

/// Recordings `real-404-empty` and `real-404-html` of all three; the JSON rows are client finding A8.
#[test]
fn a_404_with_a_page_registers_with_springs_clients_only_and_with_html_in_jersey_1_too() {
    for kind in [Jersey1, Jersey3, RestClient, RestTemplate, Recorded] {
        check_404(kind, ErrorBody::None, true);
    }
    for kind in [RestClient, RestTemplate, Recorded] {
        check_404(kind, ErrorBody::Json, true);
        check_404(kind, ErrorBody::Html, true);
    }
    check_404(Jersey3, ErrorBody::Json, false);
    check_404(Jersey3, ErrorBody::Html, false);
    check_404(Jersey1, ErrorBody::Json, false);
    check_404(Jersey1, ErrorBody::Html, true);
}

/// Recording `real-404-html`, Jersey 3, one server.
#[test]
fn with_one_server_whose_404_has_a_page_jersey_3_never_registers_by_heartbeat() {
    let mut bench = registered(Jersey3, 1);
    bench.rule(0, "PUT", Stub::Page(404, ErrorBody::Json));
    bench.to(100_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 404",
        "30009 PUT s0 UP@10000 404",
        "60018 PUT s0 UP@10000 404",
        "90027 PUT s0 UP@10000 404",
    ]);
}

/// What each library makes of a heartbeat's 200 with such a body: true if it is an answer.
#[track_caller]
fn check_200(kind: HttpClientKind, body: ErrorBody, is_an_answer: bool) {
    let mut bench = registered(kind, 1);
    bench.rule_times(0, "PUT", Stub::Page(200, body), 2);
    bench.to(39_000);
    let failed = ["30000 PUT s0 UP@10000 200", "30009 PUT s0 UP@10000 200"];
    assert_eq!(bench.sent(), failed[..if is_an_answer { 1 } else { 2 }], "{kind:?} {body:?}");
}

/// A proxy's page with status 200 (client finding A8): a failed heartbeat, but for Jersey 1.
#[test]
fn a_200_with_a_page_is_a_failed_heartbeat_but_for_jersey_1() {
    for kind in [Jersey1, Jersey3, RestClient, RestTemplate, Recorded] {
        check_200(kind, ErrorBody::None, true);
    }
    check_200(Jersey1, ErrorBody::Html, true);
    check_200(Jersey1, ErrorBody::Json, false);
    check_200(Jersey3, ErrorBody::Html, false);
    check_200(Jersey3, ErrorBody::Json, false);
    check_200(RestClient, ErrorBody::Html, false);
    check_200(RestTemplate, ErrorBody::Html, false);
}

/// How often each operation asks the only server, which closes every connection.
#[track_caller]
fn check_copies(kind: HttpClientKind, [get, put, post, delete]: [usize; 4]) {
    let asked = |mut bench: Bench, method: &'static str, from: u64, to: u64| {
        bench.to(from);
        bench.sent();
        bench.to(to);
        let sent = bench.sent();
        let what = |line: &String| {
            let what = line.split_once(' ').map(|(_, what)| what.to_owned());
            what.map(|what| what.trim_end_matches(" again").to_owned())
        };
        assert!(sent.iter().all(|line| what(line) == what(&sent[0])), "byte for byte: {sent:?}");
        assert!(sent[0].contains(method), "{sent:?}");
        sent.len()
    };
    let mut fetching = Bench::fetching(Flavor::Netflix, 1);
    fetching.profile.http_client = kind;
    fetching.rule(0, "GET", Stub::Reset(2));
    fetching.start();
    fetching.to(29_000);
    let closing = |method| {
        let mut bench = registered(kind, 1);
        bench.rule(0, method, Stub::Reset(2));
        bench
    };
    assert_eq!(asked(fetching, "GET", 29_000, 31_000), get, "{kind:?} GET");
    // Pinned, the server is asked in two attempts; else in one.
    assert_eq!(asked(closing("PUT"), "PUT", 29_000, 31_000), 2 * put, "{kind:?} PUT");
    assert_eq!(asked(closing("PUT"), "PUT", 59_000, 61_000), put, "{kind:?} PUT, not pinned");
    let mut bench = closing("POST");
    bench.set_status(InstanceStatus::Down);
    assert_eq!(bench.sent().len(), 1);
    assert_eq!(asked(bench, "POST", 11_000, 12_000), 2 * post - 1, "{kind:?} POST");
    let mut bench = closing("DELETE");
    bench.stop(0);
    assert_eq!(asked(bench, "DELETE", 13_000, 15_000), 2 * delete, "{kind:?} DELETE");
}

/// Recordings `real-reset-get`, `-put` and `-post` of all three; the DELETE is client finding A10.
#[test]
fn a_request_whose_connection_closes_is_copied_by_each_library_in_its_own_way() {
    check_copies(Jersey1, [4, 1, 1, 4]);
    check_copies(Jersey3, [2, 2, 2, 2]);
    check_copies(RestClient, [2, 2, 1, 2]);
    check_copies(RestTemplate, [2, 2, 1, 2]);
    check_copies(Recorded, [1, 1, 1, 1]);
}

/// Recording `real-reset-put`.
#[test]
fn a_copy_that_is_answered_is_the_answer() {
    for kind in [Jersey3, RestClient] {
        let mut bench = registered(kind, 2);
        bench.rule_times(0, "PUT", Stub::Reset(2), 1);
        bench.to(61_000);
        bench.expect(&[
            "30000 PUT s0 UP@10000 reset",
            "30002 PUT s0 UP@10000 200 again",
            "60011 PUT s0 UP@10000 200",
        ]);
    }
}

/// Recordings `real-503-empty`: at once by Eureka, or after a second by Apache HttpClient 5, whose
/// repetition may come after a 503 or after a closed connection, but not after both.
#[test]
fn apache_5_repeats_a_request_once_whatever_the_reason() {
    for code in [429, 503] {
        let (of_eureka, of_library) =
            ("30009 PUT s0 UP@10000 200", "31009 PUT s0 UP@10000 200 again");
        for (kind, again) in [
            (Jersey1, of_eureka),
            (Jersey3, of_eureka),
            (Recorded, of_eureka),
            (RestClient, of_library),
            (RestTemplate, of_library),
        ] {
            let mut bench = registered(kind, 1);
            bench.rule_times(0, "PUT", Stub::Code(code), 1);
            bench.to(35_000);
            bench.expect(&[&format!("30000 PUT s0 UP@10000 {code}"), again]);
        }
    }
    let mut bench = registered(RestClient, 2);
    bench.rule_times(0, "PUT", Stub::Code(503), 1);
    bench.rule_times(0, "PUT", Stub::Reset(2), 1);
    bench.to(35_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 reset",
        "30002 PUT s0 UP@10000 503 again",
        "30011 PUT s0 UP@10000 200",
    ]);
}

/// Client findings A1 and A9; what a redirected request becomes is shown by the recordings `real-302`.
#[test]
fn jersey_3_follows_redirects_if_told_to_and_apache_5_always() {
    for (kind, told_to, told_not_to) in [
        (Jersey1, false, false),
        (Jersey3, true, false),
        (RestClient, true, true),
        (RestTemplate, true, true),
    ] {
        let follows = [true, false].map(|allow| kind.follows_redirects(allow));
        assert_eq!(follows, [told_to, told_not_to], "{kind:?}");
    }
}

/// Client finding A2: an interrupted thread gets no connection for the copy either.
#[test]
fn an_interrupted_worker_of_apache_5_sends_no_copy() {
    for (kind, copies) in [(Jersey3, 2), (RestClient, 1), (RestTemplate, 1)] {
        let mut bench = registered(kind, 1);
        bench.profile.client.eureka_server_read_timeout_seconds = 100;
        bench.rule_times(0, "PUT", Stub::Reset(40_000), 1);
        bench.to(79_000);
        assert_eq!(bench.sent().len(), copies, "{kind:?}");
    }
}

/// The instant of a 45 s late answer's arrival and what the client believes then.
fn late_registry(kind: HttpClientKind, servers: u16) -> Bench {
    let mut bench = Bench::fetching(Flavor::Netflix, servers);
    bench.profile.http_client = kind;
    bench.profile.client.eureka_server_read_timeout_seconds = 100;
    bench.serve("B/b1=UP");
    bench.start();
    bench.to(1_000);
    bench.change(2, "B/b1=UP B/b2=UP", "+B/b2=UP");
    bench.rule_times(0, "GET", Stub::Slow(45_000), 1);
    bench.to(76_000);
    bench
}

/// As in the recorded cluster `netflix-client-pause` (cluster finding 20).
#[test]
fn jersey_throws_a_registry_away_that_comes_after_its_supervisor_gave_up() {
    for kind in [Jersey1, Jersey3] {
        let mut bench = late_registry(kind, 6);
        bench.expect(&[
            "0 GET s0 apps 200",
            "30021 GET s0 delta 200",
            // Thrown away; and so are those of two more healthy servers.
            "75021 GET s0 delta 200",
            "75042 GET s1 delta 200",
        ]);
        assert_eq!(bench.believes(), "v1 UP_1_ B/b1=UP");
        bench.to(121_000);
        // The next fetch is no longer interrupted, but s0 and s1 are in quarantine.
        bench.expect(&["120021 GET s2 delta 200"]);
        assert_eq!(bench.believes(), "v2 UP_2_ B/b1=UP B/b2=UP");
    }
}

#[test]
fn springs_clients_read_a_registry_that_comes_late() {
    for kind in [RestClient, RestTemplate, Recorded] {
        let mut bench = late_registry(kind, 6);
        bench.expect(&["0 GET s0 apps 200", "30021 GET s0 delta 200"]);
        assert_eq!(bench.believes(), "v2 UP_2_ B/b1=UP B/b2=UP");
    }
}

/// Recording `spring-interrupted-worker`.
#[test]
fn an_interrupted_worker_of_springs_clients_gets_no_connection_any_more() {
    for kind in [RestClient, RestTemplate] {
        let mut bench = Bench::registering(Flavor::SpringCloud, 2);
        bench.profile.http_client = kind;
        bench.profile.instance.lease_renewal_interval_in_seconds = 5;
        bench.profile.client.timeout_socket_timeout = 7_000;
        bench.start();
        bench.to(12_000);
        bench.rule(0, "PUT", Stub::Hang);
        bench.to(80_000);
        bench.heal();
        bench.to(106_000);
        bench.expect(&[
            "0 POST s0 UP@0 204",
            "5000 PUT s0 UP@0 200",
            "10009 PUT s0 UP@0 200",
            // Interrupted at 20018; at 22018 it asks nobody else. Likewise the others; the flag does
            // not outlive its worker's task.
            "15018 PUT s0 UP@0 read-timeout",
            "30018 PUT s0 UP@0 read-timeout",
            "55018 PUT s0 UP@0 read-timeout",
            "100018 PUT s0 UP@0 200",
            "105027 PUT s0 UP@0 200",
        ]);
    }
}

/// Recording `real-supervisor-failover`, Jersey.
#[test]
fn an_interrupted_worker_of_jersey_goes_on_to_the_other_server() {
    for kind in [Jersey1, Jersey3] {
        let mut bench = registered(kind, 2);
        bench.profile.client.eureka_server_read_timeout_seconds = 40;
        bench.rule(0, "PUT", Stub::Hang);
        bench.rule(1, "PUT", Stub::Code(200));
        bench.to(119_000);
        bench.expect(&[
            "30000 PUT s0 UP@10000 read-timeout",
            "70000 PUT s0 UP@10000 read-timeout",
            "110000 PUT s1 UP@10000 200",
        ]);
    }
}

#[test]
fn an_interrupted_worker_quarantines_servers_it_never_asked() {
    let mut bench = registered(RestClient, 6);
    bench.profile.client.timeout_socket_timeout = 40_000;
    bench.rule_times(0, "PUT", Stub::Hang, 1);
    bench.to(125_000);
    bench.expect(&[
        "30000 PUT s0 UP@10000 read-timeout",
        // s0 and s1 were "asked" at 70 s without a packet.
        "120000 PUT s2 UP@10000 404",
        "120009 POST s2 UP@120009 204",
    ]);
}

#[test]
fn a_late_404_is_acted_upon_by_jersey_and_left_to_the_replicator_by_springs_clients() {
    for (kind, posted) in [
        (Jersey1, "75000 POST s0 UP@75000 204"),
        (Jersey3, "75000 POST s0 UP@75000 204"),
        (Recorded, "75000 POST s0 UP@75000 204"),
        (RestClient, "100013 POST s0 UP@75000 204"),
        (RestTemplate, "100013 POST s0 UP@75000 204"),
    ] {
        let mut bench = registered(kind, 1);
        bench.profile.client.eureka_server_read_timeout_seconds = 100;
        bench.forget();
        bench.rule_times(0, "PUT", Stub::Slow(45_000), 1);
        bench.to(119_000);
        bench.expect(&["30000 PUT s0 UP@10000 404", posted]);
    }
}

/// Spec §7.4: a cancel accepts any status at all. Jersey reads an entity of a heartbeat's answer only
/// (§15, "heartbeat non-2xx entity"; client finding A8).
#[test]
fn a_cancel_answered_404_with_a_page_is_an_answer_for_jersey_too() {
    for kind in [HttpClientKind::Jersey1, HttpClientKind::Jersey3] {
        let mut bench = Bench::registering(Flavor::Netflix, 2);
        bench.profile.http_client = kind;
        bench.start();
        bench.to(20_000);
        bench.rule(0, "DELETE", Stub::Page(404, ErrorBody::Json));
        bench.rule(1, "DELETE", Stub::Page(404, ErrorBody::Json));
        bench.sent();
        bench.stop(0);
        bench.to(60_000);
        bench.expect(&["23000 DELETE s0 404"]);
        assert_eq!(bench.exited, Some(23_011));
    }
}

/// Spec §6.3.2 and §7.4: 403 and 404 to a delta are answers; a full fetch follows at once. So it is
/// when the Spring server, which sends a page with every error, has `disable-delta`.
#[test]
fn a_delta_refused_with_a_page_is_followed_by_a_full_fetch_with_jersey_too() {
    for code in [403, 404] {
        let mut bench = Bench::fetching(Flavor::Netflix, 2);
        bench.serve("B/b1=UP");
        bench.start();
        bench.to(1_000);
        bench.serve("B/b1=UP B/b2=UP");
        bench.rule_times(0, "GET", Stub::Page(code, ErrorBody::Json), 1);
        bench.sent();
        bench.to(59_000);
        let refused = format!("30021 GET s0 delta {code}");
        bench.expect(&[&refused, "30042 GET s0 apps 200"]);
    }
}

/// Spec §5.1 and §7.4: 404 to a registration is an answer, and makes the instance clean.
#[test]
fn a_registration_answered_404_with_a_page_is_an_answer_for_jersey_too() {
    let mut bench = Bench::registering(Flavor::Netflix, 2);
    bench.start();
    bench.to(1_000);
    bench.sent();
    bench.rule(0, "POST", Stub::Page(404, ErrorBody::Html));
    bench.set_status(InstanceStatus::Down);
    bench.to(29_000);
    bench.expect(&["1000 POST s0 DOWN@1000 404"]);
}
