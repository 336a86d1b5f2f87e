//! The list of a server's peers while its process runs.

use super::super::fact::{Fact, Observer};
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::{Event, World};
use crate::eureka::client::Endpoints;
use crate::eureka::{Flavor, ServiceUrl};
use crate::time::{Instant, Span};
use std::sync::Arc;

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// When the list is looked at next: every ten minutes from the start of the process on. A server
    /// whose URLs never change finds nothing new, so it does not look.
    pub(super) fn next_look_at_peers(&self, host: HostId) -> Option<Instant> {
        let server = &self.setup.servers[host.index()];
        let every = server.config.peer_eureka_nodes_update_interval_ms;
        server.peers_change.then(|| self.now + Span::from_millis(every.unsigned_abs().into()))
    }

    /// `service-url` of a process is another one from now on: clients see it at the next refresh of
    /// their list, Spring's servers at once (`RefreshablePeerEurekaNodes`), Netflix's when they look.
    pub(super) fn set_service_urls(&mut self, host: HostId, zone: &str, urls: &[ServiceUrl]) {
        let of_setup = || self.setup.endpoints_of(host).configured.clone().unwrap_or_default();
        let mut configured = self.service_urls.remove(&host).unwrap_or_else(of_setup);
        Arc::make_mut(&mut configured).by_zone.insert(zone.to_owned(), urls.to_vec());
        self.service_urls.insert(host, Arc::clone(&configured));
        self.drive(host, self.now, |client, _| {
            client.configure_servers(Endpoints::from(configured));
        });
        if self.is_server(host) && self.setup.servers[host.index()].flavor == Flavor::SpringCloud {
            self.update_peers(host);
        }
    }

    /// The URLs of a server's peers, if they have changed since its process started.
    pub(super) fn configured_peers(&self, host: HostId) -> Option<Vec<ServiceUrl>> {
        let configured = self.service_urls.get(&host)?;
        let not_this = |url: &&ServiceUrl| usize::from(url.server) != host.index();
        Some(configured.all().filter(not_this).cloned().collect())
    }

    /// `PeerEurekaNodes.updatePeerEurekaNodes`, of the timer or of Spring's event.
    pub(super) fn update_peers(&mut self, host: HostId) {
        let Some(urls) = self.configured_peers(host) else {
            return;
        };
        let Some(core) = &mut self.servers[host.index()].core else {
            return;
        };
        if core.update_peers(&urls) {
            let now: Vec<u16> = core.peers.iter().map(|node| node.peer().server).collect();
            self.emit(&Fact::Peers { server: host, peers: &now });
        }
    }
}
