//! `[cluster]` and `[[servers]]`: what they become, and their defaults.

use expect_test::{Expect, expect};

use super::apps::{client_profile, of};
use super::{HEAD, problems};
use crate::eureka::client::{Application, ErrorBody, HttpClientKind};
use crate::eureka::{Flavor, Release};

#[test]
fn a_scenario_has_one_spring_server_of_the_newest_release() {
    let plan = of("");
    assert_eq!(
        (plan.name.as_str(), plan.setup.seed, plan.setup.epoch_ms),
        ("s", 0, 1_700_000_000_000)
    );
    let [server] = plan.setup.servers.as_slice() else {
        panic!("{:?}", plan.setup.servers);
    };
    assert_eq!((server.name.as_str(), server.start.nanos(), server.open), ("eureka-0", 0, None));
    assert_eq!((server.flavor, server.release), (Flavor::SpringCloud, Release::NEWEST));
    assert!(server.peers.is_empty());
    // With nobody beside it, it has nobody to register with.
    let embedded = &plan.setup.profiles[server.profile].client;
    assert!(!embedded.register_with_eureka && !embedded.fetch_registry);
}

#[test]
fn each_flavour_has_its_defaults() {
    let app = "[[apps]]\nname = \"ORDERS\"\ninstances = 1\n";
    let spring = of(&format!("{app}[cluster]\nservers = 2"));
    let netflix = of(&format!("{app}[cluster]\nservers = 2\nflavor = \"netflix\""));
    let older = of(&format!("{app}[cluster]\nflavor = \"netflix\"\nrelease = \"1.10.18\""));
    let both = [&spring, &netflix];
    let config = both.map(|plan| &plan.setup.servers[0].config);
    // A Spring server that registers with others looks five times at them.
    assert_eq!(config.map(|config| config.registry_sync_retries), [5, 5]);
    assert_eq!(config.map(|config| config.peer_node_read_timeout_ms), [200, 5000]);
    assert_eq!(config.map(|config| config.expected_number_of_clients_sending_renews), [1, 0]);
    assert_eq!(both.map(|plan| plan.setup.error_bodies), [ErrorBody::Json, ErrorBody::None]);
    let client = both.map(|plan| client_profile(plan, 0));
    let http = [HttpClientKind::RestClient, HttpClientKind::Jersey3];
    assert_eq!(client.map(|profile| profile.http_client), http);
    assert_eq!(client_profile(&older, 0).http_client, HttpClientKind::Jersey1);
    let pools = client.map(|profile| profile.client.heartbeat_executor_thread_pool_size);
    assert_eq!(pools, [2, 5]);
    let server = both.map(|plan| &plan.setup.profiles[plan.setup.servers[0].profile]);
    // A Netflix server is UP when it is opened for traffic.
    let application = server.map(|profile| profile.application);
    assert_eq!(application, [Application::Spring, Application::Scripted]);
    assert!(server.iter().all(|profile| profile.http_client == HttpClientKind::Jersey3));
}

#[test]
fn servers_may_be_listed_one_by_one() {
    let plan = of("[cluster]\nzones = [\"x\", \"y\"]\n\
                   [[servers]]\nname = \"main\"\nrelease = \"2.0.4\"\nopen = \"20s\"\n\
                   [[servers]]\nname = \"spare\"\nzone = \"x\"\npeers = [\"main\", \"spare\"]\nstart = \"10s\"\n\
                   flavor = \"netflix\"\nhttp-client = \"jersey1\"\nregister-with-eureka = false\n\
                   eureka.server.enable-self-preservation = false\n\
                   [[servers]]\npeers = []\n");
    let [main, spare, last] = plan.setup.servers.as_slice() else {
        panic!("{:?}", plan.setup.servers);
    };
    assert_eq!([&main.name, &spare.name, &last.name], ["main", "spare", "eureka-2"]);
    assert_eq!(main.release, Release::new(2, 0, 4));
    assert_eq!(main.open.map(|open| open.nanos()), Some(20_000_000_000));
    assert_eq!(spare.start.nanos(), 10_000_000_000);
    // Never its own peer, even if it is listed.
    assert_eq!(spare.peer_servers(), [0]);
    assert!(last.peers.is_empty());
    assert_eq!(main.peers.len(), 2);
    assert!(main.config.enable_self_preservation && !spare.config.enable_self_preservation);
    let embedded = &plan.setup.profiles[spare.profile];
    let kinds = (embedded.application, embedded.http_client);
    assert_eq!(kinds, (Application::Scripted, HttpClientKind::Jersey1));
    assert!(!embedded.client.register_with_eureka && embedded.client.fetch_registry);
}

#[test]
fn zones_are_dealt_in_turn() {
    let plan = of("[cluster]\nservers = 3\nzones = [\"a\", \"b\"]\n\
                   [[apps]]\nname = \"A\"\ninstances = 3\nzone = [\"b\", \"a\"]\n\
                   [[timeline]]\nat = \"1m\"\nkill = \"zone:a\"");
    let crate::sim::Action::Kill(selection) = &plan.setup.timeline[0].action else {
        panic!("{:?}", plan.setup.timeline);
    };
    let hosts: Vec<usize> = selection.hosts.iter().map(|host| host.index()).collect();
    assert_eq!(hosts, [0, 2, 4]);
}

#[test]
fn releases_are_from_1_3_4_on() {
    for (release, simulated) in [("1.3.4", (1, 3, 4)), ("1.10.0", (1, 10, 0)), ("9.9.9", (2, 0, 6))]
    {
        let plan = of(&format!("[cluster]\nrelease = \"{release}\""));
        let (major, minor, patch) = simulated;
        assert_eq!(plan.setup.servers[0].release, Release::new(major, minor, patch));
    }
    for release in [
        "1.3.3",
        "0.0.0",
        "2",
        "2.0",
        "2.0.6.1",
        "2.0.x",
        "v2.0.6",
        "-1.0.0",
        "",
        "2.0.99999999999",
    ] {
        let said = problems(&format!("{HEAD}[cluster]\nrelease = \"{release}\""));
        assert!(said.starts_with("s.toml:4:11: S014"), "{release}: {said}");
    }
}

#[test]
fn what_cannot_be_a_server_is_an_error() {
    let cases: [(&str, Expect); 23] = [
        (
            "[cluster]\nservers = 0",
            expect![[r#"
            s.toml:4:11: S006 `servers` must be at least 1
        "#]],
        ),
        (
            "[cluster]\nservers = 2.5",
            expect![[r#"
            s.toml:4:11: S003 expected a whole number, found a decimal number
                ^ this is a decimal number
        "#]],
        ),
        (
            "[cluster]\nservers = 99999999999999999999",
            expect![[r#"
            s.toml:4:11: S006 `servers` must be from -9223372036854775808 to 9223372036854775807
        "#]],
        ),
        (
            "[cluster]\nservers = 1\n[[servers]]\nname = \"a\"",
            expect![[r#"
            s.toml:5:1: S016 servers are given twice: by `cluster.servers` and as [[servers]]
                = remove one of them
        "#]],
        ),
        (
            "servers = []",
            expect![[r#"
            s.toml:3:11: S006 `servers` must be at least one
        "#]],
        ),
        (
            "servers = [\"a\"]",
            expect![[r#"
            s.toml:3:12: S003 expected a table, found text
                ^ this is text
        "#]],
        ),
        (
            "servers = 3",
            expect![[r#"
            s.toml:3:11: S003 expected [[servers]] tables, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "cluster = 3",
            expect![[r#"
            s.toml:3:11: S003 expected a table, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "[[servers]]\nname = \"a\"\n[[servers]]\nname = \"a\"",
            expect![[r#"
            s.toml:6:1: S009 server `a` occurs twice
                = each server needs a name of its own
        "#]],
        ),
        (
            "[[servers]]\nname = \"a b\"",
            expect![[r#"
                s.toml:4:1: S005 `a b` is not a server's name, which is its host name
                    = write it like `eureka-0`: letters and digits, and after the first `-`, `.` and `_`
            "#]],
        ),
        (
            "[[servers]]\nname = \"-1\"",
            expect![[r#"
                s.toml:4:1: S005 `-1` is not a server's name, which is its host name
                    = write it like `eureka-0`: letters and digits, and after the first `-`, `.` and `_`
            "#]],
        ),
        (
            "[[servers]]\nname = \"\"",
            expect![[r#"
                s.toml:4:1: S005 `` is not a server's name, which is its host name
                    = write it like `eureka-0`: letters and digits, and after the first `-`, `.` and `_`
            "#]],
        ),
        (
            "[[servers]]\nname = \"../../etc\"",
            expect![[r#"
                s.toml:4:1: S005 `../../etc` is not a server's name, which is its host name
                    = write it like `eureka-0`: letters and digits, and after the first `-`, `.` and `_`
            "#]],
        ),
        (
            "[[servers]]\nname = \"a\"\npeers = [\"b\"]",
            expect![[r#"
            s.toml:5:10: S007 there is no server `b`
                = did you mean `a`?
        "#]],
        ),
        (
            "[[servers]]\nstart = \"11m\"",
            expect![[r#"
            s.toml:4:9: S011 `start` lies beyond the end of the run at 10m00s
                = lower it, or raise the top-level `duration`
        "#]],
        ),
        (
            "[[servers]]\nstart = \"2m\"\nopen = \"1m\"",
            expect![[r#"
            s.toml:5:1: S016 the server is to be open before its process starts
                = `open` counts from t = 0, as `start` does
        "#]],
        ),
        (
            "[[servers]]\nfetch-registry = true\neureka.client.fetchRegistry = false",
            expect![[r#"
            s.toml:4:1: S016 `fetch-registry` is short for `eureka.client.fetch-registry`, which is given too
                = keep one of them
        "#]],
        ),
        (
            "[cluster]\nzones = []",
            expect![[r#"
            s.toml:4:9: S006 `zones` must be at least one name
        "#]],
        ),
        (
            "[cluster]\nzones = [\"a\", \"a\"]",
            expect![[r#"
            s.toml:4:15: S009 the zone `a` occurs twice
                = servers are dealt to the zones in turn: name each once
        "#]],
        ),
        (
            "[[servers]]\nzone = \"b\"",
            expect![[r#"
            s.toml:4:8: S007 there is no zone `b`
                = the scenario has: default
        "#]],
        ),
        (
            "[cluster]\nepoch-ms = 0",
            expect![[r#"
            s.toml:4:12: S006 `epoch-ms` must be from 1000000000000 to 8835000000000
        "#]],
        ),
        (
            "[cluster]\nhttp-client = \"curl\"",
            expect![[r#"
            s.toml:4:15: S018 there is no http-client `curl`
                = one of: jersey1, jersey3, restclient, resttemplate, webclient
        "#]],
        ),
        (
            "[cluster]\nerror-bodies = \"xml\"",
            expect![[r#"
            s.toml:4:16: S018 there is no kind of error body `xml`
                = one of: json, none, html
        "#]],
        ),
    ];
    for (text, expected) in cases {
        expected.assert_eq(&problems(&format!("{HEAD}{text}")));
    }
}

/// Server spec §13.2.
#[test]
fn peers_in_one_bin_of_the_hash_set_keep_the_order_of_the_list() {
    // `http://main:8761/eureka/` and those of eureka-4 and eureka-9 are in bin 13 of 16.
    let fan_out = |zones: &str, of_the_first: &str| {
        let plan = of(&format!(
            "[cluster]\n{zones}\n[[servers]]\nname = \"other\"\n{of_the_first}\n\
             [[servers]]\nname = \"eureka-4\"\n[[servers]]\nname = \"main\"\n\
             [[servers]]\nname = \"eureka-9\"\n"
        ));
        plan.setup.servers[0].peer_servers()
    };
    assert_eq!(fan_out("", ""), [1, 2, 3]);
    assert_eq!(fan_out("", "peers = [\"eureka-9\", \"main\", \"eureka-4\", \"main\"]"), [3, 2, 1]);
    let url = |name: &str| format!("http://{name}:8761/eureka/");
    let urls = |names: &[&str]| names.iter().map(|name| url(name)).collect::<Vec<_>>().join(",");
    let listed = urls(&["other", "main", "eureka-9", "eureka-4"]);
    let configured = format!("eureka.client.service-url.defaultZone = \"{listed}\"");
    assert_eq!(fan_out("", &configured), [2, 3, 1]);
    // Those of the own zone are listed first: it is the zone of the third.
    assert_eq!(fan_out("zones = [\"a\", \"b\"]", ""), [2, 1, 3]);
    let zones = format!(
        "eureka.client.availability-zones.us-east-1 = \"z2,z1\"\n\
         eureka.client.service-url.z1 = \"{}\"\neureka.client.service-url.z2 = \"{}\"\n\
         eureka.client.service-url.z3 = \"{}\"",
        url("eureka-4"),
        url("eureka-9"),
        url("main"),
    );
    // Nor are the URLs of a zone peers that is none of the region's.
    assert_eq!(fan_out("", &zones), [3, 1]);
}

/// Server spec §13.1: replication goes to the servers whose URLs a server is configured with.
#[test]
fn without_a_list_of_peers_the_service_urls_name_them() {
    let plan = of(r#"
[[servers]]
name = "a"
eureka.client.service-url.defaultZone = "http://b:8761/eureka, http://a:8761/eureka/"
[[servers]]
name = "b"
[[servers]]
name = "c"
peers = ["a"]
eureka.client.service-url.defaultZone = "http://b:8761/eureka/"
"#);
    let peers: Vec<Vec<u16>> = plan
        .setup
        .servers
        .iter()
        .map(|server| {
            let mut peers = server.peer_servers();
            peers.sort_unstable();
            peers
        })
        .collect();
    assert_eq!(peers, [vec![1], vec![0, 2], vec![0]]);
}

/// Server spec §11.3, §21: the WAR's own configuration shows its embedded client every status.
#[test]
fn the_war_copies_every_status_since_1_9_6() {
    let filters = |cluster: &str| {
        let plan = of(&format!("[cluster]\nservers = 2\n{cluster}"));
        let profile = plan.setup.servers[0].profile;
        plan.setup.profiles[profile].client.filter_only_up_instances
    };
    assert!(filters("release = '2.0.6'"));
    assert!(!filters("flavor = 'netflix'\nrelease = '1.9.6'"));
    assert!(filters("flavor = 'netflix'\nrelease = '1.9.4'"));
    assert!(filters("flavor = 'netflix'\n[eureka.client]\nfilter-only-up-instances = true"));
}
