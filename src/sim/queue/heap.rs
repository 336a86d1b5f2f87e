//! A binary heap of the standard library: slow, obviously right, the oracle of the timing wheel.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::{Entry, EventQueue};
use crate::time::Instant;

/// [`EventQueue`] as a binary heap.
#[derive(Clone, Debug)]
pub struct Heap<E>(BinaryHeap<Reverse<ByKey<E>>>);

#[derive(Clone, Debug)]
struct ByKey<E>(Entry<E>);

impl<E> Default for Heap<E> {
    fn default() -> Self {
        Self(BinaryHeap::new())
    }
}

impl<E> EventQueue<E> for Heap<E> {
    fn push(&mut self, entry: Entry<E>) {
        self.0.push(Reverse(ByKey(entry)));
    }

    fn pop_until(&mut self, limit: Instant) -> Option<Entry<E>> {
        if self.0.peek()?.0.0.at > limit {
            return None;
        }
        self.0.pop().map(|Reverse(ByKey(entry))| entry)
    }
}

impl<E> PartialEq for ByKey<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0.order() == other.0.order()
    }
}

impl<E> Eq for ByKey<E> {}

impl<E> PartialOrd for ByKey<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for ByKey<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order().cmp(&other.0.order())
    }
}
