//! The command `eureka-sim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    eureka_sim::cli::main()
}
