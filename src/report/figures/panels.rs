//! The panels of the figures.

use plotters::prelude::DrawingBackend;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::MOST_SERVERS;
use super::draw::{Axes, Dash, LEFT, Sheet, Stroke, shorten};
use super::palette::{ALIVE, FAINT, FAULT, GREY, INK, server_colour};
use super::scale::{time_label, time_step, value_label, value_ticks};
use crate::observe::{FaultWindow, Recording, Row, TrafficPoint};
use crate::scenario::Plan;
use crate::sim::{HostId, TrafficCounts};
use crate::time::{Instant, Span};

/// Height of a lane.
const LANE: i32 = 24;
/// Most rows of labels for faults above a panel.
pub(super) const LABEL_ROWS: usize = 3;
/// Height of a row.
pub(super) const LABEL_HEIGHT: i32 = 14;

/// The least compensation time that is shown.
const WORTH_SHOWING_MS: i64 = 1000;
/// Length of the dots of thresholds.
const DOT: f64 = 3.0;

/// A line of a panel: points in time, and what it is called at its end.
pub(super) struct Curve {
    pub(super) points: Vec<(Instant, f64)>,
    pub(super) stroke: Stroke,
    pub(super) label: String,
}

/// A panel of curves: where it stands and what is written around it.
pub(super) struct Panel<'a> {
    /// Top and bottom.
    pub(super) span: (i32, i32),
    pub(super) title: &'a str,
    /// Faults are named above it.
    pub(super) names_faults: bool,
    pub(super) values: Values,
}

/// What the values of a panel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Whole numbers: so are the ticks.
    Whole,
    /// Numbers.
    Decimal,
    /// 0 or 1.
    Flag,
}

impl<'a> Panel<'a> {
    /// Of whole numbers.
    pub(super) const fn new(span: (i32, i32), title: &'a str, names_faults: bool) -> Self {
        Self { span, title, names_faults, values: Values::Whole }
    }
}

/// Registered instances of each server against those really alive.
pub(super) fn registry_size<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    span: (i32, i32),
) {
    let title = "Registered instances of each server, and those really alive";
    chart(sheet, plan, recording, &Panel::new(span, title, true), &registered(recording));
}

/// What each server has registered, and last who is really alive.
pub(super) fn registered(recording: &Recording) -> Vec<Curve> {
    let mut curves: Vec<Curve> = servers(recording)
        .map(|(index, name)| {
            let size = |row: &Row| row.gauges.local_registry_size as f64;
            curve(recording, index, Stroke::server(index), name, of_rows(recording, index, size))
        })
        .collect();
    let rows = recording.series.rows();
    let alive = rows.iter().map(|row| (row.at, row.alive as f64)).collect();
    let label = "really alive".to_owned();
    curves.push(Curve { points: alive, stroke: Stroke::solid(ALIVE, 1), label });
    curves
}

/// Renewals in the last complete minute at each server.
pub(super) fn renewals(recording: &Recording) -> Vec<Curve> {
    let of_server = |(index, name): (usize, &str)| {
        let renews = |row: &Row| row.gauges.num_of_renews_in_last_min as f64;
        let renews = of_rows(recording, index, renews);
        curve(recording, index, Stroke::server(index), name, renews)
    };
    servers(recording).map(of_server).collect()
}

/// Renewals in the last complete minute against the threshold.
pub(super) fn renew_rates<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    span: (i32, i32),
) {
    let mut curves = Vec::new();
    for ((index, _), renewals) in servers(recording).zip(renewals(recording)) {
        let rate = recording
            .timespans
            .rates()
            .iter()
            .filter(|point| point.server == HostId::new(index))
            .map(|point| (point.at, point.per_minute as f64));
        let colour = server_colour(index).mix(0.3);
        let stroke = Stroke { colour, width: 1, dash: None };
        curves.push(Curve { points: rate.collect(), stroke, label: String::new() });
        curves.push(renewals);
    }
    let count = servers(recording).count();
    for (index, name) in servers(recording) {
        let threshold = |row: &Row| f64::from(row.gauges.num_of_renews_per_min_threshold);
        let colour = server_colour(index).to_rgba();
        // Equal thresholds show as dots of all their colours.
        let gap = DOT * (2.0 * count as f64 - 1.0);
        let dash = Dash { ink: DOT, gap, first_gap: 2.0 * DOT * index as f64 };
        let stroke = Stroke { colour, width: 2, dash: Some(dash) };
        let label = format!("{name} threshold");
        let threshold = of_rows(recording, index, threshold);
        curves.push(curve(recording, index, stroke, &label, threshold));
    }
    let title = "Renewals in the last complete minute (faint: as they arrive), and the threshold \
                 they must exceed";
    chart(sheet, plan, recording, &Panel::new(span, title, true), &curves);
}

/// What each run of the eviction task found and did.
pub(super) fn evictions<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    span: (i32, i32),
) {
    let runs: Vec<_> = recording
        .timespans
        .evictions()
        .iter()
        .filter(|run| run.expired > 0 || run.compensation_ms >= WORTH_SHOWING_MS)
        .filter(|run| run.server.index() < MOST_SERVERS)
        .collect();
    let most = runs.iter().map(|run| run.expired.max(run.evicted)).max().unwrap_or(0) as f64;
    let title = "Runs of the eviction task: expired (ring), limit (bar), evicted (dot)";
    let axes = frame(sheet, plan, recording, &Panel::new(span, title, false), most);
    if runs.iter().all(|run| run.expired == 0) {
        let middle = ((axes.left + axes.right) / 2, (axes.top + axes.bottom) / 2);
        sheet.text("no lease ever expired", middle, 14, GREY, (HPos::Center, VPos::Center));
    }
    for run in runs {
        let index = run.server.index();
        let colour = server_colour(index);
        let x = axes.x(run.at) + 5 * index as i32;
        let line = [(x, axes.y(0.0)), (x, axes.y(run.expired as f64))];
        sheet.line(&line, Stroke::solid(colour, 1));
        sheet.disc((x, axes.y(run.expired as f64)), 4, colour, false);
        let limit = axes.y(run.limit as f64);
        if run.limit as f64 <= most {
            sheet.line(&[(x - 5, limit), (x + 5, limit)], Stroke::solid(INK, 2));
        }
        if run.evicted > 0 {
            sheet.disc((x, axes.y(run.evicted as f64)), 4, colour, true);
        }
        if run.compensation_ms >= WORTH_SHOWING_MS {
            let late = Span::from_secs(run.compensation_ms.unsigned_abs() / 1000);
            let text = format!("{late} late: {late} more for every lease");
            let at = (x + 7, axes.y(run.expired as f64) - 3);
            sheet.text(&text, at, 12, GREY, (HPos::Left, VPos::Bottom));
        }
    }
}

/// Pixels that the panels of calls need: none if nobody calls.
pub(super) fn traffic_height(recording: &Recording) -> u32 {
    if recording.traffic.points().is_empty() { 0 } else { 130 + 190 }
}

/// Calls in a second, and below them those that failed or went to the dead, which are few.
pub(super) fn traffic<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    (top, bottom): (i32, i32),
) {
    if top == bottom {
        return;
    }
    let line = |label: &str, stroke: Stroke, count: fn(&TrafficCounts) -> u64| {
        let point = |point: &TrafficPoint| {
            let seconds = point.to.since(point.from).nanos() as f64 / 1e9;
            // A step goes on from its point, which is where the piece begins.
            (point.from, count(&point.counts) as f64 / seconds)
        };
        let pieces = recording.traffic.points();
        let mut points: Vec<_> = pieces.iter().map(point).collect();
        points.extend(pieces.last().map(|last| (last.to, point(last).1)));
        Curve { points, stroke, label: label.to_owned() }
    };
    let calls = line("calls", Stroke::solid(ALIVE, 1), |counts| counts.calls);
    let panel = Panel::new((top, top + 130), "Calls in a second", false);
    chart(sheet, plan, recording, &panel, &[calls]);
    let failed = line("failed", Stroke::solid(FAULT, 2), |counts| counts.failed);
    let to_dead = line("to the dead", Stroke::solid(ALIVE, 1), |counts| counts.to_dead);
    let title = "In a second: attempts sent to instances that were dead, and calls that failed";
    let panel = Panel::new((top + 130, bottom), title, false);
    chart(sheet, plan, recording, &panel, &[to_dead, failed]);
}

/// Pixels that the lanes need.
pub(super) fn lanes_height(recording: &Recording) -> u32 {
    let lanes = recording.labels.servers().len().min(MOST_SERVERS) as i32;
    (64 + LANE * lanes).unsigned_abs()
}

/// When each server was in self-preservation.
pub(super) fn lanes<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    top: i32,
) {
    let count = recording.labels.servers().len().min(MOST_SERVERS) as i32;
    let (top, bottom) = (top + 26, top + 26 + LANE * count);
    let duration = plan.setup.duration;
    let axes = Axes::new(sheet.width, (top, bottom), duration, 1.0);
    let title = "Self-preservation: nothing is evicted";
    sheet.text(title, (LEFT, top - 6), 14, INK, (HPos::Left, VPos::Bottom));
    shade(sheet, &axes, recording, false);
    time_ticks(sheet, &axes, duration, true);
    for (index, name) in servers(recording) {
        let y = top + LANE * index as i32;
        let name = shorten(name, 18);
        let at = (axes.right + 8, y + LANE / 2);
        sheet.text(&name, at, 13, INK, (HPos::Left, VPos::Center));
        let of_server = recording.timespans.lanes().iter();
        for lane in of_server.filter(|lane| lane.server == HostId::new(index)) {
            let (from, to) = (axes.x(lane.from), axes.x(lane.to.unwrap_or(duration)));
            hatch(sheet, (from, y + 4), (to.max(from + 1), y + LANE - 4), index);
        }
    }
    sheet.frame((axes.left, top), (axes.right, bottom), FAINT);
}

/// A hatched bar: seen also in black and white.
fn hatch<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    from: (i32, i32),
    to: (i32, i32),
    index: usize,
) {
    let colour = server_colour(index);
    sheet.rectangle(from, to, colour.mix(0.25));
    let height = to.1 - from.1;
    let mut x = from.0 - height;
    while x < to.0 {
        // The part of a rising line that lies within the bar.
        let start = (x.max(from.0), to.1 - (x.max(from.0) - x));
        let end_x = (x + height).min(to.0);
        let end = (end_x, to.1 - (end_x - x));
        if end.0 > start.0 {
            sheet.line(&[start, end], Stroke::solid(colour, 1));
        }
        x += 7;
    }
    sheet.frame(from, to, colour);
}

/// The servers that are drawn.
pub(super) fn servers(recording: &Recording) -> impl Iterator<Item = (usize, &str)> {
    recording.labels.servers().iter().take(MOST_SERVERS).map(String::as_str).enumerate()
}

/// A value of a server over time, from the series.
pub(super) fn of_rows<'a>(
    recording: &'a Recording,
    index: usize,
    value: impl Fn(&Row) -> f64 + 'a,
) -> impl Iterator<Item = (Instant, f64)> + 'a {
    let server = HostId::new(index);
    let rows = recording.series.rows().iter().filter(move |row| row.server == server);
    rows.map(move |row| (row.at, value(row)))
}

/// A curve of a server; broken where its process did not run.
pub(super) fn curve(
    recording: &Recording,
    index: usize,
    stroke: Stroke,
    label: &str,
    points: impl Iterator<Item = (Instant, f64)>,
) -> Curve {
    let points = broken(recording, &[HostId::new(index)], points);
    Curve { points, stroke, label: label.to_owned() }
}

/// Values over time up to the end of the processes that they are of, and again from the next one.
pub(super) fn broken(
    recording: &Recording,
    servers: &[HostId],
    values: impl Iterator<Item = (Instant, f64)>,
) -> Vec<(Instant, f64)> {
    let ends = recording.timespans.ends().iter();
    let mut ends = ends.filter(|end| servers.contains(&end.server)).map(|end| end.at).peekable();
    let mut points: Vec<(Instant, f64)> = Vec::new();
    let end_at = |points: &mut Vec<(Instant, f64)>, end: Instant| {
        if let Some(&(_, last)) = points.last() {
            points.extend([(end, last), (end, f64::NAN)]);
        }
    };
    for (at, value) in values {
        while let Some(end) = ends.next_if(|end| *end <= at) {
            end_at(&mut points, end);
        }
        points.push((at, value));
    }
    ends.for_each(|end| end_at(&mut points, end));
    points
}

/// A panel of curves.
pub(super) fn chart<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    panel: &Panel<'_>,
    curves: &[Curve],
) -> Axes {
    // What has no label is an extra, and may be cut off.
    let labelled = curves.iter().filter(|curve| !curve.label.is_empty());
    let values = labelled.flat_map(|curve| curve.points.iter().map(|(_, value)| *value));
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    let axes = frame(sheet, plan, recording, panel, most);
    for curve in curves {
        for piece in steps(&axes, &curve.points) {
            sheet.line(&piece, curve.stroke);
        }
    }
    end_labels(sheet, &axes, curves);
    axes
}

/// Frame, grid, ticks and faults of a panel; the mapping of its values.
fn frame<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    panel: &Panel<'_>,
    most: f64,
) -> Axes {
    let Panel { span: (top, bottom), title, names_faults: labels, values } = *panel;
    let (most, step) = match values {
        Values::Flag => (1.0, 1.0),
        Values::Whole => value_ticks(most * 1.05, true),
        Values::Decimal => value_ticks(most * 1.05, false),
    };
    let duration = plan.setup.duration;
    let mut axes = Axes::new(sheet.width, (top + 26, bottom - 24), duration, most);
    if labels {
        let rows = fault_labels(sheet.width, &axes, recording.timespans.faults())
            .into_iter()
            .map(|(.., row)| row + 1);
        axes.top += LABEL_HEIGHT * rows.max().unwrap_or(0) as i32;
    }
    sheet.text(title, (LEFT, top + 4), 14, INK, (HPos::Left, VPos::Top));
    shade(sheet, &axes, recording, labels);
    for tick in 0..=(most / step).round() as u32 {
        let tick = f64::from(tick) * step;
        let y = axes.y(tick);
        sheet.line(&[(axes.left, y), (axes.right, y)], Stroke::solid(FAINT, 1));
        let at = (axes.left - 8, y);
        sheet.text(&value_label(tick, step), at, 12, GREY, (HPos::Right, VPos::Center));
    }
    time_ticks(sheet, &axes, duration, true);
    axes
}

pub(super) fn time_ticks<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    axes: &Axes,
    duration: Instant,
    labelled: bool,
) {
    let step = time_step(Span::from_nanos(duration.nanos()));
    let mut tick = Instant::ZERO;
    while tick <= duration {
        let x = axes.x(tick);
        sheet.line(&[(x, axes.bottom), (x, axes.bottom + 4)], Stroke::solid(GREY, 1));
        if labelled {
            let text = time_label(Span::from_nanos(tick.nanos()));
            sheet.text(&text, (x, axes.bottom + 7), 12, GREY, (HPos::Center, VPos::Top));
        }
        tick += step;
    }
    sheet.line(&[(axes.left, axes.bottom), (axes.right, axes.bottom)], Stroke::solid(GREY, 1));
}

/// Faults behind a panel: shaded while they last, a line if they are over at once; named above the
/// panel if that is wanted.
pub(super) fn shade<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    axes: &Axes,
    recording: &Recording,
    labels: bool,
) {
    shade_faults(sheet, axes, recording.timespans.faults(), labels);
}

/// The same of faults that are given.
pub(super) fn shade_faults<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    axes: &Axes,
    faults: &[FaultWindow],
    labels: bool,
) {
    for fault in faults {
        let (from, to) = (axes.x(fault.from), axes.x(fault.to));
        if fault.to > fault.from {
            sheet.rectangle((from, axes.top), (to.max(from + 1), axes.bottom), FAULT.mix(0.10));
        }
        let edge = Stroke { dash: Some(Dash::new(3.0, 3.0)), ..Stroke::solid(FAULT, 1) };
        sheet.line(&[(from, axes.top), (from, axes.bottom)], edge);
    }
    if labels {
        for (text, x, row) in fault_labels(sheet.width, axes, faults) {
            let y = axes.top - 3 - LABEL_HEIGHT * row as i32;
            sheet.text(&text, (x, y), 12, FAULT, (HPos::Left, VPos::Bottom));
        }
    }
}

/// The names of faults, where they begin and in which row; those that find no room are left out.
fn fault_labels(width: i32, axes: &Axes, faults: &[FaultWindow]) -> Vec<(String, i32, usize)> {
    const LETTER: i32 = 7;
    let mut rows_end = [i32::MIN; LABEL_ROWS];
    let mut labels = Vec::new();
    for fault in faults {
        let text = shorten(&fault.what, 30);
        let length = LETTER * text.chars().count() as i32;
        // A label that would leave the sheet ends where it stands instead.
        let x = axes.x(fault.from).min(width - 8 - length);
        if let Some(row) = rows_end.iter().position(|end| *end < x) {
            rows_end[row] = x + length + 8;
            labels.push((text, x, row));
        }
    }
    labels
}

/// A step line in pixels: of many points in one column, those that are seen.
pub(super) fn steps(axes: &Axes, points: &[(Instant, f64)]) -> Vec<Vec<(i32, i32)>> {
    let mut pieces = vec![Vec::new()];
    let mut last_y: Option<i32> = None;
    for (at, value) in points {
        let piece: &mut Vec<(i32, i32)> = pieces.last_mut().expect("there is always a piece");
        if !value.is_finite() {
            pieces.push(Vec::new());
            last_y = None;
            continue;
        }
        let (x, y) = (axes.x(*at), axes.y(*value));
        if let Some(last) = last_y {
            push(piece, (x, last));
        }
        push(piece, (x, y));
        last_y = Some(y);
    }
    pieces
}

/// Adds a point; of those in one column, only the extremes and the last matter.
fn push(piece: &mut Vec<(i32, i32)>, point: (i32, i32)) {
    if piece.last() == Some(&point) {
        return;
    }
    if let [.., a, b] = piece.as_slice() {
        let flat = a.1 == b.1 && b.1 == point.1;
        let upright =
            a.0 == b.0 && b.0 == point.0 && (b.1 - a.1).signum() == (point.1 - b.1).signum();
        if flat || upright {
            piece.pop();
        }
    }
    piece.push(point);
}

/// Names at the ends of lines, moved apart where they would overlap.
fn end_labels<DB: DrawingBackend>(sheet: &mut Sheet<'_, DB>, axes: &Axes, curves: &[Curve]) {
    const HEIGHT: i32 = 15;
    let mut labels: Vec<(i32, &Curve)> = curves
        .iter()
        .filter(|curve| !curve.label.is_empty())
        .filter_map(|curve| {
            let (_, value) = curve.points.iter().rev().find(|(_, value)| value.is_finite())?;
            Some((axes.y(*value), curve))
        })
        .collect();
    labels.sort_by_key(|(y, _)| *y);
    let mut lowest = axes.top;
    for label in &mut labels {
        label.0 = label.0.max(lowest);
        lowest = label.0 + HEIGHT;
    }
    // What was pushed below the panel moves back up, and pushes the others.
    let mut highest = axes.bottom + HEIGHT;
    for label in labels.iter_mut().rev() {
        label.0 = label.0.min(highest - HEIGHT);
        highest = label.0;
    }
    for (y, curve) in labels {
        let x = axes.right + 6;
        // In the sample a dash begins at once, and comes twice.
        let dash =
            curve.stroke.dash.map(|dash| Dash { gap: dash.gap.min(4.0), first_gap: 0.0, ..dash });
        sheet.line(&[(x, y), (x + 18, y)], Stroke { dash, ..curve.stroke });
        let text = shorten(&curve.label, 22);
        sheet.text(&text, (x + 22, y), 13, INK, (HPos::Left, VPos::Center));
    }
}
