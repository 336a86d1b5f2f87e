//! Iteration order of `new HashSet<>(collection)` of strings.

use std::collections::BTreeSet;

use super::string::hash_code;

/// The order in which `new HashSet<>(Arrays.asList(texts))` iterates, as positions in `texts`;
/// a text that occurs twice appears once, at its first position.
///
/// The copy constructor sizes the table to `max(n / 0.75 + 1, 16)` rounded up to a power of two, so
/// no resize happens; bins keep insertion order. Bins of eight and more (trees) do not occur with
/// the few distinct URLs this is used for.
#[must_use]
pub fn hash_set_order(texts: &[&str]) -> Vec<usize> {
    let capacity = ((texts.len() as f32 / 0.75) as usize + 1).max(16).next_power_of_two();
    let mut seen = BTreeSet::new();
    let mut order: Vec<usize> =
        (0..texts.len()).filter(|&position| seen.insert(texts[position])).collect();
    let bin = |position: &usize| {
        let hash = hash_code(texts[*position]) as u32;
        (hash ^ (hash >> 16)) as usize & (capacity - 1)
    };
    order.sort_by_cached_key(bin);
    order
}
