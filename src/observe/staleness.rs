//! How long the dead are still called: for each death of an instance that others call, when each
//! layer between its lease and its callers stopped offering it.
//!
//! A layer is over when the last of its kind has stopped: the last registry, the last read-only cache,
//! the last caller's view, the last balancer's list. A registry offers an instance that is UP (or in
//! any status, where callers do not filter); its read-write cache is invalidated with every change,
//! so it never offers more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::eureka::server::Application;
use crate::eureka::{AppId, InstanceKey, InstanceStatus};
use crate::sim::{Fact, FaultFact, HostId, TrafficFact, WorldView};
use crate::time::Instant;

/// Most lists whose instances are remembered.
const MOST_LISTS: usize = 8;

/// A death, and what became of it. Of a layer that still offered the instance when the run ended, or
/// when its next process began, there is no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// Who died.
    pub key: InstanceKey,
    /// Where it ran.
    pub host: HostId,
    /// `kill`, `stop`, or `exit` if it ended by itself: its client could not be made.
    pub how: &'static str,
    /// When.
    pub died: Instant,
    /// Attempts that were sent to it afterwards.
    pub calls: u64,
    /// The last of them.
    pub last_call: Option<Instant>,
    /// Since when no registry (and no read-write cache) offers it.
    pub registry: Option<Instant>,
    /// Since when no read-only cache does.
    pub read_only: Option<Instant>,
    /// Since when no caller's view does.
    pub fetch: Option<Instant>,
    /// Since when no balancer's list does.
    pub balancer: Option<Instant>,
}

/// What one server has to do with a death.
#[derive(Clone, Copy, Debug, Default)]
struct AtServer {
    /// Since when its registry does not offer the instance.
    registry: Option<Instant>,
    /// Since when its read-only cache does not either.
    read_only: Option<Instant>,
}

/// A death under way: the process is stopping, or dead and perhaps still offered.
#[derive(Clone, Debug)]
struct Death {
    host: HostId,
    app: AppId,
    how: &'static str,
    died: Option<Instant>,
    calls: u64,
    last_call: Option<Instant>,
    servers: Vec<AtServer>,
    fetch: Instant,
    balancer: Instant,
}

/// The instances that a list offers.
#[derive(Clone, Debug)]
struct Offered {
    list: Arc<Application>,
    only_up: bool,
    /// In order.
    keys: Arc<Vec<InstanceKey>>,
}

/// All deaths of instances that are called.
#[derive(Clone, Debug, Default)]
pub(super) struct Deaths {
    under_way: BTreeMap<InstanceKey, Death>,
    over: Vec<Staleness>,
    /// Lists of the last changes: many callers see the same.
    lists: Vec<Offered>,
}

impl Deaths {
    pub(super) fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        match *fact {
            Fact::Fault(FaultFact::Process(how @ ("kill" | "stop"), host)) => {
                self.begin(at, host, how, world);
                if how == "kill" {
                    self.died(at, host, Some("kill"), world);
                }
            }
            Fact::Exited(host, _) => {
                self.begin(at, host, "exit", world);
                self.died(at, host, None, world);
            }
            Fact::Started(host, _) => self.started(host, world),
            Fact::Registered { server, key, .. }
            | Fact::StatusChanged { server, key, .. }
            | Fact::Cancelled { server, key, .. } => {
                if let Some(death) = self.under_way.get_mut(&key) {
                    death.look(at, key, server, world);
                }
            }
            Fact::View { client, old, new } if !self.under_way.is_empty() => {
                let only_up = world.setup().profile_of(client).client.filter_only_up_instances;
                for calls in world.setup().calls_of(client) {
                    let of = |apps: &'_ [Arc<Application>]| {
                        apps.iter().find(|list| list.app == calls.app).map(Arc::clone)
                    };
                    let (old, new) = (of(&old.apps), of(&new.apps));
                    let lists = (old.as_ref(), new.as_ref());
                    self.dropped(lists, only_up, |death| death.fetch = at);
                }
            }
            Fact::Traffic(TrafficFact::Balancer { client, old, new, .. }) => {
                let only_up = world.setup().profile_of(client).client.filter_only_up_instances;
                self.dropped((old, new), only_up, |death| death.balancer = at);
            }
            Fact::Traffic(TrafficFact::CacheFill(server)) => {
                for death in self.under_way.values_mut() {
                    let server = &mut death.servers[server.index()];
                    if server.registry.is_some() {
                        server.read_only.get_or_insert(at);
                    }
                }
            }
            Fact::Traffic(TrafficFact::ToDead { to, .. }) => {
                if let Some(death) = self.under_way.get_mut(&to) {
                    death.calls += 1;
                    death.last_call = Some(at);
                }
            }
            _ => {}
        }
    }

    /// A process begins to go, or is gone.
    fn begin(&mut self, at: Instant, host: HostId, how: &'static str, world: &WorldView<'_>) {
        let key = world.key(host);
        let app = world.names().app_of(key);
        let called = world.setup().calls.iter().any(|calls| calls.app == app);
        if world.is_server(host) || !called || self.under_way.contains_key(&key) {
            return;
        }
        let servers = world.server_hosts().count();
        let mut death = Death {
            host,
            app,
            how,
            died: None,
            calls: 0,
            last_call: None,
            servers: vec![AtServer::default(); servers],
            fetch: at,
            balancer: at,
        };
        for server in world.server_hosts() {
            death.look(at, key, server, world);
        }
        self.under_way.insert(key, death);
    }

    /// A process is gone; a server takes its registry and caches with it.
    fn died(
        &mut self,
        at: Instant,
        host: HostId,
        how: Option<&'static str>,
        world: &WorldView<'_>,
    ) {
        if world.is_server(host) {
            for death in self.under_way.values_mut() {
                let server = &mut death.servers[host.index()];
                server.registry.get_or_insert(at);
                server.read_only.get_or_insert(at);
            }
        } else if let Some(death) = self.under_way.get_mut(&world.key(host)) {
            death.died.get_or_insert(at);
            death.how = how.unwrap_or(death.how);
        }
    }

    /// A process runs again: what goes to it now does not go to the dead.
    fn started(&mut self, host: HostId, world: &WorldView<'_>) {
        let key = world.key(host);
        if let Some(death) = self.under_way.remove(&key) {
            let offered = self.still_offered(death.app, world);
            self.over.extend(death.end(key, &offered));
        }
    }

    /// A list was replaced by another: those that are under way and fell out of it.
    fn dropped(
        &mut self,
        (old, new): (Option<&Arc<Application>>, Option<&Arc<Application>>),
        only_up: bool,
        mark: impl Fn(&mut Death),
    ) {
        let (Some(old), false) = (old, self.under_way.is_empty()) else {
            return;
        };
        if new.is_some_and(|new| Arc::ptr_eq(old, new)) {
            return;
        }
        let before = self.offered(old, only_up);
        let after = new.map(|new| self.offered(new, only_up));
        for (key, death) in &mut self.under_way {
            let is_in = |keys: &Arc<Vec<InstanceKey>>| keys.binary_search(key).is_ok();
            if is_in(&before) && !after.as_ref().is_some_and(is_in) {
                mark(death);
            }
        }
    }

    /// Those that a list offers, in order.
    fn offered(&mut self, list: &Arc<Application>, only_up: bool) -> Arc<Vec<InstanceKey>> {
        let known = |known: &&Offered| Arc::ptr_eq(&known.list, list) && known.only_up == only_up;
        if let Some(known) = self.lists.iter().find(known) {
            return Arc::clone(&known.keys);
        }
        let mut keys: Vec<InstanceKey> = offered(list, only_up).collect();
        keys.sort_unstable();
        let keys = Arc::new(keys);
        if self.lists.len() == MOST_LISTS {
            self.lists.remove(0);
        }
        let (list, kept) = (Arc::clone(list), Arc::clone(&keys));
        self.lists.push(Offered { list, only_up, keys: kept });
        keys
    }

    /// What callers' views and balancers' lists offer now.
    fn still_offered(&mut self, app: AppId, world: &WorldView<'_>) -> [BTreeSet<InstanceKey>; 2] {
        let setup = world.setup();
        let only_up = |host| setup.profile_of(host).client.filter_only_up_instances;
        let mut seen: Vec<(Arc<Application>, bool)> = Vec::new();
        let mut shown = BTreeSet::new();
        let callers = setup.calls.iter().filter(|calls| calls.app == app);
        for host in callers.flat_map(|calls| calls.callers.clone()).map(HostId::new) {
            let view = world.client(host).map(|client| world.views().get(client.view()));
            let list = view.and_then(|view| view.apps.iter().find(|list| list.app == app));
            let known = |(known, up): &(Arc<Application>, bool)| {
                list.is_some_and(|list| Arc::ptr_eq(known, list)) && *up == only_up(host)
            };
            if let Some(list) = list.filter(|_| !seen.iter().any(known)) {
                seen.push((Arc::clone(list), only_up(host)));
                shown.extend(offered(list, only_up(host)));
            }
        }
        let living = world.balancer_lists(app).filter(|(host, _)| world.is_alive(*host));
        let kept = living.flat_map(|(host, list)| offered(list, only_up(host))).collect();
        [shown, kept]
    }

    /// All deaths, those that were called longest first; nothing stays.
    pub(super) fn take(&mut self, world: &WorldView<'_>) -> Vec<Staleness> {
        let under_way = std::mem::take(&mut self.under_way);
        let apps: BTreeSet<AppId> = under_way.values().map(|death| death.app).collect();
        let offered: BTreeMap<AppId, _> =
            apps.into_iter().map(|app| (app, self.still_offered(app, world))).collect();
        let mut all = std::mem::take(&mut self.over);
        all.extend(
            under_way.iter().filter_map(|(key, death)| death.end(*key, &offered[&death.app])),
        );
        all.sort_by_key(|death| {
            let stale = death.last_call.map(|last| last.since(death.died));
            (std::cmp::Reverse(stale), death.died, death.key)
        });
        all
    }
}

fn offered(list: &Application, only_up: bool) -> impl Iterator<Item = InstanceKey> {
    let offered = move |status: InstanceStatus| !only_up || status == InstanceStatus::Up;
    list.instances.iter().filter(move |info| offered(info.status)).map(|info| info.key)
}

impl Death {
    /// What a server's registry says now.
    fn look(&mut self, at: Instant, key: InstanceKey, server: HostId, world: &WorldView<'_>) {
        let registry = world.registry(server);
        let status = registry.and_then(|registry| registry.status_of(key));
        let only_up = |calls: &crate::sim::CallSetup| {
            let caller = HostId::new(calls.callers.start);
            world.setup().profile_of(caller).client.filter_only_up_instances
        };
        let app = self.app;
        let mut callers = world.setup().calls.iter().filter(|calls| calls.app == app);
        let is_offered = status
            .is_some_and(|status| status == InstanceStatus::Up || callers.any(|it| !only_up(it)));
        let caches = world.setup().servers[server.index()].config.use_read_only_response_cache;
        let known = &mut self.servers[server.index()];
        if is_offered {
            *known = AtServer::default();
        } else if known.registry.is_none() {
            known.registry = Some(at);
            // A server without read-only cache has nothing left; nor has one that does not run.
            known.read_only = (!caches || registry.is_none()).then_some(at);
        }
    }

    /// What became of it, if it died at all; `offered` are those that views and lists still offer.
    fn end(
        &self,
        key: InstanceKey,
        [shown, kept]: &[BTreeSet<InstanceKey>; 2],
    ) -> Option<Staleness> {
        let latest = |of: fn(&AtServer) -> Option<Instant>| {
            let ends: Option<Vec<Instant>> = self.servers.iter().map(of).collect();
            ends?.into_iter().max()
        };
        let fetch = (!shown.contains(&key)).then_some(self.fetch);
        Some(Staleness {
            key,
            host: self.host,
            how: self.how,
            died: self.died?,
            calls: self.calls,
            last_call: self.last_call,
            registry: latest(|server| server.registry),
            read_only: latest(|server| server.read_only),
            fetch,
            balancer: fetch.filter(|_| !kept.contains(&key)).map(|end| end.max(self.balancer)),
        })
    }
}
