//! `tune.csv`: a row for each run.

use super::named;
use crate::observe::Costs;
use crate::study::tune::{Rows, Sweep};

/// The rows of the runs that are done, by setting, fault and seed: the parameters, `fault`, `seed`, `digest`
/// and the costs, times in seconds.
#[must_use]
pub fn tune_csv(sweep: &Sweep, rows: &Rows) -> String {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let params = sweep.request.params.iter().map(|param| param.key.as_str());
    let costs = named(&Costs::default());
    let columns =
        ["fault", "seed", "digest"].into_iter().chain(costs.iter().map(|(name, _)| *name));
    let mut written = csv.write_record(params.chain(columns));
    for (number, cell) in sweep.cells.iter().enumerate() {
        let setting = &sweep.settings[cell.setting].values;
        let rows = sweep.seeds().filter_map(|seed| rows.get(&(number as u32, seed)));
        for row in rows {
            let fault = sweep.faults[cell.fault].name.clone();
            let head = [fault, row.seed.to_string(), row.digest.clone()];
            let costs = named(&row.costs).map(|(_, value)| value);
            let record = setting.iter().cloned().chain(head).chain(costs);
            written = written.and_then(|()| csv.write_record(record));
        }
    }
    let bytes = csv.into_inner().unwrap_or_default();
    debug_assert!(written.is_ok(), "rows have as many columns as the first, and memory takes all");
    String::from_utf8_lossy(&bytes).into_owned()
}
