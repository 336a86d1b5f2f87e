//! Sets of hosts, and picks from them.

use super::host::HostId;
use super::random::{Stream, Streams};

/// A set of hosts with constant-time membership.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSet {
    bits: Vec<u64>,
}

impl HostSet {
    /// Whether `host` is in it.
    #[must_use]
    pub fn contains(&self, host: HostId) -> bool {
        let word = self.bits.get(host.index() / 64).copied().unwrap_or(0);
        word >> (host.index() % 64) & 1 == 1
    }

    /// Adds a host.
    pub fn insert(&mut self, host: HostId) {
        let word = host.index() / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (host.index() % 64);
    }

    /// Its hosts in order.
    pub fn iter(&self) -> impl Iterator<Item = HostId> + '_ {
        self.bits.iter().enumerate().flat_map(|(word, &bits)| {
            let set = move |bit: &usize| bits >> bit & 1 == 1;
            (0..64).filter(set).map(move |bit| HostId::new(word * 64 + bit))
        })
    }

    /// Whether it has a host in common with another.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.bits.iter().zip(&other.bits).any(|(own, other)| own & other != 0)
    }

    /// How many hosts are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bits.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Whether no host is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|bits| *bits == 0)
    }

    /// All of the first `count` hosts that are not in it.
    #[must_use]
    pub fn complement(&self, count: usize) -> Self {
        (0..count).map(HostId::new).filter(|&host| !self.contains(host)).collect()
    }
}

impl FromIterator<HostId> for HostSet {
    fn from_iter<T: IntoIterator<Item = HostId>>(hosts: T) -> Self {
        let mut set = Self::default();
        hosts.into_iter().for_each(|host| set.insert(host));
        set
    }
}

/// Which of the selected hosts are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Random ones.
    Random,
    /// The first ones of the selection.
    First,
    /// The last ones.
    Last,
}

/// Selected hosts, and how many of those that qualify are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// In the order of the selection, each once.
    pub hosts: Vec<HostId>,
    /// All of them, or so many.
    pub take: Option<Take>,
    /// Which, if not all.
    pub pick: Pick,
}

/// How many of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// This share in parts per billion, rounded to the nearest number of hosts, ties up.
    Share(u32),
    /// So many.
    Count(usize),
}

impl Take {
    /// How many of `len`.
    #[must_use]
    pub fn of(self, len: usize) -> usize {
        match self {
            Self::Share(ppb) => {
                ((2 * u128::from(ppb) * len as u128 + 1_000_000_000) / 2_000_000_000) as usize
            }
            Self::Count(count) => count,
        }
        .min(len)
    }
}

impl Selection {
    /// The hosts that are taken among those that `qualify`, in the order of the selection. Random
    /// picks depend on the seed, the timeline `entry` and the hosts themselves: a host that does not
    /// qualify does not change which others are preferred.
    #[must_use]
    pub fn resolve(
        &self,
        streams: &Streams,
        entry: u64,
        qualify: impl Fn(HostId) -> bool,
    ) -> Vec<HostId> {
        let mut hosts: Vec<HostId> = self.hosts.iter().copied().filter(|&h| qualify(h)).collect();
        let Some(take) = self.take else {
            return hosts;
        };
        let count = take.of(hosts.len());
        match self.pick {
            Pick::First => hosts.truncate(count),
            Pick::Last => drop(hosts.drain(..hosts.len() - count)),
            Pick::Random => {
                let rank = |host: &HostId| streams.draw(Stream::Pick, entry, host.index() as u64);
                let mut ranks: Vec<u64> = hosts.iter().map(rank).collect();
                ranks.sort_unstable();
                let limit = count.checked_sub(1).map(|last| ranks[last]);
                hosts.retain(|host| limit.is_some_and(|limit| rank(host) <= limit));
                hosts.truncate(count);
            }
        }
        hosts
    }
}
