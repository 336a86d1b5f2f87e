//! Everything that can be wrong with a scenario: one function for each, so that all messages stand in
//! one file. Problems are collected, never thrown; rendering them is the report's.

use std::fmt::Display;

use super::source::{Place, Sources};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// It can, but it may not do what its author means.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A short stable code: `S002`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What stands at that place, in a few words; may be empty.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The problems found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Diagnostics {
    list: Vec<Diagnostic>,
    lacks: Vec<Lack>,
}

/// A key that is missing, or several of which one is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lack {
    /// The table.
    place: Place,
    /// The keys, each in backticks.
    keys: String,
    /// Where it stands in the list of problems.
    position: usize,
}

/// What is wrong with a scenario, and the texts it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The texts.
    pub sources: Sources,
    /// The problems, warnings included, in the order of the texts.
    pub diagnostics: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Whether there is an error.
    #[must_use]
    pub(super) fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How many errors there are.
    pub(super) fn error_count(&self) -> usize {
        self.list.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }

    /// The problems in the order of the texts; each once.
    #[must_use]
    pub(super) fn into_sorted(mut self) -> Vec<Diagnostic> {
        // Down to the message, so that equal ones are neighbours.
        self.list.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.place.source, d.place.span.start, d.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        self.list.dedup();
        self.list
    }

    /// Whether the texts could be parsed.
    pub(super) fn has_syntax_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.code == SYNTAX)
    }

    /// Drops what may be missing only because an included file is.
    pub(super) fn forget_absences(&mut self) {
        self.list.retain(|diagnostic| !ABSENCES.contains(&diagnostic.code));
    }

    fn error(&mut self, code: &'static str, place: &Place, message: String) -> &mut Diagnostic {
        self.push(Severity::Error, code, place, message)
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        place: &Place,
        message: String,
    ) -> &mut Diagnostic {
        let (place, label, help) = (place.clone(), String::new(), None);
        self.list.push(Diagnostic { severity, code, message, place, label, help });
        self.list.last_mut().expect("it was just pushed")
    }

    pub(super) fn syntax(&mut self, place: &Place, message: &str) {
        self.error(SYNTAX, place, format!("not valid TOML: {}", message.trim()));
    }

    /// Also says which key was probably meant.
    pub(super) fn unknown_key<'a>(
        &mut self,
        place: &Place,
        key: &str,
        table: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        let known: Vec<&str> = known.into_iter().collect();
        let meant = self.meant(key, &known);
        let help = meant.map(did_you_mean).or_else(|| {
            let list = known.join(", ");
            (list.len() < 400 && !list.is_empty()).then(|| format!("{table} has: {list}"))
        });
        self.error("S002", place, format!("unknown key `{key}` in {table}")).help = help;
        meant
    }

    pub(super) fn wrong_type(&mut self, place: &Place, expected: &str, found: &str) {
        let error = self.error("S003", place, format!("expected {expected}, found {found}"));
        error.label = format!("this is {found}");
    }

    pub(super) fn missing(&mut self, place: &Place, key: &str, table: &str, example: &str) {
        let message = format!("{table} lacks `{key}`");
        self.error("S004", place, message).help = Some(format!("add `{example}`"));
        self.lacks(place, format!("`{key}`"));
    }

    fn lacks(&mut self, place: &Place, keys: String) {
        let position = self.list.len() - 1;
        self.lacks.push(Lack { place: place.clone(), keys, position });
    }

    /// A key of a table was written wrong. That the table lacks the right one is the same problem.
    pub(super) fn forgive(&mut self, table: &Place, key: &str) {
        let key = format!("`{key}`");
        let is_meant = |lack: &Lack| lack.place == *table && lack.keys.contains(&key);
        let Some(index) = self.lacks.iter().position(is_meant) else {
            return;
        };
        self.list.remove(self.lacks.remove(index).position);
        for later in &mut self.lacks[index..] {
            later.position -= 1;
        }
    }

    pub(super) fn malformed(&mut self, place: &Place, what: &str, text: &str, example: &str) {
        let message = format!("`{text}` is not {what}");
        self.error("S005", place, message).help = Some(format!("write it like {example}"));
    }

    pub(super) fn out_of_range(&mut self, place: &Place, what: &str, bounds: impl Display) {
        self.error("S006", place, format!("{what} must be {bounds}"));
    }

    /// A word that is none of the format's.
    pub(super) fn unknown_word(&mut self, place: &Place, kind: &str, word: &str, known: &[&str]) {
        let one_of = || Some(format!("one of: {}", known.join(", ")));
        let help = self.meant(word, known).map(did_you_mean).or_else(one_of);
        self.error("S018", place, format!("there is no {kind} `{word}`")).help = help;
    }

    /// A name that nothing in the scenario has.
    pub(super) fn unknown_name(&mut self, place: &Place, kind: &str, name: &str, known: &[&str]) {
        let help = self.meant(name, known).map(did_you_mean).or_else(|| {
            let list = known.join(", ");
            match list.len() {
                0 => Some(format!("the scenario has no {kind}")),
                1..300 => Some(format!("the scenario has: {list}")),
                _ => None,
            }
        });
        self.error("S007", place, format!("there is no {kind} `{name}`")).help = help;
    }

    pub(super) fn selects_nothing(&mut self, place: &Place, selector: &str, help: String) {
        let message = format!("the selector `{selector}` matches nothing");
        self.error("S008", place, message).help = Some(help);
    }

    pub(super) fn no_selector(&mut self, place: &Place, text: &str, meant: Option<&str>) {
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                "write it like `app:ORDERS`, `instance:ORDERS/3`, `server:eureka-0`, `zone:a`, \
                     `clients`, `servers` or `all`"
                    .to_owned()
            }
        };
        self.error("S005", place, format!("`{text}` is not a selector")).help = Some(help);
    }

    pub(super) fn duplicate(&mut self, place: &Place, what: &str, name: &str, help: &str) {
        let message = format!("{what} `{name}` occurs twice");
        self.error("S009", place, message).help = Some(help.to_owned());
    }

    pub(super) fn not_exactly_one(&mut self, place: &Place, found: &[&str], wanted: &str) {
        if found.is_empty() {
            let message = "a key is missing here".to_owned();
            self.error("S010", place, message).help = Some(format!("add one of {wanted}"));
            self.lacks(place, wanted.to_owned());
        } else {
            let message = format!("this has `{}`: exactly one is wanted", found.join("` and `"));
            self.error("S010", place, message).help = Some(format!("exactly one of {wanted}"));
        }
    }

    pub(super) fn beyond_duration(&mut self, place: &Place, what: &str, duration: impl Display) {
        let message = format!("{what} lies beyond the end of the run at {duration}");
        self.error("S011", place, message).help =
            Some("lower it, or raise the top-level `duration`".to_owned());
    }

    pub(super) fn not_yet(&mut self, place: &Place, what: &str) {
        let message = format!("{what} is valid, but this version does not execute it yet");
        self.error("S012", place, message).help =
            Some("nothing is ignored silently: leave it out to run the rest".to_owned());
    }

    pub(super) fn include(&mut self, place: &Place, problem: &str, help: &str) {
        self.error("S013", place, problem.to_owned()).help = Some(help.to_owned());
    }

    pub(super) fn release(&mut self, place: &Place, release: &str, problem: &str) {
        let message = format!("release `{release}` {problem}");
        self.error("S014", place, message).help =
            Some("any `X.Y.Z` from 1.3.4 on; the newest that was executed is 2.0.6".to_owned());
    }

    pub(super) fn too_many(&mut self, place: &Place, what: &str, found: u64, most: u64) {
        let message = format!("{found} {what} are too many");
        self.error("S015", place, message).help = Some(format!("at most {most}"));
    }

    pub(super) fn misplaced(&mut self, place: &Place, message: String, help: &str) {
        self.error("S016", place, message).help = Some(help.to_owned());
    }

    /// A metric of calls that there are not, of what the key names or at all.
    pub(super) fn nobody_calls(&mut self, place: &Place, metric: &str, of: Option<&str>) {
        let why = match of {
            Some(key) => format!("there are none of this `{key}`"),
            None => "nobody makes any".to_owned(),
        };
        let help =
            "callers have `calls = { app = \"PAYMENTS\", per-second = 5.0 }` in their [[apps]]";
        self.misplaced(place, format!("`{metric}` is of calls, and {why}"), help);
    }

    pub(super) fn argument(&mut self, place: &Place, message: String, help: &str) {
        self.error("S017", place, message).help = Some(help.to_owned());
    }

    pub(super) fn unknown_in_argument(
        &mut self,
        place: &Place,
        list: &str,
        name: &str,
        known: &[&str],
    ) {
        let help = nearest(name, known)
            .map(did_you_mean)
            .unwrap_or_else(|| "the name is the entry's `name`".to_owned());
        self.argument(place, format!("no [[{list}]] is called `{name}`"), &help);
    }

    pub(super) fn warn(&mut self, code: &'static str, place: &Place, message: String, help: &str) {
        self.push(Severity::Warning, code, place, message).help = Some(help.to_owned());
    }
}

impl Diagnostics {
    /// What was probably meant; not for the thousandth problem of a file that is no scenario at all.
    fn meant<'a>(&self, name: &str, known: &[&'a str]) -> Option<&'a str> {
        const MOST: usize = 1_000;
        if self.list.len() < MOST { nearest(name, known) } else { None }
    }
}

fn did_you_mean(nearest: &str) -> String {
    format!("did you mean `{nearest}`?")
}

/// The nearest of the known names, if one is near enough.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // Nobody means a long one, and distances cost memory by both lengths.
    const LONGEST: usize = 100;
    let length = name.chars().take(LONGEST + 1).count();
    if length > LONGEST {
        return None;
    }
    let lower = name.to_lowercase();
    let distance = |known: &&str| strsim::damerau_levenshtein(&lower, &known.to_lowercase());
    let known = known.iter().copied().filter(|known| known.len() <= 2 * LONGEST);
    let (distance, nearest) = known.map(|known| (distance(&known), known)).min_by_key(|d| d.0)?;
    (distance <= 1 + length / 4).then_some(nearest)
}

/// The code of problems of syntax.
const SYNTAX: &str = "S001";
/// The codes of problems that a missing file may be the reason of: a missing key, an unknown name, a
/// selector without matches.
const ABSENCES: [&str; 3] = ["S004", "S007", "S008"];
