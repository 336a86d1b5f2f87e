//! `InstanceInfoReplicator`: sends the instance when it is dirty, periodically and on demand, on one
//! thread of its own.

use super::job::{JobId, Step, Worker};
use super::rate_limiter::RateLimiter;
use super::timer::TimerSlot;
use super::{Cx, DiscoveryClient, profile};

/// Updates on demand that may follow each other at once.
const BURST_SIZE: i64 = 2;

/// The replicator's thread and its queue.
#[derive(Clone, Debug)]
pub(super) struct Replicator {
    /// The periodic run that is remembered; none while a run is under way.
    periodic: TimerSlot,
    /// Runs on demand that wait for the thread, oldest first.
    on_demand: Vec<TimerSlot>,
    /// The run under way has a registration under way.
    busy: Option<JobId>,
    limiter: RateLimiter,
    /// `stop()` was called: nothing new is scheduled.
    stopped: bool,
    /// A periodic run cancelled after that stays in the queue until it would have been due.
    dead_until: u64,
}

impl Replicator {
    pub(super) fn new() -> Self {
        Self {
            periodic: TimerSlot::NONE,
            on_demand: Vec::new(),
            busy: None,
            limiter: RateLimiter::default(),
            stopped: false,
            dead_until: 0,
        }
    }

    /// The next run, unless one is under way.
    pub(super) fn next(&self) -> TimerSlot {
        match self.busy {
            Some(_) => TimerSlot::NONE,
            None => self.on_demand.first().copied().unwrap_or(TimerSlot::NONE).min(self.periodic),
        }
    }

    /// When (monotonic, ns) the next run is due.
    pub(super) fn next_due(&self) -> u64 {
        match self.busy {
            Some(_) => u64::MAX,
            None => self.on_demand.first().map_or(u64::MAX, |run| run.due).min(self.periodic.due),
        }
    }

    /// When (monotonic, ns) the thread pool ends after `stop()`, if nothing else happens: at once if
    /// nothing runs or waits; never as long as a live run is in the queue.
    fn terminates(&self) -> Option<u64> {
        let idle = self.busy.is_none() && self.on_demand.is_empty() && !self.periodic.is_set();
        idle.then_some(self.dead_until)
    }
}

impl DiscoveryClient {
    /// `start(int)`: marks the instance dirty and schedules the first run.
    pub(super) fn start_replicator(&mut self, cx: &Cx<'_>) {
        self.set_dirty(cx);
        let config = &cx.profile.client;
        let delay = profile::seconds(config.initial_instance_info_replication_interval_seconds);
        self.replicator.periodic = self.order.set(cx.now.mono + delay.nanos());
    }

    /// `onDemandUpdate()`: a run now, if the limiter has a token; else the change waits for the next
    /// run or heartbeat.
    pub(super) fn on_demand_update(&mut self, cx: &mut Cx<'_>) {
        let interval = cx.profile.client.instance_info_replication_interval_seconds;
        let per_minute = 60 * BURST_SIZE / i64::from(interval);
        let allowed = self.replicator.limiter.acquire(BURST_SIZE, per_minute, cx.now.wall);
        if allowed && !self.replicator.stopped {
            let due = cx.now.mono + cx.draws.hand_off().nanos();
            let slot = self.order.set(due);
            self.replicator.on_demand.push(slot);
        }
    }

    /// The thread takes its next run: one on demand cancels the periodic one first.
    pub(super) fn replicator_timer(&mut self, cx: &mut Cx<'_>) {
        let next = self.replicator.next();
        let on_demand = self.replicator.on_demand.first() == Some(&next);
        let periodic = std::mem::replace(&mut self.replicator.periodic, TimerSlot::NONE);
        if on_demand {
            self.replicator.on_demand.remove(0);
            if self.replicator.stopped && periodic.is_set() {
                self.replicator.dead_until = periodic.due;
            }
        }
        if self.dirty {
            let step = Step::Replicate(self.last_dirty);
            let id = cx.jobs.add(Worker::Replicator, step);
            self.replicator.busy = Some(id);
            self.first_attempt(cx, id);
        } else {
            self.replicator_run_ended(cx);
        }
    }

    /// The registration ended: any accepted answer makes the instance clean (`sent`), 204 or not.
    pub(super) fn replicated(&mut self, cx: &mut Cx<'_>, id: JobId, sent: Option<i64>) {
        cx.jobs.remove(id);
        self.replicator.busy = None;
        if let Some(sent) = sent {
            self.unset_dirty(sent);
        }
        self.replicator_run_ended(cx);
    }

    /// Whatever happened, the next periodic run is one interval from now.
    fn replicator_run_ended(&mut self, cx: &mut Cx<'_>) {
        if self.replicator.stopped {
            self.replicator_may_have_terminated(cx);
            return;
        }
        let interval = cx.profile.client.instance_info_replication_interval_seconds;
        let delay = profile::seconds(interval);
        self.replicator.periodic = self.order.set(cx.now.mono + delay.nanos());
    }

    /// The first half of `stop()`: no run is scheduled any more.
    pub(super) fn stop_replicator(&mut self) {
        self.replicator.stopped = true;
    }

    /// When (monotonic, ns) `stop()` need not wait longer, as far as is known.
    pub(super) fn replicator_terminates(&self) -> Option<u64> {
        self.replicator.terminates()
    }

    /// `shutdownNow()` after the wait: waiting runs are dropped, one under way is interrupted.
    pub(super) fn kill_replicator(&mut self, cx: &mut Cx<'_>) {
        self.replicator.periodic = TimerSlot::NONE;
        self.replicator.on_demand.clear();
        if let Some(job) = self.replicator.busy {
            cx.jobs.get(job).interrupted = true;
        }
    }
}
