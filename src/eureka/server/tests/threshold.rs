//! Self-preservation: expected clients, the threshold, the dashboard's warning, and who may read.

use super::super::CacheKey;
use super::super::resources;
use super::{Server, ServerConfig};
use crate::eureka::Flavor::{self, Netflix, SpringCloud};

fn configured(flavor: Flavor, configure: impl FnOnce(&mut ServerConfig)) -> Server {
    Server::started(super::EPOCH, flavor, "2.0.6", configure)
}

/// The threshold after opening with this many clients.
fn threshold(flavor: Flavor, clients: i32, percent: f64, interval: i32) -> i32 {
    let mut server = configured(flavor, |config| {
        config.renewal_percent_threshold = percent;
        config.expected_client_renewal_interval_seconds = interval;
    });
    server.open(clients);
    assert_eq!(server.gauges().expected_number_of_clients_sending_renews, clients);
    server.registry.threshold()
}

#[test]
fn the_threshold_is_85_percent_of_two_renewals_a_client() {
    let known =
        [(0, 0), (1, 1), (2, 3), (3, 5), (4, 6), (5, 8), (6, 10), (7, 11), (8, 13), (9, 15)];
    for (clients, expected) in known.into_iter().chain([(10, 17), (20, 34), (21, 35), (100, 170)]) {
        assert_eq!(threshold(Netflix, clients, 0.85, 30), expected, "{clients}");
    }
}

#[test]
fn the_product_is_of_doubles_from_left_to_right_and_cut_off() {
    assert_eq!(threshold(Netflix, 45, 0.7, 30), 62, "exactly 63");
    assert_eq!(threshold(Netflix, 11, 0.85, 11), 50, "51 if 11 * 60 came first");
    assert_eq!(threshold(Netflix, 22, 0.85, 11), 101, "102 likewise");
    assert_eq!(threshold(Netflix, 33, 0.85, 11), 153, "152 if 60 / 11 * 0.85 came first");
    assert_eq!(threshold(Netflix, 50, 0.85, 10), 255, "254 likewise");
    assert_eq!(threshold(Netflix, 20, 0.49, 30), 19);
    assert_eq!(threshold(Netflix, 3, 0.85, 7), 21, "not a whole number of renewals a minute");
    assert_eq!(threshold(Netflix, i32::MAX, 0.85, 1), i32::MAX, "the cast saturates");
}

#[test]
fn an_interval_of_zero_is_30_for_netflix_and_divided_by_in_spring() {
    assert_eq!(threshold(Netflix, 20, 0.85, 0), 34);
    assert_eq!(threshold(Netflix, 20, 0.85, -7), 34);
    assert_eq!(threshold(SpringCloud, 20, 0.85, 0), i32::MAX);
    assert_eq!(threshold(SpringCloud, 0, 0.85, 0), 0, "0 * infinity is no number");
}

/// A server with this many registered clients in a minute of that many renewals.
fn after_a_minute(flavor: Flavor, open: i32, clients: usize, renewals: usize) -> Server {
    let mut server = Server::new(flavor);
    server.open(open);
    let keys = server.register_many(clients);
    for n in 0..renewals {
        server.renew(keys[n % clients]);
    }
    server.advance(60_000);
    assert_eq!(server.gauges().num_of_renews_in_last_min, renewals as i64);
    server
}

#[test]
fn leases_expire_with_more_renewals_than_the_threshold_and_not_with_as_many() {
    let enabled = |flavor, open, renewals| {
        let server = after_a_minute(flavor, open, 20, renewals);
        let gauges = server.gauges();
        (gauges.num_of_renews_per_min_threshold, gauges.is_lease_expiration_enabled)
    };
    // Twenty clients: 34, or 35 with the client that Spring expects too many.
    assert_eq!(threshold(Netflix, 20, 0.85, 30), 34);
    assert_eq!(enabled(SpringCloud, 1, 35), (35, false));
    assert_eq!(enabled(SpringCloud, 1, 36), (35, true));
    let of_twenty = |renewals| {
        let mut server = after_a_minute(SpringCloud, 1, 20, renewals);
        server.open(20);
        let gauges = server.gauges();
        (gauges.num_of_renews_per_min_threshold, gauges.is_lease_expiration_enabled)
    };
    assert_eq!(of_twenty(34), (34, false));
    assert_eq!(of_twenty(35), (34, true));
}

#[test]
fn with_a_threshold_of_zero_leases_expire_only_without_self_preservation() {
    let mut server = after_a_minute(Netflix, 0, 20, 40);
    assert_eq!(server.registry.threshold(), 0);
    assert!(!server.gauges().is_lease_expiration_enabled);
    server.registry.config_mut().enable_self_preservation = false;
    assert!(server.gauges().is_lease_expiration_enabled);
    let mut server = after_a_minute(SpringCloud, 1, 20, 0);
    server.registry.config_mut().enable_self_preservation = false;
    assert!(server.gauges().is_lease_expiration_enabled, "however few renewals there are");
}

#[test]
fn registrations_raise_and_cancels_lower_what_is_expected_once_anything_is() {
    let expected = |server: &Server| {
        let gauges = server.gauges();
        assert_eq!(
            gauges.num_of_renews_per_min_threshold,
            (f64::from(gauges.expected_number_of_clients_sending_renews) * 2.0 * 0.85) as i32
        );
        gauges.expected_number_of_clients_sending_renews
    };
    let mut server = Server::new(Netflix);
    server.open(1);
    let keys = server.register_many(2);
    assert_eq!(expected(&server), 3);
    server.register_many(2);
    assert_eq!(expected(&server), 3, "they were registered already");
    assert!(server.cancel(keys[0]) && server.cancel(keys[1]));
    assert!(!server.cancel(keys[1]));
    assert_eq!(expected(&server), 1, "a cancel of nothing changes nothing");
    let info = server.instance("SVC", "h00");
    server.register_from(info, true);
    assert_eq!(expected(&server), 2, "whoever sends it");
    server.ask(|registry, at| registry.cancel(at, keys[0], true));
    assert_eq!(expected(&server), 1);

    let mut server = Server::new(Netflix);
    server.open(0);
    let key = server.register_new("SVC", "h00");
    assert_eq!(expected(&server), 0);
    assert!(server.cancel(key));
    assert_eq!(expected(&server), 0);
}

#[test]
fn spring_expects_one_client_before_it_opens_and_forgets_who_came_meanwhile() {
    let mut server = Server::new(SpringCloud);
    assert_eq!(server.gauges().expected_number_of_clients_sending_renews, 1);
    server.register_many(28);
    assert_eq!(server.gauges().expected_number_of_clients_sending_renews, 29);
    server.open(28);
    assert_eq!(server.gauges().expected_number_of_clients_sending_renews, 28);
    assert_eq!(Server::new(Netflix).gauges().expected_number_of_clients_sending_renews, 0);
}

/// What the 15-minute task makes of the expected number.
fn updated(flavor: Flavor, expected: i32, view: usize, self_preservation: bool) -> i32 {
    let mut server = configured(flavor, |config| {
        config.enable_self_preservation = self_preservation;
    });
    server.init();
    server.open(expected);
    server.registry.set_view_size(view);
    server.advance(899_999);
    assert_eq!(server.gauges().expected_number_of_clients_sending_renews, expected);
    server.advance(1);
    let gauges = server.gauges();
    let clients = gauges.expected_number_of_clients_sending_renews;
    assert_eq!(gauges.num_of_renews_per_min_threshold, threshold(flavor, clients, 0.85, 30));
    clients
}

#[test]
fn every_15_minutes_the_view_is_believed_unless_it_lost_too_many() {
    assert_eq!(updated(Netflix, 100, 86, true), 86);
    assert_eq!(updated(Netflix, 100, 85, true), 100, "85 is not more than 85 %");
    assert_eq!(updated(Netflix, 100, 900, true), 900, "there is no limit upwards");
    assert_eq!(updated(Netflix, 0, 7, true), 7, "only this lifts an expectation of nobody");
    assert_eq!(updated(Netflix, 100, 0, true), 100);
    assert_eq!(updated(Netflix, 100, 0, false), 0, "without self-preservation anything goes");
    assert_eq!(updated(SpringCloud, 6, 5, true), 6, "five clients and the phantom");
    assert_eq!(updated(SpringCloud, 7, 6, true), 6);
}

#[test]
fn the_dashboard_warns_from_five_minutes_after_opening_and_at_the_threshold_itself() {
    let warns = |open: i32, renewals: usize, after_ms: u64| {
        let mut server = Server::new(Netflix);
        server.advance(1000);
        server.open(open);
        server.advance(after_ms / 60_000 * 60_000 - 60_000);
        let key = server.register_new("SVC", "h00");
        (0..renewals).for_each(|_| assert!(server.renew(key)));
        server.advance(after_ms - (after_ms / 60_000 * 60_000 - 60_000));
        assert_eq!(server.gauges().num_of_renews_in_last_min, renewals as i64);
        server.gauges().is_below_renew_threshold
    };
    assert!(!warns(1, 3, 300_000), "in the last millisecond of waitTimeInMsWhenSyncEmpty");
    assert!(warns(1, 3, 300_001), "3 <= 3, the threshold of two");
    assert!(!warns(1, 4, 300_001));
    assert!(warns(0, 0, 300_001), "0 <= 0 on an empty server");
    assert!(!warns(0, 1, 300_001), "no warning, though nobody can be evicted");
    let mut unopened = Server::new(Netflix);
    unopened.advance(900_000);
    assert!(!unopened.gauges().is_below_renew_threshold);
}

#[test]
fn reads_are_refused_for_five_minutes_after_a_start_up_sync_that_found_nothing() {
    let code = |server: &mut Server| {
        server.ask(|registry, at| resources::fetch(registry, at, CacheKey::AllApps).err())
    };
    let mut server = Server::new(Netflix);
    server.init();
    assert_eq!(code(&mut server), None, "before opening the start-up time is 0, long ago");
    server.open(0);
    server.advance(300_000);
    assert_eq!(code(&mut server), Some(403));
    server.register_new("A", "a1");
    server.advance(1);
    assert_eq!(code(&mut server), None);
    server.open(0);
    assert_eq!(code(&mut server), Some(403));
    server.open(1);
    assert_eq!(code(&mut server), None);
    server.open(0);
    assert_eq!(code(&mut server), None, "once something was copied that stays known");
}
