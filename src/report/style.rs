//! Colours and escapes. Meaning is never carried by colour alone; whoever writes the text to a place
//! without colours strips them.

pub use crate::observe::escape;

/// Green: as it should be.
pub(super) const GOOD: &str = "\u{1b}[32m";
/// Red: not as it should be.
pub(super) const BAD: &str = "\u{1b}[31m";
/// Cyan: names.
pub(super) const NAME: &str = "\u{1b}[36m";
/// Dim: what may be skipped.
pub(super) const DIM: &str = "\u{1b}[2m";
/// The end of any of these.
pub(super) const END: &str = "\u{1b}[0m";
