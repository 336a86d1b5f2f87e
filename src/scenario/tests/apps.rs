//! `[[apps]]`: the instances that a group becomes, and what they know.

use expect_test::{Expect, expect};

use super::{FLEET, HEAD, plan, problems};
use crate::eureka::client::{Application, ClientProfile, ErrorBody, HttpClientKind};
use crate::eureka::{InstanceStatus, Release};
use crate::scenario::Plan;

pub(super) fn of(rest: &str) -> Plan {
    plan(&format!("{HEAD}{rest}"))
}

pub(super) fn client_profile(plan: &Plan, client: usize) -> &ClientProfile {
    &plan.setup.profiles[plan.setup.clients[client].profile as usize]
}

fn ids(plan: &Plan) -> Vec<String> {
    plan.setup.clients.iter().map(|client| plan.setup.names.full(client.key)).collect()
}

fn starts(plan: &Plan) -> Vec<u64> {
    let millis = |client: &crate::sim::ClientSetup| client.start.map(|at| at.nanos() / 1_000_000);
    plan.setup.clients.iter().filter_map(millis).collect()
}

#[test]
fn a_process_may_differ_from_its_cluster() {
    let plan = of("[cluster]\nservers = 2\nrelease = \"1.9.6\"\nhttp-client = \"resttemplate\"\n\
                   error-bodies = \"html\"\n[eureka.instance]\nlease-renewal-interval-in-seconds = 9\n\
                   [[apps]]\nname = \"A\"\ninstances = 1\n\
                   [[apps]]\nname = \"B\"\ninstances = 1\nflavor = \"netflix\"\nrelease = \"2.0.5\"\n\
                   http-client = \"jersey3\"\nwarm-up = \"5s\"\ndrain = \"6s\"\nvip = \"b.example\"\n\
                   secure-vip = \"bs.example\"\nmetadata = { zone = \"a\", weight = 3, main = true }\n\
                   register = false\nfetch = false\ninitial-status = \"STARTING\"\n\
                   eureka.instance.lease-renewal-interval-in-seconds = 5");
    let (a, b) = (client_profile(&plan, 0), client_profile(&plan, 1));
    assert_eq!(plan.setup.error_bodies, ErrorBody::Html);
    let kinds = (a.application, a.http_client);
    assert_eq!(kinds, (Application::Spring, HttpClientKind::RestTemplate));
    assert_eq!((a.release, b.release), (Release::new(1, 9, 6), Release::new(2, 0, 5)));
    assert_eq!(a.instance.lease_renewal_interval_in_seconds, 9);
    assert_eq!((b.application, b.http_client), (Application::WarmsUp, HttpClientKind::Jersey3));
    assert_eq!(b.instance.lease_renewal_interval_in_seconds, 5);
    assert_eq!(b.instance.initial_status, InstanceStatus::Starting);
    assert_eq!((b.warm_up.nanos(), b.drain.nanos()), (5_000_000_000, 6_000_000_000));
    assert!(!b.client.register_with_eureka && !b.client.fetch_registry);
    let vip = |vip: Option<crate::eureka::NameId>| vip.map(|vip| plan.setup.names.text(vip));
    assert_eq!((vip(a.vip_address), vip(a.secure_vip_address)), (Some("a"), None));
    assert_eq!(
        (vip(b.vip_address), vip(b.secure_vip_address)),
        (Some("b.example"), Some("bs.example"))
    );
    let metadata: Vec<(&str, &str)> =
        b.metadata.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect();
    assert_eq!(metadata, [("main", "true"), ("weight", "3"), ("zone", "a")]);
}

#[test]
fn clients_know_the_servers_they_are_told_or_their_own_zone_first() {
    let told = format!("{FLEET}servers = [\"eureka-1\", \"eureka-0\"]");
    let url = "http://user:pass@eureka-1:8761/eureka/, http://eureka-0:8761/eureka/";
    let by_url = format!("{FLEET}eureka.client.service-url.defaultZone = \"{url}\"");
    let zones = format!(
        "{FLEET}eureka.client.region = \"r\"\neureka.client.availability-zones.r = \"z1,z2\"\n\
         eureka.client.service-url = {{ z2 = \"http://eureka-0/\", z1 = \"http://eureka-1/\" }}"
    );
    for (text, own, other, in_order) in [
        (FLEET, vec![0], vec![1], false),
        (&told, vec![1, 0], vec![], true),
        (&by_url, vec![1, 0], vec![], true),
        (&zones, vec![1], vec![0], true),
    ] {
        let plan = plan(text);
        let client = plan.setup.clients.last().expect("there are clients");
        let endpoints = &plan.setup.endpoints[client.endpoints as usize];
        assert_eq!(endpoints.own_zone, own, "{text}");
        assert_eq!(endpoints.other_zones, other, "{text}");
        assert_eq!(endpoints.in_given_order, in_order, "{text}");
    }
}

#[test]
fn ids_follow_the_template_and_count_on_over_groups() {
    let group = |id: &str, count: u32| {
        format!("[[apps]]\nname = \"Shop\"\ninstances = {count}\ninstance-id = \"{id}\"\n")
    };
    let plan = of(&format!(
        "{}[[apps]]\nname = \"SHOP\"\ninstances = 1\n{}",
        group("h{index}:{app}:{APP}:{n}", 2),
        group("{index:02}", 1)
    ));
    assert_eq!(
        ids(&plan),
        ["SHOP/h0:shop:SHOP:0", "SHOP/h1:shop:SHOP:0", "SHOP/shop-0002", "SHOP/03"]
    );
    assert_eq!(plan.apps.len(), 1);
    assert_eq!(plan.apps[0].hosts, [1..3, 3..4, 4..5]);
}

#[test]
fn instances_start_at_once_one_after_the_other_or_at_random() {
    let with = |start: &str| of(&format!("[[apps]]\nname = \"A\"\ninstances = 4\nstart = {start}"));
    assert_eq!(starts(&of("[[apps]]\nname = \"A\"\ninstances = 2")), [0, 0]);
    assert_eq!(starts(&with("\"10s\"")), [10_000; 4]);
    assert_eq!(starts(&with("{ every = \"100ms\" }")), [0, 100, 200, 300]);
    assert_eq!(starts(&with("{ first = \"1s\", every = \"100ms\" }")), [1000, 1100, 1200, 1300]);
    let spread = starts(&with("{ spread = \"30s\", first = \"5s\" }"));
    assert!(spread.iter().all(|start| (5_000..=35_000).contains(start)), "{spread:?}");
    assert!(spread.iter().any(|start| *start != spread[0]), "{spread:?}");
    assert_eq!(spread, starts(&with("{ spread = \"30s\", first = \"5s\" }")));
}

#[test]
fn a_fleet_beyond_the_most_is_refused_before_it_is_made() {
    let app =
        |name: &str, count: u64| format!("[[apps]]\nname = \"{name}\"\ninstances = {count}\n");
    let together = format!("{}{}", app("A", 1), app("B", 2_000_000));
    for text in [app("A", 2_000_001), app("A", 1_000_000_000), together] {
        let said = problems(&format!("{HEAD}{text}"));
        assert!(said.contains("S015") && said.contains("at most 2000000"), "{said}");
        assert_eq!(said.matches(": S").count(), 1, "{said}");
    }
    assert_eq!(problems(&format!("{HEAD}[cluster]\nservers = 1000")), "");
}

#[test]
fn what_cannot_be_an_application_is_an_error() {
    let cases: [(&str, Expect); 24] = [
        (
            "",
            expect![[r#"
            s.toml:3:1: S004 [[apps]] lacks `instances`
                = add `instances = 10`
            s.toml:3:1: S004 [[apps]] lacks `name`
                = add `name = "ORDERS"`
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 0",
            expect![[r#"
            s.toml:5:13: S006 `instances` must be at least 1
        "#]],
        ),
        (
            "name = \"A\"\ninstances = -1",
            expect![[r#"
            s.toml:5:13: S006 `instances` must be at least 1
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1000000000",
            expect![[r#"
            s.toml:5:13: S015 1000000000 instances are too many
                = at most 2000000
        "#]],
        ),
        (
            "name = \"\"\ninstances = 1",
            expect![[r#"
            s.toml:4:8: S005 `` is not an application's name
                = write it like `ORDERS`: 1 to 200 bytes, without `/` and control characters
        "#]],
        ),
        (
            "name = \"A/B\"\ninstances = 1",
            expect![[r#"
            s.toml:4:8: S005 `A/B` is not an application's name
                = write it like `ORDERS`: 1 to 200 bytes, without `/` and control characters
        "#]],
        ),
        (
            "name = \"A\\u001b[31m\"\ninstances = 1",
            expect![[r#"
            s.toml:4:8: S005 `A\u{1b}[31m` is not an application's name
                = write it like `ORDERS`: 1 to 200 bytes, without `/` and control characters
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\ninstance-id = \"{idx}\"",
            expect![[r#"
            s.toml:6:15: S005 `{idx}` is not a template of instance ids
                = write it like `h{index:04}:{app}:8080`; placeholders are {app}, {APP}, {index}, {index:04}, {n}
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\ninstance-id = \"{index\"",
            expect![[r#"
            s.toml:6:15: S005 `{index` is not a template of instance ids
                = write it like `h{index:04}:{app}:8080`; placeholders are {app}, {APP}, {index}, {index:04}, {n}
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\ninstance-id = \"{index:4}\"",
            expect![[r#"
            s.toml:6:15: S005 `{index:4}` is not a template of instance ids
                = write it like `h{index:04}:{app}:8080`; placeholders are {app}, {APP}, {index}, {index:04}, {n}
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\ninstance-id = \"{index:099}\"",
            expect![[r#"
            s.toml:6:15: S005 `{index:099}` is not a template of instance ids
                = write it like `h{index:04}:{app}:8080`; placeholders are {app}, {APP}, {index}, {index:04}, {n}
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\ninstance-id = \"a/{index}\"",
            expect![[r#"
            s.toml:6:15: S005 `a/{index}` is not a template of instance ids
                = write it like `h{index:04}:{app}:8080`; placeholders are {app}, {APP}, {index}, {index:04}, {n}
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\nstart = { every = \"1s\", spread = \"1s\" }",
            expect![[r#"
            s.toml:6:9: S010 this has `every` and `spread`: exactly one is wanted
                = exactly one of `every`, `spread`
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\nstart = { first = \"1s\" }",
            expect![[r#"
                s.toml:6:9: S010 a key is missing here
                    = add one of `every`, `spread`
            "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\nstart = \"1h\"",
            expect![[r#"
            s.toml:6:9: S011 `start` lies beyond the end of the run at 10m00s
                = lower it, or raise the top-level `duration`
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\nzone = []",
            expect![[r#"
            s.toml:6:8: S006 `zone` must be at least one name
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\nservers = []",
            expect![[r#"
            s.toml:6:11: S006 `servers` must be at least one name
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\nservers = [\"eureka\"]",
            expect![[r#"
            s.toml:6:12: S007 there is no server `eureka`
                = did you mean `eureka-0`?
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\ninitial-status = \"OUT\"",
            expect![[r#"
            s.toml:6:18: S018 there is no status `OUT`
                = one of: DOWN, OUT_OF_SERVICE, STARTING, UNKNOWN, UP
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\nmetadata = { a = 1.5 }",
            expect![[r#"
            s.toml:6:18: S003 expected text, found a decimal number
                ^ this is a decimal number
        "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\nregister = false\neureka.client.register-with-eureka = true",
            expect![[r#"
                s.toml:6:1: S016 `register` is short for `eureka.client.register-with-eureka`, which is given too
                    = keep one of them
            "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\neureka.client.service-url.defaultZone = \"http://localhost:8761/\"",
            expect![[r#"
                s.toml:6:41: S007 there is no server `localhost`
                    = the scenario has: eureka-0
            "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\neureka.client.service-url.defaultzone = \"http://eureka-0/\"",
            expect![[r#"
                s.toml:6:41: S016 `service-url` names no server for the zone `defaultZone`
                    = without `availability-zones` the zone is `defaultZone`, spelled like this
            "#]],
        ),
        (
            "name = \"A\"\ninstances = 1\neureka.server.my-url = \"x\"",
            expect![[r#"
            s.toml:6:8: S002 unknown key `server` in `eureka`
                = `eureka` has: instance, client
        "#]],
        ),
    ];
    for (text, expected) in cases {
        expected.assert_eq(&problems(&format!("{HEAD}[[apps]]\n{text}")));
    }
    expect![[r#"
        s.toml:3:8: S003 expected [[apps]] tables, found text
            ^ this is text
    "#]]
    .assert_eq(&problems(&format!("{HEAD}apps = \"A\"")));
    let twice = "[[apps]]\nname = \"A\"\ninstances = 1\ninstance-id = \"x\"\n".repeat(2);
    expect![[r#"
        s.toml:10:15: S009 the instance `A/x` occurs twice
            = put `{index}` into `instance-id`; it counts on over the groups of an application
    "#]]
    .assert_eq(&problems(&format!("{HEAD}{twice}")));
}

#[test]
fn a_client_that_is_disabled_neither_registers_nor_fetches() {
    let app = "[[apps]]\nname = \"A\"\ninstances = 1\n";
    let own = of(&format!("{app}eureka.client.enabled = false"));
    let of_all = of(&format!("{app}[cluster]\nservers = 2\n[eureka.client]\nenabled = false"));
    let neither = |profile: &ClientProfile| {
        !profile.client.register_with_eureka && !profile.client.fetch_registry
    };
    assert!(neither(client_profile(&own, 0)) && neither(client_profile(&of_all, 0)));
    assert!(neither(&of_all.setup.profiles[of_all.setup.servers[1].profile]));
    let enabled = of(&format!("{app}eureka.client.enabled = true"));
    assert!(client_profile(&enabled, 0).client.register_with_eureka);
}

#[test]
fn a_second_client_that_would_start_after_the_end_is_warned_of() {
    let said = |start: &str, second: &str| {
        problems(&format!(
            "{FLEET}start = {start}\nsecond-client = {{ servers = ['eureka-0'], start = '{second}' }}"
        ))
    };
    assert_eq!(said("'1m'", "9m"), "", "at the last instant");
    expect![[r#"
        s.toml:14:1: W003 the second client of 2 of 2 instances would start after the end of the run at 10m00s
            = start them earlier, or raise the `duration`
    "#]]
    .assert_eq(&said("'1m'", "9m1s"));
    expect![[r#"
        s.toml:14:1: W003 the second client of 1 of 2 instances would start after the end of the run at 10m00s
            = start them earlier, or raise the `duration`
    "#]]
    .assert_eq(&said("{ every = '1m' }", "9m30s"));
}
