//! Scenarios with accidents: whatever a text looks like, there is a plan or a reason, and no panic.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{Folder, lines};
use crate::scenario::{Changes, Severity, load};

/// The shipped scenarios.
fn shipped() -> Vec<(PathBuf, String)> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("the scenarios are there");
        entries.map(|entry| entry.expect("a folder can be read").path()).collect()
    };
    let folders = entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"));
    let files = folders.iter().filter(|path| path.is_dir()).flat_map(|folder| entries(folder));
    let is_toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let mut paths: Vec<PathBuf> = files.filter(is_toml).collect();
    paths.sort();
    let text = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a scenario is text");
        (path, text)
    };
    paths.into_iter().map(text).collect()
}

/// An accident. Numbers are positions, taken modulo what there is.
#[derive(Clone, Debug)]
enum Accident {
    DeleteLine(usize),
    RepeatLine(usize, usize),
    SwapLines(usize, usize),
    Cut(usize),
    DeleteLetter(usize),
    InsertLetter(usize, char),
    ReplaceNumber(usize, &'static str),
}

/// Letters that mean something in TOML or in the words of the format, and some that never do.
const LETTERS: &[char] = &[
    '"', '\'', '=', '[', ']', '{', '}', ',', '.', '#', '\n', '\r', '\\', '-', ':', '/', '*', '%',
    '0', '9', 'a', 's', ' ', '\u{1b}', '\0', 'é', '日', '\u{202e}', '\u{feff}',
];

/// Numbers beyond what anybody means.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1000000000",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999999999999999999999999999999",
    "1e308",
    "nan",
    "-inf",
    "0.0000000001",
    "\"\"",
    "[]",
    "{}",
];

fn accident() -> impl Strategy<Value = Accident> {
    let any = any::<usize>;
    prop_oneof![
        any().prop_map(Accident::DeleteLine),
        (any(), any()).prop_map(|(from, to)| Accident::RepeatLine(from, to)),
        (any(), any()).prop_map(|(a, b)| Accident::SwapLines(a, b)),
        any().prop_map(Accident::Cut),
        any().prop_map(Accident::DeleteLetter),
        (any(), prop::sample::select(LETTERS)).prop_map(|(at, c)| Accident::InsertLetter(at, c)),
        (any(), prop::sample::select(NUMBERS)).prop_map(|(at, n)| Accident::ReplaceNumber(at, n)),
    ]
}

impl Accident {
    fn befall(&self, text: &str) -> String {
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let letters: Vec<char> = text.chars().collect();
        if letters.is_empty() {
            return String::new();
        }
        let count = lines.len();
        let (line, letter) = (|at: usize| at % count, |at: usize| at % letters.len());
        match *self {
            Self::DeleteLine(at) => drop(lines.remove(line(at))),
            Self::RepeatLine(from, to) => lines.insert(line(to), lines[line(from)]),
            Self::SwapLines(a, b) => lines.swap(line(a), line(b)),
            Self::Cut(at) => return letters[..letter(at)].iter().collect(),
            Self::DeleteLetter(at) => {
                let at = letter(at);
                return letters[..at].iter().chain(&letters[at + 1..]).collect();
            }
            Self::InsertLetter(at, new) => {
                let (before, after) = letters.split_at(letter(at));
                return before.iter().chain([&new]).chain(after).collect();
            }
            Self::ReplaceNumber(at, new) => {
                // The next run of digits from there on.
                let at = letter(at);
                let start = (at..letters.len()).find(|&at| letters[at].is_ascii_digit());
                let Some(start) = start else {
                    return text.to_owned();
                };
                let digits = letters[start..].iter().take_while(|c| c.is_ascii_digit()).count();
                let before: String = letters[..start].iter().collect();
                let after: String = letters[start + digits..].iter().collect();
                return format!("{before}{new}{after}");
            }
        }
        lines.concat()
    }
}

/// Loads it; that alone may panic. What is said has places that exist.
fn survives(path: &Path, text: &str) {
    match load(path, text, Changes::default(), &Folder(&[])) {
        Ok(plan) => drop(lines(&plan.sources, &plan.warnings)),
        Err(rejected) => {
            let errors = rejected.diagnostics.iter();
            let errors = errors.filter(|diagnostic| diagnostic.severity == Severity::Error);
            assert!(errors.count() > 0, "refused without a reason:\n{text}");
            drop(lines(&rejected.sources, &rejected.diagnostics));
            for diagnostic in &rejected.diagnostics {
                let source = &rejected.sources.get(diagnostic.place.source).text;
                let span = diagnostic.place.span.clone();
                assert!(source.get(span.clone()).is_some(), "{span:?} is no part of:\n{text}");
            }
        }
    }
}

#[test]
fn the_shipped_scenarios_are_plans() {
    let shipped = shipped();
    assert!(shipped.len() >= 6);
    for (path, text) in shipped {
        assert!(load(&path, &text, Changes::default(), &Folder(&[])).is_ok(), "{}", path.display());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn a_scenario_with_accidents_is_a_plan_or_has_a_reason(
        which in any::<prop::sample::Index>(),
        accidents in prop::collection::vec(accident(), 1..6),
    ) {
        let shipped = shipped();
        let (path, text) = which.get(&shipped);
        let text = accidents.iter().fold(text.clone(), |text, accident| accident.befall(&text));
        survives(path, &text);
    }

    #[test]
    fn any_text_has_a_reason(text in "(schema = 1|duration = \"1m\"|\\[\\[?[a-z]{1,8}\\]?\\]|[a-z-]{1,9} = .{0,20}|\\PC{0,20}|\n){0,12}") {
        survives(Path::new("s.toml"), &text);
    }
}
