//! Every recorded trace of a server is replayed without a divergence; `golden_client` holds those of
//! clients.

use std::io::{BufRead, Cursor};
use std::path::{Path, PathBuf};

use crate::support::unzipped;
use eureka_sim::replay::{self, ReplayError, Replayed, TraceKind};

/// What came of the traces below a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) files: usize,
    pub(crate) operations: u64,
    pub(crate) skipped: usize,
}

fn own_copy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/registry")
}

/// Every `*.jsonl` and `*.jsonl.gz` below a folder, in order of their paths.
pub(crate) fn traces(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder of traces can be read") {
            let path = entry.expect("its entries too").path();
            let name = path.to_string_lossy();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn text_of(path: &Path) -> String {
    match path.extension().is_some_and(|extension| extension == "gz") {
        true => unzipped(path),
        false => std::fs::read_to_string(path).expect("a trace can be read"),
    }
}

pub(crate) fn replayed(text: &str) -> Result<Replayed, ReplayError> {
    replay::replay(Cursor::new(text))
}

/// Replays every trace of a kind below a folder: none differs.
pub(crate) fn replay_all(folder: &Path, kind: TraceKind) -> Found {
    let mut found = Found::default();
    for path in traces(folder) {
        let text = text_of(&path);
        if text.lines().next().and_then(replay::kind_of) != Some(kind) {
            continue;
        }
        let replayed =
            replayed(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(replayed.first, None, "{}", path.display());
        assert_eq!(replayed.divergences, 0, "{}", path.display());
        found.skipped += usize::from(replayed.skipped.is_some());
        found.files += usize::from(replayed.skipped.is_none());
        found.operations += replayed.operations;
    }
    found
}

#[test]
fn the_core_equals_the_real_classes_on_every_recorded_trace() {
    let found = replay_all(&own_copy(), TraceKind::Registry);
    assert_eq!(found, Found { files: 214, operations: 75_689, skipped: 0 });
}

/// `EUREKA_GOLDEN_DIR` names further traces, of servers and clients; without it there is nothing more
/// to hold.
#[test]
fn and_on_those_of_any_directory_that_is_named() {
    if let Some(folder) = std::env::var_os("EUREKA_GOLDEN_DIR") {
        let folder = Path::new(&folder);
        let servers = replay_all(folder, TraceKind::Registry);
        let clients = replay_all(folder, TraceKind::Client);
        assert!(servers.files + clients.files > 0, "no trace below EUREKA_GOLDEN_DIR");
        println!("further traces, of servers: {servers:?}, of clients: {clients:?}");
    }
}

/// A trace with many kinds of operations.
fn a_trace() -> String {
    let path =
        traces(&own_copy()).into_iter().find(|path| path.ends_with("2.0.6/churn-1.jsonl.gz"));
    text_of(&path.expect("the copy has this trace"))
}

pub(crate) fn replace_in_line(text: &str, line: usize, from: &str, to: &str) -> String {
    let changed = text.lines().enumerate().map(|(index, content)| {
        if index + 1 == line { content.replacen(from, to, 1) } else { content.to_owned() }
    });
    changed.collect::<Vec<_>>().join("\n") + "\n"
}

/// The first line, from 1, that contains a text.
pub(crate) fn line_with(text: &str, wanted: &str) -> usize {
    1 + text.lines().position(|line| line.contains(wanted)).expect("the trace has such a line")
}

#[test]
fn an_altered_value_is_reported_at_its_line() {
    let trace = a_trace();
    let altered = |wanted: &str, from: &str, to: &str| {
        let line = line_with(&trace, wanted);
        let replayed = replayed(&replace_in_line(&trace, line, from, to)).expect("it is a trace");
        let first = replayed.first.expect("it diverges");
        assert_eq!(first.line, line as u64, "{from} -> {to}");
        first
    };
    assert_eq!(altered("\"code\":204", "\"code\":204", "\"code\":200").field, "r");
    assert_eq!(altered("\"s\":[", "\"s\":[", "\"s\":[9").path, "s[0]");
    assert_eq!(altered("\"wall\":", "\"wall\":1", "\"wall\":2").field, "wall");
    assert_eq!(altered("[\"heartbeat\"", "[\"heartbeat\"", "[\"register\"").field, "out");
    assert_eq!(altered("\"k\":\"evict\"", "\"k\":\"evict\"", "\"k\":\"bucket\"").field, "ev");
}

#[test]
fn a_field_nobody_knows_is_a_divergence() {
    let trace = a_trace();
    let line = line_with(&trace, "\"wall\":");
    let altered = replace_in_line(&trace, line, "\"wall\":", "\"surprise\":true,\"wall\":");
    let first = replayed(&altered).expect("it is a trace").first.expect("it diverges");
    assert_eq!((first.line, first.field.as_str()), (line as u64, "surprise"));
    assert_eq!(first.expected, serde_json::Value::Bool(true));
    assert_eq!(first.got, serde_json::Value::Null);
}

#[test]
fn a_missing_field_is_a_divergence() {
    let trace = a_trace();
    let line = line_with(&trace, "\"op\":\"renew\"");
    let content = trace.lines().nth(line - 1).expect("there is such a line");
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(content).expect("it is JSON");
    fields.shift_remove("s").expect("every operation has gauges");
    let shorter = serde_json::Value::Object(fields).to_string();
    let first = replayed(&replace_in_line(&trace, line, content, &shorter)).expect("it is a trace");
    let first = first.first.expect("it diverges");
    assert_eq!((first.line, first.field.as_str()), (line as u64, "s"));
}

#[test]
fn a_trace_cut_in_the_middle_is_an_error_at_its_last_line() {
    let trace = a_trace();
    let lines = trace.lines().count();
    let cut = &trace[..trace.trim_end().len() - 20];
    let error = replayed(cut).expect_err("the last line is cut");
    assert!(error.to_string().contains(&format!("line {lines}")), "{error}");
    assert!(replayed("").is_err(), "an empty file is no trace");
    assert!(replayed("{\"format\":\"something else\"}\n").is_err());
    assert!(Cursor::new(cut).lines().count() == lines);
}
