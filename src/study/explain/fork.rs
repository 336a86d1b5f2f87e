//! A run that goes another way from an instant on: the same plan with more entries of the timeline then,
//! and without what the script would have done later.
//!
//! Up to that instant both are the same, fact by fact: entries are put behind all others, so that no number
//! by which something is drawn changes.

use std::sync::Arc;

use crate::eureka::InstanceKey;
use crate::observe::Detector;
use crate::scenario::{EntryPlan, Plan};
use crate::sim::queue::TimingWheel;
use crate::sim::{Action, DigestValue, Event, Fact, Observer, TimelineEntry, World, WorldView};
use crate::study::{Interrupted, Pulse, SLICE, drive};
use crate::time::{Instant, Span};

/// How long a fork goes on after its instant.
pub const FUTURE: Span = Span::from_secs(30 * 60);

/// A plan that is another from an instant on.
#[derive(Clone, Debug)]
pub struct Fork {
    plan: Plan,
    at: Instant,
}

impl Fork {
    /// The plan with these actions so long after all that happens at `at`. Of the script only what has begun
    /// by then goes on to its end, and what heals a fault.
    #[must_use]
    pub fn new(plan: &Plan, at: Instant, actions: Vec<(Span, Action)>) -> Self {
        let mut plan = plan.clone();
        let mut setup = (*plan.setup).clone();
        setup.duration = at + FUTURE;
        for entry in setup.timeline.iter_mut().filter(|entry| entry.at > at) {
            if !matches!(entry.action, Action::Heal(_)) {
                // The entry stays, so that the others keep their numbers.
                entry.action = Action::Heal(Vec::new());
                entry.until = None;
            }
        }
        let timeline = &setup.timeline;
        let has_begun = |entry: usize| timeline.get(entry).is_some_and(|entry| entry.at <= at);
        let steps: Vec<_> =
            setup.steps.iter().filter(|step| has_begun(step.entry)).cloned().collect();
        setup.steps = steps;
        for (after, action) in actions {
            // One nanosecond later: everything of the instant itself has happened.
            let at = at + Span::from_nanos(1) + after;
            setup.timeline.push(TimelineEntry { at, until: None, action });
            plan.timeline.push(EntryPlan { name: None, what: "cure", details: String::new() });
        }
        plan.setup = Arc::new(setup);
        plan.expectations.clear();
        Self { plan, at }
    }

    /// Runs it, and says from when on nothing was wrong with the instance any more, if something still was
    /// at the instant itself and nothing is at the end.
    ///
    /// # Errors
    /// If `pulse` ended the run.
    pub fn judge(
        &self,
        key: InstanceKey,
        pulse: &mut impl Pulse,
    ) -> Result<Option<Instant>, Interrupted> {
        let detector = Detector::new(&self.plan);
        let judge = Judge { detector, key, from: self.at, right_since: None };
        let mut world = World::<_, TimingWheel<Event>>::new(&self.plan.setup, judge);
        drive(&mut world, self.plan.setup.duration, SLICE, pulse)?;
        // What happens in the last instant has its elapse too.
        world.observe(|judge, _, view| judge.look(view));
        Ok(world.into_observer().right_since)
    }

    /// The digest over all that has happened up to the instant.
    #[must_use]
    pub fn digest(&self) -> DigestValue {
        let mut world = World::<_, TimingWheel<Event>>::new(&self.plan.setup, crate::sim::Silent);
        let all = drive(&mut world, self.at, SLICE, &mut ());
        debug_assert_eq!(all, Ok(()), "nobody ends this run");
        world.digest()
    }
}

/// Watches whether anything is wrong with an instance.
struct Judge {
    detector: Detector,
    key: InstanceKey,
    from: Instant,
    right_since: Option<Instant>,
}

impl Judge {
    fn look(&mut self, world: &WorldView<'_>) {
        if world.now() < self.from {
            return;
        }
        if self.detector.is_wrong(self.key, world) {
            self.right_since = None;
        } else {
            self.right_since.get_or_insert(world.now());
        }
    }
}

impl Observer for Judge {
    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        self.detector.fact(at, fact, world);
    }

    fn elapsed(&mut self, next: Instant, world: &WorldView<'_>) {
        self.detector.elapsed(next, world);
        self.look(world);
    }
}
