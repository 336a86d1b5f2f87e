//! The health check that an application may attach, and `DiscoveryClient.refreshInstanceInfo()`, which
//! asks it at each run of the replicator.

use super::event::ClientEvent;
use super::rare::Sleeper;
use super::replicator::Busy;
use super::{ClientProcess, Cx, Effect};
use crate::eureka::InstanceStatus;
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

impl HealthAnswer {
    /// The word for it: a status, `echo`, `null` or `throw`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status(status) => status.name(),
            Self::Echo => "echo",
            Self::Null => "null",
            Self::Throw => "throw",
        }
    }

    /// The answer that this word stands for.
    #[must_use]
    pub fn value_of(name: &str) -> Option<Self> {
        let others = [Self::Echo, Self::Null, Self::Throw];
        let other = others.into_iter().find(|answer| answer.name() == name);
        other.or_else(|| InstanceStatus::value_of(name).map(Self::Status))
    }
}

/// The health check of one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Health {
    attached: HealthCheck,
    pub(super) answer: HealthAnswer,
    /// A run of the replicator has found none and put the default handler there.
    is_default: bool,
}

impl Health {
    pub(super) const fn new() -> Self {
        let answer = HealthAnswer::Status(InstanceStatus::Up);
        Self { attached: HealthCheck::None, answer, is_default: false }
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
    asked: Asked,
    before: InstanceStatus,
    answer: HealthAnswer,
    duration: HealthDuration,
    /// `shutdownNow()` set the thread's flag.
    interrupted: bool,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Nobody yet: `getHealthCheckHandler()` found none, and is about to put the default one there.
    Nobody,
    /// The default handler, or a callback's bridge that does not ask it.
    Echo,
    Handler,
    Callback,
}

impl ClientProcess {
    /// What the check answers from now on, and how long it takes.
    pub fn set_health(&mut self, answer: HealthAnswer, duration: HealthDuration) {
        self.client.health.answer = answer;
        if duration != HealthDuration::default() || self.client.rare.is_some() {
            self.client.rare().health = duration;
        }
    }

    /// Whether the replicator's thread waits for the answer of a check.
    #[must_use]
    pub fn waits_for_its_health_check(&self) -> bool {
        let evaluation = self.client.rare.as_ref().and_then(|rare| rare.evaluation.as_ref());
        evaluation.is_some_and(|check| !check.duration.takes.is_zero())
    }

    /// Whether the handler that is asked is the default one, though the application attached its own.
    #[must_use]
    pub fn has_lost_its_health_check(&self) -> bool {
        self.client.health.attached == HealthCheck::None && self.client.health.is_default
    }

    /// `registerHealthCheck(handler)` asks for an update on demand, even if nothing changes.
    pub fn register_health_check(&mut self, cx: &mut Cx<'_>) {
        self.client.health.attached = HealthCheck::Handler;
        if self.client.replicator.is_made && cx.profile.attaching_asks_for_an_update() {
            self.on_demand_update(cx);
        }
    }

    /// `registerHealthCheckCallback(callback)`, which asks for nothing.
    pub const fn register_health_check_callback(&mut self) {
        self.client.health.attached = HealthCheck::Callback;
    }

    /// `refreshInstanceInfo()`: address and lease as configured now, then the health check. The run
    /// goes on in [`ClientProcess::replicate`], at once or when the check has answered.
    #[inline(always)]
    pub(super) fn refresh_instance_info(&mut self, cx: &mut Cx<'_>) {
        self.refresh_configuration(cx);
        let Health { attached, is_default, .. } = self.client.health;
        let missing = attached == HealthCheck::None && !is_default;
        if missing && cx.profile.may_lose_the_handler() {
            self.evaluate(cx, Asked::Nobody, HealthAnswer::Null, HealthDuration::default());
        } else {
            self.ask(cx);
        }
    }

    fn ask(&mut self, cx: &mut Cx<'_>) {
        let Health { attached, answer, .. } = self.client.health;
        let asked = match (attached, self.status) {
            (HealthCheck::None, _)
            | (HealthCheck::Callback, InstanceStatus::Starting | InstanceStatus::OutOfService) => {
                Asked::Echo
            }
            (HealthCheck::Callback, _) => Asked::Callback,
            (HealthCheck::Handler, _) => Asked::Handler,
        };
        if asked == Asked::Handler {
            cx.tell(ClientEvent::HealthEvaluate(self.status, answer));
        }
        if asked == Asked::Echo {
            // Nothing comes of it unless the status changes before the echo is written.
            self.evaluate(cx, asked, HealthAnswer::Echo, HealthDuration::default());
        } else {
            let duration =
                self.client.rare.as_ref().map_or_else(Default::default, |rare| rare.health);
            self.evaluate(cx, asked, answer, duration);
        }
    }

    /// The status is read; from that to what comes of it the thread takes as long as the check, and
    /// as threads take.
    fn evaluate(
        &mut self,
        cx: &mut Cx<'_>,
        asked: Asked,
        answer: HealthAnswer,
        duration: HealthDuration,
    ) {
        let check = Evaluation { asked, before: self.status, answer, duration, interrupted: false };
        let harmless = asked == Asked::Echo && cx.profile.compares_before_it_writes();
        let gap = if harmless { Span::ZERO } else { cx.draws.hand_off() };
        let takes = duration.takes + gap;
        if takes.is_zero() {
            self.evaluated(cx, check);
        } else {
            self.client.replicator.busy = Busy::Evaluating;
            self.client.rare().evaluation = Some(check);
            self.client.sleep(cx.now.mono + takes.nanos(), Sleeper::HealthCheck);
        }
    }

    /// A check that took its time has ended.
    pub(super) fn check_ended(&mut self, cx: &mut Cx<'_>) {
        let Some(check) = self.client.rare().evaluation.take() else {
            return;
        };
        if check.interrupted && check.duration.interruptible {
            cx.tell(ClientEvent::HealthInterrupted);
            // What was thrown has cleared the thread's flag.
            let thrown = Evaluation { answer: HealthAnswer::Throw, interrupted: false, ..check };
            self.evaluated(cx, thrown);
            return;
        }
        if !check.duration.takes.is_zero() {
            cx.tell(ClientEvent::HealthEvaluated);
        }
        self.evaluated(cx, check);
    }

    fn evaluated(&mut self, cx: &mut Cx<'_>, check: Evaluation) {
        let answer = match check.answer {
            _ if check.asked == Asked::Nobody => {
                // Whatever was attached meanwhile is gone.
                self.client.health.attached = HealthCheck::None;
                self.client.health.is_default = true;
                self.ask(cx);
                return;
            }
            HealthAnswer::Throw => {
                cx.tell(ClientEvent::HealthException);
                Some(InstanceStatus::Down)
            }
            HealthAnswer::Status(status) if check.asked == Asked::Callback => {
                let up = status == InstanceStatus::Up;
                let status = if up { InstanceStatus::Up } else { InstanceStatus::Down };
                cx.tell(ClientEvent::Callback(status));
                Some(status)
            }
            HealthAnswer::Status(InstanceStatus::OutOfService)
                if cx.profile.never_out_of_service =>
            {
                Some(InstanceStatus::Down)
            }
            HealthAnswer::Status(status) => Some(status),
            HealthAnswer::Echo => Some(check.before),
            HealthAnswer::Null => None,
        };
        if let Some(status) = answer {
            let compares = cx.profile.compares_before_it_writes();
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
        if check.duration.interruptible {
            self.client.wake_sleeper(Sleeper::HealthCheck, cx.now.mono);
        }
    }
}

impl Cx<'_> {
    /// Tells what happened.
    #[cold]
    pub(super) fn tell(&mut self, event: ClientEvent) {
        self.out.push(Effect::Event(event));
    }

    /// Tells what happens all the time, if somebody wants to know it.
    #[inline(always)]
    pub(super) fn tell_routine(&mut self, event: ClientEvent) {
        if self.tell_routine {
            self.tell(event);
        }
    }
}
