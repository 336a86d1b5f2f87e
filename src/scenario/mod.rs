//! Scenario files: TOML read, checked and resolved into a [`Plan`], or refused with every problem at
//! once, each with code, place and help. Nothing is run here, and files are read by whoever calls.

mod actions;
mod apps;
mod build;
mod calls;
mod claim;
mod cluster;
mod deploy;
mod diagnostics;
mod document;
mod eureka_keys;
mod expect;
mod fleet;
mod health;
mod hunt;
mod include;
mod instance_id;
mod metric;
mod network;
mod observe;
mod overrides;
mod plan;
mod reader;
mod rest;
mod rest_client;
mod scale;
mod second_client;
mod select;
mod service_urls;
mod source;
mod spelling;
mod timeline;
mod tree;
pub mod units;

pub use build::load;
pub use claim::Claim;
pub(crate) use diagnostics::nearest;
pub use diagnostics::{Diagnostic, Rejected, Severity};
pub use document::Document;
pub use hunt::HuntPlan;
pub use include::Files;
pub use metric::{EventKind, Metric};
pub use overrides::{Changes, Overlay, key_in_file};
pub use plan::{
    AppPlan, Bounds, EntryPlan, Expectation, Observe, Plan, Sampling, Servers, Subject, Viewers,
    Wanted, When, ZonePlan,
};
pub use source::{Place, Source, Sources};
pub use tree::is_scenario;

#[cfg(test)]
mod tests;
