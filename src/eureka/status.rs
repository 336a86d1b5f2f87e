//! `InstanceInfo.InstanceStatus` and the reconcile hash made of counts of it.

use std::fmt;
use std::iter::Sum;

/// `InstanceInfo.InstanceStatus`, in alphabetical order of the Java names: the order in which the
/// reconcile hash lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum InstanceStatus {
    /// `DOWN`
    Down,
    /// `OUT_OF_SERVICE`
    OutOfService,
    /// `STARTING`
    Starting,
    /// `UNKNOWN`
    Unknown,
    /// `UP`
    Up,
}

impl InstanceStatus {
    /// Every status, in the order of the reconcile hash.
    pub const ALL: [Self; 5] =
        [Self::Down, Self::OutOfService, Self::Starting, Self::Unknown, Self::Up];

    /// The Java name: `OUT_OF_SERVICE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "DOWN",
            Self::OutOfService => "OUT_OF_SERVICE",
            Self::Starting => "STARTING",
            Self::Unknown => "UNKNOWN",
            Self::Up => "UP",
        }
    }

    /// `InstanceStatus.valueOf(String)`: the status of exactly this name, case included.
    #[must_use]
    pub fn value_of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for InstanceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many instances have which status: what `Applications.getReconcileHashCode` knows.
///
/// Two are equal exactly when the hash strings are, because zero counts are left out of the string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts([u32; InstanceStatus::ALL.len()]);

impl StatusCounts {
    /// One more instance of `status`.
    pub fn add(&mut self, status: InstanceStatus) {
        self.0[status as usize] += 1;
    }

    /// So many more instances of `status`.
    pub fn add_many(&mut self, status: InstanceStatus, count: u32) {
        self.0[status as usize] += count;
    }

    /// How many instances have `status`.
    #[must_use]
    pub const fn get(&self, status: InstanceStatus) -> u32 {
        self.0[status as usize]
    }

    /// How many instances were counted.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }
}

impl fmt::Display for StatusCounts {
    /// `Applications.getReconcileHashCode`: `DOWN_1_UP_11_`; empty for an empty registry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        InstanceStatus::ALL
            .into_iter()
            .filter(|&status| self.get(status) > 0)
            .try_for_each(|status| write!(f, "{status}_{}_", self.get(status)))
    }
}

impl Sum for StatusCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        let mut all = Self::default();
        for counts in counts {
            all.0.iter_mut().zip(counts.0).for_each(|(sum, count)| *sum += count);
        }
        all
    }
}

impl FromIterator<InstanceStatus> for StatusCounts {
    fn from_iter<T: IntoIterator<Item = InstanceStatus>>(statuses: T) -> Self {
        let mut counts = Self::default();
        statuses.into_iter().for_each(|status| counts.add(status));
        counts
    }
}
