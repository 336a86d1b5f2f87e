//! The head of a scenario, `[eureka]`, `[network]`, `[sim]` and `[observe]`.

use expect_test::{Expect, expect};

use super::{FLEET, HEAD, load_from, plan, problems};
use crate::scenario::{Plan, Sampling, Viewers};
use crate::sim::{Latency, Loss};
use crate::time::Span;

fn of(rest: &str) -> Plan {
    plan(&format!("{FLEET}{rest}"))
}

#[test]
fn the_head_says_what_it_is() {
    let plan = plan(
        "schema = 1\nname = \"a-1\"\nabout = \"Why.\"\nsource = [\"x\", \"y\"]\n\
                     seed = 18446744073709551615\nduration = \"1h\"",
    );
    assert_eq!(
        (plan.name.as_str(), plan.about.as_str(), plan.setup.seed),
        ("a-1", "Why.", u64::MAX)
    );
    assert_eq!(plan.source, ["x", "y"]);
}

#[test]
fn the_name_is_the_file_s_if_it_can_be() {
    let name = |file: &str, text: &str| {
        load_from(&[(file, text)], &[]).map_or_else(|r| super::said(&r), |plan| plan.name)
    };
    assert_eq!(name("dir/mass-kill-16.toml", HEAD), "mass-kill-16");
    expect![[r#"
        dir/Mass Kill.toml:1:1: S004 the scenario lacks `name`
            = add `name = "my-scenario"`
    "#]]
    .assert_eq(&name("dir/Mass Kill.toml", HEAD));
    for bad in ["Mass", "a b", "", "../x", "ünï", "a_b", "=1+1", &"a".repeat(101)] {
        let said = name("s.toml", &format!("{HEAD}name = \"{bad}\""));
        assert!(said.starts_with("s.toml:3:8: S005"), "{bad}: {said}");
    }
}

#[test]
fn the_network_is_fast_and_whole_unless_it_is_said() {
    let network = of("").setup.network.clone();
    assert_eq!((network.latency, network.loss), (Latency::Fixed(Span::from_millis(1)), Loss::NONE));
    assert!(!network.dead_hosts_are_black_holes && network.links.is_empty());
    let ms = Span::from_millis;
    for (text, expected) in [
        ("'2ms'", Latency::Fixed(ms(2))),
        ("'1ms..5ms'", Latency::Uniform(ms(1), ms(5))),
        ("'5ms..5ms'", Latency::Fixed(ms(5))),
        ("{ median = '2ms', p99 = '40ms' }", Latency::LogNormal { median: ms(2), p99: ms(40) }),
    ] {
        assert_eq!(of(&format!("[network]\nlatency = {text}")).setup.network.latency, expected);
    }
    let network = of("[network]\nloss = '0.1%'\nconnect-refused = 'blackhole'\n\
                      links = [{ from = 'eureka-0', to = 'app:ORDERS', latency = '9ms', loss = 0.5 }]")
    .setup
    .network
    .clone();
    assert_eq!(network.loss, Loss::share(0.001));
    assert!(network.dead_hosts_are_black_holes);
    assert_eq!(network.accept_queue, Some(101), "Tomcat's 100, and the one Linux adds");
    let queue = |cluster: &str, word: &str| {
        let text = format!("{HEAD}[cluster]\n{cluster}\n[network]\n{word}\n");
        super::plan(&text).setup.network.accept_queue
    };
    assert_eq!(queue("", "accept-count = 0"), Some(1));
    assert_eq!(queue("", "accept-count = 'unlimited'"), None);
    assert_eq!(queue("flavor = 'netflix'", ""), Some(101));
    let recorded = "error-bodies = 'none'";
    assert_eq!(queue(recorded, ""), None, "a network like the recordings'");
    assert_eq!(queue(recorded, "accept-count = 50"), Some(51));
    let link = &network.links[0];
    assert_eq!((link.from.len(), link.to.len()), (1, 4));
    assert_eq!((link.latency, link.loss), (Some(Latency::Fixed(ms(9))), Some(Loss::share(0.5))));
}

#[test]
fn races_are_decided_as_in_the_real_thing_unless_it_is_said() {
    let flags = |plan: &Plan| {
        let races = plan.setup.races;
        [
            races.eviction_before_rotation,
            races.arrivals_first,
            races.one_batch_at_a_time,
            races.no_shuffle,
        ]
    };
    assert_eq!(flags(&of("")), [false; 4]);
    let first = "[sim]\nrotation = 'before-eviction'\nresume = 'timers-first'\nbatch-order = 'concurrent'\nshuffle = 'random'";
    assert_eq!(flags(&of(first)), [false; 4]);
    let second = of("[sim]\nrotation = 'after-eviction'\nresume = 'arrivals-first'\n\
                     batch-order = 'fifo'\nshuffle = 'none'\nhand-off = '1us..5us'");
    assert_eq!(flags(&second), [true; 4]);
    assert_eq!(second.setup.races.hand_off, (Span::from_nanos(1000), Span::from_nanos(5000)));
    assert_eq!(of("").setup.races.hand_off, (Span::ZERO, Span::ZERO));
}

#[test]
fn samples_are_1800_but_not_more_than_one_a_second() {
    let every = |duration: &str, rest: &str| {
        plan(&format!("schema = 1\nduration = \"{duration}\"\n{rest}")).observe.every
    };
    assert_eq!(every("10m", ""), Sampling::Every(Span::from_secs(1)));
    assert_eq!(every("10h", ""), Sampling::Every(Span::from_secs(20)));
    assert_eq!(every("10m", "[observe]\nevery = '5ms'"), Sampling::Every(Span::from_millis(5)));
    assert_eq!(every("10m", "[observe]\nevery = 'change'"), Sampling::Change);
    assert_eq!(of("").observe.views, Viewers::Callers);
    assert_eq!(of("[observe]\nviews = true").observe.views, Viewers::All);
    assert_eq!(of("[observe]\nviews = false").observe.views, Viewers::Nobody);
}

#[test]
fn a_series_too_long_for_memory_is_an_error() {
    let said = |duration: &str, rest: &str| {
        problems(
            &FLEET.replace("10m", duration).replace("[cluster]", &format!("{rest}\n[cluster]")),
        )
    };
    expect![[r#"
        s.toml:3:21: S015 63072000000 rows of series.csv are too many
            = at most 10000000
    "#]]
    .assert_eq(&said("365d", "observe = { every = '1ms' }"));
    expect![[r#"
        s.toml:3:21: S015 126213120 rows of series.csv are too many
            = at most 10000000
    "#]]
    .assert_eq(&said("3652d", "observe = { every = 'change' }"));
    expect![[r#"
        s.toml:3:21: S006 `every` must be at least 1ms, or "change"
    "#]]
    .assert_eq(&said("10m", "observe = { every = '999us' }"));
    assert_eq!(said("1h", "observe = { every = '1ms' }"), "");
}

#[test]
fn keys_of_eureka_are_known_in_both_spellings() {
    let plan = of("[eureka.server]\nrenewalPercentThreshold = 0.5\n\
                   eviction-interval-timer-in-ms = 5000\n[eureka.client]\n\
                   registryFetchIntervalSeconds = 3\n\
                   [eureka.instance.metadata-map]\nmyKey = \"v\"");
    let config = &plan.setup.servers[0].config;
    assert_eq!(config.renewal_percent_threshold, 0.5);
    assert_eq!(config.eviction_interval_timer_in_ms, 5000);
    let client = &plan.setup.profiles[plan.setup.clients[0].profile as usize];
    assert_eq!(client.client.registry_fetch_interval_seconds, 3);
    // The operator's own names are left as they are.
    let keys: Vec<&str> = client.metadata.keys().map(AsRef::as_ref).collect();
    assert_eq!(keys, ["myKey"]);
}

#[test]
fn every_key_of_eureka_is_accepted_or_says_why_not() {
    use crate::eureka::client::{ClientConfig, InstanceConfig};
    use crate::eureka::server::ServerConfig;
    let keys = ServerConfig::keys()
        .map(|key| ("server", key))
        .chain(ClientConfig::keys().map(|key| ("client", key)))
        .chain(InstanceConfig::keys().map(|key| ("instance", key)));
    for (section, key) in keys {
        // One of these is of the right type, or none is asked for.
        let said = ["false", "true", "7", "0.5", "'UP'"]
            .map(|value| problems(&format!("{HEAD}[eureka.{section}]\n{key} = {value}")));
        let fits = |said: &String| said.is_empty() || said.contains("W001");
        let later = said.iter().all(|said| said.contains("S012"));
        assert!(said.iter().any(fits) || later, "{section}.{key}: {said:?}");
        assert!(said.iter().all(|said| !said.contains("S002")), "{section}.{key}: {said:?}");
    }
}

#[test]
fn what_cannot_be_in_these_tables_is_an_error() {
    let cases: [(&str, Expect); 27] = [
        (
            "eureka = 3",
            expect![[r#"
            s.toml:3:10: S003 expected a table, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "[eureka.servr]\nx = 1",
            expect![[r#"
            s.toml:3:9: S002 unknown key `servr` in `eureka`
                = did you mean `server`?
        "#]],
        ),
        (
            "[eureka.server]\nenable-self-preservation = \"yes\"",
            expect![[r#"
            s.toml:4:28: S003 expected true or false, found text
                ^ this is text
        "#]],
        ),
        (
            "[eureka.server]\nenable-self-preservaton = true",
            expect![[r#"
            s.toml:4:1: S002 unknown key `enable-self-preservaton` in `eureka.server`
                = did you mean `enable-self-preservation`?
        "#]],
        ),
        (
            "[eureka.server]\neviction-interval-timer-in-ms = 0",
            expect![[r#"
            s.toml:4:33: S006 `eureka.server.eviction-interval-timer-in-ms` must be from 1 to 9223372036854
        "#]],
        ),
        (
            "[eureka.server]\neviction-interval-timer-in-ms = 99999999999999999999",
            expect![[r#"
            s.toml:4:33: S006 `eureka.server.eviction-interval-timer-in-ms` must be a number of 64 bits
        "#]],
        ),
        (
            "[eureka.server]\nrenewal-percent-threshold = inf",
            expect![[r#"
            s.toml:4:29: S006 `eureka.server.renewal-percent-threshold` must be a finite number
        "#]],
        ),
        (
            "[eureka.server]\nrenewal-percent-threshold = [1]",
            expect![[r#"
            s.toml:4:29: S003 expected a single value, found a list
                ^ this is a list
        "#]],
        ),
        (
            "[eureka.server]\nrenewalPercentThreshold = 0.5\nrenewal-percent-threshold = 0.6",
            expect![[r#"
                s.toml:5:1: S009 the key `renewal-percent-threshold` occurs twice
                    = it is written in two spellings: keep one of them
            "#]],
        ),
        (
            "[eureka.instance]\nmetadata-map = 3",
            expect![[r#"
            s.toml:4:16: S003 expected a table, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "[eureka.instance]\ninitial-status = \"FINE\"",
            expect![[r#"
            s.toml:4:18: S003 expected UP, DOWN, STARTING, OUT_OF_SERVICE or UNKNOWN, found text
                ^ this is text
        "#]],
        ),
        (
            "[eureka.client]\nservice-url = \"http://eureka-0/\"",
            expect![[r#"
            s.toml:4:15: S003 expected a table, found text
                ^ this is text
        "#]],
        ),
        (
            "[network]\nlatency = 5",
            expect![[r#"
            s.toml:4:11: S003 expected a duration or a range of two like `"2ms"` or `"1ms..5ms"`, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "[network]\nlatency = \"-5ms\"",
            expect![[r#"
            s.toml:4:11: S005 `-5ms` is not a duration or a range of two
                = write it like `"2ms"` or `"1ms..5ms"`; units are us, ms, s, m, h, d, without spaces
        "#]],
        ),
        (
            "[network]\nlatency = { median = \"2ms\" }",
            expect![[r#"
            s.toml:4:11: S004 `latency` lacks `p99`
                = add `{ median = "2ms", p99 = "40ms" }`
        "#]],
        ),
        (
            "[network]\nlatency = { median = \"2ms\", p99 = \"1ms\" }",
            expect![[r#"
            s.toml:4:35: S006 `p99` must be above a `median` that is not 0s
        "#]],
        ),
        (
            "[network]\nloss = \"200%\"",
            expect![[r#"
            s.toml:4:8: S005 `200%` is not a share from 0 to 1
                = write it like `"16%"` or `0.16`
        "#]],
        ),
        (
            "[network]\nconnect-refused = \"never\"",
            expect![[r#"
            s.toml:4:19: S018 there is no kind of refusal `never`
                = one of: latency, blackhole
        "#]],
        ),
        (
            "[network]\naccept-count = -1",
            expect![[r#"
            s.toml:4:16: S006 `accept-count` must be from 0 to 65535, or "unlimited"
        "#]],
        ),
        (
            "[network]\naccept-count = \"many\"",
            expect![[r#"
            s.toml:4:16: S005 `many` is not a number of connections
                = write it like `100` or `"unlimited"`
        "#]],
        ),
        (
            "[network]\nlinks = [{ from = \"eureka-0\" }]",
            expect![[r#"
            s.toml:4:10: S004 a link lacks `latency`
                = add `latency = "40ms"` or `loss = "1%"`
            s.toml:4:10: S004 a link lacks `to`
                = add `to = "eureka-0"`
        "#]],
        ),
        (
            "[network]\nlinks = 3",
            expect![[r#"
            s.toml:4:9: S003 expected a list of links, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "[sim]\nrotation = \"sometimes\"",
            expect![[r#"
            s.toml:4:12: S018 there is no `rotation` `sometimes`
                = one of: before-eviction, after-eviction
        "#]],
        ),
        (
            "[sim]\nhandoff = \"1us\"",
            expect![[r#"
            s.toml:4:1: S002 unknown key `handoff` in [sim]
                = did you mean `hand-off`?
        "#]],
        ),
        (
            "[observe]\nevery = 1",
            expect![[r#"
            s.toml:4:9: S003 expected a duration like `"30s"` or `"1h30m"`, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "[observe]\nmetrics = [\"ghost\"]",
            expect![[r#"
            s.toml:4:12: S018 there is no metric `ghost`
                = did you mean `ghosts`?
        "#]],
        ),
        (
            "source = [1]\nabout = [\"x\"]",
            expect![[r#"
            s.toml:3:11: S003 expected text or a list of texts, found a whole number
                ^ this is a whole number
            s.toml:4:9: S003 expected text, found a list
                ^ this is a list
        "#]],
        ),
    ];
    for (text, expected) in cases {
        expected.assert_eq(&problems(&format!("{HEAD}{text}")));
    }
}
