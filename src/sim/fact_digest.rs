//! How facts enter the digest.

use super::digest::Digest;
use super::fact::{BatchOutcome, Fact, Party, RequestFact, RequestLine};
use super::host::HostId;
use crate::eureka::server::CacheKey;
use crate::eureka::server::resources::{BatchAction, DirtyParameter, StatusParameter};
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::time::Instant;

/// A number for an optional status.
fn status_word(status: Option<InstanceStatus>) -> u64 {
    status.map_or(255, |status| status as u64)
}

fn parameter_word(status: StatusParameter) -> u64 {
    match status {
        StatusParameter::Absent => 255,
        StatusParameter::Malformed => 254,
        StatusParameter::Value(status) => status as u64,
    }
}

/// A number for a dirty timestamp; two where it is none.
#[inline(always)]
fn dirty(dirty: DirtyParameter, digest: &mut Digest) {
    match dirty {
        DirtyParameter::Value(dirty) if dirty != i64::MIN => {
            digest.word(dirty as u64);
        }
        dirty => no_dirty(dirty, digest),
    }
}

#[cold]
fn no_dirty(dirty: DirtyParameter, digest: &mut Digest) {
    let why = match dirty {
        DirtyParameter::Value(_) => 0,
        DirtyParameter::Absent => 1,
        DirtyParameter::Malformed => 2,
    };
    digest.word(i64::MIN as u64).word(why);
}

/// A text, with its length.
pub(super) fn text(text: &str, digest: &mut Digest) {
    digest.word(text.len() as u64);
    for byte in text.bytes() {
        digest.word(byte.into());
    }
}

impl Fact<'_> {
    /// Adds the fact to the digest: its kind, time and every field that does not follow from others; of
    /// an instance its key, status and dirty timestamp, of a view its version and how many instances
    /// have which status.
    #[inline(always)]
    pub(super) fn add_to(&self, at: Instant, digest: &mut Digest) {
        let at = at.nanos();
        let host = |host: HostId| host.index() as u64;
        let key = |key: InstanceKey| key.index() as u64;
        match self {
            Self::Started(process, generation) => {
                digest.fact(1, at).word(host(*process)).word((*generation).into());
            }
            Self::Exited(process, generation) => {
                digest.fact(2, at).word(host(*process)).word((*generation).into());
            }
            Self::Initialised(server) => {
                digest.fact(3, at).word(host(*server));
            }
            Self::Listening(server) => {
                digest.fact(4, at).word(host(*server));
            }
            Self::Closed(server) => {
                digest.fact(41, at).word(host(*server));
            }
            Self::OpenForTraffic { server, sync_count, count } => {
                let digest = digest.fact(5, at).word(host(*server));
                digest.word(*sync_count as u64).word(*count as u64);
            }
            Self::Request { server, from, request, code, bytes: _ } => {
                let from = match from {
                    Party::Host(from) => host(*from),
                    Party::Outside => u64::MAX,
                };
                let hosts = host(*server) << 32 | from & 0xffff_ffff;
                request.add_to(digest.fact(6, at).word(hosts).word((*code).into()));
            }
            Self::TurnedAway { from, to, request, code } => {
                let hosts = host(*to) << 32 | host(*from);
                request.add_to(digest.fact(41, at).word(hosts).word((*code).into()));
            }
            Self::Failed { from, to, request, outcome } => {
                let hosts = host(*to) << 32 | host(*from);
                request.add_to(digest.fact(7, at).word(hosts).word(*outcome as u64));
            }
            Self::BatchSent { batch, from, to, items } => {
                let hosts = host(*to) << 32 | host(*from);
                digest.fact(8, at).word(*batch).word(hosts).word(items.len() as u64);
                for item in *items {
                    let status = parameter_word(item.status) << 8 | parameter_word(item.overridden);
                    let action = match &item.action {
                        BatchAction::Register(info) => u64::from(info.is_none()),
                        BatchAction::Heartbeat => 2,
                        BatchAction::Cancel => 3,
                        BatchAction::StatusUpdate => 4,
                        BatchAction::DeleteStatusOverride => 5,
                    };
                    dirty(item.dirty, digest.word(action << 48 | key(item.key) << 16 | status));
                }
            }
            Self::BatchEnded { batch, outcome, took, codes, .. } => {
                let outcome = match outcome {
                    BatchOutcome::Answered(code) => u64::from(*code),
                    BatchOutcome::Failed(failure) => 1000 + *failure as u64,
                };
                digest.fact(9, at).word(*batch).word(outcome).word(took.nanos());
                for code in *codes {
                    digest.word((*code).into());
                }
            }
            Self::TaskDropped { from, to, key: k, action, why } => {
                let digest = digest.fact(30, at).word(host(*to) << 32 | host(*from)).word(key(*k));
                digest.word((*action as u64) << 8 | *why as u64);
            }
            // What the items and codes of their batch say is in the digest already.
            Self::ReplicaNotFound { .. } | Self::Adopted { .. } => {}
            Self::Registered { server, key: k, status, replica, is_new, decision: _ } => {
                let flags = u64::from(*replica) | u64::from(*is_new) << 1 | (*status as u64) << 2;
                digest.fact(10, at).word(host(*server)).word(key(*k)).word(flags);
            }
            Self::Renewed { server, key: k, replica } => {
                let who = host(*server) << 33 | u64::from(*replica) << 32 | key(*k);
                digest.fact(11, at).word(who);
            }
            Self::Cancelled { server, key: k, replica, evicted } => {
                let flags = u64::from(*replica) | u64::from(*evicted) << 1;
                digest.fact(12, at).word(host(*server)).word(key(*k)).word(flags);
            }
            Self::StatusChanged { server, key: k, status } => {
                digest.fact(13, at).word(host(*server)).word(key(*k)).word(*status as u64);
            }
            Self::Overridden { server, key: k, status } => {
                digest.fact(14, at).word(host(*server)).word(key(*k)).word(status_word(*status));
            }
            Self::EvictRun { server, run } => {
                let digest = digest.fact(15, at).word(host(*server)).word(run.enabled.into());
                digest.word(run.expired as u64).word(run.limit as u64);
                digest.word(run.compensation_ms as u64);
                for victim in &run.evicted {
                    digest.word(key(*victim));
                }
            }
            Self::Threshold { server, from, to } => {
                digest.fact(16, at).word(host(*server)).word(*from as u64).word(*to as u64);
            }
            Self::Expected { server, to } => {
                digest.fact(23, at).word(host(*server)).word(*to as u64);
            }
            Self::Peers { server, peers } => {
                let digest = digest.fact(40, at).word(host(*server)).word(peers.len() as u64);
                for peer in *peers {
                    digest.word((*peer).into());
                }
            }
            Self::Bucket { server, renews } => {
                digest.fact(17, at).word(host(*server)).word(*renews as u64);
            }
            Self::SelfPreservation { server, on } => {
                digest.fact(18, at).word(host(*server)).word((*on).into());
            }
            Self::BelowRenewThreshold { server, on } => {
                digest.fact(22, at).word(host(*server)).word((*on).into());
            }
            Self::View { client, new, .. } => {
                let digest = digest.fact(19, at).word(host(*client)).word(new.version as u64);
                for status in InstanceStatus::ALL {
                    digest.word(new.counts.get(status).into());
                }
            }
            Self::LocalStatus { client, status, dirty } => {
                let digest = digest.fact(20, at).word(host(*client)).word(*status as u64);
                digest.word(*dirty as u64);
            }
            Self::InClient(process, event) => {
                let digest = digest.fact(29, at).word(host(*process));
                text(event.notable().unwrap_or_default(), digest);
            }
            Self::Fault(fault) => fault.add_to(digest.fact(21, at)),
            Self::Traffic(traffic) => traffic.add_to(Instant::from_nanos(at), digest),
        }
    }
}

impl RequestFact<'_> {
    #[inline(always)]
    fn add_to(&self, digest: &mut Digest) {
        let key = |key: &InstanceKey| key.index() as u64;
        match self {
            Self::Register(info) => {
                digest
                    .word(1 << 56 | key(&info.key))
                    .word(info.status as u64)
                    .word(info.last_dirty_timestamp as u64);
            }
            Self::Heartbeat { key: k, status, dirty: at } => {
                dirty(*at, digest.word(2 << 56 | status_word(*status) << 40 | key(k)));
            }
            Self::Cancel(k) => {
                digest.word(3 << 56 | key(k));
            }
            Self::StatusUpdate { key: k, value, dirty: at } => {
                dirty(*at, digest.word(4 << 56 | parameter_word(*value) << 40 | key(k)));
            }
            Self::DeleteStatus { key: k, value, dirty: at } => {
                dirty(*at, digest.word(5 << 56 | parameter_word(*value) << 40 | key(k)));
            }
            Self::Metadata(k) => {
                digest.word(6 << 56 | key(k));
            }
            Self::Get(what) => {
                digest.word(get_word(*what));
            }
            Self::GetInstance(k) => {
                digest.word(12 << 56 | key(k));
            }
            Self::GetById(id) => {
                digest.word(13 << 56 | id.index() as u64);
            }
            Self::Batch => {
                digest.word(14 << 56);
            }
        }
    }
}

impl RequestLine {
    #[inline(always)]
    fn add_to(self, digest: &mut Digest) {
        digest.word(match self {
            Self::Register(key) => 1 << 56 | key.index() as u64,
            Self::Heartbeat(key) => 2 << 56 | key.index() as u64,
            Self::Cancel(key) => 3 << 56 | key.index() as u64,
            Self::Get(what) => get_word(what),
        });
    }
}

/// A number for what is fetched.
fn get_word(what: CacheKey) -> u64 {
    match what {
        CacheKey::AllApps => 7 << 56,
        CacheKey::AllAppsDelta => 8 << 56,
        CacheKey::App(app) => 9 << 56 | app.index() as u64,
        CacheKey::Vip(vip) => 10 << 56 | vip.index() as u64,
        CacheKey::SecureVip(vip) => 11 << 56 | vip.index() as u64,
    }
}
