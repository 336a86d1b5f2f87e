//! Self-preservation: how many renewals are expected, how few are too few, and the access guard.

use super::config::ServerConfig;
use super::registry::Registry;
use crate::eureka::{BehaviourClass, Flavor};
use crate::time::Now;

impl Registry {
    /// `isLeaseExpirationEnabled`: whether expired leases may be evicted.
    #[must_use]
    pub fn is_lease_expiration_enabled(&self) -> bool {
        !self.config.enable_self_preservation
            || (self.threshold > 0 && self.renews_last_min.count() > i64::from(self.threshold))
    }

    /// `isBelowRenewThresold` (sic): whether the dashboard warns. Unlike the above it counts
    /// equality as below, and is silent for `waitTimeInMsWhenSyncEmpty` after opening.
    #[must_use]
    pub fn is_below_renew_threshold(&self, now: Now) -> bool {
        self.renews_last_min.count() <= i64::from(self.threshold)
            && self.startup_time > 0
            && now.wall > self.wait_ends()
    }

    /// The last millisecond (wall clock) of `waitTimeInMsWhenSyncEmpty` after opening.
    #[must_use]
    pub fn wait_ends(&self) -> i64 {
        self.startup_time + i64::from(self.config.wait_time_in_ms_when_sync_empty)
    }

    /// `shouldAllowAccess(boolean)`: whether reads are answered. Refused for
    /// `waitTimeInMsWhenSyncEmpty` after opening with nothing copied; allowed before opening, since
    /// the start-up time is 0 then.
    #[must_use]
    pub fn should_allow_access(&self, now: Now) -> bool {
        !self.peer_instances_transfer_empty_on_startup || now.wall > self.wait_ends()
    }

    /// `updateRenewalThreshold`, every 15 minutes: takes the number of instances in the embedded
    /// client's view if that is not too far below the expected number, or if self-preservation is off.
    pub(super) fn update_renewal_threshold(&mut self) {
        let count = if self.class.counts_renews() {
            self.view_size.wrapping_mul(2)
        } else {
            self.view_size
        };
        let compared = if self.class.updater_compares_with_threshold() {
            self.threshold
        } else {
            self.expected
        };
        let enough = f64::from(count) > self.config.renewal_percent_threshold * f64::from(compared);
        if enough || !self.config.enable_self_preservation {
            self.expected = count;
            self.update_threshold();
        }
    }

    /// `updateRenewsPerMinThreshold`.
    pub(super) fn update_threshold(&mut self) {
        self.threshold = self.config.renewal_threshold(self.flavor, self.class, self.expected);
    }

    /// An unknown instance registered. Once nobody is expected, registrations do not change that.
    pub(super) fn expect_one_more(&mut self) {
        if self.expected > 0 {
            self.expected = self.expected.wrapping_add(self.expected_per_client());
            self.update_threshold();
        }
    }

    /// A registered instance was cancelled.
    pub(super) fn expect_one_less(&mut self) {
        if self.expected > 0 {
            self.expected -= self.expected_per_client();
            self.update_threshold();
        }
    }

    /// What one client adds to the expected number.
    pub(super) fn expected_per_client(&self) -> i32 {
        if self.class.counts_renews() { 2 } else { 1 }
    }
}

impl ServerConfig {
    /// What `updateRenewsPerMinThreshold` computes from `expected`: clients or, up to 1.9.3, their
    /// renewals. The product is computed and truncated as Java does.
    #[must_use]
    pub fn renewal_threshold(&self, flavor: Flavor, class: BehaviourClass, expected: i32) -> i32 {
        let percent = self.renewal_percent_threshold;
        let expected = f64::from(expected);
        if class.counts_renews() {
            return (expected * percent) as i32;
        }
        (expected * (60.0 / f64::from(self.expected_interval(flavor))) * percent) as i32
    }

    /// Seconds between two heartbeats that the threshold is computed for. Netflix takes 30 for what
    /// is not positive; Spring's bean does not guard.
    #[must_use]
    pub fn expected_interval(&self, flavor: Flavor) -> i32 {
        match self.expected_client_renewal_interval_seconds {
            interval if interval <= 0 && flavor == Flavor::Netflix => 30,
            interval => interval,
        }
    }
}
