//! Simpler scenarios that may show the same: each function proposes some, the simplest first.

use toml::{Table, Value};

use crate::observe::Finding;
use crate::scenario::{Document, Plan, units};
use crate::sim::HostId;
use crate::time::{Instant, Span};

/// Who is stuck, in the words of selectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Focus {
    app: String,
    index: usize,
    /// When its process starts.
    start: Option<Instant>,
    server: String,
    /// When it was found.
    found: Instant,
}

impl Focus {
    /// None if the instance is no client's.
    pub(super) fn new(plan: &Plan, finding: &Finding) -> Option<Self> {
        let setup = &plan.setup;
        plan.apps.iter().find_map(|app| {
            let mut hosts = app.hosts.iter().cloned().flatten().enumerate();
            let (index, host) =
                hosts.find(|(_, host)| setup.first_key_of(HostId::new(*host)) == finding.key)?;
            Some(Self {
                app: setup.names.app_name(app.app).to_owned(),
                index,
                start: setup.clients[host - setup.servers.len()].start,
                server: setup.servers[finding.server.index()].name.clone(),
                found: finding.at,
            })
        })
    }

    fn instance(&self) -> String {
        format!("instance:{}/{}", self.app, self.index)
    }
}

/// A document with something changed.
fn changed(document: &Document, change: impl FnOnce(&mut Document)) -> Document {
    let mut document = document.clone();
    change(&mut document);
    document
}

/// Without all entries of the timeline but the first `kept`, without halves, quarters and so on down to single ones.
pub(super) fn without_entries(document: &Document, kept: usize) -> Vec<Document> {
    let count = document.list("timeline").count();
    let mut proposals = Vec::new();
    let mut size = count.saturating_sub(kept);
    while size > 0 {
        for first in (kept..count).step_by(size) {
            proposals.push(changed(document, |document| {
                let list = document.list_mut("timeline");
                list.drain(first..(first + size).min(count));
                if list.is_empty() {
                    document.0.remove("timeline");
                }
            }));
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    proposals
}

/// Without one of several groups of instances.
pub(super) fn without_apps(document: &Document) -> Vec<Document> {
    let count = document.list("apps").count();
    let groups = (0..count).filter(|_| count > 1);
    let without = |group: usize| {
        changed(document, |document| {
            document.list_mut("apps").remove(group);
        })
    };
    groups.map(without).collect()
}

/// With fewer instances: the one that is stuck alone, at the time it starts; half of them; one less.
pub(super) fn fewer_instances(document: &Document, focus: Option<&Focus>) -> Vec<Document> {
    let mut proposals = Vec::new();
    for (group, app) in document.list("apps").enumerate() {
        let count = app.get("instances").and_then(Value::as_integer).unwrap_or(1);
        let name = app.get("name").and_then(Value::as_str).unwrap_or_default();
        if count <= 1 {
            continue;
        }
        let with = |count: i64, change: &dyn Fn(&mut Document)| {
            changed(document, |document| {
                set(&mut document.list_mut("apps")[group], "instances", count.into());
                change(document);
            })
        };
        let kept = focus.filter(|focus| focus.app.eq_ignore_ascii_case(name));
        let index = kept.map_or(0, |focus| focus.index);
        proposals.push(with(1, &|document| {
            if let Some(start) = kept.and_then(|focus| focus.start) {
                let start = units::written(Span::from_nanos(start.nanos()));
                set(&mut document.list_mut("apps")[group], "start", start.into());
            }
            let (old, new) = (format!("instance:{name}/{index}"), format!("instance:{name}/0"));
            replace_texts(document, &|text| (text == old).then(|| new.clone()));
        }));
        proposals.push(with(count / 2, &|_| {}));
        proposals.push(with(count - 1, &|_| {}));
    }
    proposals
}

/// With fewer servers; what was about one that is gone is about the first.
pub(super) fn fewer_servers(document: &Document) -> Vec<Document> {
    let counted = document.0.get("cluster").and_then(|cluster| cluster.get("servers"));
    let mut proposals = Vec::new();
    let count = counted.and_then(Value::as_integer).unwrap_or(1);
    let mut fewer: Vec<i64> = [1, 2, 3, count / 2, count - 1].into();
    fewer.retain(|fewer| (1..count).contains(fewer));
    fewer.dedup();
    for fewer in fewer {
        proposals.push(changed(document, |document| {
            if let Some(Value::Table(cluster)) = document.0.get_mut("cluster") {
                cluster.insert("servers".to_owned(), fewer.into());
            }
            replace_texts(document, &|text| {
                let (before, number) = text.rsplit_once("eureka-")?;
                let gone = number.parse::<i64>().is_ok_and(|number| number >= fewer);
                gone.then(|| format!("{before}eureka-0"))
            });
        }));
    }
    let names = document.list("servers").map(|server| server.get("name").and_then(Value::as_str));
    let names: Vec<String> = names.map(|name| name.unwrap_or_default().to_owned()).collect();
    for (place, name) in names.iter().enumerate().filter(|_| names.len() > 1) {
        proposals.push(changed(document, |document| {
            document.list_mut("servers").remove(place);
            for list in ["servers", "apps"] {
                for of in document.list_mut(list) {
                    for key in ["peers", "servers"] {
                        if let Some(Value::Array(named)) = of.get_mut(key) {
                            named.retain(|of| of.as_str() != Some(name));
                        }
                    }
                }
            }
        }));
    }
    proposals
}

/// With one process in the place of several that something happens to, in all entries but the first `kept`.
pub(super) fn narrower(document: &Document, focus: Option<&Focus>, kept: usize) -> Vec<Document> {
    let mut proposals = Vec::new();
    for entry in kept..document.list("timeline").count() {
        for path in selectors(document, entry) {
            let Some(now) = at_path(document, entry, &path) else { continue };
            let mut narrow: Vec<Value> = Vec::new();
            if let Some(focus) = focus {
                narrow.push(focus.instance().into());
                narrow.push(format!("server:{}", focus.server).into());
            }
            if let Value::Array(list) = now {
                narrow.extend(list.iter().cloned());
            }
            // What names one process cannot be narrower.
            let is_one = now
                .as_str()
                .is_some_and(|text| text.starts_with("instance:") || text.starts_with("server:"));
            for value in narrow.into_iter().filter(|value| !is_one && value != now) {
                proposals.push(changed(document, |document| put_at(document, entry, &path, value)));
            }
        }
    }
    proposals
}

/// Where an entry names processes: `["kill"]`, `["slow", "from"]`.
fn selectors(document: &Document, entry: usize) -> Vec<Vec<String>> {
    let Some(entry) = document.list("timeline").nth(entry) else { return Vec::new() };
    let mut paths = Vec::new();
    for (key, value) in
        entry.iter().filter(|(key, _)| !["at", "for", "name"].contains(&key.as_str()))
    {
        match value {
            Value::Table(table) => {
                let named =
                    ["select", "from", "to"].into_iter().filter(|name| table.contains_key(*name));
                paths.extend(named.map(|name| vec![key.clone(), name.to_owned()]));
            }
            _ => paths.push(vec![key.clone()]),
        }
    }
    paths
}

/// Without one of the things that need not be said, whole tables first.
pub(super) fn plainer(document: &Document) -> Vec<Document> {
    let mut paths: Vec<Vec<String>> = Vec::new();
    let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    for section in ["eureka", "network", "sim", "observe"] {
        paths.push(path(&[section]));
    }
    for section in ["cluster", "network", "sim", "observe", "eureka"] {
        if let Some(Value::Table(table)) = document.0.get(section) {
            inner(table, &path(&[section]), &mut paths);
        }
    }
    let mut proposals: Vec<Document> = Vec::new();
    // Which Eureka it is, is what it is about.
    let kept = |path: &&Vec<String>| {
        path[0] != "cluster" || !["servers", "release", "flavor"].contains(&&*path[1])
    };
    for path in paths.iter().filter(kept) {
        proposals.push(changed(document, |document| remove(&mut document.0, path)));
    }
    for list in ["servers", "apps", "timeline"] {
        for (place, table) in document.list(list).enumerate() {
            let mut paths = Vec::new();
            inner(table, &[], &mut paths);
            // Without these it is no entry, or another one.
            let needed = ["name", "instances", "start", "at", "for", "release", "flavor"];
            let optional =
                paths.iter().filter(|path| !(path.len() == 1 && needed.contains(&&*path[0])));
            for path in optional {
                proposals.push(changed(document, |document| {
                    if let Some(Value::Table(table)) = document.list_mut(list).get_mut(place) {
                        remove(table, path);
                    }
                }));
            }
        }
    }
    proposals
}

/// The paths of everything in a table, outer ones first.
fn inner(table: &Table, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    for (key, value) in table {
        let path: Vec<String> = prefix.iter().chain([key]).cloned().collect();
        paths.push(path.clone());
        if let Value::Table(table) = value {
            inner(table, &path, paths);
        }
    }
}

fn remove(table: &mut Table, path: &[String]) {
    match path {
        [] => {}
        [key] => drop(table.remove(key)),
        [key, rest @ ..] => {
            if let Some(Value::Table(inner)) = table.get_mut(key) {
                remove(inner, rest);
                if inner.is_empty() {
                    table.remove(key);
                }
            }
        }
    }
}

/// Lengths to which times are rounded, the coarsest first.
const GRAINS: [Span; 9] = [
    Span::from_secs(300),
    Span::from_secs(60),
    Span::from_secs(10),
    Span::from_secs(1),
    Span::from_millis(500),
    Span::from_millis(100),
    Span::from_millis(10),
    Span::from_millis(1),
    Span::from_nanos(100_000),
];

/// The place of the coarsest grain that a time is a multiple of.
fn roughness(span: Span) -> usize {
    GRAINS
        .iter()
        .position(|grain| span.nanos().is_multiple_of(grain.nanos()))
        .unwrap_or(GRAINS.len())
}

/// With one time that is rounder, or a fixed one in the place of a range; if `drawn` is given, only in entries
/// of the timeline from that place on.
pub(super) fn rounder(document: &Document, drawn: Option<usize>) -> Vec<Document> {
    // Before this no server is open and nobody registered.
    const FIRST: u64 = 60_000_000_000;
    let mut proposals = Vec::new();
    let times = times(document).into_iter();
    for (list, place, path) in times
        .filter(|(list, place, _)| drawn.is_none_or(|drawn| *list == "timeline" && *place >= drawn))
    {
        let Some(now) = value_at(document, list, place, &path) else { continue };
        let Some(text) = now.as_str() else { continue };
        let mut better: Vec<String> = Vec::new();
        if let Ok((low, high)) = units::range(text) {
            let between = GRAINS
                .iter()
                .rev()
                .map(|grain| Span::from_nanos(low.nanos().div_ceil(grain.nanos()) * grain.nanos()));
            better.extend(between.filter(|span| (low..=high).contains(span)).map(units::written));
            better.extend([low, high].map(units::written));
        } else if let Ok(nanos) = units::signed_duration(text) {
            let (sign, span) =
                (if nanos < 0 { "-" } else { "" }, Span::from_nanos(nanos.unsigned_abs()));
            // When something happens is rounded; how long it takes is as short as it can be.
            let is_instant = path == ["at"] || path == ["start"];
            if !is_instant {
                better.extend(milder(span).map(|span| format!("{sign}{}", units::written(span))));
            }
            let grains = if is_instant { &GRAINS[..roughness(span)] } else { &[] };
            // A start is rounded, not moved to where other things happen.
            let coarsest = if path == ["start"] { Span::from_secs(10) } else { GRAINS[0] };
            for grain in grains.iter().filter(|grain| **grain <= coarsest) {
                let down = span.nanos() / grain.nanos() * grain.nanos();
                let up = down + grain.nanos();
                let near =
                    if span.nanos() - down <= up - span.nanos() { [down, up] } else { [up, down] };
                let near = near.into_iter().filter(|nanos| *nanos >= FIRST.min(span.nanos()));
                better.extend(near.map(|nanos| units::written(Span::from_nanos(nanos))));
            }
        }
        for text in better {
            proposals.push(changed(document, |document| {
                put(document, list, place, &path, text.into());
            }));
        }
    }
    proposals
}

/// Lengths that are easy to say, the shortest first: those below this one, and the next above it if it is none of
/// them itself.
fn milder(span: Span) -> impl Iterator<Item = Span> {
    const MILLIS: [u64; 21] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000,
        120_000, 300_000, 600_000, 900_000, 1_800_000,
    ];
    let all = MILLIS.into_iter().map(Span::from_millis);
    let next = all.clone().find(|other| *other >= span).filter(|other| *other > span);
    all.filter(move |other| *other < span).chain(next)
}

/// With one status that is less remarkable.
pub(super) fn commoner(document: &Document) -> Vec<Document> {
    let mut proposals = Vec::new();
    for place in 0..document.list("timeline").count() {
        for word in ["set-status", "set-health"] {
            let path = [word.to_owned(), "status".to_owned()];
            let now = at_path(document, place, &path).and_then(Value::as_str);
            let common: &[&str] = match now {
                Some("STARTING") => &["UP", "DOWN"],
                Some("OUT_OF_SERVICE" | "UNKNOWN") => &["DOWN"],
                _ => &[],
            };
            for status in common {
                proposals.push(changed(document, |document| {
                    put_at(document, place, &path, (*status).into());
                }));
            }
        }
    }
    proposals
}

/// When an entry of the timeline happens.
fn instant(entry: &Table) -> Option<Span> {
    entry.get("at").and_then(Value::as_str).and_then(|at| units::duration(at).ok())
}

/// When the first entry of the timeline happens.
pub(super) fn earliest(document: &Document) -> Option<Span> {
    document.list("timeline").filter_map(instant).min()
}

/// Where a document has times: list, place in it and path; of a section the list is empty.
fn times(document: &Document) -> Vec<(&'static str, usize, Vec<String>)> {
    let mut all = Vec::new();
    let is_time = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        units::range(text).is_ok() || (text != "0s" && units::signed_duration(text).is_ok())
    };
    for list in ["timeline", "apps", ""] {
        let tables: Vec<&Table> =
            if list.is_empty() { vec![&document.0] } else { document.list(list).collect() };
        for (place, table) in tables.into_iter().enumerate() {
            let mut paths = Vec::new();
            inner(table, &[], &mut paths);
            for path in paths {
                let of_section = !list.is_empty() || ["network", "sim"].contains(&&*path[0]);
                let value = at(table, &path);
                if of_section && value.is_some_and(is_time) {
                    all.push((list, place, path));
                }
            }
        }
    }
    all
}

/// With everything that happens earlier by a multiple of half a minute, which is how often clients do things.
pub(super) fn earlier(document: &Document) -> Vec<Document> {
    let all: Vec<Option<Span>> = document.list("timeline").map(instant).collect();
    let Some(first) = earliest(document) else { return Vec::new() };
    let mut proposals = Vec::new();
    for least in [60, 120, 180, 300, 600].map(Span::from_secs) {
        let steps = (first - least).nanos() / Span::from_secs(30).nanos();
        let by = Span::from_secs(steps * 30);
        if !by.is_zero() {
            proposals.push(changed(document, |document| {
                for (entry, at) in document.list_mut("timeline").iter_mut().zip(&all) {
                    if let Some(at) = at {
                        set(entry, "at", units::written(*at - by).into());
                    }
                }
            }));
        }
    }
    proposals
}

/// Shorter: until it was found, or by half.
pub(super) fn shorter(document: &Document, focus: Option<&Focus>) -> Vec<Document> {
    let Some(now) = document.0.get("duration").and_then(Value::as_str) else { return Vec::new() };
    let Ok(now) = units::duration(now) else { return Vec::new() };
    let mut lengths = Vec::new();
    match focus {
        Some(focus) => {
            for grain in [60, 10, 1].map(Span::from_secs) {
                let length = (focus.found.nanos() / grain.nanos() + 1) * grain.nanos();
                lengths.push(Span::from_nanos(length));
            }
        }
        None => {
            let minutes = [2, 3, 4, 6, 8]
                .map(|part| now.nanos() / 8 * part / 60_000_000_000 * 60_000_000_000);
            lengths.extend(minutes.map(Span::from_nanos));
        }
    }
    let shorter = lengths.into_iter().filter(|length| *length < now && !length.is_zero());
    let with = |length: Span| {
        changed(document, |document| {
            document.0.insert("duration".to_owned(), units::written(length).into());
        })
    };
    shorter.map(with).collect()
}

/// With other seeds, the simplest first.
pub(super) fn reseeded(document: &Document, seeds: impl Iterator<Item = u64>) -> Vec<Document> {
    seeds.map(|seed| changed(document, |document| document.set_seed(seed))).collect()
}

fn set(table: &mut Value, key: &str, value: Value) {
    if let Value::Table(table) = table {
        table.insert(key.to_owned(), value);
    }
}

fn at<'a>(table: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(first)?, |value, key| value.get(key.as_str()))
}

fn value_at<'a>(
    document: &'a Document,
    list: &str,
    place: usize,
    path: &[String],
) -> Option<&'a Value> {
    let table = if list.is_empty() { Some(&document.0) } else { document.list(list).nth(place) };
    at(table?, path)
}

fn put(document: &mut Document, list: &str, place: usize, path: &[String], new: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    let value = if list.is_empty() {
        document.0.get_mut(first)
    } else {
        document.list_mut(list).get_mut(place).and_then(|table| table.get_mut(first.as_str()))
    };
    let value = value
        .and_then(|value| rest.iter().try_fold(value, |value, key| value.get_mut(key.as_str())));
    if let Some(value) = value {
        *value = new;
    }
}

fn at_path<'a>(document: &'a Document, entry: usize, path: &[String]) -> Option<&'a Value> {
    value_at(document, "timeline", entry, path)
}

fn put_at(document: &mut Document, entry: usize, path: &[String], value: Value) {
    put(document, "timeline", entry, path, value);
}

/// Texts of the timeline, wherever they stand.
fn replace_texts(document: &mut Document, replace: &dyn Fn(&str) -> Option<String>) {
    fn visit(value: &mut Value, replace: &dyn Fn(&str) -> Option<String>) {
        match value {
            Value::String(text) => {
                if let Some(new) = replace(text) {
                    *text = new;
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| visit(value, replace)),
            Value::Table(table) => table.iter_mut().for_each(|(_, value)| visit(value, replace)),
            _ => {}
        }
    }
    if document.0.contains_key("timeline") {
        document.list_mut("timeline").iter_mut().for_each(|entry| visit(entry, replace));
    }
}
