//! What `tune` prints for people: the settings and their costs, the reasons, what the recommended one did in
//! each fault, the warnings.

use super::why::{outcome, with_interval};
use super::{TuneReport, names};
use crate::report::check::several;
use crate::report::style::{BAD, DIM, END, GOOD, NAME, escape};
use crate::study::tune::{Estimate, SettingCosts};

/// Most settings in the table, besides the recommended and the present one.
const MOST_SETTINGS: usize = 40;

impl TuneReport<'_> {
    /// The report. `rerun` is the command line that does it again.
    #[must_use]
    pub fn text(&self, rerun: &str) -> String {
        let mut text = self.head();
        text += &self.settings_table();
        text += "\n";
        for (place, sentence) in self.why.iter().enumerate() {
            let sign = if place == 0 { format!("{GOOD}★{END}") } else { "·".to_owned() };
            text += &format!("  {sign} {}\n", escape(sentence));
        }
        text += &self.faults_table();
        for warning in &self.warnings {
            let text_of = escape(&warning.text);
            text += &format!("  {BAD}warning[{}]{END}: {text_of}\n", warning.code);
        }
        text + &format!("{DIM}rerun:{END} {rerun}\n")
    }

    fn head(&self) -> String {
        let Self { sweep, rows, analysis, .. } = self;
        let plural = |count: usize, what: &str| several(count as i64, what);
        let left_out = match sweep.left_out_runs(rows) {
            0 => String::new(),
            count => format!(
                " ({count} more were left out where {} seeds were enough: --exhaustive runs them)",
                crate::study::tune::FIRST_STAGE
            ),
        };
        let events: u128 = rows.values().map(|row| u128::from(row.events)).sum();
        let mut text = format!(
            "{NAME}{}{END}  {} × {} × {}: {}{left_out}, {events} events\n",
            escape(&sweep.name),
            plural(sweep.settings.len(), "setting"),
            plural(sweep.faults.len(), "fault"),
            plural(sweep.request.seeds as usize, "seed"),
            plural(rows.len(), "run"),
        );
        let since = sweep.cells.iter().map(|cell| cell.since);
        let (first, last) = (since.clone().min(), since.max());
        if let (Some(first), Some(last)) = (first, last) {
            let often = match analysis.weights.faults.is_empty() {
                true => "",
                false => " (each as often as its weight says)",
            };
            let from = match first == last {
                true => format!("{first}"),
                false => format!("{first} – {last}"),
            };
            text += &format!(
                "  {DIM}costs are summed over all servers and faults{often}, from {from} to the end of each run; \
                 ± is the 95 % interval of the mean{END}\n"
            );
        }
        text
    }

    fn settings_table(&self) -> String {
        let Self { sweep, analysis, .. } = self;
        let mut calls = false;
        for costs in &analysis.settings {
            calls |= costs.means.calls_to_dead.mean > 0.0;
        }
        let mut heads = vec![
            escape(&names(sweep)).into_owned(),
            "healthy evicted".to_owned(),
            "missing min".to_owned(),
            "dead kept min".to_owned(),
        ];
        heads.extend(calls.then(|| "calls to dead".to_owned()));
        heads.extend(
            ["false protection min", "no eviction min", "weighs", "more"].map(str::to_owned),
        );
        let row = |place: usize, costs: &SettingCosts| {
            let mut cells = vec![
                self.label(place),
                with_interval(&costs.means.evicted_healthy),
                with_interval(&costs.means.healthy_minutes),
                with_interval(&costs.means.ghost_minutes),
            ];
            cells.extend(calls.then(|| with_interval(&costs.means.calls_to_dead)));
            cells.push(with_interval(&costs.means.false_minutes));
            cells.push(with_interval(&costs.means.no_eviction_minutes));
            cells.push(with_interval(&costs.means.weighted));
            cells.push(match place == analysis.recommended {
                true => "–".to_owned(),
                false => with_sign(&costs.above_recommended),
            });
            cells.iter().map(|cell| escape(cell).into_owned()).collect::<Vec<_>>()
        };
        let is_shown = |place: &usize| {
            *place < MOST_SETTINGS
                || *place == analysis.recommended
                || Some(*place) == sweep.present
        };
        let shown: Vec<usize> = (0..analysis.settings.len()).filter(is_shown).collect();
        let rows = shown.iter().map(|place| row(*place, &analysis.settings[*place]));
        let rows: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
        let lines = aligned(&rows);
        let mut text = format!("  {DIM}  {}{END}\n", lines[0]);
        for (place, line) in shown.iter().zip(&lines[1..]) {
            let mut notes = Vec::new();
            if *place == analysis.recommended {
                notes.push("recommended");
            }
            if Some(*place) == sweep.present {
                notes.push("the file's");
            }
            if analysis.settings[*place].on_front {
                notes.push("front");
            }
            let notes = notes.join(", ");
            text += &match *place == analysis.recommended {
                true => format!("  {GOOD}★ {line}{END}  {notes}\n"),
                false => format!("    {line}  {DIM}{notes}{END}\n"),
            };
        }
        if shown.len() < analysis.settings.len() {
            let more = analysis.settings.len() - shown.len();
            text += &format!("    … and {more} more: they are in tune.csv\n");
        }
        text
    }

    /// What the recommended setting did in each fault.
    fn faults_table(&self) -> String {
        let Self { sweep, analysis, .. } = self;
        let each = if self.servers == 1 { "" } else { ", at each server on average" };
        let what = format!("{} {}", names(sweep), self.label(analysis.recommended));
        let mut text = format!("  {DIM}what {} does{each}:{END}\n", escape(&what));
        let cells = analysis.cells.iter();
        let cells: Vec<_> = cells
            .filter(|cell| sweep.cells[cell.cell].setting == analysis.recommended)
            .map(|cell| (&sweep.cells[cell.cell], cell))
            .collect();
        let width =
            cells.iter().map(|(of, _)| sweep.faults[of.fault].name.len()).max().unwrap_or(0);
        for (of, cell) in cells {
            let name = escape(&sweep.faults[of.fault].name);
            let about = escape(&of.about);
            text += &format!("    {NAME}{name:<width$}{END}  {about}: {}\n", outcome(cell));
        }
        for (name, why) in &sweep.left_out {
            text += &format!("    {DIM}{name:<width$}  left out: {}{END}\n", escape(why));
        }
        text
    }
}

/// `+12.3 ± 0.4`
fn with_sign(of: &Estimate) -> String {
    let sign = if of.mean >= 0.05 { "+" } else { "" };
    format!("{sign}{}", with_interval(of))
}

/// Lines of cells, the first column to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells =
            row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}
