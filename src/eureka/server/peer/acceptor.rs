//! `AcceptorExecutor`: the thread that gathers tasks into batches, as a sequence of passes.
//!
//! The real thread polls its queue and sleeps in steps of 10 ms. While nothing is pending it sits in
//! a poll that a new task ends at once, so the grid of its steps begins at that task. A failed batch
//! wakes nobody: it is noticed when the poll or sleep under way ends.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::Dropped;
use super::task::{Task, TaskAction};
use super::traffic_shaper::{Failure, TrafficShaper};
use crate::eureka::InstanceKey;
use crate::time::Now;

/// Nanoseconds of one poll or sleep.
const STEP: u64 = 10_000_000;
/// Most tasks in one batch.
const MAX_BATCHING_SIZE: usize = 250;
/// Milliseconds the oldest task waits for others.
const MAX_BATCHING_DELAY: i64 = 500;

/// Kind and instance: what makes two tasks the same.
type TaskId = (TaskAction, InstanceKey);

#[derive(Clone, Debug)]
pub(super) struct AcceptorExecutor {
    acceptor_queue: VecDeque<Task>,
    reprocess_queue: Vec<Task>,
    pending: Pending,
    max_buffer_size: usize,
    /// Workers that wait for a batch.
    permits: u32,
    under_way: u32,
    /// Wall clock (ms) until which nothing is sent; not looked at again before it has passed.
    schedule_time: i64,
    shaper: TrafficShaper,
    /// Monotonic clock (ns) of the next pass; none while the thread polls and nothing can come but a
    /// task.
    next_run: Option<u64>,
    /// Monotonic clock (ns) at which the poll under way began.
    polling_since: u64,
}

impl AcceptorExecutor {
    pub(super) fn new(max_buffer_size: usize, workers: u32) -> Self {
        Self {
            acceptor_queue: VecDeque::new(),
            reprocess_queue: Vec::new(),
            pending: Pending::default(),
            max_buffer_size,
            permits: workers,
            under_way: 0,
            schedule_time: 0,
            shaper: TrafficShaper::new(),
            next_run: None,
            polling_since: 0,
        }
    }

    pub(super) const fn next_run(&self) -> Option<u64> {
        self.next_run
    }

    pub(super) fn waiting(&self) -> usize {
        self.acceptor_queue.len() + self.reprocess_queue.len() + self.pending.len()
    }

    /// Every task that waits.
    pub(super) fn into_tasks(self) -> impl Iterator<Item = Task> {
        self.acceptor_queue.into_iter().chain(self.reprocess_queue).chain(self.pending.tasks)
    }

    /// `process(id, task, expiryTime)`: ends the poll of an idle thread.
    #[inline(always)]
    pub(super) fn process(&mut self, task: Task, mono: u64) {
        self.acceptor_queue.push_back(task);
        if self.pending.is_empty() {
            self.next_run = Some(mono);
        }
    }

    /// A worker has finished its batch and waits for the next.
    pub(super) fn batch_done(&mut self) {
        self.permits += 1;
        self.under_way -= 1;
    }

    /// `reprocess(holders, result)`: noticed when the poll under way ends, if the thread polls.
    pub(super) fn reprocess(&mut self, tasks: Vec<Task>, failure: Failure, now: Now) {
        self.reprocess_queue.extend(tasks);
        self.shaper.register_failure(failure, now.wall);
        if self.next_run.is_none() {
            self.next_run = Some(self.poll_ends(now.mono));
        }
    }

    /// The process goes on, having been frozen at `frozen` (monotonic, ns). A poll that ended meanwhile
    /// ends now, and the next one begins a grid of its own, on which failures are noticed. Without a
    /// batch under way there can be none.
    pub(super) fn resume(&mut self, frozen: u64) {
        if self.next_run.is_none() && self.under_way > 0 {
            self.next_run = Some(self.poll_ends(frozen));
        }
    }

    /// When the poll that is under way at `mono` ends.
    fn poll_ends(&self, mono: u64) -> u64 {
        let polled = mono.saturating_sub(self.polling_since);
        self.polling_since + polled.div_ceil(STEP).max(1) * STEP
    }

    /// One pass of the loop, if it is one that does nothing but wait: most are.
    pub(super) fn idles(&mut self, now: Now) -> bool {
        let idles = self.acceptor_queue.is_empty()
            && self.reprocess_queue.is_empty()
            && self.is_gathering(now.wall);
        if idles {
            self.reschedule(now.wall);
            self.next_run = Some(now.mono + STEP);
        }
        idles
    }

    /// Whether the oldest task is so young that it waits for others, and there is room for them.
    fn is_gathering(&self, wall: i64) -> bool {
        let oldest = self.pending.tasks.front();
        oldest.is_some_and(|task| wall - task.submitted < MAX_BATCHING_DELAY)
            && self.pending.len() < self.max_buffer_size
    }

    /// Looks again at how long to stay away from a peer that failed, when the last time is over.
    fn reschedule(&mut self, wall: i64) {
        if self.schedule_time < wall {
            self.schedule_time = wall + self.shaper.transmission_delay(wall);
        }
    }

    /// Passes of the loop until a batch is complete or the thread waits. Tasks that are dropped are
    /// put into `dropped`, with the reason.
    pub(super) fn run(
        &mut self,
        now: Now,
        dropped: &mut Vec<(Task, Dropped)>,
    ) -> Option<Vec<Task>> {
        loop {
            self.drain_reprocess_queue(now.wall, dropped);
            self.drain_acceptor_queue(dropped);
            if self.pending.is_empty() {
                self.polling_since = now.mono;
                self.next_run = None;
                return None;
            }
            let total = self.pending.len();
            self.reschedule(now.wall);
            if self.schedule_time <= now.wall
                && let Some(batch) = self.assign_batch(now.wall, dropped)
            {
                self.next_run = Some(now.mono);
                return Some(batch);
            }
            if self.pending.len() == total {
                self.next_run = Some(now.mono + STEP);
                return None;
            }
        }
    }

    /// The last task first, each to the front: failed tasks keep their order, ahead of newer ones.
    fn drain_reprocess_queue(&mut self, wall: i64, dropped: &mut Vec<(Task, Dropped)>) {
        while self.pending.len() < self.max_buffer_size {
            let Some(task) = self.reprocess_queue.pop() else {
                return;
            };
            if task.expiry <= wall {
                dropped.push((task, Dropped::Expired));
            } else if self.pending.contains(&task) {
                dropped.push((task, Dropped::Overridden));
            } else {
                self.pending.push_front(task);
            }
        }
        let left = self.reprocess_queue.drain(..);
        dropped.extend(left.map(|task| (task, Dropped::Overflow)));
    }

    /// An id that is pending already keeps its position, but has the new task and its age.
    fn drain_acceptor_queue(&mut self, dropped: &mut Vec<(Task, Dropped)>) {
        while let Some(task) = self.acceptor_queue.pop_front() {
            if self.pending.len() >= self.max_buffer_size {
                let oldest = self.pending.pop_front();
                dropped.extend(oldest.map(|task| (task, Dropped::Overflow)));
            }
            let previous = self.pending.put(task);
            dropped.extend(previous.map(|task| (task, Dropped::Overridden)));
        }
    }

    /// `assignBatchWork()`: everything pending goes, however young, once the oldest is old enough.
    fn assign_batch(&mut self, wall: i64, dropped: &mut Vec<(Task, Dropped)>) -> Option<Vec<Task>> {
        if self.permits == 0 || self.is_gathering(wall) {
            return None;
        }
        let len = self.pending.len().min(MAX_BATCHING_SIZE);
        let mut batch = Vec::with_capacity(len);
        while batch.len() < len {
            let Some(task) = self.pending.pop_front() else {
                break;
            };
            if task.expiry > wall {
                batch.push(task);
            } else {
                dropped.push((task, Dropped::Expired));
            }
        }
        if batch.is_empty() {
            return None;
        }
        self.permits -= 1;
        self.under_way += 1;
        Some(batch)
    }
}

/// `pendingTasks` and `processingOrder`: tasks in the order in which they leave, one for each id.
#[derive(Clone, Debug, Default)]
struct Pending {
    tasks: VecDeque<Task>,
    /// A bit for each instance of which a task is pending, by kind.
    ids: [Vec<u64>; TaskAction::COUNT],
    /// The place of the first task. Places go up by one from task to task, and wrap.
    first: u32,
    /// The place of each id, asked for one at a time and never listed. Not known before a task has taken
    /// the place of another: nearly always one is pending for half a second, and the next comes later.
    places: Option<FxHashMap<TaskId, u32>>,
}

impl Pending {
    fn len(&self) -> usize {
        self.tasks.len()
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Whether a task of the same id is pending.
    fn contains(&self, task: &Task) -> bool {
        let (word, bit) = place_of_bit(task);
        self.ids[task.action as usize].get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Puts a task behind all others, or in the place of the one of the same id, which is given back.
    #[inline(always)]
    fn put(&mut self, task: Task) -> Option<Task> {
        if self.contains(&task) {
            return Some(self.replace(task));
        }
        let place = self.first.wrapping_add(self.tasks.len() as u32);
        self.note(&task, place);
        self.tasks.push_back(task);
        None
    }

    #[cold]
    fn replace(&mut self, task: Task) -> Task {
        let numbered = self.tasks.iter().zip(0_u32..);
        let all = || numbered.map(|(task, n)| (id_of(task), self.first.wrapping_add(n))).collect();
        let place = self.places.get_or_insert_with(all)[&id_of(&task)];
        let index = place.wrapping_sub(self.first) as usize;
        std::mem::replace(&mut self.tasks[index], task)
    }

    /// Puts a task, of whose id there is none, before all others.
    fn push_front(&mut self, task: Task) {
        self.first = self.first.wrapping_sub(1);
        self.note(&task, self.first);
        self.tasks.push_front(task);
    }

    /// A task of a new id has a place.
    fn note(&mut self, task: &Task, place: u32) {
        let (word, bit) = place_of_bit(task);
        let ids = &mut self.ids[task.action as usize];
        if ids.len() <= word {
            ids.resize(word + 1, 0);
        }
        ids[word] |= bit;
        if let Some(places) = &mut self.places {
            places.insert(id_of(task), place);
        }
    }

    #[inline(always)]
    fn pop_front(&mut self) -> Option<Task> {
        let task = self.tasks.pop_front()?;
        self.first = self.first.wrapping_add(1);
        self.forget(&task);
        Some(task)
    }

    /// A task has left.
    #[inline(always)]
    fn forget(&mut self, task: &Task) {
        let (word, bit) = place_of_bit(task);
        self.ids[task.action as usize][word] &= !bit;
        if self.tasks.is_empty() {
            self.places = None;
        }
        if let Some(places) = &mut self.places {
            places.remove(&id_of(task));
        }
    }
}

const fn id_of(task: &Task) -> TaskId {
    (task.action, task.key)
}

/// Which word of the bits of its kind has the bit of a task, and the bit.
const fn place_of_bit(task: &Task) -> (usize, u64) {
    (task.key.index() / 64, 1 << (task.key.index() % 64))
}
