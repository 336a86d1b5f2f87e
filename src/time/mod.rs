//! Integer time: instants of the simulation, spans, and the two clocks a JVM shows.
//!
//! Everything is a whole number of nanoseconds. [`Instant`] and [`Span`] are the simulator's own
//! time; [`Now`] is what one process reads when it asks for `System.currentTimeMillis()` and
//! `System.nanoTime()`, and [`HostClock`] turns the first into the second, with wall-clock steps
//! and skew. No real clock is read here and no float is used.

mod clock;
mod span;

pub use clock::{HostClock, Now};
pub use span::{Instant, Span};

#[cfg(test)]
mod tests;
