//! Why a setting is recommended, in sentences with numbers.

use super::head_room::{HeadRoom, read_timeout, round_trip};
use super::{label, names};
use crate::scenario::Plan;
use crate::study::tune::{Analysis, CellCosts, Estimate, Sweep};

/// What a fault is called that is swept without anybody dying.
const LOSS: (&str, &str) = ("loss-", "-percent");
const ROUND_TRIP: (&str, &str) = ("round-trip-", "s");

/// The sentences, the most important first: what it costs against what there is, its head-room, what it did
/// in each fault.
pub(super) fn why(sweep: &Sweep, analysis: &Analysis, plan: &Plan) -> Vec<String> {
    let mut why = vec![against_the_present(sweep, analysis)];
    why.extend(head_room(plan));
    why.extend(swept(sweep, analysis, ROUND_TRIP, " s more for every request"));
    why.extend(swept(sweep, analysis, LOSS, " % of all messages lost"));
    why
}

/// `12.3 ± 0.4`
pub(super) fn with_interval(of: &Estimate) -> String {
    let mean = format!("{:.1}", of.mean);
    let mean = if mean == "-0.0" { "0.0" } else { &mean };
    match of.half_width {
        Some(half_width) if half_width >= 0.05 => format!("{mean} ± {half_width:.1}"),
        _ => mean.to_owned(),
    }
}

fn against_the_present(sweep: &Sweep, analysis: &Analysis) -> String {
    let recommended = analysis.recommended;
    let is_cheaper = analysis.settings[analysis.cheapest].above_recommended.mean < 0.0;
    let cheapest = if is_cheaper { analysis.cheapest } else { recommended };
    let what = format!("{} {}", names(sweep), label(sweep, recommended));
    let costs = &analysis.settings[recommended];
    let parts = analysis.weights.named().into_iter().filter(|(_, weight)| *weight > 0.0);
    let weights: Vec<String> = parts.map(|(name, weight)| format!("{name}={weight}")).collect();
    let same: Vec<String> = (0..analysis.settings.len())
        .filter(|other| *other != recommended)
        .filter(|other| analysis.settings[*other].above_recommended.mean == 0.0)
        .map(|other| label(sweep, other))
        .collect();
    let so_do = match same.as_slice() {
        [] => String::new(),
        [only] => format!(", as does {only}"),
        [first, .., last] => format!(", as do {} others from {first} to {last}", same.len()),
    };
    let weighs =
        format!("{} (with {}){so_do}", with_interval(&costs.means.weighted), weights.join(", "));
    let is_present = sweep.present == Some(recommended);
    let costlier = |other: &usize| analysis.settings[*other].above_recommended.mean > 0.0;
    let next = (0..analysis.settings.len()).filter(costlier).min_by(|a, b| {
        let mean = |of: usize| analysis.settings[of].means.weighted.mean;
        mean(*a).total_cmp(&mean(*b))
    });
    let above = |setting: usize| &analysis.settings[setting].above_recommended;
    match (sweep.present, next) {
        _ if is_present && cheapest != recommended => {
            let less = Estimate { mean: -above(cheapest).mean, ..*above(cheapest) };
            format!(
                "{what}, what the file says, weighs {weighs}; {} weighs {} less, which these seeds cannot tell \
                 from nothing: there is no reason to change it",
                label(sweep, cheapest),
                with_interval(&less),
            )
        }
        (Some(present), _) if !is_present && cheapest != recommended => {
            let less = Estimate { mean: -above(cheapest).mean, ..*above(cheapest) };
            format!(
                "{what} weighs {weighs}; {}, what the file says, weighs {} more; {} weighs {} less than the \
                 recommended, which these seeds cannot tell from nothing, and would be a greater change",
                label(sweep, present),
                with_interval(above(present)),
                label(sweep, cheapest),
                with_interval(&less),
            )
        }
        (Some(present), _) if !is_present => {
            let more = above(present);
            format!(
                "{what} weighs least: {weighs}; {}, what the file says, weighs {} more",
                label(sweep, present),
                with_interval(more),
            )
        }
        (_, Some(next)) => {
            let said = if is_present { ", what the file says," } else { "" };
            format!(
                "{what}{said} weighs least: {weighs}; the next, {}, weighs {} more",
                label(sweep, next),
                with_interval(above(next))
            )
        }
        _ if analysis.settings.len() > 1 => {
            format!("{what} weighs {weighs}: it makes no difference")
        }
        _ => format!("{what} is the only setting: it weighs {weighs}"),
    }
}

fn head_room(plan: &Plan) -> Vec<String> {
    let Some(room) = HeadRoom::of(plan) else {
        return Vec::new();
    };
    let HeadRoom { instances, threshold, renewals, eviction_limit, .. } = room;
    let (Some(deaths), Some(heartbeat)) = (room.deaths, room.heartbeat) else {
        return vec![format!(
            "with everybody well {renewals} renewals a minute come from {instances} instances and more than \
             {threshold} are needed: nothing is ever evicted"
        )];
    };
    let mut sentences = vec![match deaths {
        0 => format!(
            "one death stops eviction: {renewals} renewals a minute come from {instances} instances, and more \
             than {threshold} are needed"
        ),
        deaths => format!(
            "head-room in deaths: {deaths} of {instances} instances (servers' own included) may die at once and are evicted, at most \
             {eviction_limit} in a run; one more, and of {renewals} renewals a minute no more than {threshold} are left"
        ),
    }];
    let wait = read_timeout(plan).map(|wait| wait.nanos() as f64 / 1e9);
    let now = round_trip(plan).nanos() as f64 / 1e9;
    sentences.push(match wait.filter(|wait| heartbeat >= *wait) {
        Some(wait) => format!(
            "head-room in latency: heartbeats as slow as a client waits for ({wait} s) leave the threshold \
             untouched (it would take {heartbeat:.2} s); by [network] they take {now:.3} s"
        ),
        None => format!(
            "head-room in latency: heartbeats may take {heartbeat:.2} s on average before protection begins by \
             itself; by [network] they take {now:.3} s"
        ),
    });
    sentences
}

/// What was swept without anybody dying: up to where nothing came of it.
fn swept(
    sweep: &Sweep,
    analysis: &Analysis,
    (before, after): (&str, &str),
    unit: &str,
) -> Option<String> {
    let of = |cell: &CellCosts| -> Option<(u64, CellCosts)> {
        let place = &sweep.cells[cell.cell];
        let name = &sweep.faults[place.fault].name;
        let number = name.strip_prefix(before)?.strip_suffix(after)?.parse::<u64>().ok()?;
        (place.setting == analysis.recommended).then_some((number, cell.clone()))
    };
    let mut steps: Vec<(u64, CellCosts)> = analysis.cells.iter().filter_map(of).collect();
    steps.sort_by_key(|(number, _)| *number);
    let what = if before == LOSS.0 { "packet loss" } else { "slow heartbeats" };
    let is_harmful = |(_, cell): &(u64, CellCosts)| {
        cell.means.no_eviction_minutes.mean > 0.0 || cell.means.evicted_healthy.mean > 0.0
    };
    let (last, _) = steps.last()?;
    let Some(first) = steps.iter().position(is_harmful) else {
        return Some(format!(
            "{what}, simulated: up to {last}{unit} eviction never stops, and nobody healthy is evicted"
        ));
    };
    let (number, cell) = &steps[first];
    let good = match first.checked_sub(1) {
        Some(before) => format!("harmless up to {}{unit}; ", steps[before].0),
        None => String::new(),
    };
    Some(format!("{what}, simulated: {good}with {number}{unit}: {}", outcome(cell)))
}

/// What a setting did in a fault, at each server on average.
pub(super) fn outcome(cell: &CellCosts) -> String {
    let each = |number: f64| number / cell.servers.max(1.0);
    let mut parts = Vec::new();
    let dead = cell.evicted - cell.means.evicted_healthy.mean;
    if dead > 0.0 {
        parts.push(format!("{} dead evicted", number(each(dead))));
    }
    if cell.ghosts_left > 0.0 {
        parts.push(format!("{} dead still there at the end", number(each(cell.ghosts_left))));
    }
    if cell.means.ghost_minutes.mean > 0.0 {
        parts.push(format!("{} minutes of dead ones", number(each(cell.means.ghost_minutes.mean))));
    }
    if cell.means.evicted_healthy.mean > 0.0 {
        parts.push(format!(
            "{} healthy evicted, missing for {} minutes",
            number(each(cell.means.evicted_healthy.mean)),
            number(each(cell.means.healthy_minutes.mean)),
        ));
    }
    if cell.means.no_eviction_minutes.mean > 0.0 {
        let without = match cell.means.false_minutes.mean {
            0.0 => String::new(),
            minutes => format!(", {} of them without a reason", number(each(minutes))),
        };
        parts.push(format!(
            "no eviction for {} minutes{without}",
            number(each(cell.means.no_eviction_minutes.mean))
        ));
    }
    if cell.means.calls_to_dead.mean > 0.0 {
        parts.push(format!("{} calls to the dead in all", number(cell.means.calls_to_dead.mean)));
    }
    match parts.as_slice() {
        [] => "no cost".to_owned(),
        parts => parts.join("; "),
    }
}

/// With one decimal, where it says something.
fn number(number: f64) -> String {
    let text = format!("{number:.1}");
    match text.strip_suffix(".0") {
        Some("0") if number > 0.0 => "less than 0.1".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}
