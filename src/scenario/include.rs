//! Files merged into a scenario before its own words.

use std::path::{Component, Path, PathBuf};

use super::diagnostics::Diagnostics;
use super::reader::texts;
use super::source::{SourceId, Sources};
use super::spelling;
use super::tree::{self, Table};

/// Reads files for whoever loads a scenario.
pub trait Files {
    /// The text of a file, or why there is none, in a few words.
    ///
    /// # Errors
    /// If the file is missing, unreadable, too large or no text.
    fn read(&self, path: &Path) -> Result<String, String>;
}

/// Parses a file and what it includes.
pub(super) struct Loader<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) sources: &'a mut Sources,
    pub(super) diags: &'a mut Diagnostics,
    /// The files being read, the scenario first.
    pub(super) open: Vec<PathBuf>,
    /// There are more than can be: that is said once.
    pub(super) too_many: bool,
}

/// How deep includes may be nested.
const DEEPEST: usize = 16;
/// How many files a scenario may include, each as often as it is named: two per level would be 65,536.
const MOST: usize = 256;

impl Loader<'_> {
    /// The tree of a text, with the files it includes merged beneath it.
    pub(super) fn load(&mut self, path: &Path, source: SourceId) -> Table {
        let text = self.sources.get(source).text.clone();
        let mut own = tree::parse(&text, source, self.diags);
        spelling::unify(&mut own, self.diags);
        let mut merged = Table::new();
        if let Some((_, includes)) = own.get("include") {
            for include in texts(includes, self.diags) {
                if let Some(table) = self.include(path, &include.value, &include.place) {
                    tree::merge(&mut merged, table);
                }
            }
        }
        tree::merge(&mut merged, own);
        merged
    }

    fn include(&mut self, from: &Path, name: &str, place: &super::source::Place) -> Option<Table> {
        let root = from.parent().unwrap_or(Path::new(""));
        let Some(inner) = inside(Path::new(name)) else {
            let problem = format!("the include `{name}` leaves the folder of the including file");
            self.diags.include(place, &problem, "name a file in that folder or below it");
            return None;
        };
        let path = root.join(inner);
        if self.open.contains(&path) {
            let chain: Vec<String> =
                self.open.iter().chain([&path]).map(|path| path.display().to_string()).collect();
            let problem = format!("includes go round in a circle: {}", chain.join(" → "));
            self.diags.include(place, &problem, "remove one of these includes");
            return None;
        }
        if self.open.len() == DEEPEST {
            let problem = format!("includes are nested more than {DEEPEST} deep");
            self.diags.include(place, &problem, "include fewer files of files");
            return None;
        }
        if self.sources.len() > MOST {
            if !self.too_many {
                let problem = format!("more than {MOST} files are included");
                self.diags.include(place, &problem, "include each file once");
                self.too_many = true;
            }
            return None;
        }
        match self.files.read(&path) {
            Err(reason) => {
                let problem = format!("cannot include `{}`: {reason}", path.display());
                self.diags.include(place, &problem, "paths are relative to the including file");
                None
            }
            Ok(text) => {
                let source = self.sources.add(path.display().to_string(), text);
                self.open.push(path.clone());
                let table = self.load(&path, source);
                self.open.pop();
                Some(table)
            }
        }
    }
}

/// A relative path without `..` steps beyond its start, or nothing.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}
