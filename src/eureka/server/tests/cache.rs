//! The response cache: `status-cache-checks.txt` and `delta-vip-staleness.txt`, made again.

use std::sync::Arc;

use super::super::resources::DirtyParameter;
use super::super::{Applications, CacheKey, OverrideMap};
use super::{EPOCH, Server, check_lines, vector};
use crate::eureka::{Flavor, InstanceInfo, InstanceKey, InstanceStatus, Names};

const CHECKS: &str = "status-cache-checks.txt";
const STALENESS: &str = "delta-vip-staleness.txt";

fn server() -> Server {
    let mut server = Server::new(Flavor::Netflix);
    server.init();
    server
}

/// A payload in the tables' words: `v1 hUP_1_ A[a1:UP:ADDED ]`.
fn shown(names: &Names, payload: &Applications) -> String {
    format!("v{} h{} {}", payload.version, payload.hash, apps_shown(names, payload))
}

fn apps_shown(names: &Names, payload: &Applications) -> String {
    let instance = |info: &Arc<InstanceInfo>| {
        let action = info.action_type.map_or("null", |action| action.name());
        format!("{}:{}:{action} ", names.id_text(info.key), info.status)
    };
    let app = |app: &super::super::Application| {
        let instances: String = app.instances.iter().map(instance).collect();
        format!("{}[{instances}]", names.app_name(app.app))
    };
    payload.apps.iter().map(|each| app(each)).collect()
}

fn cached(server: &mut Server, key: CacheKey) -> Option<Arc<Applications>> {
    server.ask(|registry, at| registry.cached(at, key))
}

fn fetched(server: &mut Server, key: CacheKey) -> String {
    let payload = cached(server, key).expect("this payload always exists");
    shown(&server.names, &payload)
}

fn apps(server: &mut Server) -> String {
    fetched(server, CacheKey::AllApps)
}

fn delta(server: &mut Server) -> String {
    fetched(server, CacheKey::AllAppsDelta)
}

/// One application, without version and hash.
fn app_a(server: &mut Server) -> String {
    let app = server.names.app("A");
    let payload = cached(server, CacheKey::App(app));
    payload.map_or("null".to_owned(), |payload| apps_shown(&server.names, &payload))
}

fn vip(server: &mut Server, name: &str) -> String {
    let name = server.name(name);
    fetched(server, CacheKey::Vip(name))
}

/// `{id=STATUS}`, as Java shows the override map.
fn overrides(server: &Server) -> String {
    let all = server.registry.overrides().snapshot(server.now().mono);
    let entry = |(id, status)| format!("{}={status}", server.names.text(id));
    format!("{{{}}}", all.map(entry).collect::<Vec<_>>().join(", "))
}

fn set_status(server: &mut Server, key: InstanceKey, status: InstanceStatus) -> bool {
    let absent = DirtyParameter::Absent;
    let set = server.ask(|registry, at| registry.status_update(at, key, status, absent, false));
    set.expect("no timestamp is read")
}

/// The status with which a registration is stored.
fn reregistered(server: &mut Server, status: InstanceStatus, is_replication: bool) -> String {
    let info = InstanceInfo { status, ..server.instance("A", "a1") };
    let key = server.register_from(info, is_replication);
    server.stored(key).status.to_string()
}

#[test]
fn every_line_of_both_cache_tables_is_held_here() {
    assert_eq!(vector(CHECKS).lines().count(), 8 + 8 + 2 + 4 + 3);
    assert_eq!(vector(STALENESS).lines().count(), 4 + 6);
}

#[test]
fn reads_are_as_old_as_the_last_refresh_of_the_read_only_cache() {
    let mut server = server();
    let mut made = vec![format!("mod30000={}", server.now().wall % 30_000)];
    made.push(format!("unknown app: {} apps={}", app_a(&mut server), apps(&mut server)));
    server.advance(10_000);
    let key = server.register_new("A", "a1");
    let (one, all, changes) = (app_a(&mut server), apps(&mut server), delta(&mut server));
    made.push(format!("immediately: A={one} apps={all} delta={changes}"));
    server.advance(19_999);
    made.push(format!("+19999 apps={} A={}", apps(&mut server), app_a(&mut server)));
    server.advance(1);
    let (all, one, changes) = (apps(&mut server), app_a(&mut server), delta(&mut server));
    made.push(format!("+30000 apps={all} A={one} delta={changes}"));

    let set = set_status(&mut server, key, InstanceStatus::Up);
    let field = server.stored(key).overridden_status;
    made.push(format!("statusUpdate UP on UP -> {set} ov={} ovField={field}", overrides(&server)));
    let set = set_status(&mut server, key, InstanceStatus::OutOfService);
    let info = server.stored(key);
    let action = info.action_type.expect("it has one").name();
    let ov = overrides(&server);
    made.push(format!("statusUpdate OOS -> {set} ov={ov} st={} act={action}", info.status));
    server.advance(30_000);
    made.push(format!("+60000 apps={} delta={}", apps(&mut server), delta(&mut server)));
    check_lines(CHECKS, 1, &made);
}

#[test]
fn overrides_and_leases_decide_over_what_a_registration_says() {
    use InstanceStatus::{Down, OutOfService, Unknown, Up};
    let mut server = server();
    let key = server.register_new("A", "a1");
    set_status(&mut server, key, OutOfService);

    let status = reregistered(&mut server, Up, false);
    let field = server.stored(key).overridden_status;
    let mut made = vec![format!("rereg UP with override: {status} ovField={field}")];
    let absent = DirtyParameter::Absent;
    let deleted = server
        .ask(|registry, at| registry.delete_status_override(at, key, Unknown, absent, false))
        .expect("no timestamp is read");
    let status = server.stored(key).status;
    made.push(format!("delOverride -> {deleted} st={status} ov={}", overrides(&server)));
    made.push(format!("renew after UNKNOWN -> {}", server.renew(key)));
    made.push(format!("rereg UP over UNKNOWN -> {}", reregistered(&mut server, Up, false)));
    let status = reregistered(&mut server, OutOfService, false);
    made.push(format!("client rereg OOS over UP -> {status}"));
    let status = reregistered(&mut server, OutOfService, true);
    made.push(format!("replica rereg OOS over UP -> {status}"));
    made.push(format!("client rereg DOWN -> {}", reregistered(&mut server, Down, false)));
    made.push(format!("client rereg UP over DOWN -> {}", reregistered(&mut server, Up, false)));
    check_lines(CHECKS, 9, &made);
}

#[test]
fn a_renewal_changes_a_status_silently_and_an_older_registration_changes_nothing() {
    let mut server = server();
    let key = server.register_new("A", "a1");
    let before = [CacheKey::AllApps, CacheKey::AllAppsDelta].map(|key| cached(&mut server, key));
    let out = InstanceStatus::OutOfService;
    assert!(server.ask(|r, at| r.store_overridden_status_if_required(at, key, out)));
    assert!(server.renew(key));
    // Even a refresh of the read-only cache finds the same payloads: nothing was invalidated.
    server.advance(60_000);
    let after = [CacheKey::AllApps, CacheKey::AllAppsDelta].map(|key| cached(&mut server, key));
    let same = |n: usize| match (&before[n], &after[n]) {
        (Some(before), Some(after)) => Arc::ptr_eq(before, after),
        _ => false,
    };
    let (holder, all) = (server.stored(key).status, apps(&mut server));
    let mut made = vec![format!(
        "after silent renew: holder={holder} apps same={} delta same={} {all}",
        same(0),
        same(1)
    )];

    let stored = server.registry.lease(key).expect("it has one").holder;
    let mut older = server.instance("A", "a1");
    older.last_dirty_timestamp = EPOCH - 1;
    let older = server.registry.objects_mut().add_info(older);
    server.ask(|registry, at| registry.register(at, older, false));
    let same = server.registry.lease(key).expect("it has one").holder == stored;
    let older = &server.registry.objects()[older];
    let action = older.action_type.map_or("null", |action| action.name());
    made.push(format!("older dirty: same holder={same} old.action={action} old.status={}", {
        older.status
    }));
    check_lines(CHECKS, 17, &made);
}

#[test]
fn an_override_lives_an_hour_after_its_last_access() {
    const HOUR: u64 = 3_600_000_000_000;
    const MILLI: u64 = 1_000_000;
    let start = 1_000_000_000;
    let (last, over) = (start + HOUR - MILLI, start + HOUR);
    let id = Names::default().intern("a1");
    let put = || {
        let mut map = OverrideMap::default();
        map.put(id, InstanceStatus::Down, start);
        map
    };
    let mut made = vec![format!("contains {}", put().contains(id, start))];
    let map = put();
    assert!(map.contains(id, last));
    let contains = map.contains(id, over);
    made.push(format!("after containsKey at 59:59.999, at 60:00.000 -> contains={contains}"));
    let mut map = put();
    assert_eq!(map.get(|| id, last), Some(InstanceStatus::Down));
    made.push(format!("after get: contains={}", map.contains(id, over)));
    let map = put();
    assert_eq!(map.snapshot(last).count(), 1);
    made.push(format!("after snapshot copy: contains={}", map.contains(id, over)));
    check_lines(CHECKS, 19, &made);
}

#[test]
fn one_vip_address_of_a_list_is_not_invalidated() {
    let mut server = server();
    let mut made = vec![format!("vip v1 empty: {}", vip(&mut server, "v1"))];
    let list = server.name("v1,v2");
    let info = InstanceInfo { vip_address: Some(list), ..server.instance("B", "b1") };
    server.register(info);
    server.advance(60_000);
    made.push(format!("+60s vip v1: {}", vip(&mut server, "v1")));
    server.advance(180_000);
    made.push(format!("+240s vip v1: {}", vip(&mut server, "v1")));
    check_lines(CHECKS, 23, &made);
}

/// The delta is read every second; a change of it is told with the age of the registration.
#[test]
fn a_change_leaves_the_delta_when_its_payload_expires_after_it_left_the_queue() {
    for (n, recorded) in vector(STALENESS).lines().take(4).enumerate() {
        let offset = recorded.split(['t', 'm']).find_map(|text| text.trim().parse::<i64>().ok());
        let offset = offset.unwrap_or_else(|| panic!("{recorded} tells the offset"));
        let mut server = Server::started(EPOCH + offset, Flavor::Netflix, "2.0.6", |_| {});
        server.init();
        let mut last = delta(&mut server);
        server.advance(10_000);
        server.register_new("A", "a1");
        let mut made =
            format!("construct offset {offset}ms after a 30s wall multiple; registered at +10s: ");
        for age in 1..=600 {
            server.advance(1000);
            let now = delta(&mut server);
            if now != last {
                made += &format!("age {age}s -> '{}'; ", now.trim());
                last = now;
            }
        }
        check_lines(STALENESS, n + 1, &[made]);
    }
}

#[test]
fn the_vip_address_an_instance_gave_up_lists_it_for_three_minutes() {
    let mut server = server();
    let (old, new) = (server.name("old"), server.name("new"));
    let with_vip = |server: &mut Server, vip| InstanceInfo {
        vip_address: Some(vip),
        ..server.instance("A", "a1")
    };
    let info = with_vip(&mut server, old);
    server.register(info);
    let both =
        |server: &mut Server| format!("old={} new={}", vip(server, "old"), vip(server, "new"));
    let mut made = vec![format!("vip {}", both(&mut server))];
    let info = with_vip(&mut server, new);
    server.register(info);
    let mut seconds = 0;
    for second in [30, 60, 120, 180, 210] {
        server.advance((second - seconds) * 1000);
        seconds = second;
        made.push(format!(" +{second}s {}", both(&mut server)));
    }
    check_lines(STALENESS, 5, &made);
}

#[test]
fn without_the_read_only_cache_reads_are_fresh() {
    let mut server = Server::started(EPOCH, Flavor::Netflix, "2.0.6", |config| {
        config.use_read_only_response_cache = false;
    });
    server.init();
    assert_eq!(apps(&mut server), "v1 h ");
    server.register_new("A", "a1");
    assert_eq!(apps(&mut server), "v1 hUP_1_ A[a1:UP:ADDED ]");
}

#[test]
fn a_delta_lists_each_instance_once_as_it_is_now_under_a_count_of_payloads() {
    let mut server = server();
    server.register_new("A", "a1");
    let b = server.register_new("B", "b1");
    server.register_new("A", "a2");
    server.register_new("A", "a1");
    server.cancel(b);
    assert_eq!(delta(&mut server), "v1 hUP_2_ A[a2:UP:ADDED a1:UP:ADDED ]B[b1:UP:DELETED ]");
    server.advance(30_000);
    assert_eq!(delta(&mut server), "v1 hUP_2_ A[a2:UP:ADDED a1:UP:ADDED ]B[b1:UP:DELETED ]");
    server.register_new("A", "a2");
    server.advance(30_000);
    assert_eq!(delta(&mut server), "v2 hUP_2_ A[a1:UP:ADDED a2:UP:ADDED ]B[b1:UP:DELETED ]");
}

#[test]
fn an_unknown_vip_address_is_an_empty_answer_and_an_unknown_application_none() {
    let mut server = server();
    let info = server.instance("A", "a1");
    let listed = |server: &mut Server, list: &str, name: &str| {
        let vip_address = Some(server.name(list));
        let mut fresh = Server::new(Flavor::Netflix);
        fresh.names = server.names.clone();
        fresh.init();
        fresh.register(InstanceInfo { vip_address, ..info.clone() });
        vip(&mut fresh, name) != "v-1 h "
    };
    assert!(listed(&mut server, "a,b", "b"));
    assert!(listed(&mut server, "a,,b", ""));
    assert!(listed(&mut server, "", ""), "a text without comma is one piece");
    assert!(!listed(&mut server, "a,b,,", ""), "empty pieces at the end are dropped");
    assert!(!listed(&mut server, ",", ""));
    assert!(!listed(&mut server, "a,b", "A"), "case matters");
    assert!(!listed(&mut server, "a,b", "a,b"));
    assert_eq!(app_a(&mut server), "null");
}
