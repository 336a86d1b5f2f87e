//! The kernel: a queue of events in virtual time, hosts with clocks, a lossy network with faults, and
//! a world of server and client processes from [`crate::eureka`] driven by them.
//!
//! A run is a function of its [`Setup`]: integer time, one total order of events, random numbers that
//! depend on who draws and for what, and a digest over every fact. Nothing here parses, prints or
//! touches files; whoever wants to see something gives an [`Observer`].

mod action;
mod call;
mod consumer;
mod digest;
mod fact;
mod fact_digest;
mod fault_fact;
mod host;
mod host_set;
mod latency;
mod network;
pub mod queue;
mod random;
mod setup;
mod traffic_fact;
mod world;

pub use action::{
    Action, BodyTimestamps, Cut, CutMode, FleetChange, FleetStep, Member, Method, OutsideRequest,
    TimelineEntry, Upgrade, ZoneUrls,
};
pub use consumer::TrafficCounts;
pub use digest::{Digest, DigestValue};
pub use fact::{
    BatchOutcome, Fact, Observer, OperationKind, Party, Reply, RequestFact, RequestLine,
    ServerOperation, Silent,
};
pub use fault_fact::FaultFact;
pub use host::HostId;
pub use host_set::{HostSet, Pick, Selection, Take};
pub use latency::{Latency, Loss};
pub use network::{LinkException, NetworkSetup};
pub use random::{CounterRng, Stream, Streams};
pub use setup::{CallSetup, ClientSetup, Races, ServerSetup, Setup};
pub use traffic_fact::{CallFailure, TrafficFact};
pub use world::{Event, World, WorldView};

#[cfg(test)]
mod tests;
