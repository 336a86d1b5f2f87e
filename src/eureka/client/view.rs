//! `Applications` on the client's side: what a consumer believes.
//!
//! Many clients see the same: they fetched the same payloads in the same order. So views are
//! immutable and shared, a client holds the number of its view, and the view that follows from a
//! view and a payload is made once, by whoever fetches that payload first.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::eureka::server::{Application, Applications};
use crate::eureka::{ActionType, InstanceInfo, InstanceKey, InstanceStatus, StatusCounts};

/// Number of a view in [`Views`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewId(u32);

impl ViewId {
    /// `new Applications()`: nothing, version −1.
    pub const EMPTY: Self = Self(0);
}

/// One state of a client's local registry.
#[derive(Clone, Debug)]
pub struct View {
    /// Applications in the order they were added, instances in theirs. An instance that changed
    /// stands at the end of its application.
    pub apps: Vec<Arc<Application>>,
    /// Version of the payload it came from.
    pub version: i64,
    /// Instances by status: its reconcile hash.
    pub counts: StatusCounts,
    /// Shared by views that differ in their version only.
    statuses: Arc<Statuses>,
}

/// The status of each instance by its number. Nearly all are UP, and a large fleet's bits stay in the
/// cache where its bytes do not.
#[derive(Debug, Default)]
struct Statuses {
    /// A bit for each, set for those that are UP.
    up: Vec<u64>,
    /// The place in [`InstanceStatus::ALL`] plus one; 0 for those that are not there.
    any: Vec<u8>,
}

impl Statuses {
    fn set(&mut self, key: InstanceKey, status: InstanceStatus) {
        let index = key.index();
        if self.any.len() <= index {
            self.any.resize(index + 1, 0);
            self.up.resize(index / 64 + 1, 0);
        }
        self.any[index] = status as u8 + 1;
        self.up[index / 64] |= u64::from(status == InstanceStatus::Up) << (index % 64);
    }

    #[inline(always)]
    fn get(&self, key: InstanceKey) -> Option<InstanceStatus> {
        let index = key.index();
        if self.up.get(index / 64).is_some_and(|bits| bits >> (index % 64) & 1 == 1) {
            return Some(InstanceStatus::Up);
        }
        let place = self.any.get(index)?.checked_sub(1)?;
        Some(InstanceStatus::ALL[usize::from(place)])
    }
}

impl View {
    fn new(apps: Vec<Arc<Application>>, version: i64) -> Self {
        let counts = apps.iter().map(|app| app.counts).sum();
        let mut statuses = Statuses::default();
        for info in apps.iter().flat_map(|app| app.instances.iter()) {
            statuses.set(info.key, info.status);
        }
        Self { apps, version, counts, statuses: Arc::new(statuses) }
    }

    /// The same instances under another version.
    fn with_version(&self, version: i64) -> Self {
        Self { version, ..self.clone() }
    }

    fn identity(&self) -> Identity {
        (Arc::as_ptr(&self.statuses).addr(), self.version)
    }

    /// The status of an instance; UNKNOWN if it is not there.
    #[must_use]
    pub fn status_of(&self, key: InstanceKey) -> InstanceStatus {
        self.listed(key).unwrap_or(InstanceStatus::Unknown)
    }

    /// The status of an instance that is there.
    #[must_use]
    pub fn listed(&self, key: InstanceKey) -> Option<InstanceStatus> {
        self.statuses.get(key)
    }

    /// The instances in order, those of one application together.
    pub fn instances(&self) -> impl Iterator<Item = &Arc<InstanceInfo>> {
        self.apps.iter().flat_map(|app| app.instances.iter())
    }

    /// The instances that callers get: the UP ones, or all of them.
    pub fn shown(&self, only_up: bool) -> impl Iterator<Item = &Arc<InstanceInfo>> {
        self.instances().filter(move |info| !only_up || info.status == InstanceStatus::Up)
    }

    /// How many they are.
    #[must_use]
    pub fn visible(&self, only_up: bool) -> u32 {
        if only_up { self.counts.get(InstanceStatus::Up) } else { self.counts.total() }
    }
}

/// What was done with a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Full,
    Delta,
    /// A full payload after a delta, whose version it gets.
    Reconcile(i64),
}

#[derive(Clone, Debug)]
struct Successor {
    step: Step,
    payload: Arc<Applications>,
    view: ViewId,
    /// Its instances have the hash that the delta names; a full payload's are not compared.
    fits: bool,
}

#[derive(Clone, Debug)]
struct Slot {
    view: Option<View>,
    /// How many clients see it.
    holders: u32,
    successors: Vec<Successor>,
    /// The views whose successor it is.
    origins: Vec<ViewId>,
}

/// All views of a run.
#[derive(Clone, Debug)]
pub struct Views {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Views that came from a full payload alone, whatever was there before.
    from_full: Vec<Successor>,
    /// Views by what tells them apart: whoever came to the same instances and version by way of other
    /// payloads sees the same. Asked for one at a time and never listed.
    known: FxHashMap<Identity, ViewId>,
    scratch: Vec<u32>,
}

/// Where the statuses of a view lie, which only views of the same instances share; and its version.
type Identity = (usize, i64);

/// How many views made from full payloads are remembered.
const REMEMBERED: usize = 64;

impl Default for Views {
    fn default() -> Self {
        let empty = View::new(Vec::new(), -1);
        let mut views = Self {
            slots: Vec::new(),
            free: Vec::new(),
            from_full: Vec::new(),
            known: FxHashMap::default(),
            scratch: Vec::new(),
        };
        views.add(empty);
        views
    }
}

impl Views {
    /// The view of this number.
    ///
    /// # Panics
    /// If nobody holds it.
    #[must_use]
    #[inline(always)]
    pub fn get(&self, view: ViewId) -> &View {
        self.slots[view.0 as usize].view.as_ref().expect("a held view is kept")
    }

    /// One more holder.
    #[inline(always)]
    pub fn hold(&mut self, view: ViewId) {
        self.slots[view.0 as usize].holders += 1;
    }

    /// One holder less; a view that nobody sees any more is forgotten.
    #[inline(always)]
    pub fn release(&mut self, view: ViewId) {
        let slot = &mut self.slots[view.0 as usize];
        slot.holders -= 1;
        if slot.holders == 0 {
            self.forget(view);
        }
    }

    #[cold]
    fn forget(&mut self, view: ViewId) {
        let slot = &mut self.slots[view.0 as usize];
        let gone = slot.view.take();
        let origins = std::mem::take(&mut slot.origins);
        for successor in std::mem::take(&mut slot.successors) {
            self.slots[successor.view.0 as usize].origins.retain(|origin| *origin != view);
        }
        for origin in origins {
            self.slots[origin.0 as usize].successors.retain(|successor| successor.view != view);
        }
        self.from_full.retain(|successor| successor.view != view);
        if let Some(gone) = gone {
            self.known.remove(&gone.identity());
        }
        self.free.push(view.0);
    }

    /// `getAndStoreFullRegistry`: the view of a full payload, held once for the caller.
    pub(super) fn full(&mut self, payload: &Arc<Applications>) -> ViewId {
        self.of_full(Step::Full, payload, payload.version)
    }

    /// `reconcileAndLogDifference`: the view of a full payload, with the version of the delta.
    pub(super) fn reconciled(&mut self, payload: &Arc<Applications>, version: i64) -> ViewId {
        self.of_full(Step::Reconcile(version), payload, version)
    }

    /// `updateDelta`: the view that follows from `view` and a delta, held once for the caller. It is
    /// the same view if the delta says nothing new. And whether its hash is the one the delta names.
    #[inline(always)]
    pub(super) fn with_delta(&mut self, view: ViewId, delta: &Arc<Applications>) -> (ViewId, bool) {
        let slot = &self.slots[view.0 as usize];
        if let Some(&Successor { view, fits, .. }) = find(&slot.successors, Step::Delta, delta) {
            self.hold(view);
            return (view, fits);
        }
        self.add_with_delta(view, delta)
    }

    #[cold]
    fn add_with_delta(&mut self, view: ViewId, delta: &Arc<Applications>) -> (ViewId, bool) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let (old, payload) = (self.get(view), Arc::clone(delta));
        let apps = apply_delta(&old.apps, delta, &mut scratch);
        let next = match same(&old.apps, &apps) {
            true => old.with_version(delta.version),
            false => View::new(apps, delta.version),
        };
        self.scratch = scratch;
        let fits = next.counts == delta.hash;
        // If the delta says nothing new, this is `view` itself.
        let next = match self.known.get(&next.identity()) {
            Some(&known) => {
                self.hold(known);
                known
            }
            None => self.add(next),
        };
        self.slots[next.0 as usize].origins.push(view);
        let successor = Successor { step: Step::Delta, payload, view: next, fits };
        self.slots[view.0 as usize].successors.push(successor);
        (next, fits)
    }

    fn of_full(&mut self, step: Step, payload: &Arc<Applications>, version: i64) -> ViewId {
        if let Some(&Successor { view, .. }) = find(&self.from_full, step, payload) {
            self.hold(view);
            return view;
        }
        let view = self.add(View::new(payload.apps.clone(), version));
        if self.from_full.len() == REMEMBERED {
            self.from_full.remove(0);
        }
        let payload = Arc::clone(payload);
        self.from_full.push(Successor { step, payload, view, fits: true });
        view
    }

    fn add(&mut self, view: View) -> ViewId {
        let identity = view.identity();
        let slot =
            Slot { view: Some(view), holders: 1, successors: Vec::new(), origins: Vec::new() };
        let number = self.free.pop().unwrap_or(self.slots.len() as u32);
        match self.slots.get_mut(number as usize) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        self.known.insert(identity, ViewId(number));
        ViewId(number)
    }
}

#[inline(always)]
fn find<'a>(
    successors: &'a [Successor],
    step: Step,
    payload: &Arc<Applications>,
) -> Option<&'a Successor> {
    let same =
        |successor: &&Successor| successor.step == step && Arc::ptr_eq(&successor.payload, payload);
    successors.iter().find(same)
}

fn same(old: &[Arc<Application>], new: &[Arc<Application>]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| Arc::ptr_eq(old, new))
}

/// `DiscoveryClient.updateDelta(Applications)`. If an application is not known yet, the delta's own
/// object is taken over, *with all instances the delta lists in it*, deleted ones too. Applications
/// that come out unchanged are the old ones.
fn apply_delta(
    old: &[Arc<Application>],
    delta: &Applications,
    scratch: &mut Vec<u32>,
) -> Vec<Arc<Application>> {
    let mut apps: Vec<Option<Arc<Application>>> = old.iter().cloned().map(Some).collect();
    for changed in &delta.apps {
        let known =
            |app: &Option<Arc<Application>>| app.as_ref().is_some_and(|a| a.app == changed.app);
        let mut place = apps.iter().position(known);
        let before = place.and_then(|place| apps[place].take());
        let mut editor = Editor::new(scratch);
        if let Some(app) = &before {
            editor.load(&app.instances);
        }
        for info in changed.instances.iter() {
            match info.action_type {
                None => {}
                Some(ActionType::Deleted) => {
                    editor.remove(info.key);
                    if editor.is_empty() {
                        place = None;
                    }
                }
                Some(ActionType::Added | ActionType::Modified) => {
                    if place.is_none() {
                        apps.push(None);
                        place = Some(apps.len() - 1);
                        editor.load(&changed.instances);
                    }
                    editor.remove(info.key);
                    editor.push(info);
                }
            }
        }
        let instances = editor.finish();
        if let (Some(place), false) = (place, instances.is_empty()) {
            let unchanged = before.filter(|before| {
                let pairs = before.instances.iter().zip(&instances);
                before.instances.len() == instances.len()
                    && pairs.into_iter().all(|(a, b)| Arc::ptr_eq(a, b))
            });
            let after = || Arc::new(Application::new(changed.app, instances));
            apps[place] = Some(unchanged.unwrap_or_else(after));
        }
    }
    apps.into_iter().flatten().collect()
}

/// The instances of one application while a delta changes them, found by key in constant time.
struct Editor<'a> {
    slots: Vec<Option<Arc<InstanceInfo>>>,
    len: usize,
    /// For each instance number the position in `slots`, plus one; 0 for none. All zero between uses.
    places: &'a mut Vec<u32>,
}

impl<'a> Editor<'a> {
    fn new(places: &'a mut Vec<u32>) -> Self {
        Self { slots: Vec::new(), len: 0, places }
    }

    fn load(&mut self, instances: &[Arc<InstanceInfo>]) {
        instances.iter().for_each(|info| self.push(info));
    }

    const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn push(&mut self, info: &Arc<InstanceInfo>) {
        let index = info.key.index();
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        self.slots.push(Some(Arc::clone(info)));
        self.places[index] = self.slots.len() as u32;
        self.len += 1;
    }

    fn remove(&mut self, key: InstanceKey) {
        let place = self.places.get_mut(key.index()).map_or(0, std::mem::take);
        if place > 0 {
            self.slots[place as usize - 1] = None;
            self.len -= 1;
        }
    }

    fn finish(self) -> Vec<Arc<InstanceInfo>> {
        let left: Vec<_> = self.slots.into_iter().flatten().collect();
        for info in &left {
            self.places[info.key.index()] = 0;
        }
        left
    }
}
