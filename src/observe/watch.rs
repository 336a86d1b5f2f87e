//! The observer of a run: everything that is made of it, in one.

use super::events::EventLog;
use super::expect::Checks;
use super::labels::Labels;
use super::log::RunLog;
use super::measures::Measures;
use super::pairs::Pairs;
use super::series::Series;
use super::statuses::Statuses;
use super::summary::{Summary, summarize};
use super::timespans::Timespans;
use super::trace::TraceLog;
use super::traffic::Traffic;
use crate::scenario::Plan;
use crate::sim::{DigestValue, Fact, Observer, ServerOperation, WorldView};
use crate::time::Instant;

/// Watches a run. With `TRACED` it also gets every operation on a registry, for `run --trace`.
pub struct Watch<const TRACED: bool> {
    plan: Plan,
    labels: Labels,
    measures: Measures,
    series: Series,
    pairs: Option<Pairs>,
    timespans: Timespans,
    traffic: Traffic,
    statuses: Statuses,
    checks: Checks,
    /// `events.jsonl`
    pub events: Option<EventLog>,
    /// `run --log`
    pub log: Option<RunLog>,
    /// `run --trace`
    pub trace: Option<TraceLog>,
}

/// What was recorded of a run.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The summary.
    pub summary: Summary,
    /// The time series.
    pub series: Series,
    /// Where every two servers differ; only if it is asked for.
    pub pairs: Option<Pairs>,
    /// Faults, self-preservation, evictions, renewals.
    pub timespans: Timespans,
    /// Calls between applications.
    pub traffic: Traffic,
    /// Statuses of the instances that expectations ask after.
    pub statuses: Statuses,
    /// What processes are called.
    pub labels: Labels,
}

impl<const TRACED: bool> Watch<TRACED> {
    /// Before a run of this plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let (servers, observe) = (plan.setup.servers.len(), &plan.observe);
        let by_pair = observe.metrics.iter().any(|metric| metric.is_divergence());
        Self {
            labels: Labels::new(plan),
            measures: Measures::new(plan),
            series: Series::new(observe.every, observe.metrics.clone(), servers),
            pairs: by_pair.then(|| Pairs::new(observe.every)),
            timespans: Timespans::new(servers, plan.setup.duration),
            traffic: Traffic::new(plan.setup.duration),
            statuses: Statuses::new(plan),
            checks: Checks::new(plan),
            events: None,
            log: None,
            trace: None,
            plan: plan.clone(),
        }
    }

    /// After the run: what was recorded, which is taken. Files are complete then.
    pub fn finish(&mut self, world: &WorldView<'_>, digest: DigestValue) -> Recording {
        let now = world.now();
        self.elapsed(Instant::from_nanos(now.nanos() + 1), world);
        self.series.finish((&self.measures, &self.traffic), world);
        if let (Some(pairs), Some(divergence)) = (&mut self.pairs, &self.measures.divergence) {
            pairs.finish(now, divergence);
        }
        self.traffic.finish(world);
        self.timespans.finish(now, &self.plan);
        if let Some(events) = &mut self.events {
            events.finish(world, &self.labels);
        }
        if let Some(log) = &mut self.log {
            log.finish();
        }
        if let Some(trace) = &mut self.trace {
            trace.finish(world);
        }
        self.checks.finish(world);
        let verdicts = self.checks.verdicts(|server| self.labels.server(server).to_owned());
        let parts = (&self.measures.truth, self.timespans.lanes(), self.traffic.staleness());
        let summary = summarize(&self.plan, world, &self.labels, parts, digest, verdicts);
        Recording {
            summary,
            series: self.series.take(),
            pairs: self.pairs.take(),
            timespans: std::mem::take(&mut self.timespans),
            traffic: std::mem::take(&mut self.traffic),
            statuses: std::mem::take(&mut self.statuses),
            labels: self.labels.clone(),
        }
    }
}

impl<const TRACED: bool> Watch<TRACED> {
    /// The state lasts from `now` until just before `next`.
    fn lasts(&mut self, now: Instant, next: Instant, world: &WorldView<'_>) {
        self.series.elapsed((now, next), (&self.measures, &self.traffic), world);
        self.checks.elapsed((now, next), &self.measures, world);
    }

    /// What is wrong has lasted too long at `at`.
    fn find(&mut self, at: Instant, world: &WorldView<'_>) {
        let findings = self.measures.stuck.find(at, world);
        self.checks.found(&findings, world);
        self.series.touch();
        if let Some(events) = &mut self.events {
            findings.iter().for_each(|finding| events.found(finding, world, &self.labels));
        }
    }
}

impl<const TRACED: bool> Observer for Watch<TRACED> {
    const WANTS_OPERATIONS: bool = TRACED;

    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        self.measures.fact(at, fact, world);
        self.traffic.fact(at, fact, world);
        self.series.fact(fact);
        self.statuses.fact(fact, world);
        self.timespans.fact(at, fact, world, &self.labels);
        self.checks.fact(at, fact, world);
        if let Some(events) = &mut self.events {
            events.fact(at, fact, world, &self.labels);
        }
        if let Some(log) = &mut self.log {
            log.fact(at, fact, world, &self.labels);
        }
        if let Some(trace) = &mut self.trace {
            trace.fact(fact, world);
        }
    }

    fn operation(&mut self, at: Instant, operation: &ServerOperation<'_>, world: &WorldView<'_>) {
        if let Some(trace) = &mut self.trace {
            trace.operation(at, operation, world);
        }
    }

    fn elapsed(&mut self, next: Instant, world: &WorldView<'_>) {
        self.measures.elapsed(world.now());
        let mut now = world.now();
        while let Some(due) = self.measures.stuck.due_before(next, world) {
            self.lasts(now, due, world);
            self.find(due, world);
            now = due;
        }
        self.lasts(now, next, world);
        if let (Some(pairs), Some(divergence)) = (&mut self.pairs, &self.measures.divergence) {
            pairs.elapsed(world.now(), next, divergence);
        }
        self.statuses.elapsed(world);
    }
}
