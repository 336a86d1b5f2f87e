//! Every trace of a client over real HTTP is replayed within its tolerance; what is changed in one is
//! noticed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::golden::{Found, line_with, replace_in_line, replay_all, replayed, text_of, traces};
use eureka_sim::replay::{Divergence, TraceKind};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/client/real")
}

#[test]
fn the_client_equals_the_real_one_over_real_http() {
    let found = replay_all(&folder(), TraceKind::Client);
    assert_eq!(found, Found { files: 43, operations: 421, skipped: 0 });
}

fn trace(name: &str) -> String {
    text_of(&folder().join(format!("{name}.jsonl.gz")))
}

fn first(text: &str) -> Divergence {
    let replayed = replayed(text).expect("it is still a trace");
    assert_eq!(replayed.skipped, None);
    replayed.first.expect("it differs")
}

/// The first `from` of the first line with `wanted` becomes `to`: that is reported there, as part of
/// that field.
#[track_caller]
fn check_reported(name: &str, wanted: &str, (from, to): (&str, &str), path: &str) {
    let text = trace(name);
    let line = line_with(&text, wanted);
    let changed = replace_in_line(&text, line, from, to);
    assert!(changed != text, "nothing was changed: {wanted}");
    let first = first(&changed);
    assert_eq!((first.line, first.path.as_str()), (line as u64, path), "{to}: {first:?}");
}

#[test]
fn an_altered_value_is_reported_at_its_line() {
    let name = "real-lifecycle";
    let post = "\"method\":\"POST\"";
    check_reported(name, post, ("\"dirty\":34", "\"dirty\":35"), "request.dirty");
    check_reported(name, post, ("\"dirty\":34", "\"dirty\":334"), "request.dirty");
    check_reported(name, post, ("in-body\":\"UP", "in-body\":\"DOWN"), "request.status-in-body");
    check_reported(name, post, ("\"s0\"", "\"s1\""), "request.server");
    check_reported(name, post, ("\"kept\"", "\"new\""), "request.on-connection");
    check_reported(name, post, ("\"204\"", "\"200\""), "request.outcome");
    let put = "\"method\":\"PUT\"";
    let dirty = "request.query.lastDirtyTimestamp";
    check_reported(name, put, ("Timestamp\":34", "Timestamp\":35"), dirty);
    check_reported(name, put, ("\"UP\"", "\"DOWN\""), "request.query.status");
    check_reported(name, put, ("\"{}\"", "\"\""), "request.body");
    check_reported(name, put, ("\"method\":\"PUT", "\"method\":\"POST"), "request.method");
    check_reported(name, "\"DELETE\"", ("text/html", "text/plain"), "request.accept");
    check_reported(name, "cache-refreshed", ("cache-refreshed", "fetch-failed"), "event");
    let why = ("Retry limit reached", "Patience lost");
    check_reported("real-shutdown-register-in-flight", "register-failed", why, "why");
}

/// Each library's own way: another one's would not do, but for deltas of Jersey 3 and of Apache
/// HttpClient 5, which look alike.
#[test]
fn one_library_does_not_pass_for_another() {
    let mut alike = Vec::new();
    for path in traces(&folder()) {
        let text = text_of(&path);
        for (transport, others) in [
            ("jersey1", ["jersey3", "restclient"]),
            ("jersey3", ["jersey1", "restclient"]),
            ("restclient", ["jersey1", "jersey3"]),
        ] {
            let name = |of: &str| format!("\"transport\":\"{of}\"");
            if text.contains(&name(transport)) {
                for other in others {
                    let other = text.replace(&name(transport), &name(other));
                    let replayed = replayed(&other).expect("a trace");
                    if replayed.divergences == 0 {
                        let name = path.file_name().expect("a file has a name");
                        alike.push(name.to_string_lossy().into_owned());
                    }
                }
            }
        }
    }
    assert_eq!(alike, ["real-reset-get.jsonl.gz", "real-reset-get@scn-4.3.1.jsonl.gz"]);
}

#[test]
fn a_time_is_right_within_the_tolerance_of_its_trace() {
    let text = trace("real-404-empty");
    let at = |ms: u64| text.replace("{\"t\":6020,", &format!("{{\"t\":{ms},"));
    for ms in [5_800, 6_200] {
        assert_eq!(replayed(&at(ms)).expect("a trace").divergences, 0, "{ms}");
    }
    let line = line_with(&text, "\"t\":6020,") as u64;
    for ms in [5_700, 6_300] {
        let replayed = replayed(&at(ms)).expect("a trace");
        let first = replayed.first.expect("it differs");
        assert_eq!((first.line, first.path.as_str(), replayed.divergences), (line, "t", 1));
        assert_eq!(first.expected.as_f64(), Some(ms as f64));
    }
    let exact = text.replace("\"tolerance_ms\":250", "\"tolerance_ms\":0");
    assert!(replayed(&exact).expect("a trace").divergences > 0);
}

#[test]
fn a_request_that_is_missing_or_one_too_many_is_reported() {
    let text = trace("real-reset-get@1.10.18");
    let line = line_with(&text, "\"outcome\":\"closed\"");
    let content = text.lines().nth(line - 1).expect("there is such a line");
    let missing = first(&text.replacen(&format!("{content}\n"), "", 1));
    // The copy that was answered stands where the missing one stood, and differs.
    assert_eq!(missing.line, line as u64);
    let put = "\"lastDirtyTimestamp\":4011";
    let text = trace("real-404-empty");
    let line = line_with(&text, put);
    let content = text.lines().nth(line - 1).expect("there is such a line");
    let missing = first(&text.replace(&format!("{content}\n"), ""));
    assert_eq!((missing.field.as_str(), missing.expected), ("request", Value::Null));
    assert_eq!(missing.got["method"], json!("PUT"));
    let twice = first(&text.replace(content, &format!("{content}\n{content}")));
    assert_eq!((twice.line, twice.got), (line as u64 + 1, Value::Null));
}

#[test]
fn what_is_not_understood_is_reported_at_its_line() {
    let name = "real-503-html";
    let stub = "\"stub\"";
    check_reported(name, stub, ("rule s0", "rule z0"), "stub");
    check_reported(name, stub, ("html", "poem"), "stub");
    check_reported(name, stub, ("status=503", "status=5"), "stub");
    check_reported(name, stub, ("\"t\":3000", "\"t\":1e300"), "t");
    check_reported(name, stub, ("\"t\":3000", "\"t\":0"), "t");
    check_reported(name, "\"construct", ("construct then=UP", "step-clock 10"), "app");
    check_reported(name, "constructed", ("\"event\"", "\"surprise\""), "surprise");
    check_reported(name, "constructed", ("\"event\"", "\"surprise\":1,\"event\""), "event");
    check_reported(name, "\"format\"", ("_ms\":250", "_ms\":1e9"), "tolerance_ms");
    let construct = r#"{"t":3100,"app":"construct"}"#;
    check_reported(name, stub, ("{", &format!("{construct}\n{{")), "app");
}

#[test]
fn a_library_that_nobody_measured_is_a_reason_to_skip_the_trace() {
    let text = trace("real-404-empty").replace("\"jersey3\"", "\"webclient\"");
    let replayed = replayed(&text).expect("a trace");
    let reason = "nobody measured what webclient puts on the wire";
    assert_eq!(replayed.skipped.as_deref(), Some(reason));
    assert_eq!((replayed.operations, replayed.divergences), (0, 0));
}

/// Redirects that lead back to themselves, to nobody, and a client without work for ten years.
#[test]
fn endless_traces_end() {
    let text = trace("real-302-first@scn-4.3.1");
    let circle = text.replace("/A times=1", "/A").replace("{s1}", "{s0}");
    for (from, to) in [("POST *", "* *"), ("{s0}", "{s7}")] {
        let circle = replayed(&circle.replace(from, to)).expect("a trace");
        assert!(circle.divergences > 0);
    }
    let ever = text.replace("\"until\":8000", "\"until\":315576000000");
    assert!(replayed(&ever).expect("a trace").divergences > 0);
}
