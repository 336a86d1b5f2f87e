//! Selectors: which hosts are meant.

use super::build::Builder;
use super::cluster::Cluster;
use super::diagnostics::nearest;
use super::reader::{Reader, share, texts};
use super::source::Place;
use super::tree::{Node, Value};
use crate::eureka::InstanceKey;
use crate::sim::{HostId, HostSet, Pick, Selection, Streams, Take};

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
    let pick = pick(reader, builder);
    let amounts = reader.present(&["share", "count"]);
    if amounts.len() == 2 {
        builder.diags.not_exactly_one(&place, &amounts, "`share`, `count`");
    }
    if pick.is_some() && amounts.is_empty() {
        let message = "`pick` says which of a `share` or `count` are taken".to_owned();
        builder.diags.misplaced(&reader.key_place("pick"), message, "add one of them");
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
    selection.pick = pick.unwrap_or(Pick::Random);
    if amounts.len() < 2 {
        check_amount(&selection, reader, builder);
    }
    Some(selection)
}

fn pick(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Pick> {
    let text = reader.text("pick", &mut builder.diags)?;
    Some(match text.value.as_str() {
        "random" => Pick::Random,
        "first" => Pick::First,
        "last" => Pick::Last,
        other => {
            let known = ["random", "first", "last"];
            builder.diags.unknown_word(&text.place, "`pick`", other, &known);
            Pick::Random
        }
    })
}

/// More than there are cannot be taken, and nobody is no choice.
fn check_amount(selection: &Selection, reader: &Reader<'_>, builder: &mut Builder) {
    let (Some(take), selected) = (selection.take, selection.hosts.len()) else {
        return;
    };
    match take {
        Take::Count(count) if count > selected => {
            let bounds = format!("at most {selected}, the number selected");
            builder.diags.out_of_range(&reader.key_place("count"), "`count`", bounds);
        }
        Take::Count(0) => {
            let help = "raise `count`, or leave the entry out".to_owned();
            builder.diags.selects_nothing(&reader.key_place("count"), "count = 0", help);
        }
        Take::Share(_) if take.of(selected) == 0 => {
            let help = format!("of {selected} selected, the share is rounded to none");
            builder.diags.selects_nothing(&reader.key_place("share"), "share", help);
        }
        _ => {}
    }
}

/// All hosts of a text or list of texts.
fn whole(node: &Node, cluster: &Cluster<'_>, builder: &mut Builder) -> Option<Selection> {
    let before = builder.diags.error_count();
    let mut hosts: Vec<HostId> = Vec::new();
    let mut taken = HostSet::default();
    let mut understood = true;
    for text in texts(node, &mut builder.diags) {
        let found = hosts_of(&text.value, &text.place, cluster, builder);
        understood &= !found.is_empty();
        for host in found {
            if !taken.contains(host) {
                taken.insert(host);
                hosts.push(host);
            }
        }
    }
    understood &= builder.diags.error_count() == before;
    if understood && hosts.is_empty() {
        let help = "name at least one selector".to_owned();
        builder.diags.selects_nothing(&node.place, "[]", help);
        return None;
    }
    understood.then_some(Selection { hosts, take: None, pick: Pick::Random })
}

/// A selector as a set of hosts. A share of them is drawn now, whether their processes run later or
/// not; `entry` is the number of the timeline entry, so that each draws its own.
pub(super) fn host_set(
    node: &Node,
    entry: u64,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<HostSet> {
    let selection = selection(node, cluster, builder)?;
    Some(drawn(&selection, entry, builder).into_iter().collect())
}

/// The hosts that a selection takes if all of them qualify.
pub(super) fn drawn(selection: &Selection, entry: u64, builder: &Builder) -> Vec<HostId> {
    selection.resolve(&Streams::new(builder.seed), entry, |_| true)
}

/// The hosts of one selector; none if there is a problem, which is reported then or was before.
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
            let meant = meant(text, builder);
            builder.diags.no_selector(place, text, meant.as_deref());
            return Vec::new();
        }
    };
    let unclear = &builder.unclear;
    let may_be_more = unclear.servers || unclear.apps || !unclear.groups_of.is_empty();
    if found.is_empty() && !may_be_more {
        let help = "the scenario has no such process".to_owned();
        builder.diags.selects_nothing(place, text, help);
    }
    found
}

/// What is probably meant by a text that is no selector: a name without its kind, or a slip.
fn meant(text: &str, builder: &Builder) -> Option<String> {
    if let Some((kind, rest)) = text.split_once(':') {
        let kind = nearest(kind, &["app", "instance", "server", "zone"])?;
        return Some(format!("{kind}:{rest}"));
    }
    let is_app = |app| builder.groups.iter().any(|group| group.app == app);
    if builder.server_names().contains(&text) {
        Some(format!("server:{text}"))
    } else if builder.names.find_app(text).is_some_and(is_app) {
        Some(format!("app:{text}"))
    } else if text.contains('/') {
        Some(format!("instance:{text}"))
    } else {
        nearest(text, &["clients", "servers", "all"]).map(str::to_owned)
    }
}

/// The application of this name.
pub(super) fn app(
    name: &str,
    place: &Place,
    builder: &mut Builder,
) -> Option<crate::eureka::AppId> {
    let wanted = builder.names.find_app(name);
    let app = wanted.filter(|app| builder.sizes.contains_key(app));
    let may_be = builder.unclear.apps || builder.unclear.groups_of.contains(&name.to_uppercase());
    if app.is_none() && !may_be {
        let known: Vec<String> =
            builder.sizes.keys().map(|app| builder.names.app_name(*app).to_owned()).collect();
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
    // Digits are an index if there is such an instance, and may be an id otherwise.
    let is_index = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let index: Option<usize> = if is_index { rest.parse().ok() } else { None };
    let groups = || builder.groups.iter().filter(|group| group.app == app);
    let by_index = index.and_then(|index| {
        groups().find_map(|group| {
            let offset = index.checked_sub(group.first_index)?;
            (offset < group.clients.len()).then(|| group.clients.start + offset)
        })
    });
    let by_id = || {
        let is_called =
            |client: &usize| builder.names.id_text(builder.clients[*client].key) == rest;
        groups().find_map(|group| group.clients.clone().find(is_called))
    };
    if let Some(client) = by_index.or_else(by_id) {
        let host = HostId::new(builder.servers.len() + client);
        return Some((host, builder.clients[client].key));
    }
    let upper = name.to_uppercase();
    if !builder.unclear.groups_of.contains(&upper) {
        let count = builder.sizes[&app];
        let help = format!("{upper} has {count} instances, {upper}/0 to {upper}/{}", count - 1);
        builder.diags.selects_nothing(place, &format!("instance:{text}"), help);
    }
    None
}
