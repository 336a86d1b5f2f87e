//! The same again is no news: entries of a story that are folded into one.

use std::cmp::Ordering;

use super::what::{Place, StoryEvent, What};
use crate::eureka::InstanceStatus;
use crate::eureka::server::Decision;
use crate::time::Instant;

/// The entries so far, and which of them may still grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    events: Vec<StoryEvent>,
    /// Positions of those.
    open: Vec<usize>,
}

impl Folded {
    /// Something happens.
    pub(super) fn push(&mut self, at: Instant, place: Place, what: What) {
        let known = self.open.iter().copied().find(|open| {
            let event = &self.events[*open];
            event.place == place && is_same(&event.what, &what)
        });
        if let Some(open) = known {
            let event = &mut self.events[open];
            event.count += 1;
            event.last = at;
            event.what = what;
            return;
        }
        let events = &self.events;
        match (&what, place) {
            // Views are nobody's reason.
            (What::Sees(_), _) => self.open.retain(|open| events[*open].place != place),
            // What a server answers otherwise than before begins anew.
            (What::Heartbeat { .. } | What::Evict(_) | What::Answered { .. }, _) => {
                self.open.retain(|open| {
                    let event = &events[*open];
                    event.place != place
                        || std::mem::discriminant(&event.what) != std::mem::discriminant(&what)
                })
            }
            _ if is_routine(&what) => {}
            // What the process does is a new chapter everywhere.
            (_, Place::Process) => self.open.retain(|open| is_view(events[*open].place)),
            _ => self.open.retain(|open| events[*open].place != place),
        }
        if may_grow(&what) {
            self.open.push(self.events.len());
        }
        self.events.push(StoryEvent { at, last: at, count: 1, place, what });
    }

    /// Whether nothing has been told so far.
    pub(super) const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// All entries, by their first times.
    pub(super) fn into_events(self) -> Vec<StoryEvent> {
        self.events
    }
}

const fn is_view(place: Place) -> bool {
    matches!(place, Place::Client(_) | Place::Others)
}

/// What happens all the time, and changes nothing.
const fn is_routine(what: &What) -> bool {
    matches!(
        what,
        What::Heartbeat { .. }
            | What::Renewed { .. }
            | What::Evict(_)
            | What::Unheard { .. }
            | What::Client { .. }
            | What::Answered { .. }
            | What::BatchLost { .. }
            | What::Dropped { .. }
            | What::Told { .. }
    )
}

/// What may happen again in just the same way.
const fn may_grow(what: &What) -> bool {
    is_routine(what) || matches!(what, What::Registered { .. } | What::Refused(_) | What::Sees(_))
}

/// Whether two entries say the same but for the time. Timestamps of registrations and of what is refused go
/// on; what counts is how they compare.
fn is_same(one: &What, other: &What) -> bool {
    match (one, other) {
        (
            What::Heartbeat { code: 200, dirty, stored, .. },
            What::Heartbeat { code: 200, dirty: dirty_b, stored: stored_b, .. },
        ) => (dirty, stored) == (dirty_b, stored_b),
        (
            What::Heartbeat { code, dirty, stored, .. },
            What::Heartbeat { code: code_b, dirty: dirty_b, stored: stored_b, .. },
        ) => {
            let status = |stored: &Option<(_, i64)>| stored.map(|(status, _)| status);
            code == code_b
                && status(stored) == status(stored_b)
                && compared(*dirty, *stored) == compared(*dirty_b, *stored_b)
        }
        (What::Renewed { .. }, What::Renewed { .. }) => true,
        (What::Evict(one), What::Evict(other)) => {
            one.rank.is_none() && other.rank.is_none() && one.enabled == other.enabled
        }
        (
            What::Registered { status, decision, replica, .. },
            What::Registered { status: status_b, decision: decision_b, replica: replica_b, .. },
        ) => {
            let in_short = |of: &Decision| {
                let stored = of.stored.map(|(status, _)| status);
                let compared = compared(Some(of.brought.1), of.stored);
                (of.brought.0, stored, compared, of.kept, of.rule)
            };
            (status, replica) == (status_b, replica_b) && in_short(decision) == in_short(decision_b)
        }
        (
            What::Told { to, action, status, .. },
            What::Told { to: to_b, action: action_b, status: status_b, .. },
        ) => (to, action, status) == (to_b, action_b, status_b),
        _ => one == other,
    }
}

/// How a timestamp that is brought compares with the stored one.
fn compared(brought: Option<i64>, stored: Option<(InstanceStatus, i64)>) -> Option<Ordering> {
    Some(brought?.cmp(&stored?.1))
}

#[cfg(test)]
mod tests {
    use super::Folded;
    use crate::eureka::InstanceStatus::{Down, Up};
    use crate::observe::story::what::{Place, What};
    use crate::sim::HostId;
    use crate::time::Instant;

    const SERVER: Place = Place::Server(HostId::new(0));

    fn beat(code: u16, own: i64, known: i64) -> What {
        let stored = Some((Up, known));
        What::Heartbeat { code, dirty: Some(own), stored, compares: true, lease: None }
    }

    /// How often each entry happened, in the order of their beginnings.
    fn folded(entries: &[(Place, What)]) -> Vec<u64> {
        let mut story = Folded::default();
        for (second, (place, what)) in (0..).zip(entries) {
            story.push(Instant::from_nanos(second), *place, what.clone());
        }
        let events = story.into_events();
        assert!(events.is_sorted_by_key(|event| event.at));
        events.iter().map(|event| event.count).collect()
    }

    #[test]
    fn heartbeats_that_are_answered_alike_are_one_entry() {
        let beats = [(SERVER, beat(200, 5, 5)), (SERVER, beat(200, 5, 5))];
        assert_eq!(folded(&beats), [2]);
        let other =
            [(SERVER, beat(200, 5, 5)), (SERVER, beat(200, 5, 6)), (SERVER, beat(200, 5, 5))];
        assert_eq!(folded(&other), [1, 1, 1], "another comparison in between");
        let elsewhere =
            [(SERVER, beat(200, 5, 5)), (Place::Server(HostId::new(1)), beat(200, 5, 5))];
        assert_eq!(folded(&elsewhere), [1, 1]);
    }

    /// Timestamps of those that are refused go on from one to the next: what counts is how they compare.
    #[test]
    fn refusals_that_compare_alike_are_one_entry() {
        let refused =
            [(SERVER, beat(404, 6, 5)), (SERVER, beat(404, 7, 5)), (SERVER, beat(404, 5, 5))];
        assert_eq!(folded(&refused), [2, 1]);
    }

    #[test]
    fn what_the_process_does_begins_a_new_chapter_and_what_a_consumer_sees_does_not() {
        let script = (Place::Process, What::SetStatus(Down));
        let beats = [(SERVER, beat(200, 5, 5)), script, (SERVER, beat(200, 5, 5))];
        assert_eq!(folded(&beats), [1, 1, 1]);
        let sees = (Place::Client(HostId::new(9)), What::Sees(crate::observe::Seen::Absent));
        let beats = [(SERVER, beat(200, 5, 5)), sees, (SERVER, beat(200, 5, 5))];
        assert_eq!(folded(&beats), [2, 1]);
    }
}
