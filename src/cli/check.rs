//! `eureka-sim check`

use super::args::{Common, Format, ScenarioArguments};
use super::exit::Exit;
use super::inputs::{Inputs, Loaded};
use super::run::json;
use super::terminal::Terminal;
use crate::report::{CheckReport, check_text, render_diagnostics};

pub(super) fn check(
    arguments: &ScenarioArguments,
    common: &Common,
    terminal: &mut Terminal,
) -> Exit {
    let inputs = Inputs::load(arguments, terminal);
    let mut exit = inputs.exit;
    if inputs.name_one_twice(terminal) {
        exit = exit.max(Exit::BadInput);
    }
    let mut reports = Vec::new();
    for (position, Loaded { plan, .. }) in inputs.loaded.iter().enumerate() {
        if plan.warning_count() > 0 {
            terminal.say(&render_diagnostics(&plan.sources, &plan.warnings));
        }
        match common.format {
            Format::Text if position > 0 => terminal.print(&format!("\n{}", check_text(plan))),
            Format::Text => terminal.print(&check_text(plan)),
            Format::Json => reports.push(CheckReport::new(plan)),
        }
    }
    if common.format == Format::Json {
        // One scenario: its report; several: a list of them.
        match reports.as_slice() {
            [report] if !arguments.names_several() => terminal.print(&json(report)),
            reports => terminal.print(&json(&reports)),
        }
    }
    exit
}
