//! The network: latency and loss of every message, and the faults that are active.
//!
//! A request is one message, its answer another; whether a message gets through is decided when it
//! is sent. What its sender then sees (a connect timeout, a read timeout, a refusal) is the kernel's.
//!
//! Where messages arrive in order, a link is one queue for each direction, whatever connections its
//! requests have: who is held up holds up those behind. Lost messages hold up nobody, and calls of
//! consumers are not in the queue: Eureka's traffic is the same with and without them.

use std::collections::BTreeMap;

use super::action::{Cut, CutMode};
use super::host::HostId;
use super::host_set::HostSet;
use super::latency::{Latency, Loss};
use super::random::{Stream, Streams};
use crate::time::{Instant, Span};

/// The network without faults.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSetup {
    /// One-way latency.
    pub latency: Latency,
    /// Share of messages that are lost.
    pub loss: Loss,
    /// Links of their own; later ones win.
    pub links: Vec<LinkException>,
    /// A host without process does not refuse connections: they time out.
    pub dead_hosts_are_black_holes: bool,
    /// How many connections the kernel of a frozen process accepts in its place; none: any number.
    pub accept_queue: Option<u32>,
    /// A message never arrives before an earlier one of the same link and direction.
    pub in_order: bool,
}

/// A link, one way, that differs from the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkException {
    /// Messages from these …
    pub from: HostSet,
    /// … to these.
    pub to: HostSet,
    /// Their latency, if it differs.
    pub latency: Option<Latency>,
    /// Their loss, if it differs.
    pub loss: Option<Loss>,
}

/// What an active fault does to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Cut(CutMode),
    Hold,
    Slow(Span),
    Lossy(Loss),
}

/// A fault between two sets of hosts.
#[derive(Clone, Debug)]
struct Rule {
    /// The timeline entry it belongs to.
    entry: usize,
    cut: Cut,
    effect: Effect,
}

impl Rule {
    /// Whether it concerns a message: once, also where both sides have a host in common.
    fn concerns(&self, from: HostId, to: HostId) -> bool {
        let Cut { from: one, to: other, both_ways } = &self.cut;
        (one.contains(from) && other.contains(to))
            || (*both_ways && one.contains(to) && other.contains(from))
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives after this time.
    Arrives(Span),
    /// It is lost on the way.
    Lost,
    /// It does not get onto the way.
    Cut(CutMode, Span),
    /// It waits for this timeline entry to end, and then takes this time.
    Held(usize, Span),
}

/// Which of a call's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    Request,
    Reply,
    /// Of a consumer's call, whose draws are its own: Eureka's traffic is the same with and without.
    Call,
    /// The way back.
    Answer,
}

impl Leg {
    const fn latency(self) -> Stream {
        match self {
            Self::Request => Stream::RequestLatency,
            Self::Reply => Stream::ReplyLatency,
            Self::Call => Stream::CallLatency,
            Self::Answer => Stream::AnswerLatency,
        }
    }

    const fn loss(self) -> Stream {
        match self {
            Self::Request => Stream::RequestLoss,
            Self::Reply => Stream::ReplyLoss,
            Self::Call => Stream::CallLoss,
            Self::Answer => Stream::AnswerLoss,
        }
    }
}

/// The network of a run.
#[derive(Clone, Debug)]
pub(super) struct Network {
    setup: NetworkSetup,
    rules: Vec<Rule>,
    /// All messages get through, and all with one distribution of latencies.
    calm: bool,
    /// When the last message of each link arrives, if they arrive in order.
    latest: BTreeMap<(HostId, HostId), Instant>,
}

impl Network {
    pub(super) fn new(setup: NetworkSetup) -> Self {
        let mut network = Self { setup, rules: Vec::new(), calm: false, latest: BTreeMap::new() };
        network.look_for_calm();
        network
    }

    fn look_for_calm(&mut self) {
        let Self { setup, rules, .. } = self;
        self.calm = rules.is_empty() && setup.links.is_empty() && setup.loss == Loss::NONE;
    }

    pub(super) const fn setup(&self) -> &NetworkSetup {
        &self.setup
    }

    /// A fault begins.
    pub(super) fn begin(&mut self, entry: usize, cut: Cut, effect: Effect) {
        self.rules.push(Rule { entry, cut, effect });
        self.look_for_calm();
    }

    /// All faults of a timeline entry end; whether there were any.
    pub(super) fn end(&mut self, entry: usize) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.entry != entry);
        self.look_for_calm();
        self.rules.len() < before
    }

    /// Whether every message arrives and an answer comes within `span`, whatever would be drawn.
    pub(super) fn surely_answers_within(&self, span: Span) -> bool {
        let most = match self.setup.latency {
            Latency::Fixed(latency) | Latency::Uniform(_, latency) => latency,
            Latency::LogNormal { .. } => return false,
        };
        self.calm && most + most < span
    }

    /// When a message arrives that goes on its way now and takes `span` by itself. One that overtakes
    /// nobody waits for those before it.
    #[inline(always)]
    pub(super) fn arrival(
        &mut self,
        (from, to): (HostId, HostId),
        now: Instant,
        span: Span,
    ) -> Instant {
        let at = now + span;
        if self.setup.in_order { self.behind_others((from, to), at) } else { at }
    }

    #[inline(never)]
    fn behind_others(&mut self, link: (HostId, HostId), at: Instant) -> Instant {
        let latest = self.latest.entry(link).or_default();
        *latest = at.max(*latest);
        *latest
    }

    /// What becomes of a message of `caller`'s call number `call`, with all faults that are active.
    #[inline(always)]
    pub(super) fn fate(
        &self,
        streams: &Streams,
        link: (HostId, HostId),
        message: (HostId, u32, Leg),
    ) -> Fate {
        if self.calm {
            return Fate::Arrives(span(self.setup.latency, streams, message));
        }
        self.fate_in_trouble(streams, link, message)
    }

    #[inline(never)]
    fn fate_in_trouble(
        &self,
        streams: &Streams,
        (from, to): (HostId, HostId),
        (caller, call, leg): (HostId, u32, Leg),
    ) -> Fate {
        let (mut latency, mut loss) = (self.setup.latency, self.setup.loss);
        for link in &self.setup.links {
            if link.from.contains(from) && link.to.contains(to) {
                latency = link.latency.unwrap_or(latency);
                loss = link.loss.unwrap_or(loss);
            }
        }
        let mut span = span(latency, streams, (caller, call, leg));
        let (mut cut, mut held) = (None, None);
        for rule in &self.rules {
            if rule.concerns(from, to) {
                match rule.effect {
                    Effect::Cut(mode) => cut = cut.or(Some(mode)),
                    Effect::Hold => held = held.or(Some(rule.entry)),
                    Effect::Slow(by) => span = span + by,
                    Effect::Lossy(more) => loss = loss.or(more),
                }
            }
        }
        if let Some(mode) = cut {
            Fate::Cut(mode, span)
        } else if loss != Loss::NONE
            && loss.hits(streams.draw(leg.loss(), caller.index() as u64, call.into()))
        {
            Fate::Lost
        } else if let Some(entry) = held {
            Fate::Held(entry, span)
        } else {
            Fate::Arrives(span)
        }
    }
}

/// How long a message takes by itself.
#[inline(always)]
fn span(latency: Latency, streams: &Streams, (caller, call, leg): (HostId, u32, Leg)) -> Span {
    let (caller, call) = (caller.index() as u64, u64::from(call));
    let draw = streams.draw(leg.latency(), caller, call);
    latency.of(draw, || streams.decision(leg.latency(), caller, call))
}
