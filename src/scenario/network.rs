//! `[network]`, `[sim]` and `[hunt]`.

use super::build::Builder;
use super::cluster::Cluster;
use super::diagnostics::Diagnostics;
use super::fleet::Moment;
use super::reader::{Reader, duration_range, share};
use super::select;
use super::tree::{Node, Value};
use crate::sim::{HostSet, Latency, LinkException, Loss, NetworkSetup, Races};
use crate::time::Span;

/// The latency if nothing is said: a local network.
const DEFAULT_LATENCY: Latency = Latency::Fixed(Span::from_millis(1));

/// Tomcat's `accept-count`.
const DEFAULT_ACCEPT_COUNT: u32 = 100;
/// As much as Linux allows (`net.core.somaxconn`).
const MOST_ACCEPTED: u32 = 65_535;

pub(super) fn network(
    node: Option<&Node>,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> NetworkSetup {
    let mut setup = NetworkSetup {
        latency: DEFAULT_LATENCY,
        loss: Loss::NONE,
        links: Vec::new(),
        dead_hosts_are_black_holes: false,
        accept_queue: (!cluster.without_bodies).then_some(DEFAULT_ACCEPT_COUNT + 1),
        in_order: false,
    };
    let reader = node.and_then(|node| Reader::of(node, "[network]", &mut builder.diags));
    let Some(mut reader) = reader else {
        return setup;
    };
    if let Some(node) = reader.node("latency") {
        setup.latency = latency(node, &mut builder.diags).unwrap_or(setup.latency);
    }
    if let Some(node) = reader.node("loss") {
        setup.loss = loss(node, &mut builder.diags).unwrap_or(setup.loss);
    }
    setup.in_order = reader.flag("reorder", &mut builder.diags) == Some(false);
    if let Some(node) = reader.node("links") {
        setup.links = links(node, cluster, builder);
    }
    if let Some(text) = reader.text("connect-refused", &mut builder.diags) {
        match text.value.as_str() {
            "latency" => {}
            "blackhole" => setup.dead_hosts_are_black_holes = true,
            other => {
                let known = ["latency", "blackhole"];
                builder.diags.unknown_word(&text.place, "kind of refusal", other, &known);
            }
        }
    }
    if let Some(node) = reader.node("accept-count") {
        setup.accept_queue = accept_count(node, &mut builder.diags).unwrap_or(setup.accept_queue);
    }
    reader.finish(&mut builder.diags);
    setup
}

/// A number, or `"unlimited"`. Linux keeps one connection more than it was asked to.
fn accept_count(node: &Node, diags: &mut Diagnostics) -> Option<Option<u32>> {
    match &node.value {
        Value::Text(text) if text == "unlimited" => Some(None),
        Value::Int(number) => match u32::try_from(*number) {
            Ok(count @ 0..=MOST_ACCEPTED) => Some(Some(count + 1)),
            _ => {
                let range = format!("from 0 to {MOST_ACCEPTED}, or \"unlimited\"");
                diags.out_of_range(&node.place, "`accept-count`", range);
                None
            }
        },
        Value::Text(other) => {
            diags.malformed(
                &node.place,
                "a number of connections",
                other,
                "`100` or `\"unlimited\"`",
            );
            None
        }
        other => {
            diags.wrong_type(&node.place, "a number or \"unlimited\"", other.kind());
            None
        }
    }
}

/// `"1ms..5ms"`, `"2ms"` or `{ median = "2ms", p99 = "40ms" }`.
fn latency(node: &Node, diags: &mut Diagnostics) -> Option<Latency> {
    let Value::Table(_) = node.value else {
        let (low, high) = duration_range(node, diags)?;
        return Some(if low == high { Latency::Fixed(low) } else { Latency::Uniform(low, high) });
    };
    let mut reader = Reader::of(node, "`latency`", diags)?;
    let median = reader.duration("median", diags);
    let p99 = reader.duration("p99", diags);
    for (key, value) in [("median", &median), ("p99", &p99)] {
        if value.is_none() && reader.present(&[key]).is_empty() {
            diags.missing(&node.place, key, "`latency`", "{ median = \"2ms\", p99 = \"40ms\" }");
        }
    }
    reader.finish(diags);
    let (median, p99) = (median?, p99?);
    if median.value.is_zero() || p99.value <= median.value {
        diags.out_of_range(&p99.place, "`p99`", "above a `median` that is not 0s");
        return None;
    }
    Some(Latency::LogNormal { median: median.value, p99: p99.value })
}

pub(super) fn loss(node: &Node, diags: &mut Diagnostics) -> Option<Loss> {
    share(node, diags).map(|ppb| Loss::share(f64::from(ppb) / 1e9))
}

fn links(node: &Node, cluster: &Cluster<'_>, builder: &mut Builder) -> Vec<LinkException> {
    let Value::List(list) = &node.value else {
        builder.diags.wrong_type(&node.place, "a list of links", node.value.kind());
        return Vec::new();
    };
    let mut links = Vec::new();
    for (index, node) in list.iter().enumerate() {
        let Some(mut reader) = Reader::of(node, "a link", &mut builder.diags) else {
            continue;
        };
        // Shares are drawn apart from those of timeline entries, which are numbered from 0.
        let number = u64::MAX - 2 * index as u64;
        let from = side(&mut reader, "from", number, cluster, builder);
        let to = side(&mut reader, "to", number - 1, cluster, builder);
        let latency = reader.node("latency").map(|node| latency(node, &mut builder.diags));
        let loss = reader.node("loss").map(|node| loss(node, &mut builder.diags));
        if latency.is_none() && loss.is_none() {
            let place = reader.place.clone();
            builder.diags.missing(
                &place,
                "latency",
                "a link",
                "latency = \"40ms\"` or `loss = \"1%\"",
            );
        }
        reader.finish(&mut builder.diags);
        if let (Some(from), Some(to)) = (from, to) {
            let (latency, loss) = (latency.flatten(), loss.flatten());
            links.push(LinkException { from, to, latency, loss });
        }
    }
    links
}

/// One side of a link: a server's name, or selectors.
fn side(
    reader: &mut Reader<'_>,
    key: &'static str,
    number: u64,
    cluster: &Cluster<'_>,
    builder: &mut Builder,
) -> Option<HostSet> {
    let Some(node) = reader.node(key) else {
        let place = reader.place.clone();
        builder.diags.missing(&place, key, "a link", &format!("{key} = \"eureka-0\""));
        return None;
    };
    if let Value::Text(name) = &node.value
        && let Some(server) = builder.server_names().iter().position(|known| known == name)
    {
        return Some([crate::sim::HostId::new(server)].into_iter().collect());
    }
    select::host_set(node, Moment::START, number, cluster, builder)
}

pub(super) fn races(node: Option<&Node>, diags: &mut Diagnostics) -> Races {
    let mut races = Races {
        eviction_before_rotation: false,
        arrivals_first: false,
        hand_off: (Span::ZERO, Span::ZERO),
        one_batch_at_a_time: false,
        no_shuffle: false,
    };
    let Some(mut reader) = node.and_then(|node| Reader::of(node, "[sim]", diags)) else {
        return races;
    };
    let mut either = |key: &'static str, words: [&'static str; 2], diags: &mut Diagnostics| {
        let text = reader.text(key, diags)?;
        let chosen = words.iter().position(|word| *word == text.value);
        if chosen.is_none() {
            diags.unknown_word(&text.place, &format!("`{key}`"), &text.value, &words);
        }
        chosen.map(|position| position == 1)
    };
    let second = |choice: Option<bool>| choice.unwrap_or(false);
    races.eviction_before_rotation =
        second(either("rotation", ["before-eviction", "after-eviction"], diags));
    races.arrivals_first = second(either("resume", ["timers-first", "arrivals-first"], diags));
    races.one_batch_at_a_time = second(either("batch-order", ["concurrent", "fifo"], diags));
    races.no_shuffle = second(either("shuffle", ["random", "none"], diags));
    if let Some(node) = reader.node("hand-off") {
        races.hand_off = duration_range(node, diags).unwrap_or(races.hand_off);
    }
    reader.finish(diags);
    races
}
