//! `calls`: consumers, whom they call, and what is said of those that cannot.

use expect_test::{Expect, expect};

use super::{FLEET, plan, problems};
use crate::sim::{CallSetup, HostId};
use crate::time::Span;

fn calls(words: &str) -> Vec<CallSetup> {
    plan(&format!("{FLEET}calls = {words}")).setup.calls.clone()
}

#[test]
fn what_is_not_said_is_the_formats_default() {
    let [calls]: [CallSetup; 1] =
        calls("{ app = 'orders', per-second = 4 }").try_into().expect("one table is one");
    assert_eq!(calls.callers, 6..8, "PAYMENTS stands last");
    assert_eq!(calls.every, Span::from_millis(250));
    assert_eq!((calls.retries, calls.retry_other), (0, true));
    assert_eq!((calls.cache_ttl, calls.timeout), (Span::ZERO, Span::from_secs(1)));
    assert!(!calls.circuit_breaker);
}

#[test]
fn every_word_is_read_and_a_list_is_several() {
    let text = "[
        { app = 'ORDERS', per-second = 0.5, retries = 2, retry-other = false },
        { app = 'PAYMENTS', per-second = 3, cache-ttl = '35s', timeout = '200ms', circuit-breaker = true },
    ]";
    let [first, second]: [CallSetup; 2] = calls(text).try_into().expect("a list of two");
    assert_eq!(first.every, Span::from_secs(2));
    assert_eq!((first.retries, first.retry_other), (2, false));
    assert_eq!(second.every, Span::from_nanos(333_333_333), "to the ns");
    assert_eq!(second.cache_ttl, Span::from_secs(35));
    assert_eq!(second.timeout, Span::from_millis(200));
    assert!(second.circuit_breaker);
    assert_ne!(first.app, second.app);
}

#[test]
fn callers_are_found_by_host() {
    let setup = plan(&format!("{FLEET}calls = {{ app = 'ORDERS', per-second = 1 }}")).setup;
    let of = |host: usize| setup.calls_of(HostId::new(host)).len();
    assert_eq!((0..8).map(of).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 1, 1]);
}

/// Whoever is called may stand below its callers.
#[test]
fn the_order_of_applications_does_not_matter() {
    let name = "name = \"ORDERS\"";
    let text =
        FLEET.replace(name, &format!("{name}\ncalls = {{ app = 'payments', per-second = 1 }}"));
    assert_eq!(plan(&text).setup.calls[0].callers, 2..6);
}

#[test]
fn what_is_wrong_with_calls_is_said() {
    let cases: [(&str, Expect); 10] = [
        (
            "{ app = 'ORDRES' }",
            expect![[r#"
                s.toml:13:9: S004 `calls` lacks `per-second`
                    = add `per-second = 5.0`
                s.toml:13:17: S007 there is no application `ORDRES`
                    = did you mean `ORDERS`?
            "#]],
        ),
        (
            "{ app = 'ORDERS', per-second = 0, retry = 1 }",
            expect![[r#"
                s.toml:13:40: S006 `per-second` must be from 0.00001 to 10000
                s.toml:13:43: S002 unknown key `retry` in `calls`
                    = `calls` has: app, per-second, retries, retry-other, cache-ttl, timeout, circuit-breaker
            "#]],
        ),
        (
            "{ app = 'ORDERS', per-second = -1 }",
            expect![[r#"
            s.toml:13:40: S006 `per-second` must be from 0.00001 to 10000
        "#]],
        ),
        (
            "{ app = 'ORDERS', per-second = 10001 }",
            expect![[r#"
            s.toml:13:40: S006 `per-second` must be from 0.00001 to 10000
        "#]],
        ),
        (
            "{ app = 'ORDERS', per-second = nan }",
            expect![[r#"
            s.toml:13:40: S006 `per-second` must be a finite number
        "#]],
        ),
        (
            "{ per-second = 5 }",
            expect![[r#"
            s.toml:13:9: S004 `calls` lacks `app`
                = add `app = "PAYMENTS"`
        "#]],
        ),
        (
            "{ app = 'ORDERS', per-second = 5, timeout = '0s' }",
            expect![[r#"
            s.toml:13:53: S006 `timeout` must be longer than 0s: nobody answers at once
        "#]],
        ),
        (
            "{ app = 'ORDERS', per-second = 5, retries = 101, cache-ttl = 35 }",
            expect![[r#"
            s.toml:13:53: S006 `retries` must be from 0 to 100
            s.toml:13:70: S003 expected a duration like `"30s"` or `"1h30m"`, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "'ORDERS'",
            expect![[r#"
            s.toml:13:9: S003 expected a table, found text
                ^ this is text
        "#]],
        ),
        (
            "{ app = 'EUREKA', per-second = 5 }",
            expect![[r#"
            s.toml:13:17: S007 there is no application `EUREKA`
                = the scenario has: ORDERS, PAYMENTS
        "#]],
        ),
    ];
    for (words, expected) in cases {
        expected.assert_eq(&problems(&format!("{FLEET}calls = {words}")));
    }
}

#[test]
fn who_does_not_fetch_finds_nobody_and_who_does_not_register_is_not_found() {
    let calls = "calls = { app = 'ORDERS', per-second = 1 }";
    expect![[r#"
        s.toml:14:9: S016 who does not fetch the registry finds nobody to call
            = remove `calls`, or `fetch = false`, or `kind = "rest"`
    "#]]
    .assert_eq(&problems(&format!("{FLEET}fetch = false\n{calls}")));
    let hidden = FLEET.replace("instances = 4", "instances = 4\nregister = false");
    expect![[r#"
        s.toml:14:17: W004 no instance of ORDERS registers, so nobody finds one to call
            = remove its `register = false`
    "#]]
    .assert_eq(&problems(&format!("{hidden}{calls}")));
}

#[test]
fn too_many_consumers_are_an_error_before_anything_is_allocated() {
    let list = ["{ app = 'ORDERS', per-second = 1 }"; 3].join(", ");
    let many = FLEET.replace("instances = 2", "instances = 1000000");
    let said = problems(&format!("{many}calls = [{list}]"));
    expect![[r#"
        s.toml:13:90: S015 3000000 pairs of caller and `calls` are too many
            = at most 2000000
    "#]]
    .assert_eq(&said);
}

#[test]
fn metrics_of_calls_need_somebody_who_calls() {
    let said = |calls: &str, expectation: &str| {
        problems(&format!("{FLEET}{calls}\n[[expect]]\nat-most = 1\n{expectation}"))
    };
    let calls = "calls = { app = 'ORDERS', per-second = 1 }";
    for scope in
        ["", "app = 'ORDERS'", "instance = 'ORDERS/3'", "view = 'PAYMENTS/1'", "at = 'end'"]
    {
        for metric in ["traffic-to-dead", "staleness"] {
            assert_eq!(said(calls, &format!("metric = '{metric}'\n{scope}")), "", "{scope}");
        }
    }
    expect![[r#"
        s.toml:16:1: S016 `staleness` is of calls, and nobody makes any
            = callers have `calls = { app = "PAYMENTS", per-second = 5.0 }` in their [[apps]]
    "#]]
    .assert_eq(&said("", "metric = 'staleness'"));
    expect![[r#"
        s.toml:17:1: S016 `staleness` is of calls, and there are none of this `app`
            = callers have `calls = { app = "PAYMENTS", per-second = 5.0 }` in their [[apps]]
    "#]]
    .assert_eq(&said(calls, "metric = 'staleness'\napp = 'PAYMENTS'"));
    expect![[r#"
        s.toml:17:1: S016 `traffic-to-dead` is of calls, and there are none of this `view`
            = callers have `calls = { app = "PAYMENTS", per-second = 5.0 }` in their [[apps]]
    "#]]
    .assert_eq(&said(calls, "metric = 'traffic-to-dead'\nview = 'ORDERS/0'"));
    expect![[r#"
        s.toml:17:1: S016 `traffic-to-dead-share` is not of one instance
            = remove `instance`
    "#]]
    .assert_eq(&said(calls, "metric = 'traffic-to-dead-share'\ninstance = 'ORDERS/0'"));
    expect![[r#"
        s.toml:17:1: S016 `staleness` is one number for the whole run
            = remove `server`
    "#]]
    .assert_eq(&said(calls, "metric = 'staleness'\nserver = 'sum'"));
}
