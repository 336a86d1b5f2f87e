//! Health checks and plain REST clients, as scenarios write them.

use expect_test::{Expect, expect};

use super::apps::{client_profile, of};
use super::{FLEET, problems};
use crate::eureka::InstanceStatus;
use crate::eureka::client::{HealthAnswer, HealthDuration, InstanceChange, RestClient};
use crate::sim::Action;
use crate::time::Span;

const APP: &str = "[[apps]]\nname = 'A'\ninstances = 1\n";

#[test]
fn a_health_check_is_attached_where_the_group_or_springs_own_key_says_so() {
    for (words, check, never_out_of_service) in [
        ("", false, false),
        ("health = { check = false }\nout-of-service = 'as-is'", false, false),
        ("health = { check = true }", true, false),
        ("eureka.client.healthcheck.enabled = true", true, false),
        ("health = { check = true }\nout-of-service = 'down'", true, true),
    ] {
        let plan = of(&format!("{APP}{words}"));
        let profile = client_profile(&plan, 0);
        let read = (profile.health_check, profile.never_out_of_service);
        assert_eq!(read, (check, never_out_of_service), "{words}");
    }
}

fn action(text: &str) -> Action {
    let text = format!("{APP}health = {{ check = true }}\n[[timeline]]\nat = '1m'\n{text}");
    of(&text).setup.timeline[0].action.clone()
}

#[test]
fn the_answer_of_a_check_is_a_status_or_an_exception() {
    for (status, expected) in [
        ("UP", HealthAnswer::Status(InstanceStatus::Up)),
        ("OUT_OF_SERVICE", HealthAnswer::Status(InstanceStatus::OutOfService)),
        ("UNKNOWN", HealthAnswer::Status(InstanceStatus::Unknown)),
        ("throw", HealthAnswer::Throw),
    ] {
        let text = format!("set-health = {{ select = 'app:A', status = '{status}' }}");
        assert!(matches!(action(&text), Action::SetHealth(_, answer, takes)
                if answer == expected && takes == HealthDuration::default()));
    }
}

#[test]
fn a_check_may_take_its_time() {
    for (words, takes, interruptible) in [
        ("takes = '5m'", 300, false),
        ("takes = '5m', interruptible = false", 300, false),
        ("takes = '2s', interruptible = true", 2, true),
    ] {
        let text = format!("set-health = {{ select = 'app:A', status = 'DOWN', {words} }}");
        let expected = HealthDuration { takes: Span::from_secs(takes), interruptible };
        assert!(matches!(action(&text), Action::SetHealth(.., takes) if takes == expected));
    }
}

#[test]
fn an_instance_may_be_configured_anew_at_run_time() {
    for (key, value, expected) in [
        ("lease-renewal-interval-in-seconds", "5", InstanceChange::RenewalInterval(5)),
        ("lease-expiration-duration-in-seconds", "15", InstanceChange::Duration(15)),
        ("hostname", "'h2'", InstanceChange::HostName("h2".into())),
    ] {
        let text = format!(
            "set-config = {{ select = 'app:A', key = 'eureka.instance.{key}', value = {value} }}"
        );
        match action(&text) {
            Action::ConfigureInstance(_, name, _, change) => {
                assert_eq!((name, change), (format!("eureka.instance.{key}"), expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_plain_rest_client_does_what_it_is_said_to_do() {
    let rest = |words: &str| client_profile(&of(&format!("{APP}{words}")), 0).rest;
    assert_eq!(rest(""), None);
    assert_eq!(rest("kind = 'java'"), None);
    assert_eq!(rest("kind = 'rest'"), Some(RestClient::default()));
    let all = RestClient { re_registers_on_404: true, sends_status: true, sends_dirty: true };
    let words = "kind = 'rest'\nre-register-on-404 = true\nsends-status = true\nsends-dirty = true";
    assert_eq!(rest(words), Some(all));
}

#[test]
fn a_plain_rest_client_registers_whatever_eurekas_client_is_configured_to_do() {
    let words = "kind = 'rest'\neureka.client.register-with-eureka = false";
    let client = client_profile(&of(&format!("{APP}{words}")), 0).client.clone();
    assert!(client.register_with_eureka && !client.fetch_registry);
}

#[test]
fn a_second_client_has_servers_and_times_of_its_own() {
    let words = "second-client = { servers = ['eureka-0'], start = '2m', stop = '10m' }";
    let plan = of(&format!("{APP}{words}"));
    let second = client_profile(&plan, 0).second.clone().expect("there is one");
    let times = (second.start, second.stop);
    assert_eq!(times, (Span::from_secs(120), Some(Span::from_secs(600))));
    assert_eq!(second.endpoints.own_zone, [0]);
    assert!(second.endpoints.in_given_order);
}

#[test]
fn what_is_wrong_with_them_is_said() {
    let at = |action: &str| format!("[[timeline]]\nat = '1m'\n{action}");
    let cases: [(String, Expect); 12] = [
        (
            "kind = 'rest'\nregister = false\ndrain = '5s'".to_owned(),
            expect![[r#"
                s.toml:14:1: W001 `register` has no effect on plain REST clients
                    = leave it out
                s.toml:15:1: W001 `drain` has no effect on plain REST clients
                    = leave it out
            "#]],
        ),
        (
            "kind = 'rest'\ncalls = { app = 'ORDERS', per-second = 1 }".to_owned(),
            expect![[r#"
                s.toml:14:9: S016 who does not fetch the registry finds nobody to call
                    = remove `calls`, or `fetch = false`, or `kind = "rest"`
            "#]],
        ),
        (
            format!(
                "kind = 'rest'\nhealth = {{ check = true }}\n{}",
                at("set-health = { select = 'clients', status = 'DOWN' }")
            ),
            expect![[r#"
                s.toml:14:1: W001 `health` has no effect on plain REST clients
                    = leave it out
                s.toml:17:14: S016 none of these has a health check
                    = add `health = { check = true }`
            "#]],
        ),
        (
            "second-client = { servers = ['eureka-9'], start = '2m' }".to_owned(),
            expect![[r#"
            s.toml:13:30: S007 there is no server `eureka-9`
                = did you mean `eureka-0`?
        "#]],
        ),
        (
            "second-client = { servers = ['eureka-0'], start = '2m', stop = '1m' }".to_owned(),
            expect![[r#"
                s.toml:13:64: S006 `stop` must be after `start`
            "#]],
        ),
        (
            at("set-health = { select = 'clients', status = 'DOWN' }"),
            expect![[r#"
            s.toml:15:14: S016 none of these has a health check
                = add `health = { check = true }`
        "#]],
        ),
        (
            format!(
                "health = {{ check = true }}\n{}",
                at("set-health = { select = 'clients', status = 'UP', interruptible = true }")
            ),
            expect![[r#"
                s.toml:16:51: S016 only a check that takes time can be interrupted
                    = add `takes = "5m"`
            "#]],
        ),
        (
            at("set-health = { select = 'clients' }"),
            expect![[r#"
            s.toml:15:14: S004 `set-health` lacks `status`
                = add `status = "DOWN"`
        "#]],
        ),
        (
            format!(
                "health = {{ check = true }}\n{}",
                at("set-health = { select = 'clients', status = 'ILL' }")
            ),
            expect![[r#"
                s.toml:16:45: S018 there is no answer of a health check `ILL`
                    = one of: DOWN, OUT_OF_SERVICE, STARTING, UNKNOWN, UP, throw
            "#]],
        ),
        (
            at("set-config = { select = 'all', key = 'eureka.instance.hostname', value = 'h' }"),
            expect![[r#"
                s.toml:15:14: S016 servers and clients have different keys
                    = write two entries
            "#]],
        ),
        (
            at(
                "set-config = { select = 'clients', key = 'eureka.instance.lease-renewal-interval-in-seconds', value = 0 }",
            ),
            expect![[r#"
                s.toml:15:103: S006 `eureka.instance.lease-renewal-interval-in-seconds` must be from 1 to 2147483647
            "#]],
        ),
        (
            at("set-config = { select = 'clients', key = 'eureka.instance.hostname', value = 5 }"),
            expect![[r#"
                s.toml:15:78: S003 expected a host name, found a whole number
                    ^ this is a whole number
            "#]],
        ),
    ];
    for (text, expected) in cases {
        expected.assert_eq(&problems(&format!("{FLEET}{text}")));
    }
}
