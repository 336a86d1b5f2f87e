//! What few clients have at any one time. A client that waits for its timers has none of it.

use super::health::{Evaluation, HealthDuration};
use super::job::JobId;
use super::timer::Due;
use super::transport::{Quarantined, Retryable, StackKind};
use super::{DiscoveryClient, Endpoints};

/// A thread that sleeps, or waits for its turn, until an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleeper {
    /// The application: warm-up, drain, or the wait of `shutdown()`.
    Application,
    /// The application, which attaches its health check.
    AttachHealthCheck,
    /// The application, which makes its second client.
    SecondClient,
    /// The application, which shuts that down.
    SecondShutdown,
    /// A run of the replicator on demand.
    OnDemand,
    /// A periodic run that the replicator does not remember: a second chain of them.
    Periodic,
    /// A periodic run that was cancelled after `stop()`.
    Cancelled,
    /// The health check.
    HealthCheck,
    /// `InstanceInfoReplicator.start`, held between its two halves.
    ReplicatorStart,
    /// A body is being written: its status has been read, its timestamp not yet.
    Body(JobId),
    /// The HTTP library, before it repeats a request.
    HttpRetry(JobId),
}

impl Sleeper {
    /// Whether this waits in the queue of the replicator's one thread.
    pub(super) const fn is_of_replicator(self) -> bool {
        matches!(self, Self::OnDemand | Self::Periodic | Self::Cancelled)
    }
}

/// See above.
#[derive(Clone, Debug, Default)]
pub(super) struct Rare {
    pub(super) sleepers: Vec<(Due, Sleeper)>,
    pub(super) health: HealthDuration,
    pub(super) evaluation: Option<Evaluation>,
    /// Sessions that are over, but not for the calls that began in them.
    pub(super) past: Vec<(StackKind, Retryable)>,
    pub(super) quarantine: Vec<Quarantined>,
    /// Clients of endpoints that lost the target of a redirect to an exception.
    pub(super) dropped_targets: Vec<Quarantined>,
    /// Fetches that wait for `shutdown()` to return.
    pub(super) blocked: Vec<JobId>,
    /// Calls of `shutdown()` that wait for the constructor or the first one to return.
    pub(super) shutdowns: u32,
    /// The servers of this client, if they are not those of its profile.
    pub(super) endpoints: Option<Endpoints>,
}

impl Rare {
    /// Whether it holds nothing that a new one would not.
    fn is_empty(&self) -> bool {
        self.sleepers.is_empty()
            && self.health == HealthDuration::default()
            && self.evaluation.is_none()
            && self.past.is_empty()
            && self.quarantine.is_empty()
            && self.dropped_targets.is_empty()
            && self.blocked.is_empty()
            && self.shutdowns == 0
            && self.endpoints.is_none()
    }
}

impl Rare {
    /// The jobs of threads that wait, but not for an answer.
    pub(super) fn waiting_jobs(&self) -> impl Iterator<Item = JobId> {
        let asleep = self.sleepers.iter().filter_map(|(_, what)| match what {
            Sleeper::Body(id) | Sleeper::HttpRetry(id) => Some(*id),
            _ => None,
        });
        self.blocked.iter().copied().chain(asleep)
    }
}

impl DiscoveryClient {
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Gives the room back when nothing is left in it.
    pub(super) fn tidy(&mut self) {
        if self.rare.as_ref().is_some_and(|rare| rare.is_empty()) {
            self.rare = None;
        }
    }

    /// `what` goes on at `at` (monotonic, ns).
    pub(super) fn sleep(&mut self, at: u64, what: Sleeper) {
        let due = self.timers.due_at(at);
        self.rare().sleepers.push((due, what));
    }

    pub(super) fn sleeps(&self, what: Sleeper) -> bool {
        let mut sleepers = self.rare.iter().flat_map(|rare| &rare.sleepers);
        sleepers.any(|(_, sleeper)| *sleeper == what)
    }

    /// Takes a sleeper away; when (monotonic, ns) it was due.
    pub(super) fn forget_sleeper(&mut self, what: Sleeper) -> Option<u64> {
        let sleepers = &mut self.rare.as_mut()?.sleepers;
        let place = sleepers.iter().position(|(_, sleeper)| *sleeper == what)?;
        Some(sleepers.remove(place).0.at)
    }

    /// Takes the sleeper away that is due then.
    pub(super) fn forget_sleeper_due(&mut self, due: Due) {
        if let Some(rare) = &mut self.rare {
            rare.sleepers.retain(|(other, _)| *other != due);
        }
    }

    /// A sleeper goes on at `at` (monotonic, ns) instead.
    pub(super) fn wake_sleeper(&mut self, what: Sleeper, at: u64) {
        if self.forget_sleeper(what).is_some() {
            self.sleep(at, what);
        }
    }

    /// Whose turn is next, of those that can go on.
    pub(super) fn first_sleeper(&self) -> Option<(Due, Sleeper)> {
        let rare = self.rare.as_ref()?;
        rare.first_sleeper(self.replicator.is_busy())
    }
}

impl Rare {
    #[cold]
    fn first_sleeper(&self, busy: bool) -> Option<(Due, Sleeper)> {
        let sleepers = self.sleepers.iter().copied();
        let can_go_on = sleepers.filter(|(_, what)| !(busy && what.is_of_replicator()));
        can_go_on.reduce(|first, other| if other.0.is_before(first.0) { other } else { first })
    }
}
