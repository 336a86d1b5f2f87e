//! What a run costs: healthy instances that were evicted, dead ones that were kept, and self-preservation
//! that had no reason; from some instant on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::clusters::Clusters;
use super::truth::Truth;
use crate::scenario::Plan;
use crate::sim::{Fact, FaultFact, HostId, Observer, WorldView};
use crate::time::{Instant, Span};

/// The costs of a run, each summed over all servers. Times are in whole ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Evictions of instances that ran.
    pub evicted_healthy: u64,
    /// Time from such an eviction until the instance was back or did not run any more.
    pub healthy_missing_ms: u64,
    /// Time that instances were registered which did not run.
    pub ghost_ms: u64,
    /// Calls that were sent to instances which did not run.
    pub calls_to_dead: u64,
    /// Time in self-preservation while nothing was wrong: nobody was dead or missing, nobody cut off (by a
    /// `partition`, `isolate`, `hold` or `fail`) and nobody frozen. Latency and loss are no reason for it.
    pub false_protection_ms: u64,
    /// Time in which a server that ran would have evicted nobody.
    pub no_eviction_ms: u64,
}

/// How a run ended, summed over all servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Leases that were evicted since the costs are counted.
    pub evicted: u64,
    /// Instances that are registered and do not run.
    pub ghosts: u64,
    /// Instances that run, should be registered, and are not.
    pub missing: u64,
    /// Servers that run.
    pub servers: u64,
}

/// How many were registered at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Instances that really ran.
    pub alive: u64,
    /// Registered at the server that had fewest; none if no server ran.
    pub least: Option<i64>,
    /// Registered at the server that had most.
    pub most: Option<i64>,
}

/// What is counted so far.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    evicted: u64,
    evicted_healthy: u64,
    taken: u128,
    ghosts: u128,
    calls_to_dead: u64,
    false_protection: u128,
    no_eviction: u128,
}

/// Watches a run for its costs, and nothing else.
pub struct CostWatch {
    truth: Truth,
    /// Timeline entries that cut somebody off.
    cut: BTreeSet<usize>,
    frozen: BTreeSet<HostId>,
    /// Costs count from here on.
    since: Instant,
    before: Option<Totals>,
    /// Time between two sizes; none are recorded if it is zero.
    every: Span,
    next: Instant,
    sizes: Vec<Size>,
}

impl CostWatch {
    /// Before a run of this plan, whose costs count from `since` on. The sizes of registries are recorded at
    /// each multiple of `every`, which is not zero, or never.
    #[must_use]
    pub fn new(plan: &Plan, since: Instant, every: Option<Span>) -> Self {
        let clusters = Clusters::new(plan);
        Self {
            truth: Truth::new(clusters, plan.setup.servers.len(), &plan.setup.names),
            cut: BTreeSet::new(),
            frozen: BTreeSet::new(),
            since,
            before: None,
            every: every.unwrap_or(Span::ZERO),
            next: if every.is_some() { Instant::ZERO } else { Instant::NEVER },
            sizes: Vec::new(),
        }
    }

    /// After the run: its costs, its end, and the sizes, which are taken.
    pub fn finish(&mut self, world: &WorldView<'_>) -> (Costs, Ending, Vec<Size>) {
        let end = world.now();
        self.elapsed(Instant::from_nanos(end.nanos() + 1), world);
        let before = self.before.unwrap_or_default();
        let now = self.totals(end, world);
        let millis = |now: u128, before: u128| ((now - before) / 1_000_000) as u64;
        let costs = Costs {
            evicted_healthy: now.evicted_healthy - before.evicted_healthy,
            healthy_missing_ms: millis(now.taken, before.taken),
            ghost_ms: millis(now.ghosts, before.ghosts),
            calls_to_dead: now.calls_to_dead - before.calls_to_dead,
            false_protection_ms: millis(now.false_protection, before.false_protection),
            no_eviction_ms: millis(now.no_eviction, before.no_eviction),
        };
        let servers = || world.server_hosts();
        let ending = Ending {
            evicted: now.evicted - before.evicted,
            ghosts: servers().map(|server| self.truth.ghosts(server, None)).sum(),
            missing: servers().map(|server| self.truth.missing(server, None)).sum(),
            servers: servers().filter(|server| world.server(*server).is_some()).count() as u64,
        };
        (costs, ending, std::mem::take(&mut self.sizes))
    }

    fn totals(&self, at: Instant, world: &WorldView<'_>) -> Totals {
        let mut totals = Totals { calls_to_dead: world.traffic(None).to_dead, ..Totals::default() };
        for server in world.server_hosts() {
            let (evicted, healthy) = self.truth.evicted(server);
            totals.evicted += evicted;
            totals.evicted_healthy += healthy;
            totals.taken += self.truth.taken_nanos(server, at);
            totals.ghosts += self.truth.ghost_nanos(server, at);
            totals.false_protection += self.truth.unprovoked_nanos(server, at);
            totals.no_eviction += self.truth.no_eviction_nanos(server, at);
        }
        totals
    }

    fn fault(&mut self, fault: &FaultFact<'_>, at: Instant) {
        match *fault {
            FaultFact::Network {
                what: "partition" | "isolate" | "hold" | "fail", entry, ..
            } => {
                self.cut.insert(entry);
            }
            FaultFact::Heal { entry } => {
                self.cut.remove(&entry);
            }
            FaultFact::Process("pause", host) => {
                self.frozen.insert(host);
            }
            FaultFact::Process("resume" | "kill", host) => {
                self.frozen.remove(&host);
            }
            _ => return,
        }
        self.truth.disturb(!(self.cut.is_empty() && self.frozen.is_empty()), at);
    }

    fn size(&self, world: &WorldView<'_>) -> Size {
        let gauges = || world.server_hosts().filter_map(|server| world.gauges(server));
        let sizes = || gauges().map(|gauges| gauges.local_registry_size);
        Size { alive: self.truth.alive(None), least: sizes().min(), most: sizes().max() }
    }
}

impl Observer for CostWatch {
    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        // What happens at that instant is the first that counts.
        if self.before.is_none() && at >= self.since {
            self.before = Some(self.totals(self.since, world));
        }
        self.truth.fact(at, fact, world);
        if let Fact::Fault(fault) = fact {
            self.fault(fault, at);
        }
    }

    fn elapsed(&mut self, next: Instant, world: &WorldView<'_>) {
        if self.before.is_none() && next > self.since {
            self.before = Some(self.totals(self.since, world));
        }
        while self.next < next {
            self.sizes.push(self.size(world));
            self.next += self.every;
        }
    }
}
