//! The journal of a sweep: a line for each run that is done, so that a sweep that was ended goes on where it
//! was, and shards that were run elsewhere can be joined.

use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use super::sweep::{Request, Row, Rows, Shard};

/// What the first line says it is.
const FORMAT: &str = "eureka-sim/tune/1";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    shard: Option<Shard>,
    request: Request,
}

impl Head {
    fn is_sound(&self) -> bool {
        let is_part = |Shard { number, of }: Shard| (1..=of).contains(&number);
        let Request { params, seeds, .. } = &self.request;
        self.format == FORMAT
            && self.shard.is_none_or(is_part)
            && *seeds > 0
            && params.iter().all(|param| !param.values.is_empty())
    }
}

/// The last line of one that is complete.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Complete {
    complete: bool,
}

/// A journal that was read.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Which part of the sweep it is of.
    pub shard: Option<Shard>,
    /// What was asked for.
    pub request: Request,
    /// The runs that are done.
    pub rows: Rows,
    /// Nothing more will come.
    pub is_complete: bool,
    /// Bytes up to the end of the last whole line: what follows was cut.
    pub whole: usize,
}

/// Why a text is no journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The first line is another.
    #[error("line 1: this is no journal of `eureka-sim tune`")]
    Other,
    /// A line is none of its lines.
    #[error("line {0}: this is no line of a journal: it was damaged")]
    Damaged(usize),
    /// Two lines are of one run and differ.
    #[error("line {0}: another line is of the same run and says something else")]
    Contradiction(usize),
}

/// The first line of a journal.
#[must_use]
pub fn first_line(request: &Request, shard: Option<Shard>) -> String {
    let head = Head { format: FORMAT.to_owned(), shard, request: request.clone() };
    line(&head)
}

/// The line of a run.
#[must_use]
pub fn row_line(row: &Row) -> String {
    line(row)
}

/// The last line.
#[must_use]
pub fn last_line() -> String {
    line(&Complete { complete: true })
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("its keys are texts") + "\n"
}

/// Whether a text begins as a journal does.
#[must_use]
pub fn is_journal(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str(first).is_ok_and(|head: Head| head.is_sound())
}

/// Reads a journal. A last line that was cut is left out.
///
/// # Errors
/// If it is none, or was damaged.
pub fn read(text: &str) -> Result<Journal, JournalError> {
    let whole = text.rfind('\n').map_or(0, |newline| newline + 1);
    let mut lines = text[..whole].lines().zip(1..);
    let head = lines.next().and_then(|(line, _)| serde_json::from_str::<Head>(line).ok());
    let head = head.filter(Head::is_sound).ok_or(JournalError::Other)?;
    let mut rows = Rows::new();
    let mut is_complete = false;
    for (line, number) in lines {
        if let Ok(Complete { complete }) = serde_json::from_str(line) {
            is_complete = complete;
            continue;
        }
        let row: Row = serde_json::from_str(line).map_err(|_| JournalError::Damaged(number))?;
        match rows.entry((row.cell, row.seed)) {
            Entry::Vacant(place) => {
                place.insert(row);
            }
            Entry::Occupied(known) if *known.get() == row => {}
            Entry::Occupied(_) => return Err(JournalError::Contradiction(number)),
        }
    }
    Ok(Journal { shard: head.shard, request: head.request, rows, is_complete, whole })
}
