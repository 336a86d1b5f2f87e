//! Timers of one client: due times on the monotonic clock, ties in the order they were set.

/// A timer that is set, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimerSlot {
    /// Monotonic clock in ns.
    pub(super) due: u64,
    order: u32,
}

impl TimerSlot {
    /// Not set.
    pub(super) const NONE: Self = Self { due: u64::MAX, order: u32::MAX };

    pub(super) const fn is_set(self) -> bool {
        self.due != u64::MAX
    }
}

/// Gives timers of equal due time their order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimerOrder(u32);

impl TimerOrder {
    /// A timer due at `due` (monotonic, ns), set now.
    pub(super) fn set(&mut self, due: u64) -> TimerSlot {
        self.0 = self.0.wrapping_add(1);
        TimerSlot { due, order: self.0 }
    }
}
