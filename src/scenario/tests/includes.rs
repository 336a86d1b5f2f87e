//! Files merged into a scenario.

use expect_test::expect;

use super::{HEAD, load_from, problems_of, said};

fn with_head(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

#[test]
fn the_including_file_wins_and_lists_of_tables_are_joined() {
    let main = "include = [\"shared/a.toml\", \"shared/b.toml\"]\nschema = 1\nname = \"main\"\nseed = 3\n\
                [[apps]]\nname = \"LAST\"\ninstances = 1";
    let a = "duration = \"1m\"\nseed = 1\n[network]\nlatency = \"2ms\"\nloss = \"1%\"\n\
             [[apps]]\nname = \"FIRST\"\ninstances = 1";
    // Relative to the file that says so.
    let b = "include = \"deep/c.toml\"\nduration = \"2m\"\n[network]\nlatency = \"3ms\"";
    let c = "duration = \"3m\"\n[[apps]]\nname = \"SECOND\"\ninstances = 1";
    let folder = [
        ("dir/main.toml", main),
        ("dir/shared/a.toml", a),
        ("dir/shared/b.toml", b),
        ("dir/shared/deep/c.toml", c),
    ];
    let plan = load_from(&folder, &[]).unwrap_or_else(|rejected| panic!("{}", said(&rejected)));
    let names = &plan.setup.names;
    let apps: Vec<&str> = plan.apps.iter().map(|app| names.app_name(app.app)).collect();
    assert_eq!(apps, ["FIRST", "SECOND", "LAST"]);
    assert_eq!(plan.setup.seed, 3);
    assert_eq!(plan.setup.duration.nanos(), 120_000_000_000);
    expect![[r#"
        (
            Fixed(
                Span(
                    3000000,
                ),
            ),
            Loss(
                184467440737095520,
            ),
        )
    "#]]
    .assert_debug_eq(&(plan.setup.network.latency, plan.setup.network.loss));
}

#[test]
fn a_problem_is_reported_in_the_file_it_stands_in() {
    let main = with_head("include = [\"a.toml\"]\nsed = 1");
    let folder = [("s.toml", main.as_str()), ("a.toml", "\n\n[cluster]\nserver = 3")];
    expect![[r#"
        s.toml:4:1: S002 unknown key `sed` in the scenario
            = did you mean `seed`?
        a.toml:4:1: S002 unknown key `server` in [cluster]
            = did you mean `servers`?
    "#]]
    .assert_eq(&problems_of(&folder, &[]));
}

#[test]
fn circles_are_shown_whole() {
    let main = with_head("include = [\"a.toml\"]");
    let folder = [
        ("s.toml", main.as_str()),
        ("a.toml", "include = [\"sub/b.toml\"]"),
        ("sub/b.toml", "include = [\"c.toml\"]"),
        ("sub/c.toml", "include = \"b.toml\""),
    ];
    expect![[r#"
        sub/c.toml:1:11: S013 includes go round in a circle: s.toml → a.toml → sub/b.toml → sub/c.toml → sub/b.toml
            = remove one of these includes
    "#]].assert_eq(&problems_of(&folder, &[]));
    let own = with_head("include = [\"./s.toml\"]");
    expect![[r#"
        s.toml:3:12: S013 includes go round in a circle: s.toml → s.toml
            = remove one of these includes
    "#]]
    .assert_eq(&problems_of(&[("s.toml", &own)], &[]));
}

#[test]
fn a_file_may_be_included_twice_but_not_without_end() {
    let main = with_head("name = \"twice\"\ninclude = [\"a.toml\", \"a.toml\"]");
    assert_eq!(problems_of(&[("s.toml", &main), ("a.toml", "seed = 1")], &[]), "");
    let names = vec!["\"a.toml\""; 300].join(",");
    let many = with_head(&format!("include = [{names}]"));
    expect![[r#"
        s.toml:3:2316: S013 more than 256 files are included
            = include each file once
    "#]]
    .assert_eq(&problems_of(&[("s.toml", &many), ("a.toml", "seed = 1")], &[]));
}

#[test]
fn a_chain_has_an_end() {
    let files: Vec<(String, String)> = (0..20)
        .map(|n| (format!("{n}.toml"), format!("{HEAD}include = \"{}.toml\"", n + 1)))
        .collect();
    let folder: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    expect![[r#"
        15.toml:3:11: S013 includes are nested more than 16 deep
            = include fewer files of files
    "#]]
    .assert_eq(&problems_of(&folder, &[]));
}

#[test]
fn nothing_outside_the_folder_is_read() {
    for (name, allowed) in [
        ("a.toml", true),
        ("./a.toml", true),
        ("sub/../a.toml", true),
        ("../dir/a.toml", false),
        ("sub/../../dir/a.toml", false),
        ("/dir/a.toml", false),
    ] {
        let main = with_head(&format!("name = \"main\"\ninclude = [\"{name}\"]"));
        let said = problems_of(&[("dir/main.toml", &main), ("dir/a.toml", "seed = 1")], &[]);
        assert_eq!(said.is_empty(), allowed, "{name}: {said}");
        assert_eq!(said.contains("S013"), !allowed, "{name}: {said}");
    }
}

#[test]
fn what_may_stand_in_a_missing_file_is_not_missed() {
    // Neither `duration` nor the application: the file that was not found may have both.
    let main = "schema = 1\ninclude = [\"fleet.toml\"]\n[[timeline]]\nat = \"1m\"\nkill = \"app:ORDERS\"\n\
                [[expect]]\nmetric = \"ghost\"\nat-most = 1";
    expect![[r#"
        s.toml:2:12: S013 cannot include `fleet.toml`: no such file
            = paths are relative to the including file
        s.toml:7:10: S018 there is no metric `ghost`
            = did you mean `ghosts`?
    "#]]
    .assert_eq(&problems_of(&[("s.toml", main)], &[]));
}

#[test]
fn of_a_broken_file_only_that_is_said() {
    let main = with_head("include = [\"a.toml\"]\n[[timeline]]\nkill = \"app:ORDERS\"");
    let folder = [("s.toml", main.as_str()), ("a.toml", "[[apps]\nname = \"ORDERS\"\n")];
    expect![[r#"
        a.toml:1:8: S001 not valid TOML: unclosed array table, expected `]`
    "#]]
    .assert_eq(&problems_of(&folder, &[]));
}
