//! What consumers do: calls, whether they are answered, retries.
//!
//! A call is decided when it is sent: whether the called process runs, and what the network does to
//! both messages. If it will be answered that is all, and costs one event. A failure is known later
//! and is an event of its own; then the call may be tried again.

use std::sync::Arc;

use super::super::action::Member;
use super::super::consumer::{Consumer, POSITIONS, TrafficCounts};
use super::super::fact::{Fact, Observer};
use super::super::host::HostId;
use super::super::network::{Fate, Leg};
use super::super::queue::EventQueue;
use super::super::random::Stream;
use super::super::setup::{CallSetup, Setup};
use super::super::traffic_fact::{CallFailure, TrafficFact};
use super::{Event, World};
use crate::eureka::client::ClientProcess;
use crate::eureka::server::Application;
use crate::eureka::{AppId, InstanceKey};
use crate::sim::CutMode;
use crate::time::{Instant, Span};

/// The length of the pieces in which calls are counted.
const SECOND: Span = Span::from_secs(1);

/// An attempt that will fail.
#[derive(Clone, Copy, Debug)]
struct Failing {
    consumer: u32,
    generation: u32,
    to: InstanceKey,
    /// Attempts of the same call before it.
    before: u32,
    why: CallFailure,
}

/// An application that is called.
#[derive(Clone, Debug)]
struct Called {
    app: AppId,
    counts: TrafficCounts,
    /// As they were a second ago.
    told: TrafficCounts,
}

/// All consumers of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Consumers {
    list: Vec<Consumer>,
    /// For each of the setup's calls: its first consumer, and the place of whom it calls.
    starts: Vec<(u32, u32)>,
    called: Vec<Called>,
    /// For each instance its host, plus one; 0 for none.
    hosts: Vec<u32>,
    /// For each instance, when its last process died.
    died: Vec<Option<Instant>>,
    failing: Vec<Failing>,
    free: Vec<u32>,
}

impl Consumers {
    pub(super) fn new(setup: &Setup) -> Self {
        let mut consumers = Self::default();
        if setup.calls.is_empty() {
            return consumers;
        }
        for (number, calls) in setup.calls.iter().enumerate() {
            let place = consumers.called.iter().position(|called| called.app == calls.app);
            let place = place.unwrap_or_else(|| {
                let (counts, told) = Default::default();
                consumers.called.push(Called { app: calls.app, counts, told });
                consumers.called.len() - 1
            });
            consumers.starts.push((consumers.list.len() as u32, place as u32));
            // Attempts of one host have numbers of their own, whichever of its calls they are for.
            let earlier = &setup.calls[..number];
            let draw = earlier.iter().rev().take_while(|other| other.callers == calls.callers);
            let draw = draw.count() as u32;
            let hosts = calls.callers.clone().map(HostId::new);
            let number = number as u32;
            consumers.list.extend(hosts.map(|host| Consumer::new(host, number, draw)));
        }
        consumers.hosts = vec![0; setup.names.instance_count()];
        for host in 0..setup.host_count() {
            consumers.hosts[setup.first_key_of(HostId::new(host)).index()] = host as u32 + 1;
        }
        for Member { host, key } in &setup.members {
            consumers.hosts[key.index()] = host.index() as u32 + 1;
        }
        consumers.died = vec![None; setup.names.instance_count()];
        consumers
    }

    /// Calls to an application, or all.
    pub(super) fn counts(&self, app: Option<AppId>) -> TrafficCounts {
        let wanted = self.called.iter().filter(|called| app.is_none_or(|app| called.app == app));
        wanted.fold(TrafficCounts::default(), |sum, called| sum.and(called.counts))
    }

    /// Calls that one instance makes to an application, or all.
    pub(super) fn counts_of(
        &self,
        setup: &Setup,
        caller: HostId,
        app: Option<AppId>,
    ) -> TrafficCounts {
        let wanted = self.of(setup, caller).filter(|number| {
            let calls = &setup.calls[self.list[*number as usize].setup as usize];
            app.is_none_or(|app| calls.app == app)
        });
        let counts = wanted.map(|number| self.list[number as usize].counts);
        counts.fold(TrafficCounts::default(), TrafficCounts::and)
    }

    /// The lists of an application that load balancers keep and would use.
    pub(super) fn cached<'a>(
        &'a self,
        setup: &'a Setup,
        app: AppId,
        now: Instant,
    ) -> impl Iterator<Item = (HostId, &'a Arc<Application>)> {
        let of_app = move |consumer: &&Consumer| setup.calls[consumer.setup as usize].app == app;
        let consumers = self.list.iter().filter(of_app);
        consumers
            .filter_map(move |consumer: &Consumer| Some((consumer.host, consumer.cached(now)?)))
    }

    /// The consumers of a host, by number.
    fn of<'a>(&'a self, setup: &'a Setup, host: HostId) -> impl Iterator<Item = u32> + 'a {
        let calls = setup.calls_of(host);
        let first = setup.calls.partition_point(|calls| calls.callers.end <= host.index());
        let starts = &self.starts[first..first + calls.len()];
        let place = move |calls: &CallSetup| (host.index() - calls.callers.start) as u32;
        starts.iter().zip(calls).map(move |((start, _), calls)| start + place(calls))
    }
}

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// Seconds are counted, if there is anything to count.
    pub(super) fn queue_seconds(&mut self) {
        if !self.setup.calls.is_empty() {
            let end = self.setup.duration;
            self.push((self.now + SECOND).min(end), Event::CallSecond);
        }
    }

    /// A second is over.
    #[inline(never)]
    pub(super) fn call_second(&mut self) {
        for place in 0..self.consumers.called.len() {
            let called = &mut self.consumers.called[place];
            let (app, counts) = (called.app, called.counts.since(called.told));
            called.told = called.counts;
            self.emit(&Fact::Traffic(TrafficFact::Second { app, counts }));
        }
        if self.now < self.setup.duration {
            self.queue_seconds();
        }
    }

    /// The application of a client runs: its calls begin, each with a phase of its own.
    pub(super) fn begin_calls(&mut self, host: HostId) {
        let setup = self.setup;
        if setup.calls.is_empty() {
            return;
        }
        let generation = self.hosts[host.index()].generation;
        let numbers: Vec<u32> = self.consumers.of(setup, host).collect();
        for number in numbers {
            let consumer = &mut self.consumers.list[number as usize];
            let every = setup.calls[consumer.setup as usize].every;
            let draw = |stream: Stream, below: u64| {
                let draw = self.streams.draw(stream, number.into(), generation.into());
                ((u128::from(draw) * u128::from(below)) >> 64) as u64
            };
            let phase = Span::from_nanos(draw(Stream::CallPhase, every.nanos()));
            let position = draw(Stream::BalancerPosition, POSITIONS) as u32;
            let first = self.now + phase;
            consumer.begin(generation, first, position);
            self.push(first, Event::Call(number));
        }
    }

    /// The process of a host is gone.
    pub(super) fn note_death(&mut self, host: HostId) {
        let key = self.key_of(host);
        if let Some(died) = self.consumers.died.get_mut(key.index()) {
            *died = Some(self.now);
        }
    }

    /// A server's read-only cache was refreshed; nobody wants to know if nobody calls.
    pub(super) fn cache_filled(&mut self, server: HostId) {
        if !self.setup.calls.is_empty() {
            self.emit(&Fact::Traffic(TrafficFact::CacheFill(server)));
        }
    }

    /// It is time for a consumer's next call.
    #[inline(never)]
    pub(super) fn call(&mut self, number: u32) {
        let setup = self.setup;
        let consumer = &mut self.consumers.list[number as usize];
        let host = &self.hosts[consumer.host.index()];
        // Of a process that is gone.
        if consumer.next != self.now || !host.alive || host.generation != consumer.generation {
            return;
        }
        let next = self.now + setup.calls[consumer.setup as usize].every;
        consumer.next = next;
        if host.paused.is_none() {
            self.count(number, |counts| counts.calls += 1);
            self.attempt(number, 0, None);
        }
        self.push(next, Event::Call(number));
    }

    fn count(&mut self, number: u32, add: impl Fn(&mut TrafficCounts)) {
        let consumer = &mut self.consumers.list[number as usize];
        add(&mut consumer.counts);
        let (_, called) = self.consumers.starts[consumer.setup as usize];
        add(&mut self.consumers.called[called as usize].counts);
    }

    /// An attempt of a call, after so many; `last` is where the one before it went.
    fn attempt(&mut self, number: u32, before: u32, last: Option<InstanceKey>) {
        let consumer = &self.consumers.list[number as usize];
        let (from, generation) = (consumer.host, consumer.generation);
        let calls = &self.setup.calls[consumer.setup as usize];
        let to = match last {
            Some(same) if !calls.retry_other => Some(same),
            _ => self.choose(number, last),
        };
        let Some(to) = to else {
            self.count(number, |counts| counts.failed += 1);
            let (app, why) = (calls.app, CallFailure::NoInstance);
            self.emit(&Fact::Traffic(TrafficFact::Failed { from, app, to, why, last: true }));
            return;
        };
        self.count(number, |counts| counts.attempts += 1);
        let target = self.consumers.hosts[to.index()].checked_sub(1);
        let target = target.map(|host| HostId::new(host as usize));
        // Another instance may run in its place.
        let runs = |host: HostId| self.hosts[host.index()].alive && self.key_of(host) == to;
        let alive = target.is_some_and(runs);
        if !alive {
            self.count(number, |counts| counts.to_dead += 1);
            let died = self.consumers.died[to.index()];
            let dead_for = died.map(|died| self.now.since(died));
            self.emit(&Fact::Traffic(TrafficFact::ToDead { from, to, dead_for }));
        }
        match self.outcome(number, target.unwrap_or(from), alive, calls) {
            None => self.consumers.list[number as usize].answered(to),
            Some((why, after)) => {
                let failing = Failing { consumer: number, generation, to, before, why };
                let slot = self.consumers.add(failing);
                self.push(self.now + after, Event::CallFailed(slot));
            }
        }
    }

    /// Whom a consumer calls next, avoiding somebody.
    fn choose(&mut self, number: u32, avoid: Option<InstanceKey>) -> Option<InstanceKey> {
        let now = self.now;
        let consumer = &mut self.consumers.list[number as usize];
        let (host, calls) = (consumer.host, &self.setup.calls[consumer.setup as usize]);
        let only_up = self.setup.profile_of(host).client.filter_only_up_instances;
        if consumer.cached(now).is_some() {
            return consumer.pick_cached(only_up, avoid, now);
        }
        let client = &self.hosts[host.index()].client;
        let view = client.as_ref().map(ClientProcess::view)?;
        let list = consumer.find(&self.views.get(view).apps, calls.app);
        if calls.cache_ttl.is_zero() {
            return consumer.pick(list?, only_up, avoid, now);
        }
        let old = consumer.keep(list, only_up, (now, calls.cache_ttl));
        let to = consumer.pick_cached(only_up, avoid, now);
        let new = consumer.cached(now).map(Arc::clone);
        let same = match (&old, &new) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !same {
            let (client, app) = (host, calls.app);
            let (old, new) = (old.as_ref(), new.as_ref());
            self.emit(&Fact::Traffic(TrafficFact::Balancer { client, app, old, new }));
        }
        to
    }

    /// How an attempt that is sent now fails, and after how long; nothing if it is answered.
    fn outcome(
        &mut self,
        number: u32,
        target: HostId,
        alive: bool,
        calls: &CallSetup,
    ) -> Option<(CallFailure, Span)> {
        let timeout = calls.timeout;
        let consumer = &mut self.consumers.list[number as usize];
        let (from, draw) = (consumer.host, consumer.draw);
        let each = self.setup.calls_of(from).len() as u32;
        consumer.draw = draw.wrapping_add(each);
        let resumes = self.hosts[target.index()].paused.as_ref().map(|pause| pause.until);
        if alive && resumes.is_none() && self.network.surely_answers_within(timeout) {
            return None;
        }
        let fate = |link: (HostId, HostId), leg: Leg| {
            self.network.fate(&self.streams, link, (from, draw, leg))
        };
        let refused = |after: Span| match after < timeout {
            true => Some((CallFailure::Refused, after)),
            false => Some((CallFailure::ConnectTimeout, timeout)),
        };
        let there = match fate((from, target), Leg::Call) {
            Fate::Arrives(span) => span,
            Fate::Cut(CutMode::Refuse, span) => return refused(span),
            Fate::Cut(CutMode::Blackhole, _) => {
                return Some((CallFailure::ConnectTimeout, timeout));
            }
            Fate::Lost | Fate::Held(..) => return Some((CallFailure::ReadTimeout, timeout)),
        };
        if !alive {
            return match self.network.setup().dead_hosts_are_black_holes {
                true => Some((CallFailure::ConnectTimeout, timeout)),
                false => refused(there),
            };
        }
        // A frozen process answers when it goes on.
        let frozen = resumes.map_or(Span::ZERO, |until| until.since(self.now));
        match fate((target, from), Leg::Answer) {
            Fate::Arrives(back) if there.max(frozen) + back < timeout => None,
            _ => Some((CallFailure::ReadTimeout, timeout)),
        }
    }

    /// A consumer learns that an attempt failed.
    #[inline(never)]
    pub(super) fn call_failed(&mut self, slot: u32) {
        let failing = self.consumers.failing[slot as usize];
        let Failing { consumer: number, generation, to, before, why } = failing;
        let consumer = &mut self.consumers.list[number as usize];
        let host = &self.hosts[consumer.host.index()];
        let same_process = host.alive && host.generation == generation;
        if let Some(pause) = host.paused.as_ref().filter(|_| same_process) {
            // It is told when it goes on.
            let until = pause.until;
            self.push(until, Event::CallFailed(slot));
            return;
        }
        self.consumers.free.push(slot);
        if !same_process {
            return;
        }
        let (from, calls) = (consumer.host, &self.setup.calls[consumer.setup as usize]);
        if calls.circuit_breaker {
            consumer.failed(to, self.now);
        }
        let last = before == calls.retries;
        if last {
            self.count(number, |counts| counts.failed += 1);
        }
        let app = calls.app;
        self.emit(&Fact::Traffic(TrafficFact::Failed { from, app, to: Some(to), why, last }));
        if !last {
            self.attempt(number, before + 1, Some(to));
        }
    }
}

impl Consumers {
    fn add(&mut self, failing: Failing) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.failing[slot as usize] = failing;
            return slot;
        }
        self.failing.push(failing);
        self.failing.len() as u32 - 1
    }
}
