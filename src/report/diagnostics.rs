//! Problems of a scenario, drawn into its source as compilers do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::style::escape;
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

fn report<'a>(sources: &'a Sources, diagnostic: &'a Diagnostic) -> [Group<'a>; 1] {
    let source = sources.get(diagnostic.place.source);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(escape(&diagnostic.message)).id(diagnostic.code);
    let span = clamp(&source.text, &diagnostic.place.span);
    let annotation = AnnotationKind::Primary.span(span).label(escape(&diagnostic.label));
    let snippet =
        Snippet::source(source.text.as_str()).path(source.name.as_str()).annotation(annotation);
    let group = title.element(snippet);
    let help = diagnostic.help.as_deref().filter(|help| !help.is_empty());
    [match help {
        Some(help) => group.element(Level::HELP.message(escape(help))),
        None => group,
    }]
}

/// The part of a span that lies on its first line and on character boundaries: a table that is wrong
/// as a whole is marked at its head.
fn clamp(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = floor(text, span.start);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let end = floor(text, span.end.min(line_end));
    start..end.max(start)
}

fn floor(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}
