//! Text from outside is harmless in every output, and figures can be read by everybody.

use plotters::style::RGBColor;

use super::figures::{MOST_SERVERS, Stroke, palette};
use super::style::escape;

#[test]
fn control_and_direction_characters_become_visible() {
    assert_eq!(escape("ORDERS/o-0001:orders:8080 é 订单"), "ORDERS/o-0001:orders:8080 é 订单");
    assert_eq!(escape("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\r\\n");
    assert_eq!(escape("x\u{202e}gnp.exe"), "x\\u{202e}gnp.exe");
}

/// WCAG's relative luminance.
fn luminance(RGBColor(r, g, b): RGBColor) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { libm::pow((share + 0.055) / 1.055, 2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

fn contrast_to_white(colour: RGBColor) -> f64 {
    1.05 / (luminance(colour) + 0.05)
}

#[test]
fn text_and_lines_have_the_contrast_they_need_on_white() {
    for colour in [palette::INK, palette::GREY, palette::ALIVE] {
        assert!(contrast_to_white(colour) >= 4.5, "{colour:?} is used for text");
    }
    // Labels of faults stand beside a line of their colour.
    assert!(contrast_to_white(palette::FAULT) >= 3.0);
    for colour in palette::SERVERS {
        assert!(contrast_to_white(colour) >= 2.0, "{colour:?} is used for lines");
    }
}

#[test]
fn servers_differ_by_dashes_too() {
    let dashes: Vec<_> = (0..MOST_SERVERS).map(|index| Stroke::server(index).dash).collect();
    for (index, dash) in dashes.iter().enumerate() {
        assert!(!dashes[..index].contains(dash), "server {index}");
    }
}
