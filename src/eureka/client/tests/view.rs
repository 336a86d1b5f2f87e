//! How payloads become views (`updateDelta`), and that views are shared.

use std::sync::Arc;

use proptest::prelude::*;

use super::bench::Bench;
use crate::eureka::client::{ViewId, Views};
use crate::eureka::server::{Application, Applications};
use crate::eureka::{ActionType, AppId, Flavor, InstanceInfo};

/// What a client believes that fetches this registry and then these deltas, instances in order.
fn after(registry: &str, deltas: &[&str]) -> String {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    let payload = bench.payload(1, registry);
    let mut id = bench.views.full(&payload);
    for delta in deltas {
        let payload = bench.payload(2, delta);
        (id, _) = bench.views.with_delta(id, &payload);
    }
    bench.names_of(id)
}

#[track_caller]
fn check(registry: &str, deltas: &[&str], expected: &str) {
    assert_eq!(after(registry, deltas), expected);
}

#[test]
fn what_was_added_or_modified_stands_at_the_end_of_its_application() {
    check("B/b1=UP B/b2=UP", &["+B/b3=UP"], "B/b1=UP B/b2=UP B/b3=UP");
    check("B/b1=UP B/b2=UP", &["~B/b1=DOWN"], "B/b2=UP B/b1=DOWN");
    check("B/b1=UP B/b2=UP", &["+B/b1=UP"], "B/b2=UP B/b1=UP");
    check("B/b1=UP C/c1=UP", &["+B/b2=UP"], "B/b1=UP B/b2=UP C/c1=UP");
}

#[test]
fn modified_adds_what_is_not_known_and_added_replaces_what_is() {
    check("B/b1=UP", &["~B/b2=DOWN"], "B/b1=UP B/b2=DOWN");
    check("B/b1=UP", &["+B/b1=DOWN"], "B/b1=DOWN");
}

#[test]
fn a_new_application_stands_at_the_end() {
    check("C/c1=UP B/b1=UP", &["+A/a1=UP"], "C/c1=UP B/b1=UP A/a1=UP");
}

#[test]
fn deleted_takes_the_instance_away_and_the_application_with_its_last() {
    check("B/b1=UP B/b2=UP", &["-B/b1=UP"], "B/b2=UP");
    check("B/b1=UP C/c1=UP", &["-B/b1=UP"], "C/c1=UP");
    // It comes back as a new application, at the end.
    check("B/b1=UP C/c1=UP", &["-B/b1=UP", "+B/b1=UP"], "C/c1=UP B/b1=UP");
}

#[test]
fn deleting_what_is_not_known_changes_nothing() {
    check("B/b1=UP", &["-B/b9=UP"], "B/b1=UP");
    check("B/b1=UP", &["-C/c1=UP"], "B/b1=UP");
}

#[test]
fn an_instance_without_an_action_is_passed_over() {
    check("B/b1=UP", &["B/b2=UP"], "B/b1=UP");
    check("B/b1=UP", &["C/c1=UP"], "B/b1=UP");
}

#[test]
fn the_last_item_of_an_instance_decides() {
    check("B/b1=UP", &["+B/b2=UP -B/b2=UP"], "B/b1=UP");
    check("B/b1=UP", &["+B/b2=UP ~B/b2=DOWN"], "B/b1=UP B/b2=DOWN");
}

#[test]
fn a_delta_applied_again_changes_nothing_more() {
    let delta = "+B/b3=UP ~B/b1=DOWN -B/b2=UP";
    let once = after("B/b1=UP B/b2=UP", &[delta]);
    check("B/b1=UP B/b2=UP", &[delta, delta, delta], &once);
    assert_eq!(once, "B/b3=UP B/b1=DOWN");
}

/// Spec §6.4: the delta's own application object is taken over, with all it lists.
#[test]
fn an_application_that_is_not_known_comes_with_what_the_delta_says_is_deleted() {
    check("B/b1=UP", &["-F/x=UP +F/y=UP"], "B/b1=UP F/x=UP F/y=UP");
    // Deleted after the application was taken over: gone.
    check("B/b1=UP", &["+F/y=UP -F/x=UP"], "B/b1=UP F/y=UP");
    // The ghost goes with the repetition of the same items.
    check("B/b1=UP", &["-F/x=UP +F/y=UP", "-F/x=UP +F/y=UP"], "B/b1=UP F/y=UP");
}

#[test]
fn so_does_one_whose_only_instance_is_replaced() {
    check("F/x=UP B/b1=UP", &["-F/x=UP +F/y=UP"], "B/b1=UP F/x=UP F/y=UP");
    check("F/x=UP B/b1=UP", &["+F/y=UP -F/x=UP"], "F/y=UP B/b1=UP");
}

#[test]
fn a_view_takes_its_version_from_its_payload_and_a_reconciled_one_from_the_delta() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    let payload = bench.payload(7, "B/b1=UP");
    let full = bench.views.full(&payload);
    let reconciled = bench.views.reconciled(&payload, 9);
    assert_ne!(full, reconciled);
    assert_eq!(bench.views.get(full).version, 7);
    assert_eq!(bench.views.get(reconciled).version, 9);
    assert_eq!(bench.views.get(ViewId::EMPTY).version, -1);
}

#[test]
fn clients_that_fetched_the_same_share_one_view_and_it_goes_with_the_last_of_them() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    let full = bench.payload(1, "B/b1=UP");
    let delta = bench.payload(2, "+B/b2=UP");
    let views = &mut bench.views;
    let first = views.full(&full);
    let (one, _) = views.with_delta(first, &delta);
    let other = views.full(&full);
    assert_eq!(first, other);
    assert_eq!(views.with_delta(other, &delta).0, one);
    for view in [first, other, one] {
        views.release(view);
    }
    assert_eq!(views.get(one).counts.total(), 2, "one holder is left");
    views.release(one);
    // Made anew, in any free place.
    let again = views.full(&full);
    let (next, _) = views.with_delta(again, &delta);
    assert_eq!(views.get(again).counts.total(), 1);
    assert_eq!(views.get(next).counts.total(), 2);
}

#[test]
fn clients_that_came_to_the_same_by_way_of_other_deltas_share_one_view() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    let full = bench.payload(1, "B/b1=UP");
    let [second, third, another] = [2, 3, 3].map(|version| bench.payload(version, ""));
    let views = &mut bench.views;
    for _ in 0..2 {
        let [first, again] = [views.full(&full), views.full(&full)];
        let (between, _) = views.with_delta(first, &second);
        let (by_two, _) = views.with_delta(between, &third);
        let (at_once, _) = views.with_delta(again, &another);
        assert_eq!(by_two, at_once);
        assert_ne!(by_two, between);
        assert_eq!(views.get(by_two).version, 3);
        assert_eq!(views.get(by_two).counts.total(), 1);
        // Whoever goes first takes nothing with it that the others need.
        for view in [between, first, again, by_two] {
            views.release(view);
        }
        assert_eq!(views.get(at_once).version, 3, "one holder is left");
        views.release(at_once);
    }
}

#[test]
fn an_equal_payload_made_later_is_another_one() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    let (one, other) = (bench.payload(1, "B/b1=UP"), bench.payload(1, "B/b1=UP"));
    let (one, other) = (bench.views.full(&one), bench.views.full(&other));
    assert_ne!(one, other);
}

/// The rule once more, with lists only: every application and instance is looked for each time.
fn applied(mut apps: Vec<Listed>, delta: &Applications) -> Vec<Listed> {
    for changed in &delta.apps {
        for info in changed.instances.iter() {
            let place = apps.iter().position(|(known, _)| *known == changed.app);
            match (info.action_type, place) {
                (None, _) | (Some(ActionType::Deleted), None) => {}
                (Some(ActionType::Deleted), Some(place)) => {
                    apps[place].1.retain(|known| known.key != info.key);
                    if apps[place].1.is_empty() {
                        apps.remove(place);
                    }
                }
                (Some(ActionType::Added | ActionType::Modified), place) => {
                    let place = place.unwrap_or_else(|| {
                        apps.push((changed.app, changed.instances.to_vec()));
                        apps.len() - 1
                    });
                    apps[place].1.retain(|known| known.key != info.key);
                    apps[place].1.push(Arc::clone(info));
                }
            }
        }
    }
    apps
}

/// Three applications of four instances; an instance at most once in a payload, as servers send it.
fn payload_text(picks: &[(usize, usize)]) -> String {
    let mut seen = Vec::new();
    let mut words = Vec::new();
    for &(instance, what) in picks {
        if !seen.contains(&instance) {
            seen.push(instance);
            let action = ["+", "~", "-", ""][what % 4];
            let status = ["UP", "DOWN", "STARTING"][what % 3];
            words.push(format!("{action}{}/i{instance}={status}", ["X", "Y", "Z"][instance / 4]));
        }
    }
    words.join(" ")
}

proptest! {
    #[test]
    fn deltas_are_applied_like_a_reader_with_a_pencil_would(
        full in prop::collection::vec((0..12_usize, 3..4_usize), 0..10),
        deltas in prop::collection::vec(prop::collection::vec((0..12_usize, 0..12_usize), 0..12), 0..6),
    ) {
        let mut bench = Bench::fetching(Flavor::Netflix, 1);
        let payload = bench.payload(1, &payload_text(&full));
        let mut expected = listed(&payload.apps);
        let mut views = Views::default();
        let mut view = views.full(&payload);
        for delta in deltas {
            let payload = bench.payload(2, &payload_text(&delta));
            expected = applied(expected, &payload);
            let (next, _) = views.with_delta(view, &payload);
            views.release(view);
            view = next;
            let seen = views.get(view);
            prop_assert_eq!(listed(&seen.apps), expected.clone());
            prop_assert_eq!(seen.counts.total() as usize, seen.instances().count());
        }
    }
}

type Listed = (AppId, Vec<Arc<InstanceInfo>>);

fn listed(apps: &[Arc<Application>]) -> Vec<Listed> {
    apps.iter().map(|app| (app.app, app.instances.to_vec())).collect()
}
