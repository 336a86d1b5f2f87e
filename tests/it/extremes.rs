//! The largest, the smallest and the oddest numbers that concern servers: a scenario that says them is
//! refused with a reason, or it runs.

use std::path::Path;

use eureka_sim::scenario;
use eureka_sim::sim::queue::TimingWheel;
use eureka_sim::study;

use crate::support::NoIncludes;

/// Whether a text runs; false if it is refused, with at least one reason.
fn runs(text: &str) -> bool {
    match scenario::load(Path::new("extreme.toml"), text, scenario::Changes::default(), &NoIncludes)
    {
        Ok(plan) => {
            let _ = study::digest::<TimingWheel<_>>(&plan);
            true
        }
        Err(no) => {
            assert!(!no.diagnostics.is_empty(), "{text}");
            false
        }
    }
}

fn cluster(settings: &str, rest: &str) -> String {
    format!(
        "schema = 1\nduration = \"5m\"\n[eureka.server]\n{settings}\n[cluster]\nservers = 2\n\
         [[apps]]\nname = \"A\"\ninstances = 5\n[[timeline]]\nat = \"130s\"\nfor = \"40s\"\n\
         pause = \"server:eureka-0\"\n[[timeline]]\nat = \"190s\"\nkill = \"instance:A/0\"\n{rest}"
    )
}

const KEYS: [&str; 16] = [
    "renewal-threshold-update-interval-ms",
    "expected-client-renewal-interval-seconds",
    "eviction-interval-timer-in-ms",
    "wait-time-in-ms-when-sync-empty",
    "registry-sync-retries",
    "registry-sync-retry-wait-ms",
    "retention-time-in-m-s-in-delta-queue",
    "delta-retention-timer-interval-in-ms",
    "response-cache-update-interval-ms",
    "response-cache-auto-expiration-in-seconds",
    "peer-node-connect-timeout-ms",
    "peer-node-read-timeout-ms",
    "max-elements-in-peer-replication-pool",
    "max-threads-for-peer-replication",
    "max-time-for-replication",
    "default-open-for-traffic-count",
];

#[test]
fn any_number_of_any_setting_is_refused_or_runs() {
    for flavor in ["netflix", "spring-cloud"] {
        for key in KEYS {
            for value in ["0", "1", "-1", "2147483647", "-2147483648", "9223372036854775807"] {
                // A period of a millisecond is run 300,000 times: what it costs is known elsewhere.
                let text = cluster(&format!("{key} = {value}"), "");
                let text =
                    text.replace("servers = 2", &format!("servers = 2\nflavor = \"{flavor}\""));
                let text = if value == "1" { text.replace("\"5m\"", "\"200s\"") } else { text };
                runs(&text);
            }
        }
        for percent in ["0", "0.0", "1", "1.0", "2.5", "-0.5", "-1e300", "1e308", "nan", "inf"] {
            for interval in ["0", "-1", "1", "2147483647"] {
                let settings = format!(
                    "renewal-percent-threshold = {percent}\nexpected-client-renewal-interval-seconds = {interval}\n\
                     renewal-threshold-update-interval-ms = 20000"
                );
                let text = cluster(&settings, "");
                runs(&text.replace("servers = 2", &format!("servers = 2\nflavor = \"{flavor}\"")));
            }
        }
    }
}

#[test]
fn one_worker_and_a_buffer_of_one_still_replicate() {
    let narrow = "max-threads-for-peer-replication = 1\nmax-elements-in-peer-replication-pool = 1";
    assert!(runs(&cluster(narrow, "")));
}

#[test]
fn leases_of_any_length_run() {
    for renewal in ["0", "1", "-1", "2147483647"] {
        for duration in ["0", "1", "-1", "2147483647"] {
            let instance = format!(
                "eureka.instance.lease-renewal-interval-in-seconds = {renewal}\n\
                 eureka.instance.lease-expiration-duration-in-seconds = {duration}\n"
            );
            runs(&format!("{instance}{}", cluster("", "").replace("\"5m\"", "\"200s\"")));
        }
    }
}

#[test]
fn clocks_at_the_ends_of_time_are_refused_or_run() {
    for epoch in
        ["-1", "0", "1000000000000", "8835000000000", "9223372036854775807", "-9223372036854775808"]
    {
        for by in ["-1h", "1h", "-40000d", "40000d", "-9223372036854775807ms", "106751d"] {
            let step = format!(
                "[[timeline]]\nat = \"100s\"\nstep-clock = {{ select = \"servers\", by = \"{by}\" }}\n"
            );
            let twice = step.replace("100s", "150s");
            let text = cluster("", &format!("{step}{twice}"));
            runs(&text.replace("servers = 2", &format!("servers = 2\nepoch-ms = {epoch}")));
        }
    }
    for ppm in ["-1000000", "-999999", "1000000", "2147483647", "9223372036854775807"] {
        let skew = format!(
            "[[timeline]]\nat = \"100s\"\nskew-clock = {{ select = \"servers\", ppm = {ppm} }}\n"
        );
        runs(&cluster("", &skew));
    }
}

#[test]
fn a_run_of_no_time_and_a_thousand_peers() {
    assert!(!runs("schema = 1\nduration = \"0s\"\n[cluster]\nservers = 3\n"));
    let many = "schema = 1\nduration = \"40s\"\n[cluster]\nservers = 300\n[eureka.client]\nregister-with-eureka = false\nfetch-registry = false\n[[apps]]\nname = \"A\"\ninstances = 1\n";
    assert!(runs(many));
    assert!(!runs(&many.replace("300", "1001")));
}
