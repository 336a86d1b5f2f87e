//! Selectors: which hosts are meant.

use super::build::Builder;
use super::cluster::Cluster;
use super::reader::{Reader, share, texts};
use super::source::Place;
use super::tree::{Node, Value};
use crate::eureka::InstanceKey;
use crate::sim::{HostId, HostSet, Pick, Selection, Take};

/// A selector in any of its forms: a text, a list of texts, or a table.
pub(super) fn selection(
    node: &Node,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<Selection> {
    let Value::Table(_) = node.value else {
        return whole(node, cluster, builder);
    };
    let mut reader = Reader::of(node, "the selector", &mut builder.diags)?;
    let selection = from_reader(&mut reader, cluster, builder);
    reader.finish(&mut builder.diags);
    selection
}

/// `select`, `share`, `count` and `pick` of a table that may have other keys.
pub(super) fn from_reader(
    reader: &mut Reader<'_>,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<Selection> {
    let place = reader.place.clone();
    let select = reader.node("select");
    let share = reader.node("share").map(|node| share(node, &mut builder.diags));
    let count = reader.int("count", 0..=i64::from(u32::MAX), &mut builder.diags);
    let pick = reader.text("pick", &mut builder.diags);
    if share.is_some() && count.is_some() {
        let found = ["share", "count"];
        builder.diags.not_exactly_one(&place, &found, "`share`, `count`");
    }
    let Some(select) = select else {
        let example = "select = \"app:ORDERS\"";
        builder.diags.missing(&place, "select", "the action", example);
        return None;
    };
    let mut selection = whole(select, cluster, builder)?;
    selection.take = match (share, count) {
        (Some(share), _) => Some(Take::Share(share?)),
        (_, Some(count)) => Some(Take::Count(count.value as usize)),
        (None, None) => None,
    };
    if let Some(Take::Count(count)) = selection.take
        && count > selection.hosts.len()
    {
        let bounds = format!("at most {}, the number selected", selection.hosts.len());
        builder.diags.out_of_range(&reader.key_place("count"), "`count`", bounds);
    }
    if let Some(pick) = pick {
        selection.pick = match pick.value.as_str() {
            "random" => Pick::Random,
            "first" => Pick::First,
            "last" => Pick::Last,
            other => {
                let known = ["random", "first", "last"];
                builder.diags.unknown_name(&pick.place, "`pick`", other, &known);
                Pick::Random
            }
        };
    }
    Some(selection)
}

/// All hosts of a text or list of texts.
fn whole(node: &Node, cluster: &Cluster<'_>, builder: &mut Builder) -> Option<Selection> {
    let before = builder.diags.error_count();
    let mut hosts: Vec<HostId> = Vec::new();
    let mut taken = HostSet::default();
    for text in texts(node, &mut builder.diags) {
        for host in hosts_of(&text.value, &text.place, cluster, builder) {
            if !taken.contains(host) {
                taken.insert(host);
                hosts.push(host);
            }
        }
    }
    let understood = builder.diags.error_count() == before;
    understood.then_some(Selection { hosts, take: None, pick: Pick::Random })
}

/// A selector as a set; shares and counts make no sense there.
pub(super) fn host_set(
    node: &Node,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<HostSet> {
    let selection = selection(node, cluster, builder)?;
    if selection.take.is_some() {
        let message =
            "`share` and `count` are for processes, not for the ends of a link".to_owned();
        builder.diags.misplaced(&node.place, message, "name the hosts, or a zone");
    }
    Some(selection.hosts.into_iter().collect())
}

fn hosts_of(
    text: &str,
    place: &Place,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Vec<HostId> {
    let servers = builder.servers.len();
    let clients = |range: std::ops::Range<usize>| {
        (servers + range.start..servers + range.end).map(HostId::new).collect::<Vec<_>>()
    };
    let found = match text.split_once(':') {
        Some(("app", name)) => {
            let Some(app) = app(name, place, builder) else {
                return Vec::new();
            };
            let groups = builder.groups.iter().filter(|group| group.app == app);
            groups.flat_map(|group| clients(group.clients.clone())).collect()
        }
        Some(("instance", name)) => {
            return instance(name, place, builder).map(|(host, _)| host).into_iter().collect();
        }
        Some(("server", name)) => {
            return builder.server(name, place).into_iter().collect();
        }
        Some(("zone", name)) => {
            let zone = cluster.zone(name, place, &mut builder.diags);
            let in_zone = builder.server_zones.iter().enumerate();
            let mut hosts: Vec<HostId> = in_zone
                .filter(|(_, of_server)| **of_server == zone)
                .map(|(server, _)| HostId::new(server))
                .collect();
            let in_zone = builder.client_zones.iter().enumerate();
            let of_zone = in_zone.filter(|(_, of_client)| usize::from(**of_client) == zone);
            hosts.extend(of_zone.map(|(client, _)| HostId::new(servers + client)));
            hosts
        }
        None if text == "clients" => clients(0..builder.clients.len()),
        None if text == "servers" => (0..servers).map(HostId::new).collect(),
        None if text == "all" => (0..servers + builder.clients.len()).map(HostId::new).collect(),
        _ => {
            let example = "`app:ORDERS`, `instance:ORDERS/3`, `server:eureka-0`, `zone:a`, `clients`, `servers` or `all`";
            builder.diags.malformed(place, "a selector", text, example);
            return Vec::new();
        }
    };
    if found.is_empty() {
        let help = "the scenario has no such process".to_owned();
        builder.diags.selects_nothing(place, text, help);
    }
    found
}

/// The application of this name.
pub(super) fn app(
    name: &str,
    place: &Place,
    builder: &mut Builder,
) -> Option<crate::eureka::AppId> {
    let wanted = builder.names.find_app(name);
    let app = wanted.filter(|app| builder.groups.iter().any(|group| group.app == *app));
    if app.is_none() {
        let known: Vec<String> = builder
            .groups
            .iter()
            .map(|group| builder.names.app_name(group.app).to_owned())
            .collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        builder.diags.unknown_name(place, "application", name, &known);
    }
    app
}

/// `APP/INDEX` or `APP/instance-id`: the host and the key.
pub(super) fn instance(
    text: &str,
    place: &Place,
    builder: &mut Builder,
) -> Option<(HostId, InstanceKey)> {
    let Some((name, rest)) = text.split_once('/') else {
        let example = "`ORDERS/3` or `ORDERS/h03:orders:8080`";
        builder.diags.malformed(place, "an instance", text, example);
        return None;
    };
    let own = builder.names.find_app(name);
    if let Some(server) = builder.servers.iter().position(|server| {
        let key = server.own;
        Some(builder.names.app_of(key)) == own && builder.names.id_text(key) == rest
    }) {
        return Some((HostId::new(server), builder.servers[server].own));
    }
    let app = app(name, place, builder)?;
    let index: Option<usize> = rest.parse().ok();
    let of_app = builder.groups.iter().filter(|group| group.app == app);
    for group in of_app {
        let by_index = index
            .and_then(|index| index.checked_sub(group.first_index))
            .filter(|offset| *offset < group.clients.len())
            .map(|offset| group.clients.start + offset);
        let by_id = || {
            group
                .clients
                .clone()
                .find(|&client| builder.names.id_text(builder.clients[client].key) == rest)
        };
        if let Some(client) = by_index.or_else(by_id) {
            let host = HostId::new(builder.servers.len() + client);
            return Some((host, builder.clients[client].key));
        }
    }
    let count: usize = builder
        .groups
        .iter()
        .filter(|group| group.app == app)
        .map(|group| group.clients.len())
        .sum();
    let name = name.to_uppercase();
    let help = format!("{name} has {count} instances, {name}/0 to {name}/{}", count - 1);
    builder.diags.selects_nothing(place, &format!("instance:{text}"), help);
    None
}
