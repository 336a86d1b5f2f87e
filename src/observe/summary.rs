//! The summary of a run: numbers per server and application, and the verdicts.

use serde::Serialize;

use super::expect::Verdict;
use super::labels::Labels;
use super::timespans::Lane;
use super::truth::Truth;
use crate::eureka::server::Gauges;
use crate::scenario::Plan;
use crate::sim::{DigestValue, HostId, WorldView};

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
    /// How many instances the scenario gives it.
    pub instances: u64,
    /// Calls to instances that did not run. Callers are not simulated yet, so there are none.
    pub calls_to_dead: u64,
}

/// An expectation and its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExpectationSummary {
    /// The sentence shown for it.
    pub text: String,
    /// Whether it holds.
    pub ok: bool,
    /// The numbers.
    pub detail: String,
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
    (truth, lanes): (&Truth, &[Lane]),
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
    let app = |app: &crate::scenario::AppPlan| AppSummary {
        name: plan.setup.names.app_name(app.app).to_owned(),
        instances: app.hosts.iter().map(|hosts| hosts.len() as u64).sum(),
        calls_to_dead: 0,
    };
    let expectation = |verdict: Verdict| ExpectationSummary {
        text: verdict.text,
        ok: verdict.ok,
        detail: verdict.detail,
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
        expectations: verdicts.into_iter().map(expectation).collect(),
    }
}
