//! The stub servers of a trace over real HTTP, which the traces name by what they were told.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::eureka::client::ErrorBody;
use crate::eureka::server::{Application, Applications, JsonLength};
use crate::eureka::{AppId, InstanceInfo, Names};
use crate::golden::client::{Listed, Location, StubEnd, StubRule, StubWord, listed_instance};

/// How many requests a rule is still for, and which.
#[derive(Debug)]
struct Told {
    left: u32,
    rule: StubRule,
}

#[derive(Debug)]
struct Stub {
    /// The newest first.
    rules: Vec<Told>,
    /// The dirty timestamp of the instance, if it is registered.
    record: Option<i64>,
    registry: Arc<Applications>,
}

/// What a request asks of a stub.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) server: u16,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// The dirty timestamp in it, if there is one.
    pub(super) dirty: Option<i64>,
}

/// How a stub answers.
#[derive(Clone, Debug)]
pub(super) struct StubAnswer {
    pub(super) end: StubEnd,
    /// ns
    pub(super) delay: u64,
    pub(super) page: ErrorBody,
    pub(super) location: Option<Location>,
    /// Of a GET that is answered 200.
    pub(super) content: Arc<Applications>,
}

impl StubAnswer {
    /// Adds to a request line how it ended.
    pub(super) fn show(&self, line: &mut Value) {
        line["outcome"] = match self.end {
            StubEnd::Code(code) => json!(code.to_string()),
            StubEnd::Closed => json!("closed"),
            StubEnd::NoAnswer => json!("no-answer"),
        };
        if self.delay > 0 {
            line["delay_ms"] = json!(self.delay / 1_000_000);
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Stubs(Vec<Stub>);

impl Stubs {
    pub(super) fn new(servers: u16) -> Self {
        let registry = Arc::new(applications(Vec::new()));
        let stub = |_| Stub { rules: Vec::new(), record: None, registry: Arc::clone(&registry) };
        Self((0..servers).map(stub).collect())
    }

    /// The script tells one of them something, or all.
    pub(super) fn hear(&mut self, server: Option<u16>, word: &StubWord, names: &mut Names) {
        for (number, stub) in self.0.iter_mut().enumerate() {
            if server.is_some_and(|server| usize::from(server) != number) {
                continue;
            }
            match word {
                StubWord::Rule(rule) => {
                    stub.rules.insert(0, Told { left: rule.times, rule: rule.clone() });
                }
                StubWord::Registry(listed) => stub.registry = Arc::new(registry(listed, names)),
                StubWord::Forget => stub.record = None,
            }
        }
    }

    /// A request arrives; nothing if there is no such server.
    pub(super) fn answer(&mut self, asked: Asked<'_>) -> Option<StubAnswer> {
        let stub = self.0.get_mut(usize::from(asked.server))?;
        let told = stub
            .rules
            .iter_mut()
            .find(|told| told.left > 0 && told.rule.fits(asked.method, asked.path));
        let rule = told.map(|told| {
            told.left -= 1;
            told.rule.clone()
        });
        let status = rule.as_ref().and_then(|rule| rule.status);
        let end = StubEnd::Code(status.unwrap_or_else(|| stub.execute(asked)));
        let content = match asked.path {
            // Nothing changes: the client's own instance never appears.
            "apps/delta" => Arc::new(Applications { apps: Vec::new(), ..(*stub.registry).clone() }),
            _ => Arc::clone(&stub.registry),
        };
        let usual = StubAnswer { end, delay: 0, page: ErrorBody::None, location: None, content };
        Some(match rule {
            None => usual,
            Some(rule) => StubAnswer {
                end: rule.instead.unwrap_or(end),
                delay: rule.delay.nanos(),
                page: rule.page,
                location: rule.location,
                ..usual
            },
        })
    }
}

impl Stub {
    /// The usual.
    fn execute(&mut self, asked: Asked<'_>) -> u16 {
        match asked.method {
            "POST" => {
                self.record = self.record.max(asked.dirty);
                204
            }
            "PUT" => match (self.record, asked.dirty) {
                (None, _) => 404,
                (Some(known), Some(dirty)) if dirty > known => 404,
                (Some(_), _) => 200,
            },
            "DELETE" => match self.record.take() {
                Some(_) => 200,
                None => 404,
            },
            _ => 200,
        }
    }
}

fn registry(listed: &[Listed], names: &mut Names) -> Applications {
    let mut apps: Vec<(AppId, Vec<Arc<InstanceInfo>>)> = Vec::new();
    for (app, id, status) in listed {
        let app = names.app(app);
        let info = Arc::new(listed_instance(names.instance(app, id), *status));
        match apps.iter_mut().find(|(known, _)| *known == app) {
            Some((_, instances)) => instances.push(info),
            None => apps.push((app, vec![info])),
        }
    }
    applications(
        apps.into_iter().map(|(app, list)| Arc::new(Application::new(app, list))).collect(),
    )
}

fn applications(apps: Vec<Arc<Application>>) -> Applications {
    let hash = apps.iter().map(|app| app.counts).sum();
    Applications { version: 1, hash, apps, json_length: JsonLength::of_all() }
}
