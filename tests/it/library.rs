//! The library of scenarios: every situation that users report has one, and the page about it is made
//! from the files. `UPDATE_EXPECT=1` writes the page and its figures anew.

use std::fmt::Write;
use std::path::Path;

use eureka_sim::observe::ExpectationSummary;
use eureka_sim::report::Figure;
use eureka_sim::scenario::Claim;
use expect_test::expect_file;

use crate::support::{Shipped, entries, shipped};

/// The folders in the order of the page, and what somebody finds there.
const FOLDERS: [(&str, &str); 12] = [
    (
        "thresholds",
        "How many renewals a server expects: where the number comes from, what moves it, and what does not.",
    ),
    ("self-preservation", "When eviction stops, for whom, and when it begins again."),
    ("eviction", "Who goes when, how many at once, and what that costs."),
    ("heartbeats", "Intervals and latencies other than those the server expects."),
    ("partitions", "Servers, zones and clients that lose sight of one another."),
    ("replication", "What reaches the other servers, and what does not."),
    ("startup", "The first minutes of a server or a cluster."),
    ("clocks", "Pauses, and clocks that step."),
    ("deploys", "Rolling deploys, scaling, replacements, upgrades."),
    ("caches", "Who is called after his end, and what everybody fetches."),
    (
        "stuck",
        "DOWN, STARTING, OUT_OF_SERVICE or UP, and wrong. The mechanisms `m01` to `m18` are compared in [a table of their own](stuck/README.md).",
    ),
    ("claims", "What is said about Eureka, put to the test."),
];

/// The situations that issues and articles report, and the scenarios that show each.
const SITUATIONS: [(&str, &[&str]); 47] = [
    ("one to five instances at a lone server", &["tiny-standalone-1to5"]),
    ("nine instances, one killed", &["nine-clients-one-killed"]),
    ("a threshold of 0.49", &["threshold-049-pair"]),
    ("exactly 15 %, and one more", &["off-by-one-15pct"]),
    ("a fifth is gone for good", &["permanent-loss-20pct"]),
    ("killed and replaced, again and again", &["kill-loop-ratchet"]),
    ("286 registrations of 65 instances", &["marathon-churn-65"]),
    ("OUT_OF_SERVICE keeps the threshold up", &["oos-blocks-threshold", "oos-at-85-percent"]),
    ("a lone server that does not fetch", &["standalone-no-fetch"]),
    ("an open count of zero", &["zero-open-count"]),
    ("self-preservation switched off and on", &["workaround-latch"]),
    ("the percentage lowered at run time", &["lower-percent-at-runtime"]),
    ("a scale-down in Kubernetes", &["k8s-scale-down-sharp", "autoscaling"]),
    ("heartbeats faster than expected", &["fast-heartbeat-disarms"]),
    ("heartbeats slower than expected", &["slow-heartbeat-always-on"]),
    ("a slow network and no failure", &["slow-network-no-failure"]),
    ("three instances, and minutes without eviction", &["small-n-flap"]),
    ("a slow bleed", &["slow-bleed", "slow-bleed-largest-bites"]),
    ("a mass kill, and all return", &["mass-kill-then-return"]),
    ("an outage without self-preservation", &["outage-selfpres-off", "self-preservation-off"]),
    ("twice the lease", &["two-x-duration"]),
    (
        "five minutes in everybody's lists",
        &["five-minute-stale", "five-minute-stale-by-phase", "traffic-to-the-dead"],
    ),
    ("a rolling deploy of eight", &["rolling-deploy-8", "rolling-deploy"]),
    ("a new process under the old id", &["blue-green-reuse-id"]),
    ("DOWN after the start, for some of 24", &["stuck-down-startup-race"]),
    ("STARTING, by two ways at once", &["stuck-starting-two-paths", "m08-torn-body"]),
    ("STARTING at one server, UP at the other", &["starting-up-two-servers"]),
    ("a blip of OUT_OF_SERVICE", &["readiness-blip-oos", "m06-out-of-service-latch"]),
    ("UP, and the rate limiter", &["rate-limited-up", "m12-rate-limited"]),
    ("an override set and deleted", &["override-delete-loop"]),
    ("an override lost with its lease", &["override-lost-on-evict"]),
    ("a client that only beats", &["heartbeat-only-recovery"]),
    ("a client that does not register again", &["no-reregister-on-404"]),
    ("the DELETE overtakes", &["shutdown-overtake", "m02-register-after-delete"]),
    ("a 409 without a body", &["409-without-body"]),
    ("a ring of servers", &["ring-topology"]),
    ("a partition with half on each side", &["partition-50-50"]),
    (
        "a partition with a tenth on one side",
        &["partition-between-peers", "partition-tipping-point"],
    ),
    ("a partition without self-preservation", &["partition-selfpres-off"]),
    ("a DELETE that one server never hears", &["delete-during-inbound-drop"]),
    (
        "a restarted server with a part of the list",
        &["server-restart-partial-spring", "server-restart-partial-netflix"],
    ),
    ("an address handed over to a new server", &["eip-handover"]),
    ("a slow peer", &["slow-peer-storm", "slow-peer-storm-before-1-8-7"]),
    ("a client that beats too often", &["over-eager-client"]),
    ("deltas that do not match", &["delta-mismatch-storm", "delta-mismatch-storm-shared-id"]),
    (
        "a server's GC pause",
        &[
            "gc-pause-server",
            "gc-pause",
            "gc-pause-full-accept-queue",
            "compensation-time",
            "pause-rotation",
        ],
    ),
    ("a clock that steps", &["clock-step-forward", "clock-step-backward", "clock-step-client"]),
];

fn named(name: &str) -> &'static Shipped {
    let mut all = shipped().iter();
    all.find(|of| of.plan.name == name).unwrap_or_else(|| panic!("no scenario is called {name}"))
}

/// `folder/name.toml`, as a link of the page.
fn link(of: &Shipped) -> String {
    format!("[{}]({}/{0}.toml)", of.plan.name, of.folder())
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*")
}

fn page() -> String {
    let (count, expectations) = (
        shipped().len(),
        shipped().iter().map(|of| of.recording.summary.expectations.len()).sum::<usize>(),
    );
    let mut page = format!(
        "<!-- Made from the scenarios: UPDATE_EXPECT=1 cargo test --locked --test it -- library -->\n\
         # The library of scenarios\n\n\
         {count} scenarios of what people who run Eureka have met or been told of, with {expectations} \
         expectations that state in numbers what is so. Where a report says something else, the file says \
         why it is not. Each runs in a second or less:\n\n\
         ```sh\n\
         eureka-sim run scenarios                                     # all of them, a line each\n\
         eureka-sim run scenarios/self-preservation                   # a folder\n\
         eureka-sim run scenarios/thresholds/twenty-clients.toml      # one, with its figures in reports/\n\
         eureka-sim run scenarios --list                              # what each shows\n\
         eureka-sim run scenarios --junit verdicts.xml                # for CI systems\n\
         ```\n\n\
         On the cards: what each server has registered and, black, who is really alive; renewals and, thin, \
         the threshold; bars below for times without eviction; or the status of instances, first what each \
         says of itself, then what each server has. Orange is a fault. \
         [The language](LANGUAGE.md) is described word by word. N# are issues of Netflix/eureka, S# of \
         spring-cloud/spring-cloud-netflix.\n\n"
    );
    for (folder, what) in FOLDERS {
        writeln!(page, "- [{folder}](#{folder}): {what}").expect("a text can be written to");
    }
    page += "- [the situations](#the-situations) that issues and articles report, one by one\n\
             - [claims and verdicts](#claims-and-verdicts)\n";
    for (folder, what) in FOLDERS {
        write!(page, "\n## {folder}\n\n{what}\n\n| scenario | |\n|---|---|\n")
            .expect("a text can be written to");
        for of in shipped().iter().filter(|of| of.folder() == folder) {
            let name = &of.plan.name;
            writeln!(
                page,
                "| **{}**<br>{}{} | <img src=\"figures/{name}.svg\" width=\"420\" alt=\"{name}\"> |",
                link(of),
                cell(&of.plan.about),
                issues(of),
            )
            .expect("a text can be written to");
        }
    }
    page += "\n## The situations\n\n| | situation | shown by |\n|---|---|---|\n";
    for (position, (what, names)) in SITUATIONS.iter().enumerate() {
        let links: Vec<String> = names.iter().map(|name| link(named(name))).collect();
        writeln!(page, "| {} | {what} | {} |", position + 1, links.join(", "))
            .expect("a text can be written to");
    }
    page + &claims()
}

/// The issues among a scenario's sources, short.
fn issues(of: &Shipped) -> String {
    let short = |source: &String| {
        let address = source.split(' ').next()?;
        let rest = address.strip_prefix("https://github.com/")?;
        let (repository, number) =
            rest.split_once("/issues/").or_else(|| rest.split_once("/pull/"))?;
        let name = match repository {
            "Netflix/eureka" => format!("N#{number}"),
            "spring-cloud/spring-cloud-netflix" => format!("S#{number}"),
            other => format!("{other}#{number}"),
        };
        Some(format!("[{name}]({address})"))
    };
    let found: Vec<String> = of.plan.source.iter().filter_map(short).collect();
    if found.is_empty() { String::new() } else { format!("<br>{}", found.join(", ")) }
}

/// A row for each claim, what is false first: the sentence, the verdict, what the expectation saw.
fn claims() -> String {
    let mut text =
        "\n## Claims and verdicts\n\nSentences from documents about Eureka, and what the \
                    simulated classes do. The documents are the Chinese articles and notes that this \
                    project began from (seeds/000 to seeds/004); what is in brackets is their own wording.\n\n| claim | verdict | what is so | measured | file |\n\
                    |---|---|---|---|---|\n"
            .to_owned();
    for verdict in VERDICTS {
        for (of, expectation, claim) in claimed().filter(|(.., claim)| claim.verdict == verdict) {
            writeln!(
                text,
                "| {}<br>*{}* | **{verdict}** | {} | {} | {} |",
                cell(&claim.says),
                cell(&claim.place),
                cell(&expectation.text),
                cell(&expectation.detail),
                link(of)
            )
            .expect("a text can be written to");
        }
    }
    text
}

const VERDICTS: [&str; 3] = ["false", "half-true", "true"];

/// Every expectation that puts a claim to the test.
fn claimed() -> impl Iterator<Item = (&'static Shipped, &'static ExpectationSummary, &'static Claim)>
{
    shipped().iter().flat_map(|of| {
        let expectations = of.recording.summary.expectations.iter();
        expectations.filter_map(move |of_claim| Some((of, of_claim, of_claim.claim.as_ref()?)))
    })
}

#[test]
fn the_page_is_made_from_the_files() {
    expect_file!["../../scenarios/README.md"].assert_eq(&page());
}

/// One card for each, and no other.
#[test]
fn every_scenario_has_its_card() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/figures");
    for of in shipped() {
        let card = Figure::Card.svg(&of.plan, &of.recording);
        expect_file![folder.join(format!("{}.svg", of.plan.name))].assert_eq(&card);
    }
    for path in entries("scenarios/figures") {
        let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        named(&stem);
    }
}

#[test]
fn every_scenario_is_in_a_folder_of_the_page() {
    for of in shipped() {
        assert!(FOLDERS.iter().any(|(folder, _)| *folder == of.folder()), "{}", of.plan.name);
    }
    for (folder, _) in FOLDERS {
        assert!(shipped().iter().any(|of| of.folder() == folder), "{folder} is empty");
    }
}

/// What is true is said too: a table of errors alone would be one.
#[test]
fn claims_have_a_verdict_of_each_kind() {
    for verdict in VERDICTS {
        assert!(claimed().any(|(.., claim)| claim.verdict == verdict), "{verdict}");
    }
}

/// The mechanisms are compared in a table that is written by hand: it names each, once, and no other.
#[test]
fn the_table_of_mechanisms_names_each_once() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/stuck/README.md");
    let page = std::fs::read_to_string(page).expect("the folder has a page");
    let mut listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(".toml`"))
        .map(|(name, _)| name)
        .collect();
    listed.sort_unstable();
    let is_mechanism = |name: &&str| {
        name.strip_prefix('m').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let names = shipped().iter().map(|of| of.plan.name.as_str());
    assert_eq!(listed, names.filter(is_mechanism).collect::<Vec<_>>());
}
