//! What is known of an instance's process: what it means to be, what it has said, and what went wrong.

use crate::eureka::InstanceStatus;
use crate::eureka::client::{ClientEvent, ClientProcess, HealthAnswer, Supervised};
use crate::sim::{HostId, RequestLine, WorldView};
use crate::time::Instant;

/// The process that an instance is, or was last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) host: Option<HostId>,
    /// It runs, and is one that registers.
    pub(super) is_alive: bool,
    /// The cluster in which it wants to be registered, if it does.
    pub(super) wanted: Option<usize>,
    /// What its application means it to be. STARTING, if it has never said anything else, is nothing to stay: it
    /// stands for UP.
    pub(super) meant: InstanceStatus,
    /// What an operator has put over that.
    pub(super) operator: Option<InstanceStatus>,
    /// What its application was told to set, and what its health check was told to answer.
    pub(super) set: Option<InstanceStatus>,
    pub(super) health: Option<HealthAnswer>,
    /// When its application calls itself ready.
    pub(super) ready: Instant,
    /// What it calls itself, and what it did before that; with dirty timestamps.
    pub(super) own: Option<(InstanceStatus, i64)>,
    pub(super) before: Option<(InstanceStatus, i64)>,
    /// The last registration that a server accepted from it.
    pub(super) sent: Option<(InstanceStatus, i64)>,
    /// When what it means changed last; NEVER here and below: not yet.
    pub(super) changed: Instant,
    pub(super) goodbye: Instant,
    /// Its lease was taken off a registry, by itself.
    pub(super) cancelled: Instant,
    /// A change of status found no token.
    pub(super) limited: Instant,
    /// A heartbeat did not end within its period.
    pub(super) timed_out: Instant,
    /// A heartbeat or a registration failed at every server it asked.
    pub(super) failed: Instant,
    /// A registration was answered with an error.
    pub(super) refused: Instant,
    /// A heartbeat was answered 404.
    pub(super) not_found: Instant,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            host: None,
            is_alive: false,
            wanted: None,
            meant: InstanceStatus::Up,
            operator: None,
            set: None,
            health: None,
            ready: Instant::ZERO,
            own: None,
            before: None,
            sent: None,
            changed: Instant::NEVER,
            goodbye: Instant::NEVER,
            cancelled: Instant::NEVER,
            limited: Instant::NEVER,
            timed_out: Instant::NEVER,
            failed: Instant::NEVER,
            refused: Instant::NEVER,
            not_found: Instant::NEVER,
        }
    }
}

impl Life {
    /// A process starts. What an operator has put over its predecessor was about that one.
    pub(super) fn begin(&mut self, host: HostId, at: Instant, world: &WorldView<'_>) {
        let warm_up = world.setup().profile_of(host).warm_up;
        *self = Self { host: Some(host), ready: at + warm_up, ..Self::default() };
        self.mean(at, world);
    }

    /// Works out what the application means.
    pub(super) fn mean(&mut self, at: Instant, world: &WorldView<'_>) {
        let Some(host) = self.host else {
            return;
        };
        let profile = world.setup().profile_of(host);
        let set = self.set.unwrap_or(profile.instance.initial_status);
        let answer = self.health.unwrap_or(profile.health.0);
        let meant = match answer {
            _ if !profile.health_check => set,
            HealthAnswer::Status(InstanceStatus::OutOfService) if profile.never_out_of_service => {
                InstanceStatus::Down
            }
            HealthAnswer::Status(status) => status,
            HealthAnswer::Echo | HealthAnswer::Null => set,
            HealthAnswer::Throw => InstanceStatus::Down,
        };
        let is_silent = meant == InstanceStatus::Starting && self.set.is_none();
        let meant = if is_silent { InstanceStatus::Up } else { meant };
        if self.meant != meant {
            self.changed = at;
        }
        self.meant = meant;
    }

    /// The application sets its status. What it sets before it is ready, it sets anew then.
    pub(super) fn set_status(
        &mut self,
        status: InstanceStatus,
        at: Instant,
        world: &WorldView<'_>,
    ) {
        let client = self.host.and_then(|host| world.client(host));
        let is_ready = at >= self.ready && !client.is_some_and(ClientProcess::is_constructing);
        if is_ready {
            self.set = Some(status);
            self.mean(at, world);
        }
    }

    /// Its own status is this from now on.
    pub(super) fn said(&mut self, status: InstanceStatus, dirty: i64) {
        self.before = self.own.replace((status, dirty));
    }

    /// A request of it was answered by a server that fails.
    pub(super) const fn turned_away(&mut self, request: RequestLine, at: Instant) {
        if matches!(request, RequestLine::Register(_)) {
            self.refused = at;
        }
    }

    /// Something happened inside its client.
    pub(super) const fn tells(&mut self, event: ClientEvent, at: Instant) {
        match event {
            ClientEvent::OnDemandRateLimited => self.limited = at,
            ClientEvent::SupervisorTimeout(Supervised::Heartbeat) => self.timed_out = at,
            ClientEvent::HeartbeatFailed(_) | ClientEvent::RegisterFailed(_) => self.failed = at,
            _ => {}
        }
    }
}
