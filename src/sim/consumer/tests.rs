//! Whom a consumer calls next: turns, lists that are kept, instances that are left out.

use std::sync::Arc;

use super::Consumer;
use crate::eureka::server::Application;
use crate::eureka::{InstanceInfo, InstanceKey, InstanceStatus, Names};
use crate::sim::HostId;
use crate::time::{Instant, Span};

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Span::from_secs(seconds)
}

/// An application of instances 0, 1, 2, … with these statuses.
fn list(statuses: &[InstanceStatus]) -> Arc<Application> {
    let mut names = Names::default();
    let app = names.app("ORDERS");
    let mut instance = |(number, status): (usize, &InstanceStatus)| {
        Arc::new(InstanceInfo {
            key: names.instance(app, &number.to_string()),
            status: *status,
            overridden_status: InstanceStatus::Unknown,
            action_type: None,
            last_dirty_timestamp: 0,
            last_updated_timestamp: 0,
            lease_info: None,
            vip_address: None,
            secure_vip_address: None,
            metadata: Arc::default(),
        })
    };
    let instances = statuses.iter().enumerate().map(&mut instance).collect();
    Arc::new(Application::new(app, instances))
}

fn up(count: usize) -> Arc<Application> {
    list(&vec![InstanceStatus::Up; count])
}

/// A consumer whose balancer stands at this position.
fn consumer(position: u32) -> Consumer {
    let mut consumer = Consumer::new(HostId::new(0), 0, 0);
    consumer.begin(1, Instant::ZERO, position);
    consumer
}

/// The next so many instances of a list, by number.
fn turns(
    consumer: &mut Consumer,
    list: &Arc<Application>,
    count: usize,
    now: Instant,
) -> Vec<usize> {
    let next = |_| consumer.pick(list, true, None, now).map(InstanceKey::index);
    (0..count).filter_map(next).collect()
}

#[test]
fn the_position_goes_on_before_it_is_used() {
    assert_eq!(turns(&mut consumer(0), &up(3), 5, at(0)), [1, 2, 0, 1, 2]);
    assert_eq!(turns(&mut consumer(998), &up(3), 2, at(0)), [0, 1]);
}

/// `AtomicInteger.incrementAndGet() & Integer.MAX_VALUE`
#[test]
fn the_position_runs_over_as_javas_does() {
    let mut consumer = consumer(i32::MAX.unsigned_abs() - 1);
    assert_eq!(turns(&mut consumer, &up(10), 3, at(0)), [7, 0, 1]);
}

#[test]
fn a_single_instance_does_not_move_the_position() {
    let mut consumer = consumer(0);
    assert_eq!(turns(&mut consumer, &up(1), 5, at(0)), [0; 5]);
    assert_eq!(turns(&mut consumer, &up(3), 1, at(0)), [1]);
}

#[test]
fn only_those_that_are_up_have_a_turn_unless_callers_do_not_filter() {
    use InstanceStatus::{Down, Starting, Up};
    let some = list(&[Up, Down, Up, Starting]);
    assert_eq!(turns(&mut consumer(0), &some, 3, at(0)), [2, 0, 2]);
    let unfiltered = consumer(0).pick(&some, false, None, at(0));
    assert_eq!(unfiltered.map(InstanceKey::index), Some(1));
    assert_eq!(consumer(0).pick(&list(&[Down]), true, None, at(0)), None);
}

#[test]
fn who_has_just_failed_is_passed_over_if_there_is_another() {
    let key = |number: usize| Some(InstanceKey::from_index(number));
    assert_eq!(consumer(0).pick(&up(3), true, key(1), at(0)), key(2));
    assert_eq!(consumer(0).pick(&up(3), true, key(2), at(0)), key(1));
    assert_eq!(consumer(0).pick(&up(1), true, key(0), at(0)), key(0));
}

#[test]
fn a_list_is_kept_from_its_writing_on_and_an_empty_one_is_not() {
    let mut consumer = consumer(0);
    let ttl = Span::from_secs(35);
    assert!(consumer.keep(Some(&up(2)), true, (at(10), ttl)).is_none());
    assert!(consumer.cached(at(44)).is_some());
    assert!(consumer.cached(at(45)).is_none(), "at its end it is old");
    let old = consumer.keep(Some(&list(&[InstanceStatus::Down])), true, (at(45), ttl));
    assert_eq!(old.map(|old| old.instances.len()), Some(2));
    assert!(consumer.cached(at(45)).is_none(), "nobody UP is nobody");
    assert!(consumer.keep(Some(&up(1)), true, (at(46), ttl)).is_none());
    consumer.begin(2, at(50), 0);
    assert!(consumer.cached(at(50)).is_none(), "a new process has kept nothing");
}

#[test]
fn three_failures_in_a_row_open_the_circuit_for_longer_and_longer() {
    let mut consumer = consumer(0);
    let (bad, all) = (InstanceKey::from_index(0), up(2));
    let open = |consumer: &mut Consumer, now: u64| !turns(consumer, &all, 2, at(now)).contains(&0);
    consumer.failed(bad, at(0));
    consumer.failed(bad, at(1));
    assert!(!open(&mut consumer, 1));
    // 10 s, 20 s, and then 30 s, from the last failure on.
    for (failure, end) in [(2, 12), (20, 40), (50, 80), (100, 130), (200, 230)] {
        consumer.failed(bad, at(failure));
        assert!(open(&mut consumer, end - 1), "{failure}");
        assert!(!open(&mut consumer, end), "{failure}");
    }
    consumer.answered(bad);
    consumer.failed(bad, at(300));
    assert!(!open(&mut consumer, 300), "an answer begins the row anew");
}

#[test]
fn with_every_circuit_open_all_have_their_turns() {
    let mut consumer = consumer(0);
    for number in [0, 0, 0, 1, 1, 1] {
        consumer.failed(InstanceKey::from_index(number), at(0));
    }
    assert_eq!(turns(&mut consumer, &up(2), 4, at(5)), [1, 0, 1, 0]);
    assert_eq!(turns(&mut consumer, &up(3), 2, at(5)), [2, 2]);
}

/// Leaving out is the same as if they were not in the list, wherever they stand, UP or not.
#[test]
fn those_that_are_left_out_have_no_turn_and_the_others_all() {
    use InstanceStatus::{Down, Up};
    for statuses in [[Up; 6], [Up, Down, Up, Up, Down, Up]] {
        let (some, now) = (list(&statuses), at(1));
        for mask in 0..64_usize {
            let is_out = |number: usize| mask >> number & 1 == 1;
            let mut consumer = consumer(0);
            for number in (0..6).rev().filter(|number| is_out(*number)) {
                for _ in 0..3 {
                    consumer.failed(InstanceKey::from_index(number), at(0));
                }
            }
            let offered: Vec<usize> = (0..6).filter(|number| statuses[*number] == Up).collect();
            let mut closed: Vec<usize> = offered.iter().copied().filter(|n| !is_out(*n)).collect();
            if closed.is_empty() {
                closed.clone_from(&offered);
            }
            let mut expected = closed.clone();
            expected.rotate_left(usize::from(closed.len() > 1));
            assert_eq!(turns(&mut consumer, &some, closed.len(), now), expected, "{mask:b}");
            // Another list is another order of places.
            assert_eq!(turns(&mut consumer, &up(4), 1, now).len(), 1);
        }
    }
}

#[test]
fn failures_are_forgotten_after_half_an_hour() {
    let mut consumer = consumer(0);
    let bad = InstanceKey::from_index(0);
    consumer.failed(bad, at(0));
    consumer.failed(bad, at(0));
    consumer.failed(bad, at(1800));
    assert_eq!(turns(&mut consumer, &up(2), 2, at(1800)), [1, 0]);
}
