//! Status overrides.

use super::objects::{InfoRef, LeaseRef};
use super::registry::{At, Fact, Registry};
use super::replicate::Handed;
use crate::eureka::{ActionType, InstanceKey, InstanceStatus};

/// A `lastDirtyTimestamp` request parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirtyParameter {
    /// Not given.
    Absent,
    /// Milliseconds since 1970.
    Value(i64),
    /// Not a number; the Java code fails when it reads it.
    Malformed,
}

/// A status operation failed half-way, as Java does on a malformed timestamp: answered 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedTimestamp;

impl DirtyParameter {
    /// `Long.valueOf(lastDirtyTimestamp)`, 0 if it is not given.
    fn parse(self) -> Result<i64, MalformedTimestamp> {
        match self {
            Self::Absent => Ok(0),
            Self::Value(dirty) => Ok(dirty),
            Self::Malformed => Err(MalformedTimestamp),
        }
    }
}

impl Registry {
    /// `PeerAwareInstanceRegistryImpl.statusUpdate`: false if there is no lease. The lease is
    /// renewed (uncounted) in any case; a status equal to the present one stores no override, but
    /// is replicated.
    ///
    /// # Errors
    /// If `dirty` has to be read and is malformed. The override and, since 1.7.1, the status are
    /// changed then, but no delta lists it.
    pub fn status_update(
        &mut self,
        at: At<'_>,
        key: InstanceKey,
        status: InstanceStatus,
        dirty: DirtyParameter,
        is_replication: bool,
    ) -> Result<bool, MalformedTimestamp> {
        let Some(lease) = self.lease_ref(key) else {
            return Ok(false);
        };
        self.objects[lease].renew(at.now.wall);
        let holder = self.objects[lease].holder;
        if self.objects[holder].status != status {
            if status == InstanceStatus::Up {
                self.objects[lease].service_up(at.now.wall);
            }
            self.overrides.put(at.names.id_of(key), status, at.now.mono);
            self.objects[holder].overridden_status = status;
            self.facts.push(Fact::Overridden { key, status: Some(status) });
            self.set_status(at, holder, status, dirty)?;
            self.modified(at, lease, key, status);
        }
        if self.replicates(is_replication) {
            let info = self.visible(at.now, key);
            self.retain(info);
            self.handed.push(Handed::StatusUpdate { key, info, new_status: status });
        }
        Ok(true)
    }

    /// `PeerAwareInstanceRegistryImpl.deleteStatusOverride`: false if there is no lease. The lease is
    /// renewed (uncounted) in any case; `status` is what the instance gets if it had an override.
    ///
    /// # Errors
    /// If `dirty` has to be read and is malformed; the override is gone then, but no delta lists it.
    pub fn delete_status_override(
        &mut self,
        at: At<'_>,
        key: InstanceKey,
        status: InstanceStatus,
        dirty: DirtyParameter,
        is_replication: bool,
    ) -> Result<bool, MalformedTimestamp> {
        let Some(lease) = self.lease_ref(key) else {
            return Ok(false);
        };
        self.objects[lease].renew(at.now.wall);
        if self.overrides.remove(at.names.id_of(key), at.now.mono).is_some() {
            let holder = self.objects[lease].holder;
            let info = &mut self.objects[holder];
            info.overridden_status = InstanceStatus::Unknown;
            if info.status != status && self.class.status_operations_stamp_dirty() {
                info.last_dirty_timestamp = at.now.wall;
            }
            info.status = status;
            self.facts.push(Fact::Overridden { key, status: None });
            let dirty = dirty.parse()?;
            let info = &mut self.objects[holder];
            info.last_dirty_timestamp = info.last_dirty_timestamp.max(dirty);
            self.modified(at, lease, key, status);
        }
        if self.replicates(is_replication) {
            let info = self.visible(at.now, key);
            self.retain(info);
            self.handed.push(Handed::DeleteStatusOverride { key, info });
        }
        Ok(true)
    }

    /// The override stored for an instance. Reading it makes it last another hour.
    pub(super) fn stored_override(
        &mut self,
        at: At<'_>,
        key: InstanceKey,
    ) -> Option<InstanceStatus> {
        self.overrides.get(|| at.names.id_of(key), at.now.mono)
    }

    /// `AbstractInstanceRegistry.storeOverriddenStatusIfRequired(String, String, InstanceStatus)`:
    /// the override takes effect at the next registration or renewal. False where Java fails,
    /// because the instance is not visible; the override is stored all the same.
    pub fn store_overridden_status_if_required(
        &mut self,
        at: At<'_>,
        key: InstanceKey,
        status: InstanceStatus,
    ) -> bool {
        if self.stored_override(at, key) == Some(status) {
            return true;
        }
        self.overrides.put(at.names.id_of(key), status, at.now.mono);
        self.facts.push(Fact::Overridden { key, status: Some(status) });
        let Some(info) = self.visible(at.now, key) else {
            return false;
        };
        self.objects[info].overridden_status = status;
        true
    }

    /// Sets the status and merges the caller's dirty timestamp, in the order of the release.
    fn set_status(
        &mut self,
        at: At<'_>,
        holder: InfoRef,
        status: InstanceStatus,
        dirty: DirtyParameter,
    ) -> Result<(), MalformedTimestamp> {
        if self.class.status_operations_stamp_dirty() {
            let dirty = dirty.parse()?;
            let info = &mut self.objects[holder];
            let newer = dirty > info.last_dirty_timestamp;
            info.last_dirty_timestamp = if newer { dirty } else { at.now.wall };
            info.status = status;
        } else {
            self.objects[holder].status = status;
            let dirty = dirty.parse()?;
            let info = &mut self.objects[holder];
            info.last_dirty_timestamp = info.last_dirty_timestamp.max(dirty);
        }
        Ok(())
    }

    /// What both operations do last: the delta lists it, caches are dropped.
    fn modified(&mut self, at: At<'_>, lease: LeaseRef, key: InstanceKey, status: InstanceStatus) {
        let holder = self.objects[lease].holder;
        let info = &mut self.objects[holder];
        info.action_type = Some(ActionType::Modified);
        info.last_updated_timestamp = at.now.wall;
        self.changed(lease, at.now.wall);
        self.invalidate_cache(at.names, holder);
        self.facts.push(Fact::StatusChanged { key, status });
    }
}
