//! The first line of a trace: which server it was.

use serde_json::{Map, Value, json};

use super::REGISTRY_FORMAT;
use super::fields::{Fields, Mismatch};
use crate::eureka::config::ConfigValue;
use crate::eureka::server::{ServerConfig, Setup};
use crate::eureka::{Flavor, Release};

/// The header of a registry trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// What the trace is called.
    pub name: String,
    /// Who packaged the server.
    pub flavor: Flavor,
    /// Which release it is.
    pub release: Release,
    /// Wall clock at the start, ms since 1970.
    pub epoch_ms: i64,
    /// Whether it has a peer to hand operations to.
    pub has_peers: bool,
    /// Its own instance: application and id.
    pub own: (String, String),
    /// Which of two timers that are due at one instant runs first: the eviction task, and not the
    /// rotation of the minute's renewals.
    pub eviction_before_rotation: bool,
    /// Its configuration: what differs from Netflix's defaults.
    pub config: Vec<(String, ConfigValue)>,
}

/// About the year 2262: the largest wall clock whose nanoseconds fit into 64 bits, with room.
const MAX_EPOCH_MS: i64 = 9_000_000_000_000;

impl Header {
    /// Reads the first line.
    ///
    /// # Errors
    /// If a field is missing, unknown or not understood.
    pub fn parse(line: &Value) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(line, "")?;
        let format = fields.text("format")?;
        if format != Some(REGISTRY_FORMAT) {
            return Err(fields.wrong("format", REGISTRY_FORMAT));
        }
        let name = fields.text("name")?.unwrap_or_default().to_owned();
        let flavor = fields.text("flavor")?.and_then(Flavor::value_of);
        let flavor = flavor.ok_or_else(|| fields.wrong("flavor", "netflix or spring-cloud"))?;
        let release = fields.text("release")?.and_then(|text| text.parse().ok());
        let release = release.ok_or_else(|| fields.wrong("release", "a release from 1.3.4 on"))?;
        let epoch_ms = fields.int("epoch_ms")?.filter(|ms| (0..MAX_EPOCH_MS).contains(ms));
        let epoch_ms = epoch_ms.ok_or_else(|| fields.wrong("epoch_ms", "ms since 1970"))?;
        let peers = fields.int("peers")?.filter(|peers| (0..=1).contains(peers));
        let has_peers = peers.ok_or_else(|| fields.wrong("peers", "0 or 1"))? == 1;
        let own = Self::own(fields.get("self").unwrap_or(&Value::Null))?;
        let config = Self::config(fields.get("config").unwrap_or(&Value::Null))?;
        // The real classes rotate first; only simulated runs (`[sim] rotation`) say something else.
        let eviction_before_rotation = match fields.text("rotation")? {
            None | Some("before-eviction") => false,
            Some("after-eviction") => true,
            Some(_) => return Err(fields.wrong("rotation", "before-eviction or after-eviction")),
        };
        fields.finish(&[])?;
        Ok(Self {
            name,
            flavor,
            release,
            epoch_ms,
            has_peers,
            own,
            eviction_before_rotation,
            config,
        })
    }

    fn own(value: &Value) -> Result<(String, String), Mismatch> {
        let mut fields = Fields::of(value, "self")?;
        let app = fields.text("app")?;
        let app = fields.required("app", app)?.to_owned();
        let id = fields.text("id")?;
        let id = fields.required("id", id)?.to_owned();
        fields.finish(&[])?;
        Ok((app, id))
    }

    fn config(value: &Value) -> Result<Vec<(String, ConfigValue)>, Mismatch> {
        let fields = Fields::of(value, "config")?;
        let mut scratch = ServerConfig::new(Flavor::Netflix);
        let mut config = Vec::new();
        for (key, value) in value.as_object().into_iter().flatten() {
            let read = config_value(value).filter(|value| scratch.set(key, value).is_ok());
            config.push((key.clone(), read.ok_or_else(|| fields.wrong(key, "a setting"))?));
        }
        Ok(config)
    }

    /// The header as a line of a trace.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let config: Map<String, Value> =
            self.config.iter().map(|(key, value)| (key.clone(), config_json(value))).collect();
        let mut line = json!({
            "format": REGISTRY_FORMAT, "name": self.name, "flavor": self.flavor.name(),
            "release": self.release.to_string(), "epoch_ms": self.epoch_ms,
            "peers": i32::from(self.has_peers),
            "self": {"app": self.own.0, "id": self.own.1}, "config": config,
        });
        if self.eviction_before_rotation {
            line["rotation"] = json!("after-eviction");
        }
        line
    }

    /// What the registry of this server is made from. Absent keys have Netflix's defaults in either
    /// flavour, but Spring's registry expects one client from the start.
    #[must_use]
    pub fn setup(&self) -> Setup {
        let mut config = ServerConfig::new(Flavor::Netflix);
        config.expected_number_of_clients_sending_renews =
            i32::from(self.flavor == Flavor::SpringCloud);
        for (key, value) in &self.config {
            config.set(key, value).expect("parse() tried every key");
        }
        Setup {
            flavor: self.flavor,
            class: self.release.class(),
            has_peers: self.has_peers,
            config,
        }
    }
}

/// A JSON value as a configuration value.
pub(super) fn config_value(value: &Value) -> Option<ConfigValue> {
    Some(match value {
        Value::Bool(flag) => ConfigValue::Flag(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(int) => ConfigValue::Int(int),
            None => ConfigValue::Decimal(number.as_f64()?),
        },
        Value::String(text) => ConfigValue::Text(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

/// A configuration value as JSON.
#[must_use]
pub fn config_json(value: &ConfigValue) -> Value {
    match value {
        ConfigValue::Flag(flag) => json!(flag),
        ConfigValue::Int(int) => json!(int),
        ConfigValue::Decimal(decimal) => json!(decimal),
        ConfigValue::Text(text) => json!(text),
    }
}
