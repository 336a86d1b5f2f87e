//! What `check` says of consumers: who calls whom, and how long the dead may be called.

use std::collections::BTreeSet;

use serde::Serialize;

use super::style::{END, NAME, escape};
use crate::eureka::client::Endpoints;
use crate::scenario::Plan;
use crate::sim::{CallSetup, HostId, ServerSetup};
use crate::time::Span;

/// The calls of a group of instances to an application.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConsumerCheck {
    /// The application that calls.
    pub app: String,
    /// How many of its instances, without those that are added later.
    pub callers: u64,
    /// Whom they call.
    pub calls: String,
    /// Calls of all of them in a second.
    pub per_second: f64,
    /// How often a call is tried again.
    pub retries: u32,
    /// For how long at most an instance may be called after it said goodbye, in seconds: read-only
    /// cache, fetch and balancer's list, each as old as it can be.
    pub stale_after_stop_s: f64,
    /// Likewise after a crash, if nothing stops eviction: the lease, which runs twice its duration, and
    /// a period of the eviction task before them.
    pub stale_after_crash_s: f64,
    #[serde(skip)]
    words: Vec<String>,
}

impl ConsumerCheck {
    pub(super) fn new(plan: &Plan, calls: &CallSetup) -> Self {
        let setup = &plan.setup;
        let caller = HostId::new(calls.callers.start);
        let app = setup.names.app_of(setup.first_key_of(caller));
        let at_first = |host: &usize| setup.clients[host - setup.servers.len()].start.is_some();
        let callers = calls.callers.clone().filter(at_first).count() as u64;
        let (stop, crash) = budgets(plan, calls, caller);
        let mut words = Vec::new();
        if calls.retries > 0 {
            let other = if calls.retry_other { "the next instance" } else { "the same instance" };
            words.push(format!("{} on {other}", count(calls.retries)));
        }
        if !calls.cache_ttl.is_zero() {
            words.push(format!("a list is kept for {}", calls.cache_ttl));
        }
        words.push(format!("an answer is waited for {}", calls.timeout));
        if calls.circuit_breaker {
            words.push("with circuit breaker".to_owned());
        }
        Self {
            app: setup.names.app_name(app).to_owned(),
            callers,
            calls: setup.names.app_name(calls.app).to_owned(),
            per_second: callers as f64 * 1e9 / calls.every.nanos().max(1) as f64,
            retries: calls.retries,
            stale_after_stop_s: seconds(stop),
            stale_after_crash_s: seconds(crash),
            words,
        }
    }

    /// Two lines for people.
    pub(super) fn text(&self) -> String {
        let per_second = (self.per_second * 1000.0).round() / 1000.0;
        let calls = if per_second == 1.0 { "call" } else { "calls" };
        let span = |seconds: f64| Span::from_millis((seconds * 1000.0).round() as u64);
        let who = match self.callers {
            1 => "one instance calls".to_owned(),
            callers => format!("{callers} instances call"),
        };
        format!(
            "  {NAME}{}{END}  {who} {}, {per_second} {calls} a second in all; {}\n    \
             it may be called for {} after a graceful stop, for {} after a crash (longer in \
             self-preservation)\n",
            escape(&self.app),
            escape(&self.calls),
            self.words.join("; "),
            span(self.stale_after_stop_s),
            span(self.stale_after_crash_s),
        )
    }
}

fn count(retries: u32) -> String {
    if retries == 1 { "one retry".to_owned() } else { format!("{retries} retries") }
}

/// How long the dead may be called at most, after a goodbye and after a crash (client specification,
/// 10.3): the worst of all servers that a caller may ask and of all instances that are called.
fn budgets(plan: &Plan, calls: &CallSetup, caller: HostId) -> (Span, Span) {
    let setup = &plan.setup;
    let first = setup.servers.len();
    let callers = &setup.clients[calls.callers.start - first..calls.callers.end - first];
    let endpoints: BTreeSet<u32> = callers.iter().map(|caller| caller.endpoints).collect();
    let known = endpoints.into_iter().flat_map(|endpoints| {
        let Endpoints { own_zone, other_zones, .. } = &setup.endpoints[endpoints as usize];
        own_zone.iter().chain(other_zones)
    });
    let known: BTreeSet<usize> = known.map(|server| usize::from(*server)).collect();
    let worst = |of: fn(&ServerSetup) -> i64| {
        let millis = known.iter().map(|server| of(&setup.servers[*server])).max().unwrap_or(0);
        Span::from_millis(millis.max(0).unsigned_abs())
    };
    let read_only = worst(|server| match server.config.use_read_only_response_cache {
        true => server.config.response_cache_update_interval_ms,
        false => 0,
    });
    let eviction = worst(|server| server.config.eviction_interval_timer_in_ms);
    let fetch = setup.profile_of(caller).client.registry_fetch_interval_seconds;
    let fetch = Span::from_secs(fetch.max(0).unsigned_abs().into());
    let groups = plan.apps.iter().filter(|app| app.app == calls.app).flat_map(|app| &app.hosts);
    let lease = groups.map(|hosts| {
        let profile = setup.profile_of(HostId::new(hosts.start));
        profile.instance.lease_info().duration_in_secs.max(0).unsigned_abs()
    });
    // A renewal stores now + duration, and the duration is added once more when it is compared.
    let lease = Span::from_secs(2 * u64::from(lease.max().unwrap_or(0)));
    let stop = read_only + fetch + calls.cache_ttl;
    (stop, lease + eviction + stop)
}

fn seconds(span: Span) -> f64 {
    span.nanos() as f64 / 1e9
}
