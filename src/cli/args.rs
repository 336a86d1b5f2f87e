//! Arguments.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::exit::Exit;
use super::terminal::Terminal;
use crate::eureka::{Flavor, Release, ReleaseError};
use crate::observe::shell_word;
use crate::scenario::{Changes, units};
use crate::study::tune::{DEFAULT_PARAM, Shard};
use crate::time::Span;

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
    /// Find the renewal-percent-threshold (or any other value) that costs a fleet least under faults
    Tune(TuneArguments),
    /// Join the parts of a sweep that were run with `tune --shard`
    Merge(MergeArguments),
    /// Search seeds and faults for stuck instances and broken expectations, and make what is found small
    Hunt(HuntArguments),
    /// Tell the story of one instance: what it is at each server, why, and what would cure it
    Explain(super::explain::ExplainArguments),
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
    #[command(flatten)]
    pub(super) values: Values,
    /// Put a standard fault of `tune` in the place of the timeline, as in `--fault deaths-10-percent`
    #[arg(long, value_name = "NAME")]
    pub(super) fault: Option<String>,
}

/// Values that change a scenario.
#[derive(Debug, Args)]
pub(super) struct Values {
    /// Replace the file's seed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Set a value, as in `--set eureka.server.renewal-percent-threshold=0.49` (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
}

impl Values {
    /// The arguments that say the same again, but for the seed.
    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        self.set.iter().map(|set| format!("--set {}", shell_word(set)))
    }

    /// What these change of a scenario.
    pub(super) fn changes(&self) -> Changes<'_> {
        Changes { overlay: None, sets: &self.set, seed: self.seed }
    }
}

impl ScenarioArguments {
    /// The arguments that say the same again, but for the scenarios and the seed.
    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        let fault = self.fault.iter().map(|fault| format!("--fault {}", shell_word(fault)));
        self.values.words().chain(fault)
    }

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
pub(super) struct TuneArguments {
    /// A scenario file: the fleet, and perhaps what happens to it
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: PathBuf,
    #[command(flatten)]
    pub(super) values: Values,
    /// What is tried: KEY=A..B:STEP or KEY=a,b,c (repeatable: all combinations)
    #[arg(long, value_name = "KEY=VALUES", default_value = DEFAULT_PARAM)]
    pub(super) param: Vec<String>,
    /// How many seeds each is tried with, counted up from the scenario's
    #[arg(long, value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) seeds: u32,
    /// `scenario` (its own timeline), `standard` (that and all standard faults), or names of standard
    /// faults; unless it is said, the timeline, or where there is none the standard faults
    #[arg(long, value_name = "FAULTS", value_delimiter = ',')]
    pub(super) faults: Vec<String>,
    /// Run every seed, also where a few have shown what it costs
    #[arg(long)]
    pub(super) exhaustive: bool,
    /// Run one part of several, as in `--shard 2/8`; `merge` joins them
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub(super) shard: Option<Shard>,
    /// Begin anew, and forget the journal of a sweep that came to no end
    #[arg(long)]
    pub(super) restart: bool,
    /// How many are run at once; one for each core, unless it is said
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    #[command(flatten)]
    pub(super) report: TuneReportArguments,
}

/// What becomes of the runs of a sweep.
#[derive(Debug, Args)]
pub(super) struct TuneReportArguments {
    /// What a cost weighs against another: healthy (per minute that a healthy instance is missing),
    /// dead (per minute that a dead one is kept), calls (per call to a dead one), protection (per minute
    /// of it without a reason), no-eviction (per minute without); and how often a fault happens against
    /// another, as in deaths=2,zone-lost=0.1; what is not named has its default
    #[arg(long, value_name = "NAME=N,…", default_value = "healthy=10,dead=1,protection=1")]
    pub(super) weights: String,
    /// Where the report folders go
    #[arg(short, long, value_name = "DIR", default_value = "reports")]
    pub(super) out: PathBuf,
    /// Which figures are drawn
    #[arg(long, value_delimiter = ',', value_enum, default_value = "svg,png")]
    pub(super) plots: Vec<Plot>,
}

#[derive(Debug, Args)]
pub(super) struct MergeArguments {
    /// The parts (`shard-1-of-2.jsonl`), or folders of them
    #[arg(required = true, value_name = "PART")]
    pub(super) parts: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) report: TuneReportArguments,
}

#[derive(Debug, Args)]
pub(super) struct HuntArguments {
    /// A scenario file: the fleet, what happens to it anyway, and in [hunt] what may
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: PathBuf,
    #[command(flatten)]
    pub(super) values: Values,
    /// How many runs; unless it is said, as many as the scenario's [hunt] says, or 1000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) runs: Option<u32>,
    /// Search for so long instead, as in `--for 60s`
    #[arg(long = "for", value_name = "TIME", conflicts_with = "runs", value_parser = time)]
    pub(super) time: Option<Span>,
    /// Tell only of what is called so: a class (stuck-down, up-but-dead, alive-but-missing,
    /// diverged-between-peers, broken-expectation), a mechanism (M16), or both (stuck-down-m16)
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Releases in which it is tried whether what was found still happens; unless it is said, those in which
    /// something changed
    #[arg(long, value_name = "RELEASES", value_delimiter = ',', value_parser = release)]
    pub(super) release: Vec<Release>,
    /// Likewise flavours: spring-cloud, netflix; unless it is said, as the scenario has it
    #[arg(long, value_name = "FLAVORS", value_delimiter = ',', value_parser = flavor)]
    pub(super) flavor: Vec<Flavor>,
    /// How many are run at once; one for each core, unless it is said
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Where the report folders go
    #[arg(short, long, value_name = "DIR", default_value = "reports")]
    pub(super) out: PathBuf,
    /// Where all findings are kept, by mechanism; unless it is said, in `corpus` beside the reports
    #[arg(long, value_name = "DIR")]
    pub(super) corpus: Option<PathBuf>,
}

impl HuntArguments {
    /// 0: one for each core.
    pub(super) fn jobs(&self) -> u16 {
        self.jobs.unwrap_or(0)
    }
}

/// `60s`
fn time(text: &str) -> Result<Span, String> {
    let time = units::duration(text).ok().filter(|time| !time.is_zero());
    time.ok_or_else(|| "write a duration, as in 60s or 5m".to_owned())
}

/// `2.0.6`
fn release(text: &str) -> Result<Release, String> {
    text.parse().map_err(|error| match error {
        ReleaseError::Malformed => "write a release, as in 1.9.3".to_owned(),
        ReleaseError::TooOld => format!("the oldest release is {}", Release::OLDEST),
    })
}

/// `netflix`
fn flavor(text: &str) -> Result<Flavor, String> {
    Flavor::value_of(text).ok_or_else(|| "there are spring-cloud and netflix".to_owned())
}

/// A path as an argument that a shell reads back, and that is no option.
pub(super) fn path_word(path: &str) -> String {
    let is_option = path.starts_with('-');
    shell_word(&if is_option { format!("./{path}") } else { path.to_owned() })
}

/// `2/8`
fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/');
    let numbers = parts.and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
        _ => Err("write K/N, the K-th of N parts, as in 2/8".to_owned()),
    }
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

impl Plot {
    /// `none` stands alone; says so if it does not.
    pub(super) fn are_sound(plots: &[Self], terminal: &mut Terminal) -> bool {
        let are_sound = plots.len() == 1 || !plots.contains(&Self::None);
        if !are_sound {
            terminal.complain("error: --plots none stands alone\n");
        }
        are_sound
    }
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
