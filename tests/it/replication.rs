//! What happens to replication while its processes are frozen, killed and replaced, to the
//! millisecond: rules of the real threads that no recording shows.

use serde_json::Value;

use crate::support::{PAIR, entry, events};

/// [`PAIR`], with more to say of both servers and at the end.
fn pair(more_of_servers: &str, rest: &str) -> String {
    let alone = "register-with-eureka = false";
    let servers = PAIR.replace(alone, &format!("{alone}\n{more_of_servers}"));
    format!("schema = 1\nduration = \"200s\"\n{servers}{rest}")
}

/// No answer of eureka-1 reaches eureka-0 from 100 s on.
fn no_answers(until: u32) -> String {
    entry(
        "100s",
        &format!(
            "for = \"{}s\"\npartition = {{ from = \"server:eureka-1\", to = \"server:eureka-0\", direction = \"one-way\" }}",
            until - 100
        ),
    )
}

fn freeze(server: &str, from: &str, seconds: u32) -> String {
    entry(from, &format!("for = \"{seconds}s\"\npause = \"server:{server}\""))
}

/// The batches from eureka-0 to eureka-1 since 119 s: when they were sent, what became of them.
fn batches(text: &str) -> Vec<String> {
    let wanted = |event: &&Value| {
        event["event"] == "replication-batch"
            && event["from"] == "eureka-0"
            && event["t_ms"].as_f64().is_some_and(|at| at >= 119_000.0)
    };
    let told =
        |event: &Value| format!("{} {}", event["t_ms"], event["outcome"].as_str().unwrap_or(""));
    events(text).iter().filter(wanted).map(told).collect()
}

/// When eureka-1 renewed the lease, since 119 s.
fn renewed(text: &str) -> Vec<f64> {
    let events = events(text);
    let renewals = events.iter().filter(|e| e["event"] == "renew" && e["server"] == "eureka-1");
    let times = renewals.map(|event| event["t_ms"].as_f64().expect("a time"));
    times.filter(|at| *at >= 119_000.0).collect()
}

/// The poll of the dispatcher's thread ends in the pause, so it begins a new one at the resume; the
/// time-out, which came later, is noticed when that has ended.
#[test]
fn a_batch_that_times_out_in_a_pause_is_sent_again_a_second_after_the_resume() {
    let text = pair("", &format!("{}{}", no_answers(121), freeze("eureka-0", "120516ms", 10)));
    assert_eq!(batches(&text)[..2], ["120514 read-timeout", "131516 200"]);
}

/// If the time-out came before the poll ended, it is noticed at once.
#[test]
fn a_time_out_just_before_the_end_of_a_poll_is_noticed_at_the_resume() {
    let slower = "eureka.server.peer-node-read-timeout-ms = 203";
    let text = pair(slower, &format!("{}{}", no_answers(121), freeze("eureka-0", "120715ms", 10)));
    assert_eq!(batches(&text)[..2], ["120514 read-timeout", "131715 200"]);
}

/// Whether the poll's end or the refusal is handled first: a tenth of a second after the resume is on
/// the grid that begins there.
#[test]
fn a_refusal_that_waits_for_the_resume_is_tried_again_a_tenth_of_a_second_after_it() {
    let kill = entry("119s", "kill = \"server:eureka-1\"");
    let rest = format!("{kill}{}", freeze("eureka-0", "120515ms", 10));
    let timers_first = pair("", &rest);
    assert_eq!(batches(&timers_first)[..2], ["120514 refused", "130615 refused"]);
    let arrivals_first = format!("{timers_first}[sim]\nresume = \"arrivals-first\"\n");
    assert_eq!(batches(&arrivals_first)[..2], ["120514 refused", "130615 refused"]);
}

/// An answer that came in the pause, before the time-out, counts; one that came after it does not.
#[test]
fn in_a_pause_what_came_first_counts() {
    let pause = freeze("eureka-0", "120516ms", 10);
    assert_eq!(batches(&pair("", &pause))[0], "120514 200");
    let slow = "for = \"5s\"\nslow = { from = \"server:eureka-1\", to = \"server:eureka-0\", latency = \"250ms\", direction = \"one-way\" }";
    let late = pair("", &format!("{pause}{}", entry("119s", slow)));
    assert_eq!(batches(&late)[..2], ["120514 read-timeout", "131516 200"]);
    assert_eq!(renewed(&late)[..2], [120_516.0, 131_518.0]);
}

/// A receiver that is frozen executes at its resume what its sender has long given up.
#[test]
fn a_frozen_receiver_executes_each_attempt_of_its_sender() {
    let text = pair("", &freeze("eureka-1", "120s", 3));
    assert_eq!(
        batches(&text)[..4],
        ["120514 read-timeout", "121714 read-timeout", "122914 200", "150518 200"]
    );
    assert_eq!(renewed(&text)[..3], [123_000.0; 3]);
}

/// If it dies frozen, the one that waits still is reset, and nothing was executed.
#[test]
fn a_receiver_that_dies_frozen_executes_nothing() {
    let restart = "restart = { select = \"server:eureka-1\", down = \"1s\" }";
    let text =
        pair("", &format!("{}{}", freeze("eureka-1", "120s", 9), entry("120600ms", restart)));
    let batches = batches(&text);
    assert_eq!(batches[..2], ["120514 reset", "120704 refused"]);
    // The new process knows nobody: the heartbeat is not found, and registers.
    let answered = batches.iter().position(|batch| batch.ends_with("200")).expect("it is back");
    assert_eq!(batches[answered..=answered + 1], ["121694 200", "122198 200"]);
    assert_eq!(renewed(&text)[..1], [150_520.0]);
}

/// A sender that dies with a batch under way: it arrives, and the next process does not repeat it.
#[test]
fn a_batch_outlives_its_sender_and_is_not_repeated() {
    let restart = "restart = { select = \"server:eureka-0\", down = \"1s\" }";
    let text = pair("", &entry("120515ms", restart));
    assert_eq!(renewed(&text)[0], 120_516.0);
    let batches = batches(&text);
    assert_eq!(batches[0], "120514 pending");
    let next: f64 = batches[1].split(' ').next().and_then(|at| at.parse().ok()).expect("a time");
    assert!(next > 150_000.0, "{batches:?}");
}

/// A failure throttles every task of the dispatcher: what is new waits with what failed, and leaves
/// with it, however young.
#[test]
fn a_failure_throttles_what_is_new_as_well() {
    let metadata = "set-metadata = { select = \"instance:A/0\", key = \"k\", value = \"v\", server = \"eureka-0\" }";
    let text = pair("", &format!("{}{}", no_answers(121), entry("120720ms", metadata)));
    assert_eq!(batches(&text)[..2], ["120514 read-timeout", "121714 200"]);
    let events = events(&text);
    let registered = events.iter().find(|e| {
        e["event"] == "register"
            && e["server"] == "eureka-1"
            && e["replica"] == true
            && e["t_ms"].as_f64().is_some_and(|at| at > 119_000.0)
    });
    assert_eq!(registered.expect("it is told")["t_ms"], 121_716.0);
}

/// Server spec §13.7: the rule that takes a read time-out for congestion came with 1.8.7; before, it was
/// a failure of the network like any other.
#[test]
fn until_1_8_6_a_batch_that_timed_out_is_sent_again_after_a_tenth_of_a_second() {
    let of = |release: &str| {
        let release = format!("release = \"{release}\"");
        batches(&pair(&release, &no_answers(121)))[..3].to_vec()
    };
    let old = ["120514 read-timeout", "120814 read-timeout", "121114 200"];
    assert_eq!(of("1.6.2"), old);
    assert_eq!(of("1.8.6"), old);
    let new = ["120514 read-timeout", "121714 200", "150518 200"];
    assert_eq!(of("1.8.7"), new);
    assert_eq!(of("2.0.6"), new);
}

/// A request from outside is a message: it waits with those that arrived, behind the timers.
#[test]
fn a_frozen_server_answers_its_operator_after_its_overdue_timers() {
    let deregister = "deregister = { select = \"instance:A/0\", server = \"eureka-0\" }";
    let rest = format!("{}{}", freeze("eureka-0", "100s", 40), entry("101s", deregister));
    let of_the_resume = |text: &str| {
        let kinds = ["evict-run", "cancel"];
        let events = events(text);
        let mut order = Vec::new();
        for event in events.iter().filter(|event| event["t_ms"] == 140_000.0) {
            let kind = event["event"].as_str().expect("a kind");
            if kinds.contains(&kind) && event["server"] == "eureka-0" {
                order.push(kind.to_owned());
            }
        }
        order
    };
    let text = pair("", &rest);
    assert_eq!(of_the_resume(&text), ["evict-run", "cancel"]);
    let arrivals_first = format!("{text}[sim]\nresume = \"arrivals-first\"\n");
    assert_eq!(of_the_resume(&arrivals_first), ["cancel", "evict-run"]);
}

/// Cancels and status changes live as long as `max-time-for-replication` says.
#[test]
fn a_cancel_is_tried_for_as_long_as_it_is_configured() {
    let last = |milliseconds: u32| {
        let life = format!("eureka.server.max-time-for-replication = {milliseconds}");
        let rest = format!(
            "{}{}",
            entry("100s", "kill = \"server:eureka-1\""),
            entry("121s", "deregister = { select = \"instance:A/0\", server = \"eureka-0\" }")
        );
        let events = events(&pair(&life, &rest));
        let mut items = Value::Null;
        let mut last = 0.0;
        for batch in events.iter().filter(|e| e["event"] == "replication-batch") {
            if batch["as_before"] != true {
                items = batch["items"].clone();
            }
            let cancels = |item: &Value| item["action"] == "Cancel";
            if items.as_array().is_some_and(|items| items.iter().any(cancels)) {
                last = batch["t_ms"].as_f64().expect("a time");
            }
        }
        last
    };
    for milliseconds in [2_000_u32, 30_000] {
        let end = 121_000.0 + f64::from(milliseconds);
        assert!((end - 115.0..end).contains(&last(milliseconds)), "{}", last(milliseconds));
    }
}

/// An answer that comes in the very instant of the time-out comes too late: the time-out was set first.
#[test]
fn an_answer_in_the_instant_of_the_time_out_is_late() {
    let slow = |milliseconds: u32| {
        let slow = format!(
            "slow = {{ from = \"server:eureka-1\", to = \"server:eureka-0\", latency = \"{milliseconds}ms\", direction = \"one-way\" }}"
        );
        batches(&pair("", &entry("100s", &slow))).remove(0)
    };
    assert_eq!(slow(195), "120514 200");
    assert_eq!(slow(196), "120514 read-timeout");
}

/// A process that dies with a request unanswered: the connection breaks, which is known one latency later.
#[test]
fn a_reset_is_known_one_latency_after_the_death() {
    let kill = entry("120600ms", "kill = \"server:eureka-1\"");
    let events = events(&pair("", &format!("{}{kill}", freeze("eureka-1", "120s", 9))));
    let reset =
        events.iter().find(|e| e["outcome"] == "reset" && e["event"] == "replication-batch");
    assert_eq!(reset.expect("there is one")["ms"], 88.0);
}
