//! What the replay of traces found, as text and JSON.

use serde::Serialize;
use serde_json::Value;

use super::style::{BAD, DIM, END, GOOD, escape};
use crate::replay::Replayed;

/// What the replay of several traces found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReplayReport {
    /// Version of this form.
    pub schema: u32,
    /// Traces replayed.
    pub files: u64,
    /// Operations compared.
    pub operations: u64,
    /// Fields that differ.
    pub divergences: u64,
    /// The first one of each file that has one.
    pub first: Vec<FirstDivergence>,
    /// Traces that were not replayed, and why.
    pub skipped: Vec<Skipped>,
}

/// The first difference in a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstDivergence {
    /// The file as it was named.
    pub file: String,
    /// The line, counted from 1 with the header.
    pub line: u64,
    /// The field of the line.
    pub field: String,
    /// Where in it the values part.
    pub path: String,
    /// What was recorded.
    pub expected: Value,
    /// What came out.
    pub got: Value,
}

/// A trace that was not replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The file as it was named.
    pub file: String,
    /// Why.
    pub reason: String,
}

impl ReplayReport {
    /// Nothing replayed yet.
    #[must_use]
    pub fn new() -> Self {
        Self { schema: 1, ..Self::default() }
    }

    /// Adds what was found in a file.
    pub fn add(&mut self, file: &str, replayed: Replayed) {
        if let Some(reason) = replayed.skipped {
            self.skipped.push(Skipped { file: file.to_owned(), reason });
            return;
        }
        self.files += 1;
        self.operations += replayed.operations;
        self.divergences += replayed.divergences;
        if let Some(first) = replayed.first {
            self.first.push(FirstDivergence {
                file: file.to_owned(),
                line: first.line,
                field: first.field,
                path: first.path,
                expected: first.expected,
                got: first.got,
            });
        }
    }
}

/// One line for a file, with its first difference if it has one.
#[must_use]
pub fn replay_text(file: &str, replayed: &Replayed) -> String {
    let file = escape(file);
    if let Some(reason) = &replayed.skipped {
        return format!("{DIM}skipped{END} {file}: {reason}\n");
    }
    let operations = replayed.operations;
    let Some(first) = &replayed.first else {
        return format!("{GOOD}ok{END}      {file}: {operations} operations\n");
    };
    let (expected, got) = first.values_at_path();
    format!(
        "{BAD}differs{END} {file}: {operations} operations, {} divergences\n        line {}, {}: \
         expected {}, got {}\n",
        replayed.divergences,
        first.line,
        escape(&first.path),
        escape(&expected),
        escape(&got),
    )
}
