//! Consumers: how an instance that calls others picks one, as Spring Cloud LoadBalancer does
//! (`RoundRobinLoadBalancer` over `CachingServiceInstanceListSupplier`), and which it leaves out (the
//! circuit breaker of Ribbon's `ServerStats`).
//!
//! Only the choice is here. Whether somebody answers is the kernel's (`world/consumers.rs`).

use std::sync::Arc;

use super::host::HostId;
use crate::eureka::server::Application;
use crate::eureka::{AppId, InstanceKey, InstanceStatus};
use crate::time::{Instant, Span};

/// A balancer begins somewhere below this (`new Random().nextInt(1000)`).
pub(super) const POSITIONS: u64 = 1000;

/// `niws.loadbalancer.default.connectionFailureCountThreshold`
const THRESHOLD: u32 = 3;
/// `niws.loadbalancer.default.circuitTripTimeoutFactorSeconds`
const FACTOR: Span = Span::from_secs(10);
/// `niws.loadbalancer.default.circuitTripMaxTimeoutSeconds`
const LONGEST: Span = Span::from_secs(30);
/// `niws.loadbalancer.serverStats.expire.minutes`: then an instance's failures are forgotten.
const FORGOTTEN: Span = Span::from_secs(30 * 60);

/// Calls so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficCounts {
    /// Calls made.
    pub calls: u64,
    /// Attempts made for them, retries included.
    pub attempts: u64,
    /// Calls that failed, all retries included, or for which there was nobody to call.
    pub failed: u64,
    /// Attempts sent to instances that did not run.
    pub to_dead: u64,
}

impl TrafficCounts {
    /// What was added since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            calls: self.calls - earlier.calls,
            attempts: self.attempts - earlier.attempts,
            failed: self.failed - earlier.failed,
            to_dead: self.to_dead - earlier.to_dead,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            attempts: self.attempts + other.attempts,
            failed: self.failed + other.failed,
            to_dead: self.to_dead + other.to_dead,
        }
    }
}

/// An instance that has failed, as one consumer knows it.
#[derive(Clone, Copy, Debug)]
struct Failing {
    key: InstanceKey,
    /// `successiveConnectionFailureCount`
    failures: u32,
    last: Instant,
    /// Its circuit is open until then.
    until: Instant,
    /// Where it stands in [`Consumer::placed`].
    place: u32,
}

/// The place of an instance that is not in a list.
const NOWHERE: u32 = u32::MAX;

impl Failing {
    /// `ServerStats.isCircuitBreakerTripped(long)`: from the third failure in a row on for 10 s, then
    /// 20 s, then 30 s from the last.
    fn is_tripped(&self, now: Instant) -> bool {
        now < self.until
    }

    /// `ServerStats.incrementSuccessiveConnectionFailureCount()`
    fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.last = now;
        if let Some(more) = self.failures.checked_sub(THRESHOLD) {
            self.until = now + FACTOR.saturating_mul(1 << more.min(16)).min(LONGEST);
        }
    }
}

/// One instance's calls to one application.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    /// Who calls.
    pub(super) host: HostId,
    /// Which of the setup's calls.
    pub(super) setup: u32,
    /// The process that calls.
    pub(super) generation: u32,
    /// When it calls next.
    pub(super) next: Instant,
    /// Numbers its attempts among those of its host, for random draws.
    pub(super) draw: u32,
    /// What it did, by all its processes.
    pub(super) counts: TrafficCounts,
    /// `RoundRobinLoadBalancer.position`
    position: u32,
    /// Where the application stood in the view when it was looked for last.
    place: usize,
    cached: Option<Arc<Application>>,
    fresh_until: Instant,
    failing: Vec<Failing>,
    /// No circuit is open from then on.
    closed_from: Instant,
    /// The list in which the failing have their places, and stand in the order of these.
    placed: Option<Arc<Application>>,
}

impl Consumer {
    pub(super) const fn new(host: HostId, setup: u32, draw: u32) -> Self {
        Self {
            host,
            setup,
            generation: 0,
            next: Instant::NEVER,
            draw,
            counts: TrafficCounts { calls: 0, attempts: 0, failed: 0, to_dead: 0 },
            position: 0,
            place: 0,
            cached: None,
            fresh_until: Instant::ZERO,
            failing: Vec::new(),
            closed_from: Instant::ZERO,
            placed: None,
        }
    }

    /// A new process: it knows nothing, and calls first at `first`.
    pub(super) fn begin(&mut self, generation: u32, first: Instant, position: u32) {
        (self.generation, self.next, self.position) = (generation, first, position);
        self.cached = None;
        self.failing.clear();
        self.placed = None;
    }

    /// The list that the balancer keeps, as long as it is fresh.
    pub(super) fn cached(&self, now: Instant) -> Option<&Arc<Application>> {
        self.cached.as_ref().filter(|_| now < self.fresh_until)
    }

    /// `CachingServiceInstanceListSupplier`: a list is kept for `ttl` from now on, an empty one not at
    /// all. The list that was kept before.
    pub(super) fn keep(
        &mut self,
        list: Option<&Arc<Application>>,
        only_up: bool,
        (now, ttl): (Instant, Span),
    ) -> Option<Arc<Application>> {
        self.fresh_until = now + ttl;
        let kept = list.filter(|list| offered(list, only_up) > 0);
        std::mem::replace(&mut self.cached, kept.map(Arc::clone))
    }

    /// The application in what Eureka's client shows.
    pub(super) fn find<'a>(
        &mut self,
        apps: &'a [Arc<Application>],
        app: AppId,
    ) -> Option<&'a Arc<Application>> {
        let is_it = |list: &&Arc<Application>| list.app == app;
        if let Some(found) = apps.get(self.place).filter(is_it) {
            return Some(found);
        }
        self.place = apps.iter().position(|list| list.app == app)?;
        apps.get(self.place)
    }

    /// The next instance of the list that is kept.
    pub(super) fn pick_cached(
        &mut self,
        only_up: bool,
        avoid: Option<InstanceKey>,
        now: Instant,
    ) -> Option<InstanceKey> {
        let list = self.cached.take()?;
        let picked = self.pick(&list, only_up, avoid, now);
        self.cached = Some(list);
        picked
    }

    /// The next instance of a list, by `RoundRobinLoadBalancer.getInstanceResponse(List)`: the position
    /// goes on before it is used, and not at all if there is only one. Instances whose circuit is open
    /// are left out, unless all are. One that is to be avoided is passed over if there is another
    /// (`spring.cloud.loadbalancer.retry.avoid-previous-instance`).
    pub(super) fn pick(
        &mut self,
        list: &Arc<Application>,
        only_up: bool,
        avoid: Option<InstanceKey>,
        now: Instant,
    ) -> Option<InstanceKey> {
        let offered = offered(list, only_up);
        let is_offered =
            |place: u32| !only_up || list.instances[place as usize].status == InstanceStatus::Up;
        let mut out = 0;
        if now < self.closed_from {
            self.place(list);
            let here = self.failing.iter().take_while(|failing| failing.place != NOWHERE);
            let out_here = here.filter(|it| it.is_tripped(now) && is_offered(it.place));
            out = out_here.count();
        }
        // With every circuit open all have their turns.
        let (count, out) = match offered - out {
            closed @ 1.. if out > 0 => (closed, self.failing.as_slice()),
            _ => (offered, &[][..]),
        };
        if count <= 1 {
            return nth(list, 0, (offered, only_up), out, now);
        }
        let mut next = || {
            self.position = self.position.wrapping_add(1);
            let turn = self.position & i32::MAX.unsigned_abs();
            nth(list, turn as usize % count, (offered, only_up), out, now)
        };
        let first = next();
        if avoid.is_some() && first == avoid { next() } else { first }
    }

    /// Finds the failing in a list.
    fn place(&mut self, list: &Arc<Application>) {
        if self.placed.as_ref().is_some_and(|placed| Arc::ptr_eq(placed, list)) {
            return;
        }
        self.failing.sort_unstable_by_key(|failing| failing.key);
        self.failing.iter_mut().for_each(|failing| failing.place = NOWHERE);
        for (place, info) in list.instances.iter().enumerate() {
            if let Ok(at) = self.failing.binary_search_by_key(&info.key, |failing| failing.key) {
                self.failing[at].place = place as u32;
            }
        }
        self.failing.sort_unstable_by_key(|failing| failing.place);
        self.placed = Some(Arc::clone(list));
    }

    /// `ServerStats.clearSuccessiveConnectionFailureCount()`
    pub(super) fn answered(&mut self, key: InstanceKey) {
        if let Some(known) = self.failing.iter().position(|failing| failing.key == key) {
            self.failing.remove(known);
        }
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, key: InstanceKey, now: Instant) {
        self.failing.retain(|failing| now < failing.last + FORGOTTEN);
        let known = self.failing.iter().position(|failing| failing.key == key);
        let known = known.unwrap_or_else(|| {
            let (failures, until, place) = (0, Instant::ZERO, NOWHERE);
            self.failing.push(Failing { key, failures, last: now, until, place });
            self.placed = None;
            self.failing.len() - 1
        });
        self.failing[known].fail(now);
        self.closed_from = self.closed_from.max(self.failing[known].until);
    }
}

/// How many instances of a list callers get.
fn offered(list: &Application, only_up: bool) -> usize {
    if only_up { list.counts.get(InstanceStatus::Up) as usize } else { list.instances.len() }
}

/// The instance with this number among those that are offered and not left out; `failing` are in the
/// order of their places.
fn nth(
    list: &Application,
    number: usize,
    (offered, only_up): (usize, bool),
    failing: &[Failing],
    now: Instant,
) -> Option<InstanceKey> {
    let mut out = failing
        .iter()
        .filter(|failing| failing.place != NOWHERE && failing.is_tripped(now))
        .map(|failing| failing.place as usize)
        .peekable();
    let mut place = number;
    if offered == list.instances.len() {
        while out.next_if(|out| *out <= place).is_some() {
            place += 1;
        }
        return list.instances.get(place).map(|info| info.key);
    }
    let in_turn = list.instances.iter().enumerate().filter(|(place, info)| {
        let left_out = out.next_if_eq(place).is_some();
        !left_out && (!only_up || info.status == InstanceStatus::Up)
    });
    in_turn.map(|(_, info)| info.key).nth(number)
}

#[cfg(test)]
mod tests;
