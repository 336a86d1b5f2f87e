//! `PeerEurekaNodes`: the peers of a server, and what becomes of them when the list of URLs changes.

use super::PeerEurekaNode;
use crate::eureka::ServiceUrl;
use crate::eureka::java::hash_set_order;
use crate::eureka::server::ServerConfig;
use crate::eureka::server::objects::Objects;

/// `PeerEurekaNodes.getPeerEurekaNodes()`, in the order in which a server fans out to them.
#[derive(Clone, Debug)]
pub struct PeerEurekaNodes {
    nodes: Vec<PeerEurekaNode>,
    config: ServerConfig,
    /// Nodes made so far.
    made: u32,
}

impl PeerEurekaNodes {
    /// `PeerEurekaNodes.start()`: the peers at these URLs, less the server's own.
    #[must_use]
    pub fn new(config: ServerConfig, urls: &[ServiceUrl]) -> Self {
        let mut nodes = Self { nodes: Vec::new(), config, made: 0 };
        nodes.add(urls);
        nodes
    }

    /// `PeerEurekaNodes.updatePeerEurekaNodes(List)`, with the URLs less the server's own. Nodes that
    /// are not named any more are shut down: their tasks are lost, and what becomes of batches under
    /// way is nobody's business. New ones follow the old, in the order of a hash set. An empty list
    /// changes nothing. Whether anything changed.
    pub fn update(&mut self, urls: &[ServiceUrl], objects: &mut Objects) -> bool {
        if urls.is_empty() {
            return false;
        }
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.nodes)
            .into_iter()
            .partition(|node| urls.iter().any(|new| new.url == node.peer().url));
        self.nodes = kept;
        let changed = !gone.is_empty();
        for node in gone {
            node.shut_down(objects);
        }
        self.add(urls) || changed
    }

    /// Makes the nodes that are not there yet (`toAdd`).
    fn add(&mut self, urls: &[ServiceUrl]) -> bool {
        let texts: Vec<&str> = urls.iter().map(|url| &*url.url).collect();
        let before = self.made;
        for position in hash_set_order(&texts) {
            let peer = &urls[position];
            if self.nodes.iter().all(|node| node.peer().url != peer.url) {
                self.nodes.push(PeerEurekaNode::new(&self.config, peer.clone(), self.made));
                self.made += 1;
            }
        }
        self.made > before
    }

    /// The position of the node of this number, unless it was shut down.
    #[must_use]
    pub fn position(&self, number: u32) -> Option<usize> {
        let unchanged = self.nodes.get(number as usize).filter(|node| node.number() == number);
        match unchanged {
            Some(_) => Some(number as usize),
            None => self.nodes.iter().position(|node| node.number() == number),
        }
    }
}

impl std::ops::Deref for PeerEurekaNodes {
    type Target = [PeerEurekaNode];

    fn deref(&self) -> &[PeerEurekaNode] {
        &self.nodes
    }
}

impl std::ops::DerefMut for PeerEurekaNodes {
    fn deref_mut(&mut self) -> &mut [PeerEurekaNode] {
        &mut self.nodes
    }
}
