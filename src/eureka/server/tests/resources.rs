//! The REST layer: what is answered to heartbeats, status operations and batches.

use std::collections::BTreeMap;

use super::super::resources::{
    self, Answer, BatchAction, BatchItem, DirtyParameter, Registration, StatusParameter,
};
use super::super::{CacheKey, Handed};
use super::{EPOCH, Server};
use crate::eureka::InstanceStatus::{self, Down, OutOfService, Unknown, Up};
use crate::eureka::{ActionType, Flavor, InstanceInfo, InstanceKey};

const NONE: StatusParameter = StatusParameter::Absent;

fn server() -> (Server, InstanceKey) {
    let mut server = Server::new(Flavor::Netflix);
    server.init();
    let key = server.register_new("A", "a1");
    server.registry.handed().clear();
    (server, key)
}

/// A server whose only lease has expired and may be evicted.
fn with_expired() -> (Server, InstanceKey) {
    let (mut server, key) = server();
    server.registry.config_mut().enable_self_preservation = false;
    server.freeze(90_001);
    (server, key)
}

fn renew(
    server: &mut Server,
    key: InstanceKey,
    dirty: DirtyParameter,
    overridden: StatusParameter,
    is_replication: bool,
) -> Answer {
    server.ask(|r, at| resources::renew(r, at, key, dirty, overridden, is_replication))
}

#[test]
fn heartbeats_compare_dirty_timestamps_after_the_lease_was_renewed() {
    for (dirty, client, replica) in [
        (DirtyParameter::Absent, 200, 200),
        (DirtyParameter::Value(EPOCH), 200, 200),
        (DirtyParameter::Value(EPOCH + 1), 404, 404),
        (DirtyParameter::Value(EPOCH - 1), 200, 409),
        (DirtyParameter::Malformed, 500, 500),
    ] {
        for (is_replication, code) in [(false, client), (true, replica)] {
            let (mut server, key) = server();
            let holder = server.registry.lease(key).expect("it has one").holder;
            let answer = renew(&mut server, key, dirty, NONE, is_replication);
            let instance = Some(holder).filter(|_| code == 409);
            assert_eq!(answer, Answer { code, instance }, "{dirty:?} {is_replication}");
            assert_eq!(server.registry.renews_current_min(), 1, "{dirty:?} {is_replication}");
            let handed = server.registry.handed_list().len();
            assert_eq!(handed, usize::from(!is_replication), "{dirty:?} {is_replication}");
            server.registry.config_mut().sync_when_timestamp_differs = false;
            assert_eq!(renew(&mut server, key, dirty, NONE, is_replication).code, 200);
        }
    }
}

#[test]
fn a_heartbeat_of_nobody_is_not_found_and_not_counted() {
    let (mut server, _) = server();
    let unknown = server.instance("A", "a2").key;
    for is_replication in [false, true] {
        let answer = renew(&mut server, unknown, DirtyParameter::Absent, NONE, is_replication);
        assert_eq!(answer, Answer { code: 404, instance: None });
    }
    assert_eq!(server.registry.renews_current_min(), 0);
    assert!(server.registry.handed_list().is_empty());
}

#[test]
fn a_replicas_newer_heartbeat_leaves_its_override_behind() {
    let newer = DirtyParameter::Value(EPOCH + 1);
    let stored = |overridden, is_replication, expired| {
        let (mut server, key) = if expired { with_expired() } else { server() };
        let code = renew(&mut server, key, newer, overridden, is_replication).code;
        let field = server.stored(key).overridden_status;
        let (id, mono) = (server.names.id_of(key), server.now().mono);
        (code, server.registry.overrides.get(|| id, mono), field, server.stored(key).status)
    };
    let out = StatusParameter::Value(OutOfService);
    assert_eq!(stored(out, true, false), (404, Some(OutOfService), OutOfService, Up));
    assert_eq!(stored(out, true, true), (404, Some(OutOfService), OutOfService, Up), "renewed");
    assert_eq!(stored(out, false, false), (404, None, Unknown, Up), "a client's is ignored");
    assert_eq!(stored(StatusParameter::Value(Unknown), true, false), (404, None, Unknown, Up));
    assert_eq!(stored(NONE, true, false), (404, None, Unknown, Up));
    assert_eq!(stored(StatusParameter::Malformed, true, false), (500, None, Unknown, Up));
}

#[test]
fn an_override_for_an_instance_that_is_not_visible_is_stored_but_fails() {
    let (mut server, key) = with_expired();
    assert!(!server.ask(|r, at| r.store_overridden_status_if_required(at, key, Down)));
    let (id, mono) = (server.names.id_of(key), server.now().mono);
    assert_eq!(server.registry.overrides.get(|| id, mono), Some(Down));
    assert!(
        server.ask(|r, at| r.store_overridden_status_if_required(at, key, Down)),
        "it is there"
    );
    assert_eq!(server.stored(key).overridden_status, Unknown);
}

/// PUT or DELETE of a status.
fn status(
    server: &mut Server,
    key: InstanceKey,
    delete: bool,
    value: StatusParameter,
    dirty: DirtyParameter,
) -> u16 {
    let operation = if delete { resources::delete_status_update } else { resources::status_update };
    server.ask(|r, at| operation(r, at, key, value, dirty, false))
}

#[test]
fn status_operations_need_a_visible_instance_and_a_readable_value() {
    let (absent, down) = (DirtyParameter::Absent, StatusParameter::Value(Down));
    for (value, put, delete) in
        [(down, 200, 200), (NONE, 500, 200), (StatusParameter::Malformed, 500, 500)]
    {
        for (is_delete, code) in [(false, put), (true, delete)] {
            let (mut server, key) = server();
            assert_eq!(status(&mut server, key, is_delete, value, absent), code, "{value:?}");
            let handed = server.registry.handed_list().len();
            assert_eq!(handed, usize::from(code == 200), "{value:?}");
            let (mut server, key) = with_expired();
            assert_eq!(status(&mut server, key, is_delete, value, absent), 404, "{value:?}");
            let unknown = server.instance("A", "a2").key;
            assert_eq!(status(&mut server, unknown, is_delete, value, absent), 404, "{value:?}");
            assert!(server.registry.handed_list().is_empty());
        }
    }
}

#[test]
fn a_malformed_timestamp_fails_after_the_status_has_changed_and_tells_nobody() {
    let (mut server, key) = server();
    let down = StatusParameter::Value(Down);
    assert_eq!(status(&mut server, key, false, down, DirtyParameter::Malformed), 500);
    assert_eq!(server.registry.status_of(key), Some(Down));
    assert_eq!(server.registry.recently_changed().len(), 1);
    assert!(server.registry.handed_list().is_empty());
    let up = StatusParameter::Value(Up);
    assert_eq!(status(&mut server, key, true, up, DirtyParameter::Malformed), 500);
    assert_eq!(server.registry.status_of(key), Some(Up));
    assert_eq!(server.registry.recently_changed().len(), 1);
    // It is not read when there is nothing to change.
    assert_eq!(status(&mut server, key, false, up, DirtyParameter::Malformed), 200);
    assert_eq!(status(&mut server, key, true, up, DirtyParameter::Malformed), 200);
    assert_eq!(server.registry.handed_list().len(), 2);
}

#[test]
fn deleting_an_override_without_a_value_makes_the_instance_unknown() {
    let (mut server, key) = server();
    let absent = DirtyParameter::Absent;
    assert_eq!(status(&mut server, key, true, NONE, absent), 200);
    assert_eq!(server.registry.status_of(key), Some(Up), "there was none");
    status(&mut server, key, false, StatusParameter::Value(OutOfService), absent);
    assert_eq!(status(&mut server, key, true, NONE, absent), 200);
    let info = server.stored(key);
    assert_eq!((info.status, info.overridden_status), (Unknown, Unknown));
    assert_eq!(info.action_type, Some(ActionType::Modified));
    assert_eq!(server.registry.recently_changed().len(), 3);
}

#[test]
fn a_status_that_does_not_change_stores_no_override_but_goes_to_the_peers() {
    let (mut server, key) = server();
    let holder = server.registry.lease(key).expect("it has one").holder;
    status(&mut server, key, false, StatusParameter::Value(Up), DirtyParameter::Absent);
    assert_eq!(server.registry.overrides().snapshot(server.now().mono).count(), 0);
    assert_eq!(server.registry.recently_changed().len(), 1);
    let handed = Handed::StatusUpdate { key, info: Some(holder), new_status: Up };
    assert_eq!(server.registry.handed_list(), [handed]);
}

#[test]
fn metadata_is_a_registration_with_the_old_dirty_timestamp() {
    let (mut server, key) = server();
    server.renew(key);
    server.registry.handed().clear();
    server.advance(1000);
    let entries = BTreeMap::from([("zone".into(), "a".into())]);
    assert_eq!(server.ask(|r, at| resources::update_metadata(r, at, key, &entries)), 200);
    let lease = server.registry.lease(key).expect("it has one");
    assert_eq!(lease.last_update_timestamp, EPOCH + 1000, "one duration again");
    let info = server.stored(key);
    assert_eq!((info.last_dirty_timestamp, info.action_type), (EPOCH, Some(ActionType::Added)));
    assert_eq!(info.metadata.get("zone").map(AsRef::as_ref), Some("a"));
    assert!(matches!(server.registry.handed_list(), [Handed::Register { .. }]));
}

#[test]
fn an_expired_instance_is_hidden_from_single_reads_but_in_every_payload() {
    let (mut server, key) = with_expired();
    assert_eq!(server.ask(|r, at| resources::get_instance(r, at, key)).code, 404);
    let id = server.names.id_of(key);
    assert_eq!(server.ask(|r, at| resources::get_instance_by_id(r, at, id)).code, 404);
    server.registry.peer_instances_transfer_empty_on_startup = false;
    let full = server.ask(|r, at| resources::fetch(r, at, CacheKey::AllApps));
    assert_eq!(full.expect("reads are allowed").apps.len(), 1);
    server.registry.config_mut().enable_self_preservation = true;
    assert_eq!(server.ask(|r, at| resources::get_instance(r, at, key)).code, 200);
    assert_eq!(server.ask(|r, at| resources::get_instance_by_id(r, at, id)).code, 200);
}

#[test]
fn reads_are_refused_without_access_and_deltas_when_disabled() {
    let (mut server, _) = server();
    let code = |server: &mut Server, key| server.ask(|r, at| resources::fetch(r, at, key)).err();
    let (app, other) = (server.names.app("A"), server.names.app("B"));
    let vip = server.name("nobody");
    let all = [CacheKey::AllApps, CacheKey::AllAppsDelta, CacheKey::App(app), CacheKey::Vip(vip)];
    assert_eq!(all.map(|key| code(&mut server, key)), [None; 4]);
    assert_eq!(code(&mut server, CacheKey::App(other)), Some(404));
    server.registry.config_mut().disable_delta = true;
    assert_eq!(all.map(|key| code(&mut server, key)), [None, Some(403), None, None]);
    server.open(0);
    assert_eq!(all.map(|key| code(&mut server, key)), [Some(403); 4]);
}

fn item(
    key: InstanceKey,
    action: BatchAction,
    dirty: DirtyParameter,
    status: StatusParameter,
) -> BatchItem {
    BatchItem { key, action, dirty, status, overridden: NONE }
}

fn batch(server: &mut Server, items: Vec<BatchItem>) -> Vec<Answer> {
    let mut answers = Vec::new();
    server.ask(|r, at| resources::batch_replication(r, at, items, &mut answers));
    answers
}

#[test]
fn batch_items_are_answered_one_by_one() {
    use BatchAction::{Cancel, DeleteStatusOverride, Heartbeat, Register, StatusUpdate};
    let (mut server, key) = server();
    let unknown = server.instance("A", "a2").key;
    let info = server.instance("A", "a3");
    let complete = Registration::complete(info.clone(), server.names.app("A"));
    let mut incomplete = complete.clone();
    incomplete.lacks.host_name = true;
    incomplete.info.key = unknown;
    let (absent, now) = (DirtyParameter::Absent, DirtyParameter::Value(EPOCH));
    let down = StatusParameter::Value(Down);
    let items = vec![
        (item(unknown, Register(Some(Box::new(incomplete))), now, NONE), 200),
        (item(info.key, Register(Some(Box::new(complete))), now, NONE), 200),
        (item(unknown, Register(None), now, NONE), 500),
        (item(unknown, Heartbeat, now, NONE), 404),
        (item(key, Heartbeat, now, NONE), 200),
        (item(key, StatusUpdate, now, down), 200),
        (item(key, StatusUpdate, now, NONE), 500),
        (item(key, DeleteStatusOverride, absent, down), 500),
        (item(key, DeleteStatusOverride, now, down), 200),
        (item(key, Cancel, absent, NONE), 200),
        (item(key, Cancel, absent, NONE), 404),
    ];
    let (items, codes): (Vec<_>, Vec<u16>) = items.into_iter().unzip();
    let answers = batch(&mut server, items);
    assert_eq!(answers.iter().map(|answer| answer.code).collect::<Vec<_>>(), codes);
    assert_eq!(server.registry.lease(unknown).map(|lease| lease.duration), None, "not stored");
    assert!(server.registry.lease(info.key).is_some());
    assert!(server.registry.handed_list().is_empty(), "nothing goes further");
}

/// The entity is the live object and is written after all items: all but its `LeaseInfo` shows what
/// later items did to it.
#[test]
fn the_instance_of_a_conflict_shows_what_later_items_did() {
    let (mut server, key) = server();
    let older = DirtyParameter::Value(EPOCH - 1);
    let items = vec![
        item(key, BatchAction::Heartbeat, older, NONE),
        item(key, BatchAction::StatusUpdate, older, StatusParameter::Value(OutOfService)),
        item(key, BatchAction::Cancel, DirtyParameter::Absent, NONE),
    ];
    let answers = batch(&mut server, items);
    assert_eq!(answers.iter().map(|answer| answer.code).collect::<Vec<_>>(), [409, 200, 200]);
    let entity = answers[0].instance.expect("a conflict carries the instance");
    let info: &InstanceInfo = &server.registry.objects()[entity];
    let status: InstanceStatus = info.status;
    assert_eq!((status, info.action_type), (OutOfService, Some(ActionType::Deleted)));
    let lease = info.lease_info.expect("it was rendered");
    assert_eq!(lease.eviction_timestamp, 0, "rendered before the cancel");
}
