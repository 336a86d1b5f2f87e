//! Ticks: round numbers on the value axis, round times on the other.

use crate::time::Span;

/// The least value at the top of an axis of anything but whole numbers.
const LEAST: f64 = 0.001;

/// The least round number that is not below `most`, and the step between ticks: at whole numbers
/// only, if the values are.
pub(super) fn value_ticks(most: f64, is_whole: bool) -> (f64, f64) {
    let least = if is_whole { 1.0 } else { LEAST };
    let nothing = !most.is_finite() || most <= 0.0;
    let most = if nothing { 1.0 } else { most.max(least) };
    let mut magnitude = least;
    while magnitude * 10.0 <= most {
        magnitude *= 10.0;
    }
    let steps = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0].map(|step| step * magnitude);
    let step = steps.into_iter().find(|step| most / step <= 6.0).unwrap_or(magnitude * 5.0);
    let step = step.max(if is_whole { 1.0 } else { LEAST / 10.0 });
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

/// A number at a tick, with groups of thousands: `12 000`; from a step of a million on in millions
/// (`12 M`), and so on. Below a step of one it has the decimals of the step.
pub(super) fn value_label(value: f64, step: f64) -> String {
    let (unit, suffix) = match step {
        1e9.. => (1e9, "\u{a0}G"),
        1e6.. => (1e6, "\u{a0}M"),
        _ => (1.0, ""),
    };
    if step < 1.0 {
        let decimals = [0.1, 0.01, 0.001].into_iter().position(|least| step >= least * 0.999);
        return format!("{value:.*}", decimals.map_or(4, |position| position + 1));
    }
    let digits = format!("{:.0}", value / unit);
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    if value == 0.0 { text } else { text + suffix }
}

#[cfg(test)]
mod tests {
    use super::{value_label, value_ticks};

    /// The labels of an axis up to `most`, with spaces that may break.
    fn labels(most: f64, is_whole: bool) -> String {
        let (top, step) = value_ticks(most, is_whole);
        let ticks = (0..=(top / step).round() as u32).map(|tick| f64::from(tick) * step);
        let labels: Vec<String> = ticks.map(|tick| value_label(tick, step)).collect();
        labels.join(", ").replace('\u{a0}', " ")
    }

    #[test]
    fn ticks_are_round_and_as_fine_as_the_values() {
        for (most, is_whole, wanted) in [
            (0.0, true, "0, 1"),
            (3.0, true, "0, 1, 2, 3"),
            (12_345.0, true, "0, 5 000, 10 000, 15 000"),
            (5e7, true, "0, 10 M, 20 M, 30 M, 40 M, 50 M"),
            (2.5e9, true, "0, 500 M, 1 000 M, 1 500 M, 2 000 M, 2 500 M"),
            (0.3, true, "0, 1"),
            (0.3, false, "0.00, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30"),
            (0.0123, false, "0.000, 0.005, 0.010, 0.015"),
            (4.0, false, "0, 1, 2, 3, 4"),
        ] {
            assert_eq!(labels(most, is_whole), wanted, "{most}");
        }
    }
}
