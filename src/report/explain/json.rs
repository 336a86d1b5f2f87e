//! An explanation for programs.

use serde_json::{Value, json};

use super::names::Names;
use super::verdict::verdict;
use super::words::{is_told, until, words};
use crate::observe::{Seen, StoryEvent, t_ms};
use crate::scenario::Plan;
use crate::sim::HostId;
use crate::study::explain::{AtServer, Explanation, Tried};

/// The explanation as JSON (`reports/README.md` has the fields), with what only one server did if one is
/// named.
#[must_use]
pub fn explain_json(explained: &Explanation, server: Option<HostId>, plan: &Plan) -> Value {
    let names = Names::new(plan);
    let at_server = |at: &AtServer| {
        let status = match at.seen {
            Seen::Nobody => None,
            Seen::Absent => Some("ABSENT"),
            Seen::Status(status) => Some(status.name()),
        };
        json!({
            "name": names.host(at.server),
            "status": status,
            "since_ms": at.since.map(t_ms),
        })
    };
    let events = explained.events.iter().filter(|event| is_told(event, server));
    let main = explained.main();
    let cure = |tried: &Tried| {
        let (cure, works) = (tried.cure.name(), tried.at.is_some());
        json!({"cure": cure, "works": works, "at_ms": tried.at.map(t_ms)})
    };
    json!({
        "schema": 1,
        "instance": plan.setup.names.full(explained.key),
        "at_ms": t_ms(explained.at),
        "own": explained.own.map(crate::eureka::InstanceStatus::name),
        "servers": explained.servers.iter().map(at_server).collect::<Vec<_>>(),
        "events": events.map(|event| line(event, &names)).collect::<Vec<_>>(),
        "verdict": {
            "class": main.map(|finding| finding.class.name()),
            "mechanism": main.and_then(|finding| finding.mechanism).map(|of| of.name()),
            "text": verdict(explained, plan, &names),
        },
        "cures": explained.cures.iter().map(cure).collect::<Vec<_>>(),
    })
}

fn line(event: &StoryEvent, names: &Names) -> Value {
    let words = words(event, names);
    let mut line = json!({
        "t_ms": t_ms(event.at),
        "place": names.place(event.place),
        "what": words.what,
        "rule": words.rule,
        "text": words.text,
    });
    if let (Some(until), Value::Object(fields)) = (until(event), &mut line) {
        fields.insert("count".to_owned(), json!(event.count));
        fields.insert("until_ms".to_owned(), t_ms(until));
    }
    if let Value::Object(fields) = &mut line {
        fields.extend(words.numbers);
    }
    line
}
