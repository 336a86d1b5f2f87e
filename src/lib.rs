//! A deterministic simulator of Netflix/Spring Cloud Eureka registry clusters.
pub mod eureka;
pub mod golden;
pub mod replay;
pub mod sim;
pub mod time;
