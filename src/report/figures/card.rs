//! A run on a small card, for lists of many: what its expectations ask after, without words.

use plotters::prelude::DrawingBackend;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::draw::{Axes, Sheet, Stroke, shorten};
use super::palette::{FAINT, GREY, INK, server_colour};
use super::panels::{self, Curve};
use super::scale::time_label;
use super::statuses;
use crate::observe::{Recording, Row, StatusLane};
use crate::scenario::{Metric, Plan, Subject};
use crate::time::Span;

/// Width of a card.
pub(super) const WIDTH: u32 = 560;
/// Height of a card of numbers.
const NUMBERS: u32 = 150;
/// Height of a lane of statuses.
const LANE: i32 = 16;
/// Most lanes of statuses.
const MOST_LANES: usize = 10;

/// Whether the scenario asks after statuses more than after anything else.
fn is_of_statuses(plan: &Plan, recording: &Recording) -> bool {
    let asks = |subject: &Subject| matches!(subject, Subject::Metric { metric, .. } if *metric == Metric::Status);
    let count = plan.expectations.iter().filter(|of| asks(&of.subject)).count();
    2 * count >= plan.expectations.len() && statuses::is_of(recording)
}

/// Its height.
pub(super) fn height(plan: &Plan, recording: &Recording) -> u32 {
    if is_of_statuses(plan, recording) {
        let count = statuses::drawn(recording).take(MOST_LANES).count();
        30 + LANE.unsigned_abs() * count as u32
    } else {
        NUMBERS
    }
}

/// Draws it.
pub(super) fn draw<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
) {
    if is_of_statuses(plan, recording) {
        lanes(sheet, plan, recording);
        return;
    }
    let middle = sheet.width / 2;
    let registered = panels::registered(recording);
    chart(sheet, plan, recording, (8, middle - 8), "registered, and alive (black)", &registered);
    let mut rates = panels::renewals(recording);
    let thresholds = panels::servers(recording).map(|(index, _)| {
        let threshold = |row: &Row| f64::from(row.gauges.num_of_renews_per_min_threshold);
        let stroke = Stroke::solid(server_colour(index), 1);
        panels::curve(recording, index, stroke, "", panels::of_rows(recording, index, threshold))
    });
    rates.extend(thresholds);
    let title = "renewals a minute, and threshold (thin)";
    chart(sheet, plan, recording, (middle + 8, sheet.width - 8), title, &rates);
}

/// A small chart: its greatest value, its end, faults behind it, and below it when nothing was evicted.
fn chart<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    (left, right): (i32, i32),
    title: &str,
    curves: &[Curve],
) {
    let values = curves.iter().flat_map(|curve| curve.points.iter().map(|(_, value)| *value));
    let most = values.filter(|value| value.is_finite()).fold(1.0, f64::max);
    let duration = plan.setup.duration;
    let (top, bottom) = (22, 118);
    let axes = Axes::between((left + 26, right), (top, bottom), duration, most);
    sheet.text(title, (axes.left, 4), 12, INK, (HPos::Left, VPos::Top));
    panels::shade(sheet, &axes, recording, false);
    sheet.line(&[(axes.left, bottom), (axes.right, bottom)], Stroke::solid(GREY, 1));
    for (value, y) in [(most, top), (0.0, bottom)] {
        let text = format!("{value:.0}");
        sheet.text(&text, (axes.left - 4, y), 11, GREY, (HPos::Right, VPos::Center));
    }
    for curve in curves {
        for piece in panels::steps(&axes, &curve.points) {
            sheet.line(&piece, curve.stroke);
        }
    }
    let lanes = recording.timespans.lanes().iter();
    for lane in lanes.filter(|lane| lane.server.index() < 4) {
        let y = bottom + 5 + 6 * lane.server.index() as i32;
        let (from, to) = (axes.x(lane.from), axes.x(lane.to.unwrap_or(duration)));
        let colour = server_colour(lane.server.index()).mix(0.6);
        sheet.rectangle((from, y), (to.max(from + 1), y + 4), colour);
    }
    end_of_time(sheet, &axes, plan, bottom + 30);
}

/// Lanes of statuses, the first few.
fn lanes<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, plan: &Plan, recording: &Recording) {
    let shown: Vec<&StatusLane> = statuses::drawn(recording).take(MOST_LANES).collect();
    let (top, bottom) = (8, 8 + LANE * shown.len() as i32);
    let axes = Axes::between((8, sheet.width - 168), (top, bottom), plan.setup.duration, 1.0);
    panels::shade(sheet, &axes, recording, false);
    for (position, lane) in shown.into_iter().enumerate() {
        let y = top + LANE * position as i32;
        statuses::bars(sheet, &axes, &lane.changes, (y + 2, y + LANE - 2));
        let (name, colour) = match lane.server {
            None => (lane.instance.as_str(), INK),
            Some(server) => (recording.labels.server(server), GREY),
        };
        let at = (axes.right + 6, y + LANE / 2);
        sheet.text(&shorten(name, 24), at, 11, colour, (HPos::Left, VPos::Center));
    }
    sheet.line(&[(axes.left, bottom), (axes.right, bottom)], Stroke::solid(FAINT, 1));
    end_of_time(sheet, &axes, plan, bottom + 20);
}

fn end_of_time<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    axes: &Axes,
    plan: &Plan,
    bottom: i32,
) {
    let text = time_label(Span::from_nanos(plan.setup.duration.nanos()));
    sheet.text(&text, (axes.right, bottom), 11, GREY, (HPos::Right, VPos::Bottom));
}
