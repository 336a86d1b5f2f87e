//! Why a setting is recommended, in sentences with numbers.

use super::head_room::{HeadRoom, read_timeout, round_trip};
use super::{label, names};
use crate::study::tune::{Analysis, CellCosts, Estimate, Sweep};

/// What a fault is called that is swept without anybody dying.
const LOSS: (&str, &str) = ("loss-", "-percent");
const ROUND_TRIP: (&str, &str) = ("round-trip-", "s");

/// The sentences, the most important first: what it costs against what there is, its head-room, what it did
/// in each fault.
pub(super) fn why(sweep: &Sweep, analysis: &Analysis) -> Vec<String> {
    let mut why = vec![against_the_present(sweep, analysis)];
    why.extend(head_room(sweep, analysis));
    why.extend(swept(sweep, analysis, ROUND_TRIP, " s more for every request"));
    why.extend(swept(sweep, analysis, LOSS, " % of all messages lost"));
    why
}

/// `12.3 ± 0.4`
pub(super) fn with_interval(of: &Estimate) -> String {
    match of.half_width {
        Some(half_width) if half_width >= 0.05 => format!("{:.1} ± {half_width:.1}", of.mean),
        _ => format!("{:.1}", of.mean),
    }
}

fn against_the_present(sweep: &Sweep, analysis: &Analysis) -> String {
    let Analysis { recommended, cheapest, .. } = *analysis;
    let what = format!("{} {}", names(sweep), label(sweep, recommended));
    let costs = &analysis.settings[recommended];
    let parts = analysis.weights.named().into_iter().filter(|(_, weight)| *weight > 0.0);
    let weights: Vec<String> = parts.map(|(name, weight)| format!("{name}={weight}")).collect();
    let weighs = format!("{} (with {})", with_interval(&costs.weighted), weights.join(", "));
    let is_present = sweep.present == Some(recommended);
    let others = (0..analysis.settings.len()).filter(|other| *other != recommended);
    let next = others.min_by(|a, b| {
        let mean = |of: usize| analysis.settings[of].weighted.mean;
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
            let more = above(next);
            let more = match more.mean == 0.0 {
                true => "the same".to_owned(),
                false => format!("{} more", with_interval(more)),
            };
            format!(
                "{what}{said} weighs least: {weighs}; the next, {}, weighs {more}",
                label(sweep, next)
            )
        }
        _ => format!("{what} is the only setting: it weighs {weighs}"),
    }
}

fn head_room(sweep: &Sweep, analysis: &Analysis) -> Vec<String> {
    let plan = &sweep.settings[analysis.recommended].plan;
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
            "head-room in deaths: {deaths} of {instances} instances may die at once and are evicted, at most \
             {eviction_limit} in a run; one more, and of {renewals} renewals a minute no more than {threshold} are left"
        ),
    }];
    let wait = read_timeout(plan).map(|wait| wait.nanos() as f64 / 1e9);
    let now = round_trip(plan).nanos() as f64 / 1e9;
    sentences.push(match wait.filter(|wait| heartbeat >= *wait) {
        Some(wait) => format!(
            "head-room in latency: heartbeats as slow as a client waits for ({wait} s) leave the threshold \
             untouched (it would take {heartbeat:.2} s); they take {now:.3} s"
        ),
        None => format!(
            "head-room in latency: heartbeats may take {heartbeat:.2} s on average before protection begins by \
             itself; they take {now:.3} s"
        ),
    });
    sentences
}

/// What was swept without anybody dying: up to where protection did not begin by itself.
fn swept(
    sweep: &Sweep,
    analysis: &Analysis,
    (before, after): (&str, &str),
    unit: &str,
) -> Option<String> {
    let of = |cell: &CellCosts| {
        let place = &sweep.cells[cell.cell];
        let name = &sweep.faults[place.fault].name;
        let number = name.strip_prefix(before)?.strip_suffix(after)?.parse::<u64>().ok()?;
        (place.setting == analysis.recommended).then_some((number, cell.false_minutes.mean))
    };
    let mut steps: Vec<(u64, f64)> = analysis.cells.iter().filter_map(of).collect();
    steps.sort_by_key(|(number, _)| *number);
    let what = if before == LOSS.0 { "packet loss" } else { "slow heartbeats" };
    let first = steps.iter().position(|(_, minutes)| *minutes > 0.0);
    let (last, _) = steps.last()?;
    let Some(first) = first else {
        return Some(format!(
            "{what}, simulated: up to {last}{unit} protection never begins by itself"
        ));
    };
    let (number, minutes) = steps[first];
    let good = first.checked_sub(1).map(|before| steps[before].0);
    let (only, good) = match good {
        Some(good) => ("", format!("up to {good}{unit} protection never begins by itself, ")),
        None => ("already ", String::new()),
    };
    Some(format!(
        "{what}, simulated: {good}with {number}{unit} it {only}does, for {minutes:.1} minutes at all servers \
         together"
    ))
}

/// What a setting did in a fault.
pub(super) fn outcome(cell: &CellCosts) -> String {
    let each = |number: f64| number / cell.servers.max(1.0);
    let mut parts = Vec::new();
    let dead = cell.evicted - cell.evicted_healthy.mean;
    if dead > 0.0 {
        parts.push(format!("{} dead evicted", number(each(dead))));
    }
    if cell.ghosts_left > 0.0 {
        parts.push(format!("{} dead still there at the end", number(each(cell.ghosts_left))));
    }
    if cell.evicted_healthy.mean > 0.0 {
        parts.push(format!(
            "{} healthy evicted, missing for {} min",
            number(each(cell.evicted_healthy.mean)),
            number(each(cell.healthy_minutes.mean)),
        ));
    }
    if cell.false_minutes.mean > 0.0 {
        parts.push(format!(
            "protected without a reason for {} min",
            number(each(cell.false_minutes.mean))
        ));
    }
    if cell.calls_to_dead.mean > 0.0 {
        parts.push(format!("{} calls to the dead", number(cell.calls_to_dead.mean)));
    }
    match parts.as_slice() {
        [] => "nobody evicted, nobody kept".to_owned(),
        parts => parts.join("; "),
    }
}

/// With one decimal, where it says something.
fn number(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
