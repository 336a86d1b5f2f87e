//! The command line: arguments, terminal, files and exit codes. What a library user would want stands
//! elsewhere.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command line is where real files, clocks and the environment are"
)]

mod args;
mod check;
mod exit;
mod explain;
mod files;
mod hunt;
mod inputs;
mod journal;
mod merge;
mod record;
mod replay;
mod run;
mod terminal;
mod tune;
mod walk;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use exit::Exit;
use terminal::Terminal;

/// Parses the arguments of the process, does what they say and gives back its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers; anything else is a bad argument.
            let code = if error.use_stderr() { Exit::BadInput } else { Exit::Ok };
            return match error.print() {
                Ok(()) => code.into(),
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => code.into(),
                Err(_) => Exit::Io.into(),
            };
        }
    };
    terminal::install_panic_hook();
    let mut terminal = Terminal::new(&arguments.common);
    let exit = match &arguments.command {
        Command::Run(command) => run::run(command, &arguments.common, &mut terminal),
        Command::Check(command) => check::check(command, &arguments.common, &mut terminal),
        Command::Tune(command) => tune::tune(command, &arguments.common, &mut terminal),
        Command::Merge(command) => merge::merge(command, &arguments.common, &mut terminal),
        Command::Hunt(command) => hunt::hunt(command, &arguments.common, &mut terminal),
        Command::Explain(command) => explain::explain(command, &arguments.common, &mut terminal),
        Command::Replay(command) => replay::replay(command, &arguments.common, &mut terminal),
        Command::Completions { shell } => args::completions(*shell, &mut terminal),
    };
    terminal.finish(exit).into()
}
