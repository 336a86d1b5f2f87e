//! `series.csv` and `divergence.csv`.

use std::io::{self, Write};

use crate::observe::{Labels, Pairs, Series};
use crate::scenario::Metric;

/// The columns, in order.
const COLUMNS: [&str; 13] = [
    "t_ms",
    "server",
    "localRegistrySize",
    "alive",
    "ghosts",
    "missing",
    "renewsCurrentMin",
    "numOfRenewsInLastMin",
    "numOfRenewsPerMinThreshold",
    "expectedNumberOfClientsSendingRenews",
    "isLeaseExpirationEnabled",
    "isBelowRenewThreshold",
    "expiredCounter",
];

/// The columns after them, if anybody calls.
const CALL_COLUMNS: [&str; 4] =
    ["callsLastSec", "callsFailedLastSec", "callsToDeadLastSec", "callsToDead"];

/// Writes the series, one row for each server and sample; with `calls` also those, and last the
/// metrics that were asked for.
///
/// # Errors
/// If writing fails.
pub fn series_csv(
    series: &Series,
    labels: &Labels,
    calls: bool,
    sink: impl Write,
) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(sink);
    let of_calls = if calls { CALL_COLUMNS.as_slice() } else { &[] };
    // What every series has is not repeated: no two columns have one name.
    let is_more = |metric: Metric| !COLUMNS.contains(&metric.name());
    let metrics = series.metrics().iter().filter(|metric| is_more(**metric));
    let metrics: Vec<&str> = metrics.map(|metric| metric.name()).collect();
    csv.write_record(COLUMNS.iter().chain(of_calls).chain(&metrics))?;
    for (row, values) in series.rows_with_metrics() {
        let gauges = &row.gauges;
        let flag = if gauges.is_below_renew_threshold { "1" } else { "0" };
        let mut record = vec![
            row.at.millis_text(),
            labels.server(row.server).to_owned(),
            gauges.local_registry_size.to_string(),
            row.alive.to_string(),
            row.ghosts.to_string(),
            row.missing.to_string(),
            row.renews_current_min.to_string(),
            gauges.num_of_renews_in_last_min.to_string(),
            gauges.num_of_renews_per_min_threshold.to_string(),
            gauges.expected_number_of_clients_sending_renews.to_string(),
            gauges.is_lease_expiration_enabled.to_string(),
            flag.to_owned(),
            row.expired_counter.to_string(),
        ];
        if calls {
            let second = row.last_second;
            let numbers = [second.calls, second.failed, second.to_dead, row.traffic_to_dead];
            record.extend(numbers.map(|number| number.to_string()));
        }
        let values = series.metrics().iter().zip(values).filter(|(metric, _)| is_more(**metric));
        record.extend(values.map(|(metric, value)| value_text(*metric, *value)));
        csv.write_record(record)?;
    }
    csv.flush()
}

/// A metric as text: a flag in a word, a whole number, or at most six decimals.
fn value_text(metric: Metric, value: f64) -> String {
    if metric.is_flag() {
        return (value != 0.0).to_string();
    }
    ((value * 1e6).round() / 1e6).to_string()
}

/// Writes where every two servers differ, one row for each pair and sample.
///
/// # Errors
/// If writing fails.
pub fn divergence_csv(pairs: &Pairs, labels: &Labels, sink: impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(sink);
    csv.write_record(["t_ms", "server", "peer", "presence", "status"])?;
    for row in pairs.rows() {
        csv.write_record([
            row.at.millis_text(),
            labels.server(row.server).to_owned(),
            labels.server(row.peer).to_owned(),
            row.between.presence.to_string(),
            row.between.status.to_string(),
        ])?;
    }
    csv.flush()
}
