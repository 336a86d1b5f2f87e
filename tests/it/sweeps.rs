//! `tune`, `merge` and `--fault` on the command line: files, journals, parts, interruptions, bad input.

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox};

/// Twelve instances at two servers in two zones, with a consumer.
const FLEET: &str = r#"
schema = 1
name = "fleet"
duration = "20m"
seed = 7
[cluster]
servers = 2
zones = ["a", "b"]
[network]
latency = "1ms..5ms"
loss = "1%"
[[apps]]
name = "ORDERS"
instances = 9
zone = ["a", "b"]
start = { first = "70s", spread = "30s" }
[[apps]]
name = "WEB"
instances = 3
start = { first = "70s", spread = "30s" }
calls = { app = "ORDERS", per-second = 0.2 }
"#;

/// A small sweep: eight cells, three seeds.
const SMALL: [&str; 6] = [
    "tune",
    "fleet.toml",
    "--param=eureka.server.renewal-percent-threshold=0.5,0.85",
    "--faults=none,one-death,unreachable-30-percent,loss-5-percent",
    "--seeds=3",
    "--no-progress",
];

fn sandbox(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    sandbox.write("fleet.toml", FLEET);
    sandbox
}

fn run(sandbox: &Sandbox, words: &[&str], more: &[&str]) -> Ran {
    let all: Vec<&str> = words.iter().chain(more).copied().collect();
    sandbox.run(&all)
}

/// What a sweep leaves, but for its journals, by name.
fn files(sandbox: &Sandbox, folder: &str) -> Vec<(String, Vec<u8>)> {
    let names = sandbox.files(folder).into_iter().filter(|name| !name.ends_with(".jsonl"));
    names.map(|name| (name.clone(), sandbox.bytes(&format!("{folder}/{name}")))).collect()
}

fn assert_same(a: &[(String, Vec<u8>)], b: &[(String, Vec<u8>)]) {
    let names = |of: &[(String, Vec<u8>)]| -> Vec<String> {
        of.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(a), names(b));
    for ((name, a), (_, b)) in a.iter().zip(b) {
        assert!(a == b, "{name} differs");
    }
}

const LEFT: [&str; 8] = [
    "application.yml",
    "recommended.toml",
    "registry-size.png",
    "registry-size.svg",
    "risk.png",
    "risk.svg",
    "tune.csv",
    "tune.json",
];

#[test]
fn a_sweep_leaves_its_files_and_prints_a_table() {
    let sandbox = sandbox("sweep-files");
    let ran = run(&sandbox, &SMALL, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let names: Vec<String> =
        files(&sandbox, "reports/fleet/tune").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, LEFT);
    assert!(ran.stdout.contains("2 settings × 4 faults × 3 seeds: 24 runs"), "{}", ran.stdout);
    for wanted in
        ["recommended", "head-room in deaths", "one-death", "rerun: eureka-sim tune fleet.toml"]
    {
        assert!(ran.stdout.contains(wanted), "{wanted}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains("reports/fleet/tune"), "{}", ran.stderr);

    let csv = sandbox.read("reports/fleet/tune/tune.csv");
    assert_eq!(csv.lines().count(), 1 + 24);
    let columns = csv.lines().next().map(|line| line.split(',').count());
    assert_eq!(columns, Some(10));
    let json: Value =
        serde_json::from_str(&sandbox.read("reports/fleet/tune/tune.json")).expect("JSON");
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(24));
    let value = json["recommended"]["eureka.server.renewal-percent-threshold"].clone();
    let fragment: toml::Table =
        sandbox.read("reports/fleet/tune/recommended.toml").parse().expect("TOML");
    let written = fragment["eureka"]["server"]["renewal-percent-threshold"].as_float();
    assert_eq!(written, value.as_f64());
    let yaml = sandbox.read("reports/fleet/tune/application.yml");
    let line = format!("    renewal-percent-threshold: {value}\n");
    assert!(yaml.contains("eureka:\n  server:\n") && yaml.ends_with(&line), "{yaml}");
    for figure in ["risk.svg", "registry-size.svg"] {
        let svg = sandbox.read(&format!("reports/fleet/tune/{figure}"));
        assert!(svg.contains("0.85") && svg.trim_end().ends_with("</svg>"), "{figure}");
    }
    // A program gets the same as the file.
    let again = run(&sandbox, &SMALL, &["--format=json", "--quiet"]);
    assert_eq!(again.stdout, sandbox.read("reports/fleet/tune/tune.json"));
    assert_eq!(again.stderr, "");
}

/// A row is a run: the same digest, with everything that a run leaves.
#[test]
fn a_row_can_be_looked_at() {
    let sandbox = sandbox("sweep-row");
    let ran = run(&sandbox, &SMALL, &["--plots=none"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let csv = sandbox.read("reports/fleet/tune/tune.csv");
    for fault in ["one-death", "unreachable-30-percent"] {
        let row = csv
            .lines()
            .find(|line| line.starts_with(&format!("0.5,{fault},9,")))
            .expect("the third seed");
        let one =
            ["run", "fleet.toml", "--seed=9", "--set=eureka.server.renewal-percent-threshold=0.5"];
        let ran = run(&sandbox, &one, &["--plots=none", "--format=json", "--fault", fault]);
        let summary: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(summary[0]["digest"].as_str(), row.split(',').nth(3), "{fault}");
        assert_eq!(summary[0]["virtual_ms"], 30 * 60_000, "it lasts as long as the fault needs");
        let costs: Vec<&str> = row.split(',').skip(4).collect();
        let sum = |key: &str| -> u64 {
            let servers = summary[0]["servers"].as_array().expect("servers");
            servers.iter().filter_map(|server| server[key].as_u64()).sum()
        };
        assert_eq!(costs[0], sum("evictedHealthy").to_string());
        assert_eq!(costs[3], summary[0]["apps"][0]["callsToDead"].to_string());
    }
    let check = run(&sandbox, &["check", "fleet.toml", "--fault=zone-lost"], &[]);
    assert!(check.stdout.contains("16m00s  kill zone:b"), "{check:?}");
    let no = run(&sandbox, &["run", "fleet.toml", "--fault=earthquake"], &[]);
    assert_eq!(no.code, 2);
    assert!(
        no.stderr.contains("no fault `earthquake`") && no.stderr.contains("gc-pause"),
        "{no:?}"
    );
}

/// Whatever number of threads, and however it is cut into parts: the same bytes.
#[test]
fn threads_and_parts_make_no_difference() {
    let sandbox = sandbox("sweep-parts");
    let ran = run(&sandbox, &SMALL, &["--out=one", "--jobs=1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let whole = files(&sandbox, "one/fleet/tune");
    let many = run(&sandbox, &SMALL, &["--out=many", "--jobs=7"]);
    assert_eq!(many.stdout, ran.stdout);
    assert_same(&whole, &files(&sandbox, "many/fleet/tune"));

    // Run elsewhere: another folder, another name of the path.
    sandbox.write("elsewhere/fleet.toml", FLEET);
    let mut words = SMALL;
    words[1] = "elsewhere/fleet.toml";
    let first = run(&sandbox, &words, &["--out=part-1", "--shard=1/2"]);
    assert_eq!((first.code, first.stdout.as_str()), (0, ""), "{first:?}");
    let alone = run(&sandbox, &["merge", "part-1"], &["--out=merged"]);
    assert_eq!(alone.code, 2);
    assert!(alone.stderr.contains("missing") && alone.stderr.contains("1/2"), "{alone:?}");
    assert_eq!(sandbox.files("merged"), Vec::<String>::new());
    let second = run(&sandbox, &SMALL, &["--out=part-2", "--shard=2/2"]);
    assert_eq!(second.code, 0, "{second:?}");
    let merged = run(
        &sandbox,
        &["merge", "part-1", "part-2/fleet/tune/shard-2-of-2.jsonl"],
        &["--out=merged"],
    );
    assert_eq!(merged.code, 0, "{merged:?}");
    assert_eq!(merged.stdout, ran.stdout);
    assert_same(&whole, &files(&sandbox, "merged/fleet/tune"));
    // Half the work each.
    let runs =
        |name: &str| sandbox.read(name).lines().filter(|line| line.contains("digest")).count();
    assert_eq!(runs("part-1/fleet/tune/shard-1-of-2.jsonl"), 12);
    assert_eq!(runs("part-2/fleet/tune/shard-2-of-2.jsonl"), 12);
}

/// One fault, and more parts than faults: the parts share its seeds, and each knows by itself whether they are
/// needed. Early stopping or not, and whatever is run twice.
#[test]
fn more_parts_than_faults_share_their_seeds() {
    let sandbox = sandbox("sweep-many-parts");
    for (fault, runs_each) in [("none", [10, 10, 10]), ("loss-5-percent", [12, 12, 14])] {
        let mut words = SMALL;
        let faults = format!("--faults={fault}");
        (words[3], words[4]) = (&faults, "--seeds=9");
        let whole = run(&sandbox, &words, &["--out=whole", "--plots=none"]);
        assert_eq!(whole.code, 0, "{whole:?}");
        for (part, runs) in (1..=3).zip(runs_each) {
            let (out, shard) = (format!("--out=part-{part}"), format!("--shard={part}/3"));
            let ran = run(&sandbox, &words, &[&out, &shard, "--restart"]);
            assert_eq!(ran.code, 0, "{ran:?}");
            assert!(ran.stderr.contains(&format!("{runs} runs are in")), "{fault}: {ran:?}");
        }
        let parts = ["merge", "part-1", "part-2", "part-3"];
        let merged = run(&sandbox, &parts, &["--out=merged", "--plots=none"]);
        assert_eq!(merged.stdout, whole.stdout, "{merged:?}");
        assert_same(&files(&sandbox, "whole/fleet/tune"), &files(&sandbox, "merged/fleet/tune"));
    }
}

/// How many runs stand in the journal.
#[cfg(unix)]
fn done(sandbox: &Sandbox) -> usize {
    let journal = sandbox.path("reports/fleet/tune/journal.jsonl");
    fs::read_to_string(journal).map_or(0, |text| text.matches("digest").count())
}

/// A sweep that has begun and has much left to do, and its arguments.
#[cfg(unix)]
fn begun(sandbox: &Sandbox) -> (Child, Vec<&'static str>) {
    let mut words: Vec<&str> = SMALL.to_vec();
    words[4] = "--seeds=400";
    words.push("--exhaustive");
    let mut command = sandbox.command(&words);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    while done(sandbox) < 3 {
        assert_eq!(child.try_wait().expect("it can be asked"), None, "there is much left to do");
        std::thread::yield_now();
    }
    (child, words)
}

/// Two processes at one sweep would write into each other's lines.
#[cfg(unix)]
#[test]
fn only_one_process_is_at_a_sweep() {
    let sandbox = sandbox("sweep-twice");
    let (mut first, mut words) = begun(&sandbox);
    let second = sandbox.run(&words);
    assert_eq!(second.code, 4);
    assert!(second.stderr.contains("another process is at this sweep"), "{second:?}");
    first.kill().expect("it can be killed");
    first.wait().expect("it ends");
    // What a killed process has left is cleared away by the next.
    words[4] = "--seeds=1";
    words.push("--restart");
    assert_eq!(sandbox.run(&words).code, 0);
    let left = sandbox.files("reports/fleet/tune");
    assert!(left.iter().all(|name| !name.contains("unfinished")), "{left:?}");
}

/// What stands in a part is anybody's: numbers that do not add up in 64 bits, and values that a terminal would
/// obey.
#[test]
fn a_part_from_elsewhere_is_harmless() {
    let sandbox = sandbox("sweep-harmless");
    let mut words = SMALL;
    let param = "--param=apps.WEB.metadata.note=plain,\u{1b}[31mred";
    (words[2], words[3], words[4]) = (param, "--faults=none", "--seeds=1");
    let ran = run(&sandbox, &words, &["--plots=svg"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for text in [&ran.stdout, &ran.stderr, &sandbox.read("reports/fleet/tune/risk.svg")] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
    assert!(ran.stdout.contains(r"\u{1b}[31mred"), "{}", ran.stdout);

    let journal = sandbox.read("reports/fleet/tune/journal.jsonl");
    let lines = journal.lines().map(|line| {
        let mut row: Value = serde_json::from_str(line).expect("a line is JSON");
        // The first run is done again and compared.
        if row["cell"].as_u64().is_some_and(|cell| cell > 0) {
            row["events"] = u64::MAX.into();
            row["costs"]["ghost_ms"] = u64::MAX.into();
            row["ending"]["ghosts"] = u64::MAX.into();
        }
        row.to_string()
    });
    sandbox.write("part.jsonl", lines.collect::<Vec<_>>().join("\n") + "\n");
    let merged = run(&sandbox, &["merge", "part.jsonl", "--out=merged"], &[]);
    assert_eq!(merged.code, 0, "{merged:?}");
    assert!(!merged.stdout.contains("NaN") && !merged.stdout.contains("inf"), "{}", merged.stdout);
}

/// Of a sweep that was killed, in the middle of a line or not, nothing is lost, nothing is run twice, and what
/// comes of it is what would have come of it.
#[test]
fn a_killed_sweep_goes_on_where_it_was() {
    let sandbox = sandbox("sweep-resume");
    let whole = run(&sandbox, &SMALL, &["--out=whole"]);
    assert_eq!(whole.code, 0, "{whole:?}");
    let journal = sandbox.read("whole/fleet/tune/journal.jsonl");
    let lines: Vec<&str> = journal.lines().collect();
    assert_eq!(lines.len(), 1 + 24 + 1, "its head, its runs and its end");
    for (done, cut) in [(0, ""), (1, ""), (13, "{\"cell\":5,\"se"), (24, "")] {
        let left = lines[..=done].join("\n") + "\n" + cut;
        sandbox.write("cut/fleet/tune/journal.jsonl", left);
        let ran = run(&sandbox, &SMALL, &["--out=cut"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(
            ran.stderr.contains(&format!("{done} runs are done already")),
            done > 0,
            "{ran:?}"
        );
        assert_same(&files(&sandbox, "whole/fleet/tune"), &files(&sandbox, "cut/fleet/tune"));
        let mut again: Vec<String> =
            sandbox.read("cut/fleet/tune/journal.jsonl").lines().map(str::to_owned).collect();
        let mut wanted: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        again.sort();
        wanted.sort();
        assert!(again == wanted, "every run is there once");
    }
    // All of it is there: other weights are a matter of reading it.
    let weighed = run(&sandbox, &SMALL, &["--out=whole", "--weights=healthy=1,dead=100"]);
    assert_eq!(weighed.code, 0);
    assert!(weighed.stderr.contains("24 runs are done already"), "{weighed:?}");
    let csv = |folder: &str| sandbox.bytes(&format!("{folder}/fleet/tune/tune.csv"));
    assert_eq!(csv("whole"), csv("cut"));
}

/// More seeds, or fewer: what is done is not done again, and what comes of it is the same.
#[test]
fn a_sweep_goes_on_with_more_seeds() {
    let sandbox = sandbox("sweep-more-seeds");
    let with = |seeds: &'static str| {
        let mut words = SMALL;
        words[4] = seeds;
        words
    };
    assert_eq!(run(&sandbox, &with("--seeds=3"), &[]).code, 0);
    let more = run(&sandbox, &with("--seeds=7"), &[]);
    assert!(more.stderr.contains("24 runs are done already"), "{more:?}");
    assert_eq!(run(&sandbox, &with("--seeds=7"), &["--out=anew"]).stdout, more.stdout);
    assert_same(&files(&sandbox, "anew/fleet/tune"), &files(&sandbox, "reports/fleet/tune"));
    let fewer = run(&sandbox, &with("--seeds=3"), &[]);
    assert!(fewer.stderr.contains("24 runs are done already"), "{fewer:?}");
    assert_eq!(run(&sandbox, &with("--seeds=3"), &["--out=again"]).stdout, fewer.stdout);
    assert_same(&files(&sandbox, "again/fleet/tune"), &files(&sandbox, "reports/fleet/tune"));
}

/// Ctrl-C leaves what is finished.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_leaves_what_is_finished() {
    let sandbox = sandbox("sweep-interrupted");
    let (child, _) = begun(&sandbox);
    let killed =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("there is a kill").success());
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted: ") && stderr.contains("goes on from there"), "{stderr}");
    let left = sandbox.files("reports/fleet/tune");
    assert_eq!(left, ["journal.jsonl", "tune.csv"], "no conclusion, and nothing half written");
    let rows = sandbox.read("reports/fleet/tune/tune.csv").lines().count() - 1;
    assert_eq!(rows, done(&sandbox));
}

#[test]
fn a_journal_that_is_none_is_not_written_over() {
    let sandbox = sandbox("sweep-journal");
    let journal = "reports/fleet/tune/journal.jsonl";
    let ran = run(&sandbox, &SMALL, &["--plots=none"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let good = sandbox.read(journal);
    let lines: Vec<&str> = good.lines().collect();
    let first_run: Value = serde_json::from_str(lines[1]).expect("JSON");
    let changed = |key: &str, value: Value| {
        let mut run = first_run.clone();
        run[key] = value;
        run.to_string()
    };
    let (head, other) = (lines[0], changed("digest", "0".repeat(32).into()));
    for (text, code, reason) in [
        ("garbage\n".to_owned(), 2, "line 1: this is no journal"),
        (format!("{head}\ngarbage\n"), 2, "line 2: this is no line of a journal"),
        (format!("{head}\n{}\n{other}\n", lines[1]), 2, "line 3: another line is of the same run"),
        (format!("{head}\n{}\n", changed("cell", 99.into())), 2, "cell 99"),
        (format!("{head}\n{}\n", changed("seed", 1.into())), 2, "seed 1 is no run"),
        (format!("{head}\n{}\n", changed("cell", Value::from(u64::MAX))), 2, "line 2"),
        (format!("{}\n", head.replace("\"seeds\":3", "\"seeds\":0")), 2, "line 1"),
        (format!("{head}\n{other}\n"), 3, "comes from another build"),
        (format!("{head}\n{}\n", changed("digest", "zz".into())), 2, "line 2: this is no line"),
        (format!("{}\n", head.replace("\"sweep\":\"", "\"sweep\":\"0")), 2, "another build"),
        ("\u{e9}\n".to_owned(), 2, "line 1: this is no journal"),
    ] {
        sandbox.write(journal, &text);
        let ran = run(&sandbox, &SMALL, &["--plots=none"]);
        assert_eq!(ran.code, code, "{reason}: {ran:?}");
        assert!(
            ran.stderr.contains(reason) && ran.stderr.contains("--restart"),
            "{reason}: {ran:?}"
        );
        assert_eq!(sandbox.read(journal), text, "it is as it was");
    }
    // Another sweep's, that came to no end, and then one that did.
    sandbox.write(journal, lines[..5].join("\n") + "\n");
    let mut other = SMALL;
    other[3] = "--faults=none";
    let refused = run(&sandbox, &other, &["--plots=none"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("another sweep") && refused.stderr.contains("4 runs"),
        "{refused:?}"
    );
    let restarted = run(&sandbox, &other, &["--plots=none", "--restart"]);
    assert_eq!(restarted.code, 0, "{restarted:?}");
    let back = run(&sandbox, &SMALL, &["--plots=none"]);
    assert_eq!(back.code, 0, "what came to its end may be followed by another: {back:?}");
}

#[test]
fn what_is_no_part_is_not_merged() {
    let sandbox = sandbox("sweep-merge");
    for (out, more) in [("a", "--seeds=1"), ("b", "--seeds=2")] {
        let mut words = SMALL;
        words[4] = more;
        let ran = run(&sandbox, &words, &["--shard=1/2", "--out", out]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    sandbox.write("garbage.jsonl", "{}\n");
    sandbox.write("binary.jsonl", [0xff, 0xfe, 0]);
    sandbox.write("empty/events.jsonl", "{\"t_ms\":0}\n");
    let shard = "a/fleet/tune/shard-1-of-2.jsonl";
    let head = sandbox.read(shard).replace("{\"number\":1,\"of\":2}", "{\"number\":1,\"of\":0}");
    sandbox.write("zero.jsonl", head);
    for (parts, code, reason) in [
        (vec!["nowhere.jsonl"], 4, "no such file"),
        (vec!["garbage.jsonl"], 2, "line 1: this is no journal"),
        (vec!["binary.jsonl"], 2, "line 1: this is no journal"),
        (vec!["zero.jsonl"], 2, "line 1"),
        (vec!["empty"], 2, "no part of a sweep in this folder"),
        (vec!["a", "b"], 2, "another sweep"),
        (vec![shard, shard], 2, "missing"),
    ] {
        let ran = run(&sandbox, &["merge", "--out=merged"], &parts);
        assert_eq!(ran.code, code, "{parts:?}: {ran:?}");
        assert!(ran.stderr.contains(reason), "{parts:?}: {ran:?}");
        assert_eq!(ran.stdout, "");
        assert_eq!(sandbox.files("merged"), Vec::<String>::new());
    }
}

#[test]
fn bad_arguments_say_what_would_be_good() {
    let sandbox = sandbox("sweep-arguments");
    sandbox.write("file", "");
    sandbox.write("bad.toml", "schema = 1\nduration = \"1m\"\nfoo = 1\n");
    for (words, reason) in [
        (vec!["fleet.toml", "--param=x"], "`x` has no key and values"),
        (
            vec!["fleet.toml", "--param=eureka.server.renewal-percent-threshold=2..1:1"],
            "A is above B",
        ),
        (vec!["fleet.toml", "--param=eureka.server.renewal-percent-treshold=1"], "did you mean"),
        (vec!["fleet.toml", "--weights=sick=1"], "there is no cost `sick`"),
        (vec!["fleet.toml", "--weights=dead=-1"], "from 0 to"),
        (vec!["fleet.toml", "--weights=dead=1e308"], "from 0 to"),
        (vec!["fleet.toml", "--param=seed=1,2"], "--seeds N"),
        (vec!["fleet.toml", "--faults=earthquake"], "there is no fault `earthquake`"),
        (vec!["fleet.toml", "--faults=scenario"], "has no timeline"),
        (vec!["fleet.toml", "--shard=3/2"], "K/N"),
        (vec!["fleet.toml", "--shard=0/2"], "K/N"),
        (vec!["fleet.toml", "--seeds=0"], "--seeds"),
        (vec!["fleet.toml", "--plots=none,svg"], "none stands alone"),
        (vec!["bad.toml"], "unknown key `foo`"),
        (vec!["."], "this is a folder"),
    ] {
        let ran = run(&sandbox, &["tune"], &words);
        assert_eq!(ran.code, 2, "{words:?}: {ran:?}");
        assert!(ran.stderr.contains(reason), "{words:?}: {ran:?}");
        assert_eq!(sandbox.files("reports"), Vec::<String>::new(), "{words:?}");
    }
    for (words, reason) in
        [(vec!["nowhere.toml"], "no such file"), (vec!["fleet.toml", "--out=file"], "cannot write")]
    {
        let ran = run(&sandbox, &["tune"], &words);
        assert_eq!(ran.code, 4, "{words:?}: {ran:?}");
        assert!(ran.stderr.contains(reason), "{words:?}: {ran:?}");
    }
}
