//! A sweep: every combination of values under every fault with every seed, what is left out because the
//! answer is clear, and which part of it a shard runs.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::grid::{GridError, Param, combinations};
use super::journal::Journal;
use super::statistics::Estimate;
use crate::observe::{CostWatch, Costs, Ending, Size};
use crate::scenario::{Changes, Files, Overlay, Plan, Rejected, load};
use crate::sim::Setup;
use crate::study::faults::{NoFault, Suite, settled};
use crate::study::{Interrupted, Pulse, as_they_come, cost};
use crate::time::{Instant, Span};

/// The fault that is the scenario's own timeline.
pub const OWN: &str = "scenario";
/// All standard faults.
pub const STANDARD: &str = "standard";

/// Seeds after which each fault is looked at: if it is clear, the others are left out.
pub const FIRST_STAGE: u32 = 5;
/// A fault is clear when, whatever the setting, the confidence interval of each cost is no wider, each way,
/// than this share of the mean.
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

/// Part `number` of `of` of a sweep, counted from 1. Faults are dealt to the parts in turn; where there are
/// fewer faults than parts, several parts share the seeds of each, and all of these run its first ones.
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
    /// There is no such fault.
    #[error(transparent)]
    Fault(#[from] NoFault),
    /// `scenario` was asked for by name, and there is no timeline.
    #[error(
        "the scenario has no timeline, so `scenario` is no fault; `none` is the fault in which nothing happens"
    )]
    NoTimeline,
    /// A parameter says nothing of what a fleet does.
    #[error("`{0}` is nothing that costs could depend on{1}")]
    Pointless(String, &'static str),
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
}

/// A fault of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultOf {
    /// What it is called.
    pub name: String,
    /// What happens, in a few words, to the first setting that can have it.
    pub about: String,
}

/// A setting under a fault.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Position in [`Sweep::settings`].
    pub setting: usize,
    /// Position in [`Sweep::faults`].
    pub fault: usize,
    /// What happens, in a few words.
    pub about: String,
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
    /// The scenario's name.
    pub name: String,
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
    fn load(&self, changes: Changes<'_>) -> Result<Plan, Box<Rejected>> {
        let (path, text) = self.files.first().map_or(("", ""), |(path, text)| (path, text));
        load(Path::new(path), text, changes, self).map_err(Box::new)
    }

    /// What another asks for that this one does not; nothing if they are the same.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        let same = [
            (self.version == other.version, "another version of eureka-sim"),
            (self.files == other.files, "another scenario"),
            (self.params == other.params, "another --param"),
            (self.faults == other.faults, "other --faults"),
            (self.seeds == other.seeds && self.seed == other.seed, "other seeds"),
            (self.sets == other.sets, "other --set"),
            (self.exhaustive == other.exhaustive, "with --exhaustive or without"),
        ];
        same.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
    }

    /// Whether it asks for the same runs, perhaps with more seeds or fewer.
    #[must_use]
    pub fn has_the_runs_of(&self, other: &Self) -> bool {
        let Self { seeds, exhaustive, .. } = *self;
        *self == Self { seeds, exhaustive, ..other.clone() }
    }

    /// The values from the command line, with those of a setting last.
    fn sets(&self, values: &[String]) -> Vec<String> {
        let varied = self.params.iter().zip(values);
        let varied = varied.map(|(param, value)| format!("{}={value}", param.key));
        self.sets.iter().cloned().chain(varied).collect()
    }
}

impl From<Box<Rejected>> for SweepError {
    fn from(rejected: Box<Rejected>) -> Self {
        Self::Rejected(rejected)
    }
}

impl Cell {
    /// Time between two sizes that are kept of a run.
    #[must_use]
    pub fn sampled(&self) -> Span {
        Span::from_nanos((self.duration.nanos() / SIZES).max(1))
    }
}

impl Sweep {
    /// Reads the scenario with every combination of values and finds out what can happen to it.
    ///
    /// # Errors
    /// If the scenario, a parameter or a fault is none.
    pub fn new(request: Request) -> Result<Self, SweepError> {
        let combinations = combinations(&request.params)?;
        for Param { key, .. } in &request.params {
            let help = match key.as_str() {
                "seed" => ": --seeds N tries every value with N seeds",
                "name" | "about" | "source" | "schema" | "observe" | "expect" => "",
                _ => continue,
            };
            return Err(SweepError::Pointless(key.clone(), help));
        }
        let plain = Changes { overlay: None, sets: &request.sets, seed: request.seed };
        let own = request.load(plain)?;
        let values_of = |combination: Vec<usize>| -> Vec<String> {
            let values = request.params.iter().zip(combination);
            values.map(|(param, value)| param.values[value].clone()).collect()
        };
        let settings = combinations.into_iter().map(|of| Setting { values: values_of(of) });
        let mut sweep = Self {
            settings: settings.collect(),
            name: own.name.clone(),
            present: None,
            faults: Vec::new(),
            left_out: Vec::new(),
            cells: Vec::new(),
            first_seed: own.setup.seed,
            request,
        };
        sweep.add_cells(fingerprint(&own))?;
        let runs = sweep.cells.len() as u64 * u64::from(sweep.request.seeds);
        if runs > MOST_RUNS {
            return Err(SweepError::TooMany(runs));
        }
        Ok(sweep)
    }

    /// The scenario with the values of a setting and its own timeline.
    ///
    /// # Errors
    /// Not for a setting of this sweep: it has been read before.
    pub fn plan_of(&self, setting: usize) -> Result<Plan, SweepError> {
        let sets = self.request.sets(&self.settings[setting].values);
        let changes = Changes { overlay: None, sets: &sets, seed: self.request.seed };
        Ok(self.request.load(changes)?)
    }

    fn add_cells(&mut self, own: u128) -> Result<(), SweepError> {
        let mut cells: Vec<Cell> = Vec::new();
        for setting in 0..self.settings.len() {
            let plan = self.plan_of(setting)?;
            if self.present.is_none() && fingerprint(&plan) == own {
                self.present = Some(setting);
            }
            let since = settled(&plan);
            let mut suite = Suite::new(&plan, since);
            if setting == 0 {
                self.leave_out_what_is_refused(&mut suite);
            }
            for name in wanted(&self.request.faults, &plan, &suite)? {
                let own = Span::from_nanos(plan.setup.duration.nanos());
                let (about, overlay, since, duration) = if name == OWN {
                    let first = plan.setup.timeline.first();
                    (about_own(&plan), None, first.map_or(since, |entry| entry.at), own)
                } else {
                    let fault = suite.find(&name, &[])?;
                    (fault.about.clone(), Some(fault.overlay.clone()), since, suite.duration)
                };
                let known = self.faults.iter().position(|known| known.name == name);
                let fault = known.unwrap_or(self.faults.len());
                if known.is_none() {
                    self.faults.push(FaultOf { name, about: about.clone() });
                }
                cells.push(Cell { setting, fault, about, overlay, since, duration });
            }
            // Who asked for all of them is told which are missing.
            if asked(&self.request.faults, &plan).contains(&STANDARD) {
                for (name, why) in suite.left_out {
                    if !self.left_out.iter().any(|(known, _)| *known == name) {
                        self.left_out.push((name, why));
                    }
                }
            }
        }
        // A timeline that begins at another time with another value has cost nothing before.
        let own = self.faults.iter().position(|fault| fault.name == OWN);
        let is_own = |cell: &&mut Cell| Some(cell.fault) == own;
        let earliest = cells.iter_mut().filter(is_own).map(|cell| cell.since).min();
        for cell in cells.iter_mut().filter(is_own) {
            cell.since = earliest.unwrap_or(cell.since);
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
                suite
                    .left_out
                    .push((fault.name.clone(), SweepError::from(why.clone()).to_string()));
            }
            refused.is_none()
        });
    }

    /// 32 hexadecimal digits over what its runs are, by number: builds that make something else of the same
    /// request differ in them.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("{:032x}", hashed(&(&self.faults, &self.cells)))
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
    pub fn seeds(&self) -> impl Iterator<Item = u64> {
        (0..self.request.seeds).map(|number| self.seed(number))
    }

    const fn seed(&self, number: u32) -> u64 {
        self.first_seed.wrapping_add(number as u64)
    }

    /// How many runs it has if none is left out, or a shard of it.
    #[must_use]
    pub fn most_runs(&self, shard: Option<Shard>) -> u64 {
        let runs = |fault| self.cells_of(fault).count() * self.seeds_of(fault, shard).count();
        (0..self.faults.len()).map(runs).sum::<usize>() as u64
    }

    /// The positions of the seeds with which a shard runs a fault if it is not clear.
    fn seeds_of(&self, fault: usize, shard: Option<Shard>) -> impl Iterator<Item = u32> + use<> {
        let (faults, stage) = (self.faults.len(), self.stage());
        (0..self.request.seeds).filter(move |seed| {
            shard.is_none_or(|Shard { number, of }| {
                let (part, of) = (number as usize - 1, of as usize);
                if faults >= of {
                    fault % of == part
                } else if part % faults == fault {
                    // Parts `fault`, `fault + faults`, … have it in common.
                    let together = (of - fault).div_ceil(faults) as u32;
                    *seed < stage || seed % together == (part / faults) as u32
                } else {
                    false
                }
            })
        })
    }

    /// How many seeds each fault is run with in any case.
    fn stage(&self) -> u32 {
        match self.request.exhaustive {
            true => 0,
            false => FIRST_STAGE.min(self.request.seeds),
        }
    }

    /// The plan of a run.
    fn plan(&self, cell: u32, seed: u64) -> Result<Plan, Box<Rejected>> {
        let cell = &self.cells[cell as usize];
        let sets = self.request.sets(&self.settings[cell.setting].values);
        let overlay = cell.overlay.as_ref();
        self.request.load(Changes { overlay, sets: &sets, seed: Some(seed) })
    }

    /// The runs that are to be done next: those of the first seeds, and then those of the others where it is
    /// not clear. None if all is done.
    #[must_use]
    pub fn due(&self, rows: &Rows, shard: Option<Shard>) -> Vec<(u32, u64)> {
        (0..self.faults.len()).flat_map(|fault| self.due_of(fault, rows, shard)).collect()
    }

    /// The same of one fault.
    fn due_of(&self, fault: usize, rows: &Rows, shard: Option<Shard>) -> Vec<(u32, u64)> {
        let seeds: Vec<u32> = self.seeds_of(fault, shard).collect();
        let missing = |until: u32| -> Vec<(u32, u64)> {
            let seeds = seeds.iter().filter(|seed| **seed < until).map(|seed| self.seed(*seed));
            let runs = seeds.flat_map(|seed| self.cells_of(fault).map(move |cell| (cell, seed)));
            runs.filter(|run| !rows.contains_key(run)).collect()
        };
        let first = missing(self.stage());
        if first.is_empty() && !self.is_clear(fault, rows) {
            return missing(self.request.seeds);
        }
        first
    }

    fn cells_of(&self, fault: usize) -> impl Iterator<Item = u32> {
        let cells = self.cells.iter().zip(0..).filter(move |(cell, _)| cell.fault == fault);
        cells.map(|(_, number)| number)
    }

    /// Whether more seeds of a fault would tell nothing new, whatever the setting.
    fn is_clear(&self, fault: usize, rows: &Rows) -> bool {
        let costs_of = |cell: u32| -> Vec<Costs> {
            let first = (0..self.stage()).filter_map(|seed| rows.get(&(cell, self.seed(seed))));
            first.map(|row| row.costs).collect()
        };
        self.stage() > 0 && self.cells_of(fault).all(|cell| is_clear(&costs_of(cell)))
    }

    /// Takes away what a sweep does not run: later seeds of faults that were clear after the first.
    pub fn prune(&self, rows: &mut Rows) {
        let stage: Vec<u64> = (0..self.stage()).map(|seed| self.seed(seed)).collect();
        let is_clear: Vec<bool> =
            (0..self.faults.len()).map(|fault| self.is_clear(fault, rows)).collect();
        rows.retain(|(cell, seed), _| {
            let cell = self.cells.get(*cell as usize);
            cell.is_some_and(|cell| !is_clear[cell.fault] || stage.contains(seed))
        });
    }

    /// How many runs are left out because the answer was clear, when all others are done.
    #[must_use]
    pub fn left_out_runs(&self, rows: &Rows) -> u64 {
        self.most_runs(None).saturating_sub(rows.len() as u64)
    }

    /// Whether a row may be one of its runs, or of a shard of it.
    #[must_use]
    pub fn has(&self, row: &Row, shard: Option<Shard>) -> bool {
        let offset = row.seed.wrapping_sub(self.first_seed);
        let is_seed = |fault| self.seeds_of(fault, shard).any(|seed| u64::from(seed) == offset);
        self.cells.get(row.cell as usize).is_some_and(|cell| is_seed(cell.fault))
    }

    /// Why a journal of the same request cannot be one of this sweep; nothing if it can.
    #[must_use]
    pub fn disowns(&self, journal: &Journal) -> Option<String> {
        if journal.sweep != self.digest() {
            return Some("it comes from another build, whose runs are others".to_owned());
        }
        let stranger = journal.rows.values().find(|row| !self.has(row, journal.shard));
        stranger.map(|row| format!("cell {}, seed {} is no run of this sweep", row.cell, row.seed))
    }

    /// Runs one.
    ///
    /// # Errors
    /// If it cannot be run, or `go_on`, which is asked now and then, ended it.
    pub fn run_one(
        &self,
        (cell, seed): (u32, u64),
        go_on: &dyn Fn() -> bool,
    ) -> Result<Row, Stopped> {
        let plan = self.plan(cell, seed).map_err(Stopped::Rejected)?;
        let every = self.cells[cell as usize].sampled();
        let every = (seed == self.first_seed).then_some(every);
        let watch = CostWatch::new(&plan, self.cells[cell as usize].since, every);
        let outcome =
            cost(&plan, watch, &mut Asks(go_on)).map_err(|Interrupted| Stopped::Interrupted)?;
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
                true => self.run_one(*run, &go_on),
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
        let of = |fault: usize| -> usize {
            if self.due_of(fault, rows, shard).is_empty() {
                let rows_of = |cell: u32| rows.range((cell, 0)..=(cell, u64::MAX)).count();
                self.cells_of(fault).map(rows_of).sum()
            } else {
                self.cells_of(fault).count() * self.seeds_of(fault, shard).count()
            }
        };
        (0..self.faults.len()).map(of).sum::<usize>() as u64
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
        let more = match asked.trim() {
            OWN if !has_timeline => return Err(SweepError::NoTimeline),
            OWN => vec![OWN.to_owned()],
            STANDARD => {
                let own = has_timeline.then(|| OWN.to_owned());
                own.into_iter().chain(suite.faults.iter().map(|fault| fault.name.clone())).collect()
            }
            name => vec![suite.find(name, &[OWN, STANDARD])?.name.clone()],
        };
        names.extend(more.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>());
    }
    Ok(names)
}

fn about_own(plan: &Plan) -> String {
    match plan.setup.timeline.len() {
        1 => "the one entry of the scenario's timeline".to_owned(),
        count => format!("the {count} entries of the scenario's timeline"),
    }
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

/// A number for everything a run is made from but its seed.
fn fingerprint(plan: &Plan) -> u128 {
    // Named one by one, so that none is forgotten that comes later.
    let Setup {
        seed: _,
        duration,
        epoch_ms,
        names,
        servers,
        clients,
        profiles,
        endpoints,
        network,
        error_bodies,
        races,
        calls,
        timeline,
        steps,
        members,
    } = &*plan.setup;
    let who = (names, servers, clients, profiles, endpoints);
    let what = (network, error_bodies, races, calls, timeline, steps, members);
    hashed(&(duration, epoch_ms, who, what))
}

/// A number for how something is written.
fn hashed(of: &impl fmt::Debug) -> u128 {
    struct Hashed(Xxh3);
    impl Write for Hashed {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }
    let mut hash = Hashed(Xxh3::new());
    // Writing into a hash does not fail.
    let _ = write!(hash, "{of:?}");
    hash.0.digest128()
}
