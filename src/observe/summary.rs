//! The summary of a run: numbers per server and application, and the verdicts.

use serde::Serialize;

use super::expect::Verdict;
use super::labels::Labels;
use super::staleness::Staleness;
use super::timespans::Lane;
use super::truth::Truth;
use crate::eureka::AppId;
use crate::eureka::server::Gauges;
use crate::scenario::{Claim, Expectation, Plan};
use crate::sim::{DigestValue, HostId, WorldView};
use crate::time::Instant;

/// What `summary.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Version of this form.
    pub schema: u32,
    /// The scenario's name.
    pub scenario: String,
    /// All randomness.
    pub seed: u64,
    /// 32 hexadecimal digits over every fact.
    pub digest: String,
    /// How long the run lasted, in virtual ms.
    pub virtual_ms: u64,
    /// Events handled.
    pub events: u64,
    /// The servers, in the order of the scenario.
    pub servers: Vec<ServerSummary>,
    /// The applications, in the order of the scenario.
    pub apps: Vec<AppSummary>,
    /// The dead that others called or could have called, those called longest first; at most
    /// 1,000. Nothing if nobody calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staleness: Option<Vec<StalenessSummary>>,
    /// The expectations, in the order of the scenario.
    pub expectations: Vec<ExpectationSummary>,
}

/// A server at the end of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerSummary {
    /// Its name.
    pub name: String,
    /// Leases in its registry; none if its process does not run.
    pub registry_size: Option<i64>,
    /// Instances that really run.
    pub alive: u64,
    /// Instances in its registry that do not run.
    pub ghosts: u64,
    /// Instances that should be in its registry and are not.
    pub missing: u64,
    /// Leases it evicted.
    pub evicted: u64,
    /// Leases it evicted whose instance ran.
    pub evicted_healthy: u64,
    /// How long it was in self-preservation.
    pub self_preservation_ms: u64,
    /// Its renewal threshold; none if its process does not run.
    pub threshold: Option<i32>,
    /// When it was in self-preservation, for the text; not part of the JSON.
    #[serde(skip)]
    pub lanes: Vec<Lane>,
}

/// An application at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppSummary {
    /// Its name.
    pub name: String,
    /// How many instances belong to it: those that the scenario gives it, and what `scale` makes of
    /// them.
    pub instances: u64,
    /// Attempts of calls to its instances while they did not run.
    pub calls_to_dead: u64,
    /// Calls to it; nothing if nobody calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// Calls to it that failed, all retries included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_failed: Option<u64>,
    /// Attempts made for these calls, retries included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
}

/// How long a dead instance was called, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StalenessSummary {
    /// `APP/instance-id`
    pub instance: String,
    /// `APP/INDEX`
    pub process: String,
    /// `kill`, `stop`, or `exit` if it ended by itself.
    pub how: &'static str,
    /// When its process was gone, ms.
    pub died_ms: f64,
    /// Attempts sent to it since.
    pub calls: u64,
    /// Seconds from its death until each layer had stopped offering it; below 0 if that was before,
    /// none if it never did.
    pub seconds: LayerSeconds,
}

/// One number for each layer between a lease and a call: when the last of its kind stopped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerSeconds {
    /// Registries.
    pub registry: Option<f64>,
    /// Their read-write caches, which are invalidated with every change.
    pub read_write_cache: Option<f64>,
    /// Their read-only caches.
    pub read_only_cache: Option<f64>,
    /// What the callers' Eureka clients have fetched.
    pub fetch: Option<f64>,
    /// The lists of the callers' load balancers.
    pub balancer: Option<f64>,
    /// The last call; none if there was none.
    pub last_call: Option<f64>,
}

impl StalenessSummary {
    fn new(of: &Staleness, world: &WorldView<'_>, labels: &Labels) -> Self {
        let since = |at: Instant| {
            let nanos = i128::from(at.nanos()) - i128::from(of.died.nanos());
            (nanos as f64 / 1e6).round() / 1e3
        };
        Self {
            instance: world.names().full(of.key),
            process: labels.host(of.host),
            how: of.how,
            died_ms: of.died.nanos() as f64 / 1e6,
            calls: of.calls,
            seconds: LayerSeconds {
                registry: of.registry.map(since),
                read_write_cache: of.registry.map(since),
                read_only_cache: of.read_only.map(since),
                fetch: of.fetch.map(since),
                balancer: of.balancer.map(since),
                last_call: of.last_call.map(since),
            },
        }
    }
}

/// Most of the dead that are listed.
const MOST_DEAD: usize = 1000;

/// An expectation and its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExpectationSummary {
    /// The sentence shown for it.
    pub text: String,
    /// Whether it holds.
    pub ok: bool,
    /// The numbers.
    pub detail: String,
    /// What somebody says of it; nothing if the scenario names nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
}

impl Summary {
    /// Whether every expectation holds.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.expectations.iter().all(|expectation| expectation.ok)
    }
}

/// Puts the summary of a run together at its end.
pub(super) fn summarize(
    plan: &Plan,
    world: &WorldView<'_>,
    labels: &Labels,
    (truth, lanes, staleness): (&Truth, &[Lane], &[Staleness]),
    digest: DigestValue,
    verdicts: Vec<Verdict>,
) -> Summary {
    let now = world.now();
    let server = |host: HostId| {
        let gauges: Option<Gauges> = world.gauges(host);
        let (evicted, evicted_healthy) = truth.evicted(host);
        ServerSummary {
            name: labels.server(host).to_owned(),
            registry_size: gauges.map(|gauges| gauges.local_registry_size),
            alive: truth.alive(None),
            ghosts: truth.ghosts(host, None),
            missing: truth.missing(host, None),
            evicted,
            evicted_healthy,
            self_preservation_ms: (truth.protected_nanos(host, now) / 1_000_000) as u64,
            threshold: gauges.map(|gauges| gauges.num_of_renews_per_min_threshold),
            lanes: lanes.iter().filter(|lane| lane.server == host).copied().collect(),
        }
    };
    let called = |app: AppId| plan.setup.calls.iter().any(|calls| calls.app == app);
    let app = |app: &crate::scenario::AppPlan| {
        let counts = world.traffic(Some(app.app));
        let if_called = |count: u64| called(app.app).then_some(count);
        AppSummary {
            name: plan.setup.names.app_name(app.app).to_owned(),
            instances: app.instances as u64,
            calls_to_dead: counts.to_dead,
            calls: if_called(counts.calls),
            calls_failed: if_called(counts.failed),
            attempts: if_called(counts.attempts),
        }
    };
    let dead = staleness.iter().take(MOST_DEAD);
    let dead = dead.map(|of| StalenessSummary::new(of, world, labels)).collect();
    let expectation = |(expectation, verdict): (&Expectation, Verdict)| ExpectationSummary {
        text: verdict.text,
        ok: verdict.ok,
        detail: verdict.detail,
        claim: expectation.claim.clone(),
    };
    Summary {
        schema: 1,
        scenario: plan.name.clone(),
        seed: plan.setup.seed,
        digest: digest.to_string(),
        virtual_ms: now.nanos() / 1_000_000,
        events: world.handled(),
        servers: world.server_hosts().map(server).collect(),
        apps: plan.apps.iter().map(app).collect(),
        staleness: (!plan.setup.calls.is_empty()).then_some(dead),
        expectations: plan.expectations.iter().zip(verdicts).map(expectation).collect(),
    }
}
