//! Leases, and the gauges around them while a server starts.

use std::fmt::Write;

use super::super::{Lease, TimerKind};
use super::{Server, vector};
use crate::eureka::{Flavor, InstanceInfo, InstanceStatus, LeaseInfo};

const TABLE: &str = "lease-threshold-checks.txt";
/// Wall clock (ms) of that recording: 10 s before a multiple of 30 s.
const RECORDED_AT: i64 = 1_700_000_000_000;

fn netflix() -> Server {
    Server::started(RECORDED_AT, Flavor::Netflix, "2.0.6", |_| {})
}

/// The table's way to show gauges.
fn gauges(server: &Server) -> String {
    let gauges = server.gauges();
    format!(
        "exp={} thr={} last={} size={} leaseExp={} below={} access={}",
        gauges.expected_number_of_clients_sending_renews,
        gauges.num_of_renews_per_min_threshold,
        gauges.num_of_renews_in_last_min,
        gauges.local_registry_size,
        gauges.is_lease_expiration_enabled,
        u8::from(gauges.is_below_renew_threshold),
        server.registry.should_allow_access(server.now()),
    )
}

/// Timers in the order of their making, when they are due first and how often after that.
fn timers(server: &Server) -> String {
    const NAMES: [(&str, TimerKind); 6] = [
        ("Eureka-DeltaRetentionTimer", TimerKind::DeltaRetention),
        ("Eureka-MeasureRateTimer", TimerKind::ReplicationRate),
        ("Eureka-CacheFillTimer", TimerKind::CacheFill),
        ("ReplicaAwareInstanceRegistry - RenewalThresholdUpdater", TimerKind::ThresholdUpdate),
        ("Eureka-MeasureRateTimer", TimerKind::RenewalRate),
        ("Eureka-EvictionTimer", TimerKind::Eviction),
    ];
    let mut made = String::new();
    for (name, kind) in NAMES {
        let mut probe = Server {
            names: server.names.clone(),
            registry: server.registry.clone(),
            clock: server.clock,
            at: server.at,
        };
        let mut due = |after: u64| {
            (after + 10_000..=after + 900_000).step_by(10_000).find(|&ms| {
                probe.advance(ms - (probe.at.since(server.at)).millis() - 1);
                let before = probe.registry.wakes_by(kind, probe.now().mono);
                let due = probe.registry.wakes_by(kind, probe.now().mono + 1_000_000);
                probe.advance(1);
                due && !before
            })
        };
        if let Some(next) = due(0) {
            let again = due(next).expect("it repeats");
            writeln!(made, "{name} next=+{next} period={}", again - next).unwrap();
        }
    }
    made + "\n"
}

/// The recording from beginning to end, made again.
#[test]
fn leases_thresholds_and_timers_of_a_starting_server_are_the_recorded_ones() {
    let mut made = String::new();
    let mut tell = |text: String| writeln!(made, "{text}").unwrap();

    let mut server = netflix();
    server.init();
    tell(format!("timers after init:\n{}", timers(&server).trim_end()));
    tell(format!("\nbefore openForTraffic {}", gauges(&server)));
    server.open(0);
    tell(format!("timers after open:\n{}", timers(&server).trim_end()));
    // The status of the server's own instance is set by whoever opens the registry.
    tell(format!("\nafter open(0) {} self=UP", gauges(&server)));
    server.register_new("A", "a1");
    tell(format!("reg with exp=0: {}", gauges(&server)));

    let mut server = netflix();
    server.open(1);
    tell(format!("open(1) {}", gauges(&server)));
    let key = server.register_new("A", "a1");
    tell(format!("reg {}", gauges(&server)));
    let expired = |server: &Server, after: i64, additional: i64| {
        server.registry.lease(key).expect("it has one").is_expired(RECORDED_AT + after, additional)
    };
    for after in [89_999, 90_000, 90_001] {
        tell(format!(" no renew +{after} expired={}", expired(&server, after, 0)));
    }
    assert!(server.renew(key));
    for after in [179_999, 180_000, 180_001] {
        let (plain, compensated) = (expired(&server, after, 0), expired(&server, after, 1));
        tell(format!(" renewed +{after} expired={plain} comp1 {compensated}"));
    }
    server.advance(1000);
    server.register_new("A", "a1");
    for after in [91_000, 91_001] {
        let expired = expired(&server, after, 0);
        tell(format!(" re-registered at +1000; +{after} expired={expired}"));
    }
    tell(format!("after rereg {}", gauges(&server)));
    server.cancel(key);
    tell(format!("after cancel {}", gauges(&server)));
    let again = server.cancel(key);
    tell(format!("cancel again {again} {}", gauges(&server)));
    let info = server.instance("A", "a2");
    let mut lease = Lease::new(server.registry.objects_mut().add_info(info), TOO_LONG, 0);
    lease.renew(0);
    tell(format!("overflow duration lease: lastRenewal-now={}", lease.last_update_timestamp));
    let registered = server.registry.recent_registered().newest_first().count();
    let cancelled = server.registry.recent_canceled().newest_first().count();
    tell(format!("recentReg {registered} recentCancel {cancelled}"));

    assert_eq!(made, vector(TABLE));
}

/// A duration whose milliseconds do not fit into an `int`.
const TOO_LONG: i32 = 3_000_000;

#[test]
fn a_registration_asks_for_its_own_duration() {
    let mut server = netflix();
    let duration_of = |server: &mut Server, lease_info: Option<LeaseInfo>| {
        let info = InstanceInfo { lease_info, ..server.instance("A", "a1") };
        let key = server.register(info);
        server.registry.lease(key).expect("it has one").duration
    };
    assert_eq!(duration_of(&mut server, Some(LeaseInfo::new(5, 12))), 12_000);
    assert_eq!(duration_of(&mut server, None), 90_000);
    assert_eq!(duration_of(&mut server, Some(LeaseInfo::new(0, -1))), 90_000);
    let unchecked = LeaseInfo { duration_in_secs: 0, ..LeaseInfo::default() };
    assert_eq!(duration_of(&mut server, Some(unchecked)), 90_000);
    let too_long = LeaseInfo::new(30, TOO_LONG);
    assert_eq!(duration_of(&mut server, Some(too_long)), -1_294_967_296);
}

#[test]
fn a_lease_that_overflowed_is_renewed_and_expired_at_once() {
    let mut server = Server::started(RECORDED_AT, Flavor::Netflix, "2.0.6", |config| {
        config.enable_self_preservation = false;
    });
    let lease_info = Some(LeaseInfo::new(30, TOO_LONG));
    let info = InstanceInfo { lease_info, ..server.instance("A", "a1") };
    let key = server.register(info);
    server.registry.handed().clear();
    assert!(server.renew(key));
    assert_eq!(server.registry.renews_current_min(), 1);
    // It is not visible, so what goes to the peers has no instance: nothing will be sent.
    assert_eq!(server.registry.handed_list()[0].info(), None);
}

#[test]
fn the_first_cancellation_and_the_first_service_up_win() {
    let mut server = netflix();
    let info = server.instance("A", "a1");
    let mut lease = Lease::new(server.registry.objects_mut().add_info(info), 90, 5);
    lease.service_up(7);
    lease.service_up(8);
    lease.cancel(9);
    lease.cancel(10);
    assert_eq!((lease.service_up_timestamp, lease.eviction_timestamp), (7, 9));
    assert!(lease.is_expired(9, i64::from(i32::MAX)), "whatever time it had left");
}

#[test]
fn a_new_lease_inherits_when_the_instance_was_first_up() {
    let mut server = netflix();
    let down = InstanceInfo { status: InstanceStatus::Starting, ..server.instance("A", "a1") };
    let key = server.register(down);
    let up_since = |server: &Server| {
        server.registry.lease(key).expect("it has one").service_up_timestamp - RECORDED_AT
    };
    assert_eq!(up_since(&server), -RECORDED_AT, "never");
    server.advance(1000);
    server.register_new("A", "a1");
    server.advance(1000);
    server.register_new("A", "a1");
    assert_eq!(up_since(&server), 1000);
}

#[test]
fn a_status_operation_renews_the_lease_without_counting() {
    use super::super::resources::DirtyParameter;
    let mut server = netflix();
    server.open(1);
    let key = server.register_new("A", "a1");
    let renewed_at = |server: &Server| {
        server.registry.lease(key).expect("it has one").last_update_timestamp - RECORDED_AT - 90_000
    };
    let (up, absent) = (InstanceStatus::Up, DirtyParameter::Absent);
    server.advance(1000);
    let answer = server.ask(|registry, at| registry.status_update(at, key, up, absent, false));
    assert_eq!((answer, renewed_at(&server)), (Ok(true), 1000));
    server.advance(1000);
    let answer =
        server.ask(|registry, at| registry.delete_status_override(at, key, up, absent, false));
    assert_eq!((answer, renewed_at(&server)), (Ok(true), 2000));
    assert_eq!(server.registry.renews_current_min(), 0);
}

#[test]
fn exported_renewal_times_lie_one_duration_ahead() {
    let mut server = netflix();
    let key = server.register_new("A", "a1");
    let exported = |server: &mut Server| {
        let info = server.ask(|registry, at| registry.instance_by_app_and_id(at, key));
        let info = &server.registry.objects()[info.expect("it is visible")];
        info.lease_info.expect("rendering fills it in").last_renewal_timestamp - RECORDED_AT
    };
    assert_eq!(exported(&mut server), 0);
    server.advance(30_000);
    server.renew(key);
    assert_eq!(exported(&mut server), 120_000);
}
