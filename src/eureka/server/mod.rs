//! One Eureka server process as a state machine: the registry of
//! `PeerAwareInstanceRegistryImpl`, the REST resources above it, its timers and its caches.
//!
//! Operations take the instant ([`At`]) and answer with values; what they hand to peers and what
//! happened on the way is left in two out-lists ([`Registry::handed`], [`Registry::facts`]) for the
//! caller to drain after each call.

mod cancel;
mod config;
mod decision;
mod delta;
mod eureka_server;
mod evict;
mod instances;
mod json_size;
mod lease;
mod lookup;
mod measured_rate;
mod objects;
mod override_map;
mod payload;
pub mod peer;
mod recent;
mod register;
mod registry;
mod renew;
mod replicate;
pub mod resources;
mod response_cache;
pub mod rules;
mod start;
mod status;
mod threshold;
mod timers;

pub use config::{INSTANCE_REGISTRY_KEYS, ServerConfig};
pub use decision::{Decision, Kept};
pub use eureka_server::EurekaServer;
pub use evict::EvictRun;
pub use instances::Instances;
pub use json_size::JsonLength;
pub use lease::Lease;
pub use measured_rate::MeasuredRate;
pub use objects::{InfoRef, LeaseRef, Objects};
pub use override_map::OverrideMap;
pub use payload::{Application, Applications};
pub use recent::{RecentQueue, RecentlyChangedItem};
pub use registry::{At, Fact, Gauges, Registry, Setup};
pub use replicate::Handed;
pub use response_cache::CacheKey;
pub use timers::TimerKind;

#[cfg(test)]
mod tests;
