//! Registration.

use super::decision::{Decision, Kept};
use super::lease::Lease;
use super::objects::InfoRef;
use super::registry::{At, Fact, Registry};
use super::replicate::Handed;
use super::rules;
use crate::eureka::{ActionType, InstanceStatus, LeaseInfo};
use crate::time::Now;

impl Registry {
    /// `PeerAwareInstanceRegistryImpl.register(InstanceInfo, boolean)`: what is replicated is the
    /// object as passed in, also when the registry kept a newer one.
    ///
    /// The caller keeps its reference to `info`.
    pub fn register(&mut self, at: At<'_>, info: InfoRef, is_replication: bool) {
        let asked = self.objects[info].lease_info.map_or(0, |lease| lease.duration_in_secs);
        let duration = if asked > 0 { asked } else { LeaseInfo::DEFAULT_DURATION };
        self.register_for(at, info, duration, is_replication);
        if self.replicates(is_replication) {
            self.objects.retain_info(info);
            self.handed.push(Handed::Register { info });
        }
    }

    /// `AbstractInstanceRegistry.register(InstanceInfo, int, boolean)`.
    pub(super) fn register_for(
        &mut self,
        at: At<'_>,
        info: InfoRef,
        duration_in_secs: i32,
        is_replication: bool,
    ) {
        let Now { wall, mono } = at.now;
        let mut registrant = info;
        let key = self.objects[info].key;
        self.ensure_app(at.names, at.names.app_of(key));

        let existing = self.lease_ref(key).map(|lease| self.objects[lease]);
        let said = |info: InfoRef| {
            let info = &self.objects[info];
            (info.status, info.last_dirty_timestamp)
        };
        let brought = said(info);
        let stored = existing.map(|lease| said(lease.holder));
        let mut kept = Kept::Brought;
        if let Some(existing) = existing {
            let newest = self.objects[existing.holder].last_dirty_timestamp;
            if newest > self.objects[registrant].last_dirty_timestamp {
                if self.class.keeps_newer_stored_instance() {
                    registrant = existing.holder;
                    kept = Kept::Stored;
                } else {
                    self.objects[registrant].last_dirty_timestamp = newest;
                    kept = Kept::BroughtWithStoredTimestamp;
                }
            }
        } else {
            self.expect_one_more();
        }

        let mut lease = Lease::new(registrant, duration_in_secs, wall);
        if let Some(existing) = existing {
            lease.service_up_timestamp = existing.service_up_timestamp;
        }
        let lease = self.objects.add_lease(lease);
        let replaced = self.put_lease(at.names, key, lease);
        self.recent_registered.push(wall, key);

        let id = at.names.id_of(key);
        let carried = self.objects[registrant].overridden_status;
        if carried != InstanceStatus::Unknown && !self.overrides.contains(id, mono) {
            self.overrides.put(id, carried, mono);
        }
        if let Some(overridden) = self.overrides.get(|| id, mono) {
            self.objects[registrant].overridden_status = overridden;
        }

        let own = self.objects[registrant].status;
        let overrides = &mut self.overrides;
        let existing = stored.map(|(status, _)| status);
        let (status, rule) =
            rules::apply(own, || overrides.get(|| id, mono), existing, is_replication);
        if status == InstanceStatus::Up {
            self.objects[lease].service_up(wall);
        }
        let instance = &mut self.objects[registrant];
        instance.status = status;
        instance.action_type = Some(ActionType::Added);
        instance.last_updated_timestamp = wall;
        self.changed(lease, wall);
        self.invalidate_cache(at.names, registrant);
        if let Some(replaced) = replaced {
            self.objects.release_lease(replaced);
        }
        self.facts.push(Fact::Registered {
            key,
            status,
            is_replication,
            is_new: stored.is_none(),
            decision: Decision { brought, stored, kept, rule },
        });
    }
}
