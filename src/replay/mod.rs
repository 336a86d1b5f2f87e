//! Recorded traces of the real classes, driven through the core and compared field by field.

mod client;
mod lines;
mod registry;

use std::io::BufRead;

use serde::Serialize;
use serde_json::Value;

pub use lines::ReplayError;

use crate::golden::{CLIENT_FORMAT, REGISTRY_FORMAT};

/// What the replay of one trace found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Replayed {
    /// Operations compared.
    pub operations: u64,
    /// Fields that differ, all lines together. After the first one the rest may follow from it.
    pub divergences: u64,
    /// The first one.
    pub first: Option<Divergence>,
    /// Why the trace was not replayed, if it was not.
    pub skipped: Option<String>,
}

/// A field of a line that came out otherwise than recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Divergence {
    /// The line, counted from 1 with the header.
    pub line: u64,
    /// The field of the line's object.
    pub field: String,
    /// Where in it the values part: `s[2]`, `r.body.apps[0][1]`.
    pub path: String,
    /// What was recorded; null if the field should not be there.
    pub expected: Value,
    /// What the core says; null if it has no such field.
    pub got: Value,
}

/// What a file is, by its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceKind {
    /// Of one server.
    Registry,
    /// Of one client.
    Client,
}

/// What kind of trace begins with this line, if it is one.
#[must_use]
pub fn kind_of(first_line: &str) -> Option<TraceKind> {
    let header: Value = serde_json::from_str(first_line).ok()?;
    match header.get("format")?.as_str()? {
        REGISTRY_FORMAT => Some(TraceKind::Registry),
        CLIENT_FORMAT => Some(TraceKind::Client),
        _ => None,
    }
}

/// Replays a trace.
///
/// # Errors
/// If it cannot be read, is no trace, or breaks off.
pub fn replay(reader: impl BufRead) -> Result<Replayed, ReplayError> {
    let mut lines = lines::Lines::new(reader);
    let (_, header) = lines.next_json()?.ok_or(ReplayError::Empty)?;
    match header.get("format").and_then(Value::as_str) {
        Some(REGISTRY_FORMAT) => registry::replay(&header, lines),
        Some(CLIENT_FORMAT) => client::replay(&header, lines),
        _ => Err(ReplayError::NotATrace),
    }
}

/// Where two values first differ: the path below `path`, and the values there.
fn first_difference<'a>(
    path: String,
    expected: &'a Value,
    got: &'a Value,
) -> (String, &'a Value, &'a Value) {
    match (expected, got) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                let (x, y) =
                    (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                if a.get(key) != b.get(key) {
                    return first_difference(format!("{path}.{key}"), x, y);
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let (x, y) = (a.get(index), b.get(index));
                if x != y {
                    let (x, y) = (x.unwrap_or(&Value::Null), y.unwrap_or(&Value::Null));
                    return first_difference(format!("{path}[{index}]"), x, y);
                }
            }
        }
        _ => {}
    }
    (path, expected, got)
}

impl Replayed {
    /// Notes that `field` of `line` came out otherwise.
    fn diverged(&mut self, line: u64, field: &str, expected: &Value, got: &Value) {
        self.divergences += 1;
        if self.first.is_none() {
            let (path, _, _) = first_difference(field.to_owned(), expected, got);
            self.first = Some(Divergence {
                line,
                field: field.to_owned(),
                path,
                expected: expected.clone(),
                got: got.clone(),
            });
        }
    }
}

impl Divergence {
    /// The values at [`Divergence::path`], shortened to fit on a line each.
    #[must_use]
    pub fn values_at_path(&self) -> (String, String) {
        let (_, expected, got) = first_difference(self.field.clone(), &self.expected, &self.got);
        (shorten(expected), shorten(got))
    }
}

fn shorten(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
