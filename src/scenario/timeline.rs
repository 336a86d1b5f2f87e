//! `[[timeline]]`: what happens, and when.

use std::collections::BTreeMap;

use super::actions::{ACTIONS, LASTING, Reading};
use super::build::Builder;
use super::cluster::Cluster;
use super::plan::EntryPlan;
use super::reader::Reader;
use super::source::Place;
use super::tree::{Node, Value};
use crate::sim::{Action, TimelineEntry};
use crate::time::{Instant, Span};

/// The timeline, in order of time.
pub(super) struct Timeline {
    pub(super) entries: Vec<TimelineEntry>,
    pub(super) plans: Vec<EntryPlan>,
}

/// An entry as it was read.
struct Draft {
    entry: TimelineEntry,
    plan: EntryPlan,
    name_place: Place,
    /// Of the action's value.
    place: Place,
    /// For `heal`: what it ends.
    heals: Option<String>,
}

/// What every entry has.
pub(super) struct Head<'a> {
    reader: Reader<'a>,
    at: Span,
    lasts: Option<Span>,
    name: Option<String>,
    name_place: Place,
}

impl<'a> Head<'a> {
    /// When it happens.
    pub(super) fn at(&self) -> Instant {
        Instant::ZERO + self.at
    }

    /// The value of an action, if the entry has it.
    pub(super) fn action(&self, what: &str) -> Option<&'a Node> {
        self.reader.peek(what)
    }
}

/// The entries in order of time, as far as they are all alike. An entry's number is its position.
pub(super) fn heads<'a>(node: Option<&'a Node>, builder: &mut Builder) -> Vec<Head<'a>> {
    let mut heads: Vec<Head<'_>> = Vec::new();
    match node.map(|node| (&node.value, node)) {
        None => {}
        Some((Value::List(list), _)) => {
            heads.extend(list.iter().filter_map(|node| head(node, builder)));
        }
        Some((other, node)) => {
            builder.diags.wrong_type(&node.place, "[[timeline]] tables", other.kind());
        }
    }
    // Random picks are drawn by it.
    heads.sort_by_key(|head| head.at);
    heads
}

/// The rest of them.
pub(super) fn read(heads: Vec<Head<'_>>, cluster: &Cluster<'_>, builder: &mut Builder) -> Timeline {
    let mut drafts: Vec<Draft> = Vec::new();
    for (number, head) in heads.into_iter().enumerate() {
        drafts.extend(entry(head, number as u64, cluster, builder));
    }
    resolve_heals(&mut drafts, builder);
    check_clocks(&drafts, cluster, builder);
    let (entries, plans) = drafts.into_iter().map(|draft| (draft.entry, draft.plan)).unzip();
    Timeline { entries, plans }
}

/// `at`, `for` and `name`. Without a good time the entry is read all the same, for its problems.
fn head<'a>(node: &'a Node, builder: &mut Builder) -> Option<Head<'a>> {
    let mut reader = Reader::of(node, "[[timeline]]", &mut builder.diags)?;
    let diags = &mut builder.diags;
    let at = reader.duration("at", diags);
    if !reader.has("at") {
        diags.missing(&reader.place.clone(), "at", "[[timeline]]", "at = \"5m\"");
    }
    if let Some(at) = &at
        && at.value > builder.duration
    {
        diags.beyond_duration(&at.place, "`at`", builder.duration);
    }
    let lasts = reader.duration("for", diags).map(|lasts| lasts.value);
    let name_place = reader.key_place("name");
    let name = reader.text("name", diags).map(|name| name.value);
    if name.as_deref() == Some(ALL) {
        let message = format!("an entry cannot be called `{ALL}`: `heal` means all entries by it");
        diags.misplaced(&name_place, message, "give it another name");
    }
    Some(Head { reader, at: at.map_or(Span::ZERO, |at| at.value), lasts, name, name_place })
}

/// What `heal` calls all earlier entries.
const ALL: &str = "all";

fn entry(
    head: Head<'_>,
    number: u64,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<Draft> {
    let Head { mut reader, at, lasts, name, name_place } = head;
    let place = reader.place.clone();
    let diags = &mut builder.diags;
    let found = reader.present(&ACTIONS);
    let values: Vec<(&str, &Node)> =
        found.iter().filter_map(|what| Some((*what, reader.node(what)?))).collect();
    reader.knows(&ACTIONS);
    if found.len() != 1 {
        let wanted = format!("`{}`", ACTIONS.join("`, `"));
        diags.not_exactly_one(&place, &found, &wanted);
    }
    if found == ["pause"] && !reader.has("for") {
        diags.missing(&place, "for", "`pause`", "for = \"90s\"");
    }
    if let [what] = found.as_slice()
        && reader.has("for")
        && !LASTING.contains(what)
    {
        let message = format!("`{what}` happens at one instant, it cannot last");
        diags.misplaced(&reader.key_place("for"), message, "remove `for`");
    }
    reader.finish(diags);

    let start = Instant::ZERO + at;
    let mut actions: Vec<Option<Action>> = Vec::new();
    for (what, value) in &values {
        let mut reading = Reading { cluster, builder, at: start, entry: number };
        actions.push(reading.action(what, value));
    }
    let (&[(what, value)], Some(action)) = (values.as_slice(), actions.pop().flatten()) else {
        return None;
    };
    let heals = match (what, &value.value) {
        ("heal", Value::Text(name)) => Some(name.clone()),
        _ => None,
    };
    let what = ACTIONS.into_iter().find(|known| *known == what)?;
    let details = details(value) + &builder.fleets.effect(number);
    let plan = EntryPlan { name, what, details };
    let entry = TimelineEntry { at: start, until: lasts.map(|lasts| start + lasts), action };
    Some(Draft { entry, plan, name_place, place: value.place.clone(), heals })
}

/// `heal` names an earlier entry, or all of them.
fn resolve_heals(drafts: &mut [Draft], builder: &mut Builder) {
    let mut named: BTreeMap<String, (usize, &'static str)> = BTreeMap::new();
    // What lasts and was not healed together with all others.
    let mut lasting: Vec<usize> = Vec::new();
    for (index, draft) in drafts.iter_mut().enumerate() {
        if let Some(name) = &draft.heals {
            let healed = match named.get(name) {
                _ if name == ALL => std::mem::take(&mut lasting),
                Some(&(entry, what)) => {
                    if !HEALABLE.contains(&what) {
                        let message = format!("`{name}` is a `{what}`, which nothing heals");
                        let help = format!("these last until healed: {}", HEALABLE.join(", "));
                        builder.diags.misplaced(&draft.place, message, &help);
                    }
                    vec![entry]
                }
                None => {
                    let known: Vec<&str> = named.keys().map(String::as_str).collect();
                    let kind = "earlier timeline entry";
                    builder.diags.unknown_name(&draft.place, kind, name, &known);
                    Vec::new()
                }
            };
            draft.entry.action = Action::Heal(healed);
        }
        if HEALABLE.contains(&draft.plan.what) {
            lasting.push(index);
        }
        let Some(name) = &draft.plan.name else {
            continue;
        };
        if named.insert(name.clone(), (index, draft.plan.what)).is_some() {
            let help = "each name may be given once, so that `heal` knows what it means";
            builder.diags.duplicate(&draft.name_place, "the timeline entry", name, help);
        }
    }
}

/// What lasts until it is healed: all that lasts but `pause`, which says itself how long.
const HEALABLE: [&str; 7] = ["partition", "isolate", "hold", "slow", "lossy", "fail", "skew-clock"];

/// Wall clocks that can be simulated, in ms: nanoseconds since 1970 in 64 bits, up to 2261.
const WALL_CLOCKS: std::ops::RangeInclusive<i128> = 0..=9_200_000_000_000;

/// However the script steps and skews wall clocks, they show a time that Eureka can use.
fn check_clocks(drafts: &[Draft], cluster: &Cluster<'_>, builder: &mut Builder) {
    const MILLI: i128 = 1_000_000;
    let run = i128::from(builder.duration.nanos());
    let (mut low, mut high) = (i128::from(cluster.epoch_ms) * MILLI, 0);
    high += low + run;
    let mut fastest = 0;
    for draft in drafts {
        match draft.entry.action {
            Action::StepClock(_, by) if by < 0 => low += i128::from(by),
            Action::StepClock(_, by) => high += i128::from(by),
            Action::SkewClock(_, ppm) if i128::from(ppm) > fastest => {
                high += run * (i128::from(ppm) - fastest) / 1_000_000;
                fastest = ppm.into();
            }
            _ => continue,
        }
        if !WALL_CLOCKS.contains(&(low / MILLI)) || !WALL_CLOCKS.contains(&(high / MILLI)) {
            let bounds = "between 1970 and 2261, all steps and skews of the scenario together";
            builder.diags.out_of_range(&draft.place, "the wall clocks", bounds);
            return;
        }
    }
}

/// The value of an action in words, for reports.
fn details(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Date => String::new(),
        Value::List(list) => {
            const SHOWN: usize = 4;
            let mut shown: Vec<String> = list.iter().take(SHOWN).map(details).collect();
            if list.len() > SHOWN {
                shown.push(format!("… ({} in all)", list.len()));
            }
            shown.join(", ")
        }
        Value::Table(table) => {
            let order = ["select", "share", "count", "pick", "app", "from", "to"];
            let place =
                |key: &str| order.iter().position(|known| *known == key).unwrap_or(order.len());
            let mut pairs: Vec<(&String, &Node)> =
                table.iter().map(|(key, (_, node))| (key, node)).collect();
            pairs.sort_by_key(|(key, _)| (place(key), (*key).clone()));
            let text = |(key, node): &(&String, &Node)| match key.as_str() {
                "select" => details(node),
                key => format!("{key} {}", details(node)),
            };
            pairs.iter().map(text).collect::<Vec<_>>().join(", ")
        }
    }
}
