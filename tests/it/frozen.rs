//! A frozen process does nothing until it resumes, whatever the script tells it.

use std::path::Path;

use eureka_sim::observe::{EventLevel, EventLog, Watch};
use eureka_sim::{scenario, study};

use crate::support::{NoIncludes, SharedBuffer};

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
    let plan = scenario::load(Path::new("frozen.toml"), FROZEN, &[], None, &NoIncludes);
    let plan = plan.unwrap_or_else(|_| panic!("the scenario is valid"));
    let buffer = SharedBuffer::default();
    let mut watch = Watch::<false>::new(&plan);
    watch.events = Some(EventLog::new(EventLevel::All, &plan, Box::new(buffer.clone())));
    let _ = study::run(&plan, watch, &mut ()).expect("nobody interrupts");
    let text = buffer.text();
    let frozen = text.lines().filter(|line| {
        let event: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        let own = event["event"] != "fault"
            && ["client", "from", "process"].iter().any(|field| event[*field] == "A/0");
        // A message sent before the pause may still arrive.
        own && (100_010.0..160_000.0).contains(&event["t_ms"].as_f64().expect("a time"))
    });
    assert_eq!(frozen.collect::<Vec<_>>(), Vec::<&str>::new());
}
