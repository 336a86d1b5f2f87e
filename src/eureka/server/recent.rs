//! What a registry remembers of recent operations: the delta queue's items and the lists behind the
//! dashboard's "last 1000" pages.

use std::collections::VecDeque;

use super::objects::LeaseRef;
use crate::eureka::InstanceKey;

/// `RecentlyChangedItem`: a change that deltas list. It refers to the live lease and instance.
#[derive(Clone, Copy, Debug)]
pub struct RecentlyChangedItem {
    /// Wall clock (ms) of the change.
    pub last_update_time: i64,
    /// The lease that was made, changed or cancelled.
    pub lease: LeaseRef,
}

/// `CircularQueue` of 1000 "APP(id)" lines, the oldest dropped first.
#[derive(Clone, Debug, Default)]
pub struct RecentQueue {
    entries: VecDeque<(i64, InstanceKey)>,
}

impl RecentQueue {
    const CAPACITY: usize = 1000;

    pub(super) fn push(&mut self, wall: i64, key: InstanceKey) {
        if self.entries.len() == Self::CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back((wall, key));
    }

    /// The entries, newest first, each with the wall clock (ms) of the operation.
    pub fn newest_first(&self) -> impl Iterator<Item = (i64, InstanceKey)> + '_ {
        self.entries.iter().rev().copied()
    }
}
