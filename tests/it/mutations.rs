//! The library of scenarios and a core that is broken: `tests/MUTATIONS.md` says which scenarios fail when a
//! rule of Eureka is another one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::support::shipped_scenarios;

const PAGE: &str = include_str!("../MUTATIONS.md");
/// What a copy needs to be built and run.
const PROJECT: [&str; 5] = ["Cargo.toml", "Cargo.lock", "src", "scenarios", "tests/bench"];
/// A profile that is soon built: this crate in many parts, of which a mutation touches few.
const PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "true"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
];
/// Tenths of a second after which a run counts as one that never ends: ten minutes.
const PATIENCE: u32 = 6_000;

/// A row of the table.
struct Mutation {
    number: usize,
    file: PathBuf,
    was: String,
    became: String,
    /// Some of the scenarios that fail.
    named: Vec<String>,
    /// How many fail.
    count: usize,
}

impl Mutation {
    fn of_row(line: &str) -> Self {
        let line = line.replace("\\|", "\u{0}");
        let cells: Vec<String> =
            line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect();
        let [_, number, file, change, rule, fate, _] = cells.as_slice() else {
            panic!("{} cells: {line}", cells.len());
        };
        let (count, fate) = fate.split_once(": ").unwrap_or_else(|| panic!("how many: {fate}"));
        let (count, change) = (count.parse().expect("a number of scenarios"), spans(change));
        let [was, became] = change.as_slice() else {
            panic!("two pieces of code, not {change:?}");
        };
        assert!(!rule.is_empty() && fate.len() > 3, "{number} has no words");
        Self {
            number: number.parse().expect("rows are numbered"),
            file: Path::new("src/eureka").join(spans(file).concat()),
            was: was.clone(),
            became: became.clone(),
            named: if count == 0 { Vec::new() } else { spans(fate) },
            count,
        }
    }

    /// The file's text with the one piece replaced.
    fn mutated(&self, text: &str) -> String {
        assert_eq!(text.matches(&self.was).count(), 1, "{}: `{}`", self.number, self.was);
        text.replace(&self.was, &self.became)
    }
}

/// What stands between backticks.
fn spans(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn table() -> Vec<Mutation> {
    let is_row = |line: &&str| {
        line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    PAGE.lines().filter(is_row).map(Mutation::of_row).collect()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn mutations_are_of_the_core_as_it_is() {
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let scenarios: BTreeSet<_> = shipped_scenarios().iter().filter_map(stem).collect();
    let table = table();
    assert!(table.len() >= 30, "{} mutations", table.len());
    let mut seen = BTreeSet::new();
    for (position, row) in table.iter().enumerate() {
        assert_eq!(row.number, position + 1);
        let text = fs::read_to_string(project().join(&row.file)).expect("the core can be read");
        let mutated = row.mutated(&text);
        assert_ne!(mutated, text, "{} changes nothing", row.number);
        assert!(seen.insert((&row.file, mutated)), "{} stands there twice", row.number);
        assert!(row.named.len() <= row.count, "{}", row.number);
        assert_eq!(row.named.is_empty(), row.count == 0, "{}: who fails?", row.number);
        for name in &row.named {
            assert!(scenarios.contains(name), "{}: no scenario is called {name}", row.number);
        }
    }
}

/// All of it again, in a copy of the project that is kept, so that the next time is faster.
#[test]
#[ignore = "builds the program and runs the library once for each mutation"]
fn mutations_fail_where_the_table_says() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutations");
    for part in PROJECT {
        let place = copy.join(part);
        if place.is_dir() {
            fs::remove_dir_all(&place).expect("the copy of an earlier run can be removed");
        }
        copy_of(&project().join(part), &place);
    }
    build(&copy);
    assert_eq!(failing(&copy), Ok(BTreeSet::new()), "as it is nothing fails");

    let mut wrong = Vec::new();
    for row in table() {
        let text = fs::read_to_string(copy.join(&row.file)).expect("a source can be read");
        fs::write(copy.join(&row.file), row.mutated(&text)).expect("a source can be written");
        build(&copy);
        let failing = failing(&copy);
        fs::write(copy.join(&row.file), text).expect("a source can be written");
        eprintln!("{}: {failing:?}", row.number);
        let fine = failing.as_ref().is_ok_and(|failing| {
            let named = row.named.iter().all(|name| failing.contains(name));
            named && failing.len() >= row.count && failing.is_empty() == (row.count == 0)
        });
        if !fine {
            wrong.push((row.number, failing));
        }
    }
    assert!(wrong.is_empty(), "not as the table says: {wrong:#?}");
}

fn copy_of(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder can be made below target");
        for entry in fs::read_dir(from).expect("a folder of the project can be read") {
            let entry = entry.expect("so can its entries");
            copy_of(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        let folder = to.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).expect("a folder can be made below target");
        fs::copy(from, to).expect("a file can be copied");
    }
}

fn build(copy: &Path) {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--locked", "--bin", "eureka-sim"])
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .envs(PROFILE)
        .output()
        .expect("cargo can be started");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

/// The scenarios of which an expectation fails; or why there are no verdicts.
fn failing(copy: &Path) -> Result<BTreeSet<String>, String> {
    let verdicts = copy.join("verdicts.json");
    let file = File::create(&verdicts).expect("a file can be made");
    let mut run = Command::new(copy.join("target/release/eureka-sim"))
        .args(["run", "scenarios", "--plots", "none", "--events", "none", "--out", "reports"])
        .args(["--format", "json", "--no-progress"])
        .current_dir(copy)
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(Stdio::null())
        .spawn()
        .expect("the program can be started");
    let mut waited = 0;
    while run.try_wait().expect("it can be asked").is_none() {
        if waited == PATIENCE {
            run.kill().expect("it can be ended");
            run.wait().expect("it has ended");
            return Err("it does not end".to_owned());
        }
        waited += 1;
        sleep(Duration::from_millis(100));
    }
    let text = fs::read_to_string(&verdicts).expect("it has written");
    let all: Vec<serde_json::Value> =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let fails = |scenario: &&serde_json::Value| {
        let expectations = scenario["expectations"].as_array();
        expectations.into_iter().flatten().any(|expectation| expectation["ok"] == false)
    };
    let name = |scenario: &serde_json::Value| scenario["scenario"].as_str().map(str::to_owned);
    Ok(all.iter().filter(fails).filter_map(name).collect())
}
