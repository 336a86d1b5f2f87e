//! A sweep: every combination of values under every fault with every seed, what is left out because the
//! answer is clear, and which part of it a shard runs.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::grid::{GridError, Param, combinations};
use super::statistics::Estimate;
use crate::observe::{CostWatch, Costs, Ending, Size};
use crate::scenario::{Changes, Files, Overlay, Plan, Rejected, load};
use crate::study::faults::{Suite, settled};
use crate::study::{Interrupted, Pulse, as_they_come, cost};
use crate::time::{Instant, Span};

/// The fault that is the scenario's own timeline.
pub const OWN: &str = "scenario";
/// All standard faults.
pub const STANDARD: &str = "standard";

/// Seeds after which a cell is looked at for the first time; then each time there are twice as many.
pub const FIRST_STAGE: u32 = 5;
/// A cell is clear when the confidence interval of each of its costs is no wider, each way, than this
/// share of the mean.
const CLEAR: f64 = 0.02;
/// How many sizes are kept of a run, about.
const SIZES: u64 = 120;
/// Most runs of a sweep.
const MOST_RUNS: u64 = 10_000_000;

/// What was asked for. The results depend on nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Of this program.
    pub version: String,
    /// The scenario and the files it includes: paths as they were named, and texts. The first is the scenario.
    pub files: Vec<(String, String)>,
    /// `--set`
    pub sets: Vec<String>,
    /// `--seed`
    pub seed: Option<u64>,
    /// How many seeds, counted up from the scenario's; at least 1.
    pub seeds: u32,
    /// What is varied.
    pub params: Vec<Param>,
    /// `scenario`, `standard` or names of standard faults; empty: the scenario's timeline, or where it
    /// has none the standard faults.
    pub faults: Vec<String>,
    /// No run is left out.
    pub exhaustive: bool,
}

/// Part `number` of `of` of a sweep, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

/// Why a sweep cannot be made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SweepError {
    /// The scenario, with these values, is none.
    #[error("{}", .0.diagnostics.first().map_or("the scenario is wrong", |first| first.message.as_str()))]
    Rejected(Box<Rejected>),
    /// The parameters are wrong.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// There is no fault of this name.
    #[error("there is no fault `{name}`; there are: {known}")]
    UnknownFault {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// This fleet cannot have this fault.
    #[error("the fault `{0}` cannot happen here: {1}")]
    Impossible(String, String),
    /// `scenario` was asked for by name, and there is no timeline.
    #[error(
        "the scenario has no timeline, so `scenario` is no fault; `none` is the fault in which nothing happens"
    )]
    NoTimeline,
    /// There are too many.
    #[error(
        "these are {0} runs, and more than {MOST_RUNS} are never done: try fewer values, faults or seeds"
    )]
    TooMany(u64),
}

/// One combination of values.
#[derive(Clone, Debug)]
pub struct Setting {
    /// A value for each parameter.
    pub values: Vec<String>,
    /// The scenario with them, with its own timeline.
    pub plan: Plan,
}

/// A fault of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultOf {
    /// What it is called.
    pub name: String,
    /// What happens, in a few words.
    pub about: String,
    /// How many instances it is about, if that is fixed and the same for every setting.
    pub instances: Option<u64>,
}

/// A setting under a fault.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Position in [`Sweep::settings`].
    pub setting: usize,
    /// Position in [`Sweep::faults`].
    pub fault: usize,
    overlay: Option<Overlay>,
    /// Its costs are counted from here on.
    pub since: Instant,
    /// How long its runs last.
    pub duration: Span,
}

/// A run and what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Position in [`Sweep::cells`].
    pub cell: u32,
    /// The seed.
    pub seed: u64,
    /// 32 hexadecimal digits over every fact.
    pub digest: String,
    /// Events handled.
    pub events: u64,
    /// What it cost.
    pub costs: Costs,
    /// How it ended.
    pub ending: Ending,
    /// Registry sizes over time, of the first seed only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<Size>,
}

/// The runs that are done, by cell and seed.
pub type Rows = BTreeMap<(u32, u64), Row>;

/// A sweep that can be run.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// What was asked for.
    pub request: Request,
    /// All combinations of values.
    pub settings: Vec<Setting>,
    /// The setting that is what the file says, if there is one.
    pub present: Option<usize>,
    /// All faults.
    pub faults: Vec<FaultOf>,
    /// Standard faults that this fleet cannot have, and why.
    pub left_out: Vec<(String, String)>,
    /// Settings under faults: by setting, then by fault.
    pub cells: Vec<Cell>,
    /// The first seed.
    first_seed: u64,
}

/// Why a sweep came to no end.
#[derive(Clone, Debug)]
pub enum Stopped {
    /// It was ended from outside.
    Interrupted,
    /// The scenario cannot be run with some values under some fault.
    Rejected(Box<Rejected>),
}

impl Files for Request {
    fn read(&self, path: &Path) -> Result<String, String> {
        let found = self.files.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| text.clone()).ok_or_else(|| "no such file".to_owned())
    }
}

impl Request {
    fn load(&self, changes: Changes<'_>) -> Result<Plan, SweepError> {
        let (path, text) = self.files.first().map_or(("", ""), |(path, text)| (path, text));
        let loaded = load(Path::new(path), text, changes, self);
        loaded.map_err(|rejected| SweepError::Rejected(Box::new(rejected)))
    }

    /// The values from the command line, with those of a setting last.
    fn sets(&self, values: &[String]) -> Vec<String> {
        let varied = self.params.iter().zip(values);
        let varied = varied.map(|(param, value)| format!("{}={value}", param.key));
        self.sets.iter().cloned().chain(varied).collect()
    }
}

impl Sweep {
    /// Reads the scenario with every combination of values and finds out what can happen to it.
    ///
    /// # Errors
    /// If the scenario, a parameter or a fault is none.
    pub fn new(request: Request) -> Result<Self, SweepError> {
        let combinations = combinations(&request.params)?;
        let plain = Changes { overlay: None, sets: &request.sets, seed: request.seed };
        let own = request.load(plain)?;
        let mut settings = Vec::new();
        for combination in combinations {
            let values = request.params.iter().zip(combination);
            let values: Vec<String> =
                values.map(|(param, value)| param.values[value].clone()).collect();
            let sets = request.sets(&values);
            let plan = request.load(Changes { sets: &sets, ..plain })?;
            settings.push(Setting { values, plan });
        }
        let fingerprint_of_own = fingerprint(&own);
        let mut sweep = Self {
            present: settings.iter().position(|of| fingerprint(&of.plan) == fingerprint_of_own),
            settings,
            faults: Vec::new(),
            left_out: Vec::new(),
            cells: Vec::new(),
            first_seed: own.setup.seed,
            request,
        };
        sweep.add_cells()?;
        let runs = sweep.cells.len() as u64 * u64::from(sweep.request.seeds);
        if runs > MOST_RUNS {
            return Err(SweepError::TooMany(runs));
        }
        Ok(sweep)
    }

    fn add_cells(&mut self) -> Result<(), SweepError> {
        let mut cells: Vec<Cell> = Vec::new();
        for setting in 0..self.settings.len() {
            let plan = &self.settings[setting].plan;
            let since = settled(plan);
            let mut suite = Suite::new(plan, since);
            if setting == 0 {
                self.leave_out_what_is_refused(&mut suite);
            }
            let plan = &self.settings[setting].plan;
            for name in wanted(&self.request.faults, plan, &suite)? {
                let (fault, overlay, since) = if name == OWN {
                    let first = plan.setup.timeline.first();
                    (own_fault(plan), None, first.map_or(since, |entry| entry.at))
                } else {
                    let Some(Ok(fault)) = suite.find(&name) else { continue };
                    let of = FaultOf {
                        name: fault.name.clone(),
                        about: fault.about.clone(),
                        instances: fault.instances,
                    };
                    (of, Some(fault.overlay.clone()), since)
                };
                let known = self.faults.iter().position(|known| known.name == fault.name);
                let fault = match known {
                    Some(known) => {
                        let faults = &mut self.faults[known];
                        faults.instances =
                            faults.instances.filter(|of| Some(*of) == fault.instances);
                        known
                    }
                    None => {
                        self.faults.push(fault);
                        self.faults.len() - 1
                    }
                };
                let own = Span::from_nanos(plan.setup.duration.nanos());
                let duration = if overlay.is_some() { suite.duration } else { own };
                cells.push(Cell { setting, fault, overlay, since, duration });
            }
            // Who asked for all of them is told which are missing.
            if asked(&self.request.faults, &self.settings[setting].plan).contains(&STANDARD) {
                for (name, why) in suite.left_out {
                    if !self.left_out.iter().any(|(known, _)| *known == name) {
                        self.left_out.push((name, why));
                    }
                }
            }
        }
        // Faults in the order in which they first came; in that order for every setting.
        cells.sort_by_key(|cell| (cell.setting, cell.fault));
        self.cells = cells;
        Ok(())
    }

    /// Faults that are no words for this scenario are left out, and why.
    fn leave_out_what_is_refused(&self, suite: &mut Suite) {
        let sets = self.request.sets(&self.settings[0].values);
        let seed = self.request.seed;
        suite.faults.retain(|fault| {
            let changes = Changes { overlay: Some(&fault.overlay), sets: &sets, seed };
            let refused = self.request.load(changes).err();
            if let Some(why) = &refused {
                suite.left_out.push((fault.name.clone(), why.to_string()));
            }
            refused.is_none()
        });
    }

    /// How many steps of how many parameters two settings are apart.
    pub(super) fn distance(&self, a: usize, b: usize) -> usize {
        let values = self.settings[a].values.iter().zip(&self.settings[b].values);
        let place = |param: &Param, value| param.values.iter().position(|of| of == value);
        let steps = self.request.params.iter().zip(values).map(|(param, (a, b))| {
            place(param, a).unwrap_or(0).abs_diff(place(param, b).unwrap_or(0))
        });
        steps.sum()
    }

    /// The seeds, in order; they wrap around after the last there is.
    pub fn seeds(&self) -> impl Iterator<Item = u64> + use<> {
        let first = self.first_seed;
        (0..u64::from(self.request.seeds)).map(move |number| first.wrapping_add(number))
    }

    /// How many runs it has if none is left out, or a shard of it.
    #[must_use]
    pub fn most_runs(&self, shard: Option<Shard>) -> u64 {
        let cells = (0..self.cells.len()).filter(|cell| self.is_in(*cell, shard)).count();
        cells as u64 * u64::from(self.request.seeds)
    }

    /// Whether a cell belongs to a shard. Settings and faults are both spread over the shards.
    fn is_in(&self, cell: usize, shard: Option<Shard>) -> bool {
        let Cell { setting, fault, .. } = self.cells[cell];
        shard.is_none_or(|Shard { number, of }| {
            (setting + fault) % of as usize == number as usize - 1
        })
    }

    /// The plan of a run.
    fn plan(&self, cell: u32, seed: u64) -> Result<Plan, SweepError> {
        let cell = &self.cells[cell as usize];
        let sets = self.request.sets(&self.settings[cell.setting].values);
        let overlay = cell.overlay.as_ref();
        self.request.load(Changes { overlay, sets: &sets, seed: Some(seed) })
    }

    /// The runs that are to be done next: of every cell those up to its present stage. None if all is done.
    #[must_use]
    pub fn due(&self, rows: &Rows, shard: Option<Shard>) -> Vec<(u32, u64)> {
        let cells = (0..self.cells.len()).filter(|cell| self.is_in(*cell, shard));
        cells.flat_map(|cell| self.due_in(cell as u32, rows)).collect()
    }

    fn due_in(&self, cell: u32, rows: &Rows) -> Vec<(u32, u64)> {
        let mut stage = if self.request.exhaustive { u32::MAX } else { FIRST_STAGE };
        loop {
            let count = stage.min(self.request.seeds);
            let runs = || self.seeds().take(count as usize).map(|seed| (cell, seed));
            let missing: Vec<(u32, u64)> = runs().filter(|run| !rows.contains_key(run)).collect();
            if !missing.is_empty() || count == self.request.seeds {
                return missing;
            }
            let costs: Vec<Costs> = runs().filter_map(|run| Some(rows.get(&run)?.costs)).collect();
            if is_clear(&costs) {
                return Vec::new();
            }
            stage = stage.saturating_mul(2);
        }
    }

    /// How many runs are left out because the answer was clear, when all others are done.
    #[must_use]
    pub fn left_out_runs(&self, rows: &Rows, shard: Option<Shard>) -> u64 {
        self.most_runs(shard).saturating_sub(rows.len() as u64)
    }

    /// Why these cannot be runs of this sweep, or of a shard of it; nothing if they can.
    #[must_use]
    pub fn disowns(&self, rows: &Rows, shard: Option<Shard>) -> Option<String> {
        let stranger = rows.values().find(|row| {
            let offset = row.seed.wrapping_sub(self.first_seed);
            let cell = row.cell as usize;
            cell >= self.cells.len()
                || offset >= u64::from(self.request.seeds)
                || !self.is_in(cell, shard)
        });
        stranger.map(|row| format!("cell {}, seed {} is no run of this sweep", row.cell, row.seed))
    }

    /// Runs one.
    ///
    /// # Errors
    /// If it cannot be run, or `pulse` ended it.
    pub fn run_one(&self, (cell, seed): (u32, u64), pulse: &mut dyn Pulse) -> Result<Row, Stopped> {
        let plan = self.plan(cell, seed).map_err(|error| match error {
            SweepError::Rejected(rejected) => Stopped::Rejected(rejected),
            _ => Stopped::Interrupted,
        })?;
        let every = Span::from_nanos((plan.setup.duration.nanos() / SIZES).max(1));
        let every = (seed == self.first_seed).then_some(every);
        let watch = CostWatch::new(&plan, self.cells[cell as usize].since, every);
        let outcome = cost(&plan, watch, pulse).map_err(|Interrupted| Stopped::Interrupted)?;
        Ok(Row {
            cell,
            seed,
            digest: outcome.digest.to_string(),
            events: outcome.events,
            costs: outcome.costs,
            ending: outcome.ending,
            sizes: outcome.sizes,
        })
    }

    /// Runs all that is due, on `jobs` threads (0: one for each core), until nothing is. Each row is added
    /// to `rows` and shown to `done` (with how many runs there are at most now) as it comes, in no order:
    /// what comes of it is the same in any. `go_on` is asked now and then.
    ///
    /// # Errors
    /// If it was ended by `go_on` or `done`, or a run cannot be run.
    pub fn run(
        &self,
        shard: Option<Shard>,
        rows: &mut Rows,
        jobs: u16,
        go_on: impl Fn() -> bool + Sync,
        mut done: impl FnMut(&Row, u64) -> bool,
    ) -> Result<(), Stopped> {
        let ended = AtomicBool::new(false);
        let go_on = || !ended.load(Ordering::Relaxed) && go_on();
        let mut why = None;
        loop {
            let due = self.due(rows, shard);
            if due.is_empty() {
                return Ok(());
            }
            let most = self.at_most(rows, shard);
            let work = |run: &(u32, u64)| match go_on() {
                true => self.run_one(*run, &mut Asks(&go_on)),
                false => Err(Stopped::Interrupted),
            };
            as_they_come(&due, jobs, work, |_, result| match result {
                Ok(row) => {
                    if !done(&row, most) {
                        ended.store(true, Ordering::Relaxed);
                        why.get_or_insert(Stopped::Interrupted);
                    }
                    rows.insert((row.cell, row.seed), row);
                }
                Err(stopped) => {
                    ended.store(true, Ordering::Relaxed);
                    // Others are interrupted because of it.
                    if why.is_none() || matches!(stopped, Stopped::Rejected(_)) {
                        why = Some(stopped);
                    }
                }
            });
            if let Some(why) = why {
                return Err(why);
            }
        }
    }

    /// How many runs there are at most, given what is clear already.
    fn at_most(&self, rows: &Rows, shard: Option<Shard>) -> u64 {
        let cells = (0..self.cells.len()).filter(|cell| self.is_in(*cell, shard));
        let of = |cell: usize| {
            let cell = cell as u32;
            if self.due_in(cell, rows).is_empty() {
                rows.range((cell, 0)..=(cell, u64::MAX)).count() as u64
            } else {
                u64::from(self.request.seeds)
            }
        };
        cells.map(of).sum()
    }
}

struct Asks<'a>(&'a dyn Fn() -> bool);

impl Pulse for Asks<'_> {
    fn beat(&mut self, _now: Instant, _events: u64) -> bool {
        (self.0)()
    }
}

/// What is asked for of a plan, or what is meant if nothing is.
fn asked<'a>(asked: &'a [String], plan: &Plan) -> Vec<&'a str> {
    match asked {
        [] if plan.setup.timeline.is_empty() => vec![STANDARD],
        [] => vec![OWN],
        asked => asked.iter().map(String::as_str).collect(),
    }
}

/// The faults that are wanted of a plan, by name.
fn wanted(faults: &[String], plan: &Plan, suite: &Suite) -> Result<Vec<String>, SweepError> {
    let has_timeline = !plan.setup.timeline.is_empty();
    let mut names: Vec<String> = Vec::new();
    for asked in asked(faults, plan) {
        let more = match asked {
            OWN if !has_timeline => return Err(SweepError::NoTimeline),
            OWN => vec![OWN.to_owned()],
            STANDARD => {
                let own = has_timeline.then(|| OWN.to_owned());
                own.into_iter().chain(suite.faults.iter().map(|fault| fault.name.clone())).collect()
            }
            name => match suite.find(name) {
                Some(Ok(fault)) => vec![fault.name.clone()],
                Some(Err(why)) => {
                    return Err(SweepError::Impossible(name.to_owned(), why.to_owned()));
                }
                None => {
                    let known = suite.faults.iter().map(|fault| fault.name.as_str());
                    let known: Vec<&str> = [OWN, STANDARD].into_iter().chain(known).collect();
                    let known = known.join(", ");
                    return Err(SweepError::UnknownFault { name: name.to_owned(), known });
                }
            },
        };
        names.extend(more.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>());
    }
    Ok(names)
}

fn own_fault(plan: &Plan) -> FaultOf {
    let about = match plan.setup.timeline.len() {
        1 => "the one entry of the scenario's timeline".to_owned(),
        count => format!("the {count} entries of the scenario's timeline"),
    };
    FaultOf { name: OWN.to_owned(), about, instances: None }
}

/// Whether more seeds would tell nothing new: every cost is known to a fiftieth.
fn is_clear(costs: &[Costs]) -> bool {
    let each: [fn(&Costs) -> u64; 6] = [
        |costs| costs.evicted_healthy,
        |costs| costs.healthy_missing_ms,
        |costs| costs.ghost_ms,
        |costs| costs.calls_to_dead,
        |costs| costs.false_protection_ms,
        |costs| costs.no_eviction_ms,
    ];
    each.into_iter().all(|of| {
        let values: Vec<f64> = costs.iter().map(|costs| of(costs) as f64).collect();
        let Estimate { mean, half_width } = Estimate::of(&values);
        half_width.is_some_and(|half_width| half_width <= CLEAR * mean)
    })
}

/// A number for everything a run is made from but its seed and names.
fn fingerprint(plan: &Plan) -> u128 {
    struct Hashed(Xxh3);
    impl Write for Hashed {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }
    let setup = &plan.setup;
    let mut hashed = Hashed(Xxh3::new());
    let rest = (&setup.network, setup.error_bodies, &setup.races, &setup.calls, &setup.timeline);
    // Writing into a hash does not fail.
    let _ = write!(
        hashed,
        "{:?}",
        (&setup.servers, &setup.clients, &setup.profiles, &setup.endpoints, setup.duration, rest)
    );
    hashed.0.digest128()
}
