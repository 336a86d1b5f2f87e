//! The list of servers: `ZoneAffinityClusterResolver` under `AsyncResolver`, which shuffles it again
//! and again.

use std::sync::Arc;

use super::timer::Timer;
use super::{ClientProcess, Cx, profile};
use crate::eureka::ServiceUrls;
use crate::eureka::java::Random;

/// The servers a client knows, by number: those of its own zone, then the others. Each part is
/// shuffled for itself, unless the order is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Of the client's zone (`ZoneAffinityClusterResolver`).
    pub own_zone: Vec<u16>,
    /// Of the other zones. A zone without servers of its own repeats those of the default zone.
    pub other_zones: Vec<u16>,
    /// Whether the order stays as it is here. Java's client has no such mode: this is the order that
    /// its shuffle happened to give, when it is to be known.
    pub in_given_order: bool,
    /// The URLs they were made of, if URLs are configured: for changes while a process runs.
    pub configured: Option<Arc<ServiceUrls>>,
}

impl From<Arc<ServiceUrls>> for Endpoints {
    /// `ConfigClusterResolver` under `ZoneAffinityClusterResolver`, in the order that is written.
    fn from(configured: Arc<ServiceUrls>) -> Self {
        let servers = |zones: &[String]| {
            let urls = zones.iter().flat_map(|zone| configured.of_zone(zone));
            urls.map(|url| url.server).collect()
        };
        let (own, others) = configured.zones.split_at(configured.zones.len().min(1));
        let (own_zone, other_zones) = (servers(own), servers(others));
        Self { own_zone, other_zones, in_given_order: true, configured: Some(configured) }
    }
}

/// A list of servers; a short one lies in place.
#[derive(Clone, Debug)]
pub(super) enum Servers {
    Few(u8, [u16; 6]),
    #[expect(clippy::box_collection, reason = "one pointer: the whole stays within 16 bytes")]
    Many(Box<Vec<u16>>),
}

impl Servers {
    pub(super) const fn new() -> Self {
        Self::Few(0, [0; 6])
    }

    pub(super) fn as_slice(&self) -> &[u16] {
        match self {
            Self::Few(len, list) => &list[..usize::from(*len)],
            Self::Many(list) => list,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [u16] {
        match self {
            Self::Few(len, list) => &mut list[..usize::from(*len)],
            Self::Many(list) => list,
        }
    }

    pub(super) fn of(own: &[u16], others: &[u16]) -> Self {
        let len = own.len() + others.len();
        let mut list = [0; 6];
        if len > list.len() {
            return Self::Many(Box::new([own, others].concat()));
        }
        list[..own.len()].copy_from_slice(own);
        list[own.len()..len].copy_from_slice(others);
        Self::Few(len as u8, list)
    }
}

/// `ResolverUtils.randomize` before 1.10.14: an order that a host never changes. The position is not
/// counted from `place` on, so that not all orders are equally likely, and some never come.
fn shuffle_by_address(servers: &mut [u16], address_hash: i32) {
    let mut random = Random::new(address_hash.into());
    for place in 0..servers.len().saturating_sub(1) {
        let other = random.next_int((servers.len() - place) as i32);
        servers.swap(place, other as usize);
    }
}

impl ClientProcess {
    /// The shared list of servers is used: its periodic refresh begins with the first use.
    pub(super) fn use_resolver(&mut self, cx: &Cx<'_>) {
        let client = &mut self.client;
        if client.timers.at(Timer::Resolver) == u64::MAX && !client.transport_closed {
            let period = cx.profile.client.eureka_service_url_poll_interval_seconds;
            let due = cx.now.mono + profile::seconds(period).nanos();
            client.timers.set(Timer::Resolver, due);
        }
    }

    /// `AsyncResolver`'s refresh: the list is shuffled anew, even if nothing changed.
    pub(super) fn resolver_timer(&mut self, cx: &mut Cx<'_>) {
        self.client.timers.clear(Timer::Resolver);
        self.use_resolver(cx);
        self.shuffle_servers(cx);
    }

    /// The configured list of servers is another one from now on, which the next refresh sees.
    pub fn configure_servers(&mut self, endpoints: Endpoints) {
        self.client.rare().endpoints = Some(endpoints);
    }

    pub(super) fn shuffle_servers(&mut self, cx: &mut Cx<'_>) {
        let own = self.client.rare.as_ref().and_then(|rare| rare.endpoints.as_ref());
        let endpoints = own.unwrap_or(cx.endpoints);
        let mut servers = Servers::of(&endpoints.own_zone, &endpoints.other_zones);
        if !endpoints.in_given_order {
            let (own, others) = servers.as_mut_slice().split_at_mut(endpoints.own_zone.len());
            for part in [own, others] {
                if cx.profile.shuffles_by_chance() {
                    cx.draws.shuffle(part);
                } else {
                    shuffle_by_address(part, cx.draws.address_hash());
                }
            }
        }
        self.client.servers = servers;
    }
}
