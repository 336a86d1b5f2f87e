//! Health checks, plain REST clients and changed settings, seen in a whole cluster.

use serde_json::Value;

use crate::support::events;

const CLUSTER: &str = "schema = 1\nname = \"health\"\nduration = \"10m\"\n[cluster]\nservers = 1\nerror-bodies = \"none\"\n\
                       [eureka.server]\nenable-self-preservation = false\n";

/// The events of a run of ten minutes with this application, which starts at one minute.
fn run(app: &str, timeline: &str) -> Vec<Value> {
    let text = format!(
        "{CLUSTER}[[apps]]\nname = \"A\"\ninstances = 1\nstart = \"1m\"\n{app}\n{timeline}"
    );
    events(&text)
}

/// Registrations of A/a-0000 after `from`: seconds and status.
fn registrations(events: &[Value], from: u64) -> Vec<(u64, String)> {
    let of_a = |event: &&Value| {
        event["event"] == "register" && event["id"] == "A/a-0000" && time(event) >= from * 1000
    };
    let told = events.iter().filter(of_a);
    told.map(|event| (time(event) / 1000, text(&event["status"]))).collect()
}

fn time(event: &Value) -> u64 {
    event["t_ms"].as_f64().expect("every event has its time") as u64
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn set_health(at: &str, status: &str) -> String {
    format!(
        "[[timeline]]\nat = \"{at}\"\nset-health = {{ select = \"app:A\", status = \"{status}\" }}\n"
    )
}

const CHECK: &str = "health = { check = true }";

/// The replicator runs at 60 s and every 30 s after that. What the server makes of a registration is
/// its own: nobody goes from UP to `OUT_OF_SERVICE` by registering (trap T27).
#[test]
fn the_registry_learns_of_a_flip_with_the_next_run_of_the_replicator() {
    for (answer, status) in [("DOWN", "DOWN"), ("throw", "DOWN"), ("OUT_OF_SERVICE", "UP")] {
        let timeline = set_health("100s", answer) + &set_health("200s", "UP");
        let told = registrations(&run(CHECK, &timeline), 61);
        let expected = [(120, status.to_owned()), (210, "UP".to_owned())];
        assert_eq!(told, expected, "{answer}");
    }
}

#[test]
fn nobody_hears_of_a_flip_that_is_over_before_the_next_run() {
    let timeline = set_health("100s", "DOWN") + &set_health("110s", "UP");
    assert_eq!(registrations(&run(CHECK, &timeline), 61), []);
}

#[test]
fn without_a_check_nobody_is_asked_and_with_it_the_status_is_overwritten() {
    let set =
        "[[timeline]]\nat = \"100s\"\nset-status = { select = \"app:A\", status = \"DOWN\" }\n";
    let down = (100, "DOWN".to_owned());
    assert_eq!(registrations(&run("", set), 61), [down]);
    // The check is asked before the update is sent: it says UP, and UP is sent.
    assert_eq!(registrations(&run(CHECK, set), 61), [(100, "UP".to_owned())]);
}

#[test]
fn a_check_that_is_never_out_of_service_says_down() {
    let app = format!("{CHECK}\nout-of-service = \"down\"");
    let told = registrations(&run(&app, &set_health("100s", "OUT_OF_SERVICE")), 61);
    assert_eq!(told, [(120, "DOWN".to_owned())]);
}

/// UNKNOWN is answered 404 at every heartbeat, so the client registers at every heartbeat (trap T22).
#[test]
fn an_unknown_health_registers_again_with_every_heartbeat() {
    let told = registrations(&run(CHECK, &set_health("100s", "UNKNOWN")), 121);
    assert!(told.len() >= 15, "{told:?}");
    assert!(told.iter().all(|(_, status)| status == "UNKNOWN"), "{told:?}");
}

fn last_lease(events: &[Value]) -> Option<Value> {
    let registry = events.iter().rev().find(|event| event["event"] == "registry")?;
    let leases = registry["leases"].as_array()?;
    leases.iter().find(|lease| lease["id"] == "A/a-0000").cloned()
}

/// Rows A11 and A12: what no 404 brings back, and what it does.
#[test]
fn a_plain_rest_client_that_was_forgotten_stays_away_unless_it_looks_at_the_answer() {
    let forget = "[[timeline]]\nat = \"5m\"\ncall = { server = \"eureka-0\", method = \"DELETE\", \
                  path = \"/eureka/apps/A/a-0000\" }\n";
    let told = run("kind = \"rest\"", forget);
    assert_eq!(registrations(&told, 0), [(60, "UP".to_owned())]);
    assert_eq!(last_lease(&told), None);
    let told = run("kind = \"rest\"\nre-register-on-404 = true", forget);
    // Its heartbeat of that very instant comes a millisecond later.
    assert_eq!(registrations(&told, 61), [(300, "UP".to_owned())]);
    assert!(last_lease(&told).is_some());
}

#[test]
fn a_plain_rest_client_neither_fetches_nor_says_goodbye() {
    let told = run("kind = \"rest\"", "[[timeline]]\nat = \"5m\"\nstop = \"app:A\"\n");
    let of = |kind: &str| told.iter().filter(|event| event["event"] == kind).count();
    assert_eq!(of("cancel"), 0);
    assert!(!told.iter().any(|event| event["event"] == "view" && event["client"] == "A/0"));
    assert_eq!(last_lease(&told), None, "its lease ran out");
}

/// `set-config` of an instance: sent by the replicator; heartbeats keep their interval (trap T29).
#[test]
fn a_new_lease_is_sent_with_the_next_run_and_re_times_no_heartbeat() {
    let timeline = "[[timeline]]\nat = \"100s\"\nset-config = { select = \"app:A\", \
                    key = \"eureka.instance.lease-renewal-interval-in-seconds\", value = 5 }\n";
    let told = run("", timeline);
    assert_eq!(registrations(&told, 61), [(120, "UP".to_owned())]);
    let beats = told.iter().filter(|event| event["event"] == "renew" && time(event) > 150_000);
    let beats = beats.filter(|event| event["id"] == "A/a-0000").count();
    assert!((14..=15).contains(&beats), "{beats} in seven and a half minutes");
}

/// The body of its registration is being written when the process is stopped.
#[test]
fn a_process_that_is_gone_sends_nothing() {
    let app = "eureka.client.should-enforce-registration-at-init = true\n[sim]\nhand-off = \"1s\"\n\
               [network]\nlatency = \"0ms\"\n";
    let told = run(app, "[[timeline]]\nat = \"61s\"\nstop = \"app:A\"\n");
    assert!(told.iter().any(|event| event["event"] == "exit" && time(event) == 61_000));
    assert_eq!(registrations(&told, 0), []);
}
