//! Input that is no good: one clear error, the right exit code, no panic, nothing half written.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::sandbox::{Ran, Sandbox};

const HEAD: &str = "schema = 1\nname = \"bad\"\nduration = \"10m\"\n";
const ORDERS: &str = "[[apps]]\nname = \"ORDERS\"\ninstances = 4\n";
/// As many as issue trackers are told of.
const LARGE: u64 = 100 << 20;

/// How many errors are reported: lines that begin with one.
fn errors(ran: &Ran) -> usize {
    ran.stderr.lines().filter(|line| line.starts_with("error")).count()
}

/// That both commands refuse a file, with one error that says all of `words`, and leave nothing.
fn refused(sandbox: &Sandbox, file: &str, code: i32, words: &[&str]) {
    for arguments in [&["check", file][..], &["run", file, "--out", "out", "--trace", "traces"]] {
        let ran = sandbox.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        assert_eq!(errors(&ran), 1, "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        for word in words {
            assert!(ran.stderr.contains(word), "{word:?} is not in: {}", ran.stderr);
        }
        assert_eq!(sandbox.files("out"), [""; 0], "{arguments:?}");
        assert_eq!(sandbox.files("traces"), [""; 0], "{arguments:?}");
    }
}

fn sparse(path: &Path, first: &[u8]) {
    let mut file = File::create(path).expect("a file can be made");
    file.write_all(first).expect("a file can be written");
    file.set_len(LARGE).expect("a file may have holes");
}

#[test]
fn what_is_no_scenario_file_is_refused() {
    let sandbox = Sandbox::new("no-scenario");
    refused(&sandbox, "absent.toml", 4, &["error: absent.toml: no such file"]);
    refused(&sandbox, "absent/absent.toml", 4, &["no such file"]);
    sandbox.write("folder.toml/inner.txt", HEAD);
    refused(&sandbox, "folder.toml/inner.txt/x", 4, &["ot a directory"]);
    sandbox.write("empty.toml", "");
    let ran = sandbox.run(&["check", "empty.toml"]);
    assert_eq!((ran.code, errors(&ran)), (2, 2), "{}", ran.stderr);
    // Every byte, which is no UTF-8.
    let junk: Vec<u8> = (0..=255).cycle().take(4096).collect();
    sandbox.write("junk.toml", &junk);
    refused(&sandbox, "junk.toml", 2, &["junk.toml: not UTF-8 text"]);
    sandbox.write("zeros.toml", [0; 4096]);
    refused(&sandbox, "zeros.toml", 2, &["zeros.toml: this is a binary file"]);
    sandbox.write(
        "utf16.toml",
        "schema".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
    );
    refused(&sandbox, "utf16.toml", 2, &["this is a binary file"]);
    sparse(&sandbox.path("large.toml"), HEAD.as_bytes());
    refused(&sandbox, "large.toml", 2, &["error: large.toml: larger than 16 MiB"]);
    sandbox.write("cut.toml", "schema = 1\nduration = \"10");
    refused(&sandbox, "cut.toml", 2, &["error[S001]", "--> cut.toml:2:"]);
}

#[test]
fn a_scenario_with_one_mistake_has_one_error() {
    let sandbox = Sandbox::new("one-mistake");
    let cases: [(&str, &str, &[&str]); 18] = [
        ("unknown-key", "seeed = 3", &["S002", "bad.toml:4:1", "did you mean `seed`?"]),
        ("wrong-type", "seed = \"three\"", &["S003", "bad.toml:4:8", "expected a whole number"]),
        (
            "twice",
            "[[apps]]\nname = \"A\"\ninstances = 2\ninstance-id = \"x\"",
            &["S009", "A/x", "occurs twice"],
        ),
        (
            "nothing",
            "[[timeline]]\nat = \"1m\"\nkill = \"clients\"",
            &["S008", "`clients` matches nothing", "bad.toml:6:8"],
        ),
        ("zero", "[observe]\nevery = \"0s\"", &["S006", "at least 1ms"]),
        (
            "many",
            "[[apps]]\nname = \"A\"\ninstances = 1000000000",
            &["S015", "1000000000 instances are too many", "at most 2000000"],
        ),
        ("many-servers", "[cluster]\nservers = 1000000000", &["S015", "at most 1000"]),
        ("more-than-64-bits", "[cluster]\nservers = 99999999999999999999999", &["S006"]),
        ("negative", "[network]\nlatency = \"-5ms\"", &["S005", "bad.toml:5:11"]),
        ("too-long", "[network]\nlatency = \"99999999999999999999d\"", &["S006", "ten years"]),
        ("sum-too-long", "[network]\nlatency = \"3652d3652d\"", &["S006", "ten years"]),
        ("bare-number", "[network]\nlatency = 5", &["S003", "a duration"]),
        ("own-circle", "include = [\"bad.toml\"]", &["S013", "bad.toml → bad.toml"]),
        ("outside", "include = [\"../bad.toml\"]", &["S013", "leaves the folder"]),
        ("absent", "include = [\"absent.toml\"]", &["S013", "absent.toml", "no such file"]),
        (
            "later",
            "[eureka.client]\nwebclient.enabled = true",
            &["S012", "does not execute it yet"],
        ),
        ("key-twice", "seed = 1\nseed = 2", &["S001", "bad.toml:5:1"]),
        ("deep", &deep(), &["S001"]),
    ];
    for (name, rest, words) in cases {
        let sandbox = Sandbox::new(&format!("one-mistake/{name}"));
        sandbox.write("bad.toml", format!("{HEAD}{rest}\n"));
        refused(&sandbox, "bad.toml", 2, words);
    }
    sandbox.write("zero.toml", HEAD.replace("10m", "0s"));
    refused(&sandbox, "zero.toml", 2, &["S006", "`duration` must be longer than 0s"]);
    sandbox
        .write("fine.toml", format!("{HEAD}[observe]\nevery = \"1ms\"\n").replace("10m", "300d"));
    refused(&sandbox, "fine.toml", 2, &["S015", "rows of series.csv are too many"]);
    sandbox.write("a.toml", format!("include = [\"b.toml\"]\n{HEAD}"));
    sandbox.write("b.toml", "include = [\"c.toml\"]");
    sandbox.write("c.toml", "include = [\"b.toml\"]");
    refused(&sandbox, "a.toml", 2, &["S013", "a.toml → b.toml → c.toml → b.toml"]);
    sparse(&sandbox.path("large.toml"), b"");
    sandbox.write("d.toml", format!("include = [\"large.toml\"]\n{HEAD}"));
    refused(&sandbox, "d.toml", 2, &["S013", "large.toml", "larger than 16 MiB"]);
}

/// Lists in lists, deeper than any stack.
fn deep() -> String {
    format!("source = {}{}", "[".repeat(100_000), "]".repeat(100_000))
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let sandbox = Sandbox::new("all-mistakes");
    sandbox.write("bad.toml", format!("{HEAD}sed = 1\n[cluster]\nflavor = \"x\"\nservers = -1\n"));
    let ran = sandbox.run(&["check", "bad.toml"]);
    assert_eq!((ran.code, errors(&ran)), (2, 3), "{}", ran.stderr);
}

#[test]
fn an_error_is_drawn_into_its_source() {
    let sandbox = Sandbox::new("drawn");
    sandbox.write(
        "bad.toml",
        format!("{HEAD}{ORDERS}[[timeline]]\nat = \"1m\"\nkill = \"app:ORDRES\"\n"),
    );
    let ran = sandbox.run(&["check", "bad.toml"]);
    expect_test::expect![[r#"
        error[S007]: there is no application `ORDRES`
         --> bad.toml:9:8
          |
        9 | kill = "app:ORDRES"
          |        ^^^^^^^^^^^^
          |
          = help: did you mean `ORDERS`?

    "#]]
    .assert_eq(&ran.stderr);
}

#[test]
fn where_nothing_can_be_written_nothing_is_run() {
    let sandbox = Sandbox::new("unwritable");
    sandbox.write("s.toml", format!("{HEAD}{ORDERS}"));
    sandbox.write("file", "in the way");
    for (arguments, words) in [
        (&["--out", "file"][..], "error: file/bad: cannot write: "),
        (&["--out", "file/below"], "error: file/below/bad: cannot write: "),
        (&["--out", "out", "--trace", "file"], "error: file: cannot write: "),
    ] {
        let ran = sandbox.run(&[&["run", "s.toml"], arguments].concat());
        assert_eq!((ran.code, errors(&ran)), (4, 1), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.starts_with(words), "{}", ran.stderr);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert_eq!(sandbox.files("out"), [""; 0]);
        assert_eq!(sandbox.read("file"), "in the way");
    }
    // A folder in the place of a file of the report: an older report beside it stays as it is.
    sandbox.write("out/bad/series.csv/x", "");
    sandbox.write("out/bad/summary.json", "old");
    let ran = sandbox.run(&["run", "s.toml", "--out", "out"]);
    assert_eq!((ran.code, errors(&ran)), (4, 1), "{ran:?}");
    assert_eq!(sandbox.files("out/bad"), ["series.csv/x", "summary.json"]);
    assert_eq!(sandbox.read("out/bad/summary.json"), "old");
}

#[test]
fn one_bad_scenario_does_not_keep_the_others() {
    let sandbox = Sandbox::new("others");
    sandbox.write("bad.toml", "schema = 2");
    sandbox.write("good.toml", HEAD.replace("bad", "good"));
    let ran = sandbox.run(&["run", "absent.toml", "bad.toml", "good.toml", "--plots", "none"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.starts_with("good  seed 0"), "{}", ran.stdout);
    assert_eq!(sandbox.files("reports").len(), 3);
}

/// A short trace, as the program writes them.
fn trace(sandbox: &Sandbox) -> String {
    sandbox.write("s.toml", format!("{HEAD}{ORDERS}"));
    sandbox.run(&["run", "s.toml", "--plots", "none", "--trace", "traces"]);
    sandbox.read("traces/eureka-0.jsonl")
}

#[test]
fn what_is_no_trace_is_refused() {
    let sandbox = Sandbox::new("no-trace");
    let trace = trace(&sandbox);
    let half = trace.len() / 2;
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(trace.as_bytes()).expect("memory takes it");
    let gz = gz.finish().expect("memory takes it");
    sandbox.write("cut.jsonl", &trace[..half]);
    sandbox.write("cut.jsonl.gz", &gz[..gz.len() / 2]);
    sandbox.write("whole.jsonl.gz", &gz);
    sandbox.write("not-gz.jsonl.gz", &trace);
    sandbox.write("empty.jsonl", "");
    sandbox.write("junk.jsonl", [0xff; 4096]);
    sandbox.write("other.jsonl", "{\"format\":\"somebody-else/1\"}\n");
    sparse(&sandbox.path("large.jsonl"), b"");
    std::fs::create_dir(sandbox.path("folder")).expect("a folder can be made");
    let codes = [
        ("whole.jsonl.gz", 0),
        ("cut.jsonl", 2),
        ("cut.jsonl.gz", 2),
        ("not-gz.jsonl.gz", 2),
        ("empty.jsonl", 2),
        ("junk.jsonl", 2),
        ("other.jsonl", 2),
        ("large.jsonl", 2),
        ("folder", 2),
        ("absent.jsonl", 4),
    ];
    for (name, code) in codes {
        let ran = sandbox.run(&["replay", name]);
        assert_eq!(ran.code, code, "{name}: {ran:?}");
        assert_eq!(errors(&ran), usize::from(code != 0), "{name}: {}", ran.stderr);
        if code != 0 {
            assert!(ran.stderr.starts_with(&format!("error: {name}: ")), "{}", ran.stderr);
            assert!(ran.stderr.len() < 500, "{name}: {}", ran.stderr);
        }
    }
    // Cut within a line, the line is named.
    let lines = trace[..half].matches('\n').count() + 1;
    let ran = sandbox.run(&["replay", "cut.jsonl"]);
    assert!(ran.stderr.contains(&format!("line {lines}")), "{}", ran.stderr);
}

#[test]
fn an_altered_trace_is_no_bad_input_but_differs() {
    let sandbox = Sandbox::new("altered");
    let altered = trace(&sandbox).replacen("{\"code\":204}", "{\"code\":200}", 1);
    sandbox.write("altered.jsonl", altered);
    let ran = sandbox.run(&["replay", "altered.jsonl"]);
    assert_eq!((ran.code, errors(&ran)), (1, 0), "{ran:?}");
}
