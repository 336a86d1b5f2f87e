//! The lines of a trace, and what can be wrong with a file that should be one.

use std::io::{self, BufRead, Read};

use serde_json::Value;
use thiserror::Error;

/// Longer than any line of a recording, short enough not to fill memory with a wrong file.
const LONGEST_LINE: u64 = 64 << 20;

/// Why a file could not be replayed.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The file has no line.
    #[error("the file is empty: a trace begins with a header line")]
    Empty,
    /// The first line is no header of a known format.
    #[error(
        "not a trace: the first line should be a JSON object with \"format\": \
         \"eureka-golden/registry/1\" or \"eureka-golden/client/1\""
    )]
    NotATrace,
    /// A line is no JSON object, or the file ends inside one.
    #[error("line {line}: {reason}")]
    Cut {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read: {0}")]
    Io(#[source] io::Error),
}

/// JSON objects, one a line.
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, number: 0, buffer: Vec::new() }
    }

    /// The next line and its number from 1; nothing at the end of the file.
    pub(super) fn next_json(&mut self) -> Result<Option<(u64, Value)>, ReplayError> {
        self.buffer.clear();
        self.number += 1;
        let line = self.number;
        let mut limited = (&mut self.reader).take(LONGEST_LINE);
        limited.read_until(b'\n', &mut self.buffer).map_err(|error| match error.kind() {
            // What a decompressor says of a file that is cut or no gzip at all.
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData => {
                let reason = format!("the compressed data is cut or damaged ({error})");
                ReplayError::Cut { line, reason }
            }
            _ => ReplayError::Io(error),
        })?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        if self.buffer.len() as u64 == LONGEST_LINE {
            let reason = "longer than any line of a trace".to_owned();
            return Err(ReplayError::Cut { line, reason });
        }
        match serde_json::from_slice::<Value>(&self.buffer) {
            Ok(value) if value.is_object() => Ok(Some((line, value))),
            _ if line == 1 => Err(ReplayError::NotATrace),
            Ok(_) => {
                let reason = "not a JSON object: the trace is damaged here".to_owned();
                Err(ReplayError::Cut { line, reason })
            }
            Err(error) => {
                let reason = format!("the trace is cut or damaged here ({error})");
                Err(ReplayError::Cut { line, reason })
            }
        }
    }

    /// Reads to the end, so that a cut file is noticed.
    pub(super) fn drain(&mut self) -> Result<(), ReplayError> {
        while self.next_json()?.is_some() {}
        Ok(())
    }
}
