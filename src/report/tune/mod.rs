//! What a sweep comes to: the table, the reasons, the files.

mod csv;
mod fragment;
mod head_room;
mod json;
mod table;
mod warnings;
mod why;

pub use csv::tune_csv;

use super::check::WarningCheck;
use crate::observe::Costs;
use crate::study::tune::{Analysis, Rows, Sweep, Weights};

/// A sweep whose runs are done, and everything that is said of it.
#[derive(Clone, Debug)]
pub struct TuneReport<'a> {
    pub(super) sweep: &'a Sweep,
    pub(super) rows: &'a Rows,
    pub(super) analysis: Analysis,
    /// How many servers there are in the recommended setting.
    servers: usize,
    /// Why the recommended setting is, in sentences.
    why: Vec<String>,
    warnings: Vec<WarningCheck>,
}

impl<'a> TuneReport<'a> {
    /// Of a sweep whose runs are done: nothing if they are not.
    #[must_use]
    pub fn new(sweep: &'a Sweep, rows: &'a Rows, weights: Weights) -> Option<Self> {
        let analysis = Analysis::new(sweep, rows, weights)?;
        let plan = sweep.plan_of(analysis.recommended).ok()?;
        let why = why::why(sweep, &analysis, &plan);
        let warnings = warnings::warnings(sweep, &analysis, &plan);
        let servers = plan.setup.servers.len();
        Some(Self { sweep, rows, analysis, servers, why, warnings })
    }

    /// What the parameters are called.
    pub(super) fn names(&self) -> String {
        names(self.sweep)
    }

    /// What a setting is called where the parameters are known: its values.
    pub(super) fn label(&self, setting: usize) -> String {
        label(self.sweep, setting)
    }
}

/// The values of a setting.
fn label(sweep: &Sweep, setting: usize) -> String {
    match sweep.settings[setting].values.as_slice() {
        [] => "as it is".to_owned(),
        values => values.join(", "),
    }
}

/// What the parameters are called, without what they all begin with in Eureka.
fn names(sweep: &Sweep) -> String {
    // A quoted part may have dots of its own.
    let short = |key: &str| match key.rsplit_once('.') {
        Some((_, last)) if !key.contains('"') => last.to_owned(),
        _ => key.to_owned(),
    };
    let names: Vec<String> = sweep.request.params.iter().map(|param| short(&param.key)).collect();
    if names.is_empty() { "scenario".to_owned() } else { names.join(", ") }
}

/// The costs of a run as `tune.csv` and `tune.json` name them, in order; times in seconds.
fn named(costs: &Costs) -> [(&'static str, String); 6] {
    [
        ("evicted_healthy", costs.evicted_healthy.to_string()),
        ("healthy_missing_s", seconds(costs.healthy_missing_ms)),
        ("ghost_s", seconds(costs.ghost_ms)),
        ("calls_to_dead", costs.calls_to_dead.to_string()),
        ("false_protection_s", seconds(costs.false_protection_ms)),
        ("no_eviction_s", seconds(costs.no_eviction_ms)),
    ]
}

/// Ms as seconds with the decimals they need: `12`, `0.5`.
fn seconds(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
