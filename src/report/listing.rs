//! Scenarios listed, not run.

use serde::Serialize;

use super::style::{DIM, END, NAME, escape};
use crate::scenario::Plan;

/// A scenario in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The file, as it was named or found.
    pub path: String,
    /// The scenario's name.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Where the situation comes from.
    pub source: Vec<String>,
    /// How many expectations it has.
    pub expectations: usize,
}

impl Listed {
    /// What a list says of a plan.
    #[must_use]
    pub fn new(path: String, plan: &Plan) -> Self {
        Self {
            path,
            name: plan.name.clone(),
            about: plan.about.clone(),
            source: plan.source.clone(),
            expectations: plan.expectations.len(),
        }
    }
}

/// Each with its sentence below it, with colours.
#[must_use]
pub fn list_text(listed: &[Listed]) -> String {
    let text = |of: &Listed| {
        let path = format!("{NAME}{}{END}\n", escape(&of.path));
        match of.about.as_str() {
            "" => path,
            about => format!("{path}  {DIM}{}{END}\n", escape(about)),
        }
    };
    listed.iter().map(text).collect()
}
