//! How long a payload is as JSON: what `EurekaJacksonCodec` writes for the full format, uncompressed,
//! in bytes of UTF-8.
//!
//! Nothing is written. What differs between instances is counted, digit by digit; what the model does
//! not keep of an instance ([`UNKEPT`]) has one fixed length for all.

use std::sync::OnceLock;

use super::payload::{Application, Applications};
use crate::eureka::{InstanceInfo, InstanceStatus, LeaseInfo, Names, StatusCounts, json_len};

/// Everything of an instance that is not kept, as text: a host `10.20.30.40` with port 8080 and the
/// pages of Spring Boot's actuator, in no data centre, that speaks no TLS. Its names and punctuation
/// are those of the fields that are always there.
const UNKEPT: &str = concat!(
    r#"{"instanceId":"","hostName":"10.20.30.40","app":"","ipAddr":"10.20.30.40","#,
    r#""status":"","overriddenStatus":"","port":{"$":8080,"@enabled":"true"},"#,
    r#""securePort":{"$":443,"@enabled":"false"},"countryId":1,"dataCenterInfo":"#,
    r#"{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},"#,
    r#""metadata":,"homePageUrl":"http://10.20.30.40:8080/","#,
    r#""statusPageUrl":"http://10.20.30.40:8080/actuator/info","#,
    r#""healthCheckUrl":"http://10.20.30.40:8080/actuator/health","#,
    r#""isCoordinatingDiscoveryServer":"false","lastUpdatedTimestamp":"","#,
    r#""lastDirtyTimestamp":""}"#,
);
/// A field of times and intervals, which are numbers.
const LEASE: &str = concat!(
    r#""leaseInfo":{"renewalIntervalInSecs":,"durationInSecs":,"registrationTimestamp":,"#,
    r#""lastRenewalTimestamp":,"evictionTimestamp":,"serviceUpTimestamp":},"#,
);
/// Metadata without entries.
const NO_METADATA: &str = r#"{"@class":"java.util.Collections$EmptyMap"}"#;
const VIP: &str = r#""vipAddress":"","#;
const SECURE_VIP: &str = r#""secureVipAddress":"","#;
const ACTION_TYPE: &str = r#","actionType":"""#;
const APPLICATION: &str = r#"{"name":"","instance":[]}"#;
const APPLICATIONS: &str =
    r#"{"applications":{"versions__delta":"","apps__hashcode":"","application":[]}}"#;
/// Around an application that is fetched alone.
const ALONE: &str = r#"{"application":}"#;

/// What a payload is on the wire, and how long: counted when somebody asks first, for many are made that
/// nobody fetches. It follows from the rest of the payload, and all are equal.
#[derive(Debug)]
pub struct JsonLength {
    form: Form,
    bytes: OnceLock<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Applications,
    /// The answer to `GET apps/{app}`: the one application and nothing else.
    Application,
}

impl JsonLength {
    /// Of applications.
    #[must_use]
    pub const fn of_all() -> Self {
        Self { form: Form::Applications, bytes: OnceLock::new() }
    }

    /// Of one application, which is fetched alone.
    #[must_use]
    pub const fn of_one() -> Self {
        Self { form: Form::Application, bytes: OnceLock::new() }
    }
}

/// The copy of a payload may become another one.
impl Clone for JsonLength {
    fn clone(&self) -> Self {
        Self { form: self.form, bytes: OnceLock::new() }
    }
}

impl PartialEq for JsonLength {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for JsonLength {}

impl Applications {
    /// Bytes of it as uncompressed JSON in full format, were every host called `10.20.30.40`.
    pub fn json_bytes(&self, names: &Names) -> u64 {
        *self.json_length.bytes.get_or_init(|| self.count_bytes(names))
    }

    fn count_bytes(&self, names: &Names) -> u64 {
        let apps: u64 = self.apps.iter().map(|app| application(app, names)).sum();
        apps + match self.json_length.form {
            Form::Applications => {
                APPLICATIONS.len() as u64
                    + digits(self.version)
                    + hash_code(self.hash)
                    + commas(self.apps.len())
            }
            Form::Application => ALONE.len() as u64,
        }
    }
}

fn application(app: &Application, names: &Names) -> u64 {
    let name = names.json_len(names.app_name_id(app.app));
    let instances = app.instances.iter().map(|info| instance(info, names));
    APPLICATION.len() as u64 + name + commas(app.instances.len()) + instances.sum::<u64>()
}

fn instance(info: &InstanceInfo, names: &Names) -> u64 {
    let vip = |field: &str, address| field.len() as u64 + names.json_len(address);
    UNKEPT.len() as u64
        + names.json_len(names.id_of(info.key))
        + names.json_len(names.app_name_id(names.app_of(info.key)))
        + (info.status.name().len() + info.overridden_status.name().len()) as u64
        + info.lease_info.as_ref().map_or(0, lease)
        + metadata(info)
        + info.vip_address.map_or(0, |address| vip(VIP, address))
        + info.secure_vip_address.map_or(0, |address| vip(SECURE_VIP, address))
        + digits(info.last_updated_timestamp)
        + digits(info.last_dirty_timestamp)
        + info.action_type.map_or(0, |action| (ACTION_TYPE.len() + action.name().len()) as u64)
}

fn lease(lease: &LeaseInfo) -> u64 {
    let numbers = [
        lease.renewal_interval_in_secs.get().into(),
        lease.duration_in_secs.into(),
        lease.registration_timestamp,
        lease.last_renewal_timestamp,
        lease.eviction_timestamp,
        lease.service_up_timestamp,
    ];
    LEASE.len() as u64 + numbers.map(digits).iter().sum::<u64>()
}

fn metadata(info: &InstanceInfo) -> u64 {
    if info.metadata.is_empty() {
        return NO_METADATA.len() as u64;
    }
    let lens = info.metadata.iter().map(|(key, value)| json_len(key) + json_len(value));
    let entries = info.metadata.len() as u64 * r#""":"""#.len() as u64 + lens.sum::<u64>();
    "{}".len() as u64 + commas(info.metadata.len()) + entries
}

/// `UP_11_`
fn hash_code(counts: StatusCounts) -> u64 {
    let of = |status: InstanceStatus| match counts.get(status) {
        0 => 0,
        count => "__".len() as u64 + status.name().len() as u64 + digits(count.into()),
    };
    InstanceStatus::ALL.map(of).iter().sum()
}

/// Between so many.
const fn commas(things: usize) -> u64 {
    (things as u64).saturating_sub(1)
}

/// A number's characters, its sign included.
fn digits(number: i64) -> u64 {
    let positive = number.unsigned_abs();
    u64::from(number < 0) + positive.checked_ilog10().map_or(1, |log| u64::from(log) + 1)
}
