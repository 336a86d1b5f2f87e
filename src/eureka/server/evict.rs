//! Eviction.

use super::config::ServerConfig;
use super::lease::Lease;
use super::registry::{At, Fact, Registry};
use crate::eureka::InstanceKey;
use crate::eureka::java::Random;

/// One run of the eviction task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvictRun {
    /// `isLeaseExpirationEnabled` when it began; nobody is evicted otherwise.
    pub enabled: bool,
    /// How many leases had expired, compensation included; counted also if nobody may be evicted.
    pub expired: usize,
    /// The most that one run may evict.
    pub limit: i64,
    /// By how much (ms) the run was late, which every lease is given on top.
    pub compensation_ms: i64,
    /// The victims in the order they were cancelled.
    pub evicted: Vec<InstanceKey>,
}

impl Registry {
    /// `EvictionTask.run()`.
    pub(super) fn eviction_task(&mut self, at: At<'_>) {
        let compensation = self.compensation_time_ms(at.now.mono);
        self.evict(at, compensation);
    }

    /// `EvictionTask.getCompensationTimeMs()`: how much later than one interval after the previous
    /// run this one starts; 0 for the first run after opening, and never negative.
    fn compensation_time_ms(&mut self, mono: u64) -> i64 {
        let last = self.last_execution_nanos.replace(mono);
        if self.class.evicts_by_replicated_cancel() {
            return 0;
        }
        last.map_or(0, |last| {
            let elapsed_ms = ((mono - last) / 1_000_000) as i64;
            (elapsed_ms - self.config.eviction_interval_timer_in_ms).max(0)
        })
    }

    /// `AbstractInstanceRegistry.evict(long)`: cancels expired leases, at most the share that the
    /// percentage leaves, picked by a Knuth shuffle over the order of the hash maps with a generator
    /// seeded by the wall clock.
    pub fn evict(&mut self, at: At<'_>, additional_lease_ms: i64) {
        let mut expired = self.expired(at, additional_lease_ms);
        let limit = self.config.eviction_limit(self.size as i32);
        let mut run = EvictRun {
            enabled: self.is_lease_expiration_enabled(),
            expired: expired.len(),
            limit,
            compensation_ms: additional_lease_ms,
            evicted: Vec::new(),
        };
        let to_evict = (expired.len() as i64).min(limit);
        if run.enabled && to_evict > 0 {
            let mut random = Random::new(at.now.wall);
            for i in 0..to_evict as usize {
                let next = i + random.next_int((expired.len() - i) as i32) as usize;
                expired.swap(i, next);
                if self.class.evicts_by_replicated_cancel() {
                    self.cancel_replicated(at, expired[i], false, true);
                } else {
                    self.internal_cancel(at, expired[i], false, true);
                }
            }
            expired.truncate(to_evict as usize);
            run.evicted = expired;
        }
        self.facts.push(Fact::EvictRun(run));
    }

    /// The instances whose leases have expired, in the order of the hash maps.
    fn expired(&self, at: At<'_>, additional_lease_ms: i64) -> Vec<InstanceKey> {
        let is_expired = |lease: &Lease| lease.is_expired(at.now.wall, additional_lease_ms);
        // Most runs find none, which is known sooner from where the leases lie.
        if !self.objects.leases().any(is_expired) {
            return Vec::new();
        }
        let all = self.apps().flat_map(|app| self.instances_of(app));
        all.filter(|&key| self.lease(key).is_some_and(is_expired)).collect()
    }
}

impl ServerConfig {
    /// The most that one run of the eviction task may evict from a registry of `size` leases.
    #[must_use]
    pub fn eviction_limit(&self, size: i32) -> i64 {
        let kept = (f64::from(size) * self.renewal_percent_threshold) as i32;
        i64::from(size) - i64::from(kept)
    }
}
