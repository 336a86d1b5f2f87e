//! `[hunt]`: within which bounds `hunt` looks for what goes wrong.

use super::build::Builder;
use super::cluster::Cluster;
use super::fleet::Moment;
use super::reader::{Reader, texts};
use super::select::{self, Purpose};
use super::tree::Node;
use crate::sim::{HostSet, Pick, Streams};
use crate::time::Span;

/// How long everything is healed at the end: what is stuck after two minutes of a healthy network is found by
/// then, and so is a lease without a process.
const QUIET: Span = Span::from_secs(10 * 60);
const RUNS: u32 = 1000;
const MOST_FAULTS: u32 = 6;

/// The bounds of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct HuntPlan {
    /// The words of the timeline that may be drawn; none: all that can be.
    pub faults: Option<Vec<&'static str>>,
    /// Nothing is done to these, and no fault of the network has them on a side.
    pub protect: HostSet,
    /// Nothing is drawn before this.
    pub after: Span,
    /// Nothing is drawn so long before the end, and what was drawn is over by then.
    pub quiet: Span,
    /// How many runs.
    pub runs: u32,
    /// The most faults that are drawn for a run; each may be several entries.
    pub max_faults: u32,
}

impl Default for HuntPlan {
    fn default() -> Self {
        Self {
            faults: None,
            protect: HostSet::default(),
            after: Span::ZERO,
            quiet: QUIET,
            runs: RUNS,
            max_faults: MOST_FAULTS,
        }
    }
}

pub(super) fn read(node: Option<&Node>, cluster: &Cluster<'_>, builder: &mut Builder) -> HuntPlan {
    let mut hunt = HuntPlan::default();
    let reader = node.and_then(|node| Reader::of(node, "[hunt]", &mut builder.diags));
    let Some(mut reader) = reader else {
        return hunt;
    };
    if let Some(node) = reader.node("faults") {
        let mut faults = Vec::new();
        for fault in texts(node, &mut builder.diags) {
            let known = super::actions::ACTIONS;
            match known.iter().find(|word| **word == fault.value) {
                Some(word) => faults.push(*word),
                None => builder.diags.unknown_word(&fault.place, "fault", &fault.value, &known),
            }
        }
        hunt.faults = Some(faults);
    }
    if let Some(node) = reader.node("protect") {
        let purpose = Purpose::Link(Moment::START);
        if let Some(mut selection) = select::selection(node, purpose, cluster, builder) {
            selection.pick = Pick::First;
            let hosts = selection.resolve(&Streams::new(0), 0, |_| true);
            hosts.into_iter().for_each(|host| hunt.protect.insert(host));
        }
    }
    if let Some(after) = reader.duration("after", &mut builder.diags) {
        hunt.after = after.value;
    }
    if let Some(quiet) = reader.duration("quiet", &mut builder.diags) {
        hunt.quiet = quiet.value;
    }
    if let Some(runs) = reader.int("runs", 1..=i64::from(u32::MAX), &mut builder.diags) {
        hunt.runs = runs.value as u32;
    }
    if let Some(most) = reader.int("max-faults", 0..=100, &mut builder.diags) {
        hunt.max_faults = most.value as u32;
    }
    reader.finish(&mut builder.diags);
    hunt
}
