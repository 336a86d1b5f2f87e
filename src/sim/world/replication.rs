//! What servers tell their peers: batches, and what comes back of them.

use super::super::call::{Message, Purpose};
use super::super::fact::{Fact, Observer, OperationKind};
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::{Event, World};
use crate::eureka::InstanceInfo;
use crate::eureka::server::peer::{Adopted, BatchId, Failure, PeerFact};
use crate::eureka::server::{At, EurekaServer};
use crate::time::{HostClock, Instant};

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// A pass of each dispatcher that is due at `at`, of which this is the first, up to one in which
    /// something happens: so many pass at once and do nothing that what is due is not asked in between.
    pub(super) fn run_queues(&mut self, host: HostId, first: usize, at: Instant) {
        let now = self.now_at(host);
        let Some(EurekaServer { peers, .. }) = &mut self.servers[host.index()].core else {
            return;
        };
        let is_due = |next: u64| HostClock::instant_of_mono(next) == at;
        let mut nodes = peers.iter_mut().skip(first);
        let busy = nodes.position(|node| node.next_run().is_some_and(is_due) && !node.idles(now));
        if let Some(after) = busy {
            self.work_off_queue(host, first + after);
        }
    }

    /// One pass of the dispatcher towards a peer; if a batch is complete it is sent.
    pub(super) fn run_queue(&mut self, host: HostId, peer: usize) {
        let now = self.now_at(host);
        let Some(EurekaServer { peers, .. }) = &mut self.servers[host.index()].core else {
            return;
        };
        if !peers[peer].idles(now) {
            self.work_off_queue(host, peer);
        }
    }

    #[inline(never)]
    fn work_off_queue(&mut self, host: HostId, peer: usize) {
        let setup = self.setup;
        let now = self.now_at(host);
        let Some(EurekaServer { registry, peers }) = &mut self.servers[host.index()].core else {
            return;
        };
        let mut items = self.items.pop().unwrap_or_default();
        let batch = peers[peer].run(registry.objects_mut(), &setup.names, now, &mut items);
        let (target, node) = (HostId::new(peers[peer].peer().server.into()), peers[peer].number());
        self.emit_peer_facts(host, peer);
        let Some(batch) = batch else {
            self.items.push(items);
            return;
        };
        let number = self.batches;
        self.batches += 1;
        self.emit(&Fact::BatchSent { batch: number, from: host, to: target, items: &items });
        let purpose = Purpose::Batch { node, batch, number };
        self.send(host, target, purpose, None, Message::Batch(items));
    }

    pub(super) fn batch_answered(
        &mut self,
        host: HostId,
        node: u32,
        batch: BatchId,
        items: &[(u16, Option<Box<InstanceInfo>>)],
    ) {
        let setup = self.setup;
        let at = At { now: self.now_at(host), names: &setup.names };
        let Some(EurekaServer { registry, peers }) = &mut self.servers[host.index()].core else {
            return;
        };
        let Some(peer) = peers.position(node) else {
            return;
        };
        let from = HostId::new(peers[peer].peer().server.into());
        let newer = peers[peer].answered(registry, at, batch, items);
        self.emit_peer_facts(host, peer);
        for theirs in newer {
            if let Some(core) = &mut self.servers[host.index()].core {
                let adopted = core.registry.adopt(at, (*theirs).clone());
                self.operation(host, &OperationKind::Adopted(&theirs, adopted));
                if adopted != Adopted::Failed {
                    self.emit(&Fact::Adopted { server: host, from, key: theirs.key });
                }
                self.after_operation(host);
            }
        }
        self.after_operation(host);
        self.arm_server(host);
    }

    pub(super) fn batch_failed(&mut self, host: HostId, node: u32, batch: BatchId, why: Failure) {
        let now = self.now_at(host);
        if let Some(EurekaServer { registry, peers }) = &mut self.servers[host.index()].core
            && let Some(peer) = peers.position(node)
        {
            peers[peer].failed(registry.objects_mut(), batch, why, now);
            self.emit_peer_facts(host, peer);
        }
        self.arm_server(host);
    }

    /// The dispatchers go on that were frozen at `since`.
    pub(super) fn resume_queues(&mut self, host: HostId, since: Instant) {
        let peers = self.servers[host.index()].core.iter_mut();
        for peer in peers.flat_map(|core| core.peers.iter_mut()) {
            peer.resume(HostClock::mono(since));
        }
    }

    /// What happened to the tasks of a dispatcher.
    fn emit_peer_facts(&mut self, host: HostId, peer: usize) {
        let Some(core) = &mut self.servers[host.index()].core else {
            return;
        };
        if core.peers[peer].facts().is_empty() {
            return;
        }
        let mut facts = std::mem::take(core.peers[peer].facts());
        let (from, to) = (host, HostId::new(core.peers[peer].peer().server.into()));
        for fact in facts.drain(..) {
            self.emit(&match fact {
                PeerFact::Dropped { key, action, why } => {
                    Fact::TaskDropped { from, to, key, action, why }
                }
                PeerFact::NotFound { key } => Fact::ReplicaNotFound { from, to, key },
            });
        }
        if let Some(core) = &mut self.servers[host.index()].core {
            *core.peers[peer].facts() = facts;
        }
    }
}
