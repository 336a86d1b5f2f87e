//! `eureka.server`, `eureka.instance`, `eureka.client`: the operator's own keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnostics::Diagnostics;
use super::source::Place;
use super::tree::{Node, Table, Value};
use crate::eureka::client::{ClientConfig, InstanceConfig};
use crate::eureka::config::{ConfigError, ConfigValue, kebab_case};
use crate::eureka::server::{INSTANCE_REGISTRY_KEYS, ServerConfig};
use crate::eureka::{Flavor, config};

/// The configuration of one process, under construction.
#[derive(Clone, Debug)]
pub(super) struct EurekaConfig {
    pub(super) server: ServerConfig,
    pub(super) client: ClientConfig,
    pub(super) instance: InstanceConfig,
    /// `service-url`: for each zone the URLs, and where they stand.
    pub(super) service_urls: BTreeMap<String, (Vec<String>, Place)>,
    /// `availability-zones`: for each region its zones.
    pub(super) availability_zones: BTreeMap<String, Vec<String>>,
    pub(super) metadata: BTreeMap<Arc<str>, Arc<str>>,
    /// Keys that were set, in kebab-case and with their section: `client.fetch-registry`.
    pub(super) explicit: Vec<String>,
}

impl EurekaConfig {
    pub(super) fn new(flavor: Flavor) -> Self {
        Self {
            server: ServerConfig::new(flavor),
            client: ClientConfig::new(flavor),
            instance: InstanceConfig::new(),
            service_urls: BTreeMap::new(),
            availability_zones: BTreeMap::new(),
            metadata: BTreeMap::new(),
            explicit: Vec::new(),
        }
    }

    /// Whether a key was set: `client.fetch-registry`.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.explicit.iter().any(|set| set == key)
    }

    /// Applies a table `eureka`. With `sections` other than all three, the others are errors.
    pub(super) fn apply(&mut self, node: &Node, sections: &[&str], diags: &mut Diagnostics) {
        let Value::Table(table) = &node.value else {
            diags.wrong_type(&node.place, "a table", node.value.kind());
            return;
        };
        for (section, (place, inner)) in table {
            if !sections.contains(&section.as_str()) {
                diags.unknown_key(place, section, "`eureka`", sections.iter().copied());
                continue;
            }
            match &inner.value {
                Value::Table(keys) => self.apply_section(section, "", keys, diags),
                other => diags.wrong_type(&inner.place, "a table", other.kind()),
            }
        }
    }

    fn apply_section(
        &mut self,
        section: &str,
        prefix: &str,
        keys: &Table,
        diags: &mut Diagnostics,
    ) {
        for (key, (place, node)) in keys {
            let name = format!("{prefix}{}", kebab_case(key));
            match (&node.value, name.as_str()) {
                (Value::Table(map), "service-url") if section == "client" => {
                    self.service_urls(map, diags);
                }
                (Value::Table(map), "availability-zones") if section == "client" => {
                    self.availability_zones(map, diags);
                }
                (Value::Table(map), "metadata-map") if section == "instance" => {
                    metadata(&mut self.metadata, map, diags);
                }
                (Value::Table(_), "experimental") if section == "server" => {
                    diags.not_yet(place, "`eureka.server.experimental`");
                }
                (Value::Table(inner), _) => {
                    self.apply_section(section, &format!("{name}."), inner, diags);
                }
                _ => self.apply_key(section, &name, place, node, diags),
            }
        }
    }

    fn apply_key(
        &mut self,
        section: &str,
        key: &str,
        place: &Place,
        node: &Node,
        diags: &mut Diagnostics,
    ) {
        let Some(value) = config_value(&node.value) else {
            diags.wrong_type(&node.place, "a single value", node.value.kind());
            return;
        };
        let full = format!("eureka.{section}.{key}");
        let result = match section {
            "server" => self.server.set(key, &value),
            "client" => self.client.set(key, &value),
            _ => match self.instance.set(key, &value) {
                Err(ConfigError::UnknownKey) => {
                    config::set(INSTANCE_REGISTRY_KEYS, &mut self.server, key, &value)
                }
                result => result,
            },
        };
        match result {
            Ok(true) => self.explicit.push(format!("{section}.{key}")),
            Ok(false) => {
                let message = format!("`{full}` has no effect in a simulated cluster");
                diags.warn("W001", place, message, "it is accepted so that files can be pasted");
            }
            Err(ConfigError::UnknownKey) => {
                let known: Vec<&str> = match section {
                    "server" => ServerConfig::keys().collect(),
                    "client" => ClientConfig::keys().collect(),
                    _ => InstanceConfig::keys().collect(),
                };
                diags.unknown_key(place, key, &format!("`eureka.{section}`"), known);
            }
            Err(ConfigError::WrongType(wanted)) => {
                diags.wrong_type(&node.place, wanted, node.value.kind());
            }
            Err(ConfigError::OutOfRange(range)) => {
                let bounds = format!("from {} to {}", range.start(), range.end());
                diags.out_of_range(&node.place, &format!("`{full}`"), bounds);
            }
            Err(ConfigError::NotYet) => diags.not_yet(place, &format!("`{full}`")),
        }
    }

    fn service_urls(&mut self, map: &Table, diags: &mut Diagnostics) {
        for (zone, (_, node)) in map {
            let Value::Text(text) = &node.value else {
                diags.wrong_type(&node.place, "text: URLs with commas between", node.value.kind());
                continue;
            };
            let urls = text.split(',').map(|url| url.trim().to_owned());
            let urls = urls.filter(|url| !url.is_empty()).collect();
            self.service_urls.insert(zone.clone(), (urls, node.place.clone()));
        }
    }

    fn availability_zones(&mut self, map: &Table, diags: &mut Diagnostics) {
        for (region, (_, node)) in map {
            let Value::Text(text) = &node.value else {
                diags.wrong_type(&node.place, "text: zones with commas between", node.value.kind());
                continue;
            };
            let zones = text.split(',').map(|zone| zone.trim().to_owned()).collect();
            self.availability_zones.insert(region.clone(), zones);
        }
    }
}

/// Texts by key; numbers and flags become text, as in a properties file.
pub(super) fn metadata(
    metadata: &mut BTreeMap<Arc<str>, Arc<str>>,
    map: &Table,
    diags: &mut Diagnostics,
) {
    for (key, (_, node)) in map {
        let text = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Int(Ok(number)) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            other => {
                diags.wrong_type(&node.place, "text", other.kind());
                continue;
            }
        };
        metadata.insert(key.as_str().into(), text.into());
    }
}

/// A single value as a configuration value.
pub(super) fn config_value(value: &Value) -> Option<ConfigValue> {
    Some(match value {
        Value::Flag(flag) => ConfigValue::Flag(*flag),
        Value::Int(Ok(number)) => ConfigValue::Int(*number),
        Value::Decimal(number) => ConfigValue::Decimal(*number),
        Value::Text(text) => ConfigValue::Text(text.clone()),
        Value::Int(Err(_)) | Value::Date | Value::List(_) | Value::Table(_) => return None,
    })
}
