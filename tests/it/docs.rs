//! What the documentation shows is what the program does.

use std::fs;
use std::path::Path;

use anstream::adapter::strip_str;
use eureka_sim::observe::{Recording, Watch};
use eureka_sim::report::{Figure, render_diagnostics, summary_text};
use eureka_sim::scenario::{self, Metric, Plan};
use eureka_sim::study;
use expect_test::expect_file;

use crate::support::{NoIncludes, plan};

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
    let plan = scenario::load(Path::new("my.toml"), &block("toml"), &[], None, &NoIncludes);
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

/// The command that the README begins with prints this and draws that.
#[test]
fn the_readmes_summary_and_figure_are_todays() {
    let file = "scenarios/partitions/partition-between-peers.toml";
    assert!(readme().contains(&format!("cargo run --release -- run {file}\n")));
    let plan = plan(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
    let recording = recorded(&plan);
    let rerun = format!("eureka-sim run {file} --seed {}", plan.setup.seed);
    assert_eq!(block("text"), strip_str(&summary_text(&recording, &rerun)).to_string());
    let figure = Figure::RegistrySize.svg(&plan, &recording);
    expect_file!["../../reports/partition-between-peers/registry-size.svg"].assert_eq(&figure);
}
