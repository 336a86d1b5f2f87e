//! The JDK's own answers, `tests/golden/vectors/jdk-random-chm-hashset.txt`.

mod timer;

use std::cmp::Ordering;
use std::fmt::Write;

use super::{ConcurrentHashMap, Keys, Random, compare_to, hash_code, hash_set_order, spread};

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/golden/vectors/jdk-random-chm-hashset.txt"
));

/// Holds every line that begins like this against the same line made here.
fn check(beginning: &str, lines: usize, remade: impl Fn(&str) -> String) {
    let recorded: Vec<&str> = VECTORS.lines().filter(|line| line.starts_with(beginning)).collect();
    assert_eq!(recorded.len(), lines, "lines that begin with {beginning:?}");
    for line in recorded {
        assert_eq!(remade(line), line);
    }
}

/// The part of a line between two marks.
fn between<'a>(line: &'a str, from: &str, to: &str) -> &'a str {
    let rest = line.split_once(from).expect("the first mark is there").1;
    rest.split_once(to).expect("and so is the second").0
}

/// Texts as keys of a map, by position.
struct Texts(Vec<String>);

impl Keys for Texts {
    fn hash(&self, key: u32) -> u32 {
        spread(hash_code(&self.0[key as usize]))
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        compare_to(&self.0[a as usize], &self.0[b as usize])
    }
}

impl Texts {
    /// `count` texts of one hash code: "Aa" and "BB" have the same.
    fn colliding(count: u32) -> Self {
        let text = |n: u32| (0..6).map(|bit| if n >> bit & 1 == 0 { "Aa" } else { "BB" }).collect();
        Self((0..count).map(text).collect())
    }

    fn len(&self) -> u32 {
        self.0.len() as u32
    }
}

#[test]
fn every_line_of_the_jdk_belongs_to_a_test_here() {
    let known = ["size ", "collide ", "8 colliding ", "CHM ", "HashSet ", "seed ", "nextInt("];
    let hash = |line: &&str| line.contains(" hash=") && line.contains(" spread=");
    let belongs = |line: &&str| known.iter().any(|known| line.starts_with(known)) || hash(line);
    assert_eq!(VECTORS.lines().filter(|line| !belongs(line)).count(), 0);
    assert_eq!(VECTORS.lines().count(), 15);
}

#[test]
fn random_numbers_are_the_jdks() {
    check("seed ", 3, |line| {
        let seed = between(line, "seed ", ":").parse().expect("a seed is a number");
        let mut random = Random::new(seed);
        let mut remade = format!("seed {seed}: ");
        for bound in (1..=10).rev() {
            write!(remade, "nextInt({bound})={} ", random.next_int(bound)).unwrap();
        }
        remade
    });
}

#[test]
fn random_numbers_beyond_the_largest_multiple_of_the_bound_are_drawn_again() {
    check("nextInt(", 1, |_| {
        let mut random = Random::new(42);
        let draws: Vec<_> = (0..3).map(|_| random.next_int((1 << 30) + 1).to_string()).collect();
        format!("nextInt(1<<30+1) rejections: {}", draws.join(" "))
    });
}

#[test]
fn a_bound_of_one_consumes_a_draw_and_only_48_bits_of_the_seed_count() {
    let (mut one, mut other) = (Random::new(7), Random::new(7 + (1 << 48)));
    one.next_int(1);
    other.next_int(1000);
    let rest = |random: &mut Random| [random.next_int(1000), random.next_int(1000)];
    assert_eq!(rest(&mut one), rest(&mut other));
}

#[test]
#[should_panic(expected = "needs a positive bound, not 0")]
fn a_bound_of_zero_is_a_bug() {
    Random::new(1).next_int(0);
}

#[test]
fn hash_codes_and_their_spread_are_the_jdks() {
    for text in ["SVC", "EUREKA", "h00:svc:8080", "h11:svc:8080"] {
        check(&format!("{text} hash="), 1, |_| {
            format!("{text} hash={} spread={}", hash_code(text), spread(hash_code(text)))
        });
    }
}

#[test]
fn strings_hash_and_compare_by_utf_16_units() {
    // U+1F600 is the surrogates D83D DE00, which come before U+FF5E though the character does not.
    assert_eq!(hash_code("\u{1F600}"), 0xD83D * 31 + 0xDE00);
    assert_eq!(compare_to("\u{1F600}", "\u{FF5E}"), Ordering::Less);
    assert_eq!(compare_to("B", "Aa"), Ordering::Greater);
    assert_eq!(compare_to("Aa", "Aab"), Ordering::Less);
}

#[test]
fn maps_grow_when_three_quarters_are_reached() {
    check("size ", 1, |_| {
        let keys = Texts((0..191).map(|n| format!("h{n:03}:svc:8080")).collect());
        let mut map = ConcurrentHashMap::default();
        let mut remade = String::new();
        for key in 0..keys.len() {
            let before = map.table_len();
            assert!(map.insert(&keys, key));
            if map.table_len() != before {
                write!(remade, "size {}->table {}; ", map.len(), map.table_len()).unwrap();
            }
        }
        remade
    });
}

#[test]
fn a_small_table_grows_twice_over_for_one_long_bin_and_trees_grow_at_the_front() {
    check("collide insert ", 1, |_| {
        let keys = Texts::colliding(14);
        let mut map = ConcurrentHashMap::default();
        let mut remade = String::new();
        for key in 0..keys.len() {
            let before = map.table_len();
            map.insert(&keys, key);
            if map.table_len() != before {
                write!(remade, "collide insert #{}->table {}; ", key + 1, map.table_len()).unwrap();
            }
        }
        format!("{remade} order={:?}", map.iter().collect::<Vec<_>>())
    });
}

#[test]
fn overwriting_the_eighth_key_of_a_bin_makes_the_table_grow_too() {
    check("8 colliding ", 1, |_| {
        let keys = Texts::colliding(8);
        let mut map = ConcurrentHashMap::default();
        assert!((0..8).all(|key| map.insert(&keys, key)));
        let before = map.table_len();
        assert!(!map.insert(&keys, 7), "it is there already");
        assert_eq!(map.len(), 8);
        format!("8 colliding table={before} after overwrite of 8th: table={}", map.table_len())
    });
}

#[test]
fn maps_iterate_in_the_jdks_order() {
    check("CHM ", 2, |line| {
        let listed = between(line, "[", "]");
        let keys = Texts(listed.split(", ").map(str::to_owned).collect());
        let mut map = ConcurrentHashMap::default();
        for key in 0..keys.len() {
            map.insert(&keys, key);
        }
        let order: Vec<_> = map.iter().map(|key| keys.0[key as usize].as_str()).collect();
        format!("CHM [{listed}] -> [{}] table={}", order.join(", "), map.table_len())
    });
}

#[test]
fn maps_forget_removed_keys_and_keep_their_table() {
    let keys = Texts((0..24).map(|n| format!("k{n}")).collect());
    let mut map = ConcurrentHashMap::default();
    assert!(!map.remove(&keys, 0), "an empty map has no table to look into");
    for key in 0..24 {
        map.insert(&keys, key);
    }
    let before: Vec<u32> = map.iter().collect();
    for key in (0..24).filter(|key| key % 3 != 0) {
        assert!(map.remove(&keys, key) && !map.remove(&keys, key));
    }
    let left: Vec<u32> = before.iter().copied().filter(|key| key % 3 == 0).collect();
    assert_eq!((&map).into_iter().collect::<Vec<_>>(), left);
    assert_eq!((map.len(), map.table_len()), (8, 64));
}

/// The bin turns into a list when the root lacks a child or its left child a left one. A red-black
/// tree of more than ten nodes always has all of them, one of three or fewer never; in a list the
/// next key goes to the end, in a tree to the front.
#[test]
fn a_shrinking_tree_stays_balanced_until_it_becomes_a_list() {
    let keys = Texts::colliding(60);
    let extra = 59;
    let coprime_to_59 = 1..59;
    for step in coprime_to_59 {
        let mut map = ConcurrentHashMap::default();
        (0..extra).for_each(|n| assert!(map.insert(&keys, n * step % 59)));
        for victim in (0..extra).map(|n| n * (step * 7 % 59) % 59) {
            let nodes = map.len();
            assert!(map.remove(&keys, victim), "step {step}, key {victim}");
            let mut probe = map.clone();
            probe.insert(&keys, extra);
            let order: Vec<u32> = probe.iter().collect();
            assert!(nodes <= 10 || order[0] == extra, "step {step}: {nodes} nodes became a list");
            assert!(nodes > 3 || order.last() == Some(&extra), "step {step}: {nodes} stay a tree");
        }
        assert!(map.is_empty());
    }
}

#[test]
fn a_hash_set_lists_the_urls_in_the_jdks_order() {
    check("HashSet ", 2, |line| {
        let mut texts: Vec<&str> = between(line, "[", "]").split(", ").collect();
        // The recording shows what came out; they went in from 1 to 3 and from a to d.
        texts.sort_unstable();
        let order: Vec<_> = hash_set_order(&texts).into_iter().map(|n| texts[n]).collect();
        format!("HashSet [{}]", order.join(", "))
    });
}

#[test]
fn a_hash_set_keeps_the_first_of_equal_texts_and_the_order_of_colliding_ones() {
    assert_eq!(hash_set_order(&["BB", "Aa", "BB"]), [0, 1]);
    assert_eq!(hash_set_order(&["Aa", "BB", "Aa"]), [0, 1]);
    assert!(hash_set_order(&[]).is_empty());
}

#[test]
fn a_hash_set_of_twelve_has_thirty_two_bins() {
    // The hash codes are the letters': "P" (80) is in bin 0 of 16 and in bin 16 of 32.
    let eleven = ["P", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
    let place = |texts: &[&str]| hash_set_order(texts).iter().position(|&n| n == 0);
    assert_eq!(place(&eleven), Some(0));
    let twelve: Vec<&str> = eleven.into_iter().chain(["K"]).collect();
    assert_eq!(place(&twelve), Some(11));
}
