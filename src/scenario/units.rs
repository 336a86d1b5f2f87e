//! Durations, ranges, windows and shares as scenarios write them.

use crate::time::Span;

/// The units of a duration and their length in ns.
const UNITS: [(&str, u64); 6] = [
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// The longest duration: ten years. Far beyond any run, and sums of a few still fit 64 bits of ns.
pub const LONGEST: Span = Span::from_secs(3_652 * 86_400);

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// Not one or more of `<integer><unit>`.
    Malformed,
    /// Longer than ten years.
    TooLong,
    /// Of a range, the first is above the second.
    Inverted,
}

/// `"1h30m"`, `"250ms"`: one or more of `<integer><unit>`, no spaces, no sign.
///
/// # Errors
/// If it is anything else, or too long.
pub fn duration(text: &str) -> Result<Span, DurationError> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = &rest[digits..];
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = after.split_at(letters);
        let length = UNITS.iter().find(|(name, _)| *name == unit);
        let (true, Some((_, length))) = (digits > 0, length) else {
            return Err(DurationError::Malformed);
        };
        let number: u64 = rest[..digits].parse().map_err(|_| DurationError::TooLong)?;
        let span = number.checked_mul(*length).and_then(|span| total.checked_add(span));
        total = span.filter(|&span| span <= LONGEST.nanos()).ok_or(DurationError::TooLong)?;
        rest = next;
    }
    Ok(Span::from_nanos(total))
}

/// As a scenario writes it, in the largest unit that leaves no rest: `5m`, `70s`, `1500ms`. What is below a
/// microsecond is cut off.
#[must_use]
pub fn written(span: Span) -> String {
    let micros = span.nanos() / UNITS[0].1 * UNITS[0].1;
    let fits = UNITS.iter().rev().find(|(_, length)| micros.is_multiple_of(*length) && micros > 0);
    let (unit, length) = fits.unwrap_or(&UNITS[2]);
    format!("{}{unit}", micros / length)
}

/// A duration with an optional sign, in ns.
///
/// # Errors
/// As [`duration`].
pub fn signed_duration(text: &str) -> Result<i64, DurationError> {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (-1, magnitude),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let nanos = i64::try_from(duration(magnitude)?.nanos()).map_err(|_| DurationError::TooLong)?;
    Ok(sign * nanos)
}

/// `"1ms..5ms"`: two durations, the first not above the second.
///
/// # Errors
/// As [`duration`].
pub fn range(text: &str) -> Result<(Span, Span), DurationError> {
    let (low, high) = text.split_once("..").ok_or(DurationError::Malformed)?;
    let (low, high) = (duration(low)?, duration(high)?);
    if low > high { Err(DurationError::Inverted) } else { Ok((low, high)) }
}

/// `"16%"` or `"0.5%"` as parts per billion; nothing if it is no percentage from 0 to 100.
#[must_use]
pub fn percentage(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > 7 || number.ends_with('.') {
        return None;
    }
    if !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let part = format!("{part:0<7}").parse::<u64>().ok()?;
    let ppb = whole.parse::<u64>().ok()? * 10_000_000 + part;
    u32::try_from(ppb).ok().filter(|ppb| *ppb <= 1_000_000_000)
}

/// `0.16` as parts per billion; nothing if it is not from 0 to 1.
#[must_use]
pub fn fraction(number: f64) -> Option<u32> {
    (0.0..=1.0).contains(&number).then_some((number * 1e9 + 0.5) as u32)
}
