//! How far a fleet is from self-preservation that nobody asked for: in deaths, and in the time that a
//! heartbeat takes. From the numbers of `check`, for the server that is nearest to it.

use crate::report::check::{CheckReport, ServerCheck};
use crate::report::check_fleet::Fleet;
use crate::scenario::Plan;
use crate::sim::Latency;
use crate::time::Span;

/// The head-room of a setting once every server has had its first 15-minute task.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HeadRoom {
    /// Instances that the server hears of.
    pub(super) instances: i64,
    /// Its threshold.
    pub(super) threshold: i32,
    /// Renewals a minute with everybody well.
    pub(super) renewals: i64,
    /// The most that one run evicts.
    pub(super) eviction_limit: i64,
    /// The most that may die at once and are evicted: none if nothing is with everybody well.
    pub(super) deaths: Option<i64>,
    /// How long a heartbeat may take on average before protection begins, in seconds: none if it has begun.
    pub(super) heartbeat: Option<f64>,
}

impl HeadRoom {
    /// Of the server with the least; none if self-preservation is off everywhere, or nobody registers.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let servers = CheckReport::new(plan).servers;
        let heard = Fleet::new(plan).heard();
        let rooms = servers
            .iter()
            .zip(&heard)
            .filter(|(server, _)| server.instances > 0 && server.deaths_that_freeze.is_some());
        let rooms = rooms.map(|(server, heard)| {
            let threshold = settled_threshold(server);
            let above = |seconds: f64| heard.renewals_if_slow(seconds) > f64::from(threshold);
            let freezes = heard.deaths_until(f64::from(threshold)) as i64;
            let evicts = threshold > 0 && above(0.0);
            Self {
                instances: server.instances,
                threshold,
                renewals: server.renewals,
                eviction_limit: server.eviction_limit,
                deaths: evicts.then_some(freezes - 1),
                heartbeat: evicts.then(|| longest(above)),
            }
        });
        rooms.min_by_key(|room| room.deaths.unwrap_or(-1))
    }
}

/// The threshold from the first 15-minute task on.
fn settled_threshold(server: &ServerCheck) -> i32 {
    server.threshold_after_update.unwrap_or(server.threshold)
}

/// The longest time (s) for which this holds, to a thousandth; at most an hour.
fn longest(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0_u32, 3_600_000);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if holds(f64::from(middle) / 1000.0) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    f64::from(low) / 1000.0
}

/// How long a request takes on average there and back, by the scenario's `[network]` alone.
pub(super) fn round_trip(plan: &Plan) -> Span {
    let one_way = match plan.setup.network.latency {
        Latency::Fixed(span) | Latency::LogNormal { median: span, .. } => span.nanos(),
        Latency::Uniform(low, high) => u64::midpoint(low.nanos(), high.nanos()),
    };
    Span::from_nanos(one_way.saturating_mul(2))
}

/// The shortest time that a client waits for an answer.
pub(super) fn read_timeout(plan: &Plan) -> Option<Span> {
    let setup = &plan.setup;
    let profiles = setup.clients.iter().map(|client| &setup.profiles[client.profile as usize]);
    let seconds = profiles.map(|of| of.client.eureka_server_read_timeout_seconds);
    seconds.min().map(|seconds| Span::from_secs(seconds.max(0).unsigned_abs().into()))
}
