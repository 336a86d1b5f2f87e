//! `run` and `check` of folders: every scenario in them, a line each and a total; `--list`; JUnit XML.

use expect_test::expect;
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A scenario that holds if `size` is 3.
fn scenario(about: &str, size: u32) -> String {
    format!(
        "schema = 1\nabout = \"{about}\"\nduration = \"2m\"\n[[apps]]\nname = \"A\"\ninstances = 3\n\
         [[expect]]\nmetric = \"registry-size\"\nat = \"end\"\nequals = {size}\n"
    )
}

/// Two that hold, in folders, one that does not, shared settings, and a text.
fn library(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    sandbox.write("lib/b.toml", scenario("B.", 3));
    sandbox.write("lib/a/z.toml", scenario("Z.", 3));
    sandbox.write("lib/c/failing.toml", scenario("C.", 4));
    sandbox.write("lib/c/shared.toml", "[network]\nlatency = \"1ms\"\n");
    sandbox.write("lib/README.md", "# Nothing to run");
    sandbox
}

const QUICK: [&str; 2] = ["--plots", "none"];

#[test]
fn every_scenario_of_a_folder_is_run_and_has_a_line() {
    let sandbox = library("folder");
    let ran = sandbox.run(&["run", "lib", "--plots", "none"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    expect![[r#"
        ✓ lib/a/z.toml        1 of 1 hold
        ✓ lib/b.toml          1 of 1 hold
        ✗ lib/c/failing.toml  0 of 1 hold
            ✗ registry-size[*] = 4 at 2m00s  3 (eureka-0 at 2m00s)
        3 scenarios run, 1 fails: 2 of 3 expectations hold; 6m00s simulated, 234 events
    "#]]
    .assert_eq(&ran.stdout);
    assert_eq!(ran.stderr, "lib/c/shared.toml: no scenario: it has no `schema`\n");
    for name in ["z", "b", "failing"] {
        assert_eq!(
            sandbox.files(&format!("reports/{name}")),
            ["events.jsonl", "series.csv", "summary.json"]
        );
    }
    // A folder within, and the same as an array for programs.
    let ran = sandbox.run(&["run", "lib/a", "lib/b.toml", "--plots=none", "--format=json"]);
    let summaries: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(ran.code, 0);
    assert_eq!([&summaries[0]["scenario"], &summaries[1]["scenario"]], ["z", "b"]);
}

#[test]
fn the_number_of_jobs_changes_nothing() {
    let sandbox = library("jobs");
    for number in 0..20 {
        sandbox.write(&format!("lib/many/s{number}.toml"), scenario("Many.", number % 4));
    }
    let jobs = |jobs: &str| {
        let ran = sandbox.run(
            &[&["run", "lib", "--jobs", jobs, "--out", jobs, "--junit", "j.xml"], &QUICK[..]]
                .concat(),
        );
        let files = sandbox.files(jobs);
        assert_eq!(files.len(), 23 * 3);
        let files: Vec<_> =
            files.iter().map(|file| sandbox.bytes(&format!("{jobs}/{file}"))).collect();
        (ran.code, ran.stdout, ran.stderr, files, sandbox.read("j.xml"))
    };
    let alone = jobs("1");
    assert_eq!(alone, jobs("2"));
    assert_eq!(alone, jobs("16"));
    for bad in ["0", "-1", "many", "100000"] {
        assert_eq!(sandbox.run(&["run", "lib", "--jobs", bad]).code, 2);
    }
}

#[test]
fn what_cannot_be_run_is_said_and_the_rest_is_run() {
    let sandbox = library("partly");
    sandbox.write("lib/a/bad.toml", "schema = 1\ndurration = \"1m\"\n");
    sandbox.write("lib/a/broken.toml", "schema = ");
    let ran = sandbox.run(&["run", "lib", "--plots", "none"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let total = ran.stdout.lines().last().expect("there is a total");
    assert!(
        total.starts_with("3 scenarios run, 1 fails, 2 scenarios could not be run: "),
        "{total}"
    );
    for file in ["bad.toml", "broken.toml"] {
        assert!(ran.stderr.contains(file), "{}", ran.stderr);
    }
    // One name for two reports: nobody could tell which it is.
    let sandbox = library("twice");
    sandbox.write("lib/c/b.toml", scenario("B.", 3));
    let ran = sandbox.run(&["run", "lib", "--plots", "none"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("another scenario of this call is called `b` too"));
    assert!(!sandbox.path("reports").exists());
}

#[test]
fn folders_without_scenarios_are_an_error() {
    let sandbox = Sandbox::new("no-scenarios");
    sandbox.write("empty.toml/README.md", "");
    sandbox.write("settings/shared.toml", "[network]\nlatency = \"1ms\"\n");
    for folder in ["empty.toml", "settings"] {
        for command in ["run", "check"] {
            let ran = sandbox.run(&[command, folder]);
            assert_eq!(ran.code, 2, "{ran:?}");
            assert!(ran.stderr.contains(&format!("error: {folder}: no scenario in this folder")));
            assert_eq!(ran.stdout, "", "there is no total of nothing");
        }
    }
}

#[test]
fn a_list_says_what_each_shows_and_runs_none() {
    let sandbox = library("list");
    let ran = sandbox.run(&["run", "lib", "--list"]);
    assert_eq!(ran.code, 0);
    expect![[r#"
        lib/a/z.toml
          Z.
        lib/b.toml
          B.
        lib/c/failing.toml
          C.
    "#]]
    .assert_eq(&ran.stdout);
    let ran = sandbox.run(&["run", "lib", "--list", "--format", "json"]);
    let listed: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    assert_eq!((&listed[1]["path"], &listed[1]["name"]), (&"lib/b.toml".into(), &"b".into()));
    assert_eq!((&listed[1]["about"], &listed[1]["expectations"]), (&"B.".into(), &1.into()));
    // Nothing is run, so there are no verdicts to write.
    assert_eq!(sandbox.run(&["run", "lib", "--list", "--junit", "j.xml"]).code, 2);
    assert!(!sandbox.path("reports").exists());
}

#[test]
fn check_takes_folders_too() {
    let sandbox = library("check-folder");
    let ran = sandbox.run(&["check", "lib"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let names: Vec<_> = ["z  ", "b  ", "failing  "].iter().map(|n| ran.stdout.find(n)).collect();
    assert!(names.iter().all(Option::is_some) && names.is_sorted(), "{}", ran.stdout);
    // A folder may hold many: a list, even of one.
    let ran = sandbox.run(&["check", "lib/a", "--format", "json"]);
    let reports: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(reports[0]["scenario"], "z");
}

/// Every expectation is a case; what could not be run is an error; what people paste is text.
#[test]
fn junit_has_a_case_for_each_expectation() {
    let sandbox = library("junit");
    let hostile = scenario("H.", 4) + "label = \"<b>&\\u001b[31m\\u202e ]]>\"\n";
    sandbox.write("lib/c/hostile.toml", hostile);
    sandbox.write("lib/c/none.toml", "schema = 1\nduration = \"1m\"\n");
    sandbox.write("lib/bad.toml", "schema = 1\n");
    let ran = sandbox.run(&["run", "lib", "--plots", "none", "--junit", "out/verdicts.xml"]);
    assert_eq!(ran.code, 2);
    assert_eq!(sandbox.files("out"), ["verdicts.xml"]);
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="eureka-sim" tests="6" skipped="0" failures="2" errors="1">
            <testsuite name="lib/bad.toml" tests="1" skipped="0" errors="1" failures="0">
                <testcase name="can be run" classname="lib/bad.toml">
                    <error type="scenario">error[S004]: the scenario lacks `duration`
         --&gt; lib/bad.toml:1:1
          |
        1 | schema = 1
          | ^
          |
          = help: add `duration = &quot;30m&quot;`

        </error>
                </testcase>
            </testsuite>
            <testsuite name="z" tests="1" skipped="0" errors="0" failures="0">
                <properties>
                    <property name="seed" value="0"/>
                    <property name="digest" value="cf281bfee15c60b18b1f0af434eaa447"/>
                </properties>
                <testcase name="registry-size[*] = 3 at 2m00s" classname="lib/a/z.toml"/>
            </testsuite>
            <testsuite name="b" tests="1" skipped="0" errors="0" failures="0">
                <properties>
                    <property name="seed" value="0"/>
                    <property name="digest" value="cf281bfee15c60b18b1f0af434eaa447"/>
                </properties>
                <testcase name="registry-size[*] = 3 at 2m00s" classname="lib/b.toml"/>
            </testsuite>
            <testsuite name="failing" tests="1" skipped="0" errors="0" failures="1">
                <properties>
                    <property name="seed" value="0"/>
                    <property name="digest" value="cf281bfee15c60b18b1f0af434eaa447"/>
                </properties>
                <testcase name="registry-size[*] = 4 at 2m00s" classname="lib/c/failing.toml">
                    <failure message="3 (eureka-0 at 2m00s)" type="expectation"/>
                </testcase>
            </testsuite>
            <testsuite name="hostile" tests="1" skipped="0" errors="0" failures="1">
                <properties>
                    <property name="seed" value="0"/>
                    <property name="digest" value="cf281bfee15c60b18b1f0af434eaa447"/>
                </properties>
                <testcase name="&lt;b&gt;&amp;\u{1b}[31m\u{202e} ]]&gt;" classname="lib/c/hostile.toml">
                    <failure message="3 (eureka-0 at 2m00s)" type="expectation"/>
                </testcase>
            </testsuite>
            <testsuite name="none" tests="1" skipped="0" errors="0" failures="0">
                <properties>
                    <property name="seed" value="0"/>
                    <property name="digest" value="3196c8b15bcd28ab668d7f26a5fb4bd4"/>
                </properties>
                <testcase name="runs to its end" classname="lib/c/none.toml"/>
            </testsuite>
        </testsuites>
    "#]].assert_eq(&sandbox.read("out/verdicts.xml"));
}

/// Where the file cannot be written, nothing is run.
#[test]
fn a_junit_file_that_cannot_be_written_is_known_at_once() {
    let sandbox = library("junit-unwritable");
    sandbox.write("file", "");
    for place in ["lib", "file/verdicts.xml", "/"] {
        let ran = sandbox.run(&["run", "lib", "--plots", "none", "--junit", place]);
        assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{place}: {ran:?}");
        assert!(ran.stderr.contains("cannot write"), "{}", ran.stderr);
    }
    assert!(!sandbox.path("reports").exists());
}

#[test]
fn a_folder_has_no_single_trace() {
    let sandbox = library("folder-trace");
    let ran = sandbox.run(&["run", "lib", "--trace", "traces"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--trace writes the servers of one scenario"), "{}", ran.stderr);
}

/// A link that leads back is walked once.
#[cfg(unix)]
#[test]
fn links_lead_nowhere_twice() {
    let sandbox = library("links");
    std::os::unix::fs::symlink("..", sandbox.path("lib/a/up")).expect("a link can be made");
    let ran = sandbox.run(&["run", "lib", "--plots", "none"]);
    assert!(ran.stdout.contains("\n3 scenarios run"), "{ran:?}");
}
