//! `eureka-sim run`

use std::path::Path;

use super::args::{Common, Format, Plot, RunArguments, path_word};
use super::exit::Exit;
use super::files::{Staged, describe};
use super::inputs::{Inputs, Loaded};
use super::record::{Failure, record};
use super::terminal::{Terminal, interrupted};
use crate::observe::harmless_json;
use crate::report::{JUnit, Listed, Tally, list_text, render_diagnostics, summary_text};
use crate::scenario::Plan;
use crate::study;

pub(super) fn run(arguments: &RunArguments, common: &Common, terminal: &mut Terminal) -> Exit {
    if !Plot::are_sound(&arguments.plots, terminal) {
        return Exit::BadInput;
    }
    if arguments.trace.is_some() && arguments.scenario.names_several() {
        terminal.complain("error: --trace writes the servers of one scenario: name only one\n");
        return Exit::BadInput;
    }
    let mut inputs = Inputs::load(&arguments.scenario, terminal);
    if inputs.name_one_twice(terminal) {
        // Which of them the report would be of, nobody can tell: none is run.
        inputs.loaded.clear();
        inputs.exit = inputs.exit.max(Exit::BadInput);
    }
    if arguments.list {
        list(&inputs.loaded, common, terminal);
        return inputs.exit;
    }
    match &arguments.junit {
        None => run_all(&inputs, arguments, common, terminal).0,
        Some(path) => {
            // Where it cannot be written, that is known before anything is run.
            let file = match Staged::file(path) {
                Ok(file) => file,
                Err(error) => {
                    terminal.error(path, &format!("cannot write: {}", describe(&error)));
                    return inputs.exit.max(Exit::Io);
                }
            };
            let (exit, junit) = run_all(&inputs, arguments, common, terminal);
            if exit == Exit::Interrupted {
                return exit;
            }
            match file.write_alone(path, junit.xml().as_bytes()) {
                Ok(()) => exit,
                Err(error) => {
                    terminal.error(path, &format!("cannot write: {}", describe(&error)));
                    exit.max(Exit::Io)
                }
            }
        }
    }
}

/// `--list`
fn list(loaded: &[Loaded], common: &Common, terminal: &mut Terminal) {
    let listed = loaded.iter().map(|of| Listed::new(of.path.display().to_string(), &of.plan));
    let listed: Vec<Listed> = listed.collect();
    terminal.print(&match common.format {
        Format::Text => list_text(&listed),
        Format::Json => json(&listed),
    });
}

/// Runs every scenario, as many at once as there are jobs, and prints what came of each in the order
/// of the inputs.
fn run_all(
    inputs: &Inputs,
    arguments: &RunArguments,
    common: &Common,
    terminal: &mut Terminal,
) -> (Exit, JUnit) {
    let paths = inputs.loaded.iter().map(|of| of.path.display().to_string());
    let mut tally = Tally::new(paths);
    let mut junit = JUnit::new();
    for (path, why) in &inputs.refused {
        tally.refused();
        junit.refused(&path.display().to_string(), why);
    }
    // A line each for a folder, a summary each for scenarios that were named.
    let is_summarized = common.format == Format::Text && !inputs.from_folder;
    let progress = match inputs.loaded.as_slice() {
        [only] => terminal.progress(&only.plan.name, only.plan.setup.duration),
        several => terminal.progress_of_several(several.len()),
    };
    let work = |of: &Loaded| {
        if interrupted() {
            return Err(Failure::Interrupted);
        }
        let recording = record(&of.plan, arguments, &mut progress.pulse())?;
        let rerun = || rerun(&of.path, &of.plan, arguments);
        let text = is_summarized.then(|| summary_text(&recording, &rerun()));
        Ok((recording.summary, text))
    };
    let mut exit = inputs.exit;
    let mut summaries = Vec::new();
    let mut inputs_in_order = inputs.loaded.iter();
    study::in_order(&inputs.loaded, arguments.jobs.unwrap_or(0), work, |result| {
        let Some(Loaded { path, plan }) = inputs_in_order.next() else { return };
        let name = path.display().to_string();
        let warnings = match plan.warning_count() {
            0 => None,
            _ => Some(render_diagnostics(&plan.sources, &plan.warnings)),
        };
        progress.one_is_done(|| match result {
            Ok((summary, text)) => {
                exit = exit.max(if summary.ok() { Exit::Ok } else { Exit::Failed });
                if let Some(warnings) = warnings {
                    terminal.say(&warnings);
                }
                let line = tally.ran(&name, &summary);
                if common.format == Format::Text {
                    terminal.print(&text.unwrap_or(line));
                }
                junit.ran(&name, &summary);
                summaries.push(summary);
            }
            Err(Failure::Interrupted) => exit = Exit::Interrupted,
            Err(Failure::Io(place, error)) => {
                let reason = format!("cannot write: {}", describe(&error));
                terminal.error(&place, &reason);
                tally.refused();
                junit.refused(&name, &reason);
                exit = exit.max(Exit::Io);
            }
        });
    });
    drop(progress);
    if exit == Exit::Interrupted {
        terminal.complain("interrupted: nothing was written for what had not come to its end\n");
    }
    if common.format == Format::Json {
        terminal.print(&json(&summaries));
    } else if inputs.from_folder && !(inputs.loaded.is_empty() && inputs.refused.is_empty()) {
        terminal.print(&tally.total());
    }
    (exit, junit)
}

/// Pretty JSON with a newline at its end.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("reports have text keys only");
    harmless_json(&text).into_owned() + "\n"
}

/// The command line that does it again.
fn rerun(path: &Path, plan: &Plan, arguments: &RunArguments) -> String {
    let mut words = vec!["eureka-sim".to_owned(), "run".to_owned()];
    words.push(path_word(&path.display().to_string()));
    words.push(format!("--seed {}", plan.setup.seed));
    words.extend(arguments.scenario.words());
    words.join(" ")
}
