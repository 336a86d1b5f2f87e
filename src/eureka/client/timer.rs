//! Timers of one client: due times on the monotonic clock, ties in the order they were set.

/// The timers that nearly every client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// A fetch is due, or the one awaited is given up.
    Refresh,
    /// Likewise a heartbeat.
    Heartbeat,
    /// The replicator's periodic run that is remembered.
    Periodic,
    /// The list of servers is resolved again.
    Resolver,
}

impl Timer {
    const ALL: [Self; 4] = [Self::Refresh, Self::Heartbeat, Self::Periodic, Self::Resolver];
}

/// When something runs: earlier ones first, of equal instants what was set first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// Monotonic clock in ns.
    pub(super) at: u64,
    /// Counts what was set, and wraps: a tie with something set 32,768 timers earlier is in doubt.
    order: u16,
}

impl Due {
    /// Whether this runs before the other.
    #[inline(always)]
    pub(super) const fn is_before(self, other: Self) -> bool {
        self.at < other.at
            || (self.at == other.at && (self.order.wrapping_sub(other.order) as i16) < 0)
    }
}

/// The timers of one client. Packed: see [`super::ClientProcess`].
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(4))]
pub(super) struct Timers {
    due: [u64; Timer::ALL.len()],
    order: [u16; Timer::ALL.len()],
    last: u16,
}

impl Timers {
    pub(super) const fn new() -> Self {
        Self { due: [u64::MAX; Timer::ALL.len()], order: [0; Timer::ALL.len()], last: 0 }
    }

    /// Sets a timer to `at` (monotonic, ns); it comes after what was set for then before.
    #[inline(always)]
    pub(super) fn set(&mut self, timer: Timer, at: u64) {
        let due = self.due_at(at);
        (self.due[timer as usize], self.order[timer as usize]) = (due.at, due.order);
    }

    pub(super) const fn clear(&mut self, timer: Timer) {
        self.due[timer as usize] = u64::MAX;
    }

    /// When (monotonic, ns) a timer is due; `u64::MAX` if it is not set.
    #[inline(always)]
    pub(super) const fn at(&self, timer: Timer) -> u64 {
        self.due[timer as usize]
    }

    #[inline(always)]
    pub(super) const fn due(&self, timer: Timer) -> Due {
        Due { at: self.due[timer as usize], order: self.order[timer as usize] }
    }

    /// Something of its own that is due at `at`, set now.
    pub(super) const fn due_at(&mut self, at: u64) -> Due {
        self.last = self.last.wrapping_add(1);
        Due { at, order: self.last }
    }

    /// When (monotonic, ns) the first is due; without the replicator's while that is busy.
    #[inline(always)]
    pub(super) fn first_at(&self, replicator_busy: bool) -> u64 {
        let [refresh, heartbeat, periodic, resolver] = self.due;
        let others = refresh.min(heartbeat).min(resolver);
        if replicator_busy { others } else { others.min(periodic) }
    }

    /// Which is due first.
    #[inline(always)]
    pub(super) fn first(&self, replicator_busy: bool) -> (Due, Timer) {
        let mut first = (self.due(Timer::Refresh), Timer::Refresh);
        for timer in Timer::ALL {
            let due = self.due(timer);
            let waits = timer == Timer::Periodic && replicator_busy;
            if !waits && due.is_before(first.0) {
                first = (due, timer);
            }
        }
        first
    }
}
