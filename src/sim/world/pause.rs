//! Frozen processes: what comes meanwhile, and what happens at the resume.

use super::super::fact::{Fact, Observer, OperationKind};
use super::super::fault_fact::FaultFact;
use super::super::host::{HostId, Pause};
use super::super::queue::EventQueue;
use super::{Deferred, Event, World};
use crate::time::Instant;

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// Freezes a host until `until`; a host that is frozen already stays so until the later of both.
    pub(super) fn freeze(&mut self, host: HostId, until: Instant) {
        let process = &mut self.hosts[host.index()];
        let begins = process.paused.is_none();
        let pause = process.paused.get_or_insert_default();
        if begins {
            pause.since = self.now;
        }
        if begins || until > pause.until {
            pause.until = until;
            self.push(until, Event::Resume(host));
        }
    }

    /// If the host is frozen, something that came due waits for the resume.
    pub(super) fn defer_due(&mut self, host: HostId, what: Deferred) -> bool {
        let now = self.now;
        match &mut self.hosts[host.index()].paused {
            None => false,
            Some(pause) => {
                pause.due.push((now, what));
                true
            }
        }
    }

    /// The host goes on: what came due runs in the order it came due, what arrived in the order it
    /// arrived; which of both first is a race, decided by the setup.
    #[cold]
    pub(super) fn resume(&mut self, host: HostId) {
        let paused = &mut self.hosts[host.index()].paused;
        let over = paused.as_ref().is_some_and(|pause| pause.until <= self.now);
        if !over {
            return;
        }
        let Some(pause) = paused.take() else {
            return;
        };
        let Pause { since, due, arrived, .. } = *pause;
        self.emit(&Fact::Fault(FaultFact::Process("resume", host)));
        if self.is_server(host) {
            self.operation(host, &OperationKind::Resumed);
            self.resume_queues(host, since);
        }
        if self.setup.races.arrivals_first {
            self.handle_arrivals(host, arrived);
            self.handle_due(host, due);
        } else {
            self.handle_due(host, due);
            self.handle_arrivals(host, arrived);
        }
        self.rearm(host);
    }

    fn handle_due(&mut self, host: HostId, due: Vec<(Instant, Deferred)>) {
        for (at, what) in due {
            // Only the first timer that came due in the pause has an entry of its own.
            match what {
                Deferred::Wake => self.catch_up(host, at),
                _ => self.catch_up(host, Instant::from_nanos(at.nanos().saturating_sub(1))),
            }
            match what {
                Deferred::Wake => {}
                Deferred::End(call) => self.conclude(call, at),
                Deferred::Timeout(call) => self.conclude_timeout(call, at),
                Deferred::Arrive(call) => self.arrive(call),
                Deferred::Ask(entry) => self.obey(host, entry),
            }
        }
        // What came due after the last of these, and what is to follow at once.
        self.catch_up(host, self.now);
    }

    /// Runs what came due by `until`.
    fn catch_up(&mut self, host: HostId, until: Instant) {
        if self.is_server(host) {
            self.wake_server(host, until);
        } else {
            self.wake_client(host, until);
        }
    }

    fn handle_arrivals(&mut self, host: HostId, arrived: Vec<Deferred>) {
        for what in arrived {
            match what {
                // It has been stopped meanwhile: what it has accepted breaks.
                Deferred::Arrive(call) if !self.hosts[host.index()].listening => self.reset(call),
                Deferred::Arrive(call) => self.arrive(call),
                Deferred::End(call) => self.conclude(call, self.now),
                Deferred::Ask(entry) => self.obey(host, entry),
                Deferred::Wake | Deferred::Timeout(_) => {}
            }
        }
    }

    /// The process died while it was frozen: requests that wait at it are reset, the rest is gone.
    pub(super) fn abandon(&mut self, pause: Pause) {
        let due = pause.due.into_iter().map(|(_, what)| what);
        for what in due.chain(pause.arrived) {
            match what {
                Deferred::Arrive(call) => self.reset(call),
                Deferred::End(call) => self.conclude(call, self.now),
                Deferred::Timeout(call) => self.conclude_timeout(call, self.now),
                Deferred::Wake | Deferred::Ask(_) => {}
            }
        }
    }

    fn rearm(&mut self, host: HostId) {
        if self.is_server(host) {
            self.arm_server(host);
        } else {
            self.drive(host, self.now, |_, _| ());
        }
    }
}
