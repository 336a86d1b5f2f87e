//! `[observe]`: what is recorded of a run, and how often.

use super::build::Builder;
use super::expect;
use super::metric::Metric;
use super::plan::{Observe, Sampling, Viewers};
use super::reader::{Reader, duration, texts};
use super::tree::{Node, Value};
use crate::sim::ClientSetup;
use crate::time::Span;

/// Most rows that a series may have: they are kept in memory, about 100 bytes each.
const MOST_ROWS: u64 = 10_000_000;

/// Most values of metrics that are asked for besides: 8 bytes each.
const MOST_VALUES: u64 = 100_000_000;

/// A change is sent at once, or else with the next heartbeat or run of the replicator, which come every 30 s, and
/// is replicated within a second; twice that, and some more.
const STUCK_AFTER: Span = Span::from_secs(120);

pub(super) fn read(node: Option<&Node>, builder: &mut Builder) -> Observe {
    // About 1800 samples, at least a second apart.
    let (run, second) = (builder.duration, Span::from_secs(1));
    let default = Span::from_nanos(run.nanos() / 1800).max(second);
    let mut observe = Observe {
        every: Sampling::Every(default),
        views: Viewers::Callers,
        metrics: Vec::new(),
        stuck_after: STUCK_AFTER,
    };
    let reader = node.and_then(|node| Reader::of(node, "[observe]", &mut builder.diags));
    let Some(mut reader) = reader else {
        return observe;
    };
    if let Some(node) = reader.node("every")
        && let Some(every) = sampling(node, builder)
    {
        observe.every = every;
        let rows = rows(every, builder);
        if rows > MOST_ROWS && !builder.unclear.duration {
            builder.diags.too_many(&node.place, "rows of series.csv", rows, MOST_ROWS);
        }
    }
    if let Some(views) = reader.flag("views", &mut builder.diags) {
        observe.views = if views { Viewers::All } else { Viewers::Nobody };
    }
    if let Some(node) = reader.node("metrics") {
        observe.metrics = metrics(node, builder);
        check_size(&observe, node, builder);
    }
    if let Some(after) = reader.duration("stuck-after", &mut builder.diags) {
        observe.stuck_after = after.value;
    }
    reader.finish(&mut builder.diags);
    observe
}

/// Whether what the metrics add finds room in memory.
fn check_size(observe: &Observe, node: &Node, builder: &mut Builder) {
    let mut sizes = Vec::new();
    let servers = builder.servers.len() as u64;
    if let Sampling::Every(every) = observe.every
        && observe.metrics.iter().any(|metric| metric.is_divergence())
    {
        let pairs = servers * servers.saturating_sub(1) / 2;
        let rows = (builder.duration.nanos() / every.nanos()).saturating_mul(pairs);
        sizes.push(("rows of divergence.csv", rows, MOST_ROWS));
    }
    let values = rows(observe.every, builder).saturating_mul(observe.metrics.len() as u64);
    sizes.push(("values in series.csv", values, MOST_VALUES));
    for (what, found, most) in sizes {
        if found > most && !builder.unclear.duration {
            builder.diags.too_many(&node.place, what, found, most);
        }
    }
}

/// Metrics that the series has besides: those that a server or the run has one number of.
fn metrics(node: &Node, builder: &mut Builder) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for name in texts(node, &mut builder.diags) {
        let Some(metric) = expect::named(&name, builder) else {
            continue;
        };
        let diags = &mut builder.diags;
        if metrics.contains(&metric) {
            diags.duplicate(&name.place, "metric", &name.value, "one column of it is enough");
        } else if metric == Metric::Status {
            let message = "`status` is of one instance, and rows are of servers".to_owned();
            diags.misplaced(&name.place, message, "ask for it in an [[expect]], with `instance`");
        } else if metric.is_traffic() && builder.calls.is_empty() && !diags.has_errors() {
            diags.nobody_calls(&name.place, metric.name(), None);
        } else {
            metrics.push(metric);
        }
    }
    metrics
}

fn sampling(node: &Node, builder: &mut Builder) -> Option<Sampling> {
    if matches!(&node.value, Value::Text(word) if word == "change") {
        return Some(Sampling::Change);
    }
    if let Value::Text(text) = &node.value
        && !text.starts_with(|first: char| first.is_ascii_digit())
    {
        let wanted = "a sample interval";
        builder.diags.malformed(&node.place, wanted, text, "`\"1s\"` or `\"change\"`");
        return None;
    }
    let every = duration(node, &mut builder.diags)?;
    if every < Span::from_millis(1) {
        let bounds = "at least 1ms, or \"change\"";
        builder.diags.out_of_range(&node.place, "`every`", bounds);
        return None;
    }
    Some(Sampling::Every(every))
}

/// About how many rows the series will have. What changes most often is the number of renewals: with
/// every heartbeat, at every server.
fn rows(every: Sampling, builder: &Builder) -> u64 {
    let run = builder.duration.nanos();
    let of_each: u64 = match every {
        Sampling::Every(every) => run / every.nanos(),
        Sampling::Change => {
            let seconds = run / Span::from_secs(1).nanos();
            let beats = |client: &ClientSetup| {
                let profile = &builder.profiles[client.profile as usize];
                let every = profile.instance.lease_info().renewal_interval_in_secs.get();
                let beats = profile.client.register_with_eureka;
                if beats { seconds / u64::from(every.unsigned_abs().max(1)) } else { 0 }
            };
            builder.clients.iter().map(beats).sum()
        }
    };
    // And the calls of every second.
    let of_calls = if builder.calls.is_empty() { 0 } else { run / Span::from_secs(1).nanos() };
    let of_each = match every {
        Sampling::Every(_) => of_each,
        Sampling::Change => of_each + of_calls,
    };
    of_each.saturating_mul(builder.servers.len() as u64)
}
