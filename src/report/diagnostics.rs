//! Problems of a scenario, drawn into its source as compilers do.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::style::escape;
use crate::observe::is_unsafe;
use crate::scenario::{Diagnostic, Severity, Sources};

/// Most problems that are drawn; the rest is counted.
const SHOWN: usize = 50;

/// The problems as text with colours, each with its place in the source.
#[must_use]
pub fn render(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN) {
        text += &renderer.render(&report(sources, diagnostic));
        text += "\n\n";
    }
    if diagnostics.len() > SHOWN {
        text += &format!("… and {} more problems\n", diagnostics.len() - SHOWN);
    }
    text
}

/// Longest message or help that is shown whole, and longest part of a line that is marked, in
/// characters: names come from files, and files may be anything.
const LONGEST: usize = 300;

fn report<'a>(sources: &'a Sources, diagnostic: &'a Diagnostic) -> [Group<'a>; 1] {
    let source = sources.get(diagnostic.place.source);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(shown(&diagnostic.message)).id(diagnostic.code);
    let (number, line, span) = line_of(&source.text, &diagnostic.place.span);
    let annotation = AnnotationKind::Primary.span(span).label(shown(&diagnostic.label));
    let snippet =
        Snippet::source(line).line_start(number).path(escape(&source.name)).annotation(annotation);
    let group = title.element(snippet);
    let help = diagnostic.help.as_deref().filter(|help| !help.is_empty());
    [match help {
        Some(help) => group.element(Level::HELP.message(shown(help))),
        None => group,
    }]
}

/// A text from outside: harmless, and not longer than anybody reads.
fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", escape(&text[..end])),
        None => escape(text).into_owned(),
    }
}

/// The line on which a span starts, its number, and the part of the span that lies on it (a table that
/// is wrong as a whole is marked at its head). One line is enough, and files may be large.
fn line_of(text: &str, span: &Range<usize>) -> (usize, String, Range<usize>) {
    let start = floor(text, span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let most = |from: usize| {
        let part = &text[from..line_end];
        part.char_indices().nth(LONGEST).map_or(line_end, |(end, _)| from + end)
    };
    let end = floor(text, span.end.clamp(start, line_end)).clamp(start, most(start));
    // Whoever draws it makes the old control characters visible, not the newer ones.
    let harmless = |part: &str| -> String {
        let newer = |letter: char| letter >= '\u{7f}' && is_unsafe(letter);
        part.chars().map(|letter| if newer(letter) { '\u{fffd}' } else { letter }).collect()
    };
    let before = harmless(&text[line_start..start]);
    let marked = harmless(&text[start..end]);
    let after = harmless(text[end..most(end)].trim_end_matches('\r'));
    let span = before.len()..before.len() + marked.len();
    (text[..line_start].matches('\n').count() + 1, before + &marked + &after, span)
}

fn floor(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}
