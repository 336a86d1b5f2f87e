//! Where every value of a scenario comes from: the file, one it includes, or the command line.

use std::ops::Range;

/// One text that values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file as it was named, or the argument (`--set KEY=VALUE`).
    pub name: String,
    /// Its text.
    pub text: String,
}

/// All texts of one scenario; the first is the file itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Vec<Source>);

/// Number of a [`Source`].
pub(super) type SourceId = u32;

/// A place in one of the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which text.
    pub source: SourceId,
    /// Bytes of it.
    pub span: Range<usize>,
}

impl Sources {
    /// Adds a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.0.push(Source { name: name.into(), text: text.into() });
        self.0.len() as SourceId - 1
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// A text.
    #[must_use]
    pub fn get(&self, source: SourceId) -> &Source {
        &self.0[source as usize]
    }

    /// Line and column of the start of a place, both from 1, in characters.
    #[must_use]
    pub fn line_and_column(&self, place: &Place) -> (usize, usize) {
        let text = &self.get(place.source).text;
        let before = text.get(..place.span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}
