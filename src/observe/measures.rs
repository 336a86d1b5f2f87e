//! Metrics as numbers: what they are read from, kept up to date, and their values at an instant.

use super::clusters::Clusters;
use super::counts::Counts;
use super::divergence::Divergence;
use super::stuck::Stuck;
use super::truth::Truth;
use crate::eureka::AppId;
use crate::scenario::{Metric, Plan, Subject};
use crate::sim::{Fact, HostId, TrafficFact, WorldView};
use crate::time::{Instant, Span};

/// Everything that metrics are read from, besides the world as it is.
#[derive(Clone, Debug)]
pub(super) struct Measures {
    pub(super) truth: Truth,
    counts: Counts,
    /// Only if somebody asks for it.
    pub(super) divergence: Option<Divergence>,
    pub(super) stuck: Stuck,
    /// The longest dead of those that were called.
    staleness: Span,
}

impl Measures {
    pub(super) fn new(plan: &Plan) -> Self {
        let (servers, names) = (plan.setup.servers.len(), &plan.setup.names);
        let expected =
            plan.expectations.iter().filter_map(|expectation| match expectation.subject {
                Subject::Metric { metric, .. } => Some(metric),
                Subject::Event { .. } => None,
            });
        let mut asked = plan.observe.metrics.iter().copied().chain(expected);
        let clusters = Clusters::new(plan);
        let divergence = asked
            .any(Metric::compares_peers)
            .then(|| Divergence::new(clusters.clone(), servers, names.instance_count()));
        Self {
            stuck: Stuck::new(plan, clusters.clone()),
            truth: Truth::new(clusters, servers, names),
            counts: Counts::new(servers, names),
            divergence,
            staleness: Span::ZERO,
        }
    }

    pub(super) fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        self.truth.fact(at, fact, world);
        self.counts.fact(fact, world);
        self.stuck.fact(at, fact, world);
        if let Some(divergence) = &mut self.divergence {
            divergence.fact(at, fact, world);
        }
        if let Fact::Traffic(TrafficFact::ToDead { dead_for, .. }) = fact {
            self.staleness = self.staleness.max(dead_for.unwrap_or_default());
        }
    }

    /// Everything of an instant has happened.
    pub(super) fn elapsed(&mut self, at: Instant) {
        if let Some(divergence) = &mut self.divergence {
            divergence.elapsed(at);
        }
    }

    /// A metric of the whole run.
    pub(super) fn of_run(
        &self,
        metric: Metric,
        app: Option<AppId>,
        at: Instant,
        world: &WorldView<'_>,
    ) -> f64 {
        let compared =
            |read: fn(&Divergence) -> u64| self.divergence.as_ref().map_or(0, read) as f64;
        let calls = || world.traffic(app);
        match metric {
            Metric::PeerDivergence => compared(Divergence::differing),
            Metric::PeerDivergencePresence => compared(|divergence| divergence.all().presence),
            Metric::PeerDivergenceStatus => compared(|divergence| divergence.all().status),
            Metric::ConvergenceSeconds => {
                self.divergence.as_ref().map_or(0, |all| all.convergence_nanos(at)) as f64 / 1e9
            }
            Metric::DivergedBetweenPeers => self.stuck.count(metric, None, app, world) as f64,
            Metric::TrafficToDead => calls().to_dead as f64,
            Metric::TrafficToDeadShare => calls().to_dead as f64 / calls().attempts.max(1) as f64,
            Metric::Staleness => self.staleness.nanos() as f64 / 1e9,
            _ => self.truth.alive(app) as f64,
        }
    }

    /// At a server, if it runs and the metric is a number.
    pub(super) fn of_server(
        &self,
        metric: Metric,
        app: Option<AppId>,
        (server, at): (HostId, Instant),
        world: &WorldView<'_>,
    ) -> Option<f64> {
        let process = world.server(server)?;
        let registry = &process.registry;
        let flag = |flag: bool| f64::from(u8::from(flag));
        let nanos = |nanos: u128, per: f64| nanos as f64 / per;
        let (second, minute) = (1e9, 60e9);
        let truth = &self.truth;
        let gauges = || registry.gauges(world.clocks(server));
        Some(match metric {
            Metric::RegistrySize => match app {
                Some(app) => truth.registered_of(server, app) as f64,
                None => gauges().local_registry_size as f64,
            },
            Metric::RenewsLastMin => gauges().num_of_renews_in_last_min as f64,
            Metric::RenewsPerMinThreshold => registry.threshold().into(),
            Metric::ExpectedClients => gauges().expected_number_of_clients_sending_renews.into(),
            Metric::LeaseExpirationEnabled => flag(registry.is_lease_expiration_enabled()),
            Metric::BelowRenewThreshold => flag(gauges().is_below_renew_threshold),
            Metric::Ghosts => truth.ghosts(server, app) as f64,
            Metric::Missing => truth.missing(server, app) as f64,
            Metric::Evicted => truth.evicted(server).0 as f64,
            Metric::EvictedHealthy => truth.evicted(server).1 as f64,
            Metric::GhostSeconds => nanos(truth.ghost_nanos(server, at), second),
            Metric::MissingSeconds => nanos(truth.missing_nanos(server, at), second),
            Metric::SelfPreservationMinutes => nanos(truth.protected_nanos(server, at), minute),
            Metric::FalseProtectionMinutes => {
                nanos(truth.falsely_protected_nanos(server, at), minute)
            }
            Metric::ReplicationBacklog => {
                process.peers.iter().map(|peer| peer.backlog() as f64).sum()
            }
            Metric::StuckInstances | Metric::UpButDead | Metric::AliveButMissing => {
                self.stuck.count(metric, Some(server), app, world) as f64
            }
            Metric::Status => return None,
            metric if metric.is_global() => self.of_run(metric, app, at, world),
            counted => self.counts.get(server, counted) as f64,
        })
    }
}
