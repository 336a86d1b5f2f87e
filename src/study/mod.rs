//! Runs: a plan becomes a world, the world is run under an observer, and what was recorded comes
//! back. Progress and interruption are the caller's, through [`Pulse`].

pub mod explain;
mod faults;
pub mod hunt;
pub mod tune;

use std::sync::mpsc;

use rayon::ThreadPoolBuilder;
use rayon::iter::{ParallelBridge, ParallelIterator};

use crate::observe::{CostWatch, Costs, Ending, Recording, Size, Watch};
use crate::scenario::Plan;
use crate::sim::queue::{EventQueue, TimingWheel};
use crate::sim::{DigestValue, Event, Observer, Silent, World};
use crate::time::Instant;

pub use faults::{Fault, NoFault, Suite, settled};

/// Events between two looks at a [`Pulse`].
const SLICE: u64 = 16_384;
/// The same where every operation of a server is written out, which may take milliseconds.
const TRACED_SLICE: u64 = 256;

/// Somebody who is told now and then how far a run is, and may end it.
pub trait Pulse {
    /// The run has reached `now` and handled `events`; whether it goes on.
    fn beat(&mut self, now: Instant, events: u64) -> bool;
}

/// Lets a run go on to its end.
impl Pulse for () {
    fn beat(&mut self, _now: Instant, _events: u64) -> bool {
        true
    }
}

/// A run was ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// Runs a plan under an observer and gives back what was recorded, and the observer for its files.
///
/// # Errors
/// If `pulse` ended the run.
pub fn run<const TRACED: bool>(
    plan: &Plan,
    watch: Watch<TRACED>,
    pulse: &mut dyn Pulse,
) -> Result<(Recording, Watch<TRACED>), Interrupted> {
    let mut world = World::<_, TimingWheel<Event>>::new(&plan.setup, watch);
    let slice = if TRACED { TRACED_SLICE } else { SLICE };
    drive(&mut world, plan.setup.duration, slice, pulse)?;
    let digest = world.digest();
    let mut recording = None;
    world.observe(|watch, _, view| recording = Some(watch.finish(view, digest)));
    let recording = recording.expect("observe() calls what it is given");
    Ok((recording, world.into_observer()))
}

/// What a run costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Over every fact.
    pub digest: DigestValue,
    /// Events handled.
    pub events: u64,
    /// What it costs.
    pub costs: Costs,
    /// How it ended.
    pub ending: Ending,
    /// How many were registered, if that was asked for.
    pub sizes: Vec<Size>,
}

/// Runs a plan for its costs.
///
/// # Errors
/// If `pulse` ended the run.
pub fn cost(plan: &Plan, watch: CostWatch, pulse: &mut dyn Pulse) -> Result<Outcome, Interrupted> {
    let mut world = World::<_, TimingWheel<Event>>::new(&plan.setup, watch);
    drive(&mut world, plan.setup.duration, SLICE, pulse)?;
    let (digest, events) = (world.digest(), world.handled());
    let mut finished = None;
    world.observe(|watch, _, view| finished = Some(watch.finish(view)));
    let (costs, ending, sizes) = finished.expect("observe() calls what it is given");
    Ok(Outcome { digest, events, costs, ending, sizes })
}

/// Runs a plan with nobody watching, on the queue of the caller's choice: the digest and the number
/// of events.
#[must_use]
pub fn digest<Q: EventQueue<Event>>(plan: &Plan) -> (DigestValue, u64) {
    let mut world = World::<_, Q>::new(&plan.setup, Silent);
    let all = drive(&mut world, plan.setup.duration, SLICE, &mut ());
    debug_assert_eq!(all, Ok(()), "nobody ends this run");
    (world.digest(), world.handled())
}

/// Does `work` for every item on `jobs` threads (0: one for each core) and gives the results to `done`
/// on the calling thread, in the order of the items, each as soon as those before it are there. Results
/// do not depend on the number of threads, as long as `work` is a function of the item.
pub fn in_order<T: Sync, R: Send>(
    items: &[T],
    jobs: u16,
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(R),
) {
    let mut waiting: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let mut next = 0;
    as_they_come(items, jobs, work, |index, result| {
        waiting[index] = Some(result);
        while let Some(result) = waiting.get_mut(next).and_then(Option::take) {
            done(result);
            next += 1;
        }
    });
}

/// Does `work` for every item on `jobs` threads (0: one for each core) and gives the results to `done`
/// on the calling thread as they come, each with the position of its item. The first items are begun
/// first.
pub fn as_they_come<T: Sync, R: Send>(
    items: &[T],
    jobs: u16,
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(usize, R),
) {
    let pool = ThreadPoolBuilder::new().num_threads(usize::from(jobs)).build();
    let Ok(pool) = pool else {
        // No threads are to be had: what there is to do can be done without.
        items.iter().enumerate().for_each(|(index, item)| done(index, work(item)));
        return;
    };
    let (sender, results) = mpsc::channel();
    let work = &work;
    pool.in_place_scope(|scope| {
        scope.spawn(move |_| {
            // Taken one by one, so that the first results are the first items'.
            let items = items.iter().enumerate().par_bridge();
            items.for_each_with(sender, |sender, (index, item)| {
                // Who receives has gone only if it panicked.
                let _ = sender.send((index, work(item)));
            });
        });
        for (index, result) in results {
            done(index, result);
        }
    });
}

/// Runs a world up to and including an instant.
fn drive<O: Observer, Q: EventQueue<Event>>(
    world: &mut World<'_, O, Q>,
    limit: Instant,
    slice: u64,
    pulse: &mut dyn Pulse,
) -> Result<(), Interrupted> {
    while !world.run_until(limit, slice) {
        if !pulse.beat(world.now(), world.handled()) {
            return Err(Interrupted);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::in_order;

    /// The first item is ready only when the last has been begun: with two threads that is so, and
    /// its result is the first all the same.
    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..20).collect();
        let (begun, changed) = (Mutex::new(0), Condvar::new());
        let work = |item: &usize| {
            let mut count = begun.lock().expect("nobody panics");
            *count += 1;
            changed.notify_all();
            while *item == 0 && *count < items.len() {
                count = changed.wait(count).expect("nobody panics");
            }
            item * item
        };
        let mut results = Vec::new();
        in_order(&items, 2, work, |result| results.push(result));
        assert_eq!(results, items.iter().map(|item| item * item).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        in_order(&[0_u8; 0], 0, |_| (), |()| panic!("there is no item"));
    }
}
