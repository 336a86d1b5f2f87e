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

/// Writes the series, one row for each server and sample.
///
/// # Errors
/// If writing fails.
pub fn series_csv(series: &Series, labels: &Labels, sink: impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(sink);
    csv.write_record(COLUMNS)?;
    for row in series.rows() {
        let gauges = &row.gauges;
        let flag = if gauges.is_below_renew_threshold { "1" } else { "0" };
        csv.write_record([
            row.at.millis_text().as_str(),
            labels.server(row.server),
            &gauges.local_registry_size.to_string(),
            &row.alive.to_string(),
            &row.ghosts.to_string(),
            &row.missing.to_string(),
            &row.renews_current_min.to_string(),
            &gauges.num_of_renews_in_last_min.to_string(),
            &gauges.num_of_renews_per_min_threshold.to_string(),
            &gauges.expected_number_of_clients_sending_renews.to_string(),
            if gauges.is_lease_expiration_enabled { "true" } else { "false" },
            flag,
            &row.expired_counter.to_string(),
        ])?;
    }
    csv.flush()
}
