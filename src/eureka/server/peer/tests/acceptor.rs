//! When the dispatcher's thread sends what, against `acceptor-timing-realtime.txt` and beyond.

use super::super::Dropped::{Expired, Overflow, Overridden};
use super::super::acceptor::AcceptorExecutor;
use super::super::traffic_shaper::TrafficShaper;
use super::super::{Dropped, Failure, Task, TaskAction};
use crate::eureka::InstanceKey;
use crate::eureka::server::tests::vector;
use crate::time::Now;

const EPOCH: i64 = 1_700_000_000_000;
/// By how many ms the real threads, which sleep in steps of 10 ms, were behind.
const LATENESS: std::ops::RangeInclusive<u64> = 0..=15;

fn at(ms: u64) -> Now {
    Now { wall: EPOCH + ms as i64, mono: 1_000_000_000 + ms * 1_000_000 }
}

/// A dispatcher, and names for its tasks: each has an expiry of its own.
struct Dispatcher {
    acceptor: AcceptorExecutor,
    labels: Vec<(i64, &'static str)>,
    dropped: Vec<(Task, Dropped)>,
    /// Milliseconds by which the wall clock was stepped.
    stepped: i64,
}

impl Dispatcher {
    fn new(max_buffer_size: usize, workers: u32) -> Self {
        let acceptor = AcceptorExecutor::new(max_buffer_size, workers);
        Self { acceptor, labels: Vec::new(), dropped: Vec::new(), stepped: 0 }
    }

    fn standard() -> Self {
        Self::new(10_000, 20)
    }

    fn now(&self, ms: u64) -> Now {
        Now { wall: at(ms).wall + self.stepped, ..at(ms) }
    }

    /// A task that lives for 30 s.
    fn submit(&mut self, ms: u64, label: &'static str, action: TaskAction, instance: usize) {
        self.submit_for(ms, 30_000, label, action, instance);
    }

    fn submit_for(
        &mut self,
        ms: u64,
        life: i64,
        label: &'static str,
        action: TaskAction,
        instance: usize,
    ) {
        let now = self.now(ms);
        let mut expiry = now.wall + life;
        while self.labels.iter().any(|(taken, _)| *taken == expiry) {
            expiry += 1;
        }
        self.labels.push((expiry, label));
        let key = InstanceKey::from_index(instance);
        let submitted = now.wall;
        let task = Task { key, action, info: None, overridden: None, expiry, submitted };
        self.acceptor.process(task, now.mono);
    }

    fn heartbeat(&mut self, ms: u64, label: &'static str, instance: usize) {
        self.submit(ms, label, TaskAction::Heartbeat, instance);
    }

    /// Runs the thread up to and with this ms: the batches and when they left.
    fn until(&mut self, ms: u64) -> Vec<(u64, Vec<Task>)> {
        let mut batches = Vec::new();
        while let Some(mono) = self.acceptor.next_run().filter(|&mono| mono <= at(ms).mono) {
            let when = (mono - at(0).mono) / 1_000_000;
            let now = Now { mono, ..self.now(when) };
            if let Some(batch) = self.acceptor.run(now, &mut self.dropped) {
                batches.push((when, batch));
            }
        }
        batches
    }

    /// The only batch up to this ms.
    fn one_until(&mut self, ms: u64) -> (u64, Vec<Task>) {
        let mut batches = self.until(ms);
        assert_eq!(batches.len(), 1, "batches up to {ms} ms");
        batches.remove(0)
    }

    fn fail(&mut self, ms: u64, batch: Vec<Task>, failure: Failure) {
        self.acceptor.batch_done();
        self.acceptor.reprocess(batch, failure, self.now(ms));
    }

    fn labels(&self, tasks: &[Task]) -> Vec<&'static str> {
        let label = |task: &Task| {
            let known = self.labels.iter().find(|(expiry, _)| *expiry == task.expiry);
            known.expect("every task was submitted here").1
        };
        tasks.iter().map(label).collect()
    }

    /// What was dropped since this was last asked, and why.
    fn dropped(&mut self) -> Vec<(&'static str, Dropped)> {
        let dropped = std::mem::take(&mut self.dropped);
        dropped.into_iter().map(|(task, why)| (self.labels(&[task])[0], why)).collect()
    }

    /// A batch in the words of the recording.
    fn told(&self, (ms, batch): &(u64, Vec<Task>), result: &str) -> (u64, String) {
        (*ms, format!("batch [{}] -> {result}", self.labels(batch).join(", ")))
    }
}

/// The recorded lines of a section: milliseconds and the rest.
fn section(letter: &str) -> Vec<(u64, String)> {
    let text = vector("acceptor-timing-realtime.txt");
    let sections: Vec<&str> = text.split("-- ").collect();
    let section = sections.iter().find(|section| section.starts_with(letter));
    let line = |line: &str| {
        let (ms, rest) = line.split_once("ms ").expect("a line begins with its time");
        (ms.parse().expect("which is a number"), rest.to_owned())
    };
    section.expect("the recording has it").lines().skip(1).map(line).collect()
}

/// Holds virtual times against real ones: the same batches, and never later.
fn check(letter: &str, made: &[(u64, String)]) {
    let recorded = section(letter);
    let texts = |lines: &[(u64, String)]| -> Vec<String> {
        lines.iter().map(|(_, text)| text.clone()).collect()
    };
    assert_eq!(texts(made), texts(&recorded), "{letter}");
    for ((ideal, text), (real, _)) in made.iter().zip(&recorded) {
        let late = real.checked_sub(*ideal);
        let near = late.is_some_and(|late| LATENESS.contains(&late));
        assert!(near, "{letter} {text}: recorded {real} ms, here {ideal} ms");
    }
}

/// Section e is of the dispatcher for single items, which carries the status of AWS groups only.
#[test]
fn the_recording_has_the_sections_that_are_held_here_and_one_that_is_not_modelled() {
    let text = vector("acceptor-timing-realtime.txt");
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("-- ")).collect();
    let letters: String = headings.iter().filter_map(|line| line.chars().nth(3)).collect();
    assert_eq!(letters, "abcdef");
    assert_eq!(headings[4], "-- e: single item no batching delay");
}

#[test]
fn register_cancel_register_leaves_as_the_last_register_and_the_cancel() {
    let mut dispatcher = Dispatcher::standard();
    dispatcher.submit(0, "register", TaskAction::Register, 1);
    dispatcher.submit(0, "cancel", TaskAction::Cancel, 1);
    dispatcher.submit(0, "register2", TaskAction::Register, 1);
    let batch = dispatcher.one_until(2000);
    check("a", &[dispatcher.told(&batch, "Success")]);
    assert_eq!(dispatcher.dropped(), [("register", Overridden)]);
}

#[test]
fn overwriting_the_oldest_task_makes_everything_wait_anew() {
    let mut dispatcher = Dispatcher::standard();
    dispatcher.heartbeat(0, "hb0", 1);
    dispatcher.heartbeat(0, "hbB", 2);
    for (n, label) in ["hb1", "hb2", "hb3", "hb4", "hb5"].into_iter().enumerate() {
        let ms = 200 * (n as u64 + 1);
        assert!(dispatcher.until(ms).is_empty());
        dispatcher.heartbeat(ms, label, 1);
    }
    let batch = dispatcher.one_until(3000);
    check("b", &[dispatcher.told(&batch, "Success")]);
}

#[test]
fn a_failed_batch_goes_again_in_its_order_with_what_is_newer() {
    // The peer takes 3 ms to fail.
    let mut dispatcher = Dispatcher::standard();
    for (n, label) in ["t0", "t1", "t2"].into_iter().enumerate() {
        dispatcher.heartbeat(0, label, n);
    }
    let first = dispatcher.one_until(502);
    let mut made = vec![dispatcher.told(&first, "TransientError")];
    dispatcher.fail(503, first.1, Failure::Transient);
    dispatcher.heartbeat(503, "t1-new", 1);
    dispatcher.heartbeat(503, "t9", 9);
    let second = dispatcher.one_until(605);
    made.push(dispatcher.told(&second, "Congestion"));
    dispatcher.fail(606, second.1, Failure::Congestion);
    let third = dispatcher.one_until(5000);
    made.push(dispatcher.told(&third, "Success"));
    check("c", &made);
    assert_eq!(dispatcher.dropped(), [("t1", Overridden)]);
}

/// The heading says 600 tasks, but 650 were sent: so many are made here.
#[test]
fn one_worker_gets_250_tasks_at_a_time() {
    let recorded = section("d");
    let sizes = recorded.iter().filter_map(|(_, text)| text.rsplit(' ').next());
    let tasks: usize = sizes.map(|size| size.parse::<usize>().expect("a size")).sum();
    assert_eq!(tasks, 650);
    let mut dispatcher = Dispatcher::new(10_000, 1);
    (0..tasks).for_each(|instance| dispatcher.heartbeat(0, "t", instance));
    let mut made = Vec::new();
    for end in [509, 519, 1000] {
        // The thread has found no free worker and sleeps when this one is ready again.
        let (ms, batch) = dispatcher.one_until(end);
        made.push((ms, format!("batch size {}", batch.len())));
        dispatcher.acceptor.batch_done();
    }
    check("d", &made);
    assert_eq!(made.iter().map(|(ms, _)| *ms).collect::<Vec<_>>(), [500, 510, 520]);
}

#[test]
fn a_task_that_expired_before_it_could_leave_is_dropped() {
    let mut dispatcher = Dispatcher::standard();
    dispatcher.submit_for(0, 500, "old", TaskAction::Heartbeat, 1);
    dispatcher.submit_for(0, 501, "f", TaskAction::Heartbeat, 2);
    let batch = dispatcher.one_until(2000);
    check("f", &[dispatcher.told(&batch, "Success")]);
    assert_eq!(dispatcher.dropped(), [("old", Expired)]);
}

#[test]
fn a_batch_of_expired_tasks_only_is_none_and_takes_no_worker() {
    let mut dispatcher = Dispatcher::new(10_000, 1);
    dispatcher.submit_for(0, 400, "old", TaskAction::Cancel, 1);
    assert!(dispatcher.until(1000).is_empty());
    assert_eq!((dispatcher.dropped(), dispatcher.acceptor.waiting()), (vec![("old", Expired)], 0));
    dispatcher.heartbeat(1000, "next", 1);
    assert_eq!(dispatcher.one_until(2000).0, 1500);
}

#[test]
fn the_oldest_task_waits_half_a_second_on_the_grid_of_the_first() {
    let mut dispatcher = Dispatcher::standard();
    dispatcher.heartbeat(3, "first", 1);
    assert!(dispatcher.until(496).is_empty());
    dispatcher.heartbeat(496, "young", 2);
    let (ms, batch) = dispatcher.one_until(503);
    assert_eq!((ms, dispatcher.labels(&batch)), (503, vec!["first", "young"]));
    assert_eq!(dispatcher.acceptor.next_run(), None);
    // A new head that came off the grid leaves at the next step of the grid.
    dispatcher.heartbeat(1000, "head", 1);
    dispatcher.until(1204);
    dispatcher.heartbeat(1204, "head again", 1);
    assert_eq!(dispatcher.one_until(3000).0, 1710);
}

#[test]
fn a_backlog_leaves_at_once_in_as_many_batches_as_there_are_workers() {
    let mut dispatcher = Dispatcher::new(10_000, 2);
    (0..700).for_each(|instance| dispatcher.heartbeat(0, "t", instance));
    let batches = dispatcher.until(600);
    let sizes: Vec<_> = batches.iter().map(|(ms, batch)| (*ms, batch.len())).collect();
    assert_eq!(sizes, [(500, 250), (500, 250)]);
    assert_eq!(dispatcher.acceptor.waiting(), 200);
    dispatcher.acceptor.batch_done();
    assert_eq!(dispatcher.one_until(700).1.len(), 200);
}

#[test]
fn a_full_buffer_drops_the_oldest_task_and_waits_for_nothing() {
    let mut dispatcher = Dispatcher::new(3, 1);
    for (instance, label) in ["t0", "t1", "t2", "t3"].into_iter().enumerate() {
        dispatcher.heartbeat(0, label, instance);
    }
    let (ms, batch) = dispatcher.one_until(0);
    assert_eq!((ms, dispatcher.labels(&batch)), (0, vec!["t1", "t2", "t3"]));
    assert_eq!(dispatcher.dropped(), [("t0", Overflow)]);
    // With the worker busy the buffer stays full, and even a task that would only overwrite one of
    // its tasks costs the oldest.
    for (instance, label) in ["u0", "u1", "u2", "u2 again"].into_iter().enumerate() {
        dispatcher.heartbeat(100, label, instance.min(2));
    }
    assert!(dispatcher.until(200).is_empty());
    assert_eq!(dispatcher.dropped(), [("u0", Overflow), ("u2", Overridden)]);
    dispatcher.acceptor.batch_done();
    let (ms, batch) = dispatcher.one_until(1000);
    assert_eq!((ms, dispatcher.labels(&batch)), (600, vec!["u1", "u2 again"]));
}

/// One batch of these tasks, sent at +500 ms.
fn sent(dispatcher: &mut Dispatcher, labels: &[&'static str]) -> Vec<Task> {
    for (instance, label) in labels.iter().enumerate() {
        dispatcher.heartbeat(0, label, instance);
    }
    dispatcher.one_until(500).1
}

#[test]
fn a_failed_task_gives_way_to_a_newer_one_that_is_pending_already() {
    let mut dispatcher = Dispatcher::standard();
    let batch = sent(&mut dispatcher, &["t0", "t1", "t2"]);
    dispatcher.heartbeat(600, "t1-new", 1);
    assert!(dispatcher.until(650).is_empty());
    dispatcher.fail(650, batch, Failure::Transient);
    let (ms, batch) = dispatcher.one_until(2000);
    // The pass at 660 looked at the failure of 650 and waits until 750.
    assert_eq!((ms, dispatcher.labels(&batch)), (750, vec!["t0", "t2", "t1-new"]));
    assert_eq!(dispatcher.dropped(), [("t1", Overridden)]);
}

#[test]
fn a_failed_task_that_expired_meanwhile_is_not_tried_again() {
    let mut dispatcher = Dispatcher::standard();
    dispatcher.submit_for(0, 600, "short", TaskAction::Cancel, 1);
    dispatcher.submit_for(0, 700, "long", TaskAction::Cancel, 2);
    let (_, batch) = dispatcher.one_until(500);
    dispatcher.fail(600, batch, Failure::Transient);
    assert!(dispatcher.until(600).is_empty());
    assert_eq!(dispatcher.dropped(), [("short", Expired)]);
    assert!(dispatcher.until(2000).is_empty(), "the other one expired while it waited");
    assert_eq!(dispatcher.dropped(), [("long", Expired)]);
}

#[test]
fn failed_tasks_find_no_place_in_a_full_buffer() {
    let mut dispatcher = Dispatcher::new(3, 2);
    let batch = {
        dispatcher.heartbeat(0, "t0", 0);
        dispatcher.heartbeat(0, "t1", 1);
        dispatcher.one_until(500).1
    };
    dispatcher.heartbeat(600, "u7", 7);
    dispatcher.heartbeat(600, "u8", 8);
    assert!(dispatcher.until(650).is_empty());
    dispatcher.fail(650, batch, Failure::Congestion);
    dispatcher.until(660);
    assert_eq!(dispatcher.dropped(), [("t0", Overflow)], "the last of the batch came first");
    let (_, batch) = dispatcher.one_until(5000);
    assert_eq!(dispatcher.labels(&batch), ["t1", "u7", "u8"]);
}

#[test]
fn a_failure_is_noticed_when_the_poll_under_way_ends() {
    let mut dispatcher = Dispatcher::standard();
    let batch = sent(&mut dispatcher, &["t0"]);
    dispatcher.fail(734, batch, Failure::Transient);
    assert_eq!(dispatcher.acceptor.next_run(), Some(at(740).mono));
    // The network's 100 ms end at 834; the thread looks every 10 ms.
    assert_eq!(dispatcher.one_until(2000).0, 840);
}

#[test]
fn a_failure_during_a_wait_counts_only_after_it() {
    let mut dispatcher = Dispatcher::new(10_000, 2);
    (0..500).for_each(|instance| dispatcher.heartbeat(0, "t", instance));
    let mut batches = dispatcher.until(500);
    assert_eq!(batches.len(), 2);
    dispatcher.fail(510, batches.remove(0).1, Failure::Congestion);
    assert!(dispatcher.until(1400).is_empty());
    dispatcher.fail(1400, batches.remove(0).1, Failure::Congestion);
    let waits: Vec<u64> = dispatcher.until(5000).iter().map(|(ms, _)| *ms).collect();
    // Until 1510 for the first; a pass at that very ms sends, without looking at the second.
    assert_eq!(waits, [1510, 1510]);
}

#[test]
fn the_age_of_a_task_is_on_the_wall_clock() {
    let mut dispatcher = Dispatcher::standard();
    dispatcher.heartbeat(0, "t0", 0);
    dispatcher.until(100);
    dispatcher.stepped = 1000;
    assert_eq!(dispatcher.one_until(500).0, 110);
    dispatcher.heartbeat(1000, "t1", 1);
    dispatcher.until(1100);
    dispatcher.stepped = 700;
    assert_eq!(dispatcher.one_until(3000).0, 1800);
}

#[test]
fn congestion_waits_a_second_and_the_network_a_tenth() {
    let mut shaper = TrafficShaper::new();
    assert_eq!(shaper.transmission_delay(EPOCH), 0);
    shaper.register_failure(Failure::Permanent, EPOCH);
    assert_eq!(shaper.transmission_delay(EPOCH), 0);
    shaper.register_failure(Failure::Transient, EPOCH);
    assert_eq!(shaper.transmission_delay(EPOCH), 100);
    assert_eq!(shaper.transmission_delay(EPOCH + 99), 1);
    shaper.register_failure(Failure::Congestion, EPOCH + 99);
    assert_eq!(shaper.transmission_delay(EPOCH + 99), 1000, "congestion is looked at first");
    assert_eq!(shaper.transmission_delay(EPOCH + 1098), 1);
    assert_eq!(shaper.transmission_delay(EPOCH + 1099), 0);
}

#[test]
fn a_step_back_ends_the_wait_and_a_clock_near_zero_begins_with_one() {
    let mut shaper = TrafficShaper::new();
    shaper.register_failure(Failure::Congestion, EPOCH);
    assert_eq!(shaper.transmission_delay(EPOCH - 1), 0);
    assert_eq!(shaper.transmission_delay(EPOCH), 0, "it is forgotten");
    let mut shaper = TrafficShaper::new();
    assert_eq!(shaper.transmission_delay(300), 700, "0 looks like a failure just now");
}
