//! Every problem that has a code: where it is found, what is said, and what helps.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use expect_test::{Expect, expect};

use super::{FLEET, HEAD, problems};

/// A text for each code, and what is said of it.
fn cases() -> Vec<(String, Expect)> {
    let head = |rest: &str| format!("{HEAD}{rest}");
    let fleet = |rest: &str| format!("{FLEET}{rest}");
    vec![
        (
            head("[cluster\nservers = 2"),
            expect![[r#"
            s.toml:3:9: S001 not valid TOML: unclosed table, expected `]`
        "#]],
        ),
        (
            head("[cluster]\nflavour = \"netflix\""),
            expect![[r#"
            s.toml:4:1: S002 unknown key `flavour` in [cluster]
                = did you mean `flavor`?
        "#]],
        ),
        (
            head("seeds = 1"),
            expect![[r#"
            s.toml:3:1: S002 unknown key `seeds` in the scenario
                = did you mean `seed`?
        "#]],
        ),
        (
            head("completely-different = 1"),
            expect![[r#"
            s.toml:3:1: S002 unknown key `completely-different` in the scenario
                = the scenario has: name, schema, seed, duration, about, source, cluster, eureka, servers, apps, network, sim, observe, hunt, timeline, expect, include
        "#]],
        ),
        (
            head("[cluster]\nservers = \"two\""),
            expect![[r#"
            s.toml:4:11: S003 expected a whole number, found text
                ^ this is text
        "#]],
        ),
        (
            head("[[apps]]\nname = \"ORDERS\""),
            expect![[r#"
            s.toml:3:1: S004 [[apps]] lacks `instances`
                = add `instances = 10`
        "#]],
        ),
        (
            "name = \"a\"".to_owned(),
            expect![[r#"
            s.toml:1:1: S004 the scenario lacks `duration`
                = add `duration = "30m"`
            s.toml:1:1: S004 the scenario lacks `schema`
                = add `schema = 1`
        "#]],
        ),
        (
            fleet("[[timeline]]\nat = \"soon\"\nkill = \"all\""),
            expect![[r#"
            s.toml:14:6: S005 `soon` is not a duration
                = write it like `"30s"` or `"1h30m"`; units are us, ms, s, m, h, d, without spaces
        "#]],
        ),
        (
            fleet("[[timeline]]\nat = \"1m\"\nkill = \"ORDERS\""),
            expect![[r#"
            s.toml:15:8: S005 `ORDERS` is not a selector
                = did you mean `app:ORDERS`?
        "#]],
        ),
        (
            head("seed = -1"),
            expect![[r#"
            s.toml:3:8: S006 `seed` must be from 0 to 18446744073709551615
        "#]],
        ),
        (
            head("[cluster]\nflavor = \"netflx\""),
            expect![[r#"
            s.toml:4:10: S018 there is no flavor `netflx`
                = did you mean `netflix`?
        "#]],
        ),
        (
            fleet("[[timeline]]\nat = \"1m\"\nkill = \"app:ORDER\""),
            expect![[r#"
            s.toml:15:8: S007 there is no application `ORDER`
                = did you mean `ORDERS`?
        "#]],
        ),
        (
            head("[[timeline]]\nat = \"1m\"\nkill = \"clients\""),
            expect![[r#"
            s.toml:5:8: S008 the selector `clients` matches nothing
                = the scenario has no such process
        "#]],
        ),
        (
            head("[[apps]]\nname = \"A\"\ninstances = 2\ninstance-id = \"the-only-one\""),
            expect![[r#"
                s.toml:6:15: S009 the instance `A/the-only-one` occurs twice
                    = put `{index}` into `instance-id`; it counts on over the groups of an application
            "#]],
        ),
        (
            fleet("[[timeline]]\nat = \"1m\""),
            expect![[r#"
                s.toml:13:1: S010 a key is missing here
                    = add one of `kill`, `stop`, `start`, `restart`, `scale`, `deploy`, `pause`, `partition`, `isolate`, `hold`, `slow`, `lossy`, `fail`, `heal`, `step-clock`, `skew-clock`, `set-status`, `set-health`, `override-status`, `delete-override`, `deregister`, `set-metadata`, `set-config`, `call`
            "#]],
        ),
        (
            fleet("[[timeline]]\nat = \"1m\"\nkill = \"all\"\nstop = \"all\""),
            expect![[r#"
            s.toml:13:1: S010 this has `kill` and `stop`: exactly one is wanted
                = exactly one of `kill`, `stop`, `start`, `restart`, `scale`, `deploy`, `pause`, `partition`, `isolate`, `hold`, `slow`, `lossy`, `fail`, `heal`, `step-clock`, `skew-clock`, `set-status`, `set-health`, `override-status`, `delete-override`, `deregister`, `set-metadata`, `set-config`, `call`
        "#]],
        ),
        (
            fleet("[[timeline]]\nat = \"11m\"\nkill = \"all\""),
            expect![[r#"
            s.toml:14:6: S011 `at` lies beyond the end of the run at 10m00s
                = lower it, or raise the top-level `duration`
        "#]],
        ),
        (
            fleet("http-client = \"webclient\""),
            expect![[r#"
            s.toml:13:15: S012 `http-client = "webclient"` is valid, but this version does not execute it yet
                = nothing is ignored silently: leave it out to run the rest
        "#]],
        ),
        (
            head("include = [\"shared.toml\"]"),
            expect![[r#"
            s.toml:3:12: S013 cannot include `shared.toml`: no such file
                = paths are relative to the including file
        "#]],
        ),
        (
            head("[cluster]\nrelease = \"1.3.3\""),
            expect![[r#"
            s.toml:4:11: S014 release `1.3.3` is older than any that was executed
                = any `X.Y.Z` from 1.3.4 on; the newest that was executed is 2.0.6
        "#]],
        ),
        (
            head("[cluster]\nservers = 1001"),
            expect![[r#"
            s.toml:4:11: S015 1001 servers are too many
                = at most 1000
        "#]],
        ),
        (
            fleet("[[timeline]]\nat = \"1m\"\nfor = \"1m\"\nkill = \"all\""),
            expect![[r#"
            s.toml:15:1: S016 `kill` happens at one instant, it cannot last
                = remove `for`
        "#]],
        ),
        (
            head("[eureka.client]\nallow-redirects = true"),
            expect![[r#"
            s.toml:4:1: W001 `eureka.client.allow-redirects` has no effect in a simulated cluster
                = it is accepted so that files can be pasted
        "#]],
        ),
        (
            head("[cluster]\nrelease = \"2.1.0\""),
            expect![[r#"
            s.toml:4:11: W002 release 2.1.0 is simulated as 2.0.6
                = no newer release was executed against the simulator
        "#]],
        ),
        (
            head("[[apps]]\nname = \"A\"\ninstances = 4\nstart = { every = \"5m\" }"),
            expect![[r#"
            s.toml:6:1: W003 1 of 4 instances would start after the end of the run at 10m00s
                = start them earlier, or raise the `duration`
        "#]],
        ),
        (
            head(
                "[[apps]]\nname = \"A\"\ninstances = 4\nregister = false\ncalls = { app = \"A\", per-second = 1 }",
            ),
            expect![[r#"
            s.toml:7:17: W004 no instance of A registers, so nobody finds one to call
                = remove its `register = false`
        "#]],
        ),
        (
            fleet("[[timeline]]\nat = \"1m\"\ndeploy = { app = \"ORDERS\" }"),
            expect![[r#"
            s.toml:15:10: W005 replacements get the same ids: the `instance-id` of ORDERS, `{app}-{index:04}`, has no `{n}`
                = write `instance-id = "{app}-{index:04}-{n}"` in its [[apps]], or `new-ids = false` here
        "#]],
        ),
    ]
}

#[test]
fn each_is_reported_at_its_place_with_help() {
    for (text, expected) in cases() {
        expected.assert_eq(&problems(&text));
    }
}

/// The codes in a text: `S` or `W` and three digits, in the source between quotes.
fn codes(text: &str, quote: &str) -> BTreeSet<String> {
    let is_code = |word: &&str| {
        word.len() == 4
            && word.starts_with(['S', 'W'])
            && word[1..].bytes().all(|byte| byte.is_ascii_digit())
    };
    text.split(quote).filter(is_code).map(str::to_owned).collect()
}

#[test]
fn no_code_is_left_out_above() {
    let mut shown = codes("", " ");
    for (text, _) in cases() {
        shown.extend(codes(&problems(&text), " "));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scenario");
    let mut known = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a folder can be read").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            known.extend(codes(&fs::read_to_string(path).expect("a source is text"), "\""));
        }
    }
    // Those of `--set` have no text.
    known.remove("S017");
    assert!(known.len() > 15, "{known:?}");
    assert_eq!(shown, known);
}

#[test]
fn all_problems_of_a_file_are_reported_at_once_in_its_order() {
    let text = r#"
schema = 2
duration = 30
sed = 1
[cluster]
flavor = "spring"
servers = 0
[eureka.server]
renewal-percent-treshold = 0.9
[[apps]]
name = "ORDERS"
instances = -1
start = { every = "1s", spread = "1s" }
[[timeline]]
at = "-1s"
kill = "app:ORDERS"
[[timeline]]
at = "1m"
partition = { from = "server:eureka-0", too = "server:eureka-1" }
[[expect]]
metric = "registry-sise"
at-least = "many"
"#;
    expect![[r#"
        s.toml:2:10: S006 `schema` must be 1, the only version there is
        s.toml:3:12: S003 expected a duration like `"30s"` or `"1h30m"`, found a whole number
            ^ this is a whole number
        s.toml:4:1: S002 unknown key `sed` in the scenario
            = did you mean `seed`?
        s.toml:6:10: S018 there is no flavor `spring`
            = one of: spring-cloud, netflix
        s.toml:7:11: S006 `servers` must be at least 1
        s.toml:9:1: S002 unknown key `renewal-percent-treshold` in `eureka.server`
            = did you mean `renewal-percent-threshold`?
        s.toml:12:13: S006 `instances` must be at least 1
        s.toml:13:9: S010 this has `every` and `spread`: exactly one is wanted
            = exactly one of `every`, `spread`
        s.toml:15:6: S005 `-1s` is not a duration
            = write it like `"30s"` or `"1h30m"`; units are us, ms, s, m, h, d, without spaces
        s.toml:19:41: S002 unknown key `too` in `partition`
            = did you mean `to`?
        s.toml:21:10: S018 there is no metric `registry-sise`
            = did you mean `registry-size`?
        s.toml:22:12: S003 expected a number, found text
            ^ this is text
    "#]]
    .assert_eq(&problems(text));
}

#[test]
fn of_what_is_not_understood_no_other_part_is_blamed() {
    let broken = r#"
schema = 1
duration = "10m"
[cluster]
servers = "two"
zones = 3
[[apps]]
name = "ORDERS"
instances = 10.5
zone = "b"
[[timeline]]
at = "1m"
kill = ["app:ORDERS", "instance:ORDERS/3", "server:eureka-1", "zone:b"]
[[expect]]
metric = "status"
instance = "ORDERS/7"
server = "eureka-1"
equals = "UP"
"#;
    expect![[r#"
        s.toml:5:11: S003 expected a whole number, found text
            ^ this is text
        s.toml:6:9: S003 expected text or a list of texts, found a whole number
            ^ this is a whole number
        s.toml:9:13: S003 expected a whole number, found a decimal number
            ^ this is a decimal number
    "#]]
    .assert_eq(&problems(broken));
}

#[test]
fn nothing_is_suggested_where_nothing_is_near() {
    let said = |key: &str| problems(&format!("{HEAD}[cluster]\n{key} = 1"));
    assert!(said("realease").contains("did you mean `release`?"));
    assert!(said("Release").contains("did you mean `release`?"));
    assert!(!said("weather").contains("did you mean"));
    assert!(!said(&"release".repeat(20)).contains("did you mean"));
}

#[test]
fn columns_are_counted_in_characters() {
    let said = problems(&format!("{HEAD}about = \"ééé\"\nsource = [\"日本\", 3]"));
    assert!(said.starts_with("s.toml:4:17: S003"), "{said}");
}

#[test]
fn lines_end_as_on_any_system() {
    let said = problems("schema = 1\r\nduration = \"1m\"\r\nsed = 4\r\n");
    assert!(said.starts_with("s.toml:3:1: S002 unknown key `sed`"), "{said}");
}
