//! `DiscoveryClient.renew()` under its supervisor.

use super::job::{JobId, Step, Worker};
use super::timer::TimerSlot;
use super::{Cx, DiscoveryClient};

impl DiscoveryClient {
    pub(super) fn schedule_heartbeats(&mut self, cx: &Cx<'_>) {
        let delay = self.heartbeat.start(cx.profile.renewal_interval());
        self.heartbeat.timer = self.order.set(cx.now.mono + delay.nanos());
    }

    /// A heartbeat is due, or the one under way took too long.
    pub(super) fn heartbeat_timer(&mut self, cx: &mut Cx<'_>) {
        let period = cx.profile.renewal_interval();
        if let Some(late) = self.heartbeat.awaited.take() {
            cx.jobs.get(late).interrupted = true;
            let bound = cx.profile.client.heartbeat_executor_exponential_back_off_bound;
            let delay = self.heartbeat.timed_out(period, bound);
            self.heartbeat.timer = self.order.set(cx.now.mono + delay.nanos());
            return;
        }
        let workers = cx.profile.client.heartbeat_executor_thread_pool_size;
        if i32::from(self.heartbeat.running) >= workers {
            let delay = self.heartbeat.rejected();
            self.heartbeat.timer = self.order.set(cx.now.mono + delay.nanos());
            return;
        }
        self.heartbeat.running += 1;
        self.heartbeat.timer = self.order.set(cx.now.mono + period.nanos());
        let id = cx.jobs.add(Worker::Heartbeat, Step::Renew);
        self.heartbeat.awaited = Some(id);
        self.first_attempt(cx, id);
    }

    /// The heartbeat was answered; 404 means register again, with a new dirty timestamp.
    pub(super) fn renewed(&mut self, cx: &mut Cx<'_>, id: JobId, code: u16) {
        if code == 404 {
            let dirty = self.set_dirty(cx);
            self.next_call(cx, id, Step::ReRegister(dirty));
        } else {
            self.heartbeat_ended(cx, id);
        }
    }

    /// Unlike the replicator, this path looks at the answer: only 204 makes the instance clean.
    pub(super) fn re_registered(&mut self, cx: &mut Cx<'_>, id: JobId, dirty: i64, code: u16) {
        if code == 204 {
            self.unset_dirty(dirty);
        }
        self.heartbeat_ended(cx, id);
    }

    /// The worker is free; if its supervisor still waits for it, the next heartbeat is one period
    /// from now, whether this one succeeded or not.
    pub(super) fn heartbeat_ended(&mut self, cx: &mut Cx<'_>, id: JobId) {
        debug_assert!(cx.jobs.get(id).is_of(Worker::Heartbeat));
        cx.jobs.remove(id);
        self.heartbeat.running -= 1;
        if self.heartbeat.awaited == Some(id) {
            self.heartbeat.awaited = None;
            let delay = self.heartbeat.finished(cx.profile.renewal_interval());
            self.heartbeat.timer = self.order.set(cx.now.mono + delay.nanos());
        }
    }

    pub(super) fn cancel_supervisors(&mut self, cx: &mut Cx<'_>) {
        for supervisor in [&mut self.heartbeat, &mut self.refresh] {
            supervisor.timer = TimerSlot::NONE;
            if let Some(job) = supervisor.awaited.take() {
                cx.jobs.get(job).interrupted = true;
            }
        }
    }
}
