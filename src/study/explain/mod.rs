//! One instance explained: its story up to an instant, what is wrong with it then, and what would cure it,
//! each cure tried in a run of its own.

mod cure;
mod fork;
mod question;

use crate::eureka::{InstanceKey, InstanceStatus};
use crate::observe::{Detector, Finding, Place, Seen, Story, StoryEvent, StoryLane};
use crate::scenario::Plan;
use crate::sim::queue::TimingWheel;
use crate::sim::{DigestValue, Event, Fact, HostId, Observer, World, WorldView};
use crate::study::{Interrupted, Pulse, SLICE, drive, in_order};
use crate::time::Instant;

pub use cure::{Cure, Tried};
pub use fork::{FUTURE, Fork};
pub use question::{Question, Unanswerable};

/// An instance explained.
#[derive(Debug)]
pub struct Explanation {
    /// Which.
    pub key: InstanceKey,
    /// At which instant.
    pub at: Instant,
    /// The server that was asked about, if one was.
    pub asked: Option<HostId>,
    /// Over all that happened up to then.
    pub digest: DigestValue,
    /// What its own process calls itself; none if it does not run.
    pub own: Option<InstanceStatus>,
    /// What its application means it to be; none if its process does not run, or is about to go.
    pub meant: Option<InstanceStatus>,
    /// Whether a process of the run ever was this instance.
    pub ran: bool,
    /// What each server says of it, in their order.
    pub servers: Vec<AtServer>,
    /// How many consumers see it in which way.
    pub views: Vec<(Seen, usize)>,
    /// Everything that happened to it, by time.
    pub events: Vec<StoryEvent>,
    /// What each place showed over time.
    pub lanes: Vec<StoryLane>,
    /// What is wrong with it, by server, and last what is between servers.
    pub wrong: Vec<Finding>,
    /// What was tried; nothing if nothing is wrong.
    pub cures: Vec<Tried>,
}

/// What a server says of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtServer {
    /// Which server.
    pub server: HostId,
    /// What; [`Seen::Nobody`] if it does not run.
    pub seen: Seen,
    /// Since when; none if it never was otherwise.
    pub since: Option<Instant>,
}

impl Explanation {
    /// What is wrong, in a word: what is at the server that was asked about, if it is one of those; what is at
    /// a server goes before what is between servers.
    #[must_use]
    pub fn main(&self) -> Option<&Finding> {
        let asked = self.wrong.iter().find(|finding| Some(finding.server) == self.asked);
        asked.or_else(|| self.wrong.first())
    }
}

/// Watches a run for one instance.
struct Watcher {
    story: Story,
    detector: Detector,
}

impl Observer for Watcher {
    fn fact(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        self.story.fact(at, fact, world);
        self.detector.fact(at, fact, world);
    }

    fn elapsed(&mut self, next: Instant, world: &WorldView<'_>) {
        self.story.elapsed(next, world);
        self.detector.elapsed(next, world);
    }
}

/// Runs a plan up to the instant of the question, tells the story of the instance, and tries what might
/// cure it, on `jobs` threads (0: one for each core). Each run has a pulse of its own.
///
/// # Errors
/// If a pulse ended a run.
pub fn explain<P: Pulse>(
    plan: &Plan,
    question: Question,
    jobs: u16,
    pulse: impl Fn() -> P + Sync,
) -> Result<Explanation, Interrupted> {
    let Question { key, at, .. } = question;
    let watcher = Watcher { story: Story::new(plan, key), detector: Detector::new(plan) };
    let mut world = World::<_, TimingWheel<Event>>::new(&plan.setup, watcher);
    drive(&mut world, at, SLICE, &mut pulse())?;
    let digest = world.digest();
    let mut judged = None;
    world.observe(|Watcher { story, detector }, _, view| {
        story.look(view);
        let wrong = detector.wrong_with(key, view);
        let cures = match wrong.is_empty() {
            true => Vec::new(),
            false => cure::proposed(story, detector, key, view),
        };
        judged = Some((wrong, cures, detector.meant(key), story.views(view)));
    });
    let (wrong, cures, meant, views) = judged.expect("observe() calls what it is given");
    let Watcher { story, .. } = world.into_observer();
    let ran = story.host().is_some();
    let (events, lanes) = story.into_parts();
    let own = lanes.iter().find(|lane| lane.place == Place::Process).map(StoryLane::now);
    let servers = lanes.iter().filter_map(|lane| match lane.place {
        Place::Server(server) => Some(AtServer { server, seen: lane.now(), since: lane.since() }),
        _ => None,
    });
    let servers = servers.collect();
    let own = match own {
        Some(Seen::Status(status)) => Some(status),
        _ => None,
    };
    let mut tried = Vec::new();
    let try_one = |cure: &Cure| {
        let fork = Fork::new(plan, at, cure.entries());
        fork.judge(key, &mut pulse()).map(|at| Tried { cure: cure.clone(), at })
    };
    in_order(&cures, jobs, try_one, |result| tried.push(result));
    let cures = tried.into_iter().collect::<Result<_, _>>()?;
    Ok(Explanation {
        key,
        at,
        asked: question.server,
        digest,
        own,
        meant,
        ran,
        servers,
        views,
        events,
        lanes,
        wrong,
        cures,
    })
}
