//! Selectors, and names that mean something in the scenario.

use expect_test::{Expect, expect};

use super::{FLEET, plan, problems};
use crate::sim::{Action, Selection, Take};

/// What a selector means where it is an action's value.
fn selected(selector: &str) -> Selection {
    let text = format!("{FLEET}[[timeline]]\nat = \"1m\"\nkill = {selector}");
    match plan(&text).setup.timeline[0].action.clone() {
        Action::Kill(selection) => selection,
        other => panic!("{other:?}"),
    }
}

fn hosts(selection: &Selection) -> Vec<usize> {
    selection.hosts.iter().map(|host| host.index()).collect()
}

#[test]
fn a_selector_means_hosts_in_its_order() {
    for (selector, expected) in [
        ("'app:ORDERS'", vec![2, 3, 4, 5]),
        ("'app:orders'", vec![2, 3, 4, 5]),
        ("'instance:ORDERS/3'", vec![5]),
        ("'instance:orders/orders-0001'", vec![3]),
        ("'instance:EUREKA/eureka-1:eureka:8761'", vec![1]),
        ("'server:eureka-1'", vec![1]),
        ("'zone:a'", vec![0, 6, 7]),
        ("'zone:b'", vec![1, 2, 3, 4, 5]),
        ("'clients'", vec![2, 3, 4, 5, 6, 7]),
        ("'servers'", vec![0, 1]),
        ("'all'", vec![0, 1, 2, 3, 4, 5, 6, 7]),
        // Each once, where it is named first.
        ("['instance:ORDERS/2', 'app:ORDERS', 'server:eureka-0']", vec![4, 2, 3, 5, 0]),
        ("{ select = 'servers' }", vec![0, 1]),
        ("{ select = ['zone:b', 'servers'] }", vec![1, 2, 3, 4, 5, 0]),
    ] {
        let selection = selected(selector);
        assert_eq!(hosts(&selection), expected, "{selector}");
        assert_eq!(selection.take, None, "{selector}");
    }
}

#[test]
fn of_a_selection_a_part_may_be_taken() {
    let part = |text: &str| {
        let selection = selected(text);
        (selection.take, format!("{:?}", selection.pick))
    };
    let random = || "Random".to_owned();
    let share = |percent: u32| Some(Take::Share(percent * 10_000_000));
    assert_eq!(part("{ select = 'app:ORDERS', share = '25%' }"), (share(25), random()));
    assert_eq!(part("{ select = 'app:ORDERS', share = 0.5 }"), (share(50), random()));
    assert_eq!(part("{ select = 'app:ORDERS', share = 1 }"), (share(100), random()));
    assert_eq!(part("{ select = 'app:ORDERS', count = 3 }"), (Some(Take::Count(3)), random()));
    let first = part("{ select = 'app:ORDERS', count = 1, pick = 'first' }");
    assert_eq!(first, (Some(Take::Count(1)), "First".to_owned()));
    let last = part("{ select = 'app:ORDERS', share = '50%', pick = 'last' }");
    assert_eq!(last, (share(50), "Last".to_owned()));
}

#[test]
fn a_share_is_rounded_to_the_nearest_and_ties_go_up() {
    for (ppb, len, expected) in [
        (160_000_000, 100, 16),
        (160_000_000, 20, 3),
        (500_000_000, 5, 3),
        (125_000_000, 4, 1),
        (124_999_999, 4, 0),
        (1_000_000_000, 2_000_000, 2_000_000),
        (0, 10, 0),
    ] {
        assert_eq!(Take::Share(ppb).of(len), expected, "{ppb} of {len}");
    }
}

#[test]
fn digits_are_an_index_or_else_an_id() {
    let text = "schema = 1\nduration = \"1m\"\n[[apps]]\nname = \"A\"\ninstances = 2\n\
                instance-id = \"{index}7\"\n[[timeline]]\nat = \"1s\"\n";
    let host = |id: &str| match plan(&format!("{text}kill = \"instance:A/{id}\"")).setup.timeline[0]
        .action
        .clone()
    {
        Action::Kill(selection) => hosts(&selection),
        other => panic!("{other:?}"),
    };
    assert_eq!(host("1"), [2]);
    assert_eq!(host("17"), [2]);
    assert_eq!(host("07"), [1]);
}

#[test]
fn a_selector_that_means_nothing_is_an_error() {
    let cases: [(&str, Expect); 19] = [
        (
            "'app:ORDRES'",
            expect![[r#"
            s.toml:15:8: S007 there is no application `ORDRES`
                = did you mean `ORDERS`?
        "#]],
        ),
        (
            "'app:'",
            expect![[r#"
            s.toml:15:8: S007 there is no application ``
                = the scenario has: ORDERS, PAYMENTS
        "#]],
        ),
        (
            "'app:EUREKA'",
            expect![[r#"
            s.toml:15:8: S007 there is no application `EUREKA`
                = the scenario has: ORDERS, PAYMENTS
        "#]],
        ),
        (
            "'instance:ORDERS/4'",
            expect![[r#"
            s.toml:15:8: S008 the selector `instance:ORDERS/4` matches nothing
                = ORDERS has 4 instances, ORDERS/0 to ORDERS/3
        "#]],
        ),
        (
            "'instance:ORDERS/orders-4'",
            expect![[r#"
            s.toml:15:8: S008 the selector `instance:ORDERS/orders-4` matches nothing
                = ORDERS has 4 instances, ORDERS/0 to ORDERS/3
        "#]],
        ),
        (
            "'instance:ORDERS'",
            expect![[r#"
            s.toml:15:8: S005 `ORDERS` is not an instance
                = write it like `ORDERS/3` or `ORDERS/h03:orders:8080`
        "#]],
        ),
        (
            "'instance:ORDERS/99999999999999999999999'",
            expect![[r#"
            s.toml:15:8: S008 the selector `instance:ORDERS/99999999999999999999999` matches nothing
                = ORDERS has 4 instances, ORDERS/0 to ORDERS/3
        "#]],
        ),
        (
            "'server:eureka-2'",
            expect![[r#"
            s.toml:15:8: S007 there is no server `eureka-2`
                = did you mean `eureka-0`?
        "#]],
        ),
        (
            "'zone:c'",
            expect![[r#"
            s.toml:15:8: S007 there is no zone `c`
                = did you mean `a`?
        "#]],
        ),
        (
            "'PAYMENTS'",
            expect![[r#"
            s.toml:15:8: S005 `PAYMENTS` is not a selector
                = did you mean `app:PAYMENTS`?
        "#]],
        ),
        (
            "'eureka-1'",
            expect![[r#"
            s.toml:15:8: S005 `eureka-1` is not a selector
                = did you mean `server:eureka-1`?
        "#]],
        ),
        (
            "'ap:ORDERS'",
            expect![[r#"
            s.toml:15:8: S005 `ap:ORDERS` is not a selector
                = did you mean `app:ORDERS`?
        "#]],
        ),
        (
            "'client'",
            expect![[r#"
            s.toml:15:8: S005 `client` is not a selector
                = did you mean `clients`?
        "#]],
        ),
        (
            "''",
            expect![[r#"
            s.toml:15:8: S005 `` is not a selector
                = write it like `app:ORDERS`, `instance:ORDERS/3`, `server:eureka-0`, `zone:a`, `clients`, `servers` or `all`
        "#]],
        ),
        (
            "[]",
            expect![[r#"
            s.toml:15:8: S008 the selector `[]` matches nothing
                = name at least one selector
        "#]],
        ),
        (
            "['app:ORDERS', 3]",
            expect![[r#"
            s.toml:15:23: S003 expected text or a list of texts, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "5",
            expect![[r#"
            s.toml:15:8: S003 expected text or a list of texts, found a whole number
                ^ this is a whole number
        "#]],
        ),
        (
            "{ share = '10%' }",
            expect![[r#"
            s.toml:15:8: S004 the action lacks `select`
                = add `select = "app:ORDERS"`
        "#]],
        ),
        (
            "{ selct = 'all' }",
            expect![[r#"
            s.toml:15:10: S002 unknown key `selct` in the selector
                = did you mean `select`?
        "#]],
        ),
    ];
    for (selector, expected) in cases {
        let text = format!("{FLEET}[[timeline]]\nat = \"1m\"\nkill = {selector}");
        expected.assert_eq(&problems(&text));
    }
}

#[test]
fn a_part_that_cannot_be_taken_is_an_error() {
    let cases: [(&str, Expect); 8] = [
        (
            "share = '10%', count = 1",
            expect![[r#"
            s.toml:15:8: S010 this has `share` and `count`: exactly one is wanted
                = exactly one of `share`, `count`
        "#]],
        ),
        (
            "share = '10%'",
            expect![[r#"
            s.toml:15:33: S008 the selector `share` matches nothing
                = of 4 selected, the share is rounded to none
        "#]],
        ),
        (
            "share = '101%'",
            expect![[r#"
            s.toml:15:41: S005 `101%` is not a share from 0 to 1
                = write it like `"16%"` or `0.16`
        "#]],
        ),
        (
            "share = true",
            expect![[r#"
            s.toml:15:41: S003 expected a share like `"16%"` or `0.16`, found true or false
                ^ this is true or false
        "#]],
        ),
        (
            "count = 5",
            expect![[r#"
            s.toml:15:33: S006 `count` must be at most 4, the number selected
        "#]],
        ),
        (
            "count = 0",
            expect![[r#"
            s.toml:15:33: S008 the selector `count = 0` matches nothing
                = raise `count`, or leave the entry out
        "#]],
        ),
        (
            "count = -1",
            expect![[r#"
            s.toml:15:41: S006 `count` must be from 0 to 4294967295
        "#]],
        ),
        (
            "pick = 'frist'",
            expect![[r#"
            s.toml:15:33: S016 `pick` says which of a `share` or `count` are taken
                = add one of them
            s.toml:15:40: S018 there is no `pick` `frist`
                = did you mean `first`?
        "#]],
        ),
    ];
    for (part, expected) in cases {
        let value = format!("{{ select = 'app:ORDERS', {part} }}");
        let text = format!("{FLEET}[[timeline]]\nat = \"1m\"\nkill = {value}");
        expected.assert_eq(&problems(&text));
    }
}

#[test]
fn a_zone_without_processes_is_selected_by_nobody() {
    let text = FLEET.replace("[\"a\", \"b\"]", "[\"a\", \"b\", \"c\"]");
    let text = format!("{text}[[timeline]]\nat = \"1m\"\nisolate = \"zone:c\"");
    expect![[r#"
        s.toml:15:11: S008 the selector `zone:c` matches nothing
            = the scenario has no such process
    "#]]
    .assert_eq(&problems(&text));
}
