//! The state of one registry: `AbstractInstanceRegistry` and `PeerAwareInstanceRegistryImpl`.
//!
//! The operations stand in the files named after them; this one holds the state, what is common to
//! all of them, and the gauges.

use std::collections::VecDeque;

use super::decision::Decision;
use super::evict::EvictRun;
use super::lease::Lease;
use super::measured_rate::MeasuredRate;
use super::objects::{InfoRef, LeaseRef, Objects};
use super::override_map::OverrideMap;
use super::recent::{RecentQueue, RecentlyChangedItem};
use super::replicate::Handed;
use super::response_cache::ResponseCache;
use super::timers::Timers;
use super::{ServerConfig, TimerKind};
use crate::eureka::java::ConcurrentHashMap;
use crate::eureka::names::{AppKeys, InstanceKeys};
use crate::eureka::{
    AppId, BehaviourClass, Flavor, InstanceKey, InstanceStatus, LeaseInfo, NameId, Names,
};
use crate::time::Now;

/// When an operation happens, and the names of everything.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// What the server's clocks show.
    pub now: Now,
    /// All names of the run.
    pub names: &'a Names,
}

/// What a server process is made from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Who packaged it.
    pub flavor: Flavor,
    /// How its release behaves.
    pub class: BehaviourClass,
    /// Whether it has peers to replicate to.
    pub has_peers: bool,
    /// Its configuration.
    pub config: ServerConfig,
}

/// Something an operation did, in the order it happened. Renewals that change nothing leave none.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A lease was made, for an instance that had none (`is_new`) or in place of an older one.
    Registered {
        /// Whose.
        key: InstanceKey,
        /// The status it ended up with.
        status: InstanceStatus,
        /// Whether a peer (or start-up sync) brought it.
        is_replication: bool,
        /// Whether there was no lease before.
        is_new: bool,
        /// What was compared.
        decision: Decision,
    },
    /// A lease was cancelled by a request or evicted.
    Cancelled {
        /// Whose.
        key: InstanceKey,
        /// Whether a peer asked for it.
        is_replication: bool,
        /// Whether the eviction task did it.
        evicted: bool,
    },
    /// The status of a stored instance changed without a registration.
    StatusChanged {
        /// Whose.
        key: InstanceKey,
        /// Its status now.
        status: InstanceStatus,
    },
    /// An override was set or (`None`) deleted.
    Overridden {
        /// For which instance it was asked; the override itself goes by instance id alone.
        key: InstanceKey,
        /// The override.
        status: Option<InstanceStatus>,
    },
    /// The eviction task ran, or eviction was asked for.
    EvictRun(EvictRun),
    /// A timer's task ran; the gauges around it, for traces of the real classes' form.
    TimerRan {
        /// Which.
        kind: TimerKind,
        /// Gauges directly before.
        before: Gauges,
        /// Gauges directly after.
        after: Gauges,
    },
}

/// What the server shows to monitoring, at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// `localRegistrySize`: leases of any status, expired ones included.
    pub local_registry_size: i64,
    /// `numOfRenewsInLastMin`: renewals in the last complete minute.
    pub num_of_renews_in_last_min: i64,
    /// `numOfRenewsPerMinThreshold`.
    pub num_of_renews_per_min_threshold: i32,
    /// `expectedNumberOfClientsSendingRenews` (up to release 1.9.3: of renews).
    pub expected_number_of_clients_sending_renews: i32,
    /// `isLeaseExpirationEnabled`: whether the eviction task would evict.
    pub is_lease_expiration_enabled: bool,
    /// `isBelowRenewThreshold`: whether the dashboard warns.
    pub is_below_renew_threshold: bool,
    /// Replicated requests in the last complete minute.
    pub num_of_replications_in_last_min: i64,
}

/// The registry of one server process.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(super) config: ServerConfig,
    pub(super) flavor: Flavor,
    pub(super) class: BehaviourClass,
    pub(super) has_peers: bool,
    pub(super) objects: Objects,
    /// `registry`: the applications; their maps are never removed, only emptied.
    pub(super) apps: ConcurrentHashMap,
    /// The instances of each application, by [`AppId`].
    pub(super) instances: Vec<ConcurrentHashMap>,
    /// The lease of each instance, by [`InstanceKey`].
    pub(super) leases: Vec<Option<LeaseRef>>,
    pub(super) size: usize,
    pub(super) overrides: OverrideMap,
    pub(super) recently_changed: VecDeque<RecentlyChangedItem>,
    pub(super) recent_registered: RecentQueue,
    pub(super) recent_canceled: RecentQueue,
    pub(super) renews_last_min: MeasuredRate,
    /// A renewal was counted since somebody asked.
    pub(super) renewed: bool,
    pub(super) replications_last_min: MeasuredRate,
    /// `expectedNumberOfClientsSendingRenews`, or `expectedNumberOfRenewsPerMin` up to 1.9.3.
    pub(super) expected: i32,
    pub(super) threshold: i32,
    /// Wall clock (ms) of `openForTraffic`; 0 before.
    pub(super) startup_time: i64,
    pub(super) peer_instances_transfer_empty_on_startup: bool,
    pub(super) cache: ResponseCache,
    pub(super) timers: Timers,
    /// Monotonic clock of the eviction task's last run.
    pub(super) last_execution_nanos: Option<u64>,
    /// Instances in the embedded client's view, as the updater counts them.
    pub(super) view_size: i32,
    pub(super) handed: Vec<Handed>,
    pub(super) facts: Vec<Fact>,
}

impl Registry {
    /// The constructor of the registry: nothing is open yet, but the delta queue's timer runs.
    #[must_use]
    pub fn new(setup: Setup, now: Now) -> Self {
        let spring = setup.flavor == Flavor::SpringCloud;
        let expected = setup.config.expected_number_of_clients_sending_renews;
        let timers = Timers::new(now, &setup.config);
        Self {
            flavor: setup.flavor,
            class: setup.class,
            has_peers: setup.has_peers,
            objects: Objects::default(),
            apps: ConcurrentHashMap::default(),
            instances: Vec::new(),
            leases: Vec::new(),
            size: 0,
            overrides: OverrideMap::default(),
            recently_changed: VecDeque::new(),
            recent_registered: RecentQueue::default(),
            recent_canceled: RecentQueue::default(),
            renews_last_min: MeasuredRate::default(),
            renewed: false,
            replications_last_min: MeasuredRate::default(),
            expected: if spring { expected } else { 0 },
            threshold: 0,
            startup_time: 0,
            peer_instances_transfer_empty_on_startup: true,
            cache: ResponseCache::default(),
            timers,
            last_execution_nanos: None,
            view_size: 0,
            handed: Vec::new(),
            facts: Vec::new(),
            config: setup.config,
        }
    }

    /// The configuration; what is captured when a timer or cache is made does not change any more.
    pub fn config_mut(&mut self) -> &mut ServerConfig {
        &mut self.config
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// The objects of this process.
    #[must_use]
    pub const fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The objects of this process, to make instances that are handed in and to keep references.
    pub fn objects_mut(&mut self) -> &mut Objects {
        &mut self.objects
    }

    /// What happened since it was last drained.
    pub fn facts(&mut self) -> &mut Vec<Fact> {
        &mut self.facts
    }

    /// What happened since it was last drained, to look at.
    #[must_use]
    pub fn fact_list(&self) -> &[Fact] {
        &self.facts
    }

    /// What monitoring shows at `now`.
    #[must_use]
    pub fn gauges(&self, now: Now) -> Gauges {
        Gauges {
            local_registry_size: self.size as i64,
            num_of_renews_in_last_min: self.renews_last_min.count(),
            num_of_renews_per_min_threshold: self.threshold,
            expected_number_of_clients_sending_renews: self.expected,
            is_lease_expiration_enabled: self.is_lease_expiration_enabled(),
            is_below_renew_threshold: self.is_below_renew_threshold(now),
            num_of_replications_in_last_min: self.replications_last_min.count(),
        }
    }

    /// Renewals counted in the minute that is not complete yet.
    #[must_use]
    pub const fn renews_current_min(&self) -> i64 {
        self.renews_last_min.current()
    }

    /// Whether a lease was renewed by a heartbeat since this was last asked.
    pub fn take_renewed(&mut self) -> bool {
        std::mem::take(&mut self.renewed)
    }

    /// `expectedNumberOfClientsSendingRenews` (up to release 1.9.3: of renews).
    #[must_use]
    pub const fn expected(&self) -> i32 {
        self.expected
    }

    /// `numOfRenewsPerMinThreshold`.
    #[must_use]
    pub const fn threshold(&self) -> i32 {
        self.threshold
    }

    /// The lease of an instance, if it is registered.
    #[must_use]
    pub fn lease(&self, key: InstanceKey) -> Option<&Lease> {
        self.lease_ref(key).map(|lease| &self.objects[lease])
    }

    /// The status under which an instance is registered.
    #[must_use]
    pub fn status_of(&self, key: InstanceKey) -> Option<InstanceStatus> {
        self.lease(key).map(|lease| self.objects[lease.holder].status)
    }

    /// The override map.
    #[must_use]
    pub const fn overrides(&self) -> &OverrideMap {
        &self.overrides
    }

    /// The delta queue, oldest item first.
    #[must_use]
    pub const fn recently_changed(&self) -> &VecDeque<RecentlyChangedItem> {
        &self.recently_changed
    }

    /// The last registrations.
    #[must_use]
    pub const fn recent_registered(&self) -> &RecentQueue {
        &self.recent_registered
    }

    /// The last cancellations, failed ones and evictions included.
    #[must_use]
    pub const fn recent_canceled(&self) -> &RecentQueue {
        &self.recent_canceled
    }

    /// Applications in the order of the Java map, emptied ones included.
    pub fn apps(&self) -> impl Iterator<Item = AppId> + '_ {
        self.apps.iter().map(AppId::from_raw)
    }

    /// Instances of an application in the order of the Java map.
    pub fn instances_of(&self, app: AppId) -> impl Iterator<Item = InstanceKey> + '_ {
        let map = self.instances.get(app.index());
        map.into_iter().flat_map(|map| map.iter().map(InstanceKey::from_raw))
    }

    pub(super) fn lease_ref(&self, key: InstanceKey) -> Option<LeaseRef> {
        self.leases.get(key.index()).copied().flatten()
    }

    /// How many instances to [`Registry::touch`] at a time: what is read too early is gone again when it
    /// is needed.
    pub const TOUCHED_AHEAD: usize = 64;

    /// Reads what operations on these instances are about to read, and does nothing with it. Each
    /// lease and instance lies somewhere else in memory: read in a row, without anything that depends
    /// on the last one, they are waited for together and not one after the other.
    pub fn touch(&self, keys: impl Iterator<Item = InstanceKey>) {
        keys.for_each(|key| self.touch_lease(key));
    }

    /// [`Registry::touch`] for one instance.
    pub fn touch_lease(&self, key: InstanceKey) {
        if let Some(lease) = self.lease_ref(key) {
            self.objects.touch_lease(lease);
        }
    }

    /// Stores `lease` under its key and gives back the one it replaces; takes over the reference.
    pub(super) fn put_lease(
        &mut self,
        names: &Names,
        key: InstanceKey,
        lease: LeaseRef,
    ) -> Option<LeaseRef> {
        let app = names.app_of(key);
        self.ensure_app(names, app);
        self.instances[app.index()].insert(&InstanceKeys(names), key.raw());
        if self.leases.len() <= key.index() {
            self.leases.resize(names.instance_count().max(key.index() + 1), None);
        }
        let old = self.leases[key.index()].replace(lease);
        self.size += usize::from(old.is_none());
        old
    }

    /// Takes the lease of an instance out of the registry; the caller takes over the reference.
    pub(super) fn take_lease(&mut self, names: &Names, key: InstanceKey) -> Option<LeaseRef> {
        let lease = self.leases.get_mut(key.index())?.take()?;
        let app = names.app_of(key);
        self.instances[app.index()].remove(&InstanceKeys(names), key.raw());
        self.size -= 1;
        Some(lease)
    }

    /// `registry.putIfAbsent(appName, new ConcurrentHashMap<>())`.
    pub(super) fn ensure_app(&mut self, names: &Names, app: AppId) {
        if self.instances.len() <= app.index() {
            self.instances
                .resize(names.app_count().max(app.index() + 1), ConcurrentHashMap::default());
        }
        // An emptied application stays in the outer map; only the first instance ever adds it.
        if self.instances[app.index()].table_len() == 0 {
            self.apps.insert(&AppKeys(names), app.raw());
        }
    }

    /// An item of the delta queue for a lease that was made, changed or cancelled just now.
    pub(super) fn changed(&mut self, lease: LeaseRef, wall: i64) {
        self.objects.retain_lease(lease);
        self.recently_changed.push_back(RecentlyChangedItem { last_update_time: wall, lease });
    }

    /// `AbstractInstanceRegistry.invalidateCache` for the application and VIP addresses of `info`.
    pub(super) fn invalidate_cache(&mut self, names: &Names, info: InfoRef) {
        let info = &self.objects[info];
        let app = names.app_of(info.key);
        let (vip, secure_vip): (Option<NameId>, Option<NameId>) =
            (info.vip_address, info.secure_vip_address);
        self.cache.invalidate(app, vip, secure_vip);
    }

    /// `AbstractInstanceRegistry.decorateInstanceInfo(Lease)`: writes the lease's times into the
    /// holder's `LeaseInfo`, whenever the instance is rendered.
    #[inline(always)]
    pub(super) fn decorate(&mut self, lease: LeaseRef) -> InfoRef {
        let lease = self.objects[lease];
        let info = self.objects[lease.holder].lease_info.get_or_insert_with(LeaseInfo::default);
        info.registration_timestamp = lease.registration_timestamp;
        info.last_renewal_timestamp = lease.last_update_timestamp;
        info.eviction_timestamp = lease.eviction_timestamp;
        info.service_up_timestamp = lease.service_up_timestamp;
        lease.holder
    }
}
