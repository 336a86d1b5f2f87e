//! The truth: which instances really run and which should be registered, held against what each
//! registry says.

use std::collections::BTreeSet;

use super::clusters::Clusters;
use crate::eureka::{AppId, InstanceKey, Names};
use crate::sim::{Fact, FaultFact, HostId, WorldView};
use crate::time::Instant;

/// A number that is summed over time.
#[derive(Clone, Copy, Debug, Default)]
struct Integral {
    value: u64,
    since: Instant,
    /// Value times ns so far.
    sum: u128,
}

impl Integral {
    fn set(&mut self, value: u64, at: Instant) {
        self.sum = self.at(at);
        self.since = at;
        self.value = value;
    }

    /// The sum up to `at`, in ns.
    fn at(&self, at: Instant) -> u128 {
        self.sum + u128::from(self.value) * u128::from(at.since(self.since).nanos())
    }
}

/// What is true of one server.
#[derive(Clone, Debug, Default)]
struct Server {
    /// Its registry exists.
    running: bool,
    registered: Vec<bool>,
    registered_by_app: Vec<u64>,
    ghosts: u64,
    missing: u64,
    ghosts_by_app: Vec<u64>,
    missing_by_app: Vec<u64>,
    ghost_time: Integral,
    missing_time: Integral,
    evicted: u64,
    evicted_healthy: u64,
    /// By instance: it was evicted while it ran, and is not back.
    taken: Vec<bool>,
    taken_count: u64,
    taken_time: Integral,
    /// It is open for traffic: its eviction task runs.
    open: bool,
    protected: bool,
    protected_time: Integral,
    falsely_protected_time: Integral,
    /// Something is cut off or frozen: protection has a reason.
    disturbed: bool,
    unprovoked_time: Integral,
    no_eviction_time: Integral,
}

/// Who is alive, who is registered where.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    servers: Vec<Server>,
    /// By instance: its process runs, and is one that registers.
    alive: Vec<bool>,
    /// By instance: the cluster in which it should be registered, if it should.
    wanted: Vec<Option<usize>>,
    alive_count: u64,
    alive_by_app: Vec<u64>,
    clusters: Clusters,
    /// By cluster: who should be registered there.
    wanted_count: Vec<u64>,
    /// By cluster and application.
    wanted_by_app: Vec<Vec<u64>>,
}

impl Truth {
    /// Before anything has happened.
    #[must_use]
    pub(super) fn new(clusters: Clusters, servers: usize, names: &Names) -> Self {
        let server = Server {
            registered: vec![false; names.instance_count()],
            taken: vec![false; names.instance_count()],
            registered_by_app: vec![0; names.app_count()],
            ghosts_by_app: vec![0; names.app_count()],
            missing_by_app: vec![0; names.app_count()],
            ..Server::default()
        };
        Self {
            servers: vec![server; servers],
            alive: vec![false; names.instance_count()],
            wanted: vec![None; names.instance_count()],
            alive_count: 0,
            alive_by_app: vec![0; names.app_count()],
            wanted_count: vec![0; clusters.count()],
            wanted_by_app: vec![vec![0; names.app_count()]; clusters.count()],
            clusters,
        }
    }

    /// Takes note of a fact.
    pub(super) fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        match *fact {
            Fact::Started(host, _)
            | Fact::Exited(host, _)
            | Fact::Fault(FaultFact::Process("kill" | "stop", host)) => {
                let stops = matches!(fact, Fact::Fault(FaultFact::Process("stop", _)));
                self.process_changed(host, stops, at, world);
            }
            Fact::Initialised(server) => self.server_started(server, at),
            Fact::Closed(server) => self.registry_gone(server, at),
            Fact::Registered { server, key, is_new: true, .. } => {
                self.registered(server, key, true, at, world);
            }
            Fact::Cancelled { server, key, evicted, .. } => {
                self.registered(server, key, false, at, world);
                let healthy = self.alive[key.index()];
                let wanted =
                    self.wanted[key.index()] == Some(self.clusters.of_server(server.index()));
                let server = &mut self.servers[server.index()];
                server.evicted += u64::from(evicted);
                server.evicted_healthy += u64::from(evicted && healthy);
                if evicted && healthy && wanted {
                    server.set_taken(key, true, at);
                }
            }
            Fact::OpenForTraffic { server, .. } => {
                let server = &mut self.servers[server.index()];
                server.open = true;
                server.update_protection(at);
            }
            Fact::SelfPreservation { server, on } => {
                let server = &mut self.servers[server.index()];
                server.protected = on;
                server.update_protection(at);
            }
            _ => {}
        }
    }

    /// A process started, is asked to stop, or is gone.
    fn process_changed(&mut self, host: HostId, stops: bool, at: Instant, world: &WorldView<'_>) {
        let registers = world.setup().profile_of(host).client.register_with_eureka;
        let key = world.key(host);
        let alive = registers && world.is_alive(host);
        let wanted = !stops && world.wants_to_be_registered(host);
        let wanted = self.clusters.of_host(host).filter(|_| wanted);
        self.set_process(key, world.names().app_of(key), alive, wanted, at);
        if world.is_server(host) && !world.is_alive(host) {
            self.registry_gone(host, at);
        }
    }

    fn registry_gone(&mut self, server: HostId, at: Instant) {
        let server = &mut self.servers[server.index()];
        server.running = false;
        server.registered.fill(false);
        server.registered_by_app.fill(0);
        server.ghosts_by_app.fill(0);
        server.missing_by_app.fill(0);
        server.taken.fill(false);
        server.taken_count = 0;
        (server.ghosts, server.missing) = (0, 0);
        (server.open, server.protected) = (false, false);
        server.update(at);
    }

    fn set_process(
        &mut self,
        key: InstanceKey,
        app: AppId,
        alive: bool,
        wanted: Option<usize>,
        at: Instant,
    ) {
        let was_alive = std::mem::replace(&mut self.alive[key.index()], alive);
        let was_wanted = std::mem::replace(&mut self.wanted[key.index()], wanted);
        if was_alive != alive {
            step(&mut self.alive_count, alive);
            step(&mut self.alive_by_app[app.index()], alive);
        }
        for (cluster, up) in [(was_wanted, false), (wanted, true)] {
            if let Some(cluster) = cluster.filter(|_| was_wanted != wanted) {
                step(&mut self.wanted_count[cluster], up);
                step(&mut self.wanted_by_app[cluster][app.index()], up);
            }
        }
        let servers = self.servers.iter_mut().enumerate();
        for (index, server) in servers.filter(|(_, server)| server.running) {
            let here = |cluster: Option<usize>| cluster == Some(self.clusters.of_server(index));
            let (was_wanted, wanted) = (here(was_wanted), here(wanted));
            if server.registered[key.index()] && was_alive != alive {
                step(&mut server.ghosts, !alive);
                step(&mut server.ghosts_by_app[app.index()], !alive);
            }
            if !server.registered[key.index()] && was_wanted != wanted {
                step(&mut server.missing, wanted);
                step(&mut server.missing_by_app[app.index()], wanted);
            }
            if !wanted || !alive {
                server.set_taken(key, false, at);
            }
            server.update(at);
        }
    }

    fn server_started(&mut self, server: HostId, at: Instant) {
        let cluster = self.clusters.of_server(server.index());
        let server = &mut self.servers[server.index()];
        server.running = true;
        server.missing = self.wanted_count[cluster];
        server.missing_by_app.clone_from(&self.wanted_by_app[cluster]);
        server.update(at);
    }

    fn registered(
        &mut self,
        server: HostId,
        key: InstanceKey,
        registered: bool,
        at: Instant,
        world: &WorldView<'_>,
    ) {
        let app = world.names().app_of(key).index();
        let alive = self.alive[key.index()];
        let cluster = Some(self.clusters.of_server(server.index()));
        let wanted = self.wanted[key.index()] == cluster;
        let server = &mut self.servers[server.index()];
        if std::mem::replace(&mut server.registered[key.index()], registered) == registered {
            return;
        }
        step(&mut server.registered_by_app[app], registered);
        if !alive {
            step(&mut server.ghosts, registered);
            step(&mut server.ghosts_by_app[app], registered);
        }
        if wanted {
            step(&mut server.missing, !registered);
            step(&mut server.missing_by_app[app], !registered);
        }
        if registered {
            server.set_taken(key, false, at);
        }
        server.update(at);
    }

    /// Instances that really run.
    #[must_use]
    pub(super) fn alive(&self, app: Option<AppId>) -> u64 {
        app.map_or(self.alive_count, |app| self.alive_by_app[app.index()])
    }

    /// Instances of an application in a server's registry.
    #[must_use]
    pub(super) fn registered_of(&self, server: HostId, app: AppId) -> u64 {
        self.servers[server.index()].registered_by_app[app.index()]
    }

    /// Instances in a server's registry that do not run.
    #[must_use]
    pub(super) fn ghosts(&self, server: HostId, app: Option<AppId>) -> u64 {
        let server = &self.servers[server.index()];
        app.map_or(server.ghosts, |app| server.ghosts_by_app[app.index()])
    }

    /// Instances that should be in a server's registry and are not.
    #[must_use]
    pub(super) fn missing(&self, server: HostId, app: Option<AppId>) -> u64 {
        let server = &self.servers[server.index()];
        app.map_or(server.missing, |app| server.missing_by_app[app.index()])
    }

    /// Leases a server has evicted, and how many of them while their instance ran.
    #[must_use]
    pub(super) fn evicted(&self, server: HostId) -> (u64, u64) {
        let server = &self.servers[server.index()];
        (server.evicted, server.evicted_healthy)
    }

    /// Ghosts summed over time, in ns.
    #[must_use]
    pub(super) fn ghost_nanos(&self, server: HostId, at: Instant) -> u128 {
        self.servers[server.index()].ghost_time.at(at)
    }

    /// Missing instances summed over time, in ns.
    #[must_use]
    pub(super) fn missing_nanos(&self, server: HostId, at: Instant) -> u128 {
        self.servers[server.index()].missing_time.at(at)
    }

    /// Instances that it evicted while they ran and that are not back, summed over time, in ns.
    #[must_use]
    pub(super) fn taken_nanos(&self, server: HostId, at: Instant) -> u128 {
        self.servers[server.index()].taken_time.at(at)
    }

    /// Time in self-preservation while nobody was dead or missing and nothing was disturbed, in ns.
    #[must_use]
    pub(super) fn unprovoked_nanos(&self, server: HostId, at: Instant) -> u128 {
        self.servers[server.index()].unprovoked_time.at(at)
    }

    /// From now on something is cut off or frozen in these clusters, and nothing in others.
    pub(super) fn disturb(&mut self, clusters: &BTreeSet<usize>, at: Instant) {
        for (index, server) in self.servers.iter_mut().enumerate() {
            server.disturbed = clusters.contains(&self.clusters.of_server(index));
            server.update_protection(at);
        }
    }

    /// Time without eviction while its process ran, in ns: protected, or not yet open for traffic.
    #[must_use]
    pub(super) fn no_eviction_nanos(&self, server: HostId, at: Instant) -> u128 {
        self.servers[server.index()].no_eviction_time.at(at)
    }

    /// Time in self-preservation, in ns.
    #[must_use]
    pub(super) fn protected_nanos(&self, server: HostId, at: Instant) -> u128 {
        self.servers[server.index()].protected_time.at(at)
    }

    /// Time in self-preservation while nobody was dead or missing, in ns.
    #[must_use]
    pub(super) fn falsely_protected_nanos(&self, server: HostId, at: Instant) -> u128 {
        self.servers[server.index()].falsely_protected_time.at(at)
    }
}

impl Server {
    fn set_taken(&mut self, key: InstanceKey, taken: bool, at: Instant) {
        if std::mem::replace(&mut self.taken[key.index()], taken) != taken {
            step(&mut self.taken_count, taken);
            self.taken_time.set(self.taken_count, at);
        }
    }

    fn update(&mut self, at: Instant) {
        self.taken_time.set(self.taken_count, at);
        self.ghost_time.set(self.ghosts, at);
        self.missing_time.set(self.missing, at);
        self.update_protection(at);
    }

    fn update_protection(&mut self, at: Instant) {
        let falsely = self.protected && self.ghosts == 0 && self.missing == 0;
        self.protected_time.set(self.protected.into(), at);
        self.falsely_protected_time.set(falsely.into(), at);
        self.unprovoked_time.set((falsely && !self.disturbed).into(), at);
        let evicts = self.open && !self.protected;
        self.no_eviction_time.set((self.running && !evicts).into(), at);
    }
}

/// One more, or one less.
fn step(count: &mut u64, up: bool) {
    if up {
        *count += 1;
    } else {
        *count -= 1;
    }
}
