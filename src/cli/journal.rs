//! The journal of a sweep on disk: begun, gone on with, and ended.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::files::describe;
use crate::study::tune::{Journal, Row, Rows, Shard, Sweep, first_line, last_line, read, row_line};

/// A journal that is written.
pub(super) struct JournalFile {
    pub(super) path: PathBuf,
    file: File,
    /// Nothing more will come.
    is_complete: bool,
}

/// Why there is none, and the exit code that goes with it.
pub(super) struct NoJournal {
    pub(super) reason: String,
    pub(super) exit: Exit,
}

impl From<io::Error> for NoJournal {
    fn from(error: io::Error) -> Self {
        Self { reason: format!("cannot write: {}", describe(&error)), exit: Exit::Io }
    }
}

/// What a journal of this part is called.
pub(super) fn name(shard: Option<Shard>) -> String {
    match shard {
        None => "journal.jsonl".to_owned(),
        Some(Shard { number, of }) => format!("shard-{number}-of-{of}.jsonl"),
    }
}

impl JournalFile {
    /// Opens the journal of a sweep, and gives back the runs that are in it, those of other seeds left out:
    /// none with `restart`, or if what stands there is of another sweep, which has come to its end. Nobody else can open it meanwhile.
    pub(super) fn open(
        folder: &Path,
        sweep: &Sweep,
        shard: Option<Shard>,
        restart: bool,
    ) -> Result<(Self, Rows), NoJournal> {
        let path = folder.join(name(shard));
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(bad("this is no file"));
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let reason = "another process is at this sweep: wait for it, or write elsewhere with --out DIR";
                return Err(NoJournal { reason: reason.to_owned(), exit: Exit::Io });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut bytes = Vec::new();
        if !restart {
            file.read_to_end(&mut bytes)?;
        }
        // The line that was being written when the process was killed is written anew.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        bytes.truncate(whole);
        let earlier = match whole {
            0 => None,
            _ => Some(read(&bytes).map_err(|error| bad(&error.to_string()))?),
        };
        match earlier {
            Some(journal) if journal.request == sweep.request && journal.shard == shard => {
                if let Some(why) = sweep.disowns(&journal) {
                    return Err(bad(&why));
                }
                file.set_len(whole as u64)?;
                let Journal { rows, is_complete, .. } = journal;
                Ok((Self { path, file, is_complete }, rows))
            }
            // More seeds or fewer: what is done needs not be done again.
            Some(journal)
                if shard.is_none()
                    && journal.shard.is_none()
                    && journal.request.has_the_runs_of(&sweep.request)
                    && journal.sweep == sweep.digest() =>
            {
                let mut rows = journal.rows;
                rows.retain(|_, row| sweep.has(row, None));
                let lines = rows.values().map(row_line);
                let all: String = std::iter::once(first_line(sweep, shard)).chain(lines).collect();
                file.set_len(0)?;
                file.write_all(all.as_bytes())?;
                Ok((Self { path, file, is_complete: false }, rows))
            }
            // A part that is complete may be waiting for the others.
            Some(journal) if !journal.is_complete || shard.is_some() => Err(bad(&format!(
                "this is the journal of another sweep ({}) of which {} runs are done",
                journal.request.difference(&sweep.request).unwrap_or("another part"),
                journal.rows.len()
            ))),
            _ => {
                file.set_len(0)?;
                file.write_all(first_line(sweep, shard).as_bytes())?;
                Ok((Self { path, file, is_complete: false }, Rows::new()))
            }
        }
    }

    /// Adds a run. It is there when this returns, whatever becomes of the process.
    pub(super) fn add(&mut self, row: &Row) -> io::Result<()> {
        self.file.write_all(row_line(row).as_bytes())
    }

    /// All runs are there.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        if self.is_complete {
            return Ok(());
        }
        self.is_complete = true;
        self.file.write_all(last_line().as_bytes())
    }
}

fn bad(reason: &str) -> NoJournal {
    let help = "--restart begins anew and forgets it, --out DIR writes elsewhere";
    NoJournal { reason: format!("{reason}; {help}"), exit: Exit::BadInput }
}
