//! `eureka-sim replay`

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::args::{Common, Format, ReplayArguments};
use super::exit::Exit;
use super::files::{describe, open_trace};
use super::run::json;
use super::terminal::Terminal;
use super::walk::files_below;
use crate::replay::{ReplayError, kind_of, replay as replay_trace};
use crate::report::{ReplayReport, escape, replay_text};

pub(super) fn replay(
    arguments: &ReplayArguments,
    common: &Common,
    terminal: &mut Terminal,
) -> Exit {
    let mut report = ReplayReport::new();
    let mut exit = Exit::Ok;
    for path in &arguments.traces {
        let mut found = Vec::new();
        if path.is_dir() {
            let walked = traces_in(path, &mut found, terminal);
            exit = exit.max(walked);
            if found.is_empty() && walked == Exit::Ok {
                terminal.error(path, "no trace in this folder");
                exit = exit.max(Exit::BadInput);
            }
        } else {
            found.push(path.clone());
        }
        for trace in found {
            exit = exit.max(replay_file(&trace, common, &mut report, terminal));
        }
    }
    match common.format {
        Format::Json => terminal.print(&json(&report)),
        Format::Text => terminal.print(&format!(
            "{} traces, {} operations, {} divergences\n",
            report.files, report.operations, report.divergences
        )),
    }
    exit
}

fn replay_file(
    path: &Path,
    common: &Common,
    report: &mut ReplayReport,
    terminal: &mut Terminal,
) -> Exit {
    let opened = open_trace(path).map_err(ReplayError::Io);
    match opened.and_then(replay_trace) {
        Ok(replayed) => {
            let exit = if replayed.divergences > 0 { Exit::Failed } else { Exit::Ok };
            let name = path.display().to_string();
            if common.format == Format::Text {
                terminal.print(&replay_text(&name, &replayed));
            }
            report.add(&name, replayed);
            exit
        }
        Err(ReplayError::Io(error)) => {
            terminal.error(path, &format!("cannot read: {}", describe(&error)));
            Exit::Io
        }
        Err(error) => {
            terminal.error(path, &error.to_string());
            Exit::BadInput
        }
    }
}

/// The traces in a folder, in order of their names. What else is called like one is named.
fn traces_in(folder: &Path, found: &mut Vec<PathBuf>, terminal: &mut Terminal) -> Exit {
    let (files, mut exit) = files_below(folder, terminal);
    for path in files.into_iter().filter(|path| is_called_like_a_trace(path)) {
        // Only files: whoever opens a pipe waits for its other end.
        let is_file = fs::metadata(&path).map(|metadata| metadata.is_file());
        let line = if is_file.unwrap_or(true) { first_line(&path) } else { Ok(String::new()) };
        match line {
            Ok(line) if kind_of(&line).is_some() => found.push(path),
            Ok(_) => {
                let name = path.display().to_string();
                let name = escape(&name);
                terminal.say(&format!("{name}: not a trace of one server or client\n"));
            }
            Err(error) => {
                terminal.error(&path, &format!("cannot read: {}", describe(&error)));
                exit = exit.max(Exit::Io);
            }
        }
    }
    exit
}

fn is_called_like_a_trace(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.is_some_and(|name| name.ends_with(".jsonl") || name.ends_with(".jsonl.gz"))
}

/// The first line of a file, up to a length that every header fits into.
fn first_line(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut line = Vec::new();
    let read = open_trace(path)?.take(1 << 20).read_until(b'\n', &mut line);
    match read {
        // Cut or not compressed at all: no trace, and the walk goes on.
        Err(error) if error.kind() != std::io::ErrorKind::PermissionDenied => Ok(String::new()),
        Err(error) => Err(error),
        Ok(_) => Ok(String::from_utf8_lossy(&line).into_owned()),
    }
}
