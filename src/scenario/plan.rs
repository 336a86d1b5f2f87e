//! A validated scenario: everything resolved to hosts, keys and numbers, ready to be run.

use std::ops::Range;
use std::sync::Arc;

use super::claim::Claim;
use super::diagnostics::Diagnostic;
use super::hunt::HuntPlan;
use super::metric::{EventKind, Metric};
use super::source::Sources;
use crate::eureka::{AppId, InstanceKey, InstanceStatus};
use crate::sim::{HostId, Setup};
use crate::time::{Instant, Span};

/// A scenario that can be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is called; names the report folder.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// Where the situation comes from.
    pub source: Vec<String>,
    /// The run.
    pub setup: Arc<Setup>,
    /// The applications, in the order they first appear.
    pub apps: Vec<AppPlan>,
    /// The zones, in the order of the cluster's list.
    pub zones: Vec<ZonePlan>,
    /// The timeline in words, entry by entry as in [`Setup::timeline`].
    pub timeline: Vec<EntryPlan>,
    /// What is recorded.
    pub observe: Observe,
    /// Within which bounds is searched.
    pub hunt: HuntPlan,
    /// What is expected, in the order of the file.
    pub expectations: Vec<Expectation>,
    /// Warnings, for `check` and for the terminal.
    pub warnings: Vec<Diagnostic>,
    /// The texts the warnings refer to.
    pub sources: Sources,
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPlan {
    /// Which.
    pub app: AppId,
    /// How many instances belong to it at the end of the run.
    pub instances: usize,
    /// All its clients, those included that `scale` adds or removes: ranges of hosts, one for each
    /// group.
    pub hosts: Vec<Range<usize>>,
}

/// A zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonePlan {
    /// Its name.
    pub name: String,
    /// How many servers are in it.
    pub servers: usize,
    /// How many clients, those that are added later included.
    pub clients: usize,
}

/// An entry of the timeline in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPlan {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The action: `kill`.
    pub what: &'static str,
    /// The rest: `app:ORDERS (16%)`.
    pub details: String,
}

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observe {
    /// When the series has rows.
    pub every: Sampling,
    /// Of whom it is recorded what they see.
    pub views: Viewers,
    /// Metrics that the series has besides, in this order; each once.
    pub metrics: Vec<Metric>,
    /// How long what servers say may be wrong before the instance counts as stuck.
    pub stuck_after: Span,
}

/// Of which clients it is recorded what they see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewers {
    /// Of all.
    All,
    /// Of those that call others.
    Callers,
    /// Of none.
    Nobody,
}

/// When the series has rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// At each multiple of this.
    Every(Span),
    /// Whenever a column changes.
    Change,
}

/// Something that is expected of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The sentence shown for it.
    pub text: String,
    /// What somebody says of it.
    pub claim: Option<Claim>,
    /// What it is about.
    pub subject: Subject,
}

/// What an expectation is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A value.
    Metric {
        /// Which.
        metric: Metric,
        /// At which servers.
        servers: Servers,
        /// Of this application only.
        app: Option<AppId>,
        /// Of this instance.
        instance: Option<InstanceKey>,
        /// As this client sees it.
        view: Option<HostId>,
        /// What it must be.
        bounds: Bounds,
        /// When.
        when: When,
    },
    /// Events.
    Event {
        /// Which.
        kind: EventKind,
        /// At this server only.
        server: Option<HostId>,
        /// Of this application only.
        app: Option<AppId>,
        /// Of this instance only.
        instance: Option<InstanceKey>,
        /// How many.
        bounds: Bounds,
        /// In this time, both ends included.
        during: Option<(Instant, Instant)>,
    },
}

/// At which servers a value must be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Servers {
    /// At each that runs.
    Each,
    /// At this one; not running fails.
    One(HostId),
    /// Their sum.
    Sum,
    /// The greatest.
    Max,
    /// The least.
    Min,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Exactly this.
    pub equals: Option<Wanted>,
    /// This or more.
    pub at_least: Option<f64>,
    /// This or less.
    pub at_most: Option<f64>,
    /// More than this.
    pub above: Option<f64>,
    /// Less than this.
    pub below: Option<f64>,
}

/// A value that is wanted exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    /// A number; flags are 0 and 1.
    Number(f64),
    /// A status, or (none) that the instance is absent.
    Status(Option<InstanceStatus>),
}

/// When a value must be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At every instant of the run.
    Always,
    /// At every instant from the first to the second, both included.
    During(Instant, Instant),
    /// At some instant from the first to the second, both included.
    Within(Instant, Instant),
}

impl Bounds {
    /// Whether any number is within all of them.
    #[must_use]
    pub fn can_hold(&self) -> bool {
        if let Some(Wanted::Number(wanted)) = self.equals {
            return self.hold(wanted);
        }
        let crossed = |low: Option<f64>, high: Option<f64>, together: bool| match (low, high) {
            (Some(low), Some(high)) => low > high || (low == high && !together),
            _ => false,
        };
        !(crossed(self.at_least, self.at_most, true)
            || crossed(self.at_least, self.below, false)
            || crossed(self.above, self.at_most, false)
            || crossed(self.above, self.below, false))
    }

    /// Whether a number is within all of them.
    #[must_use]
    pub fn hold(&self, number: f64) -> bool {
        let equals = match self.equals {
            Some(Wanted::Number(wanted)) => number == wanted,
            Some(Wanted::Status(_)) => false,
            None => true,
        };
        equals
            && self.at_least.is_none_or(|bound| number >= bound)
            && self.at_most.is_none_or(|bound| number <= bound)
            && self.above.is_none_or(|bound| number > bound)
            && self.below.is_none_or(|bound| number < bound)
    }
}
