//! Words of the format that this version does not execute yet. They are read as strictly as all the
//! others, so that what is wrong with them is said too; then they are refused, never ignored.

use super::diagnostics::Diagnostics;
use super::metric::Metric;
use super::reader::texts;
use super::tree::Node;

/// `metrics` of [observe].
pub(super) fn metrics(node: &Node, diags: &mut Diagnostics) {
    let known: Vec<&str> = Metric::ALL.iter().map(|(name, _)| *name).chain(Metric::LATER).collect();
    for name in texts(node, diags) {
        if !known.contains(&name.value.as_str()) {
            diags.unknown_word(&name.place, "metric", &name.value, &known);
        }
    }
    diags.not_yet(&node.place, "`metrics` of [observe]");
}
