//! `--set KEY=VALUE`.

use expect_test::{Expect, expect};

use super::{FLEET, load_from, problems_of, said};
use crate::eureka::Release;
use crate::scenario::Plan;

fn set(sets: &[&str]) -> Plan {
    let loaded = load_from(&[("s.toml", FLEET)], sets);
    loaded.unwrap_or_else(|rejected| panic!("{}", said(&rejected)))
}

#[test]
fn a_value_goes_where_the_file_would_have_it() {
    let plan = set(&[
        "seed=7",
        "duration=\"1m\"",
        "cluster.servers=3",
        "cluster.release=1.9.6",
        "network.latency=2ms",
        "eureka.server.renewal-percent-threshold=0.49",
        "eureka.client.registryFetchIntervalSeconds=5",
        "apps.orders.instances = 10",
    ]);
    assert_eq!(plan.setup.seed, 7);
    assert_eq!(plan.setup.duration.nanos(), 60_000_000_000);
    assert_eq!(plan.setup.servers.len(), 3);
    assert_eq!(plan.setup.servers[2].release, Release::new(1, 9, 6));
    assert_eq!(plan.setup.servers[1].config.renewal_percent_threshold, 0.49);
    assert_eq!(plan.setup.profiles[4].client.registry_fetch_interval_seconds, 5);
    assert_eq!(plan.setup.clients.len(), 12);
}

#[test]
fn the_last_word_wins_in_either_spelling() {
    let text = format!("{FLEET}[eureka.server]\nrenewalPercentThreshold = 0.1");
    let sets = |sets: &[&str]| {
        let plan = load_from(&[("s.toml", text.as_str())], sets);
        plan.unwrap_or_else(|rejected| panic!("{}", said(&rejected))).setup.servers[0]
            .config
            .renewal_percent_threshold
    };
    assert_eq!(sets(&[]), 0.1);
    assert_eq!(sets(&["eureka.server.renewal-percent-threshold=0.2"]), 0.2);
    let twice =
        ["eureka.server.renewal-percent-threshold=0.2", "eureka.server.renewalPercentThreshold=1"];
    assert_eq!(sets(&twice), 1.0);
}

#[test]
fn one_server_of_a_number_of_them_can_be_changed_in_any_order() {
    for sets in [
        ["servers.eureka-2.start=30s", "cluster.servers=3"],
        ["cluster.servers=3", "servers.eureka-2.start=\"30s\""],
    ] {
        let plan = set(&sets);
        let starts: Vec<u64> =
            plan.setup.servers.iter().map(|server| server.start.nanos() / 1_000_000_000).collect();
        assert_eq!(starts, [0, 0, 30], "{sets:?}");
        assert_eq!(plan.setup.servers[2].name, "eureka-2");
        // As if the file had the table: the zones are dealt in turn.
        let zones = [&plan.setup.servers[0], &plan.setup.servers[2]].map(|server| server.endpoints);
        assert_eq!(plan.setup.endpoints[zones[0]].own_zone, [2]);
        assert_eq!(plan.setup.endpoints[zones[1]].own_zone, [0]);
    }
}

#[test]
fn an_entry_of_the_timeline_has_its_name() {
    let text = format!("{FLEET}[[timeline]]\nname = \"blow\"\nat = \"1m\"\nkill = \"clients\"");
    let plan = load_from(&[("s.toml", text.as_str())], &["timeline.blow.at=2m"]);
    let plan = plan.unwrap_or_else(|rejected| panic!("{}", said(&rejected)));
    assert_eq!(plan.setup.timeline[0].at.nanos(), 120_000_000_000);
}

#[test]
fn what_cannot_be_set_is_an_error_at_the_argument() {
    let cases: [(&str, Expect); 14] = [
        (
            "seed",
            expect![[r#"
            --set:1:1: S017 `seed` has no `=`
                = write `--set KEY=VALUE`, as in `--set eureka.server.renewal-percent-threshold=0.49`
        "#]],
        ),
        (
            "=3",
            expect![[r#"
            --set:1:1: S017 `` is not a key
                = keys are written as in the file, with dots: `apps.ORDERS.instances`
        "#]],
        ),
        (
            "a..b=3",
            expect![[r#"
            --set:1:1: S017 `a..b` is not a key
                = keys are written as in the file, with dots: `apps.ORDERS.instances`
        "#]],
        ),
        (
            "seeed=3",
            expect![[r#"
            --set:1:1: S002 unknown key `seeed` in the scenario
                = did you mean `seed`?
        "#]],
        ),
        (
            "seed=three",
            expect![[r#"
            --set:1:6: S003 expected a whole number, found text
                ^ this is text
        "#]],
        ),
        (
            "seed=[1,",
            expect![[r#"
            --set:1:6: S003 expected a whole number, found text
                ^ this is text
        "#]],
        ),
        (
            "seed.of.all=3",
            expect![[r#"
            --set:1:1: S003 expected a whole number, found a table
                ^ this is a table
        "#]],
        ),
        (
            "include=other.toml",
            expect![[r#"
            --set:1:1: S017 files are included before `--set` is read
                = write it into the file
        "#]],
        ),
        (
            "apps.ORDRES.instances=3",
            expect![[r#"
            --set:1:1: S017 no [[apps]] is called `ORDRES`
                = did you mean `ORDERS`?
        "#]],
        ),
        (
            "apps.ORDERS.instances=0",
            expect![[r#"
            --set:1:23: S006 `instances` must be at least 1
        "#]],
        ),
        (
            "apps.ORDERS.instancs=3",
            expect![[r#"
            --set:1:1: S002 unknown key `instancs` in [[apps]]
                = did you mean `instances`?
        "#]],
        ),
        (
            "servers.eureka-9.start=5s",
            expect![[r#"
            --set:1:1: S017 no [[servers]] is called `eureka-9`
                = did you mean `eureka-0`?
        "#]],
        ),
        (
            "timeline.blow.at=2m",
            expect![[r#"
            --set:1:1: S017 the scenario has no [[timeline]]
        "#]],
        ),
        (
            "cluster.servers=1000000000",
            expect![[r#"
            --set:1:17: S015 1000000000 servers are too many
                = at most 1000
        "#]],
        ),
    ];
    for (argument, expected) in cases {
        expected.assert_eq(&problems_of(&[("s.toml", FLEET)], &[argument]));
    }
}

#[test]
fn several_arguments_are_wrong_at_once() {
    expect![[r#"
        --set:1:1: S002 unknown key `sed` in the scenario
            = did you mean `seed`?
        --set:1:1: S017 `seed` has no `=`
            = write `--set KEY=VALUE`, as in `--set eureka.server.renewal-percent-threshold=0.49`
        --set:1:10: S006 `duration` must be longer than 0s
    "#]]
    .assert_eq(&problems_of(&[("s.toml", FLEET)], &["sed=3", "seed", "duration=0s"]));
}
