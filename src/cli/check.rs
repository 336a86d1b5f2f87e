//! `eureka-sim check`

use super::args::{Common, Format, ScenarioArguments};
use super::exit::Exit;
use super::run::{json, load_all, names_one_twice};
use super::terminal::Terminal;
use crate::report::{CheckReport, check_text, render_diagnostics};

pub(super) fn check(
    arguments: &ScenarioArguments,
    common: &Common,
    terminal: &mut Terminal,
) -> Exit {
    let (plans, mut exit) = load_all(arguments, terminal);
    if names_one_twice(&plans, terminal) {
        exit = exit.max(Exit::BadInput);
    }
    let mut reports = Vec::new();
    for (_, plan) in &plans {
        if plan.warning_count() > 0 {
            terminal.say(&render_diagnostics(&plan.sources, &plan.warnings));
        }
        match common.format {
            Format::Text => terminal.print(&check_text(plan)),
            Format::Json => reports.push(CheckReport::new(plan)),
        }
    }
    if common.format == Format::Json {
        // One scenario: its report; several: a list of them.
        match reports.as_slice() {
            [report] if arguments.scenarios.len() == 1 => terminal.print(&json(report)),
            reports => terminal.print(&json(&reports)),
        }
    }
    exit
}
