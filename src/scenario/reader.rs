//! Reading a table key by key: every value by its type, every key that nobody asked for an error.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::diagnostics::Diagnostics;
use super::source::Place;
use super::tree::{Node, Table, Value};
use super::units::{self, DurationError};
use crate::time::Span;

/// A value that was read, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// A table that is being read.
pub(super) struct Reader<'a> {
    table: &'a Table,
    /// Where the table stands.
    pub(super) place: Place,
    /// What it is called in messages: `[cluster]`.
    pub(super) name: &'a str,
    /// The keys it may have.
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(table: &'a Table, place: &Place, name: &'a str) -> Self {
        Self { table, place: place.clone(), name, known: Vec::new() }
    }

    /// A reader of a value that should be a table.
    pub(super) fn of(node: &'a Node, name: &'a str, diags: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Table(table) => Some(Self::new(table, &node.place, name)),
            other => {
                diags.wrong_type(&node.place, "a table", other.kind());
                None
            }
        }
    }

    /// The raw value of a key.
    pub(super) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.table.get(key).map(|(_, node)| node)
    }

    /// Likewise, for one that may stay unknown.
    pub(super) fn peek(&self, key: &str) -> Option<&'a Node> {
        self.table.get(key).map(|(_, node)| node)
    }

    /// These keys are read by others.
    pub(super) fn knows(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Which of these keys are there.
    pub(super) fn present(&self, keys: &[&'static str]) -> Vec<&'static str> {
        keys.iter().copied().filter(|key| self.table.contains_key(*key)).collect()
    }

    /// The place of a key that is there, or of the table.
    pub(super) fn key_place(&self, key: &str) -> Place {
        self.table.get(key).map_or_else(|| self.place.clone(), |(place, _)| place.clone())
    }

    pub(super) fn text(
        &mut self,
        key: &'static str,
        diags: &mut Diagnostics,
    ) -> Option<Read<String>> {
        self.read(key, "text", diags, |node| match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    pub(super) fn flag(&mut self, key: &'static str, diags: &mut Diagnostics) -> Option<bool> {
        let flag = |node: &Node| match node.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        };
        self.read(key, "true or false", diags, flag).map(|read| read.value)
    }

    /// A whole number within bounds, both included.
    pub(super) fn int(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<i64>,
        diags: &mut Diagnostics,
    ) -> Option<Read<i64>> {
        self.whole(key, bounds, diags)
    }

    /// A whole number of any type, within bounds, both included.
    pub(super) fn whole<T: TryFrom<i128> + PartialOrd + Display>(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<T>,
        diags: &mut Diagnostics,
    ) -> Option<Read<T>> {
        let read = self.read(key, "a whole number", diags, |node| match node.value {
            Value::Int(number) => Some(number),
            _ => None,
        })?;
        let value = T::try_from(read.value).ok().filter(|number| bounds.contains(number));
        if value.is_none() {
            let range = format!("from {} to {}", bounds.start(), bounds.end());
            diags.out_of_range(&read.place, &format!("`{key}`"), range);
        }
        value.map(|value| Read { value, place: read.place })
    }

    /// A decimal (or whole) number.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        diags: &mut Diagnostics,
    ) -> Option<Read<f64>> {
        let read = self.read(key, "a number", diags, |node| match node.value {
            Value::Int(number) => Some(number as f64),
            Value::Decimal(number) => Some(number),
            _ => None,
        })?;
        if !read.value.is_finite() {
            diags.out_of_range(&read.place, &format!("`{key}`"), "a finite number");
            return None;
        }
        Some(read)
    }

    pub(super) fn duration(
        &mut self,
        key: &'static str,
        diags: &mut Diagnostics,
    ) -> Option<Read<Span>> {
        let node = self.node(key)?;
        duration(node, diags).map(|value| Read { value, place: node.place.clone() })
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self, diags: &mut Diagnostics) {
        for (key, (place, _)) in self.table {
            if !self.known.contains(&key.as_str()) {
                let known = self.known.iter().copied();
                if let Some(meant) = diags.unknown_key(place, key, self.name, known) {
                    diags.forgive(&self.place, meant);
                }
            }
        }
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        diags: &mut Diagnostics,
        read: impl FnOnce(&Node) -> Option<T>,
    ) -> Option<Read<T>> {
        let node = self.node(key)?;
        match read(node) {
            Some(value) => Some(Read { value, place: node.place.clone() }),
            None => {
                diags.wrong_type(&node.place, expected, node.value.kind());
                None
            }
        }
    }
}

/// Reports a key that is not there.
pub(super) fn required(reader: &Reader<'_>, key: &str, example: &str, diags: &mut Diagnostics) {
    if !reader.has(key) {
        diags.missing(&reader.place.clone(), key, reader.name, example);
    }
}

/// One of a few words.
pub(super) fn one_of<const N: usize>(
    reader: &mut Reader<'_>,
    key: &'static str,
    words: [&'static str; N],
    diags: &mut Diagnostics,
) -> Option<&'static str> {
    let text = reader.text(key, diags)?;
    let found = words.into_iter().find(|word| *word == text.value);
    if found.is_none() {
        diags.unknown_word(&text.place, &format!("`{key}`"), &text.value, &words);
    }
    found
}

/// A duration; a bare number is an error.
pub(super) fn duration(node: &Node, diags: &mut Diagnostics) -> Option<Span> {
    timed(node, "a duration", "`\"30s\"` or `\"1h30m\"`", diags, units::duration)
}

/// A range of durations, or one.
pub(super) fn duration_range(node: &Node, diags: &mut Diagnostics) -> Option<(Span, Span)> {
    let either = |text: &str| {
        if text.contains("..") { units::range(text) } else { units::duration(text).map(|d| (d, d)) }
    };
    timed(node, "a duration or a range of two", "`\"2ms\"` or `\"1ms..5ms\"`", diags, either)
}

/// A window of time.
pub(super) fn window(node: &Node, diags: &mut Diagnostics) -> Option<(Span, Span)> {
    timed(node, "a window of time", "`\"5m..11m\"`", diags, units::range)
}

/// A duration with sign, in ns.
pub(super) fn signed_duration(node: &Node, diags: &mut Diagnostics) -> Option<i64> {
    timed(node, "a duration, perhaps with a sign", "`\"-30s\"`", diags, units::signed_duration)
}

fn timed<T>(
    node: &Node,
    what: &str,
    example: &str,
    diags: &mut Diagnostics,
    parse: impl FnOnce(&str) -> Result<T, DurationError>,
) -> Option<T> {
    let Value::Text(text) = &node.value else {
        diags.wrong_type(&node.place, &format!("{what} like {example}"), node.value.kind());
        return None;
    };
    match parse(text) {
        Ok(value) => Some(value),
        Err(DurationError::Malformed) => {
            let units = format!("{example}; units are us, ms, s, m, h, d, without spaces");
            diags.malformed(&node.place, what, text, &units);
            None
        }
        Err(DurationError::TooLong) => {
            diags.out_of_range(&node.place, &format!("`{text}`"), "at most ten years");
            None
        }
        Err(DurationError::Inverted) => {
            let problem = format!("`{text}` ends before it begins");
            diags.misplaced(&node.place, problem, "write the smaller one first");
            None
        }
    }
}

/// A share, `"16%"` or `0.16`, in parts per billion.
pub(super) fn share(node: &Node, diags: &mut Diagnostics) -> Option<u32> {
    let (text, share) = match &node.value {
        Value::Text(text) => (text.clone(), units::percentage(text)),
        Value::Decimal(number) => (number.to_string(), units::fraction(*number)),
        Value::Int(number) => (number.to_string(), units::fraction(*number as f64)),
        other => {
            diags.wrong_type(&node.place, "a share like `\"16%\"` or `0.16`", other.kind());
            return None;
        }
    };
    if share.is_none() {
        diags.malformed(&node.place, "a share from 0 to 1", &text, "`\"16%\"` or `0.16`");
    }
    share
}

/// One text or a list of texts.
pub(super) fn texts(node: &Node, diags: &mut Diagnostics) -> Vec<Read<String>> {
    let mut one = |node: &Node| match &node.value {
        Value::Text(text) => Some(Read { value: text.clone(), place: node.place.clone() }),
        other => {
            diags.wrong_type(&node.place, "text or a list of texts", other.kind());
            None
        }
    };
    match &node.value {
        Value::List(list) => list.iter().filter_map(one).collect(),
        _ => one(node).into_iter().collect(),
    }
}
