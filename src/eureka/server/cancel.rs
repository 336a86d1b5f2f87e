//! Cancellation, by request or by eviction.

use super::registry::{At, Fact, Registry};
use super::replicate::Handed;
use crate::eureka::{ActionType, InstanceKey};

impl Registry {
    /// `PeerAwareInstanceRegistryImpl.cancel(String, String, boolean)`: false if there was no lease.
    pub fn cancel(&mut self, at: At<'_>, key: InstanceKey, is_replication: bool) -> bool {
        self.cancel_replicated(at, key, is_replication, false)
    }

    pub(super) fn cancel_replicated(
        &mut self,
        at: At<'_>,
        key: InstanceKey,
        is_replication: bool,
        evicted: bool,
    ) -> bool {
        if !self.internal_cancel(at, key, is_replication, evicted) {
            return false;
        }
        if self.replicates(is_replication) {
            self.handed.push(Handed::Cancel { key });
        }
        if !self.class.every_cancel_lowers_expected() {
            self.expect_one_less();
        }
        true
    }

    /// `AbstractInstanceRegistry.internalCancel(String, String, boolean)`. Forgets the override and
    /// writes into the list of cancellations even if nothing was registered.
    pub(super) fn internal_cancel(
        &mut self,
        at: At<'_>,
        key: InstanceKey,
        is_replication: bool,
        evicted: bool,
    ) -> bool {
        let lease = self.take_lease(at.names, key);
        self.recent_canceled.push(at.now.wall, key);
        self.overrides.remove(at.names.id_of(key), at.now.mono);
        let Some(lease) = lease else {
            return false;
        };
        self.objects[lease].cancel(at.now.wall);
        let holder = self.objects[lease].holder;
        let info = &mut self.objects[holder];
        info.action_type = Some(ActionType::Deleted);
        info.last_updated_timestamp = at.now.wall;
        self.changed(lease, at.now.wall);
        self.invalidate_cache(at.names, holder);
        self.objects.release_lease(lease);
        if self.class.every_cancel_lowers_expected() {
            self.expect_one_less();
        }
        self.facts.push(Fact::Cancelled { key, is_replication, evicted });
        true
    }
}
