//! The server core against the tables of the real classes in `tests/golden/vectors`, and against
//! its rules restated.

mod cache;
mod eviction;
mod json_size;
mod leases;
mod memory;
mod minutes;
mod overrides;
mod releases;
mod resources;
mod threshold;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::{At, Fact, Gauges, Registry, ServerConfig, Setup};
use crate::eureka::{
    Flavor, InstanceInfo, InstanceKey, InstanceStatus, LeaseInfo, Metadata, NameId, Names, Release,
};
use crate::time::{HostClock, Instant, Now, Span};

/// Wall clock (ms) at which runs begin unless they say otherwise: a multiple of 30 s.
const EPOCH: i64 = 1_700_000_010_000;

fn path_of(vector: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/vectors")).join(vector)
}

/// The text of a table.
pub(super) fn vector(name: &str) -> String {
    fs::read_to_string(path_of(name)).expect("the table can be read")
}

/// The text of a table that is kept as `.gz`.
fn unzipped(name: &str) -> String {
    let mut text = String::new();
    let bytes = fs::read(path_of(name)).expect("the table can be read");
    GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("it is a .gz of text");
    text
}

/// Holds lines made here against those of a table, from line `first` (counted from 1) on.
fn check_lines(name: &str, first: usize, made: &[String]) {
    let table = vector(name);
    let recorded: Vec<&str> = table.lines().skip(first - 1).take(made.len()).collect();
    assert_eq!(made, recorded, "{name} from line {first}");
}

/// An instance as a client sends it: UP, no override, 30 s and 90 s, no VIP address.
pub(super) fn instance(names: &mut Names, app: &str, id: &str, dirty: i64) -> InstanceInfo {
    let app = names.app(app);
    InstanceInfo {
        key: names.instance(app, id),
        status: InstanceStatus::Up,
        overridden_status: InstanceStatus::Unknown,
        action_type: None,
        last_dirty_timestamp: dirty,
        last_updated_timestamp: dirty,
        lease_info: Some(LeaseInfo::default()),
        vip_address: None,
        secure_vip_address: None,
        metadata: Metadata::default(),
    }
}

/// One server process under virtual time.
struct Server {
    names: Names,
    registry: Registry,
    clock: HostClock,
    at: Instant,
}

impl Server {
    /// The newest release with its flavour's defaults.
    fn new(flavor: Flavor) -> Self {
        Self::started(EPOCH, flavor, "2.0.6", |_| {})
    }

    /// A Netflix server of some release that has a peer.
    fn of_release(release: &str) -> Self {
        Self::started(EPOCH, Flavor::Netflix, release, |_| {})
    }

    fn started(
        epoch_ms: i64,
        flavor: Flavor,
        release: &str,
        configure: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        let mut config = ServerConfig::new(flavor);
        configure(&mut config);
        let class = release.parse::<Release>().expect("the release is known").class();
        let clock = HostClock::new(epoch_ms);
        let setup = Setup { flavor, class, has_peers: true, config };
        Self {
            names: Names::default(),
            registry: Registry::new(setup, clock.now(Instant::ZERO)),
            clock,
            at: Instant::ZERO,
        }
    }

    fn now(&self) -> Now {
        self.clock.now(self.at)
    }

    /// An operation now.
    fn ask<T>(&mut self, operation: impl FnOnce(&mut Registry, At<'_>) -> T) -> T {
        let at = At { now: self.now(), names: &self.names };
        operation(&mut self.registry, at)
    }

    fn init(&mut self) {
        self.ask(Registry::init);
    }

    fn open(&mut self, count: i32) {
        self.ask(|registry, at| registry.open_for_traffic(at, count));
    }

    /// The instance as its client sends it now.
    fn instance(&mut self, app: &str, id: &str) -> InstanceInfo {
        let dirty = self.now().wall;
        instance(&mut self.names, app, id, dirty)
    }

    fn name(&mut self, text: &str) -> NameId {
        self.names.intern(text)
    }

    /// A registration by the client itself.
    fn register(&mut self, info: InstanceInfo) -> InstanceKey {
        self.register_from(info, false)
    }

    fn register_from(&mut self, info: InstanceInfo, is_replication: bool) -> InstanceKey {
        let key = info.key;
        self.ask(|registry, at| {
            let info = registry.objects_mut().add_info(info);
            registry.register(at, info, is_replication);
            registry.objects_mut().release_info(info);
        });
        key
    }

    fn register_new(&mut self, app: &str, id: &str) -> InstanceKey {
        let info = self.instance(app, id);
        self.register(info)
    }

    /// This many instances of SVC, from h00 on.
    fn register_many(&mut self, count: usize) -> Vec<InstanceKey> {
        (0..count).map(|n| self.register_new("SVC", &format!("h{n:02}"))).collect()
    }

    fn renew(&mut self, key: InstanceKey) -> bool {
        self.ask(|registry, at| registry.renew(at, key, false))
    }

    fn renew_all(&mut self, keys: &[InstanceKey]) {
        for &key in keys {
            assert!(self.renew(key));
        }
    }

    fn cancel(&mut self, key: InstanceKey) -> bool {
        self.ask(|registry, at| registry.cancel(at, key, false))
    }

    /// The object under which an instance is stored.
    fn stored(&self, key: InstanceKey) -> &InstanceInfo {
        &self.registry.objects()[self.registry.lease(key).expect("it is registered").holder]
    }

    fn gauges(&self) -> Gauges {
        self.registry.gauges(self.now())
    }

    /// Timers run when their threads wake, up to and with the end.
    fn advance(&mut self, ms: u64) {
        let end = self.at + Span::from_millis(ms);
        while let Some(wake) = self.registry.next_wake().map(HostClock::instant_of_mono)
            && wake <= end
        {
            self.at = wake;
            self.ask(Registry::run_timers);
        }
        self.at = end;
    }

    /// Time passes for a frozen process: nothing runs.
    fn freeze(&mut self, ms: u64) {
        self.at += Span::from_millis(ms);
    }

    /// It goes on: what is overdue runs.
    fn thaw(&mut self) {
        self.ask(Registry::run_timers);
    }

    /// What happened since this was last asked.
    fn facts(&mut self) -> Vec<Fact> {
        std::mem::take(self.registry.facts())
    }

    /// The victims of all eviction runs since this was last asked, in order.
    fn evicted(&mut self) -> Vec<InstanceKey> {
        let victims = |fact| match fact {
            Fact::EvictRun(run) => run.evicted,
            _ => Vec::new(),
        };
        self.facts().into_iter().flat_map(victims).collect()
    }
}
