//! `TimedSupervisorTask`: runs a task periodically, each run so long after the end of the last, and
//! waits longer and longer after runs that did not end in time.

use super::event::{ClientEvent, Supervised};
use super::job::{JobId, Step, Worker};
use super::rare::Sleeper;
use super::timer::Timer;
use super::{ClientProcess, ClientProfile, Cx};
use crate::time::Span;

/// One supervised task: heartbeats, or fetches.
#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    /// From the end of one run to the start of the next, in periods.
    factor: u32,
    /// The run that is awaited.
    awaited: Option<JobId>,
}

impl Supervisor {
    pub(super) const fn new() -> Self {
        Self { factor: 1, awaited: None }
    }

    /// From the end of one run to the start of the next.
    const fn delay(&self, period: Span) -> Span {
        period.saturating_mul(self.factor as u64)
    }

    /// The run ended in time, successful or not: back to the period. Whether that is a change.
    const fn finished(&mut self) -> bool {
        let changed = self.factor != 1;
        self.factor = 1;
        changed
    }

    /// The run did not end in time: twice the delay, up to `bound` periods. Whether that is a change.
    fn timed_out(&mut self, bound: i32) -> bool {
        let longer = self.factor.saturating_mul(2).min(bound.unsigned_abs());
        std::mem::replace(&mut self.factor, longer) != longer
    }
}

impl Supervised {
    const fn timer(self) -> Timer {
        match self {
            Self::Heartbeat => Timer::Heartbeat,
            Self::CacheRefresh => Timer::Refresh,
        }
    }

    fn period(self, profile: &ClientProfile) -> Span {
        match self {
            Self::Heartbeat => profile.renewal_interval(),
            Self::CacheRefresh => profile.fetch_interval(),
        }
    }

    /// How many periods a run may be delayed after timeouts.
    const fn bound(self, profile: &ClientProfile) -> i32 {
        match self {
            Self::Heartbeat => profile.client.heartbeat_executor_exponential_back_off_bound,
            Self::CacheRefresh => profile.client.cache_refresh_executor_exponential_back_off_bound,
        }
    }

    /// How many runs may be under way at once.
    const fn workers(self, profile: &ClientProfile) -> i32 {
        match self {
            Self::Heartbeat => profile.client.heartbeat_executor_thread_pool_size,
            Self::CacheRefresh => profile.client.cache_refresh_executor_thread_pool_size,
        }
    }
}

impl ClientProcess {
    const fn supervisor(&mut self, of: Supervised) -> &mut Supervisor {
        match of {
            Supervised::Heartbeat => &mut self.client.heartbeat,
            Supervised::CacheRefresh => &mut self.client.refresh,
        }
    }

    /// The next run, or the first, is due after the supervisor's delay.
    #[inline(always)]
    pub(super) fn schedule(&mut self, cx: &Cx<'_>, of: Supervised) {
        let delay = self.supervisor(of).delay(of.period(cx.profile));
        self.client.timers.set(of.timer(), cx.now.mono + delay.nanos());
    }

    /// A run is due, or the one under way took too long.
    #[inline(always)]
    pub(super) fn supervisor_timer(&mut self, cx: &mut Cx<'_>, of: Supervised) {
        let period = of.period(cx.profile);
        let supervisor = self.supervisor(of);
        if let Some(late) = supervisor.awaited.take() {
            return self.run_timed_out(cx, of, late);
        }
        let running = &mut self.client.running[of as usize];
        if i32::from(*running) >= of.workers(cx.profile) {
            cx.tell(ClientEvent::SupervisorRejected(of));
            self.schedule(cx, of);
            return;
        }
        *running += 1;
        self.client.timers.set(of.timer(), cx.now.mono + period.nanos());
        let (worker, step) = match of {
            Supervised::Heartbeat => (Worker::Heartbeat, Step::Renew),
            Supervised::CacheRefresh => (Worker::Refresh, self.first_fetch_step(cx)),
        };
        let id = cx.jobs.add(self.client.which, worker, step);
        self.supervisor(of).awaited = Some(id);
        self.first_attempt(cx, id);
    }

    /// The run under way took too long.
    #[cold]
    fn run_timed_out(&mut self, cx: &mut Cx<'_>, of: Supervised, late: JobId) {
        let period = of.period(cx.profile);
        let supervisor = self.supervisor(of);
        cx.tell(ClientEvent::SupervisorTimeout(of));
        if supervisor.timed_out(of.bound(cx.profile)) {
            cx.tell(ClientEvent::SupervisorDelay(of, supervisor.delay(period)));
        }
        self.interrupt(cx, late);
        self.schedule(cx, of);
    }

    /// The worker is free; if its supervisor still waits for it, the next run is one period from now,
    /// whether this one succeeded or not.
    #[inline(always)]
    pub(super) fn run_ended(&mut self, cx: &mut Cx<'_>, of: Supervised, id: JobId) {
        cx.jobs.remove(id);
        self.client.running[of as usize] -= 1;
        let supervisor = self.supervisor(of);
        if supervisor.awaited == Some(id) {
            supervisor.awaited = None;
            if supervisor.finished() {
                cx.tell(ClientEvent::SupervisorDelay(of, of.period(cx.profile)));
            }
            self.schedule(cx, of);
        }
    }

    /// `shutdownNow()` of all pools: what is due is dropped, what is under way is interrupted.
    pub(super) fn cancel_supervisors(&mut self, cx: &mut Cx<'_>) {
        for of in [Supervised::Heartbeat, Supervised::CacheRefresh] {
            self.client.timers.clear(of.timer());
            if let Some(job) = self.supervisor(of).awaited.take() {
                self.interrupt(cx, job);
            }
        }
    }

    /// Sets the interrupt flag of a worker. A pause of the HTTP library ends with it.
    pub(super) fn interrupt(&mut self, cx: &mut Cx<'_>, id: JobId) {
        cx.jobs.get(id).interrupted = true;
        self.client.wake_sleeper(Sleeper::HttpRetry(id), cx.now.mono);
    }
}
