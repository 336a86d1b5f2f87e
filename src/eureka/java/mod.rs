//! The parts of the JDK whose exact behaviour decides what Eureka does: the random numbers that
//! pick eviction victims, the hash-map orders they are picked from, and `java.util.Timer`.

mod concurrent_hash_map;
mod hash_set;
mod random;
mod string;
mod timer;
mod tree_bin;

pub use concurrent_hash_map::{ConcurrentHashMap, Iter, Keys};
pub use hash_set::hash_set_order;
pub use random::Random;
pub use string::{compare_to, hash_code, spread};
pub use timer::Timer;

#[cfg(test)]
mod tests;
