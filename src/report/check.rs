//! What `check` says: the resolved timeline and the numbers that follow from the configuration.

use serde::Serialize;
use serde_json::{Value, json};

use super::style::{DIM, END, NAME, escape};
use crate::eureka::BehaviourClass;
use crate::eureka::server::ServerConfig;
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
    /// The timeline, in order of time.
    pub timeline: Vec<Value>,
    /// What may hurt.
    pub warnings: Vec<WarningCheck>,
}

/// The numbers of a server once every instance of the scenario is registered with it.
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
        let servers: Vec<ServerCheck> =
            plan.setup.servers.iter().map(|server| ServerCheck::new(plan, server)).collect();
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
        warnings.extend(hints(plan, &servers));
        Self {
            schema: 1,
            scenario: plan.name.clone(),
            servers,
            timeline: timeline.collect(),
            warnings,
        }
    }
}

impl ServerCheck {
    fn new(plan: &Plan, server: &ServerSetup) -> Self {
        let setup = &plan.setup;
        let config = &server.config;
        let class = server.release.class();
        let intervals: Vec<i64> = (0..setup.host_count())
            .map(crate::sim::HostId::new)
            .map(|host| setup.profile_of(host))
            .filter(|profile| profile.client.register_with_eureka)
            .map(|profile| i64::from(profile.instance.lease_info().renewal_interval_in_secs))
            .collect();
        let instances = intervals.len() as i64;
        // A server that was opened with nobody starts from this many.
        let opened_with = i64::from(config.default_open_for_traffic_count);
        let expected = if opened_with > 0 { instances + opened_with } else { instances };
        let threshold = threshold(config, class, expected);
        let renewals: i64 = intervals.iter().map(|interval| 60 / interval.max(&1)).sum();
        let kept = (instances as f64 * config.renewal_percent_threshold) as i32;
        let well = |deaths: i64| {
            let left: i64 = intervals.iter().skip(deaths as usize).map(|i| 60 / i.max(&1)).sum();
            threshold > 0 && left > i64::from(threshold)
        };
        let freezes = (0..=instances).find(|&deaths| !well(deaths));
        Self {
            name: server.name.clone(),
            instances,
            expected,
            threshold,
            renewals,
            eviction_limit: instances - i64::from(kept),
            deaths_that_freeze: freezes.filter(|_| config.enable_self_preservation),
        }
    }
}

/// `updateRenewsPerMinThreshold` for so many expected clients.
fn threshold(config: &ServerConfig, class: BehaviourClass, expected: i64) -> i32 {
    let percent = config.renewal_percent_threshold;
    if class.counts_renews() {
        return (2.0 * expected as f64 * percent) as i32;
    }
    let interval = f64::from(config.expected_client_renewal_interval_seconds);
    (expected as f64 * (60.0 / interval) * percent) as i32
}

/// Configurations known to hurt.
fn hints(plan: &Plan, servers: &[ServerCheck]) -> Vec<WarningCheck> {
    let mut hints = Vec::new();
    let mut hint = |code: &str, text: String| {
        if !hints.iter().any(|known: &WarningCheck| known.code == code) {
            hints.push(WarningCheck { code: code.to_owned(), text });
        }
    };
    for (setup, numbers) in plan.setup.servers.iter().zip(servers) {
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
                    "{name}: renewal-percent-threshold {percent} is not between 0 and 1: more than 1 never evicts, less than 0 always may"
                ),
            );
        }
        if numbers.threshold <= 0 && config.enable_self_preservation {
            hint("H003", format!("{name}: the threshold is 0, so nothing is ever evicted"));
        } else if numbers.deaths_that_freeze == Some(0) {
            hint(
                "H004",
                format!(
                    "{name}: {} renewals a minute are not above the threshold {} even with everybody well: nothing is ever evicted",
                    numbers.renewals, numbers.threshold
                ),
            );
        }
        let expected = i64::from(config.expected_client_renewal_interval_seconds);
        let other = (0..plan.setup.host_count())
            .map(crate::sim::HostId::new)
            .map(|host| plan.setup.profile_of(host))
            .filter(|profile| profile.client.register_with_eureka)
            .map(|profile| i64::from(profile.instance.lease_info().renewal_interval_in_secs))
            .find(|interval| *interval != expected);
        if let Some(interval) = other.filter(|_| !setup.release.class().counts_renews()) {
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
        let unheard = setup.peers.iter().any(|&peer| {
            let back = &plan.setup.servers[peer as usize].peers;
            let own = plan.setup.servers.iter().position(|other| other.name == *name);
            own.is_some_and(|own| !back.contains(&(own as u16)))
        });
        if unheard {
            hint(
                "H006",
                format!(
                    "{name} replicates to a peer that does not replicate back: replication goes one hop only, so servers will differ"
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
        text += &format!(
            "  {NAME}{}{END}  {} instances, {} expected: threshold {}, {} renewals a minute; at most \
             {} evicted in a run; {freeze}\n",
            server.name,
            server.instances,
            server.expected,
            server.threshold,
            server.renewals,
            server.eviction_limit,
        );
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
