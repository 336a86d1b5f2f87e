//! Which servers belong together: those that know one another, directly or through others. A scenario
//! may hold several clusters side by side, and nobody is missing from one that he never asked.

use crate::scenario::Plan;
use crate::sim::{Action, HostId};

/// For each server the number of its cluster, and for each host.
#[derive(Clone, Debug)]
pub(super) struct Clusters {
    of: Vec<usize>,
    /// By host: the cluster of the servers it knows; none if it knows none.
    of_host: Vec<Option<usize>>,
    count: usize,
}

impl Clusters {
    /// Servers are joined by being peers, and by standing in one client's list. Where the script
    /// changes lists, all are one.
    pub(super) fn new(plan: &Plan) -> Self {
        let setup = &plan.setup;
        let servers = setup.servers.len();
        let mut of: Vec<usize> = (0..servers).collect();
        let changes = |action: &Action| matches!(action, Action::SetServiceUrls(..));
        if setup.timeline.iter().any(|entry| changes(&entry.action)) {
            of.fill(0);
        }
        for (index, server) in setup.servers.iter().enumerate() {
            server.peer_servers().into_iter().for_each(|peer| join(&mut of, index, peer.into()));
        }
        let known = |host: usize| {
            let endpoints = setup.endpoints_of(HostId::new(host));
            let all = endpoints.own_zone.iter().chain(&endpoints.other_zones);
            all.map(|server| usize::from(*server)).collect::<Vec<_>>()
        };
        let mut first_known = Vec::new();
        for host in 0..setup.host_count() {
            let mut known = known(host).into_iter();
            let first = if host < servers { Some(host) } else { known.next() };
            if let Some(first) = first {
                known.for_each(|other| join(&mut of, first, other));
            }
            first_known.push(first);
        }
        let mut numbers = of.clone();
        numbers.sort_unstable();
        numbers.dedup();
        let number = |of: usize| numbers.partition_point(|number| *number < of);
        let of: Vec<usize> = of.into_iter().map(number).collect();
        let of_host = first_known.into_iter().map(|first| first.map(|first| of[first])).collect();
        Self { of, of_host, count: numbers.len() }
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The cluster of a server.
    pub(super) fn of_server(&self, server: usize) -> usize {
        self.of[server]
    }

    /// The cluster that a host registers with.
    pub(super) fn of_host(&self, host: HostId) -> Option<usize> {
        self.of_host[host.index()]
    }
}

/// Makes one cluster of two.
fn join(of: &mut [usize], a: usize, b: usize) {
    let (to, from) = (of[a].min(of[b]), of[a].max(of[b]));
    if to != from {
        of.iter_mut().filter(|cluster| **cluster == from).for_each(|cluster| *cluster = to);
    }
}
