//! What matters more than the value: configurations for which no value is good, and sweeps that say little.

use super::head_room::HeadRoom;
use super::{label, names};
use crate::eureka::Flavor;
use crate::report::check::{CheckReport, WarningCheck};
use crate::scenario::Plan;
use crate::study::tune::{Analysis, Sweep};

/// The warnings of the recommended setting and of what the file says, and those of the sweep.
pub(super) fn warnings(sweep: &Sweep, analysis: &Analysis, plan: &Plan) -> Vec<WarningCheck> {
    let mut warnings: Vec<WarningCheck> = Vec::new();
    let mut add = |code: &str, text: String| {
        if !warnings.iter().any(|known| known.code == code && known.text == text) {
            warnings.push(WarningCheck { code: code.to_owned(), text });
        }
    };
    if let Some(text) = one_too_many(plan) {
        add("T001", text);
    }
    if let Some(text) = too_small(sweep) {
        add("T002", text);
    }
    let looked_at = [Some(analysis.recommended), sweep.present];
    let mut looked_at: Vec<usize> = looked_at.into_iter().flatten().collect();
    looked_at.dedup();
    let of = |setting: usize| {
        sweep.plan_of(setting).map_or_else(|_| Vec::new(), |plan| CheckReport::new(&plan).warnings)
    };
    let found: Vec<Vec<WarningCheck>> = looked_at.iter().map(|setting| of(*setting)).collect();
    for (setting, said) in looked_at.iter().zip(&found) {
        for warning in said {
            let is_of_all = found.iter().all(|said| said.contains(warning));
            let text = match is_of_all {
                true => warning.text.clone(),
                false => {
                    format!("with {} {}: {}", names(sweep), label(sweep, *setting), warning.text)
                }
            };
            add(&warning.code, text);
        }
    }
    if let Some(text) = at_the_edge(sweep, analysis) {
        add("T003", text);
    }
    if analysis.common.len() < sweep.faults.len() {
        let only = (0..sweep.faults.len()).filter(|fault| !analysis.common.contains(fault));
        let only: Vec<&str> = only.map(|fault| sweep.faults[fault].name.as_str()).collect();
        let text = format!(
            "settings are compared by the faults that all of them can have: without {}",
            only.join(", ")
        );
        add("T004", text);
    }
    if sweep.present.is_none() && !sweep.request.params.is_empty() {
        let text = "what the file says is none of the settings that were tried: with its values in --param they \
                    are compared with it";
        add("T006", text.to_owned());
    }
    if sweep.request.seeds == 1 {
        add("T005", "one seed says nothing of chance: intervals need --seeds 2 or more".to_owned());
    }
    warnings
}

/// A Spring server that copies nobody expects one client more than there are.
fn one_too_many(plan: &Plan) -> Option<String> {
    let report = CheckReport::new(plan);
    let alone = plan.setup.servers.iter().zip(&report.servers).find(|(setup, numbers)| {
        setup.flavor == Flavor::SpringCloud
            && setup.peers.is_empty()
            && numbers.instances > 0
            && numbers.expected > numbers.instances
    });
    let (_, numbers) = alone?;
    let until = match numbers.threshold_after_update {
        Some(later) => format!("until its first 15-minute task ({later} from then on)"),
        None => "for ever: it fetches no registry".to_owned(),
    };
    Some(format!(
        "{} stands alone: Spring lets it expect {} clients where there are {}, so its threshold is {} {until}",
        numbers.name, numbers.expected, numbers.instances, numbers.threshold,
    ))
}

/// No value evicts even one dead instance.
fn too_small(sweep: &Sweep) -> Option<String> {
    let mut instances = 0;
    for setting in 0..sweep.settings.len() {
        let room = HeadRoom::of(&sweep.plan_of(setting).ok()?)?;
        if room.deaths.is_some_and(|deaths| deaths > 0) {
            return None;
        }
        instances = room.instances;
    }
    (instances > 0).then(|| {
        format!(
            "the fleet is too small for any of these values: with {instances} instances one death already \
             stops eviction, or nothing is ever evicted; lower values, or no self-preservation, are what is left"
        )
    })
}

/// What lies beyond the values was not tried.
fn at_the_edge(sweep: &Sweep, analysis: &Analysis) -> Option<String> {
    let [param] = sweep.request.params.as_slice() else {
        return None;
    };
    let number = |value: &String| value.parse::<f64>().ok();
    let values: Option<Vec<f64>> = param.values.iter().map(number).collect();
    let values = values.filter(|values| values.len() > 2)?;
    let own = values[analysis.recommended];
    let is_edge =
        values.iter().all(|value| *value <= own) || values.iter().all(|value| *value >= own);
    // Where others do as well, what lies beyond does probably no better.
    let is_alone = analysis
        .settings
        .iter()
        .enumerate()
        .all(|(place, of)| place == analysis.recommended || of.above_recommended.mean > 0.0);
    (is_edge && is_alone).then(|| {
        let end = if values.iter().all(|value| *value <= own) { "greatest" } else { "least" };
        format!(
            "{} {} is the {end} that was tried: beyond it may be better ones",
            names(sweep),
            label(sweep, analysis.recommended)
        )
    })
}
