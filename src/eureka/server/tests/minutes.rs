//! Twenty clients and one server, minute by minute.

use std::fmt::Write;

use super::{Server, ServerConfig, vector};
use crate::eureka::{Flavor, InstanceKey};

/// A client that registers, then renews every 30 s.
struct Client {
    id: String,
    key: Option<InstanceKey>,
    /// Milliseconds since the start.
    next: u64,
    dies: u64,
}

/// A server opened at its start, and its clients; both in ms since then.
struct Fleet {
    server: Server,
    clients: Vec<Client>,
    elapsed: u64,
    evicted: Vec<InstanceKey>,
}

impl Fleet {
    fn new(flavor: Flavor, open: i32, count: u64, apart_ms: u64) -> Self {
        Self::configured(flavor, open, count, apart_ms, |_| {})
    }

    fn configured(
        flavor: Flavor,
        open: i32,
        count: u64,
        apart_ms: u64,
        configure: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        let mut server = Server::started(super::EPOCH, flavor, "2.0.6", configure);
        server.init();
        server.open(open);
        let client = |n| Client {
            id: format!("h{n:02}:svc:8080"),
            key: None,
            next: 1000 + apart_ms * n,
            dies: u64::MAX,
        };
        Self { server, clients: (0..count).map(client).collect(), elapsed: 0, evicted: Vec::new() }
    }

    fn kill(mut self, clients: &[usize], second: u64) -> Self {
        clients.iter().for_each(|&client| self.clients[client].dies = second * 1000);
        self
    }

    /// Goes to this ms; what a client does then comes after the timers of the same instant and is
    /// left for the next call.
    fn until(&mut self, end: u64) {
        loop {
            let living = self.clients.iter_mut().filter(|client| client.next < client.dies);
            let Some(client) = living.min_by_key(|client| client.next).filter(|c| c.next < end)
            else {
                break;
            };
            self.server.advance(client.next - self.elapsed);
            self.elapsed = client.next;
            client.next += 30_000;
            match client.key {
                Some(key) => assert!(self.server.renew(key)),
                None => client.key = Some(self.server.register_new("SVC", &client.id)),
            }
        }
        self.server.advance(end - self.elapsed);
        self.elapsed = end;
        self.evicted.append(&mut self.server.evicted());
    }

    /// Whom the server evicted since this was last asked.
    fn evicted(&mut self) -> String {
        let host = |key| {
            let id = self.server.names.id_text(key);
            id.split(':').next().unwrap_or(id).to_owned()
        };
        self.evicted.drain(..).map(host).collect::<Vec<_>>().join(" ")
    }
}

/// The block of a table under the heading that begins like this, without the heading.
fn block(table: &str, heading: &str) -> String {
    let text = vector(table);
    let blocks = text.split("== ").filter(|block| block.starts_with(heading));
    let mut bodies = blocks.map(|block| block.split_once('\n').expect("a block has lines").1);
    let body = bodies.next().expect("the table has such a block").to_owned();
    assert_eq!(bodies.next(), None, "{heading} is one block");
    body
}

/// Reads the gauges after every full minute, as often as the recording does.
fn check_minutes(heading: &str, mut fleet: Fleet) {
    let recorded = block("golden-minute-traces.txt", heading);
    let mut made = String::new();
    for minute in 1..=recorded.lines().count() as u64 {
        fleet.until(minute * 60_000);
        let evicted = fleet.evicted();
        let gauges = fleet.server.gauges();
        writeln!(
            made,
            "+{}s last={} thr={} exp={} size={} leaseExp={} below={} evicted=[{evicted}]",
            minute * 60,
            gauges.num_of_renews_in_last_min,
            gauges.num_of_renews_per_min_threshold,
            gauges.expected_number_of_clients_sending_renews,
            gauges.local_registry_size,
            gauges.is_lease_expiration_enabled,
            u8::from(gauges.is_below_renew_threshold),
        )
        .unwrap();
    }
    assert_eq!(made, recorded, "{heading}");
}

#[test]
fn the_minute_table_has_the_four_scenarios_that_are_held_here() {
    let table = vector("golden-minute-traces.txt");
    let headings: Vec<&str> = table.lines().filter(|line| line.starts_with("==")).collect();
    let letters: String = headings.iter().filter_map(|line| line.chars().nth(3)).collect();
    assert_eq!(letters, "ABCD", "{headings:?}");
}

#[test]
fn two_dead_clients_are_evicted_and_four_more_freeze_the_registry() {
    let fleet = Fleet::new(Flavor::SpringCloud, 1, 20, 100);
    let fleet = fleet.kill(&[3, 11], 95).kill(&[0, 5, 7, 9], 400);
    check_minutes("A spring open(1), SP on, 20 clients", fleet);
}

#[test]
fn without_self_preservation_ten_dead_of_twenty_go_in_four_runs() {
    let fleet = Fleet::configured(Flavor::SpringCloud, 1, 20, 100, |config| {
        config.enable_self_preservation = false;
    });
    check_minutes("B SP off, 20 clients", fleet.kill(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 95));
}

#[test]
fn three_healthy_clients_never_reach_springs_threshold() {
    check_minutes("C spring open(1), 3 clients", Fleet::new(Flavor::SpringCloud, 1, 3, 100));
}

#[test]
fn a_netflix_server_that_found_nothing_expects_nobody_and_evicts_nobody() {
    let fleet = Fleet::new(Flavor::Netflix, 0, 20, 100).kill(&[3, 11], 95);
    check_minutes("D netflix open(0), 20 clients, kill 2", fleet);
}

/// What becomes of the heartbeats that clients send to the frozen server.
#[derive(Clone, Copy)]
enum Backlog {
    /// Each client's first one waits in the socket and is served before the late timers.
    Served,
    Lost,
}

/// Twenty clients, 1.5 s apart; a client whose heartbeat met the frozen server sends its next one
/// 30 s after the end of the pause.
fn check_pause(heading: &str, self_preservation: bool, backlog: Backlog) {
    let recorded = block("gc-pause-traces.txt", heading);
    let first = recorded.lines().next().expect("a block has lines");
    let seconds = first.strip_prefix("pause from +").and_then(|text| text.split_once("s to +"));
    let (from, to) = seconds.expect("the first line tells the pause");
    let ms = |text: &str| (text.parse::<f64>().expect("seconds") * 1000.0) as u64;
    let (from, to) = (ms(from), ms(to.trim_end_matches('s')));

    let mut fleet = Fleet::configured(Flavor::SpringCloud, 1, 20, 1500, |config| {
        config.enable_self_preservation = self_preservation;
    });
    fleet.until(from);
    fleet.server.freeze(to - from);
    fleet.elapsed = to;
    for client in &mut fleet.clients {
        assert!(client.next < to, "every client meets the pause");
        client.next = to + 30_000;
        if let Backlog::Served = backlog {
            assert!(fleet.server.renew(client.key.expect("it is registered")));
        }
    }
    fleet.server.thaw();

    let mut made = format!("{first}\n");
    let mut cancelled = 0;
    for reading in 0..recorded.lines().count() as u64 - 1 {
        fleet.until(to + reading * 60_000);
        cancelled += fleet.evicted.drain(..).len();
        let gauges = fleet.server.gauges();
        writeln!(
            made,
            " +{:.1}s last={} thr={} size={} leaseExp={} totalCancelled={cancelled}",
            fleet.elapsed as f64 / 1000.0,
            gauges.num_of_renews_in_last_min,
            gauges.num_of_renews_per_min_threshold,
            gauges.local_registry_size,
            gauges.is_lease_expiration_enabled,
        )
        .unwrap();
    }
    assert_eq!(made, recorded, "{heading}");
}

#[test]
fn the_pause_table_has_the_five_pauses_that_are_held_here() {
    let table = vector("gc-pause-traces.txt");
    assert_eq!(table.lines().filter(|line| line.starts_with("==")).count(), 5);
}

#[test]
fn a_backlog_served_before_the_late_timers_counts_in_the_old_bucket() {
    check_pause("pause 200s starting 5s after a tick, backlog", true, Backlog::Served);
}

#[test]
fn a_pause_early_in_a_bucket_leaves_it_nearly_empty() {
    check_pause("pause 200s starting 5s after a tick, in-pause", true, Backlog::Lost);
}

#[test]
fn a_pause_late_in_a_bucket_is_saved_by_compensation() {
    check_pause("pause 200s starting 59s after a tick", true, Backlog::Lost);
}

#[test]
fn a_pause_between_two_ticks_shows_a_minute_later() {
    check_pause("pause 50s inside a bucket", true, Backlog::Lost);
}

#[test]
fn without_self_preservation_compensation_alone_saves_the_clients() {
    check_pause("SP off, pause 200s starting 5s after a tick", false, Backlog::Lost);
}
