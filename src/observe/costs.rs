//! What a run costs: healthy instances that were evicted, dead ones that were kept, and self-preservation
//! that had no reason; from some instant on.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Time in self-preservation while nothing was wrong in that server's cluster: nobody was dead or missing,
    /// and nobody was cut off (by a `partition`, `isolate`, `hold` or `fail`) or frozen then or two minutes
    /// before. Latency and loss are no reason for it.
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

/// How long a fault is a reason for protection after it is over: the minute that it ends in, and the next.
const AFTERMATH: Span = Span::from_secs(120);

/// What cuts somebody off or freezes him.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// A timeline entry.
    Cut(usize),
    /// Of this host.
    Frozen(HostId),
}

/// Watches a run for its costs, and nothing else.
pub struct CostWatch {
    truth: Truth,
    clusters: Clusters,
    /// Who cuts somebody off (a timeline entry) or is frozen, in which clusters, and until when that is a
    /// reason for protection: the rate of the minute before is still low when it is over.
    disturbed: BTreeMap<Cause, (BTreeSet<usize>, Instant)>,
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
            truth: Truth::new(clusters.clone(), plan.setup.servers.len(), &plan.setup.names),
            clusters,
            disturbed: BTreeMap::new(),
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
        let now = self.totals(end, world);
        // Of a run that ends before it there are none.
        let before = self.before.unwrap_or(now);
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

    fn fault(&mut self, fault: &FaultFact<'_>, at: Instant, world: &WorldView<'_>) {
        let cluster = |host: HostId| match world.is_server(host) {
            true => Some(self.clusters.of_server(host.index())),
            false => self.clusters.of_host(host),
        };
        match *fault {
            FaultFact::Network {
                what: "partition" | "isolate" | "hold" | "fail",
                entry,
                from,
                to,
            } => {
                let clusters = from.iter().chain(to.iter()).filter_map(cluster).collect();
                self.disturbed.insert(Cause::Cut(entry), (clusters, Instant::NEVER));
            }
            FaultFact::Process("pause", host) => {
                let clusters = cluster(host).into_iter().collect();
                self.disturbed.insert(Cause::Frozen(host), (clusters, Instant::NEVER));
            }
            FaultFact::Heal { entry } => self.ends(Cause::Cut(entry), at),
            FaultFact::Process("resume" | "kill", host) => self.ends(Cause::Frozen(host), at),
            _ => return,
        }
        self.disturb(at);
    }

    fn ends(&mut self, cause: Cause, at: Instant) {
        if let Some((_, until)) = self.disturbed.get_mut(&cause) {
            *until = at + AFTERMATH;
        }
    }

    /// What is disturbed from now on.
    fn disturb(&mut self, at: Instant) {
        self.disturbed.retain(|_, (_, until)| *until > at);
        let clusters = self.disturbed.values().flat_map(|(clusters, _)| clusters);
        self.truth.disturb(&clusters.copied().collect(), at);
    }

    /// Disturbances whose aftermath is over before `next`.
    fn calm(&mut self, next: Instant) {
        while let Some(until) = self.disturbed.values().map(|(_, until)| *until).min() {
            if until >= next {
                return;
            }
            self.disturb(until);
        }
    }

    fn size(&self, world: &WorldView<'_>) -> Size {
        let gauges = world.server_hosts().filter_map(|server| world.gauges(server));
        let least = gauges.map(|gauges| gauges.local_registry_size).min();
        Size { alive: self.truth.alive(None), least }
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
            self.fault(fault, at, world);
        }
    }

    fn elapsed(&mut self, next: Instant, world: &WorldView<'_>) {
        if self.before.is_none() && next > self.since {
            self.before = Some(self.totals(self.since, world));
        }
        self.calm(next);
        while self.next < next {
            self.sizes.push(self.size(world));
            self.next += self.every;
        }
    }
}
