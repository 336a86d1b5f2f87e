//! `eureka-sim explain`

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{Common, Format, Plot, ScenarioArguments, path_word};
use super::exit::Exit;
use super::files::{Staged, describe};
use super::inputs::{Inputs, Loaded};
use super::run::json;
use super::terminal::{Terminal, interrupted};
use crate::observe::shell_word;
use crate::report::{StoryFigure, explain_json, explain_text, render_diagnostics};
use crate::scenario::Plan;
use crate::study::explain::{Explanation, Question, explain as tell};

/// Longest name of a file, without its ending; file systems take 255 bytes.
const LONGEST_NAME: usize = 120;

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    #[command(flatten)]
    pub(super) scenario: ScenarioArguments,
    /// Whose story: APP/INDEX as in the scenario, or APP/instance-id
    #[arg(long, value_name = "APP/ID")]
    pub(super) instance: String,
    /// Up to when it is told, and when it is judged, as in 12m30s; the end of the run, unless it is said
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// Tell only what this server did, and the process itself
    #[arg(long, value_name = "NAME")]
    pub(super) server: Option<String>,
    /// How many cures are tried at once; one for each core, unless it is said
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Where the report folders go
    #[arg(short, long, value_name = "DIR", default_value = "reports")]
    pub(super) out: PathBuf,
    /// Which figures are drawn
    #[arg(long, value_delimiter = ',', value_enum, default_value = "svg,png")]
    pub(super) plots: Vec<Plot>,
}

pub(super) fn explain(
    arguments: &ExplainArguments,
    common: &Common,
    terminal: &mut Terminal,
) -> Exit {
    if !Plot::are_sound(&arguments.plots, terminal) {
        return Exit::BadInput;
    }
    if arguments.scenario.names_several() {
        terminal.complain("error: explain tells of one scenario: name only one file\n");
        return Exit::BadInput;
    }
    let inputs = Inputs::load(&arguments.scenario, terminal);
    let Some(Loaded { path, plan }) = inputs.loaded.first() else {
        return inputs.exit;
    };
    if plan.warning_count() > 0 {
        terminal.say(&render_diagnostics(&plan.sources, &plan.warnings));
    }
    let (at, server) = (arguments.at.as_deref(), arguments.server.as_deref());
    let question = match Question::new(plan, &arguments.instance, at, server) {
        Ok(question) => question,
        Err(unanswerable) => {
            terminal.error(path, &unanswerable.to_string());
            return Exit::BadInput;
        }
    };
    let folder = arguments.out.join(&plan.name).join("explain");
    let failed = |error: io::Error, terminal: &mut Terminal| {
        terminal.error(&folder, &format!("cannot write: {}", describe(&error)));
        Exit::Io
    };
    // Where nothing can be written, that is known before anything is run.
    let files = match Staged::new(&folder) {
        Ok(files) => files,
        Err(error) => return failed(error, terminal),
    };
    let progress = terminal.progress(&plan.name, question.at);
    let told = tell(plan, question, arguments.jobs.unwrap_or(0), || progress.pulse());
    drop(progress);
    let Ok(explained) = told else {
        terminal.complain("interrupted: nothing was written\n");
        return Exit::Interrupted;
    };
    let rerun = rerun(path, plan, arguments);
    let text = explain_text(&explained, question.server, plan, &rerun);
    if interrupted() {
        return Exit::Interrupted;
    }
    if let Err(error) = write(files, &explained, plan, &text, arguments) {
        return failed(error, terminal);
    }
    terminal.print(&match common.format {
        Format::Text => text,
        Format::Json => json(&explain_json(&explained, question.server, plan)),
    });
    Exit::Ok
}

fn write(
    mut files: Staged,
    explained: &Explanation,
    plan: &Plan,
    text: &str,
    arguments: &ExplainArguments,
) -> io::Result<()> {
    let name = file_name(&plan.setup.names.full(explained.key));
    let figure = StoryFigure { explained, plan };
    files
        .write(&format!("{name}.txt"), anstream::adapter::strip_str(text).to_string().as_bytes())?;
    if arguments.plots.contains(&Plot::Svg) {
        files.write(&format!("{name}.svg"), figure.svg().as_bytes())?;
    }
    if arguments.plots.contains(&Plot::Png) {
        files.write(&format!("{name}.png"), &figure.png())?;
    }
    files.finish(&["txt", "svg", "png"].map(|ending| format!("{name}.{ending}")))
}

/// A file's name for an instance: letters, digits and a few signs stay, anything else becomes `-`. Of two
/// instances with one name the later report stays.
fn file_name(instance: &str) -> String {
    let safe = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() || "._".contains(letter) => letter,
        _ => '-',
    };
    let name: String = instance.chars().map(safe).take(LONGEST_NAME).collect();
    // No hidden files, and none that looks like an option.
    name.trim_start_matches(['.', '-']).to_owned()
        + if name.trim_matches(['.', '-']).is_empty() { "instance" } else { "" }
}

/// The command line that does it again.
fn rerun(path: &Path, plan: &Plan, arguments: &ExplainArguments) -> String {
    let mut words = vec!["eureka-sim".to_owned(), "explain".to_owned()];
    words.push(path_word(&path.display().to_string()));
    words.push(format!("--instance {}", shell_word(&arguments.instance)));
    let at = arguments.at.iter().map(|at| format!("--at {}", shell_word(at)));
    words.extend(at);
    let server = arguments.server.iter().map(|name| format!("--server {}", shell_word(name)));
    words.extend(server);
    words.push(format!("--seed {}", plan.setup.seed));
    words.extend(arguments.scenario.words());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_files_name_is_safe_whatever_the_instance_is_called() {
        for (instance, name) in [
            ("ORDERS/h01:orders:8080", "ORDERS-h01-orders-8080"),
            ("../../etc/passwd", "etc-passwd"),
            ("-rf/x", "rf-x"),
            ("/", "instance"),
            ("A/\u{1b}[2J\u{202e}", "A---2J-"),
        ] {
            assert_eq!(file_name(instance), name, "{instance:?}");
        }
        assert!(file_name(&"x".repeat(5000)).len() <= 255);
    }
}
