//! The health checks of applications: `health` and `out-of-service` of a group, `set-health`.

use super::diagnostics::Diagnostics;
use super::reader::{Reader, one_of, required};
use crate::eureka::InstanceStatus;
use crate::eureka::client::{HealthAnswer, HealthDuration};
use crate::time::Span;

/// What the answers of a health check may be, as scenarios write them.
const THROW: &str = "throw";

/// What a group says of its health check.
pub(super) struct HealthWords {
    /// One is attached.
    pub(super) check: bool,
    /// It says DOWN where it would say `OUT_OF_SERVICE`.
    pub(super) never_out_of_service: bool,
}

/// `health` and `out-of-service` of a group.
pub(super) fn words(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> HealthWords {
    let check = reader.node("health").and_then(|node| {
        let mut reader = Reader::of(node, "`health`", diags)?;
        let check = reader.flag("check", diags);
        required(&reader, "check", "check = true", diags);
        reader.finish(diags);
        check
    });
    let out_of_service = one_of(reader, "out-of-service", ["as-is", "down"], diags);
    HealthWords { check: check == Some(true), never_out_of_service: out_of_service == Some("down") }
}

/// `takes` and `interruptible` of `set-health`: how long each check takes from now on.
pub(super) fn duration(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> HealthDuration {
    let takes = reader.duration("takes", diags).map(|takes| takes.value);
    let interruptible = reader.flag("interruptible", diags);
    if interruptible.is_some() && reader.present(&["takes"]).is_empty() {
        let message = "only a check that takes time can be interrupted".to_owned();
        diags.misplaced(&reader.key_place("interruptible"), message, "add `takes = \"5m\"`");
    }
    HealthDuration {
        takes: takes.unwrap_or(Span::ZERO),
        interruptible: interruptible.unwrap_or(false),
    }
}

/// `status` of `set-health`.
pub(super) fn answer(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<HealthAnswer> {
    let status = reader.text("status", diags);
    required(reader, "status", "status = \"DOWN\"", diags);
    let status = status?;
    if status.value == THROW {
        return Some(HealthAnswer::Throw);
    }
    let known = InstanceStatus::value_of(&status.value).map(HealthAnswer::Status);
    if known.is_none() {
        let mut words = InstanceStatus::ALL.map(InstanceStatus::name).to_vec();
        words.push(THROW);
        diags.unknown_word(&status.place, "answer of a health check", &status.value, &words);
    }
    known
}
