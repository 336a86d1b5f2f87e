//! A server process: its registry and the queues towards its peers.

use super::peer::PeerEurekaNodes;
use super::registry::Registry;
use crate::eureka::ServiceUrl;
use crate::time::Now;

/// A registry and its peers, in the order in which Eureka fans out to them.
#[derive(Clone, Debug)]
pub struct EurekaServer {
    /// The registry.
    pub registry: Registry,
    /// Its peers.
    pub peers: PeerEurekaNodes,
}

impl EurekaServer {
    /// The list of peers is looked at again ([`PeerEurekaNodes::update`]). Whether it has changed.
    pub fn update_peers(&mut self, urls: &[ServiceUrl]) -> bool {
        self.peers.update(urls, self.registry.objects_mut())
    }

    /// Hands what the last operation left in [`Registry::handed`] to every peer's dispatcher.
    #[inline(always)]
    pub fn replicate_to_peers(&mut self, now: Now) {
        if self.registry.handed().is_empty() {
            return;
        }
        let mut all = std::mem::take(self.registry.handed());
        for handed in &all {
            for peer in self.peers.iter_mut() {
                peer.submit(self.registry.objects_mut(), handed, now);
            }
            if let Some(info) = handed.info() {
                self.registry.objects_mut().release_info(info);
            }
        }
        all.clear();
        *self.registry.handed() = all;
    }
}
