//! `--set KEY=VALUE`: values from the command line, put into the tree before it is understood.

use super::diagnostics::Diagnostics;
use super::source::{Place, Sources};
use super::tree::{self, Node, Table, Value};

/// Puts each `KEY=VALUE` into the tree. `apps.NAME` and `servers.NAME` address by name.
pub(super) fn apply(
    document: &mut Table,
    sets: &[String],
    sources: &mut Sources,
    diags: &mut Diagnostics,
) {
    for set in sets {
        let source = sources.add("--set", set.clone());
        let place = Place { source, span: 0..set.len() };
        let Some((key, value)) = set.split_once('=') else {
            let help = "write `--set KEY=VALUE`, as in `--set eureka.server.renewal-percent-threshold=0.49`";
            diags.argument(&place, format!("`{set}` has no `=`"), help);
            continue;
        };
        let Some(keys) = tree::parse_key(key.trim()) else {
            let help = "keys are written as in the file, with dots: `apps.ORDERS.instances`";
            diags.argument(&place, format!("`{key}` is not a key"), help);
            continue;
        };
        let key_place = Place { source, span: 0..key.len() };
        let value = tree::parse_value(value, source, key.len() + 1);
        insert(document, &keys, &key_place, value, diags);
    }
}

fn insert(
    document: &mut Table,
    keys: &[String],
    place: &Place,
    value: Node,
    diags: &mut Diagnostics,
) {
    let list = matches!(keys.first().map(String::as_str), Some("apps" | "servers" | "timeline"));
    match keys {
        [kind, name, rest @ ..] if list && !rest.is_empty() => {
            if kind == "servers" {
                name_counted_servers(document, place);
            }
            let entries = document.get_mut(kind).map(|(_, node)| &mut node.value);
            let Some(Value::List(entries)) = entries else {
                diags.argument(place, format!("the scenario has no [[{kind}]]"), "");
                return;
            };
            let mut found = false;
            for entry in entries {
                if let Value::Table(table) = &mut entry.value
                    && is_called(table, name, kind == "apps")
                {
                    found = true;
                    put(table, rest, place, value.clone(), diags);
                }
            }
            if !found {
                let message = format!("no [[{kind}]] is called `{name}`");
                diags.argument(place, message, "the name is the entry's `name`");
            }
        }
        _ => put(document, keys, place, value, diags),
    }
}

fn put(table: &mut Table, keys: &[String], place: &Place, value: Node, diags: &mut Diagnostics) {
    let [first, rest @ ..] = keys else {
        return;
    };
    if rest.is_empty() {
        table.insert(first.clone(), (place.clone(), value));
        return;
    }
    let empty = || Node { value: Value::Table(Table::new()), place: place.clone() };
    let (_, inner) = table.entry(first.clone()).or_insert_with(|| (place.clone(), empty()));
    match &mut inner.value {
        Value::Table(inner) => put(inner, rest, place, value, diags),
        other => {
            let message = format!("`{first}` is {}, it has no `{}`", other.kind(), rest.join("."));
            diags.argument(place, message, "keys are written as in the file, with dots");
        }
    }
}

fn is_called(table: &Table, name: &str, any_case: bool) -> bool {
    match table.get("name").map(|(_, node)| &node.value) {
        Some(Value::Text(own)) if any_case => own.to_uppercase() == name.to_uppercase(),
        Some(Value::Text(own)) => own == name,
        _ => false,
    }
}

/// Servers given by their count become entries with names, so that one of them can be changed.
fn name_counted_servers(document: &mut Table, place: &Place) {
    if document.contains_key("servers") {
        return;
    }
    let cluster = match document.get_mut("cluster").map(|(_, node)| &mut node.value) {
        Some(Value::Table(cluster)) => Some(cluster),
        _ => None,
    };
    let count = cluster.and_then(|cluster| cluster.remove("servers"));
    let count = match count.map(|(_, node)| node.value) {
        Some(Value::Int(Ok(count @ 1..=1000))) => count,
        _ => 1,
    };
    let entry = |index| {
        let name = Node { value: Value::Text(format!("eureka-{index}")), place: place.clone() };
        let table = Table::from([("name".to_owned(), (place.clone(), name))]);
        Node { value: Value::Table(table), place: place.clone() }
    };
    let list = Node { value: Value::List((0..count).map(entry).collect()), place: place.clone() };
    document.insert("servers".to_owned(), (place.clone(), list));
}
