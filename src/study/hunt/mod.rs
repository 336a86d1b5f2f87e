//! Hunts: many runs of a scenario with other seeds and drawn faults, until something is stuck or an
//! expectation does not hold; what is found is made small and told.

mod case;
mod releases;
mod schedule;
mod search;
mod shrink;
mod simplify;

use std::path::Path;

pub use case::{Case, case, happens};
pub use releases::{Survey, TURNING_POINTS, survey};
pub use schedule::{Cast, DRAWN};
pub use search::{Catch, Found, Hunt, HuntError, LARGEST_SEED, Searched};
pub use shrink::{Shrunk, Size, shrink};

use crate::eureka::InstanceStatus;
use crate::observe::{Class, Detector, Finding, Mechanism};
use crate::scenario::{self, Changes, Document, EventKind, Files, Plan, Subject};
use crate::sim::queue::TimingWheel;
use crate::sim::{DigestValue, Event, World};
use crate::study::{Pulse, SLICE, drive};
use crate::time::Instant;

/// What is looked for, and found to be the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An instance is stuck in this way, by this mechanism.
    Stuck(Class, Option<Mechanism>),
    /// The expectation at this place of the file (from 1) does not hold.
    Broken(usize),
}

impl Kind {
    /// `stuck-down-m16`, `broken-expectation-2`: the beginning of the file's name.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Stuck(class, mechanism) => {
                let mechanism = mechanism.map_or("unknown", Mechanism::name).to_lowercase();
                format!("{}-{mechanism}", class.name())
            }
            Self::Broken(number) => format!("broken-expectation-{number}"),
        }
    }

    /// Its class: `stuck-down`, `broken-expectation`.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Stuck(class, _) => class.name(),
            Self::Broken(_) => "broken-expectation",
        }
    }

    /// Words that some kind is called by: classes and mechanisms.
    #[must_use]
    pub fn words() -> Vec<&'static str> {
        let stuck = InstanceStatus::ALL.map(|status| Class::Stuck(status).name());
        let others = [Class::UpButDead, Class::AliveButMissing, Class::DivergedBetweenPeers];
        let others = others.map(Class::name).into_iter().chain(["broken-expectation"]);
        let mechanisms = Mechanism::ALL.iter().map(|(_, name, _)| *name);
        stuck.into_iter().chain(others).chain(mechanisms).chain(["unknown"]).collect()
    }

    /// Whether some kind may be called so: a class, a mechanism, or both.
    #[must_use]
    pub fn is_word(word: &str) -> bool {
        let words = Self::words();
        let is = |word: &str| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        let ends = words.iter().filter_map(|known| word.strip_prefix(known)?.strip_prefix('-'));
        is(word) || ends.into_iter().any(|end| is(end) || end.parse::<u32>().is_ok())
    }

    /// Whether a word means it: a class (`stuck-down`), a mechanism (`M16`), or both (`stuck-down-m16`).
    #[must_use]
    pub fn is_called(self, word: &str) -> bool {
        let mechanism = self.mechanism().map(Mechanism::name);
        self.class().eq_ignore_ascii_case(word)
            || self.name().eq_ignore_ascii_case(word)
            || mechanism.is_some_and(|name| name.eq_ignore_ascii_case(word))
    }

    /// The mechanism of what is stuck, if that is known.
    #[must_use]
    pub const fn mechanism(self) -> Option<Mechanism> {
        match self {
            Self::Stuck(_, mechanism) => mechanism,
            Self::Broken(_) => None,
        }
    }
}

/// What a run shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The plan that was run.
    pub plan: Plan,
    /// Over every fact.
    pub digest: DigestValue,
    /// Each kind once, with the first instance of it; of a broken expectation what became of it.
    pub kinds: Vec<(Kind, Option<Finding>, String)>,
}

impl Shown {
    /// The first of a kind.
    #[must_use]
    pub fn first(&self, kind: Kind) -> Option<&(Kind, Option<Finding>, String)> {
        self.kinds.iter().find(|(known, ..)| *known == kind)
    }
}

/// A pulse that asks whether to stop.
struct Asks<'a>(Stop<'a>);

impl Pulse for Asks<'_> {
    fn beat(&mut self, _now: Instant, _events: u64) -> bool {
        !(self.0)()
    }
}

/// Nothing is read: a document has what it includes.
struct Nothing;

impl Files for Nothing {
    fn read(&self, _path: &Path) -> Result<String, String> {
        Err("a scenario that was written by a hunt includes nothing".to_owned())
    }
}

/// The plan of a document; none if it is no sound scenario.
fn plan_of(document: &Document) -> Option<Plan> {
    scenario::load(Path::new("hunt.toml"), &document.text(), Changes::default(), &Nothing).ok()
}

/// Says whether somebody wants it to end; asked from several threads.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// Runs a document; none if it is no sound scenario, or `stop` says so.
#[must_use]
pub fn show(document: &Document, stop: Stop<'_>) -> Option<Shown> {
    show_plan(plan_of(document)?, stop)
}

fn show_plan(plan: Plan, stop: Stop<'_>) -> Option<Shown> {
    let mut world = World::<_, TimingWheel<Event>>::new(&plan.setup, Detector::new(&plan));
    drive(&mut world, plan.setup.duration, SLICE, &mut Asks(stop)).ok()?;
    let digest = world.digest();
    let mut finished = None;
    world.observe(|detector, _, view| finished = Some(detector.finish(view)));
    let (findings, verdicts) = finished.expect("observe() calls what it is given");
    let mut kinds: Vec<(Kind, Option<Finding>, String)> = Vec::new();
    let is_between = |finding: &&Finding| finding.class == Class::DivergedBetweenPeers;
    // That servers differ is said of instances with which nothing else is wrong.
    let worse = |finding: &Finding| {
        let same = |other: &&Finding| other.key == finding.key && !is_between(other);
        is_between(&finding) && findings.iter().any(|other| same(&other))
    };
    for finding in findings.iter().filter(|finding| !worse(finding)) {
        let kind = Kind::Stuck(finding.class, finding.mechanism);
        if kinds.iter().all(|(known, ..)| *known != kind) {
            kinds.push((kind, Some(*finding), String::new()));
        }
    }
    // Expectations of what the detector counts are about what is found already.
    let own = |subject: &Subject| match subject {
        Subject::Metric { metric, .. } => metric.is_of_stuck(),
        Subject::Event { kind, .. } => *kind == EventKind::Stuck,
    };
    for (index, (verdict, expectation)) in verdicts.iter().zip(&plan.expectations).enumerate() {
        if !verdict.ok && !own(&expectation.subject) {
            let text = format!("{}: {}", verdict.text, verdict.detail);
            kinds.push((Kind::Broken(index + 1), None, text));
        }
    }
    drop(world);
    Some(Shown { plan, digest, kinds })
}
