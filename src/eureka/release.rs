//! Which Eureka this is: flavour and release.
//!
//! Releases that behave alike form a class (`spec/releases.md`, executed on the published
//! artifacts). A release maps to the class of the newest executed release that is not newer.

use std::fmt;
use std::str::FromStr;

/// Who packages the server: it decides defaults and start-up rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// The plain WAR of Netflix.
    Netflix,
    /// Spring Cloud Netflix on top of the same classes.
    SpringCloud,
}

impl Flavor {
    /// The name used in scenarios and traces: `spring-cloud`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Netflix => "netflix",
            Self::SpringCloud => "spring-cloud",
        }
    }

    /// The flavour of this name.
    #[must_use]
    pub fn value_of(name: &str) -> Option<Self> {
        [Self::Netflix, Self::SpringCloud].into_iter().find(|flavor| flavor.name() == name)
    }
}

/// A release of `com.netflix.eureka`: `2.0.6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    major: u16,
    minor: u16,
    patch: u16,
}

/// Why a text is no release that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseError {
    /// It is not of the form `X.Y.Z`.
    Malformed,
    /// It is older than 1.3.4, the oldest that was executed.
    TooOld,
}

impl Release {
    /// The newest release whose behaviour was executed.
    pub const NEWEST: Self = Self::new(2, 0, 6);
    /// The oldest one.
    pub const OLDEST: Self = Self::new(1, 3, 4);

    /// Release `major.minor.patch`.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// ≥ 1.8.7 (commit 82a9e04d): a peer that does not answer in time counts as busy, and its batch
    /// waits for a second. Before, that was a failure of the network like any other.
    #[must_use]
    pub fn takes_read_timeouts_for_congestion(self) -> bool {
        self >= Self::new(1, 8, 7)
    }

    /// How a server of this release behaves.
    #[must_use]
    pub fn class(self) -> BehaviourClass {
        CLASSES.iter().rev().find(|(first, _)| *first <= self).map_or(BehaviourClass::C1a, |c| c.1)
    }
}

impl Default for Release {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl FromStr for Release {
    type Err = ReleaseError;

    fn from_str(text: &str) -> Result<Self, ReleaseError> {
        let mut parts = text.split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| digits)
        });
        let release = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) => {
                Self::new(major, minor, patch)
            }
            _ => return Err(ReleaseError::Malformed),
        };
        if release < Self::OLDEST { Err(ReleaseError::TooOld) } else { Ok(release) }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Server releases of equal behaviour, oldest first; each differs from its predecessor as said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BehaviourClass {
    /// 1.3.4 on.
    C1a,
    /// 1.4.4 on: start-up sync does not wait after its last fruitless look.
    C1b,
    /// 1.4.8 on: a registration without data centre is refused (400).
    C2,
    /// 1.4.9 on: eviction has compensation time, is not replicated, does not lower expected renews.
    C3,
    /// 1.4.11 on: registering over a newer dirty timestamp keeps the stored object.
    C4,
    /// 1.7.0 on: a 409 item of a replication batch carries the instance.
    C5,
    /// 1.7.1 on: status operations leave the dirty timestamp alone; no IP address is refused (400).
    C6,
    /// 1.9.3 on: the 15-minute updater compares with the percentage of *expected*.
    C7,
    /// 1.9.6 on: clients are counted instead of renews, and their interval is configurable.
    C8,
    /// 1.9.8 on: metadata of an unknown instance is answered 404 instead of 500.
    C9,
    /// 1.9.17 on: an eviction lowers the expected clients.
    C10,
}

/// The first release of each class.
const CLASSES: [(Release, BehaviourClass); 11] = [
    (Release::OLDEST, BehaviourClass::C1a),
    (Release::new(1, 4, 4), BehaviourClass::C1b),
    (Release::new(1, 4, 8), BehaviourClass::C2),
    (Release::new(1, 4, 9), BehaviourClass::C3),
    (Release::new(1, 4, 11), BehaviourClass::C4),
    (Release::new(1, 7, 0), BehaviourClass::C5),
    (Release::new(1, 7, 1), BehaviourClass::C6),
    (Release::new(1, 9, 3), BehaviourClass::C7),
    (Release::new(1, 9, 6), BehaviourClass::C8),
    (Release::new(1, 9, 8), BehaviourClass::C9),
    (Release::new(1, 9, 17), BehaviourClass::C10),
];

impl BehaviourClass {
    /// ≤ 1.4.2: `registrySyncRetryWaitMs` is slept after every fruitless look, the last included.
    #[must_use]
    pub fn sync_waits_after_last_look(self) -> bool {
        self < Self::C1b
    }

    /// ≥ 1.4.8: no data centre → 400.
    #[must_use]
    pub fn requires_data_center(self) -> bool {
        self >= Self::C2
    }

    /// ≤ 1.4.8: `evict` goes through `PeerAwareInstanceRegistryImpl.cancel`, so that each victim is
    /// handed to every peer and lowers the expected renews; and there is no compensation time.
    #[must_use]
    pub fn evicts_by_replicated_cancel(self) -> bool {
        self < Self::C3
    }

    /// ≥ 1.4.11: a stored newer dirty timestamp wins over a registration.
    #[must_use]
    pub fn keeps_newer_stored_instance(self) -> bool {
        self >= Self::C4
    }

    /// ≥ 1.7.0: a batch item answered 409 has the receiver's instance as entity.
    #[must_use]
    pub fn batch_conflict_has_entity(self) -> bool {
        self >= Self::C5
    }

    /// ≤ 1.7.0: status operations, and renewals that change the status, stamp the dirty timestamp.
    #[must_use]
    pub fn status_operations_stamp_dirty(self) -> bool {
        self < Self::C6
    }

    /// ≥ 1.7.1: no IP address → 400.
    #[must_use]
    pub fn requires_ip_address(self) -> bool {
        self >= Self::C6
    }

    /// ≤ 1.9.2: the updater compares with the percentage of the *threshold*.
    #[must_use]
    pub fn updater_compares_with_threshold(self) -> bool {
        self < Self::C7
    }

    /// ≤ 1.9.3: the expected number is of renews per minute, two for each client.
    #[must_use]
    pub fn counts_renews(self) -> bool {
        self < Self::C8
    }

    /// < 1.9.8: metadata of an instance that is not visible → 500.
    #[must_use]
    pub fn unknown_metadata_is_an_error(self) -> bool {
        self < Self::C9
    }

    /// ≥ 1.9.17: `internalCancel` lowers the expected number, so evictions do too.
    #[must_use]
    pub fn every_cancel_lowers_expected(self) -> bool {
        self >= Self::C10
    }
}
