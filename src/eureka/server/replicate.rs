//! What a registry hands to its peers: `PeerAwareInstanceRegistryImpl.replicateToPeers`.

use super::objects::{InfoRef, LeaseRef};
use super::registry::Registry;
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::time::Now;

/// One operation for the peers. References to instances are counted: whoever drains the list takes
/// them over. An absent `info` means that the instance is not visible at that moment; Eureka's task
/// then fails to be made and nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// `PeerEurekaNode.register`: the object as it was passed in; what is sent is its state then.
    Register {
        /// The instance.
        info: InfoRef,
    },
    /// `PeerEurekaNode.heartbeat`.
    Heartbeat {
        /// Whose.
        key: InstanceKey,
        /// The stored instance.
        info: Option<InfoRef>,
        /// The override at this moment.
        overridden: Option<InstanceStatus>,
    },
    /// `PeerEurekaNode.cancel`.
    Cancel {
        /// Whose.
        key: InstanceKey,
    },
    /// `PeerEurekaNode.statusUpdate`.
    StatusUpdate {
        /// Whose.
        key: InstanceKey,
        /// The stored instance.
        info: Option<InfoRef>,
        /// The status that was asked for; a batch sends the stored instance's instead.
        new_status: InstanceStatus,
    },
    /// `PeerEurekaNode.deleteStatusOverride`.
    DeleteStatusOverride {
        /// Whose.
        key: InstanceKey,
        /// The stored instance.
        info: Option<InfoRef>,
    },
}

impl Handed {
    /// The counted reference it carries, if any.
    #[must_use]
    pub const fn info(&self) -> Option<InfoRef> {
        match *self {
            Self::Register { info } => Some(info),
            Self::Heartbeat { info, .. }
            | Self::StatusUpdate { info, .. }
            | Self::DeleteStatusOverride { info, .. } => info,
            Self::Cancel { .. } => None,
        }
    }
}

impl Registry {
    /// What operations handed to the peers since it was last drained, in order, once for all peers.
    pub fn handed(&mut self) -> &mut Vec<Handed> {
        &mut self.handed
    }

    /// The same, to look at.
    #[must_use]
    pub fn handed_list(&self) -> &[Handed] {
        &self.handed
    }

    /// Whether a successful operation goes to peers. One that came from a peer does not go further,
    /// but is counted.
    #[inline(always)]
    pub(super) fn replicates(&mut self, is_replication: bool) -> bool {
        if is_replication {
            self.replications_last_min.increment();
        }
        !is_replication && self.has_peers
    }

    /// `getInstanceByAppAndId(app, id, false)`: the stored instance, decorated, unless its lease has
    /// expired while expired leases may be evicted.
    pub(super) fn visible(&mut self, now: Now, key: InstanceKey) -> Option<InfoRef> {
        let lease = self.lease_ref(key)?;
        self.visible_holder(now, lease)
    }

    /// The same, where the lease is known.
    #[inline(always)]
    pub(super) fn visible_holder(&mut self, now: Now, lease: LeaseRef) -> Option<InfoRef> {
        if self.is_lease_expiration_enabled() && self.objects[lease].is_expired(now.wall, 0) {
            return None;
        }
        Some(self.decorate(lease))
    }

    #[inline(always)]
    pub(super) fn retain(&mut self, info: Option<InfoRef>) {
        if let Some(info) = info {
            self.objects.retain_info(info);
        }
    }
}
