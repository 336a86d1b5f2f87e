//! Shrinking: the smallest scenario that still shows the same, found by proposing simpler ones until none
//! of them shows it.

use super::simplify::{self, Focus};
use super::{Found, Kind, Shown, Stop, show};
use crate::scenario::{Document, Plan};
use crate::study::in_order;
use crate::time::Span;

/// How large a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Entries of the timeline.
    pub entries: usize,
    /// Servers and instances.
    pub processes: usize,
    /// How long it lasts.
    pub duration: Span,
}

impl Size {
    fn of(plan: &Plan) -> Self {
        Self {
            entries: plan.timeline.len(),
            processes: plan.setup.host_count(),
            duration: Span::from_nanos(plan.setup.duration.nanos()),
        }
    }
}

/// A scenario that was made small.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// What it shows. A broken expectation is its only one.
    pub kind: Kind,
    /// What the search found: of a broken expectation the number in the file that was searched.
    pub found: Kind,
    /// The scenario.
    pub document: Document,
    /// Its run.
    pub shown: Shown,
    /// How large the scenario was that the search found.
    pub before: Size,
    /// How large this one is.
    pub after: Size,
    /// Runs that it took.
    pub runs: u64,
}

/// Proposals that are run at once, whatever number of threads there is: the first of them that shows it is taken.
const AT_ONCE: usize = 16;
/// Seeds that are tried where something else changes what is drawn.
const SEEDS: u64 = 64;
/// Runs after which it is small enough.
const MOST_RUNS: u64 = 20_000;

struct Shrinker<'a> {
    kind: Kind,
    document: Document,
    shown: Shown,
    runs: u64,
    jobs: u16,
    interrupted: Stop<'a>,
    /// Is told how many runs there were.
    progress: &'a dyn Fn(u64),
    /// Nothing happens earlier.
    floor: Span,
    /// Entries of the timeline that were not drawn: the first ones.
    own: usize,
}

/// Makes the scenario of a finding small, on `jobs` threads (0: one for each core); the same for any number. As
/// small as it is by then, if `interrupted` says so. None if it does not show what it is said to.
pub fn shrink(
    found: &Found,
    jobs: u16,
    interrupted: Stop<'_>,
    progress: &dyn Fn(u64),
) -> Option<Shrunk> {
    let (kind, document) = alone(found);
    // What is there is told also after an interruption.
    let shown = show(&document, &|| false).filter(|shown| shown.first(kind).is_some())?;
    let before = Size::of(&shown.plan);
    // What happened earlier by itself may go on to.
    let floor = found.after.min(simplify::earliest(&document).unwrap_or(found.after));
    let mut shrinker = Shrinker {
        kind,
        document,
        shown,
        runs: 1,
        jobs,
        interrupted,
        progress,
        floor,
        own: found.own,
    };
    shrinker.shrink();
    let Shrinker { document, shown, runs, .. } = shrinker;
    let after = Size::of(&shown.plan);
    Some(Shrunk { kind, found: found.kind, document, shown, before, after, runs })
}

/// The scenario with nothing but the expectation that is broken.
fn alone(found: &Found) -> (Kind, Document) {
    let mut document = found.document.clone();
    match found.kind {
        Kind::Stuck(..) => {
            document.0.remove("expect");
            (found.kind, document)
        }
        Kind::Broken(number) => {
            let list = document.list_mut("expect");
            let one = list.get(number.saturating_sub(1)).cloned();
            *list = one.into_iter().collect();
            (Kind::Broken(1), document)
        }
    }
}

impl Shrinker<'_> {
    fn focus(&self) -> Option<Focus> {
        let finding = self.shown.first(self.kind)?.1?;
        Focus::new(&self.shown.plan, &finding)
    }

    fn shrink(&mut self) {
        loop {
            let before = self.document.clone();
            match self.kind {
                Kind::Stuck(..) => self.shrink_all(),
                Kind::Broken(_) => self.shrink_drawn(),
            }
            if self.document == before || self.runs >= MOST_RUNS {
                break;
            }
        }
        if let Kind::Broken(_) = self.kind {
            return;
        }
        // Any seed is as good as another: the simplest that shows it.
        let without = {
            let mut document = self.document.clone();
            document.0.remove("seed");
            document
        };
        let simple = simplify::reseeded(&self.document, 1..SEEDS);
        self.first_of(std::iter::once(without).chain(simple).collect());
    }

    /// One round of everything.
    fn shrink_all(&mut self) {
        self.again(|this| simplify::without_entries(&this.document, 0));
        self.again_reseeded(|this| simplify::without_apps(&this.document));
        self.again_reseeded(|this| {
            simplify::fewer_instances(&this.document, this.focus().as_ref())
        });
        self.again_reseeded(|this| simplify::fewer_servers(&this.document));
        self.again(|this| simplify::narrower(&this.document, this.focus().as_ref(), 0));
        self.again(|this| simplify::earlier(&this.document));
        self.again(|this| simplify::shorter(&this.document, this.focus().as_ref()));
        self.again(|this| simplify::plainer(&this.document));
        self.again(|this| simplify::commoner(&this.document));
        self.again(|this| simplify::rounder(&this.document, None));
    }

    /// The same where an expectation of the fleet and its timeline is broken, which stay as they are: with another
    /// fleet it would mean something else.
    fn shrink_drawn(&mut self) {
        let own = self.own;
        self.again(|this| simplify::without_entries(&this.document, own));
        self.again(|this| simplify::narrower(&this.document, None, own));
        self.again(|this| simplify::rounder(&this.document, Some(own)));
    }

    /// Takes what shows it as long as there is something.
    fn again(&mut self, propose: impl Fn(&Self) -> Vec<Document>) {
        while self.runs < MOST_RUNS && self.first_of(propose(self)) {}
    }

    /// The same where a proposal may need another seed.
    fn again_reseeded(&mut self, propose: impl Fn(&Self) -> Vec<Document>) {
        while self.runs < MOST_RUNS {
            if self.first_of(propose(self)) {
                continue;
            }
            let mut found = false;
            for proposal in propose(self) {
                if self.first_of(simplify::reseeded(&proposal, 0..SEEDS)) {
                    found = true;
                    break;
                }
            }
            if !found {
                break;
            }
        }
    }

    /// Takes the first proposal that shows it; whether there is one.
    fn first_of(&mut self, proposals: Vec<Document>) -> bool {
        let others = proposals.into_iter().filter(|proposal| {
            let is_late = simplify::earliest(proposal).is_none_or(|at| at >= self.floor);
            is_late && *proposal != self.document
        });
        let others: Vec<Document> = others.collect();
        for some in others.chunks(AT_ONCE) {
            if (self.interrupted)() {
                return false;
            }
            let mut first: Option<(usize, Shown)> = None;
            let mut place = 0;
            let (kind, interrupted) = (self.kind, self.interrupted);
            let work = |document: &Document| {
                show(document, interrupted).filter(|shown| shown.first(kind).is_some())
            };
            in_order(some, self.jobs, work, |shown| {
                if let (None, Some(shown)) = (&first, shown) {
                    first = Some((place, shown));
                }
                place += 1;
            });
            self.runs += some.len() as u64;
            (self.progress)(self.runs);
            if let Some((place, shown)) = first {
                self.document = some[place].clone();
                self.shown = shown;
                return true;
            }
        }
        false
    }
}
