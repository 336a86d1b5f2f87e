//! Tests of the whole: recordings of the real classes, scenarios, the command line, the tree.

mod cluster;
mod digests;
mod frozen;
mod golden;
mod invariants;
mod support;
