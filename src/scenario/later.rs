//! Words of the format that this version does not execute yet. They are read as strictly as all the
//! others, so that what is wrong with them is said too; then they are refused, never ignored.

use super::apps::MOST_INSTANCES;
use super::build::Builder;
use super::cluster::Cluster;
use super::diagnostics::Diagnostics;
use super::metric::Metric;
use super::reader::{Reader, required, share, texts};
use super::select;
use super::tree::{Node, Value};
use crate::eureka::InstanceStatus;

/// What a plain REST client may have on top.
const REST_WORDS: [&str; 3] = ["re-register-on-404", "sends-status", "sends-dirty"];

/// `health`, `kind` and `out-of-service` of a group.
pub(super) fn app_words(reader: &mut Reader<'_>, diags: &mut Diagnostics) {
    let health = reader.node("health").and_then(|node| health(node, diags));
    if health == Some(true) {
        diags.not_yet(&reader.key_place("health"), "`health` of [[apps]]");
    }
    let kind = one_of(reader, "kind", ["java", "rest"], diags);
    if kind == Some("rest") {
        diags.not_yet(&reader.key_place("kind"), "`kind = \"rest\"`");
    }
    for word in REST_WORDS {
        if reader.flag(word, diags).is_some() && kind.is_none_or(|kind| kind == "java") {
            let message = format!("`{word}` is a word of plain REST clients");
            diags.misplaced(&reader.key_place(word), message, "add `kind = \"rest\"`");
        }
    }
    if one_of(reader, "out-of-service", ["as-is", "down"], diags) == Some("down") {
        diags.not_yet(&reader.key_place("out-of-service"), "`out-of-service = \"down\"`");
    }
}

fn one_of(
    reader: &mut Reader<'_>,
    key: &'static str,
    words: [&'static str; 2],
    diags: &mut Diagnostics,
) -> Option<&'static str> {
    let text = reader.text(key, diags)?;
    let found = words.into_iter().find(|word| *word == text.value);
    if found.is_none() {
        diags.unknown_word(&text.place, &format!("`{key}`"), &text.value, &words);
    }
    found
}

fn health(node: &Node, diags: &mut Diagnostics) -> Option<bool> {
    let mut reader = Reader::of(node, "`health`", diags)?;
    let check = reader.flag("check", diags);
    required(&reader, "check", "check = true", diags);
    reader.finish(diags);
    check
}

/// `metrics` of [observe].
pub(super) fn metrics(node: &Node, diags: &mut Diagnostics) {
    let known: Vec<&str> = Metric::ALL.iter().map(|(name, _)| *name).chain(Metric::LATER).collect();
    for name in texts(node, diags) {
        if !known.contains(&name.value.as_str()) {
            diags.unknown_word(&name.place, "metric", &name.value, &known);
        }
    }
    diags.not_yet(&node.place, "`metrics` of [observe]");
}

/// `scale`, `deploy`, `set-health` and `fail` of the timeline.
pub(super) fn action(what: &str, node: &Node, cluster: &Cluster<'_>, builder: &mut Builder) {
    let name = format!("`{what}`");
    if let Some(mut reader) = Reader::of(node, &name, &mut builder.diags) {
        match what {
            "scale" => scale(&mut reader, builder),
            "deploy" => deploy(&mut reader, builder),
            "set-health" => set_health(&mut reader, cluster, builder),
            _ => fail(&mut reader, cluster, builder),
        }
        reader.finish(&mut builder.diags);
    }
    builder.diags.not_yet(&node.place, &format!("the action `{what}`"));
}

fn scale(reader: &mut Reader<'_>, builder: &mut Builder) {
    app(reader, builder);
    let diags = &mut builder.diags;
    reader.whole("to", 0..=MOST_INSTANCES, diags);
    required(reader, "to", "to = 10", diags);
    reader.duration("every", diags);
    reader.flag("graceful", diags);
}

fn deploy(reader: &mut Reader<'_>, builder: &mut Builder) {
    app(reader, builder);
    let diags = &mut builder.diags;
    match reader.node("batch").map(|node| (&node.value, node)) {
        Some((Value::Int(1..), _)) | None => {}
        Some((Value::Int(_), node)) => {
            diags.out_of_range(&node.place, "`batch`", "at least 1, or a share");
        }
        Some((_, node)) => drop(share(node, diags)),
    }
    reader.duration("every", diags);
    reader.duration("down", diags);
    reader.flag("graceful", diags);
    reader.flag("new-ids", diags);
}

fn set_health(reader: &mut Reader<'_>, cluster: &Cluster<'_>, builder: &mut Builder) {
    select::from_reader(reader, cluster, builder);
    let diags = &mut builder.diags;
    let status = reader.text("status", diags);
    required(reader, "status", "status = \"DOWN\"", diags);
    if let Some(status) = status
        && status.value != "throw"
        && InstanceStatus::value_of(&status.value).is_none()
    {
        let mut known = InstanceStatus::ALL.map(InstanceStatus::name).to_vec();
        known.push("throw");
        diags.unknown_word(&status.place, "answer of a health check", &status.value, &known);
    }
}

fn fail(reader: &mut Reader<'_>, cluster: &Cluster<'_>, builder: &mut Builder) {
    const METHODS: [&str; 4] = ["GET", "PUT", "POST", "DELETE"];
    // `share` is that of the requests here, not of the servers.
    if let Some(node) = reader.node("select") {
        select::selection(node, cluster, builder);
    }
    let diags = &mut builder.diags;
    required(reader, "select", "select = \"server:eureka-0\"", diags);
    reader.int("status", 400..=599, diags);
    if let Some(node) = reader.node("share") {
        share(node, diags);
    }
    if let Some(node) = reader.node("methods") {
        for method in texts(node, diags) {
            if !METHODS.contains(&method.value.as_str()) {
                diags.unknown_word(&method.place, "method", &method.value, &METHODS);
            }
        }
    }
}

/// `app`: which application.
fn app(reader: &mut Reader<'_>, builder: &mut Builder) {
    if let Some(name) = reader.text("app", &mut builder.diags) {
        select::app(&name.value, &name.place, builder);
    }
    required(reader, "app", "app = \"ORDERS\"", &mut builder.diags);
}
