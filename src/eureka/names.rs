//! Interned names: every application, instance id and VIP address as a small dense number.
//!
//! The core compares and stores numbers only; strings, and their Java hashes, are looked up when a
//! hash-map order or a report needs them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::java::{Keys, compare_to, hash_code, spread};

/// An interned string; an optional one takes no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(NonZeroU32);

/// An application, by its upper-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(u32);

/// An instance: application and instance id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceKey(u32);

impl NameId {
    /// Position in tables that have one entry per name.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl AppId {
    /// Position in tables that have one entry per application.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl InstanceKey {
    /// Position in tables that have one entry per instance.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The instance at a position that came from [`InstanceKey::index`].
    #[must_use]
    pub const fn from_index(index: usize) -> Self {
        Self(index as u32)
    }
}

#[derive(Clone, Copy, Debug)]
struct Instance {
    app: AppId,
    id: NameId,
}

/// All names of a run. Numbers are given out in order of first appearance.
#[derive(Clone, Debug, Default)]
pub struct Names {
    texts: Vec<Arc<str>>,
    /// Of each text as it stands in JSON, in bytes.
    json_lens: Vec<u32>,
    hashes: Vec<u32>,
    by_text: BTreeMap<Arc<str>, NameId>,
    apps: Vec<NameId>,
    by_app_name: BTreeMap<NameId, AppId>,
    instances: Vec<Instance>,
    by_parts: BTreeMap<(AppId, NameId), InstanceKey>,
}

impl Names {
    /// The number of `text`, given out now if it is new.
    pub fn intern(&mut self, text: &str) -> NameId {
        if let Some(&name) = self.by_text.get(text) {
            return name;
        }
        let number = u32::try_from(self.texts.len() + 1).ok().and_then(NonZeroU32::new);
        let name = NameId(number.expect("a run has fewer than 2^32 names"));
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.json_lens.push(json_len(&text) as u32);
        self.hashes.push(spread(hash_code(&text)));
        self.by_text.insert(text, name);
        name
    }

    /// The application called `name`, upper-cased as Eureka does (`String.toUpperCase`).
    pub fn app(&mut self, name: &str) -> AppId {
        let name = self.intern(&name.to_uppercase());
        *self.by_app_name.entry(name).or_insert_with(|| {
            self.apps.push(name);
            AppId(self.apps.len() as u32 - 1)
        })
    }

    /// The instance `id` of `app`.
    pub fn instance(&mut self, app: AppId, id: &str) -> InstanceKey {
        let id = self.intern(id);
        *self.by_parts.entry((app, id)).or_insert_with(|| {
            self.instances.push(Instance { app, id });
            InstanceKey(self.instances.len() as u32 - 1)
        })
    }

    /// The application called `name` (in any case), if it has a number.
    #[must_use]
    pub fn find_app(&self, name: &str) -> Option<AppId> {
        let name = self.by_text.get(name.to_uppercase().as_str())?;
        self.by_app_name.get(name).copied()
    }

    /// The instance `id` of `app`, if it has a number.
    #[must_use]
    pub fn find_instance(&self, app: AppId, id: &str) -> Option<InstanceKey> {
        self.sibling(app, *self.by_text.get(id)?)
    }

    /// The instance of `app` with this id, if it has a number.
    #[must_use]
    pub fn sibling(&self, app: AppId, id: NameId) -> Option<InstanceKey> {
        self.by_parts.get(&(app, id)).copied()
    }

    /// The text of a name.
    #[must_use]
    pub fn text(&self, name: NameId) -> &str {
        &self.texts[name.index()]
    }

    /// Bytes of a name within the quotes of a JSON text.
    #[must_use]
    pub fn json_len(&self, name: NameId) -> u64 {
        self.json_lens[name.index()].into()
    }

    /// The name of an application as a number.
    #[must_use]
    pub fn app_name_id(&self, app: AppId) -> NameId {
        self.apps[app.index()]
    }

    /// The upper-case name of an application.
    #[must_use]
    pub fn app_name(&self, app: AppId) -> &str {
        self.text(self.apps[app.index()])
    }

    /// The application of an instance.
    #[must_use]
    pub fn app_of(&self, key: InstanceKey) -> AppId {
        self.instances[key.index()].app
    }

    /// The interned id of an instance: what the override map is keyed by.
    #[must_use]
    pub fn id_of(&self, key: InstanceKey) -> NameId {
        self.instances[key.index()].id
    }

    /// The id of an instance as text.
    #[must_use]
    pub fn id_text(&self, key: InstanceKey) -> &str {
        self.text(self.id_of(key))
    }

    /// `APP/instance-id`, as reports name an instance.
    #[must_use]
    pub fn full(&self, key: InstanceKey) -> String {
        format!("{}/{}", self.app_name(self.app_of(key)), self.id_text(key))
    }

    /// How many instances have a number.
    #[must_use]
    pub fn instance_count(&self) -> usize {
        self.instances.len()
    }

    /// How many applications have a number.
    #[must_use]
    pub fn app_count(&self) -> usize {
        self.apps.len()
    }
}

/// Bytes of a text within the quotes of a JSON text, as Jackson writes it: quote, backslash and the
/// five control characters that have a letter take two, other control characters six, everything
/// else its UTF-8.
#[must_use]
pub(crate) fn json_len(text: &str) -> u64 {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | 0x08 | b'\t' | b'\n' | 0x0c | b'\r' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

/// The applications of [`Names`] as keys of a Java map.
pub(crate) struct AppKeys<'a>(pub(crate) &'a Names);

impl Keys for AppKeys<'_> {
    fn hash(&self, key: u32) -> u32 {
        self.0.hashes[self.0.apps[key as usize].index()]
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        compare_to(self.0.app_name(AppId(a)), self.0.app_name(AppId(b)))
    }
}

/// The instances of one application as keys of a Java map: by instance id.
pub(crate) struct InstanceKeys<'a>(pub(crate) &'a Names);

impl Keys for InstanceKeys<'_> {
    fn hash(&self, key: u32) -> u32 {
        self.0.hashes[self.0.instances[key as usize].id.index()]
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        let id = |key: u32| self.0.text(self.0.instances[key as usize].id);
        compare_to(id(a), id(b))
    }
}

impl AppId {
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

impl InstanceKey {
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}
