//! The recorded-trace format `eureka-golden/client/1`: its header, its script and its answers, read.

mod answer;
mod header;
mod real;
mod script;

pub use answer::{Answer, Answered, listed_instance, registry};
pub use header::{ClientHeader, Mode};
pub use real::{Listed, Location, StubEnd, StubRule, StubWord, stub_word};
pub use script::{Act, Construct, Draw, act, draw};

use serde_json::Value;

/// `t` of a line in ns; none if it is no time: a number of ms with at most six decimals, up to ten
/// years.
#[must_use]
pub fn nanos(ms: &Value) -> Option<u64> {
    const LONGEST_MS: f64 = 315_576_000_000.0;
    let ms = ms.as_f64().filter(|ms| (0.0..=LONGEST_MS).contains(ms))?;
    let whole = ms.trunc();
    Some(whole as u64 * 1_000_000 + ((ms - whole) * 1_000.0).round() as u64 * 1_000)
}

/// The server that a trace calls `s<k>`.
#[must_use]
pub fn server(name: &str) -> Option<u16> {
    let digits = name.strip_prefix('s')?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}
