//! The words of a trace over real HTTP: what its stub servers were told.

use super::answer::is_of_eureka;
use super::server;
use crate::eureka::InstanceStatus;
use crate::eureka::client::ErrorBody;
use crate::time::Span;

/// How a request ended, as its stub saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StubEnd {
    /// Answered with this status.
    Code(u16),
    /// The connection was closed without an answer.
    Closed,
    /// Never answered.
    NoAnswer,
}

/// Where a `Location` points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// To this server.
    pub server: u16,
    /// To this path, below `/eureka/v2/` if it is there.
    pub path: String,
    /// `RedirectingEurekaHttpClient` follows it: its path is one of Eureka's.
    pub is_of_eureka: bool,
}

/// What a stub does with requests that fit, instead of its usual or besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StubRule {
    /// Of this method; none if of any.
    pub method: Option<String>,
    /// With this path; a trailing `*` stands for whatever follows.
    pub path: String,
    /// It answers this status and does nothing; none if it does its usual.
    pub status: Option<u16>,
    /// With this entity.
    pub page: ErrorBody,
    /// With this `Location`.
    pub location: Option<Location>,
    /// For so many requests.
    pub times: u32,
    /// After so long.
    pub delay: Span,
    /// It closes the connection, or never answers.
    pub instead: Option<StubEnd>,
}

impl StubRule {
    /// Whether it is for such requests.
    #[must_use]
    pub fn fits(&self, method: &str, path: &str) -> bool {
        let fits_path = match self.path.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == self.path,
        };
        fits_path && self.method.as_deref().is_none_or(|wanted| wanted == method)
    }
}

/// An instance of a stub's registry: application, id, status.
pub type Listed = (String, String, InstanceStatus);

/// What a stub is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StubWord {
    /// To do something with some requests from now on.
    Rule(StubRule),
    /// To list these instances.
    Registry(Vec<Listed>),
    /// To forget who registered.
    Forget,
}

/// Reads the text of a `stub` line: which server (none: all of them) is told what; nothing if it is
/// not understood.
#[must_use]
pub fn stub_word(text: &str) -> Option<(Option<u16>, StubWord)> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let server = match words.next()? {
        "*" => None,
        name => Some(server(name)?),
    };
    let word = match name {
        "rule" => StubWord::Rule(rule(words)?),
        "registry" => StubWord::Registry(words.map(listed).collect::<Option<_>>()?),
        "forget" => words.next().is_none().then_some(StubWord::Forget)?,
        _ => return None,
    };
    Some((server, word))
}

fn rule<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<StubRule> {
    let method = words.next().filter(|method| *method == "*" || is_method(method))?;
    let mut rule = StubRule {
        method: (method != "*").then(|| method.to_owned()),
        path: words.next()?.to_owned(),
        status: None,
        page: ErrorBody::None,
        location: None,
        times: u32::MAX,
        delay: Span::ZERO,
        instead: None,
    };
    for word in words {
        match word.split_once('=') {
            None if word == "html" => rule.page = ErrorBody::Html,
            None if word == "json" => rule.page = ErrorBody::Json,
            None if word == "reset" => rule.instead = Some(StubEnd::Closed),
            None if word == "hang" => rule.instead = Some(StubEnd::NoAnswer),
            Some(("status", code)) => rule.status = Some(status(code)?),
            Some(("location", url)) => rule.location = Some(location(url)?),
            Some(("times", times)) => rule.times = times.parse().ok()?,
            Some(("delay_ms", ms)) => rule.delay = super::script::millis(ms)?,
            _ => return None,
        }
    }
    Some(rule)
}

fn is_method(word: &str) -> bool {
    ["GET", "PUT", "POST", "DELETE"].contains(&word)
}

fn status(code: &str) -> Option<u16> {
    code.parse().ok().filter(|code| (100..1000).contains(code))
}

/// `http://{s1}/eureka/v2/apps/A`
fn location(url: &str) -> Option<Location> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let server = server(host.strip_prefix('{')?.strip_suffix('}')?)?;
    let is_of_eureka = is_of_eureka(path);
    let path = path.strip_prefix("eureka/v2/").unwrap_or(path).to_owned();
    Some(Location { server, path, is_of_eureka })
}

/// `B/b1=UP`
fn listed(word: &str) -> Option<Listed> {
    let (instance, status) = word.split_once('=')?;
    let (app, id) = instance.split_once('/')?;
    Some((app.to_owned(), id.to_owned(), InstanceStatus::value_of(status)?))
}
