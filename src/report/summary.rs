//! The summary as people read it: expectations first, then a table per server, then the line that
//! runs it again.

use super::style::{BAD, DIM, END, GOOD, NAME, escape};
use crate::observe::{Lane, LayerSeconds, Recording, ServerSummary, Summary};
use crate::time::{Instant, Span};

/// Most servers in the table; the rest is counted.
const SERVERS: usize = 12;
/// Most times of self-preservation shown for a server.
const LANES: usize = 2;

/// The summary, with colours. `rerun` is the command line that does it again.
#[must_use]
pub fn summary_text(recording: &Recording, rerun: &str) -> String {
    let summary = &recording.summary;
    let virtual_time = Span::from_millis(summary.virtual_ms);
    let mut text = format!(
        "{NAME}{}{END}  seed {}  {virtual_time} simulated  digest {}\n",
        summary.scenario, summary.seed, summary.digest
    );
    if summary.expectations.is_empty() {
        text += &format!("  {DIM}no expectations: nothing was checked{END}\n");
    }
    let width = summary.expectations.iter().map(|e| escape(&e.text).chars().count()).max();
    let width = width.unwrap_or(0).min(70);
    for expectation in &summary.expectations {
        let (colour, sign) = if expectation.ok { (GOOD, "✓") } else { (BAD, "✗") };
        let sentence = escape(&expectation.text);
        text += &format!("  {colour}{sign}{END} {sentence:<width$}  {}\n", expectation.detail);
        if let Some(claim) = &expectation.claim {
            let (says, place) = (escape(&claim.says), escape(&claim.place));
            text += &format!("    {DIM}“{says}” ({place}){END}: {}\n", claim.verdict);
        }
    }
    text += &table(&summary.servers, Instant::ZERO + virtual_time);
    text += &calls(summary);
    text += &format!("{DIM}rerun:{END} {rerun}\n");
    text
}

/// What became of calls between applications: a line for each application that is called, and what
/// the dead instance that was called longest was called for.
fn calls(summary: &Summary) -> String {
    let mut text = String::new();
    let called = summary.apps.iter().filter_map(|app| Some((app, app.calls?)));
    for (app, calls) in called {
        let attempts = app.attempts.unwrap_or(0);
        let percent = app.calls_to_dead as f64 * 100.0 / attempts.max(1) as f64;
        let dead = match app.calls_to_dead {
            0 => "none went to the dead".to_owned(),
            dead => format!("{dead} of {attempts} attempts ({percent:.2} %) went to the dead"),
        };
        let failed = app.calls_failed.unwrap_or(0);
        let name = escape(&app.name);
        text += &format!("  {NAME}{name}{END} was called {calls} times, {failed} failed; {dead}\n");
    }
    let worst = summary.staleness.iter().flatten().next();
    if let Some((dead, last)) = worst.and_then(|dead| Some((dead, dead.seconds.last_call?))) {
        let how = match dead.how {
            "kill" => "killed",
            "stop" => "stopped",
            _ => "ended by itself",
        };
        let died = Instant::ZERO + millis(dead.died_ms);
        let times = if dead.calls == 1 { "once" } else { &format!("{} times", dead.calls) };
        text += &format!(
            "  called longest after its death: {NAME}{}{END}, {how}, gone at {died}: {times}, up to {}\n",
            escape(&dead.process),
            span(last),
        );
        let LayerSeconds { registry, read_only_cache, fetch, balancer, .. } = dead.seconds;
        let mut layers = vec![
            ("a registry", registry),
            ("a read-only cache", read_only_cache),
            ("a caller's view", fetch),
        ];
        // Where no balancer keeps a list they are the same.
        layers.extend((balancer != fetch).then_some(("a balancer's list", balancer)));
        let stayed = |(layer, end): &(&str, Option<f64>)| match end {
            None => format!("in {layer} as long as it was dead"),
            Some(end) if *end <= 0.0 => format!("in {layer} no longer than it lived"),
            Some(end) => format!("in {layer} up to {}", span(*end)),
        };
        // What a layer never forgot, those above it never did.
        let forgotten = layers.iter().take_while(|(_, end)| end.is_some()).count();
        let layers: Vec<String> = layers.iter().take(forgotten + 1).map(stayed).collect();
        text += &format!("    it stayed {}\n", layers.join(", "));
    }
    text
}

/// Seconds as people read them, to a tenth.
fn span(seconds: f64) -> Span {
    Span::from_millis((seconds * 10.0).round() as u64 * 100)
}

fn millis(millis: f64) -> Span {
    Span::from_millis(millis.round() as u64)
}

fn table(servers: &[ServerSummary], end: Instant) -> String {
    let heads =
        ["registry", "alive", "ghosts", "missing", "evicted", "healthy evicted", "threshold"];
    let rows: Vec<[String; 7]> = servers
        .iter()
        .take(SERVERS)
        .map(|server| {
            let number = |number: Option<i64>| number.map_or("–".to_owned(), |n| n.to_string());
            [
                number(server.registry_size),
                server.alive.to_string(),
                server.ghosts.to_string(),
                server.missing.to_string(),
                server.evicted.to_string(),
                server.evicted_healthy.to_string(),
                number(server.threshold.map(i64::from)),
            ]
        })
        .collect();
    let names = servers.iter().take(SERVERS).map(|server| server.name.chars().count());
    let name_width = names.max().unwrap_or(0).max("server".len());
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).max(heads[column].len())
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut text = format!("  {DIM}{:<name_width$}", "server");
    for (head, width) in heads.iter().zip(&widths) {
        text += &format!("  {head:>width$}");
    }
    text += &format!("  self-preservation{END}\n");
    for (server, row) in servers.iter().zip(&rows) {
        text += &format!("  {NAME}{:<name_width$}{END}", server.name);
        for (cell, width) in row.iter().zip(&widths) {
            text += &format!("  {cell:>width$}");
        }
        text += &format!("  {}\n", lanes(server, end));
    }
    if servers.len() > SERVERS {
        text += &format!("  … and {} more servers\n", servers.len() - SERVERS);
    }
    text
}

/// `0s – 2m00s, 6m00s – end`, to the second.
fn lanes(server: &ServerSummary, end: Instant) -> String {
    let second = |at: Instant| Span::from_secs((at.nanos() + 500_000_000) / 1_000_000_000);
    let lane = |lane: &Lane| match lane.to {
        Some(to) if to < end => format!("{} – {}", second(lane.from), second(to)),
        _ => format!("{} – end", second(lane.from)),
    };
    if server.lanes.is_empty() {
        return "never".to_owned();
    }
    let mut shown: Vec<String> = server.lanes.iter().take(LANES).map(lane).collect();
    if server.lanes.len() > LANES {
        let total = Span::from_secs((server.self_preservation_ms + 500) / 1000);
        shown.push(format!("… {} times, {total} in all", server.lanes.len()));
    }
    shown.join(", ")
}
