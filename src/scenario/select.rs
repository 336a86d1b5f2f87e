//! Selectors: which hosts are meant.
//!
//! A selector means those that belong to their applications when its entry happens; one that names an
//! instance also those that were removed. Both sides of a fault of the network are places, without
//! `share` and `count`: who is added later and comes to be there is meant too.

use super::apps::Group;
use super::build::Builder;
use super::cluster::Cluster;
use super::diagnostics::nearest;
use super::fleet::{Moment, groups_of, place_of};
use super::reader::{Reader, share, texts};
use super::source::Place;
use super::tree::{Node, Value};
use crate::eureka::InstanceKey;
use crate::sim::{HostId, HostSet, Pick, Selection, Streams, Take};

/// For what somebody is selected.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Something happens to processes.
    Process(Moment),
    /// Somebody outside the cluster asks about instances, perhaps about those whose processes are gone.
    Instance(Moment),
    /// A side of a link.
    Link(Moment),
}

/// Who is selected.
pub(super) struct Chosen {
    pub(super) selection: Selection,
    /// Instances that are selected by their ids and are not what runs at their places now.
    pub(super) others: Vec<InstanceKey>,
}

/// A selector in any of its forms: a text, a list of texts, or a table.
pub(super) fn selection(
    node: &Node,
    purpose: Purpose,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<Selection> {
    let Value::Table(_) = node.value else {
        return whole(node, purpose, false, cluster, builder).map(|chosen| chosen.selection);
    };
    let mut reader = Reader::of(node, "the selector", &mut builder.diags)?;
    let chosen = from_reader(&mut reader, purpose, cluster, builder);
    reader.finish(&mut builder.diags);
    chosen.map(|chosen| chosen.selection)
}

/// `select`, `share`, `count` and `pick` of a table that may have other keys.
pub(super) fn from_reader(
    reader: &mut Reader<'_>,
    purpose: Purpose,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<Chosen> {
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
    if let Value::Table(_) = select.value {
        // A selector in full, as the action itself takes one: `fail`, whose `share` is of requests,
        // has no other way to say how many.
        if let Some(amount) = amounts.first() {
            let message = format!("`{amount}` beside a `select` that is a table");
            let help = "write it into the table";
            builder.diags.misplaced(&reader.key_place(amount), message, help);
        }
        let mut inner = Reader::of(select, "the selector", &mut builder.diags)?;
        let chosen = from_reader(&mut inner, purpose, cluster, builder);
        inner.finish(&mut builder.diags);
        return chosen;
    }
    let mut chosen = whole(select, purpose, !amounts.is_empty(), cluster, builder)?;
    let selection = &mut chosen.selection;
    selection.take = match (share, count) {
        (Some(share), _) => Some(Take::Share(share?)),
        (_, Some(count)) => Some(Take::Count(count.value as usize)),
        (None, None) => None,
    };
    selection.pick = pick.unwrap_or(Pick::Random);
    if amounts.len() < 2 {
        check_amount(selection, reader, builder);
    }
    if let ([amount], [other, ..]) = (amounts.as_slice(), chosen.others.as_slice()) {
        let message = format!("`{}` does not run when this happens", builder.names.full(*other));
        let help = format!("select it without `{amount}`, in an entry of its own");
        builder.diags.misplaced(&place, message, &help);
    }
    Some(chosen)
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
fn whole(
    node: &Node,
    purpose: Purpose,
    in_part: bool,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<Chosen> {
    let before = builder.diags.error_count();
    let mut hosts: Vec<HostId> = Vec::new();
    let mut others: Vec<InstanceKey> = Vec::new();
    let mut taken = HostSet::default();
    let mut understood = true;
    let when = match purpose {
        Purpose::Link(_) if !in_part => None,
        Purpose::Process(when) | Purpose::Instance(when) | Purpose::Link(when) => Some(when),
    };
    for text in texts(node, &mut builder.diags) {
        let found = match (text.value.strip_prefix("instance:"), purpose) {
            (Some(name), Purpose::Instance(when)) => {
                let named = instance(name, &text.place, when, builder);
                let other = named.filter(|named| !named.runs).map(|named| named.key);
                others.extend(other.filter(|key| !others.contains(key)));
                understood &= named.is_some();
                named.filter(|named| named.runs).map(|named| named.host).into_iter().collect()
            }
            (Some(name), Purpose::Process(when) | Purpose::Link(when)) => {
                let found = process(name, &text.place, when, builder);
                understood &= found.is_some();
                found.into_iter().collect()
            }
            (None, _) => {
                let found = hosts_of(&text.value, &text.place, when, cluster, builder);
                understood &= !found.is_empty();
                found
            }
        };
        for host in found {
            if !taken.contains(host) {
                taken.insert(host);
                hosts.push(host);
            }
        }
    }
    understood &= builder.diags.error_count() == before;
    if understood && hosts.is_empty() && others.is_empty() {
        let help = "name at least one selector".to_owned();
        builder.diags.selects_nothing(&node.place, "[]", help);
        return None;
    }
    let selection = Selection { hosts, take: None, pick: Pick::Random };
    understood.then_some(Chosen { selection, others })
}

/// A side of a link. A share of it is drawn now, whether the processes run later or not; `number` is
/// that of the timeline entry, so that each draws its own.
pub(super) fn host_set(
    node: &Node,
    when: Moment,
    number: u64,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<HostSet> {
    let selection = selection(node, Purpose::Link(when), cluster, builder)?;
    Some(drawn(&selection, number, builder).into_iter().collect())
}

/// The hosts that a selection takes if all of them qualify.
pub(super) fn drawn(selection: &Selection, entry: u64, builder: &Builder) -> Vec<HostId> {
    selection.resolve(&Streams::new(builder.seed), entry, |_| true)
}

/// The hosts of one selector at some moment, or all that ever are; none if there is a problem, which is
/// reported then or was before.
fn hosts_of(
    text: &str,
    place: &Place,
    when: Option<Moment>,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Vec<HostId> {
    let servers = builder.servers.len();
    let members = |group: &Group, builder: &Builder| {
        let clients = builder.members(group, when);
        (servers + clients.start..servers + clients.end).map(HostId::new)
    };
    let clients = |builder: &Builder| {
        builder.groups.iter().flat_map(|group| members(group, builder)).collect::<Vec<_>>()
    };
    let found = match text.split_once(':') {
        Some(("app", name)) => {
            let Some(app) = app(name, place, builder) else {
                return Vec::new();
            };
            let groups = groups_of(&builder.groups, app).into_iter();
            groups.flat_map(|group| members(group, builder)).collect()
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
            let of_zone = |client: &HostId| {
                usize::from(builder.client_zones[client.index() - servers]) == zone
            };
            hosts.extend(clients(builder).into_iter().filter(of_zone));
            hosts
        }
        None if text == "clients" => clients(builder),
        None if text == "servers" => (0..servers).map(HostId::new).collect(),
        None if text == "all" => (0..servers).map(HostId::new).chain(clients(builder)).collect(),
        _ => {
            let meant = meant(text, builder);
            builder.diags.no_selector(place, text, meant.as_deref());
            return Vec::new();
        }
    };
    let unclear = &builder.unclear;
    let may_be_more = unclear.servers || unclear.apps || !unclear.groups_of.is_empty();
    if found.is_empty() && !may_be_more {
        let ever = when.is_some() && !hosts_of(text, place, None, cluster, builder).is_empty();
        let help = match when {
            Some(when) if ever => format!("nobody of it is there at {}", when.at),
            _ => "the scenario has no such process".to_owned(),
        };
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

/// An instance that is named.
#[derive(Clone, Copy)]
pub(super) struct Named {
    /// Where it runs, or ran, or will run.
    pub(super) host: HostId,
    pub(super) key: InstanceKey,
    /// The next process there is (or the one that runs is) this instance.
    pub(super) runs: bool,
}

/// The process of an instance, which has to be the one that is there.
fn process(text: &str, place: &Place, when: Moment, builder: &mut Builder) -> Option<HostId> {
    let Named { host, key, runs } = instance(text, place, when, builder)?;
    let Some(client) = host.index().checked_sub(builder.servers.len()) else {
        return Some(host);
    };
    let group = builder.groups.partition_point(|group| group.clients.end <= client);
    let group = &builder.groups[group];
    let process = builder.process_name(host);
    let help = if builder.is_added_later(group, client, when) {
        format!("`scale` adds {process} later than {}", when.at)
    } else if !runs {
        let now = builder.names.id_text(builder.key_at(group, client, when)).to_owned();
        let id = builder.names.id_text(key);
        format!("at {} {process} is not `{id}` but `{now}`: `deploy` replaces it", when.at)
    } else {
        return Some(host);
    };
    builder.diags.selects_nothing(place, &format!("instance:{text}"), help);
    None
}

/// `APP/INDEX`, which means the instance that has the index at some moment (before it is added: the
/// first that will), or `APP/instance-id`.
pub(super) fn instance(
    text: &str,
    place: &Place,
    when: Moment,
    builder: &mut Builder,
) -> Option<Named> {
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
        let (host, key) = (HostId::new(server), builder.servers[server].own);
        return Some(Named { host, key, runs: true });
    }
    let app = app(name, place, builder)?;
    // Digits are an index if there is such an instance, and may be an id otherwise.
    let is_index = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let index: Option<usize> = if is_index { rest.parse().ok() } else { None };
    let groups = groups_of(&builder.groups, app);
    let by_index = index.and_then(|index| {
        let (group, client) = place_of(&groups, index)?;
        Some((group, client, builder.key_at(group, client, when)))
    });
    let by_id = || {
        let key = builder.names.find_instance(app, rest)?;
        groups.iter().find_map(|group| Some((*group, builder.client_of(group, key)?, key)))
    };
    if let Some((group, client, key)) = by_index.or_else(by_id) {
        let runs = builder.key_at(group, client, when) == key;
        return Some(Named { host: HostId::new(builder.servers.len() + client), key, runs });
    }
    let upper = name.to_uppercase();
    if !builder.unclear.groups_of.contains(&upper) {
        let count = builder.sizes[&app];
        let help = format!("{upper} has {count} instances, {upper}/0 to {upper}/{}", count - 1);
        builder.diags.selects_nothing(place, &format!("instance:{text}"), help);
    }
    None
}
