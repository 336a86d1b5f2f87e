//! Folders of inputs, walked in one order on every machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::files::describe;
use super::terminal::Terminal;

/// How deep folders are walked.
const DEEPEST: usize = 32;

/// Everything in a folder and its folders that is no folder itself, by name. What cannot be read is
/// reported, and the exit code says so.
pub(super) fn files_below(folder: &Path, terminal: &mut Terminal) -> (Vec<PathBuf>, Exit) {
    let mut found = Vec::new();
    let exit = walk(folder, &mut Vec::new(), &mut found, terminal);
    (found, exit)
}

/// `open` are the folders around this one, as they really are: links may lead back to one of them.
fn walk(
    folder: &Path,
    open: &mut Vec<PathBuf>,
    found: &mut Vec<PathBuf>,
    terminal: &mut Terminal,
) -> Exit {
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    if open.contains(&real) || open.len() == DEEPEST {
        return Exit::Ok;
    }
    let entries = fs::read_dir(folder).and_then(|entries| {
        let mut paths =
            entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
        paths.sort();
        Ok(paths)
    });
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            terminal.error(folder, &format!("cannot read: {}", describe(&error)));
            return Exit::Io;
        }
    };
    let mut exit = Exit::Ok;
    open.push(real);
    for path in entries {
        if path.is_dir() {
            exit = exit.max(walk(&path, open, found, terminal));
        } else {
            found.push(path);
        }
    }
    open.pop();
    exit
}
