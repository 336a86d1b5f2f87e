//! Which instances each server hears of: those that register with it, and those that register with a
//! server that replicates to it. What comes by replication is not replicated on.

use std::collections::BTreeMap;

use crate::eureka::client::Endpoints;
use crate::scenario::Plan;
use crate::sim::{HostId, HostSet};
use crate::time::Instant;

/// All that register at first, without those that are added later.
pub(super) struct Fleet {
    kinds: Vec<Kind>,
    /// Of each server: itself, and the servers that replicate to it.
    sources: Vec<HostSet>,
    /// Of each server: those that its embedded client may ask first.
    asked: Vec<HostSet>,
}

/// Instances that ask the same servers and beat alike.
struct Kind {
    /// How many.
    count: u64,
    /// Seconds between their heartbeats.
    interval: i64,
    /// Of each of their Eureka clients: with whom it may register while every server works.
    homes: Vec<HostSet>,
    /// When they start, in order; nothing of servers' own.
    starts: Vec<Instant>,
}

/// What a server hears of.
pub(super) struct Heard {
    /// How many instances.
    pub(super) instances: u64,
    /// How many of them beat how often: those that renew most often first.
    beats: Vec<Beat>,
    /// How many instances there are where its embedded client asks: the most, if that is left to chance.
    pub(super) seen: u64,
}

/// Instances that renew equally often.
struct Beat {
    count: u64,
    /// Seconds between two heartbeats of a client.
    interval: i64,
    /// How often each heartbeat is heard: twice if the instance has two clients that both are.
    times: u32,
}

impl Fleet {
    pub(super) fn new(plan: &Plan) -> Self {
        let setup = &plan.setup;
        let servers = (0..setup.servers.len()).map(HostId::new);
        let mut sources: Vec<HostSet> = servers.map(|own| HostSet::from_iter([own])).collect();
        for (number, server) in setup.servers.iter().enumerate() {
            for peer in server.peer_servers() {
                sources[usize::from(peer)].insert(HostId::new(number));
            }
        }
        // There may be many instances, but there are few kinds of them.
        let mut counts: BTreeMap<(usize, usize), (u64, Vec<Instant>)> = BTreeMap::new();
        for server in &setup.servers {
            counts.entry((server.endpoints, server.profile)).or_default().0 += 1;
        }
        for client in &setup.clients {
            if let Some(start) = client.start {
                let kind = (client.endpoints as usize, client.profile as usize);
                let (count, starts) = counts.entry(kind).or_default();
                *count += 1;
                starts.push(start);
            }
        }
        let mut kinds = Vec::new();
        for ((endpoints, profile), (count, mut starts)) in counts {
            let profile = &setup.profiles[profile];
            if profile.client.register_with_eureka {
                starts.sort_unstable();
                let second = profile.second.as_ref().map(|second| &second.endpoints);
                let clients = [Some(&setup.endpoints[endpoints]), second];
                let interval =
                    i64::from(profile.instance.lease_info().renewal_interval_in_secs.get());
                let homes = clients.into_iter().flatten().map(asked_first).collect();
                kinds.push(Kind { count, interval, homes, starts });
            }
        }
        let embedded = setup.servers.iter().map(|server| &setup.endpoints[server.endpoints]);
        Self { kinds, sources, asked: embedded.map(asked_first).collect() }
    }

    /// What each server hears of.
    pub(super) fn heard(&self) -> Vec<Heard> {
        let mut heard: Vec<Heard> =
            (0..self.sources.len()).map(|server| self.heard_by(server)).collect();
        let instances: Vec<u64> = heard.iter().map(|heard| heard.instances).collect();
        for (heard, asked) in heard.iter_mut().zip(&self.asked) {
            heard.seen = asked.iter().map(|server| instances[server.index()]).max().unwrap_or(0);
        }
        heard
    }

    /// The kinds of instances that a server hears of, and how many of their clients it hears.
    fn kinds_of(&self, server: usize) -> impl Iterator<Item = (&Kind, u32)> {
        let sources = &self.sources[server];
        self.kinds.iter().filter_map(move |kind| {
            let times = kind.homes.iter().filter(|home| home.meets(sources)).count() as u32;
            (times > 0).then_some((kind, times))
        })
    }

    fn heard_by(&self, server: usize) -> Heard {
        let mut counts: BTreeMap<(i64, u32), u64> = BTreeMap::new();
        for (kind, times) in self.kinds_of(server) {
            *counts.entry((kind.interval, times)).or_default() += kind.count;
        }
        let beat = |((interval, times), count)| Beat { count, interval, times };
        let mut beats: Vec<Beat> = counts.into_iter().map(beat).collect();
        beats.sort_by(|a, b| b.of(1).total_cmp(&a.of(1)));
        let instances = beats.iter().map(|beat| beat.count).sum();
        Heard { instances, beats, seen: 0 }
    }

    /// How many clients that a server hears of start in this time, the second end excluded.
    pub(super) fn starting(&self, server: usize, from: Instant, to: Instant) -> usize {
        let before = |kind: &Kind, end| kind.starts.partition_point(|start| *start < end);
        self.kinds_of(server).map(|(kind, _)| before(kind, to) - before(kind, from)).sum()
    }
}

/// Whom a client asks first: if its list is shuffled, one of the servers of its zone, if there are any.
fn asked_first(endpoints: &Endpoints) -> HostSet {
    let Endpoints { own_zone, other_zones, in_given_order, .. } = endpoints;
    let nearest = if own_zone.is_empty() { other_zones } else { own_zone };
    let asked = if *in_given_order { nearest.get(..1).unwrap_or_default() } else { nearest };
    asked.iter().map(|server| HostId::new(usize::from(*server))).collect()
}

impl Beat {
    /// Renewals a minute of so many of them.
    fn of(&self, count: u64) -> f64 {
        (count * 60 * u64::from(self.times)) as f64 / self.interval as f64
    }
}

impl Heard {
    /// Renewals a minute if everybody is well.
    pub(super) fn renewals(&self) -> f64 {
        self.beats.iter().map(|beat| beat.of(beat.count)).sum()
    }

    /// The same if each heartbeat takes so long (s): the next one is sent that much later.
    pub(super) fn renewals_if_slow(&self, seconds: f64) -> f64 {
        let of = |beat: &Beat| {
            (beat.count * 60 * u64::from(beat.times)) as f64 / (beat.interval as f64 + seconds)
        };
        self.beats.iter().map(of).sum()
    }

    /// The fewest deaths that leave no more than `threshold` renewals a minute: those of the most frequent.
    pub(super) fn deaths_until(&self, threshold: f64) -> u64 {
        let mut dead = 0;
        for (place, beat) in self.beats.iter().enumerate() {
            let others: f64 = self.beats[place + 1..].iter().map(|beat| beat.of(beat.count)).sum();
            let enough = |dead: u64| others + beat.of(beat.count - dead) <= threshold;
            if enough(beat.count) {
                let (mut low, mut high) = (0, beat.count);
                while low < high {
                    let middle = low + (high - low) / 2;
                    if enough(middle) {
                        high = middle;
                    } else {
                        low = middle + 1;
                    }
                }
                return dead + low;
            }
            dead += beat.count;
        }
        dead
    }

    /// The intervals other than this (s), the most frequent heartbeats first, and how many instances have them.
    pub(super) fn other_intervals(&self, than: i64) -> Vec<(i64, u64)> {
        let mut others: BTreeMap<i64, u64> = BTreeMap::new();
        for beat in self.beats.iter().filter(|beat| beat.interval != than) {
            *others.entry(beat.interval).or_default() += beat.count;
        }
        others.into_iter().collect()
    }
}
