//! A finding as a scenario file that tells it: its story as a comment, and expectations that state it.

use toml::{Table, Value};

use super::{Kind, Shrunk, Survey, show};
use crate::observe::{Class, Finding, Labels, Mechanism, escape, shell_word};
use crate::scenario::Document;
use crate::sim::HostId;
use crate::time::Span;

/// A finding, told.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's name without its ending, which is that of the scenario.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// `APP/INDEX` (or the server's own `APP/id`) of the instance that is stuck.
    pub instance: Option<String>,
    /// Where: the name of the server.
    pub server: Option<String>,
    /// The text of the file.
    pub text: String,
}

/// Tells what was found and made small; `why` are lines that explain it, in which nothing has to be escaped.
#[must_use]
pub fn case(shrunk: &Shrunk, survey: &[Survey], why: &[String]) -> Option<Case> {
    let plan = &shrunk.shown.plan;
    let (kind, finding, broken) = shrunk.shown.first(shrunk.kind)?;
    let labels = Labels::new(plan);
    let digits: String = shrunk.shown.digest.to_string().chars().take(8).collect();
    let name = format!("{}-{digits}", shrunk.found.name());
    let mut document = shrunk.document.clone();
    let (mut instance, mut server) = (None, None);
    let about = match finding {
        None => format!("An expectation does not hold: {broken}."),
        Some(finding) => {
            let who = who(shrunk, finding);
            let place = labels.server(finding.server).to_owned();
            let about = sentence(&who, &place, finding);
            document.list_mut("expect").extend(expectations(&who, &place, finding, *kind));
            keep_what_holds(&mut document);
            (instance, server) = (Some(who), Some(place));
            about
        }
    };
    document.0.insert("name".to_owned(), name.clone().into());
    document.0.insert("about".to_owned(), about.clone().into());
    let file = format!("{name}.toml");
    let mut story = vec![about.clone(), String::new()];
    for (entry, of) in plan.timeline.iter().zip(&plan.setup.timeline) {
        let lasts = of.until.map(|until| format!(" for {}", until.since(of.at)));
        let lasts = lasts.unwrap_or_default();
        let at = Span::from_nanos(of.at.nanos()).to_string();
        story.push(format!("  {at:>12}  {} {}{lasts}", entry.what, entry.details));
    }
    if plan.timeline.is_empty() {
        story.push("  Nothing happens to it: the seed is enough.".to_owned());
    }
    let happens = happens(survey);
    if !happens.is_empty() {
        story.push(String::new());
        story.extend(happens);
    }
    if !why.is_empty() {
        story.push(String::new());
        story.extend_from_slice(why);
    }
    story.push(String::new());
    story.push(format!("eureka-sim run {file}"));
    if let Some(instance) = &instance {
        let instance = shell_word(instance);
        let server = server.as_deref().map(shell_word).unwrap_or_default();
        story.push(format!("eureka-sim explain {file} --instance {instance} --server {server}"));
    }
    let comment: String = story
        .iter()
        .map(|line| format!("# {}", escape(line)).trim_end().to_owned() + "\n")
        .collect();
    Some(Case { name, about, instance, server, text: format!("{comment}{}", document.text()) })
}

/// What the server says at the end may be something else again: only what holds is stated.
fn keep_what_holds(document: &mut Document) {
    let broken = show(document, &|| false).map(|shown| shown.kinds);
    let broken: Vec<usize> = broken
        .into_iter()
        .flatten()
        .filter_map(|(kind, ..)| if let Kind::Broken(number) = kind { Some(number) } else { None })
        .collect();
    let mut number = 0;
    document.list_mut("expect").retain(|_| {
        number += 1;
        !broken.contains(&number)
    });
}

/// The instance in the words of `[[expect]]`: by its index, unless others take its place.
fn who(shrunk: &Shrunk, finding: &Finding) -> String {
    let setup = &shrunk.shown.plan.setup;
    let host = (setup.servers.len()..setup.host_count())
        .map(HostId::new)
        .find(|host| setup.first_key_of(*host) == finding.key);
    let is_replaced = |host: HostId| {
        setup.members.iter().any(|member| member.host == host && member.key != finding.key)
    };
    match host.filter(|host| !is_replaced(*host)) {
        Some(host) => Labels::new(&shrunk.shown.plan).host(host),
        None => setup.names.full(finding.key),
    }
}

fn sentence(who: &str, server: &str, finding: &Finding) -> String {
    let why = finding.mechanism.map_or_else(String::new, |mechanism| {
        format!(": {} ({})", mechanism.sentence(), mechanism.name())
    });
    let what = match finding.class {
        Class::Stuck(status) => format!("{who} is stuck {} at {server}", status.name()),
        Class::UpButDead => format!("{who} is UP at {server} and its process is gone"),
        Class::AliveButMissing => format!("{who} runs and is missing at {server}"),
        Class::DivergedBetweenPeers => {
            format!("{server} says something else of {who} than its peers")
        }
    };
    format!("{what} since {}{why}.", finding.since)
}

/// That it is found, and what the server says at the end.
fn expectations(who: &str, server: &str, finding: &Finding, kind: Kind) -> Vec<Value> {
    let of = |entries: Vec<(&str, Value)>| {
        let table: Table =
            entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Value::Table(table)
    };
    let mechanism = kind.mechanism().map_or("", Mechanism::name);
    let label = format!("{} at {server}, by {mechanism}", kind.class());
    let found = of(vec![
        ("event", "stuck".into()),
        ("instance", who.into()),
        ("server", server.into()),
        ("happens", true.into()),
        ("label", label.trim_end_matches(", by ").into()),
    ]);
    let status = match finding.class {
        Class::Stuck(status) => Some(status.name()),
        Class::UpButDead => Some("UP"),
        Class::AliveButMissing => Some("ABSENT"),
        Class::DivergedBetweenPeers => None,
    };
    let says = status.map(|status| {
        of(vec![
            ("metric", "status".into()),
            ("instance", who.into()),
            ("server", server.into()),
            ("at", "end".into()),
            ("equals", status.into()),
        ])
    });
    std::iter::once(found).chain(says).collect()
}

/// In which releases it happens, a line for each flavour: `happens in 1.3.4 to 2.0.4; not from 2.0.5 on`.
#[must_use]
pub fn happens(survey: &[Survey]) -> Vec<String> {
    survey.chunk_by(|a, b| a.flavor == b.flavor).map(of_flavor).collect()
}

fn of_flavor(survey: &[Survey]) -> String {
    let flavor = survey.first().and_then(|first| first.flavor);
    let flavor = flavor.map_or_else(String::new, |flavor| format!("{}: ", flavor.name()));
    let range = |alike: &[Survey]| match alike {
        [one] => one.release.to_string(),
        [one, .., last] => format!("{} to {}", one.release, last.release),
        [] => String::new(),
    };
    let alike: Vec<&[Survey]> = survey.chunk_by(|a, b| a.happens == b.happens).collect();
    let is = |happens: Option<bool>| {
        let of = alike.iter().filter(|part| part.first().is_some_and(|one| one.happens == happens));
        of.map(|part| range(part)).collect::<Vec<_>>().join(", ")
    };
    let (yes, no, never) = (is(Some(true)), is(Some(false)), is(None));
    let mut text = match (yes.is_empty(), no.is_empty()) {
        (false, _) => format!("{flavor}happens in {yes}"),
        (true, false) => format!("{flavor}does not happen in {no}"),
        (true, true) => flavor.clone(),
    };
    if let [.., before, last] = alike.as_slice()
        && let ([.., Survey { happens: Some(true), .. }], [first, ..]) = (before, last)
        && first.happens == Some(false)
    {
        text += &format!("; no longer in {}", first.release);
    }
    if !never.is_empty() {
        text += &format!("; cannot be run in {never}");
    }
    text
}
