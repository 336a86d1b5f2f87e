//! `run --trace`: everything a server process was asked and answered, in the form of the recordings
//! of the real classes, so that anybody can let those redo it and compare.
//!
//! The clock of a trace moves by `advance` lines, in which timers run. Where an operation comes
//! before the timers of its instant the advance is exclusive; where the wall clock does something an
//! advance does not, a `step-wall` line says so. What a server took over from a peer after a conflict is
//! written as operations to the same effect; where there are none, its file ends.

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::harmless::harmless_json;
use super::labels::Labels;
use crate::eureka::server::peer::Adopted;
use crate::eureka::server::resources::{
    Answer, BatchAction, BatchItem, DirtyParameter, Lacks, Registration, StatusParameter,
};
use crate::eureka::server::{CacheKey, Gauges, Registry};
use crate::eureka::{InstanceInfo, InstanceKey, Names};
use crate::golden::{Fetch, Header, Render, config_json};
use crate::scenario::Plan;
use crate::sim::{Fact, FaultFact, OperationKind, Reply, RequestFact, ServerOperation, WorldView};
use crate::time::{HostClock, Instant, Now};

/// Where traces go: a file for each server process.
pub type TraceFile = Box<dyn Write>;

/// Opens the file of this name.
pub type OpenTrace = Box<dyn FnMut(&str) -> io::Result<TraceFile>>;

/// Writes the traces of all servers of a run.
pub struct TraceLog {
    open: OpenTrace,
    scenario: String,
    labels: Labels,
    servers: Vec<Option<ServerTrace>>,
    error: Option<io::Error>,
}

/// The trace of one process.
struct ServerTrace {
    file: TraceFile,
    /// The clock of whoever redoes the trace; its start is the trace's.
    clock: HostClock,
    start: Instant,
    /// How far the lines written so far go.
    at: Instant,
    /// Timers have run that no line has covered yet: what they did.
    pending: bool,
    events: Vec<Value>,
    out: Vec<Value>,
    last: Last,
    /// Something has happened that no line can say: the file ends before it.
    ended: bool,
    error: Option<io::Error>,
}

/// The gauges after the last operation, and what the one that changes by itself depends on.
#[derive(Clone, Copy, Default)]
struct Last {
    gauges: Gauges,
    startup_time: i64,
    wait: i64,
}

impl TraceLog {
    /// Writes the files that `open` gives.
    #[must_use]
    pub fn new(plan: &Plan, open: OpenTrace) -> Self {
        Self {
            open,
            scenario: plan.name.clone(),
            labels: Labels::new(plan),
            servers: plan.setup.servers.iter().map(|_| None).collect(),
            error: None,
        }
    }

    /// What went wrong with writing, if anything did.
    pub fn take_error(&mut self) -> Option<io::Error> {
        let of_files = self.servers.iter_mut().flatten().find_map(|trace| trace.error.take());
        self.error.take().or(of_files)
    }

    /// A pause begins: what came before is written, since nothing happens until it ends.
    pub(super) fn fact(&mut self, fact: &Fact<'_>, world: &WorldView<'_>) {
        if let Fact::Fault(FaultFact::Process("pause", host)) = fact
            && world.is_server(*host)
            && let (Some(trace), Some(registry)) =
                (&mut self.servers[host.index()], world.registry(*host))
        {
            trace.flush(world.now(), registry.next_wake());
        }
    }

    pub(super) fn operation(
        &mut self,
        at: Instant,
        operation: &ServerOperation<'_>,
        world: &WorldView<'_>,
    ) {
        let server = operation.server;
        if let OperationKind::Init = operation.kind {
            match self.begin(at, operation, world) {
                Ok(trace) => self.servers[server.index()] = Some(trace),
                Err(error) => self.error = Some(error),
            }
            return;
        }
        if let Some(trace) = &mut self.servers[server.index()] {
            if world.is_paused(server) && matches!(operation.kind, OperationKind::StepWall(_)) {
                trace.stand_still(at);
            }
            trace.operation(at, operation, Render { names: world.names() });
        }
    }

    /// The run has ended: time up to its end is written.
    pub(super) fn finish(&mut self, world: &WorldView<'_>) {
        for server in world.server_hosts() {
            let Some(trace) = &mut self.servers[server.index()] else {
                continue;
            };
            if let Some(registry) = world.registry(server).filter(|_| !world.is_paused(server)) {
                trace.flush(world.now(), registry.next_wake());
            }
            trace.close();
        }
    }

    fn begin(
        &mut self,
        at: Instant,
        operation: &ServerOperation<'_>,
        world: &WorldView<'_>,
    ) -> io::Result<ServerTrace> {
        let server = operation.server;
        if let Some(mut ended) = self.servers[server.index()].take() {
            ended.close();
            self.error = self.error.take().or(ended.error);
        }
        let setup = &world.setup().servers[server.index()];
        let name = self.labels.server(server);
        let file = match operation.generation {
            1 => format!("{name}.jsonl"),
            generation => format!("{name}.{generation}.jsonl"),
        };
        let names = world.names();
        let header = Header {
            name: format!("{}/{name}", self.scenario),
            flavor: setup.flavor,
            release: world.release_of(server),
            epoch_ms: operation.now.wall,
            has_peers: setup.may_replicate(),
            own: (
                names.app_name(names.app_of(setup.own)).to_owned(),
                names.id_text(setup.own).to_owned(),
            ),
            eviction_before_rotation: world.setup().races.eviction_before_rotation,
            config: setup.config.unlike_netflix(),
        };
        // The constructor ran at the beginning of this millisecond, `init` a moment later.
        let moment = world.wall_nanos_into_milli(server);
        let start = Instant::from_nanos(at.nanos().saturating_sub(moment));
        let mut trace = ServerTrace {
            file: (self.open)(&file)?,
            clock: HostClock::new(operation.now.wall),
            start,
            at: start,
            pending: false,
            events: Vec::new(),
            out: Vec::new(),
            last: Last::of(operation.registry, operation.now),
            ended: false,
            error: None,
        };
        trace.write(&header.to_json());
        trace.flush(at, operation.registry.next_wake());
        trace.line(json!({"op": "init"}), operation, &Render { names }, None);
        Ok(trace)
    }
}

impl ServerTrace {
    fn operation(&mut self, at: Instant, operation: &ServerOperation<'_>, render: Render<'_>) {
        let next_wake = operation.registry.next_wake();
        let names = render.names;
        match &operation.kind {
            OperationKind::Init => {}
            OperationKind::Resumed => self.stand_still(at),
            OperationKind::Timers => {
                // They have run, but in the trace they are due: the step comes before them.
                self.synchronise(at, operation.now, Some(0));
                let wall = operation.now.wall;
                let facts = operation.registry.fact_list();
                self.events.extend(facts.iter().filter_map(|fact| render.event(fact, wall)));
                self.out.extend(handed(operation.registry, &render));
                self.pending = true;
                self.last = Last::of(operation.registry, operation.now);
            }
            OperationKind::View(view, only_up) => {
                self.flush(at, Some(0));
                self.synchronise(at, operation.now, Some(0));
                let line = |info: &Arc<InstanceInfo>| instance(info, names, Lacks::default());
                let instances: Vec<Value> = view.shown(*only_up).map(line).collect();
                let line = json!({"op": "view", "instances": instances});
                self.line(line, operation, &render, None);
            }
            OperationKind::StepWall(_) => {
                self.flush(at, next_wake);
                self.synchronise(at, operation.now, next_wake);
            }
            kind => {
                self.synchronise(at, operation.now, next_wake);
                self.flush(at, next_wake);
                self.request(kind, operation, &render);
            }
        }
    }

    /// The process has been frozen until now.
    fn stand_still(&mut self, at: Instant) {
        let nanos = at.since(self.at).nanos();
        self.at = at;
        let line = json!({"op": "pause", "ns": nanos, "timers": "later"});
        let now = self.now();
        self.with_gauges(line, self.last.at(now), now);
    }

    fn request(
        &mut self,
        kind: &OperationKind<'_>,
        operation: &ServerOperation<'_>,
        render: &Render<'_>,
    ) {
        let names = render.names;
        let code = |code: u16| Some(json!({"code": code}));
        match kind {
            OperationKind::SyncUp(seen, count) => {
                let waits = operation.registry.sync_up_waits_after(1, 1);
                if *count == 0 && waits {
                    // Up to 1.4.2 a fruitless look would sleep in the trace as well.
                    return;
                }
                let seen: Vec<Value> =
                    seen.iter().map(|info| instance(info, names, Lacks::default())).collect();
                let view = json!({"op": "view", "instances": seen});
                self.with_gauges(view, self.last.at(operation.now), operation.now);
                let result = Some(json!({"count": count}));
                self.line(json!({"op": "sync-up", "attempts": 1}), operation, render, result);
            }
            OperationKind::Open(count) => {
                let result = Some(json!({"self": "UP"}));
                self.line(json!({"op": "open", "count": count}), operation, render, result);
            }
            OperationKind::Set(key, value) => {
                let line = json!({"op": "set", "key": key, "value": config_json(value)});
                self.line(line, operation, render, None);
            }
            OperationKind::Register(registration, answer) => {
                let line = register(registration, names);
                self.line(line, operation, render, code(*answer));
            }
            OperationKind::Adopted(theirs, adopted) => {
                // Traces have no word for it; to the registry it is a replicated registration.
                let copy = instance(theirs, names, Lacks::default());
                let has_duration =
                    theirs.lease_info.is_some_and(|lease| lease.duration_in_secs > 0);
                match adopted {
                    Adopted::Registered => {
                        let line = json!({"op": "register", "instance": copy, "replica": true});
                        self.line(line, operation, render, code(204));
                    }
                    // Where its override replaced another one, that must go first. Start-up sync
                    // registers without being counted: together they count as one replication.
                    Adopted::RegisteredOver(status) if has_duration => {
                        let now = operation.now;
                        let mut line = about("delete-status", theirs.key, names);
                        (line["value"], line["replica"]) = (json!(status.name()), json!(true));
                        line["r"] = json!({"code": 200});
                        self.with_gauges(line, self.last.at(now), now);
                        let line = json!({"op": "view", "instances": [copy]});
                        self.with_gauges(line, self.last.at(now), now);
                        let line = json!({"op": "sync-up", "attempts": 1});
                        self.line(line, operation, render, Some(json!({"count": 1})));
                    }
                    // No operation changes an override and nothing else.
                    Adopted::RegisteredOver(_) | Adopted::OverrideOnly | Adopted::Failed => {
                        self.ended = true;
                    }
                }
            }
            OperationKind::Metadata(key, entries, answer) => {
                let meta: Map<String, Value> =
                    entries.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
                let mut line = about("metadata", *key, names);
                line["meta"] = Value::Object(meta);
                self.line(line, operation, render, code(*answer));
            }
            OperationKind::Batch(items, answers) => {
                let items: Vec<Value> = items.iter().map(|item| batch_item(item, names)).collect();
                let results: Vec<Value> = answers
                    .iter()
                    .map(|&answer| answer_json(answer, operation.registry, render))
                    .collect();
                let result = Some(json!({"code": 200, "items": results}));
                self.line(json!({"op": "batch", "items": items}), operation, render, result);
            }
            OperationKind::Request(request, reply) => {
                let (line, fetch) = request_line(request, names);
                let result = match (reply, fetch) {
                    (Reply::Payload(payload), Some(fetch)) => render.fetched(fetch, payload),
                    (Reply::Answer(answer), _) => answer_json(*answer, operation.registry, render),
                    (Reply::Payload(_), None) => Value::Null,
                };
                self.line(line, operation, render, Some(result));
            }
            OperationKind::Init
            | OperationKind::Resumed
            | OperationKind::Timers
            | OperationKind::View(..)
            | OperationKind::StepWall(_) => {}
        }
    }

    /// Writes that time has passed, and what timers did. Timers still due at the end of that time
    /// (`next_wake`, monotonic ns) run after the operation that follows.
    fn flush(&mut self, at: Instant, next_wake: Option<u64>) {
        let due = next_wake.is_some_and(|wake| HostClock::instant_of_mono(wake) <= at);
        let mut line = if at > self.at {
            let mut line = json!({"op": "advance", "ns": at.since(self.at).nanos()});
            if due {
                line["timers"] = json!("exclusive");
            }
            line
        } else if self.pending {
            json!({"op": "timers"})
        } else {
            return;
        };
        self.at = at;
        self.pending = false;
        let now = self.now();
        for (name, values) in [("out", &mut self.out), ("ev", &mut self.events)] {
            if !values.is_empty() {
                line[name] = Value::Array(std::mem::take(values));
            }
        }
        self.with_gauges(line, self.last.at(now), now);
    }

    /// Where the server's wall clock does not show what the trace's does, a step is written.
    fn synchronise(&mut self, at: Instant, now: Now, next_wake: Option<u64>) {
        let since_start = Instant::ZERO + at.since(self.start);
        let differs = now.wall - self.clock.now(since_start).wall;
        if differs == 0 {
            return;
        }
        self.flush(at, next_wake.or(Some(0)));
        self.clock.step(since_start, differs * 1_000_000);
        let line = json!({"op": "step-wall", "ms": differs});
        self.with_gauges(line, self.last.at(now), now);
    }

    fn now(&self) -> Now {
        self.clock.now(Instant::ZERO + self.at.since(self.start))
    }

    /// A line of an operation that has just been executed.
    fn line(
        &mut self,
        mut line: Value,
        operation: &ServerOperation<'_>,
        render: &Render<'_>,
        result: Option<Value>,
    ) {
        if let Some(result) = result {
            line["r"] = result;
        }
        let out: Vec<Value> = handed(operation.registry, render).collect();
        if !out.is_empty() {
            line["out"] = Value::Array(out);
        }
        self.last = Last::of(operation.registry, operation.now);
        self.with_gauges(line, self.last.gauges, operation.now);
    }

    fn with_gauges(&mut self, mut line: Value, gauges: Gauges, now: Now) {
        line["wall"] = json!(now.wall);
        line["s"] = Render::gauges(&gauges);
        self.write(&line);
    }

    fn write(&mut self, line: &Value) {
        if self.error.is_none()
            && !self.ended
            && let Err(error) = writeln!(self.file, "{}", harmless_json(&line.to_string()))
        {
            self.error = Some(error);
        }
    }

    fn close(&mut self) {
        if let Err(error) = self.file.flush() {
            self.error.get_or_insert(error);
        }
    }
}

impl Last {
    fn of(registry: &Registry, now: Now) -> Self {
        Self {
            gauges: registry.gauges(now),
            startup_time: registry.startup_time(),
            wait: registry.config().wait_time_in_ms_when_sync_empty.into(),
        }
    }

    /// The gauges at a later time, nothing having happened.
    fn at(&self, now: Now) -> Gauges {
        let Gauges { num_of_renews_in_last_min, num_of_renews_per_min_threshold, .. } = self.gauges;
        let few = num_of_renews_in_last_min <= num_of_renews_per_min_threshold.into();
        let open = self.startup_time > 0 && now.wall > self.startup_time + self.wait;
        Gauges { is_below_renew_threshold: few && open, ..self.gauges }
    }
}

fn handed<'a>(registry: &'a Registry, render: &'a Render<'_>) -> impl Iterator<Item = Value> + 'a {
    registry.handed_list().iter().map(|handed| render.handed(registry.objects(), handed))
}

fn answer_json(answer: Answer, registry: &Registry, render: &Render<'_>) -> Value {
    let mut result = json!({"code": answer.code});
    if let Some(info) = answer.instance {
        result["instance"] = render.instance(&registry.objects()[info]);
    }
    result
}

/// `{"op": …, "app": …, "id": …}`
fn about(op: &str, key: InstanceKey, names: &Names) -> Value {
    json!({"op": op, "app": names.app_name(names.app_of(key)), "id": names.id_text(key)})
}

fn put_dirty(line: &mut Value, dirty: DirtyParameter) {
    match dirty {
        DirtyParameter::Absent => {}
        DirtyParameter::Value(dirty) => line["dirty"] = json!(dirty),
        DirtyParameter::Malformed => line["dirty"] = json!("malformed"),
    }
}

fn put_status(line: &mut Value, name: &str, status: StatusParameter) {
    match status {
        StatusParameter::Absent => {}
        StatusParameter::Value(status) => line[name] = json!(status.name()),
        StatusParameter::Malformed => line[name] = json!("malformed"),
    }
}

/// The line of a request; what it reads, if it does.
fn request_line(request: &RequestFact<'_>, names: &Names) -> (Value, Option<Fetch>) {
    let get = |what: &str, name: Option<&str>, fetch: Fetch| {
        let mut line = json!({"op": "get", "what": what});
        if let Some(name) = name {
            line["name"] = json!(name);
        }
        (line, Some(fetch))
    };
    match request {
        RequestFact::Register(info) => {
            (json!({"op": "register", "instance": instance(info, names, Lacks::default())}), None)
        }
        RequestFact::Heartbeat { key, status, dirty } => {
            let mut line = about("renew", *key, names);
            if let Some(status) = status {
                line["status"] = json!(status.name());
            }
            put_dirty(&mut line, *dirty);
            (line, None)
        }
        RequestFact::Cancel(key) => (about("cancel", *key, names), None),
        RequestFact::StatusUpdate { key, value, dirty } => {
            let mut line = about("status", *key, names);
            put_status(&mut line, "value", *value);
            put_dirty(&mut line, *dirty);
            (line, None)
        }
        RequestFact::DeleteStatus { key, value, dirty } => {
            let mut line = about("delete-status", *key, names);
            put_status(&mut line, "value", *value);
            put_dirty(&mut line, *dirty);
            (line, None)
        }
        RequestFact::Get(what) => {
            let fetch = Fetch::Cached(*what);
            match *what {
                CacheKey::AllApps => get("apps", None, fetch),
                CacheKey::AllAppsDelta => get("delta", None, fetch),
                CacheKey::App(app) => get("app", Some(names.app_name(app)), fetch),
                CacheKey::Vip(vip) => get("vip", Some(names.text(vip)), fetch),
                CacheKey::SecureVip(vip) => get("svip", Some(names.text(vip)), fetch),
            }
        }
        RequestFact::GetInstance(key) => {
            let fetch = Fetch::Instance(*key);
            let (mut line, fetch) = get("instance", Some(names.id_text(*key)), fetch);
            line["app"] = json!(names.app_name(names.app_of(*key)));
            (line, fetch)
        }
        RequestFact::GetById(id) => get("instances", Some(names.text(*id)), Fetch::ById(*id)),
        RequestFact::Metadata(_) | RequestFact::Batch => (Value::Null, None),
    }
}

fn register(registration: &Registration, names: &Names) -> Value {
    let Registration { info, path, lacks } = registration;
    let mut line = json!({"op": "register", "instance": instance(info, names, *lacks)});
    if names.app_of(info.key) != *path {
        line["app"] = json!(names.app_name(*path));
    }
    line
}

fn batch_item(item: &BatchItem, names: &Names) -> Value {
    let mut line = json!({
        "action": item.action.task().name(), "app": names.app_name(names.app_of(item.key)),
        "id": names.id_text(item.key),
    });
    put_status(&mut line, "status", item.status);
    put_dirty(&mut line, item.dirty);
    put_status(&mut line, "overridden", item.overridden);
    if let BatchAction::Register(Some(registration)) = &item.action {
        line["instance"] = instance(&registration.info, names, registration.lacks);
    }
    line
}

/// An instance as a request brings it.
fn instance(info: &InstanceInfo, names: &Names, lacks: Lacks) -> Value {
    let app = names.app_name(names.app_of(info.key));
    let id = names.id_text(info.key);
    let mut line = json!({
        "app": app, "id": id, "status": info.status.name(), "dirty": info.last_dirty_timestamp,
    });
    line["lease"] = info.lease_info.map_or(Value::Null, |lease| {
        json!({"renewal": lease.renewal_interval_in_secs.get(), "duration": lease.duration_in_secs})
    });
    if info.overridden_status != crate::eureka::InstanceStatus::Unknown {
        line["overridden"] = json!(info.overridden_status.name());
    }
    let vip = info.vip_address.map(|vip| names.text(vip));
    if let Some(vip) = vip.filter(|vip| *vip != app.to_lowercase()) {
        line["vip"] = json!(vip);
    }
    if let Some(vip) = info.secure_vip_address {
        line["svip"] = json!(names.text(vip));
    }
    if !info.metadata.is_empty() {
        let entries = info.metadata.iter();
        let meta = entries.map(|(key, value)| (key.to_string(), json!(&**value)));
        line["meta"] = Value::Object(meta.collect());
    }
    // Where nothing is said of the host, it is what stands before the first colon of the id.
    if id.starts_with(':') {
        line["host"] = json!("h");
    }
    for (lacking, name) in
        [(lacks.host_name, "host"), (lacks.ip_address, "ip"), (lacks.data_center, "dc")]
    {
        if lacking {
            line[name] = Value::Null;
        }
    }
    line
}
