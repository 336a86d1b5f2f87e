//! By which known mechanism an instance came to be stuck: worked out from what is stored where, what the
//! last registration compared, and what its client went through.

use super::{Class, LastRegistration, Stuck};
use crate::eureka::client::HttpClientKind;
use crate::eureka::server::rules::Rule;
use crate::eureka::server::{Decision, Kept};
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::sim::{HostId, WorldView};
use crate::time::{Instant, Span};

/// A way to be stuck; `scenarios/stuck/README.md` has a scenario for each number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// The replicator wrote back the status it had read, over one that was set meanwhile.
    StatusEcho,
    /// A registration was executed after the DELETE.
    RegisterAfterDelete,
    /// The replicator's thread waits for a health check that does not answer.
    FrozenReplicator,
    /// The process said goodbye, and its DELETE never took effect.
    DeleteNeverEffective,
    /// The stored dirty timestamp is ahead of the client's.
    TimestampBehind,
    /// OUT_OF_SERVICE (or UP) was registered first, and the server keeps its own status.
    OutOfServiceLatch,
    /// A status override is still there.
    OverrideOutlives,
    /// An older status is stored with the timestamp of the newer one, which it overtook.
    TornBody,
    /// A peer sent back an old record with a newer timestamp.
    PeerFeedsBack,
    /// The health check has said something else than it says now.
    HealthCheck,
    /// Registrations are answered with an error, heartbeats are not.
    PostBroken,
    /// The change found no token in the rate limiter.
    RateLimited,
    /// Nobody has said UP.
    StartingForEver,
    /// The process is gone without goodbye, and its lease stays.
    UpButDead,
    /// Heartbeats do not reach any server.
    LeadingCorpses,
    /// Two statuses within one millisecond: the later one was never sent.
    SameMillisecond,
    /// Another client on the same `ApplicationInfoManager` was shut down.
    SharedManager,
    /// It heartbeats, and does not register again.
    NeverRegisters,
    /// The supervisor interrupts each heartbeat before it turns to the next server.
    InterruptedWorker,
    /// The default health check has taken the place of the application's.
    LostHealthCheck,
    /// The server has put the newer timestamp on an older body (up to 1.4.10).
    OlderBody,
    /// Another server knows better, and this one was not told.
    NotReplicated,
}

impl Mechanism {
    /// Every mechanism with its short name and its sentence.
    pub const ALL: [(Self, &'static str, &'static str); 22] = [
        (Self::StatusEcho, "M1", "the replicator wrote back the status it had read before"),
        (Self::RegisterAfterDelete, "M2", "a registration was executed after the DELETE"),
        (Self::FrozenReplicator, "M3", "the replicator waits for a health check that hangs"),
        (Self::DeleteNeverEffective, "M4", "the instance went, and no DELETE took effect"),
        (Self::TimestampBehind, "M5", "the stored dirty timestamp is ahead of the client's"),
        (Self::OutOfServiceLatch, "M6", "the server keeps its own status over what is registered"),
        (Self::OverrideOutlives, "M7", "what an operator set is still there"),
        (Self::TornBody, "M8", "an older status is stored with the timestamp of the newer one"),
        (Self::PeerFeedsBack, "M9", "a peer sent back an old record with a newer timestamp"),
        (Self::HealthCheck, "M10", "the health check said so when it was last asked"),
        (Self::PostBroken, "M11", "registrations are refused"),
        (Self::RateLimited, "M12", "the change found no token in the rate limiter"),
        (Self::StartingForEver, "M13", "nobody has said UP"),
        (Self::UpButDead, "M14", "the process is gone without goodbye, and its lease stays"),
        (Self::LeadingCorpses, "M15", "heartbeats reach no server"),
        (Self::SameMillisecond, "M16", "two changes in one millisecond: the second was never sent"),
        (Self::SharedManager, "M17", "another client on the same ApplicationInfoManager has left"),
        (
            Self::InterruptedWorker,
            "M18",
            "each heartbeat is interrupted before it asks another server",
        ),
        (
            Self::NeverRegisters,
            "never-registers",
            "the client heartbeats and does not register again",
        ),
        (
            Self::LostHealthCheck,
            "lost-check",
            "the default health check took the application's place",
        ),
        (Self::OlderBody, "older-body", "the server put the newer timestamp on an older body"),
        (
            Self::NotReplicated,
            "not-replicated",
            "another server knows better, and this one was not told",
        ),
    ];

    /// `M1` to `M18` as in `scenarios/stuck/README.md`, or a word for what has no number there.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(known, ..)| *known == self).map_or("", |(_, name, _)| name)
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        Self::ALL.iter().find(|(known, ..)| *known == self).map_or("", |(.., sentence)| sentence)
    }
}

/// The mechanism of what is wrong with an instance at a server.
pub(super) fn of(
    stuck: &Stuck,
    (class, server, key): (Class, HostId, InstanceKey),
    world: &WorldView<'_>,
) -> Option<Mechanism> {
    let case = Case { stuck, server, key, world };
    match class {
        _ if !stuck.life(key).is_alive => Some(case.of_ghost()),
        Class::AliveButMissing => case.of_missing(),
        Class::Stuck(status) => case.of_status(status),
        Class::UpButDead | Class::DivergedBetweenPeers => None,
    }
}

struct Case<'a> {
    stuck: &'a Stuck,
    server: HostId,
    key: InstanceKey,
    world: &'a WorldView<'a>,
}

/// Whether something has happened at all, and not before `since`.
fn happened(at: Instant, since: Instant) -> bool {
    at != Instant::NEVER && (since == Instant::NEVER || at >= since)
}

impl Case<'_> {
    fn last(&self, server: HostId) -> Option<&LastRegistration> {
        self.stuck.last.get(&(server, self.key))
    }

    /// Servers of the same cluster.
    fn peers(&self) -> impl Iterator<Item = HostId> + '_ {
        let of = |server: HostId| self.stuck.clusters.of_server(server.index());
        self.world
            .server_hosts()
            .filter(move |peer| *peer != self.server && of(*peer) == of(self.server))
    }

    /// The server itself, and then these.
    fn everywhere(&self) -> impl Iterator<Item = HostId> + '_ {
        std::iter::once(self.server).chain(self.peers())
    }

    /// Its process is gone.
    fn of_ghost(&self) -> Mechanism {
        let life = self.stuck.life(self.key);
        if life.goodbye == Instant::NEVER {
            return Mechanism::UpButDead;
        }
        let cancelled = life.cancelled != Instant::NEVER;
        let mut made = self.everywhere().filter_map(|server| self.last(server));
        let late = made.any(|last| last.is_new && happened(last.at, life.goodbye));
        match (cancelled, late) {
            (true, true) => Mechanism::RegisterAfterDelete,
            (true, false) => Mechanism::NotReplicated,
            (false, _) => Mechanism::DeleteNeverEffective,
        }
    }

    /// It runs and is not there.
    fn of_missing(&self) -> Option<Mechanism> {
        let life = self.stuck.life(self.key);
        let knows = |peer: HostId| {
            !self.world.is_paused(peer)
                && self.world.registry(peer).is_some_and(|of| of.status_of(self.key).is_some())
        };
        if self.peers().any(knows) {
            return Some(Mechanism::NotReplicated);
        }
        self.of_silence(life.ready)
    }

    /// What keeps its registrations from being executed.
    fn of_silence(&self, since: Instant) -> Option<Mechanism> {
        let life = self.stuck.life(self.key);
        let host = life.host?;
        let kind = self.world.setup().profile_of(host).http_client;
        let interrupts = matches!(kind, HttpClientKind::RestClient | HttpClientKind::RestTemplate);
        let is_rest = self.world.setup().profile_of(host).rest.is_some();
        // The body of a 404 fails the attempt, and with it the heartbeat: all within an instant.
        let took_404_for_failure = happened(life.not_found, since)
            && happened(life.failed, life.not_found)
            && life.failed.since(life.not_found) < Span::from_millis(100);
        if is_rest {
            Some(Mechanism::NeverRegisters)
        } else if happened(life.refused, since) {
            Some(Mechanism::PostBroken)
        } else if took_404_for_failure {
            Some(Mechanism::NeverRegisters)
        } else if happened(life.timed_out, since) && interrupts {
            Some(Mechanism::InterruptedWorker)
        } else if happened(life.timed_out, since) || happened(life.failed, since) {
            Some(Mechanism::LeadingCorpses)
        } else {
            None
        }
    }

    /// It runs and is there with this status, which is not what it means.
    fn of_status(&self, status: InstanceStatus) -> Option<Mechanism> {
        let life = self.stuck.life(self.key);
        let host = life.host?;
        let registry = self.world.registry(self.server)?;
        let mono = self.world.clocks(self.server).mono;
        if registry.overrides().peek(self.world.names().id_of(self.key), mono) == Some(status) {
            return Some(Mechanism::OverrideOutlives);
        }
        let client = self.world.client(host)?;
        let (own, own_dirty) = (client.status(), client.last_dirty());
        if own == status {
            return self.of_own(own, host);
        }
        let lease = registry.lease(self.key)?;
        let stored = registry.objects()[lease.holder].last_dirty_timestamp;
        // A replica says what the server that was told says.
        let told = self.everywhere().find_map(|server| {
            self.last(server).filter(|last| !last.replica).map(|last| last.decision)
        });
        let here = self.last(self.server).map(|last| last.decision);
        if here.is_some_and(|here| here.kept == Kept::BroughtWithStoredTimestamp) {
            return Some(Mechanism::OlderBody);
        }
        if stored > own_dirty {
            let adopted = self.everywhere().any(|at| self.stuck.adopted.contains(&(at, self.key)));
            return Some(if adopted {
                Mechanism::PeerFeedsBack
            } else {
                Mechanism::TimestampBehind
            });
        }
        if self.stuck.commanded.contains(&(self.server, self.key)) {
            return Some(Mechanism::OverrideOutlives);
        }
        if self.world.setup().profile_of(host).rest.is_some() {
            return Some(Mechanism::NeverRegisters);
        }
        if stored == own_dirty {
            let latched =
                |last: Decision| last.rule == Rule::LeaseExists && last.brought.0 != status;
            return Some(if told.is_some_and(latched) {
                Mechanism::OutOfServiceLatch
            } else if life.own == Some((own, own_dirty))
                && life.before.is_some_and(|(_, dirty)| dirty == own_dirty)
                && life.sent != Some((own, own_dirty))
            {
                Mechanism::SameMillisecond
            } else {
                Mechanism::TornBody
            });
        }
        // The client's word is newer, and has not come here.
        if happened(life.limited, life.changed) {
            return Some(Mechanism::RateLimited);
        }
        let better = |peer: HostId| {
            self.world.registry(peer).is_some_and(|of| of.status_of(self.key) == Some(own))
        };
        if self.peers().any(better) {
            return Some(Mechanism::NotReplicated);
        }
        self.of_silence(life.changed)
    }

    /// It says so itself, and its application means something else.
    fn of_own(&self, own: InstanceStatus, host: HostId) -> Option<Mechanism> {
        let profile = self.world.setup().profile_of(host);
        let client = self.world.client(host)?;
        let left = profile.second.as_ref().is_some_and(|second| second.stop.is_some());
        Some(if left && own == InstanceStatus::Down {
            Mechanism::SharedManager
        } else if profile.health_check && client.has_lost_its_health_check() {
            Mechanism::LostHealthCheck
        } else if profile.health_check && client.waits_for_its_health_check() {
            Mechanism::FrozenReplicator
        } else if profile.health_check {
            Mechanism::HealthCheck
        } else if own == InstanceStatus::Starting {
            Mechanism::StartingForEver
        } else {
            Mechanism::StatusEcho
        })
    }
}
