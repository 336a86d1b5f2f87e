//! The list of peers when its URLs change.

use super::Pair;
use crate::eureka::server::ServerConfig;
use crate::eureka::server::objects::Objects;
use crate::eureka::server::peer::PeerEurekaNodes;
use crate::eureka::{Flavor, ServiceUrl};

fn urls(servers: &[u16]) -> Vec<ServiceUrl> {
    let url = |&server: &u16| ServiceUrl {
        url: format!("http://eureka-{server}:8761/eureka/").into(),
        server,
    };
    servers.iter().map(url).collect()
}

fn order(nodes: &PeerEurekaNodes) -> Vec<u16> {
    nodes.iter().map(|node| node.peer().server).collect()
}

#[test]
fn peers_that_are_added_follow_the_old_ones_in_the_order_of_the_hash_set() {
    let mut objects = Objects::default();
    let mut nodes = PeerEurekaNodes::new(ServerConfig::new(Flavor::Netflix), &urls(&[0, 1, 2, 3]));
    let all = order(&nodes);
    assert_eq!(all.len(), 4);
    assert!(!nodes.update(&urls(&[3, 2, 1, 0]), &mut objects), "the same in another order");
    assert!(nodes.update(&urls(&[1]), &mut objects));
    assert_eq!(order(&nodes), [1]);
    assert!(nodes.update(&urls(&[0, 1, 2, 3]), &mut objects));
    let others: Vec<u16> = all.into_iter().filter(|server| *server != 1).collect();
    assert_eq!(order(&nodes), [&[1], &others[..]].concat());
    assert!(nodes.update(&urls(&[0, 2, 2]), &mut objects), "one that is named twice is one");
    assert_eq!(order(&nodes).len(), 2);
}

#[test]
fn an_empty_list_of_urls_leaves_the_peers_as_they_are() {
    let mut pair = Pair::new();
    assert!(!pair.a.update_peers(&[]));
    assert_eq!(order(&pair.a.peers), [1]);
}

/// The older of two registrations is kept by nobody but its task (server spec §5.3).
#[test]
fn what_a_peer_that_is_removed_had_to_send_is_lost() {
    let mut pair = Pair::new();
    for dirty in [10, 0] {
        let info = pair.instance("i", dirty);
        pair.register(info);
    }
    let instances = |pair: &Pair| pair.a.registry.objects().live().0;
    assert_eq!(instances(&pair), 2);
    let number = pair.a.peers[0].number();
    assert!(pair.a.update_peers(&urls(&[2])));
    assert_eq!((pair.a.peers[0].backlog(), instances(&pair)), (0, 1));
    assert_eq!(pair.a.peers.position(number), None, "an answer to it is nobody's");
    let newer = pair.a.peers[0].number();
    assert_eq!(pair.a.peers.position(newer), Some(0));
}
