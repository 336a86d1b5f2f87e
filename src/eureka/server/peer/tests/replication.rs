//! What arrives at a peer and what comes back: `replication-checks.txt`, and what it leaves out.

use super::super::{Dropped, PeerFact, TaskAction};
use super::{Link, Pair, register};
use crate::eureka::server::resources::DirtyParameter;
use crate::eureka::server::tests::vector;
use crate::eureka::server::{Fact, Handed, Registry};
use crate::eureka::{InstanceInfo, InstanceStatus, LeaseInfo};

/// The recording from beginning to end, made again. Every batch goes out in a second.
#[test]
fn two_real_registries_replicate_as_recorded() {
    use InstanceStatus::{Down, OutOfService, Starting, Up};
    let mut pair = Pair::new();
    let i1 = pair.key("i1");
    let up = pair.instance("i1", 2);

    pair.tell("1 register+cancel+register within one batch window");
    let first = pair.instance("i1", 1);
    pair.register(first);
    assert!(pair.at_a(|registry, at| registry.cancel(at, i1, false)));
    pair.register(up.clone());
    pair.advance(1000);
    pair.tell(&pair.both());
    pair.tell("  heartbeat heals");
    pair.renew("i1");
    pair.advance(2000);
    pair.tell(&format!("B={}", pair.stored(false, "i1")));

    pair.tell("2 status OOS then delete override w/ UP inside window");
    pair.set_status("i1", OutOfService);
    let absent = DirtyParameter::Absent;
    let deleted = pair.at_a(|r, at| r.delete_status_override(at, i1, Up, absent, false));
    assert_eq!(deleted, Ok(true));
    pair.advance(1000);
    pair.tell(&pair.both());

    pair.tell("3 stale register on A (A has newer) after B lost it");
    assert!(pair.at_b(|registry, at| registry.cancel(at, i1, true)));
    let stale = InstanceInfo { status: Starting, ..pair.instance("i1", -5000) };
    pair.register(stale);
    pair.advance(1000);
    pair.tell(&pair.both());
    pair.tell("  heartbeat after: peer 404 due to newer dirty");
    pair.renew("i1");
    pair.advance(2000);
    pair.tell(&format!("B={}", pair.stored(false, "i1")));

    pair.tell("4 B newer -> 409 sync");
    let newer = InstanceInfo { status: Down, ..pair.instance("i1", 9000) };
    pair.at_b(|registry, at| register(registry, at, newer, true));
    pair.renew("i1");
    pair.advance(1000);
    pair.tell(&pair.both());

    pair.tell("5 invalid register item: peer returns 200 anyway");
    pair.link = Link::Garbles;
    let info = pair.instance("i2", 0);
    pair.register(info);
    pair.advance(1000);
    pair.tell(&format!("B i2={}", pair.stored(false, "i2")));

    pair.tell("6 peer 500 on batch -> dropped");
    pair.link = Link::Answers500;
    let info = pair.instance("i3", 0);
    pair.register(info);
    pair.advance(1000);
    pair.link = Link::Works;
    pair.advance(3000);
    pair.tell(&format!("B i3={}", pair.stored(false, "i3")));

    pair.tell("7 peer down 1.5s then up: retried");
    pair.link = Link::Refuses;
    let info = pair.instance("i4", 0);
    pair.register(info);
    pair.advance(1500);
    pair.link = Link::Works;
    pair.advance(1000);
    pair.tell(&format!("B i4={}", pair.stored(false, "i4")));
    pair.tell(&format!("B lastMin bucket current={}", pair.b.renews_current_min()));

    assert_eq!(pair.told(), vector("replication-checks.txt"));
}

#[test]
fn what_a_batch_says_is_the_state_when_it_is_sent() {
    let mut pair = Pair::new();
    let info = pair.instance("i1", 2);
    pair.register(info);
    pair.set_status("i1", InstanceStatus::OutOfService);
    pair.set_status("i1", InstanceStatus::Down);
    pair.advance(600);
    assert_eq!(
        pair.told(),
        "   batch Register:i1:DOWN:ov=null:d=2 StatusUpdate:i1:DOWN:ov=null:d=2  [200] [200]\n"
    );
    assert_eq!(pair.both(), "A=DOWN/ov=DOWN/dirty=2 B=DOWN/ov=DOWN/dirty=2");
}

#[test]
fn a_heartbeat_brings_the_override_of_the_moment_it_was_made() {
    let mut pair = Pair::new();
    let info = pair.instance("i1", 2);
    pair.register(info);
    pair.advance(600);
    pair.told();
    let newer = pair.instance("i1", 1);
    pair.at_b(|registry, at| {
        let key = newer.key;
        assert!(registry.cancel(at, key, true));
        register(registry, at, newer, true);
    });
    pair.set_status("i1", InstanceStatus::OutOfService);
    pair.renew("i1");
    let key = pair.key("i1");
    let absent = DirtyParameter::Absent;
    let up = InstanceStatus::Up;
    let deleted = pair.at_a(|r, at| r.delete_status_override(at, key, up, absent, false));
    assert_eq!(deleted, Ok(true));
    pair.advance(600);
    // B's copy is older: it answers 404 and stores the override, which the last item deletes again.
    let batch = "StatusUpdate:i1:UP:ov=null:d=2 Heartbeat:i1:UP:ov=OUT_OF_SERVICE:d=2 \
                 DeleteStatusOverride:i1:UP:ov=null:d=2  [200] [404] [200]\n";
    assert_eq!(pair.told(), format!("   batch {batch}"));
    assert_eq!(pair.stored(false, "i1"), "UP/ov=UNKNOWN/dirty=2");
    assert_eq!(pair.b.fact_list().iter().filter(|fact| is_override(fact)).count(), 2);
    pair.advance(600);
    assert_eq!(pair.told(), "   batch Register:i1:UP:ov=null:d=2  [200]\n");
}

const fn is_override(fact: &Fact) -> bool {
    matches!(fact, Fact::Overridden { .. })
}

#[test]
fn only_a_heartbeat_that_is_not_found_sends_the_registration() {
    let mut pair = Pair::new();
    let info = pair.instance("i1", 2);
    let key = info.key;
    pair.register(info);
    pair.advance(600);
    assert!(pair.at_b(|registry, at| registry.cancel(at, key, true)));
    pair.told();
    pair.set_status("i1", InstanceStatus::Up);
    assert!(pair.at_a(|registry, at| registry.cancel(at, key, false)));
    pair.advance(5000);
    assert_eq!(
        pair.told(),
        "   batch StatusUpdate:i1:UP:ov=null:d=2 Cancel:i1:null:ov=null  [404] [404]\n"
    );
    assert_eq!((pair.a.peers[0].backlog(), pair.a.peers[0].next_run()), (0, None));
    assert_eq!(pair.a.peers[0].facts(), &[], "nothing was dropped, nothing registered");
    let info = pair.instance("i1", 3);
    pair.register(info);
    pair.advance(600);
    assert!(pair.at_b(|registry, at| registry.cancel(at, key, true)));
    pair.renew("i1");
    pair.advance(600);
    assert_eq!(pair.a.peers[0].facts(), &[PeerFact::NotFound { key }]);
}

#[test]
fn tasks_of_a_batch_that_is_refused_for_good_are_dropped_and_overridden_ones_are_not() {
    let mut pair = Pair::new();
    let info = pair.instance("i1", 2);
    let key = info.key;
    pair.link = Link::Answers500;
    pair.register(info);
    pair.renew("i1");
    pair.renew("i1");
    pair.advance(600);
    let dropped = |action| PeerFact::Dropped { key, action, why: Dropped::PermanentError };
    let actions = [TaskAction::Register, TaskAction::Heartbeat];
    assert_eq!(pair.a.peers[0].facts(), &actions.map(dropped));
}

/// A has i1 with dirty 2, B with dirty 9, DOWN and this override; then a heartbeat goes to B.
fn conflicting(mut pair: Pair, overridden: InstanceStatus, cancel_first: bool) -> Pair {
    let info = pair.instance("i1", 2);
    let key = info.key;
    pair.register(info);
    pair.advance(600);
    let newer = InstanceInfo {
        status: InstanceStatus::Down,
        overridden_status: overridden,
        ..pair.instance("i1", 9)
    };
    pair.at_b(|registry, at| register(registry, at, newer, true));
    pair.renew("i1");
    if cancel_first {
        pair.at_a(|registry, at| registry.internal_cancel(at, key, false, false));
    }
    pair.told();
    pair.advance(600);
    pair
}

#[test]
fn a_conflict_is_settled_by_taking_the_newer_copy_and_its_override() {
    let out = InstanceStatus::OutOfService;
    let mut pair = conflicting(Pair::new(), out, false);
    assert_eq!(pair.told(), "   batch Heartbeat:i1:UP:ov=null:d=2  [409+entity]\n");
    assert_eq!(pair.stored(true, "i1"), "DOWN/ov=OUT_OF_SERVICE/dirty=9");
    assert_eq!(pair.a.peers[0].backlog(), 0, "what a peer sent is not sent back");
    assert_eq!(pair.a.registry.renews_current_min(), 1);
}

#[test]
fn a_copy_with_an_override_is_not_taken_for_an_instance_that_is_gone() {
    let pair = conflicting(Pair::new(), InstanceStatus::OutOfService, true);
    assert_eq!(pair.stored(true, "i1"), "null", "storing the override failed");
    let pair = conflicting(Pair::new(), InstanceStatus::Unknown, true);
    assert_eq!(pair.stored(true, "i1"), "DOWN/ov=UNKNOWN/dirty=9", "nothing was to be stored");
}

#[test]
fn without_synchronisation_a_newer_copy_at_the_peer_is_neither_told_nor_taken() {
    let pair = Pair::configured(|config| config.sync_when_timestamp_differs = false);
    let mut pair = conflicting(pair, InstanceStatus::Unknown, false);
    assert_eq!(pair.told(), "   batch Heartbeat:i1:UP:ov=null:d=2  [200]\n");
    assert_eq!(pair.both(), "A=UP/ov=UNKNOWN/dirty=2 B=DOWN/ov=UNKNOWN/dirty=9");
    // A peer that is configured otherwise does answer with its copy.
    let pair = Pair::configured(|config| config.sync_when_timestamp_differs = false);
    let mut pair = Pair { b: Pair::new().b, ..pair };
    pair = conflicting(pair, InstanceStatus::Unknown, false);
    assert_eq!(pair.told(), "   batch Heartbeat:i1:UP:ov=null:d=2  [409+entity]\n");
    assert_eq!(pair.stored(true, "i1"), "UP/ov=UNKNOWN/dirty=2");
}

#[test]
fn a_replicated_operation_goes_no_further() {
    let mut pair = Pair::new();
    let info = pair.instance("i1", 2);
    let key = info.key;
    let absent = DirtyParameter::Absent;
    pair.at_a(|registry, at| {
        register(registry, at, info, true);
        assert!(registry.renew(at, key, true));
        let down = InstanceStatus::Down;
        assert_eq!(registry.status_update(at, key, down, absent, true), Ok(true));
        assert_eq!(registry.delete_status_override(at, key, down, absent, true), Ok(true));
        assert!(registry.cancel(at, key, true));
        assert!(registry.handed_list().is_empty());
    });
    assert_eq!(pair.a.peers[0].next_run(), None);
}

#[test]
fn an_operation_on_an_instance_that_is_not_visible_makes_no_task() {
    let mut pair = Pair::new();
    let key = pair.key("i1");
    let status = InstanceStatus::Up;
    let now = pair.now();
    for handed in [
        Handed::Heartbeat { key, info: None, overridden: None },
        Handed::StatusUpdate { key, info: None, new_status: status },
        Handed::DeleteStatusOverride { key, info: None },
    ] {
        pair.a.peers[0].submit(pair.a.registry.objects_mut(), &handed, now);
        assert_eq!(pair.a.peers[0].backlog(), 0, "{handed:?}");
    }
    pair.a.peers[0].submit(pair.a.registry.objects_mut(), &Handed::Cancel { key }, now);
    assert_eq!(pair.a.peers[0].backlog(), 1, "a cancel needs no instance");
}

/// How many ms a task is tried while the peer refuses everything: the last try that still arrives.
fn life(lease: Option<LeaseInfo>, operation: impl Fn(&mut Pair)) -> u64 {
    let arrives = |after: u64| {
        let mut pair = Pair::new();
        let info = InstanceInfo { lease_info: lease, ..pair.instance("i1", 2) };
        pair.register(info);
        pair.advance(600);
        pair.told();
        pair.link = Link::Refuses;
        operation(&mut pair);
        pair.advance(after);
        pair.link = Link::Works;
        pair.advance(1000);
        assert_eq!(pair.a.peers[0].backlog(), 0);
        let facts = std::mem::take(pair.a.peers[0].facts());
        let expired =
            |fact: &PeerFact| matches!(fact, PeerFact::Dropped { why: Dropped::Expired, .. });
        assert!(facts.iter().all(expired));
        assert_eq!(facts.len(), usize::from(pair.told.is_empty()));
        !pair.told.is_empty()
    };
    let seconds = (1..200).take_while(|&second| arrives(second * 1000)).last();
    seconds.expect("it lives for a second")
}

#[test]
fn heartbeats_and_registrations_are_tried_for_one_renewal_interval_and_the_rest_for_30_s() {
    let renew = |pair: &mut Pair| pair.renew("i1");
    let again = |pair: &mut Pair| {
        let key = pair.key("i1");
        let lease = pair.a.registry.lease(key).expect("it is registered").holder;
        let lease_info = pair.a.registry.objects()[lease].lease_info;
        let info = InstanceInfo { lease_info, ..pair.instance("i1", 3) };
        pair.register(info);
    };
    let cancel = |pair: &mut Pair| {
        let key = pair.key("i1");
        assert!(pair.at_a(|registry, at| registry.cancel(at, key, false)));
    };
    let set = |pair: &mut Pair| pair.set_status("i1", InstanceStatus::Down);
    let every = |seconds| Some(LeaseInfo::new(seconds, 90));
    assert_eq!(life(every(30), renew), 29);
    assert_eq!(life(every(5), renew), 4);
    assert_eq!(life(every(5), again), 4);
    assert_eq!(life(None, again), 89, "90 s for an instance without lease information");
    assert_eq!(life(every(5), cancel), 29);
    assert_eq!(life(every(5), set), 29);
}

#[test]
fn tasks_let_go_of_their_instances() {
    let live = |pair: &Pair| pair.a.registry.objects().live().0;
    let mut pair = Pair::new();
    for link in [Link::Works, Link::Answers500, Link::Refuses] {
        pair.link = link;
        let info = pair.instance("i1", 2);
        let key = info.key;
        pair.register(info);
        pair.renew("i1");
        pair.renew("i1");
        assert!(pair.at_a(|registry, at| registry.cancel(at, key, false)));
        pair.advance(40_000);
        assert_eq!(pair.a.peers[0].backlog(), 0);
    }
    assert_eq!(live(&pair), 3, "the delta queue still lists them");
    pair.advance(210_000);
    pair.at_a(Registry::run_timers);
    assert_eq!(live(&pair), 0);
}
