//! The journal of a sweep on disk: begun, gone on with, and ended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::files::describe;
use crate::study::tune::{
    Journal, Request, Row, Rows, Shard, first_line, last_line, read, row_line,
};

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
    /// Opens the journal of a request, and gives back the runs that are in it: none with `restart`, or if
    /// what stands there is of another sweep, which has come to its end.
    pub(super) fn open(
        folder: &Path,
        request: &Request,
        shard: Option<Shard>,
        restart: bool,
    ) -> Result<(Self, Rows), NoJournal> {
        let path = folder.join(name(shard));
        let earlier = match fs::read_to_string(&path) {
            _ if restart => None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(bad("line 1: this is no journal of `eureka-sim tune`"));
            }
            Err(error) => {
                let reason = format!("cannot read: {}", describe(&error));
                return Err(NoJournal { reason, exit: Exit::Io });
            }
            // Cut before its first line was whole.
            Ok(text) if !text.contains('\n') => None,
            Ok(text) => Some(read(&text).map_err(|error| bad(&error.to_string()))?),
        };
        match earlier {
            Some(journal) if journal.request == *request && journal.shard == shard => {
                Self::go_on(path, journal).map_err(NoJournal::from)
            }
            Some(journal) if !journal.is_complete => Err(bad(&format!(
                "this is the journal of another sweep (other values, seeds, faults or another scenario) of \
                 which {} runs are done",
                journal.rows.len()
            ))),
            _ => {
                let mut file = File::create(&path)?;
                file.write_all(first_line(request, shard).as_bytes())?;
                Ok((Self { path, file, is_complete: false }, Rows::new()))
            }
        }
    }

    fn go_on(path: PathBuf, journal: Journal) -> io::Result<(Self, Rows)> {
        let file = OpenOptions::new().append(true).open(&path)?;
        // A line that was cut is written anew.
        file.set_len(journal.whole as u64)?;
        Ok((Self { path, file, is_complete: journal.is_complete }, journal.rows))
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
