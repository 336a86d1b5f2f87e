//! `InstanceInfoReplicator`: sends the instance when it is dirty, periodically and on demand, on one
//! thread of its own.

use super::event::ClientEvent;
use super::job::{JobId, Step, Worker};
use super::rare::Sleeper;
use super::timer::Timer;
use super::{ClientProcess, Cx, DiscoveryClient};
use crate::time::Span;

/// Updates on demand that may follow each other at once.
const BURST_SIZE: i64 = 2;

/// `allowedRatePerMinute` of an interval in seconds.
fn allowed_per_minute(interval: i32) -> i64 {
    60 * BURST_SIZE / i64::from(interval)
}

/// What the replicator's thread is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Busy {
    /// Nothing.
    No,
    /// The health check.
    Evaluating,
    /// A registration.
    Registering(JobId),
}

/// The replicator's thread. Its queue are the timer [`Timer::Periodic`], the run it remembers, and the
/// sleepers that are of it.
#[derive(Clone, Debug)]
pub(super) struct Replicator {
    pub(super) busy: Busy,
    /// The object was made: there is somebody to ask for an update.
    pub(super) is_made: bool,
    /// `stop()` was called: nothing new is scheduled.
    stopped: bool,
}

impl Replicator {
    pub(super) fn new() -> Self {
        Self { busy: Busy::No, is_made: false, stopped: false }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy != Busy::No
    }
}

impl ClientProcess {
    /// `start(int)`, first half: marks the instance dirty.
    pub(super) fn start_replicator(&mut self, cx: &mut Cx<'_>) {
        self.set_dirty(cx);
        let held = cx.profile.replicator_start_takes;
        if held.is_zero() {
            self.schedule_first_run(cx);
        } else {
            self.client.sleep(cx.now.mono + held.nanos(), Sleeper::ReplicatorStart);
        }
    }

    /// `start(int)`, second half. A run on demand that came between the two has scheduled its own
    /// successor, which is forgotten now, and goes on: from then on there are two chains.
    pub(super) fn schedule_first_run(&mut self, cx: &mut Cx<'_>) {
        let delay = cx.profile.client.initial_instance_info_replication_interval_seconds;
        self.client.remember_run(cx.now.mono + super::profile::seconds(delay).nanos());
        self.constructed(cx);
    }

    /// `onDemandUpdate()`: a run now, if the limiter has a token; else the change waits for the next
    /// run or heartbeat.
    pub(super) fn on_demand_update(&mut self, cx: &mut Cx<'_>) {
        let interval = cx.profile.client.instance_info_replication_interval_seconds;
        let per_minute = allowed_per_minute(interval);
        if !self.client.limiter.acquire(BURST_SIZE, per_minute, cx.now.wall) {
            cx.tell(ClientEvent::OnDemandRateLimited);
        } else if self.client.replicator.stopped {
            cx.tell(ClientEvent::OnDemandAfterStop);
        } else {
            let hand_off = cx.draws.hand_off();
            self.client.sleep(cx.now.mono + hand_off.nanos(), Sleeper::OnDemand);
        }
    }

    /// How many updates on demand the limiter would grant at `wall` (ms) one after the other; none: any
    /// number. `interval` is that of the periodic runs in seconds.
    #[must_use]
    pub fn tokens(&self, interval: i32, wall: i64) -> Option<i64> {
        let limiter = self.client.limiter;
        limiter.available(BURST_SIZE, allowed_per_minute(interval), wall)
    }

    /// The thread takes a run that was asked for: it cancels the periodic one first.
    pub(super) fn run_on_demand(&mut self, cx: &mut Cx<'_>) {
        let periodic = self.client.timers.at(Timer::Periodic);
        self.client.timers.clear(Timer::Periodic);
        if self.client.replicator.stopped && periodic != u64::MAX {
            // What is cancelled after `stop()` stays in the queue until it would have been due.
            self.client.sleep(periodic, Sleeper::Cancelled);
        }
        self.refresh_instance_info(cx);
    }

    /// The thread takes the periodic run that it remembers.
    #[inline(always)]
    pub(super) fn run_periodic(&mut self, cx: &mut Cx<'_>) {
        self.client.timers.clear(Timer::Periodic);
        self.refresh_instance_info(cx);
    }

    /// The second half of a run: registers if the instance is dirty now. `interrupted`: the thread's
    /// flag is set.
    #[inline(always)]
    pub(super) fn replicate(&mut self, cx: &mut Cx<'_>, interrupted: bool) {
        if self.dirty {
            self.register_dirty(cx, interrupted);
        } else {
            self.replicator_run_ended(cx);
        }
    }

    #[cold]
    fn register_dirty(&mut self, cx: &mut Cx<'_>, interrupted: bool) {
        let id =
            cx.jobs.add(self.client.which, Worker::Replicator, Step::Replicate(self.last_dirty));
        cx.jobs.get(id).interrupted = interrupted;
        self.client.replicator.busy = Busy::Registering(id);
        self.first_attempt(cx, id);
    }

    /// The registration ended: any accepted answer makes the instance clean (`sent`), 204 or not.
    #[cold]
    pub(super) fn replicated(&mut self, cx: &mut Cx<'_>, id: JobId, sent: Option<i64>) {
        cx.jobs.remove(id);
        if let Some(sent) = sent {
            self.unset_dirty(sent);
        }
        self.replicator_run_ended(cx);
    }

    /// Whatever happened, the next periodic run is one interval from now.
    #[inline(always)]
    fn replicator_run_ended(&mut self, cx: &mut Cx<'_>) {
        self.client.replicator.busy = Busy::No;
        if self.client.replicator.stopped {
            self.replicator_may_have_terminated(cx);
            return;
        }
        let interval = cx.profile.client.instance_info_replication_interval_seconds;
        self.client.remember_run(cx.now.mono + super::profile::seconds(interval).nanos());
    }

    /// `shutdownNow()` after the wait: waiting runs are dropped, one under way is interrupted.
    pub(super) fn kill_replicator(&mut self, cx: &mut Cx<'_>) {
        self.client.timers.clear(Timer::Periodic);
        if let Some(rare) = &mut self.client.rare {
            rare.sleepers.retain(|(_, what)| !what.is_of_replicator());
        }
        match self.client.replicator.busy {
            Busy::No => {}
            Busy::Evaluating => self.interrupt_check(cx),
            Busy::Registering(job) => self.interrupt(cx, job),
        }
    }
}

impl DiscoveryClient {
    /// A periodic run is due at `at` (monotonic, ns), and it is the one to remember. If another one is
    /// still due, it is forgotten, not cancelled.
    #[inline(always)]
    fn remember_run(&mut self, at: u64) {
        let forgotten = self.timers.at(Timer::Periodic);
        if forgotten != u64::MAX {
            let due = self.timers.due(Timer::Periodic);
            self.rare().sleepers.push((due, Sleeper::Periodic));
        }
        self.timers.set(Timer::Periodic, at);
    }

    /// The first half of `stop()`: no run is scheduled any more.
    pub(super) fn stop_replicator(&mut self) {
        self.replicator.stopped = true;
    }

    /// When (monotonic, ns) the thread pool ends after `stop()`, if nothing else happens: at once if
    /// nothing runs or waits; not known as long as a live run is in the queue.
    pub(super) fn replicator_terminates(&self) -> Option<u64> {
        let sleepers = self.rare.iter().flat_map(|rare| &rare.sleepers);
        let queued =
            sleepers.clone().any(|(_, what)| matches!(what, Sleeper::OnDemand | Sleeper::Periodic));
        if self.replicator.is_busy() || queued || self.timers.at(Timer::Periodic) != u64::MAX {
            return None;
        }
        let cancelled = sleepers.filter(|(_, what)| *what == Sleeper::Cancelled);
        Some(cancelled.map(|(due, _)| due.at).max().unwrap_or(0))
    }
}

/// How long `stop()` waits for the replicator's thread pool to end.
pub(super) const STOP_TIMEOUT: Span = Span::from_secs(3);
