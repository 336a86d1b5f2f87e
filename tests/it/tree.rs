//! The house: who may use whom, what every file begins with, what every shipped scenario has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{entries, plan, shipped_scenarios};

/// What each module may use (design §2; the arrows of `src/ARCHITECTURE.md`).
const LAYERS: [(&str, &[&str]); 10] = [
    ("time", &[]),
    ("eureka", &["time"]),
    ("golden", &["time", "eureka"]),
    ("replay", &["time", "eureka", "golden"]),
    ("sim", &["time", "eureka"]),
    ("scenario", &["time", "eureka", "sim"]),
    ("observe", &["time", "eureka", "golden", "sim", "scenario"]),
    ("study", &["time", "eureka", "sim", "scenario", "observe"]),
    ("report", &["time", "eureka", "replay", "sim", "scenario", "observe", "study"]),
    ("cli", &["time", "eureka", "replay", "sim", "scenario", "observe", "study", "report"]),
];

/// Modules that compute: no files, no clock, no terminal, no threads.
const PURE: [&str; 6] = ["time", "eureka", "sim", "scenario", "golden", "replay"];
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::env",
    "std::thread",
    "std::net",
    "std::process",
    "SystemTime",
    "stdout()",
    "stderr()",
    "thread_rng",
];

/// Every Rust file below a folder of the project, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let name = path.file_name().expect("an entry has a name").to_string_lossy();
            if path.is_dir() {
                folders.push(format!("{folder}/{name}"));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source can be read");
                found.push((path, text));
            }
        }
    }
    found
}

/// The part of a text that is code: without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

/// The modules at the root of the crate that a text names: `crate::a`, `crate::{a, b::c}`.
fn used(text: &str) -> Vec<String> {
    let code: String = code(text).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    let name = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => found.push(name(rest)),
            Some(list) => {
                let mut depth = 0;
                let parts = list.split(|c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    (c == ',' && depth == 0) || depth < 0
                });
                found.extend(parts.take_while(|part| !part.contains(';')).map(name));
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.into_iter().collect();
    for path in entries("src") {
        let name = path.file_stem().expect("an entry has a name").to_string_lossy().into_owned();
        let is_module = path.is_dir() || path.extension().is_some_and(|it| it == "rs");
        if !is_module || ["lib", "main"].contains(&name.as_str()) {
            continue;
        }
        assert!(layers.contains_key(name.as_str()), "{name} stands in no layer");
        for (path, text) in sources(&format!("src/{name}")) {
            for used in used(&text) {
                let fine = used == name || layers[name.as_str()].contains(&used.as_str());
                assert!(fine, "{}: {name} must not use {used}", path.display());
            }
        }
    }
}

#[test]
fn what_is_used_is_found_in_every_form() {
    let text = "use crate::{time::{Now, Span}, sim}; // crate::cli\nfn f(a: crate::eureka::Id) {}";
    assert_eq!(used(text), ["time", "sim", "eureka"]);
}

#[test]
fn the_core_touches_nothing_outside() {
    for module in PURE {
        let is_test = |path: &Path| {
            path.components()
                .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
        };
        for (path, text) in sources(&format!("src/{module}")) {
            if is_test(&path) {
                continue;
            }
            for line in code(&text) {
                let impure = IMPURE.iter().find(|word| line.contains(*word));
                assert_eq!(impure, None, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_small() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        assert!(text.starts_with("//! "), "{} does not say what it is for", path.display());
        let lines = text.lines().count();
        assert!(lines <= 700, "{} has {lines} lines: it has become two things", path.display());
    }
}

#[test]
fn every_shipped_scenario_says_where_it_comes_from_and_what_must_hold() {
    for path in shipped_scenarios() {
        let text = fs::read_to_string(&path).expect("a scenario can be read");
        let plan = plan(&path);
        let stem = path.file_stem().expect("a file has a name").to_string_lossy();
        assert_eq!(plan.name, stem, "the file is called like the scenario");
        for (what, present) in [
            ("a sentence", plan.about.ends_with('.')),
            ("a source", text.lines().any(|line| line.starts_with("source "))),
            ("expectations", text.contains("[[expect]]")),
        ] {
            assert!(present, "{} has no {what}", path.display());
        }
    }
}

/// The modules of the tree in the architecture's picture are those there are.
#[test]
fn the_architecture_names_every_module() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ARCHITECTURE.md");
    let page = fs::read_to_string(page).expect("the architecture is written down");
    for (module, _) in LAYERS {
        assert!(
            page.contains(&format!("| `{module}` |")),
            "ARCHITECTURE.md has no row for {module}"
        );
    }
}
