//! Lanes of statuses: what an instance says of itself, and below it what each server has of it.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use super::MOST_SERVERS;
use super::draw::{Axes, LEFT, Sheet, shorten};
use super::palette::{FAINT, GREY, INK, status_colour};
use super::panels::{self, LABEL_HEIGHT, LABEL_ROWS};
use crate::observe::{Recording, Seen, StatusLane};
use crate::scenario::Plan;
use crate::sim::HostId;
use crate::time::Instant;

/// Height of a lane.
pub(super) const LANE: i32 = 20;
/// Height of an instance's name above its lanes.
const NAME: i32 = 24;
/// Width of a letter inside a bar.
const LETTER: i32 = 8;

/// What there is to be drawn: the lanes of servers that are drawn elsewhere too.
pub(super) fn drawn(recording: &Recording) -> impl Iterator<Item = &StatusLane> {
    let is_drawn = |server: HostId| server.index() < MOST_SERVERS;
    recording.statuses.lanes().iter().filter(move |lane| lane.server.is_none_or(is_drawn))
}

/// Pixels that all lanes need.
pub(super) fn height(recording: &Recording) -> u32 {
    let height = |lane: &StatusLane| LANE + if lane.server.is_none() { NAME } else { 0 };
    let lanes: i32 = drawn(recording).map(height).sum();
    (lanes + LABEL_HEIGHT * LABEL_ROWS as i32 + 40).unsigned_abs()
}

/// The lanes, from `top` downwards.
pub(super) fn lanes<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    top: i32,
) {
    let bottom = top + height(recording) as i32 - 40;
    let top = top + LABEL_HEIGHT * LABEL_ROWS as i32;
    let axes = Axes::new(sheet.width, (top, bottom), plan.setup.duration, 1.0);
    panels::shade(sheet, &axes, recording, true);
    panels::time_ticks(sheet, &axes, plan.setup.duration, true);
    let mut y = top;
    for lane in drawn(recording) {
        if lane.server.is_none() {
            y += NAME;
            let name = shorten(&lane.instance, 100);
            sheet.text(&name, (LEFT, y - 5), 14, INK, (HPos::Left, VPos::Bottom));
        }
        bars(sheet, &axes, &lane.changes, (y + 2, y + LANE - 2));
        let place = lane.server.map_or("itself", |server| recording.labels.server(server));
        let at = (axes.right + 8, y + LANE / 2);
        sheet.text(&shorten(place, 18), at, 13, INK, (HPos::Left, VPos::Center));
        y += LANE;
    }
}

/// The bars of a lane: coloured where there is a status, with its name where there is room; an empty
/// frame where the server does not know the instance; nothing where nobody runs.
pub(super) fn bars<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    axes: &Axes,
    changes: &[(Instant, Seen)],
    (top, bottom): (i32, i32),
) {
    let ends = changes.iter().skip(1).map(|(at, _)| axes.x(*at)).chain([axes.right]);
    for ((from, seen), to) in changes.iter().zip(ends) {
        let from = axes.x(*from);
        bar(sheet, *seen, (from, top), (to.max(from + 1), bottom));
    }
}

fn bar<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    seen: Seen,
    from: (i32, i32),
    to: (i32, i32),
) {
    let (name, colour) = match seen {
        Seen::Nobody => return,
        Seen::Absent => {
            sheet.frame(from, to, FAINT);
            ("ABSENT", GREY)
        }
        Seen::Status(status) => {
            let colour: RGBColor = status_colour(status);
            sheet.rectangle(from, to, colour.mix(0.45));
            (status.name(), INK)
        }
    };
    let size = (to.1 - from.1 - 4).clamp(8, 12);
    if to.0 - from.0 > LETTER * name.len() as i32 + 8 {
        let at = (from.0 + 5, (from.1 + to.1) / 2);
        sheet.text(name, at, size, colour, (HPos::Left, VPos::Center));
    }
}

/// Whether anybody was ever seen.
pub(super) fn is_of(recording: &Recording) -> bool {
    let is_seen = |(_, seen): &(Instant, Seen)| matches!(seen, Seen::Status(_));
    drawn(recording).any(|lane| lane.changes.iter().any(is_seen))
}
