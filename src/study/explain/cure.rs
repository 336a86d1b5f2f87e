//! What might cure an instance, as somebody on call would try it.

use std::sync::Arc;

use crate::eureka::client::{HealthAnswer, HealthDuration};
use crate::eureka::config::ConfigValue;
use crate::eureka::server::resources::{DirtyParameter, StatusParameter};
use crate::eureka::{InstanceKey, InstanceStatus};
use crate::observe::{Detector, Story};
use crate::sim::{Action, HostId, OutsideRequest, Pick, Selection, WorldView};
use crate::time::{Instant, Span};

/// A cure that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// What was done.
    pub cure: Cure,
    /// From when on nothing was wrong any more, to the end of the run; none: it does not work.
    pub at: Option<Instant>,
}

/// Something to do about an instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Cure {
    /// Nothing.
    Wait,
    /// Its metadata changes, in its own process.
    Change(HostId),
    /// Its application says DOWN, and a second later this.
    DownThenUp(HostId, InstanceStatus),
    /// Its health check answers DOWN for a minute, and then as it did.
    SickThenWell(HostId, HealthAnswer, HealthDuration),
    /// `DELETE apps/{app}/{id}` at these servers; its next heartbeat is answered 404.
    ReRegister(Vec<HostId>, InstanceKey),
    /// The same where no process is left.
    DeleteLease(Vec<HostId>, InstanceKey),
    /// `DELETE apps/{app}/{id}/status` at this server, with this value.
    DeleteOverride(HostId, InstanceKey, InstanceStatus),
    /// `PUT apps/{app}/{id}/status?value=UP` at this server.
    OverrideUp(HostId, InstanceKey),
    /// Its process ends gracefully, and starts again ten seconds later.
    Restart(HostId),
    /// Its process, which is gone, starts.
    Start(HostId),
    /// These servers, which are gone, start.
    StartServers(Vec<HostId>),
    /// `eureka.server.enable-self-preservation=false` at these servers.
    NoSelfPreservation(Vec<HostId>),
}

impl Cure {
    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Change(_) => "change",
            Self::DownThenUp(..) | Self::SickThenWell(..) => "down-then-up",
            Self::ReRegister(..) => "re-register",
            Self::DeleteLease(..) => "delete-lease",
            Self::DeleteOverride(..) => "delete-override",
            Self::OverrideUp(..) => "override-up",
            Self::Restart(_) => "restart",
            Self::Start(_) => "start",
            Self::StartServers(_) => "start-servers",
            Self::NoSelfPreservation(_) => "no-self-preservation",
        }
    }

    /// What the script has to do for it, and how long after the instant.
    #[must_use]
    pub fn entries(&self) -> Vec<(Span, Action)> {
        let now = |action| vec![(Span::ZERO, action)];
        let cancel = |servers: &[HostId], key: InstanceKey| {
            let delete =
                |server: &HostId| Action::Outside(*server, vec![OutsideRequest::Cancel(key)]);
            servers.iter().map(|server| (Span::ZERO, delete(server))).collect()
        };
        match self {
            Self::Wait => Vec::new(),
            Self::Change(host) => {
                let (key, value) = (Arc::from("explained"), Arc::from("true"));
                now(Action::SetMetadata(only(*host), key, value))
            }
            Self::DownThenUp(host, status) => vec![
                (Span::ZERO, Action::SetStatus(only(*host), InstanceStatus::Down)),
                (Span::from_secs(1), Action::SetStatus(only(*host), *status)),
            ],
            Self::SickThenWell(host, answer, duration) => {
                let down = HealthAnswer::Status(InstanceStatus::Down);
                let at_once = HealthDuration::default();
                vec![
                    (Span::ZERO, Action::SetHealth(only(*host), down, at_once)),
                    (Span::from_secs(60), Action::SetHealth(only(*host), *answer, *duration)),
                ]
            }
            Self::ReRegister(servers, key) | Self::DeleteLease(servers, key) => {
                cancel(servers, *key)
            }
            Self::DeleteOverride(server, key, status) => {
                let value = StatusParameter::Value(*status);
                let delete = OutsideRequest::DeleteStatus(*key, value, DirtyParameter::Absent);
                now(Action::Outside(*server, vec![delete]))
            }
            Self::OverrideUp(server, key) => {
                let value = StatusParameter::Value(InstanceStatus::Up);
                let put = OutsideRequest::StatusUpdate(*key, value, DirtyParameter::Absent);
                now(Action::Outside(*server, vec![put]))
            }
            Self::Restart(host) => now(Action::Restart {
                select: only(*host),
                down: Span::from_secs(10),
                graceful: true,
                upgrade: None,
            }),
            Self::Start(host) => now(Action::Start(only(*host))),
            Self::StartServers(servers) => now(Action::Start(all(servers))),
            Self::NoSelfPreservation(servers) => now(Action::SetConfig(
                all(servers),
                "enable-self-preservation".to_owned(),
                ConfigValue::Flag(false),
            )),
        }
    }
}

fn only(host: HostId) -> Selection {
    all(&[host])
}

fn all(hosts: &[HostId]) -> Selection {
    Selection { hosts: hosts.to_vec(), take: None, pick: Pick::First }
}

/// What might help an instance with which something is wrong.
pub(super) fn proposed(
    story: &Story,
    detector: &Detector,
    key: InstanceKey,
    world: &WorldView<'_>,
) -> Vec<Cure> {
    let has_it = |server: &HostId| {
        world.registry(*server).is_some_and(|registry| registry.status_of(key).is_some())
    };
    let known_at: Vec<HostId> = world.server_hosts().filter(has_it).collect();
    let alive = story.host().filter(|host| world.is_alive(*host) && world.key(*host) == key);
    let mut cures = vec![Cure::Wait];
    let Some(host) = alive else {
        if !known_at.is_empty() {
            cures.push(Cure::DeleteLease(known_at, key));
        }
        if let Some(host) = story.host().filter(|host| story.may_start() && !world.is_alive(*host))
        {
            cures.push(Cure::Start(host));
        }
        let protected = |server: &HostId| {
            let registry = world.registry(*server);
            registry.is_some_and(|registry| registry.config().enable_self_preservation)
        };
        let protected: Vec<HostId> = world.server_hosts().filter(protected).collect();
        if !protected.is_empty() {
            cures.push(Cure::NoSelfPreservation(protected));
        }
        return cures;
    };
    let meant = detector.meant(key).unwrap_or(InstanceStatus::Up);
    let profile = world.setup().profile_of(host);
    cures.push(Cure::Change(host));
    cures.push(if profile.health_check {
        let (answer, duration) = story.health().unwrap_or(profile.health);
        Cure::SickThenWell(host, answer, duration)
    } else {
        Cure::DownThenUp(host, meant)
    });
    if !known_at.is_empty() {
        cures.push(Cure::ReRegister(known_at.clone(), key));
    }
    let id = world.names().id_of(key);
    let overridden = |server: &HostId| {
        let mono = world.clocks(*server).mono;
        let registry = world.registry(*server);
        registry.is_some_and(|registry| registry.overrides().peek(id, mono).is_some())
    };
    let holder = known_at.iter().copied().find(overridden);
    let holder = holder.or_else(|| known_at.first().copied().filter(|_| story.was_commanded()));
    if let Some(server) = holder {
        cures.push(Cure::DeleteOverride(server, key, meant));
    }
    if let Some(server) = known_at.first().filter(|_| meant == InstanceStatus::Up) {
        cures.push(Cure::OverrideUp(*server, key));
    }
    cures.push(Cure::Restart(host));
    let gone: Vec<HostId> =
        world.server_hosts().filter(|server| !world.is_alive(*server)).collect();
    if !gone.is_empty() {
        cures.push(Cure::StartServers(gone));
    }
    cures
}
