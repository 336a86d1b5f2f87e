//! Which instance is meant, and when: what was asked, held against what the plan has.

use std::fmt;

use crate::eureka::InstanceKey;
use crate::scenario::{Plan, nearest, units};
use crate::sim::{FleetChange, HostId};
use crate::time::Instant;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// About which instance.
    pub key: InstanceKey,
    /// At which instant.
    pub at: Instant,
    /// What only this server and the process did; none: everybody.
    pub server: Option<HostId>,
}

/// Why a question has no answer: a sentence, and perhaps what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswerable {
    /// What is wrong.
    pub message: String,
    /// What may have been meant.
    pub help: Option<String>,
}

impl fmt::Display for Unanswerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.help {
            None => f.write_str(&self.message),
            Some(help) => write!(f, "{}: {help}", self.message),
        }
    }
}

fn unanswerable(message: String, help: Option<String>) -> Unanswerable {
    Unanswerable { message, help }
}

impl Question {
    /// Understands what was asked: `APP/INDEX` (the instance that has the index at that instant) or
    /// `APP/instance-id`, a time (none: the end of the run), the name of a server.
    ///
    /// # Errors
    /// If the plan has no such instance or server, or the time is none of the run.
    pub fn new(
        plan: &Plan,
        instance: &str,
        at: Option<&str>,
        server: Option<&str>,
    ) -> Result<Self, Unanswerable> {
        let at = at.map_or(Ok(plan.setup.duration), |text| instant(plan, text))?;
        let key = find(plan, instance, at)?;
        let server = server.map(|name| find_server(plan, name)).transpose()?;
        Ok(Self { key, at, server })
    }
}

fn instant(plan: &Plan, text: &str) -> Result<Instant, Unanswerable> {
    let span = units::duration(text).map_err(|_| {
        let help = "write it as scenarios do, as in `12m30s`".to_owned();
        unanswerable(format!("`{text}` is no time of a run"), Some(help))
    })?;
    let (at, end) = (Instant::ZERO + span, plan.setup.duration);
    if at > end {
        let message = format!("{span} is beyond the end of the run, which lasts {end}");
        return Err(unanswerable(message, None));
    }
    Ok(at)
}

fn find_server(plan: &Plan, name: &str) -> Result<HostId, Unanswerable> {
    let servers = &plan.setup.servers;
    let known = servers.iter().position(|server| server.name == name);
    known.map(HostId::new).ok_or_else(|| {
        let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
        let help = format!("there are {}", listed(&names));
        unanswerable(format!("no server is called `{name}`"), Some(help))
    })
}

/// Names with commas; of many the first ones.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let mut text = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text += &format!(", … ({} in all)", names.len());
    }
    text
}

fn find(plan: &Plan, text: &str, at: Instant) -> Result<InstanceKey, Unanswerable> {
    let (setup, names) = (&plan.setup, &plan.setup.names);
    let Some((name, rest)) = text.split_once('/') else {
        let message = format!("`{text}` names no instance");
        let meant = near_app(plan, text).map(|app| format!("did you mean `{app}/0`?"));
        let help = "write APP/INDEX or APP/instance-id, as in `ORDERS/3`".to_owned();
        return Err(unanswerable(message, meant.or(Some(help))));
    };
    let app = names.find_app(name);
    let own = setup.servers.iter().map(|server| server.own);
    let of_server =
        own.clone().find(|own| Some(names.app_of(*own)) == app && names.id_text(*own) == rest);
    if let Some(key) = of_server {
        return Ok(key);
    }
    let Some(group) = plan.apps.iter().find(|of| Some(of.app) == app) else {
        // Somebody outside may register what is no process of the run.
        if let Some(key) = app.and_then(|app| names.find_instance(app, rest)) {
            return Ok(key);
        }
        let mut of_servers = setup.servers.iter();
        if of_servers.any(|server| Some(names.app_of(server.own)) == app) {
            // Most people know them by their names.
            let known = setup.servers.iter().flat_map(|server| {
                let id = names.id_text(server.own);
                [(server.name.as_str(), id), (id, id)]
            });
            let known: Vec<(&str, &str)> = known.collect();
            let either: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
            let near = nearest(rest, &either);
            let meant = near.and_then(|near| known.iter().find(|(known, _)| *known == near));
            let (upper, message) =
                (name.to_uppercase(), format!("no server is the instance `{text}`"));
            let meant = meant.map(|(_, id)| format!("did you mean `{upper}/{id}`?"));
            let ids: Vec<&str> = setup.servers.iter().map(|of| names.id_text(of.own)).collect();
            let all = format!("{upper} has {}", listed(&ids));
            return Err(unanswerable(message, meant.or(Some(all))));
        }
        let message = format!("no application is called `{name}`");
        let meant = near_app(plan, name).map(|app| format!("did you mean `{app}/{rest}`?"));
        let all: Vec<&str> = plan.apps.iter().map(|of| names.app_name(of.app)).collect();
        let all = match all.is_empty() {
            true => "the scenario has no applications".to_owned(),
            false => format!("there are {}", listed(&all)),
        };
        return Err(unanswerable(message, meant.or(Some(all))));
    };
    let hosts = || group.hosts.iter().flat_map(|range| range.clone().map(HostId::new));
    // Digits are an index if there is such an instance, and may be an id otherwise.
    let is_index = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let index: Option<usize> = if is_index { rest.parse().ok() } else { None };
    if let Some(host) = index.and_then(|index| hosts().nth(index)) {
        return Ok(key_at(plan, host, at));
    }
    names.find_instance(group.app, rest).ok_or_else(|| {
        let (upper, count) = (names.app_name(group.app), hosts().count());
        let message = format!("no instance is called `{text}`");
        let ids: Vec<&str> = hosts().map(|host| names.id_text(setup.first_key_of(host))).collect();
        let meant = nearest(rest, &ids).filter(|_| !is_index);
        let meant = meant.map(|id| format!("did you mean `{upper}/{id}`?"));
        let all = match count {
            1 => format!("{upper} has one instance, {upper}/0"),
            count => format!("{upper} has {count} instances, {upper}/0 to {upper}/{}", count - 1),
        };
        unanswerable(message, meant.or(Some(all)))
    })
}

fn near_app<'a>(plan: &'a Plan, name: &str) -> Option<&'a str> {
    let names = &plan.setup.names;
    let known: Vec<&str> = plan.apps.iter().map(|of| names.app_name(of.app)).collect();
    nearest(name, &known)
}

/// Which instance a host is at some instant, or is to be when its process starts next.
fn key_at(plan: &Plan, host: HostId, at: Instant) -> InstanceKey {
    let setup = &plan.setup;
    let done = setup.steps.iter().filter(|step| step.at <= at);
    let turns = done.filter(|step| step.change != FleetChange::Remove).flat_map(|step| {
        let members = &setup.members[step.members.clone()];
        let own = members.iter().filter(|member| member.host == host);
        own.map(|member| ((step.at, step.entry), member.key))
    });
    turns.max_by_key(|(when, _)| *when).map_or_else(|| setup.first_key_of(host), |(_, key)| key)
}
