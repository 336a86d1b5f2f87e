//! What `check` computes of each server is what a run shows there.

use eureka_sim::observe::Watch;
use eureka_sim::report::{CheckReport, check_text};
use eureka_sim::scenario::Plan;
use eureka_sim::study;

use crate::support::plan_of;

/// Servers that do not register, with these peers, and nothing else.
fn plan(servers: &[(&str, &str)], rest: &str) -> Plan {
    let servers = servers.iter().map(|(name, words)| {
        format!("[[servers]]\nname = \"{name}\"\nregister-with-eureka = false\n{words}\n")
    });
    let servers: String = servers.collect();
    plan_of(&format!("schema = 1\nduration = \"31m\"\n{servers}{rest}"))
}

const LONE: &str = "peers = []";

fn app(name: &str, instances: u32, words: &str) -> String {
    format!("[[apps]]\nname = \"{name}\"\ninstances = {instances}\nstart = \"2m\"\n{words}\n")
}

/// Instances, threshold and renewals of each server, as `check` says and as a run shows in its 14th minute;
/// and the threshold after the 15-minute task.
fn assert_true(plan: &Plan) -> Vec<[i64; 3]> {
    let report = CheckReport::new(plan);
    let recording = study::run(plan, Watch::<false>::new(plan), &mut ()).expect("it ends").0;
    for (number, server) in report.servers.iter().enumerate() {
        let at = |minute: u64| {
            let rows = recording.series.rows().iter();
            let mut rows = rows.filter(|row| row.server.index() == number);
            let row = rows.rfind(|row| row.at.nanos() <= minute * 60_000_000_000);
            row.expect("it runs").gauges
        };
        let (early, late) = (at(14), at(30));
        let before = server.threshold_before_update.unwrap_or(server.threshold);
        let after = server.threshold_after_update.unwrap_or(server.threshold);
        assert_eq!(
            (server.instances, i64::from(before), server.renewals, i64::from(after)),
            (
                early.local_registry_size,
                i64::from(early.num_of_renews_per_min_threshold),
                early.num_of_renews_in_last_min,
                i64::from(late.num_of_renews_per_min_threshold)
            ),
            "{}",
            server.name
        );
    }
    let numbers = report.servers.iter();
    numbers.map(|it| [it.instances, i64::from(it.threshold), it.renewals]).collect()
}

fn warnings(plan: &Plan) -> Vec<String> {
    let warnings = CheckReport::new(plan).warnings;
    warnings.into_iter().map(|warning| format!("{} {}", warning.code, warning.text)).collect()
}

#[test]
fn a_server_counts_those_that_register_with_it() {
    let apps = [
        app("A", 4, "servers = [\"a\"]"),
        app("B", 7, "eureka.client.service-url.defaultZone = \"http://b:8761/eureka/\""),
        // Who lists two asks the first.
        app("AB", 2, "servers = [\"a\", \"b\"]"),
        app("READER", 3, "servers = [\"b\"]\nregister = false"),
        // Who registers with both is one instance at each.
        app("BOTH", 1, "servers = [\"a\"]\nsecond-client = { servers = [\"b\"], start = \"1m\" }"),
    ];
    let plan = plan(&[("a", LONE), ("b", LONE), ("c", LONE)], &apps.concat());
    let text = check_text(&plan);
    let nobody = "no instance registers with it, nor with a server that replicates to it";
    assert!(text.contains(nobody), "{text}");
    let numbers = CheckReport::new(&plan).servers;
    assert_eq!((numbers[2].instances, numbers[2].renewals), (0, 0));
    assert!(!warnings(&plan).iter().any(|warning| warning.contains(" c: ")));
    assert_eq!(assert_true(&plan)[..2], [[7, 13, 14], [8, 15, 16]]);
}

/// What came by replication is not replicated on.
#[test]
fn a_server_hears_of_others_by_one_hop_only() {
    let apps = ["a", "b", "c"].iter().zip([4, 8, 16]).map(|(server, instances)| {
        app(&server.to_uppercase(), instances, &format!("servers = [\"{server}\"]"))
    });
    let apps: String = apps.collect();
    let fetch = "fetch-registry = false";
    let chain = [
        ("a", format!("peers = [\"b\"]\n{fetch}")),
        ("b", format!("peers = [\"c\"]\n{fetch}")),
        ("c", format!("peers = []\n{fetch}")),
    ];
    let chain: Vec<(&str, &str)> = chain.iter().map(|(name, words)| (*name, &**words)).collect();
    let plan = plan(&chain, &apps);
    let heard: Vec<i64> = assert_true(&plan).iter().map(|numbers| numbers[0]).collect();
    assert_eq!(heard, [4, 12, 24]);
    assert!(warnings(&plan).iter().any(|warning| warning.starts_with("H006 a, b: ")));
}

#[test]
fn any_server_of_a_cluster_hears_of_all_clients_of_it() {
    for flavor in ["spring-cloud", "netflix"] {
        let cluster = format!(
            "schema = 1\nduration = \"31m\"\n[cluster]\nservers = 3\nflavor = \"{flavor}\"\n\
             zones = [\"x\", \"y\"]\n"
        );
        let apps = app("A", 9, "")
            + &app("B", 1, "second-client = { servers = [\"eureka-1\"], start = \"1m\" }");
        let numbers = assert_true(&plan_of(&(cluster + &apps)));
        // The three servers are clients too, and one instance has two.
        assert_eq!(numbers.iter().map(|it| (it[0], it[2])).collect::<Vec<_>>(), [(13, 28); 3]);
    }
}

/// What the 15-minute task believes depends on the release.
#[test]
fn the_threshold_of_small_fleets_is_that_of_the_release() {
    for release in ["1.6.2", "1.9.3", "1.9.13", "2.0.6"] {
        for words in ["", "eureka.server.enable-self-preservation = false"] {
            let server = format!("{LONE}\nfetch-registry = true\nrelease = \"{release}\"\n{words}");
            for instances in [1, 3, 5, 6] {
                assert_true(&plan(&[("a", &server)], &app("A", instances, "")));
            }
        }
    }
}

#[test]
fn warnings_are_of_a_servers_own_clients_and_each_is_said_once() {
    let apps = [
        app("A", 20, "servers = [\"a\"]\neureka.instance.lease-renewal-interval-in-seconds = 60"),
        app("B", 20, "servers = [\"b\"]\neureka.instance.lease-renewal-interval-in-seconds = 60"),
        app("C", 1, "servers = [\"c\"]"),
        app("D", 19, "servers = [\"d\"]"),
        app("E", 1, "servers = [\"d\"]\neureka.instance.lease-renewal-interval-in-seconds = 5"),
    ];
    let told = format!("{LONE}\neureka.server.expected-client-renewal-interval-seconds = 60");
    let old = format!("{told}\nrelease = \"1.9.3\"");
    let servers = [("a", LONE), ("b", &old), ("c", LONE), ("d", LONE)];
    let said = warnings(&plan(&servers, &apps.concat())).join("\n");
    expect_test::expect![[r#"
        H004 a, b: 20 renewals a minute are not above the threshold 35 even with everybody well: nothing is ever evicted
        H004 c: 2 renewals a minute are not above the threshold 3 even with everybody well: nothing is ever evicted
        H005 a: a heartbeat is expected every 30 s, but all 20 instances beat every 60 s: nothing may ever be evicted
        H005 b: a heartbeat is expected every 30 s, whatever `expected-client-renewal-interval-seconds` says (it is not read before 1.9.4), but all 20 instances beat every 60 s: nothing may ever be evicted
        H005 d: a heartbeat is expected every 30 s, but 1 of 20 instances beats every 5 s: protection comes late or never"#]]
    .assert_eq(&said);
    let apps = app("A", 2, "eureka.instance.lease-renewal-interval-in-seconds = 60");
    let told: Vec<(&str, &str)> = ["a", "b", "c", "d", "e"].map(|name| (name, &*told)).into();
    assert!(warnings(&plan(&told, &apps)).iter().all(|warning| !warning.starts_with("H005")));
    let lone = ["a", "b", "c", "d", "e"].map(|name| (name, LONE));
    let said = warnings(&plan(&lone, &apps)).join("\n");
    assert!(said.contains("H004 a, b, c, d, … (5 in all): "), "{said}");
}

/// Only those that a server hears of can be forgotten when it is opened, and only in Spring's can anybody
/// register before that.
#[test]
fn who_comes_too_early_is_counted_where_it_registers() {
    let early = |flavor: &str| {
        let text = format!(
            "schema = 1\nduration = \"31m\"\n[cluster]\nflavor = \"{flavor}\"\n\
             [[servers]]\nname = \"a\"\npeers = [\"b\"]\n[[servers]]\nname = \"b\"\npeers = [\"a\"]\n\
             [[servers]]\nname = \"lone\"\npeers = []\n{}{}{}",
            app("A", 9, "servers = [\"a\"]").replace("2m", "5s"),
            app("READER", 5, "servers = [\"a\"]\nregister = false").replace("2m", "5s"),
            app("L", 40, "servers = [\"lone\"]").replace("2m", "5s"),
        );
        let mut warnings = warnings(&plan_of(&text));
        warnings.retain(|warning| warning.starts_with("H007"));
        warnings.join("\n")
    };
    let said = early("spring-cloud");
    assert!(said.starts_with("H007 a, b: 9 instances start before the server is open"), "{said}");
    assert_eq!(said.lines().count(), 1);
    assert_eq!(early("netflix"), "");
}

#[test]
fn what_the_first_fifteen_minute_task_changes_is_said() {
    let server = format!("{LONE}\nfetch-registry = true\nrelease = \"1.6.2\"");
    let text = check_text(&plan(&[("a", &server)], &app("A", 4, "")));
    let freeze = "evicts nothing until the first 15-minute task, even with everybody well";
    assert!(text.contains(freeze), "{text}");
    assert!(text.contains("(6 from the first 15-minute task on) even with everybody well: nothing is evicted until then"), "{text}");
    let server =
        format!("{LONE}\nfetch-registry = true\neureka.server.renewal-percent-threshold = 0.49");
    let text = check_text(&plan(&[("a", &server)], &app("A", 1, "")));
    assert!(text.contains("1 instance, 2 expected: threshold 1 (0 from"), "{text}");
    assert!(text.contains("warning[H003]: a: the threshold is 0 from the first"), "{text}");
    assert!(text.contains("1 death stops eviction"), "{text}");
}

/// The words of the timeline that make other numbers of it are named.
#[test]
fn what_changes_the_numbers_later_is_said() {
    let entry = |words: &str| format!("[[timeline]]\nat = \"5m\"\n{words}\n");
    let with = |entries: &[String]| {
        check_text(&plan(&[("a", LONE)], &(app("A", 9, "") + &entries.concat())))
    };
    let kill = entry("kill = \"instance:A/0\"");
    assert!(!with(std::slice::from_ref(&kill)).contains("at first"));
    let scale = entry("scale = { app = \"A\", to = 12 }");
    let set = entry(
        "set-config = { select = \"servers\", key = \"eureka.server.renewal-percent-threshold\", value = 0.5 }",
    );
    let text = with(&[scale.clone(), kill, scale, set]);
    assert!(text.contains("numbers at first; `scale` and `set-config` may change them:"), "{text}");
}

/// Consumers are told the dead by the servers that they ask.
#[test]
fn how_long_the_dead_may_be_called_is_of_the_servers_that_are_asked() {
    let quick = format!(
        "{LONE}\neureka.server.eviction-interval-timer-in-ms = 5000\neureka.server.use-read-only-response-cache = false"
    );
    let apps = [
        app("A", 2, "servers = [\"slow\"]"),
        app("B", 2, "servers = [\"quick\"]"),
        app("A-CALLER", 1, "servers = [\"slow\"]\ncalls = { app = \"A\", per-second = 1 }"),
        app("B-CALLER", 1, "servers = [\"quick\"]\ncalls = { app = \"B\", per-second = 1 }"),
    ];
    let plan = plan(&[("slow", LONE), ("quick", &quick)], &apps.concat());
    let text = check_text(&plan);
    assert!(text.contains("one instance calls A, 1 call a second in all"), "{text}");
    let report = CheckReport::new(&plan);
    let budgets = report.consumers.iter();
    let budgets: Vec<_> =
        budgets.map(|it| (it.stale_after_stop_s, it.stale_after_crash_s)).collect();
    assert_eq!(budgets, [(60.0, 300.0), (30.0, 215.0)]);
}
