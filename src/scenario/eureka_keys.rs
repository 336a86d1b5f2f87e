//! `eureka.server`, `eureka.instance`, `eureka.client`: the operator's own keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnostics::Diagnostics;
use super::source::Place;
use super::tree::{Node, Table, Value};
use crate::eureka::client::{ClientConfig, InstanceConfig};
use crate::eureka::config::{ConfigError, ConfigValue, kebab_case};
use crate::eureka::server::{INSTANCE_REGISTRY_KEYS, ServerConfig};
use crate::eureka::{Flavor, NameId, Names, config};

/// The configuration of one process, under construction.
#[derive(Clone, Debug)]
pub(super) struct EurekaConfig {
    pub(super) server: ServerConfig,
    pub(super) client: ClientConfig,
    pub(super) instance: InstanceConfig,
    /// `service-url`: for each zone the URLs, and where they stand.
    pub(super) service_urls: BTreeMap<String, (Vec<String>, Place)>,
    /// `availability-zones`: for each region its zones, and where they stand.
    pub(super) availability_zones: BTreeMap<String, (Vec<String>, Place)>,
    pub(super) metadata: BTreeMap<Arc<str>, Arc<str>>,
    /// Keys that were set, in kebab-case and with their section: `client.fetch-registry`.
    pub(super) explicit: Vec<String>,
    /// Of an application, not of a server; what stands at the top level is for both.
    is_app: bool,
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
            is_app: false,
        }
    }

    /// `eureka.client.enabled = false`: there is no client, so nobody registers or fetches.
    pub(super) fn disable_client_if_told(&mut self) {
        if !self.client.enabled {
            self.client.register_with_eureka = false;
            self.client.fetch_registry = false;
        }
    }

    /// The one VIP address that the client fetches, if it fetches only one.
    pub(super) fn single_vip(&self, names: &mut Names) -> Option<NameId> {
        let vip = &self.client.registry_refresh_single_vip_address;
        (!vip.is_empty()).then(|| names.intern(vip))
    }

    /// Whether a key was set: `client.fetch-registry`.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.explicit.iter().any(|set| set == key)
    }

    /// Applies a table `eureka`. With `sections` other than all three, the others are errors.
    pub(super) fn apply(&mut self, node: &Node, sections: &[&str], diags: &mut Diagnostics) {
        self.is_app = !sections.contains(&"server");
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
                (Value::Table(inner), _) if !inner.is_empty() => {
                    self.apply_section(section, &format!("{name}."), inner, diags);
                }
                (other, map) if map_of(section, map) => {
                    diags.wrong_type(&node.place, "a table", other.kind());
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
        let full = format!("eureka.{section}.{key}");
        // An empty table is no value, but its key may be unknown, which is the first thing to say.
        let value = match &node.value {
            Value::Table(_) => ConfigValue::Text(String::new()),
            _ => match config_value(node, &full, diags) {
                Some(value) => value,
                None => return,
            },
        };
        let result = match section {
            "server" => self.server.set(key, &value),
            "client" => self.client.set(key, &value),
            _ => match self.instance.set(key, &value) {
                Err(ConfigError::UnknownKey) if self.is_app => {
                    let of_server = INSTANCE_REGISTRY_KEYS.iter().any(|(name, _)| *name == key);
                    if of_server {
                        let message = format!("`{full}` is a setting of servers");
                        diags.misplaced(place, message, "write it at the top level");
                        return;
                    }
                    Err(ConfigError::UnknownKey)
                }
                Err(ConfigError::UnknownKey) => {
                    config::set(INSTANCE_REGISTRY_KEYS, &mut self.server, key, &value)
                }
                result => result,
            },
        };
        match result {
            Ok(_) if matches!(node.value, Value::Table(_)) => {
                diags.wrong_type(&node.place, "a single value", node.value.kind());
            }
            Ok(true) => self.explicit.push(format!("{section}.{key}")),
            Ok(false) => {
                let message = format!("`{full}` has no effect in a simulated cluster");
                diags.warn("W001", place, message, "it is accepted so that files can be pasted");
            }
            Err(ConfigError::UnknownKey) => {
                diags.unknown_key(place, key, &format!("`eureka.{section}`"), keys_of(section));
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
            self.service_urls.insert(zone.clone(), (split_urls(text), node.place.clone()));
        }
    }

    fn availability_zones(&mut self, map: &Table, diags: &mut Diagnostics) {
        for (region, (_, node)) in map {
            let Value::Text(text) = &node.value else {
                diags.wrong_type(&node.place, "text: zones with commas between", node.value.kind());
                continue;
            };
            let zones = text.split(',').map(|zone| zone.trim().to_owned()).collect();
            self.availability_zones.insert(region.clone(), (zones, node.place.clone()));
        }
    }
}

/// The keys of a section.
fn keys_of(section: &str) -> Vec<&'static str> {
    let mut known: Vec<&str> = match section {
        "server" => ServerConfig::keys().collect(),
        "client" => ClientConfig::keys().collect(),
        _ => InstanceConfig::keys().collect(),
    };
    known.extend(MAPS.into_iter().filter(|map| map_of(section, map)));
    known
}

/// Reports a key in full that no table `eureka` has; whether it is one.
pub(super) fn is_unknown(full: &str, place: &Place, diags: &mut Diagnostics) -> bool {
    let sections = ["server", "client", "instance"];
    let Some(rest) = full.strip_prefix("eureka.") else {
        diags.unknown_key(place, full, "`set-config`", []);
        return true;
    };
    let (section, key) = rest.split_once('.').unwrap_or((rest, ""));
    if !sections.contains(&section) {
        diags.unknown_key(place, section, "`eureka`", sections);
        return true;
    }
    let known = keys_of(section);
    let is_known = known.iter().any(|known| {
        let rest = key.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && MAPS.contains(known))
    });
    if !is_known {
        // Below a map stand names that the operator chose: only the map's own may be misspelled.
        let key = if known.contains(&key) { key } else { key.split('.').next().unwrap_or(key) };
        diags.unknown_key(place, key, &format!("`eureka.{section}`"), known);
    }
    !is_known
}

/// URLs with commas between.
pub(super) fn split_urls(text: &str) -> Vec<String> {
    let urls = text.split(',').map(|url| url.trim().to_owned());
    urls.filter(|url| !url.is_empty()).collect()
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
            Value::Int(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            other => {
                diags.wrong_type(&node.place, "text", other.kind());
                continue;
            }
        };
        metadata.insert(key.as_str().into(), text.into());
    }
}

/// A single value as a configuration value; the name of its key is for the message.
pub(super) fn config_value(node: &Node, key: &str, diags: &mut Diagnostics) -> Option<ConfigValue> {
    Some(match &node.value {
        Value::Flag(flag) => ConfigValue::Flag(*flag),
        Value::Int(number) => match i64::try_from(*number) {
            Ok(number) => ConfigValue::Int(number),
            Err(_) => {
                diags.out_of_range(&node.place, &format!("`{key}`"), "a number of 64 bits");
                return None;
            }
        },
        Value::Decimal(number) if !number.is_finite() => {
            diags.out_of_range(&node.place, &format!("`{key}`"), "a finite number");
            return None;
        }
        Value::Decimal(number) => ConfigValue::Decimal(*number),
        Value::Text(text) => ConfigValue::Text(text.clone()),
        other @ (Value::Date | Value::List(_) | Value::Table(_)) => {
            diags.wrong_type(&node.place, "a single value", other.kind());
            return None;
        }
    })
}

/// Whether a table `eureka` sets this key: `client.fetch-registry`.
pub(super) fn sets(eureka: &Node, key: &str) -> bool {
    let mut at = eureka;
    key.split('.').all(|part| match &at.value {
        Value::Table(table) => table.get(part).map(|(_, inner)| at = inner).is_some(),
        _ => false,
    })
}

/// Keys that have a table whose keys are the operator's own names, not Eureka's.
pub(super) const MAPS: [&str; 3] = ["service-url", "availability-zones", "metadata-map"];

fn map_of(section: &str, key: &str) -> bool {
    MAPS.contains(&key) && (section == "instance") == (key == "metadata-map") && section != "server"
}
