//! `java.lang.String` as hash maps see it.

use std::cmp::Ordering;

/// `String.hashCode()`: over UTF-16 units, wrapping.
#[must_use]
pub fn hash_code(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// `ConcurrentHashMap.spread(int)`: what decides the bin. Never negative in Java, hence unsigned here.
#[must_use]
pub const fn spread(hash: i32) -> u32 {
    let bits = hash as u32;
    (bits ^ (bits >> 16)) & 0x7fff_ffff
}

/// `String.compareTo(String)`: by UTF-16 units.
#[must_use]
pub fn compare_to(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}
