//! The wheel gives back what the heap does, entry by entry.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Entry, EventQueue, Heap, TimingWheel};
use crate::time::Instant;

/// What is done to a queue: an entry so long after the last one popped, or some pops up to so long
/// after it.
#[derive(Clone, Copy, Debug)]
enum Use {
    Push(u64),
    Pop { most: usize, within: u64 },
}

/// From the same instant to beyond the wheel's last level.
fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        0..4_u64,
        0..1_u64 << 20,
        0..1_u64 << 28,
        0..1_u64 << 36,
        0..1_u64 << 44,
        0..1_u64 << 52,
        0..1_u64 << 58,
    ]
}

fn uses() -> impl Strategy<Value = Vec<Use>> {
    let pop = (0..6_usize, distance()).prop_map(|(most, within)| Use::Pop { most, within });
    prop::collection::vec(prop_oneof![3 => distance().prop_map(Use::Push), 1 => pop], 0..200)
}

/// Everything that comes out, in order, and what is left at the end.
fn outcome<Q: EventQueue<usize>>(uses: &[Use]) -> Vec<Option<Entry<usize>>> {
    let (mut queue, mut now, mut out, mut shown) = (Q::default(), 0, Vec::new(), Vec::new());
    for (number, step) in uses.iter().enumerate() {
        match *step {
            Use::Push(distance) => {
                // Later entries may belong earlier among those of their instant.
                let seq = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                queue.push(Entry { at: Instant::from_nanos(now + distance), seq, event: number });
            }
            Use::Pop { most, within } => {
                for _ in 0..most {
                    let entry = queue.pop_until(Instant::from_nanos(now.saturating_add(within)));
                    now = entry.map_or(now, |entry| entry.at.nanos());
                    out.push(entry);
                    let before = shown.len();
                    queue.look_ahead(|number| shown.push(*number));
                    let came_out = |number| out.iter().flatten().any(|it| it.event == number);
                    assert!(!shown[before..].iter().any(|number| came_out(*number)), "it is over");
                }
            }
        }
    }
    let once: BTreeSet<_> = shown.iter().collect();
    assert_eq!(once.len(), shown.len(), "nothing is shown twice for reading ahead");
    out.extend(std::iter::from_fn(|| queue.pop_until(Instant::NEVER)).map(Some));
    assert_eq!(
        out.iter().flatten().count(),
        uses.iter().filter(|it| matches!(it, Use::Push(_))).count()
    );
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_wheel_gives_back_what_the_heap_does(uses in uses()) {
        let wheel = outcome::<TimingWheel<usize>>(&uses);
        prop_assert_eq!(&wheel, &outcome::<Heap<usize>>(&uses));
        let times: Vec<_> = wheel.iter().flatten().map(|entry| entry.at).collect();
        prop_assert!(times.is_sorted(), "the queue goes back in time");
    }
}

proptest! {
    /// All in one slot, which is put into order when it is opened.
    #[test]
    fn a_full_slot_is_put_into_order(distances in prop::collection::vec(2 << 20..3_u64 << 20, 0..100)) {
        let mut uses: Vec<_> = distances.iter().copied().map(Use::Push).collect();
        // Many at a time of their own, and some at one time.
        uses.extend(distances.iter().map(|distance| Use::Push(distance >> 17 << 17)));
        prop_assert_eq!(outcome::<TimingWheel<usize>>(&uses), outcome::<Heap<usize>>(&uses));
    }
}

#[test]
fn an_entry_at_the_limit_is_given_and_one_after_it_is_kept() {
    let mut queue = TimingWheel::default();
    for (seq, nanos) in [(1, 3_000_000_000), (0, 3_000_000_001)] {
        queue.push(Entry { at: Instant::from_nanos(nanos), seq, event: () });
    }
    let limit = Instant::from_nanos(3_000_000_000);
    assert_eq!(queue.pop_until(limit).map(|entry| entry.seq), Some(1));
    assert_eq!(queue.pop_until(limit), None);
    assert_eq!(queue.pop_until(Instant::NEVER).map(|entry| entry.seq), Some(0));
}
