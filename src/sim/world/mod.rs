//! A run: processes, network and script, driven by the event queue.
//!
//! One file per part: what clients do, what servers do, execute and replicate, calls between them,
//! pauses, the script. This one holds the state and the loop.
//!
//! The way of a request that nothing disturbs, from a client's timer to the end of its call, is
//! `#[inline(always)]` here and in `eureka`, and what happens rarely on it `#[cold]`: so it is a few
//! long functions that stay in the processor's instruction cache, and neither calls nor leaps over
//! anything. Without this an event takes a tenth longer.

mod ahead;
mod backlog;
mod calls;
mod clients;
mod consumers;
mod fleet;
mod pause;
mod peers;
mod releases;
mod replication;
mod requests;
mod script;
mod servers;
mod starting;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use view::WorldView;

use super::action::Method;
use super::call::{CallId, Calls};
use super::digest::{Digest, DigestValue};
use super::fact::{Fact, Observer};
use super::host::{Host, HostId};
use super::host_set::HostSet;
use super::latency::Loss;
use super::network::Network;
use super::queue::{Entry, EventQueue, TimingWheel};
use super::random::Streams;
use super::setup::Setup;
use crate::eureka::client::{ClientProfile, Effect, Jobs, Views};
use crate::eureka::server::resources::{Answer, BatchItem};
use crate::eureka::{InstanceKey, ServiceUrls};
use crate::time::{HostClock, Instant, Now, Span};
use ahead::Near;
use consumers::Consumers;
use releases::Releases;
use servers::ServerProcess;

/// What the queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A host's process starts, by the setup or after a restart.
    Start(HostId),
    /// A host has a timer that is due.
    Wake(HostId),
    /// A request arrives at its target.
    Arrive(CallId),
    /// A connection that was not accepted is asked for again.
    Connect(CallId),
    /// The outcome of a call arrives at its caller.
    End(CallId),
    /// A caller stops waiting for an answer.
    Timeout(CallId),
    /// A frozen host resumes.
    Resume(HostId),
    /// An entry of the timeline.
    Script(u32),
    /// The end of one.
    ScriptEnd(u32),
    /// What `scale` or `deploy` does at one instant.
    Fleet(u32),
    /// The time after its opening in which a server never warns is over.
    WaitOver(HostId),
    /// A consumer makes a call.
    Call(u32),
    /// A consumer learns that an attempt failed.
    CallFailed(u32),
    /// A second of calls is over.
    CallSecond,
}

/// What waits for a frozen host to resume.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deferred {
    Wake,
    /// What an entry of the timeline asks the process for.
    Ask(u32),
    Arrive(CallId),
    End(CallId),
    Timeout(CallId),
}

/// A message that a `hold` keeps.
#[derive(Clone, Copy, Debug)]
struct Held {
    entry: usize,
    event: Event,
    link: (HostId, HostId),
    span: Span,
}

/// Servers that answer without doing the work.
#[derive(Clone, Debug)]
struct FailRule {
    entry: usize,
    servers: HostSet,
    status: u16,
    share: Loss,
    methods: Vec<Method>,
}

/// A run under way.
#[derive(Debug)]
pub struct World<'a, O, Q = TimingWheel<Event>> {
    setup: &'a Setup,
    streams: Streams,
    queue: Q,
    /// Next place among events of one instant.
    seq: u64,
    now: Instant,
    hosts: Vec<Host>,
    /// Clocks; the first is the one of every host that was never stepped or skewed.
    clocks: Vec<HostClock>,
    servers: Vec<ServerProcess>,
    /// Clients that are others when their next processes start.
    renamed: BTreeMap<HostId, InstanceKey>,
    /// Processes that are being restarted: so long after they went they start again.
    restarting: BTreeMap<HostId, Span>,
    jobs: Jobs,
    views: Views,
    calls: Calls,
    consumers: Consumers,
    network: Network,
    releases: Releases,
    /// Of processes for which they have changed since they started.
    service_urls: BTreeMap<HostId, Arc<ServiceUrls>>,
    held: Vec<Held>,
    failing: Vec<FailRule>,
    /// Wall clocks that run fast: since which timeline entry, whose, by how many parts per million.
    skews: Vec<(usize, HostId, i64)>,
    batches: u64,
    digest: Digest,
    handled: u64,
    observer: O,
    /// Reused buffers.
    effects: Vec<Effect>,
    items: Vec<Vec<BatchItem>>,
    answers: Vec<Answer>,
    renewed: Vec<InstanceKey>,
    near: Near,
}

impl<'a, O: Observer, Q: EventQueue<Event>> World<'a, O, Q> {
    /// The run of a setup at t = 0; nothing has happened yet.
    #[must_use]
    pub fn new(setup: &'a Setup, observer: O) -> Self {
        let servers = setup
            .servers
            .iter()
            .map(|server| Host::new(server.own, server.profile as u32, server.endpoints as u32));
        let clients = setup.clients.iter();
        let clients = clients.map(|client| Host::new(client.key, client.profile, client.endpoints));
        let mut world = Self {
            streams: Streams::new(setup.seed),
            queue: Q::default(),
            seq: 0,
            now: Instant::ZERO,
            hosts: servers.chain(clients).collect(),
            clocks: vec![HostClock::new(setup.epoch_ms)],
            servers: setup.servers.iter().map(|_| ServerProcess::default()).collect(),
            renamed: BTreeMap::new(),
            restarting: BTreeMap::new(),
            jobs: Jobs::default(),
            views: Views::default(),
            calls: Calls::default(),
            consumers: Consumers::new(setup),
            network: Network::new(setup.network.clone()),
            releases: Releases::default(),
            service_urls: BTreeMap::new(),
            held: Vec::new(),
            failing: Vec::new(),
            skews: Vec::new(),
            batches: 0,
            digest: Digest::default(),
            handled: 0,
            observer,
            effects: Vec::new(),
            items: Vec::new(),
            answers: Vec::new(),
            renewed: Vec::new(),
            near: Near::default(),
            setup,
        };
        world.queue_starts();
        world
    }

    /// Handles every event up to and including `limit`, or so many of them. True if that was all.
    pub fn run_until(&mut self, limit: Instant, most: u64) -> bool {
        let stop_at = self.handled.saturating_add(most);
        while self.handled < stop_at {
            let Some(entry) = self.queue.pop_until(limit) else {
                self.elapse(limit);
                return true;
            };
            debug_assert!(entry.at >= self.now, "the queue went back in time");
            self.read_ahead();
            self.elapse(entry.at);
            self.handled += 1;
            self.handle(entry.event);
        }
        false
    }

    /// The instant the run has reached.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Events handled so far.
    #[must_use]
    pub const fn handled(&self) -> u64 {
        self.handled
    }

    /// The digest over every fact so far.
    #[must_use]
    pub fn digest(&self) -> DigestValue {
        self.digest.value()
    }

    /// The observer gets to see the state as it is now.
    pub fn observe(&mut self, look: impl FnOnce(&mut O, Instant, &WorldView<'_>)) {
        let (observer, view, _) = self.split();
        look(observer, view.now(), &view);
    }

    /// Ends the run; what the observer made of it.
    #[must_use]
    pub fn into_observer(self) -> O {
        self.observer
    }

    /// Everything that is known before the run starts: processes and script. Actions come before the
    /// starts of the same instant only if they are in the queue earlier, so the script goes last.
    fn queue_starts(&mut self) {
        let setup = self.setup;
        for (index, server) in setup.servers.iter().enumerate() {
            self.start_at(HostId::new(index), server.start);
        }
        for (index, client) in setup.clients.iter().enumerate() {
            if let Some(start) = client.start {
                self.start_at(HostId::new(setup.servers.len() + index), start);
            }
        }
        let mut steps = (0_u32..).zip(&setup.steps).peekable();
        for (index, entry) in setup.timeline.iter().enumerate() {
            self.push(entry.at, Event::Script(index as u32));
            if let Some(until) = entry.until {
                self.push(until, Event::ScriptEnd(index as u32));
            }
            while let Some((number, step)) = steps.next_if(|(_, step)| step.entry == index) {
                self.push(step.at, Event::Fleet(number));
            }
        }
        self.queue_seconds();
    }

    #[inline(always)]
    fn handle(&mut self, event: Event) {
        match event {
            Event::Wake(host) => {
                // A wake-up that an earlier one has made superfluous.
                if self.hosts[host.index()].armed == self.now {
                    self.hosts[host.index()].armed = Instant::NEVER;
                    self.wake(host);
                }
            }
            Event::Arrive(call) => self.arrive(call),
            Event::End(call) => self.end(call),
            // What follows is rare, and cold.
            Event::Start(host) => {
                // Somebody may have started it meanwhile, and killed it again.
                if self.hosts[host.index()].starts_at == self.now {
                    self.start(host);
                }
            }
            Event::Connect(call) => self.connect_again(call),
            Event::Timeout(call) => self.timeout(call),
            Event::Resume(host) => self.resume(host),
            Event::Script(entry) => self.act(entry as usize),
            Event::ScriptEnd(entry) => self.end_entry(entry as usize),
            Event::Fleet(step) => self.change_fleet(step as usize),
            Event::WaitOver(host) => self.emit_gauge_changes(host),
            Event::Call(consumer) => self.call(consumer),
            Event::CallFailed(attempt) => self.call_failed(attempt),
            Event::CallSecond => self.call_second(),
        }
    }

    /// Time passes.
    fn elapse(&mut self, next: Instant) {
        if next > self.now {
            let (observer, view, _) = self.split();
            observer.elapsed(next, &view);
            self.now = next;
        }
    }

    /// The process of a host is to start at some instant, unless it is started before.
    fn start_at(&mut self, host: HostId, at: Instant) {
        self.hosts[host.index()].starts_at = at;
        self.push(at, Event::Start(host));
    }

    #[cold]
    fn start(&mut self, host: HostId) {
        self.hosts[host.index()].starts_at = Instant::NEVER;
        if self.hosts[host.index()].alive {
            return;
        }
        self.become_the_next(host);
        self.hosts[host.index()].alive = true;
        self.hosts[host.index()].generation += 1;
        if let Some(profile) = self.releases.begin(host) {
            self.hosts[host.index()].profile = profile;
        }
        let generation = self.hosts[host.index()].generation - 1;
        self.emit(&Fact::Started(host, generation));
        if self.is_server(host) {
            self.start_server(host);
        } else {
            self.start_client(host);
        }
    }

    /// The process of a host is gone: it lets go of what it shared. Requests that wait at it unanswered
    /// are reset.
    fn bury(&mut self, host: HostId) {
        self.note_death(host);
        self.service_urls.remove(&host);
        let process = &mut self.hosts[host.index()];
        process.alive = false;
        process.listening = false;
        process.armed = Instant::NEVER;
        if let Some(pause) = process.paused.take() {
            self.abandon(*pause);
        }
        let process = &mut self.hosts[host.index()];
        if let Some(client) = process.client.take() {
            client.bury(&mut self.views, &mut self.jobs);
        }
        if let Some(server) = self.servers.get_mut(host.index()) {
            *server = ServerProcess::default();
        }
    }

    #[inline(always)]
    fn wake(&mut self, host: HostId) {
        if !self.hosts[host.index()].alive {
            return;
        }
        if self.defer_due(host, Deferred::Wake) {
            return;
        }
        if self.is_server(host) {
            self.wake_server(host, self.now);
        } else {
            self.wake_client(host, self.now);
        }
    }

    /// Puts a wake-up of `host` at `at` into the queue, unless an earlier one is there.
    #[inline(always)]
    fn arm(&mut self, host: HostId, at: Instant) {
        let at = at.max(self.now);
        let process = &mut self.hosts[host.index()];
        if at < process.armed {
            process.armed = at;
            self.push(at, Event::Wake(host));
        }
    }

    #[inline(always)]
    fn push(&mut self, at: Instant, event: Event) {
        let seq = self.next_seq();
        self.push_at(at, seq, event);
    }

    #[inline(always)]
    fn push_at(&mut self, at: Instant, seq: u64, event: Event) {
        // What would happen after the end never happens; leaving it out keeps the queue small.
        if at <= self.setup.duration {
            self.queue.push(Entry { at: at.max(self.now), seq, event });
        }
    }

    const fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    #[inline(always)]
    fn clock_of(&self, host: HostId) -> &HostClock {
        &self.clocks[self.hosts[host.index()].clock as usize]
    }

    #[inline(always)]
    fn now_at(&self, host: HostId) -> Now {
        self.clock_of(host).now(self.now)
    }

    /// How the client of a host's process is built.
    fn profile_of(&self, host: HostId) -> &'a ClientProfile {
        &self.setup.profiles[self.hosts[host.index()].profile as usize]
    }

    /// The instance of a host: a client's, or a server's own.
    fn key_of(&self, host: HostId) -> InstanceKey {
        self.hosts[host.index()].key
    }

    fn is_server(&self, host: HostId) -> bool {
        host.index() < self.servers.len()
    }

    #[inline(always)]
    fn emit(&mut self, fact: &Fact<'_>) {
        let (observer, view, digest) = self.split();
        fact.add_to(view.now(), digest);
        observer.fact(view.now(), fact, &view);
    }

    /// The observer, what it may see, and the digest.
    fn split(&mut self) -> (&mut O, WorldView<'_>, &mut Digest) {
        let view = WorldView {
            setup: self.setup,
            now: self.now,
            hosts: &self.hosts,
            clocks: &self.clocks,
            servers: &self.servers,
            views: &self.views,
            consumers: &self.consumers,
            releases: &self.releases,
            handled: self.handled,
        };
        (&mut self.observer, view, &mut self.digest)
    }
}
