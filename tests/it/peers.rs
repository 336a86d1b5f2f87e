//! Who replicates to whom when the list of URLs changes while servers run (server spec §13.2).

use serde_json::Value;

use crate::support::events;

/// A server that knows one of two peers, and the other from 2 min on; an instance registers at it at
/// 70 s, another at 3 min.
fn a_peer_joins(flavor: &str, more: &str) -> Vec<Value> {
    events(&format!(
        r#"
schema = 1
duration = "25m"
[cluster]
flavor = "{flavor}"
[eureka.server]
wait-time-in-ms-when-sync-empty = 0
registry-sync-retries = 0
[[servers]]
name = "eureka-0"
peers = ["eureka-1"]
register-with-eureka = false
[[servers]]
name = "eureka-1"
register-with-eureka = false
[[servers]]
name = "eureka-2"
register-with-eureka = false
[[apps]]
name = "A"
instances = 2
servers = ["eureka-0"]
start = {{ first = "70s", every = "110s" }}
[[timeline]]
at = "2m"
set-config = {{ select = "server:eureka-0", key = "eureka.client.service-url.defaultZone", value = "http://eureka-1:8761/eureka, http://eureka-2:8761/eureka/" }}
{more}
"#
    ))
}

fn seconds(event: &Value) -> u64 {
    (event["t_ms"].as_f64().expect("a time") / 1000.0) as u64
}

/// When the lists of peers changed, and to what.
fn lists(events: &[Value]) -> Vec<(u64, String)> {
    let changes = events.iter().filter(|event| event["event"] == "peers");
    changes.map(|event| (seconds(event), event["peers"].to_string())).collect()
}

/// The second in which the first batch went from one server to another.
fn first_batch(events: &[Value], from: &str, to: &str) -> Option<u64> {
    let sent = |event: &&Value| {
        event["event"] == "replication-batch" && event["from"] == from && event["to"] == to
    };
    events.iter().find(sent).map(seconds)
}

const BOTH: &str = r#"["eureka-1","eureka-2"]"#;

#[test]
fn springs_servers_see_another_list_of_peers_at_once() {
    let events = a_peer_joins("spring-cloud", "");
    assert_eq!(lists(&events), [(120, BOTH.to_owned())]);
    assert_eq!(first_batch(&events, "eureka-0", "eureka-1"), Some(70));
    // The next heartbeat of the first instance is 30 s after its last, at 100 s.
    assert_eq!(first_batch(&events, "eureka-0", "eureka-2"), Some(130));
}

/// Every ten minutes from the start of the process on, and late by what it is frozen.
#[test]
fn netflix_servers_look_at_their_list_of_peers_every_ten_minutes() {
    assert_eq!(lists(&a_peer_joins("netflix", "")), [(600, BOTH.to_owned())]);
    let sooner = "[[timeline]]\nat = \"9m\"\nfor = \"3m\"\npause = \"server:eureka-0\"\n";
    assert_eq!(lists(&a_peer_joins("netflix", sooner)), [(720, BOTH.to_owned())]);
    let again = r#"
[[timeline]]
at = "11m"
set-config = { select = "server:eureka-0", key = "eureka.client.service-url.defaultZone", value = "http://eureka-2:8761/eureka/" }
"#;
    let one = r#"["eureka-2"]"#.to_owned();
    assert_eq!(lists(&a_peer_joins("netflix", again)), [(600, BOTH.to_owned()), (1200, one)]);
}

#[test]
fn a_restart_forgets_what_was_changed_while_the_process_ran() {
    let restart = "[[timeline]]\nat = \"5m\"\nrestart = \"server:eureka-0\"\n";
    let restart =
        restart.replace("\"server:eureka-0\"", "{ select = \"server:eureka-0\", down = \"1s\" }");
    let events = a_peer_joins("spring-cloud", &restart);
    let later = |event: &&Value| seconds(event) > 310 && event["from"] == "eureka-0";
    let batches = events.iter().filter(|event| event["event"] == "replication-batch");
    let to: Vec<&Value> = batches.filter(later).map(|event| &event["to"]).collect();
    assert!(!to.is_empty() && to.iter().all(|to| **to != "eureka-2"), "as the file says");
}

/// A batch that was under way when its peer was removed is executed there; nobody waits for it.
#[test]
fn what_waits_for_a_peer_that_is_removed_is_never_sent() {
    let removed = |at: &str| {
        let text = format!(
            r#"
schema = 1
duration = "3m"
[cluster]
servers = 2
[network]
latency = "50ms"
[[apps]]
name = "A"
instances = 1
fetch = false
servers = ["eureka-0"]
start = "70s"
[[timeline]]
at = "{at}"
set-config = {{ select = "server:eureka-0", key = "eureka.client.service-url.defaultZone", value = "http://eureka-0:8761/eureka/" }}
[[timeline]]
at = "{at}"
set-config = {{ select = "server:eureka-0", key = "eureka.client.service-url.defaultZone", value = "http://u:p@eureka-1:8761/eureka/" }}
"#
        );
        let events = events(&text);
        let at_peer = events
            .iter()
            .filter(|event| event["event"] == "register" && event["server"] == "eureka-1");
        let of_a =
            at_peer.filter(|event| event["id"].as_str().is_some_and(|id| id.starts_with("A/")));
        of_a.map(|event| event["t_ms"].as_f64().expect("a time") as u64).collect::<Vec<_>>()
    };
    // It registers at 70.05 s, so the batch is sent at 70.55 s and executed at 70.6 s.
    assert_eq!(removed("70600ms"), [70_600]);
    assert_eq!(removed("70560ms"), [70_600], "under way");
    // The heartbeat of 100 s is the next the other node hears: 404, and a registration 500 ms later.
    assert_eq!(removed("70540ms"), [101_200]);
}

/// A client's list is refreshed every five minutes; it looks at it when it needs another server.
#[test]
fn a_client_sees_another_list_of_servers_at_its_next_refresh() {
    let events = events(
        r#"
schema = 1
duration = "12m"
[cluster]
servers = 2
[[apps]]
name = "A"
instances = 1
fetch = false
servers = ["eureka-0"]
start = "10s"
[[timeline]]
at = "2m"
set-config = { select = "app:A", key = "eureka.client.service-url.defaultZone", value = "http://eureka-1:8761/eureka/" }
[[timeline]]
at = "3m"
kill = "server:eureka-0"
"#,
    );
    let asked = |server: &str| {
        let of_a = events.iter().filter(|event| event["from"] == "A/0" && seconds(event) > 180);
        of_a.filter(|event| event["server"] == server || event["to"] == server)
            .map(seconds)
            .collect::<Vec<_>>()
    };
    let (before, after) = (asked("eureka-0"), asked("eureka-1"));
    assert!(before.iter().all(|at| *at <= 310), "it was first used at 10 s: {before:?}");
    assert!(after.first().is_some_and(|at| (310..=340).contains(at)), "{after:?}");
}

/// Server spec §16.4: Spring's web server is closed first, and what waits for the peers is not sent.
/// A registers at 70 s; the server is stopped within the half second in which its task waits.
#[test]
fn a_server_that_is_stopped_refuses_at_once_and_sends_nothing_more() {
    let events = events(
        r#"
schema = 1
duration = "3m"
[cluster]
servers = 2
[[apps]]
name = "A"
instances = 1
fetch = false
servers = ["eureka-0", "eureka-1"]
start = "70s"
[[timeline]]
at = "70100ms"
stop = "server:eureka-0"
"#,
    );
    let exit = events.iter().find(|event| event["event"] == "exit").expect("it ends");
    assert!(exit["t_ms"].as_f64().is_some_and(|at| at > 70_100.0), "after its goodbye");
    let batches = |event: &&Value| {
        event["event"] == "replication-batch" && event["from"] == "eureka-0" && seconds(event) >= 70
    };
    assert_eq!(events.iter().filter(batches).count(), 0);
    let goodbyes = |event: &&Value| {
        event["event"] == "request" && event["from"] == "eureka-0" && event["server"] == "eureka-1"
    };
    let goodbyes: Vec<&str> = (events.iter().filter(goodbyes))
        .filter(|event| seconds(event) >= 70)
        .map(|event| event["method"].as_str().expect("a method"))
        .collect();
    assert_eq!(goodbyes, ["POST", "DELETE"], "DOWN, and gone");
    let known = events.iter().find(|event| {
        event["event"] == "register" && event["server"] == "eureka-1" && event["id"] == "A/a-0000"
    });
    // At 100 s its heartbeat is refused, and answered 404 at the other.
    assert_eq!(known.map(seconds), Some(100));
}

/// Its embedded client's constructor takes two answers of 2 s each: the URLs have changed when the peers
/// are made.
#[test]
fn a_server_without_registry_yet_makes_the_peers_that_are_configured_then() {
    let to_eureka_0 = |more: &str| {
        let events = events(&format!(
            r#"
schema = 1
duration = "4m"
[network]
latency = "1s"
[[servers]]
name = "eureka-0"
[[servers]]
name = "eureka-1"
start = "60s"
[[apps]]
name = "A"
instances = 1
fetch = false
servers = ["eureka-1"]
start = "70s"
{more}
"#
        ));
        let batches =
            |event: &&Value| event["event"] == "replication-batch" && event["from"] == "eureka-1";
        events.iter().filter(batches).count()
    };
    assert!(to_eureka_0("") > 0);
    let alone = r#"
[[timeline]]
at = "61s"
set-config = { select = "server:eureka-1", key = "eureka.client.service-url.defaultZone", value = "http://eureka-1:8761/eureka/" }
"#;
    assert_eq!(to_eureka_0(alone), 0);
}
