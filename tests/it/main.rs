//! Tests of the whole: recordings of the real classes, scenarios, the command line, the tree.

mod bad_input;
mod calls;
mod cli;
mod cluster;
mod digests;
mod docs;
mod faults;
mod fidelity;
mod fleet;
mod frozen;
mod golden;
mod golden_client;
mod golden_real;
mod health;
mod hostile_names;
mod in_client;
mod invariants;
mod observed;
mod sandbox;
mod stuck;
mod support;
mod tree;
