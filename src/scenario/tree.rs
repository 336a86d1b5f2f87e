//! A scenario as a tree of values that know where they come from, before anything is understood.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::Diagnostics;
use super::source::{Place, SourceId};

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Text.
    Text(String),
    /// A whole number, as far as it fits.
    Int(i128),
    /// A decimal number.
    Decimal(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A date or time, which no scenario needs.
    Date,
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A table: for each key its own place and the value.
pub(super) type Table = BTreeMap<String, (Place, Node)>;

impl Value {
    /// What it is, with article.
    #[must_use]
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Int(_) => "a whole number",
            Self::Decimal(_) => "a decimal number",
            Self::Flag(_) => "true or false",
            Self::Date => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Parses a document; problems of syntax are reported, and what could be understood is returned.
pub(super) fn parse(text: &str, source: SourceId, diagnostics: &mut Diagnostics) -> Table {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        diagnostics.syntax(&place(source, &span), error.message());
    }
    table(document.get_ref(), source)
}

/// Whether a text is meant to be a scenario: it has a `schema`, or includes what may have one. What is
/// not TOML may have been meant to be one.
#[must_use]
pub fn is_scenario(text: &str) -> bool {
    match DeTable::parse(text) {
        Ok(table) => ["schema", "include"].iter().any(|key| table.get_ref().contains_key(*key)),
        Err(_) => true,
    }
}

/// Parses the value of a `--set`; what is not TOML is text.
pub(super) fn parse_value(text: &str, source: SourceId, offset: usize) -> Node {
    let shifted = |span: &Range<usize>| span.start + offset..span.end + offset;
    match DeValue::parse(text) {
        Ok(parsed) => {
            let mut node = node(&parsed, source);
            shift(&mut node, &shifted);
            node
        }
        Err(_) => Node {
            value: Value::Text(text.to_owned()),
            place: place(source, &(offset..offset + text.len())),
        },
    }
}

/// The keys of a dotted key, or nothing if it is none.
pub(super) fn parse_key(text: &str) -> Option<Vec<String>> {
    let document = format!("{text} = 0");
    let parsed = DeTable::parse(&document).ok()?;
    let mut keys = Vec::new();
    let mut at = parsed.get_ref();
    loop {
        let (key, value) = at.iter().next()?;
        keys.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) if at.len() == 1 => at = inner,
            _ if at.len() == 1 => return Some(keys),
            _ => return None,
        }
    }
}

/// What `over` says wins; tables are merged, lists of tables are joined, `base` first.
pub(super) fn merge(base: &mut Table, over: Table) {
    for (key, (key_place, node)) in over {
        match (base.get_mut(&key), node.value) {
            (Some((_, Node { value: Value::Table(inner), .. })), Value::Table(more)) => {
                merge(inner, more);
            }
            (Some((_, Node { value: Value::List(list), .. })), Value::List(more))
                if is_tables(list) && is_tables(&more) =>
            {
                list.extend(more);
            }
            (_, value) => {
                base.insert(key, (key_place, Node { value, place: node.place }));
            }
        }
    }
}

fn is_tables(list: &[Node]) -> bool {
    !list.is_empty() && list.iter().all(|node| matches!(node.value, Value::Table(_)))
}

fn table(document: &DeTable<'_>, source: SourceId) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (name.to_string(), (place(source, &key.span()), node(value, source)))
    };
    document.iter().map(entry).collect()
}

fn node(value: &Spanned<DeValue<'_>>, source: SourceId) -> Node {
    let place = place(source, &value.span());
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(int) => {
            let digits: String = int.as_str().chars().filter(|c| *c != '_').collect();
            let farthest = if digits.starts_with('-') { i128::MIN } else { i128::MAX };
            Value::Int(i128::from_str_radix(&digits, int.radix()).unwrap_or(farthest))
        }
        DeValue::Float(float) => {
            Value::Decimal(float.as_str().replace('_', "").parse().unwrap_or(f64::NAN))
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(list) => Value::List(list.iter().map(|value| node(value, source)).collect()),
        DeValue::Table(inner) => Value::Table(table(inner, source)),
    };
    Node { value, place }
}

fn shift(node: &mut Node, shifted: &impl Fn(&Range<usize>) -> Range<usize>) {
    node.place.span = shifted(&node.place.span);
    match &mut node.value {
        Value::List(list) => list.iter_mut().for_each(|inner| shift(inner, shifted)),
        Value::Table(table) => {
            for (key_place, inner) in table.values_mut() {
                key_place.span = shifted(&key_place.span);
                shift(inner, shifted);
            }
        }
        _ => {}
    }
}

fn place(source: SourceId, span: &Range<usize>) -> Place {
    Place { source, span: span.clone() }
}
