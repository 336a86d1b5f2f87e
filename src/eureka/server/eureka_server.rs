//! A server process: its registry and the queues towards its peers.

use super::peer::PeerEurekaNode;
use super::registry::Registry;
use crate::time::Now;

/// A registry and its peers, in the order in which Eureka fans out to them.
#[derive(Clone, Debug)]
pub struct EurekaServer {
    /// The registry.
    pub registry: Registry,
    /// `PeerEurekaNodes.getPeerEurekaNodes()`.
    pub peers: Vec<PeerEurekaNode>,
}

impl EurekaServer {
    /// Hands what the last operation left in [`Registry::handed`] to every peer's dispatcher.
    pub fn replicate_to_peers(&mut self, now: Now) {
        if self.registry.handed().is_empty() {
            return;
        }
        let mut all = std::mem::take(self.registry.handed());
        for handed in &all {
            for peer in &mut self.peers {
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
