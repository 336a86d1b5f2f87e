//! Who fetches an instance, and what they see of it: a few are named, the rest are counted.

use std::collections::BTreeMap;

use super::lanes::{in_view, shown};
use super::what::{Place, What};
use crate::eureka::InstanceKey;
use crate::eureka::client::View;
use crate::observe::Seen;
use crate::scenario::Plan;
use crate::sim::{HostId, WorldView};

/// Most consumers that are named.
const NAMED: usize = 3;

/// The clients that fetch.
#[derive(Clone, Debug)]
pub(super) struct Consumers {
    named: Vec<HostId>,
    /// By position among the hosts.
    fetches: Vec<bool>,
}

impl Consumers {
    /// Those that call its application are named first.
    pub(super) fn new(plan: &Plan, key: InstanceKey) -> Self {
        let setup = &plan.setup;
        let app = setup.names.app_of(key);
        let fetches: Vec<bool> = (0..setup.host_count())
            .map(HostId::new)
            .map(|host| {
                let is_client = host.index() >= setup.servers.len();
                let profile = setup.profile_of(host);
                is_client && profile.client.fetch_registry && profile.rest.is_none()
            })
            .collect();
        let all = || (0..setup.host_count()).map(HostId::new).filter(|of| fetches[of.index()]);
        let calls = |host: &HostId| setup.calls_of(*host).iter().any(|calls| calls.app == app);
        let others = |host: &HostId| setup.first_key_of(*host) != key;
        let first = all().filter(calls).chain(all().filter(|host| !calls(host)));
        Self { named: first.filter(others).take(NAMED).collect(), fetches }
    }

    pub(super) fn named(&self) -> &[HostId] {
        &self.named
    }

    /// What has changed of an instance in the view of a client.
    pub(super) fn view(
        &self,
        client: HostId,
        (old, new): (&View, &View),
        key: InstanceKey,
        world: &WorldView<'_>,
    ) -> Option<(Place, What)> {
        if !self.fetches[client.index()] {
            return None;
        }
        let seen = |view: &View| shown(view, client, key, world);
        let (before, now) = (seen(old), seen(new));
        let named = self.named.contains(&client);
        let place = if named { Place::Client(client) } else { Place::Others };
        (before != now).then_some((place, What::Sees(now)))
    }

    /// How many see it in which way; `own` is no consumer of itself.
    pub(super) fn views(
        &self,
        key: InstanceKey,
        own: Option<HostId>,
        world: &WorldView<'_>,
    ) -> Vec<(Seen, usize)> {
        let fetching = self.fetches.iter().enumerate().filter(|(_, fetches)| **fetches);
        let others = fetching.map(|(host, _)| HostId::new(host)).filter(|of| own != Some(*of));
        let mut counts: BTreeMap<Seen, usize> = BTreeMap::new();
        for host in others.filter(|host| world.client(*host).is_some()) {
            *counts.entry(in_view(host, key, world)).or_default() += 1;
        }
        counts.into_iter().collect()
    }
}
