//! What is notable inside a client, as a line of `events.jsonl`.

use serde_json::{Value, json};

use crate::eureka::client::{ClientEvent, Supervised};

/// What is notable in a client, and what more is known of it.
pub(super) fn line(process: &str, event: ClientEvent) -> Option<Value> {
    let mut line = json!({"event": event.notable()?, "process": process});
    match event {
        ClientEvent::RemoteStatus(from, to) => {
            line["from"] = json!(from.name());
            line["status"] = json!(to.name());
        }
        ClientEvent::SupervisorTimeout(of) | ClientEvent::SupervisorRejected(of) => {
            line["of"] = json!(match of {
                Supervised::Heartbeat => "heartbeat",
                Supervised::CacheRefresh => "fetch",
            });
        }
        ClientEvent::ConstructFailed(failure) => line["why"] = json!(failure.message()),
        ClientEvent::FetchFailed(failure)
        | ClientEvent::HeartbeatFailed(failure)
        | ClientEvent::RegisterFailed(failure)
        | ClientEvent::CancelFailed(failure) => line["why"] = json!(failure.message()),
        _ => {}
    }
    Some(line)
}
