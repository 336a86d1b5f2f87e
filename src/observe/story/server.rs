//! What servers do with an instance: registrations, heartbeats, evictions, overrides, replication.

use super::Story;
use super::what::{Eviction, LeaseTimes, Place, Unheard, What};
use crate::eureka::InstanceStatus;
use crate::eureka::server::EvictRun;
use crate::eureka::server::peer::TaskAction;
use crate::eureka::server::resources::{BatchAction, BatchItem, DirtyParameter, StatusParameter};
use crate::eureka::server::rules::Rule;
use crate::sim::{BatchOutcome, Fact, FaultFact, HostId, Party, RequestFact, WorldView};
use crate::time::Instant;

/// A task about the instance in a batch under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnTheWire {
    /// Its position in the batch.
    index: usize,
    action: TaskAction,
    dirty: Option<i64>,
}

impl Story {
    /// A fact, if it is about what a server has of the instance.
    pub(super) fn of_server(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        let told = match fact {
            Fact::Request { server, from, request, code, .. }
                if request.key() == Some(self.key) =>
            {
                self.request(*server, *from, request, *code, world).map(|what| (*server, what))
            }
            Fact::Registered { server, key, status, replica, decision, .. } if *key == self.key => {
                let lease = self.lease(*server, world);
                let (status, decision, replica) = (*status, *decision, *replica);
                Some((*server, What::Registered { status, decision, replica, lease }))
            }
            Fact::Renewed { server, key, replica: true } if *key == self.key => {
                Some((*server, What::Renewed { lease: self.lease(*server, world) }))
            }
            Fact::Cancelled { server, key, replica, evicted: false } if *key == self.key => {
                Some((*server, What::Deleted { replica: *replica }))
            }
            Fact::StatusChanged { server, key, status } if *key == self.key => {
                // What comes with an override has been told with it.
                let is_told = self.overridden == Some((*server, at));
                let rule = self.rule_of_renewal(*server, *status, world);
                (!is_told).then_some((*server, What::StatusSet(*status, rule)))
            }
            Fact::Overridden { server, key, status } if *key == self.key => {
                self.overridden = Some((*server, at));
                let stored = self.stored(*server, world).map(|(status, _)| status);
                Some((*server, What::Override(*status, stored)))
            }
            Fact::EvictRun { server, run } => {
                self.evict_run(*server, run, world).map(|evict| (*server, What::Evict(evict)))
            }
            Fact::BatchSent { batch, from, to, items } => {
                self.batch_sent(at, *batch, (*from, *to), items);
                None
            }
            Fact::BatchEnded { batch, from, to, outcome, codes, .. } => {
                self.batch_ended(at, *batch, (*from, *to), (*outcome, codes), world);
                None
            }
            Fact::TaskDropped { from, to, key, action, why } if *key == self.key => {
                Some((*from, What::Dropped { to: *to, action: *action, why: *why }))
            }
            Fact::Adopted { server, from, key } if *key == self.key => {
                let stored = self.stored(*server, world);
                Some((*server, What::Adopted { from: *from, stored }))
            }
            Fact::Initialised(_) => {
                self.is_touched = true;
                None
            }
            _ => {
                let word = server_word(fact, world);
                self.is_touched |= word.is_some();
                // What servers did before there was an instance is no part of its story.
                let word = word.filter(|_| !self.told.is_empty());
                word.map(|(server, word)| (server, What::Server(word)))
            }
        };
        if let Some((server, what)) = told {
            self.is_touched = true;
            self.told.push(at, Place::Server(server), what);
        }
    }

    fn request(
        &mut self,
        server: HostId,
        from: Party,
        request: &RequestFact<'_>,
        code: u16,
        world: &WorldView<'_>,
    ) -> Option<What> {
        self.is_touched = true;
        let asked = |method: &str, value: StatusParameter| match value {
            StatusParameter::Absent => format!("{method} status"),
            StatusParameter::Malformed => format!("{method} status?value=…, which is no status"),
            StatusParameter::Value(status) => format!("{method} status?value={status}"),
        };
        match request {
            RequestFact::Register(_) if code >= 300 => Some(What::Refused(code)),
            RequestFact::Heartbeat { dirty, .. } => {
                let dirty = value_of(*dirty);
                let stored = self.stored(server, world);
                let compares = world
                    .registry(server)
                    .is_none_or(|registry| registry.config().sync_when_timestamp_differs);
                let lease = self.lease(server, world);
                Some(What::Heartbeat { code, dirty, stored, compares, lease })
            }
            RequestFact::Cancel(_) if from == Party::Outside => {
                Some(What::Operator("DELETE".to_owned(), code))
            }
            RequestFact::Cancel(_) if code >= 300 => Some(What::NothingToDelete(code)),
            RequestFact::StatusUpdate { value, .. } => {
                self.was_commanded = true;
                Some(What::Operator(asked("PUT", *value), code))
            }
            RequestFact::DeleteStatus { value, .. } => {
                self.was_commanded = true;
                Some(What::Operator(asked("DELETE", *value), code))
            }
            RequestFact::Metadata(_) => Some(What::Operator("PUT metadata".to_owned(), code)),
            _ => None,
        }
    }

    /// Status and timestamp that a server has.
    fn stored(&self, server: HostId, world: &WorldView<'_>) -> Option<(InstanceStatus, i64)> {
        let registry = world.registry(server)?;
        let info = &registry.objects()[registry.lease(self.key)?.holder];
        Some((info.status, info.last_dirty_timestamp))
    }

    fn lease(&mut self, server: HostId, world: &WorldView<'_>) -> Option<LeaseTimes> {
        let lease = world.registry(server)?.lease(self.key).map(LeaseTimes::of)?;
        self.leases.insert(server, lease);
        Some(lease)
    }

    /// A renewal changes a status for an override's sake only; a request sets one whatever the rules say.
    fn rule_of_renewal(
        &self,
        server: HostId,
        status: InstanceStatus,
        world: &WorldView<'_>,
    ) -> Option<Rule> {
        let registry = world.registry(server)?;
        let id = world.names().id_of(self.key);
        let overridden = registry.overrides().peek(id, world.clocks(server).mono);
        (overridden == Some(status)).then_some(Rule::OverrideExists)
    }

    fn evict_run(&self, server: HostId, run: &EvictRun, world: &WorldView<'_>) -> Option<Eviction> {
        let rank = run.evicted.iter().position(|key| *key == self.key).map(|place| place + 1);
        let registry = world.registry(server)?;
        let lease = registry.lease(self.key);
        let wall = world.clocks(server).wall;
        let is_expired = lease.is_some_and(|lease| lease.is_expired(wall, run.compensation_ms));
        if rank.is_none() && !is_expired {
            return None;
        }
        let gauges = world.gauges(server)?;
        let known = lease.map(LeaseTimes::of).or_else(|| self.leases.get(&server).copied());
        Some(Eviction {
            rank,
            expired: run.expired,
            limit: run.limit,
            enabled: run.enabled,
            renews: (gauges.num_of_renews_in_last_min, gauges.num_of_renews_per_min_threshold),
            ended: known.map(LeaseTimes::end),
        })
    }

    fn batch_sent(&mut self, at: Instant, batch: u64, link: (HostId, HostId), items: &[BatchItem]) {
        let (from, to) = link;
        let mut about: Vec<OnTheWire> = Vec::new();
        for (index, item) in items.iter().enumerate().filter(|(_, item)| item.key == self.key) {
            let action = item.action.task();
            let (status, dirty) = match &item.action {
                BatchAction::Register(Some(body)) => {
                    (Some(body.info.status), Some(body.info.last_dirty_timestamp))
                }
                _ => match item.status {
                    StatusParameter::Value(status) => (Some(status), value_of(item.dirty)),
                    _ => (None, value_of(item.dirty)),
                },
            };
            about.push(OnTheWire { index, action, dirty });
            // Heartbeats are told of where they arrive.
            if action != TaskAction::Heartbeat {
                let what = What::Told { to, action, status, dirty };
                self.told.push(at, Place::Server(from), what);
            }
        }
        if !about.is_empty() {
            self.batches.insert(batch, about);
        }
    }

    fn batch_ended(
        &mut self,
        at: Instant,
        batch: u64,
        (from, to): (HostId, HostId),
        (outcome, codes): (BatchOutcome, &[u16]),
        world: &WorldView<'_>,
    ) {
        let Some(about) = self.batches.remove(&batch) else {
            return;
        };
        let lost = match outcome {
            BatchOutcome::Failed(failure) => Some(Unheard::Failed(failure)),
            BatchOutcome::Answered(code) if code >= 300 => Some(Unheard::Code(code)),
            BatchOutcome::Answered(_) => None,
        };
        if let Some(outcome) = lost {
            self.told.push(at, Place::Server(from), What::BatchLost { to, outcome });
            return;
        }
        let stored = self.stored(to, world).map(|(_, dirty)| dirty);
        for OnTheWire { index, action, dirty } in about {
            let code = codes.get(index).copied().unwrap_or(200);
            if code != 200 {
                let what = What::Answered { from, action, code, dirty, stored };
                self.told.push(at, Place::Server(to), what);
            }
        }
    }
}

const fn value_of(dirty: DirtyParameter) -> Option<i64> {
    match dirty {
        DirtyParameter::Value(dirty) => Some(dirty),
        DirtyParameter::Absent | DirtyParameter::Malformed => None,
    }
}

/// What becomes of a server itself.
fn server_word(fact: &Fact<'_>, world: &WorldView<'_>) -> Option<(HostId, &'static str)> {
    Some(match fact {
        Fact::Started(host, _) if world.is_server(*host) => (*host, "starts"),
        Fact::Listening(server) => (*server, "accepts connections"),
        Fact::Closed(server) => (*server, "is stopped: its registry is gone"),
        Fact::Exited(host, _) if world.is_server(*host) => (*host, "has ended"),
        Fact::Fault(FaultFact::Process(what, host)) if world.is_server(*host) => {
            let word = match *what {
                "kill" => "is killed: its registry is gone",
                "pause" => "is frozen",
                "resume" => "goes on",
                _ => return None,
            };
            (*host, word)
        }
        _ => return None,
    })
}
