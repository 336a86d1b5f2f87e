//! What the instances that expectations ask after are called, by themselves and at each server.

use crate::eureka::{InstanceKey, InstanceStatus};
use crate::scenario::{Plan, Subject};
use crate::sim::{Fact, HostId, WorldView};
use crate::time::Instant;

/// Most instances that are watched.
const MOST_INSTANCES: usize = 8;

/// What there is to be seen of an instance at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// The place itself does not run: the process, or the server.
    Nobody,
    /// The server does not know the instance.
    Absent,
    /// Its status.
    Status(InstanceStatus),
}

/// One instance at one place over time.
#[derive(Clone, Debug)]
pub struct StatusLane {
    /// `APP/instance-id`
    pub instance: String,
    /// At which server; none for what its own process says.
    pub server: Option<HostId>,
    /// What is seen from which instant on, in order; before the first, nobody.
    pub changes: Vec<(Instant, Seen)>,
    key: InstanceKey,
    /// Who is or was the instance last.
    host: Option<HostId>,
}

/// The lanes of all instances that are asked after by `metric = "status"`, each instance's own first,
/// at most eight instances.
#[derive(Clone, Debug, Default)]
pub struct Statuses {
    lanes: Vec<StatusLane>,
    /// Something happened that may show.
    touched: bool,
}

impl Statuses {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut keys: Vec<InstanceKey> = Vec::new();
        for expectation in &plan.expectations {
            if let Subject::Metric { instance: Some(key), metric, .. } = expectation.subject
                && metric == crate::scenario::Metric::Status
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
        keys.truncate(MOST_INSTANCES);
        let servers: Vec<HostId> = (0..plan.setup.servers.len()).map(HostId::new).collect();
        let places = || std::iter::once(None).chain(servers.iter().copied().map(Some));
        let lane = |key: InstanceKey, server| StatusLane {
            instance: plan.setup.names.full(key),
            server,
            changes: Vec::new(),
            key,
            host: None,
        };
        let lanes = keys.into_iter().flat_map(|key| places().map(move |place| (key, place)));
        Self { lanes: lanes.map(|(key, place)| lane(key, place)).collect(), touched: false }
    }

    /// Every lane, those of an instance side by side.
    #[must_use]
    pub fn lanes(&self) -> &[StatusLane] {
        &self.lanes
    }

    pub(super) fn fact(&mut self, fact: &Fact<'_>, world: &WorldView<'_>) {
        match fact {
            Fact::Started(host, _) => {
                let key = world.key(*host);
                for lane in self.lanes.iter_mut().filter(|lane| lane.key == key) {
                    lane.host = Some(*host);
                }
                self.touched = true;
            }
            Fact::Exited(..)
            | Fact::Initialised(_)
            | Fact::LocalStatus { .. }
            | Fact::EvictRun { .. }
            | Fact::Registered { .. }
            | Fact::Overridden { .. }
            | Fact::Cancelled { .. }
            | Fact::Adopted { .. }
            | Fact::StatusChanged { .. } => self.touched = true,
            _ => {}
        }
    }

    /// Everything of an instant has happened.
    pub(super) fn elapsed(&mut self, world: &WorldView<'_>) {
        if !std::mem::take(&mut self.touched) {
            return;
        }
        for lane in &mut self.lanes {
            let seen = lane.seen(world);
            if lane.changes.last().map_or(Seen::Nobody, |(_, last)| *last) != seen {
                lane.changes.push((world.now(), seen));
            }
        }
    }
}

impl StatusLane {
    fn seen(&self, world: &WorldView<'_>) -> Seen {
        match self.server {
            Some(server) => at_server(server, self.key, world),
            None => by_itself(self.host, self.key, world),
        }
    }
}

/// What a server has of an instance.
pub(super) fn at_server(server: HostId, key: InstanceKey, world: &WorldView<'_>) -> Seen {
    match world.registry(server) {
        None => Seen::Nobody,
        Some(registry) => registry.status_of(key).map_or(Seen::Absent, Seen::Status),
    }
}

/// What an instance calls itself. `host` is who it is, or was last.
pub(super) fn by_itself(host: Option<HostId>, key: InstanceKey, world: &WorldView<'_>) -> Seen {
    let running = host.filter(|host| world.is_alive(*host) && world.key(*host) == key);
    let client = running.and_then(|host| world.client(host));
    client.map_or(Seen::Nobody, |client| Seen::Status(client.status()))
}
