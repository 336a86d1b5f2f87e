//! A process that is restarted as another release.

use serde_json::Value;

use crate::support::{events, plan_of, traces};

/// A server that is frozen for 90 s at 5 min, is 2.0.6 from 10 min on, and is frozen again at 15 min.
const UPGRADED: &str = r#"
schema = 1
duration = "20m"
[cluster]
release = "1.4.8"
[eureka.client]
register-with-eureka = false
[[apps]]
name = "A"
instances = 2
release = "1.4.8"
register = true
[[timeline]]
at = "5m"
pause = "server:eureka-0"
for = "90s"
[[timeline]]
at = "10m"
restart = { select = "server:eureka-0", down = "5s", release = "2.0.6" }
[[timeline]]
at = "15m"
pause = "server:eureka-0"
for = "90s"
"#;

/// Compensation time exists since 1.4.9 (`releases.md`, class 3).
#[test]
fn the_new_process_behaves_as_its_release() {
    let compensated = |event: &&Value| event["compensation_ms"].as_i64() > Some(10_000);
    let late: Vec<u64> = (events(UPGRADED).iter().filter(compensated))
        .map(|event| (event["t_ms"].as_f64().expect("a time") / 60_000.0) as u64)
        .collect();
    assert_eq!(late, [16], "not after the pause of 5 min");
}

/// So that the real classes of that release can redo it.
#[test]
fn the_trace_of_each_process_names_its_release() {
    let traces = traces(&plan_of(UPGRADED));
    let releases: Vec<(String, String)> = traces
        .into_iter()
        .map(|(file, text)| {
            let header = text.lines().next().expect("a trace has a header");
            let header: Value = serde_json::from_str(header).expect("it is JSON");
            (file, header["release"].as_str().expect("a release").to_owned())
        })
        .collect();
    let named = [("eureka-0.jsonl", "1.4.8"), ("eureka-0.2.jsonl", "2.0.6")];
    assert_eq!(releases, named.map(|(file, release)| (file.to_owned(), release.to_owned())));
}

/// Nothing but the release, and the generation of Jersey that comes with it.
#[test]
fn an_upgraded_client_behaves_as_its_release() {
    let plan = plan_of(
        r#"
schema = 1
duration = "10m"
[[apps]]
name = "A"
instances = 1
release = "1.9.13"
http-client = "jersey1"
[[timeline]]
at = "2m"
restart = { select = "app:A", release = "2.0.6" }
"#,
    );
    let eureka_sim::sim::Action::Restart { upgrade: Some(upgrade), .. } =
        &plan.setup.timeline[0].action
    else {
        panic!("it is a restart as another release");
    };
    let [(&before, &after)] = upgrade.profiles.iter().collect::<Vec<_>>()[..] else {
        panic!("one group is concerned");
    };
    let [before, after] = [before, after].map(|number| &plan.setup.profiles[number]);
    assert_eq!(
        (before.release.to_string(), after.release.to_string()),
        ("1.9.13".into(), "2.0.6".into())
    );
    assert_ne!(before.http_client, after.http_client, "Jersey 3 came with Eureka 2");
    assert_eq!(
        before.client.registry_fetch_interval_seconds,
        after.client.registry_fetch_interval_seconds
    );
}
