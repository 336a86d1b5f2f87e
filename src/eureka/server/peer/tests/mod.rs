//! Two registries and the queue from one to the other, and that queue alone.

mod acceptor;
mod nodes;
mod replication;

use std::fmt::Write;

use super::{BatchId, Failure, PeerEurekaNodes};
use crate::eureka::server::resources::{
    self, BatchAction, BatchItem, DirtyParameter, StatusParameter,
};
use crate::eureka::server::tests::instance;
use crate::eureka::server::{At, EurekaServer, Registry, ServerConfig, Setup};
use crate::eureka::{
    Flavor, InstanceInfo, InstanceKey, InstanceStatus, Names, Release, ServiceUrl,
};
use crate::time::{HostClock, Instant, Now, Span};

const EPOCH: i64 = 1_700_000_000_000;

/// What happens to a batch on its way.
#[derive(Clone, Copy)]
enum Link {
    Works,
    /// Items arrive without an IP address.
    Garbles,
    Answers500,
    Refuses,
}

/// Server A, which replicates to registry B.
struct Pair {
    names: Names,
    clock: HostClock,
    at: Instant,
    a: EurekaServer,
    b: Registry,
    link: Link,
    /// What went over the link, in the words of the recording.
    told: String,
}

impl Pair {
    fn new() -> Self {
        Self::configured(|_| {})
    }

    fn configured(configure: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut config = ServerConfig::new(Flavor::Netflix);
        configure(&mut config);
        let clock = HostClock::new(EPOCH);
        let now = clock.now(Instant::ZERO);
        let peer = ServiceUrl { url: "http://b:8761/eureka/".into(), server: 1 };
        let peers = PeerEurekaNodes::new(config.clone(), &[peer]);
        let class = Release::NEWEST.class();
        let setup = Setup { flavor: Flavor::Netflix, class, has_peers: true, config };
        let a = EurekaServer { registry: Registry::new(setup.clone(), now), peers };
        let b = Registry::new(setup, now);
        let (names, told) = (Names::default(), String::new());
        Self { names, clock, at: Instant::ZERO, a, b, link: Link::Works, told }
    }

    fn now(&self) -> Now {
        self.clock.now(self.at)
    }

    /// An operation at A, which is handed on.
    fn at_a<T>(&mut self, operation: impl FnOnce(&mut Registry, At<'_>) -> T) -> T {
        let now = self.now();
        let answer = operation(&mut self.a.registry, At { now, names: &self.names });
        self.a.replicate_to_peers(now);
        answer
    }

    fn at_b<T>(&mut self, operation: impl FnOnce(&mut Registry, At<'_>) -> T) -> T {
        let now = self.now();
        operation(&mut self.b, At { now, names: &self.names })
    }

    fn instance(&mut self, id: &str, dirty: i64) -> InstanceInfo {
        instance(&mut self.names, "APP", id, EPOCH + dirty)
    }

    fn key(&mut self, id: &str) -> InstanceKey {
        self.instance(id, 0).key
    }

    fn register(&mut self, info: InstanceInfo) {
        self.at_a(|registry, at| register(registry, at, info, false));
    }

    fn renew(&mut self, id: &str) {
        let key = self.key(id);
        assert!(self.at_a(|registry, at| registry.renew(at, key, false)));
    }

    fn set_status(&mut self, id: &str, status: InstanceStatus) {
        let (key, absent) = (self.key(id), DirtyParameter::Absent);
        let set = self.at_a(|r, at| r.status_update(at, key, status, absent, false));
        assert_eq!(set, Ok(true));
    }

    /// Lets time pass; batches are answered at once, but after the thread has looked for more.
    fn advance(&mut self, ms: u64) {
        let end = self.at + Span::from_millis(ms);
        while let Some(next) = self.a.peers[0].next_run().map(HostClock::instant_of_mono)
            && next <= end
        {
            self.at = next;
            let now = self.now();
            let (objects, node) = (self.a.registry.objects_mut(), &mut self.a.peers[0]);
            let mut batches = Vec::new();
            while node.next_run().is_some_and(|next| next <= now.mono) {
                let mut items = Vec::new();
                let batch = node.run(objects, &self.names, now, &mut items);
                batches.extend(batch.map(|batch| (batch, items)));
            }
            for (batch, items) in batches {
                self.carry(batch, items);
            }
        }
        self.at = end;
    }

    /// A batch goes to B, and the answer back.
    fn carry(&mut self, batch: BatchId, mut items: Vec<BatchItem>) {
        let now = self.now();
        let (registry, node) = (&mut self.a.registry, &mut self.a.peers[0]);
        match self.link {
            Link::Works => {}
            Link::Garbles => items.iter_mut().for_each(|item| {
                if let BatchAction::Register(Some(registration)) = &mut item.action {
                    registration.lacks.ip_address = true;
                }
            }),
            Link::Answers500 => {
                self.told += "   -> forced 500\n";
                return node.failed(registry.objects_mut(), batch, Failure::Permanent, now);
            }
            Link::Refuses => {
                return node.failed(registry.objects_mut(), batch, Failure::Transient, now);
            }
        }
        let items_told: String = items.iter().map(|item| told(&self.names, item)).collect();
        let at = At { now, names: &self.names };
        let mut answers = Vec::new();
        resources::batch_replication(&mut self.b, at, items, &mut answers);
        let mut codes = Vec::new();
        let mut codes_told = String::new();
        for answer in answers {
            let entity = answer.instance.map(|info| {
                let entity = Box::new(self.b.objects()[info].clone());
                self.b.objects_mut().release_info(info);
                entity
            });
            let with = if entity.is_some() { "+entity" } else { "" };
            write!(codes_told, " [{}{with}]", answer.code).unwrap();
            codes.push((answer.code, entity));
        }
        writeln!(self.told, "   batch {items_told}{codes_told}").unwrap();
        for theirs in node.answered(registry, at, batch, &codes) {
            registry.adopt(at, *theirs);
        }
    }

    /// `UP/ov=UNKNOWN/dirty=2`, or null.
    fn stored(&self, at_a: bool, id: &str) -> String {
        let app = self.names.find_app("APP").expect("there is one application");
        let key = self.names.find_instance(app, id).expect("the instance has a name");
        let registry = if at_a { &self.a.registry } else { &self.b };
        registry.lease(key).map_or("null".to_owned(), |lease| {
            let info = &registry.objects()[lease.holder];
            let dirty = info.last_dirty_timestamp - EPOCH;
            format!("{}/ov={}/dirty={dirty}", info.status, info.overridden_status)
        })
    }

    fn both(&self) -> String {
        format!("A={} B={}", self.stored(true, "i1"), self.stored(false, "i1"))
    }

    fn tell(&mut self, line: &str) {
        self.told += line;
        self.told.push('\n');
    }

    /// What went over the link since this was last asked.
    fn told(&mut self) -> String {
        std::mem::take(&mut self.told)
    }
}

fn register(registry: &mut Registry, at: At<'_>, info: InstanceInfo, is_replication: bool) {
    let info = registry.objects_mut().add_info(info);
    registry.register(at, info, is_replication);
    registry.objects_mut().release_info(info);
}

/// `Heartbeat:i1:UP:ov=null:d=2 `
fn told(names: &Names, item: &BatchItem) -> String {
    let status = |parameter| match parameter {
        StatusParameter::Value(status) => status.to_string(),
        _ => "null".to_owned(),
    };
    let action = match item.action {
        BatchAction::Register(_) => "Register",
        BatchAction::Heartbeat => "Heartbeat",
        BatchAction::Cancel => "Cancel",
        BatchAction::StatusUpdate => "StatusUpdate",
        BatchAction::DeleteStatusOverride => "DeleteStatusOverride",
    };
    let dirty = match item.dirty {
        DirtyParameter::Value(dirty) => format!(":d={}", dirty - EPOCH),
        _ => String::new(),
    };
    let (own, overridden) = (status(item.status), status(item.overridden));
    format!("{action}:{}:{own}:ov={overridden}{dirty} ", names.id_text(item.key))
}
