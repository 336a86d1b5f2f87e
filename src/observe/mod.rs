//! What is made of a run while it happens: time series, the truth about who is alive, events,
//! verdicts on expectations, traces. Observers watch; nothing here influences a run.

mod clusters;
mod costs;
mod counts;
mod detector;
mod divergence;
mod events;
mod expect;
mod fault_line;
mod harmless;
mod in_client;
mod labels;
mod listing;
mod log;
mod measures;
mod pairs;
mod series;
mod staleness;
mod statuses;
mod story;
mod stuck;
mod summary;
mod timespans;
mod trace;
mod traffic;
mod truth;
mod watch;

pub use costs::{CostWatch, Costs, Ending, Size};
pub use detector::Detector;
pub use divergence::Differences;
pub use events::{EventLevel, EventLog, t_ms};
pub use expect::Verdict;
pub use harmless::{escape, harmless_json, is_unsafe, shell_word};
pub use labels::Labels;
pub use log::RunLog;
pub use pairs::{PairRow, Pairs};
pub use series::{Row, Series};
pub use staleness::Staleness;
pub use statuses::{Seen, StatusLane, Statuses};
pub use story::{Eviction, LeaseTimes, Place, Story, StoryEvent, StoryLane, Unheard, What};
pub use stuck::{Class, Finding, Mechanism};
pub use summary::{
    AppSummary, ExpectationSummary, LayerSeconds, ServerSummary, StalenessSummary, Summary,
};
pub use timespans::{EvictionPoint, FaultWindow, Lane, ProcessEnd, RatePoint, Timespans};
pub use trace::{OpenTrace, TraceFile, TraceLog};
pub use traffic::{Traffic, TrafficPoint};
pub use watch::{Recording, Watch};
