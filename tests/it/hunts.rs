//! `hunt`: what is drawn, found and made small, and the shipped hunts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use eureka_sim::eureka::Release;
use eureka_sim::scenario::{self, Changes, Document, Plan};
use eureka_sim::study::hunt::{
    Case, Found, Hunt, Kind, Shrunk, Survey, TURNING_POINTS, case, show, shrink, survey,
};
use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::support::{NoIncludes, entries, plan, plan_of, shipped_scenarios};

/// A document and its hunt.
fn hunt_of(path: &Path) -> Hunt {
    let text = std::fs::read_to_string(path).expect("a scenario can be read");
    hunt_in(path, &text)
}

fn hunt_in(path: &Path, text: &str) -> Hunt {
    let changes = Changes::default();
    let plan = scenario::load(path, text, changes, &NoIncludes).expect("it is sound");
    let document = Document::read(path, text, changes, &NoIncludes).expect("it can be read");
    Hunt::new(document, &plan).expect("it can be written")
}

fn shipped_hunt(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/hunt/{name}.toml"))
}

/// The finding of this name in this run.
fn found(hunt: &Hunt, number: u64, name: &str) -> Found {
    let searched = hunt.run(number);
    let shown = show(&searched, &|| false).expect("a drawn run is sound");
    let kinds: Vec<Kind> = shown.kinds.iter().map(|(kind, ..)| *kind).collect();
    let kind = kinds.iter().find(|kind| kind.name() == name);
    let kind = *kind.unwrap_or_else(|| panic!("{name} is not among {kinds:?}"));
    Found { kind, runs: 1, first: number, document: searched, after: hunt.after(), own: hunt.own() }
}

fn small(found: &Found, jobs: u16) -> Shrunk {
    shrink(found, jobs, &|| false, &|_| ()).expect("it shows it again")
}

fn told(shrunk: &Shrunk, survey: &[Survey]) -> Case {
    case(shrunk, survey, &[]).expect("it shows it")
}

/// Everything but comments and places is in a document: written and read again it is the same scenario.
#[test]
fn a_scenario_that_is_written_down_is_the_same() {
    for path in shipped_scenarios() {
        let text = std::fs::read_to_string(&path).expect("a scenario can be read");
        let document = Document::read(&path, &text, Changes::default(), &NoIncludes);
        let written = document.expect("it can be read").text();
        let again = scenario::load(&path, &written, Changes::default(), &NoIncludes);
        let again = again.unwrap_or_else(|no| {
            let why = eureka_sim::report::render_diagnostics(&no.sources, &no.diagnostics);
            panic!("{}: {why}\n{written}", path.display())
        });
        let setup = |plan: &Plan| format!("{:?} {:?}", plan.setup, plan.expectations);
        assert_eq!(setup(&again), setup(&plan(&path)), "{}", path.display());
    }
}

/// Twelve instances with health checks at two servers, of which some are protected.
const FLEET: &str = r#"
schema = 1
name = "fleet"
duration = "30m"
seed = 5
[cluster]
servers = 2
[network]
latency = "1ms..5ms"
[[apps]]
name = "ORDERS"
instances = 8
start = { first = "70s", every = "1s" }
health = { check = true }
[[apps]]
name = "CARTS"
instances = 4
[hunt]
protect = ["server:eureka-1", "app:CARTS"]
after = "5m"
quiet = "10m"
"#;

/// Whatever is drawn is a sound scenario, within the bounds; every word is drawn some time.
#[test]
fn what_is_drawn_is_sound_and_within_bounds() {
    let hunt = hunt_in(Path::new("fleet.toml"), FLEET);
    let mut words = BTreeSet::new();
    for number in 1..400 {
        let document = hunt.run(number);
        let text = document.text();
        let plan = plan_of(&text);
        assert_eq!(plan.setup.seed, 5 + number, "each run has a seed of its own");
        for (entry, words_of) in plan.setup.timeline.iter().zip(&plan.timeline) {
            let minutes = |at: eureka_sim::time::Instant| at.nanos() as f64 / 60e9;
            assert!((5.0..=20.0).contains(&minutes(entry.at)), "{text}");
            assert!(entry.until.is_none_or(|until| minutes(until) <= 20.0), "{text}");
            words.insert(words_of.what);
        }
        for protected in ["server:eureka-1", "CARTS", "\"eureka-1\""] {
            let timeline = text.split("[[timeline]]").skip(1).collect::<String>();
            assert!(!timeline.contains(protected), "{text}");
        }
    }
    let drawn = eureka_sim::study::hunt::DRAWN.into_iter().chain(["start", "delete-override"]);
    let missing: Vec<&str> = drawn.filter(|word| !words.contains(word)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "of these none was drawn");
    assert_eq!(hunt.run(7), hunt.run(7), "a run is a function of its number");
    assert_ne!(hunt.run(7).0["timeline"], hunt.run(8).0["timeline"]);
}

/// What may be drawn is what the file says; a fleet without checks has no answers to change.
#[test]
fn only_what_is_allowed_is_drawn() {
    let only = |faults: &str, most: &str| {
        let text =
            FLEET.replace("[hunt]", &format!("[hunt]\nfaults = {faults}\nmax-faults = {most}"));
        hunt_in(Path::new("fleet.toml"), &text)
    };
    let hunt = only("['slow']", "1");
    for number in 1..60 {
        let plan = plan_of(&hunt.run(number).text());
        assert_eq!(plan.timeline.len(), 1);
        assert_eq!(plan.timeline[0].what, "slow");
    }
    assert!(only("[]", "6").draws_nothing());
    assert!(only("['slow']", "0").draws_nothing());
    assert!(only("['heal', 'call']", "6").draws_nothing());
}

/// The search, shrinking and survey come to the same on one thread and on three.
#[test]
fn a_hunt_does_not_depend_on_threads() {
    let hunt = hunt_of(&shipped_hunt("up-but-dead"));
    let search = |jobs| hunt.search(40, jobs, || true, &|| false, || ());
    let (one, three) = (search(1), search(3));
    assert_eq!((one.runs, three.runs), (40, 40));
    let summary = |catch: &eureka_sim::study::hunt::Catch| {
        catch.values().map(|found| (found.kind, found.runs, found.first)).collect::<Vec<_>>()
    };
    assert_eq!(summary(&one.catch), summary(&three.catch));
    let ghost = |catch: &eureka_sim::study::hunt::Catch| {
        catch.values().find(|found| found.kind.name() == "up-but-dead-m14").cloned()
    };
    let found = ghost(&one.catch).expect("somebody is killed within 40 runs");
    assert_eq!(found.document, ghost(&three.catch).expect("likewise").document);
    let (a, b) = (small(&found, 1), small(&found, 3));
    assert_eq!(told(&a, &[]).text, told(&b, &[]).text);
}

/// One shipped hunt: the run that first shows it (found by the whole search), what it is called, how large it is when it
/// is small, and in which releases it happens.
struct Expected {
    hunt: &'static str,
    run: u64,
    kind: &'static str,
    entries: usize,
    processes: usize,
    happens: &'static str,
}

const EXPECTED: [Expected; 9] = [
    Expected {
        hunt: "down-after-shutdown",
        run: 1,
        kind: "stuck-down-m2",
        entries: 1,
        processes: 2,
        happens: "happens in 1.3.4 to 1.8.6; no longer in 1.8.7",
    },
    Expected {
        hunt: "down-from-the-start",
        run: 0,
        kind: "stuck-down-lost-check",
        entries: 0,
        processes: 2,
        happens: "happens in 1.3.4 to 1.9.2; no longer in 1.9.3",
    },
    Expected {
        hunt: "out-of-service-from-the-start",
        run: 13,
        kind: "stuck-out-of-service-m6",
        entries: 3,
        processes: 2,
        happens: "happens in 1.3.4 to 2.0.6",
    },
    Expected {
        hunt: "out-of-service-once-a-month",
        run: 148,
        kind: "stuck-out-of-service-m6",
        entries: 3,
        processes: 2,
        happens: "happens in 1.3.4 to 2.0.6",
    },
    Expected {
        hunt: "refresh",
        run: 34,
        kind: "stuck-down-m16",
        entries: 2,
        processes: 2,
        happens: "happens in 1.3.4 to 2.0.6",
    },
    Expected {
        hunt: "starting-and-up",
        run: 6,
        kind: "stuck-starting-m8",
        entries: 0,
        processes: 2,
        happens: "happens in 1.3.4 to 2.0.6",
    },
    Expected {
        hunt: "third-change",
        run: 11,
        kind: "stuck-down-m12",
        entries: 2,
        processes: 2,
        happens: "happens in 1.3.4 to 2.0.6",
    },
    Expected {
        hunt: "two-servers-two-words",
        run: 1908,
        kind: "stuck-starting-older-body",
        entries: 3,
        processes: 3,
        happens: "happens in 1.3.4 to 1.4.10; no longer in 1.4.11",
    },
    Expected {
        hunt: "up-but-dead",
        run: 10,
        kind: "up-but-dead-m14",
        entries: 1,
        processes: 2,
        happens: "happens in 1.3.4 to 2.0.6",
    },
];

#[test]
fn each_shipped_hunt_finds_shrinks_and_tells_its_bug() {
    for Expected { hunt: name, run, kind, entries, processes, happens } in EXPECTED {
        let hunt = hunt_of(&shipped_hunt(name));
        let found = found(&hunt, run, kind);
        let shrunk = small(&found, 0);
        let size = (shrunk.after.entries, shrunk.after.processes);
        let survey = survey(&shrunk.document, shrunk.kind, &TURNING_POINTS, &[], 0, &|| false);
        let case = told(&shrunk, &survey);
        assert_eq!(size, (entries, processes), "{name}:\n{}", case.text);
        assert!(entries <= 5 && processes <= 3, "{name}");
        let story = format!("\n# {happens}\n");
        assert!(case.text.contains(&story), "{name}: {happens}\n{}", case.text);
        assert!(case.name.starts_with(kind) && case.text.contains(&format!("{}.toml", case.name)));
        // In a process of its own, from the file alone.
        let sandbox = Sandbox::new(&format!("hunt-{name}"));
        let file = format!("{}.toml", case.name);
        sandbox.write(&file, &case.text);
        let ran = sandbox.run(&["run", &file, "--plots=none"]);
        assert_eq!(ran.code, 0, "{name}: {}{}\n{}", ran.stdout, ran.stderr, case.text);
        let events = sandbox.read(&format!("reports/{}/events.jsonl", case.name));
        let stuck = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let stuck: Vec<Value> = stuck.filter(|line| line["event"] == "stuck").collect();
        let is_it = |line: &Value| {
            let mechanism = line["mechanism"].as_str().unwrap_or("unknown").to_lowercase();
            format!("{}-{mechanism}", line["class"].as_str().unwrap_or_default()) == kind
        };
        assert!(stuck.iter().any(is_it), "{name}: {stuck:?}");
    }
}

/// Every shipped hunt is among those above, and the page about them has a row for each.
#[test]
fn every_shipped_hunt_is_looked_at() {
    let folder = entries("scenarios/hunt");
    let names = folder.iter().filter(|path| path.extension().is_some_and(|of| of == "toml"));
    let names: BTreeSet<String> = names
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let expected: BTreeSet<String> = EXPECTED.iter().map(|of| of.hunt.to_owned()).collect();
    assert_eq!(names, expected);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/hunt/README.md");
    let page = std::fs::read_to_string(page).expect("the folder has a page");
    for Expected { hunt, kind, happens, .. } in EXPECTED {
        let row = page.lines().find(|line| line.starts_with(&format!("| [{hunt}]({hunt}.toml)")));
        let row = row.unwrap_or_else(|| panic!("{hunt} has no row"));
        let happens = happens.trim_start_matches("happens in ");
        assert!(row.contains(&format!("`{kind}`")) && row.contains(happens), "{row}");
    }
}

/// Whoever is not found with the release's own seed may be with another: the survey tries some.
#[test]
fn a_survey_names_the_release_that_mends_it() {
    let releases =
        ["1.9.2", "1.9.3", "2.0.6"].map(|release| release.parse::<Release>().expect("one"));
    let found = found(&hunt_of(&shipped_hunt("down-from-the-start")), 0, "stuck-down-lost-check");
    let shrunk = small(&found, 0);
    let survey = survey(&shrunk.document, shrunk.kind, &releases, &[], 0, &|| false);
    let happens: Vec<Option<bool>> = survey.iter().map(|of| of.happens).collect();
    assert_eq!(happens, [Some(true), Some(false), Some(false)]);
}

/// A fleet whose one expectation breaks when an instance is killed.
const BROKEN: &str = r#"
schema = 1
name = "broken"
duration = "6m"
[cluster]
servers = 1
[[apps]]
name = "ORDERS"
instances = 3
[hunt]
faults = ["kill"]
quiet = "2m"
[[expect]]
metric = "alive"
at = "0s"
at-least = 0
label = "nobody has to be"
[[expect]]
metric = "alive"
at = "end"
equals = 3
label = "all are there"
"#;

/// A broken expectation is found, and is what the small scenario fails.
#[test]
fn a_broken_expectation_is_found_and_kept() {
    let sandbox = Sandbox::new("hunt-broken");
    sandbox.write("broken.toml", BROKEN);
    let ran = sandbox.run(&["hunt", "broken.toml", "--runs=30", "--only=broken-expectation"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("all are there"), "{}", ran.stdout);
    let files = sandbox.files("reports/broken/hunt");
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].starts_with("broken-expectation-2-"), "{files:?}");
    let ran = sandbox.run(&["run", &format!("reports/broken/hunt/{}", files[0]), "--plots=none"]);
    assert_eq!(ran.code, 1, "what it states does not hold: {}", ran.stdout);
    assert!(ran.stdout.contains("all are there") && !ran.stdout.contains("nobody has to be"));
}

/// Exit codes, files, JSON and the corpus.
#[test]
fn the_command_writes_what_it_finds_and_keeps_it() {
    let sandbox = Sandbox::new("hunt-command");
    sandbox.write("fleet.toml", BROKEN.replace("name = \"broken\"", "name = \"fleet\""));
    let hunt = |more: &[&str]| {
        let words = ["hunt", "fleet.toml", "--only=M14"];
        sandbox.run(&words.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    };
    // Killed at once, the last chance is too late to be found: the quiet time is too short for a lease.
    let none = hunt(&["--runs=5"]);
    let is_said = none.stdout.contains("nothing of what was asked for")
        && none.stdout.contains("broken-expectation-2");
    assert_eq!((none.code, is_said), (0, true), "{}", none.stdout);
    let some =
        hunt(&["--runs=30", "--set=hunt.quiet=10m", "--format=json", "--release=1.8.7,2.0.6"]);
    assert_eq!(some.code, 1, "{}", some.stderr);
    let json: Value = serde_json::from_str(&some.stdout).expect("JSON");
    let finding = &json["findings"][0];
    assert_eq!(json["runs"], 30);
    assert_eq!((&finding["class"], &finding["mechanism"]), (&"up-but-dead".into(), &"M14".into()));
    assert_eq!((&finding["entries"], &finding["processes"]), (&1.into(), &2.into()));
    let releases = [("1.8.7", true), ("2.0.6", true)];
    for (place, (release, happens)) in releases.into_iter().enumerate() {
        let of = &finding["releases"][place];
        assert_eq!((&of["release"], &of["happens"]), (&release.into(), &happens.into()));
    }
    let file = finding["file"].as_str().expect("it has a file").to_owned();
    assert_eq!(sandbox.files("reports/fleet/hunt").len(), 1);
    let kept = sandbox.files("reports/corpus");
    assert_eq!(kept.len(), 1);
    assert!(kept[0].starts_with("M14/up-but-dead-m14-"), "{kept:?}");
    assert_eq!(sandbox.bytes(&file), sandbox.bytes(&format!("reports/corpus/{}", kept[0])));

    // A file of the corpus that no longer shows it is named.
    let text = sandbox.read(&file);
    let harmless: String = text.split("[[timeline]]").next().expect("its head").to_owned();
    sandbox.write(&format!("reports/corpus/{}", kept[0]), harmless);
    sandbox.write("reports/corpus/M14/mine.toml", "what somebody else has put there");
    let ran = hunt(&["--runs=1"]);
    assert!(
        ran.stdout.contains("no longer shows it") && ran.stdout.contains(&kept[0]),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stdout.matches("no longer").count(), 1);
}

/// Arguments that are wrong, and scenarios.
#[test]
fn what_cannot_be_hunted_is_said() {
    let sandbox = Sandbox::new("hunt-bad");
    sandbox.write("fleet.toml", BROKEN);
    for (words, said) in [
        (vec!["hunt", "fleet.toml", "--runs=0"], "--runs"),
        (vec!["hunt", "fleet.toml", "--for=soon"], "60s"),
        (vec!["hunt", "fleet.toml", "--for=0s"], "60s"),
        (vec!["hunt", "fleet.toml", "--set=hunt.after=1h"], "nothing can be drawn"),
        (vec!["hunt", "fleet.toml", "--for=1s", "--runs=3"], "cannot be used with"),
        (vec!["hunt", "fleet.toml", "--release=1.2.3"], "1.3.4"),
        (vec!["hunt", "fleet.toml", "--flavor=vanilla"], "spring-cloud"),
        (vec!["hunt", "fleet.toml", "--only=down"], "`down`"),
        (vec!["hunt", "fleet.toml", "--seed=9223372036854775808"], "9223372036854775807"),
        (vec!["hunt", "fleet.toml", "--set=hunt.faults=['nap']"], "nap"),
        (vec!["hunt", "fleet.toml", "--set=hunt.after=never"], "hunt.after"),
    ] {
        let ran = sandbox.run(&words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
    assert_eq!(sandbox.run(&["hunt", "missing.toml"]).code, 4);
    assert_eq!(sandbox.files("reports"), Vec::<String>::new(), "nothing was left");
}

/// `--for` ends by itself, and says how to do it again.
#[test]
fn a_search_may_be_limited_by_time() {
    let sandbox = Sandbox::new("hunt-time");
    sandbox.write("fleet.toml", BROKEN);
    let ran = sandbox.run(&["hunt", "fleet.toml", "--for=1ms", "--only=M14"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("--runs 64"), "one batch was run: {}", ran.stdout);
}

/// Two expectations that break in one run are two findings, each with a file of its own.
#[test]
fn broken_expectations_of_one_run_have_files_of_their_own() {
    let sandbox = Sandbox::new("hunt-two-broken");
    let expect = |size: u32| {
        format!(
            "[[expect]]\nmetric = \"registry-size\"\nserver = \"eureka-0\"\nat = \"9m\"\nequals = {size}\n"
        )
    };
    let head =
        "schema = 1\nname = \"two\"\nduration = \"10m\"\n[[apps]]\nname = \"A\"\ninstances = 1\n";
    let hunt = "[hunt]\nruns = 5\nmax-faults = 0\n";
    sandbox.write("two.toml", format!("{head}{}{}{hunt}", expect(99), expect(98)));
    let ran = sandbox.run(&["hunt", "two.toml", "--release=2.0.6"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let files = sandbox.files("reports/two/hunt");
    let numbers: Vec<&str> = files.iter().map(|name| &name[..20]).collect();
    assert_eq!(numbers, ["broken-expectation-1", "broken-expectation-2"]);
    assert_eq!(sandbox.files("reports/corpus").len(), 2);
}

/// An instance whose place another takes is named by its id: its index is the other's by then.
#[test]
fn an_instance_that_is_replaced_is_named_by_its_id() {
    let sandbox = Sandbox::new("hunt-replaced");
    sandbox.write(
        "dep.toml",
        "schema = 1\nname = \"dep\"\nduration = \"25m\"\n[network]\nlatency = \"1ms..5ms\"\n\
         [[apps]]\nname = \"A\"\ninstances = 3\nstart = \"70s\"\ninstance-id = \"{app}-{index:02}-{n}\"\n\
         [[timeline]]\nat = \"12m\"\ndeploy = { app = \"A\", every = \"10s\", graceful = false }\n\
         [hunt]\nfaults = []\nruns = 1\n",
    );
    let ran = sandbox.run(&["hunt", "dep.toml", "--release=2.0.6", "--only=up-but-dead"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let files = sandbox.files("reports/dep/hunt");
    assert_eq!(files.len(), 1, "{files:?}");
    let file = format!("reports/dep/hunt/{}", files[0]);
    let text = sandbox.read(&file);
    assert!(text.contains("instance = \"A/a-0"), "{text}");
    let ran = sandbox.run(&["run", &file, "--plots=none"]);
    assert_eq!(ran.code, 0, "{}{text}", ran.stdout);
}
