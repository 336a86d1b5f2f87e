//! What changed at which release (`spec/releases.md`): the release before and the one that changed.

use std::collections::BTreeMap;

use super::super::resources::{
    self, BatchAction, BatchItem, DirtyParameter, Lacks, Registration, StatusParameter,
};
use super::super::{Handed, Registry};
use super::Server;
use crate::eureka::BehaviourClass::{self, C1a, C1b, C2, C3, C4, C5, C6, C7, C8, C9, C10};
use crate::eureka::{Flavor, InstanceInfo, InstanceKey, InstanceStatus, Release, ReleaseError};

fn class(release: &str) -> BehaviourClass {
    release.parse::<Release>().expect("it is a release").class()
}

#[test]
fn every_executed_release_is_in_its_class() {
    let executed: [(BehaviourClass, &[&str]); 11] = [
        (C1a, &["1.3.4", "1.3.8", "1.4.2"]),
        (C1b, &["1.4.4", "1.4.6"]),
        (C2, &["1.4.8"]),
        (C3, &["1.4.9", "1.4.10"]),
        (C4, &["1.4.11", "1.4.12", "1.6.0", "1.6.2"]),
        (C5, &["1.7.0"]),
        (C6, &["1.7.1", "1.7.2", "1.8.1", "1.8.8", "1.9.2"]),
        (C7, &["1.9.3"]),
        (C8, &["1.9.6", "1.9.7"]),
        (C9, &["1.9.8", "1.9.12", "1.9.13"]),
        (C10, &["1.9.17", "1.9.18", "1.10.18", "2.0.0", "2.0.3", "2.0.6"]),
    ];
    for (expected, releases) in executed {
        for release in releases {
            assert_eq!(class(release), expected, "{release}");
        }
    }
}

#[test]
fn a_release_that_was_not_executed_behaves_like_the_newest_one_before_it() {
    for (release, expected) in [
        ("1.4.3", C1a),
        ("1.4.7", C1b),
        ("1.5.0", C4),
        ("1.9.5", C7),
        ("1.9.16", C9),
        ("3.1.4", C10),
    ] {
        assert_eq!(class(release), expected, "{release}");
    }
    assert_eq!("1.3.3".parse::<Release>(), Err(ReleaseError::TooOld));
    for text in ["", "2", "2.0", "2.0.6.1", "2.0.x", "2..6", "v2.0.6", "2.0.+6", "2.0.70000"] {
        assert_eq!(text.parse::<Release>(), Err(ReleaseError::Malformed), "{text}");
    }
    assert_eq!("1.10.18".parse::<Release>().expect("it is one").to_string(), "1.10.18");
    assert_eq!(Release::default().to_string(), "2.0.6");
}

/// An answer by the release before a change and by the one that brought it.
fn check<T: PartialEq + std::fmt::Debug>(
    before: &str,
    after: &str,
    answer: impl Fn(&mut Server) -> T,
    expected: (T, T),
) {
    let at = |release| answer(&mut Server::of_release(release));
    assert_eq!((at(before), at(after)), expected, "{before} and {after}");
}

#[test]
fn since_1_4_4_start_up_sync_does_not_wait_after_its_last_look() {
    let waits = |server: &mut Server| [1, 2, 3].map(|n| server.registry.sync_up_waits_after(n, 3));
    check("1.4.2", "1.4.4", waits, ([true, true, true], [true, true, false]));
}

/// The answer to a registration that lacks something, and how many are registered then.
fn incomplete(server: &mut Server, lacks: Lacks) -> (u16, i64) {
    let info = server.instance("SVC", "h00");
    let path = server.names.app("SVC");
    let registration = Registration { info, path, lacks };
    let code = server.ask(|registry, at| resources::register(registry, at, registration, false));
    (code, server.gauges().local_registry_size)
}

#[test]
fn since_1_4_8_a_registration_needs_a_data_centre() {
    let lacks = Lacks { data_center: true, ..Lacks::default() };
    check("1.4.6", "1.4.8", |server| incomplete(server, lacks), ((204, 1), (400, 0)));
}

#[test]
fn since_1_7_1_a_registration_needs_an_ip_address() {
    let lacks = Lacks { ip_address: true, ..Lacks::default() };
    check("1.7.0", "1.7.1", |server| incomplete(server, lacks), ((204, 1), (400, 0)));
}

#[test]
fn every_release_refuses_a_registration_without_id_host_or_application() {
    for release in ["1.3.4", "2.0.6"] {
        for lacks in [
            Lacks { id: true, ..Lacks::default() },
            Lacks { host_name: true, ..Lacks::default() },
            Lacks { app_name: true, ..Lacks::default() },
        ] {
            assert_eq!(incomplete(&mut Server::of_release(release), lacks), (400, 0), "{lacks:?}");
        }
        assert_eq!(incomplete(&mut Server::of_release(release), Lacks::default()), (204, 1));
        let mut server = Server::of_release(release);
        let info = server.instance("SVC", "h00");
        let registration = Registration::complete(info, server.names.app("OTHER"));
        let code =
            server.ask(|registry, at| resources::register(registry, at, registration, false));
        assert_eq!(code, 400, "it is at the path of another application");
    }
}

/// An opened server with twenty instances, without self-preservation.
fn twenty(server: &mut Server) -> Vec<InstanceKey> {
    server.registry.config_mut().enable_self_preservation = false;
    server.init();
    let keys = server.register_many(20);
    server.open(20);
    server.registry.handed().clear();
    keys
}

#[test]
fn since_1_4_9_a_late_eviction_run_is_compensated() {
    let evicted = |server: &mut Server| {
        let keys = twenty(server);
        server.advance(30_000);
        server.renew_all(&keys);
        server.advance(35_000);
        server.freeze(200_000);
        server.thaw();
        server.evicted().len()
    };
    check("1.4.8", "1.4.9", evicted, (3, 0));
}

/// Expects one client or two renewals less for each of three victims, or not; and tells the peers.
fn evicts(server: &mut Server) -> (i32, usize) {
    twenty(server);
    let expected = server.gauges().expected_number_of_clients_sending_renews;
    server.freeze(90_001);
    server.ask(|registry, at| registry.evict(at, 0));
    assert_eq!(server.evicted().len(), 3);
    let gauges = server.gauges();
    let after = gauges.expected_number_of_clients_sending_renews;
    (after - expected, server.registry.handed_list().len())
}

#[test]
fn evictions_were_replicated_cancels_until_1_4_8_and_lower_the_expectation_again_since_1_9_17() {
    check("1.4.8", "1.4.9", evicts, ((-6, 3), (0, 0)));
    check("1.9.3", "1.9.6", evicts, ((0, 0), (0, 0)));
    check("1.9.13", "1.9.17", evicts, ((0, 0), (-3, 0)));
    let threshold = |server: &mut Server| {
        evicts(server);
        server.registry.threshold()
    };
    check("1.4.8", "1.4.9", threshold, (28, 34));
    check("1.9.13", "1.9.17", threshold, (34, 28));
}

#[test]
fn an_eviction_until_1_4_8_hands_out_the_victims_in_order() {
    let mut server = Server::of_release("1.4.8");
    twenty(&mut server);
    server.freeze(90_001);
    server.ask(|registry, at| registry.evict(at, 0));
    let handed: Vec<Handed> = server.registry.handed_list().to_vec();
    let victims: Vec<Handed> =
        server.evicted().into_iter().map(|key| Handed::Cancel { key }).collect();
    assert_eq!(handed, victims);
}

#[test]
fn a_cancel_lowers_the_expectation_in_every_release() {
    let by_cancels = |server: &mut Server| {
        let keys = twenty(server);
        let expected = |server: &Server| server.gauges().expected_number_of_clients_sending_renews;
        let before = expected(server);
        assert!(server.cancel(keys[0]));
        let own = expected(server) - before;
        assert!(server.ask(|registry, at| registry.cancel(at, keys[1], true)));
        (own, expected(server) - before - own, server.registry.handed_list().len())
    };
    check("1.3.4", "1.4.9", by_cancels, ((-2, -2, 1), (-2, -2, 1)));
    check("1.9.3", "1.9.6", by_cancels, ((-2, -2, 1), (-1, -1, 1)));
    check("1.9.13", "1.9.17", by_cancels, ((-1, -1, 1), (-1, -1, 1)));
}

#[test]
fn since_1_4_11_an_older_registration_does_not_replace_the_stored_instance() {
    use InstanceStatus::{Down, Up};
    let registered = |server: &mut Server| {
        let key = server.register_new("SVC", "h00");
        server.registry.handed().clear();
        let mut older = InstanceInfo { status: Down, ..server.instance("SVC", "h00") };
        older.last_dirty_timestamp = 5;
        server.register(older);
        let Handed::Register { info } = server.registry.handed_list()[0] else {
            panic!("a registration is handed on");
        };
        let told = |info: &InstanceInfo| (info.status, info.last_dirty_timestamp);
        (told(server.stored(key)), told(&server.registry.objects()[info]))
    };
    let now = super::EPOCH;
    // What goes to the peers is what came in, stored or not.
    let (before, after) = (((Down, now), (Down, now)), ((Up, now), (Down, 5)));
    check("1.4.10", "1.4.11", registered, (before, after));
}

#[test]
fn a_registration_as_old_as_the_stored_one_wins_in_every_release() {
    let stored = |server: &mut Server| {
        let key = server.register_new("SVC", "h00");
        let info = server.instance("SVC", "h00");
        server.register(InstanceInfo { status: InstanceStatus::Down, ..info });
        server.stored(key).status
    };
    check("1.4.10", "1.4.11", stored, (InstanceStatus::Down, InstanceStatus::Down));
}

#[test]
fn since_1_7_0_a_conflict_in_a_batch_carries_the_instance() {
    let conflict = |server: &mut Server| {
        let key = server.register_new("SVC", "h00");
        let (dirty, absent) = (DirtyParameter::Value(5), StatusParameter::Absent);
        let action = BatchAction::Heartbeat;
        let item = BatchItem { key, action, dirty, status: absent, overridden: absent };
        let mut answers = Vec::new();
        server.ask(|r, at| resources::batch_replication(r, at, [item], &mut answers));
        let single = server.ask(|r, at| resources::renew(r, at, key, dirty, absent, true));
        let told = |answer: resources::Answer| (answer.code, answer.instance.is_some());
        (told(answers[0]), told(single))
    };
    let alone = (409, true);
    check("1.6.2", "1.7.0", conflict, (((409, false), alone), ((409, true), alone)));
}

/// The dirty timestamp after a status operation at +60 s, relative to then.
fn dirty_after(
    server: &mut Server,
    operation: impl FnOnce(&mut Registry, super::At<'_>, InstanceKey),
) -> i64 {
    let key = server.register_new("SVC", "h00");
    server.freeze(60_000);
    server.ask(|registry, at| operation(registry, at, key));
    server.stored(key).last_dirty_timestamp - server.now().wall
}

#[test]
fn since_1_7_1_setting_a_status_leaves_the_dirty_timestamp_to_the_caller() {
    let set = |status, dirty: i64| {
        move |server: &mut Server| {
            let parameter = match dirty {
                i64::MIN => DirtyParameter::Absent,
                dirty => DirtyParameter::Value(server.now().wall + 60_000 + dirty),
            };
            dirty_after(server, |registry, at, key| {
                let set = registry.status_update(at, key, status, parameter, false);
                assert_eq!(set, Ok(true));
            })
        }
    };
    let (up, down) = (InstanceStatus::Up, InstanceStatus::Down);
    check("1.7.0", "1.7.1", set(down, i64::MIN), (0, -60_000));
    check("1.7.0", "1.7.1", set(down, -60_001), (0, -60_000));
    check("1.7.0", "1.7.1", set(down, -10_000), (-10_000, -10_000));
    check("1.7.0", "1.7.1", set(down, 10_000), (10_000, 10_000));
    check("1.7.0", "1.7.1", set(up, 10_000), (-60_000, -60_000));
}

#[test]
fn since_1_7_1_deleting_an_override_leaves_the_dirty_timestamp_to_the_caller() {
    let delete = |status, dirty: i64| {
        move |server: &mut Server| {
            let parameter = DirtyParameter::Value(server.now().wall + 60_000 + dirty);
            dirty_after(server, |registry, at, key| {
                let mono = at.now.mono;
                registry.overrides.put(at.names.id_of(key), InstanceStatus::Up, mono);
                let deleted = registry.delete_status_override(at, key, status, parameter, false);
                assert_eq!(deleted, Ok(true));
            })
        }
    };
    let (up, down) = (InstanceStatus::Up, InstanceStatus::Down);
    check("1.7.0", "1.7.1", delete(down, -90_000), (0, -60_000));
    check("1.7.0", "1.7.1", delete(down, -10_000), (0, -10_000));
    check("1.7.0", "1.7.1", delete(down, 10_000), (10_000, 10_000));
    check("1.7.0", "1.7.1", delete(up, -90_000), (-60_000, -60_000));
}

#[test]
fn since_1_7_1_a_renewal_that_changes_the_status_leaves_the_dirty_timestamp_alone() {
    let renew = |overridden| {
        move |server: &mut Server| {
            dirty_after(server, |registry, at, key| {
                registry.overrides.put(at.names.id_of(key), overridden, at.now.mono);
                assert!(registry.renew(at, key, false));
            })
        }
    };
    check("1.7.0", "1.7.1", renew(InstanceStatus::Down), (0, -60_000));
    check("1.7.0", "1.7.1", renew(InstanceStatus::Up), (-60_000, -60_000));
}

#[test]
fn since_1_9_3_the_updater_takes_the_percentage_of_the_expectation_once() {
    let updated = |view| {
        move |server: &mut Server| {
            server.init();
            server.open(100);
            assert_eq!(server.gauges().num_of_renews_per_min_threshold, 170);
            server.registry.set_view_size(view);
            server.advance(900_000);
            server.gauges().expected_number_of_clients_sending_renews
        }
    };
    // 85 % of 170 are 144.5, 85 % of 200 are 170.
    check("1.9.2", "1.9.3", updated(72), (200, 200));
    check("1.9.2", "1.9.3", updated(73), (146, 200));
    check("1.9.2", "1.9.3", updated(85), (170, 200));
    check("1.9.2", "1.9.3", updated(86), (172, 172));
    check("1.9.3", "1.9.6", updated(86), (172, 86));
}

#[test]
fn since_1_9_6_clients_are_expected_and_not_renews() {
    let expected = |server: &mut Server| {
        server.registry.config_mut().expected_client_renewal_interval_seconds = 10;
        server.open(10);
        let opened = server.gauges();
        server.register_new("SVC", "h00");
        let registered = server.gauges();
        [opened, registered].map(|gauges| {
            let clients = gauges.expected_number_of_clients_sending_renews;
            (clients, gauges.num_of_renews_per_min_threshold)
        })
    };
    check("1.9.3", "1.9.6", expected, ([(20, 17), (22, 18)], [(10, 51), (11, 56)]));
    let in_spring = |release: &str| {
        let mut server = Server::started(super::EPOCH, Flavor::SpringCloud, release, |_| {});
        let before = server.gauges().expected_number_of_clients_sending_renews;
        server.register_new("SVC", "h00");
        (before, server.gauges().expected_number_of_clients_sending_renews)
    };
    assert_eq!((in_spring("1.9.3"), in_spring("1.9.6")), ((1, 3), (1, 2)));
}

#[test]
fn since_1_9_8_metadata_of_an_instance_that_is_not_visible_is_not_found() {
    let unknown = |server: &mut Server| {
        let key = server.instance("SVC", "h00").key;
        server.ask(|r, at| resources::update_metadata(r, at, key, &BTreeMap::new()))
    };
    let expired = |server: &mut Server| {
        let keys = twenty(server);
        server.freeze(90_001);
        server.ask(|r, at| resources::update_metadata(r, at, keys[0], &BTreeMap::new()))
    };
    let living = |server: &mut Server| {
        let keys = twenty(server);
        server.ask(|r, at| resources::update_metadata(r, at, keys[0], &BTreeMap::new()))
    };
    check("1.9.7", "1.9.8", unknown, (500, 404));
    check("1.9.7", "1.9.8", expired, (500, 404));
    check("1.9.7", "1.9.8", living, (200, 200));
}
