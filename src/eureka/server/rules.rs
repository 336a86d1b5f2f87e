//! `com.netflix.eureka.registry.rule`: which status a registration or a renewal ends up with.
//!
//! `FirstMatchWinsCompositeRule` of a registry outside AWS: `DownOrStartingRule`,
//! `OverrideExistsRule`, `LeaseExistsRule`, and `AlwaysMatchInstanceStatusRule` as the default.

use crate::eureka::InstanceStatus;

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The instance says DOWN, STARTING or UNKNOWN: believed, whatever else is known.
    DownOrStarting,
    /// An operator's override exists.
    OverrideExists,
    /// A client (not a replica) speaks about an instance that is registered as UP or OUT_OF_SERVICE:
    /// the server keeps its own status.
    LeaseExists,
    /// What the instance says.
    AlwaysMatch,
}

/// `InstanceStatusOverrideRule.apply`: the status to store, and the rule that decided.
///
/// `own` is the status the instance brings, `existing` that of the registered one if there is a
/// lease. `overridden` looks into the override map; it is called only if the first rule does not
/// decide, because looking keeps an override alive.
#[inline(always)]
pub fn apply(
    own: InstanceStatus,
    overridden: impl FnOnce() -> Option<InstanceStatus>,
    existing: Option<InstanceStatus>,
    is_replication: bool,
) -> (InstanceStatus, Rule) {
    use InstanceStatus::{OutOfService, Up};
    if !matches!(own, Up | OutOfService) {
        return (own, Rule::DownOrStarting);
    }
    if let Some(status) = overridden() {
        return (status, Rule::OverrideExists);
    }
    match existing {
        Some(status @ (Up | OutOfService)) if !is_replication => (status, Rule::LeaseExists),
        _ => (own, Rule::AlwaysMatch),
    }
}
