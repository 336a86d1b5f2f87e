//! Which facts are events: `events.jsonl` lists them, and expectations count them.

use super::events::EventLevel;
use crate::eureka::client::{ClientEvent, View};
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::scenario::EventKind;
use crate::sim::{Fact, TrafficFact};

/// Knows which facts are events. It has to see every fact.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// Renewals of each server's last complete minute.
    buckets: Vec<i64>,
}

impl Listing {
    pub(super) fn new(servers: usize) -> Self {
        Self { buckets: vec![0; servers] }
    }

    /// The kind of event that a fact is, and the least level that lists it; nothing if none does.
    pub(super) fn event(&mut self, fact: &Fact<'_>) -> Option<(EventKind, EventLevel)> {
        let (always, with_all) = (EventLevel::Changes, EventLevel::All);
        let if_something = |something: bool| if something { always } else { with_all };
        Some(match fact {
            Fact::Started(..) => (EventKind::Start, always),
            Fact::Exited(..) => (EventKind::Exit, always),
            Fact::Listening(_) => (EventKind::Listening, always),
            Fact::Closed(_) => (EventKind::Closed, always),
            Fact::OpenForTraffic { .. } => (EventKind::OpenForTraffic, always),
            Fact::Request { .. } => (EventKind::Request, with_all),
            Fact::Failed { .. } | Fact::TurnedAway { .. } => (EventKind::Failed, with_all),
            Fact::BatchSent { .. } => (EventKind::ReplicationBatch, with_all),
            Fact::TaskDropped { .. } => (EventKind::ReplicationDropped, with_all),
            Fact::EvictRun { run, .. } => {
                (EventKind::EvictRun, if_something(!run.evicted.is_empty()))
            }
            Fact::View { old, new, .. } if shows_the_same(old, new) => return None,
            Fact::View { .. } => (EventKind::View, with_all),
            Fact::LocalStatus { .. } => (EventKind::LocalStatus, always),
            Fact::InClient(_, event) => (kind_of(*event)?, with_all),
            Fact::Fault(_) => (EventKind::Fault, always),
            Fact::Registered { .. } => (EventKind::Register, always),
            Fact::Renewed { .. } => (EventKind::Renew, with_all),
            Fact::Cancelled { evicted: true, .. } => (EventKind::ExpiredLease, always),
            Fact::Cancelled { evicted: false, .. } => (EventKind::Cancel, always),
            Fact::Overridden { .. } => (EventKind::Override, always),
            Fact::Threshold { .. } => (EventKind::Threshold, always),
            Fact::Bucket { server, renews } => {
                let before = std::mem::replace(&mut self.buckets[server.index()], *renews);
                (EventKind::Bucket, if_something(before != *renews))
            }
            Fact::Peers { .. } => (EventKind::Peers, always),
            Fact::SelfPreservation { .. } => (EventKind::SelfPreservation, always),
            Fact::BelowRenewThreshold { .. } => (EventKind::BelowRenewThreshold, always),
            Fact::Traffic(TrafficFact::Second { .. }) => (EventKind::Calls, with_all),
            Fact::Traffic(TrafficFact::Failed { .. }) => (EventKind::CallFailed, with_all),
            Fact::Traffic(TrafficFact::ToDead { .. }) => (EventKind::CallToDead, with_all),
            Fact::Traffic(TrafficFact::Balancer { .. }) => (EventKind::Balancer, with_all),
            Fact::Traffic(TrafficFact::CacheFill(_))
            | Fact::Initialised(_)
            | Fact::BatchEnded { .. }
            | Fact::ReplicaNotFound { .. }
            | Fact::Adopted { .. }
            | Fact::Expected { .. }
            | Fact::StatusChanged { .. } => {
                return None;
            }
        })
    }

    /// Likewise, as expectations count: what `events.jsonl` lists unless it is asked for all, and of
    /// kinds that it does not list then, all.
    pub(super) fn counted(&mut self, fact: &Fact<'_>) -> Option<EventKind> {
        let (kind, level) = self.event(fact)?;
        let listed_in_part = matches!(kind, EventKind::EvictRun | EventKind::Bucket);
        (level == EventLevel::Changes || !listed_in_part).then_some(kind)
    }
}

/// What is notable in a client is listed under its own name.
fn kind_of(event: ClientEvent) -> Option<EventKind> {
    let name = event.notable()?;
    EventKind::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// Whether only the version differs.
fn shows_the_same(old: &View, new: &View) -> bool {
    fn shown(view: &View) -> Vec<(InstanceKey, InstanceStatus)> {
        let mut shown: Vec<_> = view.instances().map(|info| (info.key, info.status)).collect();
        shown.sort_unstable();
        shown
    }
    old.counts == new.counts && shown(old) == shown(new)
}
