//! Words that are valid but not executed yet: an error that says so, and one about what is wrong with
//! them besides.

use expect_test::{Expect, expect};

use super::{FLEET, problems};

/// That the text is refused for this alone, and what is said.
fn refused(text: &str, words: &str) {
    let said = problems(text);
    assert_eq!(said.matches(": S").count(), 1, "{said}");
    let message = format!("S012 {words} is valid, but this version does not execute it yet");
    assert!(said.contains(&message), "{said}");
}

#[test]
fn valid_words_of_applications_that_are_not_executed_say_so() {
    for (word, value) in [
        ("`http-client = \"webclient\"`", "http-client = 'webclient'"),
        ("`eureka.client.webclient.enabled`", "eureka.client.webclient.enabled = true"),
    ] {
        refused(&format!("{FLEET}{value}"), word);
    }
}

#[test]
fn valid_words_of_other_tables_that_are_not_executed_say_so() {
    for (word, text) in [
        ("`eureka.server.experimental`", "[eureka.server.experimental]\nx = 1"),
        (
            "changing `eureka.client.registry-fetch-interval-seconds` of a client",
            "[[timeline]]\nat = '1m'\nset-config = { select = 'clients', key = 'eureka.client.registry-fetch-interval-seconds', value = 5 }",
        ),
        (
            "changing `eureka.client.disable-delta`",
            "[[timeline]]\nat = '1m'\nset-config = { select = 'servers', key = 'eureka.client.disable-delta', value = true }",
        ),
        (
            "a replication batch from outside",
            "[[timeline]]\nat = '1m'\ncall = { server = 'eureka-0', method = 'POST', path = '/peerreplication/batch', body = '{}' }",
        ),
    ] {
        refused(&format!("{FLEET}{text}"), word);
    }
}

#[test]
fn their_defaults_are_executed() {
    for value in ["kind = 'java'", "out-of-service = 'as-is'", "health = { check = false }"] {
        assert_eq!(problems(&format!("{FLEET}{value}")), "", "{value}");
    }
    assert_eq!(problems(&format!("{FLEET}[network]\nreorder = true")), "");
}

#[test]
fn what_is_wrong_with_them_is_said_too() {
    let cases: [(&str, Expect); 4] = [
        (
            "health = true",
            expect![[r#"
            s.toml:13:10: S003 expected a table, found true or false
                ^ this is true or false
        "#]],
        ),
        (
            "kind = 'ruby'",
            expect![[r#"
            s.toml:13:8: S018 there is no `kind` `ruby`
                = one of: java, rest
        "#]],
        ),
        (
            "sends-status = true",
            expect![[r#"
            s.toml:13:1: S016 `sends-status` is a word of plain REST clients
                = add `kind = "rest"`
        "#]],
        ),
        (
            "[[timeline]]\nat = '1m'\nset-health = { select = 'clients', status = 'ILL' }",
            expect![[r#"
                s.toml:15:45: S018 there is no answer of a health check `ILL`
                    = one of: DOWN, OUT_OF_SERVICE, STARTING, UNKNOWN, UP, throw
            "#]],
        ),
    ];
    for (text, expected) in cases {
        expected.assert_eq(&problems(&format!("{FLEET}{text}")));
    }
}
