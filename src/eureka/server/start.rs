//! Start-up: initialisation, copying from peers, opening for traffic.

use super::objects::InfoRef;
use super::registry::{At, Registry};

impl Registry {
    /// `PeerAwareInstanceRegistryImpl.init`: the timers of the replication rate, of the response
    /// cache and of the threshold updater start.
    pub fn init(&mut self, at: At<'_>) {
        self.cache.init(&self.config);
        self.timers.init(at.now, &self.config);
    }

    /// The embedded client's view now has this many instances, as the updater counts them.
    pub fn set_view_size(&mut self, instances: usize) {
        self.view_size = i32::try_from(instances).unwrap_or(i32::MAX);
    }

    /// One look of `syncUp` at the embedded client's view: registers the very objects in it, as if a
    /// peer had sent them, and says how many. An instance without lease information is skipped. The
    /// caller looks again, after `registrySyncRetryWaitMs`, as often as it is configured to.
    pub fn sync_up_once(&mut self, at: At<'_>, view: &[InfoRef]) -> i32 {
        let mut count = 0;
        for &info in view {
            if let Some(lease) = self.objects[info].lease_info {
                self.register_for(at, info, lease.duration_in_secs, true);
                count += 1;
            }
        }
        count
    }

    /// Whether `syncUp` sleeps after fruitless look number `look` (from 1) of `looks`.
    #[must_use]
    pub fn sync_up_waits_after(&self, look: i32, looks: i32) -> bool {
        look < looks || self.class.sync_waits_after_last_look()
    }

    /// `PeerAwareInstanceRegistryImpl.openForTraffic(ApplicationInfoManager, int)`: `count` clients
    /// are expected from now on, whatever was counted before; the renewal rate and the eviction task
    /// start. (Spring's replacement of a count of 0 is the caller's.)
    pub fn open_for_traffic(&mut self, at: At<'_>, count: i32) {
        self.expected = count.wrapping_mul(self.expected_per_client());
        self.update_threshold();
        self.startup_time = at.now.wall;
        if count > 0 {
            self.peer_instances_transfer_empty_on_startup = false;
        }
        self.last_execution_nanos = None;
        self.timers.open(at.now, &self.config);
    }

    /// Wall clock (ms) of `openForTraffic`; 0 before.
    #[must_use]
    pub const fn startup_time(&self) -> i64 {
        self.startup_time
    }
}
