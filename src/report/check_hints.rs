//! Configurations known to hurt.

use super::check::{ServerCheck, WarningCheck, several};
use super::check_fleet::{Fleet, Heard};
use crate::eureka::{Flavor, ServiceUrl};
use crate::scenario::Plan;
use crate::sim::ServerSetup;
use crate::time::Span;

/// How long start-up sync takes about, in a Spring server that registers itself: it looks at its peers
/// at once and every 30 s, and sees what is 30 s old there.
const SYNC: Span = Span::from_secs(60);
/// Most servers that a warning names.
const MOST_NAMES: usize = 4;
/// Most intervals that a warning names.
const MOST_INTERVALS: usize = 3;
/// Seconds between heartbeats that servers before 1.9.4 expect.
const HARD_WIRED: i64 = 30;

/// What is said of servers.
struct Hint<'a> {
    code: &'static str,
    text: String,
    names: Vec<&'a str>,
}

/// The warnings of all servers, in order of their codes. What is the same of several is said once.
pub(super) fn hints(
    plan: &Plan,
    fleet: &Fleet,
    heard: &[Heard],
    servers: &[ServerCheck],
) -> Vec<WarningCheck> {
    let mut hints: Vec<Hint<'_>> = Vec::new();
    let peers_of = |server: &ServerSetup| {
        let mut peers = server.peer_servers();
        peers.sort_unstable();
        peers
    };
    let peers: Vec<Vec<u16>> = plan.setup.servers.iter().map(peers_of).collect();
    for (index, (setup, numbers)) in plan.setup.servers.iter().zip(servers).enumerate() {
        let back = |peer: &ServiceUrl| {
            peers[usize::from(peer.server)].binary_search(&(index as u16)).is_ok()
        };
        let said = [
            no_self_preservation(setup),
            odd_percent(setup),
            no_eviction(setup, numbers),
            other_interval(setup, &heard[index]),
            (!setup.peers.iter().all(back)).then(|| ("H006", ONE_WAY.to_owned())),
            forgotten(plan, fleet, index),
        ];
        for (code, text) in said.into_iter().flatten() {
            match hints.iter_mut().find(|known| known.code == code && known.text == text) {
                Some(known) => known.names.push(&setup.name),
                None => hints.push(Hint { code, text, names: vec![&setup.name] }),
            }
        }
    }
    hints.sort_by_key(|hint| hint.code);
    let warning = |hint: Hint<'_>| WarningCheck {
        code: hint.code.to_owned(),
        text: format!("{}: {}", listed(&hint.names), hint.text),
    };
    hints.into_iter().map(warning).collect()
}

/// Names, or the first of them.
fn listed(names: &[&str]) -> String {
    match names.get(..MOST_NAMES) {
        Some(first) if names.len() > MOST_NAMES => {
            format!("{}, … ({} in all)", first.join(", "), names.len())
        }
        _ => names.join(", "),
    }
}

type Said = Option<(&'static str, String)>;

const ONE_WAY: &str = "replicates to a peer that does not replicate back: replication goes one hop only, so servers will differ";

fn no_self_preservation(server: &ServerSetup) -> Said {
    let text = "self-preservation is off: an outage evicts up to the limit in every run until nobody is left";
    (!server.config.enable_self_preservation).then(|| ("H001", text.to_owned()))
}

fn odd_percent(server: &ServerSetup) -> Said {
    let percent = server.config.renewal_percent_threshold;
    (!(0.0..=1.0).contains(&percent)).then(|| {
        ("H002", format!(
            "renewal-percent-threshold {percent} is not between 0 and 1: more than 1 never evicts; less than 0 never does either, unless self-preservation is off: then it may evict everybody"
        ))
    })
}

/// Nothing is evicted, whoever dies.
fn no_eviction(server: &ServerSetup, numbers: &ServerCheck) -> Said {
    if numbers.instances == 0 {
        return None;
    }
    let ServerCheck { threshold, renewals, .. } = *numbers;
    if threshold <= 0 && server.config.enable_self_preservation {
        return Some(("H003", format!("the threshold is {threshold}, so nothing is ever evicted")));
    }
    let later = numbers.threshold_after_update.filter(|later| *later <= 0);
    if let Some(later) = later.filter(|_| server.config.enable_self_preservation) {
        let text = format!(
            "the threshold is {later} from the first 15-minute task on, so nothing is evicted from then on"
        );
        return Some(("H003", text));
    }
    let until =
        if numbers.thaws() { "nothing is evicted until then" } else { "nothing is ever evicted" };
    let and_then = numbers.threshold_after_update.filter(|_| numbers.thaws());
    let and_then = and_then.map_or_else(String::new, |threshold| {
        format!(" ({threshold} from the first 15-minute task on)")
    });
    (numbers.deaths_that_freeze == Some(0)).then(|| {
        ("H004", format!(
            "{} a minute {} not above the threshold {threshold}{and_then} even with everybody well: {until}",
            several(renewals, "renewal"),
            if renewals == 1 { "is" } else { "are" },
        ))
    })
}

/// Instances beat more or less often than the threshold assumes.
fn other_interval(server: &ServerSetup, heard: &Heard) -> Said {
    let hard_wired = server.release.class().counts_renews();
    let expected = match hard_wired {
        true => HARD_WIRED,
        false => i64::from(server.config.expected_interval(server.flavor)),
    };
    let others = heard.other_intervals(expected);
    let all = heard.instances;
    let beats =
        others.iter().take(MOST_INTERVALS).enumerate().map(|(place, &(interval, count))| {
            match (place, count) {
                (0, count) if count == all && all == 1 => {
                    format!("the instance beats every {interval} s")
                }
                (0, count) if count == all => {
                    format!("all {all} instances beat every {interval} s")
                }
                (0, 1) => format!("1 of {all} instances beats every {interval} s"),
                (0, count) => format!("{count} of {all} instances beat every {interval} s"),
                (_, count) => format!("{count} every {interval} s"),
            }
        });
    let mut beats: Vec<String> = beats.collect();
    if beats.is_empty() {
        return None;
    }
    if others.len() > MOST_INTERVALS {
        beats.push("…".to_owned());
    }
    let wanted = (all * 60) as f64 / expected as f64;
    let effect = match heard.renewals() {
        renewals if expected > 0 && renewals > wanted => "protection comes late or never",
        renewals if expected > 0 && renewals == wanted => "who beats more often counts for more",
        _ => "nothing may ever be evicted",
    };
    let why = match hard_wired {
        true => {
            ", whatever `expected-client-renewal-interval-seconds` says (it is not read before 1.9.4)"
        }
        false => "",
    };
    let beats = beats.join(", ");
    Some((
        "H005",
        format!("a heartbeat is expected every {expected} s{why}, but {beats}: {effect}"),
    ))
}

/// Instances that register before a server is opened for traffic, which sets anew what it expects. Netflix's
/// servers are not reached before.
fn forgotten(plan: &Plan, fleet: &Fleet, index: usize) -> Said {
    let server = &plan.setup.servers[index];
    let client = &plan.setup.profiles[server.profile].client;
    let syncs = !server.peers.is_empty() && client.fetch_registry && server.open.is_none();
    if !syncs || server.config.registry_sync_retries < 2 || server.flavor != Flavor::SpringCloud {
        return None;
    }
    let early = fleet.starting(index, server.start, server.start + SYNC);
    let (start, them) = if early == 1 { ("starts", "it") } else { ("start", "them") };
    (early > 0).then(|| {
        ("H007", format!(
            "{} {start} before the server is open for traffic, about a minute after its own start: it forgets {them} then, and expects only those that its start-up sync saw, until the 15-minute task",
            several(early as i64, "instance"),
        ))
    })
}
