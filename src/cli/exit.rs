//! Exit codes.

use std::process::ExitCode;

/// How the process ends. Of several inputs the highest code wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Exit {
    /// Every expectation holds.
    Ok = 0,
    /// An expectation failed, or a trace differs.
    Failed = 1,
    /// Bad arguments, a bad scenario, or a file that is no trace.
    BadInput = 2,
    /// A run was not deterministic.
    Nondeterministic = 3,
    /// Something cannot be read or written.
    Io = 4,
    /// Interrupted.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
