//! What a client does, in the words of a trace.

use serde_json::{Map, Value, json};

use crate::eureka::client::{ClientEvent, ClientProcess, Request, Supervised, View, Which, Worker};
use crate::eureka::java::{Random, hash_set_order};
use crate::eureka::server::CacheKey;
use crate::eureka::{InstanceKey, InstanceStatus, Names};

/// How a trace writes things.
pub(super) struct Render<'a> {
    pub(super) names: &'a Names,
    /// Wall clock (ms) of time 0: timestamps are relative to it.
    pub(super) epoch: i64,
    /// The regions that fetches ask for.
    pub(super) regions: Option<&'a str>,
    /// Whether bodies show lease and host.
    pub(super) shows_lease: bool,
}

impl Render<'_> {
    /// The question of a request; its end is added by others.
    pub(super) fn request(
        &self,
        client: &ClientProcess,
        worker: Worker,
        server: u16,
        request: &Request,
    ) -> Value {
        let by = match worker {
            Worker::Application => "app",
            Worker::Heartbeat => "heartbeat",
            Worker::Refresh => "refresh",
            Worker::Replicator => "replicator",
        };
        let app = format!("apps/{}", self.names.app_name(self.names.app_of(client.key())));
        let instance = format!("{app}/{}", self.names.id_text(client.key()));
        let (method, path) = match request {
            Request::Register(_) => ("POST", app),
            Request::Heartbeat { .. } => ("PUT", instance),
            Request::Cancel => ("DELETE", instance),
            Request::Get(what) => ("GET", self.path(*what)),
        };
        let mut line =
            json!({"by": by, "server": format!("s{server}"), "method": method, "path": path});
        match request {
            Request::Register(info) => {
                line["status-in-body"] = json!(info.status.name());
                line["dirty"] = json!(info.last_dirty_timestamp - self.epoch);
                if !info.metadata.is_empty() {
                    let entries = info.metadata.iter();
                    let metadata: Map<String, Value> =
                        entries.map(|(key, value)| (key.to_string(), json!(**value))).collect();
                    line["metadata"] = Value::Object(metadata);
                }
                if let Some(lease) = info.lease_info.filter(|_| self.shows_lease) {
                    let (renewal, duration) =
                        (lease.renewal_interval_in_secs.get(), lease.duration_in_secs);
                    line["lease"] = json!({"renewal": renewal, "duration": duration});
                    line["host"] = json!(client.host_name().unwrap_or("h1"));
                }
            }
            Request::Heartbeat { status, dirty } => {
                let status = status.map(|status| status.name());
                let dirty = dirty.map(|dirty| dirty - self.epoch);
                line["query"] = json!({"status": status, "lastDirtyTimestamp": dirty});
            }
            Request::Cancel => line["local-status"] = json!(client.status().name()),
            Request::Get(_) => {
                if let Some(regions) = self.regions {
                    line["query"] = json!({"regions": regions});
                }
            }
        }
        line
    }

    fn path(&self, what: CacheKey) -> String {
        match what {
            CacheKey::AllApps => "apps/".to_owned(),
            CacheKey::AllAppsDelta => "apps/delta".to_owned(),
            CacheKey::App(app) => format!("apps/{}", self.names.app_name(app)),
            CacheKey::Vip(vip) => format!("vips/{}", self.names.text(vip)),
            CacheKey::SecureVip(vip) => format!("svips/{}", self.names.text(vip)),
        }
    }

    /// The status line of an instance that was just made.
    pub(super) fn new_instance(status: InstanceStatus, dirty: i64) -> Value {
        json!({"instance": status.name(), "dirty": false, "dirty-at": dirty, "remote": "UNKNOWN"})
    }

    pub(super) fn status(&self, client: &ClientProcess) -> Value {
        json!({
            "instance": client.status().name(),
            "dirty": client.is_dirty(),
            "dirty-at": client.last_dirty() - self.epoch,
            "remote": client.remote_status().name(),
        })
    }

    /// The local registry; `visible` is what callers get, in the order of the shuffle that drew the
    /// first of its numbers as number `seed`, or sorted.
    pub(super) fn view(
        &self,
        view: &View,
        stored_hash: Option<&str>,
        only_up: bool,
        seed: Option<u32>,
    ) -> Value {
        let mut apps = Map::new();
        let mut visible = Map::new();
        let names: Vec<&str> = view.apps.iter().map(|app| self.names.app_name(app.app)).collect();
        let in_order = hash_set_order(&names);
        for (place, app) in view.apps.iter().enumerate() {
            let name = names[place];
            let id = |key: InstanceKey| self.names.id_text(key);
            let listed: Map<String, Value> = app
                .instances
                .iter()
                .map(|info| (id(info.key).to_owned(), json!(info.status.name())))
                .collect();
            apps.insert(name.to_owned(), Value::Object(listed));
            let seen =
                app.instances.iter().filter(|info| !only_up || info.status == InstanceStatus::Up);
            let mut seen: Vec<&str> = seen.map(|info| id(info.key)).collect();
            match seed {
                None => seen.sort_unstable(),
                Some(seed) => {
                    let turn = in_order.iter().position(|turn| *turn == place).unwrap_or_default();
                    let mut random = Random::new(i64::from(seed) + turn as i64);
                    for last in (1..seen.len()).rev() {
                        seen.swap(last, random.next_int(last as i32 + 1) as usize);
                    }
                }
            }
            visible.insert(name.to_owned(), json!(seen));
        }
        let mut line = json!({
            "size": view.counts.total(),
            "version": view.version,
            "hash": view.counts.to_string(),
        });
        if let Some(hash) = stored_hash {
            line["stored-hash"] = json!(hash);
        }
        line["apps"] = Value::Object(apps);
        line["visible"] = Value::Object(visible);
        line
    }
}

/// The text of an `event` line; none for what has a line of its own, or none.
pub(super) fn event(event: ClientEvent) -> Option<String> {
    let text = match event {
        ClientEvent::Constructed(Which::First) => "constructed",
        ClientEvent::Constructed(Which::Second) => "second-constructed",
        ClientEvent::ConstructFailed(failure) => {
            return Some(format!("construct-failed {}", failure.message()));
        }
        ClientEvent::ShutdownReturned(Which::First) => "shutdown-returned",
        ClientEvent::ShutdownReturned(Which::Second) => "second-shutdown-returned",
        ClientEvent::TransportShutdown => "transport-shutdown",
        ClientEvent::CacheRefreshed => "cache-refreshed",
        ClientEvent::RemoteStatus(from, to) => {
            return Some(format!("remote-status {from} -> {to}"));
        }
        ClientEvent::HealthEvaluate(current, answer) => {
            return Some(format!("health-evaluate {current} -> {}", answer.name()));
        }
        ClientEvent::HealthEvaluated => "health-evaluated",
        ClientEvent::HealthException => "health-exception",
        ClientEvent::HealthInterrupted => "health-interrupted",
        ClientEvent::Callback(status) => return Some(format!("callback -> {status}")),
        ClientEvent::OnDemandRateLimited => "on-demand-rate-limited",
        ClientEvent::OnDemandAfterStop => "on-demand-after-stop",
        ClientEvent::SupervisorTimeout(_) => "supervisor-timeout",
        ClientEvent::SupervisorRejected(_) => "supervisor-rejected",
        ClientEvent::HashMismatch => "hash-mismatch",
        ClientEvent::GenerationLost => "generation-lost",
        ClientEvent::DeltaRefused => "delta-refused",
        ClientEvent::FullBodyNull => "full-body-null",
        ClientEvent::ReconcileBodyNull => "reconcile-body-null",
        ClientEvent::FetchFailed(_) => "fetch-failed",
        ClientEvent::HeartbeatFailed(_) => "heartbeat-failed",
        ClientEvent::RegisterFailed(_) => "register-failed",
        ClientEvent::ReplicatorFailed(_) => "replicator-failed",
        ClientEvent::CancelFailed(_) => "cancel-failed",
        ClientEvent::HttpRetryInterrupted => "http-retry-interrupted",
        ClientEvent::SupervisorDelay(..)
        | ClientEvent::RefreshSucceeded
        | ClientEvent::HeartbeatSucceeded => return None,
    };
    Some(text.to_owned())
}

/// How a trace calls a supervisor.
pub(super) const fn supervised(which: Supervised) -> &'static str {
    match which {
        Supervised::Heartbeat => "heartbeat",
        Supervised::CacheRefresh => "cacheRefresh",
    }
}
