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
/// both are needed at once, and nothing else near them. Of its two cache lines a heartbeat needs the first.
#[derive(Clone, Debug, Default)]
#[repr(C, align(128))]
struct Cell {
    /// References to the lease; none if there is none.
    lease_count: u32,
    /// The same of the instance.
    info_count: u32,
    lease: Option<Lease>,
    info: Option<InstanceInfo>,
}

impl Objects {
    /// A new instance; the caller holds its only reference.
    pub fn add_info(&mut self, info: InstanceInfo) -> InfoRef {
        let number = self.empty_cell();
        let cell = self.cell_mut(number);
        (cell.info_count, cell.info) = (1, Some(info));
        InfoRef(number)
    }

    /// A new lease, which keeps a reference to its holder; the caller holds its only reference.
    pub(super) fn add_lease(&mut self, lease: Lease) -> LeaseRef {
        self.retain_info(lease.holder);
        let beside_its_holder = lease.holder.0;
        let number = match self.cell(beside_its_holder).lease {
            None => beside_its_holder,
            Some(_) => self.empty_cell(),
        };
        let cell = self.cell_mut(number);
        (cell.lease_count, cell.lease) = (1, Some(lease));
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
    #[inline(always)]
    pub fn retain_info(&mut self, info: InfoRef) {
        self.cell_mut(info.0).info_count += 1;
    }

    /// One reference to an instance less; the last one frees it.
    #[inline(always)]
    pub fn release_info(&mut self, info: InfoRef) {
        let cell = self.cell_mut(info.0);
        if release(&mut cell.info_count, &mut cell.info) {
            self.free_if_empty(info.0);
        }
    }

    /// One more reference to a lease.
    pub(super) fn retain_lease(&mut self, lease: LeaseRef) {
        self.cell_mut(lease.0).lease_count += 1;
    }

    /// One reference to a lease less; the last one frees it and its reference to its holder.
    pub(super) fn release_lease(&mut self, lease: LeaseRef) {
        let holder = self[lease].holder;
        let cell = self.cell_mut(lease.0);
        if release(&mut cell.lease_count, &mut cell.lease) {
            self.free_if_empty(lease.0);
            self.release_info(holder);
        }
    }

    /// A cell has lost one of its two; once it has neither it is given out again.
    #[cold]
    fn free_if_empty(&mut self, number: NonZeroU32) {
        let cell = self.cell(number);
        if cell.lease.is_none() && cell.info.is_none() {
            self.free.push(number);
        }
    }

    /// All leases, those that are in the registry no more included, in no order of meaning.
    pub(super) fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.cells.iter().filter_map(|cell| cell.lease.as_ref())
    }

    /// Reads a lease, and the instance beside it, and throws them away, so that they are near when they
    /// are needed.
    #[inline(always)]
    pub(super) fn touch_lease(&self, lease: LeaseRef) {
        self.touch(lease.0);
    }

    /// The same with an instance.
    #[inline(always)]
    pub(super) fn touch_info(&self, info: InfoRef) {
        self.touch(info.0);
    }

    /// A value from each of the two lines.
    #[inline(always)]
    fn touch(&self, number: NonZeroU32) {
        let cell = self.cell(number);
        let updated = cell.info.as_ref().map(|info| info.last_updated_timestamp);
        std::hint::black_box((cell.lease_count, updated));
    }

    /// How many instances and leases are referenced, for leak tests.
    #[must_use]
    pub fn live(&self) -> (usize, usize) {
        let infos = self.cells.iter().filter(|cell| cell.info.is_some());
        (infos.count(), self.leases().count())
    }

    /// Cells, and those that are free.
    #[cfg(test)]
    pub(super) fn room(&self) -> (usize, usize) {
        (self.cells.len(), self.free.len())
    }

    #[inline(always)]
    fn cell(&self, number: NonZeroU32) -> &Cell {
        &self.cells[number.get() as usize - 1]
    }

    #[inline(always)]
    fn cell_mut(&mut self, number: NonZeroU32) -> &mut Cell {
        &mut self.cells[number.get() as usize - 1]
    }
}

/// Why a value is there.
const COUNTED: &str = "a counted reference keeps its value";

/// One reference less; the last one frees the value. True if this was it.
#[inline(always)]
fn release<T>(count: &mut u32, value: &mut Option<T>) -> bool {
    *count -= 1;
    let last = *count == 0;
    if last {
        free(value);
    }
    last
}

#[cold]
fn free<T>(value: &mut Option<T>) {
    *value = None;
}

impl Index<InfoRef> for Objects {
    type Output = InstanceInfo;

    #[inline(always)]
    fn index(&self, info: InfoRef) -> &InstanceInfo {
        self.cell(info.0).info.as_ref().expect(COUNTED)
    }
}

impl IndexMut<InfoRef> for Objects {
    #[inline(always)]
    fn index_mut(&mut self, info: InfoRef) -> &mut InstanceInfo {
        self.cell_mut(info.0).info.as_mut().expect(COUNTED)
    }
}

impl Index<LeaseRef> for Objects {
    type Output = Lease;

    #[inline(always)]
    fn index(&self, lease: LeaseRef) -> &Lease {
        self.cell(lease.0).lease.as_ref().expect(COUNTED)
    }
}

impl IndexMut<LeaseRef> for Objects {
    #[inline(always)]
    fn index_mut(&mut self, lease: LeaseRef) -> &mut Lease {
        self.cell_mut(lease.0).lease.as_mut().expect(COUNTED)
    }
}

#[cfg(test)]
#[test]
fn a_heartbeat_needs_one_line_of_a_cell_of_two() {
    use std::mem::{offset_of, size_of};
    assert_eq!(size_of::<Cell>(), 2 * 64);
    assert_eq!(offset_of!(Cell, info) + offset_of!(InstanceInfo, last_dirty_timestamp) + 8, 64);
}
