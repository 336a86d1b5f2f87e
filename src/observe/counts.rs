//! What servers have done since t = 0, counted: fetches and their bytes, registrations by cause,
//! batches and tasks of replication. A new process goes on with the counts of the one before.

use crate::eureka::server::CacheKey;
use crate::eureka::server::peer::Dropped;
use crate::eureka::{InstanceKey, Names};
use crate::scenario::Metric;
use crate::sim::{BatchOutcome, Fact, HostId, Party, RequestFact, WorldView};

/// The counts of every server.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    /// For each server, by metric; those that are no counts stay 0.
    servers: Vec<[u64; Metric::ALL.len()]>,
    /// For each instance.
    registrants: Vec<Registrant>,
}

/// What tells why an instance registers.
#[derive(Clone, Copy, Debug, Default)]
struct Registrant {
    /// Its last heartbeat was answered 404.
    sent_away: bool,
    /// Its process is not the first under this id.
    restarted: bool,
    /// The dirty timestamp that this process registered last.
    registered: Option<i64>,
}

impl Counts {
    pub(super) fn new(servers: usize, names: &Names) -> Self {
        Self {
            servers: vec![[0; Metric::ALL.len()]; servers],
            registrants: vec![Registrant::default(); names.instance_count()],
        }
    }

    /// A count; 0 for metrics that are none.
    pub(super) fn get(&self, server: HostId, metric: Metric) -> u64 {
        self.servers[server.index()][metric as usize]
    }

    fn add(&mut self, server: HostId, metric: Metric, more: u64) {
        self.servers[server.index()][metric as usize] += more;
    }

    pub(super) fn fact(&mut self, fact: &Fact<'_>, world: &WorldView<'_>) {
        match *fact {
            Fact::Started(host, generation) => {
                let restarted = generation > 0;
                self.registrants[world.key(host).index()] =
                    Registrant { restarted, ..Registrant::default() };
            }
            Fact::Request { server, from, ref request, code, bytes } => {
                self.request(server, from, request, (code, bytes));
            }
            Fact::BatchSent { from, .. } => self.add(from, Metric::ReplicationBatches, 1),
            Fact::BatchEnded { from, outcome, .. } => {
                let failed = !matches!(outcome, BatchOutcome::Answered(200..300));
                self.add(from, Metric::ReplicationBatchesFailed, failed.into());
            }
            Fact::TaskDropped { from, why, .. } => {
                self.add(from, Metric::ReplicationDropped, 1);
                match why {
                    Dropped::Expired => self.add(from, Metric::ReplicationExpired, 1),
                    Dropped::Overflow => self.add(from, Metric::ReplicationOverflows, 1),
                    Dropped::PermanentError | Dropped::Overridden => {}
                }
            }
            Fact::ReplicaNotFound { from, .. } => {
                self.add(from, Metric::ReplicaNotFoundRegistrations, 1);
            }
            Fact::Adopted { server, .. } => self.add(server, Metric::ConflictRegistrations, 1),
            _ => {}
        }
    }

    fn request(
        &mut self,
        server: HostId,
        from: Party,
        request: &RequestFact<'_>,
        (code, bytes): (u16, u64),
    ) {
        match request {
            RequestFact::Heartbeat { key, .. } => {
                self.registrants[key.index()].sent_away = code == 404;
            }
            RequestFact::Register(info) => {
                let is_client = matches!(from, Party::Host(_));
                if let Some(cause) = self.cause(info.key, info.last_dirty_timestamp, is_client) {
                    self.add(server, cause, 1);
                }
            }
            RequestFact::Get(CacheKey::AllApps) if code == 200 => {
                self.add(server, Metric::FullFetches, 1);
                self.add(server, Metric::FullFetchBytes, bytes);
            }
            RequestFact::Get(CacheKey::AllAppsDelta) if code == 200 => {
                self.add(server, Metric::DeltaFetches, 1);
                self.add(server, Metric::DeltaBytes, bytes);
            }
            _ => {}
        }
    }

    /// Why an instance registers; nothing for the first registration of its first process, nor for
    /// those that somebody else makes in its name.
    fn cause(&mut self, key: InstanceKey, dirty: i64, is_client: bool) -> Option<Metric> {
        let registrant = &mut self.registrants[key.index()];
        let sent_away = std::mem::take(&mut registrant.sent_away);
        let before = match is_client {
            true => registrant.registered.replace(dirty),
            false => None,
        };
        match before {
            _ if sent_away => Some(Metric::NotFoundRegistrations),
            _ if !is_client => None,
            None => registrant.restarted.then_some(Metric::RestartRegistrations),
            Some(before) if before == dirty => Some(Metric::RepeatedRegistrations),
            Some(_) => Some(Metric::DirtyRegistrations),
        }
    }
}
