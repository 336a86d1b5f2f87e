//! `[[timeline]]`: order, names and times of entries, and what cannot be one.

use expect_test::{Expect, expect};

use super::actions::with_action;
use super::{FLEET, plan, problems};
use crate::sim::{Action, HostId};

#[test]
fn entries_are_in_order_of_time_and_heal_means_what_was_before() {
    let plan = plan(&format!(
        "{FLEET}\
         [[timeline]]\nat = '5m'\nheal = 'cut'\n\
         [[timeline]]\nat = '2m'\nname = 'cut'\nisolate = 'zone:a'\n\
         [[timeline]]\nat = '3m'\nfor = '9m'\nhold = {{ from = 'zone:a', to = 'zone:b' }}\n\
         [[timeline]]\nat = '6m'\nheal = 'all'\n\
         [[timeline]]\nat = '6m'\nheal = 'all'\n\
         [[timeline]]\nat = '1m'\nfor = '5s'\npause = 'zone:a'\n"
    ));
    let seconds = |at: crate::time::Instant| at.nanos() / 1_000_000_000;
    let entries = plan.setup.timeline.iter().zip(&plan.timeline).map(|(entry, words)| {
        let healed = match &entry.action {
            Action::Heal(healed) => healed.clone(),
            _ => Vec::new(),
        };
        (words.what, seconds(entry.at), entry.until.map(seconds), healed)
    });
    assert_eq!(
        entries.collect::<Vec<_>>(),
        [
            ("pause", 60, Some(65), vec![]),
            ("isolate", 120, None, vec![]),
            // A `for` may reach beyond the end.
            ("hold", 180, Some(720), vec![]),
            ("heal", 300, None, vec![1]),
            ("heal", 360, None, vec![1, 2]),
            ("heal", 360, None, vec![]),
        ]
    );
}

#[test]
fn each_entry_draws_its_own_share() {
    let half = "isolate = { select = 'app:ORDERS', share = '50%' }";
    let entries: String =
        (0..8).map(|minute| format!("[[timeline]]\nat = '{minute}m'\n{half}\n")).collect();
    let plan = plan(&format!("{FLEET}{entries}"));
    let drawn: Vec<Vec<usize>> = plan
        .setup
        .timeline
        .iter()
        .map(|entry| match &entry.action {
            Action::Isolate(hosts) => hosts.iter().map(HostId::index).collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(drawn.iter().all(|hosts| hosts.len() == 2), "{drawn:?}");
    assert!(drawn.iter().any(|hosts| *hosts != drawn[0]), "{drawn:?}");
}

#[test]
fn an_entry_in_words_starts_with_who() {
    let words = |action: &str| with_action(action).timeline[0].details.clone();
    assert_eq!(words("kill = 'clients'"), "clients");
    assert_eq!(
        words("kill = { pick = 'last', count = 2, select = ['app:ORDERS', 'app:PAYMENTS'] }"),
        "app:ORDERS, app:PAYMENTS, count 2, pick last"
    );
    assert_eq!(
        words("slow = { latency = '1s', to = 'zone:b', from = 'zone:a' }"),
        "from zone:a, to zone:b, latency 1s"
    );
}

#[test]
fn what_cannot_be_an_entry_is_an_error() {
    let cases: [(&str, Expect); 37] = [
        (
            "kill = 'all'",
            expect![[r#"
            s.toml:13:1: S004 [[timeline]] lacks `at`
                = add `at = "5m"`
        "#]],
        ),
        (
            "at = '1m'\nkil = 'all'",
            expect![[r#"
            s.toml:15:1: S002 unknown key `kil` in [[timeline]]
                = did you mean `kill`?
        "#]],
        ),
        (
            "at = '1m'\nfor = '1m'\nname = 'x'",
            expect![[r#"
                s.toml:13:1: S010 a key is missing here
                    = add one of `kill`, `stop`, `start`, `restart`, `scale`, `deploy`, `pause`, `partition`, `isolate`, `hold`, `slow`, `lossy`, `fail`, `heal`, `step-clock`, `skew-clock`, `set-status`, `set-health`, `override-status`, `delete-override`, `deregister`, `set-metadata`, `set-config`, `call`
            "#]],
        ),
        (
            "at = '1m'\npause = 'all'",
            expect![[r#"
            s.toml:13:1: S004 `pause` lacks `for`
                = add `for = "90s"`
        "#]],
        ),
        (
            "at = '-1m'\nkill = 'all'",
            expect![[r#"
            s.toml:14:6: S005 `-1m` is not a duration
                = write it like `"30s"` or `"1h30m"`; units are us, ms, s, m, h, d, without spaces
        "#]],
        ),
        (
            "at = '10m1us'\nkill = 'all'",
            expect![[r#"
            s.toml:14:6: S011 `at` lies beyond the end of the run at 10m00s
                = lower it, or raise the top-level `duration`
        "#]],
        ),
        (
            "at = '1m'\nname = 'all'\nisolate = 'zone:a'",
            expect![[r#"
            s.toml:15:1: S016 an entry cannot be called `all`: `heal` means all entries by it
                = give it another name
        "#]],
        ),
        (
            "at = '1m'\nheal = 'nobody'",
            expect![[r#"
            s.toml:15:8: S007 there is no earlier timeline entry `nobody`
                = the scenario has no earlier timeline entry
        "#]],
        ),
        (
            "at = '1m'\nheal = ['all']",
            expect![[r#"
            s.toml:15:8: S003 expected the name of an earlier entry, or "all", found a list
                ^ this is a list
        "#]],
        ),
        (
            "at = '1m'\nkill = { select = 'all', sharre = '5%' }",
            expect![[r#"
            s.toml:15:26: S002 unknown key `sharre` in the selector
                = did you mean `share`?
        "#]],
        ),
        (
            "at = '1m'\nstop = { select = 'all', drain = 5 }",
            expect![[r#"
            s.toml:15:34: S003 expected a duration like `"30s"` or `"1h30m"`, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "at = '1m'\nrestart = { select = 'all', graceful = 'yes' }",
            expect![[r#"
            s.toml:15:40: S003 expected true or false, found text
                ^ this is text
        "#]],
        ),
        (
            "at = '1m'\npartition = { from = 'zone:a' }",
            expect![[r#"
            s.toml:15:13: S004 the action lacks `to`
                = add `to = "server:eureka-0"`
        "#]],
        ),
        (
            "at = '1m'\npartition = 'zone:a'",
            expect![[r#"
            s.toml:15:13: S003 expected a table, found text
                ^ this is text
        "#]],
        ),
        (
            "at = '1m'\npartition = { from = 'zone:a', to = 'zone:b', direction = 'oneway' }",
            expect![[r#"
                s.toml:15:47: S018 there is no direction `oneway`
                    = did you mean `one-way`?
            "#]],
        ),
        (
            "at = '1m'\npartition = { from = 'zone:a', to = 'zone:b', mode = 'drop' }",
            expect![[r#"
            s.toml:15:47: S018 there is no mode `drop`
                = one of: blackhole, refuse
        "#]],
        ),
        (
            "at = '1m'\nslow = { from = 'zone:a', to = 'zone:b' }",
            expect![[r#"
            s.toml:15:8: S004 the action lacks `latency`
                = add `latency = "100ms"`
        "#]],
        ),
        (
            "at = '1m'\nfail = { status = 200, methods = ['HEAD'] }",
            expect![[r#"
                s.toml:15:8: S004 the action lacks `select`
                    = add `select = "server:eureka-0"`
                s.toml:15:19: S006 `status` must be from 400 to 599
                s.toml:15:35: S018 there is no method `HEAD`
                    = one of: GET, PUT, POST, DELETE
            "#]],
        ),
        (
            "at = '1m'\nfail = { select = 'zone:a' }",
            expect![[r#"
                s.toml:15:19: S016 only servers answer requests
                    = select servers
            "#]],
        ),
        (
            "at = '1m'\nlossy = { from = 'zone:a', to = 'zone:b', loss = 5 }",
            expect![[r#"
            s.toml:15:50: S005 `5` is not a share from 0 to 1
                = write it like `"16%"` or `0.16`
        "#]],
        ),
        (
            "at = '1m'\nstep-clock = { select = 'servers' }",
            expect![[r#"
            s.toml:15:14: S004 the action lacks `by`
                = add `by = "-30s"`
        "#]],
        ),
        (
            "at = '1m'\nstep-clock = { select = 'servers', by = '-54y' }",
            expect![[r#"
            s.toml:15:41: S005 `-54y` is not a duration, perhaps with a sign
                = write it like `"-30s"`; units are us, ms, s, m, h, d, without spaces
        "#]],
        ),
        (
            "at = '1m'\nskew-clock = { select = 'servers', ppm = -1000000 }",
            expect![[r#"
            s.toml:15:42: S006 `ppm` must be from -999999 to 1000000
        "#]],
        ),
        (
            "at = '1m'\nset-status = { select = 'clients', status = 'UPP' }",
            expect![[r#"
            s.toml:15:45: S018 there is no status `UPP`
                = did you mean `UP`?
        "#]],
        ),
        (
            "at = '1m'\noverride-status = { select = 'clients' }",
            expect![[r#"
            s.toml:15:19: S004 the action lacks `status`
                = add `status = "OUT_OF_SERVICE"`
        "#]],
        ),
        (
            "at = '1m'\ndelete-override = { select = 'clients', server = 'zone:a' }",
            expect![[r#"
            s.toml:15:50: S007 there is no server `zone:a`
                = the scenario has: eureka-0, eureka-1
        "#]],
        ),
        (
            "at = '1m'\nset-metadata = { select = 'clients', key = 'a' }",
            expect![[r#"
            s.toml:15:16: S004 the action lacks `value`
                = add `value = "green"`
        "#]],
        ),
        (
            "at = '1m'\nset-config = { select = 'servers', key = 'eureka.server.renewal-treshold', value = 1 }",
            expect![[r#"
                s.toml:15:42: S002 unknown key `renewal-treshold` in `eureka.server`
            "#]],
        ),
        (
            "at = '1m'\nset-config = { select = 'servers', key = 'eureka.server.disable-delta', value = 1 }",
            expect![[r#"
                s.toml:15:81: S003 expected true or false, found a whole number
                    ^ this is a whole number
            "#]],
        ),
        (
            "at = '1m'\nset-config = { select = 'servers', key = 'eureka.server.eviction-interval-timer-in-ms', value = 0 }",
            expect![[r#"
                s.toml:15:97: S006 `eureka.server.eviction-interval-timer-in-ms` must be from 1 to 9223372036854
            "#]],
        ),
        (
            "at = '1m'\nset-config = { select = 'servers', key = 'eureka.client.service-url.defaultZone', value = 'http://eureka-9:8761/eureka/' }",
            expect![[r#"
                s.toml:15:91: S007 there is no server `eureka-9`
                    = did you mean `eureka-0`?
            "#]],
        ),
        (
            "at = '1m'\nset-config = { select = 'all', key = 'eureka.client.service-url.default-zone', value = '' }",
            expect![[r#"
                s.toml:15:38: S016 not every process selected asks for the zone `default-zone`
                    = a zone of its `availability-zones`, or `defaultZone`, spelled like this
            "#]],
        ),
        (
            "at = '1m'\nset-config = { select = 'all', key = 'eureka.client.service-url.defaultZone', value = 1 }",
            expect![[r#"
                s.toml:15:87: S003 expected text: URLs with commas between, found a whole number
                    ^ this is a whole number
            "#]],
        ),
        (
            "at = '1m'\nset-config = { select = 'servers', key = 'eureka.server.batch-replication', value = true }",
            expect![[r#"
                s.toml:15:42: W001 `eureka.server.batch-replication` has no effect in a simulated cluster
                    = leave the entry out
            "#]],
        ),
        (
            "at = '1m'\ncall = { server = 'eureka-0', method = 'PATCH', path = '/apps' }",
            expect![[r#"
                s.toml:15:56: S005 `PATCH /apps` is not an operation of Eureka
                    = write it like `PUT /eureka/apps/ORDERS/id/status?value=DOWN`; see the REST operations of Eureka
            "#]],
        ),
        (
            "at = '1m'\ncall = { server = 'eureka-0', method = 'POST', path = '/apps/A', body = 'hello' }",
            expect![[r#"
                s.toml:15:55: S016 a registration needs a `body`: the instance as JSON
                    = body = '{"instance":{"instanceId":"x:1","app":"ORDERS","hostName":"x","ipAddr":"10.0.0.1","status":"UP","dataCenterInfo":{"name":"MyOwn"}}}'
            "#]],
        ),
        (
            "at = '1m'\ncall = { method = 'GET', path = '/apps' }",
            expect![[r#"
            s.toml:15:8: S004 the action lacks `server`
                = add `server = "eureka-0"`
        "#]],
        ),
    ];
    for (entry, expected) in cases {
        expected.assert_eq(&problems(&format!("{FLEET}[[timeline]]\n{entry}")));
    }
    let twice = "[[timeline]]\nat = '1m'\nname = 'cut'\nisolate = 'zone:a'\n".repeat(2);
    expect![[r#"
        s.toml:19:1: S009 the timeline entry `cut` occurs twice
            = each name may be given once, so that `heal` knows what it means
    "#]]
    .assert_eq(&problems(&format!("{FLEET}{twice}")));
    let kill = "[[timeline]]\nat = '1m'\nname = 'blow'\nkill = 'zone:a'\n\
                [[timeline]]\nat = '2m'\nheal = 'blow'";
    expect![[r#"
        s.toml:19:8: S016 `blow` is a `kill`, which nothing heals
            = these last until healed: partition, isolate, hold, slow, lossy, fail, skew-clock
    "#]]
    .assert_eq(&problems(&format!("{FLEET}{kill}")));
    expect![[r#"
        s.toml:3:12: S003 expected [[timeline]] tables, found text
            ^ this is text
    "#]]
    .assert_eq(&problems(&FLEET.replace("[cluster]", "timeline = 'x'\n[cluster]")));
}

#[test]
fn clocks_show_times_that_eureka_can_use() {
    let step = |by: &str, times: usize| {
        let entry = format!(
            "[[timeline]]\nat = '1m'\nstep-clock = {{ select = 'servers', by = '{by}' }}\n"
        );
        problems(&format!("{FLEET}{}", entry.repeat(times)))
    };
    assert_eq!(step("-3652d", 5), "");
    expect![[r#"
        s.toml:30:14: S006 the wall clocks must be between 1970 and 2261, all steps and skews of the scenario together
    "#]].assert_eq(&step("-3652d", 6));
    expect![[r#"
        s.toml:84:14: S006 the wall clocks must be between 1970 and 2261, all steps and skews of the scenario together
    "#]].assert_eq(&step("3652d", 24));
}
