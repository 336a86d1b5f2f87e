//! Recorded clusters of real servers and clients, and the same scenarios simulated: every change of
//! every server's gauges, every eviction, request, replication batch and view, to the microsecond.

use std::collections::BTreeMap;
use std::path::Path;

use eureka_sim::observe::{EventLevel, EventLog, Recording, Watch};
use eureka_sim::study;
use serde_json::{Value, json};

use crate::support::{SharedBuffer, plan, recorded_scenarios, unzipped};

/// What monitoring shows, in the words of the recordings.
const GAUGES: [&str; 6] = [
    "localRegistrySize",
    "numOfRenewsInLastMin",
    "numOfRenewsPerMinThreshold",
    "expectedNumberOfClientsSendingRenews",
    "isLeaseExpirationEnabled",
    "isBelowRenewThreshold",
];

/// Time and content of what happened, in one order for both sides.
type Sorted = Vec<(String, String)>;

#[test]
fn simulated_clusters_equal_the_recorded_ones() {
    for path in recorded_scenarios() {
        let folder = path.parent().expect("a scenario lies in a folder");
        let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        let (recording, events) = simulated(&path);
        let lines = |text: &str| -> Vec<Value> {
            text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
        };
        let real = lines(&unzipped(&folder.join("series.jsonl.gz")));
        assert_same(
            &format!("{name}: series"),
            gauges(real.iter()),
            gauges(rows(&recording).iter()),
        );
        let real = facts(&lines(&unzipped(&folder.join("events.jsonl.gz"))));
        let simulated = facts(&lines(&events));
        assert!(real.keys().eq(simulated.keys()), "{name}: kinds of events");
        for (kind, real) in real {
            assert_same(&format!("{name}: {kind}"), real, simulated[&kind].clone());
        }
    }
}

fn simulated(path: &Path) -> (Recording, String) {
    let plan = plan(path);
    let buffer = SharedBuffer::default();
    let mut watch = Watch::<false>::new(&plan);
    watch.events = Some(EventLog::new(EventLevel::All, &plan, Box::new(buffer.clone())));
    let (recording, _) = study::run(&plan, watch, &mut ()).expect("nobody interrupts");
    (recording, buffer.text())
}

/// The simulated series, in the form of the recorded one.
fn rows(recording: &Recording) -> Vec<Value> {
    let row = |row: &eureka_sim::observe::Row| {
        let gauges = &row.gauges;
        json!({
            "t_ms": row.at.nanos() as f64 / 1e6,
            "server": recording.labels.server(row.server),
            "localRegistrySize": gauges.local_registry_size,
            "numOfRenewsInLastMin": gauges.num_of_renews_in_last_min,
            "numOfRenewsPerMinThreshold": gauges.num_of_renews_per_min_threshold,
            "expectedNumberOfClientsSendingRenews": gauges.expected_number_of_clients_sending_renews,
            "isLeaseExpirationEnabled": gauges.is_lease_expiration_enabled,
            "isBelowRenewThreshold": u8::from(gauges.is_below_renew_threshold),
        })
    };
    recording.series.rows().iter().map(row).collect()
}

/// When the gauges of each server changed, and to what; of several changes at one instant the last.
fn gauges<'a>(rows: impl Iterator<Item = &'a Value>) -> Sorted {
    let mut by_server: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows {
        let values: Vec<&Value> = GAUGES.iter().map(|gauge| &row[gauge]).collect();
        let state = format!("{} {values:?}", row["server"]);
        let time = time_of(row);
        let changes = by_server.entry(row["server"].to_string()).or_default();
        match changes.last_mut() {
            Some(last) if last.0 == time => last.1 = state,
            _ => changes.push((time, state)),
        }
    }
    let changed = by_server.into_values().flat_map(|mut changes| {
        changes.dedup_by(|later, earlier| later.1 == earlier.1);
        changes
    });
    changed.collect()
}

/// Microseconds, so that equal times are equal texts.
fn time_of(event: &Value) -> String {
    let ms = event["t_ms"].as_f64().expect("an event has a time");
    format!("{:012}", (ms * 1e3).round() as u64)
}

/// What both sides tell, by kind.
fn facts(events: &[Value]) -> BTreeMap<String, Sorted> {
    let mut facts: BTreeMap<String, Sorted> = BTreeMap::new();
    let mut batches: BTreeMap<String, Value> = BTreeMap::new();
    for event in events {
        let kind = event["event"].as_str().expect("an event has a kind");
        let pick = |fields: &[&str]| {
            fields.iter().map(|field| event[field].to_string()).collect::<Vec<_>>().join(" ")
        };
        let sorted = |field: &str| {
            let mut list = event[field].as_array().cloned().unwrap_or_default();
            list.sort_by_key(Value::to_string);
            Value::Array(list).to_string()
        };
        let content = match kind {
            "open-for-traffic" => pick(&["server", "sync_count", "count"]),
            "evict-run" => {
                pick(&["server", "enabled", "expired", "limit", "evicted", "compensation_ms"])
            }
            "request" => pick(&[
                "server", "from", "method", "path", "id", "status", "dirty", "replica", "code",
            ]),
            "failed" => pick(&["from", "to", "method", "path", "outcome"]),
            "local-status" => pick(&["client", "status", "dirty"]),
            "view" => {
                let lists = [sorted("changed"), sorted("removed")].join(" ");
                format!("{} {lists}", pick(&["client", "size", "visible", "hash"]))
            }
            "replication-batch" => {
                let link = pick(&["from", "to"]);
                if event["as_before"] != json!(true) {
                    batches.insert(link.clone(), event["items"].clone());
                }
                format!("{link} {} {}", batches[&link], pick(&["outcome", "codes"]))
            }
            _ => continue,
        };
        facts.entry(kind.to_owned()).or_default().push((time_of(event), content));
    }
    facts
}

fn assert_same(what: &str, mut real: Sorted, mut simulated: Sorted) {
    real.sort();
    simulated.sort();
    let parted = real.iter().zip(&simulated).position(|(real, simulated)| real != simulated);
    if let Some(place) = parted {
        panic!("{what}\n  recorded:  {:?}\n  simulated: {:?}", real[place], simulated[place]);
    }
    assert_eq!(real.len(), simulated.len(), "{what}: number");
}
