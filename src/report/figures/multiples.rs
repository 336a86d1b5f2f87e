//! Registry size over time in every fault, a line for each setting: small panels on one scale of time.

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::draw::{Axes, Sheet, Stroke, shorten};
use super::palette::{ALIVE, FAINT, FAULT, GREY, INK};
use super::scale::{time_label, value_label, value_ticks};
use crate::observe::Size;
use crate::report::TuneReport;
use crate::study::tune::Cell;
use crate::time::{Instant, Span};

/// Panels in a row.
const COLUMNS: usize = 3;
/// Size of a panel with what is around it.
const PANEL: (i32, i32) = (390, 170);
/// Where the first panel begins.
const TOP: i32 = 110;
const MARGIN: i32 = 15;
/// Most lines in a panel.
const MOST_LINES: usize = 10;

/// From the least setting to the greatest: dark blue to yellow, each darker than the next also in grey.
const COLOURS: [RGBColor; MOST_LINES] = [
    RGBColor(0x44, 0x01, 0x54),
    RGBColor(0x48, 0x28, 0x78),
    RGBColor(0x3E, 0x49, 0x89),
    RGBColor(0x31, 0x68, 0x8E),
    RGBColor(0x26, 0x82, 0x8E),
    RGBColor(0x1F, 0x9E, 0x89),
    RGBColor(0x35, 0xB7, 0x79),
    RGBColor(0x6D, 0xCD, 0x59),
    RGBColor(0xA8, 0xBF, 0x22),
    RGBColor(0xDC, 0xB3, 0x10),
];

/// A line of a panel.
struct Line<'a> {
    /// Which of those that are drawn.
    line: usize,
    setting: usize,
    cell: &'a Cell,
    sizes: &'a [Size],
}

/// Width and height.
pub(super) fn size(report: &TuneReport<'_>) -> (u32, u32) {
    let rows = report.sweep.faults.len().div_ceil(COLUMNS).max(1) as i32;
    let width = 2 * MARGIN + COLUMNS as i32 * PANEL.0;
    (width.unsigned_abs(), (TOP + rows * PANEL.1 + MARGIN).unsigned_abs())
}

/// The settings that are drawn: evenly chosen, with the recommended and the present one.
fn drawn(report: &TuneReport<'_>) -> Vec<usize> {
    let count = report.sweep.settings.len();
    let kept = [Some(report.analysis.recommended), report.sweep.present];
    let kept: Vec<usize> = kept.into_iter().flatten().collect();
    let lines = MOST_LINES.min(count);
    let even = (0..lines).map(|line| line * (count - 1) / (lines - 1).max(1));
    let mut drawn: Vec<usize> = even.collect();
    for keep in kept {
        if !drawn.contains(&keep) {
            // In the place of its neighbour, unless that is to be kept too.
            let nearest = drawn.iter_mut().filter(|line| {
                **line != report.analysis.recommended && Some(**line) != report.sweep.present
            });
            if let Some(nearest) = nearest.min_by_key(|line| line.abs_diff(keep)) {
                *nearest = keep;
            }
        }
    }
    drawn.sort_unstable();
    drawn.dedup();
    drawn
}

/// Draws it.
pub(super) fn draw<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, report: &TuneReport<'_>) {
    let title = format!("Registry size by {}", report.names());
    let about = "at the server that has fewest, first seed; black: instances that really run";
    sheet.title(&shorten(&title, 90), about);
    let drawn = drawn(report);
    legend(sheet, report, &drawn);
    for fault in 0..report.sweep.faults.len() {
        let (row, column) = ((fault / COLUMNS) as i32, (fault % COLUMNS) as i32);
        let at = (MARGIN + column * PANEL.0, TOP + row * PANEL.1);
        panel(sheet, report, &drawn, fault, at);
    }
}

fn legend<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, report: &TuneReport<'_>, drawn: &[usize]) {
    let (mut x, y) = (MARGIN + 10, TOP - 30);
    for (line, setting) in drawn.iter().enumerate() {
        let (stroke, is_recommended) = stroke(report, line, drawn.len(), *setting);
        sheet.line(&[(x, y), (x + 22, y)], stroke);
        let name = shorten(&report.label(*setting), 24);
        let colour = if is_recommended { FAULT } else { INK };
        let name = if is_recommended { format!("{name} (recommended)") } else { name };
        sheet.text(&name, (x + 28, y), 13, colour, (HPos::Left, VPos::Center));
        x += 28 + 8 * name.chars().count() as i32 + 20;
    }
}

/// The line of a setting, and whether it is the recommended one.
fn stroke(report: &TuneReport<'_>, line: usize, lines: usize, setting: usize) -> (Stroke, bool) {
    let is_recommended = setting == report.analysis.recommended;
    // Few lines are spread over all colours.
    let colour = COLOURS[line * (MOST_LINES - 1) / (lines - 1).max(1)];
    let colour = if is_recommended { FAULT } else { colour };
    (Stroke::solid(colour, if is_recommended { 3 } else { 2 }), is_recommended)
}

fn panel<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    report: &TuneReport<'_>,
    drawn: &[usize],
    fault: usize,
    (left, top): (i32, i32),
) {
    let sweep = report.sweep;
    let line = |(line, setting): (usize, &usize)| {
        let is_it = |cell: &Cell| cell.setting == *setting && cell.fault == fault;
        let number = sweep.cells.iter().position(is_it)?;
        let row = report.rows.get(&(number as u32, sweep.seeds().next()?))?;
        Some(Line { line, setting: *setting, cell: &sweep.cells[number], sizes: &row.sizes })
    };
    let lines: Vec<Line<'_>> = drawn.iter().enumerate().filter_map(line).collect();
    let sizes = lines.iter().flat_map(|line| line.sizes.iter());
    let most = sizes.map(|size| size.alive.max(size.least.unwrap_or(0).unsigned_abs())).max();
    let (most, step) = value_ticks(most.unwrap_or(0) as f64, true);
    let longest = lines.iter().map(|line| line.cell.duration).max().unwrap_or_default();
    let (first, bottom) = (top + 22, top + PANEL.1 - 28);
    let end = Instant::ZERO + longest;
    let axes = Axes::between((left + 48, left + PANEL.0 - 14), (first, bottom), end, most);
    sheet.text(&sweep.faults[fault].name, (axes.left, top + 1), 14, INK, (HPos::Left, VPos::Top));
    let room = 58_usize.saturating_sub(sweep.faults[fault].name.chars().count());
    let about = shorten(&sweep.faults[fault].about, room);
    sheet.text(&about, (axes.right, top + 4), 11, GREY, (HPos::Right, VPos::Top));
    let mut tick = 0.0;
    while tick <= most {
        let y = axes.y(tick);
        sheet.line(&[(axes.left, y), (axes.right, y)], Stroke::solid(FAINT, 1));
        // Half as many labels as lines.
        if (tick / step).round() as i64 % 2 == 0 {
            let label = value_label(tick, step);
            sheet.text(&label, (axes.left - 6, y), 10, GREY, (HPos::Right, VPos::Center));
        }
        tick += step;
    }
    if let Some(line) = lines.first() {
        times(sheet, &axes, line.cell.since, longest);
    }
    let curve = |line: &Line<'_>, of: fn(&Size) -> Option<f64>| -> Vec<(i32, i32)> {
        let mut points: Vec<(i32, i32)> = Vec::new();
        for (place, size) in line.sizes.iter().enumerate() {
            let Some(value) = of(size) else { continue };
            let at = Instant::ZERO + line.cell.sampled().saturating_mul(place as u64);
            let (x, y) = (axes.x(at), axes.y(value));
            points.extend(points.last().map(|last| (x, last.1)));
            points.push((x, y));
        }
        points
    };
    if let Some(line) = lines.first() {
        let alive = curve(line, |size| Some(size.alive as f64));
        sheet.line(&alive, Stroke::solid(ALIVE, 2));
    }
    // The recommended one lies above the others.
    let mut order: Vec<&Line<'_>> = lines.iter().collect();
    order.sort_by_key(|line| line.setting == report.analysis.recommended);
    for line in order {
        let points = curve(line, |size| size.least.map(|least| least as f64));
        sheet.line(&points, stroke(report, line.line, drawn.len(), line.setting).0);
    }
}

/// When the costs begin to count and when the run ends.
fn times<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    axes: &Axes,
    since: Instant,
    duration: Span,
) {
    let x = axes.x(since);
    sheet.line(&[(x, axes.top), (x, axes.bottom)], Stroke::solid(FAULT, 1));
    let label = time_label(Span::from_nanos(since.nanos()));
    sheet.text(&label, (x, axes.bottom + 4), 10, FAULT, (HPos::Center, VPos::Top));
    let label = time_label(duration);
    sheet.text(&label, (axes.right, axes.bottom + 4), 10, GREY, (HPos::Right, VPos::Top));
}
