//! One line of a trace: the operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::fields::{Fields, Mismatch};
use super::header::config_value;
use crate::eureka::config::ConfigValue;
use crate::eureka::server::CacheKey;
use crate::eureka::server::resources::{
    BatchAction, BatchItem, DirtyParameter, Lacks, Registration, StatusParameter,
};
use crate::eureka::{
    InstanceInfo, InstanceKey, InstanceStatus, LeaseInfo, Metadata, NameId, Names,
};

/// How far the clocks move with timers running on time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Nanoseconds.
    pub nanos: u64,
    /// Timers due exactly at the end wait for the next line that lets timers run.
    pub exclusive: bool,
}

/// How long the process is frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Nanoseconds.
    pub nanos: u64,
    /// Overdue timers wait for the next line that lets timers run.
    pub later: bool,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// Through the response cache.
    Cached(CacheKey),
    /// One instance.
    Instance(InstanceKey),
    /// The first instance of this id.
    ById(NameId),
}

/// An operation, decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `init`
    Init,
    /// `view`: what the embedded client sees from now on.
    View(Vec<InstanceInfo>),
    /// `sync-up`: with another number of looks than configured.
    SyncUp(Option<i32>),
    /// `open` with this count.
    Open(i32),
    /// `register`
    Register(Box<Registration>, bool),
    /// `renew`
    Renew {
        /// Whose.
        key: InstanceKey,
        /// `lastDirtyTimestamp`.
        dirty: DirtyParameter,
        /// `overriddenstatus`.
        overridden: StatusParameter,
        /// From a peer.
        replica: bool,
    },
    /// `renew-many`: heartbeats without parameters.
    RenewMany(Vec<InstanceKey>),
    /// `cancel`
    Cancel(InstanceKey, bool),
    /// `status`
    Status(InstanceKey, StatusParameter, DirtyParameter, bool),
    /// `delete-status`
    DeleteStatus(InstanceKey, StatusParameter, DirtyParameter, bool),
    /// `metadata`
    SetMetadata(InstanceKey, Metadata),
    /// `batch`
    Batch(Vec<BatchItem>),
    /// `get`
    Get(Fetch),
    /// `advance`
    Advance(Advance),
    /// `pause`
    Pause(Pause),
    /// `timers`
    Timers,
    /// `step-wall`, in ms.
    StepWall(i64),
    /// `set`
    Set(String, ConfigValue),
    /// `evict` with this additional time in ms.
    Evict(i64),
    /// `dump`
    Dump,
}

/// Parameters an operation does not use are ignored, if they are parameters at all.
const PARAMETERS: [&str; 24] = [
    "op",
    "app",
    "id",
    "ids",
    "instance",
    "instances",
    "replica",
    "overridden",
    "status",
    "dirty",
    "value",
    "meta",
    "items",
    "what",
    "name",
    "ms",
    "ns",
    "timers",
    "key",
    "additional",
    "attempts",
    "count",
    "action",
    "self",
];
/// What the recorder saw, after the operation's own fields.
const RESULTS: [&str; 5] = ["r", "out", "ev", "wall", "s"];
/// Longest time one line may move the clocks: a year.
const MAX_NANOS: i64 = 366 * 86_400 * 1_000_000_000;

impl Op {
    /// Reads the operation of a line, giving numbers to new names; `now` (wall, ms) is what a body
    /// without dirty timestamp is stamped with when it is decoded.
    ///
    /// # Errors
    /// If a field is missing, unknown or not understood.
    pub fn parse(line: &Value, names: &mut Names, now: i64) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(line, "")?;
        let word = fields.text("op")?.unwrap_or_default();
        let op = match word {
            "init" => Self::Init,
            "view" => {
                let list = fields.list("instances")?;
                let list = fields.required("instances", list)?;
                let instances = list
                    .iter()
                    .map(|value| Ok(registration(value, "instances", None, names, now)?.info));
                Self::View(instances.collect::<Result<_, _>>()?)
            }
            "sync-up" => Self::SyncUp(small(&mut fields, "attempts")?),
            "open" => {
                let count = small(&mut fields, "count")?;
                Self::Open(fields.required("count", count)?)
            }
            "register" => {
                let instance = fields.get("instance");
                let instance = fields.required("instance", instance)?;
                let app = fields.text("app")?;
                let body = registration(instance, "instance", app, names, now)?;
                Self::Register(Box::new(body), fields.flag("replica")?)
            }
            "renew" => Self::Renew {
                key: instance_key(&mut fields, names)?,
                dirty: dirty(&mut fields)?,
                overridden: status(&mut fields, "overridden")?,
                replica: fields.flag("replica")?,
            },
            "renew-many" => Self::renew_many(&mut fields, names)?,
            "cancel" => Self::Cancel(instance_key(&mut fields, names)?, fields.flag("replica")?),
            "status" | "delete-status" => {
                let key = instance_key(&mut fields, names)?;
                let value = status(&mut fields, "value")?;
                let (dirty, replica) = (dirty(&mut fields)?, fields.flag("replica")?);
                match word {
                    "status" => Self::Status(key, value, dirty, replica),
                    _ => Self::DeleteStatus(key, value, dirty, replica),
                }
            }
            "metadata" => {
                let meta = metadata(&mut fields)?;
                Self::SetMetadata(instance_key(&mut fields, names)?, meta)
            }
            "batch" => {
                let items = fields.list("items")?;
                let items = fields.required("items", items)?;
                Self::Batch(
                    items
                        .iter()
                        .map(|item| batch_item(item, names, now))
                        .collect::<Result<_, _>>()?,
                )
            }
            "get" => Self::Get(Self::fetch(&mut fields, names)?),
            "advance" => Self::Advance(Advance {
                nanos: nanos(&mut fields)?,
                exclusive: timers(&mut fields, "exclusive")?,
            }),
            "pause" => Self::Pause(Pause {
                nanos: nanos(&mut fields)?,
                later: timers(&mut fields, "later")?,
            }),
            "timers" => Self::Timers,
            "step-wall" => {
                let most = MAX_NANOS.unsigned_abs() / 1_000_000;
                let by = fields.int("ms")?.filter(|ms| ms.unsigned_abs() <= most);
                Self::StepWall(by.ok_or_else(|| fields.wrong("ms", "milliseconds"))?)
            }
            "set" => {
                let key = fields.text("key")?;
                let key = fields.required("key", key)?.to_owned();
                let value = fields.get("value").and_then(config_value);
                Self::Set(key, value.ok_or_else(|| fields.wrong("value", "a setting"))?)
            }
            "evict" => {
                let additional = fields.int("additional")?;
                Self::Evict(fields.required("additional", additional)?)
            }
            "dump" => Self::Dump,
            _ => return Err(fields.wrong("op", "an operation of the format")),
        };
        let known: Vec<&str> = PARAMETERS.into_iter().chain(RESULTS).collect();
        fields.finish(&known)?;
        Ok(op)
    }

    fn renew_many(fields: &mut Fields<'_>, names: &mut Names) -> Result<Self, Mismatch> {
        let app = fields.text("app")?;
        let app = names.app(fields.required("app", app)?);
        let ids = fields.list("ids")?;
        let ids = fields.required("ids", ids)?.iter().map(|id| {
            let id = id.as_str().ok_or_else(|| fields.wrong("ids", "a list of texts"))?;
            Ok(names.instance(app, id))
        });
        Ok(Self::RenewMany(ids.collect::<Result<_, _>>()?))
    }

    fn fetch(fields: &mut Fields<'_>, names: &mut Names) -> Result<Fetch, Mismatch> {
        let what = fields.text("what")?.unwrap_or_default();
        let name = fields.text("name")?.unwrap_or_default();
        let app = fields.text("app")?.unwrap_or_default();
        Ok(match what {
            "apps" => Fetch::Cached(CacheKey::AllApps),
            "delta" => Fetch::Cached(CacheKey::AllAppsDelta),
            "app" => Fetch::Cached(CacheKey::App(names.app(name))),
            "vip" => Fetch::Cached(CacheKey::Vip(names.intern(name))),
            "svip" => Fetch::Cached(CacheKey::SecureVip(names.intern(name))),
            "instance" => {
                let app = names.app(app);
                Fetch::Instance(names.instance(app, name))
            }
            "instances" => Fetch::ById(names.intern(name)),
            _ => return Err(fields.wrong("what", "something that can be fetched")),
        })
    }
}

fn small(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<i32>, Mismatch> {
    let Some(number) = fields.int(name)? else {
        return Ok(None);
    };
    let small = i32::try_from(number).ok().filter(|number| *number >= 0);
    small.map(Some).ok_or_else(|| fields.wrong(name, "a number of 0 to 2147483647"))
}

fn nanos(fields: &mut Fields<'_>) -> Result<u64, Mismatch> {
    let (ms, ns) = (fields.int("ms")?, fields.int("ns")?);
    let (name, value) = match (ms, ns) {
        (Some(ms), None) => ("ms", ms.checked_mul(1_000_000)),
        (None, Some(ns)) => ("ns", Some(ns)),
        _ => return Err(fields.wrong("ms", "either ms or ns")),
    };
    let value = value.filter(|nanos| (0..=MAX_NANOS).contains(nanos));
    value.map(|nanos| nanos as u64).ok_or_else(|| fields.wrong(name, "a time of at most a year"))
}

fn timers(fields: &mut Fields<'_>, word: &str) -> Result<bool, Mismatch> {
    match fields.text("timers")? {
        None => Ok(false),
        Some(text) if text == word => Ok(true),
        Some(_) => Err(fields.wrong("timers", word)),
    }
}

fn instance_key(fields: &mut Fields<'_>, names: &mut Names) -> Result<InstanceKey, Mismatch> {
    let (app, id) = (fields.text("app")?, fields.text("id")?);
    let app = names.app(fields.required("app", app)?);
    Ok(names.instance(app, fields.required("id", id)?))
}

/// A number, or text that Java parses as one or fails on.
fn dirty(fields: &mut Fields<'_>) -> Result<DirtyParameter, Mismatch> {
    Ok(match fields.get("dirty") {
        None | Some(Value::Null) => DirtyParameter::Absent,
        Some(Value::String(text)) => {
            text.parse().map_or(DirtyParameter::Malformed, DirtyParameter::Value)
        }
        Some(value) => {
            let number = value.as_i64().ok_or_else(|| fields.wrong("dirty", "a number or text"))?;
            DirtyParameter::Value(number)
        }
    })
}

fn status(fields: &mut Fields<'_>, name: &'static str) -> Result<StatusParameter, Mismatch> {
    Ok(fields.text(name)?.map_or(StatusParameter::Absent, |text| {
        InstanceStatus::value_of(text).map_or(StatusParameter::Malformed, StatusParameter::Value)
    }))
}

fn metadata(fields: &mut Fields<'_>) -> Result<Metadata, Mismatch> {
    let mut entries: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    let Some(value) = fields.get("meta") else {
        return Ok(Arc::new(entries));
    };
    let object = value.as_object().ok_or_else(|| fields.wrong("meta", "an object of texts"))?;
    for (key, value) in object {
        let value = value.as_str().ok_or_else(|| fields.wrong("meta", "an object of texts"))?;
        entries.insert(key.as_str().into(), value.into());
    }
    Ok(Arc::new(entries))
}

fn batch_item(value: &Value, names: &mut Names, now: i64) -> Result<BatchItem, Mismatch> {
    let mut fields = Fields::of(value, "items")?;
    let action = match fields.text("action")?.unwrap_or_default() {
        "Register" => {
            let app = fields.text("app")?;
            let instance = fields.get("instance");
            let body =
                instance.map(|instance| registration(instance, "items.instance", app, names, now));
            BatchAction::Register(body.transpose()?.map(Box::new))
        }
        "Heartbeat" => BatchAction::Heartbeat,
        "Cancel" => BatchAction::Cancel,
        "StatusUpdate" => BatchAction::StatusUpdate,
        "DeleteStatusOverride" => BatchAction::DeleteStatusOverride,
        _ => return Err(fields.wrong("action", "an action of a replication batch")),
    };
    let item = BatchItem {
        key: instance_key(&mut fields, names)?,
        action,
        dirty: dirty(&mut fields)?,
        status: status(&mut fields, "status")?,
        overridden: status(&mut fields, "overridden")?,
    };
    fields.finish(&PARAMETERS)?;
    Ok(item)
}

/// The body of a registration. `path` is the application in the path, if it is not the body's.
fn registration(
    value: &Value,
    name: &str,
    path: Option<&str>,
    names: &mut Names,
    now: i64,
) -> Result<Registration, Mismatch> {
    let mut fields = Fields::of(value, name)?;
    let app = fields.text("app")?.unwrap_or_default();
    let id = fields.text("id")?;
    let host = nullable(&mut fields, "host")?;
    // Absent: what stands before the first colon of the id, and `h` if there is no id either.
    let host = host.unwrap_or_else(|| id.map_or("h", |id| id.split(':').next().unwrap_or(id)));
    let ip = nullable(&mut fields, "ip")?.unwrap_or("10.0.0.1");
    let data_center = fields.get("dc").is_none_or(|value| !value.is_null());
    let own_id = id.filter(|id| !id.is_empty()).unwrap_or(host);

    let status = fields.text("status")?.map_or(InstanceStatus::Up, status_or_unknown);
    let overridden = fields.text("overridden")?.map_or(InstanceStatus::Unknown, status_or_unknown);
    let dirty = fields.int("dirty")?.unwrap_or(now);
    let lease_info = lease(&mut fields)?;
    let vip = match fields.text("vip")? {
        Some(vip) => names.intern(vip),
        None => names.intern(&app.to_lowercase()),
    };
    let secure_vip = fields.text("svip")?.map(|vip| names.intern(vip));
    let metadata = metadata(&mut fields)?;
    fields.finish(&[])?;

    let lacks = Lacks {
        id: own_id.is_empty(),
        host_name: host.is_empty(),
        ip_address: ip.is_empty(),
        app_name: app.is_empty(),
        data_center: !data_center,
    };
    let path = names.app(path.unwrap_or(app));
    let app = names.app(app);
    let info = InstanceInfo {
        key: names.instance(app, own_id),
        status,
        overridden_status: overridden,
        action_type: None,
        last_dirty_timestamp: dirty,
        last_updated_timestamp: now,
        lease_info,
        vip_address: Some(vip),
        secure_vip_address: secure_vip,
        metadata,
    };
    Ok(Registration { info, path, lacks })
}

/// A text; null counts as empty, absence as nothing.
fn nullable<'a>(fields: &mut Fields<'a>, name: &'static str) -> Result<Option<&'a str>, Mismatch> {
    match fields.get(name) {
        Some(Value::Null) => Ok(Some("")),
        _ => fields.text(name),
    }
}

fn lease(fields: &mut Fields<'_>) -> Result<Option<LeaseInfo>, Mismatch> {
    let value = match fields.get("lease") {
        None => return Ok(Some(LeaseInfo::default())),
        Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let mut lease = Fields::of(value, &fields.path("lease"))?;
    let seconds = |number: i64| i32::try_from(number).ok();
    let renewal = lease.int("renewal")?.map_or(Some(LeaseInfo::DEFAULT_RENEWAL_INTERVAL), seconds);
    let renewal = renewal.ok_or_else(|| lease.wrong("renewal", "seconds"))?;
    let duration = lease.int("duration")?.map_or(Some(LeaseInfo::DEFAULT_DURATION), seconds);
    let duration = duration.ok_or_else(|| lease.wrong("duration", "seconds"))?;
    lease.finish(&[])?;
    Ok(Some(LeaseInfo::new(renewal, duration)))
}

/// Unknown text decodes as UNKNOWN (`InstanceStatus.toEnum`).
fn status_or_unknown(text: &str) -> InstanceStatus {
    InstanceStatus::value_of(&text.to_uppercase()).unwrap_or(InstanceStatus::Unknown)
}
