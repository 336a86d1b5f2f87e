//! Where peers disagree: instances whose presence or status is not the same at all running servers,
//! and how long after a heal they agree again.

use crate::eureka::{InstanceKey, InstanceStatus};
use crate::sim::{Fact, FaultFact, HostId, WorldView};
use crate::time::Instant;

/// What a server says of an instance: its status, or (255) that it is absent.
const ABSENT: u8 = 255;

/// Instances on which servers differ, kept up to date. Costs a byte for each instance and server, so
/// it exists only if somebody asks.
#[derive(Clone, Debug)]
pub(super) struct Divergence {
    /// For each server, by instance; none while it does not run.
    servers: Vec<Option<Vec<u8>>>,
    instances: usize,
    differing: u64,
    healed: Option<Instant>,
    /// When all agreed after the last heal.
    converged: Option<Instant>,
}

impl Divergence {
    pub(super) fn new(servers: usize, instances: usize) -> Self {
        Self {
            servers: vec![None; servers],
            instances,
            differing: 0,
            healed: None,
            converged: None,
        }
    }

    pub(super) fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        match *fact {
            Fact::Initialised(server) => {
                self.servers[server.index()] = Some(vec![ABSENT; self.instances]);
                self.recount();
            }
            Fact::Exited(host, _) | Fact::Fault(FaultFact::Process("kill", host))
                if world.is_server(host) =>
            {
                self.servers[host.index()] = None;
                self.recount();
            }
            Fact::Registered { server, key, status, .. }
            | Fact::StatusChanged { server, key, status } => self.set(server, key, Some(status)),
            Fact::Cancelled { server, key, .. } => self.set(server, key, None),
            Fact::Fault(FaultFact::Heal { .. }) => (self.healed, self.converged) = (Some(at), None),
            _ => {}
        }
    }

    /// Everything of an instant has happened.
    pub(super) fn elapsed(&mut self, at: Instant) {
        if self.healed.is_some() && self.converged.is_none() && self.differing == 0 {
            self.converged = Some(at);
        }
    }

    /// Instances on which servers differ.
    pub(super) const fn differing(&self) -> u64 {
        self.differing
    }

    /// Ns from the last heal until all agreed, or until `at` if they do not yet; 0 before a heal.
    pub(super) fn convergence_nanos(&self, at: Instant) -> u64 {
        self.healed.map_or(0, |healed| self.converged.unwrap_or(at).since(healed).nanos())
    }

    fn set(&mut self, server: HostId, key: InstanceKey, status: Option<InstanceStatus>) {
        let before = self.differs(key.index());
        let said = status.map_or(ABSENT, |status| status as u8);
        if let Some(statuses) = &mut self.servers[server.index()] {
            statuses[key.index()] = said;
        }
        let after = self.differs(key.index());
        self.differing = self.differing + u64::from(after) - u64::from(before);
    }

    fn differs(&self, key: usize) -> bool {
        let mut said = self.servers.iter().flatten().map(|statuses| statuses[key]);
        let first = said.next();
        said.any(|other| Some(other) != first)
    }

    fn recount(&mut self) {
        self.differing = (0..self.instances).filter(|&key| self.differs(key)).count() as u64;
    }
}
