//! Health checks: handlers and callbacks, what becomes of their answers, what attaching them costs
//! (`refreshInstanceInfo`, `HealthCheckCallbackToHandlerBridge`).

use super::bench::{Bench, Stub};
use crate::eureka::client::{Application, HealthAnswer, HttpClientKind};
use crate::eureka::{Flavor, InstanceStatus, Release};
use HealthAnswer::{Echo, Null, Status, Throw};
use InstanceStatus::{Down, OutOfService, Starting, Unknown, Up};

/// A client that is UP, registered at 0; its heartbeats are far away, its replicator's runs at 30013
/// and 60013. One of two tokens is spent.
fn registered() -> Bench {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.application = Application::Scripted;
    bench.profile.instance.lease_renewal_interval_in_seconds = 100_000;
    bench.start();
    bench.set_status(Up);
    bench.to(1_000);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench.events();
    bench
}

/// The same with a handler that echoes, attached at 1000: its runs are at 31000 and 61000.
fn handled() -> Bench {
    let mut bench = registered();
    bench.set_health(Echo);
    bench.register_health_check();
    bench.to(30_000);
    bench.expect(&[]);
    bench.expect_events(&["Health"], &["1000 HealthEvaluate(Up, Echo)"]);
    bench
}

/// The same with a callback that says UP, which is asked at 30013 and 60013.
fn called_back() -> Bench {
    let mut bench = registered();
    bench.set_health(Status(Up));
    bench.register_health_check_callback();
    bench.to(30_000);
    bench.expect(&[]);
    bench
}

#[test]
fn what_a_handler_answers_becomes_the_status_and_is_sent_by_the_same_run() {
    for status in [Down, OutOfService, Unknown, Starting] {
        let mut bench = handled();
        bench.set_health(Status(status));
        bench.to(60_000);
        bench.expect(&[&format!("31000 POST s0 {status}@31000 204")]);
        // The change asks for an update of its own, which finds nothing to send.
        let first = format!("31000 HealthEvaluate(Up, Status({status:?}))");
        let second = format!("31013 HealthEvaluate({status:?}, Status({status:?}))");
        bench.expect_events(&["Health"], &[&first, &second]);
    }
}

/// Not pinned by a recording: there the status is DOWN already.
#[test]
fn a_handler_that_throws_makes_an_instance_that_is_up_down() {
    let mut bench = handled();
    bench.set_health(Throw);
    bench.to(31_005);
    bench.expect(&["31000 POST s0 DOWN@31000 204"]);
    bench.expect_events(&["Health"], &["31000 HealthEvaluate(Up, Throw)", "31000 HealthException"]);
    assert_eq!(bench.statuses().last().unwrap(), "31000 DOWN@31000");
    // The next run heals it.
    bench.set_health(Status(Up));
    bench.to(65_000);
    bench.expect(&["31013 POST s0 UP@31013 204"]);
}

#[test]
fn a_handler_that_echoes_or_says_nothing_changes_nothing() {
    for answer in [Echo, Null] {
        let mut bench = handled();
        bench.set_health(answer);
        bench.to(100_000);
        bench.expect(&[]);
        let asked =
            [31_000, 61_000, 91_000].map(|at| format!("{at} HealthEvaluate(Up, {answer:?})"));
        assert_eq!(bench.events(), asked);
        assert_eq!(bench.client().status(), Up);
    }
}

/// Traps T26 and §9.2: a handler is asked whatever the status is, a callback is not.
#[test]
fn starting_and_out_of_service_are_kept_from_a_callback_and_not_from_a_handler() {
    for status in [Starting, OutOfService] {
        let mut bench = handled();
        bench.set_health(Status(Up));
        bench.set_status(status);
        bench.to(30_500);
        assert_eq!(bench.client().status(), Up, "{status}: the handler's");

        let mut bench = called_back();
        bench.set_status(status);
        bench.to(200_000);
        assert_eq!(bench.client().status(), status, "the callback's");
        bench.expect_events(&["Callback"], &[]);
    }
    for status in [Down, Unknown] {
        let mut bench = called_back();
        bench.set_status(status);
        bench.to(30_500);
        assert_eq!(bench.client().status(), Up, "{status}");
    }
}

/// Recording `health-callback`.
#[test]
fn a_callback_says_up_or_not() {
    for (answer, expected) in [(Up, Up), (Down, Down), (Unknown, Down), (OutOfService, Down)] {
        let mut bench = called_back();
        bench.set_health(Status(answer));
        bench.to(30_013);
        assert_eq!(bench.client().status(), expected, "{answer}");
        let asked = format!("30013 Callback({expected:?})");
        bench.expect_events(&["Callback"], &[&asked]);
    }
    let mut bench = called_back();
    bench.set_health(Throw);
    bench.to(30_013);
    assert_eq!(bench.client().status(), Down, "one that throws");
    bench.expect_events(&["Health"], &["30013 HealthException"]);
}

#[test]
fn a_check_keeps_its_kind_though_another_is_attached_before_it_has_answered() {
    let mut bench = handled();
    bench.set_health_that_takes(Status(Unknown), 500, false);
    bench.to(31_200);
    bench.register_health_check_callback();
    bench.to(31_600);
    assert_eq!(bench.client().status(), Unknown, "a callback would have made it DOWN");
}

/// Stuck mechanism M1, recording `stuck-m01-echo-lost-update`: the application says UP while the check
/// is about to answer the DOWN it was asked with.
#[test]
fn from_2_0_5_on_an_answer_is_dropped_if_the_status_changed_meanwhile() {
    for (release, expected) in [
        (Release::new(1, 10, 18), Down),
        (Release::new(2, 0, 4), Down),
        (Release::new(2, 0, 5), Up),
        (Release::new(2, 0, 6), Up),
    ] {
        let mut bench = handled();
        bench.profile.release = release;
        bench.set_health_that_takes(Echo, 500, false);
        bench.set_status(Down);
        bench.to(30_200);
        bench.set_status(Up);
        bench.to(200_000);
        assert_eq!(bench.client().status(), expected, "{release:?}");
        let posted = bench.sent();
        let last = posted.last().unwrap();
        assert!(last.contains(&format!(" {expected}@")), "{release:?}: {posted:?}");
    }
}

/// Stuck mechanism M3, recordings `health-blocks` and `stuck-m03-frozen-replicator`.
#[test]
fn a_check_that_never_answers_stops_every_update_but_not_the_heartbeats() {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.application = Application::Scripted;
    bench.start();
    bench.set_status(Up);
    bench.to(1_000);
    bench.set_health_that_takes(Echo, 1_000_000_000, false);
    bench.register_health_check();
    bench.to(20_000);
    bench.set_status(Down);
    bench.to(130_000);
    bench.expect(&[
        "0 POST s0 UP@0 204",
        // Not sent at 20000. The heartbeat repairs what the application set.
        "30000 PUT s0 DOWN@20000 404",
        "30009 POST s0 DOWN@30009 204",
        "60022 PUT s0 DOWN@30009 200",
        "90031 PUT s0 DOWN@30009 200",
        "120040 PUT s0 DOWN@30009 200",
    ]);
    bench.expect_events(&["Evaluate"], &["1000 HealthEvaluate(Up, Echo)"]);
}

#[test]
fn a_check_that_takes_its_time_holds_its_run_and_the_next_is_one_interval_after_it() {
    let mut bench = handled();
    bench.set_health_that_takes(Status(Down), 4_000, false);
    bench.to(32_000);
    bench.set_metadata();
    bench.to(80_000);
    // The second was asked for by the first one's change, the third is 30 s after the second's end.
    bench.expect(&["35000 POST s0 DOWN@35000 204"]);
    let names = ["HealthEvaluate(", "HealthEvaluated"];
    let events = [
        "31000 HealthEvaluate(Up, Status(Down))",
        "35000 HealthEvaluated",
        "35013 HealthEvaluate(Down, Status(Down))",
        "39013 HealthEvaluated",
        "69013 HealthEvaluate(Down, Status(Down))",
        "73013 HealthEvaluated",
    ];
    bench.expect_events(&names, &events);
}

/// Trap T7: `registerHealthCheck` asks for an update, whether anything changes or not.
#[test]
fn attaching_a_handler_costs_a_token_each_time() {
    let mut bench = registered();
    bench.set_health(Echo);
    bench.register_health_check();
    bench.to(2_000);
    bench.register_health_check();
    bench.set_status(Down);
    bench.to(29_000);
    bench.expect(&[]);
    let limited = ["2000 OnDemandRateLimited", "2000 OnDemandRateLimited"];
    bench.expect_events(&["OnDemand"], &limited);
    bench.to(31_500);
    bench.expect(&["31000 POST s0 DOWN@2000 204"]);
}

#[test]
fn attaching_a_callback_costs_nothing() {
    let mut bench = registered();
    bench.set_health(Status(Up));
    bench.register_health_check_callback();
    bench.register_health_check_callback();
    bench.to(2_000);
    bench.expect_events(&[""], &[]);
    bench.set_health(Status(Down));
    bench.set_status(OutOfService);
    bench.to(3_000);
    bench.expect(&["2000 POST s0 OUT_OF_SERVICE@2000 204"]);
}

/// Timeline S2, recording `start-spring-health`: Spring attaches twice, and the second is one too many.
#[test]
fn spring_with_a_health_check_is_refused_its_third_update_at_every_start() {
    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    bench.profile.health_check = true;
    bench.start();
    bench.to(20_000);
    bench.expect(&["0 POST s0 UP@0 204"]);
    bench.expect_events(&["OnDemand"], &["0 OnDemandRateLimited"]);
    bench.expect_events(&["Health"], &[]);
}

#[test]
fn a_client_without_a_replicator_is_asked_for_nothing() {
    let mut bench = Bench::fetching(Flavor::Netflix, 1);
    bench.start();
    bench.to(1_000);
    bench.register_health_check();
    bench.to(200_000);
    bench.expect_events(&["Health", "OnDemand"], &[]);
}

/// Spec §5.2: a token is spent though nobody runs any more.
#[test]
fn an_update_on_demand_after_stop_is_dropped_and_costs_a_token() {
    let mut bench = handled();
    bench.to(50_000);
    bench.stop(0);
    bench.to(51_000);
    for _ in 0..3 {
        bench.register_health_check();
    }
    bench.to(60_000);
    bench.expect(&["53000 DELETE s0 200"]);
    let told = ["51000 OnDemandAfterStop", "51000 OnDemandAfterStop", "51000 OnDemandRateLimited"];
    bench.expect_events(&["OnDemand"], &told);
}

/// A check is under way when the process is told to end, at 32000.
fn stopped_while_checking(kind: HttpClientKind, interruptible: bool) -> Bench {
    let mut bench = handled();
    bench.profile.http_client = kind;
    bench.outlives_shutdown = true;
    bench.set_health_that_takes(Echo, 10_000, interruptible);
    bench.to(32_000);
    bench.events();
    bench.stop(0);
    bench.to(100_000);
    bench
}

/// Client findings A5 and F21, recording `stuck-m02-interrupted-health`: the run goes on to register
/// in the instant of the cancel.
#[test]
fn a_check_that_notices_the_interrupt_registers_down_beside_the_cancel() {
    for kind in [HttpClientKind::Jersey3, HttpClientKind::RestClient] {
        let mut bench = stopped_while_checking(kind, true);
        bench.expect(&["35000 DELETE s0 200", "35000 POST s0 DOWN@35000 204"]);
        bench.expect_events(&["Health"], &["35000 HealthInterrupted", "35000 HealthException"]);
        // One DOWN: that of shutdown().
        assert_eq!(bench.statuses().last().unwrap(), "35000 DOWN@35000");
        assert_eq!(bench.statuses().len(), 3);
    }
}

#[test]
fn a_check_that_ignores_the_interrupt_registers_nothing() {
    for (kind, why) in
        [(HttpClientKind::Jersey3, "client-closed"), (HttpClientKind::RestClient, "interrupted")]
    {
        let mut bench = stopped_while_checking(kind, false);
        bench.expect(&["35000 DELETE s0 200"]);
        assert_eq!(bench.unsent(), [format!("41000 POST s0 DOWN@35000 {why}")]);
        bench.expect_events(&["Health"], &["41000 HealthEvaluated"]);
    }
}

/// Spec §8.3, recording `shutdown-spring-health`: DOWN is undone by the very run that was to send it.
#[test]
fn springs_down_at_the_end_is_flipped_back_by_its_health_check() {
    let mut bench = Bench::registering(Flavor::SpringCloud, 1);
    bench.profile.health_check = true;
    bench.start();
    bench.to(50_000);
    bench.sent();
    bench.stop(60_000);
    bench.to(55_000);
    bench.expect(&["50000 POST s0 UP@50000 204"]);
    assert_eq!(bench.statuses()[2..], ["50000 DOWN@50000", "50000 UP@50000"]);
}

/// Stuck mechanism M10, recording `stuck-m10-unknown`, as far as it is the client's: nothing dirty,
/// and yet a registration after each heartbeat that is answered 404.
#[test]
fn unknown_of_a_check_is_registered_again_by_each_heartbeat() {
    let mut bench = Bench::registering(Flavor::Netflix, 1);
    bench.profile.application = Application::Scripted;
    bench.start();
    bench.set_health(Status(Unknown));
    bench.register_health_check();
    bench.to(1_000);
    bench.rule(0, "PUT", Stub::Code(404));
    bench.to(70_000);
    bench.expect(&[
        "0 POST s0 UNKNOWN@0 204",
        "30000 PUT s0 UNKNOWN@0 404",
        "30009 POST s0 UNKNOWN@30009 204",
        // The replicator's run finds it dirty still.
        "30013 POST s0 UNKNOWN@30009 204",
        "60022 PUT s0 UNKNOWN@30009 404",
        "60031 POST s0 UNKNOWN@60031 204",
    ]);
}
