//! `DiscoveryClient.renew()` under its supervisor.

use super::event::{ClientEvent, Supervised};
use super::job::{JobId, Step, Worker};
use super::{ClientProcess, Cx};

impl ClientProcess {
    /// The heartbeat was answered; 404 means register again, with a new dirty timestamp
    /// (not in old releases).
    #[inline(always)]
    pub(super) fn renewed(&mut self, cx: &mut Cx<'_>, id: JobId, code: u16) {
        let stays_away = || cx.profile.rest.is_some_and(|rest| !rest.re_registers_on_404);
        if code == 404 && !stays_away() {
            return self.register_again(cx, id);
        }
        if code == 200 {
            cx.tell_routine(ClientEvent::HeartbeatSucceeded);
        }
        self.heartbeat_ended(cx, id);
    }

    #[cold]
    fn register_again(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let anew = cx.profile.registers_anew_after_404();
        let dirty = anew.then(|| self.set_dirty(cx));
        self.next_call(cx, id, Step::ReRegister(dirty));
    }

    /// Unlike the replicator, this path looks at the answer: only 204 makes the instance clean.
    #[cold]
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

    /// The heartbeat is over, successful or not.
    #[inline(always)]
    pub(super) fn heartbeat_ended(&mut self, cx: &mut Cx<'_>, id: JobId) {
        debug_assert!(cx.jobs.get(id).worker == Worker::Heartbeat);
        self.run_ended(cx, Supervised::Heartbeat, id);
    }
}
