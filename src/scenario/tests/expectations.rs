//! `[[expect]]`: every form, as the sentence that is shown for it, and what cannot be expected.

use expect_test::{Expect, expect};

use super::{FLEET, plan, problems};
use crate::scenario::{Bounds, EventKind, Metric, Servers, Subject, Wanted, When};
use crate::time::{Instant, Span};

/// Somebody calls somebody, for the metrics of calls.
const CALLS: &str = "calls = { app = 'ORDERS', per-second = 1 }\n";

fn with(expectation: &str) -> crate::scenario::Expectation {
    let plan = plan(&format!("{FLEET}{CALLS}[[expect]]\n{}", expectation.replace("; ", "\n")));
    plan.expectations[0].clone()
}

#[test]
fn each_form_is_read() {
    for (text, sentence) in [
        ("metric = 'registry-size'; equals = 6", "registry-size[*] = 6"),
        ("metric = 'registry-size'; server = '*'; at-least = 6", "registry-size[*] >= 6"),
        (
            "metric = 'registry-size'; server = 'eureka-1'; at-most = 6",
            "registry-size[eureka-1] <= 6",
        ),
        ("metric = 'evicted'; server = 'sum'; above = 5", "evicted[sum] > 5"),
        ("metric = 'evicted'; server = 'max'; below = 5.5", "evicted[max] < 5.5"),
        ("metric = 'evicted'; server = 'min'; at-least = 1; at-most = 5", "evicted[min] >= 1 <= 5"),
        ("metric = 'ghosts'; app = 'orders'; at-most = 0", "ghosts[*, ORDERS] <= 0"),
        (
            "metric = 'registry-size'; view = 'PAYMENTS/0'; equals = 6",
            "registry-size[view PAYMENTS/payments-0000] = 6",
        ),
        (
            "metric = 'registry-size'; view = 'PAYMENTS/0'; app = 'ORDERS'; equals = 4",
            "registry-size[view PAYMENTS/payments-0000, ORDERS] = 4",
        ),
        (
            "metric = 'status'; instance = 'ORDERS/3'; equals = 'DOWN'",
            "status[*, ORDERS/orders-0003] = DOWN",
        ),
        (
            "metric = 'status'; instance = 'ORDERS/orders-0003'; view = 'PAYMENTS/0'; equals = 'ABSENT'",
            "status[view PAYMENTS/payments-0000, ORDERS/orders-0003] = ABSENT",
        ),
        (
            "metric = 'lease-expiration-enabled'; equals = true",
            "lease-expiration-enabled[*] is true",
        ),
        (
            "metric = 'below-renew-threshold'; server = 'max'; equals = false",
            "below-renew-threshold[max] is false",
        ),
        ("metric = 'alive'; equals = 6", "alive = 6"),
        ("metric = 'alive'; app = 'ORDERS'; equals = 4", "alive[ORDERS] = 4"),
        ("metric = 'convergence-seconds'; at-most = 90", "convergence-seconds <= 90"),
        (
            "metric = 'ghost-seconds'; at = 'end'; at-most = 12.5",
            "ghost-seconds[*] <= 12.5 at 10m00s",
        ),
        ("metric = 'traffic-to-dead'; equals = 0", "traffic-to-dead = 0"),
        (
            "metric = 'traffic-to-dead-share'; app = 'ORDERS'; at-most = '2%'",
            "traffic-to-dead-share[ORDERS] <= 0.02",
        ),
        (
            "metric = 'staleness'; view = 'PAYMENTS/0'; at-most = 95",
            "staleness[view PAYMENTS/payments-0000] <= 95",
        ),
        ("metric = 'ghosts'; at = '0s'; equals = 0", "ghosts[*] = 0 at 0s"),
        ("metric = 'ghosts'; during = '5m..10m'; equals = 0", "ghosts[*] = 0 during 5m00s..10m00s"),
        (
            "metric = 'ghosts'; at = '5m'; within = '90s'; equals = 0",
            "ghosts[*] = 0 at some time in 5m00s..6m30s",
        ),
        ("metric = 'ghosts'; equals = 0; label = 'nobody is mourned'", "nobody is mourned"),
        ("event = 'evict-run'; never = true", "evict-run never"),
        ("event = 'evict-run'; happens = false", "evict-run never"),
        ("event = 'evict-run'; happens = true", "evict-run happens"),
        ("event = 'evict-run'; never = false", "evict-run happens"),
        (
            "event = 'self-preservation'; server = 'eureka-0'; happens = true; during = '5m..8m'",
            "self-preservation[eureka-0] happens during 5m00s..8m00s",
        ),
        (
            "event = 'register'; app = 'ORDERS'; equals = 8; at = '1m'; within = '1m'",
            "register[ORDERS] = 8 during 1m00s..2m00s",
        ),
        (
            "event = 'renew'; server = 'eureka-1'; instance = 'ORDERS/0'; at-least = 19; below = 21",
            "renew[eureka-1, ORDERS/orders-0000] >= 19 < 21",
        ),
        (
            "event = 'expired-lease'; above = 1; at-most = 3; during = '0s..10m'",
            "expired-lease <= 3 > 1 during 0s..10m00s",
        ),
    ] {
        assert_eq!(with(text).text, sentence, "{text}");
    }
}

#[test]
fn a_subject_has_what_was_said() {
    let at = |seconds| Instant::ZERO + Span::from_secs(seconds);
    let bounds = Bounds { equals: Some(Wanted::Number(1.0)), ..Bounds::default() };
    let subject =
        with("metric = 'lease-expiration-enabled'; server = 'max'; equals = true").subject;
    assert!(
        matches!(&subject, Subject::Metric { metric: Metric::LeaseExpirationEnabled, servers: Servers::Max, bounds: found, when: When::Always, .. } if *found == bounds),
        "{subject:?}"
    );
    let subject = with("metric = 'ghosts'; at = '1m'; within = '0s'; equals = 1").subject;
    assert!(
        matches!(&subject, Subject::Metric { when, .. } if *when == When::Within(at(60), at(60))),
        "{subject:?}"
    );
    let subject = with("metric = 'ghosts'; at = 'end'; equals = 1").subject;
    assert!(
        matches!(&subject, Subject::Metric { when, .. } if *when == When::During(at(600), at(600))),
        "{subject:?}"
    );
    let subject = with("event = 'fault'; equals = 1; at = '1m'").subject;
    assert!(
        matches!(&subject, Subject::Event { kind: EventKind::Fault, during, .. } if *during == Some((at(60), at(60)))),
        "{subject:?}"
    );
}

#[test]
fn every_metric_and_event_can_be_expected() {
    for (name, metric) in Metric::ALL {
        let rest = match metric {
            Metric::Status => "instance = 'ORDERS/0'; equals = 'UP'",
            metric if metric.is_flag() => "equals = true",
            _ => "equals = 0",
        };
        with(&format!("metric = '{name}'; {rest}"));
    }
    for (name, _) in EventKind::ALL {
        let text = format!("{FLEET}[[expect]]\nevent = '{name}'\nnever = true");
        assert_eq!(problems(&text), "", "{name}");
    }
}

#[test]
fn shares_may_be_percentages_and_counts_may_not() {
    let said = |bound: &str| problems(&format!("{FLEET}{CALLS}[[expect]]\n{bound}"));
    assert_eq!(said("metric = 'traffic-to-dead-share'\nat-most = '0.5%'"), "");
    expect![[r#"
        s.toml:16:11: S005 `5` is not a share from 0 to 1
            = write it like `"16%"` or `0.16`
    "#]]
    .assert_eq(&said("metric = 'traffic-to-dead-share'\nat-most = 5"));
    expect![[r#"
        s.toml:16:11: S003 expected a number, found text
            ^ this is text
    "#]]
    .assert_eq(&said("metric = 'ghosts'\nat-most = '5%'"));
}

#[test]
fn what_cannot_be_expected_is_an_error() {
    let cases: [(&str, Expect); 29] = [
        (
            "at-most = 3",
            expect![[r#"
                s.toml:13:1: S010 a key is missing here
                    = add one of `metric`, `event`
            "#]],
        ),
        (
            "metric = 'ghosts'; event = 'register'; at-most = 3",
            expect![[r#"
            s.toml:13:1: S010 this has `metric` and `event`: exactly one is wanted
                = exactly one of `metric`, `event`
        "#]],
        ),
        (
            "metric = 'ghosts'",
            expect![[r#"
                s.toml:13:1: S010 a key is missing here
                    = add one of `equals`, `at-least`, `at-most`, `above`, `below`
            "#]],
        ),
        (
            "metric = 'ghost'; at-most = 3",
            expect![[r#"
            s.toml:14:10: S018 there is no metric `ghost`
                = did you mean `ghosts`?
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = 3; atleast = 1",
            expect![[r#"
            s.toml:16:1: S002 unknown key `atleast` in [[expect]]
                = did you mean `at-least`?
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = nan",
            expect![[r#"
            s.toml:15:11: S006 `at-most` must be a finite number
        "#]],
        ),
        (
            "metric = 'ghosts'; at-least = 3; at-most = 2",
            expect![[r#"
            s.toml:13:1: S016 no number is within all of these bounds
                = widen one of them
        "#]],
        ),
        (
            "metric = 'ghosts'; above = 3; at-most = 3",
            expect![[r#"
            s.toml:13:1: S016 no number is within all of these bounds
                = widen one of them
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = 3; server = 'eureka-7'",
            expect![[r#"
            s.toml:16:10: S007 there is no server `eureka-7`
                = did you mean `eureka-0`?
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = 3; app = 'ORDRES'",
            expect![[r#"
            s.toml:16:7: S007 there is no application `ORDRES`
                = did you mean `ORDERS`?
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = 3; instance = 'ORDERS/0'",
            expect![[r#"
            s.toml:16:1: S016 `ghosts` is not of one instance
                = remove `instance`
        "#]],
        ),
        (
            "metric = 'evicted'; at-most = 3; app = 'ORDERS'",
            expect![[r#"
            s.toml:16:1: S016 `evicted` cannot be asked for one application
                = remove `app`
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = 3; view = 'ORDERS/0'",
            expect![[r#"
                s.toml:16:1: S016 a client's view has no `ghosts`
                    = views have registry-size, status and the metrics of calls
            "#]],
        ),
        (
            "metric = 'registry-size'; at-most = 3; view = 'EUREKA/eureka-0:eureka:8761'",
            expect![[r#"
                s.toml:16:8: S016 `EUREKA/eureka-0:eureka:8761` is a server: views are those of clients
                    = name a client, as in `ORDERS/3`
            "#]],
        ),
        (
            "metric = 'registry-size'; at-most = 3; view = 'ORDERS/0'; server = 'eureka-0'",
            expect![[r#"
                s.toml:17:1: S016 a view is a client's, whatever server it came from
                    = remove `server` or `view`
            "#]],
        ),
        (
            "metric = 'alive'; at-most = 3; server = 'sum'",
            expect![[r#"
            s.toml:16:1: S016 `alive` is one number for the whole run
                = remove `server`
        "#]],
        ),
        (
            "metric = 'lease-expiration-enabled'; equals = true; server = 'sum'",
            expect![[r#"
            s.toml:16:1: S016 `lease-expiration-enabled` is true or false, which has no sum
                = `max` is true if any server's is, `min` if all are
        "#]],
        ),
        (
            "metric = 'lease-expiration-enabled'; equals = 1",
            expect![[r#"
            s.toml:15:10: S003 expected true or false, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "metric = 'lease-expiration-enabled'; at-least = 1",
            expect![[r#"
            s.toml:15:1: S016 `lease-expiration-enabled` has no order: there is no `at-least`
                = write `equals`
        "#]],
        ),
        (
            "metric = 'status'; equals = 'UP'",
            expect![[r#"
            s.toml:13:1: S004 `metric = "status"` lacks `instance`
                = add `instance = "ORDERS/3"`
        "#]],
        ),
        (
            "metric = 'status'; instance = 'ORDERS/0'; equals = 'GONE'",
            expect![[r#"
            s.toml:16:10: S018 there is no status `GONE`
                = one of: DOWN, OUT_OF_SERVICE, STARTING, UNKNOWN, UP, ABSENT
        "#]],
        ),
        (
            "metric = 'status'; instance = 'ORDERS/0'; equals = 'UP'; server = 'max'",
            expect![[r#"
            s.toml:17:1: S016 a status has no sum, maximum or minimum
                = name a server, or leave it out for each
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = 3; at = '1m'; during = '1m..2m'",
            expect![[r#"
            s.toml:13:1: S010 this has `during` and `at`: exactly one is wanted
                = exactly one of `during`, `at`
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = 3; within = '1m'",
            expect![[r#"
            s.toml:16:10: S016 `within` counts from `at`
                = add `at`, or write `during`
        "#]],
        ),
        (
            "metric = 'ghosts'; at-most = 3; at = '9m'; within = '2m'",
            expect![[r#"
            s.toml:17:10: S011 `at` + `within` lies beyond the end of the run at 10m00s
                = lower it, or raise the top-level `duration`
        "#]],
        ),
        (
            "event = 'register'",
            expect![[r#"
                s.toml:13:1: S010 a key is missing here
                    = add one of `happens`, `never`, or a bound on the count
            "#]],
        ),
        (
            "event = 'register'; happens = true; never = true",
            expect![[r#"
            s.toml:13:1: S010 this has `happens` and `never`: exactly one is wanted
                = exactly one of `happens`, `never`, or a bound on the count
        "#]],
        ),
        (
            "event = 'register'; at-least = 1; server = 'sum'",
            expect![[r#"
            s.toml:16:1: S016 events are counted, not summed
                = name a server, or leave it out
        "#]],
        ),
        (
            "event = 'bucket'; at-least = 1; app = 'ORDERS'",
            expect![[r#"
            s.toml:16:1: S016 `bucket` events are of a server, not of an instance
                = remove `app`
        "#]],
        ),
    ];
    for (text, expected) in cases {
        let text = format!("{FLEET}[[expect]]\n{}", text.replace("; ", "\n"));
        expected.assert_eq(&problems(&text));
    }
    expect![[r#"
        s.toml:3:10: S003 expected [[expect]] tables, found a whole number
            ^ this is a whole number
    "#]]
    .assert_eq(&problems(&FLEET.replace("[cluster]", "expect = 3\n[cluster]")));
}

#[test]
fn a_count_that_cannot_be_is_an_error_too() {
    let text = format!("{FLEET}[[expect]]\nevent = 'register'\nat-least = 3\nat-most = 2");
    expect![[r#"
        s.toml:13:1: S016 no number is within all of these bounds
            = widen one of them
    "#]]
    .assert_eq(&problems(&text));
}

#[test]
fn a_claim_is_read_with_its_verdict() {
    let claim =
        |words: &str| with(&format!("metric = 'evicted'; equals = 0; claim = {{ {words} }}")).claim;
    for verdict in ["true", "false", "half-true"] {
        let claim = claim(&format!("says = 'It is 34.', in = 'a guide', verdict = '{verdict}'"));
        let claim = claim.expect("it is there");
        assert_eq!((claim.says.as_str(), claim.place.as_str()), ("It is 34.", "a guide"));
        assert_eq!(claim.verdict, verdict);
    }
    assert_eq!(with("metric = 'evicted'; equals = 0").claim, None);
}

#[test]
fn a_claim_says_what_it_lacks() {
    let said = |claim: &str| {
        problems(&format!("{FLEET}[[expect]]\nmetric = 'evicted'\nequals = 0\nclaim = {claim}"))
    };
    expect![[r#"
        s.toml:16:9: S003 expected a table, found text
            ^ this is text
    "#]]
    .assert_eq(&said("'It is 34.'"));
    expect![[r#"
        s.toml:16:9: S004 `claim` lacks `in`
            = add `in = "a guide to Eureka, chapter 3"`
        s.toml:16:33: S018 there is no `verdict` `wrong`
            = one of: true, false, half-true
    "#]]
    .assert_eq(&said("{ says = 'x', verdict = 'wrong' }"));
    expect![[r#"
        s.toml:16:51: S002 unknown key `what` in `claim`
            = `claim` has: says, in, verdict
    "#]]
    .assert_eq(&said("{ says = 'x', in = 'y', verdict = 'true', what = 1 }"));
}
