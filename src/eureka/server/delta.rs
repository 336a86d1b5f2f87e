//! The delta queue's retention.

use super::registry::Registry;

impl Registry {
    /// `getDeltaRetentionTask`: drops items from the head as long as they are older than the
    /// retention time. Caches are not told; a delta that lists them stays until it is made anew.
    pub(super) fn drop_old_changes(&mut self, wall: i64) {
        let oldest = wall - self.config.retention_time_in_ms_in_delta_queue;
        while let Some(item) = self.recently_changed.front() {
            if item.last_update_time >= oldest {
                break;
            }
            let lease = item.lease;
            self.recently_changed.pop_front();
            self.objects.release_lease(lease);
        }
    }
}
