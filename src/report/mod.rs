//! What people and programs see of a run: text, JSON, CSV, figures. Everything here turns recorded
//! values into bytes; nothing here looks into the kernel or touches files.

mod check;
mod check_calls;
mod check_fleet;
mod check_hints;
mod csv;
mod diagnostics;
mod explain;
mod figures;
mod hunt;
mod junit;
mod listing;
mod replay;
mod style;
mod summary;
mod tally;
mod tune;

pub use check::{CheckReport, check_text};
pub use check_calls::ConsumerCheck;
pub use csv::{divergence_csv, series_csv};
pub use diagnostics::render as render_diagnostics;
pub use explain::{explain_json, explain_text, verdict_lines};
pub use figures::{Figure, StoryFigure, TuneFigure};
pub use hunt::{HuntReport, Told};
pub use junit::JUnit;
pub use listing::{Listed, list_text};
pub use replay::{ReplayReport, replay_text};
pub use style::escape;
pub use summary::summary_text;
pub use tally::Tally;
pub use tune::{TuneReport, tune_csv};

#[cfg(test)]
mod tests;
