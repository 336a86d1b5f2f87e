//! What is wrong with an instance, since when, why, and what would end it: one paragraph.

use super::names::{Names, about, time};
use super::words::{rule_name, seen_name, words};
use crate::eureka::InstanceStatus;
use crate::eureka::server::Kept;
use crate::eureka::server::peer::TaskAction;
use crate::observe::{Class, Eviction, Finding, Mechanism, Place, Seen, StoryEvent, What};
use crate::scenario::Plan;
use crate::sim::HostId;
use crate::study::explain::{AtServer, Cure, Explanation, FUTURE};
use crate::time::{Instant, Span};

/// The paragraph.
pub(super) fn verdict(explained: &Explanation, plan: &Plan, names: &Names) -> String {
    let teller = Teller { explained, plan, names };
    let mut text = teller.state();
    match explained.main() {
        None => {
            text += " Nothing is wrong with it at any server";
            text += if explained.servers.iter().all(|at| at.seen == Seen::Nobody) {
                ", of which none runs."
            } else {
                ": there is nothing to cure."
            };
            text += &teller.stale_views();
        }
        Some(finding) => {
            text += &teller.wrong(finding);
            text += &teller.why(finding);
            text += &teller.evidence(finding.server);
            text += &teller.unheard(finding);
            text += &teller.cures();
        }
    }
    text
}

struct Teller<'a> {
    explained: &'a Explanation,
    plan: &'a Plan,
    names: &'a Names,
}

impl Teller<'_> {
    /// `At 30m00s ORDERS/0 is DOWN at eureka-0 since 5m00.002s; its own process says UP.`
    fn state(&self) -> String {
        let name = self.plan.setup.names.full(self.explained.key);
        let mut groups: Vec<(Seen, Vec<&AtServer>)> = Vec::new();
        for at in &self.explained.servers {
            match groups.iter_mut().find(|(seen, _)| *seen == at.seen) {
                Some((_, of)) => of.push(at),
                None => groups.push((at.seen, vec![at])),
            }
        }
        groups.sort_by_key(|(seen, _)| match seen {
            Seen::Status(_) => 0,
            Seen::Absent => 1,
            Seen::Nobody => 2,
        });
        let group = |(number, (seen, of)): (usize, &(Seen, Vec<&AtServer>))| {
            let places = self.places(of);
            let it = if number == 0 { name.as_str() } else { "it" };
            match seen {
                Seen::Nobody => {
                    let names: Vec<String> =
                        of.iter().map(|at| self.names.host(at.server)).collect();
                    format!("{} {} not run", some_of(&names), does(of.len()))
                }
                Seen::Absent => format!("{it} is unknown to {places}"),
                Seen::Status(status) => format!("{it} is {status} at {places}"),
            }
        };
        let said: Vec<String> = groups.iter().enumerate().map(group).collect();
        let is_named = groups.first().is_some_and(|(seen, _)| *seen != Seen::Nobody);
        let whose = if is_named { "its".to_owned() } else { format!("{name}'s") };
        let own = match (self.explained.own, self.explained.ran) {
            (Some(status), _) => format!("{whose} own process says {status}"),
            (None, true) => format!("{whose} process does not run"),
            (None, false) => "no process of this run is it".to_owned(),
        };
        let said = if said.is_empty() { "there is no server".to_owned() } else { said.join(", ") };
        format!("At {} {said}; {own}.", time(self.explained.at))
    }

    /// `eureka-0 and eureka-1 since 5m00.504s`; each with its own time if these are far apart.
    fn places(&self, of: &[&AtServer]) -> String {
        const FEW: usize = 3;
        let name = |at: &AtServer| self.names.host(at.server);
        let times = || of.iter().filter_map(|at| at.since);
        let (Some(first), Some(last)) = (times().min(), times().max()) else {
            return some_of(&of.iter().map(|at| name(at)).collect::<Vec<_>>());
        };
        if last == first {
            let names: Vec<String> = of.iter().map(|at| name(at)).collect();
            return format!("{} since {}", some_of(&names), time(first));
        }
        if of.len() > FEW {
            let names: Vec<String> = of.iter().map(|at| name(at)).collect();
            return format!("{} since {} to {}", some_of(&names), time(first), time(last));
        }
        let with_time = |at: &&AtServer| {
            let since =
                at.since.map_or_else(String::new, |since| format!(" since {}", time(since)));
            name(at) + &since
        };
        some_of(&of.iter().map(with_time).collect::<Vec<_>>())
    }

    /// `Its application means UP: it is stuck-down, for 14m00s.`
    fn wrong(&self, finding: &Finding) -> String {
        let (since, at) = (finding.since, self.explained.at);
        let bound = self.plan.observe.stuck_after;
        let for_long = match at.since(since) {
            span if span < bound && self.explained.own.is_some() => format!(
                ", for {} so far (a healthy cluster may take up to {})",
                about(span),
                about(bound)
            ),
            span => format!(", for {}", about(span)),
        };
        let meant = self.explained.meant.unwrap_or(InstanceStatus::Up);
        match finding.class {
            Class::Stuck(_) if self.explained.own.is_some() => {
                format!(" Its application means {meant}: it is {}{for_long}.", finding.class.name())
            }
            Class::Stuck(_) | Class::UpButDead => {
                format!(" A lease without a process: {}{for_long}.", finding.class.name())
            }
            Class::AliveButMissing => {
                let server = self.names.host(finding.server);
                format!(" It runs and {server} does not have it: alive-but-missing{for_long}.")
            }
            Class::DivergedBetweenPeers => {
                format!(" The servers do not agree: diverged-between-peers{for_long}.")
            }
        }
    }

    fn why(&self, finding: &Finding) -> String {
        match finding.mechanism {
            None => " No known mechanism explains it.".to_owned(),
            Some(mechanism) => mechanism_text(mechanism),
        }
    }

    /// What made it so at a server, and what heartbeats are answered since.
    fn evidence(&self, server: HostId) -> String {
        let here = |event: &&StoryEvent| event.place == Place::Server(server);
        let events = &self.explained.events;
        let name = self.names.host(server);
        let decides = |event: &&StoryEvent| {
            matches!(
                event.what,
                What::Registered { .. }
                    | What::Override(..)
                    | What::StatusSet(..)
                    | What::Adopted { .. }
                    | What::Deleted { .. }
                    | What::Evict(Eviction { rank: Some(_), .. })
            )
        };
        let last = events.iter().filter(here).filter(decides).max_by_key(|event| event.last);
        let mut text = last.map_or_else(String::new, |event| self.decisive(event, &name));
        let given_up = events.iter().rfind(|event| match &event.what {
            What::Dropped { to, action, .. } => *to == server && *action != TaskAction::Heartbeat,
            _ => false,
        });
        if let Some(StoryEvent { at, place, what: What::Dropped { action, .. }, .. }) = given_up {
            let (at, from) = (time(*at), self.names.place(*place));
            text += &format!(" At {at} {from} gave up telling it: {}.", action.name());
        }
        let since = last.map_or(Instant::ZERO, |event| event.last);
        let heartbeat =
            events.iter().filter(here).rfind(|event| matches!(event.what, What::Heartbeat { .. }));
        if let Some(StoryEvent { last, count, what, .. }) = heartbeat
            && let What::Heartbeat { code: 200, dirty: Some(own), stored: Some((_, known)), .. } =
                what
            && self.explained.own.is_some()
            && *last >= since
        {
            let (own, known) = (self.names.since_start(*own), self.names.since_start(*known));
            let sign = match own.cmp(&known) {
                std::cmp::Ordering::Less => "<",
                std::cmp::Ordering::Equal => "=",
                std::cmp::Ordering::Greater => ">",
            };
            let beats = if *count == 1 {
                "heartbeat was".to_owned()
            } else {
                format!("{count} heartbeats were")
            };
            text += &format!(
                " Its last {beats} answered 200 (its timestamp {own} {sign} the registry's {known}; \
                 the last at {}), so it does not register again.",
                time(*last)
            );
        }
        let evict = events.iter().filter(here).rfind(|event| matches!(event.what, What::Evict(_)));
        if let Some(StoryEvent { what: What::Evict(evict), .. }) = evict
            && evict.rank.is_none()
            && !evict.enabled
        {
            let (renews, threshold) = evict.renews;
            text += &format!(
                " Its lease has expired, and self-preservation keeps it: {renews} renewals a minute \
                 are not above the threshold of {threshold}."
            );
        }
        text
    }

    /// Which requests of it came to nothing, where that is the reason.
    fn unheard(&self, finding: &Finding) -> String {
        use Mechanism as M;
        let is_reason = matches!(
            finding.mechanism,
            Some(
                M::PostBroken
                    | M::LeadingCorpses
                    | M::InterruptedWorker
                    | M::NeverRegisters
                    | M::DeleteNeverEffective
            )
        );
        let unheard = self.explained.events.iter().filter(|event| {
            matches!(event.what, What::Unheard { .. }) && event.last >= finding.since
        });
        let Some(event) = unheard.max_by_key(|event| event.last).filter(|_| is_reason) else {
            return String::new();
        };
        format!(" In vain: {}.", words(event, self.names).text)
    }

    /// What made it what it is.
    fn decisive(&self, event: &StoryEvent, server: &str) -> String {
        let at = time(event.last);
        match &event.what {
            What::Registered { status, decision, .. } => {
                let (own, dirty) = decision.brought;
                let dirty = self.names.since_start(dirty);
                let kept = match (decision.kept, decision.stored) {
                    (Kept::Stored, Some((stored, of))) => {
                        let of = self.names.since_start(of);
                        format!(", and the stored {stored} of {of}, which is newer, was kept")
                    }
                    (Kept::BroughtWithStoredTimestamp, _) => {
                        ", and got the newer timestamp of the stored one".to_owned()
                    }
                    _ => String::new(),
                };
                let rule = rule_name(decision.rule);
                format!(
                    " The last registration at {server}, at {at}, brought {own} with timestamp \
                     {dirty}{kept}; {rule} made it {status}."
                )
            }
            What::Override(Some(status), _) => {
                format!(" The override {status} was stored at {server} at {at}.")
            }
            What::Override(None, Some(status)) => {
                format!(" The override was deleted at {server} at {at}, which made it {status}.")
            }
            What::StatusSet(status, Some(rule)) => {
                let rule = rule_name(*rule);
                format!(" A renewal made it {status} at {server} at {at}, by {rule}.")
            }
            What::Adopted { from, .. } => {
                format!(" At {at} {server} took the copy of {}.", self.names.host(*from))
            }
            What::Evict(Eviction { ended, limit, expired, .. }) => {
                let ended = ended.map_or_else(String::new, |ended| {
                    format!(", which had expired at {}", self.names.wall(ended))
                });
                format!(
                    " {server} evicted its lease at {at}{ended}: one of {expired}, of which {limit} \
                     may be evicted in a run."
                )
            }
            What::Deleted { .. } => format!(" A DELETE took it off {server} at {at}."),
            _ => String::new(),
        }
    }

    /// What works, and what does not.
    fn cures(&self) -> String {
        let cures = &self.explained.cures;
        let waits = cures.iter().find(|tried| tried.cure == Cure::Wait).and_then(|tried| tried.at);
        let minutes = FUTURE.millis() / 60_000;
        let mut text = match waits {
            Some(at) => format!(" It ends by itself at {}.", time(at)),
            None => format!(" It does not end by itself within {minutes} minutes."),
        };
        let tried = || cures.iter().filter(|tried| tried.cure != Cure::Wait);
        let works: Vec<String> = tried()
            .filter_map(|tried| Some((tried.cure.name(), tried.at?)))
            .filter(|(_, at)| waits.is_none_or(|by_itself| *at < by_itself))
            .map(|(name, at)| format!("{name} ({})", after(at.since(self.explained.at))))
            .collect();
        if waits.is_some() {
            let sooner = format!(" Sooner it ends with: {}.", works.join(", "));
            return if works.is_empty() { text } else { text + &sooner };
        }
        let fails: Vec<&str> =
            tried().filter(|tried| tried.at.is_none()).map(|tried| tried.cure.name()).collect();
        text += &match (works.is_empty(), fails.is_empty()) {
            (true, true) => String::new(),
            (true, false) => {
                format!(" With what was tried it ends never: {}.", fails.join(", "))
            }
            (false, true) => format!(" What ends it: {}.", works.join(", ")),
            (false, false) => {
                format!(" What ends it: {}; what does not: {}.", works.join(", "), fails.join(", "))
            }
        };
        text
    }

    /// Servers are right, and somebody sees something else.
    fn stale_views(&self) -> String {
        let right: Vec<Seen> = self.explained.servers.iter().map(|at| at.seen).collect();
        let is_stale = |seen: &Seen| matches!(seen, Seen::Status(_)) && !right.contains(seen);
        let stale = self.explained.views.iter().filter(|(seen, _)| is_stale(seen));
        let stale: Vec<String> = stale
            .map(|(seen, count)| match count {
                1 => format!("1 client sees it as {}", seen_name(*seen)),
                count => format!("{count} clients see it as {}", seen_name(*seen)),
            })
            .collect();
        match stale.is_empty() {
            true => String::new(),
            false => format!(" But {}.", stale.join(", ")),
        }
    }
}

fn mechanism_text(mechanism: Mechanism) -> String {
    format!(" Why: {}, {}.", mechanism.name(), mechanism.sentence())
}

const fn does(count: usize) -> &'static str {
    if count == 1 { "does" } else { "do" }
}

fn after(span: Span) -> String {
    match span.millis() {
        0 => "at once".to_owned(),
        _ => format!("after {}", about(span)),
    }
}

/// `a, b and c`; of many the first ones.
pub(super) fn some_of(names: &[String]) -> String {
    const MOST: usize = 4;
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] if names.len() <= MOST => format!("{} and {last}", init.join(", ")),
        [first, second, third, rest @ ..] => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        [first, second] => format!("{first} and {second}"),
    }
}

/// What was done to try a cure, in words.
pub(super) fn cure_text(cure: &Cure, full: &str, names: &Names) -> String {
    let at = |servers: &[HostId]| {
        some_of(&servers.iter().map(|server| names.host(*server)).collect::<Vec<_>>())
    };
    match cure {
        Cure::Wait => "nothing is done".to_owned(),
        Cure::Change(_) => "its metadata is changed: anything that changes would do".to_owned(),
        Cure::DownThenUp(_, status) => {
            format!("its application says DOWN, and a second later {status}")
        }
        Cure::SickThenWell(_, answer, _) => {
            format!(
                "its health check answers DOWN for a minute, and then {} as it did",
                answer.name()
            )
        }
        Cure::ReRegister(servers, _) => {
            format!("DELETE apps/{full} at {}: its next heartbeat is answered 404", at(servers))
        }
        Cure::DeleteLease(servers, _) => format!("DELETE apps/{full} at {}", at(servers)),
        Cure::DeleteOverride(server, _, status) => {
            format!("DELETE apps/{full}/status?value={status} at {}", names.host(*server))
        }
        Cure::OverrideUp(server, _) => {
            format!(
                "PUT apps/{full}/status?value=UP at {}, an override that stays",
                names.host(*server)
            )
        }
        Cure::Restart(_) => "its process ends gracefully and starts 10 s later".to_owned(),
        Cure::Start(_) => "its process starts".to_owned(),
        Cure::StartServers(servers) => {
            format!("{} {} again", at(servers), if servers.len() == 1 { "starts" } else { "start" })
        }
        Cure::NoSelfPreservation(servers) => {
            format!("enable-self-preservation=false at {}", at(servers))
        }
    }
}

/// Whether and when a cure works.
pub(super) fn result_text(at: Option<Instant>, asked: Instant) -> String {
    match at {
        None => "never".to_owned(),
        Some(at) => format!("{} ({})", time(at), after(at.since(asked))),
    }
}
