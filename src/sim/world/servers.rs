//! What server processes do: start-up, timers, and what follows from what they did.

use super::super::fact::{Fact, Observer, OperationKind, ServerOperation};
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::{Event, World};
use crate::eureka::client::ClientProcess;
use crate::eureka::server::peer::PeerEurekaNode;
use crate::eureka::server::{At, EurekaServer, TimerKind};
use crate::time::{HostClock, Instant, Span};

/// A server's process.
#[derive(Debug, Default)]
pub(super) struct ServerProcess {
    /// Registry and queues; none before it is initialised.
    pub(super) core: Option<EurekaServer>,
    /// When it looks for other peers next.
    pub(super) next_peers: Option<Instant>,
    /// When the embedded client has something to do.
    pub(super) client_due: Option<Instant>,
    /// When start-up sync looks next.
    pub(super) next_look: Option<Instant>,
    /// How often it has looked.
    pub(super) looks: i32,
    /// When it is to be opened, if that is fixed.
    pub(super) open_at: Option<Instant>,
    pub(super) opened: bool,
    /// As observers last heard.
    threshold: i32,
    expected: i32,
    protected: Option<bool>,
    below_renew_threshold: bool,
    pub(super) connect_timeout: Span,
    pub(super) read_timeout: Span,
}

impl ServerProcess {
    /// Connect and read timeout towards peers.
    pub(super) const fn peer_timeouts(&self) -> (Span, Span) {
        (self.connect_timeout, self.read_timeout)
    }

    /// What of the process is due first, and when ([`Instant::NEVER`] if nothing is): of equal instants
    /// what stands first here.
    fn first_due(&self) -> (Instant, Due) {
        let of_mono = |mono: Option<u64>| mono.map_or(Instant::NEVER, HostClock::instant_of_mono);
        let timers = self.core.as_ref().and_then(|core| core.registry.next_wake());
        let mut first = (of_mono(timers), Due::Timers);
        let mut compare = |at: Instant, due: Due| {
            if at < first.0 {
                first = (at, due);
            }
        };
        compare(self.next_look.unwrap_or(Instant::NEVER), Due::Look);
        compare(self.open_at.unwrap_or(Instant::NEVER), Due::Open);
        compare(self.next_peers.unwrap_or(Instant::NEVER), Due::Peers);
        compare(self.client_due.unwrap_or(Instant::NEVER), Due::Client);
        if let Some(core) = &self.core {
            for (peer, node) in core.peers.iter().enumerate() {
                compare(of_mono(node.next_run()), Due::Queue(peer));
            }
        }
        first
    }
}

/// What of a server is due.
enum Due {
    Timers,
    Look,
    Open,
    Peers,
    Client,
    Queue(usize),
}

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// The updater counts what the embedded client shows its callers.
    pub(super) fn embedded_view_changed(&mut self, host: HostId) {
        let only_up = self.setup.profile_of(host).client.filter_only_up_instances;
        let core = &mut self.servers[host.index()].core;
        if let (Some(core), Some(client)) = (core, &self.hosts[host.index()].client) {
            let visible = self.views.get(client.view()).visible(only_up);
            core.registry.set_view_size(visible as usize);
        }
    }

    /// Runs whatever of a server was due by `until`, in the order it came due.
    pub(super) fn wake_server(&mut self, host: HostId, until: Instant) {
        loop {
            let (at, due) = self.servers[host.index()].first_due();
            if at > until {
                return self.arm(host, at);
            }
            match due {
                Due::Timers => self.run_timers(host),
                Due::Look => self.look(host),
                Due::Open => {
                    let count = match self.setup.servers[host.index()].config.registry_sync_retries
                    {
                        0 => 0,
                        _ => self.sync_up_once(host),
                    };
                    self.open(host, count);
                }
                Due::Peers => {
                    self.update_peers(host);
                    let next = self.next_look_at_peers(host);
                    self.servers[host.index()].next_peers = next;
                }
                Due::Client => self.wake_client(host, until),
                Due::Queue(peer) => self.run_queues(host, peer, at),
            }
        }
    }

    fn run_timers(&mut self, host: HostId) {
        let setup = self.setup;
        let at = At { now: self.now_at(host), names: &setup.names };
        let process = &self.servers[host.index()];
        let updates = process
            .core
            .as_ref()
            .is_some_and(|core| core.registry.wakes_by(TimerKind::ThresholdUpdate, at.now.mono));
        if updates && O::WANTS_OPERATIONS {
            let only_up = setup.profile_of(host).client.filter_only_up_instances;
            let shown = self.hosts[host.index()].client.as_ref().map(ClientProcess::view);
            let shown = shown.unwrap_or(crate::eureka::client::ViewId::EMPTY);
            let (observer, view, _) = self.split();
            if let Some(operation) =
                view.operation(host, OperationKind::View(view.views.get(shown), only_up))
            {
                observer.operation(view.now(), &operation, &view);
            }
        }
        if let Some(core) = &mut self.servers[host.index()].core {
            core.registry.run_timers(at);
        }
        self.operation(host, &OperationKind::Timers);
        self.after_operation(host);
    }

    /// What follows from an operation on a registry: facts, tasks for the peers, and dispatchers that
    /// a task has woken. Gauges change with facts only (or by time, see
    /// [`World::expect_end_of_wait`]); a renewal leaves none.
    #[inline(always)]
    pub(super) fn after_operation(&mut self, host: HostId) {
        let now = self.now_at(host);
        let Some(core) = &mut self.servers[host.index()].core else {
            return;
        };
        core.replicate_to_peers(now);
        if !core.registry.facts().is_empty() {
            self.emit_registry_facts(host);
        }
        let mut peer = 0;
        while let Some(ready) = self.ready_queue(host, peer, now.mono) {
            self.run_queue(host, ready);
            peer = ready;
        }
    }

    /// The first dispatcher, from that of a peer on, that has something to look at.
    #[inline(always)]
    fn ready_queue(&self, host: HostId, from: usize, mono: u64) -> Option<usize> {
        let peers = &self.servers[host.index()].core.as_ref()?.peers;
        let ready = |node: &PeerEurekaNode| node.next_run().is_some_and(|next| next <= mono);
        Some(from + peers.get(from..)?.iter().position(ready)?)
    }

    /// Facts, and the gauges that change with them.
    #[cold]
    fn emit_registry_facts(&mut self, host: HostId) {
        let Some(core) = &mut self.servers[host.index()].core else {
            return;
        };
        let mut facts = std::mem::take(core.registry.facts());
        for fact in &facts {
            self.emit_registry_fact(host, fact);
        }
        facts.clear();
        if let Some(core) = &mut self.servers[host.index()].core {
            *core.registry.facts() = facts;
        }
        self.emit_gauge_changes(host);
    }

    fn emit_registry_fact(&mut self, server: HostId, fact: &crate::eureka::server::Fact) {
        use crate::eureka::server::Fact as Core;
        match fact {
            Core::Registered { key, status, is_replication, is_new, decision } => {
                let (key, status, replica) = (*key, *status, *is_replication);
                let (is_new, decision) = (*is_new, *decision);
                self.emit(&Fact::Registered { server, key, status, replica, is_new, decision });
            }
            Core::Cancelled { key, is_replication, evicted } => {
                let (key, replica, evicted) = (*key, *is_replication, *evicted);
                self.emit(&Fact::Cancelled { server, key, replica, evicted });
            }
            Core::StatusChanged { key, status } => {
                self.emit(&Fact::StatusChanged { server, key: *key, status: *status });
            }
            Core::Overridden { key, status } => {
                self.emit(&Fact::Overridden { server, key: *key, status: *status });
            }
            Core::EvictRun(run) => self.emit(&Fact::EvictRun { server, run }),
            Core::TimerRan { kind: TimerKind::RenewalRate, after, .. } => {
                let renews = after.num_of_renews_in_last_min;
                self.emit(&Fact::Bucket { server, renews });
            }
            Core::TimerRan { kind: TimerKind::CacheFill, .. } => self.cache_filled(server),
            Core::TimerRan { .. } => {}
        }
    }

    /// What monitoring shows of a server may change by time alone; observers are to see it then.
    pub(super) fn expect_end_of_wait(&mut self, host: HostId) {
        let Some(core) = &self.servers[host.index()].core else {
            return;
        };
        let after = core.registry.wait_ends() + 1;
        if let Some(at) = self.clock_of(host).instant_of_wall(after).filter(|&at| at > self.now) {
            self.push(at, Event::WaitOver(host));
        }
    }

    #[cold]
    pub(super) fn emit_gauge_changes(&mut self, server: HostId) {
        let now = self.now_at(server);
        let process = &mut self.servers[server.index()];
        let Some(core) = &process.core else {
            return;
        };
        let (from, to) = (process.threshold, core.registry.threshold());
        let on = core.registry.config().enable_self_preservation
            && !core.registry.is_lease_expiration_enabled();
        let changed = process.opened && process.protected != Some(on);
        let below = core.registry.is_below_renew_threshold(now);
        let below_changed = process.below_renew_threshold != below;
        process.below_renew_threshold = below;
        process.threshold = to;
        let expected = core.registry.expected();
        let expected_changed = std::mem::replace(&mut process.expected, expected) != expected;
        if changed {
            process.protected = Some(on);
        }
        if from != to {
            self.emit(&Fact::Threshold { server, from, to });
        }
        if expected_changed {
            self.emit(&Fact::Expected { server, to: expected });
        }
        if changed {
            self.emit(&Fact::SelfPreservation { server, on });
        }
        if below_changed {
            self.emit(&Fact::BelowRenewThreshold { server, on: below });
        }
    }

    /// After a request only the dispatchers may have something to do earlier than before.
    #[inline(always)]
    pub(super) fn arm_queues(&mut self, host: HostId) {
        if let Some(core) = &self.servers[host.index()].core {
            let next = core.peers.iter().filter_map(PeerEurekaNode::next_run).min();
            if let Some(next) = next {
                self.arm(host, HostClock::instant_of_mono(next));
            }
        }
    }

    pub(super) fn arm_server(&mut self, host: HostId) {
        let (next, _) = self.servers[host.index()].first_due();
        self.arm(host, next);
    }

    /// Tells an observer that wants to know what was done to a registry.
    pub(super) fn operation(&mut self, host: HostId, kind: &OperationKind<'_>) {
        if !O::WANTS_OPERATIONS {
            return;
        }
        let (observer, view, _) = self.split();
        if let Some(operation) = view.operation(host, kind.clone()) {
            observer.operation(view.now(), &operation, &view);
        }
    }
}

impl<'a> super::WorldView<'a> {
    fn operation(&self, host: HostId, kind: OperationKind<'a>) -> Option<ServerOperation<'a>> {
        Some(ServerOperation {
            server: host,
            generation: self.hosts[host.index()].generation,
            now: self.clocks(host),
            registry: self.registry(host)?,
            kind,
        })
    }
}
