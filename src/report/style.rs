//! Colours and escapes. Meaning is never carried by colour alone; whoever writes the text to a place
//! without colours strips them.

use std::borrow::Cow;

use crate::observe::is_unsafe;

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

/// Text from outside, made harmless for a terminal: control characters become visible.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let visible = |letter: char| {
        if is_unsafe(letter) { letter.escape_default().to_string() } else { letter.to_string() }
    };
    Cow::Owned(text.chars().map(visible).collect())
}
