//! The two costs of a sweep against each other: a point for each setting, with the spread over the seeds.

use plotters::prelude::DrawingBackend;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::draw::{Sheet, Stroke, shorten};
use super::palette::{FAINT, FAULT, GREY, INK, SERVERS};
use super::scale::{value_label, value_ticks};
use crate::report::TuneReport;
use crate::study::tune::SettingCosts;

/// Width and height.
pub(super) const SIZE: (u32, u32) = (900, 600);
/// The plot.
const LEFT: i32 = 90;
const RIGHT: i32 = 860;
const TOP: i32 = 90;
const BOTTOM: i32 = 530;
/// Most settings whose points have names; of more only the best have.
const MOST_NAMES: usize = 24;
/// Longest name of a point.
const LONGEST: usize = 30;

/// A number to the right and one upwards.
struct Plane {
    most: (f64, f64),
}

impl Plane {
    fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        let share = |value: f64, most: f64| (value / most).clamp(0.0, 1.0);
        let right = share(x, self.most.0) * f64::from(RIGHT - LEFT);
        let up = share(y, self.most.1) * f64::from(BOTTOM - TOP);
        (LEFT + right as i32, BOTTOM - up as i32)
    }
}

fn range(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(0.0, f64::max))
}

fn point(costs: &SettingCosts) -> (f64, f64) {
    (costs.means.ghost_minutes.mean, costs.means.healthy_minutes.mean)
}

/// Draws it.
pub(super) fn draw<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, report: &TuneReport<'_>) {
    let settings = &report.analysis.settings;
    let what = format!("What each {} costs", report.names());
    let about = "dead instances that stay registered against healthy ones that are evicted: lower left is better";
    sheet.title(&shorten(&what, 70), about);
    let most = |of: fn(&SettingCosts) -> &[f64]| {
        settings.iter().map(|costs| range(of(costs)).1).fold(0.0, f64::max)
    };
    let (x_most, x_step) = value_ticks(most(|costs| &costs.ghosts_by_seed), false);
    let (y_most, y_step) = value_ticks(most(|costs| &costs.healthy_by_seed), false);
    let plane = Plane { most: (x_most, y_most) };
    axes(sheet, &plane, (x_step, y_step));
    front(sheet, &plane, report);
    for costs in settings {
        spread(sheet, &plane, costs);
    }
    let mut order: Vec<usize> = (0..settings.len()).collect();
    // The recommended one lies above the others.
    order.sort_by_key(|place| *place == report.analysis.recommended);
    for place in order {
        let at = plane.at(point(&settings[place]));
        let is_recommended = place == report.analysis.recommended;
        let colour = if is_recommended { FAULT } else { SERVERS[0] };
        sheet.disc(at, if is_recommended { 7 } else { 5 }, colour, true);
        if report.sweep.present == Some(place) {
            sheet.disc(at, 11, INK, false);
        }
    }
    names(sheet, &plane, report);
    legend(sheet, report);
}

/// What the points are called; those that lie on each other have one name together.
fn names<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, plane: &Plane, report: &TuneReport<'_>) {
    let (recommended, present) = (report.analysis.recommended, report.sweep.present);
    let settings = &report.analysis.settings;
    let is_named = |place: &usize| {
        *place != recommended && (settings.len() <= MOST_NAMES || Some(*place) == present)
    };
    let mut together: Vec<((i32, i32), Vec<usize>)> = Vec::new();
    for place in (0..settings.len()).filter(is_named) {
        let (x, y) = plane.at(point(&settings[place]));
        let near = |(at, _): &&mut ((i32, i32), Vec<usize>)| {
            (at.0 - x).abs() < 60 && (at.1 - y).abs() < 14
        };
        match together.iter_mut().find(near) {
            Some((_, places)) => places.push(place),
            None => together.push(((x, y), vec![place])),
        }
    }
    for ((x, y), places) in together {
        let named: Vec<String> = places.iter().map(|place| report.label(*place)).collect();
        let named = match named.as_slice() {
            [first, .., last] if named.len() > 3 => format!("{first} … {last}"),
            named => named.join(" · "),
        };
        let (at, side) = match x > RIGHT - 120 {
            true => (x - 14, HPos::Right),
            false => (x + 14, HPos::Left),
        };
        sheet.text(&shorten(&named, LONGEST), (at, y - 10), 13, INK, (side, VPos::Center));
    }
    // Above its point, where no other has its name.
    let (x, y) = plane.at(point(&settings[recommended]));
    let name = shorten(&report.label(recommended), LONGEST);
    sheet.text(&name, (x, y - 14), 15, FAULT, (HPos::Center, VPos::Bottom));
}

fn axes<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, plane: &Plane, steps: (f64, f64)) {
    let (x_step, y_step) = steps;
    let ticks = |most: f64, step: f64| {
        let count = (most / step).round() as u32;
        (0..=count).map(move |tick| f64::from(tick) * step)
    };
    for value in ticks(plane.most.0, x_step) {
        let (x, _) = plane.at((value, 0.0));
        sheet.line(&[(x, TOP), (x, BOTTOM)], Stroke::solid(FAINT, 1));
        let label = value_label(value, x_step);
        sheet.text(&label, (x, BOTTOM + 8), 12, GREY, (HPos::Center, VPos::Top));
    }
    for value in ticks(plane.most.1, y_step) {
        let (_, y) = plane.at((0.0, value));
        sheet.line(&[(LEFT, y), (RIGHT, y)], Stroke::solid(FAINT, 1));
        let label = value_label(value, y_step);
        sheet.text(&label, (LEFT - 8, y), 12, GREY, (HPos::Right, VPos::Center));
    }
    let x_title = "minutes that dead instances were kept, all faults and servers";
    sheet.text(x_title, (RIGHT, BOTTOM + 30), 13, INK, (HPos::Right, VPos::Top));
    let y_title = "minutes that healthy instances were missing";
    sheet.text(y_title, (LEFT - 60, TOP - 14), 13, INK, (HPos::Left, VPos::Bottom));
}

/// The line through those that no other beats.
fn front<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, plane: &Plane, report: &TuneReport<'_>) {
    let on_front = report.analysis.settings.iter().filter(|costs| costs.on_front);
    let mut points: Vec<(f64, f64)> = on_front.map(point).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let line: Vec<(i32, i32)> = points.into_iter().map(|at| plane.at(at)).collect();
    sheet.line(&line, Stroke::solid(GREY, 1));
}

/// From the least to the greatest of the seeds, both ways.
fn spread<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, plane: &Plane, costs: &SettingCosts) {
    let (x, y) = point(costs);
    let (left, right) = range(&costs.ghosts_by_seed);
    let (low, high) = range(&costs.healthy_by_seed);
    let stroke = Stroke { colour: SERVERS[0].mix(0.45), ..Stroke::solid(GREY, 2) };
    sheet.line(&[plane.at((left, y)), plane.at((right, y))], stroke);
    sheet.line(&[plane.at((x, low)), plane.at((x, high))], stroke);
}

fn legend<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, report: &TuneReport<'_>) {
    let y = BOTTOM + 58;
    let mut x = LEFT;
    let mut entry = |sheet: &mut Sheet<'_, DB>, filled: bool, text: &str| {
        let colour = if filled { FAULT } else { INK };
        sheet.disc((x + 6, y), 6, colour, filled);
        sheet.text(text, (x + 18, y), 12, INK, (HPos::Left, VPos::Center));
        x += 18 + 7 * text.chars().count() as i32 + 24;
    };
    entry(sheet, true, "recommended");
    if report.sweep.present.is_some() {
        entry(sheet, false, "what the file says");
    }
    let seeds = report.analysis.settings.iter().map(|of| of.ghosts_by_seed.len()).max();
    let text = format!("bars: from the least to the greatest of {} seeds", seeds.unwrap_or(0));
    sheet.text(&text, (x, y), 12, GREY, (HPos::Left, VPos::Center));
}
