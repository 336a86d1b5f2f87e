//! A scenario as TOML that can be changed and written again.

use std::path::Path;

use toml::{Table as TomlTable, Value as TomlValue};

use super::build;
use super::diagnostics::Rejected;
use super::include::Files;
use super::overrides::Changes;
use super::tree::{Node, Table, Value};

/// A scenario without its places and comments: what it includes and what was set is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Document(pub TomlTable);

/// The keys of a scenario in the order they are written.
const ORDER: [&str; 15] = [
    "schema", "name", "about", "source", "seed", "duration", "cluster", "servers", "eureka",
    "network", "sim", "observe", "apps", "timeline", "expect",
];

impl Document {
    /// Reads a scenario; whether it is a sound one is found out when its text is loaded.
    ///
    /// # Errors
    /// If it cannot be parsed, or what it includes cannot be read.
    pub fn read(
        path: &Path,
        text: &str,
        changes: Changes<'_>,
        files: &dyn Files,
    ) -> Result<Self, Rejected> {
        let mut document = Self(table(&build::tree(path, text, changes, files)?));
        if let Some(seed) = changes.seed {
            document.set_seed(seed);
        }
        Ok(document)
    }

    /// All randomness of the run.
    pub fn set_seed(&mut self, seed: u64) {
        let seed = i64::try_from(seed).unwrap_or(i64::MAX);
        self.0.insert("seed".to_owned(), TomlValue::Integer(seed));
    }

    /// The tables of a list: `apps`, `timeline`.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &TomlTable> {
        let list = self.0.get(name).and_then(TomlValue::as_array);
        list.into_iter().flatten().filter_map(TomlValue::as_table)
    }

    /// The list itself, to be changed; there is one from now on.
    pub fn list_mut(&mut self, name: &str) -> &mut Vec<TomlValue> {
        let value = self.0.entry(name).or_insert_with(|| TomlValue::Array(Vec::new()));
        if !value.is_array() {
            *value = TomlValue::Array(Vec::new());
        }
        value.as_array_mut().expect("it is a list now")
    }

    /// As a file that can be read again, in the order and manner of the shipped ones.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let scalars: Vec<(String, &TomlValue)> = ORDER
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), self.0.get(*key)?)))
            .filter(|(_, value)| !is_section(value))
            .collect();
        lines(&scalars, &mut text);
        let others = self.0.iter().map(|(key, _)| key.as_str());
        let others = others.filter(|key| !ORDER.contains(key));
        for key in ORDER.into_iter().chain(others) {
            match self.0.get(key) {
                Some(TomlValue::Table(inner)) => section(key, inner, &mut text),
                Some(TomlValue::Array(list)) if is_section(&self.0[key]) => {
                    for inner in list.iter().filter_map(TomlValue::as_table) {
                        text += &format!("\n[[{}]]\n", bare(key));
                        lines(&flat(inner), &mut text);
                    }
                }
                _ => {}
            }
        }
        text
    }
}

/// Whether a value stands under a heading of its own.
fn is_section(value: &TomlValue) -> bool {
    match value {
        TomlValue::Table(_) => true,
        TomlValue::Array(list) => !list.is_empty() && list.iter().all(TomlValue::is_table),
        _ => false,
    }
}

/// `[network]`; of `eureka`, each of its parts.
fn section(name: &str, table: &TomlTable, text: &mut String) {
    if name == "eureka" {
        for (part, inner) in table {
            if let TomlValue::Table(inner) = inner {
                section(&format!("eureka.{}", bare(part)), inner, text);
            }
        }
    } else if !table.is_empty() {
        *text += &format!("\n[{name}]\n");
        lines(&flat(table), text);
    }
}

/// The keys of a table in their order, `eureka.…` with dots.
fn flat(table: &TomlTable) -> Vec<(String, &TomlValue)> {
    // What somebody looks for first stands first.
    let first = ["name", "metric", "event", "at", "for"];
    let keys = first.into_iter().filter(|key| table.contains_key(*key));
    let is_other = |key: &&str| !first.contains(key) && *key != "eureka";
    let rest = table.keys().map(String::as_str).filter(is_other);
    let last = table.contains_key("eureka").then_some("eureka");
    let mut flat = Vec::new();
    for key in keys.chain(rest).chain(last) {
        match &table[key] {
            TomlValue::Table(inner) if key == "eureka" => dotted("eureka", inner, &mut flat),
            value => flat.push((bare(key), value)),
        }
    }
    flat
}

fn dotted<'a>(prefix: &str, table: &'a TomlTable, flat: &mut Vec<(String, &'a TomlValue)>) {
    for (key, value) in table {
        let key = format!("{prefix}.{}", bare(key));
        match value {
            TomlValue::Table(inner) => dotted(&key, inner, flat),
            value => flat.push((key, value)),
        }
    }
}

/// A key as TOML has it.
fn bare(key: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !key.is_empty() && key.bytes().all(is_plain) {
        key.to_owned()
    } else {
        TomlValue::from(key).to_string()
    }
}

/// `key = value`, with the signs below one another.
fn lines(entries: &[(String, &TomlValue)], text: &mut String) {
    let dotless = entries.iter().filter(|(key, _)| !key.contains('.'));
    let width = dotless.map(|(key, _)| key.len()).max().unwrap_or(0);
    for (key, value) in entries {
        *text += &format!("{key:width$} = {value}\n");
    }
}

fn table(tree: &Table) -> TomlTable {
    tree.iter().map(|(key, (_, node))| (key.clone(), value(node))).collect()
}

fn value(node: &Node) -> TomlValue {
    match &node.value {
        Value::Text(text) => TomlValue::String(text.clone()),
        Value::Int(int) => {
            // What is beyond was refused when the scenario was loaded.
            let nearest = if *int < 0 { i64::MIN } else { i64::MAX };
            TomlValue::Integer(i64::try_from(*int).unwrap_or(nearest))
        }
        Value::Decimal(decimal) => TomlValue::Float(*decimal),
        Value::Flag(flag) => TomlValue::Boolean(*flag),
        // No scenario has one.
        Value::Date => TomlValue::Boolean(false),
        Value::List(list) => TomlValue::Array(list.iter().map(value).collect()),
        Value::Table(inner) => TomlValue::Table(table(inner)),
    }
}
