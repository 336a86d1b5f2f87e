//! A frozen process does nothing until it resumes, whatever the script tells it.

use crate::support::events;

const FROZEN: &str = r#"
schema = 1
name = "frozen"
about = "A frozen client is told a status and asked to stop."
duration = "5m"
[[servers]]
name = "eureka-0"
[[apps]]
name = "A"
instances = 2
instance-id = "a{index}"
[[timeline]]
at = "100s"
pause = "instance:A/0"
for = "60s"
[[timeline]]
at = "110s"
set-status = { select = "instance:A/0", status = "OUT_OF_SERVICE" }
[[timeline]]
at = "120s"
stop = "instance:A/0"
"#;

#[test]
fn a_frozen_client_neither_changes_its_status_nor_stops_before_it_resumes() {
    let events = events(FROZEN);
    let frozen = events.iter().filter(|event| {
        let own = event["event"] != "fault"
            && ["client", "from", "process"].iter().any(|field| event[*field] == "A/0");
        // A message sent before the pause may still arrive.
        own && (100_010.0..160_000.0).contains(&event["t_ms"].as_f64().expect("a time"))
    });
    assert_eq!(frozen.collect::<Vec<_>>(), Vec::<&serde_json::Value>::new());
}

/// A server that stands still from 100 s to 160 s.
const FROZEN_SERVER: &str = r#"
schema = 1
name = "frozen"
about = "What an operator asks of a frozen server happens when it resumes."
duration = "5m"
[[servers]]
name = "eureka-0"
[[apps]]
name = "A"
instances = 2
instance-id = "a{index}"
[[timeline]]
at = "100s"
pause = "server:eureka-0"
for = "60s"
[[timeline]]
at = "110s"
set-config = { select = "server:eureka-0", key = "eureka.server.renewal-percent-threshold", value = 0.5 }
[[timeline]]
at = "120s"
override-status = { server = "eureka-0", select = "instance:A/a0", status = "OUT_OF_SERVICE" }
"#;

#[test]
fn a_frozen_server_obeys_its_operator_when_it_resumes() {
    let at_the_resume = |kind: &str| {
        let events = events(FROZEN_SERVER);
        let of_kind = events.iter().filter(|event| event["event"] == kind);
        of_kind.map(|event| event["t_ms"].as_f64().expect("a time")).collect::<Vec<_>>()
    };
    assert_eq!(at_the_resume("override"), [160_000.0]);
    let answered = events(FROZEN_SERVER);
    let answered = answered.iter().filter(|event| {
        event["event"] == "request"
            && (100_010.0..160_000.0).contains(&event["t_ms"].as_f64().expect("a time"))
    });
    assert_eq!(answered.count(), 0);
}

/// The WAR listens after its start-up sync; until then connections are refused at once, frozen or not.
#[test]
fn a_server_that_is_frozen_before_it_listens_refuses() {
    let scenario = r#"
schema = 1
duration = "3m"
[cluster]
flavor = "netflix"
servers = 2
[[apps]]
name = "A"
instances = 1
start = "20s"
servers = ["eureka-0"]
[[timeline]]
at = "15s"
pause = "server:eureka-0"
for = "30s"
"#;
    let events = events(scenario);
    let failed = events.iter().filter(|event| event["event"] == "failed").map(|event| {
        let time = event["t_ms"].as_f64().expect("a time");
        (time < 45_000.0).then(|| event["outcome"].as_str().expect("an outcome").to_owned())
    });
    let outcomes: Vec<String> = failed.flatten().collect();
    assert!(!outcomes.is_empty());
    assert!(outcomes.iter().all(|outcome| outcome == "refused"), "{outcomes:?}");
}

/// Server spec §16.4: the Netflix WAR leaves its client to die with it; Spring's context closes its own.
#[test]
fn only_springs_server_takes_its_instance_back_when_it_is_stopped() {
    let cancels = |flavor: &str| {
        let events = events(&format!(
            r#"
schema = 1
duration = "15m"
[cluster]
flavor = "{flavor}"
servers = 2
[eureka.server]
wait-time-in-ms-when-sync-empty = 0
[[timeline]]
at = "10m"
stop = "server:eureka-1"
"#
        ));
        let cancel =
            |event: &&serde_json::Value| event["event"] == "request" && event["method"] == "DELETE";
        assert!(events.iter().any(|event| event["event"] == "exit"), "{flavor}: it ends");
        events.iter().filter(cancel).count()
    };
    assert_eq!(cancels("spring-cloud"), 1);
    assert_eq!(cancels("netflix"), 0);
}

/// A server that stands still from 100 s to 110 s; three clients beat at 101 s, 102 s and 103 s.
fn beats_at_a_frozen_server(client: &str, accept_count: &str) -> Vec<(String, u64)> {
    let events = events(&format!(
        r#"
schema = 1
duration = "2m"
[[servers]]
name = "eureka-0"
[network]
accept-count = {accept_count}
[[apps]]
name = "A"
instances = 3
start = {{ first = "71s", every = "1s" }}
fetch = false
http-client = "{client}"
[[timeline]]
at = "100s"
pause = "server:eureka-0"
for = "10s"
"#
    ));
    let told = events.iter().filter_map(|event| {
        let (method, at) = (event["method"].as_str()?, event["t_ms"].as_f64()?);
        let what = event["outcome"].as_str().unwrap_or("executed");
        let from = event["from"].as_str()?;
        (method == "PUT" && at > 100_000.0).then(|| (format!("{from} {what}"), at as u64))
    });
    told.collect()
}

fn told(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|&(what, at)| (what.to_owned(), at)).collect()
}

/// The kernel keeps one connection more than its limit says; who gets none asks each second,
/// five times, and then ever more seldom.
#[test]
fn a_frozen_server_keeps_as_many_connections_as_its_accept_queue_holds() {
    assert_eq!(
        beats_at_a_frozen_server("restclient", "1"),
        told(&[("A/0 executed", 110_000), ("A/1 executed", 110_000), ("A/2 executed", 110_001)]),
        "Spring's client waits three minutes for a connection: TCP asks at 104 s to 108 s and at 110 s"
    );
    assert_eq!(
        beats_at_a_frozen_server("jersey3", "1"),
        told(&[
            ("A/2 connect-timeout", 108_000),
            ("A/0 read-timeout", 109_000),
            ("A/0 executed", 110_000),
            ("A/1 executed", 110_000),
            ("A/1 read-timeout", 110_000),
            ("A/1 executed", 110_001),
            ("A/0 executed", 110_001),
            ("A/2 executed", 110_001),
        ]),
        "Jersey's waits 5 s for a connection and 8 s for an answer, and tries once more: what it gave \
         up stays in the queue, so TCP asks at 110 s again for A/0 and A/2"
    );
    for enough in ["2", "\"unlimited\""] {
        let all = ["A/0 executed", "A/1 executed", "A/2 executed"].map(|what| (what, 110_000));
        assert_eq!(beats_at_a_frozen_server("restclient", enough), told(&all), "{enough}");
    }
}

/// A client of Spring's, or a server with one, that is frozen from 105 to 145 s while its fetch of
/// 100 s waits for eureka-0, so long; so does its supervisor, until 130 s. Whether it is tried again at
/// the resume. Something else comes due before both: a run of the replicator, at 114 s.
fn tries_again(of_a_server: bool, timeout: &str, milliseconds: u32, fault: &str) -> bool {
    let (who, process) = if of_a_server {
        let server = "[[servers]]\nname = \"eureka-2\"\nstart = \"70s\"\nhttp-client = \"restclient\"\n\
                      eureka.server.registry-sync-retries = 0\npeers = []\n\
                      eureka.client.service-url.defaultZone = \"http://eureka-0:8761/eureka/,http://eureka-1:8761/eureka/\"\n";
        ("server:eureka-2", server.to_owned())
    } else {
        let app = "[[apps]]\nname = \"A\"\ninstances = 1\nstart = \"70s\"\nhttp-client = \"restclient\"\n\
                   servers = [\"eureka-0\", \"eureka-1\"]\n";
        ("app:A", app.to_owned())
    };
    let server = |name: &str| {
        format!(
            "[[servers]]\nname = \"{name}\"\nregister-with-eureka = false\nfetch-registry = false\n"
        )
    };
    let events = events(&format!(
        "schema = 1\nduration = \"190s\"\n[network]\nlatency = \"2ms\"\n[eureka.client]\ninstance-info-replication-interval-seconds = 11\ntimeout.{timeout} = {milliseconds}\n\
         {}{}{process}[[timeline]]\nat = \"95s\"\n{}\n[[timeline]]\nat = \"105s\"\nfor = \"40s\"\n\
         pause = \"{who}\"\n",
        server("eureka-0"),
        server("eureka-1"),
        fault.replace("WHO", who),
    ));
    let failed =
        |event: &&serde_json::Value| event["event"] == "failed" && event["method"] == "GET";
    let failed = events.iter().filter(failed).map(|event| event["t_ms"].as_f64().expect("a time"));
    let failed: Vec<f64> = failed.collect();
    assert_eq!(failed[0], 145_000.0);
    failed.contains(&(145_000.0 + f64::from(milliseconds)))
}

/// What came due in a pause happens in the order in which it came due. Spring's `RestClient` gives an
/// interrupted thread no connection, so it shows who was first: the supervisor or the time-out.
#[test]
fn what_came_due_in_a_pause_happens_in_its_order() {
    for of_a_server in [false, true] {
        let hangs = "for = \"95s\"\npause = \"server:eureka-0\"";
        assert!(!tries_again(of_a_server, "socket-timeout", 40_000, hangs), "{of_a_server}");
        assert!(tries_again(of_a_server, "socket-timeout", 15_000, hangs), "{of_a_server}");
        let hole = "partition = { from = \"WHO\", to = \"server:eureka-0\" }";
        assert!(!tries_again(of_a_server, "connect-timeout", 40_000, hole), "{of_a_server}");
        assert!(tries_again(of_a_server, "connect-timeout", 15_000, hole), "{of_a_server}");
    }
}

/// It was asked to stop while it stood still: its kernel had accepted the heartbeats that wait for it, and
/// closes those connections.
#[test]
fn what_waits_at_a_frozen_server_that_is_stopped_is_reset() {
    for flavor in ["spring-cloud", "netflix"] {
        let events = events(&format!(
            r#"
schema = 1
duration = "4m"
[cluster]
flavor = "{flavor}"
[eureka.server]
registry-sync-retries = 0
[[apps]]
name = "A"
instances = 1
fetch = false
start = "20s"
[[timeline]]
at = "105s"
pause = "server:eureka-0"
for = "10s"
[[timeline]]
at = "106s"
stop = "server:eureka-0"
"#
        ));
        let failed =
            events.iter().find(|event| event["event"] == "failed" && event["from"] == "A/0");
        let failed = failed.unwrap_or_else(|| panic!("{flavor}: nobody answers"));
        let time = failed["t_ms"].as_f64().expect("a time");
        assert!((115_000.0..115_100.0).contains(&time), "{flavor}: {failed}");
        assert_eq!(failed["outcome"], "reset", "{flavor}");
    }
}

/// A partition with `mode = "refuse"` refuses the caller's TCP when it asks again.
#[test]
fn who_asks_again_for_a_connection_may_be_refused() {
    let events = events(
        r#"
schema = 1
duration = "4m"
[network]
accept-count = 0
[[servers]]
name = "eureka-0"
[[apps]]
name = "A"
instances = 3
fetch = false
start = "20s"
[[timeline]]
at = "105s"
pause = "server:eureka-0"
for = "30s"
[[timeline]]
at = "110500ms"
for = "10s"
partition = { from = "clients", to = "servers", mode = "refuse" }
"#,
    );
    let outcomes = events.iter().filter(|event| {
        event["event"] == "failed" && event["t_ms"].as_f64().is_some_and(|at| at < 112_000.0)
    });
    let outcomes: Vec<&str> = outcomes.filter_map(|event| event["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["refused"; 4], "two, and each at its second attempt");
}

/// Its message was held, so its time-out was known before its connection was: it counts from that.
#[test]
fn who_got_a_connection_late_waits_for_the_answer_from_then_on() {
    let events = events(
        r#"
schema = 1
duration = "4m"
[network]
accept-count = 0
[[servers]]
name = "eureka-0"
[[apps]]
name = "A"
instances = 3
fetch = false
start = "20s"
http-client = "jersey3"
[[timeline]]
at = "105s"
pause = "server:eureka-0"
for = "7900ms"
[[timeline]]
at = "109s"
for = "2500ms"
hold = { from = "clients", to = "servers" }
[[timeline]]
at = "112s"
for = "20s"
slow = { from = "servers", to = "clients", latency = "6s", direction = "one-way" }
"#,
    );
    let failed = events.iter().filter(|event| {
        event["event"] == "failed" && event["t_ms"].as_f64().is_some_and(|at| at > 111_500.0)
    });
    let failed: Vec<&str> = failed.filter_map(|event| event["from"].as_str()).collect();
    assert_eq!(failed, ["A/0"], "the one that found room sent its request at 110 s");
}
