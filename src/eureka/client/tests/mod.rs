//! What a client does, told from outside: which requests it sends, when, to whom.
//!
//! Instants are milliseconds since the process start. Where a test names a recording, its figures are
//! those of that file in `golden/client`, made with the published classes.

mod bench;
mod fetch;
mod http;
mod limiter;
mod register;
mod replicator;
mod retry;
mod session;
mod shutdown;
mod start;
mod supervisor;
mod view;
