//! `deploy`: the instances of an application are replaced, batch by batch.

use super::apps::warn_late;
use super::build::Builder;
use super::fleet::{Moment, Reading, times};
use super::reader::{Reader, share};
use super::tree::Value;
use crate::sim::{Action, FleetChange, Take};
use crate::time::Span;

/// Time between two batches if nothing is said.
const EVERY: Span = Span::from_secs(30);
/// Time between the end of a process and the start of its replacement if nothing is said.
const DOWN: Span = Span::from_secs(5);

/// Reads one, and notes what it does.
pub(super) fn read(reading: &mut Reading<'_, '_>, builder: &mut Builder) {
    let Reading { reader, app, when } = reading;
    let batch = batch(reader, builder);
    let diags = &mut builder.diags;
    let every = reader.duration("every", diags).map_or(EVERY, |every| every.value);
    let down = reader.duration("down", diags).map_or(DOWN, |down| down.value);
    let graceful = reader.flag("graceful", diags).unwrap_or(true);
    let new_ids = reader.flag("new-ids", diags).unwrap_or(true);
    let (Some(app), Some(batch)) = (*app, batch) else {
        return;
    };
    let Moment { at, entry } = *when;
    let size = builder.fleets.size(app, *when);
    let batch = batch.of(size).max(1);
    let batches = size.div_ceil(batch);
    let done = times(at, every, batches, builder.duration);
    let at_most = size.min(done.saturating_mul(batch));
    if !builder.count_changes(at_most, &reader.place) {
        return;
    }
    if new_ids {
        builder.count_instances(at_most as u64, &reader.place);
        builder.fleets.renames(entry, reader.key_place("new-ids"));
    }
    let time = |step: usize| at + every.saturating_mul(step as u64);
    let mut replaced = 0;
    for step in 0..done {
        let at = time(step);
        // Those that were removed meanwhile are not replaced.
        let end = size.min((step + 1) * batch).min(builder.fleets.size(app, Moment { at, entry }));
        if step * batch < end {
            replaced += end - step * batch;
            builder.fleets.step((app, *when), at, FleetChange::Replace, step * batch..end);
        }
    }
    if done < batches {
        let what = format!("{} of {batches} batches would be replaced", batches - done);
        warn_late(what, &reader.key_place("every"), builder);
    }
    let effect = match done {
        0 => "nothing to do, there are none".to_owned(),
        1 => format!("replaces {replaced} at once"),
        _ => {
            let last = time(done - 1);
            format!("replaces {replaced} in {done} batches of {batch}, the last at {last}")
        }
    };
    builder.fleets.entry(entry, Action::Deploy { graceful, down }, effect);
}

/// `batch`: how many are replaced together.
fn batch(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Take> {
    let Some(node) = reader.node("batch") else {
        return Some(Take::Count(1));
    };
    let take = match node.value {
        Value::Int(count) => Some(Take::Count(usize::try_from(count).unwrap_or_default())),
        _ => share(node, &mut builder.diags).map(Take::Share),
    };
    if matches!(take, Some(Take::Count(0) | Take::Share(0))) {
        builder.diags.out_of_range(&node.place, "`batch`", "at least 1, or a share above 0");
        return None;
    }
    take
}
