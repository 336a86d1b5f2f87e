//! The health check that an application may attach, and `DiscoveryClient.refreshInstanceInfo()`, which
//! asks it at each run of the replicator.

use super::event::ClientEvent;
use super::rare::Sleeper;
use super::replicator::Busy;
use super::{ClientProcess, Cx, Effect};
use crate::eureka::{InstanceStatus, Release};
use crate::time::Span;

/// What is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HealthCheck {
    /// Nothing: the default handler echoes the current status.
    #[default]
    None,
    /// A `HealthCheckHandler`: asked whatever the status is.
    Handler,
    /// A `HealthCheckCallback`: not asked while STARTING or `OUT_OF_SERVICE`.
    Callback,
}

/// What the application's check answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthAnswer {
    /// This; a callback says UP or not.
    Status(InstanceStatus),
    /// The status it was asked with.
    Echo,
    /// `null`: no change.
    Null,
    /// An exception.
    Throw,
}

/// The health check of one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Health {
    pub(super) attached: HealthCheck,
    pub(super) answer: HealthAnswer,
}

impl Health {
    pub(super) const fn new() -> Self {
        Self { attached: HealthCheck::None, answer: HealthAnswer::Status(InstanceStatus::Up) }
    }
}

/// How long a check takes, and whether it notices an interrupt meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthDuration {
    /// So long.
    pub takes: Span,
    /// An interrupt ends it with an exception; else it goes on as if nothing had happened.
    pub interruptible: bool,
}

/// A check under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evaluation {
    before: InstanceStatus,
    answer: HealthAnswer,
    /// A callback is asked, whatever is attached when it has answered.
    callback: bool,
    interruptible: bool,
    /// `shutdownNow()` set the thread's flag.
    pub(super) interrupted: bool,
}

/// Before eureka-client 2.0.5 the result of a check is written whatever has happened meanwhile
/// (Netflix/eureka#1569).
const COMPARES_BEFORE_IT_WRITES: Release = Release::new(2, 0, 5);

impl ClientProcess {
    /// What the check answers from now on, and how long it takes.
    pub fn set_health(&mut self, answer: HealthAnswer, duration: HealthDuration) {
        self.client.health.answer = answer;
        if duration != HealthDuration::default() || self.client.rare.is_some() {
            self.client.rare().health = duration;
        }
    }

    /// `registerHealthCheck(handler)` asks for an update on demand, even if nothing changes.
    pub fn register_health_check(&mut self, cx: &mut Cx<'_>) {
        self.client.health.attached = HealthCheck::Handler;
        if self.client.replicator.is_made {
            self.on_demand_update(cx);
        }
    }

    /// `registerHealthCheckCallback(callback)`, which asks for nothing.
    pub const fn register_health_check_callback(&mut self) {
        self.client.health.attached = HealthCheck::Callback;
    }

    /// `refreshInstanceInfo()`: address and lease as configured now, then the health check. The run
    /// goes on in [`ClientProcess::replicate`], at once or when the check has answered.
    pub(super) fn refresh_instance_info(&mut self, cx: &mut Cx<'_>) {
        self.refresh_configuration(cx);
        let Health { attached, answer } = self.client.health;
        let before = self.status;
        let asks = match attached {
            HealthCheck::None => false,
            HealthCheck::Handler => true,
            HealthCheck::Callback => {
                !matches!(before, InstanceStatus::Starting | InstanceStatus::OutOfService)
            }
        };
        if !asks {
            self.replicate(cx, false);
            return;
        }
        let duration = self.client.rare.as_ref().map_or_else(Default::default, |rare| rare.health);
        if attached == HealthCheck::Handler {
            cx.tell(ClientEvent::HealthEvaluate(before, answer));
        }
        let interruptible = duration.interruptible;
        let callback = attached == HealthCheck::Callback;
        let check = Evaluation { before, answer, callback, interruptible, interrupted: false };
        if duration.takes.is_zero() {
            self.evaluated(cx, check);
        } else {
            self.client.replicator.busy = Busy::Evaluating;
            self.client.rare().evaluation = Some(check);
            self.client.sleep(cx.now.mono + duration.takes.nanos(), Sleeper::HealthCheck);
        }
    }

    /// A check that took its time has ended.
    pub(super) fn check_ended(&mut self, cx: &mut Cx<'_>) {
        let Some(check) = self.client.rare().evaluation.take() else {
            return;
        };
        if check.interrupted && check.interruptible {
            cx.tell(ClientEvent::HealthInterrupted);
            // What was thrown has cleared the thread's flag.
            let thrown = Evaluation { answer: HealthAnswer::Throw, interrupted: false, ..check };
            self.evaluated(cx, thrown);
        } else {
            cx.tell(ClientEvent::HealthEvaluated);
            self.evaluated(cx, check);
        }
    }

    fn evaluated(&mut self, cx: &mut Cx<'_>, check: Evaluation) {
        let answer = match check.answer {
            HealthAnswer::Throw => {
                cx.tell(ClientEvent::HealthException);
                Some(InstanceStatus::Down)
            }
            HealthAnswer::Status(status) if check.callback => {
                let up = status == InstanceStatus::Up;
                let status = if up { InstanceStatus::Up } else { InstanceStatus::Down };
                cx.tell(ClientEvent::Callback(status));
                Some(status)
            }
            HealthAnswer::Status(status) => Some(status),
            HealthAnswer::Echo => Some(check.before),
            HealthAnswer::Null => None,
        };
        if let Some(status) = answer {
            let compares = cx.profile.release >= COMPARES_BEFORE_IT_WRITES;
            if !compares || self.status == check.before {
                self.set_status(cx, status);
            }
        }
        self.replicate(cx, check.interrupted);
    }

    /// The check under way is interrupted: one that notices ends at once.
    pub(super) fn interrupt_check(&mut self, cx: &Cx<'_>) {
        let Some(check) = self.client.rare.as_mut().and_then(|rare| rare.evaluation.as_mut())
        else {
            return;
        };
        check.interrupted = true;
        if check.interruptible {
            self.client.wake_sleeper(Sleeper::HealthCheck, cx.now.mono);
        }
    }
}

impl Cx<'_> {
    /// Tells what happened.
    pub(super) fn tell(&mut self, event: ClientEvent) {
        self.out.push(Effect::Event(event));
    }

    /// Tells what happens all the time, if somebody wants to know it.
    pub(super) fn tell_routine(&mut self, event: ClientEvent) {
        if self.tell_routine {
            self.tell(event);
        }
    }
}
