//! Small multiples: a panel for each metric that `[observe]` asks for, one above the other.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::MOST_SERVERS;
use super::draw::{Sheet, Stroke};
use super::palette::{ALIVE, GREY};
use super::panels::{self, Curve, LABEL_HEIGHT, LABEL_ROWS, Panel, Values};
use crate::observe::{Differences, PairRow, Recording};
use crate::scenario::{Metric, Plan};
use crate::sim::HostId;
use crate::time::Instant;

/// Title and ticks of a panel.
const AROUND: i32 = 26 + 24;
/// The least height of its plot.
const LEAST: i32 = 90;
/// Of a label at the end of a line.
const LABEL: i32 = 15;

/// Pixels that all panels need.
pub(super) fn height(recording: &Recording) -> u32 {
    let metrics = recording.series.metrics().iter();
    let all: i32 = metrics.map(|metric| panel_height(recording, *metric)).sum();
    (all + LABEL_HEIGHT * LABEL_ROWS as i32).unsigned_abs()
}

fn panel_height(recording: &Recording, metric: Metric) -> i32 {
    let curves = match metric.is_global() {
        true => 1 + drawn_pairs(recording, metric).len(),
        false => panels::servers(recording).count(),
    };
    AROUND + LEAST.max(LABEL * curves as i32)
}

/// The panels, from `top` downwards; the first one names the faults.
pub(super) fn panels<DB: DrawingBackend>(
    sheet: &mut Sheet<'_, DB>,
    plan: &Plan,
    recording: &Recording,
    mut top: i32,
) {
    for (position, &metric) in recording.series.metrics().iter().enumerate() {
        let names_faults = position == 0;
        let room = if names_faults { LABEL_HEIGHT * LABEL_ROWS as i32 } else { 0 };
        let bottom = top + panel_height(recording, metric) + room;
        let title = format!("{}: {}", metric.name(), title(metric));
        let values = match () {
            () if metric.is_flag() => Values::Flag,
            () if metric.is_count() => Values::Whole,
            () => Values::Decimal,
        };
        let panel = Panel { span: (top, bottom), title: &title, names_faults, values };
        let curves = curves(recording, position, metric);
        let axes = panels::chart(sheet, plan, recording, &panel, &curves);
        let values = curves.iter().flat_map(|curve| &curve.points);
        if values.filter(|(_, value)| value.is_finite()).all(|(_, value)| *value == 0.0) {
            let middle = ((axes.left + axes.right) / 2, (axes.top + axes.bottom) / 2);
            sheet.text("0 throughout", middle, 14, GREY, (HPos::Center, VPos::Center));
        }
        top = bottom;
    }
}

/// Of a metric: a curve for each server, or one for the run and, if it tells how far servers differ,
/// one for every two of them.
fn curves(recording: &Recording, position: usize, metric: Metric) -> Vec<Curve> {
    let rows = || recording.series.rows_with_metrics();
    if metric.is_global() {
        let points: Vec<_> = rows().map(|(row, values)| (row.at, values[position])).collect();
        let label = if metric.is_divergence() { "any two" } else { "the whole run" }.to_owned();
        let run = Curve { points, stroke: Stroke::solid(ALIVE, 1), label };
        let pairs = drawn_pairs(recording, metric);
        let pairs = pairs.into_iter().enumerate();
        let pairs = pairs.map(|(index, pair)| pair_curve(recording, index, pair, metric));
        return pairs.chain([run]).collect();
    }
    let of_server = |(index, name): (usize, &str)| {
        let server = HostId::new(index);
        let own = rows().filter(|(row, _)| row.server == server);
        let points = own.map(|(row, values)| (row.at, values[position]));
        panels::curve(recording, index, Stroke::server(index), name, points)
    };
    panels::servers(recording).map(of_server).collect()
}

/// Every two servers, if they are few; one pair alone is the whole run.
fn drawn_pairs(recording: &Recording, metric: Metric) -> Vec<(HostId, HostId)> {
    let servers = recording.labels.servers().len();
    let count = servers * servers.saturating_sub(1) / 2;
    if !metric.is_divergence() || !(2..=MOST_SERVERS).contains(&count) {
        return Vec::new();
    }
    let host = |index: usize| HostId::new(index);
    let pairs = (0..servers).flat_map(|a| (a + 1..servers).map(move |b| (host(a), host(b))));
    pairs.collect()
}

fn pair_curve(
    recording: &Recording,
    index: usize,
    (server, peer): (HostId, HostId),
    metric: Metric,
) -> Curve {
    let value = |Differences { presence, status }| match metric {
        Metric::PeerDivergencePresence => presence,
        Metric::PeerDivergenceStatus => status,
        _ => presence + status,
    };
    let rows = recording.pairs.iter().flat_map(|pairs| pairs.rows());
    let own = rows.filter(|row| (row.server, row.peer) == (server, peer));
    let points = own.map(|row: &PairRow| -> (Instant, f64) { (row.at, value(row.between) as f64) });
    let points = panels::broken(recording, &[server, peer], points);
    let [server, peer] = [server, peer].map(|host| recording.labels.server(host));
    Curve { points, stroke: Stroke::server(index), label: format!("{server} / {peer}") }
}

/// What a metric counts, in a few words.
const fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::RegistrySize => "leases in the registry",
        Metric::RenewsLastMin => "renewals in the last complete minute",
        Metric::RenewsPerMinThreshold => "renewals in a minute",
        Metric::ExpectedClients => "clients expected to renew",
        Metric::LeaseExpirationEnabled => "1: leases expire, 0: nothing is evicted",
        Metric::BelowRenewThreshold => "1: the dashboard warns",
        Metric::Alive => "instances that really run",
        Metric::Ghosts => "instances registered that do not run",
        Metric::Missing => "instances that run and are not registered",
        Metric::Evicted => "leases evicted so far",
        Metric::EvictedHealthy => "leases of running instances evicted so far",
        Metric::GhostSeconds => "ghosts, summed over time, in seconds",
        Metric::MissingSeconds => "missing instances, summed over time, in seconds",
        Metric::PeerDivergence => "instances on which servers differ",
        Metric::PeerDivergencePresence => "instances that one server has and another has not",
        Metric::PeerDivergenceStatus => "instances with different statuses at two servers",
        Metric::ReplicationBacklog => "tasks that wait, for all peers",
        Metric::ReplicationBatches => "batches sent so far",
        Metric::ReplicationBatchesFailed => "batches so far that failed",
        Metric::ReplicationDropped => "tasks dropped so far, unconfirmed",
        Metric::ReplicationExpired => "tasks dropped so far as too old",
        Metric::ReplicationOverflows => "tasks dropped so far for want of room",
        Metric::FullFetches => "full registries served so far",
        Metric::DeltaFetches => "deltas served so far",
        Metric::FullFetchBytes => "bytes of full registries served so far (JSON)",
        Metric::DeltaBytes => "bytes of deltas served so far (JSON)",
        Metric::NotFoundRegistrations => "registrations so far after a 404",
        Metric::DirtyRegistrations => "registrations so far of something that changed",
        Metric::RestartRegistrations => "registrations so far of restarted processes",
        Metric::RepeatedRegistrations => "registrations so far of nothing new",
        Metric::ReplicaNotFoundRegistrations => "registrations sent to peers so far after a 404",
        Metric::ConflictRegistrations => "copies of peers taken so far after a 409",
        Metric::Status => "",
        Metric::SelfPreservationMinutes => "minutes so far",
        Metric::FalseProtectionMinutes => "minutes so far with nobody dead or missing",
        Metric::ConvergenceSeconds => "seconds from the last heal until all servers agreed",
        Metric::TrafficToDead => "attempts sent to the dead so far",
        Metric::TrafficToDeadShare => "share of all attempts so far that went to the dead",
        Metric::Staleness => "the longest dead that was still called, in seconds",
        Metric::StuckInstances => "instances stuck in a status that is not theirs",
        Metric::UpButDead => "instances that are UP without a process",
        Metric::AliveButMissing => "instances that run and are missing for long",
        Metric::DivergedBetweenPeers => "instances on which servers differ for long",
    }
}
