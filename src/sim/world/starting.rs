//! How a server's process starts: its embedded client, its registry, start-up sync, open for traffic;
//! and how its server part is closed.

use rand::seq::SliceRandom;

use super::super::fact::{Fact, Observer, OperationKind};
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::super::random::Stream;
use super::{Event, World};
use crate::eureka::server::peer::PeerEurekaNodes;
use crate::eureka::server::{At, EurekaServer, InfoRef, Registry, Setup};
use crate::eureka::{Flavor, InstanceInfo, InstanceStatus};
use crate::time::{Now, Span};

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// A server's process starts with its embedded client; the registry comes after that.
    pub(super) fn start_server(&mut self, host: HostId) {
        let profile = &self.setup.profile_of(host).client;
        if profile.fetch_registry || profile.register_with_eureka {
            self.start_client(host);
        } else {
            self.server_constructed(host);
            self.arm_server(host);
        }
    }

    /// The embedded client's constructor has returned: registry and queues are made.
    pub(super) fn server_constructed(&mut self, host: HostId) {
        let setup = self.setup;
        let server = &setup.servers[host.index()];
        let now = self.now_at(host);
        let has_peers = server.may_replicate();
        let config = server.config.clone();
        let (class, flavor) = (self.releases.of(host, setup).class(), server.flavor);
        // The constructor ran earlier in this millisecond; so its timer is in step with the clock.
        let moment = self.clock_of(host).nanos_into_milli(self.now);
        let made = Now { mono: now.mono - moment, ..now };
        let mut registry = Registry::new(Setup { flavor, class, has_peers, config }, made);
        registry.set_eviction_before_rotation(setup.races.eviction_before_rotation);
        registry.init(At { now, names: &setup.names });
        let mut config = server.config.clone();
        if setup.races.one_batch_at_a_time {
            config.max_threads_for_peer_replication = 1;
        }
        let next_peers = self.next_look_at_peers(host);
        let changed = self.configured_peers(host);
        let millis = |ms: i32| Span::from_millis(ms.unsigned_abs().into());
        let process = &mut self.servers[host.index()];
        process.connect_timeout = millis(config.peer_node_connect_timeout_ms);
        process.read_timeout = millis(config.peer_node_read_timeout_ms);
        let peers = PeerEurekaNodes::new(config, changed.as_deref().unwrap_or(&server.peers));
        process.core = Some(EurekaServer { registry, peers });
        process.next_peers = next_peers;
        process.open_at = server.open.map(|open| open.max(self.now));
        self.embedded_view_changed(host);
        self.operation(host, &OperationKind::Init);
        self.emit(&Fact::Initialised(host));
        if server.flavor == Flavor::SpringCloud {
            self.listen(host);
        }
        if self.servers[host.index()].open_at.is_none() {
            self.look(host);
        }
    }

    fn listen(&mut self, host: HostId) {
        self.hosts[host.index()].listening = true;
        self.emit(&Fact::Listening(host));
    }

    /// `syncUp`: looks, and looks again later as long as there is nothing to see; then the server is
    /// opened for traffic.
    pub(super) fn look(&mut self, host: HostId) {
        let looks = self.setup.servers[host.index()].config.registry_sync_retries;
        let process = &mut self.servers[host.index()];
        process.next_look = None;
        if process.looks >= looks {
            self.open(host, 0);
            return;
        }
        process.looks += 1;
        let look = process.looks;
        let count = self.sync_up_once(host);
        if count > 0 {
            self.open(host, count);
            return;
        }
        let Some(core) = &self.servers[host.index()].core else {
            return;
        };
        if core.registry.sync_up_waits_after(look, looks) {
            let wait = core.registry.config().registry_sync_retry_wait_ms;
            let wait = Span::from_millis(wait.unsigned_abs());
            self.servers[host.index()].next_look = Some(self.now + wait);
        } else {
            self.open(host, 0);
        }
    }

    /// Registers what the embedded client sees, and says how many instances that are.
    pub(super) fn sync_up_once(&mut self, host: HostId) -> i32 {
        let only_up = self.setup.profile_of(host).client.filter_only_up_instances;
        let mut seen: Vec<InstanceInfo> = Vec::new();
        if let Some(client) = &self.hosts[host.index()].client {
            for app in &self.views.get(client.view()).apps {
                let visible = |info: &&std::sync::Arc<InstanceInfo>| {
                    !only_up || info.status == InstanceStatus::Up
                };
                let first = seen.len();
                seen.extend(app.instances.iter().filter(visible).map(|info| (**info).clone()));
                if !self.setup.races.no_shuffle {
                    let (host, app) = (host.index() as u64, app.app.index() as u64);
                    let mut rng = self.streams.decision(Stream::SyncOrder, host, app);
                    seen[first..].shuffle(&mut rng);
                }
            }
        }
        let setup = self.setup;
        let at = At { now: self.now_at(host), names: &setup.names };
        let Some(core) = &mut self.servers[host.index()].core else {
            return 0;
        };
        let objects = core.registry.objects_mut();
        let view: Vec<InfoRef> = seen.iter().map(|info| objects.add_info(info.clone())).collect();
        let count = core.registry.sync_up_once(at, &view);
        for info in view {
            core.registry.objects_mut().release_info(info);
        }
        self.operation(host, &OperationKind::SyncUp(&seen, count));
        self.after_operation(host);
        count
    }

    /// `openForTraffic`; Spring's registry replaces a count of 0.
    pub(super) fn open(&mut self, host: HostId, sync_count: i32) {
        let setup = self.setup;
        let server = &setup.servers[host.index()];
        let spring = server.flavor == Flavor::SpringCloud;
        let count = if spring && sync_count == 0 {
            server.config.default_open_for_traffic_count
        } else {
            sync_count
        };
        let at = At { now: self.now_at(host), names: &setup.names };
        let process = &mut self.servers[host.index()];
        process.open_at = None;
        process.opened = true;
        let Some(core) = &mut process.core else {
            return;
        };
        core.registry.open_for_traffic(at, count);
        self.operation(host, &OperationKind::Open(count));
        self.emit(&Fact::OpenForTraffic { server: host, sync_count, count });
        self.emit_gauge_changes(host);
        self.after_operation(host);
        self.expect_end_of_wait(host);
        if !self.hosts[host.index()].listening {
            self.listen(host);
        }
        let up = InstanceStatus::Up;
        self.drive(host, self.now, |client, cx| client.set_instance_status(cx, up));
    }

    /// Spring's context closes: its web server first, then the timers and dispatchers of Eureka's
    /// server (`EurekaServerContext.shutdown()`), and what these had to send is lost. The embedded
    /// client says goodbye after that.
    pub(super) fn close_server(&mut self, host: HostId) {
        self.hosts[host.index()].listening = false;
        let process = &mut self.servers[host.index()];
        let closed = std::mem::take(process);
        // Batches under way go on as they began.
        (process.connect_timeout, process.read_timeout) = closed.peer_timeouts();
        process.client_due = closed.client_due;
        if closed.core.is_some() {
            self.emit(&Fact::Closed(host));
        }
    }
}
