//! Results of operations in the words of the format.

use serde_json::{Map, Value, json};

use super::op::Fetch;
use crate::eureka::server::{
    Applications, CacheKey, Fact, Gauges, Handed, Lease, Objects, Registry, TimerKind,
};
use crate::eureka::{InstanceInfo, InstanceKey, Names};
use crate::time::Now;

/// How many entries of the lists of recent operations a dump shows.
const LISTED: usize = 20;

/// Writes results, with names resolved.
#[derive(Clone, Copy, Debug)]
pub struct Render<'a> {
    /// All names of the run.
    pub names: &'a Names,
}

impl Render<'_> {
    /// `s`: the gauges.
    #[must_use]
    pub fn gauges(gauges: &Gauges) -> Value {
        json!([
            gauges.local_registry_size,
            gauges.num_of_renews_in_last_min,
            gauges.num_of_renews_per_min_threshold,
            gauges.expected_number_of_clients_sending_renews,
            i32::from(gauges.is_lease_expiration_enabled),
            i32::from(gauges.is_below_renew_threshold),
            gauges.num_of_replications_in_last_min,
        ])
    }

    /// An entry of `out`.
    #[must_use]
    pub fn handed(&self, objects: &Objects, handed: &Handed) -> Value {
        let name = |key: InstanceKey| (self.names.app_name(self.names.app_of(key)), self.id(key));
        let stored = |info| {
            let info: &InstanceInfo = &objects[info];
            (info.status.name(), info.last_dirty_timestamp)
        };
        match *handed {
            Handed::Register { info } => {
                let (app, id) = name(objects[info].key);
                let (status, dirty) = stored(info);
                json!(["register", app, id, status, dirty])
            }
            Handed::Heartbeat { key, info, overridden } => {
                let (app, id) = name(key);
                info.map_or_else(
                    || json!(["heartbeat", app, id]),
                    |info| {
                        let (status, dirty) = stored(info);
                        let overridden = overridden.map(crate::eureka::InstanceStatus::name);
                        json!(["heartbeat", app, id, status, overridden, dirty])
                    },
                )
            }
            Handed::Cancel { key } => {
                let (app, id) = name(key);
                json!(["cancel", app, id])
            }
            Handed::StatusUpdate { key, info, new_status } => {
                let (app, id) = name(key);
                info.map_or_else(
                    || json!(["status", app, id]),
                    |info| {
                        let (status, dirty) = stored(info);
                        json!(["status", app, id, new_status.name(), status, dirty])
                    },
                )
            }
            Handed::DeleteStatusOverride { key, info } => {
                let (app, id) = name(key);
                info.map_or_else(
                    || json!(["delete-status", app, id]),
                    |info| {
                        let (status, dirty) = stored(info);
                        json!(["delete-status", app, id, status, dirty])
                    },
                )
            }
        }
    }

    /// The entry of `ev` for something a timer did, if it has one.
    #[must_use]
    pub fn event(&self, fact: &Fact, wall: i64) -> Option<Value> {
        match fact {
            Fact::EvictRun(run) if !run.evicted.is_empty() => {
                let ids: Vec<String> =
                    run.evicted.iter().map(|&key| self.names.full(key)).collect();
                let compensation = run.compensation_ms;
                Some(json!({"wall": wall, "k": "evict", "compensation": compensation, "ids": ids}))
            }
            Fact::TimerRan { kind, before, after } if before != after => {
                let kind = match kind {
                    TimerKind::DeltaRetention => "delta-retention",
                    TimerKind::ReplicationRate | TimerKind::RenewalRate => "bucket",
                    TimerKind::CacheFill => "cache-fill",
                    TimerKind::ThresholdUpdate => "threshold-update",
                    TimerKind::Eviction => "eviction-task",
                };
                Some(json!({"wall": wall, "k": kind, "s": Self::gauges(after)}))
            }
            _ => None,
        }
    }

    /// An instance in a result; its metadata only if there is any.
    #[must_use]
    pub fn instance(&self, info: &InstanceInfo) -> Value {
        let lease = info.lease_info.map(|lease| {
            json!([
                lease.renewal_interval_in_secs.get(),
                lease.duration_in_secs,
                lease.registration_timestamp,
                lease.last_renewal_timestamp,
                lease.eviction_timestamp,
                lease.service_up_timestamp,
            ])
        });
        let mut fields = self.stored(info, lease.unwrap_or(Value::Null));
        if !info.metadata.is_empty() {
            let meta = info.metadata.iter().map(|(key, value)| (key.to_string(), json!(&**value)));
            fields.insert("meta".to_owned(), Value::Object(meta.collect()));
        }
        Value::Object(fields)
    }

    /// `r` of a fetch that was answered 200 through the cache.
    #[must_use]
    pub fn fetched(&self, fetch: Fetch, payload: &Applications) -> Value {
        let apps: Vec<Value> = payload
            .apps
            .iter()
            .map(|app| {
                let instances = app.instances.iter().map(|info| self.instance(info));
                json!([self.names.app_name(app.app), instances.collect::<Vec<_>>()])
            })
            .collect();
        let body = match fetch {
            Fetch::Cached(CacheKey::App(_)) => json!({"apps": apps}),
            _ => {
                let hash = payload.hash.to_string();
                json!({"version": payload.version, "hash": hash, "apps": apps})
            }
        };
        json!({"code": 200, "body": body})
    }

    /// `r` of a dump.
    #[must_use]
    pub fn dump(&self, registry: &Registry, now: Now) -> Value {
        let names = self.names;
        let leases: Vec<Value> = registry
            .apps()
            .map(|app| {
                let keys = registry.instances_of(app);
                let leases = keys.filter_map(|key| registry.lease(key));
                let leases: Vec<Value> =
                    leases.map(|lease| self.lease(registry.objects(), lease, now)).collect();
                json!([names.app_name(app), leases])
            })
            .collect();
        let overrides: Map<String, Value> = registry
            .overrides()
            .snapshot(now.mono)
            .map(|(id, status)| (names.text(id).to_owned(), json!(status.name())))
            .collect();
        let objects = registry.objects();
        let changed = registry.recently_changed().iter().map(|item| {
            let key = objects[objects[item.lease].holder].key;
            json!([item.last_update_time, names.full(key)])
        });
        let listed = |entries: &mut dyn Iterator<Item = (i64, InstanceKey)>| -> Vec<Value> {
            let text = |key| format!("{}({})", names.app_name(names.app_of(key)), self.id(key));
            entries.take(LISTED).map(|(wall, key)| json!([wall, text(key)])).collect()
        };
        json!({
            "leases": leases,
            "overrides": overrides,
            "recently_changed": changed.collect::<Vec<_>>(),
            "last_registered": listed(&mut registry.recent_registered().newest_first()),
            "last_canceled": listed(&mut registry.recent_canceled().newest_first()),
            "access": registry.should_allow_access(now),
            "hash": registry.reconcile_hash().to_string(),
        })
    }

    fn lease(&self, objects: &Objects, lease: &Lease, now: Now) -> Value {
        let times = json!([
            lease.registration_timestamp,
            lease.last_update_timestamp,
            lease.duration,
            lease.eviction_timestamp,
            lease.service_up_timestamp,
        ]);
        let mut fields = self.stored(&objects[lease.holder], times);
        fields.insert("expired".to_owned(), json!(lease.is_expired(now.wall, 0)));
        Value::Object(fields)
    }

    fn stored(&self, info: &InstanceInfo, lease: Value) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("id", json!(self.id(info.key)));
        put("status", json!(info.status.name()));
        put("overridden", json!(info.overridden_status.name()));
        put("action", json!(info.action_type.map(crate::eureka::ActionType::name)));
        put("dirty", json!(info.last_dirty_timestamp));
        put("updated", json!(info.last_updated_timestamp));
        put("lease", lease);
        fields
    }

    fn id(&self, key: InstanceKey) -> &str {
        self.names.id_text(key)
    }
}
