//! The line of `events.jsonl` for what the script does.

use serde_json::{Value, json};

use super::events::t_ms;
use super::labels::Labels;
use crate::sim::{Action, CutMode, FaultFact, FleetChange, HostId, WorldView};
use crate::time::Instant;

/// Most processes that one line names.
const LISTED: usize = 100;

pub(super) fn fault_line(fault: &FaultFact<'_>, world: &WorldView<'_>, labels: &Labels) -> Value {
    let process = |what: &str, host: &HostId| json!({"event": "fault", "what": what, "process": labels.host(*host)});
    match fault {
        FaultFact::Process(what, host) => process(what, host),
        FaultFact::SetStatus(host, status) => {
            let mut line = process("set-status", host);
            line["status"] = json!(status.name());
            line
        }
        FaultFact::SetHealth(host, answer, duration) => {
            let mut line = process("set-health", host);
            line["status"] = json!(answer.name());
            if !duration.takes.is_zero() {
                line["takes_ms"] = json!(duration.takes.nanos() / 1_000_000);
            }
            line
        }
        FaultFact::StepClock(host, by) => {
            let mut line = process("step-clock", host);
            line["by_ms"] = json!(by / 1_000_000);
            line
        }
        FaultFact::SkewClock(host, ppm) => {
            let mut line = process("skew-clock", host);
            line["ppm"] = json!(ppm);
            line
        }
        FaultFact::SetConfig(host, key, _) => {
            let mut line = process("set-config", host);
            line["key"] = json!(key);
            line
        }
        FaultFact::Network { what, entry, from, to } => {
            let names = |hosts: &crate::sim::HostSet| -> Vec<String> {
                let mut names: Vec<String> =
                    hosts.iter().take(LISTED).map(|host| labels.host(host)).collect();
                if hosts.len() > LISTED {
                    names.push(format!("… {} in all", hosts.len()));
                }
                names
            };
            let mut line = json!({
                "event": "fault", "what": what, "name": entry_name(*entry, labels),
                "from": names(from), "to": names(to),
            });
            describe(&world.setup().timeline[*entry].action, &mut line);
            line
        }
        FaultFact::Fleet { entry, change, members } => {
            let listed = members.iter().take(LISTED);
            let processes: Vec<String> =
                listed.clone().map(|member| labels.host(member.host)).collect();
            let mut line = json!({
                "event": "fault", "what": change.name(), "name": entry_name(*entry, labels),
                "count": members.len(), "processes": processes,
            });
            if *change == FleetChange::Replace {
                let ids = listed.map(|member| world.names().id_text(member.key));
                line["by"] = json!(ids.collect::<Vec<_>>());
            }
            line
        }
        FaultFact::Heal { entry } => {
            json!({"event": "fault", "what": "heal", "name": entry_name(*entry, labels)})
        }
    }
}

fn entry_name(entry: usize, labels: &Labels) -> String {
    labels.entry(entry).to_owned()
}

fn describe(action: &Action, line: &mut Value) {
    let direction = |both: bool| if both { "both" } else { "one-way" };
    match action {
        Action::Partition(cut, mode) => {
            line["direction"] = json!(direction(cut.both_ways));
            line["mode"] = json!(match mode {
                CutMode::Blackhole => "blackhole",
                CutMode::Refuse => "refuse",
            });
        }
        Action::Slow(cut, by) => {
            line["direction"] = json!(direction(cut.both_ways));
            line["added_ms"] = t_ms(Instant::ZERO + *by);
        }
        Action::Hold(cut) | Action::Lossy(cut, _) => {
            line["direction"] = json!(direction(cut.both_ways));
        }
        _ => {}
    }
}
