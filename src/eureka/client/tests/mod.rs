//! What a client does, told from outside: which requests it sends, when, to whom.
//!
//! Instants are milliseconds since the process start. Where a test names a recording, its figures are
//! those of that file in `golden/client`, made with the published classes.

mod after_shutdown;
mod bench;
mod configured;
mod fetch;
mod health;
mod http;
mod http_retry;
mod init;
mod limiter;
mod redirect;
mod register;
mod releases;
mod replicator;
mod retry;
mod session;
mod shared_manager;
mod shutdown;
mod single_vip;
mod start;
mod supervisor;
mod view;
