//! What `check` says: the resolved timeline and the numbers that follow from the configuration.

use serde::Serialize;
use serde_json::{Value, json};

use super::check_calls::ConsumerCheck;
use super::check_fleet::{Fleet, Heard};
use super::check_hints::hints;
use super::style::{DIM, END, NAME, escape};
use crate::eureka::Flavor;
use crate::scenario::{Plan, Severity};
use crate::sim::{Action, ServerSetup};
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

/// The numbers of a server once every instance that it hears of is registered, without those that are
/// added later. It hears of those that register with it while all servers work (where that is left to
/// chance, of all that may), and of those that register with a server that replicates to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerCheck {
    /// Its name.
    pub name: String,
    /// Instances that it hears of, servers' own included.
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
        let heard = fleet.heard();
        let servers = heard.iter().zip(&plan.setup.servers);
        let servers: Vec<ServerCheck> =
            servers.map(|(heard, server)| ServerCheck::new(plan, heard, server)).collect();
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
        warnings.extend(hints(plan, &fleet, &heard, &servers));
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

impl ServerCheck {
    fn new(plan: &Plan, heard: &Heard, server: &ServerSetup) -> Self {
        let config = &server.config;
        let class = server.release.class();
        let instances = heard.instances as i64;
        let fetches = plan.setup.profiles[server.profile].client.fetch_registry;
        let early = expected(server, instances, fetches);
        // Up to 1.9.3 renewals are expected, two for each client.
        let each = if class.counts_renews() { 2 } else { 1 };
        let of = |clients: i64| {
            let expected = i32::try_from(clients * each).unwrap_or(i32::MAX);
            config.renewal_threshold(server.flavor, class, expected)
        };
        let first = of(early);
        // The 15-minute task counts what the embedded client has seen, and does not believe every number.
        let compared = match class.updater_compares_with_threshold() {
            true => f64::from(first),
            false => (early * each) as f64,
        };
        let seen = heard.seen as i64;
        let believed = (seen * each) as f64 > config.renewal_percent_threshold * compared
            || !config.enable_self_preservation;
        let late = if fetches && believed { seen } else { early };
        let second = of(late);
        // Where nobody is expected at first, what matters is what follows.
        let (threshold, expected) = if early == 0 { (second, late) } else { (first, early) };
        let deaths = match threshold {
            ..=0 => 0,
            _ => heard.deaths_until(f64::from(threshold)) as i64,
        };
        Self {
            name: server.name.clone(),
            instances,
            expected,
            threshold,
            threshold_before_update: (first != threshold).then_some(first),
            threshold_after_update: (second != threshold).then_some(second),
            renewals: heard.renewals() as i64,
            eviction_limit: config.eviction_limit(i32::try_from(instances).unwrap_or(i32::MAX)),
            deaths_that_freeze: config.enable_self_preservation.then_some(deaths),
        }
    }

    /// Whether nothing is evicted even with everybody well, but from the first 15-minute task on.
    pub(super) fn thaws(&self) -> bool {
        let later = self.threshold_after_update.filter(|threshold| *threshold > 0);
        self.deaths_that_freeze == Some(0)
            && later.is_some_and(|threshold| self.renewals > i64::from(threshold))
    }

    /// A line for people.
    fn text(&self) -> String {
        let name = format!("  {NAME}{}{END}  ", self.name);
        if self.instances == 0 {
            return name
                + "no instance registers with it, nor with a server that replicates to it\n";
        }
        let freeze = match self.deaths_that_freeze {
            None => "self-preservation is off".to_owned(),
            Some(0) if self.thaws() => {
                "evicts nothing until the first 15-minute task, even with everybody well".to_owned()
            }
            Some(0) => "evicts nothing even with everybody well".to_owned(),
            Some(1) => "1 death stops eviction".to_owned(),
            Some(deaths) => format!("{deaths} deaths at once stop eviction"),
        };
        let until = self.threshold_before_update.map_or_else(String::new, |threshold| {
            format!(" ({threshold} until the first 15-minute task)")
        });
        let later = self.threshold_after_update.map_or_else(String::new, |threshold| {
            format!(" ({threshold} from the first 15-minute task on)")
        });
        format!(
            "{name}{}, {} expected: threshold {}{until}{later}, {} a minute; at most {} evicted in \
             a run; {freeze}\n",
            several(self.instances, "instance"),
            self.expected,
            self.threshold,
            several(self.renewals, "renewal"),
            self.eviction_limit,
        )
    }
}

/// `1 instance`, `2 instances`.
pub(super) fn several(count: i64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How many clients a server expects once all `instances` that it hears of are registered, and before its
/// first 15-minute task. One that copies its peers when it starts begins with what it has copied; one
/// that copies nobody begins with 0 or, in Spring, with 1.
fn expected(server: &ServerSetup, instances: i64, fetches: bool) -> i64 {
    let config = &server.config;
    let spring = server.flavor == Flavor::SpringCloud;
    let copies = fetches && config.registry_sync_retries > 0 && !server.peers.is_empty();
    match (spring, copies) {
        (true, true) => instances,
        // Registrations only count where somebody is expected already.
        (true, false) if config.default_open_for_traffic_count == 0 => 0,
        (true, false) => instances + i64::from(config.default_open_for_traffic_count),
        (false, _) => 0,
    }
}

/// The actions of the timeline that may change what was computed, each once.
fn changes(plan: &Plan) -> Vec<String> {
    let mut changes: Vec<String> = Vec::new();
    for (entry, words) in plan.setup.timeline.iter().zip(&plan.timeline) {
        let counts = match &entry.action {
            Action::Scale { .. }
            | Action::Deploy { .. }
            | Action::SetConfig(..)
            | Action::ConfigureInstance(..)
            | Action::SetServiceUrls(..) => true,
            Action::Restart { upgrade, .. } => upgrade.is_some(),
            _ => false,
        };
        let word = format!("`{}`", words.what);
        if counts && !changes.contains(&word) {
            changes.push(word);
        }
    }
    changes
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
    report.servers.iter().for_each(|server| text += &server.text());
    report.consumers.iter().for_each(|consumer| text += &consumer.text());
    let changes = changes(plan);
    if !changes.is_empty() {
        let changes = changes.join(" and ");
        text += &format!("  these are the numbers at first; {changes} may change them:\n");
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
