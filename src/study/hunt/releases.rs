//! In which releases and flavours a scenario still shows what it shows.

use toml::Value;

use super::simplify::reseeded;
use super::{Kind, Stop, show};
use crate::eureka::{Flavor, Release};
use crate::scenario::Document;
use crate::study::in_order;

/// The first releases of everything that changed in servers or clients, and the last ones before.
pub const TURNING_POINTS: [Release; 22] = [
    Release::new(1, 3, 4),
    Release::new(1, 4, 4),
    Release::new(1, 4, 8),
    Release::new(1, 4, 10),
    Release::new(1, 4, 11),
    Release::new(1, 6, 2),
    Release::new(1, 7, 0),
    Release::new(1, 8, 0),
    Release::new(1, 8, 1),
    Release::new(1, 8, 6),
    Release::new(1, 8, 7),
    Release::new(1, 9, 2),
    Release::new(1, 9, 3),
    Release::new(1, 9, 4),
    Release::new(1, 9, 8),
    Release::new(1, 9, 17),
    Release::new(1, 10, 0),
    Release::new(1, 10, 14),
    Release::new(1, 10, 18),
    Release::new(2, 0, 4),
    Release::new(2, 0, 5),
    Release::new(2, 0, 6),
];

/// Seeds that are tried before it is said not to happen in a release.
const SEEDS: u64 = 256;

/// What a scenario shows in a release, of a flavour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Of servers and clients.
    pub release: Release,
    /// If it was asked for: of servers and clients.
    pub flavor: Option<Flavor>,
    /// Whether it still happens, with the scenario's seed or one of 256 others; none if the scenario is no
    /// sound one there.
    pub happens: Option<bool>,
}

/// Runs a scenario in each of these releases and flavours (none: as it is), on `jobs` threads.
#[must_use]
pub fn survey(
    document: &Document,
    kind: Kind,
    releases: &[Release],
    flavors: &[Flavor],
    jobs: u16,
    stop: Stop<'_>,
) -> Vec<Survey> {
    let flavors: Vec<Option<Flavor>> = match flavors {
        [] => vec![None],
        some => some.iter().copied().map(Some).collect(),
    };
    let all: Vec<(Option<Flavor>, Release)> = flavors
        .iter()
        .flat_map(|flavor| releases.iter().map(|release| (*flavor, *release)))
        .collect();
    let work = |(flavor, release): &(Option<Flavor>, Release)| {
        let document = of_release(document, *flavor, *release);
        let shows =
            |document: &Document| show(document, stop).map(|shown| shown.first(kind).is_some());
        // Another release draws other numbers: with its own seed it may be spared by luck.
        let happens = shows(&document).map(|happens| {
            let others = reseeded(&document, 0..SEEDS);
            happens || others.iter().any(|other| shows(other) == Some(true))
        });
        Survey { release: *release, flavor: *flavor, happens }
    };
    let mut surveys = Vec::new();
    in_order(&all, jobs, work, |survey| surveys.push(survey));
    surveys
}

/// The scenario with every process of one release.
fn of_release(document: &Document, flavor: Option<Flavor>, release: Release) -> Document {
    let mut document = document.clone();
    let cluster = document.0.entry("cluster").or_insert_with(|| Value::Table(toml::Table::new()));
    if let Value::Table(cluster) = cluster {
        cluster.insert("release".to_owned(), release.to_string().into());
        if let Some(flavor) = flavor {
            cluster.insert("flavor".to_owned(), flavor.name().into());
        }
    }
    for list in ["apps", "servers"] {
        if document.0.contains_key(list) {
            for of in document.list_mut(list) {
                if let Value::Table(of) = of {
                    of.remove("release");
                    if flavor.is_some() {
                        of.remove("flavor");
                    }
                }
            }
        }
    }
    document
}
