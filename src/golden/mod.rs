//! The recorded-trace formats: `eureka-golden/registry/1`, its words read and written, and
//! [`client`]'s, read.
//!
//! `replay` reads recordings of the real classes with it, and a simulated server writes its own
//! trace with it, so that either can be held against the other. Everything that is not understood is
//! a [`Mismatch`], never skipped.

pub mod client;
mod fields;
mod header;
mod op;
mod render;

pub use fields::{Fields, Mismatch};
pub use header::{Header, config_json};
pub use op::{Advance, Fetch, Op, Pause};
pub use render::Render;

/// The value of `format` in the first line of a trace of one server.
pub const REGISTRY_FORMAT: &str = "eureka-golden/registry/1";
/// The value of `format` in the first line of a trace of one client.
pub const CLIENT_FORMAT: &str = "eureka-golden/client/1";
