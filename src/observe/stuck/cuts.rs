//! Faults of the network: whom nothing is expected of while they last.

use std::collections::BTreeSet;

use crate::observe::clusters::Clusters;
use crate::sim::{FaultFact, HostId, HostSet};
use crate::time::Instant;

/// The faults that count. A server that fails requests is no fault of the network.
const KINDS: [&str; 5] = ["partition", "isolate", "hold", "slow", "lossy"];

/// One fault: between whom, and until when.
#[derive(Clone, Debug)]
struct Cut {
    entry: usize,
    sides: [Side; 2],
    healed: Option<Instant>,
}

/// One side of a fault.
#[derive(Clone, Debug)]
struct Side {
    hosts: HostSet,
    /// The clusters that have a server here.
    clusters: BTreeSet<usize>,
}

/// All faults of the network so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Cuts(Vec<Cut>);

impl Cuts {
    /// Takes note of what the script does; whether a fault has ended.
    pub(super) fn fault(
        &mut self,
        fault: &FaultFact<'_>,
        at: Instant,
        servers: usize,
        clusters: &Clusters,
    ) -> bool {
        match *fault {
            FaultFact::Network { what, entry, from, to } if KINDS.contains(&what) => {
                let side = |hosts: &HostSet| Side {
                    clusters: (0..servers)
                        .filter(|server| hosts.contains(HostId::new(*server)))
                        .map(|server| clusters.of_server(server))
                        .collect(),
                    hosts: hosts.clone(),
                };
                self.0.push(Cut { entry, sides: [side(from), side(to)], healed: None });
                false
            }
            FaultFact::Heal { entry: ended } => {
                let under_way = self.0.iter_mut().filter(|cut| cut.healed.is_none());
                let mut ended = under_way.filter(|cut| cut.entry == ended).peekable();
                let any = ended.peek().is_some();
                ended.for_each(|cut| cut.healed = Some(at));
                any
            }
            _ => false,
        }
    }

    /// Since when no fault is between an instance and the servers of a cluster, or between those; none if one
    /// is.
    pub(super) fn calm_since(&self, host: Option<HostId>, cluster: usize) -> Option<Instant> {
        let mut since = Instant::ZERO;
        for cut in &self.0 {
            let [from, to] = &cut.sides;
            let is_in = |side: &Side| host.is_some_and(|host| side.hosts.contains(host));
            let serves = |side: &Side| side.clusters.contains(&cluster);
            let concerns = (is_in(from) && serves(to))
                || (serves(from) && is_in(to))
                || (serves(from) && serves(to));
            match cut.healed {
                _ if !concerns => {}
                None => return None,
                Some(healed) => since = since.max(healed),
            }
        }
        Some(since)
    }
}
