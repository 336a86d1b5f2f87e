//! Heartbeats.

use super::objects::{InfoRef, LeaseRef};
use super::registry::{At, Fact, Registry};
use super::replicate::Handed;
use super::rules;
use crate::eureka::{InstanceKey, InstanceStatus};

impl Registry {
    /// `PeerAwareInstanceRegistryImpl.renew(String, String, boolean)`: false if there is no lease, or
    /// if the instance's status comes out as UNKNOWN (the client then has to register again).
    pub fn renew(&mut self, at: At<'_>, key: InstanceKey, is_replication: bool) -> bool {
        self.renewed_lease(at, key, is_replication).is_some()
    }

    /// The same, with the lease that was renewed and, if it was looked for, the visible instance.
    #[inline(always)]
    pub(super) fn renewed_lease(
        &mut self,
        at: At<'_>,
        key: InstanceKey,
        is_replication: bool,
    ) -> Option<(LeaseRef, Option<InfoRef>)> {
        let lease = self.renew_lease(at, key, is_replication)?;
        if !self.replicates(is_replication) {
            return Some((lease, None));
        }
        let overridden = self.overrides.get(|| at.names.id_of(key), at.now.mono);
        let info = self.visible_holder(at.now, lease);
        self.retain(info);
        self.handed.push(Handed::Heartbeat { key, info, overridden });
        Some((lease, info))
    }

    /// `AbstractInstanceRegistry.renew(String, String, boolean)`. A status that a rule changes is
    /// changed silently: no delta lists it and no cache is invalidated.
    #[inline(always)]
    fn renew_lease(
        &mut self,
        at: At<'_>,
        key: InstanceKey,
        is_replication: bool,
    ) -> Option<LeaseRef> {
        let lease = self.lease_ref(key)?;
        let holder = self.objects[lease].holder;
        let own = self.objects[holder].status;
        let overrides = &mut self.overrides;
        let overridden = || overrides.get(|| at.names.id_of(key), at.now.mono);
        let (status, _) = rules::apply(own, overridden, Some(own), is_replication);
        if status == InstanceStatus::Unknown {
            return None;
        }
        if status != own {
            let info = &mut self.objects[holder];
            info.status = status;
            if self.class.status_operations_stamp_dirty() {
                info.last_dirty_timestamp = at.now.wall;
            }
            self.facts.push(Fact::StatusChanged { key, status });
        }
        self.renews_last_min.increment();
        self.renewed = true;
        self.objects[lease].renew(at.now.wall);
        Some(lease)
    }
}
