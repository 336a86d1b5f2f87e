//! A hierarchical timing wheel: four levels of 256 slots, the finest 2^20 ns (about a millisecond)
//! wide, and a heap for what lies more than 2^52 ns (52 days) ahead.
//!
//! A slot is sorted by (time, sequence number) when it is opened; what is added to the open slot
//! later is put in its place by binary search. So most events are never compared with others than
//! the few of their own millisecond, and the cost does not grow with the number of timers.

use super::slot::put_in_order;
use super::{Entry, EventQueue, Heap};
use crate::time::Instant;

/// Width of the finest slots, as a power of two in ns.
const SLOT_BITS: u32 = 20;
/// Slots of a level, as a power of two.
const LEVEL_BITS: u32 = 8;
const SLOTS: usize = 1 << LEVEL_BITS;
const LEVELS: usize = 4;
/// Most entries for which an emptied coarse slot's memory is kept.
const SPARE: usize = 1 << 14;
/// Entries that are shown for reading ahead at once: fewer are not worth it, and what is read too early is
/// gone again when it is needed.
const AHEAD: usize = 80;
/// In so many slots at most, the open one included.
const SLOTS_AHEAD: usize = 32;

/// [`EventQueue`] as a timing wheel.
#[derive(Clone, Debug)]
pub struct TimingWheel<E> {
    levels: [Level<E>; LEVELS],
    far: Heap<E>,
    /// The open slot, latest entry first.
    open: Vec<Entry<E>>,
    /// Reused memory.
    scratch: Vec<Entry<E>>,
    /// The first slot of which nothing was shown for reading ahead.
    shown_before: u64,
    /// Number of the open slot, counted from t = 0.
    tick: u64,
}

#[derive(Clone, Debug)]
struct Level<E> {
    slots: Box<[Vec<Entry<E>>; SLOTS]>,
    /// The memory of the slot that was emptied last, for the next that gets its first entry.
    spare: Vec<Entry<E>>,
    /// A bit for each slot that is not empty.
    occupied: [u64; SLOTS / 64],
}

impl<E> Default for TimingWheel<E> {
    fn default() -> Self {
        Self {
            levels: std::array::from_fn(|_| Level {
                slots: Box::new(std::array::from_fn(|_| Vec::new())),
                spare: Vec::new(),
                occupied: [0; SLOTS / 64],
            }),
            far: Heap::default(),
            open: Vec::new(),
            scratch: Vec::new(),
            shown_before: 0,
            tick: 0,
        }
    }
}

impl<E: Copy> EventQueue<E> for TimingWheel<E> {
    #[inline(always)]
    fn push(&mut self, entry: Entry<E>) {
        let tick = entry.at.nanos() >> SLOT_BITS;
        if tick <= self.tick {
            self.put_into_open(entry);
        } else {
            self.put(tick, entry);
        }
    }

    #[inline(always)]
    fn pop_until(&mut self, limit: Instant) -> Option<Entry<E>> {
        while self.open.is_empty() {
            if !self.open_next(limit) {
                return None;
            }
        }
        if self.open.last()?.at > limit {
            return None;
        }
        self.open.pop()
    }

    fn look_ahead(&mut self, mut look: impl FnMut(&E)) {
        if self.tick < self.shown_before {
            return;
        }
        let first = self.tick as usize % SLOTS;
        let coming = &self.levels[0].slots[first + 1..(first + SLOTS_AHEAD).min(SLOTS)];
        let mut shown = 0;
        self.shown_before = self.tick;
        for slot in std::iter::once(&self.open).chain(coming) {
            slot.iter().for_each(|entry| look(&entry.event));
            self.shown_before += 1;
            shown += slot.len();
            if shown >= AHEAD {
                break;
            }
        }
    }
}

impl<E: Copy> TimingWheel<E> {
    #[cold]
    fn put_into_open(&mut self, entry: Entry<E>) {
        let place = self.open.partition_point(|other| other.order() > entry.order());
        self.open.insert(place, entry);
    }

    /// Puts an entry of a slot after the open one into the finest level that has both.
    #[inline(always)]
    fn put(&mut self, tick: u64, entry: Entry<E>) {
        let differs = tick ^ self.tick;
        let level = (63 - differs.leading_zeros()) / LEVEL_BITS;
        match self.levels.get_mut(level as usize) {
            Some(found) => found.put((tick >> (level * LEVEL_BITS)) as usize % SLOTS, entry),
            None => self.put_far(entry),
        }
    }

    #[cold]
    fn put_far(&mut self, entry: Entry<E>) {
        self.far.push(entry);
    }

    /// Opens the next slot that has entries, unless all of it lies after `limit`. Coarse slots on the
    /// way are spread over the finer levels.
    fn open_next(&mut self, limit: Instant) -> bool {
        let limit = limit.nanos() >> SLOT_BITS;
        for level in 0..LEVELS as u32 {
            let shift = level * LEVEL_BITS;
            let current = (self.tick >> shift) as usize % SLOTS;
            let Some(slot) = self.levels[level as usize].next_after(current) else {
                continue;
            };
            let block = self.tick >> (shift + LEVEL_BITS) << (shift + LEVEL_BITS);
            let tick = block | ((slot as u64) << shift);
            if tick > limit {
                return false;
            }
            self.tick = tick;
            let entries = self.levels[level as usize].take(slot);
            if level == 0 {
                self.open_slot(slot, entries);
            } else {
                self.spread(level, entries);
            }
            return true;
        }
        self.enter_far(limit)
    }

    /// Opens a finest slot. The memory of the one that was open goes to the slot; that of a coarse slot
    /// goes to the next one, unless it is large: a run would hold on to the memory of its busiest hour.
    fn open_slot(&mut self, slot: usize, mut entries: Vec<Entry<E>>) {
        put_in_order(&mut entries, SLOT_BITS, &mut self.scratch);
        self.levels[0].slots[slot] = std::mem::replace(&mut self.open, entries);
    }

    /// Spreads a coarse slot, whose first tick is now the open one, over the finer levels.
    fn spread(&mut self, level: u32, mut entries: Vec<Entry<E>>) {
        for entry in entries.drain(..) {
            let tick = entry.at.nanos() >> SLOT_BITS;
            if tick == self.tick {
                self.open.push(entry);
            } else {
                self.put(tick, entry);
            }
        }
        put_in_order(&mut self.open, SLOT_BITS, &mut self.scratch);
        if entries.capacity() <= SPARE {
            self.levels[level as usize].spare = entries;
        }
    }

    /// The wheel is empty: goes to the first entry of the far heap, and takes all from there that the
    /// wheel now reaches.
    fn enter_far(&mut self, limit: u64) -> bool {
        let last = Instant::from_nanos(limit << SLOT_BITS | ((1 << SLOT_BITS) - 1));
        let Some(first) = self.far.pop_until(last) else {
            return false;
        };
        self.tick = first.at.nanos() >> SLOT_BITS;
        self.open.push(first);
        let span = SLOT_BITS + LEVEL_BITS * LEVELS as u32;
        let end = Instant::from_nanos(self.open[0].at.nanos() | ((1 << span) - 1));
        while let Some(entry) = self.far.pop_until(end) {
            let tick = entry.at.nanos() >> SLOT_BITS;
            if tick == self.tick {
                self.open.insert(0, entry);
            } else {
                self.put(tick, entry);
            }
        }
        true
    }
}

impl<E> Level<E> {
    #[inline(always)]
    fn put(&mut self, slot: usize, entry: Entry<E>) {
        if self.slots[slot].is_empty() {
            self.occupy(slot);
        }
        self.slots[slot].push(entry);
    }

    #[cold]
    fn occupy(&mut self, slot: usize) {
        self.occupied[slot / 64] |= 1 << (slot % 64);
        let entries = &mut self.slots[slot];
        if entries.capacity() == 0 {
            *entries = std::mem::take(&mut self.spare);
        }
    }

    /// The first slot after `slot` that has entries.
    fn next_after(&self, slot: usize) -> Option<usize> {
        let mut word = (slot + 1) / 64;
        let mut bits = *self.occupied.get(word)? & (u64::MAX << ((slot + 1) % 64));
        while bits == 0 {
            word += 1;
            bits = *self.occupied.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// Empties a slot, its memory included.
    fn take(&mut self, slot: usize) -> Vec<Entry<E>> {
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        std::mem::take(&mut self.slots[slot])
    }
}
