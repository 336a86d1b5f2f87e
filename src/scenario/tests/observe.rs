//! `metrics` of `[observe]`: which there are, and what is said of those that cannot be columns.

use expect_test::{Expect, expect};

use super::super::Metric;
use super::{FLEET, plan, problems};

fn with(observe: &str) -> String {
    FLEET.replace("[cluster]", &format!("[observe]\n{observe}\n[cluster]"))
}

#[test]
fn metrics_are_read_in_the_order_in_which_they_are_given() {
    let of = |observe: &str| plan(&with(observe)).observe.metrics;
    assert_eq!(of(""), []);
    assert_eq!(of("metrics = []"), []);
    assert_eq!(of("metrics = 'ghosts'"), [Metric::Ghosts]);
    assert_eq!(
        of("metrics = ['replication-backlog', 'alive', 'delta-bytes']"),
        [Metric::ReplicationBacklog, Metric::Alive, Metric::DeltaBytes]
    );
}

/// All but the status of an instance, and those of calls that nobody makes.
#[test]
fn every_metric_with_a_number_can_be_a_column() {
    for (name, metric) in Metric::ALL {
        let alone = problems(&with(&format!("metrics = ['{name}']")));
        assert_eq!(alone.is_empty(), metric != Metric::Status && !metric.is_traffic(), "{name}");
        let calls = "name = \"PAYMENTS\"\ncalls = { app = 'ORDERS', per-second = 1.0 }";
        let text = with(&format!("metrics = ['{name}']"));
        let called = text.replace("name = \"PAYMENTS\"", calls);
        assert_eq!(problems(&called).is_empty(), metric != Metric::Status, "{name}");
    }
}

#[test]
fn what_cannot_be_a_column_is_an_error_at_its_place() {
    let cases: [(&str, Expect); 6] = [
        (
            "metrics = ['alive', 'ghosts', 'alive']",
            expect![[r#"
                s.toml:4:31: S009 metric `alive` occurs twice
                    = one column of it is enough
            "#]],
        ),
        (
            "metrics = ['alive', 'replication-backlogs']",
            expect![[r#"
                s.toml:4:21: S018 there is no metric `replication-backlogs`
                    = did you mean `replication-backlog`?
            "#]],
        ),
        (
            "metrics = ['status']",
            expect![[r#"
                s.toml:4:12: S016 `status` is of one instance, and rows are of servers
                    = ask for it in an [[expect]], with `instance`
            "#]],
        ),
        (
            "metrics = ['staleness']",
            expect![[r#"
                s.toml:4:12: S016 `staleness` is of calls, and nobody makes any
                    = callers have `calls = { app = "PAYMENTS", per-second = 5.0 }` in their [[apps]]
            "#]],
        ),
        (
            "metrics = ['ghosts', 7]",
            expect![[r#"
                s.toml:4:22: S003 expected text or a list of texts, found a whole number
                    ^ this is a whole number
            "#]],
        ),
        (
            "metrics = 7",
            expect![[r#"
                s.toml:4:11: S003 expected text or a list of texts, found a whole number
                    ^ this is a whole number
            "#]],
        ),
    ];
    for (observe, expected) in cases {
        expected.assert_eq(&problems(&with(observe)));
    }
}

/// Ten minutes in steps of a millisecond are 600,000 samples: 21 pairs of seven servers are too many,
/// and so are 21 numbers of each of eight.
#[test]
fn more_than_fits_into_memory_is_an_error() {
    let many = |metrics: &str, servers: u32| {
        let text = with(&format!("every = '1ms'\nmetrics = [{metrics}]"));
        problems(&text.replace("servers = 2", &format!("servers = {servers}")))
    };
    assert_eq!(many("'peer-divergence'", 6), "");
    expect![[r#"
        s.toml:5:11: S015 12600000 rows of divergence.csv are too many
            = at most 10000000
    "#]]
    .assert_eq(&many("'peer-divergence'", 7));
    let names: Vec<String> = Metric::ALL
        .iter()
        .filter(|(_, metric)| *metric != Metric::Status && !metric.is_traffic())
        .filter(|(_, metric)| !metric.is_divergence())
        .map(|(name, _)| format!("'{name}'"))
        .collect();
    assert_eq!(many(&names[..20].join(", "), 8), "");
    expect![[r#"
        s.toml:5:11: S015 100800000 values in series.csv are too many
            = at most 100000000
    "#]]
    .assert_eq(&many(&names[..21].join(", "), 8));
}
