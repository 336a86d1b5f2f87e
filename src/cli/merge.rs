//! `eureka-sim merge`

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::args::{Common, MergeArguments};
use super::exit::Exit;
use super::files::{Staged, describe};
use super::terminal::Terminal;
use super::tune::{Refused, differs, fit, folder, refused, report, rerun, weights};
use super::walk::files_below;
use crate::study::tune::{Journal, Rows, Sweep, is_journal, read};

/// Longest first line of a part: it has the texts of the scenario.
const LONGEST_HEAD: u64 = 256 << 20;

pub(super) fn merge(arguments: &MergeArguments, common: &Common, terminal: &mut Terminal) -> Exit {
    try_merge(arguments, common, terminal).err().unwrap_or(Exit::Ok)
}

fn try_merge(
    arguments: &MergeArguments,
    common: &Common,
    terminal: &mut Terminal,
) -> Result<(), Refused> {
    let weights = weights(&arguments.report, terminal)?;
    let mut parts: Vec<(PathBuf, Journal)> = Vec::new();
    for path in &arguments.parts {
        parts.extend(parts_of(path, terminal)?);
    }
    let Some((first, Journal { request, .. })) = parts.first() else {
        return Err(Exit::BadInput);
    };
    if request.version != env!("CARGO_PKG_VERSION") {
        let reason = format!(
            "this was run by version {} of eureka-sim, and this is {}: run it again, or merge with that one",
            request.version,
            env!("CARGO_PKG_VERSION")
        );
        terminal.error(first, &reason);
        return Err(Exit::BadInput);
    }
    for (other, part) in &parts {
        if let Some(what) = request.difference(&part.request) {
            let reason =
                format!("this is a part of another sweep than {}: {what}", first.display());
            terminal.error(other, &reason);
            return Err(Exit::BadInput);
        }
    }
    let sweep = Sweep::new(request.clone()).map_err(|error| refused(&error, terminal))?;
    fit(&weights, &sweep, terminal)?;
    let mut rows = Rows::new();
    for (path, part) in &parts {
        if let Some(why) = sweep.disowns(part) {
            terminal.error(path, &why);
            return Err(Exit::BadInput);
        }
        if let Some(why) = differs(&sweep, &part.rows, terminal)? {
            terminal.error(path, &format!("{why}; run it again"));
            return Err(Exit::Nondeterministic);
        }
        for (run, row) in &part.rows {
            if rows.insert(*run, row.clone()).is_some_and(|known| known != *row) {
                terminal.error(path, "it says something else of a run than another part does");
                return Err(Exit::Nondeterministic);
            }
        }
    }
    let missing = sweep.due(&rows, None).len();
    if missing > 0 {
        let parts = parts.iter().map(|(_, part)| match part.shard {
            Some(shard) => format!("{}/{}", shard.number, shard.of),
            None => "all".to_owned(),
        });
        let reason = format!(
            "{missing} runs or more are missing: there are the parts {}; run the others, or those that came to no \
             end again",
            parts.collect::<Vec<_>>().join(", ")
        );
        terminal.error(first, &reason);
        return Err(Exit::BadInput);
    }
    sweep.prune(&mut rows);
    let folder = folder(&sweep, &arguments.report);
    let files = Staged::new(&folder).map_err(|error| {
        terminal.error(&folder, &format!("cannot write: {}", describe(&error)));
        Exit::Io
    })?;
    let path = sweep.request.files.first().map_or("", |(path, _)| path.as_str());
    let rerun = rerun(&sweep.request, path, &arguments.report);
    report(&sweep, &rows, weights, (&arguments.report, common, &rerun), files, terminal)
}

/// The part that a path is, or those in the folder that it is.
fn parts_of(path: &Path, terminal: &mut Terminal) -> Result<Vec<(PathBuf, Journal)>, Refused> {
    let mut parts = Vec::new();
    let read_file = |file: &Path, terminal: &mut Terminal| {
        fs::read(file).map_err(|error| {
            terminal.error(file, &format!("cannot read: {}", describe(&error)));
            Exit::Io
        })
    };
    if !path.is_dir() {
        parts.push((path.to_path_buf(), read_file(path, terminal)?));
    } else {
        let (files, exit) = files_below(path, terminal);
        if exit != Exit::Ok {
            return Err(exit);
        }
        for file in files.into_iter().filter(|file| file.extension().is_some_and(|e| e == "jsonl"))
        {
            // Events and traces stand in report folders too, and may be large.
            let mut first = Vec::new();
            let begun = File::open(&file).and_then(|file| {
                BufReader::new(file).take(LONGEST_HEAD).read_until(b'\n', &mut first)
            });
            if begun.is_ok() && is_journal(&first) {
                let bytes = read_file(&file, terminal)?;
                parts.push((file, bytes));
            }
        }
        if parts.is_empty() {
            terminal.error(path, "no part of a sweep in this folder");
            return Err(Exit::BadInput);
        }
    }
    let mut journals = Vec::new();
    for (path, bytes) in parts {
        match read(&bytes) {
            Ok(journal) => journals.push((path, journal)),
            Err(error) => {
                terminal.error(&path, &error.to_string());
                return Err(Exit::BadInput);
            }
        }
    }
    Ok(journals)
}
