//! `events.jsonl`: one JSON object for each fact, in the words of the recordings of real clusters.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::fault_line::fault_line;
use super::harmless::harmless_json;
use super::in_client;
use super::labels::Labels;
use super::listing::Listing;
use super::stuck::{Finding, Mechanism};
use crate::eureka::client::View;
use crate::eureka::server::resources::{BatchItem, DirtyParameter, StatusParameter};
use crate::eureka::server::{CacheKey, Registry};
use crate::eureka::{InstanceKey, InstanceStatus, Names};
use crate::scenario::{Plan, Viewers};
use crate::sim::{
    BatchOutcome, CallFailure, Fact, FaultFact, HostId, Party, RequestFact, RequestLine,
    TrafficFact, WorldView,
};
use crate::time::{Instant, Span};

/// How much is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventLevel {
    /// What changes something.
    Changes,
    /// Also every request, renewal, replication batch, eviction run and view, and the registries at
    /// the end.
    All,
    /// Nothing.
    None,
}

/// A line that is complete, or waits for the end of its batch.
enum Line {
    Ready(String),
    Batch { from: HostId, fields: Map<String, Value> },
}

impl Line {
    /// What is written; a batch whose end nobody has seen is pending.
    fn text(self) -> String {
        match self {
            Self::Ready(text) => text,
            Self::Batch { mut fields, .. } => {
                fields.insert("outcome".to_owned(), json!("pending"));
                Value::Object(fields).to_string()
            }
        }
    }
}

/// Writes events as they happen.
pub struct EventLog {
    level: EventLevel,
    views: Viewers,
    epoch_ms: i64,
    sink: Box<dyn Write>,
    error: Option<io::Error>,
    /// Lines from the first one that is not complete on.
    waiting: VecDeque<Line>,
    /// How many lines do not wait any more.
    written: u64,
    /// Batches under way: which line of the whole file is theirs.
    under_way: BTreeMap<u64, u64>,
    /// For each link, the items of its last batch.
    last_items: BTreeMap<(HostId, HostId), Value>,
    listing: Listing,
}

impl EventLog {
    /// Writes into `sink` what `level` asks for.
    #[must_use]
    pub fn new(level: EventLevel, plan: &Plan, sink: Box<dyn Write>) -> Self {
        Self {
            level,
            views: plan.observe.views,
            epoch_ms: plan.setup.epoch_ms,
            sink,
            error: None,
            waiting: VecDeque::new(),
            written: 0,
            under_way: BTreeMap::new(),
            last_items: BTreeMap::new(),
            listing: Listing::new(plan.setup.servers.len()),
        }
    }

    /// Writes the line of a fact, if it has one at this level.
    pub(super) fn fact(
        &mut self,
        at: Instant,
        fact: &Fact<'_>,
        world: &WorldView<'_>,
        labels: &Labels,
    ) {
        if self.level == EventLevel::None {
            return;
        }
        match fact {
            Fact::BatchSent { batch, from, to, items } if self.level == EventLevel::All => {
                let (from, to) = (*from, *to);
                let fields = self.batch_sent(at, (from, to), items, world.names(), labels);
                self.under_way.insert(*batch, self.written + self.waiting.len() as u64);
                self.waiting.push_back(Line::Batch { from, fields });
            }
            Fact::BatchEnded { batch, outcome, took, codes, .. }
                if self.level == EventLevel::All =>
            {
                self.batch_ended(*batch, *outcome, *took, codes);
                self.flush();
            }
            _ => {
                if let Fact::Exited(host, _) | Fact::Fault(FaultFact::Process("kill", host)) = fact
                {
                    self.sender_gone(*host);
                }
                let mut fields = Map::new();
                fields.insert("t_ms".to_owned(), t_ms(at));
                if let Some(rest) = self.line(fact, world, labels) {
                    fields.extend(rest);
                    self.push(Value::Object(fields));
                }
            }
        }
    }

    /// An instance is stuck.
    pub(super) fn found(&mut self, finding: &Finding, world: &WorldView<'_>, labels: &Labels) {
        if self.level == EventLevel::None {
            return;
        }
        self.push(json!({
            "t_ms": t_ms(finding.at), "event": "stuck", "class": finding.class.name(),
            "id": world.names().full(finding.key), "server": labels.server(finding.server),
            "since_ms": t_ms(finding.since),
            "mechanism": finding.mechanism.map(Mechanism::name),
        }));
    }

    /// The run has ended: the registries, if everything is written, and what still waits.
    pub(super) fn finish(&mut self, world: &WorldView<'_>, labels: &Labels) {
        if self.level == EventLevel::All {
            for server in world.server_hosts() {
                if let Some(registry) = world.registry(server) {
                    let line = self.registry_line(world, server, registry, labels);
                    self.push(line);
                }
            }
        }
        for line in std::mem::take(&mut self.waiting) {
            self.write(&line.text());
        }
        if let Err(error) = self.sink.flush() {
            self.error.get_or_insert(error);
        }
    }

    /// What went wrong with writing, if anything did.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    fn push(&mut self, line: Value) {
        self.waiting.push_back(Line::Ready(line.to_string()));
        self.flush();
    }

    /// Writes what is complete.
    fn flush(&mut self) {
        while matches!(self.waiting.front(), Some(Line::Ready(_)))
            && let Some(line) = self.waiting.pop_front()
        {
            self.written += 1;
            self.write(&line.text());
        }
    }

    fn write(&mut self, text: &str) {
        if self.error.is_none()
            && let Err(error) = writeln!(self.sink, "{}", harmless_json(text))
        {
            self.error = Some(error);
        }
    }

    /// The fields of a line after the time, or nothing if this fact has no line at this level.
    fn line(
        &mut self,
        fact: &Fact<'_>,
        world: &WorldView<'_>,
        labels: &Labels,
    ) -> Option<Map<String, Value>> {
        let names = world.names();
        let all = self.level == EventLevel::All;
        // Whether a view has changed is not looked at if nobody reads it.
        if let Fact::View { client, .. } = fact
            && !(all && self.shows_view_of(*client, world))
        {
            return None;
        }
        let (_, level) = self.listing.event(fact)?;
        if level == EventLevel::All && !all {
            return None;
        }
        let server = |host: &HostId| labels.server(*host).to_owned();
        let object = match fact {
            Fact::Started(host, generation) => {
                let mut line = json!({"event": "start", "process": labels.host(*host)});
                if *generation > 0 {
                    line["generation"] = json!(generation);
                }
                line
            }
            Fact::Exited(host, generation) => {
                let mut line = json!({"event": "exit", "process": labels.host(*host)});
                if *generation > 0 {
                    line["generation"] = json!(generation);
                }
                line
            }
            Fact::Listening(host) => json!({"event": "listening", "server": server(host)}),
            Fact::Closed(host) => json!({"event": "closed", "server": server(host)}),
            Fact::OpenForTraffic { server: host, sync_count, count } => json!({
                "event": "open-for-traffic", "server": server(host),
                "sync_count": sync_count, "count": count,
            }),
            Fact::Request { server: host, from, request, code, .. } => {
                self.request(server(host), *from, request, *code, names, labels)
            }
            Fact::Failed { from, to, request, outcome } => {
                failed((*from, *to), *request, outcome.name(), names, labels)
            }
            Fact::TurnedAway { from, to, request, code } => {
                failed((*from, *to), *request, &code.to_string(), names, labels)
            }
            Fact::TaskDropped { from, to, key, action, why } => json!({
                "event": "replication-dropped", "from": server(from), "to": server(to),
                "action": action.name(), "id": names.full(*key), "why": why.name(),
            }),
            Fact::Registered { server: host, key, status, replica, .. } => json!({
                "event": "register", "server": server(host), "id": names.full(*key),
                "status": status.name(), "replica": replica,
            }),
            Fact::Renewed { server: host, key, replica } => json!({
                "event": "renew", "server": server(host), "id": names.full(*key),
                "replica": replica,
            }),
            Fact::Cancelled { server: host, key, evicted: true, .. } => json!({
                "event": "expired-lease", "server": server(host), "id": names.full(*key),
            }),
            Fact::Cancelled { server: host, key, replica, evicted: false } => json!({
                "event": "cancel", "server": server(host), "id": names.full(*key),
                "replica": replica,
            }),
            Fact::Overridden { server: host, key, status } => json!({
                "event": "override", "server": server(host), "id": names.full(*key),
                "status": status.map(InstanceStatus::name),
            }),
            Fact::EvictRun { server: host, run } => {
                let evicted: Vec<String> = run.evicted.iter().map(|key| names.full(*key)).collect();
                json!({
                    "event": "evict-run", "server": server(host), "enabled": run.enabled,
                    "expired": run.expired, "limit": run.limit, "evicted": evicted,
                    "compensation_ms": run.compensation_ms,
                })
            }
            Fact::Threshold { server: host, from, to } => json!({
                "event": "threshold", "server": server(host), "from": from, "to": to,
            }),
            Fact::Bucket { server: host, renews } => {
                json!({"event": "bucket", "server": server(host), "renews": renews})
            }
            Fact::Peers { server: host, peers } => {
                let peers = peers.iter().map(|peer| server(&HostId::new((*peer).into())));
                json!({"event": "peers", "server": server(host), "peers": peers.collect::<Vec<_>>()})
            }
            Fact::SelfPreservation { server: host, on } => {
                json!({"event": "self-preservation", "server": server(host), "on": on})
            }
            Fact::BelowRenewThreshold { server: host, on } => {
                json!({"event": "below-renew-threshold", "server": server(host), "on": on})
            }
            Fact::View { client, old, new } => {
                view_line(labels.host(*client), old, new, world, *client)
            }
            Fact::LocalStatus { client, status, dirty } => json!({
                "event": "local-status", "client": labels.host(*client),
                "status": status.name(), "dirty": self.since_start(*dirty),
            }),
            Fact::InClient(process, event) => in_client::line(&labels.host(*process), *event)?,
            Fact::Fault(fault) => fault_line(fault, world, labels),
            Fact::Traffic(traffic) => traffic_line(traffic, names, labels)?,
            Fact::Initialised(_)
            | Fact::BatchSent { .. }
            | Fact::BatchEnded { .. }
            | Fact::ReplicaNotFound { .. }
            | Fact::Adopted { .. }
            | Fact::Expected { .. }
            | Fact::StatusChanged { .. } => return None,
        };
        match object {
            Value::Object(fields) => Some(fields),
            _ => None,
        }
    }

    fn shows_view_of(&self, client: HostId, world: &WorldView<'_>) -> bool {
        match self.views {
            Viewers::All => true,
            Viewers::Callers => !world.setup().calls_of(client).is_empty(),
            Viewers::Nobody => false,
        }
    }

    fn request(
        &self,
        server: String,
        from: Party,
        request: &RequestFact<'_>,
        code: u16,
        names: &Names,
        labels: &Labels,
    ) -> Value {
        let from = match from {
            Party::Host(host) => labels.host(host),
            Party::Outside => "outside".to_owned(),
        };
        let (method, path) = request_path(names, request);
        let mut line = json!({
            "event": "request", "server": server, "from": from, "method": method, "path": path,
        });
        let mut query = Map::new();
        let mut put_dirty = |dirty: &DirtyParameter| match dirty {
            DirtyParameter::Absent => {}
            DirtyParameter::Malformed => drop(query.insert("dirty".to_owned(), json!("malformed"))),
            DirtyParameter::Value(dirty) => {
                query.insert("dirty".to_owned(), json!(self.since_start(*dirty)));
            }
        };
        match request {
            RequestFact::Register(info) => {
                line["id"] = json!(names.id_text(info.key));
                line["status"] = json!(info.status.name());
                line["dirty"] = json!(self.since_start(info.last_dirty_timestamp));
            }
            RequestFact::Heartbeat { status, dirty, .. } => {
                put_dirty(dirty);
                if let Some(status) = status {
                    query.insert("status".to_owned(), json!(status.name()));
                }
            }
            RequestFact::StatusUpdate { value, dirty, .. }
            | RequestFact::DeleteStatus { value, dirty, .. } => {
                put_dirty(dirty);
                if let Some(value) = status_text(*value) {
                    query.insert("value".to_owned(), json!(value));
                }
            }
            RequestFact::Batch => line["replica"] = json!(true),
            RequestFact::Cancel(_)
            | RequestFact::Metadata(_)
            | RequestFact::Get(_)
            | RequestFact::GetInstance(_)
            | RequestFact::GetById(_) => {}
        }
        if !query.is_empty() {
            line["query"] = Value::Object(query);
        }
        line["code"] = json!(code);
        line
    }

    fn batch_sent(
        &mut self,
        at: Instant,
        link: (HostId, HostId),
        items: &[BatchItem],
        names: &Names,
        labels: &Labels,
    ) -> Map<String, Value> {
        let items: Value = items.iter().map(|item| self.item(item, names)).collect();
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("t_ms", t_ms(at));
        put("event", json!("replication-batch"));
        put("from", json!(labels.server(link.0)));
        put("to", json!(labels.server(link.1)));
        if self.last_items.get(&link) == Some(&items) {
            put("as_before", json!(true));
        } else {
            put("items", items.clone());
            self.last_items.insert(link, items);
        }
        fields
    }

    fn item(&self, item: &BatchItem, names: &Names) -> Value {
        let mut line = json!({"action": item.action.task().name(), "id": names.full(item.key)});
        if let Some(status) = status_text(item.status) {
            line["status"] = json!(status);
        }
        if let Some(overridden) = status_text(item.overridden) {
            line["overridden"] = json!(overridden);
        }
        if let DirtyParameter::Value(dirty) = item.dirty {
            line["dirty"] = json!(self.since_start(dirty));
        }
        line
    }

    fn batch_ended(&mut self, batch: u64, outcome: BatchOutcome, took: Span, codes: &[u16]) {
        let Some(line) = self.under_way.remove(&batch) else {
            return;
        };
        let line = &mut self.waiting[(line - self.written) as usize];
        if let Line::Batch { fields, .. } = line {
            fields.insert("outcome".to_owned(), json!(outcome_text(outcome)));
            fields.insert("ms".to_owned(), t_ms(Instant::ZERO + took));
            if !codes.is_empty() {
                fields.insert("codes".to_owned(), json!(codes));
            }
            *line = Line::Ready(Value::Object(std::mem::take(fields)).to_string());
        }
    }

    /// A process does not run any more: nobody will know how the batches ended that it has sent.
    fn sender_gone(&mut self, host: HostId) {
        let (waiting, written) = (&mut self.waiting, self.written);
        self.under_way.retain(|_, number| {
            let line = &mut waiting[(*number - written) as usize];
            let is_others = matches!(line, Line::Batch { from, .. } if *from != host);
            if !is_others {
                *line = Line::Ready(std::mem::replace(line, Line::Ready(String::new())).text());
            }
            is_others
        });
    }

    /// A wall-clock time of the run. Callers from outside may send any number at all.
    fn since_start(&self, wall_ms: i64) -> i64 {
        wall_ms.saturating_sub(self.epoch_ms)
    }

    fn registry_line(
        &self,
        world: &WorldView<'_>,
        server: HostId,
        registry: &Registry,
        labels: &Labels,
    ) -> Value {
        let names = world.names();
        let keys = registry.apps().flat_map(|app| registry.instances_of(app));
        let leases: Vec<Value> = keys
            .filter_map(|key| {
                let lease = registry.lease(key)?;
                let info = &registry.objects()[lease.holder];
                Some(json!({
                    "id": names.full(key), "status": info.status.name(),
                    "overridden": info.overridden_status.name(),
                    "dirty": self.since_start(info.last_dirty_timestamp),
                    "registered": self.since_start(lease.registration_timestamp),
                    "renewed": self.since_start(lease.last_update_timestamp),
                }))
            })
            .collect();
        let now = world.clocks(server);
        let overrides: Map<String, Value> = registry
            .overrides()
            .snapshot(now.mono)
            .map(|(id, status)| (names.text(id).to_owned(), json!(status.name())))
            .collect();
        json!({
            "t_ms": t_ms(world.now()), "event": "registry", "server": labels.server(server),
            "leases": leases, "overrides": overrides,
            "hash": registry.reconcile_hash().to_string(),
        })
    }
}

/// A client's request that came to nothing.
fn failed(
    (from, to): (HostId, HostId),
    request: RequestLine,
    outcome: &str,
    names: &Names,
    labels: &Labels,
) -> Value {
    let (method, path) = request_line(names, request);
    json!({
        "event": "failed", "from": labels.host(from), "to": labels.server(to),
        "method": method, "path": path, "outcome": outcome,
    })
}

/// Milliseconds as in every report, for JSON.
#[must_use]
pub fn t_ms(at: Instant) -> Value {
    Value::Number(at.millis_text().parse().expect("digits with at most a point are a number"))
}

fn status_text(status: StatusParameter) -> Option<&'static str> {
    match status {
        StatusParameter::Absent => None,
        StatusParameter::Value(status) => Some(status.name()),
        StatusParameter::Malformed => Some("malformed"),
    }
}

fn outcome_text(outcome: BatchOutcome) -> String {
    match outcome {
        BatchOutcome::Answered(code) => code.to_string(),
        BatchOutcome::Failed(failure) => failure.name().to_owned(),
    }
}

fn instance_path(names: &Names, key: InstanceKey) -> String {
    format!("apps/{}", names.full(key))
}

fn get_path(names: &Names, what: CacheKey) -> String {
    match what {
        CacheKey::AllApps => "apps/".to_owned(),
        CacheKey::AllAppsDelta => "apps/delta".to_owned(),
        CacheKey::App(app) => format!("apps/{}", names.app_name(app)),
        CacheKey::Vip(vip) => format!("vips/{}", names.text(vip)),
        CacheKey::SecureVip(vip) => format!("svips/{}", names.text(vip)),
    }
}

fn request_line(names: &Names, line: RequestLine) -> (&'static str, String) {
    match line {
        RequestLine::Register(key) => {
            ("POST", format!("apps/{}", names.app_name(names.app_of(key))))
        }
        RequestLine::Heartbeat(key) => ("PUT", instance_path(names, key)),
        RequestLine::Cancel(key) => ("DELETE", instance_path(names, key)),
        RequestLine::Get(what) => ("GET", get_path(names, what)),
    }
}

fn request_path(names: &Names, request: &RequestFact<'_>) -> (&'static str, String) {
    match request {
        RequestFact::Register(info) => request_line(names, RequestLine::Register(info.key)),
        RequestFact::Heartbeat { key, .. } => request_line(names, RequestLine::Heartbeat(*key)),
        RequestFact::Cancel(key) => request_line(names, RequestLine::Cancel(*key)),
        RequestFact::Get(what) => request_line(names, RequestLine::Get(*what)),
        RequestFact::StatusUpdate { key, .. } => {
            ("PUT", format!("{}/status", instance_path(names, *key)))
        }
        RequestFact::DeleteStatus { key, .. } => {
            ("DELETE", format!("{}/status", instance_path(names, *key)))
        }
        RequestFact::Metadata(key) => ("PUT", format!("{}/metadata", instance_path(names, *key))),
        RequestFact::GetInstance(key) => ("GET", instance_path(names, *key)),
        RequestFact::GetById(id) => ("GET", format!("instances/{}", names.text(*id))),
        RequestFact::Batch => ("POST", "peerreplication/batch/".to_owned()),
    }
}

/// Something between consumers and those they call.
fn traffic_line(fact: &TrafficFact<'_>, names: &Names, labels: &Labels) -> Option<Value> {
    Some(match fact {
        TrafficFact::Second { app, counts } => json!({
            "event": "calls", "app": names.app_name(*app), "calls": counts.calls,
            "attempts": counts.attempts, "failed": counts.failed, "to_dead": counts.to_dead,
        }),
        TrafficFact::Failed { from, app, to, why, last } => json!({
            "event": "call-failed", "from": labels.host(*from), "app": names.app_name(*app),
            "id": to.map(|to| names.full(to)), "outcome": call_failure_text(*why), "last": last,
        }),
        TrafficFact::ToDead { from, to, dead_for } => json!({
            "event": "call-to-dead", "from": labels.host(*from), "id": names.full(*to),
            "dead_ms": dead_for.map(|span| t_ms(Instant::ZERO + span)),
        }),
        TrafficFact::Balancer { client, app, old, new } => json!({
            "event": "balancer", "client": labels.host(*client), "app": names.app_name(*app),
            "from": old.map_or(0, |list| list.instances.len()),
            "to": new.map_or(0, |list| list.instances.len()),
        }),
        TrafficFact::CacheFill(_) => return None,
    })
}

const fn call_failure_text(failure: CallFailure) -> &'static str {
    match failure {
        CallFailure::NoInstance => "no-instance",
        CallFailure::Refused => "refused",
        CallFailure::ConnectTimeout => "connect-timeout",
        CallFailure::ReadTimeout => "read-timeout",
    }
}

/// What changed between two views.
fn view_line(client: String, old: &View, new: &View, world: &WorldView<'_>, host: HostId) -> Value {
    let names = world.names();
    let statuses = |view: &View| -> BTreeMap<InstanceKey, InstanceStatus> {
        view.instances().map(|info| (info.key, info.status)).collect()
    };
    let (before, after) = (statuses(old), statuses(new));
    let changed: Vec<String> = new
        .instances()
        .filter(|info| before.get(&info.key) != Some(&info.status))
        .map(|info| format!("{}={}", names.full(info.key), info.status))
        .collect();
    let removed: Vec<String> = old
        .instances()
        .filter(|info| !after.contains_key(&info.key))
        .map(|info| names.full(info.key))
        .collect();
    let only_up = world.setup().profile_of(host).client.filter_only_up_instances;
    let mut line = json!({
        "event": "view", "client": client, "size": new.counts.total(),
        "visible": new.visible(only_up), "hash": new.counts.to_string(),
    });
    if !changed.is_empty() {
        line["changed"] = json!(changed);
    }
    if !removed.is_empty() {
        line["removed"] = json!(removed);
    }
    line
}
