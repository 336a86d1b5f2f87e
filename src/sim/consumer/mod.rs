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
}

impl Failing {
    /// `ServerStats.isCircuitBreakerTripped(long)`: from the third failure in a row on for 10 s, then
    /// 20 s, then 30 s from the last.
    fn is_tripped(&self, now: Instant) -> bool {
        let Some(more) = self.failures.checked_sub(THRESHOLD) else {
            return false;
        };
        let blackout = FACTOR.saturating_mul(1 << more.min(16)).min(LONGEST);
        now < self.last + blackout
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
        }
    }

    /// A new process: it knows nothing, and calls first at `first`.
    pub(super) fn begin(&mut self, generation: u32, first: Instant, position: u32) {
        (self.generation, self.next, self.position) = (generation, first, position);
        self.cached = None;
        self.failing.clear();
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
        let list = self.cached.as_deref()?;
        pick(list, only_up, avoid, &mut self.position, &self.failing, now)
    }

    /// The next instance of a list.
    pub(super) fn pick(
        &mut self,
        list: &Application,
        only_up: bool,
        avoid: Option<InstanceKey>,
        now: Instant,
    ) -> Option<InstanceKey> {
        pick(list, only_up, avoid, &mut self.position, &self.failing, now)
    }

    /// `ServerStats.clearSuccessiveConnectionFailureCount()`
    pub(super) fn answered(&mut self, key: InstanceKey) {
        if !self.failing.is_empty() {
            self.failing.retain(|failing| failing.key != key);
        }
    }

    /// `ServerStats.incrementSuccessiveConnectionFailureCount()`
    pub(super) fn failed(&mut self, key: InstanceKey, now: Instant) {
        self.failing.retain(|failing| now < failing.last + FORGOTTEN);
        match self.failing.iter_mut().find(|failing| failing.key == key) {
            Some(known) => {
                known.failures = known.failures.saturating_add(1);
                known.last = now;
            }
            None => self.failing.push(Failing { key, failures: 1, last: now }),
        }
    }
}

/// How many instances of a list callers get.
const fn offered(list: &Application, only_up: bool) -> usize {
    if only_up { list.counts.get(InstanceStatus::Up) as usize } else { list.instances.len() }
}

/// `RoundRobinLoadBalancer.getInstanceResponse(List)`: the position goes on before it is used, and not
/// at all if there is only one. Instances whose circuit is open are left out, unless all are. One that
/// is to be avoided is passed over if there is another (`spring.cloud.loadbalancer.retry
/// .avoid-previous-instance`).
fn pick(
    list: &Application,
    only_up: bool,
    avoid: Option<InstanceKey>,
    position: &mut u32,
    failing: &[Failing],
    now: Instant,
) -> Option<InstanceKey> {
    let offered = offered(list, only_up);
    let is_offered = |status: InstanceStatus| !only_up || status == InstanceStatus::Up;
    let is_tripped = |key: InstanceKey| {
        failing.iter().any(|failing| failing.key == key && failing.is_tripped(now))
    };
    let keys = || {
        let offered = list.instances.iter().filter(|info| is_offered(info.status));
        offered.map(|info| info.key)
    };
    let closed = match failing.iter().any(|failing| failing.is_tripped(now)) {
        true => keys().filter(|key| !is_tripped(*key)).count(),
        false => offered,
    };
    let (count, all) = if closed == 0 { (offered, true) } else { (closed, closed == offered) };
    let nth = |index: usize| {
        if all && offered == list.instances.len() {
            return list.instances.get(index).map(|info| info.key);
        }
        keys().filter(|key| all || !is_tripped(*key)).nth(index)
    };
    if count <= 1 {
        return nth(0);
    }
    let mut next = || {
        *position = position.wrapping_add(1);
        nth((*position & i32::MAX.unsigned_abs()) as usize % count)
    };
    let first = next();
    if avoid.is_some() && first == avoid { next() } else { first }
}

#[cfg(test)]
mod tests;
