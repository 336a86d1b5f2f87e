//! Hosts: the processes of a run as the kernel sees them.

use super::world::Deferred;
use crate::eureka::InstanceKey;
use crate::eureka::client::ClientProcess;
use crate::time::Instant;

/// A host: servers first, then clients, in the order of the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(u32);

impl HostId {
    /// The host at this position.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index as u32)
    }

    /// Its position.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The state of a host: one cache line, and then its client.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Host {
    /// When the queue will wake it next, as far as it was told.
    pub(super) armed: Instant,
    /// When its process is to start, if nobody starts it before.
    pub(super) starts_at: Instant,
    /// It is frozen.
    pub(super) paused: Option<Box<Pause>>,
    /// How many processes it has had: 1 for the first.
    pub(super) generation: u32,
    /// Calls it has made.
    pub(super) calls: u32,
    /// Occasions at which it has drawn random numbers; wraps.
    pub(super) draws: u32,
    /// The instance that its process is.
    pub(super) key: InstanceKey,
    /// How its client is built, by position in the setup.
    pub(super) profile: u32,
    /// The servers that its client knows, by position in the setup.
    pub(super) endpoints: u32,
    /// Which clock it has; 0 is the common one.
    pub(super) clock: u32,
    /// Its process runs (perhaps paused).
    pub(super) alive: bool,
    /// It accepts connections.
    pub(super) listening: bool,
    /// It does not belong to its application any more, and was told to go.
    pub(super) leaving: bool,
    /// Its client (a server's embedded one), as long as that runs: here, because whoever needs one of the
    /// two needs the other.
    pub(super) client: Option<ClientProcess>,
}

/// What waits for a frozen process.
#[derive(Clone, Debug, Default)]
pub(super) struct Pause {
    /// When it was frozen.
    pub(super) since: Instant,
    /// When it resumes.
    pub(super) until: Instant,
    /// Timers and timeouts that came due, in order.
    pub(super) due: Vec<(Instant, Deferred)>,
    /// Messages that arrived, in order.
    pub(super) arrived: Vec<Deferred>,
    /// How many of them are connections that nobody has accepted.
    pub(super) accepted: u32,
}

impl Host {
    /// A host whose first process has not started.
    pub(super) const fn new(key: InstanceKey, profile: u32, endpoints: u32) -> Self {
        Self {
            alive: false,
            listening: false,
            leaving: false,
            generation: 0,
            clock: 0,
            calls: 0,
            draws: 0,
            key,
            profile,
            endpoints,
            armed: Instant::NEVER,
            starts_at: Instant::NEVER,
            paused: None,
            client: None,
        }
    }
}
