//! Processes that are another release than the setup says, since somebody upgraded them.

use std::collections::BTreeMap;

use super::super::action::Upgrade;
use super::super::host::HostId;
use super::super::setup::Setup;
use crate::eureka::Release;

/// A release, and the profile of the client that goes with it.
#[derive(Clone, Copy, Debug)]
struct Upgraded {
    release: Release,
    profile: usize,
}

/// Upgraded hosts; most runs have none.
#[derive(Clone, Debug, Default)]
pub(super) struct Releases {
    running: BTreeMap<HostId, Release>,
    /// From the next process on.
    next: BTreeMap<HostId, Upgraded>,
}

impl Releases {
    /// The next process of a host is that of an upgrade.
    pub(super) fn upgrade(&mut self, host: HostId, setup: &Setup, upgrade: &Upgrade) {
        let before = setup.profile_number(host);
        let profile = upgrade.profiles.get(&before).copied().unwrap_or(before);
        self.next.insert(host, Upgraded { release: upgrade.release, profile });
    }

    /// The next process of a host has come; how its client is built, if that is new.
    pub(super) fn begin(&mut self, host: HostId) -> Option<u32> {
        let upgraded = self.next.remove(&host)?;
        self.running.insert(host, upgraded.release);
        Some(upgraded.profile as u32)
    }

    /// The release of a server.
    pub(super) fn of(&self, server: HostId, setup: &Setup) -> Release {
        let upgraded = self.running.get(&server).copied();
        upgraded.unwrap_or_else(|| setup.servers[server.index()].release)
    }
}
