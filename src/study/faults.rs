//! The standard faults: what can happen to any fleet, as words that are put over its scenario.

use toml::Value;

use crate::scenario::{AppPlan, Overlay, Plan};
use crate::time::{Instant, Span};

/// What is waited for at most before the faults begin: a first threshold task, however rare it is.
const LONGEST_WAIT: Span = Span::from_secs(3600);
/// What is waited for after the last start.
const REGISTERED: Span = Span::from_secs(180);
/// Time from the beginning of the faults to the end of the run: the longest of them lasts ten minutes,
/// and what it leaves behind is gone or stays.
const AFTER: Span = Span::from_secs(14 * 60);
const MINUTE: Span = Span::from_secs(60);

/// One way in which a fleet may be disturbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it is called: `deaths-10-percent`.
    pub name: String,
    /// What happens, in a few words.
    pub about: String,
    /// The words that are put over the scenario.
    pub overlay: Overlay,
}

/// The standard faults of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suite {
    /// How long runs with them last.
    pub duration: Span,
    /// Those that can happen to it.
    pub faults: Vec<Fault>,
    /// The names of the others, and why they cannot.
    pub left_out: Vec<(String, String)>,
}

/// Why there is no fault of a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFault {
    /// None is called so.
    #[error("there is no fault `{name}`; there are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// This fleet cannot have it.
    #[error("the fault `{name}` cannot happen here: {why}")]
    Impossible {
        /// The name.
        name: String,
        /// Why.
        why: String,
    },
}

/// When a fleet has settled: everybody is registered, and each server has had its first 15-minute task
/// (but nothing is waited for longer than an hour) and one more minute. In whole minutes.
#[must_use]
pub fn settled(plan: &Plan) -> Instant {
    let servers = plan.setup.servers.iter().map(|server| {
        let interval = server.config.renewal_threshold_update_interval_ms.max(0);
        let interval = Span::from_millis(u64::from(interval.unsigned_abs())).min(LONGEST_WAIT);
        server.start + interval + MINUTE
    });
    let clients = plan.setup.clients.iter().filter_map(|client| client.start);
    let last = servers.chain(clients.map(|start| start + REGISTERED)).max().unwrap_or_default();
    let minutes = last.nanos().div_ceil(MINUTE.nanos());
    Instant::ZERO + MINUTE.saturating_mul(minutes)
}

impl Suite {
    /// The standard faults of a plan's fleet, which begin at `since`. Only its fleet is looked at, not its
    /// timeline.
    #[must_use]
    pub fn new(plan: &Plan, since: Instant) -> Self {
        // No run is shorter than its fault needs, or than the file says.
        let end = (since + AFTER).max(plan.setup.duration);
        let duration = Span::from_nanos(end.nanos());
        let mut writer = Writer { plan, since, suite: Self { duration, ..Self::default() } };
        writer.all();
        writer.suite
    }

    /// The fault of this name. `besides` are names that whoever asks knows too.
    ///
    /// # Errors
    /// If no fault has it, or this fleet cannot have the fault.
    pub fn find(&self, name: &str, besides: &[&str]) -> Result<&Fault, NoFault> {
        if let Some(fault) = self.faults.iter().find(|fault| fault.name == name) {
            return Ok(fault);
        }
        let name = name.to_owned();
        Err(match self.left_out.iter().find(|(of, _)| *of == name) {
            Some((_, why)) => NoFault::Impossible { name, why: why.clone() },
            None => {
                let known = self.faults.iter().map(|fault| fault.name.as_str());
                let known: Vec<&str> = besides.iter().copied().chain(known).collect();
                NoFault::Unknown { name, known: known.join(", ") }
            }
        })
    }
}

struct Writer<'a> {
    plan: &'a Plan,
    since: Instant,
    suite: Suite,
}

/// The words of one fault.
#[derive(Default)]
struct Script(String);

impl Script {
    fn at(mut self, at: Instant, action: &str) -> Self {
        self.0 += &format!("[[timeline]]\nat = \"{}ms\"\n{action}\n", at.nanos() / 1_000_000);
        self
    }

    fn lasting(self, at: Instant, lasts: Span, action: &str) -> Self {
        self.at(at, &format!("for = \"{}ms\"\n{action}", lasts.millis()))
    }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

impl Writer<'_> {
    fn all(&mut self) {
        let (clients, victims) = (self.clients(), self.victims());
        self.add("none", "nothing happens", Script::default());
        for (seconds, one_way) in [(1, "500ms"), (2, "1s"), (4, "2s"), (6, "3s")] {
            let action = format!(
                "slow = {{ from = \"clients\", to = \"servers\", latency = \"{one_way}\" }}"
            );
            let about = format!("each request of a client takes {seconds} s more, all the time");
            self.of_clients(&format!("round-trip-{seconds}s"), &about, |_| {
                Script::default().at(Instant::ZERO, &action)
            });
        }
        for percent in [1, 2, 5, 10] {
            let action = format!(
                "lossy = {{ from = \"clients\", to = \"servers\", loss = \"{percent}%\" }}"
            );
            let about =
                format!("{percent} % of the messages of clients are lost, each way, all the time");
            self.of_clients(&format!("loss-{percent}-percent"), &about, |_| {
                Script::default().at(Instant::ZERO, &action)
            });
        }
        let since = self.since;
        let kill = |count: u64| {
            format!("kill = {{ select = [{victims}], count = {count}, pick = \"random\" }}")
        };
        self.of_clients("one-death", "one instance is killed", |_| {
            Script::default().at(since, &kill(1))
        });
        for (percent, count) in self.shares("deaths", &[1, 5, 10, 15, 20, 30, 50], 1) {
            let about = format!("{} killed at once", of_clients(count, clients));
            let script = Script::default().at(since, &kill(count));
            self.add(&format!("deaths-{percent}-percent"), &about, script);
        }
        let each = (clients * 2 + 50) / 100;
        let about = format!("{} a minute die, for ten minutes", each.max(1));
        self.of_clients("slow-bleed", &about, |_| {
            let minutes = (0..10).map(|minute| since + MINUTE.saturating_mul(minute));
            minutes.fold(Script::default(), |script, at| script.at(at, &kill(each.max(1))))
        });
        self.zone_lost();
        self.rolling_kill();
        for (percent, count) in self.shares("unreachable", &[20, 30, 50], 0) {
            let about = format!("{} cut off from all servers for 6m", of_clients(count, clients));
            let action = format!(
                "partition = {{ from = {{ select = [{victims}], count = {count} }}, to = \"servers\" }}"
            );
            let script = Script::default().lasting(since, MINUTE.saturating_mul(6), &action);
            self.add(&format!("unreachable-{percent}-percent"), &about, script);
        }
        let first = self.server(0);
        for (name, seconds) in [("30s", 30), ("2m", 120), ("5m", 300), ("10m", 600)] {
            let about = format!("all clients are cut off from {} for {name}", self.name(0));
            self.of_clients(&format!("cut-{name}"), &about, |_| {
                let action = format!("partition = {{ from = \"clients\", to = {first} }}");
                Script::default().lasting(since, Span::from_secs(seconds), &action)
            });
        }
        self.servers_cut();
        let about = format!("{} pauses for 2m", self.name(0));
        let script =
            Script::default().lasting(since, Span::from_secs(120), &format!("pause = {first}"));
        self.add("gc-pause", &about, script);
        let action = "slow = { from = \"all\", to = \"all\", latency = \"500ms\" }";
        let script = Script::default().lasting(since, Span::from_secs(300), action);
        self.add("slow-network", "every message takes 500 ms more, for 5m", script);
    }

    /// Whether a client is there at first and registers.
    fn registers(&self, host: usize) -> bool {
        let setup = &self.plan.setup;
        let client = host.checked_sub(setup.servers.len()).and_then(|of| setup.clients.get(of));
        client.is_some_and(|of| {
            let profile = &setup.profiles[of.profile as usize];
            of.start.is_some() && profile.client.register_with_eureka
        })
    }

    /// The applications whose instances register, each with how many there are at first.
    fn registering(&self) -> impl Iterator<Item = (&AppPlan, u64)> {
        let apps = self.plan.apps.iter().map(|app| {
            let hosts = app.hosts.iter().cloned().flatten();
            (app, hosts.filter(|host| self.registers(*host)).count() as u64)
        });
        apps.filter(|(_, count)| *count > 0)
    }

    /// The instances that register at first.
    fn clients(&self) -> u64 {
        self.registering().map(|(_, count)| count).sum()
    }

    /// The selectors of their applications.
    fn victims(&self) -> String {
        let names = &self.plan.setup.names;
        let select =
            |(app, _): (&AppPlan, u64)| quoted(&format!("app:{}", names.app_name(app.app)));
        self.registering().map(select).collect::<Vec<_>>().join(", ")
    }

    fn name(&self, server: usize) -> &str {
        &self.plan.setup.servers[server].name
    }

    /// The selector of a server.
    fn server(&self, server: usize) -> String {
        quoted(&format!("server:{}", self.name(server)))
    }

    fn add(&mut self, name: &str, about: &str, script: Script) {
        let duration = self.suite.duration;
        let text = match duration.nanos() > self.plan.setup.duration.nanos() {
            true => format!("duration = \"{}ms\"\n", duration.nanos().div_ceil(1_000_000)),
            false => String::new(),
        };
        let name_of = format!("the fault {name}");
        let overlay = Overlay { name: name_of, text: text + &script.0, replaces_timeline: true };
        let (name, about) = (name.to_owned(), about.to_owned());
        self.suite.faults.push(Fault { name, about, overlay });
    }

    fn leave_out(&mut self, name: &str, why: &str) {
        self.suite.left_out.push((name.to_owned(), why.to_owned()));
    }

    /// Adds a fault if there is any client.
    fn of_clients(&mut self, name: &str, about: &str, script: impl FnOnce(&Self) -> Script) {
        match self.clients() {
            0 => self.leave_out(name, "no client registers"),
            _ => {
                let script = script(self);
                self.add(name, about, script);
            }
        }
    }

    /// How many clients these shares are, where that is more than the share before; the others are left out.
    fn shares(&mut self, what: &str, percents: &[u64], most_before: u64) -> Vec<(u64, u64)> {
        let clients = self.clients();
        let mut before = most_before;
        let mut shares = Vec::new();
        for percent in percents {
            let count = (clients * percent + 50) / 100;
            if count > before {
                shares.push((*percent, count));
                before = count;
            } else {
                let why = format!(
                    "of {clients} instances that is {}",
                    match count {
                        0 => "nobody".to_owned(),
                        count => format!("{count}, as before"),
                    }
                );
                self.leave_out(&format!("{what}-{percent}-percent"), &why);
            }
        }
        shares
    }

    /// The last zone with clients, if servers and clients are left.
    fn zone_lost(&mut self) {
        let (name, zones) = ("zone-lost", &self.plan.zones);
        let others = |of: usize, count: fn(&crate::scenario::ZonePlan) -> usize| -> usize {
            zones
                .iter()
                .enumerate()
                .filter(|(zone, _)| *zone != of)
                .map(|(_, zone)| count(zone))
                .sum()
        };
        let can_go = |zone: &usize| {
            zones[*zone].clients > 0
                && others(*zone, |zone| zone.servers) > 0
                && others(*zone, |zone| zone.clients) > 0
        };
        match (0..zones.len()).rev().find(can_go) {
            None => self.leave_out(
                name,
                "there is no zone that can be lost without all servers or all clients",
            ),
            Some(zone) => {
                let zone = &zones[zone];
                let about = format!("everything in zone {} is killed", zone.name);
                let action = format!("kill = {}", quoted(&format!("zone:{}", zone.name)));
                self.add(name, &about, Script::default().at(self.since, &action));
            }
        }
    }

    fn rolling_kill(&mut self) {
        let names = &self.plan.setup.names;
        let script = self.registering().fold(Script::default(), |script, (app, _)| {
            let app = quoted(names.app_name(app.app));
            let action = format!(
                "deploy = {{ app = {app}, batch = \"10%\", every = \"1m\", graceful = false, down = \"10s\" }}"
            );
            script.at(self.since, &action)
        });
        let about = "every application is deployed with kill -9, a tenth of it each minute";
        self.of_clients("rolling-kill", about, |_| script);
    }

    /// The first server against the others.
    fn servers_cut(&mut self) {
        let servers = self.plan.setup.servers.len();
        if servers < 2 {
            self.leave_out("servers-cut", "there is only one server");
            return;
        }
        let about = match servers {
            2 => "the two servers are cut off from each other for 5m".to_owned(),
            _ => format!("{} is cut off from the other servers for 5m", self.name(0)),
        };
        let others: Vec<String> = (1..servers).map(|server| self.server(server)).collect();
        let action =
            format!("partition = {{ from = {}, to = [{}] }}", self.server(0), others.join(", "));
        let script = Script::default().lasting(self.since, Span::from_secs(300), &action);
        self.add("servers-cut", &about, script);
    }
}

/// `17 of 100 instances are`.
fn of_clients(count: u64, clients: u64) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{count} of {clients} instances {verb}")
}
