//! How long payloads are as JSON, against `json-sizes.txt`: what `EurekaJacksonCodec` of 2.0.6 wrote
//! for the same instances (`name bytes JSON`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Application, Applications, CacheKey, JsonLength};
use super::{Server, vector};
use crate::eureka::{
    ActionType, Flavor, InstanceInfo, InstanceStatus, LeaseInfo, Metadata, Names, StatusCounts,
};

/// When the recorded instances were last changed.
const T: i64 = 1_700_000_000_000;

fn metadata(entries: &[(&str, &str)]) -> Metadata {
    let entries = entries.iter().map(|(key, value)| ((*key).into(), (*value).into()));
    Arc::new(entries.collect::<BTreeMap<_, _>>())
}

/// As the codec decodes it: without action, its lease never decorated.
fn instance(names: &mut Names, app: &str, id: &str, status: InstanceStatus) -> InstanceInfo {
    let info = super::instance(names, app, id, T + 1);
    InstanceInfo { status, last_updated_timestamp: T, ..info }
}

fn with_vips(names: &mut Names, info: InstanceInfo, vip: &str, secure: &str) -> InstanceInfo {
    let [vip_address, secure_vip_address] = [vip, secure].map(|name| Some(names.intern(name)));
    InstanceInfo { vip_address, secure_vip_address, ..info }
}

fn stored(names: &mut Names) -> InstanceInfo {
    let info = instance(names, "ORDERS", "orders-0000", InstanceStatus::Up);
    let lease = LeaseInfo {
        registration_timestamp: T,
        last_renewal_timestamp: T + 90_000,
        service_up_timestamp: T,
        ..LeaseInfo::default()
    };
    let action_type = Some(ActionType::Added);
    let info = InstanceInfo { lease_info: Some(lease), action_type, ..info };
    with_vips(names, info, "orders", "orders")
}

/// Everything unusual in one instance: escapes, three kinds of UTF-8, odd numbers.
fn odd(names: &mut Names) -> InstanceInfo {
    let id = "x\"é\\\n\u{1}€😀/";
    let info = instance(names, "ÄPP", id, InstanceStatus::OutOfService);
    let lease = LeaseInfo {
        registration_timestamp: 5,
        last_renewal_timestamp: -61_000,
        eviction_timestamp: T + 123,
        service_up_timestamp: T,
        ..LeaseInfo::new(7, 120)
    };
    InstanceInfo {
        overridden_status: InstanceStatus::OutOfService,
        action_type: Some(ActionType::Modified),
        last_dirty_timestamp: 99,
        lease_info: Some(lease),
        vip_address: Some(names.intern("orders")),
        metadata: metadata(&[("zone", "a"), ("k\"", "é\t")]),
        ..info
    }
}

fn payload(names: &Names, version: i64, apps: Vec<Vec<InstanceInfo>>) -> Applications {
    let app = |instances: Vec<InstanceInfo>| {
        let app = names.app_of(instances[0].key);
        Arc::new(Application::new(app, instances.into_iter().map(Arc::new).collect()))
    };
    let apps: Vec<_> = apps.into_iter().map(app).collect();
    let hash: StatusCounts = apps.iter().map(|app| app.counts).sum();
    Applications { version, hash, apps, json_length: JsonLength::of_all() }
}

#[test]
fn a_payload_is_as_long_as_what_the_real_codec_writes() {
    let mut names = Names::default();
    let names = &mut names;
    let one = stored(names);
    let b = instance(names, "ORDERS2", "b", InstanceStatus::Down);
    let b = InstanceInfo { metadata: metadata(&[("zone", "a")]), ..b };
    let c = instance(names, "ORDERS2", "c", InstanceStatus::Starting);
    let c = InstanceInfo { metadata: metadata(&[("zone", "a"), ("b", "c")]), ..c };
    let [b, c] = [b, c].map(|info| with_vips(names, info, "v", "w"));
    let bare = instance(names, "ÄPP", "bare", InstanceStatus::Down);
    let action_type = Some(ActionType::Deleted);
    let bare = InstanceInfo { lease_info: None, action_type, ..bare };
    let odd = odd(names);

    let made = [
        ("nobody", payload(names, 1, Vec::new())),
        ("one", payload(names, 1, vec![vec![one.clone()]])),
        ("three", payload(names, 1, vec![vec![one.clone()], vec![b, c]])),
        (
            "alone",
            Applications {
                json_length: JsonLength::of_one(),
                ..payload(names, 1, vec![vec![one]])
            },
        ),
        ("delta", payload(names, 12_345, vec![vec![odd, bare]])),
    ];
    let table = vector("json-sizes.txt");
    assert_eq!(table.lines().count(), made.len());
    for (name, payload) in made {
        let line = table.lines().find(|line| line.split(' ').next() == Some(name));
        let mut parts = line.expect("the table has it").splitn(3, ' ').skip(1);
        let bytes: u64 = parts.next().and_then(|bytes| bytes.parse().ok()).expect("a number");
        assert_eq!(parts.next().map(str::len), Some(bytes as usize), "{name}: the table is whole");
        assert_eq!(payload.json_bytes(names), bytes, "{name}");
    }
}

/// `DOWN_1_UP_11_`, and one comma less than there are instances.
#[test]
fn twelve_instances_are_as_long_as_the_real_codec_writes_them() {
    let mut names = Names::default();
    let ids = (0..12).map(|n| format!("orders-000{}{}", n % 10, if n < 10 { "" } else { "x" }));
    let instances = ids.map(|id| {
        let info = instance(&mut names, "ORDERS", &id, InstanceStatus::Up);
        let info = InstanceInfo { action_type: Some(ActionType::Added), ..info };
        with_vips(&mut names, info, "orders", "orders")
    });
    let instances = instances.collect();
    assert_eq!(payload(&names, 1, vec![instances]).json_bytes(&names), 10_699);
}

/// What is served has the length of what it was when it was made.
#[test]
fn a_registry_measures_what_it_serves() {
    let mut server = Server::new(Flavor::Netflix);
    server.init();
    let bytes = |server: &mut Server, key: CacheKey| {
        let payload = server.ask(|registry, at| registry.cached(at, key));
        payload.expect("there is always one").json_bytes(&server.names)
    };
    assert_eq!(bytes(&mut server, CacheKey::AllApps), 77);
    server.register_new("A", "a1");
    // 1030 of `one` in the table, less what is shorter here: two names of ORDERS by 5 each,
    // the id by 9, two VIP addresses with their fields by 22 and 28.
    let one = 1030 - 2 * 5 - 9 - 22 - 28;
    // The read-only level still serves what it had.
    assert_eq!(bytes(&mut server, CacheKey::AllApps), 77);
    server.advance(30_000);
    assert_eq!(bytes(&mut server, CacheKey::AllApps), one);
    assert_eq!(bytes(&mut server, CacheKey::AllAppsDelta), one);
    let app = server.names.app("A");
    // Without version and hash around it.
    assert_eq!(bytes(&mut server, CacheKey::App(app)), one - 66);
}
