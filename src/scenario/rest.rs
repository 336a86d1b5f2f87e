//! REST operations as the `call` action writes them.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::build::Builder;
use super::source::Place;
use crate::eureka::server::CacheKey;
use crate::eureka::server::resources::{DirtyParameter, Lacks, Registration, StatusParameter};
use crate::eureka::{InstanceInfo, InstanceStatus, LeaseInfo};
use crate::sim::{BodyTimestamps, OutsideRequest};

/// The request of a method, path and body; the prefix `/eureka` (and `/v2`) is optional.
pub(super) fn request(
    method: &str,
    path: &str,
    body: Option<&str>,
    place: &Place,
    builder: &mut Builder,
) -> Option<OutsideRequest> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut parts: Vec<String> =
        path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    for prefix in ["eureka", "v2"] {
        if parts.first().is_some_and(|part| part == prefix) {
            parts.remove(0);
        }
    }
    let query: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect();
    let parameter =
        |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let dirty = match parameter("lastDirtyTimestamp").map(str::parse) {
        None => DirtyParameter::Absent,
        Some(Ok(dirty)) => DirtyParameter::Value(dirty),
        Some(Err(_)) => DirtyParameter::Malformed,
    };
    let status = |name: &str| match parameter(name).map(InstanceStatus::value_of) {
        None => StatusParameter::Absent,
        Some(Some(status)) => StatusParameter::Value(status),
        Some(None) => StatusParameter::Malformed,
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let names = &mut builder.names;
    let mut key = |app: &str, id: &str| {
        let app = names.app(app);
        names.instance(app, id)
    };
    Some(match (method, parts.as_slice()) {
        ("GET", ["apps"]) => OutsideRequest::Get(CacheKey::AllApps),
        ("GET", ["apps", "delta"]) => OutsideRequest::Get(CacheKey::AllAppsDelta),
        ("GET", ["apps", app]) => OutsideRequest::Get(CacheKey::App(names.app(app))),
        ("GET", ["vips", vip]) => OutsideRequest::Get(CacheKey::Vip(names.intern(vip))),
        ("GET", ["svips", vip]) => OutsideRequest::Get(CacheKey::SecureVip(names.intern(vip))),
        ("GET", ["apps", app, id]) => OutsideRequest::GetInstance(key(app, id)),
        ("GET", ["instances", id]) => OutsideRequest::GetById(names.intern(id)),
        ("PUT", ["apps", app, id]) => {
            OutsideRequest::Heartbeat(key(app, id), dirty, status("overriddenstatus"))
        }
        ("DELETE", ["apps", app, id]) => OutsideRequest::Cancel(key(app, id)),
        ("PUT", ["apps", app, id, "status"]) => {
            OutsideRequest::StatusUpdate(key(app, id), status("value"), dirty)
        }
        ("DELETE", ["apps", app, id, "status"]) => {
            OutsideRequest::DeleteStatus(key(app, id), status("value"), dirty)
        }
        ("PUT", ["apps", app, id, "metadata"]) => {
            let pairs =
                query.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into()));
            OutsideRequest::Metadata(key(app, id), pairs.collect())
        }
        ("POST", ["apps", app]) => {
            let (body, timestamps) = registration(app, body, place, builder)?;
            OutsideRequest::Register(Box::new(body), timestamps)
        }
        ("POST", ["peerreplication", "batch"]) => {
            builder.diags.not_yet(place, "a replication batch from outside");
            return None;
        }
        _ => {
            let call = format!("{method} {path}");
            let example =
                "`PUT /eureka/apps/ORDERS/id/status?value=DOWN`; see the REST operations of Eureka";
            builder.diags.malformed(place, "an operation of Eureka", &call, example);
            return None;
        }
    })
}

/// `{"instance": {…}}` as clients send it, or the inner object alone. What the server fills in when it
/// decodes it is not there yet.
fn registration(
    path: &str,
    body: Option<&str>,
    place: &Place,
    builder: &mut Builder,
) -> Option<(Registration, BodyTimestamps)> {
    let parsed: Option<Json> = body.and_then(|body| serde_json::from_str(body).ok());
    let Some(parsed) = parsed.filter(Json::is_object) else {
        let message = "a registration needs a `body`: the instance as JSON".to_owned();
        let help = r#"body = '{"instance":{"instanceId":"x:1","app":"ORDERS","hostName":"x","ipAddr":"10.0.0.1","status":"UP","dataCenterInfo":{"name":"MyOwn"}}}'"#;
        builder.diags.misplaced(place, message, help);
        return None;
    };
    let instance = parsed.get("instance").unwrap_or(&parsed);
    let text = |name: &str| instance.get(name).and_then(Json::as_str).unwrap_or_default();
    // `JsonNode.asLong`: 0 if it is no number; null is as good as absent.
    let timestamp = |name: &str| match instance.get(name) {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => Some(text.parse().unwrap_or(0)),
        Some(other) => Some(other.as_i64().unwrap_or(0)),
    };
    let timestamps = BodyTimestamps {
        last_dirty: timestamp("lastDirtyTimestamp"),
        last_updated: timestamp("lastUpdatedTimestamp"),
    };
    let status = |name: &str| match instance.get(name).and_then(Json::as_str) {
        None => None,
        Some(text) => {
            let known = InstanceStatus::value_of(&text.to_uppercase());
            Some(known.unwrap_or(InstanceStatus::Unknown))
        }
    };
    let id = Some(text("instanceId")).filter(|id| !id.is_empty()).unwrap_or(text("hostName"));
    let lacks = Lacks {
        id: id.is_empty(),
        host_name: text("hostName").is_empty(),
        ip_address: text("ipAddr").is_empty(),
        app_name: text("app").is_empty(),
        data_center: instance.get("dataCenterInfo").is_none_or(|info| info.get("name").is_none()),
    };
    let lease = instance.get("leaseInfo").filter(|lease| lease.is_object()).map(|lease| {
        let seconds = |name: &str| lease.get(name).and_then(Json::as_i64).unwrap_or(0);
        let seconds = |name: &str| i32::try_from(seconds(name)).unwrap_or(0);
        LeaseInfo::new(seconds("renewalIntervalInSecs"), seconds("durationInSecs"))
    });
    let overridden = status("overriddenstatus").or_else(|| status("overriddenStatus"));
    let vip = |name: &str| instance.get(name).and_then(Json::as_str);
    let metadata = instance.get("metadata").and_then(Json::as_object).into_iter().flatten();
    let metadata = metadata
        .filter_map(|(key, value)| Some((Arc::from(key.as_str()), Arc::from(value.as_str()?))))
        .collect();
    let names = &mut builder.names;
    let app = names.app(text("app"));
    let info = InstanceInfo {
        key: names.instance(app, id),
        status: status("status").unwrap_or(InstanceStatus::Up),
        overridden_status: overridden.unwrap_or(InstanceStatus::Unknown),
        action_type: None,
        last_dirty_timestamp: 0,
        last_updated_timestamp: 0,
        lease_info: lease,
        vip_address: vip("vipAddress").map(|vip| names.intern(vip)),
        secure_vip_address: vip("secureVipAddress").map(|vip| names.intern(vip)),
        metadata: Arc::new(metadata),
    };
    Some((Registration { info, path: names.app(path), lacks }, timestamps))
}
