//! Payloads: what a registry answers to fetches, as a snapshot of the moment it was made.

use std::sync::Arc;

use super::instances::Instances;
use super::json_size::JsonLength;
use super::registry::{At, Registry};
use crate::eureka::{AppId, InstanceInfo, InstanceKey, NameId, StatusCounts};

/// `Applications`: shared by everybody who fetches it until it is made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applications {
    /// 1 for the full registry, a count of generated payloads for deltas, −1 for a VIP address.
    pub version: i64,
    /// `apps__hashcode`: for a delta, that of the whole registry.
    pub hash: StatusCounts,
    /// The applications, in the order of the payload.
    pub apps: Vec<Arc<Application>>,
    /// What [`Applications::json_bytes`] counts.
    pub json_length: JsonLength,
}

/// `Application`: never empty in a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Which.
    pub app: AppId,
    /// Its instances, in the order of the payload.
    pub instances: Instances,
    /// How many of them have which status.
    pub counts: StatusCounts,
}

impl Application {
    /// An application with these instances.
    #[must_use]
    pub fn new(app: AppId, instances: Vec<Arc<InstanceInfo>>) -> Self {
        let counts = instances.iter().map(|info| info.status).collect();
        Self { app, instances: instances.into(), counts }
    }

    /// An application with these instances, copied from a registry.
    fn copied(app: AppId, copies: Vec<InstanceInfo>) -> Self {
        let counts = copies.iter().map(|info| info.status).collect();
        Self { app, instances: Instances::copied(copies), counts }
    }
}

impl Registry {
    /// `getApplications()`: every lease, expired ones and all statuses included.
    pub(super) fn full_payload(&mut self) -> Applications {
        let apps: Vec<AppId> = self.apps().collect();
        let apps = apps.into_iter().filter_map(|app| self.application(app)).map(Arc::new);
        let apps: Vec<_> = apps.collect();
        Applications { version: 1, hash: count(&apps), apps, json_length: JsonLength::of_all() }
    }

    /// `getApplication(String)`: nothing if no instance is registered.
    pub(super) fn application(&mut self, app: AppId) -> Option<Application> {
        let keys: Vec<InstanceKey> = self.instances_of(app).collect();
        let mut copies = Vec::with_capacity(keys.len());
        for some in keys.chunks(Self::TOUCHED_AHEAD) {
            self.touch(some.iter().copied());
            copies.extend(some.iter().filter_map(|&key| self.copy(key)));
        }
        (!copies.is_empty()).then(|| Application::copied(app, copies))
    }

    /// The payload of a VIP address: an `Applications` in any case, empty for an unknown one.
    pub(super) fn vip_payload(
        &mut self,
        at: At<'_>,
        vip: NameId,
        address: fn(&InstanceInfo) -> Option<NameId>,
    ) -> Applications {
        let has_address = |info: &&Arc<InstanceInfo>| {
            address(info).is_some_and(|list| lists(at.names.text(list), at.names.text(vip)))
        };
        let full = self.full_payload();
        let found = full.apps.iter().map(|app| {
            let instances = app.instances.iter().filter(has_address).cloned();
            Arc::new(Application::new(app.app, instances.collect()))
        });
        let apps: Vec<_> = found.filter(|app| !app.instances.is_empty()).collect();
        Applications { version: -1, hash: count(&apps), apps, json_length: JsonLength::of_all() }
    }

    /// `getApplicationDeltas()`: the delta queue, oldest first, read from the live objects; the last
    /// item of an instance wins and moves it to the end of its application.
    pub(super) fn delta_payload(&mut self, at: At<'_>, version: i64) -> Applications {
        let mut apps: Vec<(AppId, Vec<Arc<InstanceInfo>>)> = Vec::new();
        let mut place: Vec<Option<usize>> = vec![None; at.names.app_count()];
        let mut last: Vec<usize> = vec![0; at.names.instance_count()];
        for (position, item) in self.recently_changed.iter().enumerate() {
            last[self.objects[self.objects[item.lease].holder].key.index()] = position;
        }
        for position in 0..self.recently_changed.len() {
            let holder = self.decorate(self.recently_changed[position].lease);
            let key = self.objects[holder].key;
            let app = at.names.app_of(key);
            let slot = *place[app.index()].get_or_insert_with(|| {
                apps.push((app, Vec::new()));
                apps.len() - 1
            });
            if position == last[key.index()] {
                apps[slot].1.push(Arc::new(self.objects[holder].clone()));
            }
        }
        let apps = apps.into_iter().map(|(app, infos)| Arc::new(Application::new(app, infos)));
        let apps = apps.collect();
        Applications { version, hash: self.decorate_all(), apps, json_length: JsonLength::of_all() }
    }

    /// The hash of the full registry; rendering it for that decorates every lease.
    fn decorate_all(&mut self) -> StatusCounts {
        let mut counts = StatusCounts::default();
        for first in (0..self.leases.len()).step_by(Self::TOUCHED_AHEAD) {
            let some = first..self.leases.len().min(first + Self::TOUCHED_AHEAD);
            self.touch(some.clone().map(InstanceKey::from_index));
            for key in some {
                if let Some(lease) = self.leases[key] {
                    let holder = self.decorate(lease);
                    counts.add(self.objects[holder].status);
                }
            }
        }
        counts
    }

    fn copy(&mut self, key: InstanceKey) -> Option<InstanceInfo> {
        let lease = self.lease_ref(key)?;
        let holder = self.decorate(lease);
        Some(self.objects[holder].clone())
    }
}

fn count(apps: &[Arc<Application>]) -> StatusCounts {
    apps.iter().map(|app| app.counts).sum()
}

/// Whether `list.split(",")` contains `name`. Java drops empty pieces at the end, but keeps the one
/// piece of a text without comma, even if that is empty.
fn lists(list: &str, name: &str) -> bool {
    if !list.contains(',') {
        return list == name;
    }
    list.trim_end_matches(',').split(',').any(|piece| piece == name)
        && !list.chars().all(|c| c == ',')
}
