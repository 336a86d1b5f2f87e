//! Arguments.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::exit::Exit;
use super::terminal::Terminal;

/// A deterministic simulator of Netflix/Spring Cloud Eureka registry clusters.
#[derive(Debug, Parser)]
#[command(name = "eureka-sim", version, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// What is printed on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Colours: `auto` asks the terminal and NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// Print errors and results only
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// No progress bar
    #[arg(long, global = true)]
    pub(super) no_progress: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios: print a summary of each (a line each for a folder) and write reports/NAME/
    Run(RunArguments),
    /// Check scenarios without running them: the timeline and the numbers that follow from them
    Check(ScenarioArguments),
    /// Replay recorded traces of the real classes and compare every field
    Replay(ReplayArguments),
    /// Print shell completions
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// Scenarios and what changes them.
#[derive(Debug, Args)]
pub(super) struct ScenarioArguments {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "SCENARIO")]
    pub(super) scenarios: Vec<PathBuf>,
    /// Replace the file's seed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Set a value, as in `--set eureka.server.renewal-percent-threshold=0.49` (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
}

impl ScenarioArguments {
    /// Whether more than one scenario may be meant.
    pub(super) fn names_several(&self) -> bool {
        self.scenarios.len() > 1 || self.scenarios.iter().any(|path| path.is_dir())
    }
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub(super) scenario: ScenarioArguments,
    /// Say which scenarios there are and what they show, and run none
    #[arg(long, conflicts_with_all = ["junit", "trace", "log"])]
    pub(super) list: bool,
    /// How many are run at once; one for each core, unless it is said
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Write the verdicts to FILE as JUnit XML, for CI systems
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Where the report folders go
    #[arg(short, long, value_name = "DIR", default_value = "reports")]
    pub(super) out: PathBuf,
    /// Which figures are drawn
    #[arg(long, value_delimiter = ',', value_enum, default_value = "svg,png")]
    pub(super) plots: Vec<Plot>,
    /// What is written to events.jsonl: what changes something, everything, or nothing
    #[arg(long, value_enum, default_value_t = Events::Changes)]
    pub(super) events: Events,
    /// Write what every server process was asked and answered to DIR/SERVER.jsonl, in the form of
    /// the recordings
    #[arg(long, value_name = "DIR")]
    pub(super) trace: Option<PathBuf>,
    /// Write eureka.log: lines in the words Eureka itself logs
    #[arg(long)]
    pub(super) log: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// Traces (`.jsonl`, `.jsonl.gz`) or folders of them
    #[arg(required = true, value_name = "TRACE")]
    pub(super) traces: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Plot {
    Svg,
    Png,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Events {
    Changes,
    All,
    None,
}

/// `completions`
pub(super) fn completions(shell: Shell, terminal: &mut Terminal) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "eureka-sim", &mut script);
    terminal.print(&String::from_utf8_lossy(&script));
    Exit::Ok
}
