//! What a request of a client's trace was answered: it drives the client.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::fields::{Fields, Mismatch};
use super::nanos;
use crate::eureka::client::AttemptFailure;
use crate::eureka::server::{Application, Applications, JsonLength};
use crate::eureka::{
    ActionType, AppId, InstanceInfo, InstanceKey, InstanceStatus, Metadata, Names, StatusCounts,
};

/// How a request ended, and after how long.
#[derive(Clone, Debug)]
pub struct Answer {
    /// From sending to the end, ns; none if that was not recorded.
    pub after: Option<u64>,
    /// The end.
    pub answered: Answered,
}

/// How a request ended.
#[derive(Clone, Debug)]
pub enum Answered {
    /// With a status, perhaps an entity, perhaps the server of a `Location`.
    Code(u16, Option<Arc<Applications>>, Option<u16>),
    /// Without an answer.
    Failed(AttemptFailure),
    /// The client had closed its transport: what it would have been answered.
    ClientClosed(Option<u16>),
    /// The client's thread was interrupted: nothing was sent.
    Interrupted,
    /// Not by the end of the trace.
    Pending,
}

impl Answer {
    /// Reads the answer out of the object of a `request` line.
    ///
    /// # Errors
    /// If a field of the answer is missing or not understood. The fields of the question are the
    /// client's to say.
    pub fn parse(request: &Value, names: &mut Names) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(request, "request")?;
        let body = match fields.get("content") {
            None => None,
            Some(Value::String(none)) if none == "none" => None,
            Some(content) => Some(Arc::new(registry(content, names)?)),
        };
        let location = fields.text("location")?.and_then(redirect_target);
        let outcome = fields.text("outcome")?;
        let after = fields.get("ms").and_then(nanos);
        let answered = match outcome {
            Some("refused") => Answered::Failed(AttemptFailure::Refused),
            Some("connect-timeout") => Answered::Failed(AttemptFailure::ConnectTimeout),
            Some("read-timeout") => Answered::Failed(AttemptFailure::ReadTimeout),
            Some("interrupted") => Answered::Interrupted,
            Some("pending") => Answered::Pending,
            Some("client-closed") => {
                let answer = fields.int("answer")?.and_then(|code| u16::try_from(code).ok());
                Answered::ClientClosed(answer)
            }
            Some(code) => {
                let code = code.parse().ok().filter(|code| (100..1000).contains(code));
                let code = code.ok_or_else(|| fields.wrong("outcome", "a status or a failure"))?;
                Answered::Code(code, body, location)
            }
            None => return Err(fields.wrong("outcome", "a status or a failure")),
        };
        if after.is_none() && !matches!(answered, Answered::Pending) {
            return Err(fields.wrong("ms", "ms from sending to the end"));
        }
        Ok(Self { after, answered })
    }
}

/// The server that a `Location` names by its address (127.0.0.1 is s0), if the path is one that
/// `RedirectingEurekaHttpClient` follows: `(.*/v2/)apps(/.*)?$`.
fn redirect_target(location: &str) -> Option<u16> {
    let (host, path) = location.strip_prefix("http://")?.split_once('/')?;
    if !is_of_eureka(path) {
        return None;
    }
    let host = host.split(':').next()?;
    let number: u16 = host.strip_prefix("127.0.0.")?.parse().ok()?;
    number.checked_sub(1)
}

/// Whether a path (without the leading slash) is one that `RedirectingEurekaHttpClient` follows.
pub(super) fn is_of_eureka(path: &str) -> bool {
    let path = format!("/{}", path.split(['?', '#']).next().unwrap_or_default());
    let end = path.rsplit_once("/v2/apps").map(|(_, end)| end.to_owned());
    end.is_some_and(|end| end.is_empty() || end.starts_with('/'))
}

/// Reads a registry: `{"version", "hash", "apps": {"APP": {"id": "[ADDED ]STATUS"}}}`.
///
/// # Errors
/// If a field is missing, unknown or not understood.
pub fn registry(value: &Value, names: &mut Names) -> Result<Applications, Mismatch> {
    let mut fields = Fields::of(value, "request.content")?;
    let version = fields.int("version")?;
    let version = fields.required("version", version)?;
    let hash = fields.text("hash")?.and_then(status_counts);
    let hash = hash.ok_or_else(|| fields.wrong("hash", "a reconcile hash"))?;
    let listed = fields.get("apps").and_then(Value::as_object);
    let listed = listed.ok_or_else(|| fields.wrong("apps", "applications"))?;
    let mut apps = Vec::new();
    for (app, instances) in listed {
        let id = names.app(app);
        let read = instances.as_object().and_then(|listed| application(id, listed, names));
        apps.push(Arc::new(read.ok_or_else(|| fields.wrong("apps", "instances and statuses"))?));
    }
    fields.finish(&[])?;
    Ok(Applications { version, hash, apps, json_length: JsonLength::of_all() })
}

fn application(app: AppId, listed: &Map<String, Value>, names: &mut Names) -> Option<Application> {
    let mut instances = Vec::new();
    for (id, what) in listed {
        let (action, status) = match what.as_str()?.split_once(' ') {
            Some((action, status)) => (Some(action), status),
            None => (None, what.as_str()?),
        };
        let action_type = match action {
            None => None,
            Some("ADDED") => Some(ActionType::Added),
            Some("MODIFIED") => Some(ActionType::Modified),
            Some("DELETED") => Some(ActionType::Deleted),
            Some(_) => return None,
        };
        let key = names.instance(app, id);
        let info = listed_instance(key, InstanceStatus::value_of(status)?);
        instances.push(Arc::new(InstanceInfo { action_type, ..info }));
    }
    Some(Application::new(app, instances))
}

/// An instance of which a trace tells no more than its status.
#[must_use]
pub fn listed_instance(key: InstanceKey, status: InstanceStatus) -> InstanceInfo {
    InstanceInfo {
        key,
        status,
        overridden_status: InstanceStatus::Unknown,
        action_type: None,
        last_dirty_timestamp: 0,
        last_updated_timestamp: 0,
        lease_info: None,
        vip_address: None,
        secure_vip_address: None,
        metadata: Metadata::default(),
    }
}

/// `DOWN_1_UP_11_` as counts, if it is written as Eureka writes it.
fn status_counts(hash: &str) -> Option<StatusCounts> {
    let mut counts = StatusCounts::default();
    let mut rest = hash;
    for status in InstanceStatus::ALL {
        let Some(after) = rest.strip_prefix(status.name()).and_then(|r| r.strip_prefix('_')) else {
            continue;
        };
        let (number, after) = after.split_once('_')?;
        counts.add_many(status, number.parse().ok()?);
        rest = after;
    }
    (rest.is_empty() && counts.to_string() == hash).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::redirect_target;

    /// `(.*/v2/)apps(/.*)?$`
    #[test]
    fn a_location_is_followed_if_its_path_is_one_of_eureka_2() {
        for path in ["/eureka/v2/apps", "/eureka/v2/apps/", "/v2/apps/A/i1", "/v2/apps/A?x=/y#z"] {
            let location = format!("http://127.0.0.2:80{path}");
            assert_eq!(redirect_target(&location), Some(1), "{location}");
        }
        for path in ["/eureka/apps/A", "/v2/appsA", "/v2/vips/b", "/", "/apps?/v2/apps"] {
            let location = format!("http://127.0.0.2:80{path}");
            assert_eq!(redirect_target(&location), None, "{location}");
        }
    }
}
