//! An entry of a story in words: what happened, by which rule, and with which numbers.

use serde_json::{Map, Value, json};

use super::names::Names;
use crate::eureka::InstanceStatus;
use crate::eureka::client::ClientEvent;
use crate::eureka::server::peer::{Dropped, TaskAction};
use crate::eureka::server::rules::Rule;
use crate::eureka::server::{Decision, Kept};
use crate::observe::{Eviction, LeaseTimes, Seen, StoryEvent, Unheard, What};
use crate::time::Instant;

/// `InstanceInfoReplicator.burstSize`
const BURST_SIZE: i64 = 2;

/// An entry in words.
pub(super) struct Words {
    /// Its kind.
    pub(super) what: &'static str,
    /// What decided.
    pub(super) rule: Option<&'static str>,
    /// The sentence.
    pub(super) text: String,
    /// The numbers in it.
    pub(super) numbers: Map<String, Value>,
}

/// The class of a rule.
pub(super) const fn rule_name(rule: Rule) -> &'static str {
    match rule {
        Rule::DownOrStarting => "DownOrStartingRule",
        Rule::OverrideExists => "OverrideExistsRule",
        Rule::LeaseExists => "LeaseExistsRule",
        Rule::AlwaysMatch => "AlwaysMatchInstanceStatusRule",
    }
}

/// What a rule says.
pub(super) const fn rule_sentence(rule: Rule) -> &'static str {
    match rule {
        Rule::DownOrStarting => "DOWN, STARTING and UNKNOWN are believed",
        Rule::OverrideExists => "an override goes before what is brought",
        Rule::LeaseExists => "what is registered as UP or OUT_OF_SERVICE stays so",
        Rule::AlwaysMatch => "what is brought is believed",
    }
}

struct Writer<'a> {
    names: &'a Names,
    event: &'a StoryEvent,
    numbers: Map<String, Value>,
}

/// An entry in words.
pub(super) fn words(event: &StoryEvent, names: &Names) -> Words {
    let mut writer = Writer { names, event, numbers: Map::new() };
    let (what, rule, text) = writer.of_what();
    Words { what, rule, text, numbers: writer.numbers }
}

impl Writer<'_> {
    fn of_what(&mut self) -> (&'static str, Option<&'static str>, String) {
        let plain = |what, text: String| (what, None, text);
        match &self.event.what {
            What::Started(0) => plain("started", "its process starts".to_owned()),
            What::Started(generation) => {
                self.put("generation", *generation);
                plain(
                    "started",
                    format!("its process starts anew, for the {}", nth(*generation + 1)),
                )
            }
            What::Exited => plain("exited", "its process has ended".to_owned()),
            What::Script(what) => plain(what, script(what)),
            What::SetStatus(status) => {
                self.put("status", status.name());
                plain("set-status", format!("its application is told to be {status}"))
            }
            What::SetHealth(answer, takes) => {
                self.put("answer", answer.name());
                let after = match takes.is_zero() {
                    true => String::new(),
                    false => format!(", {takes} after it is asked"),
                };
                plain("set-health", format!("its health check answers {}{after}", answer.name()))
            }
            What::StepClock(by) => {
                self.put("by_ms", by / 1_000_000);
                plain("step-clock", format!("its wall clock jumps by {} ms", by / 1_000_000))
            }
            What::SkewClock(ppm) => {
                self.put("ppm", *ppm);
                plain("skew-clock", format!("its wall clock runs fast by {ppm} ppm"))
            }
            What::Configured(key) => plain("set-config", format!("its `{key}` is set")),
            What::OwnStatus { status, dirty, tokens } => {
                let dirty = self.names.since_start(*dirty);
                self.put("status", status.name());
                self.put("dirty", dirty);
                let left = self.tokens(*tokens);
                plain("own-status", format!("calls itself {status}, timestamp {dirty}{left}"))
            }
            What::Client { event, tokens } => {
                let what = client_name(*event);
                let left = match event {
                    ClientEvent::OnDemandRateLimited => self.tokens(*tokens),
                    _ => String::new(),
                };
                (what, client_rule(*event), self.times(client_text(*event) + &left))
            }
            What::Unheard { to, request, outcome } => {
                let to = self.host("to", *to);
                let outcome = self.outcome(*outcome);
                plain("unheard", self.times(format!("its {request} to {to}: {outcome}")))
            }
            What::Registered { status, decision, replica, lease } => {
                self.registered(*status, *decision, *replica, *lease)
            }
            What::Refused(code) => {
                self.put("code", *code);
                plain("refused", self.times(format!("its registration is answered {code}")))
            }
            What::Heartbeat { code, dirty, stored, compares, lease } => {
                self.heartbeat(*code, *dirty, *stored, *compares, *lease)
            }
            What::Renewed { lease } => {
                let lease = self.lease(*lease, 2);
                let what = self.heartbeats("passed on by a peer");
                plain("renewed", format!("{what}{lease}"))
            }
            What::Answered { from, action, code, dirty, stored } => {
                self.answered(self.names.host(*from), *action, *code, (*dirty, *stored))
            }
            What::Deleted { replica } => {
                self.put("replica", *replica);
                let by = if *replica { "a DELETE passed on by a peer" } else { "its DELETE" };
                plain("deleted", format!("{by} takes it off the registry"))
            }
            What::NothingToDelete(code) => {
                self.put("code", *code);
                plain("delete-refused", format!("its DELETE is answered {code}: it is not there"))
            }
            What::Evict(eviction) => self.evict(eviction),
            What::StatusSet(status, rule) => {
                self.put("status", status.name());
                let text = match rule {
                    None => format!("its status is set to {status} by a request"),
                    Some(rule) => {
                        format!("a renewal makes it {status}: {}", rule_sentence(*rule))
                    }
                };
                ("status-set", rule.map(rule_name), text)
            }
            What::Override(set, stored) => {
                let now = stored.map_or_else(String::new, |status| format!(": it is {status} now"));
                match set {
                    Some(status) => {
                        self.put("status", status.name());
                        plain("override-set", format!("the override {status} is stored{now}"))
                    }
                    None => plain("override-deleted", format!("the override is deleted{now}")),
                }
            }
            What::Operator(request, code) => {
                self.put("request", request.as_str());
                self.put("code", *code);
                plain("operator", format!("an operator asks for {request}, answered {code}"))
            }
            What::Told { to, action, status, dirty } => {
                let to = self.host("to", *to);
                self.put("action", action.name());
                let status = status.map_or_else(String::new, |status| format!(" {status}"));
                let dirty = dirty.map(|dirty| self.names.since_start(dirty));
                if let Some(dirty) = dirty {
                    self.put("dirty", dirty);
                }
                let dirty = dirty.map_or_else(String::new, |dirty| format!(", timestamp {dirty}"));
                let text = format!("sends {to}: {}{status}{dirty}", action.name());
                plain("told", self.times(text))
            }
            What::BatchLost { to, outcome } => {
                let to = self.host("to", *to);
                let outcome = self.outcome(*outcome);
                plain("batch-lost", self.times(format!("a batch with it to {to}: {outcome}")))
            }
            What::Dropped { to, action, why } => {
                let to = self.host("to", *to);
                self.put("action", action.name());
                self.put("why", why.name());
                let why = dropped(*why);
                let text = format!("{to} is never told: {} is given up, {why}", action.name());
                plain("task-dropped", self.times(text))
            }
            What::Adopted { from, stored } => {
                let from = self.host("from", *from);
                let stored = self.stored(*stored);
                plain("adopted", format!("takes the newer copy that {from} sent back: {stored}"))
            }
            What::Server(word) => plain("server", (*word).to_owned()),
            What::Sees(seen) => self.sees(*seen),
            What::Fault(what, entry) => {
                let entry = self.names.entry(*entry).to_owned();
                let text = match what {
                    Some(what) if *what == entry => format!("{what} begins"),
                    Some(what) => format!("{what} begins (`{entry}`)"),
                    None => format!("`{entry}` is over"),
                };
                plain(if what.is_some() { "fault" } else { "healed" }, text)
            }
        }
    }

    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.numbers.insert(key.to_owned(), value.into());
    }

    fn host(&mut self, key: &str, host: crate::sim::HostId) -> String {
        let name = self.names.host(host);
        self.put(key, name.as_str());
        name
    }

    /// A sentence, and how often it was true.
    fn times(&self, text: String) -> String {
        match self.event.count {
            1 => text,
            count => format!("{text} ({count} times, until {})", self.event.last),
        }
    }

    fn tokens(&mut self, tokens: Option<i64>) -> String {
        let Some(tokens) = tokens else {
            return String::new();
        };
        self.put("tokens", tokens);
        format!("; rate limiter {tokens}/{BURST_SIZE}")
    }

    fn outcome(&mut self, outcome: Unheard) -> String {
        match outcome {
            Unheard::Code(code) => {
                self.put("code", code);
                format!("answered {code}, not executed")
            }
            Unheard::Failed(failure) => {
                let text = failure.name();
                self.put("outcome", text);
                format!("no answer ({text})")
            }
        }
    }

    fn stored(&mut self, stored: Option<(InstanceStatus, i64)>) -> String {
        let Some((status, dirty)) = stored else {
            return "nothing".to_owned();
        };
        let dirty = self.names.since_start(dirty);
        self.put("stored", json!({"status": status.name(), "dirty": dirty}));
        format!("{status}, timestamp {dirty}")
    }

    /// `; lease until 11m00s, 2 × 90s later`: so many durations after it was made or renewed; 0 if it was
    /// not now.
    fn lease(&mut self, lease: Option<LeaseTimes>, durations: u8) -> String {
        let Some(lease) = lease else {
            return String::new();
        };
        self.put("lease_ends", self.names.since_start(lease.end()));
        self.put("lease_ms", lease.duration);
        let end = self.names.end_of(lease);
        let duration = u64::try_from(lease.duration).ok().filter(|ms| *ms < u64::MAX / 1_000_000);
        let duration = duration.map(|ms| match ms % 1000 {
            0 => format!("{}s", ms / 1000),
            _ => format!("{ms}ms"),
        });
        match (durations, duration) {
            (1, Some(duration)) => format!("; lease until {end}, {duration} later"),
            (2, Some(duration)) => format!("; lease until {end}, 2 × {duration} later"),
            _ => format!("; lease until {end}"),
        }
    }

    fn registered(
        &mut self,
        status: InstanceStatus,
        decision: Decision,
        replica: bool,
        lease: Option<LeaseTimes>,
    ) -> (&'static str, Option<&'static str>, String) {
        let Decision { brought: (own, dirty), stored, kept, rule } = decision;
        let dirty = self.names.since_start(dirty);
        self.put("status", status.name());
        self.put("brought", json!({"status": own.name(), "dirty": dirty}));
        self.put("replica", replica);
        let who = if replica { "a peer registers it as" } else { "it registers as" };
        let body = match stored {
            None => String::from(", nothing was stored"),
            Some(_) => {
                let before = self.stored(stored);
                let than = match kept {
                    Kept::Stored => "newer: kept instead",
                    Kept::BroughtWithStoredTimestamp => "newer: its timestamp on the brought body",
                    Kept::Brought
                        if decision.stored.is_some_and(|(_, of)| of == decision.brought.1) =>
                    {
                        "equal: the brought body is kept"
                    }
                    Kept::Brought => "older: the brought body is kept",
                };
                format!("; stored was {before}, {than}")
            }
        };
        self.put(
            "kept",
            match kept {
                Kept::Brought => "brought",
                Kept::Stored => "stored",
                Kept::BroughtWithStoredTimestamp => "brought-with-stored-timestamp",
            },
        );
        let becomes = match kept {
            _ if status == own => String::new(),
            Kept::Stored if stored.is_some_and(|(of, _)| of == status) => {
                format!("; it stays {status}")
            }
            _ => format!("; it is {status}: {}", rule_sentence(rule)),
        };
        let lease = self.lease(lease, 1);
        let text = format!("{who} {own}, timestamp {dirty}{body}{becomes}{lease}");
        let text = match self.event.count {
            1 => text,
            count => format!("{text} (the last of {count}, at {})", self.event.last),
        };
        ("registered", Some(rule_name(rule)), text)
    }

    /// `27 heartbeats until 18m30s`, `a heartbeat`
    fn heartbeats(&self, answered: &str) -> String {
        match self.event.count {
            1 => format!("a heartbeat {answered}"),
            count => format!("{count} heartbeats {answered}, until {}", self.event.last),
        }
    }

    fn heartbeat(
        &mut self,
        code: u16,
        dirty: Option<i64>,
        stored: Option<(InstanceStatus, i64)>,
        compares: bool,
        lease: Option<LeaseTimes>,
    ) -> (&'static str, Option<&'static str>, String) {
        self.put("code", code);
        let own = dirty.map(|dirty| self.names.since_start(dirty));
        let known = stored.map(|(_, dirty)| self.names.since_start(dirty));
        if let Some(own) = own {
            self.put("dirty", own);
        }
        if stored.is_some() {
            let _ = self.stored(stored);
        }
        let (rule, why) = match (own, known, stored) {
            (_, None, _) => ("no-lease", "it is not in the registry".to_owned()),
            (_, Some(_), Some((InstanceStatus::Unknown, _))) if code == 404 => {
                ("unknown-status", "the registry has it as UNKNOWN".to_owned())
            }
            (None, ..) => ("no-timestamp", "it brings no timestamp".to_owned()),
            (Some(own), Some(known), _) if !compares => {
                ("not-compared", format!("timestamps {own} and {known} are not compared"))
            }
            (Some(own), Some(known), _) if own == known => {
                ("same-timestamp", format!("client's timestamp {own} = registry's {known}"))
            }
            (Some(own), Some(known), _) if own > known => {
                ("client-newer", format!("client's timestamp {own} > registry's {known}"))
            }
            (Some(own), Some(known), _) => {
                let text =
                    format!("client's timestamp {own} < registry's {known}, and is not told");
                ("registry-newer", text)
            }
        };
        // One whose status comes out as UNKNOWN renews nothing.
        let lease = self.lease(lease, if rule == "unknown-status" { 0 } else { 2 });
        let answered = self.heartbeats(&format!("answered {code}"));
        ("heartbeat", Some(rule), format!("{answered} ({why}){lease}"))
    }

    fn answered(
        &mut self,
        from: String,
        action: TaskAction,
        code: u16,
        (dirty, stored): (Option<i64>, Option<i64>),
    ) -> (&'static str, Option<&'static str>, String) {
        self.put("from", from.as_str());
        self.put("action", action.name());
        self.put("code", code);
        let numbers = dirty
            .zip(stored)
            .map(|(dirty, stored)| (self.names.since_start(dirty), self.names.since_start(stored)));
        let (rule, why) = match (numbers, code) {
            (Some((dirty, stored)), 409) => {
                ("replica-older", format!(" ({from}'s timestamp {dirty} < its own {stored})"))
            }
            (Some((dirty, stored)), 404) if dirty > stored => {
                ("client-newer", format!(" ({from}'s timestamp {dirty} > its own {stored})"))
            }
            (_, 404) => ("no-lease", " (it is not in the registry)".to_owned()),
            _ => ("refused", String::new()),
        };
        if let Some((dirty, stored)) = numbers {
            self.put("dirty", dirty);
            self.put("stored_dirty", stored);
        }
        let text = format!("{} from {from} answered {code}{why}", action.name());
        ("replica-answered", Some(rule), self.times(text))
    }

    fn evict(&mut self, eviction: &Eviction) -> (&'static str, Option<&'static str>, String) {
        let Eviction { rank, expired, limit, enabled, renews: (renews, threshold), ended } =
            *eviction;
        self.put("expired", expired);
        self.put("limit", limit);
        self.put("renews", renews);
        self.put("threshold", threshold);
        if let Some(rank) = rank {
            self.put("rank", rank);
        }
        let since = ended.map_or_else(String::new, |ended| {
            self.put("lease_ends", self.names.since_start(ended));
            format!(" at {}", self.names.wall(ended))
        });
        let lease = format!("its lease expired{since}");
        match rank {
            Some(rank) => {
                let rank = nth(u32::try_from(rank).unwrap_or(u32::MAX));
                let drawn =
                    format!("evicted, drawn as {rank} of limit {limit} out of {expired} expired");
                ("evicted", Some("eviction-lottery"), format!("{lease}: {drawn}"))
            }
            None if !enabled => {
                let runs = match self.event.count {
                    1 => String::new(),
                    count => format!(", in {count} runs until {}", self.event.last),
                };
                let why = format!("self-preservation, renews {renews} ≤ threshold {threshold}");
                (
                    "not-evicted",
                    Some("self-preservation"),
                    format!("{lease}, not evicted{runs}: {why}"),
                )
            }
            None => {
                let text =
                    format!("{lease}, not drawn: {limit} of {expired} expired may be evicted");
                ("not-evicted", Some("eviction-lottery"), self.times(text))
            }
        }
    }

    fn sees(&mut self, seen: Seen) -> (&'static str, Option<&'static str>, String) {
        let status = seen_name(seen);
        self.put("status", status);
        let text = match (self.event.place, seen) {
            (crate::observe::Place::Others, seen) => {
                let sees = match seen {
                    Seen::Status(status) => format!("see it as {status}"),
                    _ => "see it no more".to_owned(),
                };
                match self.event.count {
                    1 => format!("one of them: {sees}").replace("see it", "sees it"),
                    count => format!("{count} of them {sees}, the last at {}", self.event.last),
                }
            }
            (_, Seen::Status(status)) => format!("sees it as {status}"),
            _ => "sees it no more".to_owned(),
        };
        ("sees", None, text)
    }
}

/// `UP`, `ABSENT`, `-`
pub(super) const fn seen_name(seen: Seen) -> &'static str {
    match seen {
        Seen::Nobody => "not running",
        Seen::Absent => "ABSENT",
        Seen::Status(status) => status.name(),
    }
}

fn script(what: &str) -> String {
    match what {
        "kill" => "its process is killed".to_owned(),
        "stop" => "its process is asked to stop".to_owned(),
        "pause" => "its process is frozen".to_owned(),
        "resume" => "its process goes on".to_owned(),
        "set-metadata" => "its metadata changes".to_owned(),
        "remove" => "it does not belong to its application any more".to_owned(),
        "replace" => "another is to take its place".to_owned(),
        other => other.to_owned(),
    }
}

/// `2nd time`
fn nth(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

const fn dropped(why: Dropped) -> &'static str {
    match why {
        Dropped::Expired => "too old",
        Dropped::Overflow => "there is no room for it",
        Dropped::Overridden => "a newer one takes its place",
        Dropped::PermanentError => "its batch was refused",
    }
}

fn client_name(event: ClientEvent) -> &'static str {
    event.notable().unwrap_or("client")
}

const fn client_rule(event: ClientEvent) -> Option<&'static str> {
    match event {
        ClientEvent::OnDemandRateLimited => Some("rate-limiter"),
        _ => None,
    }
}

fn client_text(event: ClientEvent) -> String {
    match event {
        ClientEvent::HealthException => "its health check throws: DOWN".to_owned(),
        ClientEvent::OnDemandRateLimited => {
            "no token for this change: it waits for the next periodic run or heartbeat".to_owned()
        }
        ClientEvent::RemoteStatus(from, to) => {
            format!("it reads of itself {to} in the registry ({from} before)")
        }
        ClientEvent::SupervisorTimeout(_) => {
            "its heartbeat is interrupted: it did not end in its period".to_owned()
        }
        ClientEvent::SupervisorRejected(_) => "no thread is free for its heartbeat".to_owned(),
        ClientEvent::HeartbeatFailed(why) => format!("its heartbeat fails: {}", why.message()),
        ClientEvent::RegisterFailed(why) => format!("its registration fails: {}", why.message()),
        ClientEvent::CancelFailed(why) => format!("its DELETE fails: {}", why.message()),
        ClientEvent::ConstructFailed(why) => format!("its client is not made: {}", why.message()),
        event => client_name(event).to_owned(),
    }
}

/// Whether an entry is to be told: of a server that was named, and of the process.
pub(super) fn is_told(event: &StoryEvent, server: Option<crate::sim::HostId>) -> bool {
    use crate::observe::Place;
    match (event.place, server) {
        (_, None) | (Place::Process, _) => true,
        (Place::Server(of), Some(server)) => of == server,
        _ => false,
    }
}

/// When an entry is over, if it is more than one event.
pub(super) fn until(event: &StoryEvent) -> Option<Instant> {
    (event.count > 1).then_some(event.last)
}
