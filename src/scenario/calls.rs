//! `calls` of `[[apps]]`: who calls whom, how often and how patiently.

use std::ops::Range;

use super::apps::MOST_INSTANCES;
use super::build::Builder;
use super::diagnostics::Diagnostics;
use super::reader::{Read, Reader, required};
use super::select;
use super::tree::{Node, Value};
use crate::eureka::AppId;
use crate::sim::CallSetup;
use crate::time::Span;

/// The least and the most calls of one instance in a second: one a day, and as many as a machine makes.
const RATES: (f64, f64) = (0.00001, 10_000.0);
const DEFAULT_TIMEOUT: Span = Span::from_secs(1);

/// Calls as they are written.
pub(super) struct Calls {
    app: Read<String>,
    /// Hosts of those who make them; empty as long as they are not known.
    pub(super) callers: Range<usize>,
    every: Span,
    retries: u32,
    retry_other: bool,
    cache_ttl: Span,
    timeout: Span,
    circuit_breaker: bool,
}

/// The calls of a group: a table or a list of them.
pub(super) fn read(reader: &mut Reader<'_>, fetches: bool, diags: &mut Diagnostics) -> Vec<Calls> {
    let Some(node) = reader.node("calls") else {
        return Vec::new();
    };
    if !fetches {
        let message = "who does not fetch the registry finds nobody to call".to_owned();
        let help = "remove `calls`, or `fetch = false`, or `kind = \"rest\"`";
        diags.misplaced(&node.place, message, help);
    }
    match &node.value {
        Value::List(list) => list.iter().filter_map(|node| table(node, diags)).collect(),
        _ => table(node, diags).into_iter().collect(),
    }
}

fn table(node: &Node, diags: &mut Diagnostics) -> Option<Calls> {
    let mut reader = Reader::of(node, "`calls`", diags)?;
    let app = reader.text("app", diags);
    required(&reader, "app", "app = \"PAYMENTS\"", diags);
    let every = every(&mut reader, diags);
    let retries = reader.whole("retries", 0..=100_u32, diags);
    let retry_other = reader.flag("retry-other", diags);
    let cache_ttl = reader.duration("cache-ttl", diags);
    let timeout = reader.duration("timeout", diags);
    if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.value.is_zero()) {
        diags.out_of_range(&timeout.place, "`timeout`", "longer than 0s: nobody answers at once");
    }
    let circuit_breaker = reader.flag("circuit-breaker", diags);
    reader.finish(diags);
    Some(Calls {
        app: app?,
        callers: 0..0,
        every: every.unwrap_or(DEFAULT_TIMEOUT),
        retries: retries.map_or(0, |retries| retries.value),
        retry_other: retry_other.unwrap_or(true),
        cache_ttl: cache_ttl.map_or(Span::ZERO, |ttl| ttl.value),
        timeout: timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.value),
        circuit_breaker: circuit_breaker.unwrap_or(false),
    })
}

/// The time between two calls, to the ns.
fn every(reader: &mut Reader<'_>, diags: &mut Diagnostics) -> Option<Span> {
    let rate = reader.number("per-second", diags);
    required(reader, "per-second", "per-second = 5.0", diags);
    let rate = rate?;
    let (least, most) = RATES;
    if !(least..=most).contains(&rate.value) {
        diags.out_of_range(&rate.place, "`per-second`", format!("from {least} to {most}"));
        return None;
    }
    Some(Span::from_nanos((1e9 / rate.value).round() as u64))
}

/// All groups are known: so is who is called.
pub(super) fn resolve(calls: Vec<Calls>, builder: &mut Builder) {
    let mut consumers = 0;
    for calls in calls {
        let place = calls.app.place;
        let Some(app) = select::app(&calls.app.value, &place, builder) else {
            continue;
        };
        consumers += calls.callers.len() as u64;
        if consumers > MOST_INSTANCES {
            builder.diags.too_many(
                &place,
                "pairs of caller and `calls`",
                consumers,
                MOST_INSTANCES,
            );
            return;
        }
        if !registers(app, builder) {
            let name = builder.names.app_name(app);
            let message = format!("no instance of {name} registers, so nobody finds one to call");
            builder.diags.warn("W004", &place, message, "remove its `register = false`");
        }
        builder.calls.push(CallSetup {
            callers: calls.callers,
            app,
            every: calls.every,
            retries: calls.retries,
            retry_other: calls.retry_other,
            cache_ttl: calls.cache_ttl,
            timeout: calls.timeout,
            circuit_breaker: calls.circuit_breaker,
        });
    }
}

fn registers(app: AppId, builder: &Builder) -> bool {
    let groups = builder.groups.iter().filter(|group| group.app == app);
    let mut clients = groups.flat_map(|group| &builder.clients[group.clients.clone()]);
    clients.any(|client| builder.profiles[client.profile as usize].client.register_with_eureka)
}
