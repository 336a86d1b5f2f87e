//! Why a registration ended as it did.

use super::rules::Rule;
use crate::eureka::InstanceStatus;

/// Which instance a registration has put into the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The one that was brought.
    Brought,
    /// The stored one: its dirty timestamp is newer.
    Stored,
    /// The one that was brought, with the newer dirty timestamp of the stored one (up to 1.4.10).
    BroughtWithStoredTimestamp,
}

/// What `AbstractInstanceRegistry.register` compared, and what decided. Dirty timestamps are in ms since 1970,
/// each on the clock of whoever set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Status and dirty timestamp that were brought.
    pub brought: (InstanceStatus, i64),
    /// Those of the stored instance; none if there was no lease.
    pub stored: Option<(InstanceStatus, i64)>,
    /// Whose body was kept.
    pub kept: Kept,
    /// The rule that decided on the status.
    pub rule: Rule,
}
