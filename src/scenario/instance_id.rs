//! `instance-id`: the template of the ids of a group.

use super::diagnostics::Diagnostics;
use super::reader::{Read, Reader};

/// The template, taken apart.
pub(super) struct Template {
    /// As it was written.
    pub(super) text: Read<String>,
    parts: Vec<Part>,
}

enum Part {
    Literal(String),
    LowerApp,
    UpperApp,
    /// Zero-padded to so many digits.
    Index(usize),
    Generation,
}

/// The template if nothing is said.
const DEFAULT: &str = "{app}-{index:04}";
/// Longest template in bytes: an id is made for each of up to 2,000,000 instances.
const LONGEST: usize = 200;

impl Template {
    pub(super) fn read(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<Self> {
        let place = reader.place.clone();
        let text = reader.text("instance-id", diags);
        if text.is_none() && !reader.present(&["instance-id"]).is_empty() {
            return None;
        }
        let text = text.unwrap_or(Read { value: DEFAULT.to_owned(), place });
        let parts = parts(&text.value);
        if parts.is_none() {
            let example =
                "`h{index:04}:{app}:8080`; placeholders are {app}, {APP}, {index}, {index:04}, {n}";
            diags.malformed(&text.place, "a template of instance ids", &text.value, example);
        }
        Some(Self { text, parts: parts? })
    }

    /// Whether ids depend on the generation.
    pub(super) fn has_generation(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Generation))
    }

    /// The id of the instance with this index, in this generation.
    pub(super) fn fill(&self, app: &str, index: usize, generation: u64) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::LowerApp => app.to_lowercase(),
            Part::UpperApp => app.to_uppercase(),
            Part::Index(width) => format!("{index:0width$}"),
            Part::Generation => generation.to_string(),
        };
        self.parts.iter().map(part).collect()
    }
}

/// Ids stand in paths (`APP/instance-id`), in logs and on terminals: no slash, no control characters.
fn parts(text: &str) -> Option<Vec<Part>> {
    let forbidden = |letter: char| letter == '/' || letter.is_control();
    if text.trim().is_empty() || text.len() > LONGEST || text.contains(forbidden) {
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        parts.push(Part::Literal(literal.to_owned()));
        let (placeholder, after) = after.split_once('}')?;
        parts.push(match placeholder {
            "app" => Part::LowerApp,
            "APP" => Part::UpperApp,
            "n" => Part::Generation,
            "index" => Part::Index(0),
            other => Part::Index(width(other.strip_prefix("index:0")?)?),
        });
        rest = after;
    }
    parts.push(Part::Literal(rest.to_owned()));
    Some(parts)
}

fn width(digits: &str) -> Option<usize> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|width| plain && (1..=20).contains(width))
}
