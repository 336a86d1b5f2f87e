//! Ticks: round numbers on the value axis, round times on the other.

use crate::time::Span;

/// The least round number that is not below `most`, and the step between ticks.
pub(super) fn value_ticks(most: f64) -> (f64, f64) {
    let most = if most.is_finite() { most.max(1.0) } else { 1.0 };
    let mut magnitude = 1.0;
    while magnitude * 10.0 <= most {
        magnitude *= 10.0;
    }
    let steps = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0].map(|step| step * magnitude);
    let step = steps.into_iter().find(|step| most / step <= 6.0).unwrap_or(magnitude * 5.0);
    let step = step.max(1.0);
    ((most / step).ceil() * step, step)
}

/// The time between two ticks, so that there are about a dozen at most.
pub(super) fn time_step(duration: Span) -> Span {
    const STEPS: [u64; 15] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600];
    const MOST: u64 = 13;
    let seconds = duration.nanos().div_ceil(1_000_000_000);
    let step = STEPS.into_iter().find(|step| seconds / step <= MOST);
    let days = seconds.div_ceil(86_400 * MOST).max(1);
    Span::from_secs(step.unwrap_or(days * 86_400))
}

/// A time at a tick: `90s`, `12m`, `1h30m`.
pub(super) fn time_label(at: Span) -> String {
    let seconds = at.nanos() / 1_000_000_000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, rest) {
        (0, 0, rest) => format!("{rest}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, rest) => format!("{minutes}m{rest:02}s"),
        (hours, 0, 0) => format!("{hours}h"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

/// A number at a tick, with thin groups of thousands: `12 000`.
pub(super) fn value_label(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}
