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
/// `retain` when it is stored, `release` when it is dropped. Numbers of freed ones are given out again.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    cells: Vec<Cell>,
    /// Cells that have neither.
    free: Vec<NonZeroU32>,
}

/// Room for a lease and for an instance: nearly always those that belong together, side by side because
/// both are needed at once, and nothing else near them.
#[derive(Clone, Debug, Default)]
#[repr(C, align(64))]
struct Cell {
    lease: Slot<Lease>,
    info: Slot<InstanceInfo>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    /// References; none if there is no value.
    count: u32,
    value: Option<T>,
}

impl Objects {
    /// A new instance; the caller holds its only reference.
    pub fn add_info(&mut self, info: InstanceInfo) -> InfoRef {
        let number = self.empty_cell();
        self.cell_mut(number).info.fill(info);
        InfoRef(number)
    }

    /// A new lease, which keeps a reference to its holder; the caller holds its only reference.
    pub(super) fn add_lease(&mut self, lease: Lease) -> LeaseRef {
        self.retain_info(lease.holder);
        let beside_its_holder = lease.holder.0;
        let number = match self.cell(beside_its_holder).lease.value {
            None => beside_its_holder,
            Some(_) => self.empty_cell(),
        };
        self.cell_mut(number).lease.fill(lease);
        LeaseRef(number)
    }

    fn empty_cell(&mut self) -> NonZeroU32 {
        self.free.pop().unwrap_or_else(|| {
            self.cells.push(Cell::default());
            let number = u32::try_from(self.cells.len()).ok().and_then(NonZeroU32::new);
            number.expect("a server holds fewer than 2^32 objects")
        })
    }

    /// One more reference to an instance.
    pub fn retain_info(&mut self, info: InfoRef) {
        self.cell_mut(info.0).info.count += 1;
    }

    /// One reference to an instance less; the last one frees it.
    pub fn release_info(&mut self, info: InfoRef) {
        if self.cell_mut(info.0).info.release() {
            self.free_if_empty(info.0);
        }
    }

    /// One more reference to a lease.
    pub(super) fn retain_lease(&mut self, lease: LeaseRef) {
        self.cell_mut(lease.0).lease.count += 1;
    }

    /// One reference to a lease less; the last one frees it and its reference to its holder.
    pub(super) fn release_lease(&mut self, lease: LeaseRef) {
        let holder = self[lease].holder;
        if self.cell_mut(lease.0).lease.release() {
            self.free_if_empty(lease.0);
            self.release_info(holder);
        }
    }

    /// A cell has lost one of its two; once it has neither it is given out again.
    fn free_if_empty(&mut self, number: NonZeroU32) {
        let cell = self.cell(number);
        if cell.lease.value.is_none() && cell.info.value.is_none() {
            self.free.push(number);
        }
    }

    /// Reads a lease and throws it away, so that it is near when it is needed.
    pub(super) fn touch_lease(&self, lease: LeaseRef) {
        std::hint::black_box(self.cell(lease.0).lease.count);
    }

    /// The same with an instance.
    pub(super) fn touch_info(&self, info: InfoRef) {
        let slot = &self.cell(info.0).info;
        let value = slot.value.as_ref();
        // A value from each of its cache lines.
        std::hint::black_box(value.map(|info| {
            let ends =
                info.lease_info.map(|times| (times.duration_in_secs, times.service_up_timestamp));
            (slot.count, info.status, info.last_dirty_timestamp, ends)
        }));
    }

    /// How many instances and leases are referenced, for leak tests.
    #[must_use]
    pub fn live(&self) -> (usize, usize) {
        let infos = self.cells.iter().filter(|cell| cell.info.value.is_some());
        let leases = self.cells.iter().filter(|cell| cell.lease.value.is_some());
        (infos.count(), leases.count())
    }

    /// Cells, and those that are free.
    #[cfg(test)]
    pub(super) fn room(&self) -> (usize, usize) {
        (self.cells.len(), self.free.len())
    }

    fn cell(&self, number: NonZeroU32) -> &Cell {
        &self.cells[number.get() as usize - 1]
    }

    fn cell_mut(&mut self, number: NonZeroU32) -> &mut Cell {
        &mut self.cells[number.get() as usize - 1]
    }
}

impl<T> Slot<T> {
    fn fill(&mut self, value: T) {
        (self.count, self.value) = (1, Some(value));
    }

    /// One reference less; the last one frees the value. True if this was it.
    fn release(&mut self) -> bool {
        self.count -= 1;
        let last = self.count == 0;
        if last {
            self.value = None;
        }
        last
    }

    fn get(&self) -> &T {
        self.value.as_ref().expect("a counted reference keeps its value")
    }

    fn get_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a counted reference keeps its value")
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { count: 0, value: None }
    }
}

impl Index<InfoRef> for Objects {
    type Output = InstanceInfo;

    fn index(&self, info: InfoRef) -> &InstanceInfo {
        self.cell(info.0).info.get()
    }
}

impl IndexMut<InfoRef> for Objects {
    fn index_mut(&mut self, info: InfoRef) -> &mut InstanceInfo {
        self.cell_mut(info.0).info.get_mut()
    }
}

impl Index<LeaseRef> for Objects {
    type Output = Lease;

    fn index(&self, lease: LeaseRef) -> &Lease {
        self.cell(lease.0).lease.get()
    }
}

impl IndexMut<LeaseRef> for Objects {
    fn index_mut(&mut self, lease: LeaseRef) -> &mut Lease {
        self.cell_mut(lease.0).lease.get_mut()
    }
}
