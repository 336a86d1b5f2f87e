//! An explanation for people: the story in columns, the verdict, and what was tried.

use super::names::{Names, time};
use super::verdict::{cure_text, result_text, verdict};
use super::words::{is_told, seen_name, words};
use crate::observe::{Seen, StoryEvent};
use crate::report::style::{BAD, DIM, END, GOOD, NAME, escape};
use crate::scenario::Plan;
use crate::sim::HostId;
use crate::study::explain::{Cure, Explanation, FUTURE};
use crate::time::Span;

/// Longest line, in characters.
const WIDTH: usize = 120;
/// Widest column of places.
const PLACE: usize = 24;

/// The explanation with colours, with what only one server did if one is named. `rerun` is the command line
/// that does it again.
#[must_use]
pub fn explain_text(
    explained: &Explanation,
    server: Option<HostId>,
    plan: &Plan,
    rerun: &str,
) -> String {
    let names = Names::new(plan);
    let instance = plan.setup.names.full(explained.key);
    let mut text = format!(
        "{NAME}{}{END}  {}  seed {}  at {}\n",
        escape(&instance),
        escape(&plan.name),
        plan.setup.seed,
        time(explained.at)
    );
    text += &story(explained, server, &names);
    text += &views(explained);
    text += "\n";
    let colour = if explained.wrong.is_empty() { GOOD } else { BAD };
    let sign = if explained.wrong.is_empty() { "✓" } else { "✗" };
    let paragraph = verdict(explained, plan, &names);
    for (number, line) in wrapped(&escape(&paragraph), WIDTH - 4).into_iter().enumerate() {
        let sign = if number == 0 { sign } else { " " };
        text += &format!("  {colour}{sign}{END} {line}\n");
    }
    text += &cures(explained, plan, &names);
    text += &format!("{DIM}rerun:{END} {}\n", escape(rerun));
    text
}

fn story(explained: &Explanation, server: Option<HostId>, names: &Names) -> String {
    let told: Vec<&StoryEvent> =
        explained.events.iter().filter(|event| is_told(event, server)).collect();
    if told.is_empty() {
        return format!("  {DIM}nothing has happened to it{END}\n");
    }
    let times: Vec<String> = (0..told.len()).map(|number| time_among(&told, number)).collect();
    let places: Vec<String> =
        told.iter().map(|event| escape(&names.place(event.place)).into_owned()).collect();
    let width = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let (first, second) = (width(&times), width(&places).min(PLACE));
    let indent = 2 + first + 2 + second + 2;
    let mut text = String::new();
    let mut before: Option<&str> = None;
    for ((event, at), place) in told.iter().zip(&times).zip(&places) {
        let words = words(event, names);
        let sentence = match words.rule {
            // Of heartbeats and evictions the sentence says it.
            Some(rule) if rule.ends_with("Rule") => format!("{} [{rule}]", words.text),
            _ => words.text,
        };
        let lines = wrapped(&escape(&sentence), WIDTH.saturating_sub(indent).max(40));
        let shown = if before == Some(at.as_str()) { "" } else { at.as_str() };
        before = Some(at.as_str());
        for (number, line) in lines.iter().enumerate() {
            text += &match number {
                0 => format!("  {DIM}{shown:>first$}{END}  {NAME}{place:<second$}{END}  {line}\n"),
                _ => format!("{:indent$}{line}\n", ""),
            };
        }
    }
    text
}

/// When an event happened, to the millisecond; to the microsecond if its neighbours are of the same millisecond
/// and not of the same instant.
fn time_among(told: &[&StoryEvent], number: usize) -> String {
    let at = told[number].at;
    let is_near = |other: Option<&&StoryEvent>| {
        other.is_some_and(|other| other.at != at && time(other.at) == time(at))
    };
    if is_near(number.checked_sub(1).map(|before| &told[before])) || is_near(told.get(number + 1)) {
        Span::from_nanos(at.nanos() / 1_000 * 1_000).to_string()
    } else {
        time(at)
    }
}

/// What is wrong with the instance, why, and what would end it, in lines of so many characters. Untrusted names
/// are escaped.
#[must_use]
pub fn verdict_lines(explained: &Explanation, plan: &Plan, width: usize) -> Vec<String> {
    wrapped(&escape(&verdict(explained, plan, &Names::new(plan))), width)
}

fn views(explained: &Explanation) -> String {
    if explained.views.is_empty() {
        return String::new();
    }
    let said = |(seen, count): &(Seen, usize)| {
        let verb = |one: &str, several: &str| {
            if *count == 1 { one.to_owned() } else { several.to_owned() }
        };
        match seen {
            Seen::Absent => format!("{count} {} not see it", verb("does", "do")),
            seen => format!("{count} {} it as {}", verb("sees", "see"), seen_name(*seen)),
        }
    };
    let said: Vec<String> = explained.views.iter().rev().map(said).collect();
    format!("  {DIM}other clients then:{END} {}\n", said.join(", "))
}

fn cures(explained: &Explanation, plan: &Plan, names: &Names) -> String {
    if explained.cures.is_empty() {
        return String::new();
    }
    let instance = plan.setup.names.full(explained.key);
    let minutes = FUTURE.millis() / 60_000;
    let mut text = format!(
        "\n  what was tried, each in a run of its own, in which nothing else is done for {minutes} minutes:\n"
    );
    let results: Vec<String> =
        explained.cures.iter().map(|tried| result_text(tried.at, explained.at)).collect();
    let width = results.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let most = explained.cures.iter().map(|tried| tried.cure.name().len()).max().unwrap_or(0);
    let waits = explained.cures.iter().find(|tried| tried.cure == Cure::Wait);
    let waits = waits.and_then(|tried| tried.at);
    for (tried, result) in explained.cures.iter().zip(&results) {
        // What comes no sooner than by itself cures nothing.
        let by_itself = waits.is_some() && tried.at >= waits && tried.cure != Cure::Wait;
        let (colour, sign) = match tried.at {
            Some(_) if by_itself => (DIM, "–"),
            Some(_) => (GOOD, "✓"),
            None => (BAD, "✗"),
        };
        let mut what = cure_text(&tried.cure, &instance, names);
        if by_itself {
            what += " (no sooner than by itself)";
        }
        let name = tried.cure.name();
        let indent = 4 + most + 2 + width + 2;
        let room = WIDTH.saturating_sub(indent).max(40);
        for (number, line) in wrapped(&escape(&what), room).iter().enumerate() {
            text += &match number {
                0 => format!("  {colour}{sign}{END} {name:<most$}  {result:<width$}  {line}\n"),
                _ => format!("{:indent$}{line}\n", ""),
            };
        }
    }
    text
}

/// A text in lines of so many characters, broken at spaces; what has none and is longer stands alone.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let more = word.chars().count();
        if length > 0 && length + 1 + more > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += more;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_at_spaces_and_long_words_stand_alone() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a verylongword b", 4), ["a", "verylongword", "b"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
