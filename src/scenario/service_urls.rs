//! `eureka.client.service-url`: which servers clients know, and which are a server's peers.

use super::build::Builder;
use super::eureka_keys::{EurekaConfig, split_urls};
use super::reader::Read;
use super::source::Place;
use super::tree::{Node, Value};
use crate::eureka::config::ConfigValue;
use crate::eureka::java::hash_set_order;
use crate::eureka::{ServiceUrl, ServiceUrls};
use crate::sim::{Action, Selection, ZoneUrls};

/// What stands before the name of a zone in a key, in both spellings.
const KEYS: [&str; 2] = ["eureka.client.service-url.", "eureka.client.serviceUrl."];

/// The URLs of a process, by zone; nothing if none are configured.
pub(super) fn read(
    config: &EurekaConfig,
    names: &[String],
    builder: &mut Builder,
) -> Option<ServiceUrls> {
    let diags = &mut builder.diags;
    let Some((_, (_, place))) = config.service_urls.first_key_value() else {
        if let Some((_, (_, place))) = config.availability_zones.first_key_value() {
            let message =
                "`eureka.client.availability-zones` has no effect without `service-url`".to_owned();
            let help = "the zones of a scenario are `cluster.zones` and `zone`";
            diags.warn("W001", place, message, help);
        }
        return None;
    };
    let zones =
        config.availability_zones.get(&config.client.region).map(|(zones, _)| zones.clone());
    let mut configured = ServiceUrls::default();
    configured.zones = zones.unwrap_or(configured.zones);
    let before = diags.error_count();
    for (zone, (urls, place)) in &config.service_urls {
        let known = urls.iter().filter_map(|url| service_url(url, place, names, builder));
        configured.by_zone.insert(zone.clone(), known.collect());
    }
    let diags = &mut builder.diags;
    if configured.all().next().is_none()
        && !builder.unclear.servers
        && diags.error_count() == before
    {
        let zone = &configured.zones[0];
        let message = format!("`service-url` names no server for the zone `{zone}`");
        let help = "without `availability-zones` the zone is `defaultZone`, spelled like this";
        diags.misplaced(place, message, help);
    }
    Some(configured)
}

/// A URL and its server, if there is one of that name. Eureka appends the slash that is left out.
fn service_url(
    url: &str,
    place: &Place,
    names: &[String],
    builder: &mut Builder,
) -> Option<ServiceUrl> {
    let host = host_of(url);
    if host.is_none() {
        let example = match names.iter().find(|name| url.split([':', '/']).next() == Some(name)) {
            Some(server) => format!("`http://{server}:8761/eureka/`"),
            None => "`http://eureka-0:8761/eureka/`".to_owned(),
        };
        builder.diags.malformed(place, "a URL", url, &example);
        return None;
    }
    match names.iter().position(|name| Some(name.as_str()) == host) {
        Some(server) => {
            let url = format!("{}/", url.trim_end_matches('/')).into();
            Some(ServiceUrl { url, server: server as u16 })
        }
        None => {
            if !builder.unclear.servers {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                builder.diags.unknown_name(place, "server", host.unwrap_or(url), &known);
            }
            None
        }
    }
}

/// The host of a URL: what stands between `//` (and perhaps `user:password@`) and `:` or `/`.
fn host_of(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split('/').next()?;
    let host = authority.rsplit('@').next()?;
    host.split(':').next()
}

/// The URL under which a server is known where nobody says another.
pub(super) fn of_server(server: usize, names: &[String]) -> ServiceUrl {
    let url = format!("http://{}:8761/eureka/", names[server]).into();
    ServiceUrl { url, server: server as u16 }
}

/// The servers of a list of names.
pub(super) fn listed(
    list: &[(String, Place)],
    names: &[String],
    builder: &mut Builder,
) -> Vec<ServiceUrl> {
    let mut urls = Vec::new();
    for (name, place) in list {
        match names.iter().position(|known| known == name) {
            Some(server) => urls.push(of_server(server, names)),
            None if builder.unclear.servers => {}
            None => {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                builder.diags.unknown_name(place, "server", name, &known);
            }
        }
    }
    urls
}

/// The peers among these of server `index`, which is never its own, in the order it fans out to them:
/// that of a hash set, whose bins keep the order in which the URLs are listed.
pub(super) fn peers(index: usize, mut urls: Vec<ServiceUrl>) -> Vec<ServiceUrl> {
    urls.retain(|url| usize::from(url.server) != index);
    let texts: Vec<&str> = urls.iter().map(|url| &*url.url).collect();
    let order = hash_set_order(&texts);
    order.into_iter().map(|position| urls[position].clone()).collect()
}

/// `set-config` of `eureka.client.service-url.ZONE`; nothing if the key is another one.
pub(super) fn change(
    select: &Selection,
    key: &Read<String>,
    value: &Node,
    builder: &mut Builder,
) -> Option<Option<Action>> {
    let zone = KEYS.iter().find_map(|before| key.value.strip_prefix(before))?;
    let Value::Text(text) = &value.value else {
        let found = value.value.kind();
        builder.diags.wrong_type(&value.place, "text: URLs with commas between", found);
        return Some(None);
    };
    let names: Vec<String> = builder.server_names().into_iter().map(str::to_owned).collect();
    let urls = split_urls(text);
    let urls = urls.iter().filter_map(|url| service_url(url, &value.place, &names, builder));
    let zone = ZoneUrls { zone: zone.to_owned(), urls: urls.collect() };
    for host in select.hosts.iter() {
        if let Some(server) = builder.servers.get_mut(host.index()) {
            server.peers_change = true;
        }
        if !reads(host.index(), &zone.zone, builder) {
            let message = format!("not every process selected asks for the zone `{}`", zone.zone);
            let help = "a zone of its `availability-zones`, or `defaultZone`, spelled like this";
            builder.diags.misplaced(&key.place, message, help);
            break;
        }
    }
    let setting = ConfigValue::Text(text.clone());
    Some(Some(Action::SetServiceUrls(select.clone(), key.value.clone(), setting, zone)))
}

/// Whether a host asks for the URLs of a zone.
fn reads(host: usize, zone: &str, builder: &Builder) -> bool {
    let endpoints = match host.checked_sub(builder.servers.len()) {
        None => builder.servers[host].endpoints,
        Some(client) => builder.clients[client].endpoints as usize,
    };
    let configured = builder.endpoints[endpoints].configured.as_ref();
    zone == ServiceUrls::DEFAULT_ZONE
        || configured.is_some_and(|configured| configured.zones.iter().any(|known| known == zone))
}
