//! The recommended values as configuration: words of a scenario, and of Spring's `application.yml`.

use saphyr::{Mapping, Scalar, ScalarStyle, Yaml, YamlEmitter};
use toml::{Table, Value};

use super::TuneReport;
use crate::report::style::escape;
use crate::scenario::key_in_file;

impl TuneReport<'_> {
    /// `recommended.toml`: to be put into the scenario. What its words cannot say is a comment.
    #[must_use]
    pub fn toml(&self) -> String {
        let mut text = self.reason();
        let mut table = Table::new();
        for (key, value) in self.recommended() {
            match key_in_file(key) {
                Some(keys) => put(&mut table, &keys, value),
                None => {
                    text += &format!("# --set {}={}\n", escape(key), escape(&value.to_string()))
                }
            }
        }
        text + &toml::to_string(&table).unwrap_or_default()
    }

    /// `application.yml`: nothing if no parameter is a key of Eureka.
    #[must_use]
    pub fn yaml(&self) -> Option<String> {
        let mut table = Table::new();
        for (key, value) in self.recommended() {
            let keys = key_in_file(key).filter(|keys| keys.len() > 1 && keys[0] == "eureka");
            if let Some(keys) = keys {
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
        format!("# eureka-sim tune {}: {}\n", self.sweep.name, escape(lines))
    }

    /// The keys and the recommended values.
    fn recommended(&self) -> impl Iterator<Item = (&str, Value)> {
        let setting = &self.sweep.settings[self.analysis.recommended];
        let values = self.sweep.request.params.iter().zip(&setting.values);
        let parsed =
            |value: &String| value.parse().unwrap_or_else(|_| Value::String(value.clone()));
        values.map(move |(param, value)| (param.key.as_str(), parsed(value)))
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
