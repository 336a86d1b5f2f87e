//! `InstanceInfo` and `LeaseInfo`: what an instance says of itself, on the wire and in a registry.

use std::collections::BTreeMap;
use std::num::NonZeroI32;
use std::sync::Arc;

use super::{InstanceKey, InstanceStatus, NameId};

/// `InstanceInfo.metadata`. Shared, because copies of an instance are frequent and changes rare.
pub type Metadata = Arc<BTreeMap<Arc<str>, Arc<str>>>;

/// `InstanceInfo.ActionType`: what a delta says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionType {
    /// `ADDED`: registered (also again).
    Added,
    /// `MODIFIED`: a status operation.
    Modified,
    /// `DELETED`: cancelled or evicted.
    Deleted,
}

impl ActionType {
    /// The Java name: `ADDED`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// `LeaseInfo`: the intervals the client asks for, and times the server fills in when it renders the
/// instance (`AbstractInstanceRegistry.decorateInstanceInfo`). All times in ms since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseInfo {
    /// Seconds between heartbeats, as told by the client; positive.
    pub renewal_interval_in_secs: NonZeroI32,
    /// Seconds until a lease that was never renewed expires, as told by the client.
    pub duration_in_secs: i32,
    /// When the lease was made; 0 as a client sends it.
    pub registration_timestamp: i64,
    /// `Lease.lastUpdateTimestamp`: one duration in the future after a heartbeat.
    pub last_renewal_timestamp: i64,
    /// When the lease was cancelled; 0 if it was not.
    pub eviction_timestamp: i64,
    /// When the instance first was UP under this id; 0 if never.
    pub service_up_timestamp: i64,
}

impl LeaseInfo {
    /// Seconds between heartbeats if nothing is configured.
    pub const DEFAULT_RENEWAL_INTERVAL: i32 = 30;
    /// Seconds of a lease if nothing is configured.
    pub const DEFAULT_DURATION: i32 = 90;

    /// As a client sends it; values that are not positive become the defaults
    /// (`LeaseInfo(@JsonProperty …)`).
    #[must_use]
    pub const fn new(renewal_interval_in_secs: i32, duration_in_secs: i32) -> Self {
        const DEFAULT: NonZeroI32 =
            NonZeroI32::new(LeaseInfo::DEFAULT_RENEWAL_INTERVAL).expect("it is not zero");
        Self {
            renewal_interval_in_secs: match NonZeroI32::new(renewal_interval_in_secs) {
                Some(seconds) if seconds.is_positive() => seconds,
                _ => DEFAULT,
            },
            duration_in_secs: if duration_in_secs > 0 {
                duration_in_secs
            } else {
                Self::DEFAULT_DURATION
            },
            registration_timestamp: 0,
            last_renewal_timestamp: 0,
            eviction_timestamp: 0,
            service_up_timestamp: 0,
        }
    }
}

impl Default for LeaseInfo {
    fn default() -> Self {
        Self::new(Self::DEFAULT_RENEWAL_INTERVAL, Self::DEFAULT_DURATION)
    }
}

/// `InstanceInfo`, less what no rule of the registry reads (ports, URLs, ASG name). Host name, IP
/// address and data centre are checked when it arrives and not kept.
///
/// What a heartbeat needs comes first: see [`crate::eureka::server::Objects`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct InstanceInfo {
    /// Application and instance id.
    pub key: InstanceKey,
    /// The status it has.
    pub status: InstanceStatus,
    /// The status an operator gave it, UNKNOWN for none.
    pub overridden_status: InstanceStatus,
    /// What happened last, as deltas report it; none until a registry stored it.
    pub action_type: Option<ActionType>,
    /// `lastDirtyTimestamp`: when the *client* last changed it, ms since 1970 on the client's clock.
    pub last_dirty_timestamp: i64,
    /// Absent only if a registration has none.
    pub lease_info: Option<LeaseInfo>,
    /// `lastUpdatedTimestamp`: when a registry last changed it, ms since 1970.
    pub last_updated_timestamp: i64,
    /// `vipAddress`: comma-separated names under which callers look it up.
    pub vip_address: Option<NameId>,
    /// `secureVipAddress`, likewise.
    pub secure_vip_address: Option<NameId>,
    /// Key-value pairs of the application.
    pub metadata: Metadata,
}
