//! Runs: a plan becomes a world, the world is run under an observer, and what was recorded comes
//! back. Progress and interruption are the caller's, through [`Pulse`].

use crate::observe::{Recording, Watch};
use crate::scenario::Plan;
use crate::sim::queue::{EventQueue, TimingWheel};
use crate::sim::{DigestValue, Event, Observer, Silent, World};
use crate::time::Instant;

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
    drive(&mut world, plan, if TRACED { TRACED_SLICE } else { SLICE }, pulse)?;
    let digest = world.digest();
    let mut recording = None;
    world.observe(|watch, _, view| recording = Some(watch.finish(view, digest)));
    let recording = recording.expect("observe() calls what it is given");
    Ok((recording, world.into_observer()))
}

/// Runs a plan with nobody watching, on the queue of the caller's choice: the digest and the number
/// of events.
#[must_use]
pub fn digest<Q: EventQueue<Event>>(plan: &Plan) -> (DigestValue, u64) {
    let mut world = World::<_, Q>::new(&plan.setup, Silent);
    let all = drive(&mut world, plan, SLICE, &mut ());
    debug_assert_eq!(all, Ok(()), "nobody ends this run");
    (world.digest(), world.handled())
}

fn drive<O: Observer, Q: EventQueue<Event>>(
    world: &mut World<'_, O, Q>,
    plan: &Plan,
    slice: u64,
    pulse: &mut dyn Pulse,
) -> Result<(), Interrupted> {
    while !world.run_until(plan.setup.duration, slice) {
        if !pulse.beat(world.now(), world.handled()) {
            return Err(Interrupted);
        }
    }
    Ok(())
}
