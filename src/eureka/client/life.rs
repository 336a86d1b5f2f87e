//! The life of a client process: construction, status changes, shutdown.

use super::job::{JobId, Step, Worker};
use super::replicator::Replicator;
use super::supervisor::Supervisor;
use super::timer::{TimerOrder, TimerSlot};
use super::transport::Stack;
use super::view::ViewId;
use super::{Cx, DiscoveryClient, Effect, Phase};
use crate::eureka::{Flavor, InstanceKey, InstanceStatus, Metadata};
use crate::time::Span;

/// How long `stop()` waits for the replicator.
const STOP_TIMEOUT: Span = Span::from_secs(3);

impl DiscoveryClient {
    /// A process starts: its `InstanceInfo` is made, STARTING unless it is enabled from the start,
    /// and the constructor begins with a full fetch if there is one to make.
    pub fn start(cx: &mut Cx<'_>, key: InstanceKey) -> Self {
        let enabled = cx.profile.instance.instance_enabled_onit;
        let status = if enabled { InstanceStatus::Up } else { InstanceStatus::Starting };
        let mut client = Self {
            key,
            phase: Phase::Constructing,
            status,
            dirty: false,
            last_dirty: cx.now.wall,
            metadata: None,
            listening_to_status: false,
            heartbeat: Supervisor::new(),
            refresh: Supervisor::new(),
            replicator: Replicator::new(),
            registration: Stack::default(),
            query: Stack::default(),
            servers: Vec::new(),
            resolver: TimerSlot::NONE,
            application: TimerSlot::NONE,
            order: TimerOrder::default(),
            next: u64::MAX,
            view: ViewId::EMPTY,
            generation: 0,
            born: cx.now.mono,
        };
        cx.views.hold(ViewId::EMPTY);
        cx.out.push(Effect::LocalStatus { status, dirty: client.last_dirty });
        client.shuffle_servers(cx);
        if cx.profile.client.fetch_registry {
            client.call(cx, Worker::Application, Step::FetchFull(0));
        } else {
            client.constructed(cx);
        }
        client.wake(cx);
        client
    }

    /// The rest of the constructor (`initScheduledTasks`), and what the application does after it.
    pub(super) fn constructed(&mut self, cx: &mut Cx<'_>) {
        if cx.profile.client.fetch_registry {
            self.schedule_fetches(cx);
        }
        if cx.profile.client.register_with_eureka {
            self.schedule_heartbeats(cx);
            self.listening_to_status = cx.profile.client.on_demand_update_status_change;
            self.start_replicator(cx);
        }
        self.phase = Phase::Running;
        cx.out.push(Effect::Constructed);
        match cx.profile.flavor {
            Flavor::SpringCloud => self.set_status(cx, cx.profile.instance.initial_status),
            Flavor::Netflix => {
                let warm = self.born.saturating_add(cx.profile.warm_up.nanos());
                self.application = self.order.set(warm.max(cx.now.mono));
            }
        }
    }

    /// `ApplicationInfoManager.setInstanceStatus`, called by the application.
    pub fn set_instance_status(&mut self, cx: &mut Cx<'_>, status: InstanceStatus) {
        self.set_status(cx, status);
        self.wake(cx);
    }

    /// The application changes its metadata; the change is sent with the next run of the replicator.
    pub fn set_metadata(&mut self, cx: &mut Cx<'_>, metadata: Metadata) {
        self.metadata = Some(metadata);
        self.set_dirty(cx);
    }

    /// The application's metadata, if it changed them.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }

    fn set_status(&mut self, cx: &mut Cx<'_>, status: InstanceStatus) {
        if self.status == status {
            return;
        }
        self.status = status;
        let dirty = self.set_dirty(cx);
        cx.out.push(Effect::LocalStatus { status, dirty });
        if self.listening_to_status {
            self.on_demand_update(cx);
        }
    }

    /// The process is asked to end. Spring's says DOWN first and lets work in progress drain;
    /// Netflix's goes straight to `shutdown()`. False if it is ending already.
    pub fn stop(&mut self, cx: &mut Cx<'_>, drain: Span) -> bool {
        match self.phase {
            Phase::Running => {}
            Phase::Constructing => {
                // The constructor is interrupted; there is nothing to take back.
                self.exit(cx);
                self.wake(cx);
                return true;
            }
            Phase::Draining | Phase::StoppingReplicator | Phase::Unregistering | Phase::Exited => {
                return false;
            }
        }
        self.application = TimerSlot::NONE;
        let spring = cx.profile.flavor == Flavor::SpringCloud;
        if spring {
            self.set_status(cx, InstanceStatus::Down);
        }
        if spring && !drain.is_zero() {
            self.phase = Phase::Draining;
            self.application = self.order.set(cx.now.mono + drain.nanos());
        } else {
            self.shutdown(cx);
        }
        self.wake(cx);
        true
    }

    /// The application's timer: warm, drained, or `stop()` has waited long enough.
    pub(super) fn application_timer(&mut self, cx: &mut Cx<'_>) {
        self.application = TimerSlot::NONE;
        match self.phase {
            Phase::Running => self.set_status(cx, cx.profile.instance.initial_status),
            Phase::Draining => self.shutdown(cx),
            Phase::StoppingReplicator => self.replicator_stopped(cx),
            Phase::Constructing | Phase::Unregistering | Phase::Exited => {}
        }
    }

    /// `DiscoveryClient.shutdown()`: first the replicator is stopped. Heartbeats go on meanwhile.
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.listening_to_status = false;
        self.phase = Phase::StoppingReplicator;
        if cx.profile.client.register_with_eureka {
            self.stop_replicator();
            self.application = self.order.set(cx.now.mono + STOP_TIMEOUT.nanos());
            self.replicator_may_have_terminated(cx);
        } else {
            self.replicator_stopped(cx);
        }
    }

    /// A run of the replicator ended after `stop()`: its pool may have ended before the three seconds
    /// are over, or end as soon as a cancelled run leaves its queue.
    pub(super) fn replicator_may_have_terminated(&mut self, cx: &mut Cx<'_>) {
        if self.phase != Phase::StoppingReplicator {
            return;
        }
        match self.replicator_terminates() {
            Some(at) if at <= cx.now.mono => self.replicator_stopped(cx),
            Some(at) if at < self.application.due => self.application = self.order.set(at),
            _ => {}
        }
    }

    /// The rest of `shutdown()`: everything is interrupted, then the instance is cancelled.
    fn replicator_stopped(&mut self, cx: &mut Cx<'_>) {
        self.application = TimerSlot::NONE;
        self.kill_replicator(cx);
        self.cancel_supervisors(cx);
        let config = &cx.profile.client;
        if config.register_with_eureka && config.should_unregister_on_shutdown {
            self.set_status(cx, InstanceStatus::Down);
            self.phase = Phase::Unregistering;
            self.call(cx, Worker::Application, Step::Unregister);
        } else {
            self.exit(cx);
        }
    }

    /// The cancel was answered, with whatever status, or given up.
    pub(super) fn unregistered(&mut self, cx: &mut Cx<'_>, id: JobId) {
        cx.jobs.remove(id);
        self.exit(cx);
    }

    fn exit(&mut self, cx: &mut Cx<'_>) {
        self.phase = Phase::Exited;
        self.cancel_supervisors(cx);
        self.kill_replicator(cx);
        self.resolver = TimerSlot::NONE;
        self.application = TimerSlot::NONE;
        cx.out.push(Effect::Exited);
    }

    /// The process is gone: gives back what it shared. Its calls under way are the caller's to drop.
    pub fn bury(self, views: &mut super::Views) {
        views.release(self.view);
    }
}
