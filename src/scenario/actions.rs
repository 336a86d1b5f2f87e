//! The actions of the timeline: their words, resolved to hosts, keys and numbers.

use std::sync::Arc;

use super::build::Builder;
use super::cluster::{self, Cluster};
use super::diagnostics::Diagnostics;
use super::eureka_keys::{config_value, is_unknown};
use super::fleet::Moment;
use super::network::loss;
use super::reader::{Read, Reader, signed_duration, texts};
use super::select::{Chosen, Purpose};
use super::source::Place;
use super::tree::{Node, Value};
use super::{health, rest, select, service_urls};
use crate::eureka::client::{InstanceChange, InstanceConfig};
use crate::eureka::config::{ConfigError, kebab_case};
use crate::eureka::server::ServerConfig;
use crate::eureka::server::resources::{DirtyParameter, StatusParameter};
use crate::eureka::{Flavor, InstanceKey, InstanceStatus};
use crate::sim::{Action, Cut, CutMode, HostId, HostSet, Loss, Method, OutsideRequest, Selection};
use crate::time::{Instant, Span};

/// Every action of the format.
pub(super) const ACTIONS: [&str; 24] = [
    "kill",
    "stop",
    "start",
    "restart",
    "scale",
    "deploy",
    "pause",
    "partition",
    "isolate",
    "hold",
    "slow",
    "lossy",
    "fail",
    "heal",
    "step-clock",
    "skew-clock",
    "set-status",
    "set-health",
    "override-status",
    "delete-override",
    "deregister",
    "set-metadata",
    "set-config",
    "call",
];

/// Actions that last, and end after `for`.
pub(super) const LASTING: [&str; 8] =
    ["partition", "isolate", "hold", "slow", "lossy", "fail", "skew-clock", "pause"];

/// The server that is asked, and about which instances.
type Target = Option<(HostId, Vec<InstanceKey>)>;

/// Reads one action.
pub(super) struct Reading<'a, 'b> {
    pub(super) cluster: &'a Cluster<'b>,
    pub(super) builder: &'a mut Builder,
    /// When it happens.
    pub(super) at: Instant,
    /// The number of its entry.
    pub(super) entry: u64,
}

impl Reading<'_, '_> {
    pub(super) fn action(&mut self, what: &str, node: &Node) -> Option<Action> {
        match what {
            "kill" => self.select(node).map(Action::Kill),
            "start" => self.start(node),
            "scale" | "deploy" => self.builder.fleets.action(self.entry),
            "pause" => self.select(node).map(Action::Pause),
            "stop" => self.stop(node),
            "restart" => self.restart(node),
            "partition" => self.partition(node),
            "isolate" => self.host_set(node).map(Action::Isolate),
            "hold" => self.cut("`hold`", node, |_, _| Some(())).map(|(cut, ())| Action::Hold(cut)),
            "slow" => {
                let by = |reader: &mut Reader<'_>, builder: &mut Builder| {
                    let latency = reader.duration("latency", &mut builder.diags);
                    required(reader, latency, "latency", "latency = \"100ms\"", builder)
                };
                self.cut("`slow`", node, by).map(|(cut, by)| Action::Slow(cut, by.value))
            }
            "lossy" => {
                let share = |reader: &mut Reader<'_>, builder: &mut Builder| {
                    let share = reader.node("loss").map(|node| loss(node, &mut builder.diags));
                    required(reader, share, "loss", "loss = \"5%\"", builder)?
                };
                self.cut("`lossy`", node, share)
                    .map(|(cut, loss): (_, Loss)| Action::Lossy(cut, loss))
            }
            "fail" => self.fail(node),
            "heal" => match &node.value {
                Value::Text(_) => Some(Action::Heal(Vec::new())),
                other => {
                    let wanted = "the name of an earlier entry, or \"all\"";
                    self.builder.diags.wrong_type(&node.place, wanted, other.kind());
                    None
                }
            },
            "step-clock" => self.step_clock(node),
            "skew-clock" => self.skew_clock(node),
            "set-status" => self.set_status(node),
            "set-health" => self.set_health(node),
            "override-status" => self.override_status(node),
            "delete-override" => self.delete_override(node),
            "deregister" => self.deregister(node),
            "set-metadata" => self.set_metadata(node),
            "set-config" => self.set_config(node),
            "call" => self.call(node),
            _ => None,
        }
    }

    /// When it happens, among all that happens.
    const fn when(&self) -> Moment {
        Moment { at: self.at, entry: self.entry }
    }

    fn host_set(&mut self, node: &Node) -> Option<HostSet> {
        select::host_set(node, self.when(), self.entry, self.cluster, self.builder)
    }

    fn select(&mut self, node: &Node) -> Option<Selection> {
        let purpose = Purpose::Process(self.when());
        select::selection(node, purpose, self.cluster, self.builder)
    }

    /// A table with a selector and other keys.
    fn table<'n>(
        &mut self,
        what: &'n str,
        node: &'n Node,
    ) -> Option<(Reader<'n>, Option<Selection>)> {
        let mut reader = Reader::of(node, what, &mut self.builder.diags)?;
        let purpose = Purpose::Process(self.when());
        let chosen = select::from_reader(&mut reader, purpose, self.cluster, self.builder);
        Some((reader, chosen.map(|chosen| chosen.selection)))
    }

    /// Those that `scale` has removed belong to nobody who could start them.
    fn start(&mut self, node: &Node) -> Option<Action> {
        let selection = self.select(node)?;
        self.all_belong(&selection, &node.place)?;
        Some(Action::Start(selection))
    }

    fn all_belong(&mut self, selection: &Selection, place: &Place) -> Option<()> {
        let (when, builder) = (self.when(), &mut *self.builder);
        if let Some(host) = selection.hosts.iter().find(|host| !builder.belongs(**host, when)) {
            let name = builder.process_name(*host);
            let message = format!("{name} does not belong to its application at {}", when.at);
            builder.diags.misplaced(place, message, "let another `scale` add it again");
            return None;
        }
        Some(())
    }

    fn stop(&mut self, node: &Node) -> Option<Action> {
        let Value::Table(_) = node.value else {
            return self.select(node).map(|select| Action::Stop(select, None));
        };
        let (mut reader, select) = self.table("`stop`", node)?;
        let drain = reader.duration("drain", &mut self.builder.diags).map(|drain| drain.value);
        reader.finish(&mut self.builder.diags);
        Some(Action::Stop(select?, drain))
    }

    fn restart(&mut self, node: &Node) -> Option<Action> {
        let Value::Table(_) = node.value else {
            let select = self.select(node)?;
            self.all_belong(&select, &node.place)?;
            let down = Span::from_secs(10);
            return Some(Action::Restart { select, down, graceful: false, upgrade: None });
        };
        let (mut reader, select) = self.table("`restart`", node)?;
        let down = reader.duration("down", &mut self.builder.diags);
        let down = down.map_or(Span::from_secs(10), |down| down.value);
        let graceful = reader.flag("graceful", &mut self.builder.diags).unwrap_or(false);
        let release = cluster::release(&mut reader, &mut self.builder.diags);
        reader.finish(&mut self.builder.diags);
        let select = select?;
        self.all_belong(&select, &node.place)?;
        let upgrade = release.map(|release| self.builder.upgrade(&select, release));
        Some(Action::Restart { select, down, graceful, upgrade })
    }

    /// `{ from, to, direction }` and what else the action has.
    fn cut<T>(
        &mut self,
        what: &str,
        node: &Node,
        more: impl FnOnce(&mut Reader<'_>, &mut Builder) -> Option<T>,
    ) -> Option<(Cut, T)> {
        let mut reader = Reader::of(node, what, &mut self.builder.diags)?;
        let from = self.side(&mut reader, "from");
        let to = self.side(&mut reader, "to");
        let direction = reader.text("direction", &mut self.builder.diags);
        let both_ways = match direction.as_ref().map(|text| text.value.as_str()) {
            None | Some("both") => true,
            Some("one-way") => false,
            Some(other) => {
                let place = reader.key_place("direction");
                let known = ["both", "one-way"];
                self.builder.diags.unknown_word(&place, "direction", other, &known);
                true
            }
        };
        let more = more(&mut reader, self.builder);
        reader.finish(&mut self.builder.diags);
        Some((Cut { from: from?, to: to?, both_ways }, more?))
    }

    /// One end of a link.
    fn side(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<HostSet> {
        let node = reader.node(key);
        let example = format!("{key} = \"server:eureka-0\"");
        let node = required(reader, node, key, &example, self.builder)?;
        self.host_set(node)
    }

    fn partition(&mut self, node: &Node) -> Option<Action> {
        let mode = |reader: &mut Reader<'_>, builder: &mut Builder| {
            let mode = reader.text("mode", &mut builder.diags);
            match mode.as_ref().map(|text| text.value.as_str()) {
                None | Some("blackhole") => Some(CutMode::Blackhole),
                Some("refuse") => Some(CutMode::Refuse),
                Some(other) => {
                    let known = ["blackhole", "refuse"];
                    builder.diags.unknown_word(&reader.key_place("mode"), "mode", other, &known);
                    None
                }
            }
        };
        self.cut("`partition`", node, mode).map(|(cut, mode)| Action::Partition(cut, mode))
    }

    /// `share` is that of the requests here, not of the servers.
    fn fail(&mut self, node: &Node) -> Option<Action> {
        let mut reader = Reader::of(node, "`fail`", &mut self.builder.diags)?;
        let select = reader.node("select");
        let select =
            required(&reader, select, "select", "select = \"server:eureka-0\"", self.builder);
        let servers = select.and_then(|node| self.servers(node));
        let diags = &mut self.builder.diags;
        let status = reader.int("status", 400..=599, diags).map_or(503, |status| status.value);
        let share = reader.node("share").map_or(Some(Loss::share(1.0)), |node| loss(node, diags));
        let methods = reader.node("methods").map_or_else(Vec::new, |node| methods(node, diags));
        reader.finish(diags);
        Some(Action::Fail { servers: servers?, status: status as u16, share: share?, methods })
    }

    /// Selected hosts that are all servers.
    fn servers(&mut self, node: &Node) -> Option<HostSet> {
        let hosts = self.host_set(node)?;
        let servers = self.builder.servers.len();
        let all = servers + self.builder.clients.len();
        if (servers..all).any(|client| hosts.contains(HostId::new(client))) {
            let message = "only servers answer requests".to_owned();
            self.builder.diags.misplaced(&node.place, message, "select servers");
            return None;
        }
        Some(hosts)
    }

    fn step_clock(&mut self, node: &Node) -> Option<Action> {
        let (mut reader, select) = self.table("`step-clock`", node)?;
        let by = reader.node("by");
        let by = required(&reader, by, "by", "by = \"-30s\"", self.builder);
        reader.finish(&mut self.builder.diags);
        let by = signed_duration(by?, &mut self.builder.diags)?;
        Some(Action::StepClock(select?, by))
    }

    fn skew_clock(&mut self, node: &Node) -> Option<Action> {
        let (mut reader, select) = self.table("`skew-clock`", node)?;
        let ppm = reader.int("ppm", -999_999..=1_000_000, &mut self.builder.diags);
        let ppm = required(&reader, ppm, "ppm", "ppm = 200", self.builder);
        reader.finish(&mut self.builder.diags);
        Some(Action::SkewClock(select?, ppm?.value))
    }

    /// The keys `select` and `status` of a table, and the status if it is one.
    fn status(&mut self, reader: &mut Reader<'_>) -> Option<InstanceStatus> {
        let text = reader.text("status", &mut self.builder.diags)?;
        let status = InstanceStatus::value_of(&text.value);
        if status.is_none() {
            let known = InstanceStatus::ALL.map(InstanceStatus::name);
            self.builder.diags.unknown_word(&text.place, "status", &text.value, &known);
        }
        status
    }

    fn set_status(&mut self, node: &Node) -> Option<Action> {
        let (mut reader, select) = self.table("`set-status`", node)?;
        let given = !reader.present(&["status"]).is_empty();
        let status = self.status(&mut reader);
        let status = if given {
            status
        } else {
            required(&reader, status, "status", "status = \"DOWN\"", self.builder)
        };
        reader.finish(&mut self.builder.diags);
        Some(Action::SetStatus(select?, status?))
    }

    fn set_health(&mut self, node: &Node) -> Option<Action> {
        let (mut reader, select) = self.table("`set-health`", node)?;
        let answer = health::answer(&mut reader, &mut self.builder.diags);
        let duration = health::duration(&mut reader, &mut self.builder.diags);
        reader.finish(&mut self.builder.diags);
        let (select, answer) = (select?, answer?);
        if !select.hosts.iter().any(|host| self.builder.has_health_check(*host)) {
            let message = "none of these has a health check".to_owned();
            self.builder.diags.misplaced(&node.place, message, "add `health = { check = true }`");
        }
        Some(Action::SetHealth(select, answer, duration))
    }

    /// A table of a request from outside: its reader, whom it concerns, and the server that is asked
    /// (the first, if none is named).
    fn asked_from_outside<'n>(
        &mut self,
        what: &'n str,
        node: &'n Node,
    ) -> Option<(Reader<'n>, Target)> {
        let mut reader = Reader::of(node, what, &mut self.builder.diags)?;
        let target = self.instances_at_server(&mut reader);
        Some((reader, target))
    }

    fn instances_at_server(&mut self, reader: &mut Reader<'_>) -> Target {
        let purpose = Purpose::Instance(self.when());
        let chosen = select::from_reader(reader, purpose, self.cluster, self.builder);
        let server = match reader.text("server", &mut self.builder.diags) {
            Some(name) => self.builder.server(&name.value, &name.place),
            None => Some(HostId::new(0)),
        };
        let Chosen { selection, others } = chosen?;
        let hosts = select::drawn(&selection, self.entry, self.builder);
        let key = |host: &HostId| self.builder.instance_of(*host, self.when());
        Some((server?, hosts.iter().map(key).chain(others).collect()))
    }

    fn override_status(&mut self, node: &Node) -> Option<Action> {
        let (mut reader, target) = self.asked_from_outside("`override-status`", node)?;
        let given = !reader.present(&["status"]).is_empty();
        let status = self.status(&mut reader);
        if !given {
            required(&reader, status, "status", "status = \"OUT_OF_SERVICE\"", self.builder);
        }
        reader.finish(&mut self.builder.diags);
        let (server, keys) = target?;
        let value = StatusParameter::Value(status?);
        let request = |key| OutsideRequest::StatusUpdate(key, value, DirtyParameter::Absent);
        Some(Action::Outside(server, keys.into_iter().map(request).collect()))
    }

    fn delete_override(&mut self, node: &Node) -> Option<Action> {
        let (mut reader, target) = self.asked_from_outside("`delete-override`", node)?;
        let given = !reader.present(&["status"]).is_empty();
        let status = self.status(&mut reader);
        reader.finish(&mut self.builder.diags);
        let (server, keys) = target?;
        if given && status.is_none() {
            return None;
        }
        let value = status.map_or(StatusParameter::Absent, StatusParameter::Value);
        let request = |key| OutsideRequest::DeleteStatus(key, value, DirtyParameter::Absent);
        Some(Action::Outside(server, keys.into_iter().map(request).collect()))
    }

    fn deregister(&mut self, node: &Node) -> Option<Action> {
        let (reader, target) = self.asked_from_outside("`deregister`", node)?;
        reader.finish(&mut self.builder.diags);
        let (server, keys) = target?;
        Some(Action::Outside(server, keys.into_iter().map(OutsideRequest::Cancel).collect()))
    }

    fn set_metadata(&mut self, node: &Node) -> Option<Action> {
        let mut reader = Reader::of(node, "`set-metadata`", &mut self.builder.diags)?;
        let by_rest = reader.has("server");
        let (mut select, mut target) = (None, None);
        if by_rest {
            target = self.instances_at_server(&mut reader);
        } else {
            let purpose = Purpose::Process(self.when());
            select = select::from_reader(&mut reader, purpose, self.cluster, self.builder);
        }
        let key = reader.text("key", &mut self.builder.diags);
        let key = required(&reader, key, "key", "key = \"colour\"", self.builder);
        let value = reader.text("value", &mut self.builder.diags);
        let value = required(&reader, value, "value", "value = \"green\"", self.builder);
        reader.knows(&["server"]);
        reader.finish(&mut self.builder.diags);
        let (key, value): (Arc<str>, Arc<str>) = (key?.value.into(), value?.value.into());
        if !by_rest {
            return Some(Action::SetMetadata(select?.selection, key, value));
        }
        let (server, keys) = target?;
        let request = |instance| {
            OutsideRequest::Metadata(instance, vec![(Arc::clone(&key), Arc::clone(&value))])
        };
        Some(Action::Outside(server, keys.into_iter().map(request).collect()))
    }

    fn set_config(&mut self, node: &Node) -> Option<Action> {
        let (mut reader, select) = self.table("`set-config`", node)?;
        let key = reader.text("key", &mut self.builder.diags);
        let key = required(
            &reader,
            key,
            "key",
            "key = \"eureka.server.renewal-percent-threshold\"",
            self.builder,
        );
        let value = reader.node("value");
        let value = required(&reader, value, "value", "value = 0.49", self.builder);
        reader.finish(&mut self.builder.diags);
        let (key, value, select) = (key?, value?, select?);
        if let Some(action) = service_urls::change(&select, &key, value, self.builder) {
            return action;
        }
        // In either spelling, as in the tables.
        let key = Read { value: kebab_case(&key.value), place: key.place };
        let servers = self.builder.servers.len();
        let clients = select.hosts.iter().filter(|host| host.index() >= servers).count();
        if clients > 0 && clients < select.hosts.len() {
            let message = "servers and clients have different keys".to_owned();
            self.builder.diags.misplaced(&node.place, message, "write two entries");
            return None;
        }
        if clients > 0 && key.value.starts_with("eureka.server.") {
            let message = format!("`{}` is a key of servers, and these are clients", key.value);
            self.builder.diags.misplaced(&key.place, message, "select servers");
            return None;
        }
        if clients > 0 {
            self.warn_of_rest_clients(&select, &node.place);
            let change = self.instance_change(&key, value)?;
            let setting = config_value(value, &key.value, &mut self.builder.diags)?;
            return Some(Action::ConfigureInstance(select, key.value, setting, change));
        }
        let Some(name) = key.value.strip_prefix("eureka.server.") else {
            let diags = &mut self.builder.diags;
            if !is_unknown(&key.value, &key.place, diags) {
                diags.not_yet(&key.place, &format!("changing `{}`", key.value));
            }
            return None;
        };
        let setting = config_value(value, &key.value, &mut self.builder.diags)?;
        let diags = &mut self.builder.diags;
        match ServerConfig::new(Flavor::SpringCloud).set(name, &setting) {
            Ok(true) => {}
            Ok(false) => {
                let message = format!("`{}` has no effect in a simulated cluster", key.value);
                diags.warn("W001", &key.place, message, "leave the entry out");
            }
            Err(error) => refuse(&error, &key, value, diags),
        }
        Some(Action::SetConfig(select, name.to_owned(), setting))
    }

    /// A plain REST client has no replicator that could notice a change.
    fn warn_of_rest_clients(&mut self, select: &Selection, place: &Place) {
        let rest = select.hosts.iter().filter(|host| self.builder.is_rest(**host)).count();
        let message = match rest {
            0 => return,
            rest if rest == select.hosts.len() => {
                "`set-config` has no effect on plain REST clients".to_owned()
            }
            rest => format!(
                "`set-config` has no effect on plain REST clients, which {rest} of these {} are",
                select.hosts.len()
            ),
        };
        self.builder.diags.warn("W001", place, message, "leave them out");
    }

    /// What a client's instance is configured to; it sees the change at the next run of its
    /// replicator.
    fn instance_change(&mut self, key: &Read<String>, value: &Node) -> Option<InstanceChange> {
        let diags = &mut self.builder.diags;
        let mut scratch = InstanceConfig::new();
        let seconds = |diags: &mut Diagnostics, scratch: &mut InstanceConfig| {
            let name = key.value.strip_prefix("eureka.instance.").unwrap_or_default();
            let setting = config_value(value, &key.value, diags)?;
            match scratch.set(name, &setting) {
                Ok(_) => Some(()),
                Err(error) => {
                    refuse(&error, key, value, diags);
                    None
                }
            }
        };
        match key.value.as_str() {
            "eureka.instance.lease-renewal-interval-in-seconds" => {
                seconds(diags, &mut scratch)?;
                let interval = scratch.lease_renewal_interval_in_seconds;
                Some(InstanceChange::RenewalInterval(interval))
            }
            "eureka.instance.lease-expiration-duration-in-seconds" => {
                seconds(diags, &mut scratch)?;
                Some(InstanceChange::Duration(scratch.lease_expiration_duration_in_seconds))
            }
            "eureka.instance.hostname" => match &value.value {
                Value::Text(host) => Some(InstanceChange::HostName(Arc::from(host.as_str()))),
                _ => {
                    diags.wrong_type(&value.place, "a host name", value.value.kind());
                    None
                }
            },
            _ => {
                if !is_unknown(&key.value, &key.place, diags) {
                    diags.not_yet(&key.place, &format!("changing `{}` of a client", key.value));
                }
                None
            }
        }
    }

    fn call(&mut self, node: &Node) -> Option<Action> {
        let mut reader = Reader::of(node, "`call`", &mut self.builder.diags)?;
        let server = reader.text("server", &mut self.builder.diags);
        let server = required(&reader, server, "server", "server = \"eureka-0\"", self.builder);
        let method = reader.text("method", &mut self.builder.diags);
        let method = required(&reader, method, "method", "method = \"PUT\"", self.builder);
        let path = reader.text("path", &mut self.builder.diags);
        let path = required(&reader, path, "path", "path = \"/eureka/apps\"", self.builder);
        let body = reader.text("body", &mut self.builder.diags).map(|body| body.value);
        reader.finish(&mut self.builder.diags);
        let (server, method, path) = (server?, method?, path?);
        let server = self.builder.server(&server.value, &server.place);
        let body = body.as_deref();
        let request = rest::request(&method.value, &path.value, body, &path.place, self.builder)?;
        Some(Action::Outside(server?, vec![request]))
    }
}

/// `methods` of `fail`.
fn methods(node: &Node, diags: &mut Diagnostics) -> Vec<Method> {
    const METHODS: [(&str, Method); 4] = [
        ("GET", Method::Get),
        ("PUT", Method::Put),
        ("POST", Method::Post),
        ("DELETE", Method::Delete),
    ];
    let mut methods = Vec::new();
    for text in texts(node, diags) {
        match METHODS.into_iter().find(|(name, _)| *name == text.value) {
            Some((_, method)) => methods.push(method),
            None => {
                let known = METHODS.map(|(name, _)| name);
                diags.unknown_word(&text.place, "method", &text.value, &known);
            }
        }
    }
    methods
}

/// Why a setting of `eureka.server` cannot be changed so.
fn refuse(error: &ConfigError, key: &Read<String>, value: &Node, diags: &mut Diagnostics) {
    let name = key.value.strip_prefix("eureka.server.").unwrap_or_default();
    match error {
        ConfigError::UnknownKey => {
            diags.unknown_key(&key.place, name, "`eureka.server`", ServerConfig::keys());
        }
        ConfigError::WrongType(wanted) => {
            diags.wrong_type(&value.place, wanted, value.value.kind());
        }
        ConfigError::OutOfRange(range) => {
            let bounds = format!("from {} to {}", range.start(), range.end());
            diags.out_of_range(&value.place, &format!("`{}`", key.value), bounds);
        }
        ConfigError::NotYet => diags.not_yet(&key.place, &format!("`{}`", key.value)),
    }
}

/// `value`, or an error that the key is missing (unless it is there and was no good).
fn required<T>(
    reader: &Reader<'_>,
    value: Option<T>,
    key: &'static str,
    example: &str,
    builder: &mut Builder,
) -> Option<T> {
    if value.is_none() && reader.present(&[key]).is_empty() {
        builder.diags.missing(&reader.place, key, "the action", example);
    }
    value
}
