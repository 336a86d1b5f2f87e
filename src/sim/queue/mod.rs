//! The event queue: a total order by (time, sequence number).

mod heap;
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
    const fn key(&self) -> (Instant, u64) {
        (self.at, self.seq)
    }
}

/// Entries by (time, sequence number). Implementations differ in speed only: they give entries back
/// in exactly the same order.
pub trait EventQueue<E>: Default {
    /// Adds an entry. It must not lie before the last one popped.
    fn push(&mut self, entry: Entry<E>);
    /// The first entry, if it happens at or before `limit`.
    fn pop_until(&mut self, limit: Instant) -> Option<Entry<E>>;
    /// How many entries are queued.
    fn len(&self) -> usize;
    /// Whether no entry is queued.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
