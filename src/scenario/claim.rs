//! `claim` of `[[expect]]`: a sentence that somebody has written about Eureka, and what is true of it.

use serde::Serialize;

use super::diagnostics::Diagnostics;
use super::reader::{Reader, one_of, required};
use super::tree::Node;

/// A sentence that an expectation puts to the test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The sentence.
    pub says: String,
    /// Where it is written.
    #[serde(rename = "in")]
    pub place: String,
    /// `true`, `false` or `half-true`: what the author of the scenario makes of it.
    pub verdict: &'static str,
}

pub(super) fn read(node: &Node, diags: &mut Diagnostics) -> Option<Claim> {
    let mut reader = Reader::of(node, "`claim`", diags)?;
    let says = reader.text("says", diags);
    let place = reader.text("in", diags);
    let verdict = one_of(&mut reader, "verdict", ["true", "false", "half-true"], diags);
    required(&reader, "says", "says = \"the threshold is 34\"", diags);
    required(&reader, "in", "in = \"a guide to Eureka, chapter 3\"", diags);
    required(&reader, "verdict", "verdict = \"false\"", diags);
    reader.finish(diags);
    Some(Claim { says: says?.value, place: place?.value, verdict: verdict? })
}
