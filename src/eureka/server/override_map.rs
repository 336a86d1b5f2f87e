//! `overriddenInstanceStatusMap`: a Guava cache with `expireAfterAccess(1 h)`, by instance id alone
//! (two applications that share an id share the override).

use std::collections::BTreeMap;

use crate::eureka::{InstanceStatus, NameId};

/// Nanoseconds of the monotonic clock an override lives after its last access.
const TIME_TO_LIVE: u64 = 3_600 * 1_000_000_000;

#[derive(Clone, Copy, Debug)]
struct Entry {
    status: InstanceStatus,
    /// Monotonic clock of the last access.
    stamp: u64,
}

/// Status overrides by instance id. `mono` arguments are the monotonic clock in ns; an expired
/// entry is treated as absent everywhere.
#[derive(Clone, Debug, Default)]
pub struct OverrideMap {
    entries: BTreeMap<NameId, Entry>,
}

impl OverrideMap {
    /// `get(id)`: an access, so the entry lives another hour. The id is asked for only if there is
    /// any override at all.
    #[inline(always)]
    pub(super) fn get(&mut self, id: impl FnOnce() -> NameId, mono: u64) -> Option<InstanceStatus> {
        if self.entries.is_empty() { None } else { self.access(id(), mono) }
    }

    #[cold]
    fn access(&mut self, id: NameId, mono: u64) -> Option<InstanceStatus> {
        let entry = self.entries.get_mut(&id).filter(|entry| entry.is_alive(mono))?;
        entry.stamp = mono;
        Some(entry.status)
    }

    /// What is stored for an id; no access.
    #[must_use]
    pub fn peek(&self, id: NameId, mono: u64) -> Option<InstanceStatus> {
        self.entries.get(&id).filter(|entry| entry.is_alive(mono)).map(|entry| entry.status)
    }

    /// `containsKey(id)`: no access.
    pub(super) fn contains(&self, id: NameId, mono: u64) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.is_alive(mono))
    }

    /// `put(id, status)`.
    pub(super) fn put(&mut self, id: NameId, status: InstanceStatus, mono: u64) {
        self.entries.insert(id, Entry { status, stamp: mono });
    }

    /// `remove(id)`: what was there, if it had not expired.
    pub(super) fn remove(&mut self, id: NameId, mono: u64) -> Option<InstanceStatus> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.remove(&id).filter(|entry| entry.is_alive(mono)).map(|entry| entry.status)
    }

    /// `new HashMap<>(map)`: the overrides that have not expired; no access.
    pub fn snapshot(&self, mono: u64) -> impl Iterator<Item = (NameId, InstanceStatus)> + '_ {
        let alive = self.entries.iter().filter(move |(_, entry)| entry.is_alive(mono));
        alive.map(|(&id, entry)| (id, entry.status))
    }
}

impl Entry {
    const fn is_alive(&self, mono: u64) -> bool {
        mono - self.stamp < TIME_TO_LIVE
    }
}
