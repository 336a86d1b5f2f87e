//! `tune`: what values of a parameter cost a fleet under faults, which is recommended, and how sure that is.

mod analysis;
mod grid;
mod journal;
mod statistics;
mod sweep;
mod weights;

pub use analysis::{Analysis, CellCosts, Means, SettingCosts};
pub use grid::{DEFAULT_PARAM, GridError, Param};
pub use journal::{Journal, JournalError, first_line, is_journal, last_line, read, row_line};
pub use statistics::Estimate;
pub use sweep::{
    Cell, FIRST_STAGE, FaultOf, OWN, Request, Row, Rows, STANDARD, Setting, Shard, Stopped, Sweep,
    SweepError,
};
pub use weights::{Weights, WeightsError};
