//! What client processes do.

use rand::RngExt;
use rand::seq::SliceRandom;

use super::super::call::{Message, Purpose, request_line};
use super::super::fact::{Fact, Observer};
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::super::random::{Stream, Streams};
use super::super::setup::Races;
use super::{Event, World};
use crate::eureka::InstanceStatus;
use crate::eureka::client::{
    ClientEvent, ClientProcess, Cx, Draws, Effect, JobId, Outcome, ViewId,
};
use crate::eureka::java::hash_code;
use crate::eureka::server::Applications;
use crate::time::{HostClock, Instant, Span};
use std::sync::Arc;

/// The random decisions of one client.
struct ClientDraws<'a> {
    streams: Streams,
    races: &'a Races,
    host: u64,
    /// Occasions at which this host has drawn.
    occasion: &'a mut u32,
}

impl ClientDraws<'_> {
    /// The number of the next occasion: what makes a draw another one than the last.
    const fn next_occasion(&mut self) -> u64 {
        *self.occasion = self.occasion.wrapping_add(1);
        *self.occasion as u64
    }
}

impl Draws for ClientDraws<'_> {
    fn shuffle(&mut self, servers: &mut [u16]) {
        if !self.races.no_shuffle {
            let occasion = self.next_occasion();
            let mut rng = self.streams.decision(Stream::ServerOrder, self.host, occasion);
            servers.shuffle(&mut rng);
        }
    }

    fn session_length(&mut self) -> f64 {
        if self.races.no_shuffle {
            return 0.5;
        }
        let occasion = self.next_occasion();
        let draw = self.streams.draw(Stream::SessionLength, self.host, occasion);
        // 53 bits, as Java's nextDouble().
        (draw >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn hand_off(&mut self) -> Span {
        let (low, high) = self.races.hand_off;
        if low == high {
            return low;
        }
        let occasion = self.next_occasion();
        let mut rng = self.streams.decision(Stream::HandOff, self.host, occasion);
        Span::from_nanos(rng.random_range(low.nanos()..=high.nanos()))
    }

    /// Hosts have the addresses 10.0.0.0, 10.0.0.1 … in their order.
    fn address_hash(&mut self) -> i32 {
        let [_, a, b, c] = (self.host as u32).to_be_bytes();
        hash_code(&format!("10.{a}.{b}.{c}"))
    }
}

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    pub(super) fn start_client(&mut self, host: HostId) {
        let key = self.key_of(host);
        let next = self.with_client(host, self.now, |client, cx| {
            client.insert(ClientProcess::start(cx, key)).wake(cx)
        });
        let generation = self.hosts[host.index()].generation;
        self.apply_effects(host);
        self.arm_client(host, generation, next);
    }

    /// Runs what the client had to do by `until`.
    #[inline(always)]
    pub(super) fn wake_client(&mut self, host: HostId, until: Instant) {
        self.drive(host, until, |_, _| {});
    }

    /// A client's request ended.
    #[inline(always)]
    pub(super) fn client_call_ended(
        &mut self,
        host: HostId,
        until: Instant,
        job: JobId,
        outcome: Outcome<Arc<Applications>>,
    ) {
        self.drive(
            host,
            until,
            #[inline(always)]
            |client, cx| client.ended(cx, job, outcome),
        );
    }

    /// Lets a client do something, and does what follows from it.
    #[inline(always)]
    pub(super) fn drive<R>(
        &mut self,
        host: HostId,
        until: Instant,
        act: impl FnOnce(&mut ClientProcess, &mut Cx<'_>) -> R,
    ) -> Option<R> {
        let (result, next) = self.with_client(
            host,
            until,
            #[inline(always)]
            |client, cx| {
                let client = client.as_mut()?;
                let result = act(client, cx);
                Some((result, client.wake(cx)))
            },
        )?;
        let generation = self.hosts[host.index()].generation;
        self.apply_effects(host);
        self.arm_client(host, generation, next);
        Some(result)
    }

    /// A client (a server's embedded one for a server) and what it needs to do something.
    #[inline(always)]
    fn with_client<R>(
        &mut self,
        host: HostId,
        until: Instant,
        act: impl FnOnce(&mut Option<ClientProcess>, &mut Cx<'_>) -> R,
    ) -> R {
        let setup = self.setup;
        let process = &mut self.hosts[host.index()];
        let mut draws = ClientDraws {
            streams: self.streams,
            races: &setup.races,
            host: host.index() as u64,
            occasion: &mut process.draws,
        };
        let mut cx = Cx {
            now: self.clocks[process.clock as usize].now(self.now),
            until: HostClock::mono(until),
            profile: &setup.profiles[process.profile as usize],
            endpoints: &setup.endpoints[process.endpoints as usize],
            jobs: &mut self.jobs,
            views: &mut self.views,
            draws: &mut draws,
            tell_routine: false,
            out: &mut self.effects,
        };
        let result = act(&mut process.client, &mut cx);
        if let Some(server) = self.servers.get_mut(host.index()) {
            let next = process.client.as_ref().and_then(ClientProcess::next_wake);
            server.client_due = next.map(HostClock::instant_of_mono);
        }
        result
    }

    /// Does what a client wants done.
    #[inline(always)]
    pub(super) fn apply_effects(&mut self, host: HostId) {
        match self.effects.len() {
            0 => {}
            1 => self.apply_one(host),
            _ => self.apply_several(host),
        }
    }

    /// Nearly always: a request.
    #[inline(never)]
    fn apply_one(&mut self, host: HostId) {
        if let Some(effect) = self.effects.pop() {
            self.apply(host, effect);
        }
    }

    #[cold]
    fn apply_several(&mut self, host: HostId) {
        let mut effects = std::mem::take(&mut self.effects);
        let is_status = |effect: &Effect| matches!(effect, Effect::LocalStatus { .. });
        let last_status = effects.iter().rposition(is_status);
        for (place, effect) in effects.drain(..).enumerate() {
            // What a status was in between, while no time passed, nobody could see.
            if !is_status(&effect) || last_status == Some(place) {
                self.apply(host, effect);
            }
        }
        // Effects of effects have found an empty list of their own and left it empty.
        debug_assert!(self.effects.is_empty());
        self.effects = effects;
    }

    #[inline(always)]
    fn apply(&mut self, host: HostId, effect: Effect) {
        match effect {
            _ if !self.hosts[host.index()].alive => self.drop_effect(effect),
            Effect::Send { job, server, request, .. } => {
                let key = self.key_of(host);
                let line = request_line(key, &request);
                let target = HostId::new(server.into());
                let message = Message::Request(request);
                self.send(host, target, Purpose::Job(job), Some(line), message);
            }
            Effect::LocalStatus { status, dirty, .. } => self.status_changed(host, status, dirty),
            Effect::View { old, new } => self.view_changed(host, old, new),
            Effect::Constructed => self.constructed(host),
            Effect::Event(event) => self.event_inside(host, event),
            Effect::Unsent { .. } => {}
            Effect::Exited => self.exited(host),
        }
    }

    #[cold]
    fn status_changed(&mut self, client: HostId, status: InstanceStatus, dirty: i64) {
        if !self.is_server(client) {
            self.emit(&Fact::LocalStatus { client, status, dirty });
        }
    }

    #[cold]
    fn view_changed(&mut self, host: HostId, old: ViewId, new: ViewId) {
        let (observer, view, digest) = self.split();
        let (before, after) = (view.views.get(old), view.views.get(new));
        let fact = Fact::View { client: host, old: before, new: after };
        fact.add_to(view.now(), digest);
        observer.fact(view.now(), &fact, &view);
        self.views.release(old);
        if self.is_server(host) {
            self.embedded_view_changed(host);
        }
    }

    #[cold]
    fn constructed(&mut self, host: HostId) {
        if self.is_server(host) {
            self.server_constructed(host);
        } else {
            self.begin_calls(host);
        }
    }

    #[cold]
    fn event_inside(&mut self, host: HostId, event: ClientEvent) {
        if event.notable().is_some() {
            self.emit(&Fact::InClient(host, event));
        }
    }

    /// What other threads of a process would have done in the instant in which it ended: nothing.
    #[cold]
    fn drop_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Send { job, .. } => self.jobs.remove(job),
            Effect::View { old, .. } => self.views.release(old),
            _ => {}
        }
    }

    /// A graceful stop has come to its end.
    #[cold]
    fn exited(&mut self, host: HostId) {
        let generation = self.hosts[host.index()].generation - 1;
        self.bury(host);
        self.emit(&Fact::Exited(host, generation));
        self.start_again(host);
    }

    /// Queues the next turn of a client, whose process may be over or another one by now.
    #[inline(always)]
    fn arm_client(&mut self, host: HostId, generation: u32, next: Option<u64>) {
        if self.is_server(host) {
            self.arm_server(host);
            return;
        }
        let process = &self.hosts[host.index()];
        let same_process = process.alive && process.generation == generation;
        if let (true, Some(next)) = (same_process, next) {
            self.arm(host, HostClock::instant_of_mono(next));
        }
    }
}
