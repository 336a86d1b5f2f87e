//! The shared, mutable objects of one server process.
//!
//! In the JVM one `InstanceInfo` is referenced by its lease, by items of the delta queue, by pending
//! replication tasks and, after start-up sync, by the embedded client's view; whoever changes it
//! changes it for all of them, and Eureka's behaviour depends on that. Here objects live in slabs
//! and are referenced by number, with a count of references in place of the garbage collector.

use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

use super::lease::Lease;
use crate::eureka::InstanceInfo;

/// A reference to an [`InstanceInfo`] of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoRef(NonZeroU32);

/// A reference to a [`Lease`] of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseRef(NonZeroU32);

/// All leases and instances of one server. Every reference that is kept somewhere is counted:
/// `retain` when it is stored, `release` when it is dropped.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    infos: Slab<InstanceInfo>,
    leases: Slab<Lease>,
}

impl Objects {
    /// A new instance; the caller holds its only reference.
    pub fn add_info(&mut self, info: InstanceInfo) -> InfoRef {
        InfoRef(self.infos.add(info))
    }

    /// A new lease, which keeps a reference to its holder; the caller holds its only reference.
    pub(super) fn add_lease(&mut self, lease: Lease) -> LeaseRef {
        self.retain_info(lease.holder);
        LeaseRef(self.leases.add(lease))
    }

    /// One more reference to an instance.
    pub fn retain_info(&mut self, info: InfoRef) {
        self.infos.retain(info.0);
    }

    /// One reference to an instance less; the last one frees it.
    pub fn release_info(&mut self, info: InfoRef) {
        self.infos.release(info.0);
    }

    /// One more reference to a lease.
    pub(super) fn retain_lease(&mut self, lease: LeaseRef) {
        self.leases.retain(lease.0);
    }

    /// One reference to a lease less; the last one frees it and its reference to its holder.
    pub(super) fn release_lease(&mut self, lease: LeaseRef) {
        let holder = self[lease].holder;
        if self.leases.release(lease.0) {
            self.release_info(holder);
        }
    }

    /// Reads a lease and throws it away, so that it is near when it is needed.
    pub(super) fn touch_lease(&self, lease: LeaseRef) {
        std::hint::black_box(self.leases.slots[lease.0.get() as usize - 1].count);
    }

    /// The same with an instance.
    pub(super) fn touch_info(&self, info: InfoRef) {
        let slot = &self.infos.slots[info.0.get() as usize - 1];
        std::hint::black_box((slot.count, slot.value.as_ref().map(|info| info.status)));
    }

    /// How many instances and leases are referenced, for leak tests.
    #[must_use]
    pub fn live(&self) -> (usize, usize) {
        (self.infos.live(), self.leases.live())
    }
}

impl Index<InfoRef> for Objects {
    type Output = InstanceInfo;

    fn index(&self, info: InfoRef) -> &InstanceInfo {
        self.infos.get(info.0)
    }
}

impl IndexMut<InfoRef> for Objects {
    fn index_mut(&mut self, info: InfoRef) -> &mut InstanceInfo {
        self.infos.get_mut(info.0)
    }
}

impl Index<LeaseRef> for Objects {
    type Output = Lease;

    fn index(&self, lease: LeaseRef) -> &Lease {
        self.leases.get(lease.0)
    }
}

impl IndexMut<LeaseRef> for Objects {
    fn index_mut(&mut self, lease: LeaseRef) -> &mut Lease {
        self.leases.get_mut(lease.0)
    }
}

/// Reference-counted values by number; numbers of freed values are given out again.
#[derive(Clone, Debug)]
struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<NonZeroU32>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    count: u32,
    value: Option<T>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    fn add(&mut self, value: T) -> NonZeroU32 {
        let slot = Slot { count: 1, value: Some(value) };
        if let Some(number) = self.free.pop() {
            *self.slot(number) = slot;
            return number;
        }
        self.slots.push(slot);
        u32::try_from(self.slots.len())
            .ok()
            .and_then(NonZeroU32::new)
            .expect("a server holds fewer than 2^32 objects")
    }

    fn slot(&mut self, number: NonZeroU32) -> &mut Slot<T> {
        &mut self.slots[number.get() as usize - 1]
    }

    fn get(&self, number: NonZeroU32) -> &T {
        let slot = &self.slots[number.get() as usize - 1];
        slot.value.as_ref().expect("a counted reference keeps its value")
    }

    fn get_mut(&mut self, number: NonZeroU32) -> &mut T {
        self.slot(number).value.as_mut().expect("a counted reference keeps its value")
    }

    fn retain(&mut self, number: NonZeroU32) {
        self.slot(number).count += 1;
    }

    /// True if this was the last reference.
    fn release(&mut self, number: NonZeroU32) -> bool {
        let slot = self.slot(number);
        slot.count -= 1;
        let last = slot.count == 0;
        if last {
            slot.value = None;
            self.free.push(number);
        }
        last
    }

    fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
