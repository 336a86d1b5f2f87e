//! One instance explained, for people and for programs.

mod json;
mod names;
mod text;
mod verdict;
mod words;

pub use json::explain_json;
pub use text::{explain_text, verdict_lines};
