//! Configuration keys as operators write them, and the typed values behind them.
//!
//! A configuration is a plain struct; beside it stands one table of `(key, slot)` that says which
//! field a key sets and what it accepts. Scenarios, traces and run-time changes all go through it.

use std::ops::RangeInclusive;

use super::InstanceStatus;

/// A value as it comes from a scenario or a trace.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Int(i64),
    /// A decimal number.
    Decimal(f64),
    /// Text.
    Text(String),
}

/// Why a key was not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// There is no such key.
    UnknownKey,
    /// The value is of another type: what was expected, to follow "expected".
    WrongType(&'static str),
    /// The number is not within these bounds, both included.
    OutOfRange(RangeInclusive<i64>),
    /// What the key does is not modelled yet; it is not ignored either.
    NotYet,
}

/// The field behind a key.
#[derive(Debug)]
pub enum Slot<'a> {
    /// A Java `boolean`.
    Flag(&'a mut bool),
    /// A Java `int`, within bounds.
    Int(&'a mut i32, RangeInclusive<i32>),
    /// A Java `long`, within bounds.
    Long(&'a mut i64, RangeInclusive<i64>),
    /// A Java `double`.
    Double(&'a mut f64),
    /// A Java `String`.
    Text(&'a mut String),
    /// An `InstanceStatus`.
    Status(&'a mut InstanceStatus),
    /// The key exists, but nothing in a simulated cluster depends on it.
    NoEffect,
    /// The key matters, but what it does is not modelled yet.
    NotYet,
    /// Likewise, but for this value, which is the default.
    NotYetBut(bool),
}

/// One key: its kebab-case name and where its value goes.
pub type Key<C> = (&'static str, for<'a> fn(&'a mut C) -> Slot<'a>);

/// Sets `key` (kebab-case or camelCase) of `config` to `value`; false if the key has no effect.
///
/// # Errors
/// [`ConfigError`] if there is no such key or it does not accept the value; nothing changed then.
pub fn set<C>(
    table: &[Key<C>],
    config: &mut C,
    key: &str,
    value: &ConfigValue,
) -> Result<bool, ConfigError> {
    let key = kebab_case(key);
    let (_, slot) = table.iter().find(|(name, _)| *name == key).ok_or(ConfigError::UnknownKey)?;
    match (slot(config), value) {
        (Slot::Flag(field), ConfigValue::Flag(flag)) => *field = *flag,
        (Slot::Int(field, range), ConfigValue::Int(number)) => {
            *field =
                i32::try_from(*number).ok().filter(|int| range.contains(int)).ok_or_else(|| {
                    ConfigError::OutOfRange((*range.start()).into()..=(*range.end()).into())
                })?;
        }
        (Slot::Long(field, range), ConfigValue::Int(number)) => {
            if !range.contains(number) {
                return Err(ConfigError::OutOfRange(range));
            }
            *field = *number;
        }
        (Slot::Double(field), ConfigValue::Decimal(number)) => *field = *number,
        (Slot::Double(field), ConfigValue::Int(number)) => *field = *number as f64,
        (Slot::Text(field), ConfigValue::Text(text)) => text.clone_into(field),
        (Slot::Status(field), ConfigValue::Text(text)) => {
            *field = InstanceStatus::value_of(text)
                .ok_or(ConfigError::WrongType("UP, DOWN, STARTING, OUT_OF_SERVICE or UNKNOWN"))?;
        }
        (Slot::NoEffect, _) => return Ok(false),
        (Slot::NotYetBut(default), ConfigValue::Flag(flag)) if *flag == default => {}
        (Slot::NotYet, _) | (Slot::NotYetBut(_), ConfigValue::Flag(_)) => {
            return Err(ConfigError::NotYet);
        }
        (Slot::Flag(_) | Slot::NotYetBut(_), _) => {
            return Err(ConfigError::WrongType("true or false"));
        }
        (Slot::Int(..) | Slot::Long(..), _) => {
            return Err(ConfigError::WrongType("a whole number"));
        }
        (Slot::Double(_), _) => return Err(ConfigError::WrongType("a number")),
        (Slot::Text(_), _) => return Err(ConfigError::WrongType("text")),
        (Slot::Status(_), _) => {
            return Err(ConfigError::WrongType("UP, DOWN, STARTING, OUT_OF_SERVICE or UNKNOWN"));
        }
    }
    Ok(true)
}

impl Slot<'_> {
    /// The value of the field; none if there is no field.
    #[must_use]
    pub fn value(self) -> Option<ConfigValue> {
        Some(match self {
            Self::Flag(field) => ConfigValue::Flag(*field),
            Self::Int(field, _) => ConfigValue::Int((*field).into()),
            Self::Long(field, _) => ConfigValue::Int(*field),
            Self::Double(field) => ConfigValue::Decimal(*field),
            Self::Text(field) => ConfigValue::Text(field.clone()),
            Self::Status(field) => ConfigValue::Text(field.name().to_owned()),
            Self::NoEffect | Self::NotYet | Self::NotYetBut(_) => return None,
        })
    }
}

/// `renewalPercentThreshold` → `renewal-percent-threshold`; kebab-case stays as it is.
#[must_use]
pub fn kebab_case(key: &str) -> String {
    let mut kebab = String::with_capacity(key.len() + 8);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}
