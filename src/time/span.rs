//! Instants of virtual time and spans between them, in nanoseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Nanoseconds in a microsecond, millisecond and second.
const NANOS: [u64; 3] = [1_000, 1_000_000, 1_000_000_000];

/// An instant of virtual time: nanoseconds since the start of the run (t = 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A non-negative span of virtual time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Instant {
    /// The start of the run.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens: "never".
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The span from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Milliseconds since the start with up to three decimals, as reports write `t_ms`: `4.5`, `20137`.
    #[must_use]
    pub fn millis_text(self) -> String {
        let micros = self.0 / NANOS[0];
        let (whole, part) = (micros / 1_000, micros % 1_000);
        if part == 0 {
            return whole.to_string();
        }
        let text = format!("{whole}.{part:03}");
        text.trim_end_matches('0').to_owned()
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `millis` milliseconds.
    ///
    /// # Panics
    /// If it does not fit into 64 bits of nanoseconds (584 years).
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * NANOS[1])
    }

    /// A span of `secs` seconds.
    ///
    /// # Panics
    /// If it does not fit into 64 bits of nanoseconds (584 years).
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * NANOS[2])
    }

    /// The span in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The span in whole milliseconds, rounded down.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 / NANOS[1]
    }

    /// Whether the span is empty.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self` times `factor`, or the largest span if that overflows.
    #[must_use]
    pub const fn saturating_mul(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Add<Span> for Instant {
    type Output = Self;

    /// Saturates at [`Instant::NEVER`].
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Instant {
    /// Like a span since the start, to the millisecond: `0s`, `12m00s`, `1h00m05s`, `5m07.25s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0 - self.0 % NANOS[1]).fmt(f)
    }
}

impl fmt::Display for Span {
    /// Largest units first, two digits after the first: `250ms`, `45s`, `12m00s`, `1h00m05s`, `5m07.250s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, rest) = (self.0 / NANOS[2], self.0 % NANOS[2]);
        if secs == 0 && rest > 0 {
            return match rest {
                n if n % NANOS[1] == 0 => write!(f, "{}ms", n / NANOS[1]),
                n if n % NANOS[0] == 0 => write!(f, "{}us", n / NANOS[0]),
                n => write!(f, "{n}ns"),
            };
        }
        let (hours, minutes, seconds) = (secs / 3600, secs / 60 % 60, secs % 60);
        match (hours, minutes) {
            (0, 0) => write!(f, "{seconds}")?,
            (0, _) => write!(f, "{minutes}m{seconds:02}")?,
            _ => write!(f, "{hours}h{minutes:02}m{seconds:02}")?,
        }
        if rest > 0 {
            let digits = format!("{rest:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        write!(f, "s")
    }
}
