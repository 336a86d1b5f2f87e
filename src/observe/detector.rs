//! The observer of hunts and explanations: stuck instances and verdicts, and nothing else.

use super::expect::{Checks, Verdict};
use super::labels::Labels;
use super::measures::Measures;
use super::stuck::Finding;
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::scenario::Plan;
use crate::sim::{Fact, Observer, WorldView};
use crate::time::Instant;

/// Watches a run for stuck instances and broken expectations.
pub struct Detector {
    labels: Labels,
    measures: Measures,
    checks: Checks,
    findings: Vec<Finding>,
}

impl Detector {
    /// Before a run of this plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            labels: Labels::new(plan),
            measures: Measures::new(plan),
            checks: Checks::new(plan),
            findings: Vec::new(),
        }
    }

    /// After the run: every instance that was found to be stuck, in the order of time, and the verdicts in the
    /// order of the file. Findings that were over again are among them.
    pub fn finish(&mut self, world: &WorldView<'_>) -> (Vec<Finding>, Vec<Verdict>) {
        self.elapsed(Instant::from_nanos(world.now().nanos() + 1), world);
        self.checks.finish(world);
        let verdicts = self.checks.verdicts(|server| self.labels.server(server).to_owned());
        (std::mem::take(&mut self.findings), verdicts)
    }

    /// What is wrong with an instance now, however short it has lasted: in the order of the servers, and last
    /// what is between them.
    #[must_use]
    pub fn wrong_with(&self, key: InstanceKey, world: &WorldView<'_>) -> Vec<Finding> {
        self.measures.stuck.wrong_with(key, world.now(), world)
    }

    /// Whether anything is wrong with an instance now, however short it has lasted.
    #[must_use]
    pub fn is_wrong(&self, key: InstanceKey, world: &WorldView<'_>) -> bool {
        self.measures.stuck.is_wrong(key, world)
    }

    /// What the application of an instance means it to be; none if its process does not run, or is about to go.
    #[must_use]
    pub fn meant(&self, key: InstanceKey) -> Option<InstanceStatus> {
        self.measures.stuck.meant(key)
    }
}

impl Observer for Detector {
    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        self.measures.fact(at, fact, world);
        self.checks.fact(at, fact, world);
    }

    fn elapsed(&mut self, next: Instant, world: &WorldView<'_>) {
        let mut now = world.now();
        self.measures.elapsed(now);
        while let Some(due) = self.measures.stuck.due_before(next, world) {
            self.checks.elapsed((now, due), &self.measures, world);
            let found = self.measures.stuck.find(due, world);
            self.checks.found(&found, world);
            self.findings.extend(found);
            now = due;
        }
        self.checks.elapsed((now, next), &self.measures, world);
    }
}
