//! Drives one client through a trace that was recorded over real HTTP: its requests go through a
//! library of its own, on connections, to stub servers.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;

use serde_json::{Value, json};

use super::process::{Process, Settings};
use super::render::{self, Render};
use super::stubs::{Asked, StubAnswer, Stubs};
use super::tolerance::{RecordedLine, Told, compare};
use super::wire::{Connections, Library};
use super::{Echoes, Refusal, not_understood};
use crate::eureka::Names;
use crate::eureka::client::{
    AttemptFailure, ClientEvent, ClientProcess, Draws, Effect, Endpoints, JobId, Outcome, Request,
    Which, Worker,
};
use crate::eureka::java::hash_code;
use crate::eureka::server::Applications;
use crate::golden::client::{
    Act, ClientHeader, Construct, Location, StubEnd, StubWord, nanos, server, stub_word,
};
use crate::replay::Replayed;
use crate::replay::lines::{Lines, ReplayError};
use crate::time::Span;

/// From the arrival of a request at a stub to the client knowing the answer, ns: about what it takes
/// on one machine. The recordings round to this.
const ROUND_TRIP: u64 = 10_000_000;

/// Something the script does.
#[derive(Debug)]
enum Event {
    Act(Act),
    Stub(Option<u16>, StubWord),
}

/// A trace, read.
#[derive(Default)]
pub(super) struct RealTrace {
    /// At which time (ns), in the order of the file.
    script: VecDeque<(u64, Event)>,
    recorded: Vec<RecordedLine>,
}

impl RealTrace {
    pub(super) fn read(
        lines: &mut Lines<impl BufRead>,
    ) -> Result<Result<Self, Refusal>, ReplayError> {
        let mut trace = Self::default();
        let mut echoes = Echoes::default();
        while let Some((number, line)) = lines.next_json()? {
            if let Err(refusal) = trace.add(number, line, &mut echoes) {
                return Ok(Err(refusal));
            }
        }
        trace.start_at_first_sign();
        Ok(Ok(trace))
    }

    fn add(&mut self, number: u64, line: Value, echoes: &mut Echoes) -> Result<(), Refusal> {
        let wrong = |field: &str, wanted: &str| not_understood(number, field, &line[field], wanted);
        let at = nanos(&line["t"]).ok_or_else(|| wrong("t", "ms from the start"))?;
        let mut fields = line.as_object().into_iter().flatten().filter(|(name, _)| *name != "t");
        let what = fields.next().map(|(name, _)| name.clone()).unwrap_or_default();
        let in_order = self.script.back().is_none_or(|(last, _)| *last <= at);
        if let Some((field, _)) = fields.find(|(name, _)| what != "event" || *name != "why") {
            return Err(wrong(field, "\"t\" and one thing that happened"));
        }
        match what.as_str() {
            "app" | "stub" if !in_order => {
                return Err(wrong("t", "ms from the start, in the order of time"));
            }
            "app" => {
                let text = line["app"].as_str().unwrap_or_default();
                if echoes.takes(text) {
                    return Ok(());
                }
                let act = echoes.act(text).ok_or_else(|| wrong("app", "an act"))?;
                match act {
                    Act::Construct(_) | Act::SetStatus(_) | Act::SetMetadata(..) => {}
                    Act::Health(..) | Act::RegisterHealth | Act::RegisterCallback => {}
                    Act::Shutdown(_) | Act::SetConfig(_) => {}
                    // What is done to a virtual clock, or to virtual threads.
                    _ => return Err(wrong("app", "an act that real time allows")),
                }
                self.script.push_back((at, Event::Act(act)));
            }
            "stub" => {
                let word = line["stub"].as_str().and_then(stub_word);
                let (server, word) = word.ok_or_else(|| wrong("stub", "a word for a stub"))?;
                self.script.push_back((at, Event::Stub(server, word)));
            }
            "request" | "event" => {
                let mut line = line;
                if let Some(fields) = line.as_object_mut() {
                    fields.shift_remove("t");
                }
                self.recorded.push(RecordedLine { number, told: Told { at, line } });
            }
            other => return Err(wrong(other, "a line of a client's trace")),
        }
        Ok(())
    }

    /// How long it takes to load classes and to build the client is the machine's affair: the client
    /// starts when it gives its first sign, or when the application asks something else of it.
    fn start_at_first_sign(&mut self) {
        let is_construct = |event: &Event| matches!(event, Event::Act(Act::Construct(_)));
        let Some(place) = self.script.iter().position(|(_, event)| is_construct(event)) else {
            return;
        };
        let later = self.script.range(place + 1..);
        let next_act = later.filter(|(_, event)| matches!(event, Event::Act(_))).map(|(at, _)| *at);
        let signs = self.recorded.iter().map(|recorded| recorded.told.at);
        let first = signs.chain(next_act).min();
        if let Some(first) = first
            && let Some((at, construct)) = self.script.remove(place)
        {
            let at = at.max(first);
            let before = |(other, event): &(u64, Event)| {
                *other < at || (*other == at && matches!(event, Event::Stub(..)))
            };
            let place = self.script.partition_point(before);
            self.script.insert(place, (at, construct));
        }
    }
}

/// The shuffle of servers is switched off, and no trace is as long as a session.
struct NoDraws;

impl Draws for NoDraws {
    fn shuffle(&mut self, _: &mut [u16]) {}

    fn session_length(&mut self) -> f64 {
        0.5
    }

    fn hand_off(&mut self) -> Span {
        Span::ZERO
    }

    fn address_hash(&mut self) -> i32 {
        hash_code("127.0.0.1")
    }
}

/// A request of the library.
#[derive(Clone, Debug)]
struct Sent {
    job: JobId,
    /// As the trace shows it.
    line: Value,
    /// Redirects that the library followed to come here.
    hops: u8,
    /// What the client asks is a registry.
    fetches: bool,
}

/// A request on its way.
struct Flight {
    /// ns
    ends: u64,
    sent: Sent,
    connection: u32,
    end: End,
}

enum End {
    Told(Outcome<Arc<Applications>>),
    /// The library follows a redirect.
    Follow(Location),
}

/// The client and everything around it.
pub(super) struct RealDriver {
    process: Process<NoDraws>,
    names: Names,
    epoch: i64,
    until: u64,
    tolerance: u64,
    script: VecDeque<(u64, Event)>,
    recorded: Vec<RecordedLine>,
    stubs: Stubs,
    library: Library,
    connections: Connections,
    flights: Vec<Flight>,
    /// What the library asks instead, after a redirect, for calls under way.
    redirected: Vec<Sent>,
    construct: Construct,
    got: Vec<Told>,
}

impl RealDriver {
    pub(super) fn new(
        header: &ClientHeader,
        trace: RealTrace,
        mut names: Names,
    ) -> Result<Self, Refusal> {
        let kind = header.transport;
        if !Library::IMITATED.contains(&kind) {
            let name = kind.name();
            return Err(Refusal::Skip(format!("nobody measured what {name} puts on the wire")));
        }
        let Settings { profile, allow_redirects, .. } = Settings::of(header, &mut names)?;
        let own_zone = (0..header.servers).collect();
        let endpoints = Endpoints { own_zone, in_given_order: true, ..Endpoints::default() };
        Ok(Self {
            process: Process::new(profile, endpoints, NoDraws, header.epoch_ms, &mut names),
            names,
            epoch: header.epoch_ms,
            until: header.until,
            tolerance: header.tolerance,
            script: trace.script,
            recorded: trace.recorded,
            stubs: Stubs::new(header.servers),
            library: Library { kind, allow_redirects },
            connections: Connections::default(),
            flights: Vec::new(),
            redirected: Vec::new(),
            construct: Construct::default(),
            got: Vec::new(),
        })
    }

    pub(super) fn run(mut self) -> Replayed {
        let most = 1_000 + super::driver::MOST_LINES * self.recorded.len();
        let last = self.until.saturating_add(self.tolerance);
        // A client may be busy without a word.
        for _ in 0..super::driver::MOST_STEPS * most {
            if self.got.len() >= most {
                break;
            }
            let scripted = self.script.front().map(|(at, _)| *at);
            let flight =
                self.flights.iter().enumerate().map(|(place, flight)| (flight.ends, place));
            let (ends, place) = flight.min().map_or((None, 0), |(at, place)| (Some(at), place));
            let next = [scripted, ends, self.process.next_wake()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= last) else {
                break;
            };
            self.process.now = self.process.now.max(next);
            let due = |at: Option<u64>| at.is_some_and(|at| at <= self.process.now);
            if due(scripted) {
                self.script();
            } else if due(ends) {
                let flight = self.flights.remove(place);
                self.land(flight);
            } else {
                let effects = self.process.run(|client, cx| _ = client.wake_one(cx));
                self.apply(effects);
            }
        }
        compare(self.recorded, self.got, self.tolerance, self.until)
    }

    /// The next line of the script.
    fn script(&mut self) {
        match self.script.pop_front() {
            None => {}
            Some((_, Event::Stub(server, word))) => {
                self.stubs.hear(server, &word, &mut self.names);
            }
            Some((_, Event::Act(Act::Construct(construct)))) => {
                self.construct = construct;
                let effects = self.process.start();
                self.apply(effects);
            }
            Some((_, Event::Act(act))) => {
                let effects = self.process.perform(act);
                self.apply(effects);
            }
        }
    }

    fn apply(&mut self, effects: Vec<Effect>) {
        let mut constructed = false;
        for effect in effects {
            match effect {
                Effect::Send { job, worker, server, request, again } => {
                    self.sent(job, worker, server, &request, again);
                }
                Effect::View { old, .. } => self.process.views.release(old),
                Effect::Event(event) => {
                    constructed |= event == ClientEvent::Constructed(Which::First);
                    self.event(event);
                }
                // No stub sees what is not sent.
                Effect::Unsent { .. } | Effect::LocalStatus { .. } => {}
                Effect::Constructed | Effect::Exited => {}
            }
        }
        if constructed {
            let Construct { health, then, health_twice } = self.construct;
            let attach = |wanted: bool| wanted.then_some(Act::RegisterHealth);
            let acts = [attach(health), then.map(Act::SetStatus), attach(health_twice)];
            for act in acts.into_iter().flatten() {
                let effects = self.process.perform(act);
                self.apply(effects);
            }
        }
    }

    /// Some events are recorded, with the reason of a failure.
    fn event(&mut self, event: ClientEvent) {
        if event == ClientEvent::TransportShutdown && self.library.aborts_when_closed() {
            for flight in &mut self.flights {
                flight.ends = self.process.now;
                flight.end = End::Told(Outcome::Failed(AttemptFailure::Aborted));
            }
        }
        let why = match event {
            ClientEvent::Constructed(Which::First)
            | ClientEvent::ConstructFailed(_)
            | ClientEvent::CacheRefreshed
            | ClientEvent::SupervisorTimeout(_)
            | ClientEvent::ShutdownReturned(Which::First) => None,
            ClientEvent::FetchFailed(failure)
            | ClientEvent::HeartbeatFailed(failure)
            | ClientEvent::RegisterFailed(failure)
            | ClientEvent::ReplicatorFailed(failure)
            | ClientEvent::CancelFailed(failure) => Some(failure.message()),
            _ => return,
        };
        let mut line = json!({"event": render::event(event)});
        if let Some(why) = why {
            line["why"] = json!(format!("com.netflix.discovery.shared.transport.{why}"));
        }
        self.got.push(Told { at: self.process.now, line });
    }

    fn sent(&mut self, job: JobId, worker: Worker, server: u16, request: &Request, again: bool) {
        let redirected = self.redirected.iter().position(|sent| sent.job == job);
        let redirected = redirected.map(|place| self.redirected.swap_remove(place));
        if let Some(sent) = redirected.filter(|_| again) {
            // The library repeats what the redirect made of the request.
            self.redirected.push(sent.clone());
            self.put(sent);
            return;
        }
        let Some(client) = &self.process.client else {
            return;
        };
        let render =
            Render { names: &self.names, epoch: self.epoch, regions: None, shows_lease: false };
        let mut line = render.request(client, worker, server, request);
        if let Some(fields) = line.as_object_mut() {
            for unseen in ["by", "local-status"] {
                fields.shift_remove(unseen);
            }
        }
        self.library.dress(&mut line);
        let fetches = matches!(request, Request::Get(_));
        self.put(Sent { job, line, hops: 0, fetches });
    }

    /// A request goes on the wire and arrives.
    fn put(&mut self, mut sent: Sent) {
        let now = self.process.now;
        let of = |field: &str| sent.line[field].as_str().unwrap_or_default();
        let Some(server) = server(of("server")) else {
            return;
        };
        let dirty = sent.line["dirty"].as_i64();
        let dirty = dirty.or_else(|| sent.line["query"]["lastDirtyTimestamp"].as_i64());
        let asked = Asked { server, method: of("method"), path: of("path"), dirty };
        let answer = self.stubs.answer(asked);
        let client = self.process.jobs.endpoint_client(sent.job);
        let (connection, kept) = self.connections.take(now, self.library.kind, client, server);
        sent.line["on-connection"] = json!(if kept { "kept" } else { "new" });
        let (ends, end) = match answer {
            Some(answer) => {
                let mut line = sent.line.clone();
                answer.show(&mut line);
                self.got.push(Told { at: now, line: json!({ "request": line }) });
                self.end(&sent, answer)
            }
            // A redirect to where nobody is.
            None => (ROUND_TRIP, End::Told(Outcome::Failed(AttemptFailure::Refused))),
        };
        let ends = now.saturating_add(ends);
        self.flights.push(Flight { ends, sent, connection, end });
    }

    /// How a request ends for the library, and after how long (ns).
    fn end(&self, sent: &Sent, answer: StubAnswer) -> (u64, End) {
        let failed = |failure| End::Told(Outcome::Failed(failure));
        let read_timeout = self.process.profile.read_timeout().nanos();
        let takes = ROUND_TRIP.saturating_add(answer.delay);
        let code = match answer.end {
            StubEnd::Closed => return (takes, failed(AttemptFailure::Reset)),
            StubEnd::NoAnswer => return (read_timeout, failed(AttemptFailure::ReadTimeout)),
            StubEnd::Code(_) if takes >= read_timeout => {
                return (read_timeout, failed(AttemptFailure::ReadTimeout));
            }
            StubEnd::Code(code) => code,
        };
        let follows =
            answer.location.clone().filter(|_| code == 302).zip(self.library.follows(sent.hops));
        let end = match follows {
            Some((location, true)) => End::Follow(location),
            Some((_, false)) => failed(AttemptFailure::Aborted),
            None => {
                let location = answer.location.filter(|location| location.is_of_eureka);
                End::Told(Outcome::Answered {
                    code,
                    body: (sent.fetches && code == 200).then_some(answer.content),
                    error_body: answer.page,
                    location: location.map(|location| location.server),
                })
            }
        };
        (takes, end)
    }

    /// A request ends, or the library asks on.
    fn land(&mut self, flight: Flight) {
        let Flight { sent, connection, end, .. } = flight;
        let now = self.process.now;
        match end {
            End::Told(outcome) => {
                match &outcome {
                    Outcome::Answered { .. } => self.connections.give_back(now, connection),
                    Outcome::Failed(_) => self.connections.close(connection),
                }
                let effects = self.process.run(|client: &mut ClientProcess, cx| {
                    client.ended(cx, sent.job, outcome);
                });
                self.apply(effects);
            }
            End::Follow(location) => {
                if self.library.closes_redirected() {
                    self.connections.close(connection);
                } else {
                    self.connections.give_back(now, connection);
                }
                let line = self.library.redirected(&sent.line, &location);
                let next = Sent { line, hops: sent.hops + 1, ..sent };
                self.redirected.retain(|other| other.job != next.job);
                self.redirected.push(next.clone());
                self.put(next);
            }
        }
    }
}
