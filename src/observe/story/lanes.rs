//! What an instance is called over time, at each place: by itself, by each server, by some consumers.

use super::what::Place;
use crate::eureka::client::View;
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::observe::Seen;
use crate::observe::statuses::{at_server, by_itself};
use crate::sim::{HostId, WorldView};
use crate::time::Instant;

/// One place over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryLane {
    /// Which.
    pub place: Place,
    /// What is seen from which instant on, in order; before the first, nobody.
    pub changes: Vec<(Instant, Seen)>,
}

impl StoryLane {
    pub(super) const fn new(place: Place) -> Self {
        Self { place, changes: Vec::new() }
    }

    /// What was seen last.
    #[must_use]
    pub fn now(&self) -> Seen {
        self.changes.last().map_or(Seen::Nobody, |(_, seen)| *seen)
    }

    /// Since when that is so; none if nobody was ever seen.
    #[must_use]
    pub fn since(&self) -> Option<Instant> {
        self.changes.last().map(|(at, _)| *at)
    }

    pub(super) fn look(&mut self, seen: Seen, at: Instant) {
        if self.now() != seen {
            self.changes.push((at, seen));
        }
    }
}

/// What a place shows of an instance now. `host` is who the instance is, or was last.
pub(super) fn seen(
    place: Place,
    key: InstanceKey,
    host: Option<HostId>,
    world: &WorldView<'_>,
) -> Seen {
    match place {
        Place::Process => by_itself(host, key, world),
        Place::Server(server) => at_server(server, key, world),
        Place::Client(client) => in_view(client, key, world),
        Place::Others | Place::Network => Seen::Nobody,
    }
}

/// What a consumer gets to see of an instance.
pub(super) fn in_view(client: HostId, key: InstanceKey, world: &WorldView<'_>) -> Seen {
    world.client(client).map_or(Seen::Nobody, |process| {
        shown(world.views().get(process.view()), client, key, world)
    })
}

/// What a consumer with this view gets to see of an instance.
pub(super) fn shown(view: &View, client: HostId, key: InstanceKey, world: &WorldView<'_>) -> Seen {
    let only_up = world.setup().profile_of(client).client.filter_only_up_instances;
    let shown = view.listed(key).filter(|status| !only_up || *status == InstanceStatus::Up);
    shown.map_or(Seen::Absent, Seen::Status)
}
