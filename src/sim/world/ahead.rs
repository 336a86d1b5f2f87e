//! Reading ahead: what the events of the next milliseconds are about to look at is read in a row.
//!
//! The processes of a large fleet, and what servers keep of them, lie far apart in memory. Read when its
//! event comes, each is waited for alone; read in a row, with nothing that depends on the last one, they
//! are waited for together. What is read is thrown away.

use std::hint::{black_box, select_unpredictable};

use super::super::fact::Observer;
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::{Event, World};
use crate::eureka::InstanceKey;

/// A heartbeat on its way, and the server that is about to look for its lease.
pub(super) type Renewal = (HostId, InstanceKey);

/// Most of them that are remembered: some queues never say that anything came near.
const MOST: usize = 256;

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// A heartbeat goes on its way.
    pub(super) fn read_ahead_later(&mut self, renewal: Renewal) {
        if self.renewals.len() < MOST {
            self.renewals.push(renewal);
        }
    }

    /// Reads what the events need that have come near, and the heartbeats that were sent meanwhile.
    pub(super) fn read_ahead(&mut self) {
        let servers = self.servers.len();
        let hosts = &self.hosts;
        if hosts.len() == servers {
            return;
        }
        let nearer = self.queue.look_ahead(|event| {
            // Which kind comes next nobody can guess, and a wrong guess takes longer than reading the
            // first client again for nothing.
            let (wakes, number) = match *event {
                Event::Wake(host) => (host.index() >= servers, host.index()),
                Event::Arrive(call) | Event::End(call) => (false, call as usize),
                _ => (false, servers),
            };
            let host = &hosts[select_unpredictable(wakes, number, servers)];
            black_box(host.armed);
            if let Some(client) = &host.client {
                client.touch();
            }
        });
        if nearer && !self.renewals.is_empty() {
            self.read_leases_ahead();
        }
    }

    fn read_leases_ahead(&mut self) {
        for &(server, key) in &self.renewals {
            if let Some(core) = &self.servers[server.index()].core {
                core.registry.touch_lease(key);
            }
        }
        for (server, key) in self.renewals.drain(..) {
            if let Some(core) = &self.servers[server.index()].core {
                core.registry.touch_holder(key);
            }
        }
    }
}
