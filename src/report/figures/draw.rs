//! The sheet that panels are drawn on: text, lines and areas in pixels, and the mapping of time and
//! values to them.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::{
    Circle, DrawingBackend, PathElement, RGBAColor, RGBColor, Rectangle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, ShapeStyle, TextStyle};

use super::palette::{DASHES, GREY, INK, server_colour};
use crate::report::escape;
use crate::time::Instant;

/// Where the plot begins, in pixels from the left.
pub(super) const LEFT: i32 = 78;
/// Where it ends, in pixels from the right: the rest is for labels at the ends of lines.
const RIGHT: i32 = 178;

/// How a line looks.
#[derive(Clone, Copy)]
pub(in crate::report) struct Stroke {
    pub(super) colour: RGBAColor,
    pub(super) width: u32,
    pub(in crate::report) dash: Option<Dash>,
}

/// Ink and gap of a dashed line, and how long the first gap is; in units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) struct Dash {
    pub(super) ink: f64,
    pub(super) gap: f64,
    pub(super) first_gap: f64,
}

impl Dash {
    pub(super) const fn new(ink: f64, gap: f64) -> Self {
        Self { ink, gap, first_gap: 0.0 }
    }
}

impl Stroke {
    pub(super) fn solid(colour: RGBColor, width: u32) -> Self {
        Self { colour: colour.to_rgba(), width, dash: None }
    }

    /// The line of a server. Those drawn later are thinner, so that equal lines all show.
    pub(in crate::report) fn server(index: usize) -> Self {
        let width = [3, 3, 2].get(index).copied().unwrap_or(2);
        let dash = DASHES[index % DASHES.len()];
        Self { colour: server_colour(index).to_rgba(), width, dash }
    }
}

/// A drawing, in units of a pixel or more. What cannot be drawn is left out: the backends here write to memory.
pub(super) struct Sheet<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    /// Width in units of the drawing.
    pub(super) width: i32,
    /// Pixels per unit.
    scale: i32,
}

impl<'a, DB: DrawingBackend> Sheet<'a, DB> {
    pub(super) fn new(area: &'a DrawingArea<DB, Shift>, width: u32, scale: u32) -> Self {
        let _ = area.fill(&plotters::style::colors::WHITE);
        Self { area, width: width as i32, scale: scale as i32 }
    }

    fn pixel(&self, at: (i32, i32)) -> (i32, i32) {
        (at.0 * self.scale, at.1 * self.scale)
    }

    fn style(&self, colour: RGBAColor, filled: bool, width: u32) -> ShapeStyle {
        ShapeStyle { color: colour, filled, stroke_width: width * self.scale as u32 }
    }

    /// The scenario's name and what it is about.
    pub(super) fn title(&mut self, name: &str, about: &str) {
        self.text(name, (24, 16), 20, INK, (HPos::Left, VPos::Top));
        let room = (self.width - 48) / 7;
        self.text(&shorten(about, room as usize), (24, 44), 14, GREY, (HPos::Left, VPos::Top));
    }

    pub(super) fn text(
        &mut self,
        text: &str,
        at: (i32, i32),
        size: i32,
        colour: RGBColor,
        (h, v): (HPos, VPos),
    ) {
        let font = ("sans-serif", size * self.scale).into_font();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(h, v));
        // With control characters an SVG would be no XML.
        let text = escape(text).into_owned();
        let _ = self.area.draw(&Text::new(text, self.pixel(at), style));
    }

    pub(super) fn rectangle(&mut self, from: (i32, i32), to: (i32, i32), colour: RGBAColor) {
        let corners = [self.pixel(from), self.pixel(to)];
        let _ = self.area.draw(&Rectangle::new(corners, colour.filled()));
    }

    pub(super) fn frame(&mut self, from: (i32, i32), to: (i32, i32), colour: RGBColor) {
        let corners = [self.pixel(from), self.pixel(to)];
        let _ = self.area.draw(&Rectangle::new(corners, self.style(colour.to_rgba(), false, 1)));
    }

    pub(super) fn disc(&mut self, at: (i32, i32), radius: i32, colour: RGBColor, filled: bool) {
        let style = self.style(colour.to_rgba(), filled, 2);
        let _ = self.area.draw(&Circle::new(self.pixel(at), radius * self.scale, style));
    }

    pub(super) fn line(&mut self, points: &[(i32, i32)], stroke: Stroke) {
        let style = self.style(stroke.colour, false, stroke.width);
        let pieces = match stroke.dash {
            None => vec![points.to_vec()],
            Some(dash) => dashes(points, dash),
        };
        for piece in pieces.into_iter().filter(|piece| piece.len() > 1) {
            let piece: Vec<_> = piece.into_iter().map(|at| self.pixel(at)).collect();
            let _ = self.area.draw(&PathElement::new(piece, style));
        }
    }
}

/// The pieces of ink of a dashed polyline.
fn dashes(points: &[(i32, i32)], Dash { ink, gap, first_gap }: Dash) -> Vec<Vec<(i32, i32)>> {
    let mut pieces = Vec::new();
    let mut drawing = first_gap <= 0.0;
    let mut left = if drawing { ink } else { first_gap };
    let start = points.first().copied().filter(|_| drawing);
    let mut piece: Vec<(i32, i32)> = start.into_iter().collect();
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = dx.hypot(dy);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let share = done / length;
            let at = (from.0 + (dx * share) as i32, from.1 + (dy * share) as i32);
            if drawing {
                piece.push(at);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![at];
            }
            drawing = !drawing;
            left = if drawing { ink } else { gap };
        }
        left -= length - done;
        if drawing {
            piece.push(to);
        }
    }
    pieces.push(piece);
    pieces
}

/// The mapping of a panel: time to the right, values upwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes {
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
    duration: u64,
    most: f64,
}

impl Axes {
    /// Between `top` and `bottom` pixels; `most` is the value at the top.
    pub(super) fn new(width: i32, (top, bottom): (i32, i32), duration: Instant, most: f64) -> Self {
        Self::between((LEFT, width - RIGHT), (top, bottom), duration, most)
    }

    /// Between these pixels.
    pub(super) fn between(
        (left, right): (i32, i32),
        (top, bottom): (i32, i32),
        duration: Instant,
        most: f64,
    ) -> Self {
        Self { left, right, top, bottom, duration: duration.nanos().max(1), most }
    }

    pub(super) fn x(&self, at: Instant) -> i32 {
        let width = u128::from((self.right - self.left).unsigned_abs());
        let offset = u128::from(at.nanos().min(self.duration)) * width / u128::from(self.duration);
        self.left + offset as i32
    }

    pub(super) fn y(&self, value: f64) -> i32 {
        let height = f64::from(self.bottom - self.top);
        let share = (value / self.most).clamp(0.0, 1.0);
        self.bottom - (share * height) as i32
    }
}

/// Text cut to so many characters.
pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}
