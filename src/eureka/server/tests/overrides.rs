//! The override rules over every combination of statuses, restated as tables.

use super::super::rules::{self, Rule};
use super::Server;
use crate::eureka::InstanceStatus::{self, Down, OutOfService, Starting, Unknown, Up};
use crate::eureka::{Flavor, InstanceInfo, InstanceKey};

/// None, or one of all statuses.
fn perhaps() -> impl Iterator<Item = Option<InstanceStatus>> {
    std::iter::once(None).chain(InstanceStatus::ALL.map(Some))
}

/// What is stored for a status that comes in: UP or OUT_OF_SERVICE without an override, by the
/// status of the lease that is there already.
const WITHOUT_OVERRIDE: [(Option<InstanceStatus>, [InstanceStatus; 4]); 6] = {
    const OUT: InstanceStatus = OutOfService;
    [
        // lease    client: UP, OUT   replica: UP, OUT
        (None, [Up, OUT, Up, OUT]),
        (Some(Down), [Up, OUT, Up, OUT]),
        (Some(OUT), [OUT, OUT, Up, OUT]),
        (Some(Starting), [Up, OUT, Up, OUT]),
        (Some(Unknown), [Up, OUT, Up, OUT]),
        (Some(Up), [Up, Up, Up, OUT]),
    ]
};

fn restated(
    own: InstanceStatus,
    overridden: Option<InstanceStatus>,
    existing: Option<InstanceStatus>,
    is_replication: bool,
) -> InstanceStatus {
    let column = match own {
        Down | Starting | Unknown => return own,
        Up => 0,
        OutOfService => 1,
    };
    let row = WITHOUT_OVERRIDE.iter().find(|(lease, _)| *lease == existing);
    let (_, row) = row.expect("the table has every status of a lease");
    overridden.unwrap_or(row[column + if is_replication { 2 } else { 0 }])
}

/// Calls with every status that comes in, override, status of a lease, and sender: 360 of them.
fn for_every_combination(
    mut check: impl FnMut(InstanceStatus, Option<InstanceStatus>, Option<InstanceStatus>, bool),
) {
    for own in InstanceStatus::ALL {
        for overridden in perhaps() {
            for existing in perhaps() {
                check(own, overridden, existing, false);
                check(own, overridden, existing, true);
            }
        }
    }
}

#[test]
fn the_rules_give_what_the_tables_say() {
    let mut combinations = 0;
    for_every_combination(|own, overridden, existing, is_replication| {
        let (status, rule) = rules::apply(own, || overridden, existing, is_replication);
        let case = format!("{own} over {existing:?}, override {overridden:?}, {is_replication}");
        assert_eq!(status, restated(own, overridden, existing, is_replication), "{case}");
        let decided = match (own, overridden, existing) {
            (Down | Starting | Unknown, ..) => Rule::DownOrStarting,
            (_, Some(_), _) => Rule::OverrideExists,
            (_, None, Some(Up | OutOfService)) if !is_replication => Rule::LeaseExists,
            _ => Rule::AlwaysMatch,
        };
        assert_eq!(rule, decided, "{case}");
        combinations += 1;
    });
    assert_eq!(combinations, 5 * 6 * 6 * 2);
}

#[test]
fn an_instance_that_is_not_ready_keeps_no_override_alive() {
    let looked = || -> Option<InstanceStatus> { panic!("the override map was asked") };
    for own in [Down, Starting, Unknown] {
        assert_eq!(rules::apply(own, looked, Some(Up), false), (own, Rule::DownOrStarting));
    }
}

fn put(server: &mut Server, key: InstanceKey, status: InstanceStatus) {
    let (id, mono) = (server.names.id_of(key), server.now().mono);
    server.registry.overrides.put(id, status, mono);
}

/// A server that has the instance with this status, or does not have it; and this override.
fn prepared(
    existing: Option<InstanceStatus>,
    overridden: Option<InstanceStatus>,
) -> (Server, InstanceKey) {
    let mut server = Server::new(Flavor::Netflix);
    let info = server.instance("A", "a1");
    let key = info.key;
    if let Some(status) = existing {
        server.register(InstanceInfo { status, ..info });
        assert_eq!(server.registry.status_of(key), existing, "nothing stands against it yet");
    }
    if let Some(status) = overridden {
        put(&mut server, key, status);
    }
    (server, key)
}

#[test]
fn registrations_are_stored_as_the_tables_say() {
    for_every_combination(|own, overridden, existing, is_replication| {
        let (mut server, key) = prepared(existing, overridden);
        let info = InstanceInfo { status: own, ..server.instance("A", "a1") };
        server.register_from(info, is_replication);
        let case = format!("{own} over {existing:?}, override {overridden:?}, {is_replication}");
        let status = restated(own, overridden, existing, is_replication);
        assert_eq!(server.registry.status_of(key), Some(status), "{case}");
        let field = server.stored(key).overridden_status;
        assert_eq!(field, overridden.unwrap_or(Unknown), "{case}");
        let lease = server.registry.lease(key).expect("it has one");
        let was_up = existing == Some(Up) || status == Up;
        assert_eq!(lease.service_up_timestamp > 0, was_up, "{case}");
    });
}

#[test]
fn renewals_take_the_override_of_a_ready_instance_and_fail_on_unknown() {
    for stored in InstanceStatus::ALL {
        for overridden in perhaps() {
            for is_replication in [false, true] {
                let (mut server, key) = prepared(Some(stored), overridden);
                let renewed = server.ask(|r, at| r.renew(at, key, is_replication));
                let status = match stored {
                    Up | OutOfService => overridden.unwrap_or(stored),
                    Down | Starting | Unknown => stored,
                };
                let case = format!("{stored}, override {overridden:?}, {is_replication}");
                assert_eq!(renewed, status != Unknown, "{case}");
                let left = if renewed { status } else { stored };
                assert_eq!(server.registry.status_of(key), Some(left), "{case}");
                assert_eq!(server.registry.renews_current_min(), i64::from(renewed), "{case}");
                let lease = server.registry.lease(key).expect("it has one");
                let extended = lease.last_update_timestamp > lease.registration_timestamp;
                assert_eq!(extended, renewed, "{case}");
                assert_eq!(server.registry.recently_changed().len(), 1, "renewals are silent");
            }
        }
    }
}

#[test]
fn a_registration_seeds_an_override_only_if_none_exists() {
    for overridden in perhaps() {
        for carried in InstanceStatus::ALL {
            let (mut server, key) = prepared(None, overridden);
            let info = InstanceInfo { overridden_status: carried, ..server.instance("A", "a1") };
            server.register(info);
            let seeded = overridden.or(Some(carried).filter(|&carried| carried != Unknown));
            let id = server.names.id_of(key);
            let mono = server.now().mono;
            assert_eq!(server.registry.overrides.get(|| id, mono), seeded);
            assert_eq!(server.stored(key).overridden_status, seeded.unwrap_or(Unknown));
            assert_eq!(server.registry.status_of(key), Some(seeded.unwrap_or(Up)));
        }
    }
}

#[test]
fn applications_that_share_an_id_share_the_override() {
    let (mut server, key) = prepared(Some(Up), Some(Down));
    let other = server.register_new("B", "a1");
    assert_eq!(server.registry.status_of(other), Some(Down));
    let unknown = server.instance("C", "a1").key;
    assert!(!server.cancel(unknown), "nothing is registered there");
    assert!(server.renew(key));
    assert_eq!(server.registry.status_of(key), Some(Up), "but the cancel took the override along");
}

#[test]
fn only_a_ready_instance_keeps_its_override_for_more_than_an_hour() {
    let check = |status, left| {
        let (mut server, key) = prepared(Some(status), Some(OutOfService));
        for _ in 0..4 {
            server.freeze(1_200_000);
            assert!(server.renew(key));
        }
        let (id, mono) = (server.names.id_of(key), server.now().mono);
        assert_eq!(server.registry.overrides.contains(id, mono), left, "{status}");
    };
    check(Up, true);
    check(OutOfService, true);
    // The look for the peers is one too, which is why this server must have none.
    let (mut server, key) = prepared(Some(Down), Some(OutOfService));
    server.registry.has_peers = false;
    for _ in 0..3 {
        server.freeze(1_200_000);
        assert!(server.renew(key));
    }
    let (id, mono) = (server.names.id_of(key), server.now().mono);
    assert!(!server.registry.overrides.contains(id, mono));
    assert_eq!(server.registry.overrides.remove(id, mono), None, "an expired one is absent");
}
