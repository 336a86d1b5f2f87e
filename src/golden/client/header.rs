//! The first line of a client's trace: which client it was.

use serde_json::Value;

use super::super::fields::{Fields, Mismatch};
use super::super::header::config_value;
use super::nanos;
use crate::eureka::client::HttpClientKind;
use crate::eureka::config::ConfigValue;
use crate::eureka::{Flavor, Release};
use crate::golden::CLIENT_FORMAT;

/// What the times of a trace are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A virtual clock: exact.
    Virtual,
    /// A real one, over real HTTP.
    Real,
}

/// The header of a client's trace.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientHeader {
    /// Of `eureka-client`.
    pub release: Release,
    /// Whose defaults its configuration has.
    pub flavor: Flavor,
    /// What its times are.
    pub mode: Mode,
    /// The transport below Eureka's own.
    pub transport: HttpClientKind,
    /// Wall clock at the start, ms since 1970.
    pub epoch_ms: i64,
    /// The last instant, ns from the start.
    pub until: u64,
    /// How far its times may be off, ns: none if they are exact.
    pub tolerance: u64,
    /// What differs from the defaults.
    pub config: Vec<(String, ConfigValue)>,
    /// How many servers there are: s0, s1 …
    pub servers: u16,
}

/// Wall clock at the start of a trace that does not say it: its timestamps are relative to it.
const SOME_EPOCH_MS: i64 = 1_700_000_000_000;
/// More than any trace allows, ns.
const LARGEST_TOLERANCE: u64 = 10_000_000_000;
/// About the year 2262, as in a server's trace.
const MAX_EPOCH_MS: i64 = 9_000_000_000_000;
/// More than any client knows.
const MOST_SERVERS: usize = 1_000;

impl ClientHeader {
    /// Reads the first line.
    ///
    /// # Errors
    /// If a field is missing, unknown or not understood.
    pub fn parse(line: &Value) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(line, "")?;
        if fields.text("format")? != Some(CLIENT_FORMAT) {
            return Err(fields.wrong("format", CLIENT_FORMAT));
        }
        let release = fields.text("release")?.and_then(|text| match text {
            // Spring Cloud's own transport, with the Eureka it brings.
            "scn-4.3.1" => Some(Release::new(2, 0, 5)),
            text => text.parse().ok(),
        });
        let release = release.ok_or_else(|| fields.wrong("release", "a release from 1.3.4 on"))?;
        let flavor = fields.text("flavor")?.and_then(Flavor::value_of);
        let flavor = flavor.ok_or_else(|| fields.wrong("flavor", "netflix or spring-cloud"))?;
        let mode = match fields.text("mode")? {
            Some("virtual") => Mode::Virtual,
            Some("real") => Mode::Real,
            _ => return Err(fields.wrong("mode", "virtual or real")),
        };
        let transport = fields.text("transport")?.and_then(|text| {
            HttpClientKind::ALL.into_iter().find(|transport| transport.name() == text)
        });
        let transport = transport.ok_or_else(|| fields.wrong("transport", "a transport"))?;
        let epoch_ms = fields.int("epoch-ms")?.or((mode == Mode::Real).then_some(SOME_EPOCH_MS));
        let epoch_ms = epoch_ms.filter(|ms| (0..MAX_EPOCH_MS).contains(ms));
        let epoch_ms = epoch_ms.ok_or_else(|| fields.wrong("epoch-ms", "ms since 1970"))?;
        let until = fields.get("until").and_then(nanos);
        let until = until.ok_or_else(|| fields.wrong("until", "ms from the start"))?;
        let tolerance = fields.get("tolerance_ms").map_or(Some(0), nanos);
        let tolerance = tolerance.filter(|ns| *ns <= LARGEST_TOLERANCE);
        let tolerance = tolerance.filter(|ns| mode == Mode::Real || *ns == 0);
        let tolerance =
            tolerance.ok_or_else(|| fields.wrong("tolerance_ms", "ms, none if it is virtual"))?;
        let config = Self::config(fields.get("config").unwrap_or(&Value::Null))?;
        let servers = fields.list("servers")?.map(Vec::as_slice).unwrap_or_default();
        let in_order =
            |(place, name): (usize, &Value)| name.as_str() == Some(format!("s{place}").as_str());
        if servers.is_empty()
            || servers.len() > MOST_SERVERS
            || !servers.iter().enumerate().all(in_order)
        {
            return Err(fields.wrong("servers", "[\"s0\", \"s1\", …]"));
        }
        fields.finish(&["name", "about", "hand-off-sensitive"])?;
        let servers = servers.len() as u16;
        Ok(Self { release, flavor, mode, transport, epoch_ms, until, tolerance, config, servers })
    }

    fn config(value: &Value) -> Result<Vec<(String, ConfigValue)>, Mismatch> {
        let fields = Fields::of(value, "config")?;
        let entries = value.as_object().into_iter().flatten();
        let read = entries.map(|(key, value)| {
            let read = config_value(value).ok_or_else(|| fields.wrong(key, "a setting"))?;
            Ok((key.clone(), read))
        });
        read.collect()
    }
}
