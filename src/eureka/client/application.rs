//! The application around the client: it sets its status, attaches its health check, changes what it
//! is configured to, and goes away.

use std::sync::Arc;

use super::health::HealthAnswer;
use super::profile::Application;
use super::rare::Sleeper;
use super::timer::Timer;
use super::{ClientProcess, Cx, Effect, Listener, Phase};
use crate::eureka::{InstanceInfo, InstanceStatus, LeaseInfo, Metadata};
use crate::time::Span;

/// A change of what the instance is configured to say of itself, which the replicator's next run sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceChange {
    /// `lease-renewal-interval-in-seconds`. Heartbeats keep the interval they began with.
    RenewalInterval(i32),
    /// `lease-expiration-duration-in-seconds`
    Duration(i32),
    /// `hostname`
    HostName(Arc<str>),
}

/// What few instances have.
#[derive(Clone, Debug, Default)]
pub(super) struct InstanceExtras {
    /// Metadata the application set; none if it never did.
    metadata: Option<Metadata>,
    /// The lease as configured since, and as the instance says it.
    configured_lease: Option<LeaseInfo>,
    lease: Option<LeaseInfo>,
    /// Likewise the host name.
    configured_host: Option<Arc<str>>,
    host: Option<Arc<str>>,
    /// The other client on the same `ApplicationInfoManager`.
    pub(super) second: Option<Box<super::DiscoveryClient>>,
}

impl ClientProcess {
    /// What does not wait for the client: a Netflix application calls itself UP so long after the
    /// process started, and Spring with `async-client-initialization` sets its status at once, so that
    /// nobody hears of it.
    pub(super) fn begin_before_the_client(&mut self, cx: &mut Cx<'_>) {
        match cx.profile.application {
            Application::WarmsUp => {
                let due = cx.now.mono.saturating_add(cx.profile.warm_up.nanos());
                self.client.sleep(due, Sleeper::Application);
            }
            Application::Spring if cx.profile.instance.async_client_initialization => {
                self.set_status(cx, cx.profile.instance.initial_status);
            }
            Application::Spring | Application::Scripted => {}
        }
    }

    /// The application's second client comes and goes at its times.
    pub(super) fn await_second(&mut self, cx: &Cx<'_>) {
        if let Some(second) = &cx.profile.second {
            let due = |after: Span| cx.now.mono.saturating_add(after.nanos());
            self.client.sleep(due(second.start), Sleeper::SecondClient);
            if let Some(stop) = second.stop {
                self.client.sleep(due(stop), Sleeper::SecondShutdown);
            }
        }
    }

    /// The second client is made, if the application still runs.
    pub(super) fn begin_second(&mut self, cx: &mut Cx<'_>) {
        if let (Some(second), true) = (&cx.profile.second, self.is_staying()) {
            self.construct_second(cx, second.endpoints.clone());
        }
    }

    /// The client was made: what the application does with it. Spring attaches a health check, sets
    /// the initial status, and attaches the check again.
    pub(super) fn begin_to_work(&mut self, cx: &mut Cx<'_>) {
        let check = cx.profile.health_check;
        let spring = cx.profile.application == Application::Spring;
        // Spring Cloud of those years attached it once, after setting the status.
        if check && !(spring && cx.profile.may_lose_the_handler()) {
            self.register_health_check(cx);
        }
        match cx.profile.application {
            Application::Spring => {
                self.set_status(cx, cx.profile.instance.initial_status);
                if check {
                    let gap = cx.draws.hand_off();
                    if gap.is_zero() {
                        self.register_health_check(cx);
                    } else {
                        self.client.sleep(cx.now.mono + gap.nanos(), Sleeper::AttachHealthCheck);
                    }
                }
            }
            Application::WarmsUp => {
                if !self.client.sleeps(Sleeper::Application) {
                    self.set_status(cx, cx.profile.instance.initial_status);
                }
            }
            Application::Scripted => {}
        }
    }

    /// `ApplicationInfoManager.setInstanceStatus`, called by the application.
    pub fn set_instance_status(&mut self, cx: &mut Cx<'_>, status: InstanceStatus) {
        self.set_status(cx, status);
    }

    /// The application changes its metadata; the change is sent with the next run of the replicator.
    pub fn set_metadata(&mut self, cx: &mut Cx<'_>, metadata: Metadata) {
        self.extras().metadata = Some(metadata);
        self.set_dirty(cx);
    }

    /// The application's metadata, if it changed them.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.extras.as_ref()?.metadata.as_ref()
    }

    /// The host name, if it was configured anew and the replicator has seen it.
    #[must_use]
    pub fn host_name(&self) -> Option<&str> {
        self.extras.as_ref()?.host.as_deref()
    }

    /// The instance is configured anew.
    pub fn configure_instance(&mut self, cx: &Cx<'_>, change: InstanceChange) {
        let extras = self.extras();
        let lease = extras.configured_lease.unwrap_or_else(|| cx.profile.lease_info());
        let (renewal, duration) = (lease.renewal_interval_in_secs.get(), lease.duration_in_secs);
        match change {
            InstanceChange::RenewalInterval(secs) => {
                extras.configured_lease = Some(LeaseInfo::new(secs, duration));
            }
            InstanceChange::Duration(secs) => {
                extras.configured_lease = Some(LeaseInfo::new(renewal, secs));
            }
            InstanceChange::HostName(host) => extras.configured_host = Some(host),
        }
    }

    /// `refreshDataCenterInfoIfRequired()` and `refreshLeaseInfoIfRequired()`
    pub(super) fn refresh_configuration(&mut self, cx: &Cx<'_>) {
        let Some(extras) = &mut self.extras else {
            return;
        };
        let mut changed = false;
        if extras.configured_host != extras.host {
            extras.host.clone_from(&extras.configured_host);
            changed = true;
        }
        let configured = extras.configured_lease.unwrap_or_else(|| cx.profile.lease_info());
        if configured != extras.lease.unwrap_or_else(|| cx.profile.lease_info()) {
            extras.lease = Some(configured);
            changed = true;
        }
        if changed {
            self.set_dirty(cx);
        }
    }

    /// The `InstanceInfo` as it is now.
    pub(super) fn instance_info(&self, cx: &Cx<'_>) -> InstanceInfo {
        let lease = self.extras.as_ref().and_then(|extras| extras.lease);
        InstanceInfo {
            key: self.key,
            status: self.status,
            overridden_status: InstanceStatus::Unknown,
            action_type: None,
            last_dirty_timestamp: self.last_dirty,
            last_updated_timestamp: self.last_dirty,
            lease_info: Some(lease.unwrap_or_else(|| cx.profile.lease_info())),
            vip_address: cx.profile.vip_address,
            secure_vip_address: cx.profile.secure_vip_address,
            metadata: Arc::clone(self.metadata().unwrap_or(&cx.profile.metadata)),
        }
    }

    /// `setStatus`, and the listeners that hear of it: the application's, and the replicator's of the
    /// client that attached its own last.
    pub(super) fn set_status(&mut self, cx: &mut Cx<'_>, status: InstanceStatus) {
        let before = self.status;
        if before == status {
            return;
        }
        self.status = status;
        let dirty = self.set_dirty(cx);
        cx.out.push(Effect::LocalStatus { from: Some(before), status, dirty });
        if let Listener::Of(which) = self.listener {
            self.as_client(which, |process| process.on_demand_update(cx));
        }
    }

    /// `InstanceInfo.setIsDirtyWithTime()`: the timestamp that says so.
    pub(super) const fn set_dirty(&mut self, cx: &Cx<'_>) -> i64 {
        self.dirty = true;
        self.last_dirty = cx.now.wall;
        self.last_dirty
    }

    /// `InstanceInfo.unsetIsDirty(long)`: what was sent is clean, unless it changed in a *later*
    /// millisecond.
    pub(super) const fn unset_dirty(&mut self, sent: i64) {
        if self.last_dirty <= sent {
            self.dirty = false;
        }
    }

    /// The process is asked to end. Spring's says DOWN first and lets work in progress drain;
    /// Netflix's goes straight to `shutdown()`. False if it is ending already.
    pub fn stop(&mut self, cx: &mut Cx<'_>, drain: Span) -> bool {
        match self.client.phase {
            Phase::Running => {}
            Phase::Constructing => {
                // The constructor is interrupted; there is nothing to take back.
                self.client.phase = Phase::Exited;
                self.client.timers.clear(Timer::Resolver);
                cx.out.push(Effect::Exited);
                return true;
            }
            Phase::Draining | Phase::StoppingReplicator | Phase::Unregistering | Phase::Exited => {
                return false;
            }
        }
        if cx.profile.rest.is_some() {
            self.client.phase = Phase::Exited;
            cx.out.push(Effect::Exited);
            return true;
        }
        self.client.forget_sleeper(Sleeper::Application);
        let spring = cx.profile.application == Application::Spring;
        if spring {
            self.set_status(cx, InstanceStatus::Down);
        }
        if spring && !drain.is_zero() {
            self.client.phase = Phase::Draining;
            self.client.sleep(cx.now.mono + drain.nanos(), Sleeper::Application);
        } else {
            self.shut_down(cx);
        }
        true
    }

    /// The application goes on: warm, drained, or `stop()` has waited long enough.
    pub(super) fn application_wakes(&mut self, cx: &mut Cx<'_>) {
        match self.client.phase {
            Phase::Running => self.set_status(cx, cx.profile.instance.initial_status),
            Phase::Draining => {
                if cx.profile.stopped_checks_say_nothing() {
                    self.client.health.answer = HealthAnswer::Null;
                }
                self.shut_down(cx);
            }
            Phase::StoppingReplicator => self.replicator_stopped(cx),
            // Warm before the constructor has returned: `begin_to_work` sees to it.
            Phase::Constructing | Phase::Unregistering | Phase::Exited => {}
        }
    }
}
