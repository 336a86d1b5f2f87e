//! `scale` and `deploy`: who belongs to an application when, and what they are called.

use expect_test::expect;

use super::{FLEET, plan, problems};
use crate::scenario::{Plan, Subject};
use crate::sim::{Action, FleetChange, HostId, HostSet, OutsideRequest, Selection};
use crate::time::{Instant, Span};

/// The fleet, whose ORDERS are called by generation, and this: each an instant and an action.
fn scripted(entries: &[(&str, &str)]) -> String {
    let fleet = FLEET.replace("zone = \"b\"", "zone = \"b\"\ninstance-id = \"o{index}-{n}\"");
    let entry = |(at, action): &(&str, &str)| format!("[[timeline]]\nat = '{at}'\n{action}\n");
    fleet + &entries.iter().map(entry).collect::<String>()
}

fn scripted_plan(entries: &[(&str, &str)]) -> Plan {
    plan(&scripted(entries))
}

/// What happens when: seconds, what, and to whom (host and id of the next process).
fn steps(plan: &Plan) -> Vec<String> {
    let setup = &plan.setup;
    let step = |step: &crate::sim::FleetStep| {
        let members = &setup.members[step.members.clone()];
        let member = |it: &crate::sim::Member| {
            format!("{}={}", it.host.index(), setup.names.id_text(it.key))
        };
        let members: Vec<String> = members.iter().map(member).collect();
        let seconds = step.at.nanos() / 1_000_000_000;
        format!("{seconds} {} {}", step.change.name(), members.join(" "))
    };
    setup.steps.iter().map(step).collect()
}

/// The hosts that an entry selects.
fn hosts(plan: &Plan, entry: usize) -> Vec<usize> {
    match &plan.setup.timeline[entry].action {
        Action::Kill(Selection { hosts, .. })
        | Action::Start(Selection { hosts, .. })
        | Action::Pause(Selection { hosts, .. }) => hosts.iter().map(|host| host.index()).collect(),
        other => panic!("{other:?} selects nobody"),
    }
}

#[test]
fn those_that_are_added_follow_the_last_of_their_application() {
    let plan = scripted_plan(&[("2m", "scale = { app = 'ORDERS', to = 7, every = '30s' }")]);
    // Two servers, four ORDERS, three more, two PAYMENTS.
    assert_eq!(plan.setup.clients.len(), 9);
    let starts: Vec<bool> = plan.setup.clients.iter().map(|it| it.start.is_some()).collect();
    assert_eq!(starts, [true, true, true, true, false, false, false, true, true]);
    assert_eq!(steps(&plan), ["120 add 6=o4-0", "150 add 7=o5-0", "180 add 8=o6-0"]);
    assert_eq!(plan.apps[0].hosts, vec![2..9]);
    assert_eq!((plan.apps[0].instances, plan.apps[1].instances), (7, 2));
    let said = &plan.timeline[0].details;
    assert_eq!(said, "app ORDERS, to 7, every 30s: adds ORDERS/4 to ORDERS/6, the last at 3m00s");
    assert!(matches!(plan.setup.timeline[0].action, Action::Scale { graceful: true }));
}

#[test]
fn of_several_groups_the_last_grows() {
    let group = "[[apps]]\nname = 'ORDERS'\ninstances = 1\nzone = ['a', 'b']\ndrain = '7s'\n";
    let scale = ("1m", "scale = { app = 'ORDERS', to = 7 }");
    let plan = plan(&(scripted(&[]) + group + &scripted(&[scale])[scripted(&[]).len()..]));
    // Hosts 6 and 7 are the PAYMENTS.
    assert_eq!(plan.apps[0].hosts, [2..6, 8..11]);
    assert_eq!(steps(&plan), ["60 add 9=orders-0005 10=orders-0006"]);
    let drain = |client: usize| plan.setup.profile_of(HostId::new(client)).drain;
    assert_eq!((drain(5), drain(10)), (Span::ZERO, Span::from_secs(7)));
}

#[test]
fn callers_and_links_include_those_that_are_added() {
    let text = scripted(&[("1m", "scale = { app = 'ORDERS', to = 6 }")])
        .replace("instance-id", "calls = { app = 'PAYMENTS', per-second = 1 }\ninstance-id")
        + "[network]\nlinks = [{ from = 'app:ORDERS', to = 'zone:a', loss = '1%' }]\n";
    let plan = plan(&text);
    assert_eq!(plan.setup.calls[0].callers, 2..8);
    let from: Vec<usize> =
        plan.setup.network.links[0].from.iter().map(|host| host.index()).collect();
    assert_eq!(from, [2, 3, 4, 5, 6, 7]);
}

#[test]
fn those_added_last_are_removed_first_and_return_as_they_were() {
    let plan = scripted_plan(&[
        ("1m", "scale = { app = 'ORDERS', to = 1, every = '10s', graceful = false }"),
        ("2m", "scale = { app = 'ORDERS', to = 3 }"),
        ("3m", "scale = { app = 'ORDERS', to = 0 }"),
    ]);
    let expected = [
        "60 remove 5=o3-0",
        "70 remove 4=o2-0",
        "80 remove 3=o1-0",
        "120 add 3=o1-0 4=o2-0",
        "180 remove 4=o2-0 3=o1-0 2=o0-0",
    ];
    assert_eq!(steps(&plan), expected);
    assert_eq!(plan.apps[0].instances, 0);
    assert!(matches!(plan.setup.timeline[0].action, Action::Scale { graceful: false }));
}

#[test]
fn a_later_scale_puts_an_end_to_an_earlier_one() {
    let plan = scripted_plan(&[
        ("1m", "scale = { app = 'ORDERS', to = 9, every = '10s' }"),
        ("70s", "scale = { app = 'ORDERS', to = 5 }"),
        ("80s", "scale = { app = 'ORDERS', to = 5 }"),
        ("80s", "scale = { app = 'PAYMENTS', to = 3 }"),
    ]);
    let expected =
        ["60 add 6=o4-0", "70 add 7=o5-0", "70 remove 7=o5-0", "80 add 10=payments-0002"];
    assert_eq!(steps(&plan), expected);
    let said: Vec<&str> = plan.timeline.iter().map(|entry| entry.details.as_str()).collect();
    assert!(said[0].ends_with(", cut short at 1m10s by the next `scale`"), "{}", said[0]);
    assert_eq!(said[1], "app ORDERS, to 5: removes ORDERS/5");
    assert_eq!(said[2], "app ORDERS, to 5: nothing to do, there are 5");
}

#[test]
fn batches_follow_one_another_and_every_replacement_has_an_id_of_its_own() {
    let plan = scripted_plan(&[
        ("1m", "deploy = { app = 'ORDERS', batch = 3, graceful = false }"),
        ("2m", "deploy = { app = 'ORDERS', batch = '50%', every = '1s', down = '1m' }"),
    ]);
    let expected = [
        "60 replace 2=o0-1 3=o1-1 4=o2-1",
        "90 replace 5=o3-1",
        "120 replace 2=o0-2 3=o1-2",
        "121 replace 4=o2-2 5=o3-2",
    ];
    assert_eq!(steps(&plan), expected);
    let actions: Vec<&Action> = plan.setup.timeline.iter().map(|entry| &entry.action).collect();
    let down = Span::from_secs(5);
    assert_eq!(*actions[0], Action::Deploy { graceful: false, down });
    assert_eq!(*actions[1], Action::Deploy { graceful: true, down: Span::from_secs(60) });
    let said = &plan.timeline[0].details;
    assert!(said.ends_with(": replaces 4 in 2 batches of 3, the last at 1m30s"), "{said}");
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

/// Turns count, not entries: the second deployment overtakes the first.
#[test]
fn generations_follow_the_turns_of_overlapping_deployments() {
    let plan = scripted_plan(&[
        ("1m", "deploy = { app = 'ORDERS', every = '1m' }"),
        ("90s", "deploy = { app = 'ORDERS', batch = '100%' }"),
        ("10m", "deploy = { app = 'ORDERS', batch = 9, new-ids = false }"),
    ]);
    let expected = [
        "60 replace 2=o0-1",
        "120 replace 3=o1-2",
        "180 replace 4=o2-2",
        "240 replace 5=o3-2",
        "90 replace 2=o0-2 3=o1-1 4=o2-1 5=o3-1",
        "600 replace 2=o0-2 3=o1-2 4=o2-2 5=o3-2",
    ];
    assert_eq!(steps(&plan), expected);
}

#[test]
fn who_is_removed_meanwhile_is_not_replaced_and_who_is_added_is_new_anyway() {
    let plan = scripted_plan(&[
        ("1m", "deploy = { app = 'ORDERS', batch = 2, every = '1m' }"),
        ("70s", "scale = { app = 'ORDERS', to = 3 }"),
        ("3m", "scale = { app = 'ORDERS', to = 5 }"),
    ]);
    let expected = [
        "60 replace 2=o0-1 3=o1-1",
        "120 replace 4=o2-1",
        "70 remove 5=o3-0",
        "180 add 5=o3-0 6=o4-0",
    ];
    assert_eq!(steps(&plan), expected);
    let said = &plan.timeline[0].details;
    assert!(said.ends_with(": replaces 3 in 2 batches of 2, the last at 2m00s"), "{said}");
}

#[test]
fn a_selector_means_those_that_belong_to_the_application_then() {
    let plan = scripted_plan(&[
        ("30s", "kill = 'app:ORDERS'"),
        ("1m", "scale = { app = 'ORDERS', to = 6, every = '1m' }"),
        ("1m", "kill = 'app:ORDERS'"),
        ("119s", "kill = 'clients'"),
        ("2m", "kill = 'zone:b'"),
        ("3m", "scale = { app = 'ORDERS', to = 2 }"),
        ("3m", "kill = 'all'"),
        ("3m", "start = 'app:ORDERS'"),
        ("3m", "kill = 'instance:ORDERS/5'"),
        ("4m", "for = '1s'\nisolate = 'app:ORDERS'"),
        ("4m", "for = '1s'\nisolate = { select = 'app:ORDERS', share = '50%', pick = 'last' }"),
    ]);
    let all: [&[usize]; 9] = [
        &[2, 3, 4, 5],
        &[],
        &[2, 3, 4, 5, 6],
        &[2, 3, 4, 5, 6, 8, 9],
        &[1, 2, 3, 4, 5, 6, 7],
        &[],
        &[0, 1, 2, 3, 8, 9],
        &[2, 3],
        &[7],
    ];
    for (entry, expected) in all.into_iter().enumerate().filter(|(_, hosts)| !hosts.is_empty()) {
        assert_eq!(hosts(&plan, entry), expected, "entry {entry}");
    }
    let isolated = |entry: usize| match &plan.setup.timeline[entry].action {
        Action::Isolate(hosts) => hosts.clone(),
        other => panic!("{other:?}"),
    };
    let set = |hosts: &[usize]| hosts.iter().map(|host| HostId::new(*host)).collect::<HostSet>();
    assert_eq!(isolated(9), set(&[2, 3, 4, 5, 6, 7]), "a place");
    assert_eq!(isolated(10), set(&[3]), "a share is one of those that are there");
}

/// `DELETE apps/{app}/{id}` of these.
fn asked(plan: &Plan, entry: usize) -> Vec<&str> {
    let Action::Outside(_, requests) = &plan.setup.timeline[entry].action else {
        panic!("not from outside");
    };
    let id = |request| match request {
        &OutsideRequest::Cancel(key) => plan.setup.names.id_text(key),
        other => panic!("{other:?}"),
    };
    requests.iter().map(id).collect()
}

#[test]
fn an_index_means_the_replacement_from_its_turn_on_and_ids_mean_themselves() {
    let select = |select: &str| format!("deregister = {{ select = {select} }}");
    let (both, app) =
        (select("['instance:ORDERS/0', 'instance:ORDERS/1']"), select("'app:ORDERS'"));
    let old = select("['instance:ORDERS/o0-0', 'instance:ORDERS/0', 'instance:ORDERS/o0-0']");
    let plan = scripted_plan(&[
        ("59s", &app),
        ("1m", "deploy = { app = 'ORDERS' }"),
        ("1m", &both),
        ("2m", &old),
        ("5m", &app),
        ("5m", "kill = 'instance:ORDERS/o2-1'"),
    ]);
    assert_eq!(asked(&plan, 0), ["o0-0", "o1-0", "o2-0", "o3-0"]);
    assert_eq!(asked(&plan, 2), ["o0-1", "o1-0"]);
    assert_eq!(asked(&plan, 3), ["o0-1", "o0-0"]);
    assert_eq!(asked(&plan, 4), ["o0-1", "o1-1", "o2-1", "o3-1"]);
    assert_eq!(hosts(&plan, 5), [4]);
}

#[test]
fn an_expectation_means_the_instance_that_has_the_index_when_its_time_begins() {
    let script = scripted(&[
        ("1m", "deploy = { app = 'ORDERS', batch = 4 }"),
        ("2m", "scale = { app = 'ORDERS', to = 5 }"),
    ]);
    let expected = |instance: &str, when: &str| {
        let text = format!(
            "{script}[[expect]]\nmetric = 'status'\ninstance = '{instance}'\nequals = 'UP'\n{when}"
        );
        let plan = plan(&text);
        match plan.expectations[0].subject {
            Subject::Metric { instance: Some(key), .. } => plan.setup.names.id_text(key).to_owned(),
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(expected("ORDERS/3", ""), "o3-0");
    assert_eq!(expected("ORDERS/3", "at = '59s'"), "o3-0");
    assert_eq!(expected("ORDERS/3", "at = '1m'"), "o3-1");
    assert_eq!(expected("ORDERS/3", "during = '30s..5m'"), "o3-0");
    assert_eq!(expected("ORDERS/3", "at = '30s'\nwithin = '5m'"), "o3-0");
    assert_eq!(expected("ORDERS/o3-0", "at = 'end'"), "o3-0");
    assert_eq!(expected("ORDERS/4", "at = '30s'"), "o4-0", "added later");
}

#[test]
fn steps_beyond_the_end_never_happen_and_are_warned_of() {
    let text = scripted(&[
        ("9m", "scale = { app = 'PAYMENTS', to = 9, every = '30s' }"),
        ("9m", "deploy = { app = 'ORDERS', every = '45s' }"),
    ]);
    expect![[r#"
        s.toml:16:37: W003 4 of 7 instances would be added after the end of the run at 10m00s
            = start them earlier, or raise the `duration`
        s.toml:19:28: W003 2 of 4 batches would be replaced after the end of the run at 10m00s
            = start them earlier, or raise the `duration`
    "#]]
    .assert_eq(&problems(&text));
    let plan = plan(&text);
    assert_eq!(plan.setup.clients.len(), 9, "nobody has a place who never comes");
    assert_eq!(steps(&plan).len(), 5);
    assert_eq!(plan.apps[1].instances, 5);
    let end = Instant::ZERO + Span::from_secs(600);
    assert!(plan.setup.steps.iter().all(|step| step.at <= end));
    assert!(plan.setup.steps.iter().any(|step| step.at == end && step.change == FleetChange::Add));
}

#[test]
fn what_cannot_be_scaled_or_deployed_is_an_error() {
    let cases = [
        (
            "scale = { app = 'ORDERS' }",
            expect![[r#"
                s.toml:16:9: S004 `scale` lacks `to`
                    = add `to = 10`
            "#]],
        ),
        (
            "scale = { to = -1 }",
            expect![[r#"
                s.toml:16:9: S004 `scale` lacks `app`
                    = add `app = "ORDERS"`
                s.toml:16:16: S006 `to` must be from 0 to 2000000
            "#]],
        ),
        (
            "scale = { app = 'ORDER', to = 2, ever = '1s' }",
            expect![[r#"
                s.toml:16:17: S007 there is no application `ORDER`
                    = did you mean `ORDERS`?
                s.toml:16:34: S002 unknown key `ever` in `scale`
                    = did you mean `every`?
            "#]],
        ),
        (
            "scale = 3",
            expect![[r#"
                s.toml:16:9: S003 expected a table, found a whole number
                    ^ this is a whole number
            "#]],
        ),
        (
            "scale = { app = 'ORDERS', to = 5 }\nfor = '1m'",
            expect![[r#"
                s.toml:17:1: S016 `scale` happens at one instant, it cannot last
                    = remove `for`
            "#]],
        ),
        (
            "deploy = { batch = 0, every = 5, graceful = 1 }",
            expect![[r#"
                s.toml:16:10: S004 `deploy` lacks `app`
                    = add `app = "ORDERS"`
                s.toml:16:20: S006 `batch` must be at least 1, or a share above 0
                s.toml:16:31: S003 expected a duration like `"30s"` or `"1h30m"`, found a whole number
                    ^ this is a whole number
                s.toml:16:45: S003 expected true or false, found a whole number
                    ^ this is a whole number
            "#]],
        ),
        (
            "deploy = { app = 'ORDERS', batch = '0%' }",
            expect![[r#"
                s.toml:16:36: S006 `batch` must be at least 1, or a share above 0
            "#]],
        ),
        (
            "deploy = { app = 'EUREKA', batch = 'half' }",
            expect![[r#"
                s.toml:16:18: S007 there is no application `EUREKA`
                    = the scenario has: ORDERS, PAYMENTS
                s.toml:16:36: S005 `half` is not a share from 0 to 1
                    = write it like `"16%"` or `0.16`
            "#]],
        ),
    ];
    for (action, expected) in cases {
        expected.assert_eq(&problems(&scripted(&[("1m", action)])));
    }
}

#[test]
fn who_is_not_there_cannot_be_selected() {
    let said = |at: &str, action: &str| {
        problems(&scripted(&[
            ("2m", "scale = { app = 'ORDERS', to = 5 }"),
            ("3m", "deploy = { app = 'ORDERS', batch = '100%' }"),
            ("4m", "scale = { app = 'ORDERS', to = 4 }"),
            ("5m", "scale = { app = 'PAYMENTS', to = 0 }"),
            (at, action),
        ]))
    };
    for (at, action, expected) in [
        (
            "1m",
            "kill = 'instance:ORDERS/4'",
            expect![[r#"
                s.toml:28:8: S008 the selector `instance:ORDERS/4` matches nothing
                    = `scale` adds ORDERS/4 later than 1m00s
            "#]],
        ),
        (
            "4m",
            "kill = 'instance:ORDERS/o1-0'",
            expect![[r#"
                s.toml:28:8: S008 the selector `instance:ORDERS/o1-0` matches nothing
                    = at 4m00s ORDERS/1 is not `o1-0` but `o1-1`: `deploy` replaces it
            "#]],
        ),
        (
            "1m",
            "kill = 'instance:ORDERS/o1-1'",
            expect![[r#"
                s.toml:28:8: S008 the selector `instance:ORDERS/o1-1` matches nothing
                    = at 1m00s ORDERS/1 is not `o1-1` but `o1-0`: `deploy` replaces it
            "#]],
        ),
        (
            "4m",
            "start = 'instance:ORDERS/4'",
            expect![[r#"
                s.toml:28:9: S016 ORDERS/4 does not belong to its application at 4m00s
                    = let another `scale` add it again
            "#]],
        ),
        (
            "4m",
            "restart = { select = 'instance:ORDERS/4', release = '2.0.6' }",
            expect![[r#"
                s.toml:28:11: S016 ORDERS/4 does not belong to its application at 4m00s
                    = let another `scale` add it again
            "#]],
        ),
        (
            "6m",
            "kill = 'app:PAYMENTS'",
            expect![[r#"
                s.toml:28:8: S008 the selector `app:PAYMENTS` matches nothing
                    = nobody of it is there at 6m00s
            "#]],
        ),
        (
            "4m",
            "kill = { select = 'app:ORDERS', count = 5 }",
            expect![[r#"
                s.toml:28:33: S006 `count` must be at most 4, the number selected
            "#]],
        ),
        (
            "4m",
            "deregister = { select = ['app:ORDERS', 'instance:ORDERS/o1-0'], count = 1 }",
            expect![[r#"
                s.toml:28:14: S016 `ORDERS/o1-0` does not run when this happens
                    = select it without `count`, in an entry of its own
            "#]],
        ),
    ] {
        expected.assert_eq(&said(at, action));
    }
    assert_eq!(said("4m", "kill = 'instance:ORDERS/4'"), "", "it may be on its way out");
}

#[test]
fn ids_have_to_differ_over_all_generations() {
    let text = scripted(&[("1m", "deploy = { app = 'ORDERS' }")]);
    let other = "[[apps]]\nname = 'ORDERS'\ninstances = 1\ninstance-id = 'o2-1'\n";
    expect![[r#"
        s.toml:10:15: S009 the instance `ORDERS/o2-1` occurs twice
            = ids of replacements count too: `{index}` and `{n}`, and what stands between, tell them apart
    "#]]
    .assert_eq(&problems(&(text + other)));
}

#[test]
fn those_that_are_added_and_replaced_count() {
    let most = "scale = { app = 'PAYMENTS', to = 2000000 }";
    let most_but_four = "scale = { app = 'PAYMENTS', to = 1999996 }";
    let deploy = "deploy = { app = 'ORDERS', batch = '100%' }";
    let down = "scale = { app = 'PAYMENTS', to = 1000000 }";
    let kill = "kill = ['instance:PAYMENTS/7', 'instance:ORDERS/o3-1']";
    expect![[r#"
        s.toml:16:34: S015 2000004 instances, those that are added and replacements included, are too many
            = at most 2000000
    "#]]
    .assert_eq(&problems(&scripted(&[("1m", most), ("2m", kill)])));
    expect![[r#"
        s.toml:19:10: S015 2000004 instances, those that are added and replacements included, are too many
            = at most 2000000
    "#]]
    .assert_eq(&problems(&scripted(&[("1m", most_but_four), ("2m", deploy), ("3m", kill)])));
    expect![[r#"
        s.toml:19:34: S015 2999990 instances that are added, removed and replaced are too many
            = at most 2000000
    "#]]
    .assert_eq(&problems(&scripted(&[("1m", most_but_four), ("2m", down), ("3m", kill)])));
}

#[test]
fn values_of_the_command_line_scale_and_deploy() {
    let text = scripted(&[
        ("1m", "name = 'up'\nscale = { app = 'ORDERS', to = 5 }"),
        ("2m", "name = 'roll'\ndeploy = { app = 'ORDERS', batch = '100%' }"),
    ]);
    let sets =
        ["timeline.up.scale.to=6", "timeline.roll.deploy.batch=5", "apps.ORDERS.instances=5"];
    let plan = super::load_from(&[("s.toml", text.as_str())], &sets).expect("it is good");
    let steps = steps(&plan);
    assert_eq!(steps[0], "60 add 7=o5-0");
    assert_eq!(steps[1..].len(), 2);
}
