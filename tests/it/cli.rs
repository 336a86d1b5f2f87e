//! The command line: exit codes, what goes where, and the files that a run leaves.

use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox, ran};

/// Three instances at one server, for two minutes.
const CALM: &str = r#"schema = 1
name = "calm"
duration = "2m"
[[apps]]
name = "ORDERS"
instances = 3
[[expect]]
metric = "registry-size"
at = "end"
equals = 3
"#;

fn failing() -> String {
    CALM.replace("equals = 3", "equals = 4").replace("calm", "failing")
}

/// It warns, and is run all the same.
fn warned() -> String {
    format!("{CALM}[cluster]\nrelease = \"2.1.0\"\n")
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

const REPORT: [&str; 7] = [
    "events.jsonl",
    "registry-size.png",
    "registry-size.svg",
    "renew-rates.png",
    "renew-rates.svg",
    "series.csv",
    "summary.json",
];

#[test]
fn the_exit_code_says_how_it_went() {
    let sandbox = Sandbox::new("exit-codes");
    sandbox.write("calm.toml", CALM);
    sandbox.write("failing.toml", failing());
    sandbox.write("bad.toml", "schema = 1");
    for (arguments, code) in [
        (&["run", "calm.toml", "--plots", "none"][..], 0),
        (&["check", "calm.toml"], 0),
        (&["run", "failing.toml", "--plots", "none"], 1),
        // Nothing is run, so nothing fails.
        (&["check", "failing.toml"], 0),
        (&["run", "bad.toml"], 2),
        (&["check", "bad.toml"], 2),
        (&["run", "absent.toml"], 4),
        (&["check", "absent.toml"], 4),
        (&["replay", "absent.jsonl"], 4),
        (&["run"], 2),
        (&["fly"], 2),
        (&["run", "calm.toml", "--seed", "many"], 2),
        (&["run", "calm.toml", "--seed", "-1"], 2),
        (&["run", "calm.toml", "--plots", "gif"], 2),
        (&["run", "calm.toml", "--plots", "none,svg"], 2),
        (&["run", "calm.toml", "--set", "seed"], 2),
        (&["check", "calm.toml", "--out", "x"], 2),
        (&["--help"], 0),
        (&["run", "--help"], 0),
        (&["--version"], 0),
        (&["completions", "bash"], 0),
        // Of several inputs the highest code wins, and all are processed.
        (&["run", "calm.toml", "failing.toml", "--plots", "none"], 1),
        (&["run", "failing.toml", "bad.toml", "calm.toml", "--plots", "none"], 2),
        (&["run", "absent.toml", "failing.toml", "bad.toml", "--plots", "none"], 4),
    ] {
        let ran = sandbox.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
    }
}

#[test]
fn results_go_to_stdout_and_talk_to_stderr() {
    let sandbox = Sandbox::new("streams");
    sandbox.write("calm.toml", CALM);
    sandbox.write("failing.toml", failing());
    sandbox.write("warned.toml", warned());
    let calm = sandbox.run(&["run", "calm.toml", "--plots", "none"]);
    assert_eq!(calm.stderr, "");
    assert!(calm.stdout.starts_with("calm  seed 0"), "{}", calm.stdout);
    assert!(calm.stdout.contains("rerun: eureka-sim run calm.toml --seed 0"), "{}", calm.stdout);
    // A failed expectation is a result too.
    let failing = sandbox.run(&["run", "failing.toml", "--plots", "none"]);
    assert_eq!(failing.stderr, "");
    assert!(failing.stdout.contains("registry-size[*] = 4"), "{}", failing.stdout);
    let warned = sandbox.run(&["run", "warned.toml", "--plots", "none"]);
    assert!(warned.stderr.contains("warning[W002]"), "{}", warned.stderr);
    assert!(warned.stderr.contains("--> warned.toml:"), "{}", warned.stderr);
    assert!(!warned.stdout.contains("W002"), "{}", warned.stdout);
    let quiet = sandbox.run(&["run", "warned.toml", "--plots", "none", "--quiet"]);
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.stdout, warned.stdout);
    let absent = sandbox.run(&["run", "absent.toml", "--quiet"]);
    assert_eq!(absent.stdout, "");
    assert_eq!(absent.stderr, "error: absent.toml: no such file\n");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let sandbox = Sandbox::new("colours");
    sandbox.write("calm.toml", CALM);
    sandbox.write("bad.toml", "schema = 1");
    for arguments in [&["run", "calm.toml", "--plots", "none"][..], &["check", "bad.toml"]] {
        let plain = sandbox.run(arguments);
        assert!(!(plain.stdout + &plain.stderr).contains('\u{1b}'), "{arguments:?}");
        let asked = sandbox.run(&[arguments, &["--color", "always"]].concat());
        assert!((asked.stdout + &asked.stderr).contains('\u{1b}'), "{arguments:?}");
    }
}

#[test]
fn json_is_all_there_is_on_stdout() {
    let sandbox = Sandbox::new("json");
    sandbox.write("calm.toml", CALM);
    sandbox.write("failing.toml", failing());
    sandbox.write("warned.toml", warned());
    let run = sandbox.run(&["run", "calm.toml", "failing.toml", "--format", "json"]);
    let summaries = json(&run);
    assert_eq!(summaries[0]["scenario"], "calm");
    assert_eq!(summaries[0]["expectations"][0]["ok"], true);
    assert_eq!(summaries[1]["expectations"][0]["ok"], false);
    let digest = summaries[0]["digest"].as_str().expect("a digest is text");
    assert_eq!(digest.len(), 32);
    assert!(digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{digest}");
    let written: Value =
        serde_json::from_str(&sandbox.read("reports/calm/summary.json")).expect("it is JSON");
    assert_eq!(written, summaries[0]);

    let check = json(&sandbox.run(&["check", "warned.toml", "--format", "json"]));
    assert_eq!((&check["schema"], &check["scenario"]), (&Value::from(1), &Value::from("calm")));
    let server = &check["servers"][0];
    for key in ["name", "threshold", "eviction_limit", "deaths_that_freeze"] {
        assert!(server.get(key).is_some(), "{key} in {server}");
    }
    assert_eq!(check["warnings"][0]["code"], "W002");
    // What is wrong is talk; the list of results is empty.
    let bad = sandbox.run(&["run", "absent.toml", "--format", "json"]);
    assert_eq!((json(&bad), bad.code), (Value::Array(Vec::new()), 4));
}

#[test]
fn a_run_leaves_its_report() {
    let sandbox = Sandbox::new("report");
    sandbox.write("calm.toml", CALM);
    assert_eq!(sandbox.run(&["run", "calm.toml"]).code, 0);
    assert_eq!(sandbox.files("reports"), REPORT.map(|name| format!("calm/{name}")));
    let series = sandbox.read("reports/calm/series.csv");
    let columns = "t_ms,server,localRegistrySize,alive,ghosts,missing,renewsCurrentMin,\
                   numOfRenewsInLastMin,numOfRenewsPerMinThreshold,\
                   expectedNumberOfClientsSendingRenews,isLeaseExpirationEnabled,\
                   isBelowRenewThreshold,expiredCounter\n";
    assert!(series.starts_with(columns), "{}", &series[..300]);
    assert!(series.lines().last().is_some_and(|row| row.starts_with("120000,eureka-0,3,3,0,0,")));
    for line in sandbox.read("reports/calm/events.jsonl").lines() {
        let event: Value = serde_json::from_str(line).expect("each line is JSON");
        assert!(event.get("t_ms").is_some() && event.get("event").is_some(), "{line}");
    }
    for figure in ["registry-size", "renew-rates"] {
        let svg = sandbox.read(&format!("reports/calm/{figure}.svg"));
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{figure}");
        let png = sandbox.bytes(&format!("reports/calm/{figure}.png"));
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n", "{figure}");
        assert_eq!(&png[png.len() - 8..png.len() - 4], b"IEND", "{figure}");
    }
}

#[test]
fn a_run_again_leaves_the_same_bytes() {
    let sandbox = Sandbox::new("again");
    sandbox.write("calm.toml", CALM);
    let first = sandbox.run(&["run", "calm.toml", "--out", "a"]);
    let second = sandbox.run(&["run", "calm.toml", "--out", "b"]);
    assert_eq!(first.stdout, second.stdout);
    for name in REPORT {
        let of = |out: &str| sandbox.bytes(&format!("{out}/calm/{name}"));
        assert!(of("a") == of("b"), "{name}");
    }
    // Another seed is another run: two of them that agree would prove nothing above.
    let other = sandbox.run(&["run", "calm.toml", "--out", "c", "--seed", "5", "--plots", "none"]);
    assert_ne!(first.stdout, other.stdout);
}

#[test]
fn only_what_is_asked_for_is_written_and_nothing_older_stays() {
    let sandbox = Sandbox::new("asked");
    sandbox.write("calm.toml", CALM);
    let files = |arguments: &[&str]| {
        let ran = sandbox.run(&[&["run", "calm.toml"], arguments].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        sandbox.files("reports/calm")
    };
    assert_eq!(files(&["--log"]).len(), REPORT.len() + 1);
    assert_eq!(files(&["--plots", "none"]), ["events.jsonl", "series.csv", "summary.json"]);
    assert_eq!(files(&["--plots", "none", "--events", "none"]), ["series.csv", "summary.json"]);
    let svg = ["registry-size.svg", "renew-rates.svg", "series.csv", "summary.json"];
    assert_eq!(files(&["--plots", "svg", "--events", "none"]), svg);
    // What is not of a run is not touched.
    sandbox.write("reports/calm/notes.txt", "mine");
    assert_eq!(files(&["--plots", "none", "--events", "none"])[0], "notes.txt");
}

/// Traces of an earlier run would be replayed with those of this one.
#[test]
fn traces_of_other_processes_of_an_earlier_run_do_not_stay() {
    let sandbox = Sandbox::new("old-traces");
    let restart =
        "[[timeline]]\nat = \"60s\"\nrestart = { select = \"server:eureka-0\", down = \"5s\" }\n";
    sandbox.write("calm.toml", CALM);
    sandbox.write("restart.toml", format!("{CALM}{restart}"));
    let traced = |file: &str| {
        sandbox.run(&["run", file, "--plots", "none", "--trace", "traces"]);
        sandbox.files("traces")
    };
    assert_eq!(traced("restart.toml"), ["eureka-0.2.jsonl", "eureka-0.jsonl"]);
    // What is of no server of the plan, or no trace, is not touched.
    let others = [
        "eureka-0.02.jsonl",
        "eureka-0.1.jsonl",
        "eureka-0.x.jsonl",
        "eureka-00.jsonl",
        "mine.jsonl",
    ];
    others.iter().for_each(|name| sandbox.write(&format!("traces/{name}"), "mine"));
    sandbox.write("traces/eureka-0.17.jsonl", "of a run with many restarts");
    let left = traced("calm.toml");
    assert_eq!(
        left,
        [
            "eureka-0.02.jsonl",
            "eureka-0.1.jsonl",
            "eureka-0.jsonl",
            "eureka-0.x.jsonl",
            "eureka-00.jsonl",
            "mine.jsonl"
        ]
    );
}

#[test]
fn traces_stand_where_they_are_wanted_and_can_be_replayed() {
    let sandbox = Sandbox::new("traces");
    sandbox.write("calm.toml", format!("{CALM}[cluster]\nservers = 2\n").replace("= 3\n", "= 5\n"));
    sandbox.run(&["run", "calm.toml", "--plots", "none", "--trace", "traces"]);
    assert_eq!(sandbox.files("traces"), ["eureka-0.jsonl", "eureka-1.jsonl"]);
    let replay = sandbox.run(&["replay", "traces", "--format", "json"]);
    assert_eq!((replay.code, replay.stderr.as_str()), (0, ""), "{}", replay.stdout);
    let replay = json(&replay);
    assert_eq!((&replay["files"], &replay["divergences"]), (&Value::from(2), &Value::from(0)));
    assert!(replay["operations"].as_u64().is_some_and(|operations| operations > 10), "{replay}");
    let both = sandbox.run(&["run", "calm.toml", "calm.toml", "--trace", "traces"]);
    assert_eq!(both.code, 2);
}

#[test]
fn two_scenarios_of_one_name_are_not_run() {
    let sandbox = Sandbox::new("one-name");
    sandbox.write("a.toml", CALM);
    sandbox.write("b.toml", CALM);
    for command in ["run", "check"] {
        let ran = sandbox.run(&[command, "a.toml", "b.toml"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        let said = "error: b.toml: another scenario of this call is called `calm` too\n";
        assert_eq!(ran.stderr, said);
    }
    assert_eq!(sandbox.files("reports"), [""; 0]);
}

#[test]
fn whoever_stops_reading_has_seen_enough() {
    let sandbox = Sandbox::new("closed-pipe");
    sandbox.write("calm.toml", CALM);
    sandbox.write("failing.toml", failing());
    for (arguments, code) in [
        (&["run", "calm.toml", "--plots", "none"][..], 0),
        (&["run", "failing.toml", "--plots", "none"], 1),
        (&["run", "calm.toml", "--format", "json", "--plots", "none"], 0),
        (&["check", "calm.toml"], 0),
        (&["completions", "zsh"], 0),
        (&["--help"], 0),
    ] {
        let mut command = sandbox.command(arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let ran = ran(child.wait_with_output().expect("it ends"));
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{arguments:?}");
    }
    // The report is there all the same.
    assert_eq!(sandbox.files("reports/calm").len(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_below_stdout_is_said() {
    let sandbox = Sandbox::new("full");
    sandbox.write("calm.toml", CALM);
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut command = sandbox.command(["check", "calm.toml"]);
    let ran = ran(command.stdout(full).output().expect("it starts"));
    assert_eq!(ran.code, 4);
    assert_eq!(ran.stderr, "error: standard output: cannot write: No space left on device\n");
}

#[test]
fn values_from_the_command_line_are_the_file_s() {
    let sandbox = Sandbox::new("set");
    sandbox.write("calm.toml", CALM);
    let five =
        sandbox.run(&["run", "calm.toml", "--set", "apps.ORDERS.instances=5", "--plots", "none"]);
    assert_eq!(five.code, 1);
    assert!(five.stdout.contains("--set apps.ORDERS.instances=5"), "{}", five.stdout);
    let bad = sandbox.run(&["check", "calm.toml", "--set", "apps.ORDRES.instances=5"]);
    assert_eq!((bad.code, bad.stdout.as_str()), (2, ""));
    assert!(bad.stderr.contains("--> --set:1:1"), "{}", bad.stderr);
    assert!(bad.stderr.contains("did you mean `ORDERS`?"), "{}", bad.stderr);
}
