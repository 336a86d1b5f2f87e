//! What the runs of a sweep come to: costs per setting with confidence intervals, differences seed by seed,
//! the settings that none other beats, and the recommended one.

use super::statistics::Estimate;
use super::sweep::{Row, Rows, Sweep};
use super::weights::{Weights, minutes};

/// What is estimated of every cell and of every setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Means {
    /// Healthy instances evicted, all servers together.
    pub evicted_healthy: Estimate,
    /// Minutes that they were missing.
    pub healthy_minutes: Estimate,
    /// Minutes that dead instances were kept.
    pub ghost_minutes: Estimate,
    /// Calls to the dead.
    pub calls_to_dead: Estimate,
    /// Minutes of self-preservation without a reason.
    pub false_minutes: Estimate,
    /// Minutes without eviction.
    pub no_eviction_minutes: Estimate,
    /// All of it, weighed.
    pub weighted: Estimate,
}

/// A setting under a fault: means over the seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct CellCosts {
    /// Position in [`Sweep::cells`].
    pub cell: usize,
    /// How many seeds.
    pub runs: usize,
    /// Its costs.
    pub means: Means,
    /// Leases evicted, all servers together.
    pub evicted: f64,
    /// Dead instances still registered at the end, all servers together.
    pub ghosts_left: f64,
    /// Healthy instances missing at the end, all servers together.
    pub missing_left: f64,
    /// Servers that ran at the end.
    pub servers: f64,
}

/// A setting under all faults that every setting has: sums over the faults, each as often as it happens.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingCosts {
    /// Its costs.
    pub means: Means,
    /// Minutes that healthy instances were missing, seed by seed.
    pub healthy_by_seed: Vec<f64>,
    /// Minutes that dead instances were kept, seed by seed.
    pub ghosts_by_seed: Vec<f64>,
    /// What it weighs more than the recommended setting, paired seed by seed.
    pub above_recommended: Estimate,
    /// No other setting has both fewer minutes of missing healthy instances and fewer of dead ones.
    pub on_front: bool,
}

/// The runs of a cell, and how often its fault happens.
struct Rated<'a> {
    rows: &'a [&'a Row],
    weight: f64,
}

/// What the runs of a sweep come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// What a cost weighs.
    pub weights: Weights,
    /// By cell.
    pub cells: Vec<CellCosts>,
    /// The faults that every setting has: positions in [`Sweep::faults`]. Settings are compared by these.
    pub common: Vec<usize>,
    /// By setting.
    pub settings: Vec<SettingCosts>,
    /// Position of the setting with the least weight.
    pub cheapest: usize,
    /// Position of the recommended setting: of those that cannot be told from the cheapest the one that is
    /// nearest to what the file says, if the sweep has that; else the cheapest.
    pub recommended: usize,
}

impl Analysis {
    /// Of a sweep whose runs are done: nothing if a cell has none.
    #[must_use]
    pub fn new(sweep: &Sweep, rows: &Rows, weights: Weights) -> Option<Self> {
        let by_cell: Vec<Vec<&Row>> = (0..sweep.cells.len())
            .map(|cell| sweep.seeds().filter_map(|seed| rows.get(&(cell as u32, seed))).collect())
            .collect();
        if by_cell.is_empty() || by_cell.iter().any(Vec::is_empty) {
            return None;
        }
        let cells = by_cell.iter().enumerate();
        let cells = cells.map(|(cell, rows)| CellCosts::new(cell, rows, &weights)).collect();
        // Cells are in order of setting and fault.
        let has = |setting: usize, fault: usize| {
            sweep.cells.binary_search_by_key(&(setting, fault), |of| (of.setting, of.fault)).ok()
        };
        let settings = 0..sweep.settings.len();
        let common: Vec<usize> = (0..sweep.faults.len())
            .filter(|fault| settings.clone().all(|setting| has(setting, *fault).is_some()))
            .collect();
        if common.is_empty() {
            return None;
        }
        let rows_of = |setting: usize| -> Vec<Rated<'_>> {
            let rated = |fault: &usize| {
                let rows = by_cell[has(setting, *fault)?].as_slice();
                Some(Rated { rows, weight: weights.of_fault(&sweep.faults[*fault].name) })
            };
            common.iter().filter_map(rated).collect()
        };
        let weigh = |row: &Row| weights.of(&row.costs);
        let means: Vec<f64> =
            settings.clone().map(|setting| sum(&rows_of(setting), None, &weigh).mean).collect();
        // Of equal ones the first.
        let cheapest = settings.clone().min_by(|a, b| means[*a].total_cmp(&means[*b]))?;
        let against =
            |setting: usize, other: usize| sum(&rows_of(setting), Some(&rows_of(other)), &weigh);
        let cannot_be_told = |setting: &usize| {
            let Estimate { mean, half_width } = against(*setting, cheapest);
            mean == 0.0 || half_width.is_some_and(|half_width| mean.abs() <= half_width)
        };
        // The least change that is as good as any.
        let recommended = match sweep.present {
            None => cheapest,
            Some(present) => {
                let as_good = settings.clone().filter(cannot_be_told);
                as_good.min_by_key(|of| sweep.distance(*of, present)).unwrap_or(cheapest)
            }
        };
        let mut costs: Vec<SettingCosts> = settings
            .clone()
            .map(|setting| {
                let above = against(setting, recommended);
                SettingCosts::new(&rows_of(setting), &weights, above)
            })
            .collect();
        let points: Vec<(f64, f64)> = costs
            .iter()
            .map(|of| (of.means.healthy_minutes.mean, of.means.ghost_minutes.mean))
            .collect();
        for (of, point) in costs.iter_mut().zip(&points) {
            let beats =
                |other: &&(f64, f64)| other.0 <= point.0 && other.1 <= point.1 && *other != point;
            of.on_front = points.iter().find(beats).is_none();
        }
        Some(Self { weights, cells, common, settings: costs, cheapest, recommended })
    }
}

impl Means {
    fn new(weights: &Weights, estimate: impl Fn(&dyn Fn(&Row) -> f64) -> Estimate) -> Self {
        Self {
            evicted_healthy: estimate(&|row| row.costs.evicted_healthy as f64),
            healthy_minutes: estimate(&healthy_minutes),
            ghost_minutes: estimate(&ghost_minutes),
            calls_to_dead: estimate(&|row| row.costs.calls_to_dead as f64),
            false_minutes: estimate(&|row| minutes(row.costs.false_protection_ms)),
            no_eviction_minutes: estimate(&|row| minutes(row.costs.no_eviction_ms)),
            weighted: estimate(&|row| weights.of(&row.costs)),
        }
    }
}

impl CellCosts {
    fn new(cell: usize, rows: &[&Row], weights: &Weights) -> Self {
        let estimate = |of: &dyn Fn(&Row) -> f64| {
            Estimate::of(&rows.iter().map(|row| of(row)).collect::<Vec<_>>())
        };
        Self {
            cell,
            runs: rows.len(),
            means: Means::new(weights, estimate),
            evicted: estimate(&|row| row.ending.evicted as f64).mean,
            ghosts_left: estimate(&|row| row.ending.ghosts as f64).mean,
            missing_left: estimate(&|row| row.ending.missing as f64).mean,
            servers: estimate(&|row| row.ending.servers as f64).mean,
        }
    }
}

impl SettingCosts {
    /// Of the rows of its cells.
    fn new(cells: &[Rated<'_>], weights: &Weights, above_recommended: Estimate) -> Self {
        Self {
            means: Means::new(weights, |of| sum(cells, None, of)),
            healthy_by_seed: by_seed(cells, healthy_minutes),
            ghosts_by_seed: by_seed(cells, ghost_minutes),
            above_recommended,
            on_front: false,
        }
    }
}

fn healthy_minutes(row: &Row) -> f64 {
    minutes(row.costs.healthy_missing_ms)
}

fn ghost_minutes(row: &Row) -> f64 {
    minutes(row.costs.ghost_ms)
}

/// The sum over the faults, each as often as it happens, or what it is more than that of another setting,
/// paired seed by seed. Faults that were clear after the first seeds have fewer runs: these and the others
/// are summed for themselves first.
fn sum(cells: &[Rated<'_>], less: Option<&[Rated<'_>]>, of: &dyn Fn(&Row) -> f64) -> Estimate {
    let mut counts: Vec<usize> = cells.iter().map(|cell| cell.rows.len()).collect();
    counts.sort_unstable();
    counts.dedup();
    let of_count = |count: usize| {
        let by_seed = |seed: usize| {
            let places = (0..cells.len()).filter(|place| cells[*place].rows.len() == count);
            let values = places.map(|place| {
                let Rated { rows, weight } = &cells[place];
                let other = less.and_then(|less| less[place].rows.get(seed));
                let other = other.map_or(0.0, |row| of(row));
                weight * (of(rows[seed]) - other)
            });
            values.sum::<f64>()
        };
        Estimate::of(&(0..count).map(by_seed).collect::<Vec<_>>())
    };
    let parts: Vec<Estimate> = counts.into_iter().map(of_count).collect();
    parts.iter().copied().reduce(Estimate::and).unwrap_or(Estimate { mean: 0.0, half_width: None })
}

/// The sum over the faults for each seed; one that was clear after the first seeds counts with its mean for the
/// others.
fn by_seed(cells: &[Rated<'_>], of: fn(&Row) -> f64) -> Vec<f64> {
    let seeds = cells.iter().map(|cell| cell.rows.len()).max().unwrap_or(0);
    let mut sums = vec![0.0; seeds];
    for Rated { rows, weight } in cells {
        let values: Vec<f64> = rows.iter().map(|row| of(row)).collect();
        let mean = Estimate::of(&values).mean;
        for (place, sum) in sums.iter_mut().enumerate() {
            *sum += weight * values.get(place).copied().unwrap_or(mean);
        }
    }
    sums
}
