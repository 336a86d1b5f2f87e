//! `series.csv`.

use std::io::{self, Write};

use crate::observe::{Labels, Series};

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

/// Writes the series, one row for each server and sample; with `calls` also those.
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
    csv.write_record(COLUMNS.iter().chain(of_calls))?;
    for row in series.rows() {
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
        csv.write_record(record)?;
    }
    csv.flush()
}
