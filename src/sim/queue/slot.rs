//! The order of a slot of the wheel when it is opened.
//!
//! A comparison of two entries is a guess that fails every other time. So they are first spread by time
//! over more places than there are entries, without comparing any; few then share a place.

use super::Entry;

/// Places, as a power of two.
const PLACE_BITS: u32 = 6;
const PLACES: usize = 1 << PLACE_BITS;

/// Puts entries into order, latest first. All lie within the same 2^`width_bits` ns; the scratch vector
/// lends its memory.
pub(super) fn put_in_order<E: Copy>(
    entries: &mut [Entry<E>],
    width_bits: u32,
    scratch: &mut Vec<Entry<E>>,
) {
    if !(8..=PLACES).contains(&entries.len()) {
        return entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.order()));
    }
    let place_of = |entry: &Entry<E>| {
        let early = (entry.at.nanos() >> (width_bits - PLACE_BITS)) as usize % PLACES;
        PLACES - 1 - early
    };
    let mut ends = [0_u8; PLACES];
    for entry in &*entries {
        ends[place_of(entry)] += 1;
    }
    let mut before = 0;
    for end in &mut ends {
        before += *end;
        *end = before;
    }
    scratch.clear();
    scratch.extend_from_slice(entries);
    for entry in &*scratch {
        let end = &mut ends[place_of(entry)];
        *end -= 1;
        entries[usize::from(*end)] = *entry;
    }
    for sorted in 1..entries.len() {
        let mut place = sorted;
        while place > 0 && entries[place - 1].order() < entries[place].order() {
            entries.swap(place - 1, place);
            place -= 1;
        }
    }
}
