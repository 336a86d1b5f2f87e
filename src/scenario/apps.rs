//! `[[apps]]`: groups of instances.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rand::RngExt;

use super::build::Builder;
use super::calls::{self, Calls};
use super::cluster::{self, Cluster, said_twice};
use super::diagnostics::Diagnostics;
use super::eureka_keys::{EurekaConfig, metadata};
use super::instance_id::Template;
use super::reader::{Read, Reader, duration, texts};
use super::source::Place;
use super::tree::{Node, Value};
use super::{health, rest_client, second_client, service_urls};
use crate::eureka::client::{ClientProfile, Endpoints};
use crate::eureka::{AppId, Flavor, InstanceStatus};
use crate::sim::{ClientSetup, Stream, Streams};
use crate::time::{Instant, Span};

/// Most instances a scenario may have.
pub(super) const MOST_INSTANCES: u64 = 2_000_000;
/// Longest name of an application in bytes: it is part of every id.
const LONGEST_NAME: usize = 200;

/// A group: a `[[apps]]` table.
pub(super) struct Group {
    pub(super) app: AppId,
    /// Its clients, by position among all; in the last group of an application also those that are
    /// added later.
    pub(super) clients: Range<usize>,
    /// The `{index}` of the first.
    pub(super) first_index: usize,
    /// What `{app}` stands for in the template.
    pub(super) name: String,
    pub(super) template: Template,
}

impl Group {
    /// The `{index}` of one of its clients.
    pub(super) const fn index_of(&self, client: usize) -> usize {
        self.first_index + client - self.clients.start
    }
}

/// A group as it was read, before its instances have places.
struct Draft {
    /// Its number among the tables.
    position: usize,
    name: String,
    app: AppId,
    count: usize,
    first_index: usize,
    template: Template,
    starts: Starts,
    start_place: Place,
    zones: Vec<usize>,
    profile: u32,
    /// By zone.
    endpoints: Vec<u32>,
    /// When the second client starts, counted from the process start, and where that is said.
    second_start: Option<(Span, Place)>,
    calls: Vec<Calls>,
}

/// All groups as they were read.
#[derive(Default)]
pub(super) struct Drafts {
    groups: Vec<Draft>,
    /// Calls of groups that could not be understood.
    calls: Vec<Calls>,
}

/// When the instances of a group start.
enum Starts {
    At(Span),
    Every { first: Span, every: Span },
    Spread { first: Span, over: Span },
}

pub(super) fn read(node: Option<&Node>, cluster: &Cluster<'_>, builder: &mut Builder) -> Drafts {
    let mut drafts = Drafts::default();
    let Some(node) = node else {
        return drafts;
    };
    let Value::List(list) = &node.value else {
        builder.diags.wrong_type(&node.place, "[[apps]] tables", node.value.kind());
        builder.unclear.apps = true;
        return drafts;
    };
    for (position, node) in list.iter().enumerate() {
        match Reader::of(node, "[[apps]]", &mut builder.diags) {
            Some(reader) => match group(position, reader, cluster, builder) {
                Ok(group) => drafts.groups.push(group),
                Err(calls) => drafts.calls.extend(calls),
            },
            None => builder.unclear.apps = true,
        }
    }
    drafts
}

/// Reads a group; of one that could not be understood, the calls that its instances make.
fn group(
    position: usize,
    mut reader: Reader<'_>,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Result<Draft, Vec<Calls>> {
    let diags = &mut builder.diags;
    let name = name(&mut reader, diags);
    let count = instances(&mut reader, diags);
    let template = Template::read(&mut reader, diags);
    let flavor = cluster::flavor(&mut reader, diags).unwrap_or(cluster.flavor);
    let release = cluster::release(&mut reader, diags).unwrap_or(cluster.release);
    let http_client = cluster::http_client(&mut reader, diags)
        .unwrap_or_else(|| cluster.default_http_client(flavor, release));
    let mut config = config(&mut reader, flavor, cluster, diags);
    let rest = rest_client::kind(&mut reader, diags);
    if rest.is_some() {
        // Whatever Eureka's client is configured to do: this one registers and does not fetch.
        config.client.register_with_eureka = true;
        config.client.fetch_registry = false;
    }
    let warm_up = reader.duration("warm-up", diags).map_or(Span::ZERO, |span| span.value);
    let drain = reader.duration("drain", diags).map_or(Span::ZERO, |span| span.value);
    let vip = reader.text("vip", diags).map(|vip| vip.value);
    let secure_vip = reader.text("secure-vip", diags).map(|vip| vip.value);
    let calls = calls::read(&mut reader, config.client.fetch_registry, diags);
    let health = health::words(&mut reader, diags);
    let has_check = health.check || config.client.healthcheck_enabled;
    let starts = starts(&mut reader, builder.duration, diags);
    let start_place = reader.key_place("start");
    let zones = zones(&mut reader, cluster, diags);
    let servers = servers(&mut reader, builder);
    let second = second_client::read(&mut reader, builder);
    let second_place = reader.key_place("second-client");
    let second_start = second.as_ref().map(|second| (second.start, second_place));
    reader.finish(&mut builder.diags);

    let (Some(name), Some(count), Some(template), Some(starts)) = (&name, count, template, starts)
    else {
        match name {
            Some(name) => drop(builder.unclear.groups_of.insert(name.to_uppercase())),
            None => builder.unclear.apps = true,
        }
        return Err(calls);
    };
    builder.instances += count.value;
    if builder.instances > MOST_INSTANCES {
        builder.diags.too_many(&count.place, "instances", builder.instances, MOST_INSTANCES);
        builder.unclear.groups_of.insert(name.to_uppercase());
        return Err(calls);
    }
    let app = builder.names.app(name);
    let vip = vip.unwrap_or_else(|| name.to_lowercase());
    let endpoints = endpoints(&zones, servers, &config, builder);
    let profile = ClientProfile {
        single_vip: config.single_vip(&mut builder.names),
        health_check: has_check && rest.is_none(),
        never_out_of_service: health.never_out_of_service,
        rest,
        second: second.map(Arc::new),
        client: config.client,
        instance: config.instance,
        warm_up,
        drain,
        vip_address: Some(builder.names.intern(&vip)),
        secure_vip_address: secure_vip.map(|vip| builder.names.intern(&vip)),
        metadata: Arc::new(config.metadata),
        ..ClientProfile::new(flavor, release, http_client)
    };
    let profile = builder.profile(profile) as u32;
    let size = builder.sizes.entry(app).or_default();
    let first_index = *size;
    let count = count.value as usize;
    *size += count;
    Ok(Draft {
        position,
        name: name.clone(),
        app,
        count,
        first_index,
        template,
        starts,
        start_place,
        zones,
        profile,
        endpoints,
        second_start,
        calls,
    })
}

/// Gives every instance its place, those included that are added later: they follow those of the last
/// group of their application, and are made like these.
pub(super) fn lay_out(drafts: Drafts, builder: &mut Builder) {
    let Drafts { groups, mut calls } = drafts;
    let mut last: BTreeMap<AppId, usize> = BTreeMap::new();
    last.extend(groups.iter().enumerate().map(|(number, group)| (group.app, number)));
    for (number, draft) in groups.into_iter().enumerate() {
        let added = if last[&draft.app] == number { builder.added(draft.app) } else { 0 };
        calls.extend(lay_out_group(draft, added, builder));
    }
    // Who is called may stand below its callers.
    calls::resolve(calls, builder);
}

fn lay_out_group(draft: Draft, added: usize, builder: &mut Builder) -> Vec<Calls> {
    let Draft { app, count, first_index, name, template, starts, zones, mut calls, .. } = draft;
    let from = builder.clients.len();
    let end = Instant::ZERO + builder.duration;
    let (mut late, mut late_seconds) = (0, 0);
    let mut rng = Streams::new(builder.seed).chacha(Stream::Start, draft.position as u64);
    for offset in 0..count + added {
        let id = template.fill(&name, first_index + offset, 0);
        let known = builder.names.instance_count();
        let key = builder.names.instance(app, &id);
        // So far only instances have numbers, and servers their own.
        if key.index() < known {
            let full = builder.names.full(key);
            let help =
                "put `{index}` into `instance-id`; it counts on over the groups of an application";
            builder.diags.duplicate(&template.text.place, "the instance", &full, help);
            break;
        }
        let start = (offset < count).then(|| match starts {
            Starts::At(at) => at,
            Starts::Every { first, every } => first + every.saturating_mul(offset as u64),
            Starts::Spread { first, over } => {
                first + Span::from_nanos(rng.random_range(0..=over.nanos()))
            }
        });
        let start = start.map(|start| Instant::ZERO + start);
        // Of a single time that is said where it stands.
        let one_by_one = !matches!(starts, Starts::At(_));
        late += usize::from(one_by_one && start.is_some_and(|start| start > end));
        if let (Some(start), Some((second, _))) = (start, &draft.second_start) {
            late_seconds += usize::from(start <= end && start + *second > end);
        }
        let zone = offset % zones.len();
        builder.client_zones.push(zones[zone] as u16);
        let endpoints = draft.endpoints[zone];
        builder.clients.push(ClientSetup { key, start, profile: draft.profile, endpoints });
    }
    if late > 0 {
        let message = format!("{late} of {count} instances would start");
        warn_late(message, &draft.start_place, builder);
    }
    if let Some((_, place)) = draft.second_start.filter(|_| late_seconds > 0) {
        let message =
            format!("the second client of {late_seconds} of {count} instances would start");
        warn_late(message, &place, builder);
    }
    let clients = from..builder.clients.len();
    let servers = builder.servers.len();
    for calls in &mut calls {
        calls.callers = servers + clients.start..servers + clients.end;
    }
    *builder.sizes.entry(app).or_default() += added;
    builder.groups.push(Group { app, clients, first_index, name, template });
    calls
}

/// Something starts when the run is over: no time in the file says so, but it is missed.
pub(super) fn warn_late(what: String, place: &Place, builder: &mut Builder) {
    let message = format!("{what} after the end of the run at {}", builder.duration);
    builder.diags.warn("W003", place, message, "start them earlier, or raise the `duration`");
}

fn name(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<String> {
    let Some(name) = reader.text("name", diags) else {
        if reader.present(&["name"]).is_empty() {
            diags.missing(&reader.place.clone(), "name", "[[apps]]", "name = \"ORDERS\"");
        }
        return None;
    };
    let forbidden = |letter: char| letter == '/' || letter.is_control();
    if name.value.trim().is_empty()
        || name.value.len() > LONGEST_NAME
        || name.value.contains(forbidden)
    {
        let example =
            format!("`ORDERS`: 1 to {LONGEST_NAME} bytes, without `/` and control characters");
        diags.malformed(&name.place, "an application's name", &name.value, &example);
    }
    Some(name.value)
}

/// The configuration of a group's clients: `eureka.*`, and the group's own words for some of it.
fn config(
    reader: &mut Reader<'_>,
    flavor: Flavor,
    cluster: &Cluster<'_>,
    diags: &mut Diagnostics,
) -> EurekaConfig {
    let mut config = cluster.config(flavor, diags);
    let eureka = reader.node("eureka");
    if let Some(eureka) = eureka {
        config.apply(eureka, &["instance", "client"], diags);
    }
    if let Some(register) = reader.flag("register", diags) {
        said_twice(reader, "register", eureka, "client.register-with-eureka", diags);
        config.client.register_with_eureka = register;
    }
    if let Some(fetch) = reader.flag("fetch", diags) {
        said_twice(reader, "fetch", eureka, "client.fetch-registry", diags);
        config.client.fetch_registry = fetch;
    }
    if initial_status(reader, flavor, &mut config, diags) {
        said_twice(reader, "initial-status", eureka, "instance.initial-status", diags);
    }
    if !reader.present(&["servers"]).is_empty() {
        said_twice(reader, "servers", eureka, "client.service-url", diags);
    }
    if let Some(node) = reader.node("metadata") {
        match &node.value {
            Value::Table(map) => metadata(&mut config.metadata, map, diags),
            other => diags.wrong_type(&node.place, "a table of texts", other.kind()),
        }
    }
    config.disable_client_if_told();
    config
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

/// Whether `initial-status` is there.
fn initial_status(
    reader: &mut Reader<'_>,
    flavor: Flavor,
    config: &mut EurekaConfig,
    diags: &mut Diagnostics,
) -> bool {
    let Some(text) = reader.text("initial-status", diags) else {
        return false;
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
            diags.unknown_word(&text.place, "status", &text.value, &known);
        }
    }
    true
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
    let Some(node) = reader.node("zone") else {
        return vec![0];
    };
    if matches!(&node.value, Value::List(list) if list.is_empty()) {
        diags.out_of_range(&node.place, "`zone`", "at least one name");
    }
    let names = texts(node, diags);
    let zones: Vec<usize> =
        names.iter().map(|zone| cluster.zone(&zone.value, &zone.place, diags)).collect();
    if zones.is_empty() { vec![0] } else { zones }
}

pub(super) fn servers(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Vec<u16>> {
    let node = reader.node("servers")?;
    if matches!(&node.value, Value::List(list) if list.is_empty()) {
        builder.diags.out_of_range(&node.place, "`servers`", "at least one name");
    }
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
    let configured = service_urls::read(config, &names, builder);
    let configured = configured.map(|urls| Endpoints::from(Arc::new(urls)));
    let mut numbers = Vec::new();
    for zone in zones {
        let endpoints = match (&listed, &configured) {
            (Some(listed), _) => Endpoints {
                own_zone: listed.clone(),
                other_zones: Vec::new(),
                in_given_order: true,
                configured: None,
            },
            (None, Some(configured)) => configured.clone(),
            (None, None) => {
                let all = 0..builder.servers.len() as u16;
                let (own, other) =
                    all.partition(|&server| builder.server_zones[server as usize] == *zone);
                Endpoints {
                    own_zone: own,
                    other_zones: other,
                    in_given_order: false,
                    configured: None,
                }
            }
        };
        numbers.push(builder.endpoints(endpoints) as u32);
    }
    numbers
}
