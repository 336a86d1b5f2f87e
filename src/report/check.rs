//! What `check` says: the resolved timeline and the numbers that follow from the configuration.

use serde::Serialize;
use serde_json::{Value, json};

use super::check_calls::ConsumerCheck;
use super::style::{DIM, END, NAME, escape};
use crate::eureka::{Flavor, ServiceUrl};
use crate::scenario::{Plan, Severity};
use crate::sim::ServerSetup;
use crate::time::Span;

/// What `check --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// Version of this form.
    pub schema: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The servers.
    pub servers: Vec<ServerCheck>,
    /// Who calls whom, group by group; left out if nobody does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<ConsumerCheck>,
    /// The timeline, in order of time.
    pub timeline: Vec<Value>,
    /// What may hurt.
    pub warnings: Vec<WarningCheck>,
}

/// The numbers of a server once every instance of the scenario is registered with it, without those
/// that are added later.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerCheck {
    /// Its name.
    pub name: String,
    /// Instances that register, this server's peers included.
    pub instances: i64,
    /// Clients it expects then: in a Spring server that was opened with nobody, one more than there are.
    pub expected: i64,
    /// Renewals per minute below or at which nothing is evicted.
    pub threshold: i32,
    /// The threshold until the first 15-minute task, if that is another one.
    pub threshold_before_update: Option<i32>,
    /// The threshold from the first 15-minute task on, if that is another one.
    pub threshold_after_update: Option<i32>,
    /// Renewals per minute if everybody is well.
    pub renewals: i64,
    /// The most that one eviction run may evict.
    pub eviction_limit: i64,
    /// The fewest simultaneous deaths that stop eviction; none if it is never stopped (self-preservation
    /// is off) and 0 if it is stopped with everybody well.
    pub deaths_that_freeze: Option<i64>,
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WarningCheck {
    /// Its code.
    pub code: String,
    /// What it says.
    pub text: String,
}

impl CheckReport {
    /// The report of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let fleet = Fleet::new(plan);
        let servers: Vec<ServerCheck> = plan
            .setup
            .servers
            .iter()
            .map(|server| ServerCheck::new(plan, &fleet, server))
            .collect();
        let timeline = plan.setup.timeline.iter().zip(&plan.timeline).map(|(entry, words)| {
            let mut line = json!({"at_ms": entry.at.nanos() / 1_000_000, "action": words.what,
                "details": words.details});
            if let Some(until) = entry.until {
                line["until_ms"] = json!(until.nanos() / 1_000_000);
            }
            if let Some(name) = &words.name {
                line["name"] = json!(name);
            }
            line
        });
        let mut warnings: Vec<WarningCheck> = plan
            .warnings
            .iter()
            .filter(|warning| warning.severity == Severity::Warning)
            .map(|warning| WarningCheck {
                code: warning.code.to_owned(),
                text: warning.message.clone(),
            })
            .collect();
        warnings.extend(hints(plan, &fleet, &servers));
        Self {
            schema: 1,
            scenario: plan.name.clone(),
            servers,
            consumers: plan
                .setup
                .calls
                .iter()
                .map(|calls| ConsumerCheck::new(plan, calls))
                .collect(),
            timeline: timeline.collect(),
            warnings,
        }
    }
}

/// All that register: the same for every server, and there may be many of both.
struct Fleet {
    /// Renewals per minute that are left after so many deaths, the most frequent ones first.
    left: Vec<f64>,
    /// The different intervals of heartbeats in seconds, in order of first appearance.
    intervals: Vec<i64>,
}

impl Fleet {
    fn new(plan: &Plan) -> Self {
        let mut intervals: Vec<i64> = Vec::new();
        let mut rates: Vec<f64> = Vec::new();
        for interval in registering(plan) {
            if !intervals.contains(&interval) {
                intervals.push(interval);
            }
            rates.push(60.0 / interval as f64);
        }
        let mut rest: f64 = rates.iter().sum();
        // The fewest deaths are those of the most frequent.
        rates.sort_by(|a, b| b.total_cmp(a));
        let mut left = vec![rest];
        left.extend(rates.into_iter().map(|rate| {
            rest -= rate;
            rest
        }));
        Self { left, intervals }
    }
}

impl ServerCheck {
    fn new(plan: &Plan, fleet: &Fleet, server: &ServerSetup) -> Self {
        let config = &server.config;
        let class = server.release.class();
        let instances = fleet.left.len() as i64 - 1;
        let fetches = plan.setup.profiles[server.profile].client.fetch_registry;
        let (early, late) = expected(server, instances, fetches);
        // Up to 1.9.3 renewals are expected, two for each client.
        let each = if class.counts_renews() { 2 } else { 1 };
        let [first, second] = [early, late].map(|clients| {
            let expected = i32::try_from(clients * each).unwrap_or(i32::MAX);
            config.renewal_threshold(server.flavor, class, expected)
        });
        // Where nobody is expected at first, what matters is what follows.
        let (threshold, expected) = if early == 0 { (second, late) } else { (first, early) };
        let deaths = match threshold {
            ..=0 => 0,
            _ => fleet.left.partition_point(|&left| left > f64::from(threshold)),
        };
        Self {
            name: server.name.clone(),
            instances,
            expected,
            threshold,
            threshold_before_update: (first != threshold).then_some(first),
            threshold_after_update: (second != threshold).then_some(second),
            renewals: fleet.left[0] as i64,
            eviction_limit: config.eviction_limit(i32::try_from(instances).unwrap_or(i32::MAX)),
            deaths_that_freeze: (config.enable_self_preservation && deaths < fleet.left.len())
                .then_some(deaths as i64),
        }
    }
}

/// Seconds between heartbeats of every instance that registers, servers' own included, and without
/// those that are added later.
fn registering(plan: &Plan) -> impl Iterator<Item = i64> {
    let setup = &plan.setup;
    let servers = setup.servers.iter().map(|server| &setup.profiles[server.profile]);
    let at_first = setup.clients.iter().filter(|client| client.start.is_some());
    let clients = at_first.map(|client| &setup.profiles[client.profile as usize]);
    let profiles = servers.chain(clients);
    let registering = profiles.filter(|profile| profile.client.register_with_eureka);
    registering.map(|profile| i64::from(profile.instance.lease_info().renewal_interval_in_secs))
}

/// How many clients a server expects once all `instances` are registered: before its first 15-minute
/// task, and after it if the embedded client `fetches` what the task counts. A server that copies its
/// peers when it starts begins with what it has copied; one that copies nobody begins with 0 or, in
/// Spring, with 1.
fn expected(server: &ServerSetup, instances: i64, fetches: bool) -> (i64, i64) {
    let config = &server.config;
    let spring = server.flavor == Flavor::SpringCloud;
    let copies = fetches && config.registry_sync_retries > 0 && !server.peers.is_empty();
    let early = match (spring, copies) {
        (true, true) => instances,
        // Registrations only count where somebody is expected already.
        (true, false) if config.default_open_for_traffic_count == 0 => 0,
        (true, false) => instances + i64::from(config.default_open_for_traffic_count),
        (false, _) => 0,
    };
    let counted = instances as f64 > config.renewal_percent_threshold * early as f64;
    let late = if fetches && counted { instances } else { early };
    (early, late)
}

/// How long start-up sync takes about, in a Spring server that registers itself: it looks at its peers
/// at once and every 30 s, and sees what is 30 s old there.
const SYNC: Span = Span::from_secs(60);

/// Instances that register before a server is opened for traffic, which sets anew what it expects.
fn forgotten(plan: &Plan, server: &ServerSetup) -> usize {
    let client = &plan.setup.profiles[server.profile].client;
    let syncs = !server.peers.is_empty() && client.fetch_registry && server.open.is_none();
    if !syncs || server.config.registry_sync_retries < 2 {
        return 0;
    }
    let starts = plan.setup.clients.iter().filter_map(|client| client.start);
    starts.filter(|&start| start >= server.start && start < server.start + SYNC).count()
}

/// Configurations known to hurt.
fn hints(plan: &Plan, fleet: &Fleet, servers: &[ServerCheck]) -> Vec<WarningCheck> {
    let peers_of = |server: &ServerSetup| {
        let mut peers = server.peer_servers();
        peers.sort_unstable();
        peers
    };
    let peers: Vec<Vec<u16>> = plan.setup.servers.iter().map(peers_of).collect();
    let mut hints = Vec::new();
    let mut hint = |code: &str, text: String| {
        if !hints.iter().any(|known: &WarningCheck| known.code == code) {
            hints.push(WarningCheck { code: code.to_owned(), text });
        }
    };
    for (index, (setup, numbers)) in plan.setup.servers.iter().zip(servers).enumerate() {
        let config = &setup.config;
        let name = &setup.name;
        if !config.enable_self_preservation {
            let text = "self-preservation is off: an outage evicts up to the limit in every run until nobody is left";
            hint("H001", format!("{name}: {text}"));
        }
        let percent = config.renewal_percent_threshold;
        if !(0.0..=1.0).contains(&percent) {
            hint(
                "H002",
                format!(
                    "{name}: renewal-percent-threshold {percent} is not between 0 and 1: more than 1 never evicts; less than 0 never does either, unless self-preservation is off: then it may evict everybody"
                ),
            );
        }
        if numbers.threshold <= 0 && config.enable_self_preservation {
            let threshold = numbers.threshold;
            hint(
                "H003",
                format!("{name}: the threshold is {threshold}, so nothing is ever evicted"),
            );
        } else if numbers.deaths_that_freeze == Some(0) {
            hint(
                "H004",
                format!(
                    "{name}: {} renewals a minute are not above the threshold {} even with everybody well: nothing is ever evicted",
                    numbers.renewals, numbers.threshold
                ),
            );
        }
        let expected = i64::from(config.expected_interval(setup.flavor));
        let other = fleet.intervals.iter().find(|interval| **interval != expected);
        if let Some(&interval) = other.filter(|_| !setup.release.class().counts_renews()) {
            let effect = if interval < expected {
                "protection comes late or never"
            } else {
                "nothing may ever be evicted"
            };
            hint(
                "H005",
                format!(
                    "{name} expects a heartbeat every {expected} s, but instances beat every {interval} s: {effect}"
                ),
            );
        }
        let own = index as u16;
        let back = |peer: &ServiceUrl| peers[usize::from(peer.server)].binary_search(&own).is_ok();
        let unheard = !setup.peers.iter().all(back);
        if unheard {
            hint(
                "H006",
                format!(
                    "{name} replicates to a peer that does not replicate back: replication goes one hop only, so servers will differ"
                ),
            );
        }
        let early = forgotten(plan, setup);
        if early > 0 {
            hint(
                "H007",
                format!(
                    "{early} instances start before {name} is open for traffic, about a minute after its own start: it forgets them then, and expects only those that its start-up sync saw, until the 15-minute task"
                ),
            );
        }
    }
    hints
}

/// What `check` prints for people.
#[must_use]
pub fn check_text(plan: &Plan) -> String {
    let report = CheckReport::new(plan);
    let setup = &plan.setup;
    let duration = Span::from_nanos(setup.duration.nanos());
    let mut text = format!("{NAME}{}{END}  {duration}, seed {}\n", plan.name, setup.seed);
    if !plan.about.is_empty() {
        text += &format!("  {}\n", escape(&plan.about));
    }
    for server in &report.servers {
        let freeze = match server.deaths_that_freeze {
            None => "self-preservation is off".to_owned(),
            Some(0) => "evicts nothing even with everybody well".to_owned(),
            Some(deaths) => format!("{deaths} deaths at once stop eviction"),
        };
        let until = server.threshold_before_update.map_or_else(String::new, |threshold| {
            format!(" ({threshold} until the first 15-minute task)")
        });
        let later = server.threshold_after_update.map_or_else(String::new, |threshold| {
            format!(" ({threshold} from the first 15-minute task on)")
        });
        text += &format!(
            "  {NAME}{}{END}  {} instances, {} expected: threshold {}{until}{later}, {} renewals a \
             minute; at most {} evicted in a run; {freeze}\n",
            server.name,
            server.instances,
            server.expected,
            server.threshold,
            server.renewals,
            server.eviction_limit,
        );
    }
    report.consumers.iter().for_each(|consumer| text += &consumer.text());
    if !setup.steps.is_empty() {
        text += "  these are the numbers at first; `scale` and `deploy` change them:\n";
    }
    for (entry, words) in setup.timeline.iter().zip(&plan.timeline) {
        let until = entry.until.map_or_else(String::new, |until| format!(" – {until}"));
        let name =
            words.name.as_deref().map_or_else(String::new, |n| format!(" \"{}\"", escape(n)));
        text += &format!(
            "  {DIM}{}{until}{END}  {}{name} {}\n",
            entry.at,
            words.what,
            escape(&words.details)
        );
    }
    let expectations = plan.expectations.len();
    text += &format!("  {expectations} expectation{}\n", if expectations == 1 { "" } else { "s" });
    for warning in report.warnings.iter().filter(|warning| warning.code.starts_with('H')) {
        text += &format!("  warning[{}]: {}\n", warning.code, escape(&warning.text));
    }
    text
}
