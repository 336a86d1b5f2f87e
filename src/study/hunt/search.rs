//! The search: runs by number, each a function of the scenario, the search's seed and the number.

use std::collections::BTreeMap;

use super::schedule::Cast;
use super::{Kind, Shown, Stop, plan_of, show};
use crate::scenario::{Document, HuntPlan, Plan, units};
use crate::study::as_they_come;
use crate::time::Span;

/// A scenario that is searched.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The scenario, with all that it includes.
    pub document: Document,
    /// What it is called.
    pub name: String,
    bounds: HuntPlan,
    cast: Cast,
    seed: u64,
}

/// Why there is nothing to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HuntError {
    /// The text that was written of it is not what it was.
    #[error("the scenario cannot be written down again: this is a bug of eureka-sim")]
    Unwritable,
    /// The quiet time begins before faults may.
    #[error(
        "[hunt] after = {after} is not before the quiet time, which begins at {window}: nothing can be drawn"
    )]
    NoTime {
        /// From where on they may be drawn.
        after: Span,
        /// Up to where.
        window: Span,
    },
}

/// What one kind of finding came to.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which kind.
    pub kind: Kind,
    /// In how many runs it was seen.
    pub runs: u64,
    /// The first of them.
    pub first: u64,
    /// Its scenario.
    pub document: Document,
    /// Faults are drawn from here on.
    pub after: Span,
    /// Entries of the timeline that are the scenario's own: the first ones.
    pub own: usize,
}

/// All that a search has found, by kind.
pub type Catch = BTreeMap<Kind, Found>;

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Searched {
    /// How many runs it had.
    pub runs: u64,
    /// What they found.
    pub catch: Catch,
    /// It was interrupted: which runs there were is chance.
    pub is_interrupted: bool,
}

/// The largest seed that a file can hold.
pub const LARGEST_SEED: u64 = i64::MAX as u64;

/// Runs between two questions whether time is up.
const BATCH: u64 = 64;

impl Hunt {
    /// Of a document and its plan. A scenario that is no longer than its quiet time becomes longer by that.
    ///
    /// # Errors
    /// If the document is no sound scenario, or there is no time for faults.
    pub fn new(document: Document, plan: &Plan) -> Result<Self, HuntError> {
        let bounds = plan.hunt.clone();
        let mut document = document;
        document.0.remove("hunt");
        let duration = Span::from_nanos(plan.setup.duration.nanos());
        let window = if duration > bounds.quiet { duration - bounds.quiet } else { duration };
        let longer = units::written(window + bounds.quiet);
        document.0.insert("duration".to_owned(), longer.into());
        document.0.insert("name".to_owned(), plan.name.clone().into());
        let written = plan_of(&document).ok_or(HuntError::Unwritable)?;
        let cast = Cast::new(&written, &bounds, window);
        if bounds.after > window && !cast.is_idle() {
            return Err(HuntError::NoTime { after: bounds.after, window });
        }
        Ok(Self { document, name: plan.name.clone(), seed: plan.setup.seed, bounds, cast })
    }

    /// How many runs the scenario asks for.
    #[must_use]
    pub const fn runs(&self) -> u32 {
        self.bounds.runs
    }

    /// From where on faults are drawn.
    #[must_use]
    pub const fn after(&self) -> Span {
        self.bounds.after
    }

    /// How many entries the scenario's own timeline has.
    #[must_use]
    pub fn own(&self) -> usize {
        self.document.list("timeline").count()
    }

    /// Whether runs differ by their seeds alone.
    #[must_use]
    pub fn draws_nothing(&self) -> bool {
        self.cast.is_idle()
    }

    /// The scenario of a run. Number 0 is the scenario as it is; the others have a seed counted up from its,
    /// and drawn faults.
    #[must_use]
    pub fn run(&self, number: u64) -> Document {
        let mut document = self.document.clone();
        document.set_seed(self.seed.wrapping_add(number) & LARGEST_SEED);
        if number > 0 {
            let drawn = self.cast.draw(self.seed, number);
            if !drawn.is_empty() {
                document.list_mut("timeline").extend(drawn.into_iter().map(Into::into));
            }
        }
        document
    }

    /// Runs the numbers from 0 up to `runs`, or until `goes_on` says no between two batches of 64, on `jobs`
    /// threads (0: one for each core), and tells `done` of each. What it comes to is the same for any number of
    /// threads, unless `interrupted` ends it.
    pub fn search(
        &self,
        runs: u64,
        jobs: u16,
        goes_on: impl Fn() -> bool,
        interrupted: Stop<'_>,
        mut done: impl FnMut(),
    ) -> Searched {
        let mut searched = Searched { runs: 0, catch: Catch::new(), is_interrupted: false };
        let mut next = 0;
        while next < runs && goes_on() && !searched.is_interrupted {
            let batch: Vec<u64> = (next..runs.min(next + BATCH)).collect();
            let work = |number: &u64| {
                let shown = show(&self.run(*number), interrupted);
                (shown.is_some() || !interrupted()).then_some(shown)
            };
            as_they_come(&batch, jobs, work, |index, shown| match shown {
                None => searched.is_interrupted = true,
                Some(shown) => {
                    searched.runs += 1;
                    self.add(&mut searched.catch, batch[index], shown);
                    done();
                }
            });
            next += batch.len() as u64;
        }
        searched
    }

    fn add(&self, catch: &mut Catch, number: u64, shown: Option<Shown>) {
        for (kind, ..) in shown.into_iter().flat_map(|shown| shown.kinds) {
            let runs = catch.get(&kind).map_or(0, |found| found.runs) + 1;
            match catch.get_mut(&kind).filter(|found| found.first < number) {
                Some(found) => found.runs = runs,
                None => {
                    let (document, after, own) = (self.run(number), self.after(), self.own());
                    catch.insert(kind, Found { kind, runs, first: number, document, after, own });
                }
            }
        }
    }
}
