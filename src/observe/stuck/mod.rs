//! The detector of stuck instances: what every server says of an instance, held against what its process
//! is and means to be, for longer than a healthy cluster needs.

mod cuts;
mod life;
mod mechanism;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::clusters::Clusters;
use crate::eureka::client::ClientProcess;
use crate::eureka::server::Decision;
use crate::eureka::server::resources::StatusParameter;
use crate::eureka::{AppId, InstanceKey, InstanceStatus};
use crate::scenario::{Metric, Plan};
use crate::sim::{Fact, FaultFact, HostId, Party, RequestFact, WorldView};
use crate::time::{Instant, Span};

use cuts::Cuts;
use life::Life;
pub use mechanism::Mechanism;

/// What is wrong with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A server has it under this status, which its application does not mean; or under this status, which is
    /// not UP, though its process is gone.
    Stuck(InstanceStatus),
    /// A server has it as UP, and its process is gone.
    UpButDead,
    /// It runs and wants to be registered, and a server does not have it.
    AliveButMissing,
    /// Two servers of a cluster do not say the same of it.
    DivergedBetweenPeers,
}

impl Class {
    /// Its name: `stuck-down`, `up-but-dead`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stuck(InstanceStatus::Up) => "stuck-up",
            Self::Stuck(InstanceStatus::Down) => "stuck-down",
            Self::Stuck(InstanceStatus::Starting) => "stuck-starting",
            Self::Stuck(InstanceStatus::OutOfService) => "stuck-out-of-service",
            Self::Stuck(InstanceStatus::Unknown) => "stuck-unknown",
            Self::UpButDead => "up-but-dead",
            Self::AliveButMissing => "alive-but-missing",
            Self::DivergedBetweenPeers => "diverged-between-peers",
        }
    }

    /// The metric that counts it.
    #[must_use]
    pub const fn metric(self) -> Metric {
        match self {
            Self::Stuck(_) => Metric::StuckInstances,
            Self::UpButDead => Metric::UpButDead,
            Self::AliveButMissing => Metric::AliveButMissing,
            Self::DivergedBetweenPeers => Metric::DivergedBetweenPeers,
        }
    }

    /// What a server says and what the process is: nothing if that is as it should be, or about to be.
    fn of(life: &Life, cluster: usize, says: Option<InstanceStatus>) -> Option<Self> {
        match (life.is_alive, says) {
            // Nobody has started it: it is somebody's outside.
            _ if life.host.is_none() => None,
            (false, Some(InstanceStatus::Up)) => Some(Self::UpButDead),
            (false, Some(status)) => Some(Self::Stuck(status)),
            (true, _) if life.wanted != Some(cluster) => None,
            (true, None) => Some(Self::AliveButMissing),
            (true, Some(status)) => {
                let meant = status == life.meant || Some(status) == life.operator;
                (!meant).then_some(Self::Stuck(status))
            }
            (false, None) => None,
        }
    }
}

/// An instance that is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In what way.
    pub class: Class,
    /// Which.
    pub key: InstanceKey,
    /// Where: at this server.
    pub server: HostId,
    /// Since when it is as it is.
    pub since: Instant,
    /// When that was longer than a healthy cluster needs.
    pub at: Instant,
    /// How it came to be, if that is known.
    pub mechanism: Option<Mechanism>,
}

/// A server says of an instance what is not so.
#[derive(Clone, Copy, Debug)]
struct Open {
    class: Class,
    /// Its process is gone.
    is_ghost: bool,
    since: Instant,
    /// How long it may last.
    bound: Span,
    is_found: bool,
}

/// The last registration of an instance that a server says something wrong of, or that has said goodbye.
#[derive(Clone, Copy, Debug)]
struct LastRegistration {
    at: Instant,
    is_new: bool,
    replica: bool,
    decision: Decision,
}

/// Where something is wrong: the server, or none for what is between servers.
type Place = (Option<HostId>, InstanceKey);

/// Watches a run for stuck instances.
#[derive(Clone, Debug)]
pub(super) struct Stuck {
    clusters: Clusters,
    cuts: Cuts,
    /// `[observe] stuck-after`
    after: Span,
    /// By instance.
    lives: Vec<Life>,
    open: BTreeMap<Place, Open>,
    last: BTreeMap<(HostId, InstanceKey), LastRegistration>,
    adopted: BTreeSet<(HostId, InstanceKey)>,
    /// Whose status was last changed otherwise than by a registration.
    commanded: BTreeSet<(HostId, InstanceKey)>,
    /// When each host that was frozen resumed last.
    resumed: BTreeMap<HostId, Instant>,
    /// When to look again at what is open.
    due: BinaryHeap<Reverse<(Instant, Place)>>,
    /// Places of which nothing is expected: somebody is cut off or frozen.
    parked: Vec<Place>,
}

impl Stuck {
    pub(super) fn new(plan: &Plan, clusters: Clusters) -> Self {
        Self {
            cuts: Cuts::default(),
            after: plan.observe.stuck_after,
            lives: vec![Life::default(); plan.setup.names.instance_count()],
            open: BTreeMap::new(),
            last: BTreeMap::new(),
            adopted: BTreeSet::new(),
            commanded: BTreeSet::new(),
            resumed: BTreeMap::new(),
            due: BinaryHeap::new(),
            parked: Vec::new(),
            clusters,
        }
    }

    pub(super) fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        match fact {
            Fact::Started(host, _) => {
                let key = world.key(*host);
                self.lives[key.index()].begin(*host, at, world);
                self.process_changed(*host, at, world);
            }
            Fact::Exited(host, _) => self.process_changed(*host, at, world),
            Fact::Initialised(server) => self.look_at_all(*server, at, world),
            Fact::Closed(server) => self.forget(*server, at, world),
            Fact::Registered { server, key, replica, is_new, decision, .. } => {
                self.look(*server, *key, at, world);
                let place = (*server, *key);
                self.commanded.remove(&place);
                let life = &self.lives[key.index()];
                if self.open.contains_key(&(Some(*server), *key)) || life.wanted.is_none() {
                    let (is_new, replica, decision) = (*is_new, *replica, *decision);
                    self.last.insert(place, LastRegistration { at, is_new, replica, decision });
                } else {
                    self.last.remove(&place);
                    self.adopted.remove(&place);
                }
            }
            Fact::Adopted { server, key, .. } => {
                self.adopted.insert((*server, *key));
                self.look(*server, *key, at, world);
            }
            Fact::Cancelled { server, key, evicted, replica } => {
                if !evicted && !replica {
                    self.lives[key.index()].cancelled = at;
                }
                self.look(*server, *key, at, world);
            }
            Fact::StatusChanged { server, key, .. } => {
                self.commanded.insert((*server, *key));
                self.look(*server, *key, at, world);
            }
            Fact::Request { from, request, code, .. } => {
                if let Some(key) = request.key() {
                    self.request(*from, key, request, *code, at, world);
                }
            }
            Fact::TurnedAway { from, request, .. } => {
                let life = &mut self.lives[world.key(*from).index()];
                life.turned_away(*request, at);
            }
            Fact::LocalStatus { client, status, dirty } => {
                let key = world.key(*client);
                let life = &mut self.lives[key.index()];
                if life.host == Some(*client) {
                    life.said(*status, *dirty);
                }
            }
            Fact::InClient(host, event) => {
                self.lives[world.key(*host).index()].tells(*event, at);
            }
            Fact::Fault(fault) => self.fault(fault, at, world),
            _ => {}
        }
    }

    fn request(
        &mut self,
        from: Party,
        key: InstanceKey,
        request: &RequestFact<'_>,
        code: u16,
        at: Instant,
        world: &WorldView<'_>,
    ) {
        let succeeded = code < 300;
        let life = &mut self.lives[key.index()];
        match (from, request) {
            (Party::Host(host), RequestFact::Register(info)) if life.host == Some(host) => {
                if succeeded {
                    life.sent = Some((info.status, info.last_dirty_timestamp));
                } else {
                    life.refused = at;
                }
            }
            (Party::Host(host), RequestFact::Heartbeat { .. })
                if code == 404 && life.host == Some(host) =>
            {
                life.not_found = at;
            }
            (Party::Outside, RequestFact::StatusUpdate { value, .. }) if succeeded => {
                let wanted = match value {
                    StatusParameter::Value(status) => Some(*status),
                    _ => None,
                };
                life.operator = wanted.filter(|status| *status != InstanceStatus::Unknown);
                self.look_everywhere(key, at, world);
            }
            (Party::Outside, RequestFact::DeleteStatus { .. }) if succeeded => {
                life.operator = None;
                self.look_everywhere(key, at, world);
            }
            _ => {}
        }
    }

    fn fault(&mut self, fault: &FaultFact<'_>, at: Instant, world: &WorldView<'_>) {
        if self.cuts.fault(fault, at, world.server_hosts().count(), &self.clusters) {
            self.resume(at);
        }
        let Some(host) = fault.host() else {
            return;
        };
        let key = world.key(host);
        if matches!(fault, FaultFact::Process("resume" | "kill", _)) {
            self.resumed.insert(host, at);
            self.resume(at);
        }
        match fault {
            FaultFact::Process("kill", _) => self.process_changed(host, at, world),
            FaultFact::Process("stop", _) => {
                self.lives[key.index()].goodbye = at;
                self.process_changed(host, at, world);
            }
            FaultFact::SetStatus(_, status) => {
                let life = &mut self.lives[key.index()];
                life.set_status(*status, at, world);
                self.look_everywhere(key, at, world);
            }
            FaultFact::SetHealth(_, answer, _) => {
                let life = &mut self.lives[key.index()];
                life.health = Some(*answer);
                life.mean(at, world);
                self.look_everywhere(key, at, world);
            }
            _ => {}
        }
    }

    /// What was parked may go on.
    fn resume(&mut self, at: Instant) {
        let parked = std::mem::take(&mut self.parked);
        self.due.extend(parked.into_iter().map(|place| Reverse((at, place))));
    }

    /// A process started, is asked to stop, or is gone.
    fn process_changed(&mut self, host: HostId, at: Instant, world: &WorldView<'_>) {
        let key = world.key(host);
        let life = &mut self.lives[key.index()];
        if life.host == Some(host) {
            let registers = world.setup().profile_of(host).client.register_with_eureka;
            life.is_alive = registers && world.is_alive(host);
            let stays = world.wants_to_be_registered(host) && life.goodbye == Instant::NEVER;
            life.wanted = self.clusters.of_host(host).filter(|_| registers && stays);
            life.changed = at;
            self.look_everywhere(key, at, world);
        }
        if world.is_server(host) && !world.is_alive(host) {
            self.forget(host, at, world);
        }
    }

    /// A server's registry exists from now on.
    fn look_at_all(&mut self, server: HostId, at: Instant, world: &WorldView<'_>) {
        for key in 0..self.lives.len() {
            self.look(server, InstanceKey::from_raw(key as u32), at, world);
        }
    }

    fn look_everywhere(&mut self, key: InstanceKey, at: Instant, world: &WorldView<'_>) {
        for server in world.server_hosts() {
            self.look_at(server, key, at, world);
        }
        self.compare(key, at, world);
    }

    fn look(&mut self, server: HostId, key: InstanceKey, at: Instant, world: &WorldView<'_>) {
        self.look_at(server, key, at, world);
        self.compare(key, at, world);
    }

    /// What a server says of an instance may have changed, or what the instance is.
    fn look_at(&mut self, server: HostId, key: InstanceKey, at: Instant, world: &WorldView<'_>) {
        let place = (Some(server), key);
        let life = &self.lives[key.index()];
        let registry = world.registry(server);
        let cluster = self.clusters.of_server(server.index());
        let class = registry.and_then(|registry| Class::of(life, cluster, registry.status_of(key)));
        let bound = match class {
            None => Span::ZERO,
            Some(_) if life.is_alive => self.after,
            // Until it is evicted: a renewed lease lasts two durations, and the task has an interval.
            Some(_) => {
                let lease = registry.and_then(|registry| registry.lease(key));
                let duration = lease.map_or(0, |lease| lease.duration.max(0)) as u64;
                let interval = registry.map_or(0, |of| of.config().eviction_interval_timer_in_ms);
                self.after
                    + Span::from_millis(duration.saturating_mul(2))
                    + Span::from_millis(interval.max(0) as u64)
            }
        };
        self.note(place, class, bound, at);
    }

    /// Whether the servers of a cluster say the same of an instance.
    fn compare(&mut self, key: InstanceKey, at: Instant, world: &WorldView<'_>) {
        let differs = (0..self.clusters.count()).any(|cluster| {
            let own = world.server_hosts();
            let own = own.filter(|server| self.clusters.of_server(server.index()) == cluster);
            let mut said = own.filter_map(|server| Some(world.registry(server)?.status_of(key)));
            let first = said.next();
            said.any(|other| Some(other) != first)
        });
        let class = differs.then_some(Class::DivergedBetweenPeers);
        self.note((None, key), class, self.after, at);
    }

    fn note(&mut self, place: Place, class: Option<Class>, bound: Span, at: Instant) {
        let is_ghost = !self.lives[place.1.index()].is_alive;
        let known = self.open.get(&place).map(|open| (open.class, open.is_ghost));
        if known == class.map(|class| (class, is_ghost)) {
            return;
        }
        match class {
            None => drop(self.open.remove(&place)),
            Some(class) => {
                let open = Open { class, is_ghost, since: at, bound, is_found: false };
                self.open.insert(place, open);
                self.due.push(Reverse((at + bound, place)));
            }
        }
    }

    /// A server's registry is gone.
    fn forget(&mut self, server: HostId, at: Instant, world: &WorldView<'_>) {
        self.open.retain(|(of, _), _| *of != Some(server));
        self.last.retain(|(of, _), _| *of != server);
        self.adopted.retain(|(of, _)| *of != server);
        self.commanded.retain(|(of, _)| *of != server);
        let between: Vec<_> = self.open.keys().filter(|(of, _)| of.is_none()).copied().collect();
        between.into_iter().for_each(|(_, key)| self.compare(key, at, world));
    }

    /// When something next lasts too long, if that is before `next`.
    pub(super) fn due_before(&mut self, next: Instant, world: &WorldView<'_>) -> Option<Instant> {
        while let Some(Reverse((at, place))) = self.due.peek().copied() {
            if at >= next {
                return None;
            }
            match self.due_of(place, world) {
                Some(due) if due == at => return Some(at),
                moved => {
                    self.due.pop();
                    self.due.extend(moved.map(|due| Reverse((due, place))));
                }
            }
        }
        None
    }

    /// When what is open at a place lasts too long; none if nothing is, or somebody is cut off or frozen.
    fn due_of(&mut self, place: Place, world: &WorldView<'_>) -> Option<Instant> {
        let open = self.open.get(&place).filter(|open| !open.is_found)?;
        let (server, key) = place;
        let life = &self.lives[key.index()];
        let cluster = match server {
            Some(server) => Some(self.clusters.of_server(server.index())),
            None => life.host.and_then(|host| match world.is_server(host) {
                true => Some(self.clusters.of_server(host.index())),
                false => self.clusters.of_host(host),
            }),
        };
        // What is between servers is of all of them.
        let servers = world.server_hosts().filter(|of| match server {
            Some(server) => *of == server,
            None => cluster == Some(self.clusters.of_server(of.index())),
        });
        let concerned: Vec<HostId> = servers.chain(life.host).collect();
        let is_frozen = concerned.iter().any(|host| world.is_paused(*host));
        let calm = match cluster {
            None => Some(Instant::ZERO),
            Some(cluster) => self.cuts.calm_since(life.host, cluster),
        };
        let Some(calm) = calm.filter(|_| !is_frozen) else {
            self.parked.push(place);
            return None;
        };
        // Nobody has the client yet: the application has not begun.
        let client = life.host.and_then(|host| world.client(host));
        if life.is_alive && client.is_some_and(ClientProcess::is_constructing) {
            return Some(world.now().max(open.since) + open.bound);
        }
        // A Netflix application may take a while to call itself UP.
        let ready = if life.is_alive { life.ready } else { Instant::ZERO };
        let resumed = concerned.iter().filter_map(|host| self.resumed.get(host)).max();
        let resumed = resumed.copied().unwrap_or_default();
        Some(open.since.max(calm).max(ready).max(resumed) + open.bound)
    }

    /// What lasts too long from `at` on: it is found.
    pub(super) fn find(&mut self, at: Instant, world: &WorldView<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        while self.due_before(Instant::from_nanos(at.nanos() + 1), world).is_some() {
            let Some(Reverse((_, place))) = self.due.pop() else {
                break;
            };
            findings.extend(self.finding(place, at, world));
            if let Some(open) = self.open.get_mut(&place) {
                open.is_found = true;
            }
        }
        findings
    }

    /// What is wrong at a place, found or not.
    fn finding(&self, place: Place, at: Instant, world: &WorldView<'_>) -> Option<Finding> {
        let open = self.open.get(&place)?;
        let (server, key) = place;
        let mechanism_at = |server, class| mechanism::of(self, (class, server, key), world);
        let (server, mechanism) = match server {
            Some(server) => (server, mechanism_at(server, open.class)),
            None => {
                // The server that is wrong, as far as that is known; else the last.
                let wrong = world.server_hosts().find_map(|server| {
                    let open = self.open.get(&(Some(server), key))?;
                    Some((server, mechanism_at(server, open.class)))
                });
                let last =
                    world.server_hosts().filter(|of| world.registry(*of).is_some()).last()?;
                wrong.unwrap_or((last, Some(Mechanism::NotReplicated)))
            }
        };
        Some(Finding { class: open.class, key, server, since: open.since, at, mechanism })
    }

    /// What is wrong with an instance at `at`, found or not, in the order of the servers; what is between
    /// them comes last.
    pub(super) fn wrong_with(
        &self,
        key: InstanceKey,
        at: Instant,
        world: &WorldView<'_>,
    ) -> Vec<Finding> {
        let places = world.server_hosts().map(Some).chain([None]);
        places.filter_map(|server| self.finding((server, key), at, world)).collect()
    }

    /// Whether anything is wrong with an instance now.
    pub(super) fn is_wrong(&self, key: InstanceKey, world: &WorldView<'_>) -> bool {
        let mut places = world.server_hosts().map(Some).chain([None]);
        places.any(|server| self.open.contains_key(&(server, key)))
    }

    /// What the application of an instance means it to be, as long as it wants to be registered.
    pub(super) fn meant(&self, key: InstanceKey) -> Option<InstanceStatus> {
        let life = self.life(key);
        life.wanted.map(|_| life.meant)
    }

    fn life(&self, key: InstanceKey) -> &Life {
        &self.lives[key.index()]
    }

    /// Stuck instances of a kind, at a server or (of what is between them) anywhere.
    pub(super) fn count(
        &self,
        metric: Metric,
        server: Option<HostId>,
        app: Option<AppId>,
        world: &WorldView<'_>,
    ) -> u64 {
        let at = (server, InstanceKey::from_raw(0))..=(server, InstanceKey::from_raw(u32::MAX));
        let found = self.open.range(at).filter(|((_, key), open)| {
            open.is_found
                && open.class.metric() == metric
                && app.is_none_or(|app| world.names().app_of(*key) == app)
        });
        found.count() as u64
    }
}
