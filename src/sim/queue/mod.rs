//! The event queue: a total order by (time, sequence number).

mod heap;
mod slot;
mod wheel;

pub use heap::Heap;
pub use wheel::TimingWheel;

use crate::time::Instant;

/// One queued event: when, its place among events of one instant, and a small payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<E> {
    /// When it happens.
    pub at: Instant,
    /// Its place among events of one instant: the lower the earlier. No two entries have the same.
    pub seq: u64,
    /// What happens.
    pub event: E,
}

impl<E> Entry<E> {
    /// Instant and place in one number, which is compared without a branch.
    const fn order(&self) -> u128 {
        (self.at.nanos() as u128) << 64 | self.seq as u128
    }
}

/// Entries by (time, sequence number). Implementations differ in speed only: they give entries back
/// in exactly the same order.
pub trait EventQueue<E>: Default {
    /// Adds an entry. It must not lie before the last one popped.
    fn push(&mut self, entry: Entry<E>);
    /// The first entry, if it happens at or before `limit`.
    fn pop_until(&mut self, limit: Instant) -> Option<Entry<E>>;
    /// Shows what comes soon and was not shown before, in no order and not all of it, for reading ahead.
    /// A hint: most queues show nothing.
    fn look_ahead(&mut self, look: impl FnMut(&E)) {
        let _ = look;
    }
}

#[cfg(test)]
mod tests;
