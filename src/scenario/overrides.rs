//! What is changed of a scenario before it is understood: `--set KEY=VALUE`, and other faults than its own.

use super::diagnostics::Diagnostics;
use super::source::{Place, Sources};
use super::spelling;
use super::tree::{self, Node, Table, Value};

/// Lists whose entries are addressed by name: `apps.ORDERS.instances`.
const LISTS: [&str; 3] = ["apps", "servers", "timeline"];

/// The parts of a key as `--set` takes it; nothing if it is none, or addresses an entry of a list by its name,
/// which no words of a file do.
#[must_use]
pub fn key_in_file(key: &str) -> Option<Vec<String>> {
    let mut keys = tree::parse_key(key.trim())?;
    spelling::unify_path(&mut keys);
    (!is_list(&keys)).then_some(keys)
}

/// What is changed of a scenario before it is understood.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    /// Values (`KEY=VALUE`); the later ones win.
    pub sets: &'a [String],
    /// Other faults, or more of them; nothing: the scenario's own.
    pub overlay: Option<&'a Overlay>,
    /// Instead of the file's seed.
    pub seed: Option<u64>,
}

/// Words that are put over a scenario: entries of lists come after the file's, anything else wins over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlay {
    /// What diagnostics call it.
    pub name: String,
    /// TOML.
    pub text: String,
    /// Whether they take the place of the timeline, and of the expectations, which are about that.
    pub replaces_timeline: bool,
}

impl Overlay {
    /// Puts it over the tree.
    pub(super) fn apply(
        &self,
        document: &mut Table,
        sources: &mut Sources,
        diags: &mut Diagnostics,
    ) {
        if self.replaces_timeline {
            document.remove("timeline");
            document.remove("expect");
        }
        let source = sources.add(&*self.name, &*self.text);
        tree::merge(document, tree::parse(&self.text, source, diags));
    }
}

/// A value and where it goes.
struct Set {
    keys: Vec<String>,
    place: Place,
    value: Node,
}

/// Puts each `KEY=VALUE` into the tree. `apps.NAME`, `servers.NAME` and `timeline.NAME` address by name.
pub(super) fn apply(
    document: &mut Table,
    sets: &[String],
    sources: &mut Sources,
    diags: &mut Diagnostics,
) {
    let sets: Vec<Set> = sets.iter().filter_map(|set| parse(set, sources, diags)).collect();
    // Entries are changed after the keys that say which there are: `cluster.servers`.
    let (entries, others): (Vec<Set>, Vec<Set>) =
        sets.into_iter().partition(|set| is_list(&set.keys) && set.keys.len() > 2);
    for Set { keys, place, value } in others {
        put(document, &keys, &place, value, diags);
    }
    for Set { keys, place, value } in entries {
        put_in_entry(document, &keys, &place, &value, diags);
    }
    spelling::unify(document, diags);
}

fn parse(set: &str, sources: &mut Sources, diags: &mut Diagnostics) -> Option<Set> {
    let source = sources.add("--set", set);
    let place = Place { source, span: 0..set.len() };
    let Some((key, value)) = set.split_once('=') else {
        let help =
            "write `--set KEY=VALUE`, as in `--set eureka.server.renewal-percent-threshold=0.49`";
        diags.argument(&place, format!("`{set}` has no `=`"), help);
        return None;
    };
    let Some(mut keys) = tree::parse_key(key.trim()) else {
        let help = "keys are written as in the file, with dots: `apps.ORDERS.instances`";
        diags.argument(&place, format!("`{key}` is not a key"), help);
        return None;
    };
    let key_place = Place { source, span: 0..key.len() };
    if keys[0] == "include" {
        let help = "write it into the file";
        diags.argument(&key_place, "files are included before `--set` is read".to_owned(), help);
        return None;
    }
    spelling::unify_path(&mut keys);
    // Spaces around `=` are no part of the value, as in the file; those within quotes are.
    let offset = set.len() - value.trim_start().len();
    let value = tree::parse_value(value.trim(), source, offset);
    Some(Set { keys, place: key_place, value })
}

fn is_list(keys: &[String]) -> bool {
    keys.first().is_some_and(|first| LISTS.contains(&first.as_str()))
}

/// Changes the entries of a list that have this name: there may be several groups of an application.
fn put_in_entry(
    document: &mut Table,
    keys: &[String],
    place: &Place,
    value: &Node,
    diags: &mut Diagnostics,
) {
    let [list, name, rest @ ..] = keys else {
        return;
    };
    if list == "servers" && !name_counted_servers(document, place) {
        return;
    }
    let entries = match document.get_mut(list).map(|(_, node)| &mut node.value) {
        Some(Value::List(entries)) => entries,
        // Something else stands there, and is reported where it stands.
        Some(_) => return,
        None => {
            diags.argument(place, format!("the scenario has no [[{list}]]"), "");
            return;
        }
    };
    let mut found = false;
    for entry in entries.iter_mut() {
        if let Value::Table(table) = &mut entry.value
            && is_called(table, name, list == "apps")
        {
            found = true;
            put(table, rest, place, value.clone(), diags);
        }
    }
    if !found {
        let names: Vec<&str> = entries.iter().filter_map(name_of).collect();
        diags.unknown_in_argument(place, list, name, &names);
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

fn name_of(entry: &Node) -> Option<&str> {
    let Value::Table(table) = &entry.value else {
        return None;
    };
    match &table.get("name")?.1.value {
        Value::Text(name) => Some(name),
        _ => None,
    }
}

/// Servers given by their count become entries with names, so that one of them can be changed. False
/// if the count is no good: it stays, and is reported where it stands.
fn name_counted_servers(document: &mut Table, place: &Place) -> bool {
    if document.contains_key("servers") {
        return true;
    }
    let cluster = match document.get_mut("cluster").map(|(_, node)| &mut node.value) {
        Some(Value::Table(cluster)) => Some(cluster),
        _ => None,
    };
    let count = match cluster.as_ref().and_then(|cluster| cluster.get("servers")) {
        None => 1,
        Some((_, Node { value: Value::Int(count @ 1..=1000), .. })) => *count,
        Some(_) => return false,
    };
    if let Some(cluster) = cluster {
        cluster.remove("servers");
    }
    let entry = |index| {
        let name = Node { value: Value::Text(format!("eureka-{index}")), place: place.clone() };
        let table = Table::from([("name".to_owned(), (place.clone(), name))]);
        Node { value: Value::Table(table), place: place.clone() }
    };
    let list = Node { value: Value::List((0..count).map(entry).collect()), place: place.clone() };
    document.insert("servers".to_owned(), (place.clone(), list));
    true
}
