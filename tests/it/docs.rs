//! What the documentation shows is what the program does.

use std::fs;
use std::path::Path;

use eureka_sim::observe::{Recording, Watch};
use eureka_sim::report::render_diagnostics;
use eureka_sim::scenario::{self, Metric, Plan};
use eureka_sim::study;
use expect_test::expect_file;

use crate::sandbox::Sandbox;
use crate::support::{NoIncludes, entries, shipped};

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(path).expect("there is a README")
}

/// The first fenced block of a language in the README.
fn block(language: &str) -> String {
    let readme = readme();
    let after = readme.split(&format!("```{language}\n")).nth(1).map(str::to_owned);
    let block = after.as_deref().and_then(|rest| rest.split("```").next());
    block.expect("the README has such a block").to_owned()
}

fn recorded(plan: &Plan) -> Recording {
    study::run(plan, Watch::<false>::new(plan), &mut ()).expect("nobody interrupts").0
}

/// The scenario that the README shows is a whole one, and what it expects is so.
#[test]
fn the_readmes_scenario_runs_and_holds() {
    let plan = scenario::load(
        Path::new("my.toml"),
        &block("toml"),
        scenario::Changes::default(),
        &NoIncludes,
    );
    let plan =
        plan.unwrap_or_else(|no| panic!("{}", render_diagnostics(&no.sources, &no.diagnostics)));
    let verdicts = recorded(&plan).summary.expectations;
    assert!(!verdicts.is_empty());
    for verdict in verdicts {
        assert!(verdict.ok, "{verdict:?}");
    }
}

/// Every metric that an expectation may name is defined where the language is described.
#[test]
fn every_metric_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/LANGUAGE.md");
    let text = fs::read_to_string(path).expect("there is a README of scenarios");
    let tables: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    for (name, _) in Metric::ALL {
        let name = format!("`{name}`");
        let defined = |line: &&str| line.split('|').nth(1).is_some_and(|cell| cell.contains(&name));
        assert!(tables.iter().any(defined), "{name}");
    }
}

/// The README's tour: each command in a block of its own is run, in a folder that has the scenarios,
/// and what it prints is the block that follows. `UPDATE_EXPECT=1` writes them anew.
#[test]
fn the_readmes_tour_is_what_a_reader_gets() {
    let sandbox = Sandbox::new("tour");
    let hunts = entries("scenarios/hunt");
    for path in shipped().iter().map(|of| &of.path).chain(&hunts) {
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("they are here");
        sandbox.write(&name.to_string_lossy(), fs::read(path).expect("they can be read"));
    }
    let text = readme();
    let mut rest = text.as_str();
    let mut tour = String::new();
    let mut commands = 0;
    while let Some((before, after)) = rest.split_once("```sh\n") {
        let (command, after) = after.split_once("```").expect("a block ends");
        tour += &format!("{before}```sh\n{command}```");
        rest = after;
        let Some((_, after)) =
            after.strip_prefix("\n\n```text\n").and_then(|t| t.split_once("```"))
        else {
            continue;
        };
        let words = command.trim();
        let words = words.strip_prefix("cargo run --release -- ").unwrap_or(words);
        let words: Vec<&str> = words.trim_start_matches("eureka-sim ").split(' ').collect();
        let ran = sandbox.run(&words);
        tour += &format!("\n\n```text\n{}```", ran.stdout);
        rest = after;
        commands += 1;
    }
    assert_eq!(commands, 7, "the tour has seven steps");
    tour += rest;
    let count = format!("(scenarios/README.md) has {} such scenarios", shipped().len());
    assert!(tour.contains(&count), "the README does not say: {count}");
    let figures = tour.split("](reports/").skip(1).filter_map(|link| link.split(')').next());
    let figures: Vec<&str> = figures.filter(|name| name.ends_with(".svg")).collect();
    assert_eq!(figures.len(), 4, "and four figures");
    for figure in figures {
        let figure = format!("reports/{figure}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&figure);
        expect_file![path].assert_eq(&sandbox.read(&figure));
    }
    expect_file!["../../README.md"].assert_eq(&tour);
}
