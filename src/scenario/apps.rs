//! `[[apps]]`: groups of instances.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use rand::RngExt;

use super::build::Builder;
use super::cluster::{self, Cluster};
use super::diagnostics::Diagnostics;
use super::eureka_keys::{EurekaConfig, metadata};
use super::reader::{Read, Reader, duration, texts};
use super::tree::{Node, Value};
use crate::eureka::client::{ClientProfile, Endpoints};
use crate::eureka::{AppId, Flavor, InstanceStatus};
use crate::sim::{ClientSetup, Stream, Streams};
use crate::time::{Instant, Span};

/// Most instances a scenario may have.
const MOST_INSTANCES: u64 = 2_000_000;

/// A group: a `[[apps]]` table.
pub(super) struct Group {
    pub(super) app: AppId,
    /// Its clients, by position among all.
    pub(super) clients: Range<usize>,
    /// The `{index}` of the first.
    pub(super) first_index: usize,
}

/// When the instances of a group start.
enum Starts {
    At(Span),
    Every { first: Span, every: Span },
    Spread { first: Span, over: Span },
}

pub(super) fn read(node: Option<&Node>, cluster: &Cluster<'_>, builder: &mut Builder) {
    let Some(node) = node else {
        return;
    };
    let Value::List(list) = &node.value else {
        builder.diags.wrong_type(&node.place, "[[apps]] tables", node.value.kind());
        return;
    };
    for (position, node) in list.iter().enumerate() {
        if let Some(reader) = Reader::of(node, "[[apps]]", &mut builder.diags) {
            group(position, reader, cluster, builder);
        }
    }
}

fn group(position: usize, mut reader: Reader<'_>, cluster: &Cluster<'_>, builder: &mut Builder) {
    let diags = &mut builder.diags;
    let place = reader.place.clone();
    let name = reader.text("name", diags);
    if name.is_none() && reader.present(&["name"]).is_empty() {
        diags.missing(&place, "name", "[[apps]]", "name = \"ORDERS\"");
    }
    let name = name.map(|name| {
        if name.value.trim().is_empty() || name.value.contains('/') {
            diags.malformed(&name.place, "an application's name", &name.value, "`ORDERS`");
        }
        name.value
    });
    let count = instances(&mut reader, diags);
    let template = Template::read(&mut reader, diags);
    let flavor = cluster::flavor(&mut reader, diags).unwrap_or(cluster.flavor);
    let release = cluster::release(&mut reader, diags).unwrap_or(cluster.release);
    let http_client = cluster::http_client(&mut reader, diags)
        .unwrap_or_else(|| cluster.default_http_client(flavor, release));
    let mut config = cluster.config(flavor, diags);
    if let Some(eureka) = reader.node("eureka") {
        config.apply(eureka, &["instance", "client"], diags);
    }
    if let Some(register) = reader.flag("register", diags) {
        config.client.register_with_eureka = register;
    }
    if let Some(fetch) = reader.flag("fetch", diags) {
        config.client.fetch_registry = fetch;
    }
    initial_status(&mut reader, flavor, &mut config, diags);
    let warm_up = reader.duration("warm-up", diags).map_or(Span::ZERO, |span| span.value);
    let drain = reader.duration("drain", diags).map_or(Span::ZERO, |span| span.value);
    if let Some(node) = reader.node("metadata") {
        match &node.value {
            Value::Table(map) => metadata(&mut config.metadata, map, diags),
            other => diags.wrong_type(&node.place, "a table of texts", other.kind()),
        }
    }
    let vip = reader.text("vip", diags).map(|vip| vip.value);
    let secure_vip = reader.text("secure-vip", diags).map(|vip| vip.value);
    not_yet(&mut reader, diags);
    let starts = starts(&mut reader, builder.duration, diags);
    let zones = zones(&mut reader, cluster, diags);
    let servers = servers(&mut reader, builder);
    reader.finish(&mut builder.diags);

    let (Some(name), Some(count), Some(template), Some(starts)) = (name, count, template, starts)
    else {
        return;
    };
    let total = builder.clients.len() as u64 + count.value;
    if total > MOST_INSTANCES {
        builder.diags.too_many(&count.place, "instances", total, MOST_INSTANCES);
        return;
    }
    let app = builder.names.app(&name);
    let vip = vip.unwrap_or_else(|| name.to_lowercase());
    let profile = ClientProfile {
        flavor,
        http_client,
        client: config.client.clone(),
        instance: config.instance.clone(),
        warm_up,
        drain,
        vip_address: Some(builder.names.intern(&vip)),
        secure_vip_address: secure_vip.map(|vip| builder.names.intern(&vip)),
        metadata: Arc::new(config.metadata.clone()),
    };
    let profile = builder.profile(profile) as u32;
    let endpoints = endpoints(&zones, servers, &config, builder);
    let earlier = builder.groups.iter().filter(|group| group.app == app);
    let first_index = earlier.map(|group| group.clients.len()).sum();
    let from = builder.clients.len();
    let mut seen: BTreeSet<_> = builder
        .groups
        .iter()
        .filter(|group| group.app == app)
        .flat_map(|group| group.clients.clone())
        .map(|client| builder.clients[client].key)
        .collect();
    let mut rng = Streams::new(builder.seed).chacha(Stream::Start, position as u64);
    for offset in 0..count.value as usize {
        let id = template.fill(&name, first_index + offset);
        let key = builder.names.instance(app, &id);
        if !seen.insert(key) {
            let full = format!("{}/{id}", name.to_uppercase());
            let help =
                "put `{index}` into `instance-id`; it counts on over the groups of an application";
            builder.diags.duplicate(&template.text.place, "the instance", &full, help);
            break;
        }
        let start = match starts {
            Starts::At(at) => at,
            Starts::Every { first, every } => first + every.saturating_mul(offset as u64),
            Starts::Spread { first, over } => {
                first + Span::from_nanos(rng.random_range(0..=over.nanos()))
            }
        };
        let zone = zones[offset % zones.len()];
        builder.client_zones.push(zone as u16);
        builder.clients.push(ClientSetup {
            key,
            start: Some(Instant::ZERO + start),
            profile,
            endpoints: endpoints[offset % zones.len()],
        });
    }
    builder.groups.push(Group { app, clients: from..builder.clients.len(), first_index });
}

fn instances(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<Read<u64>> {
    let place = reader.place.clone();
    let Some(count) = reader.int("instances", i64::MIN..=i64::MAX, diags) else {
        if reader.present(&["instances"]).is_empty() {
            diags.missing(&place, "instances", "[[apps]]", "instances = 10");
        }
        return None;
    };
    match u64::try_from(count.value) {
        Ok(value @ 1..=MOST_INSTANCES) => Some(Read { value, place: count.place }),
        Ok(0) | Err(_) => {
            diags.out_of_range(&count.place, "`instances`", "at least 1");
            None
        }
        Ok(value) => {
            diags.too_many(&count.place, "instances", value, MOST_INSTANCES);
            None
        }
    }
}

fn initial_status(
    reader: &mut Reader<'_>,
    flavor: Flavor,
    config: &mut EurekaConfig,
    diags: &mut Diagnostics,
) {
    let Some(text) = reader.text("initial-status", diags) else {
        return;
    };
    match InstanceStatus::value_of(&text.value) {
        Some(status) => {
            config.instance.initial_status = status;
            // Netflix has one switch only: UP from construction.
            if flavor == Flavor::Netflix && status == InstanceStatus::Up {
                config.instance.instance_enabled_onit = true;
            }
        }
        None => {
            let known = InstanceStatus::ALL.map(InstanceStatus::name);
            diags.unknown_name(&text.place, "status", &text.value, &known);
        }
    }
}

/// Words of the format that this version does not execute yet.
fn not_yet(reader: &mut Reader<'_>, diags: &mut Diagnostics) {
    for (key, harmless) in [
        ("calls", None),
        ("health", None),
        ("kind", Some("java")),
        ("out-of-service", Some("as-is")),
        ("re-register-on-404", None),
        ("sends-status", None),
        ("sends-dirty", None),
    ] {
        if let Some(node) = reader.node(key) {
            let is_harmless =
                matches!(&node.value, Value::Text(text) if Some(text.as_str()) == harmless);
            if !is_harmless {
                diags.not_yet(&reader.key_place(key), &format!("`{key}` of [[apps]]"));
            }
        }
    }
}

fn starts(reader: &mut Reader<'_>, run: Span, diags: &mut Diagnostics) -> Option<Starts> {
    let Some(node) = reader.node("start") else {
        return Some(Starts::At(Span::ZERO));
    };
    let Value::Table(_) = node.value else {
        let at = duration(node, diags)?;
        if at > run {
            diags.beyond_duration(&node.place, "`start`", run);
        }
        return Some(Starts::At(at));
    };
    let mut table = Reader::of(node, "`start`", diags)?;
    let first = table.duration("first", diags);
    let every = table.duration("every", diags);
    let spread = table.duration("spread", diags);
    if table.present(&["every", "spread"]).len() != 1 {
        let found = table.present(&["every", "spread"]);
        diags.not_exactly_one(&node.place, &found, "`every`, `spread`");
    }
    table.finish(diags);
    let first = first.map_or(Span::ZERO, |first| first.value);
    if first > run {
        diags.beyond_duration(&node.place, "`first`", run);
    }
    match (every, spread) {
        (Some(every), _) => Some(Starts::Every { first, every: every.value }),
        (_, Some(over)) => Some(Starts::Spread { first, over: over.value }),
        _ => None,
    }
}

fn zones(reader: &mut Reader<'_>, cluster: &Cluster<'_>, diags: &mut Diagnostics) -> Vec<usize> {
    let names = reader.node("zone").map(|node| texts(node, diags)).unwrap_or_default();
    let zones: Vec<usize> =
        names.iter().map(|zone| cluster.zone(&zone.value, &zone.place, diags)).collect();
    if zones.is_empty() { vec![0] } else { zones }
}

fn servers(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Vec<u16>> {
    let node = reader.node("servers")?;
    let listed = texts(node, &mut builder.diags);
    let hosts = listed.iter().filter_map(|name| builder.server(&name.value, &name.place));
    Some(hosts.map(|host| host.index() as u16).collect())
}

/// The servers that the instances of each zone know: those listed, those of `service-url`, or all,
/// their own zone's first.
fn endpoints(
    zones: &[usize],
    listed: Option<Vec<u16>>,
    config: &EurekaConfig,
    builder: &mut Builder,
) -> Vec<u32> {
    let names: Vec<String> = builder.server_names().into_iter().map(str::to_owned).collect();
    let configured = cluster::service_endpoints(config, &names, &mut builder.diags);
    let mut numbers = Vec::new();
    for zone in zones {
        let endpoints = match (&listed, &configured) {
            (Some(listed), _) => Endpoints {
                own_zone: listed.clone(),
                other_zones: Vec::new(),
                in_given_order: true,
            },
            (None, Some(configured)) => configured.clone(),
            (None, None) => {
                let all = 0..builder.servers.len() as u16;
                let (own, other) =
                    all.partition(|&server| builder.server_zones[server as usize] == *zone);
                Endpoints { own_zone: own, other_zones: other, in_given_order: false }
            }
        };
        numbers.push(builder.endpoints(endpoints) as u32);
    }
    numbers
}

/// `instance-id`, taken apart.
struct Template {
    text: Read<String>,
    parts: Vec<Part>,
}

enum Part {
    Literal(String),
    LowerApp,
    UpperApp,
    /// Zero-padded to so many digits.
    Index(usize),
    Generation,
}

impl Template {
    fn read(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<Self> {
        let place = reader.place.clone();
        let text = reader.text("instance-id", diags);
        if text.is_none() && !reader.present(&["instance-id"]).is_empty() {
            return None;
        }
        let text = text.unwrap_or(Read { value: "{app}-{index:04}".to_owned(), place });
        let mut parts = Vec::new();
        let mut rest = text.value.as_str();
        while let Some((literal, after)) = rest.split_once('{') {
            parts.push(Part::Literal(literal.to_owned()));
            let Some((placeholder, after)) = after.split_once('}') else {
                Self::malformed(&text, diags);
                return None;
            };
            parts.push(match placeholder {
                "app" => Part::LowerApp,
                "APP" => Part::UpperApp,
                "n" => Part::Generation,
                "index" => Part::Index(0),
                other => {
                    let width = other.strip_prefix("index:0").and_then(|width| width.parse().ok());
                    let Some(width @ 1..=20) = width else {
                        Self::malformed(&text, diags);
                        return None;
                    };
                    Part::Index(width)
                }
            });
            rest = after;
        }
        parts.push(Part::Literal(rest.to_owned()));
        if text.value.trim().is_empty() || text.value.contains('/') {
            Self::malformed(&text, diags);
            return None;
        }
        Some(Self { text, parts })
    }

    fn malformed(text: &Read<String>, diags: &mut Diagnostics) {
        let example =
            "`h{index:04}:{app}:8080`; placeholders are {app}, {APP}, {index}, {index:04}, {n}";
        diags.malformed(&text.place, "a template of instance ids", &text.value, example);
    }

    fn fill(&self, app: &str, index: usize) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::LowerApp => app.to_lowercase(),
            Part::UpperApp => app.to_uppercase(),
            Part::Index(width) => format!("{index:0width$}"),
            Part::Generation => "0".to_owned(),
        };
        self.parts.iter().map(part).collect()
    }
}
