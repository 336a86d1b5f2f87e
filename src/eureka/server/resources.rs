//! The REST layer: `com.netflix.eureka.resources`. Requests arrive decoded, answers are status codes
//! and entities; an exception that Java would let escape is a 500.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::objects::InfoRef;
use super::payload::Applications;
use super::peer::TaskAction;
use super::registry::{At, Registry};
use super::response_cache::CacheKey;
pub use super::status::{DirtyParameter, MalformedTimestamp};
use crate::eureka::{AppId, InstanceInfo, InstanceKey, InstanceStatus, NameId};

/// `200 OK`
const OK: u16 = 200;
/// `204 No Content`
const NO_CONTENT: u16 = 204;
/// `400 Bad Request`
const BAD_REQUEST: u16 = 400;
/// `403 Forbidden`
const FORBIDDEN: u16 = 403;
/// `404 Not Found`
const NOT_FOUND: u16 = 404;
/// `409 Conflict`
const CONFLICT: u16 = 409;
/// `500 Internal Server Error`
const SERVER_ERROR: u16 = 500;

/// A status code, and the live instance that is the entity if there is one. It is valid until the
/// registry changes again; whoever keeps it must retain it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub code: u16,
    /// The entity.
    pub instance: Option<InfoRef>,
}

impl Answer {
    const fn code(code: u16) -> Self {
        Self { code, instance: None }
    }
}

/// A status given as a parameter or in an item of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusParameter {
    /// Not given.
    Absent,
    /// A status.
    Value(InstanceStatus),
    /// Not the name of a status; the Java code fails when it reads it.
    Malformed,
}

/// The body of a registration as it was decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// The instance.
    pub info: InstanceInfo,
    /// The application in the path.
    pub path: AppId,
    /// What a registration needs and this one lacks.
    pub lacks: Lacks,
}

/// Parts of a registration that are null or empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacks {
    /// Neither instance id nor host name.
    pub id: bool,
    /// Host name.
    pub host_name: bool,
    /// IP address.
    pub ip_address: bool,
    /// Application name.
    pub app_name: bool,
    /// Data centre, or its name.
    pub data_center: bool,
}

impl Registration {
    /// A complete registration of `info` at the path of its own application.
    #[must_use]
    pub fn complete(info: InstanceInfo, path: AppId) -> Self {
        Self { info, path, lacks: Lacks::default() }
    }
}

/// `POST apps/{app}`: 204, or 400 for an incomplete registration.
pub fn register(
    registry: &mut Registry,
    at: At<'_>,
    registration: Registration,
    is_replication: bool,
) -> u16 {
    let Registration { info, path, lacks } = registration;
    let class = registry.class;
    if lacks.id
        || lacks.host_name
        || (lacks.ip_address && class.requires_ip_address())
        || lacks.app_name
        || at.names.app_of(info.key) != path
        || (lacks.data_center && class.requires_data_center())
    {
        return BAD_REQUEST;
    }
    let info = registry.objects.add_info(info);
    registry.register(at, info, is_replication);
    registry.objects.release_info(info);
    NO_CONTENT
}

/// `PUT apps/{app}/{id}`: 200, 404 (no lease, or the caller's dirty timestamp is newer), 409 with the
/// stored instance (a replica's is older), 500 (malformed parameters). The lease was renewed in every
/// case but that of none.
#[inline(always)]
pub fn renew(
    registry: &mut Registry,
    at: At<'_>,
    key: InstanceKey,
    dirty: DirtyParameter,
    overridden: StatusParameter,
    is_replication: bool,
) -> Answer {
    let Some((lease, visible)) = registry.renewed_lease(at, key, is_replication) else {
        return Answer::code(NOT_FOUND);
    };
    if !registry.config.sync_when_timestamp_differs {
        return Answer::code(OK);
    }
    let dirty = match dirty {
        DirtyParameter::Absent => return Answer::code(OK),
        DirtyParameter::Malformed => return Answer::code(SERVER_ERROR),
        DirtyParameter::Value(dirty) => dirty,
    };
    // To look again would show the same.
    let stored = visible.or_else(|| registry.visible_holder(at.now, lease));
    let answer = validate_dirty_timestamp(registry, stored, dirty, is_replication);
    if answer.code == NOT_FOUND && is_replication {
        return store_override_of_newer(registry, at, key, overridden);
    }
    answer
}

/// A replica's heartbeat tells of a newer instance: its override is stored before the 404.
#[cold]
fn store_override_of_newer(
    registry: &mut Registry,
    at: At<'_>,
    key: InstanceKey,
    overridden: StatusParameter,
) -> Answer {
    match overridden {
        StatusParameter::Malformed => return Answer::code(SERVER_ERROR),
        StatusParameter::Value(status) if status != InstanceStatus::Unknown => {
            if !registry.store_overridden_status_if_required(at, key, status) {
                return Answer::code(SERVER_ERROR);
            }
        }
        StatusParameter::Absent | StatusParameter::Value(_) => {}
    }
    Answer::code(NOT_FOUND)
}

/// `InstanceResource.validateDirtyTimestamp(Long, boolean)`.
#[inline(always)]
fn validate_dirty_timestamp(
    registry: &Registry,
    stored: Option<InfoRef>,
    dirty: i64,
    is_replication: bool,
) -> Answer {
    let Some(stored) = stored else {
        return Answer::code(OK);
    };
    let stored_dirty = registry.objects[stored].last_dirty_timestamp;
    if dirty > stored_dirty {
        Answer::code(NOT_FOUND)
    } else if dirty < stored_dirty && is_replication {
        Answer { code: CONFLICT, instance: Some(stored) }
    } else {
        Answer::code(OK)
    }
}

/// `DELETE apps/{app}/{id}`: 200 or 404.
#[cold]
pub fn cancel(registry: &mut Registry, at: At<'_>, key: InstanceKey, is_replication: bool) -> u16 {
    if registry.cancel(at, key, is_replication) { OK } else { NOT_FOUND }
}

/// `PUT apps/{app}/{id}/status?value=…`: 200, 404 (not visible), 500 (no or malformed value).
pub fn status_update(
    registry: &mut Registry,
    at: At<'_>,
    key: InstanceKey,
    value: StatusParameter,
    dirty: DirtyParameter,
    is_replication: bool,
) -> u16 {
    if registry.instance_by_app_and_id(at, key).is_none() {
        return NOT_FOUND;
    }
    let StatusParameter::Value(status) = value else {
        return SERVER_ERROR;
    };
    match registry.status_update(at, key, status, dirty, is_replication) {
        Ok(true) => OK,
        Ok(false) | Err(MalformedTimestamp) => SERVER_ERROR,
    }
}

/// `DELETE apps/{app}/{id}/status?value=…`: like the above; without a value the instance becomes
/// UNKNOWN, and its next heartbeat is answered 404.
pub fn delete_status_update(
    registry: &mut Registry,
    at: At<'_>,
    key: InstanceKey,
    value: StatusParameter,
    dirty: DirtyParameter,
    is_replication: bool,
) -> u16 {
    if registry.instance_by_app_and_id(at, key).is_none() {
        return NOT_FOUND;
    }
    let status = match value {
        StatusParameter::Absent => InstanceStatus::Unknown,
        StatusParameter::Value(status) => status,
        StatusParameter::Malformed => return SERVER_ERROR,
    };
    match registry.delete_status_override(at, key, status, dirty, is_replication) {
        Ok(true) => OK,
        Ok(false) | Err(MalformedTimestamp) => SERVER_ERROR,
    }
}

/// `PUT apps/{app}/{id}/metadata?k=v`: changes the stored instance and registers it anew, with its
/// old dirty timestamp. 200, 404 (500 before 1.9.8) if it is not visible.
pub fn update_metadata(
    registry: &mut Registry,
    at: At<'_>,
    key: InstanceKey,
    entries: &BTreeMap<Arc<str>, Arc<str>>,
) -> u16 {
    let Some(info) = registry.instance_by_app_and_id(at, key) else {
        let error = registry.class.unknown_metadata_is_an_error();
        return if error { SERVER_ERROR } else { NOT_FOUND };
    };
    let metadata = Arc::make_mut(&mut registry.objects[info].metadata);
    metadata.extend(entries.iter().map(|(key, value)| (Arc::clone(key), Arc::clone(value))));
    registry.objects.retain_info(info);
    registry.register(at, info, false);
    registry.objects.release_info(info);
    OK
}

/// `GET apps`, `apps/delta`, `apps/{app}`, `vips/{vip}`, `svips/{vip}`: 200 with a payload, 403 while
/// reads are refused (or deltas disabled), 404 for an application without instances.
#[inline(always)]
pub fn fetch(registry: &mut Registry, at: At<'_>, key: CacheKey) -> Result<Arc<Applications>, u16> {
    let delta_disabled = key == CacheKey::AllAppsDelta && registry.config.disable_delta;
    if delta_disabled || !registry.should_allow_access(at.now) {
        return Err(FORBIDDEN);
    }
    registry.cached(at, key).ok_or(NOT_FOUND)
}

/// `GET apps/{app}/{id}`: 200 or 404, from the live registry.
pub fn get_instance(registry: &mut Registry, at: At<'_>, key: InstanceKey) -> Answer {
    found(registry.instance_by_app_and_id(at, key))
}

/// `GET instances/{id}`: 200 or 404, from the live registry.
pub fn get_instance_by_id(registry: &mut Registry, at: At<'_>, id: NameId) -> Answer {
    found(registry.first_instance_by_id(at, id))
}

fn found(instance: Option<InfoRef>) -> Answer {
    Answer { code: if instance.is_some() { OK } else { NOT_FOUND }, instance }
}

/// `ReplicationInstance`: one item of a replication batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchItem {
    /// Whose.
    pub key: InstanceKey,
    /// What to do.
    pub action: BatchAction,
    /// `lastDirtyTimestamp`.
    pub dirty: DirtyParameter,
    /// `status`.
    pub status: StatusParameter,
    /// `overriddenStatus`.
    pub overridden: StatusParameter,
}

/// `PeerAwareInstanceRegistryImpl.Action`.
#[derive(Clone, Debug, PartialEq)]
pub enum BatchAction {
    /// With the instance; Java fails without one.
    Register(Option<Box<Registration>>),
    /// A heartbeat.
    Heartbeat,
    /// A cancellation.
    Cancel,
    /// A status override.
    StatusUpdate,
    /// The end of one.
    DeleteStatusOverride,
}

impl BatchAction {
    /// What the task was that it comes from.
    #[must_use]
    pub const fn task(&self) -> TaskAction {
        match self {
            Self::Register(_) => TaskAction::Register,
            Self::Heartbeat => TaskAction::Heartbeat,
            Self::Cancel => TaskAction::Cancel,
            Self::StatusUpdate => TaskAction::StatusUpdate,
            Self::DeleteStatusOverride => TaskAction::DeleteStatusOverride,
        }
    }
}

/// `POST peerreplication/batch`: the items one after the other, each answered for itself; the
/// envelope is answered 200. An instance in an answer is the live object, counted for the caller: it
/// is serialised after *all* items, so it shows what later ones did to it.
pub fn batch_replication(
    registry: &mut Registry,
    at: At<'_>,
    items: impl IntoIterator<Item = BatchItem>,
    answers: &mut Vec<Answer>,
) {
    answers.extend(items.into_iter().map(|item| batch_item(registry, at, item)));
}

/// One item of [`batch_replication`], and its answer.
#[inline(always)]
pub fn batch_item(registry: &mut Registry, at: At<'_>, item: BatchItem) -> Answer {
    let answer = execute_item(registry, at, item);
    registry.retain(answer.instance);
    answer
}

#[inline(always)]
fn execute_item(registry: &mut Registry, at: At<'_>, item: BatchItem) -> Answer {
    let BatchItem { key, action, dirty, status, overridden } = item;
    match action {
        // The answer of addInstance is ignored: a registration refused with 400 reports 200.
        BatchAction::Register(Some(registration)) => {
            register(registry, at, *registration, true);
            Answer::code(OK)
        }
        BatchAction::Register(None) => Answer::code(SERVER_ERROR),
        BatchAction::Heartbeat => {
            let answer = renew(registry, at, key, dirty, overridden, true);
            let entity = registry.class.batch_conflict_has_entity();
            Answer { instance: answer.instance.filter(|_| entity), ..answer }
        }
        BatchAction::Cancel => Answer::code(cancel(registry, at, key, true)),
        BatchAction::StatusUpdate => {
            Answer::code(status_update(registry, at, key, status, dirty, true))
        }
        BatchAction::DeleteStatusOverride if dirty == DirtyParameter::Absent => {
            Answer::code(SERVER_ERROR)
        }
        BatchAction::DeleteStatusOverride => {
            Answer::code(delete_status_update(registry, at, key, status, dirty, true))
        }
    }
}
