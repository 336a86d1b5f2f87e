//! Reading the fields of one JSON object, with nothing left unread.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// A field that is not as the format has it: missing, unknown, or of another type.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The field, as a path from the line's object: `instance.lease`.
    pub field: String,
    /// What the line says.
    pub expected: Box<Value>,
    /// What is understood instead; null if there is nothing.
    pub got: Box<Value>,
}

/// The fields of one object; each must be asked for before [`Fields::finish`].
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    path: String,
    known: BTreeSet<&'static str>,
}

impl<'a> Fields<'a> {
    /// The fields of the object at `path` (empty for the line itself).
    ///
    /// # Errors
    /// If `value` is no object.
    pub fn of(value: &'a Value, path: &str) -> Result<Self, Mismatch> {
        let object = value.as_object().ok_or_else(|| mismatch(path, value, "an object"))?;
        Ok(Self { object, path: path.to_owned(), known: BTreeSet::new() })
    }

    /// The raw value of a field.
    pub fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.insert(name);
        self.object.get(name)
    }

    /// The path of a field of this object.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A text that may be absent.
    ///
    /// # Errors
    /// If it is no text.
    pub fn text(&mut self, name: &'static str) -> Result<Option<&'a str>, Mismatch> {
        self.typed(name, "text", Value::as_str)
    }

    /// A whole number that may be absent.
    ///
    /// # Errors
    /// If it is no whole number of 64 bits.
    pub fn int(&mut self, name: &'static str) -> Result<Option<i64>, Mismatch> {
        self.typed(name, "a whole number", Value::as_i64)
    }

    /// A flag; false if it is absent.
    ///
    /// # Errors
    /// If it is neither true nor false.
    pub fn flag(&mut self, name: &'static str) -> Result<bool, Mismatch> {
        Ok(self.typed(name, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    /// A list that may be absent.
    ///
    /// # Errors
    /// If it is no list.
    pub fn list(&mut self, name: &'static str) -> Result<Option<&'a Vec<Value>>, Mismatch> {
        self.typed(name, "a list", Value::as_array)
    }

    /// `value`, or a mismatch saying that the field is missing.
    ///
    /// # Errors
    /// If it is absent.
    pub fn required<T>(&self, name: &'static str, value: Option<T>) -> Result<T, Mismatch> {
        value.ok_or_else(|| mismatch(&self.path(name), &Value::Null, "a value"))
    }

    /// The mismatch of a field whose value is not understood.
    #[must_use]
    pub fn wrong(&self, name: &str, wanted: &str) -> Mismatch {
        mismatch(&self.path(name), self.object.get(name).unwrap_or(&Value::Null), wanted)
    }

    /// Fails on the first field that nobody asked for and `also_known` does not list.
    ///
    /// # Errors
    /// If there is one.
    pub fn finish(self, also_known: &[&str]) -> Result<(), Mismatch> {
        let known = |name: &str| self.known.contains(name) || also_known.contains(&name);
        match self.object.iter().find(|(name, _)| !known(name)) {
            None => Ok(()),
            Some((name, value)) => {
                let got = Value::Null;
                Err(Mismatch {
                    field: self.path(name),
                    expected: Box::new(value.clone()),
                    got: Box::new(got),
                })
            }
        }
    }

    fn typed<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Mismatch> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(self.wrong(name, wanted)),
            },
        }
    }
}

fn mismatch(field: &str, value: &Value, wanted: &str) -> Mismatch {
    let got = Value::String(format!("(not understood: {wanted} wanted)"));
    Mismatch { field: field.to_owned(), expected: Box::new(value.clone()), got: Box::new(got) }
}
