//! The timeline: what the script does to processes, clocks, network and servers.

use std::sync::Arc;

use super::super::action::{Action, Cut, CutMode, ZoneUrls};
use super::super::call::{CallId, Message};
use super::super::fact::{Fact, Observer, OperationKind};
use super::super::fault_fact::FaultFact;
use super::super::host::HostId;
use super::super::host_set::{HostSet, Selection};
use super::super::network::Effect;
use super::super::queue::EventQueue;
use super::super::random::Stream;
use super::{Deferred, Event, FailRule, World};
use crate::eureka::Flavor;
use crate::time::Span;

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// Executes an entry of the timeline.
    #[cold]
    pub(super) fn act(&mut self, index: usize) {
        let setup = self.setup;
        let entry = &setup.timeline[index];
        match &entry.action {
            Action::Kill(select) => {
                for host in self.living(select, index) {
                    self.kill(host);
                }
            }
            Action::Stop(select, _) => {
                for host in self.living(select, index) {
                    self.emit(&Fact::Fault(FaultFact::Process("stop", host)));
                    self.ask(host, index);
                }
            }
            Action::Start(select) => {
                let dead = select
                    .resolve(&self.streams, index as u64, |host| !self.hosts[host.index()].alive);
                for host in dead {
                    self.start(host);
                }
            }
            Action::Restart { select, down, graceful, upgrade } => {
                for host in self.living(select, index) {
                    if let Some(upgrade) = upgrade {
                        self.releases.upgrade(host, self.setup, upgrade);
                    }
                    self.restarting.insert(host, *down);
                    if *graceful {
                        self.emit(&Fact::Fault(FaultFact::Process("stop", host)));
                        self.ask(host, index);
                    } else {
                        self.kill(host);
                    }
                }
            }
            Action::Pause(select) => {
                let until = entry.until.unwrap_or(self.now);
                for host in self.living(select, index) {
                    if self.hosts[host.index()].paused.is_none() {
                        self.emit(&Fact::Fault(FaultFact::Process("pause", host)));
                    }
                    self.freeze(host, until);
                }
            }
            Action::Heal(entries) => {
                for &entry in entries {
                    self.end_entry(entry);
                }
            }
            Action::StepClock(select, by) => {
                for host in self.all(select, index) {
                    self.step_clock(host, *by);
                }
            }
            Action::SkewClock(select, ppm) => {
                for host in self.all(select, index) {
                    self.skews.push((index, host, *ppm));
                    self.skew_clock(host, *ppm);
                }
            }
            Action::SetStatus(select, status) => {
                for host in self.living(select, index) {
                    self.emit(&Fact::Fault(FaultFact::SetStatus(host, *status)));
                    self.ask(host, index);
                }
            }
            Action::SetHealth(select, answer, duration) => {
                for host in self.living(select, index) {
                    self.emit(&Fact::Fault(FaultFact::SetHealth(host, *answer, *duration)));
                    self.ask(host, index);
                }
            }
            Action::SetMetadata(select, ..) => {
                for host in self.living(select, index) {
                    self.emit(&Fact::Fault(FaultFact::Process("set-metadata", host)));
                    self.ask(host, index);
                }
            }
            Action::SetConfig(select, key, value)
            | Action::ConfigureInstance(select, key, value, _)
            | Action::SetServiceUrls(select, key, value, _) => {
                for host in self.living(select, index) {
                    self.emit(&Fact::Fault(FaultFact::SetConfig(host, key, value)));
                    self.ask(host, index);
                }
            }
            Action::Outside(server, _) => match &mut self.hosts[server.index()].paused {
                Some(pause) => pause.arrived.push(Deferred::Ask(index as u32)),
                None => self.obey(*server, index as u32),
            },
            action => self.begin_network_fault(index, action),
        }
    }

    /// A fault of the network, or of answers, begins.
    fn begin_network_fault(&mut self, entry: usize, action: &Action) {
        let everywhere = self.hosts.len();
        let (what, cut, effect) = match action {
            Action::Partition(cut, mode) => ("partition", cut.clone(), Effect::Cut(*mode)),
            Action::Isolate(hosts) => {
                let others = hosts.complement(everywhere);
                let cut = Cut { from: hosts.clone(), to: others, both_ways: true };
                ("isolate", cut, Effect::Cut(CutMode::Blackhole))
            }
            Action::Hold(cut) => ("hold", cut.clone(), Effect::Hold),
            Action::Slow(cut, by) => ("slow", cut.clone(), Effect::Slow(*by)),
            Action::Lossy(cut, loss) => ("lossy", cut.clone(), Effect::Lossy(*loss)),
            Action::Fail { servers, status, share, methods } => {
                let (servers, methods) = (servers.clone(), methods.clone());
                let (from, to) = (&HostSet::default(), &servers);
                self.emit(&Fact::Fault(FaultFact::Network { what: "fail", entry, from, to }));
                let rule = FailRule { entry, servers, status: *status, share: *share, methods };
                self.failing.push(rule);
                return;
            }
            _ => return,
        };
        let Cut { from, to, .. } = &cut;
        self.emit(&Fact::Fault(FaultFact::Network { what, entry, from, to }));
        self.network.begin(entry, cut, effect);
    }

    /// A fault ends, by its duration or because it is healed.
    #[cold]
    pub(super) fn end_entry(&mut self, entry: usize) {
        let mut ended = self.network.end(entry);
        let failing = self.failing.len();
        self.failing.retain(|rule| rule.entry != entry);
        ended |= self.failing.len() < failing;
        if ended {
            self.emit(&Fact::Fault(FaultFact::Heal { entry }));
            self.release_held(entry);
        }
        let (over, left) = std::mem::take(&mut self.skews)
            .into_iter()
            .partition::<Vec<_>, _>(|(since, ..)| *since == entry);
        self.skews = left;
        for (_, host, _) in over {
            let latest = self.skews.iter().rfind(|(_, other, _)| *other == host);
            self.skew_clock(host, latest.map_or(0, |(.., ppm)| *ppm));
        }
    }

    /// The selected processes that run.
    fn living(&self, select: &Selection, entry: usize) -> Vec<HostId> {
        select.resolve(&self.streams, entry as u64, |host| self.hosts[host.index()].alive)
    }

    /// The selected hosts, whether a process runs on them or not.
    fn all(&self, select: &Selection, entry: usize) -> Vec<HostId> {
        select.resolve(&self.streams, entry as u64, |_| true)
    }

    pub(super) fn kill(&mut self, host: HostId) {
        self.bury(host);
        self.emit(&Fact::Fault(FaultFact::Process("kill", host)));
        self.start_again(host);
    }

    /// Asks a process to do something itself, which a frozen one does when it resumes. A request from
    /// outside is a message like those of others.
    pub(super) fn ask(&mut self, host: HostId, entry: usize) {
        let asked = Deferred::Ask(entry as u32);
        let request = matches!(self.setup.timeline[entry].action, Action::Outside(..));
        match &mut self.hosts[host.index()].paused {
            Some(pause) if request => pause.arrived.push(asked),
            Some(pause) => pause.due.push((self.now, asked)),
            None => self.obey(host, entry as u32),
        }
    }

    /// A process does what an entry of the timeline asked it for.
    pub(super) fn obey(&mut self, host: HostId, entry: u32) {
        let setup = self.setup;
        if !self.hosts[host.index()].alive {
            return;
        }
        match &setup.timeline[entry as usize].action {
            Action::Stop(_, drain) => self.stop(host, *drain),
            Action::Restart { .. } | Action::Scale { .. } | Action::Deploy { .. } => {
                self.stop(host, None);
            }
            Action::SetStatus(_, status) => {
                self.drive(host, self.now, |client, cx| client.set_instance_status(cx, *status));
            }
            Action::SetHealth(_, answer, duration) => {
                self.drive(host, self.now, |client, _| client.set_health(*answer, *duration));
            }
            Action::ConfigureInstance(.., change) => {
                self.drive(host, self.now, |client, cx| {
                    client.configure_instance(cx, change.clone());
                });
            }
            Action::SetMetadata(_, key, value) => {
                let of_profile = Arc::clone(&setup.profile_of(host).metadata);
                self.drive(host, self.now, |client, cx| {
                    let mut all = client.metadata().cloned().unwrap_or(of_profile);
                    Arc::make_mut(&mut all).insert(Arc::clone(key), Arc::clone(value));
                    client.set_metadata(cx, all);
                });
            }
            Action::SetConfig(_, key, value) => self.set_config(host, key, value),
            Action::SetServiceUrls(.., ZoneUrls { zone, urls }) => {
                self.set_service_urls(host, zone, urls);
            }
            Action::Outside(server, requests) => {
                for request in requests {
                    self.execute_outside(*server, request);
                }
            }
            _ => {}
        }
    }

    fn stop(&mut self, host: HostId, drain: Option<Span>) {
        let drain = drain.unwrap_or(self.setup.profile_of(host).drain);
        // The Netflix WAR leaves its client to die with it.
        let says_goodbye =
            !self.is_server(host) || self.setup.servers[host.index()].flavor == Flavor::SpringCloud;
        if says_goodbye && self.is_server(host) {
            self.close_server(host);
        }
        let stopped = says_goodbye
            .then(|| self.drive(host, self.now, |client, cx| client.stop(cx, drain)))
            .flatten();
        if stopped.is_none() {
            // Nor has a server without embedded client anything to say.
            let generation = self.hosts[host.index()].generation - 1;
            self.bury(host);
            self.emit(&Fact::Exited(host, generation));
            self.start_again(host);
        }
    }

    /// A process that is being restarted starts again so long after it went.
    pub(super) fn start_again(&mut self, host: HostId) {
        if let Some(down) = self.restarting.remove(&host) {
            self.start_at(host, self.now + down);
        }
    }

    fn step_clock(&mut self, host: HostId, by_nanos: i64) {
        self.emit(&Fact::Fault(FaultFact::StepClock(host, by_nanos)));
        let now = self.now;
        self.own_clock(host).step(now, by_nanos);
        if self.is_server(host) {
            self.operation(host, &OperationKind::StepWall(by_nanos));
            self.emit_gauge_changes(host);
            self.expect_end_of_wait(host);
        }
    }

    fn skew_clock(&mut self, host: HostId, ppm: i64) {
        self.emit(&Fact::Fault(FaultFact::SkewClock(host, ppm)));
        let now = self.now;
        self.own_clock(host).set_skew(now, ppm);
        if self.is_server(host) {
            self.expect_end_of_wait(host);
        }
    }

    /// The clock of a host that has one of its own from now on.
    fn own_clock(&mut self, host: HostId) -> &mut crate::time::HostClock {
        let host = &mut self.hosts[host.index()];
        if host.clock == 0 {
            self.clocks.push(self.clocks[0]);
            host.clock = self.clocks.len() as u32 - 1;
        }
        &mut self.clocks[host.clock as usize]
    }

    fn set_config(&mut self, host: HostId, key: &str, value: &crate::eureka::config::ConfigValue) {
        let Some(core) = &mut self.servers[host.index()].core else {
            return;
        };
        // The scenario has tried the key and the value.
        let _ = core.registry.config_mut().set(key, value);
        self.operation(host, &OperationKind::Set(key, value));
        self.emit_gauge_changes(host);
        self.after_operation(host);
        self.expect_end_of_wait(host);
    }

    /// A failing server answers a request without executing it.
    #[cold]
    pub(super) fn refused_by_script(&mut self, id: CallId) -> bool {
        let call = self.calls.get(id);
        let (server, method) = (call.target, call.method());
        let (caller, number) = (call.caller.index() as u64, u64::from(call.number));
        let draw = self.streams.draw(Stream::FailShare, caller, number);
        let rule = self.failing.iter().find(|rule| {
            rule.servers.contains(server)
                && (rule.methods.is_empty() || rule.methods.contains(&method))
                && rule.share.hits(draw)
        });
        let Some(code) = rule.map(|rule| rule.status) else {
            return false;
        };
        self.calls.get(id).turned_away = true;
        let error_body = self.error_body(code);
        self.reply(id, Message::Answer { code, body: None, error_body });
        true
    }
}
