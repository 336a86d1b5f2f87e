//! Compares what came out with what was recorded: the lines of one instant as a multiset.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::replay::Replayed;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Request,
    Status,
    View,
    SupervisorDelay,
    Probe,
    Event,
}

impl Kind {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Request, "request"),
        (Self::Status, "status"),
        (Self::View, "view"),
        (Self::SupervisorDelay, "supervisor-delay"),
        (Self::Probe, "probe"),
        (Self::Event, "event"),
    ];

    /// The kind that a trace calls so.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| kind)
    }

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// A line of the trace.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) line: u64,
    pub(super) at: u64,
    pub(super) kind: Kind,
    pub(super) value: Value,
}

/// What came out so far.
#[derive(Debug, Default)]
pub(super) struct Judge {
    got: Vec<(u64, Kind, Value)>,
    /// What differs outside the judged lines: line, field, expected, got.
    others: Vec<(u64, &'static str, Value, Value)>,
}

/// Lines of one instant and kind: recorded (with their number), and come out.
type Lines = (Vec<(u64, Value)>, Vec<Value>);

impl Judge {
    /// Something came out at `at` (ns).
    pub(super) fn came(&mut self, at: u64, kind: Kind, value: Value) {
        self.got.push((at, kind, value));
    }

    /// How many lines came out.
    pub(super) fn len(&self) -> usize {
        self.got.len()
    }

    /// Something else is not as recorded.
    pub(super) fn differs(&mut self, line: u64, field: &'static str, expected: Value, got: Value) {
        self.others.push((line, field, expected, got));
    }

    /// What differs, all in all.
    pub(super) fn verdict(self, recorded: Vec<Recorded>) -> Replayed {
        let mut replayed = Replayed { operations: recorded.len() as u64, ..Replayed::default() };
        let end = recorded.last().map_or(1, |recorded| recorded.line);
        let mut line_after: BTreeMap<u64, u64> = BTreeMap::new();
        let mut instants: BTreeMap<(u64, Kind), Lines> = BTreeMap::new();
        for Recorded { line, at, kind, value } in recorded {
            line_after.entry(at).or_insert(line);
            instants.entry((at, kind)).or_default().0.push((line, value));
        }
        for (at, kind, value) in self.got {
            let (recorded, got) = instants.entry((at, kind)).or_default();
            match recorded.iter().position(|(_, recorded)| *recorded == value) {
                Some(place) => drop(recorded.remove(place)),
                None => got.push(value),
            }
        }
        let mut differences: Vec<(u64, &'static str, Value, Value)> = self.others;
        for ((at, kind), (recorded, got)) in instants {
            let mut got = got.into_iter();
            for (line, value) in recorded {
                let got = got.next().unwrap_or(Value::Null);
                differences.push((line, kind.name(), value, got));
            }
            // What nobody recorded: at the first line after that instant.
            let line = line_after.range(at + 1..).next().map_or(end, |(_, line)| *line);
            differences.extend(got.map(|got| (line, kind.name(), Value::Null, got)));
        }
        differences.sort_by_key(|(line, ..)| *line);
        for (line, field, expected, got) in differences {
            replayed.diverged(line, field, &expected, &got);
        }
        replayed
    }
}
