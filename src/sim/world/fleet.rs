//! Who belongs to an application: instances are added, removed and replaced, by `scale` and `deploy`.

use super::super::action::{Action, FleetChange};
use super::super::fact::{Fact, Observer};
use super::super::fault_fact::FaultFact;
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::{Event, World};
use crate::time::{Instant, Span};

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// A step of `scale` or `deploy`.
    #[cold]
    pub(super) fn change_fleet(&mut self, step: usize) {
        let setup = self.setup;
        let step = &setup.steps[step];
        let (graceful, down) = match setup.timeline[step.entry].action {
            Action::Scale { graceful } => (graceful, Span::ZERO),
            Action::Deploy { graceful, down } => (graceful, down),
            _ => return,
        };
        let (entry, change) = (step.entry, step.change);
        let members = &setup.members[step.members.clone()];
        self.emit(&Fact::Fault(FaultFact::Fleet { entry, change, members }));
        for member in members {
            let host = member.host;
            match change {
                FleetChange::Add => self.add(host),
                FleetChange::Remove => {
                    self.restarting.remove(&host);
                    let process = &mut self.hosts[host.index()];
                    process.starts_at = Instant::NEVER;
                    process.leaving = process.alive;
                    self.send_away(host, entry, graceful);
                }
                FleetChange::Replace => {
                    if member.key != self.key_of(host) {
                        self.renamed.insert(host, member.key);
                    }
                    if self.hosts[host.index()].alive {
                        self.restarting.insert(host, down);
                        self.send_away(host, entry, graceful);
                    } else {
                        // Its predecessor went before.
                        self.start_at(host, self.now + down);
                    }
                }
            }
        }
    }

    /// A process that is still on its way out is waited for: its place has one process at a time.
    fn add(&mut self, host: HostId) {
        let process = &mut self.hosts[host.index()];
        if !process.alive {
            self.start(host);
        } else if std::mem::take(&mut process.leaving) {
            self.restarting.insert(host, Span::ZERO);
        }
    }

    fn send_away(&mut self, host: HostId, entry: usize, graceful: bool) {
        if !self.hosts[host.index()].alive {
            return;
        }
        if graceful {
            self.emit(&Fact::Fault(FaultFact::Process("stop", host)));
            self.ask(host, entry);
        } else {
            self.kill(host);
        }
    }

    /// The next process of a host is the instance that it is to be by now.
    pub(super) fn become_the_next(&mut self, host: HostId) {
        let process = &mut self.hosts[host.index()];
        process.leaving = false;
        process.key = self.renamed.remove(&host).unwrap_or(process.key);
    }
}
