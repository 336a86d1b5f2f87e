//! `[cluster]` and `[[servers]]`.

use std::sync::Arc;

use super::build::Builder;
use super::diagnostics::Diagnostics;
use super::eureka_keys::{EurekaConfig, sets};
use super::reader::{Reader, texts};
use super::service_urls;
use super::source::Place;
use super::tree::{Node, Value};
use crate::eureka::client::{Application, ClientProfile, Endpoints, ErrorBody, HttpClientKind};
use crate::eureka::{Flavor, Release, ReleaseError, ServiceUrls};
use crate::sim::{HostId, ServerSetup};
use crate::time::Instant;

/// Most servers a scenario may have.
const MOST_SERVERS: u64 = 1_000;
/// Longest name of a server: that of a host, and of a file with what traces add to it.
const LONGEST_NAME: usize = 200;
/// Wall clocks at the start, in ms: from 2001 to 2250. Eureka takes small ones for "never".
const EPOCHS: std::ops::RangeInclusive<i64> = 1_000_000_000_000..=8_835_000_000_000;

/// `[cluster]`, and the configuration that everything starts from.
pub(super) struct Cluster<'a> {
    pub(super) flavor: Flavor,
    pub(super) release: Release,
    pub(super) http_client: Option<HttpClientKind>,
    pub(super) error_bodies: ErrorBody,
    /// The file says itself that error answers have no bodies: a network like the recordings'.
    pub(super) without_bodies: bool,
    pub(super) epoch_ms: i64,
    pub(super) zones: Vec<String>,
    /// There may be other zones: the list could not be understood.
    zones_unclear: bool,
    /// How many servers, if they are given by their count.
    count: Option<u64>,
    /// `[eureka.*]`
    eureka: Option<&'a Node>,
}

impl<'a> Cluster<'a> {
    pub(super) fn read(
        node: Option<&'a Node>,
        eureka: Option<&'a Node>,
        builder: &mut Builder,
    ) -> Self {
        let mut cluster = Self {
            flavor: Flavor::SpringCloud,
            release: Release::NEWEST,
            http_client: None,
            error_bodies: ErrorBody::None,
            without_bodies: false,
            epoch_ms: 1_700_000_000_000,
            zones: vec!["default".to_owned()],
            zones_unclear: false,
            count: None,
            eureka,
        };
        let diags = &mut builder.diags;
        let mut bodies = None;
        if let Some(mut reader) = node.and_then(|node| Reader::of(node, "[cluster]", diags)) {
            cluster.flavor = flavor(&mut reader, diags).unwrap_or(cluster.flavor);
            cluster.release = release(&mut reader, diags).unwrap_or(cluster.release);
            cluster.http_client = http_client(&mut reader, diags);
            bodies = error_bodies(&mut reader, diags);
            if let Some(epoch) = reader.int("epoch-ms", EPOCHS, diags) {
                cluster.epoch_ms = epoch.value;
            }
            if let Some(zones) = reader.node("zones") {
                cluster.read_zones(zones, diags);
            }
            cluster.count = server_count(&mut reader, diags);
            builder.unclear.servers =
                cluster.count.is_none() && !reader.present(&["servers"]).is_empty();
            reader.finish(diags);
        }
        cluster.without_bodies = bodies == Some(ErrorBody::None);
        cluster.error_bodies = bodies.unwrap_or(match cluster.flavor {
            Flavor::SpringCloud => ErrorBody::Json,
            Flavor::Netflix => ErrorBody::None,
        });
        cluster
    }

    fn read_zones(&mut self, node: &Node, diags: &mut Diagnostics) {
        let before = diags.error_count();
        let zones = texts(node, diags);
        self.zones_unclear = diags.error_count() > before;
        if zones.is_empty() {
            if !self.zones_unclear {
                diags.out_of_range(&node.place, "`zones`", "at least one name");
            }
            self.zones_unclear = true;
            return;
        }
        for (index, zone) in zones.iter().enumerate() {
            if zones[..index].iter().any(|earlier| earlier.value == zone.value) {
                let help = "servers are dealt to the zones in turn: name each once";
                diags.duplicate(&zone.place, "the zone", &zone.value, help);
            }
        }
        self.zones = zones.into_iter().map(|zone| zone.value).collect();
    }

    /// The HTTP client of an application's processes, if nothing is said of it.
    pub(super) fn default_http_client(&self, flavor: Flavor, release: Release) -> HttpClientKind {
        match (self.http_client, flavor) {
            (Some(kind), _) => kind,
            (None, Flavor::SpringCloud) if self.is_as_recorded(flavor) => HttpClientKind::Recorded,
            (None, Flavor::SpringCloud) => HttpClientKind::RestClient,
            (None, Flavor::Netflix) => HttpClientKind::jersey(release),
        }
    }

    /// Whether a process of this flavour is in a Spring Cloud cluster whose error answers have no
    /// bodies: no real one, but the recorded ones.
    fn is_as_recorded(&self, flavor: Flavor) -> bool {
        (self.flavor, flavor, self.error_bodies)
            == (Flavor::SpringCloud, Flavor::SpringCloud, ErrorBody::None)
    }

    /// The configuration that a process of this flavour starts from.
    pub(super) fn config(&self, flavor: Flavor, diags: &mut Diagnostics) -> EurekaConfig {
        let mut config = EurekaConfig::new(flavor);
        if let Some(eureka) = self.eureka {
            config.apply(eureka, &["server", "instance", "client"], diags);
        }
        config
    }

    /// The position of a zone.
    pub(super) fn zone(&self, name: &str, place: &Place, diags: &mut Diagnostics) -> usize {
        self.zones.iter().position(|zone| zone == name).unwrap_or_else(|| {
            if !self.zones_unclear {
                let known: Vec<&str> = self.zones.iter().map(String::as_str).collect();
                diags.unknown_name(place, "zone", name, &known);
            }
            0
        })
    }
}

fn server_count(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<u64> {
    let count = reader.int("servers", i64::MIN..=i64::MAX, diags)?;
    match count.value {
        1.. if count.value as u64 <= MOST_SERVERS => Some(count.value as u64),
        1.. => {
            diags.too_many(&count.place, "servers", count.value as u64, MOST_SERVERS);
            None
        }
        _ => {
            diags.out_of_range(&count.place, "`servers`", "at least 1");
            None
        }
    }
}

pub(super) fn flavor(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<Flavor> {
    let name = reader.text("flavor", diags)?;
    let flavor = Flavor::value_of(&name.value);
    if flavor.is_none() {
        diags.unknown_word(&name.place, "flavor", &name.value, &["spring-cloud", "netflix"]);
    }
    flavor
}

pub(super) fn release(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<Release> {
    let text = reader.text("release", diags)?;
    match text.value.parse::<Release>() {
        Ok(release) if release > Release::NEWEST => {
            let message = format!("release {release} is simulated as {}", Release::NEWEST);
            let help = "no newer release was executed against the simulator";
            diags.warn("W002", &text.place, message, help);
            Some(Release::NEWEST)
        }
        Ok(release) => Some(release),
        Err(ReleaseError::Malformed) => {
            diags.release(&text.place, &text.value, "is not of the form X.Y.Z");
            None
        }
        Err(ReleaseError::TooOld) => {
            diags.release(&text.place, &text.value, "is older than any that was executed");
            None
        }
    }
}

pub(super) fn http_client(
    reader: &mut Reader<'_>,
    diags: &mut Diagnostics,
) -> Option<HttpClientKind> {
    let text = reader.text("http-client", diags)?;
    let kind = HttpClientKind::ALL.into_iter().find(|kind| kind.name() == text.value);
    match kind {
        Some(HttpClientKind::WebClient) => {
            diags.not_yet(&text.place, "`http-client = \"webclient\"`");
            None
        }
        Some(kind) => Some(kind),
        None => {
            let known = HttpClientKind::ALL.map(HttpClientKind::name);
            diags.unknown_word(&text.place, "http-client", &text.value, &known);
            None
        }
    }
}

fn error_bodies(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<ErrorBody> {
    let text = reader.text("error-bodies", diags)?;
    match text.value.as_str() {
        "json" => Some(ErrorBody::Json),
        "none" => Some(ErrorBody::None),
        "html" => Some(ErrorBody::Html),
        other => {
            diags.unknown_word(&text.place, "kind of error body", other, &["json", "none", "html"]);
            None
        }
    }
}

/// A server as it was read, before it knows the others.
struct Draft {
    setup: ServerSetup,
    config: EurekaConfig,
    zone: usize,
    http_client: Option<HttpClientKind>,
    peers: Option<Vec<(String, Place)>>,
    /// Its `service-url`, if it has any.
    configured: Option<ServiceUrls>,
    place: Place,
}

/// `[[servers]]`, or the count.
pub(super) fn servers(node: Option<&Node>, cluster: &Cluster<'_>, builder: &mut Builder) {
    let mut drafts = match node {
        None => (0..cluster.count.unwrap_or(1) as usize)
            .map(|index| counted(index, cluster, builder))
            .collect(),
        Some(node) => listed(node, cluster, builder),
    };
    let names: Vec<String> = drafts.iter().map(|draft| draft.setup.name.clone()).collect();
    for (index, draft) in drafts.iter().enumerate() {
        if names[..index].contains(&draft.setup.name) {
            let help = "each server needs a name of its own";
            builder.diags.duplicate(&draft.place, "server", &draft.setup.name, help);
        }
    }
    let zones: Vec<usize> = drafts.iter().map(|draft| draft.zone).collect();
    for (index, draft) in drafts.iter_mut().enumerate() {
        draft.configured = service_urls::read(&draft.config, &names, builder);
        let urls = match (&draft.peers, &draft.configured) {
            (Some(list), _) => service_urls::listed(list, &names, builder),
            (None, Some(configured)) => configured.all().cloned().collect(),
            (None, None) => {
                let mut all: Vec<usize> = (0..names.len()).collect();
                all.sort_by_key(|&other| zones[other] != zones[index]);
                all.into_iter().map(|other| service_urls::of_server(other, &names)).collect()
            }
        };
        draft.setup.peers = service_urls::peers(index, urls);
    }
    builder.server_zones = zones;
    for (index, draft) in drafts.into_iter().enumerate() {
        let server = finish(index, draft, cluster, builder);
        builder.servers.push(server);
    }
}

fn counted(index: usize, cluster: &Cluster<'_>, builder: &mut Builder) -> Draft {
    let place = Place { source: 0, span: 0..0 };
    let config = cluster.config(cluster.flavor, &mut builder.diags);
    let name = format!("eureka-{index}");
    draft(
        name,
        (cluster.flavor, cluster.release),
        config,
        index % cluster.zones.len(),
        place,
        builder,
    )
}

fn draft(
    name: String,
    (flavor, release): (Flavor, Release),
    config: EurekaConfig,
    zone: usize,
    place: Place,
    builder: &mut Builder,
) -> Draft {
    let app = builder.names.app("EUREKA");
    let own = builder.names.instance(app, &format!("{name}:eureka:8761"));
    let setup = ServerSetup {
        name,
        flavor,
        release,
        config: config.server.clone(),
        peers: Vec::new(),
        peers_change: false,
        start: Instant::ZERO,
        open: None,
        profile: 0,
        endpoints: 0,
        own,
    };
    Draft { setup, config, zone, http_client: None, peers: None, configured: None, place }
}

fn listed(node: &Node, cluster: &Cluster<'_>, builder: &mut Builder) -> Vec<Draft> {
    let Value::List(list) = &node.value else {
        builder.diags.wrong_type(&node.place, "[[servers]] tables", node.value.kind());
        builder.unclear.servers = true;
        return Vec::new();
    };
    if cluster.count.is_some() {
        let message = "servers are given twice: by `cluster.servers` and as [[servers]]".to_owned();
        builder.diags.misplaced(&node.place, message, "remove one of them");
    }
    if list.is_empty() {
        builder.diags.out_of_range(&node.place, "`servers`", "at least one");
        builder.unclear.servers = true;
    }
    if list.len() as u64 > MOST_SERVERS {
        builder.diags.too_many(&node.place, "servers", list.len() as u64, MOST_SERVERS);
        builder.unclear.servers = true;
        return Vec::new();
    }
    let drafts: Vec<Draft> = list
        .iter()
        .enumerate()
        .filter_map(|(index, node)| server(index, node, cluster, builder))
        .collect();
    builder.unclear.servers |= drafts.len() < list.len();
    drafts
}

fn server(
    index: usize,
    node: &Node,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<Draft> {
    let mut reader = Reader::of(node, "[[servers]]", &mut builder.diags)?;
    let diags = &mut builder.diags;
    let place = reader.key_place("name");
    let name = reader.text("name", diags).map(|name| name.value);
    builder.unclear.servers |= name.is_none() && !reader.present(&["name"]).is_empty();
    let name = name.unwrap_or_else(|| format!("eureka-{index}"));
    let of_a_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    // It is the name of files too (not hidden ones), and stands in tables (where `-1` is computed).
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !starts_well || name.len() > LONGEST_NAME || !name.bytes().all(of_a_host) {
        let what = "a server's name, which is its host name";
        let example = "`eureka-0`: letters and digits, and after the first `-`, `.` and `_`";
        diags.malformed(&place, what, &name, example);
    }
    let flavor = flavor(&mut reader, diags).unwrap_or(cluster.flavor);
    let release = release(&mut reader, diags).unwrap_or(cluster.release);
    let own_client = http_client(&mut reader, diags);
    let mut config = cluster.config(flavor, diags);
    let eureka = reader.node("eureka");
    if let Some(eureka) = eureka {
        config.apply(eureka, &["server", "instance", "client"], diags);
    }
    for (key, full) in [
        ("register-with-eureka", "client.register-with-eureka"),
        ("fetch-registry", "client.fetch-registry"),
    ] {
        if let Some(flag) = reader.flag(key, diags) {
            said_twice(&reader, key, eureka, full, diags);
            config.explicit.push(full.to_owned());
            match key {
                "fetch-registry" => config.client.fetch_registry = flag,
                _ => config.client.register_with_eureka = flag,
            }
        }
    }
    let zone = match reader.text("zone", diags) {
        Some(zone) => cluster.zone(&zone.value, &zone.place, diags),
        None => index % cluster.zones.len(),
    };
    let duration = builder.duration;
    let mut instant = |key: &'static str, reader: &mut Reader<'_>| {
        let at = reader.duration(key, diags)?;
        if at.value > duration {
            diags.beyond_duration(&at.place, &format!("`{key}`"), duration);
        }
        Some(Instant::ZERO + at.value)
    };
    let start = instant("start", &mut reader);
    let open = instant("open", &mut reader);
    if open.is_some_and(|open| open < start.unwrap_or(Instant::ZERO)) {
        let message = "the server is to be open before its process starts".to_owned();
        let help = "`open` counts from t = 0, as `start` does";
        diags.misplaced(&reader.key_place("open"), message, help);
    }
    let peers = reader
        .node("peers")
        .map(|node| texts(node, diags).into_iter().map(|peer| (peer.value, peer.place)).collect());
    reader.finish(diags);
    let mut draft = draft(name, (flavor, release), config, zone, place, builder);
    draft.setup.start = start.unwrap_or(Instant::ZERO);
    draft.setup.open = open;
    draft.http_client = own_client;
    draft.peers = peers;
    Some(draft)
}

/// A key of a table says what `eureka.*` in the same table says too: one of them would be ignored.
pub(super) fn said_twice(
    reader: &Reader<'_>,
    key: &'static str,
    eureka: Option<&Node>,
    full: &str,
    diags: &mut Diagnostics,
) {
    if eureka.is_some_and(|eureka| sets(eureka, full)) {
        let message = format!("`{key}` is short for `eureka.{full}`, which is given too");
        diags.misplaced(&reader.key_place(key), message, "keep one of them");
    }
}

/// The rest of a server: its embedded client.
fn finish(index: usize, draft: Draft, cluster: &Cluster<'_>, builder: &mut Builder) -> ServerSetup {
    let Draft { mut setup, mut config, zone, http_client, configured, .. } = draft;
    let http_client = http_client.unwrap_or_else(|| match cluster.is_as_recorded(setup.flavor) {
        true => HttpClientKind::Recorded,
        // The server starter of Spring Cloud brings Jersey's too.
        false => HttpClientKind::jersey(setup.release),
    });
    config.disable_client_if_told();
    // The position of a peer may differ from its place in the fan-out: URLs are listed by position.
    let mut known = setup.peer_servers();
    known.sort_unstable();
    known.dedup();
    let explicit_urls = !config.service_urls.is_empty();
    if known.is_empty() && !explicit_urls {
        // Alone, a server has nobody to register with or fetch from; if it is told to all the same
        // its default URL is its own.
        config.client.register_with_eureka &= config.is_set("client.register-with-eureka");
        config.client.fetch_registry &= config.is_set("client.fetch-registry");
        if config.client.register_with_eureka || config.client.fetch_registry {
            known.push(index as u16);
        }
    }
    let configured = configured.map(|urls| Endpoints::from(Arc::new(urls)));
    let endpoints = configured.unwrap_or_else(|| {
        let server_zone = |server: &u16| builder.server_zones.get(*server as usize).copied();
        let (own, other) = known.iter().partition(|server| server_zone(server) == Some(zone));
        Endpoints { own_zone: own, other_zones: other, in_given_order: false, configured: None }
    });
    let spring = setup.flavor == Flavor::SpringCloud;
    let syncs = config.is_set("server.registry-sync-retries")
        || config.is_set("server.number-registry-sync-retries");
    if spring && config.client.register_with_eureka && !syncs {
        config.server.registry_sync_retries = 5;
    }
    let filters = config.is_set("client.filter-only-up-instances")
        || config.is_set("client.should-filter-only-up-instances");
    if !spring && !filters && setup.release >= Release::new(1, 9, 6) {
        // In the WAR's own configuration, not in the library's.
        config.client.filter_only_up_instances = false;
    }
    let vip = builder.names.intern("eureka");
    let profile = ClientProfile::new(setup.flavor, setup.release, http_client);
    let single_vip = config.single_vip(&mut builder.names);
    setup.config = config.server;
    setup.profile = builder.profile(ClientProfile {
        // A Netflix server is UP when it is opened for traffic, not before.
        application: if spring { Application::Spring } else { Application::Scripted },
        single_vip,
        client: config.client,
        instance: config.instance,
        vip_address: Some(vip),
        metadata: Arc::new(config.metadata),
        ..profile
    });
    setup.endpoints = builder.endpoints(endpoints);
    setup
}

impl Builder {
    /// The names of the servers.
    pub(super) fn server_names(&self) -> Vec<&str> {
        self.servers.iter().map(|server| server.name.as_str()).collect()
    }

    /// The server of this name.
    pub(super) fn server(&mut self, name: &str, place: &Place) -> Option<HostId> {
        let found = self.servers.iter().position(|server| server.name == name);
        if found.is_none() && !self.unclear.servers {
            let known: Vec<String> = self.server_names().into_iter().map(str::to_owned).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.diags.unknown_name(place, "server", name, &known);
        }
        found.map(HostId::new)
    }
}
