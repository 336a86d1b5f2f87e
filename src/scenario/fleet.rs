//! Who belongs to an application when: what `scale` and `deploy` make of the instances that [[apps]]
//! gives it.
//!
//! Both are known before the run. The instances of an application have the indices 0, 1, 2 …; those below
//! its size belong to it, and `scale` changes the size. A `deploy` gives each index its turn; from then
//! on the index means the replacement, even while the predecessor is on its way out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::apps::{Group, MOST_INSTANCES};
use super::build::Builder;
use super::diagnostics::Diagnostics;
use super::reader::{Read, Reader, required};
use super::source::Place;
use super::timeline::Head;
use super::{deploy, scale, select};
use crate::eureka::{AppId, InstanceKey};
use crate::sim::{Action, FleetChange, FleetStep, HostId, Member};
use crate::time::{Instant, Span};

/// A point in the script: what entries with lower numbers do at this instant has happened, and what
/// this one does has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) entry: u64,
}

impl Moment {
    /// Before anything.
    pub(super) const START: Self = Self { at: Instant::ZERO, entry: 0 };

    /// After all that the script does at an instant.
    pub(super) const fn after(at: Instant) -> Self {
        Self { at, entry: u64::MAX }
    }
}

/// The instances of an application over time.
#[derive(Debug)]
pub(super) struct Fleet {
    /// How many belong to it at first.
    first: usize,
    /// In order of time.
    sizes: Vec<Size>,
    /// Where it was scaled last.
    place: Option<Place>,
}

/// How many instances belong to an application once a step is done.
#[derive(Clone, Copy, Debug)]
struct Size {
    step: Moment,
    size: usize,
    /// The most that did so far.
    most: usize,
}

impl Fleet {
    /// What the last step before made of it.
    fn before(&self, when: Moment) -> Size {
        let before = self.sizes.partition_point(|size| size.step < when);
        let first = Size { step: Moment::START, size: self.first, most: self.first };
        before.checked_sub(1).map_or(first, |last| self.sizes[last])
    }

    /// The most that ever belong to it.
    fn most(&self) -> usize {
        self.sizes.last().map_or(self.first, |last| last.most)
    }
}

/// A replacement.
#[derive(Clone, Copy, Debug)]
struct Turn {
    app: AppId,
    index: usize,
    moment: Moment,
    /// Which instance it is.
    key: InstanceKey,
}

/// What a step does, by indices of its application.
#[derive(Debug)]
struct Draft {
    at: Instant,
    entry: u64,
    app: AppId,
    change: FleetChange,
    indices: Range<usize>,
}

/// What was read of an entry.
struct Entry {
    action: Action,
    /// What it comes to, in words.
    effect: String,
}

/// All applications over time.
#[derive(Default)]
pub(super) struct Fleets {
    apps: BTreeMap<AppId, Fleet>,
    drafts: Vec<Draft>,
    /// Entries whose replacements are new instances.
    renaming: BTreeMap<u64, Place>,
    /// In order of application, index and time; known once the instances have numbers.
    turns: Vec<Turn>,
    entries: BTreeMap<u64, Entry>,
    /// Instances that are added, removed and replaced so far.
    changes: u64,
    /// All instances so far, those that are added and replacements included.
    instances: u64,
    too_many: bool,
}

/// The entry that is being read.
pub(super) struct Reading<'a, 'b> {
    pub(super) reader: &'a mut Reader<'b>,
    pub(super) app: Option<AppId>,
    pub(super) when: Moment,
}

/// Reads every `scale` and `deploy` of the timeline, which is in order of time.
pub(super) fn read(heads: &[Head<'_>], builder: &mut Builder) {
    for (app, first) in &builder.sizes {
        let fleet = Fleet { first: *first, sizes: Vec::new(), place: None };
        builder.fleets.apps.insert(*app, fleet);
    }
    // Who is replaced depends on all that is scaled before and meanwhile.
    each("scale", heads, builder, scale::read);
    count_added(builder);
    each("deploy", heads, builder, deploy::read);
    if builder.fleets.too_many {
        // Nobody gets a place, and nobody is told that somebody is missing.
        let fleets = std::mem::take(&mut builder.fleets);
        let names = fleets.apps.keys().map(|app| builder.names.app_name(*app).to_owned());
        builder.unclear.groups_of.extend(names);
    }
}

fn each(
    what: &'static str,
    heads: &[Head<'_>],
    builder: &mut Builder,
    read: impl Fn(&mut Reading<'_, '_>, &mut Builder),
) {
    let name = format!("`{what}`");
    for (number, head) in heads.iter().enumerate() {
        let Some(node) = head.action(what) else {
            continue;
        };
        let Some(mut reader) = Reader::of(node, &name, &mut builder.diags) else {
            continue;
        };
        let app = reader.text("app", &mut builder.diags);
        required(&reader, "app", "app = \"ORDERS\"", &mut builder.diags);
        let app = app.and_then(|app| select::app(&app.value, &app.place, builder));
        let when = Moment { at: head.at(), entry: number as u64 };
        read(&mut Reading { reader: &mut reader, app, when }, builder);
        reader.finish(&mut builder.diags);
    }
}

/// All are known that are added.
fn count_added(builder: &mut Builder) {
    let added = |fleet: &Fleet| (fleet.most() - fleet.first) as u64;
    let mut scaled = builder.fleets.apps.values().filter(|fleet| added(fleet) > 0);
    let place = scaled.next_back().and_then(|fleet| fleet.place.clone());
    let total = builder.instances + builder.fleets.apps.values().map(added).sum::<u64>();
    builder.fleets.instances = builder.instances;
    if let Some(place) = place {
        builder.fleets.instances = 0;
        builder.count_instances(total, &place);
    }
}

/// How often something happens every so often from an instant to the end of the run, at most `most`
/// times.
pub(super) fn times(from: Instant, every: Span, most: usize, end: Span) -> usize {
    let left = (Instant::ZERO + end).since(from).nanos();
    match left.checked_div(every.nanos()) {
        None => most,
        Some(more) => most.min(usize::try_from(more).unwrap_or(most).saturating_add(1)),
    }
}

impl Fleets {
    /// How many belong to an application.
    pub(super) fn size(&self, app: AppId, when: Moment) -> usize {
        self.apps.get(&app).map_or(0, |fleet| fleet.before(when).size)
    }

    /// A later `scale` puts an end to this application's earlier ones.
    pub(super) fn supersede(&mut self, app: AppId, when: Moment, place: &Place) {
        if let Some(fleet) = self.apps.get_mut(&app) {
            fleet.sizes.retain(|size| size.step < when);
            fleet.place = Some(place.clone());
        }
        let goes = |step: &Draft| step.app == app && step.at > when.at;
        let ended: BTreeSet<u64> =
            self.drafts.iter().filter(|step| goes(step)).map(|step| step.entry).collect();
        self.drafts.retain(|step| !goes(step));
        for entry in ended {
            if let Some(entry) = self.entries.get_mut(&entry) {
                entry.effect += &format!(", cut short at {} by the next `scale`", when.at);
            }
        }
    }

    /// A step of an entry at `at`.
    pub(super) fn step(
        &mut self,
        (app, when): (AppId, Moment),
        at: Instant,
        change: FleetChange,
        indices: Range<usize>,
    ) {
        let size = match change {
            FleetChange::Add => Some(indices.end),
            FleetChange::Remove => Some(indices.start),
            FleetChange::Replace => None,
        };
        if let (Some(size), Some(fleet)) = (size, self.apps.get_mut(&app)) {
            let most = fleet.most().max(size);
            fleet.sizes.push(Size { step: Moment { at, ..when }, size, most });
        }
        self.drafts.push(Draft { at, entry: when.entry, app, change, indices });
    }

    /// What an entry does, and what it comes to.
    pub(super) fn entry(&mut self, number: u64, action: Action, effect: String) {
        self.entries.insert(number, Entry { action, effect });
    }

    /// The replacements of an entry are new instances.
    pub(super) fn renames(&mut self, number: u64, place: Place) {
        self.renaming.insert(number, place);
    }

    /// What an entry does, if it was any good.
    pub(super) fn action(&self, number: u64) -> Option<Action> {
        self.entries.get(&number).map(|entry| entry.action.clone())
    }

    /// What an entry comes to, in words; empty if it is another action.
    pub(super) fn effect(&self, number: u64) -> String {
        self.entries.get(&number).map_or_else(String::new, |entry| format!(": {}", entry.effect))
    }
}

impl Builder {
    /// So many more instances are added, removed or replaced, unless they are too many.
    pub(super) fn count_changes(&mut self, more: usize, place: &Place) -> bool {
        self.fleets.changes += more as u64;
        let (changes, most) = (self.fleets.changes, MOST_INSTANCES);
        if changes > most {
            self.fleets.too_many = true;
            let what = "instances that are added, removed and replaced";
            self.diags.too_many(place, what, changes, most);
        }
        changes <= most
    }

    /// So many more instances have ids of their own, unless they are too many.
    pub(super) fn count_instances(&mut self, more: u64, place: &Place) {
        self.fleets.instances += more;
        let (total, most) = (self.fleets.instances, MOST_INSTANCES);
        if total > most {
            self.fleets.too_many = true;
            let what = "instances, those that are added and replacements included,";
            self.diags.too_many(place, what, total, most);
        }
    }

    /// How many of an application's instances are added to those that [[apps]] gives it.
    pub(super) fn added(&self, app: AppId) -> usize {
        self.fleets.apps.get(&app).map_or(0, |fleet| fleet.most() - fleet.first)
    }

    /// Those of a group that belong to their application at some moment, or ever; by position among
    /// all clients.
    pub(super) fn members(&self, group: &Group, when: Option<Moment>) -> Range<usize> {
        let all = group.clients.clone();
        let Some(when) = when else {
            return all;
        };
        let size = self.fleets.size(group.app, when).saturating_sub(group.first_index);
        all.start..all.end.min(all.start + size)
    }

    /// Which instance has an index of an application: the first one, if it is not there yet.
    pub(super) fn key_at(&self, group: &Group, client: usize, when: Moment) -> InstanceKey {
        let index = group.index_of(client);
        let turns = &self.fleets.turns;
        let known = (group.app, index, when);
        let later = turns.partition_point(|turn| (turn.app, turn.index, turn.moment) < known);
        match later.checked_sub(1).map(|last| turns[last]) {
            Some(turn) if (turn.app, turn.index) == (group.app, index) => turn.key,
            _ => self.clients[client].key,
        }
    }

    /// Where in a group the instance runs that is one at some time.
    pub(super) fn client_of(&self, group: &Group, key: InstanceKey) -> Option<usize> {
        let first = |client: &usize| self.clients[*client].key == key;
        group.clients.clone().find(first).or_else(|| {
            let range = group.first_index..group.first_index + group.clients.len();
            let is_it = |turn: &&Turn| {
                (turn.app, turn.key) == (group.app, key) && range.contains(&turn.index)
            };
            let turn = self.fleets.turns.iter().find(is_it)?;
            Some(group.clients.start + turn.index - group.first_index)
        })
    }

    /// Why an instance cannot be selected at some moment: it was not there before.
    pub(super) fn is_added_later(&self, group: &Group, client: usize, when: Moment) -> bool {
        let index = group.index_of(client);
        self.fleets.apps.get(&group.app).is_some_and(|fleet| index >= fleet.before(when).most)
    }

    /// The group of a host that is a client, and its position among all clients.
    fn group_of(&self, host: HostId) -> Option<(&Group, usize)> {
        let client = host.index().checked_sub(self.servers.len())?;
        let group = self.groups.partition_point(|group| group.clients.end <= client);
        Some((self.groups.get(group)?, client))
    }

    /// What a process is called: `ORDERS/3`, or a server's name.
    pub(super) fn process_name(&self, host: HostId) -> String {
        match self.group_of(host) {
            None => self.servers[host.index()].name.clone(),
            Some((group, client)) => {
                format!("{}/{}", self.names.app_name(group.app), group.index_of(client))
            }
        }
    }

    /// The instance that a host is.
    pub(super) fn instance_of(&self, host: HostId, when: Moment) -> InstanceKey {
        match self.group_of(host) {
            None => self.servers[host.index()].own,
            Some((group, client)) => self.key_at(group, client, when),
        }
    }

    /// Whether a client belongs to its application.
    pub(super) fn belongs(&self, host: HostId, when: Moment) -> bool {
        let group = self.group_of(host);
        group.is_none_or(|(group, client)| self.members(group, Some(when)).contains(&client))
    }

    /// The steps, and to whom they happen. The instances that replace others get their numbers now:
    /// before anything else that is called like one.
    pub(super) fn lay_out_steps(&mut self) -> (Vec<FleetStep>, Vec<Member>) {
        self.name_replacements();
        let mut drafts = std::mem::take(&mut self.fleets.drafts);
        drafts.sort_by_key(|step| (step.entry, step.at));
        let mut members = Vec::new();
        let mut steps = Vec::new();
        for step in drafts {
            let from = members.len();
            let after = Moment { at: step.at, entry: step.entry + 1 };
            let groups = groups_of(&self.groups, step.app);
            for index in step.indices {
                if let Some((group, client)) = place_of(&groups, index) {
                    let host = HostId::new(self.servers.len() + client);
                    members.push(Member { host, key: self.key_at(group, client, after) });
                }
            }
            if step.change == FleetChange::Remove {
                // Those that were added last go first.
                members[from..].reverse();
            }
            let (at, entry, change) = (step.at, step.entry as usize, step.change);
            steps.push(FleetStep { at, entry, change, members: from..members.len() });
        }
        (steps, members)
    }

    fn name_replacements(&mut self) {
        let renaming = std::mem::take(&mut self.fleets.renaming);
        let mut turns: Vec<(AppId, usize, Moment)> = Vec::new();
        for step in &self.fleets.drafts {
            if step.change == FleetChange::Replace && renaming.contains_key(&step.entry) {
                let moment = Moment { at: step.at, entry: step.entry };
                turns.extend(step.indices.clone().map(|index| (step.app, index, moment)));
            }
        }
        turns.sort_unstable();
        let mut same: BTreeSet<(u64, usize)> = BTreeSet::new();
        let (mut last, mut generation) = (None, 0);
        let mut groups: Vec<&Group> = Vec::new();
        for (app, index, moment) in turns {
            let Some(place) = renaming.get(&moment.entry) else {
                continue;
            };
            generation = if last == Some((app, index)) { generation + 1 } else { 1 };
            last = Some((app, index));
            if groups.first().is_none_or(|group| group.app != app) {
                groups = groups_of(&self.groups, app);
            }
            let Some((group, _)) = place_of(&groups, index) else {
                continue;
            };
            let Read { value: template, place: of_template } = &group.template.text;
            let name = self.names.app_name(app);
            if !group.template.has_generation() {
                if same.insert((moment.entry, group.clients.start)) {
                    same_ids(template, name, place, &mut self.diags);
                }
                continue;
            }
            let id = group.template.fill(&group.name, index, generation);
            let full = format!("{name}/{id}");
            let known = self.names.instance_count();
            let key = self.names.instance(app, &id);
            if key.index() < known {
                let help = "ids of replacements count too: `{index}` and `{n}`, and what stands between, tell them apart";
                self.diags.duplicate(of_template, "the instance", &full, help);
                break;
            }
            self.fleets.turns.push(Turn { app, index, moment, key });
        }
    }
}

/// The groups of an application, in the order of their indices.
pub(super) fn groups_of(groups: &[Group], app: AppId) -> Vec<&Group> {
    groups.iter().filter(|group| group.app == app).collect()
}

/// Where an index is: its group and the client.
pub(super) fn place_of<'a>(groups: &[&'a Group], index: usize) -> Option<(&'a Group, usize)> {
    let before = groups.partition_point(|group| group.first_index <= index);
    let group = groups[before.checked_sub(1)?];
    let client = group.clients.start + index - group.first_index;
    group.clients.contains(&client).then_some((group, client))
}

/// A template without generation gives replacements the ids of their predecessors.
fn same_ids(template: &str, app: &str, place: &Place, diags: &mut Diagnostics) {
    let message = format!(
        "replacements get the same ids: the `instance-id` of {app}, `{template}`, has no `{{n}}`"
    );
    let help = format!(
        "write `instance-id = \"{template}-{{n}}\"` in its [[apps]], or `new-ids = false` here"
    );
    diags.warn("W005", place, message, &help);
}
