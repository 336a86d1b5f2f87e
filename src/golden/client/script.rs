//! What the script of a client's trace did: the application's acts, and what was drawn.

use std::sync::Arc;

use serde_json::Value;

use super::super::fields::{Fields, Mismatch};
use super::server;
use crate::eureka::InstanceStatus;
use crate::eureka::client::{HealthAnswer, HealthDuration, InstanceChange};
use crate::time::Span;

/// Something the application does, or that is done to its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// On a thread of its own: the constructor, and what follows it.
    Construct(Construct),
    /// `setInstanceStatus`
    SetStatus(InstanceStatus),
    /// An entry of the metadata.
    SetMetadata(String, String),
    /// A key of the instance's configuration.
    SetConfig(InstanceChange),
    /// What the health check answers from now on.
    Health(HealthAnswer, HealthDuration),
    /// `registerHealthCheck`
    RegisterHealth,
    /// `registerHealthCheckCallback`
    RegisterCallback,
    /// `shutdown()`, perhaps after setting a status.
    Shutdown(Option<InstanceStatus>),
    /// The wall clock jumps, by ms.
    StepClock(i64),
    /// Everything stands still.
    Pause(Span),
    /// From now on the status of a body is read that much before its timestamp.
    Torn(Span),
    /// `InstanceInfoReplicator.start` is held once, when it reads the nano clock.
    HoldReplicatorStart(Span),
    /// From now on a thread that is woken runs before the one that woke it.
    HandOffImmediate,
    /// A second client on the same `ApplicationInfoManager`, with these servers.
    SecondClient(Vec<u16>),
    /// Its `shutdown()`.
    SecondShutdown,
    /// A thread is held somewhere that has no name here: the method.
    Preempt(String),
}

/// What the thread of the constructor does after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Construct {
    /// Attaches the health check.
    pub health: bool,
    /// Sets this status.
    pub then: Option<InstanceStatus>,
    /// Attaches the health check again.
    pub health_twice: bool,
}

impl Construct {
    /// The lines that tell of it in the trace, and are no acts of their own.
    #[must_use]
    pub fn echoes(&self) -> Vec<String> {
        let attach = |attach: bool| attach.then(|| "register-health".to_owned());
        let set = self.then.map(|status| format!("set-status {status}"));
        [attach(self.health), set, attach(self.health_twice)].into_iter().flatten().collect()
    }
}

/// Longer than any trace.
const LONGEST_MS: i64 = 315_576_000_000;

/// Reads the text of an `app` line; none if it is no act.
#[must_use]
pub fn act(text: &str) -> Option<Act> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let rest: Vec<&str> = words.collect();
    let only = || (rest.len() == 1).then(|| rest[0]);
    let none = |act: Act| rest.is_empty().then_some(act);
    match name {
        "construct" => construct(&rest),
        "set-status" => InstanceStatus::value_of(only()?).map(Act::SetStatus),
        "set-metadata" => {
            let (key, value) = only()?.split_once('=')?;
            Some(Act::SetMetadata(key.to_owned(), value.to_owned()))
        }
        "set-config" => instance_change(only()?).map(Act::SetConfig),
        "health" => health(&rest),
        "register-health" => none(Act::RegisterHealth),
        "register-callback" => none(Act::RegisterCallback),
        "shutdown" => match rest.as_slice() {
            [] => Some(Act::Shutdown(None)),
            [first] => status_after(first, "first=").map(|status| Act::Shutdown(Some(status))),
            _ => None,
        },
        "step-clock" => {
            let ms: i64 = only()?.parse().ok()?;
            (-LONGEST_MS..=LONGEST_MS).contains(&ms).then_some(Act::StepClock(ms))
        }
        "pause" => millis(only()?).map(Act::Pause),
        "torn" => millis(only()?).map(Act::Torn),
        "preempt" => match rest.as_slice() {
            ["InstanceInfoReplicator.start", ms, "nano"] => {
                millis(ms).map(Act::HoldReplicatorStart)
            }
            [method, ms] | [method, ms, "nano"] if millis(ms).is_some() => {
                Some(Act::Preempt((*method).to_owned()))
            }
            _ => None,
        },
        "hand-off" => (only()? == "immediate").then_some(Act::HandOffImmediate),
        "second-client" => {
            let servers: Option<Vec<u16>> = only()?.split(',').map(server).collect();
            servers.map(Act::SecondClient)
        }
        "second-shutdown" => none(Act::SecondShutdown),
        _ => None,
    }
}

fn construct(words: &[&str]) -> Option<Act> {
    let mut construct = Construct::default();
    for word in words {
        match *word {
            "health" => construct.health = true,
            "health-twice" => construct.health_twice = true,
            then => construct.then = Some(status_after(then, "then=")?),
        }
    }
    Some(Act::Construct(construct))
}

fn status_after(word: &str, prefix: &str) -> Option<InstanceStatus> {
    InstanceStatus::value_of(word.strip_prefix(prefix)?)
}

fn instance_change(word: &str) -> Option<InstanceChange> {
    let (key, value) = word.split_once('=')?;
    let seconds = || value.parse().ok().filter(|secs| *secs > 0);
    match key {
        "eureka.instance.lease-renewal-interval-in-seconds" => {
            seconds().map(InstanceChange::RenewalInterval)
        }
        "eureka.instance.lease-expiration-duration-in-seconds" => {
            seconds().map(InstanceChange::Duration)
        }
        "eureka.instance.host-name" => Some(InstanceChange::HostName(Arc::from(value))),
        _ => None,
    }
}

fn health(words: &[&str]) -> Option<Act> {
    let (answer, options) = words.split_first()?;
    let answer = HealthAnswer::value_of(answer)?;
    let mut duration = HealthDuration::default();
    for option in options {
        match *option {
            "interruptible" => duration.interruptible = true,
            takes => duration.takes = millis(takes.strip_prefix("takes_ms=")?)?,
        }
    }
    Some(Act::Health(answer, duration))
}

pub(super) fn millis(text: &str) -> Option<Span> {
    let ms: i64 = text.parse().ok()?;
    (0..=LONGEST_MS).contains(&ms).then(|| Span::from_millis(ms as u64))
}

/// What was drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    /// A shuffle gave this order.
    ServerOrder(Vec<u16>),
    /// A uniform number in [0, 1).
    SessionLength(f64),
}

/// Reads the object of a `draw` line.
///
/// # Errors
/// If a field is missing, unknown or not understood.
pub fn draw(value: &Value) -> Result<Draw, Mismatch> {
    let mut fields = Fields::of(value, "draw")?;
    let draw = match fields.text("what")? {
        Some("server-order") => {
            let order = fields.list("order")?.map(Vec::as_slice).unwrap_or_default();
            let order: Option<Vec<u16>> =
                order.iter().map(|name| name.as_str().and_then(server)).collect();
            Draw::ServerOrder(order.ok_or_else(|| fields.wrong("order", "a list of servers"))?)
        }
        Some("session-length") => {
            let u = fields.get("u").and_then(Value::as_f64).filter(|u| (0.0..1.0).contains(u));
            Draw::SessionLength(u.ok_or_else(|| fields.wrong("u", "a number in [0, 1)"))?)
        }
        _ => return Err(fields.wrong("what", "server-order or session-length")),
    };
    fields.finish(&[])?;
    Ok(draw)
}
