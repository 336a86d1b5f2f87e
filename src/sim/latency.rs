//! How long a message takes, and whether it arrives.

use rand::Rng;

use super::random::CounterRng;
use crate::time::Span;

/// A distribution of one-way latencies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Always this.
    Fixed(Span),
    /// Uniform between these, both included.
    Uniform(Span, Span),
    /// Log-normal, given by the median and the 99th percentile.
    LogNormal {
        /// Half of the messages are faster.
        median: Span,
        /// One in a hundred is slower.
        p99: Span,
    },
}

/// The 99th percentile of the standard normal distribution.
const Z_99: f64 = 2.326_347_874_040_841;

impl Latency {
    /// The latency of one message; `draw` is its own uniform draw.
    #[must_use]
    #[inline(always)]
    pub fn of(&self, draw: u64, decision: impl FnOnce() -> CounterRng) -> Span {
        match *self {
            Self::Fixed(span) => span,
            Self::Uniform(low, high) => {
                let width = u128::from(high.nanos() - low.nanos()) + 1;
                let offset = ((u128::from(draw) * width) >> 64) as u64;
                low + Span::from_nanos(offset)
            }
            Self::LogNormal { median, p99 } => log_normal(median, p99, &mut decision()),
        }
    }
}

/// A draw from the log-normal distribution; the functions of libm give the same bits on every platform,
/// those of std do not.
#[inline(never)]
fn log_normal(median: Span, p99: Span, rng: &mut CounterRng) -> Span {
    let mu = libm::log(median.nanos() as f64);
    let sigma = (libm::log(p99.nanos() as f64) - mu) / Z_99;
    Span::from_nanos(libm::exp(mu + sigma * normal(rng)) as u64)
}

/// A draw from the standard normal distribution (Box and Muller).
fn normal(rng: &mut CounterRng) -> f64 {
    // In (0, 1): a logarithm is taken of it.
    let mut unit = || ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let radius = libm::sqrt(-2.0 * libm::log(unit()));
    radius * libm::cos(std::f64::consts::TAU * unit())
}

/// The share of messages that are lost, as a fraction of 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss(u64);

impl Loss {
    /// Nothing is lost.
    pub const NONE: Self = Self(0);

    /// This share, 0 to 1; 1 loses everything.
    #[must_use]
    pub fn share(share: f64) -> Self {
        Self((share.clamp(0.0, 1.0) * 2.0_f64.powi(64)) as u64)
    }

    /// Lost if either of two independent losses hits.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        let survive = ((u64::MAX - self.0) as u128 * (u64::MAX - other.0) as u128) >> 64;
        let survive = survive as u64;
        if self.0 == 0 {
            other
        } else if other.0 == 0 {
            self
        } else {
            Self(u64::MAX - survive)
        }
    }

    /// Whether a message with this uniform draw is lost.
    #[must_use]
    pub const fn hits(self, draw: u64) -> bool {
        draw < self.0 || self.0 == u64::MAX
    }
}
