//! Where peers disagree: instances whose presence or status is not the same at all running servers,
//! and between which two; and how long after a heal they agree again.

use super::clusters::Clusters;
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::sim::{Fact, FaultFact, HostId, WorldView};
use crate::time::Instant;

/// What a server says of an instance that is absent; otherwise its status.
const ABSENT: u8 = 255;

/// How many instances servers do not agree on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Instances that one has and another has not.
    pub presence: u64,
    /// Instances that two have, with different statuses.
    pub status: u64,
}

impl Differences {
    /// Between two servers these say of an instance.
    fn count(&mut self, a: u8, b: u8, by: i64) {
        let count = match (a == ABSENT, b == ABSENT) {
            (false, false) if a != b => &mut self.status,
            (true, false) | (false, true) => &mut self.presence,
            _ => return,
        };
        *count = count.wrapping_add_signed(by);
    }
}

/// Instances on which servers differ, kept up to date. Costs a byte for each instance and server, so
/// it exists only if somebody asks.
#[derive(Clone, Debug)]
pub(super) struct Divergence {
    /// For each server, by instance; none while it does not run.
    servers: Vec<Option<Vec<u8>>>,
    clusters: Clusters,
    instances: usize,
    /// Instances that are not the same at all servers of a cluster, in any way.
    differing: u64,
    /// Likewise, by the way; with three servers an instance may differ in both.
    all: Differences,
    /// Between two servers, by [`Divergence::pair`].
    pairs: Vec<Differences>,
    /// How often something of this may have changed.
    changes: u64,
    healed: Option<Instant>,
    /// When all agreed after the last heal.
    converged: Option<Instant>,
    /// Servers that went away after the last heal, before all agreed.
    left: Vec<bool>,
    /// Of those, the ones that are back and have no registry yet.
    awaited: Vec<bool>,
}

impl Divergence {
    pub(super) fn new(clusters: Clusters, servers: usize, instances: usize) -> Self {
        Self {
            servers: vec![None; servers],
            clusters,
            instances,
            differing: 0,
            all: Differences::default(),
            pairs: vec![Differences::default(); servers * servers.saturating_sub(1) / 2],
            changes: 0,
            healed: None,
            converged: None,
            left: vec![false; servers],
            awaited: vec![false; servers],
        }
    }

    pub(super) fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        match *fact {
            // What the others agreed on without it was half the truth.
            Fact::Started(host, _) if world.is_server(host) && self.left[host.index()] => {
                self.left[host.index()] = false;
                self.awaited[host.index()] = true;
                self.converged = None;
            }
            Fact::Initialised(server) => {
                self.awaited[server.index()] = false;
                self.servers[server.index()] = Some(vec![ABSENT; self.instances]);
                self.recount(server.index());
            }
            Fact::Closed(host)
            | Fact::Exited(host, _)
            | Fact::Fault(FaultFact::Process("kill", host))
                if world.is_server(host) =>
            {
                self.awaited[host.index()] = false;
                self.left[host.index()] |= self.healed.is_some() && self.converged.is_none();
                self.servers[host.index()] = None;
                self.recount(host.index());
            }
            Fact::Registered { server, key, status, .. }
            | Fact::StatusChanged { server, key, status } => self.set(server, key, Some(status)),
            Fact::Cancelled { server, key, .. } => self.set(server, key, None),
            Fact::Fault(FaultFact::Heal { .. }) => {
                (self.healed, self.converged) = (Some(at), None);
                self.left.fill(false);
            }
            _ => {}
        }
    }

    /// Everything of an instant has happened.
    pub(super) fn elapsed(&mut self, at: Instant) {
        let agreed = self.differing == 0 && !self.awaited.contains(&true);
        if self.healed.is_some() && self.converged.is_none() && agreed {
            self.converged = Some(at);
        }
    }

    /// Instances on which servers differ.
    pub(super) const fn differing(&self) -> u64 {
        self.differing
    }

    /// Likewise, by how they differ.
    pub(super) const fn all(&self) -> Differences {
        self.all
    }

    /// How often something of the pairs may have changed.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// Every two servers of a cluster that run, in the order of the scenario, and where they differ.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (HostId, HostId, Differences)> + '_ {
        let runs = |index: &usize| self.servers[*index].is_some();
        let running = move || (0..self.servers.len()).filter(runs);
        running().flat_map(move |peer| {
            let is_one = move |server: &usize| {
                self.clusters.of_server(*server) == self.clusters.of_server(peer)
            };
            let firsts = running().take_while(move |&server| server < peer).filter(is_one);
            firsts.map(move |server| {
                let between = self.pairs[Self::pair(server, peer)];
                (HostId::new(server), HostId::new(peer), between)
            })
        })
    }

    /// Ns from the last heal until all agreed, or until `at` if they do not yet; 0 before a heal.
    pub(super) fn convergence_nanos(&self, at: Instant) -> u64 {
        self.healed.map_or(0, |healed| self.converged.unwrap_or(at).since(healed).nanos())
    }

    /// The position of two servers among all pairs.
    const fn pair(a: usize, b: usize) -> usize {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        high * (high - 1) / 2 + low
    }

    fn set(&mut self, server: HostId, key: InstanceKey, status: Option<InstanceStatus>) {
        let (server, key) = (server.index(), key.index());
        self.changes += 1;
        let says = status.map_or(ABSENT, |status| status as u8);
        self.count_all(key, -1);
        let Some(said) = self.servers[server].as_mut().map(|says| &mut says[key]) else {
            self.count_all(key, 1);
            return;
        };
        let said = std::mem::replace(said, says);
        self.count_all(key, 1);
        for peer in (0..self.servers.len()).filter(|&peer| peer != server) {
            if let Some(other) = self.servers[peer].as_ref().map(|says| says[key]) {
                let between = &mut self.pairs[Self::pair(server, peer)];
                between.count(said, other, -1);
                between.count(says, other, 1);
            }
        }
    }

    /// Adds an instance to what the servers of a cluster differ in, or takes it away.
    fn count_all(&mut self, key: usize, by: i64) {
        let (mut presence, mut statuses) = (false, false);
        for cluster in 0..self.clusters.count() {
            let own = self.servers.iter().enumerate();
            let own = own.filter(|(server, _)| self.clusters.of_server(*server) == cluster);
            let mut said = own.filter_map(|(_, says)| Some(says.as_ref()?[key]));
            let Some(first) = said.next() else {
                continue;
            };
            let mut status = first;
            for other in said {
                presence |= (other == ABSENT) != (first == ABSENT);
                statuses |= other != ABSENT && status != ABSENT && other != status;
                status = if status == ABSENT { other } else { status };
            }
        }
        let add = |count: &mut u64, is: bool| {
            *count = count.wrapping_add_signed(if is { by } else { 0 });
        };
        add(&mut self.differing, presence || statuses);
        add(&mut self.all.presence, presence);
        add(&mut self.all.status, statuses);
    }

    /// A server has come or gone.
    fn recount(&mut self, server: usize) {
        self.changes += 1;
        (self.differing, self.all) = (0, Differences::default());
        for key in 0..self.instances {
            self.count_all(key, 1);
        }
        for peer in (0..self.servers.len()).filter(|&peer| peer != server) {
            let mut between = Differences::default();
            if let (Some(a), Some(b)) = (&self.servers[server], &self.servers[peer]) {
                a.iter().zip(b).for_each(|(&a, &b)| between.count(a, b, 1));
            }
            self.pairs[Self::pair(server, peer)] = between;
        }
    }
}
