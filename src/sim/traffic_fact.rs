//! Facts about calls between applications. A call that is answered is none: such calls are counted,
//! and each second the counts are a fact. Whatever goes wrong is a fact of its own.

use std::sync::Arc;

use super::consumer::TrafficCounts;
use super::digest::Digest;
use super::host::HostId;
use crate::eureka::server::Application;
use crate::eureka::{AppId, InstanceKey};
use crate::time::{Instant, Span};

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFailure {
    /// The caller knows nobody to call.
    NoInstance,
    /// Nobody listens, or the network refuses.
    Refused,
    /// No connection in time.
    ConnectTimeout,
    /// No answer in time.
    ReadTimeout,
}

/// What happens between consumers and those they call.
#[derive(Clone, Debug)]
pub enum TrafficFact<'a> {
    /// An attempt is sent to an instance whose process does not run.
    ToDead {
        /// Who calls.
        from: HostId,
        /// Whom.
        to: InstanceKey,
        /// For how long it has been dead; none if it never ran here.
        dead_for: Option<Span>,
    },
    /// The caller knows that an attempt failed.
    Failed {
        /// Who called.
        from: HostId,
        /// Which application.
        app: AppId,
        /// Which instance of it, if one was known.
        to: Option<InstanceKey>,
        /// Why.
        why: CallFailure,
        /// It is not tried again: the call has failed.
        last: bool,
    },
    /// What was done in the second (or less, at the end of a run) that is over now.
    Second {
        /// Who was called.
        app: AppId,
        /// How often.
        counts: TrafficCounts,
    },
    /// A load balancer keeps another list than before.
    Balancer {
        /// Whose.
        client: HostId,
        /// Of which application.
        app: AppId,
        /// Before.
        old: Option<&'a Arc<Application>>,
        /// Now.
        new: Option<&'a Arc<Application>>,
    },
    /// A server's read-only cache was refreshed: what it answers from now on.
    CacheFill(HostId),
}

impl TrafficFact<'_> {
    /// Adds the fact to the digest; of a list how many instances are in it.
    pub(super) fn add_to(&self, at: Instant, digest: &mut Digest) {
        let at = at.nanos();
        let host = |host: &HostId| host.index() as u64;
        match self {
            Self::ToDead { from, to, dead_for } => {
                let dead_for = dead_for.map_or(u64::MAX, Span::nanos);
                digest.fact(24, at).word(host(from)).word(to.index() as u64).word(dead_for);
            }
            Self::Failed { from, app, to, why, last } => {
                let to = to.map_or(u64::MAX, |to| to.index() as u64);
                let flags = (*why as u64) << 1 | u64::from(*last);
                let who = host(from) << 32 | app.index() as u64;
                digest.fact(25, at).word(who).word(to).word(flags);
            }
            Self::Second { app, counts } => {
                let TrafficCounts { calls, attempts, failed, to_dead } = *counts;
                let digest = digest.fact(26, at).word(app.index() as u64).word(calls);
                digest.word(attempts).word(failed).word(to_dead);
            }
            Self::Balancer { client, app, new, .. } => {
                let size = new.map_or(0, |list| list.instances.len() as u64);
                let who = host(client) << 32 | app.index() as u64;
                digest.fact(27, at).word(who).word(size);
            }
            Self::CacheFill(server) => {
                digest.fact(28, at).word(host(server));
            }
        }
    }
}
