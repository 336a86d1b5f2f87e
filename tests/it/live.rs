//! Recordings of live Spring Cloud servers, and the same stories simulated.
//!
//! A real machine is late by a millisecond here and a tenth of a second there, so values are compared
//! within two seconds, as `compare_live.py` beside the recordings does it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use eureka_sim::observe::{EventLevel, EventLog, Watch};
use eureka_sim::report::series_csv;
use eureka_sim::scenario::{self, Plan};
use eureka_sim::study;
use serde_json::Value;

use crate::support::{NoIncludes, SharedBuffer, unzipped};

const GAUGES: [&str; 6] = [
    "localRegistrySize",
    "numOfRenewsPerMinThreshold",
    "expectedNumberOfClientsSendingRenews",
    "isLeaseExpirationEnabled",
    "isBelowRenewThreshold",
    RENEWS,
];
const RENEWS: &str = "numOfRenewsInLastMin";
/// Milliseconds by which both may be apart.
const NEAR: f64 = 2_000.0;

/// A server's gauges at an instant (ms), in the order above.
type Sample = (f64, [i64; 6]);

/// What one side shows: samples of each server, and when (ms) which server evicted how many.
struct Shown {
    samples: BTreeMap<String, Vec<Sample>>,
    evictions: Vec<(String, f64, usize)>,
}

impl Shown {
    fn of(csv: &str, events: &str) -> Self {
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let headers = reader.headers().expect("it has a first line").clone();
        let column = |name: &str| headers.iter().position(|header| header == name);
        let [time, server] = ["t_ms", "server"].map(|name| column(name).expect("a column"));
        let columns = GAUGES.map(|name| column(name).expect("a gauge has a column"));
        let number = |text: &str| match text {
            "true" => 1,
            "false" => 0,
            text => text.parse().expect("a gauge is a number"),
        };
        let mut samples: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
        for row in reader.records().map(|row| row.expect("a row can be read")) {
            let gauges = columns.map(|column| number(&row[column]));
            let at = row[time].parse().expect("a time is a number");
            samples.entry(row[server].to_owned()).or_default().push((at, gauges));
        }
        let events = events.lines().map(|line| serde_json::from_str(line).expect("it is JSON"));
        let evictions = events.filter_map(|event: Value| {
            let evicted = event["evicted"].as_array().filter(|evicted| !evicted.is_empty())?.len();
            let server = event["server"].as_str().expect("an eviction is of a server").to_owned();
            Some((server, event["t_ms"].as_f64().expect("an event has a time"), evicted))
        });
        Self { samples, evictions: evictions.collect() }
    }
}

/// A recording, and the same simulated.
fn both(name: &str, sets: &[&str]) -> (Shown, Shown) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/live").join(name);
    let [csv, events] =
        ["series.csv.gz", "events.jsonl.gz"].map(|file| unzipped(&folder.join(file)));
    let path = folder.join("scenario.toml");
    let text = std::fs::read_to_string(&path).expect("it has a scenario");
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let plan: Plan = scenario::load(
        &path,
        &text,
        scenario::Changes { sets: &sets, ..scenario::Changes::default() },
        &NoIncludes,
    )
    .unwrap_or_else(|no| panic!("{name}: {:?}", no.diagnostics));
    let buffer = SharedBuffer::default();
    let mut watch = Watch::<false>::new(&plan);
    watch.events = Some(EventLog::new(EventLevel::All, &plan, Box::new(buffer.clone())));
    let (recording, _) = study::run(&plan, watch, &mut ()).expect("nobody interrupts");
    let mut series = Vec::new();
    series_csv(&recording.series, &recording.labels, false, &mut series)
        .expect("memory can be written");
    let series = String::from_utf8(series).expect("CSV is text");
    (Shown::of(&csv, &events), Shown::of(&series, &buffer.text()))
}

/// The share of the recorded samples that the simulated run shows within two seconds, by gauge.
fn agreement(real: &Shown, simulated: &Shown) -> [f64; 6] {
    let (mut agree, mut all) = ([0_u32; 6], 0_u32);
    for (server, samples) in &real.samples {
        let ours = &simulated.samples[server];
        for (at, gauges) in samples {
            let first = ours.partition_point(|(time, _)| *time <= at - NEAR).saturating_sub(1);
            let last = ours.partition_point(|(time, _)| *time <= at + NEAR).max(first + 1);
            all += 1;
            for (gauge, value) in gauges.iter().enumerate() {
                let near = ours[first..last].iter().map(|(_, gauges)| gauges[gauge]);
                let slack =
                    if GAUGES[gauge] == RENEWS { ((value * 2 + 50) / 100).max(3) } else { 0 };
                let (low, high) = (near.clone().min(), near.max());
                let range: RangeInclusive<i64> =
                    low.expect("some") - slack..=high.expect("some") + slack;
                agree[gauge] += u32::from(range.contains(value));
            }
        }
    }
    agree.map(|agree| f64::from(agree) / f64::from(all))
}

/// Whether the same servers evicted as many, within 2.5 s, and nobody else anybody.
fn evictions_agree(real: &Shown, simulated: &Shown) -> bool {
    let near = |(left, right): (&(String, f64, usize), &(String, f64, usize))| {
        (&left.0, left.2) == (&right.0, right.2) && (left.1 - right.1).abs() <= 2_500.0
    };
    real.evictions.len() == simulated.evictions.len()
        && real.evictions.iter().zip(&simulated.evictions).all(near)
}

#[test]
fn simulated_servers_show_what_live_ones_showed() {
    for name in ["r1-self-preservation", "r7b-twenty-clients"] {
        let (real, simulated) = both(name, &[]);
        assert_eq!(agreement(&real, &simulated), [1.0; 6], "{name}: {GAUGES:?}");
        assert!(evictions_agree(&real, &simulated), "{name}: {:?}", simulated.evictions);
    }
}

/// The clients of this recording are no real ones, and its scenario has no word for how they differ:
/// like `RetryableEurekaHttpClient` over Jersey, and unlike Spring's `RestClient`, they try once more
/// when the server they were pinned to times out; and they register after a 404 with a body. So four
/// heartbeats of each wait for the frozen server and find no room: ten of the 101 connections that its
/// kernel keeps are the recorder's own, which looked every three seconds.
#[test]
fn a_live_server_that_was_frozen_counts_what_its_accept_queue_held() {
    let as_recorded =
        ["apps.ORDERS.http-client=jersey3", "cluster.error-bodies=none", "network.accept-count=90"];
    let (real, simulated) = both("r4-gc-pause", &as_recorded);
    assert_eq!(agreement(&real, &simulated), [1.0; 6], "{GAUGES:?}");
    assert!(evictions_agree(&real, &simulated), "{:?}", simulated.evictions);
    // Without them as many as the server had room for wait, and all is the same but that number.
    let (real, simulated) = both("r4-gc-pause", &[]);
    assert_eq!(agreement(&real, &simulated)[..5], [1.0; 5], "{GAUGES:?}");
    assert!(evictions_agree(&real, &simulated), "{:?}", simulated.evictions);
}
