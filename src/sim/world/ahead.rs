//! Reading ahead: what the events of the next milliseconds are about to look at is read in a row.
//!
//! The processes of a large fleet, and what servers keep of them, lie far apart in memory. Read when its
//! event comes, each is waited for alone; read in a row, with nothing that depends on the last one, they
//! are waited for together. What is read is thrown away.

use std::hint::black_box;

use super::super::fact::Observer;
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::{Event, World};
use crate::eureka::InstanceKey;
use crate::time::HostClock;

/// What comes in the next milliseconds; nothing of it outlives a reading ahead.
#[derive(Debug, Default)]
pub(super) struct Near {
    /// Clients that wake.
    clients: Vec<HostId>,
    /// Those whose heartbeat is due, and the servers that will look for their leases.
    renewals: Vec<(HostId, InstanceKey)>,
}

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// Reads what the events need that have come near.
    #[inline(always)]
    pub(super) fn read_ahead(&mut self) {
        let Near { clients, renewals } = &mut self.near;
        let servers = self.servers.len();
        self.queue.look_ahead(|event| {
            let host = match *event {
                Event::Wake(host) => host,
                _ => HostId::new(0),
            };
            push_if(clients, host, host.index() >= servers);
        });
        if clients.is_empty() {
            return;
        }
        let hosts = &self.hosts;
        for host in clients.iter().map(|host| &hosts[host.index()]) {
            black_box(host.armed);
            if let Some(client) = &host.client {
                client.touch();
            }
        }
        for host in clients.drain(..).map(|host| &hosts[host.index()]) {
            if let Some(client) = &host.client {
                let (at, server) = client.next_heartbeat();
                let renewal = (HostId::new(server.into()), host.key);
                push_if(renewals, renewal, HostClock::instant_of_mono(at) == host.armed);
            }
        }
        for (server, key) in renewals.drain(..) {
            let process = self.servers.get(server.index());
            if let Some(core) = process.and_then(|process| process.core.as_ref()) {
                core.registry.touch_lease(key);
            }
        }
    }
}

/// Without a branch: what kind comes next nobody can guess, and a wrong guess takes longer than this.
fn push_if<T>(list: &mut Vec<T>, item: T, condition: bool) {
    list.push(item);
    list.truncate(list.len() - usize::from(!condition));
}
