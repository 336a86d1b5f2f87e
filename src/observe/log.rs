//! `run --log`: lines in the words Eureka itself logs, so that people can grep what they grep in
//! production.

use std::io::{self, Write};

use super::harmless::escape;
use super::labels::Labels;
use crate::sim::{Fact, RequestFact, WorldView};
use crate::time::Instant;

/// Writes log lines as facts happen.
pub struct RunLog {
    sink: Box<dyn Write>,
    error: Option<io::Error>,
}

impl RunLog {
    /// Writes into `sink`.
    #[must_use]
    pub fn new(sink: Box<dyn Write>) -> Self {
        Self { sink, error: None }
    }

    /// What went wrong with writing, if anything did.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    pub(super) fn fact(
        &mut self,
        at: Instant,
        fact: &Fact<'_>,
        world: &WorldView<'_>,
        labels: &Labels,
    ) {
        let names = world.names();
        let (server, text) = match fact {
            Fact::OpenForTraffic { server, sync_count, count } => {
                let threshold = world.registry(*server).map_or(0, |registry| registry.threshold());
                let text = format!(
                    "Got {sync_count} instances from neighboring DS node; opened with {count}; \
                     Renew threshold is: {threshold}"
                );
                (*server, text)
            }
            Fact::Registered { server, key, status, replica, .. } => {
                let text = format!(
                    "Registered instance {} with status {status} (replication={replica})",
                    names.full(*key)
                );
                (*server, text)
            }
            Fact::Cancelled { server, key, evicted: true, .. } => {
                (*server, format!("DS: Registry: expired lease for {}", names.full(*key)))
            }
            Fact::Cancelled { server, key, replica, evicted: false } => {
                let text =
                    format!("Cancelled instance {} (replication={replica})", names.full(*key));
                (*server, text)
            }
            Fact::EvictRun { server, run } => {
                let task = format!(
                    "Running the evict task with compensationTime {}ms",
                    run.compensation_ms
                );
                let text = match (run.enabled, run.evicted.len()) {
                    (false, _) => {
                        format!("{task}; DS: lease expiration is currently disabled.")
                    }
                    (true, 0) => task,
                    (true, victims) => format!(
                        "{task}; Evicting {victims} items (expired={}, evictionLimit={})",
                        run.expired, run.limit
                    ),
                };
                (*server, text)
            }
            Fact::Threshold { server, to, .. } => {
                (*server, format!("Current renewal threshold is : {to}"))
            }
            Fact::Request {
                server,
                request: RequestFact::Heartbeat { key, .. },
                code: 404,
                ..
            } => (*server, format!("Not Found (Renew): {}", names.full(*key))),
            Fact::BatchEnded { .. } | Fact::Fault(_) => return,
            _ => return,
        };
        // Ids are of whoever registers them, and may be any text.
        let line = format!("{at} {}: {text}", labels.server(server));
        if let Err(error) = writeln!(self.sink, "{}", escape(&line)) {
            self.error.get_or_insert(error);
        }
    }

    pub(super) fn finish(&mut self) {
        if let Err(error) = self.sink.flush() {
            self.error.get_or_insert(error);
        }
    }
}
