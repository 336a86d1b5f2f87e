//! The story of one instance: everything that happens to it, by the process it is, at every server and in
//! the views of its consumers, with the numbers that were compared.

mod consumers;
mod fold;
mod lanes;
mod process;
mod server;
mod what;

use std::collections::BTreeMap;

use crate::eureka::InstanceKey;
use crate::eureka::client::{HealthAnswer, HealthDuration};
use crate::scenario::Plan;
use crate::sim::{Fact, HostId, Observer, WorldView};
use crate::time::Instant;

use consumers::Consumers;
use fold::Folded;
pub use lanes::StoryLane;
use server::OnTheWire;
pub use what::{Eviction, LeaseTimes, Place, StoryEvent, Unheard, What};

/// Watches a run for one instance.
#[derive(Debug)]
pub struct Story {
    key: InstanceKey,
    /// Who is the instance, or was last.
    host: Option<HostId>,
    /// What its check answers, if the script has changed that since its process started.
    health: Option<(HealthAnswer, HealthDuration)>,
    /// It was removed or is being replaced: nobody starts it again.
    is_gone_for_good: bool,
    /// Somebody outside has set its status, or deleted an override.
    was_commanded: bool,
    told: Folded,
    lanes: Vec<StoryLane>,
    /// Something happened that lanes may show.
    is_touched: bool,
    consumers: Consumers,
    /// Batches under way that hold something about it.
    batches: BTreeMap<u64, Vec<OnTheWire>>,
    /// The lease at each server, as far as it was seen.
    leases: BTreeMap<HostId, LeaseTimes>,
    /// Where an override was set or deleted last, and when.
    overridden: Option<(HostId, Instant)>,
    /// Faults of the network that were told of, by timeline entry.
    faults: Vec<usize>,
}

impl Story {
    /// Before a run of this plan.
    #[must_use]
    pub fn new(plan: &Plan, key: InstanceKey) -> Self {
        let servers = (0..plan.setup.servers.len()).map(HostId::new);
        let consumers = Consumers::new(plan, key);
        let places = std::iter::once(Place::Process)
            .chain(servers.map(Place::Server))
            .chain(consumers.named().iter().copied().map(Place::Client));
        Self {
            key,
            host: None,
            health: None,
            is_gone_for_good: false,
            was_commanded: false,
            told: Folded::default(),
            lanes: places.map(StoryLane::new).collect(),
            is_touched: false,
            consumers,
            batches: BTreeMap::new(),
            leases: BTreeMap::new(),
            overridden: None,
            faults: Vec::new(),
        }
    }

    /// Who the instance is, or was last; none if no process of the run ever was.
    #[must_use]
    pub const fn host(&self) -> Option<HostId> {
        self.host
    }

    /// What its health check answers, if the script has changed that since its process started.
    #[must_use]
    pub const fn health(&self) -> Option<(HealthAnswer, HealthDuration)> {
        self.health
    }

    /// Whether a process may be started as this instance again.
    #[must_use]
    pub const fn may_start(&self) -> bool {
        self.host.is_some() && !self.is_gone_for_good
    }

    /// Whether somebody outside has set its status, or deleted an override.
    #[must_use]
    pub const fn was_commanded(&self) -> bool {
        self.was_commanded
    }

    /// How many consumers see it in which way now; those whose processes do not run are left out.
    #[must_use]
    pub fn views(&self, world: &WorldView<'_>) -> Vec<(crate::observe::Seen, usize)> {
        self.consumers.views(self.key, self.host, world)
    }

    /// All that was told, by time, and what every place showed over time: itself, the servers, then the
    /// consumers that are named.
    #[must_use]
    pub fn into_parts(self) -> (Vec<StoryEvent>, Vec<StoryLane>) {
        (self.told.into_events(), self.lanes)
    }

    /// Lanes as they are now.
    pub fn look(&mut self, world: &WorldView<'_>) {
        for lane in &mut self.lanes {
            lane.look(lanes::seen(lane.place, self.key, self.host, world), world.now());
        }
    }
}

impl Observer for Story {
    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        if let Fact::View { client, old, new } = fact {
            self.is_touched |= self.consumers.named().contains(client);
            let seen = self.consumers.view(*client, (old, new), self.key, world);
            // It is no consumer of itself.
            if let Some((place, what)) = seen.filter(|_| self.host != Some(*client)) {
                self.told.push(at, place, what);
            }
            return;
        }
        self.of_process(at, fact, world);
        self.of_server(at, fact, world);
    }

    fn elapsed(&mut self, _next: Instant, world: &WorldView<'_>) {
        if std::mem::take(&mut self.is_touched) {
            self.look(world);
        }
    }
}
