//! What a registry remembers: rates, recent operations, changes, and no more objects than it uses.

use super::super::{MeasuredRate, TimerKind};
use super::{EPOCH, Server};
use crate::eureka::{Flavor, InstanceKey, InstanceStatus};

#[test]
fn a_rate_is_that_of_the_last_complete_bucket() {
    let mut rate = MeasuredRate::default();
    rate.increment();
    assert_eq!((rate.count(), rate.current()), (0, 1));
    rate.rotate();
    assert_eq!((rate.count(), rate.current()), (1, 0));
    rate.increment();
    rate.increment();
    assert_eq!((rate.count(), rate.current()), (1, 2));
    rate.rotate();
    assert_eq!(rate.count(), 2);
    rate.rotate();
    assert_eq!(rate.count(), 0);
}

#[test]
fn renewals_before_opening_land_in_the_first_bucket() {
    let mut server = Server::new(Flavor::SpringCloud);
    server.init();
    let key = server.register_new("SVC", "h00");
    server.advance(90_000);
    server.renew_all(&[key; 3]);
    server.open(1);
    server.renew_all(&[key; 2]);
    server.advance(59_999);
    assert_eq!(server.gauges().num_of_renews_in_last_min, 0);
    server.advance(1);
    assert_eq!(server.gauges().num_of_renews_in_last_min, 5);
    server.advance(60_000);
    assert_eq!(server.gauges().num_of_renews_in_last_min, 0);
}

#[test]
fn a_second_opening_does_not_start_the_rate_anew() {
    let mut server = Server::new(Flavor::Netflix);
    server.open(1);
    let key = server.register_new("SVC", "h00");
    server.advance(40_000);
    server.open(1);
    server.renew_all(&[key]);
    server.advance(20_000);
    assert_eq!(server.gauges().num_of_renews_in_last_min, 1);
    assert!(!server.registry.wakes_by(TimerKind::Eviction, server.now().mono));
    server.advance(39_999);
    assert!(server.registry.wakes_by(TimerKind::Eviction, server.now().mono + 1_000_000));
}

#[test]
fn only_successful_replicated_operations_count_as_replications() {
    let mut server = Server::new(Flavor::Netflix);
    server.init();
    let info = server.instance("SVC", "h00");
    let unknown = server.instance("SVC", "h01").key;
    let key = server.register_from(info, true);
    server.renew(key);
    server.ask(|registry, at| {
        assert!(registry.renew(at, key, true));
        assert!(!registry.renew(at, unknown, true));
        assert!(!registry.cancel(at, unknown, true));
    });
    server.advance(60_000);
    assert_eq!(server.gauges().num_of_replications_in_last_min, 2);
}

#[test]
fn the_bucket_rotates_before_the_eviction_task_asks_unless_it_is_told_otherwise() {
    let evicted = |eviction_first: bool| {
        let mut server = Server::new(Flavor::SpringCloud);
        server.registry.set_eviction_before_rotation(eviction_first);
        server.open(1);
        let keys = server.register_many(8);
        server.advance(70_000);
        (0..20).for_each(|n| assert!(server.renew(keys[n % 7])));
        server.advance(50_000);
        server.evicted()
    };
    assert_eq!(evicted(false).len(), 1, "20 renewals at +120 s, more than 15");
    assert_eq!(evicted(true), [], "the bucket of the first minute is empty");
}

/// A thousand and one registrations of one instance, a millisecond apart.
#[test]
fn the_last_thousand_registrations_are_remembered_newest_first() {
    let mut server = Server::new(Flavor::Netflix);
    let first = server.register_new("SVC", "h00");
    let times = |server: &Server| -> Vec<(i64, InstanceKey)> {
        let entries = server.registry.recent_registered().newest_first();
        entries.map(|(wall, key)| (wall - EPOCH, key)).collect()
    };
    assert_eq!(times(&server), [(0, first)]);
    for _ in 1..1000 {
        server.advance(1);
        server.register_new("SVC", "h00");
    }
    assert_eq!(times(&server).len(), 1000, "registering again is remembered too");
    server.advance(1);
    let last = server.register_new("SVC", "h01");
    let all = times(&server);
    assert_eq!((all.len(), all[0], all[999]), (1000, (1000, last), (1, first)));
}

#[test]
fn the_last_thousand_cancellations_are_remembered_failed_ones_included() {
    let mut server = Server::new(Flavor::Netflix);
    let key = server.register_new("SVC", "h00");
    assert!(server.cancel(key));
    for _ in 0..1000 {
        server.advance(1);
        assert!(!server.cancel(key));
    }
    let all: Vec<_> = server.registry.recent_canceled().newest_first().collect();
    assert_eq!(all.len(), 1000);
    assert_eq!((all[0], all[999]), ((EPOCH + 1000, key), (EPOCH + 1, key)));
}

#[test]
fn a_change_leaves_the_queue_at_the_first_tick_after_more_than_three_minutes() {
    let mut server = Server::new(Flavor::Netflix);
    server.register_new("SVC", "h00");
    server.advance(1);
    server.register_new("SVC", "h01");
    let left = |server: &Server| server.registry.recently_changed().len();
    server.advance(180_000 - 1);
    assert_eq!(left(&server), 2, "180 s are not more than 180 s");
    server.advance(29_999);
    assert_eq!(left(&server), 2, "there was no tick");
    server.advance(1);
    assert_eq!(left(&server), 0);
}

#[test]
fn the_queue_is_dropped_from_its_head_only() {
    let mut server = Server::new(Flavor::Netflix);
    server.advance(200_000);
    server.register_new("SVC", "h00");
    server.clock.step(server.at, -100_000_000_000);
    server.register_new("SVC", "h01");
    server.clock.step(server.at, 100_000_000_000);
    // The second item is older than three minutes at +300 s, but stands behind a younger one.
    server.advance(130_000);
    assert_eq!(server.registry.recently_changed().len(), 2);
    server.advance(60_000);
    assert_eq!(server.registry.recently_changed().len(), 0);
}

#[test]
fn objects_live_as_long_as_something_refers_to_them() {
    let mut server = Server::new(Flavor::Netflix);
    server.registry.has_peers = false;
    let live = |server: &Server| server.registry.objects().live();
    let key = server.register_new("SVC", "h00");
    assert_eq!(live(&server), (1, 1));
    server.register_new("SVC", "h00");
    assert_eq!(live(&server), (2, 2), "the delta queue still lists the first");
    let mut older = server.instance("SVC", "h00");
    older.last_dirty_timestamp -= 1;
    server.register(older);
    assert_eq!(live(&server), (2, 3), "a new lease of the stored instance");
    server.advance(210_000);
    assert_eq!(live(&server), (1, 1));
    let absent = super::super::resources::DirtyParameter::Absent;
    let down = InstanceStatus::Down;
    let set = server.ask(|registry, at| registry.status_update(at, key, down, absent, false));
    assert_eq!((set, live(&server)), (Ok(true), (1, 1)));
    assert!(server.cancel(key));
    assert_eq!(live(&server), (1, 1));
    server.advance(210_000);
    assert_eq!(live(&server), (0, 0));
}

/// Leases lie beside their holders as a rule, and beside others where an instance has two of them; what
/// is free is found again, and listed once.
#[test]
fn room_that_became_free_is_used_again() {
    let mut server = Server::new(Flavor::Netflix);
    server.registry.has_peers = false;
    let mut rooms = Vec::new();
    for _ in 0..100 {
        let key = server.register_new("SVC", "h00");
        let mut older = server.instance("SVC", "h00");
        older.last_dirty_timestamp -= 1;
        server.register(older);
        server.register_new("SVC", "h00");
        assert!(server.cancel(key));
        server.advance(210_000);
        assert_eq!(server.registry.objects().live(), (0, 0));
        rooms.push(server.registry.objects().room());
    }
    assert!(rooms.iter().all(|room| *room == rooms[1]), "{rooms:?}");
}
