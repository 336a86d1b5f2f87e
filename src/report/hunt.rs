//! What a hunt came to, as people and programs read it.

use serde_json::{Value, json};

use super::style::{BAD, DIM, END, GOOD, NAME, escape};
use crate::eureka::Flavor;
use crate::observe::{Mechanism, shell_word, t_ms};
use crate::study::hunt::{Case, Kind, Shrunk, Size, Survey, happens};
use crate::time::Span;

/// One kind of finding, made small and told.
#[derive(Clone, Debug)]
pub struct Told {
    /// In how many runs it was seen, and the first of them.
    pub runs: u64,
    /// The first of them.
    pub first: u64,
    /// The small scenario.
    pub shrunk: Shrunk,
    /// Its file.
    pub case: Case,
    /// In which releases it happens.
    pub survey: Vec<Survey>,
    /// What is wrong, why, and what would end it: lines.
    pub why: Vec<String>,
    /// Where the file is.
    pub path: String,
}

/// What a hunt came to.
#[derive(Clone, Debug)]
pub struct HuntReport {
    /// The scenario's name.
    pub scenario: String,
    /// The search's seed.
    pub seed: u64,
    /// How many runs it had.
    pub runs: u64,
    /// What was found, by kind.
    pub told: Vec<Told>,
    /// Kinds that could not be shown again with nothing else expected: said, and not told.
    pub lost: Vec<Kind>,
    /// Kinds that nobody asked for, and in how many runs each was seen.
    pub others: Vec<(Kind, u64)>,
    /// It was interrupted.
    pub is_interrupted: bool,
    /// Files of the corpus that no longer show what they are named after.
    pub gone: Vec<String>,
    /// The command line that does it again.
    pub rerun: String,
}

impl HuntReport {
    /// For people, with colours.
    #[must_use]
    pub fn text(&self) -> String {
        let name = &self.scenario;
        let runs = if self.runs == 1 { "run" } else { "runs" };
        let mut text = format!("{NAME}{name}{END}  seed {}  {} {runs}\n", self.seed, self.runs);
        let nothing = self.told.is_empty() && self.lost.is_empty();
        if nothing && self.is_interrupted {
            text += "  nothing was found by then\n";
        } else if nothing && self.others.is_empty() {
            text += &format!("  {GOOD}✓{END} nothing is stuck, and every expectation holds\n");
        } else if nothing {
            text += "  nothing of what was asked for\n";
        }
        for told in &self.told {
            text += &told.text(self.runs);
        }
        if !self.others.is_empty() {
            let others: Vec<String> = self
                .others
                .iter()
                .map(|(kind, runs)| format!("{} ({runs})", kind.name()))
                .collect();
            text += &format!("  {DIM}seen too, and not told:{END} {}\n", others.join(", "));
        }
        for kind in &self.lost {
            text += &format!("  {BAD}✗{END} {} was seen and cannot be shown again\n", kind.name());
        }
        for file in &self.gone {
            let file = escape(file);
            text +=
                &format!("  {BAD}corpus{END}: {file} no longer shows it with this eureka-sim\n");
        }
        text + &format!("{DIM}rerun:{END} {}\n", self.rerun)
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let findings: Vec<Value> = self.told.iter().map(Told::json).collect();
        json!({
            "schema": 1,
            "scenario": self.scenario,
            "seed": self.seed,
            "runs": self.runs,
            "findings": findings,
            "gone": self.gone,
        })
    }
}

impl Told {
    fn text(&self, of: u64) -> String {
        let Self { runs, first, case, shrunk, .. } = self;
        let kind = shrunk.found;
        let which = match kind {
            Kind::Stuck(_, mechanism) => mechanism.map_or("", Mechanism::name).to_owned(),
            Kind::Broken(number) => number.to_string(),
        };
        let mut text = format!(
            "  {BAD}✗{END} {BAD}{} {which}{END}  in {runs} of {of} runs, first in run {first}\n",
            kind.class()
        );
        match self.why.as_slice() {
            [] => text += &format!("    {}\n", escape(&case.about)),
            why => why.iter().for_each(|line| text += &format!("    {line}\n")),
        }
        let timeline = shrunk.shown.plan.timeline.iter().zip(&shrunk.shown.plan.setup.timeline);
        for (entry, when) in timeline {
            let lasts = when.until.map(|until| format!(" for {}", until.since(when.at)));
            let (details, lasts) = (escape(&entry.details), lasts.unwrap_or_default());
            let at = Span::from_nanos(when.at.nanos()).to_string();
            text += &format!("    {at:>12}  {} {details}{lasts}\n", entry.what);
        }
        let Size { entries, processes, duration } = shrunk.before;
        let Size { entries: few, processes: needed, duration: short } = shrunk.after;
        text += &format!(
            "    {DIM}from {entries} entries, {processes} processes, {duration} to {few}, {needed}, {short} in {} runs{END}\n",
            shrunk.runs
        );
        for line in happens(&self.survey) {
            text += &format!("    {line}\n");
        }
        text += &format!("    {}\n", escape(&self.path));
        if let Some(instance) = &case.instance {
            let (path, instance) = (shell_word(&self.path), shell_word(instance));
            let server = case.server.as_ref().map(|name| format!(" --server {}", shell_word(name)));
            let server = server.unwrap_or_default();
            text += &format!(
                "    {DIM}why:{END} eureka-sim explain {path} --instance {instance}{server}\n"
            );
        }
        text
    }

    fn json(&self) -> Value {
        let Shrunk { kind, shown, after, .. } = &self.shrunk;
        let since =
            shown.first(*kind).and_then(|(_, finding, _)| *finding).map(|finding| finding.since);
        let releases: Vec<Value> = self
            .survey
            .iter()
            .map(|of| {
                json!({
                    "release": of.release.to_string(),
                    "flavor": of.flavor.map(Flavor::name),
                    "happens": of.happens,
                })
            })
            .collect();
        json!({
            "class": kind.class(),
            "mechanism": kind.mechanism().map(Mechanism::name),
            "expectation": if let Kind::Broken(number) = self.shrunk.found { Some(number) } else { None },
            "text": self.case.about,
            "why": if self.why.is_empty() { None } else { Some(self.why.join(" ")) },
            "instance": self.case.instance,
            "server": self.case.server,
            "since_ms": since.map(t_ms),
            "runs": self.runs,
            "first_run": self.first,
            "file": self.path,
            "entries": after.entries,
            "processes": after.processes,
            "duration_ms": after.duration.millis(),
            "releases": releases,
        })
    }
}
