//! A deterministic simulator of Netflix/Spring Cloud Eureka registry clusters.
//!
//! The modules stand in layers, and each may use only what stands before it:
//! [`time`] ← [`eureka`] ← [`sim`] ← [`scenario`] ← [`observe`] ← [`study`] ← [`report`] ← [`cli`].
//! Beside them, on [`eureka`] alone, stand the form of recorded traces ([`golden`]) and their
//! [`replay`].

pub mod cli;
pub mod eureka;
pub mod golden;
pub mod observe;
pub mod replay;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod study;
pub mod time;
