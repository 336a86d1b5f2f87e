//! Compares what came out with what was recorded on real clocks: lines that are alike in order, each
//! within the tolerance of its trace.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::replay::Replayed;

/// Something that a trace tells, or that came out.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// ns from the start.
    pub(super) at: u64,
    /// The line without its time.
    pub(super) line: Value,
}

/// A line of the trace.
#[derive(Clone, Debug)]
pub(super) struct RecordedLine {
    pub(super) number: u64,
    pub(super) told: Told,
}

/// What lines must have in common to be the same: which event, or which request to whom.
fn likeness(line: &Value) -> [String; 4] {
    let of = |field: &str| line["request"][field].as_str().unwrap_or_default().to_owned();
    let event = line["event"].as_str().unwrap_or_default().to_owned();
    [event, of("server"), of("method"), of("path")]
}

/// One that was recorded, and one that came out.
type Pairs = Vec<(RecordedLine, Told)>;

/// What differs. `until`: what comes out within the tolerance of the end (ns), or after it, may not
/// have been recorded any more.
pub(super) fn compare(
    mut recorded: Vec<RecordedLine>,
    mut got: Vec<Told>,
    tolerance: u64,
    until: u64,
) -> Replayed {
    let mut replayed = Replayed { operations: recorded.len() as u64, ..Replayed::default() };
    let end = recorded.iter().map(|recorded| recorded.number).max().unwrap_or(1);
    let next_line: BTreeMap<u64, u64> =
        recorded.iter().rev().map(|recorded| (recorded.told.at, recorded.number)).collect();
    recorded.sort_by_key(|recorded| (recorded.told.at, recorded.number));
    got.sort_by_key(|told| told.at);
    let pairs = pair(&mut recorded, &mut got, tolerance, likeness);
    let dirty = Dirty::of(&pairs, tolerance);
    let mut differences: Vec<(u64, &'static str, Value, Value)> = Vec::new();
    for (recorded, told) in pairs {
        differ(&recorded, &dirty.as_recorded(told.line), &mut differences);
    }
    // Of what is left: what came at the right time but is another request; what came at another time.
    let is_request = |line: &Value| line.get("request").is_some();
    for (recorded, told) in pair(&mut recorded, &mut got, tolerance, is_request) {
        differ(&recorded, &dirty.as_recorded(told.line), &mut differences);
    }
    got.retain(|told| told.at.saturating_add(tolerance) <= until);
    for (recorded, told) in pair(&mut recorded, &mut got, u64::MAX, likeness) {
        differences.push((recorded.number, "t", ms(recorded.told.at), ms(told.at)));
    }
    for RecordedLine { number, told } in recorded {
        let (field, value) = what(&told.line);
        differences.push((number, field, value, Value::Null));
    }
    for told in got {
        // At the first line after it.
        let number = next_line.range(told.at + 1..).next().map_or(end, |(_, number)| *number);
        let (field, value) = what(&told.line);
        differences.push((number, field, Value::Null, value));
    }
    differences.sort_by_key(|(number, ..)| *number);
    for (number, field, expected, got) in differences {
        replayed.diverged(number, field, &expected, &got);
    }
    replayed
}

/// Takes out, in order, what has the same key at nearly the same time. Both are in the order of time.
fn pair<K: Ord>(
    recorded: &mut Vec<RecordedLine>,
    got: &mut Vec<Told>,
    tolerance: u64,
    key: impl Fn(&Value) -> K,
) -> Pairs {
    let mut waiting: BTreeMap<K, VecDeque<Told>> = BTreeMap::new();
    for told in got.drain(..) {
        waiting.entry(key(&told.line)).or_default().push_back(told);
    }
    let mut pairs = Vec::new();
    let mut left = Vec::new();
    for recorded in recorded.drain(..) {
        let at = recorded.told.at;
        let alike = waiting.entry(key(&recorded.told.line)).or_default();
        while alike.front().is_some_and(|told| told.at.saturating_add(tolerance) < at) {
            got.extend(alike.pop_front());
        }
        let near = alike.front().is_some_and(|told| told.at <= at.saturating_add(tolerance));
        match near.then(|| alike.pop_front()).flatten() {
            Some(told) => pairs.push((recorded, told)),
            None => left.push(recorded),
        }
    }
    *recorded = left;
    got.extend(waiting.into_values().flatten());
    got.sort_by_key(|told| told.at);
    pairs
}

fn ms(at: u64) -> Value {
    json!(at as f64 / 1e6)
}

/// What a line is about, and what it says.
fn what(line: &Value) -> (&'static str, Value) {
    match line.get("request") {
        Some(request) => ("request", request.clone()),
        None => ("event", line["event"].clone()),
    }
}

/// The fields of a line that came out otherwise. A recording need not say why something failed.
fn differ(
    recorded: &RecordedLine,
    got: &Value,
    differences: &mut Vec<(u64, &'static str, Value, Value)>,
) {
    let expected = &recorded.told.line;
    for field in ["request", "event", "why"] {
        let value = |line: &Value| line.get(field).cloned().unwrap_or_default();
        let (expected, got) = (value(expected), value(got));
        if expected != got && (field != "why" || !expected.is_null()) {
            differences.push((recorded.number, field, expected, got));
        }
    }
}

/// Which recorded dirty timestamp each of the client's is: within the tolerance, and the same
/// wherever it is.
struct Dirty(BTreeMap<i64, i64>);

impl Dirty {
    fn of(pairs: &Pairs, tolerance: u64) -> Self {
        // How often, and in which place last.
        let mut votes: BTreeMap<i64, BTreeMap<i64, (u32, usize)>> = BTreeMap::new();
        for (place, (recorded, told)) in pairs.iter().enumerate() {
            if let (Some(recorded), Some(got)) = (dirty(&recorded.told.line), dirty(&told.line)) {
                let vote = votes.entry(got).or_default().entry(recorded).or_default();
                *vote = (vote.0 + 1, place);
            }
        }
        let most = |(got, votes): (i64, BTreeMap<i64, (u32, usize)>)| {
            let near =
                |recorded: i64| recorded.abs_diff(got).saturating_mul(1_000_000) <= tolerance;
            let votes = votes.into_iter().filter(|(recorded, _)| near(*recorded));
            votes.max_by_key(|(_, votes)| *votes).map(|(recorded, _)| (got, recorded))
        };
        Self(votes.into_iter().filter_map(most).collect())
    }

    /// A line that came out, with the timestamps of the recording.
    fn as_recorded(&self, mut line: Value) -> Value {
        for path in DIRTY {
            if let Some(value) = line.pointer_mut(path)
                && let Some(recorded) = value.as_i64().and_then(|got| self.0.get(&got))
            {
                *value = json!(recorded);
            }
        }
        line
    }
}

/// Where a request has a dirty timestamp.
const DIRTY: [&str; 2] = ["/request/dirty", "/request/query/lastDirtyTimestamp"];

fn dirty(line: &Value) -> Option<i64> {
    DIRTY.into_iter().find_map(|path| line.pointer(path)?.as_i64())
}
