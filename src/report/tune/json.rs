//! `tune.json`

use serde_json::{Map, Value, json};

use super::{TuneReport, named};
use crate::study::tune::{CellCosts, Estimate, Means};

impl TuneReport<'_> {
    /// `tune.json`: the recommended values, the settings, the faults, every run and the warnings.
    #[must_use]
    pub fn json(&self) -> Value {
        let Self { sweep, analysis, .. } = self;
        let settings = analysis.settings.iter().enumerate();
        let settings: Vec<Value> = settings
            .map(|(place, costs)| {
                let mut value = json!({});
                put_means(&mut value, &costs.means);
                value["above_recommended"] = estimate(&costs.above_recommended);
                value["on_front"] = json!(costs.on_front);
                value["params"] = Value::Object(self.params(place));
                value["recommended"] = json!(place == analysis.recommended);
                value["present"] = json!(Some(place) == sweep.present);
                value
            })
            .collect();
        let faults = sweep.faults.iter().enumerate().map(|(place, fault)| {
            let is_compared = analysis.common.contains(&place);
            json!({"name": fault.name, "about": fault.about, "compared": is_compared})
        });
        let left_out = sweep.left_out.iter();
        let left_out = left_out.map(|(name, why)| json!({"name": name, "why": why}));
        json!({
            "schema": 1,
            "scenario": sweep.name,
            "recommended": Value::Object(self.params(analysis.recommended)),
            "why": self.why,
            "weights": self.weights(),
            "settings": settings,
            "faults": faults.collect::<Vec<_>>(),
            "faults_left_out": left_out.collect::<Vec<_>>(),
            "cells": analysis.cells.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>(),
            "rows": self.runs(),
            "runs_left_out": sweep.left_out_runs(self.rows),
            "warnings": self.warnings,
        })
    }

    fn weights(&self) -> Value {
        let weights = &self.analysis.weights;
        let faults = weights.faults.iter().map(|(name, weight)| (name.clone(), json!(weight)));
        let costs = weights.named().into_iter();
        let costs = costs.map(|(name, weight)| (name.to_owned(), json!(weight)));
        Value::Object(costs.chain(faults).collect())
    }

    /// The values of a setting by key, as TOML reads them.
    pub(super) fn params(&self, setting: usize) -> Map<String, Value> {
        let values = self.sweep.request.params.iter().zip(&self.sweep.settings[setting].values);
        values.map(|(param, value)| (param.key.clone(), as_json(value))).collect()
    }

    fn cell(&self, costs: &CellCosts) -> Value {
        let cell = &self.sweep.cells[costs.cell];
        let mut value = json!({
            "params": Value::Object(self.params(cell.setting)),
            "fault": self.sweep.faults[cell.fault].name,
            "seeds": costs.runs,
        });
        put_means(&mut value, &costs.means);
        value["ghosts_at_the_end"] = json!(rounded(costs.ghosts_left));
        value["missing_at_the_end"] = json!(rounded(costs.missing_left));
        value
    }

    /// A row for each run, as in `tune.csv`.
    fn runs(&self) -> Vec<Value> {
        let of_cell = |(number, cell): (usize, &crate::study::tune::Cell)| {
            let rows =
                self.sweep.seeds().filter_map(move |seed| self.rows.get(&(number as u32, seed)));
            let (setting, fault) = (cell.setting, &self.sweep.faults[cell.fault].name);
            rows.map(move |row| {
                let mut run = self.params(setting);
                run.insert("fault".to_owned(), json!(fault));
                run.insert("seed".to_owned(), json!(row.seed));
                run.insert("digest".to_owned(), json!(row.digest));
                for (name, value) in named(&row.costs) {
                    run.insert(name.to_owned(), as_json(&value));
                }
                Value::Object(run)
            })
        };
        self.sweep.cells.iter().enumerate().flat_map(of_cell).collect()
    }
}

/// Adds the costs, each under its name.
fn put_means(value: &mut Value, means: &Means) {
    for (name, of) in [
        ("evicted_healthy", &means.evicted_healthy),
        ("healthy_missing_min", &means.healthy_minutes),
        ("ghost_min", &means.ghost_minutes),
        ("calls_to_dead", &means.calls_to_dead),
        ("false_protection_min", &means.false_minutes),
        ("no_eviction_min", &means.no_eviction_minutes),
        ("weighted", &means.weighted),
    ] {
        value[name] = estimate(of);
    }
}

/// A mean, and how far its 95 % confidence interval reaches each way (none if nothing is known of it).
fn estimate(of: &Estimate) -> Value {
    json!({"mean": rounded(of.mean), "ci95": of.half_width.map(rounded)})
}

/// To a thousandth.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// A value as TOML reads it: a number, a flag, or text.
fn as_json(value: &str) -> Value {
    match value.parse::<toml::Value>() {
        Ok(toml::Value::Integer(number)) => json!(number),
        Ok(toml::Value::Float(number)) if number.is_finite() => json!(number),
        Ok(toml::Value::Boolean(flag)) => json!(flag),
        Ok(toml::Value::String(text)) => json!(text),
        _ => json!(value),
    }
}
