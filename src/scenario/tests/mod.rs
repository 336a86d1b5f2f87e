//! The scenario language, word by word: what is read, and what is said of what cannot be.

mod actions;
mod apps;
mod calls;
mod expectations;
mod fleet;
mod health;
mod hunt;
mod includes;
mod later;
mod mutations;
mod observe;
mod overrides;
mod problems;
mod references;
mod servers;
mod tables;
mod timeline;
mod units;

use std::path::Path;

use super::{Changes, Diagnostic, Files, Plan, Rejected, Severity, Sources, load};

/// The least that a scenario says of itself, on two lines.
const HEAD: &str = "schema = 1\nduration = \"10m\"\n";

/// Two servers, hosts 0 and 1, in zones `a` and `b`; four ORDERS in `b`, hosts 2 to 5, and two PAYMENTS
/// in `a`, hosts 6 and 7. It ends on line 12.
const FLEET: &str = r#"schema = 1
duration = "10m"
[cluster]
servers = 2
zones = ["a", "b"]
[[apps]]
name = "ORDERS"
instances = 4
zone = "b"
[[apps]]
name = "PAYMENTS"
instances = 2
"#;

/// Files by path, as in a folder.
struct Folder<'a>(&'a [(&'a str, &'a str)]);

impl Files for Folder<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    }
}

/// Loads the first file of a folder.
fn load_from(folder: &[(&str, &str)], sets: &[&str]) -> Result<Plan, Rejected> {
    let (name, text) = folder[0];
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    load(Path::new(name), text, Changes { sets: &sets, ..Changes::default() }, &Folder(folder))
}

/// The plan of a text that has no errors.
fn plan(text: &str) -> Plan {
    load_from(&[("s.toml", text)], &[]).unwrap_or_else(|rejected| panic!("{}", said(&rejected)))
}

/// All that is said of a text, line by line, warnings of a good one included.
fn problems(text: &str) -> String {
    problems_of(&[("s.toml", text)], &[])
}

/// Likewise of the first file of a folder.
fn problems_of(folder: &[(&str, &str)], sets: &[&str]) -> String {
    match load_from(folder, sets) {
        Ok(plan) => lines(&plan.sources, &plan.warnings),
        Err(rejected) => said(&rejected),
    }
}

fn said(rejected: &Rejected) -> String {
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    assert!(rejected.diagnostics.iter().any(is_error), "refused without a reason");
    lines(&rejected.sources, &rejected.diagnostics)
}

/// `FILE:LINE:COLUMN: CODE MESSAGE`, with `^ TEXT` for what is marked and `= TEXT` for the help.
fn lines(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let Diagnostic { severity, code, message, place, label, help } = diagnostic;
        let kind = if *severity == Severity::Error { 'S' } else { 'W' };
        assert!(code.starts_with(kind), "{code} is a {severity:?}");
        let (line, column) = sources.line_and_column(place);
        let name = &sources.get(place.source).name;
        let message: String = message.chars().map(visible).collect();
        text += &format!("{name}:{line}:{column}: {code} {message}\n");
        let below = [("^", Some(label)), ("=", help.as_ref())];
        for (sign, what) in below {
            if let Some(what) = what.filter(|what| !what.is_empty()) {
                text += &format!("    {sign} {what}\n");
            }
        }
    }
    text
}

fn visible(letter: char) -> String {
    if letter.is_control() { letter.escape_default().collect() } else { letter.to_string() }
}
