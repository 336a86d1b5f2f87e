//! `scale`: instances are added at the end of an application, or removed from its end.

use super::apps::{MOST_INSTANCES, warn_late};
use super::build::Builder;
use super::fleet::{Moment, Reading, times};
use super::reader::required;
use crate::sim::{Action, FleetChange};
use crate::time::Span;

/// Reads one, and notes what it does.
pub(super) fn read(reading: &mut Reading<'_, '_>, builder: &mut Builder) {
    let Reading { reader, app, when } = reading;
    let diags = &mut builder.diags;
    let to = reader.whole("to", 0..=MOST_INSTANCES, diags);
    required(reader, "to", "to = 10", diags);
    let every = reader.duration("every", diags).map_or(Span::ZERO, |every| every.value);
    let graceful = reader.flag("graceful", diags).unwrap_or(true);
    let (Some(app), Some(to)) = (*app, to) else {
        return;
    };
    let Moment { at, entry } = *when;
    builder.fleets.supersede(app, *when, &to.place);
    let (from, to, place) = (builder.fleets.size(app, *when), to.value as usize, to.place);
    let count = to.abs_diff(from);
    let done = times(at, every, count, builder.duration);
    if !builder.count_changes(done, &place) {
        return;
    }
    let (change, does, done_to) = match to > from {
        true => (FleetChange::Add, "adds", "added"),
        false => (FleetChange::Remove, "removes", "removed"),
    };
    let indices = |from_step: usize, to_step: usize| match change {
        FleetChange::Add => from + from_step..from + to_step,
        _ => from - to_step..from - from_step,
    };
    let time = |step: usize| at + every.saturating_mul(step as u64);
    if every.is_zero() && done > 0 {
        builder.fleets.step((app, *when), at, change, indices(0, done));
    } else {
        for step in 0..done {
            builder.fleets.step((app, *when), time(step), change, indices(step, step + 1));
        }
    }
    if done < count {
        let what = format!("{} of {count} instances would be {done_to}", count - done);
        warn_late(what, &reader.key_place("every"), builder);
    }
    let name = builder.names.app_name(app);
    let (first, last) = match change {
        FleetChange::Add => (from, (from + done).saturating_sub(1)),
        _ => (from.saturating_sub(1), from - done),
    };
    let effect = match done {
        0 => format!("nothing to do, there are {from}"),
        1 => format!("{does} {name}/{first}"),
        _ if every.is_zero() => format!("{does} {name}/{first} to {name}/{last}"),
        _ => format!("{does} {name}/{first} to {name}/{last}, the last at {}", time(done - 1)),
    };
    builder.fleets.entry(entry, Action::Scale { graceful }, effect);
}
