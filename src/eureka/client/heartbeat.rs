//! `DiscoveryClient.renew()` under its supervisor.

use super::event::{ClientEvent, Supervised};
use super::job::{JobId, Step, Worker};
use super::timer::Timer;
use super::{ClientProcess, Cx};

impl ClientProcess {
    pub(super) fn schedule_heartbeats(&mut self, cx: &Cx<'_>) {
        let due = cx.now.mono + cx.profile.renewal_interval().nanos();
        self.client.timers.set(Timer::Heartbeat, due);
    }

    /// A heartbeat is due, or the one under way took too long.
    pub(super) fn heartbeat_timer(&mut self, cx: &mut Cx<'_>) {
        let period = cx.profile.renewal_interval();
        let supervisor = &mut self.client.heartbeat;
        if let Some(late) = supervisor.awaited.take() {
            let bound = cx.profile.client.heartbeat_executor_exponential_back_off_bound;
            cx.tell(ClientEvent::SupervisorTimeout(Supervised::Heartbeat));
            if supervisor.timed_out(bound) {
                let delay = supervisor.delay(period);
                cx.tell(ClientEvent::SupervisorDelay(Supervised::Heartbeat, delay));
            }
            self.interrupt(cx, late);
            self.next_heartbeat(cx);
            return;
        }
        let workers = cx.profile.client.heartbeat_executor_thread_pool_size;
        if i32::from(supervisor.running) >= workers {
            cx.tell(ClientEvent::SupervisorRejected(Supervised::Heartbeat));
            self.next_heartbeat(cx);
            return;
        }
        supervisor.running += 1;
        self.client.timers.set(Timer::Heartbeat, cx.now.mono + period.nanos());
        let id = cx.jobs.add(self.client.which, Worker::Heartbeat, Step::Renew);
        self.client.heartbeat.awaited = Some(id);
        self.first_attempt(cx, id);
    }

    fn next_heartbeat(&mut self, cx: &Cx<'_>) {
        let delay = self.client.heartbeat.delay(cx.profile.renewal_interval());
        self.client.timers.set(Timer::Heartbeat, cx.now.mono + delay.nanos());
    }

    /// The heartbeat was answered; 404 means register again, with a new dirty timestamp
    /// (not in old releases).
    pub(super) fn renewed(&mut self, cx: &mut Cx<'_>, id: JobId, code: u16) {
        let stays_away = cx.profile.rest.is_some_and(|rest| !rest.re_registers_on_404);
        if code == 404 && !stays_away {
            let anew = cx.profile.registers_anew_after_404();
            let dirty = anew.then(|| self.set_dirty(cx));
            self.next_call(cx, id, Step::ReRegister(dirty));
            return;
        }
        if code == 200 {
            cx.tell_routine(ClientEvent::HeartbeatSucceeded);
        }
        self.heartbeat_ended(cx, id);
    }

    /// Unlike the replicator, this path looks at the answer: only 204 makes the instance clean.
    pub(super) fn re_registered(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        dirty: Option<i64>,
        code: u16,
    ) {
        if code == 204 {
            if let Some(dirty) = dirty {
                self.unset_dirty(dirty);
            }
            cx.tell_routine(ClientEvent::HeartbeatSucceeded);
        }
        self.heartbeat_ended(cx, id);
    }

    /// The worker is free; if its supervisor still waits for it, the next heartbeat is one period
    /// from now, whether this one succeeded or not.
    pub(super) fn heartbeat_ended(&mut self, cx: &mut Cx<'_>, id: JobId) {
        debug_assert!(cx.jobs.get(id).worker == Worker::Heartbeat);
        cx.jobs.remove(id);
        let supervisor = &mut self.client.heartbeat;
        supervisor.running -= 1;
        if supervisor.awaited == Some(id) {
            supervisor.awaited = None;
            if supervisor.finished() {
                let period = cx.profile.renewal_interval();
                cx.tell(ClientEvent::SupervisorDelay(Supervised::Heartbeat, period));
            }
            self.next_heartbeat(cx);
        }
    }

    /// `shutdownNow()` of all pools: what is due is dropped, what is under way is interrupted.
    pub(super) fn cancel_supervisors(&mut self, cx: &mut Cx<'_>) {
        for timer in [Timer::Heartbeat, Timer::Refresh] {
            self.client.timers.clear(timer);
        }
        let (heartbeat, refresh) = (&mut self.client.heartbeat, &mut self.client.refresh);
        for job in [heartbeat.awaited.take(), refresh.awaited.take()].into_iter().flatten() {
            self.interrupt(cx, job);
        }
    }

    /// Sets the interrupt flag of a worker. A pause of the HTTP library ends with it.
    pub(super) fn interrupt(&mut self, cx: &mut Cx<'_>, id: JobId) {
        cx.jobs.get(id).interrupted = true;
        self.client.wake_sleeper(super::rare::Sleeper::HttpRetry(id), cx.now.mono);
    }
}
