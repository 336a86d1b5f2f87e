//! The journal of a sweep: a line for each run that is done, so that a sweep that was ended goes on where it
//! was, and shards that were run elsewhere can be joined.

use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use super::sweep::{Request, Row, Rows, Shard, Sweep};

/// What the first line says it is.
const FORMAT: &str = "eureka-sim/tune/1";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    shard: Option<Shard>,
    sweep: String,
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
    /// [`Sweep::digest`], by the program that wrote it.
    pub sweep: String,
    /// What was asked for.
    pub request: Request,
    /// The runs that are done.
    pub rows: Rows,
    /// Nothing more will come.
    pub is_complete: bool,
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
pub fn first_line(sweep: &Sweep, shard: Option<Shard>) -> String {
    let (digest, request) = (sweep.digest(), sweep.request.clone());
    let head = Head { format: FORMAT.to_owned(), shard, sweep: digest, request };
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

/// Whether something begins as a journal does.
#[must_use]
pub fn is_journal(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(first).is_ok_and(|head: Head| head.is_sound())
}

/// Reads a journal. A last line without its end was cut, and is left out.
///
/// # Errors
/// If it is none, or was damaged.
pub fn read(bytes: &[u8]) -> Result<Journal, JournalError> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let mut lines = bytes[..whole].split(|byte| *byte == b'\n').zip(1..);
    let head = lines.next().and_then(|(line, _)| serde_json::from_slice::<Head>(line).ok());
    let head = head.filter(Head::is_sound).ok_or(JournalError::Other)?;
    let mut rows = Rows::new();
    let mut is_complete = false;
    for (line, number) in lines {
        if let Ok(Complete { complete }) = serde_json::from_slice(line) {
            is_complete = complete;
            continue;
        }
        let row = serde_json::from_slice(line).ok().filter(is_sound);
        let row: Row = row.ok_or(JournalError::Damaged(number))?;
        match rows.entry((row.cell, row.seed)) {
            Entry::Vacant(place) => {
                place.insert(row);
            }
            Entry::Occupied(known) if *known.get() == row => {}
            Entry::Occupied(_) => return Err(JournalError::Contradiction(number)),
        }
    }
    let Head { shard, sweep, request, .. } = head;
    Ok(Journal { shard, sweep, request, rows, is_complete })
}

/// Whether a row may be what it says.
fn is_sound(row: &Row) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    row.digest.len() == 32 && row.digest.bytes().all(is_digit)
}
