//! The recommended values as configuration: words of a scenario, and of Spring's `application.yml`.

use saphyr::{Mapping, Scalar, ScalarStyle, Yaml, YamlEmitter};
use toml::{Table, Value};

use super::TuneReport;
use crate::report::style::escape;

/// Lists whose entries `--set` addresses by name: no words of a file say that.
const LISTS: [&str; 3] = ["apps", "servers", "timeline"];

impl TuneReport<'_> {
    /// `recommended.toml`: to be put into the scenario, or included by it.
    #[must_use]
    pub fn toml(&self) -> String {
        let mut text = self.reason();
        let mut table = Table::new();
        for (keys, value) in self.recommended() {
            match keys.as_slice() {
                [first, ..] if LISTS.contains(&first.as_str()) => {
                    let key = keys.join(".");
                    text += &format!("# --set {}={}\n", escape(&key), escape(&value.to_string()));
                }
                keys => put(&mut table, keys, value),
            }
        }
        text + &toml::to_string(&table).unwrap_or_default()
    }

    /// `application.yml`: nothing if no parameter is a key of Eureka.
    #[must_use]
    pub fn yaml(&self) -> Option<String> {
        let mut table = Table::new();
        for (keys, value) in self.recommended() {
            if keys.len() > 1 && keys[0] == "eureka" {
                put(&mut table, &keys, value);
            }
        }
        if table.is_empty() {
            return None;
        }
        let mut text = String::new();
        YamlEmitter::new(&mut text).dump(&yaml(&Value::Table(table))).ok()?;
        // One document needs no mark of its beginning.
        let text = text.strip_prefix("---\n").unwrap_or(&text);
        Some(self.reason() + text + "\n")
    }

    /// What the values come from, as a comment.
    fn reason(&self) -> String {
        let lines = self.why.first().map_or("", String::as_str);
        let plan = &self.sweep.settings[self.analysis.recommended].plan;
        format!("# eureka-sim tune {}: {}\n", plan.name, escape(lines))
    }

    /// The recommended values with the parts of their keys.
    fn recommended(&self) -> Vec<(Vec<String>, Value)> {
        let setting = &self.sweep.settings[self.analysis.recommended];
        let values = self.sweep.request.params.iter().zip(&setting.values);
        values
            .map(|(param, value)| {
                let keys = param.key.split('.').map(|part| part.trim().to_owned()).collect();
                let value = value.parse().unwrap_or_else(|_| Value::String(value.clone()));
                (keys, value)
            })
            .collect()
    }
}

/// Puts a value where its key says; the first of two that are in each other's way stays.
fn put(table: &mut Table, keys: &[String], value: Value) {
    match keys {
        [] => {}
        [last] => {
            table.entry(last).or_insert(value);
        }
        [first, rest @ ..] => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// The same in YAML; a number is written as TOML writes it.
fn yaml(value: &Value) -> Yaml<'static> {
    let text = |text: &str| Yaml::Value(Scalar::String(text.to_owned().into()));
    match value {
        Value::Table(table) => {
            let pairs = table.iter().map(|(key, value)| (text(key), yaml(value)));
            Yaml::Mapping(pairs.collect::<Mapping<'_>>())
        }
        Value::Array(list) => Yaml::Sequence(list.iter().map(yaml).collect()),
        Value::String(value) => text(value),
        other => Yaml::Representation(other.to_string().into(), ScalarStyle::Plain, None),
    }
}
