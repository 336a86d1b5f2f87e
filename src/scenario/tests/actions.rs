//! Every action of the timeline that is executed, and its defaults.

use std::sync::Arc;

use expect_test::expect;

use super::{FLEET, plan, problems};
use crate::eureka::InstanceStatus::{Down, OutOfService, Up};
use crate::eureka::config::ConfigValue;
use crate::eureka::server::CacheKey;
use crate::eureka::server::resources::{DirtyParameter, StatusParameter};
use crate::scenario::Plan;
use crate::sim::{
    Action, Cut, CutMode, HostId, HostSet, Loss, Method, OutsideRequest, Pick, Selection,
};
use crate::time::Span;

pub(super) fn with_action(action: &str) -> Plan {
    plan(&format!("{FLEET}[[timeline]]\nat = \"1m\"\n{action}"))
}

fn select(hosts: &[usize]) -> Selection {
    let hosts = hosts.iter().map(|host| HostId::new(*host)).collect();
    Selection { hosts, take: None, pick: Pick::Random }
}

fn set(hosts: &[usize]) -> HostSet {
    hosts.iter().map(|host| HostId::new(*host)).collect()
}

fn cut(from: &[usize], to: &[usize], both_ways: bool) -> Cut {
    Cut { from: set(from), to: set(to), both_ways }
}

const SECOND: Span = Span::from_secs(1);

#[test]
fn every_action_on_processes_and_clocks_is_read() {
    let ten = Span::from_secs(10);
    for (text, expected) in [
        ("kill = 'server:eureka-1'", Action::Kill(select(&[1]))),
        ("start = 'app:PAYMENTS'", Action::Start(select(&[6, 7]))),
        ("for = '1s'\npause = 'server:eureka-1'", Action::Pause(select(&[1]))),
        ("stop = 'app:PAYMENTS'", Action::Stop(select(&[6, 7]), None)),
        ("stop = { select = 'app:PAYMENTS' }", Action::Stop(select(&[6, 7]), None)),
        (
            "stop = { select = 'app:PAYMENTS', drain = '1s' }",
            Action::Stop(select(&[6, 7]), Some(SECOND)),
        ),
        (
            "restart = 'server:eureka-1'",
            Action::Restart { select: select(&[1]), down: ten, graceful: false, upgrade: None },
        ),
        (
            "restart = { select = 'server:eureka-1' }",
            Action::Restart { select: select(&[1]), down: ten, graceful: false, upgrade: None },
        ),
        (
            "restart = { select = 'server:eureka-1', down = '1s', graceful = true }",
            Action::Restart { select: select(&[1]), down: SECOND, graceful: true, upgrade: None },
        ),
        (
            "step-clock = { select = 'servers', by = '-30s' }",
            Action::StepClock(select(&[0, 1]), -30_000_000_000),
        ),
        ("skew-clock = { select = 'servers', ppm = 200 }", Action::SkewClock(select(&[0, 1]), 200)),
        (
            "set-status = { select = 'instance:ORDERS/0', status = 'DOWN' }",
            Action::SetStatus(select(&[2]), Down),
        ),
        (
            "set-metadata = { select = 'instance:ORDERS/0', key = 'k', value = 'v' }",
            Action::SetMetadata(select(&[2]), Arc::from("k"), Arc::from("v")),
        ),
        (
            "set-config = { select = 'servers', key = 'eureka.server.renewal-percent-threshold', value = 0.49 }",
            Action::SetConfig(
                select(&[0, 1]),
                "renewal-percent-threshold".to_owned(),
                ConfigValue::Decimal(0.49),
            ),
        ),
    ] {
        assert_eq!(with_action(text).setup.timeline[0].action, expected, "{text}");
    }
}

#[test]
fn every_action_on_the_network_is_read() {
    let ends = "from = 'zone:a', to = 'server:eureka-1'";
    let (a, b) = (&[0, 6, 7], &[1]);
    for (text, expected) in [
        (
            format!("partition = {{ {ends} }}"),
            Action::Partition(cut(a, b, true), CutMode::Blackhole),
        ),
        (
            format!("partition = {{ {ends}, direction = 'one-way', mode = 'refuse' }}"),
            Action::Partition(cut(a, b, false), CutMode::Refuse),
        ),
        (
            format!("partition = {{ {ends}, direction = 'both', mode = 'blackhole' }}"),
            Action::Partition(cut(a, b, true), CutMode::Blackhole),
        ),
        ("isolate = 'zone:a'".to_owned(), Action::Isolate(set(a))),
        ("isolate = { select = 'zone:a' }".to_owned(), Action::Isolate(set(a))),
        (format!("hold = {{ {ends} }}"), Action::Hold(cut(a, b, true))),
        (
            format!("slow = {{ {ends}, latency = '1s', direction = 'one-way' }}"),
            Action::Slow(cut(a, b, false), SECOND),
        ),
        (
            format!("lossy = {{ {ends}, loss = '5%' }}"),
            Action::Lossy(cut(a, b, true), Loss::share(0.05)),
        ),
        (
            "fail = { select = 'server:eureka-1' }".to_owned(),
            Action::Fail {
                servers: set(b),
                status: 503,
                share: Loss::share(1.0),
                methods: Vec::new(),
            },
        ),
        (
            "fail = { select = 'servers', status = 429, share = '10%', methods = ['PUT', 'GET'] }"
                .to_owned(),
            Action::Fail {
                servers: set(&[0, 1]),
                status: 429,
                share: Loss::share(0.1),
                methods: vec![Method::Put, Method::Get],
            },
        ),
    ] {
        assert_eq!(with_action(&text).setup.timeline[0].action, expected, "{text}");
    }
}

#[test]
fn every_request_from_outside_is_read() {
    use OutsideRequest::{Cancel, DeleteStatus, GetById, GetInstance, Heartbeat, StatusUpdate};
    const NEVER: DirtyParameter = DirtyParameter::Absent;
    let base = plan(FLEET);
    let key = base.setup.clients[3].key;
    let app = base.apps[0].app;
    let value = StatusParameter::Value;
    let is = "select = 'instance:ORDERS/3'";
    let get = OutsideRequest::Get;
    let call = |method: &str, path: &str| {
        format!("call = {{ server = 'eureka-1', method = '{method}', path = '{path}' }}")
    };
    let entry = vec![(Arc::from("k"), Arc::from("v w"))];
    let vip = |plan: &Plan| plan.setup.profiles[plan.setup.clients[3].profile as usize].vip_address;
    let vip = vip(&base).expect("every client has one");
    for (text, server, expected) in [
        (
            format!("override-status = {{ {is}, status = 'OUT_OF_SERVICE' }}"),
            0,
            StatusUpdate(key, value(OutOfService), NEVER),
        ),
        (
            format!("override-status = {{ {is}, status = 'DOWN', server = 'eureka-1' }}"),
            1,
            StatusUpdate(key, value(Down), NEVER),
        ),
        (
            format!("delete-override = {{ {is} }}"),
            0,
            DeleteStatus(key, StatusParameter::Absent, NEVER),
        ),
        (
            format!("delete-override = {{ {is}, status = 'UP', server = 'eureka-1' }}"),
            1,
            DeleteStatus(key, value(Up), NEVER),
        ),
        (format!("deregister = {{ {is}, server = 'eureka-1' }}"), 1, Cancel(key)),
        (
            format!("set-metadata = {{ {is}, key = 'k', value = 'v w', server = 'eureka-1' }}"),
            1,
            OutsideRequest::Metadata(key, entry.clone()),
        ),
        (call("GET", "/eureka/apps"), 1, get(CacheKey::AllApps)),
        (call("GET", "/eureka/v2/apps/"), 1, get(CacheKey::AllApps)),
        (call("GET", "apps/delta"), 1, get(CacheKey::AllAppsDelta)),
        (call("GET", "/apps/ORDERS"), 1, get(CacheKey::App(app))),
        (call("GET", "/vips/orders"), 1, get(CacheKey::Vip(vip))),
        (call("GET", "/svips/orders"), 1, get(CacheKey::SecureVip(vip))),
        (call("GET", "/apps/ORDERS/orders-0003"), 1, GetInstance(key)),
        (call("GET", "/instances/orders"), 1, GetById(vip)),
        (
            call("PUT", "/apps/ORDERS/orders%2D0003"),
            1,
            Heartbeat(key, NEVER, StatusParameter::Absent),
        ),
        (
            call("PUT", "/apps/orders/orders-0003?lastDirtyTimestamp=12&overriddenstatus=UP"),
            1,
            Heartbeat(key, DirtyParameter::Value(12), value(Up)),
        ),
        (
            call("PUT", "/apps/ORDERS/orders-0003?lastDirtyTimestamp=x&overriddenstatus=x"),
            1,
            Heartbeat(key, DirtyParameter::Malformed, StatusParameter::Malformed),
        ),
        (call("DELETE", "/apps/ORDERS/orders-0003"), 1, Cancel(key)),
        (
            call("PUT", "/apps/ORDERS/orders-0003/status?value=DOWN"),
            1,
            StatusUpdate(key, value(Down), NEVER),
        ),
        (
            call("DELETE", "/apps/ORDERS/orders-0003/status"),
            1,
            DeleteStatus(key, StatusParameter::Absent, NEVER),
        ),
        (
            call("PUT", "/apps/ORDERS/orders-0003/metadata?k=v%20w"),
            1,
            OutsideRequest::Metadata(key, entry),
        ),
    ] {
        let expected = Action::Outside(HostId::new(server), vec![expected]);
        assert_eq!(with_action(&text).setup.timeline[0].action, expected, "{text}");
    }
}

#[test]
fn a_registration_from_outside_is_the_json_that_clients_send() {
    let text = r#"call = { server = "eureka-0", method = "POST", path = "/eureka/apps/NEW", body = '{"instance":{"instanceId":"n:1","app":"NEW","hostName":"n","ipAddr":"10.0.0.1","status":"STARTING","lastDirtyTimestamp":"5","leaseInfo":{"renewalIntervalInSecs":7,"durationInSecs":21},"metadata":{"zone":"a"},"dataCenterInfo":{"name":"MyOwn"}}}' }"#;
    let plan = with_action(text);
    let Action::Outside(_, requests) = &plan.setup.timeline[0].action else {
        panic!("{:?}", plan.setup.timeline);
    };
    let [OutsideRequest::Register(body, timestamps)] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    let registration = &timestamps.decoded(body, 1_700_000_060_000);
    let info = &registration.info;
    assert_eq!(plan.setup.names.full(info.key), "NEW/n:1");
    expect![[r#"
        (
            Starting,
            Unknown,
            5,
            1700000060000,
            Some(
                LeaseInfo {
                    renewal_interval_in_secs: 7,
                    duration_in_secs: 21,
                    registration_timestamp: 0,
                    last_renewal_timestamp: 0,
                    eviction_timestamp: 0,
                    service_up_timestamp: 0,
                },
            ),
            {
                "zone": "a",
            },
            Lacks {
                id: false,
                host_name: false,
                ip_address: false,
                app_name: false,
                data_center: false,
            },
        )
    "#]]
    .assert_debug_eq(&(
        info.status,
        info.overridden_status,
        info.last_dirty_timestamp,
        info.last_updated_timestamp,
        info.lease_info,
        &info.metadata,
        registration.lacks,
    ));
}

#[test]
fn a_setting_of_plain_rest_clients_changes_nothing_and_is_warned_of() {
    let key = "eureka.instance.lease-renewal-interval-in-seconds";
    let said = |select: &str| {
        let entry = format!(
            "[[timeline]]\nat = '1m'\nset-config = {{ select = {select}, key = '{key}', value = 5 }}"
        );
        problems(&format!("{FLEET}kind = 'rest'\n{entry}"))
    };
    expect![[r#"
        s.toml:16:14: W001 `set-config` has no effect on plain REST clients
            = leave them out
    "#]]
    .assert_eq(&said("'app:PAYMENTS'"));
    expect![[r#"
        s.toml:16:14: W001 `set-config` has no effect on plain REST clients, which 2 of these 6 are
            = leave them out
    "#]]
    .assert_eq(&said("'clients'"));
    assert_eq!(said("'app:ORDERS'"), "");
}

/// `fail`, whose `share` is of requests, takes a selector in full below `select`; so do the others.
#[test]
fn a_selector_in_full_may_stand_below_select() {
    let inner = "{ select = 'servers', count = 1, pick = 'first' }";
    for action in ["restart = { select = S }", "step-clock = { select = S, by = '1s' }", "kill = S"]
    {
        let nested = with_action(&action.replace('S', inner));
        let flat = action.replace("select = S", "select = 'servers', count = 1, pick = 'first'");
        assert_eq!(nested.setup.timeline, with_action(&flat.replace('S', inner)).setup.timeline);
    }
    expect![[r#"
        s.toml:15:58: S016 `count` beside a `select` that is a table
            = write it into the table
    "#]]
    .assert_eq(&problems(&format!(
        "{FLEET}[[timeline]]\nat = '1m'\nkill = {{ select = {{ select = 'servers', share = '50%' }}, count = 1 }}"
    )));
}

#[test]
fn what_cannot_be_changed_in_a_run_says_why() {
    let said = |select: &str, key: &str, value: &str| {
        problems(&format!(
            "{FLEET}[[timeline]]\nat = '1m'\nset-config = {{ select = '{select}', value = {value}, key = '{key}' }}"
        ))
    };
    for (select, key, value, expected) in [
        (
            "clients",
            "eureka.server.renewal-percent-threshold",
            "0.5",
            "S016 `eureka.server.renewal-percent-threshold` is a key of servers",
        ),
        (
            "servers",
            "eureka.client.service-urls.defaultZone",
            "'x'",
            "= did you mean `service-url`?",
        ),
        (
            "clients",
            "eureka.client.registry-fetch-intervall-seconds",
            "5",
            "= did you mean `registry-fetch-interval-seconds`?",
        ),
        ("servers", "eureka.sever.renewal-percent-threshold", "0.5", "= did you mean `server`?"),
        (
            "servers",
            "renewal-percent-threshold",
            "0.5",
            "S002 unknown key `renewal-percent-threshold`",
        ),
        (
            "servers",
            "eureka.client.service-url.defaultZone",
            "'eureka-0'",
            "S005 `eureka-0` is not a URL\n    = write it like `http://eureka-0:8761/eureka/`",
        ),
    ] {
        let said = said(select, key, value);
        assert!(said.contains(expected), "{key}: {said}");
        assert_eq!(said.matches(": S").count(), 1, "{key}: {said}");
    }
    assert_eq!(said("servers", "eureka.server.renewalPercentThreshold", "0.5"), "");
}

#[test]
fn a_word_in_place_of_a_number_says_which_there_are() {
    expect![[r#"
        s.toml:14:16: S005 `unlimted` is not a number of connections
            = write it like `100` or `"unlimited"`
        s.toml:16:9: S005 `changes` is not a sample interval
            = write it like `"1s"` or `"change"`
    "#]]
    .assert_eq(&problems(&format!(
        "{FLEET}[network]\naccept-count = 'unlimted'\n[observe]\nevery = 'changes'"
    )));
}
