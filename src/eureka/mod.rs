//! Eureka's own rules as pure state machines: input in, effects out.
//!
//! Everything here mirrors a class of `com.netflix.eureka` or `com.netflix.discovery` (or of the
//! JDK below them) and is held against recordings of the real classes. Nothing here owns a clock, a
//! queue, a network, a stream of random numbers or an error path: the time is an argument, a 404 is
//! a value. What is modelled, simplified or left out is listed in `FIDELITY.md` beside this file.

pub mod client;
pub mod config;
mod instance_info;
pub mod java;
mod names;
mod release;
pub mod server;
mod service_urls;
mod status;

pub use instance_info::{ActionType, InstanceInfo, LeaseInfo, Metadata};
pub(crate) use names::json_len;
pub use names::{AppId, InstanceKey, NameId, Names};
pub use release::{BehaviourClass, Flavor, Release, ReleaseError};
pub use service_urls::{ServiceUrl, ServiceUrls};
pub use status::{InstanceStatus, StatusCounts};
