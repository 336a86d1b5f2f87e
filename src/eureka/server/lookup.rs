//! Reads of the live registry, past the response cache.

use super::objects::InfoRef;
use super::registry::{At, Registry};
use crate::eureka::{InstanceKey, NameId, StatusCounts};

impl Registry {
    /// `getInstanceByAppAndId(String, String)`: nothing for an instance that is not registered, or
    /// whose lease has expired while expired leases may be evicted.
    pub fn instance_by_app_and_id(&mut self, at: At<'_>, key: InstanceKey) -> Option<InfoRef> {
        self.visible(at.now, key)
    }

    /// `getInstancesById(String)`: the visible instances of this id, by application in the order of
    /// the hash map; all of them are decorated, the first is what the REST layer answers.
    pub fn first_instance_by_id(&mut self, at: At<'_>, id: NameId) -> Option<InfoRef> {
        let apps: Vec<_> = self.apps().collect();
        let keys = apps.into_iter().filter_map(|app| at.names.sibling(app, id));
        let visible: Vec<_> = keys.filter_map(|key| self.visible(at.now, key)).collect();
        visible.first().copied()
    }

    /// The reconcile hash of everything registered, whatever its status and lease.
    #[must_use]
    pub fn reconcile_hash(&self) -> StatusCounts {
        let all = self.apps().flat_map(|app| self.instances_of(app));
        all.filter_map(|key| self.status_of(key)).collect()
    }
}
