//! The names of metrics and events, as expectations and plots use them.

/// A value that changes in the course of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Leases in a server's registry (or instances that a client sees).
    RegistrySize,
    /// `numOfRenewsInLastMin`
    RenewsLastMin,
    /// `numOfRenewsPerMinThreshold`
    RenewsPerMinThreshold,
    /// `expectedNumberOfClientsSendingRenews`
    ExpectedClients,
    /// `isLeaseExpirationEnabled`
    LeaseExpirationEnabled,
    /// `isBelowRenewThreshold`
    BelowRenewThreshold,
    /// Instances that really run.
    Alive,
    /// Instances that are registered but do not run.
    Ghosts,
    /// Instances that run and should be registered, but are not.
    Missing,
    /// Leases evicted so far.
    Evicted,
    /// Leases evicted so far whose instance ran.
    EvictedHealthy,
    /// Ghosts, summed over time, in seconds.
    GhostSeconds,
    /// Missing instances, summed over time, in seconds.
    MissingSeconds,
    /// Instances whose presence or status is not the same at all running servers.
    PeerDivergence,
    /// Of these, the ones that a server has and another has not.
    PeerDivergencePresence,
    /// Of these, the ones that two servers have with different statuses.
    PeerDivergenceStatus,
    /// Replication tasks of a server that wait, for all its peers; those under way not included.
    ReplicationBacklog,
    /// Batches that a server has sent so far, each retry again.
    ReplicationBatches,
    /// Of these, the ones that ended otherwise than with 2xx, as far as the sender knows.
    ReplicationBatchesFailed,
    /// Tasks that a server's dispatchers have dropped so far without their peer's confirmation, and
    /// not for a newer one.
    ReplicationDropped,
    /// Of these, the ones that had become too old (`expiredTasks`).
    ReplicationExpired,
    /// Of these, the ones for which there was no room (`queueOverflows`).
    ReplicationOverflows,
    /// Full registries that a server has answered with so far.
    FullFetches,
    /// Deltas likewise.
    DeltaFetches,
    /// Bytes of these full registries: uncompressed JSON in full format.
    FullFetchBytes,
    /// Bytes of these deltas, likewise.
    DeltaBytes,
    /// Registrations so far that followed a heartbeat answered 404.
    NotFoundRegistrations,
    /// Registrations so far with another dirty timestamp than the same process registered before.
    DirtyRegistrations,
    /// First registrations so far of processes that took the place of an earlier one.
    RestartRegistrations,
    /// Registrations so far with the dirty timestamp that the same process registered before.
    RepeatedRegistrations,
    /// Registrations so far that a server sent to a peer that had answered a heartbeat with 404.
    ReplicaNotFoundRegistrations,
    /// Copies so far that a server took from a peer that had answered a heartbeat with 409.
    ConflictRegistrations,
    /// The status of an instance.
    Status,
    /// Minutes in self-preservation so far.
    SelfPreservationMinutes,
    /// Minutes so far in self-preservation while nobody was dead or missing.
    FalseProtectionMinutes,
    /// Seconds from the last heal until all servers agreed again.
    ConvergenceSeconds,
    /// Attempts so far that consumers sent to instances whose process did not run.
    TrafficToDead,
    /// Their share of all attempts so far.
    TrafficToDeadShare,
    /// Seconds from the death of an instance to the last call that was sent to it, the most so far.
    Staleness,
    /// Instances that a server has under a status that is not theirs, for longer than a healthy cluster
    /// needs; those without a process included that are not UP.
    StuckInstances,
    /// Instances that a server has as UP without a process, likewise.
    UpButDead,
    /// Instances that run and that a server does not have, likewise.
    AliveButMissing,
    /// Instances of which servers do not say the same, likewise.
    DivergedBetweenPeers,
}

impl Metric {
    /// Every metric with its name.
    pub const ALL: [(&'static str, Self); 43] = [
        ("registry-size", Self::RegistrySize),
        ("renews-last-min", Self::RenewsLastMin),
        ("renews-per-min-threshold", Self::RenewsPerMinThreshold),
        ("expected-clients", Self::ExpectedClients),
        ("lease-expiration-enabled", Self::LeaseExpirationEnabled),
        ("below-renew-threshold", Self::BelowRenewThreshold),
        ("alive", Self::Alive),
        ("ghosts", Self::Ghosts),
        ("missing", Self::Missing),
        ("evicted", Self::Evicted),
        ("evicted-healthy", Self::EvictedHealthy),
        ("ghost-seconds", Self::GhostSeconds),
        ("missing-seconds", Self::MissingSeconds),
        ("peer-divergence", Self::PeerDivergence),
        ("peer-divergence-presence", Self::PeerDivergencePresence),
        ("peer-divergence-status", Self::PeerDivergenceStatus),
        ("replication-backlog", Self::ReplicationBacklog),
        ("replication-batches", Self::ReplicationBatches),
        ("replication-batches-failed", Self::ReplicationBatchesFailed),
        ("replication-dropped", Self::ReplicationDropped),
        ("replication-expired", Self::ReplicationExpired),
        ("replication-overflows", Self::ReplicationOverflows),
        ("full-fetches", Self::FullFetches),
        ("delta-fetches", Self::DeltaFetches),
        ("full-fetch-bytes", Self::FullFetchBytes),
        ("delta-bytes", Self::DeltaBytes),
        ("not-found-registrations", Self::NotFoundRegistrations),
        ("dirty-registrations", Self::DirtyRegistrations),
        ("restart-registrations", Self::RestartRegistrations),
        ("repeated-registrations", Self::RepeatedRegistrations),
        ("replica-not-found-registrations", Self::ReplicaNotFoundRegistrations),
        ("conflict-registrations", Self::ConflictRegistrations),
        ("status", Self::Status),
        ("self-preservation-minutes", Self::SelfPreservationMinutes),
        ("false-protection-minutes", Self::FalseProtectionMinutes),
        ("convergence-seconds", Self::ConvergenceSeconds),
        ("traffic-to-dead", Self::TrafficToDead),
        ("traffic-to-dead-share", Self::TrafficToDeadShare),
        ("staleness", Self::Staleness),
        ("stuck-instances", Self::StuckInstances),
        ("up-but-dead", Self::UpButDead),
        ("alive-but-missing", Self::AliveButMissing),
        ("diverged-between-peers", Self::DivergedBetweenPeers),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }

    /// Whether it is true or false.
    #[must_use]
    pub const fn is_flag(self) -> bool {
        matches!(self, Self::LeaseExpirationEnabled | Self::BelowRenewThreshold)
    }

    /// Whether it belongs to the run, not to each server.
    #[must_use]
    pub const fn is_global(self) -> bool {
        matches!(self, Self::Alive | Self::DivergedBetweenPeers)
            || self.compares_peers()
            || self.is_traffic()
    }

    /// Whether it is of what servers say of the same instance.
    #[must_use]
    pub const fn compares_peers(self) -> bool {
        matches!(self, Self::ConvergenceSeconds) || self.is_divergence()
    }

    /// Whether it tells how far servers differ.
    #[must_use]
    pub const fn is_divergence(self) -> bool {
        matches!(
            self,
            Self::PeerDivergence | Self::PeerDivergencePresence | Self::PeerDivergenceStatus
        )
    }

    /// Whether it changes while nothing happens.
    #[must_use]
    pub const fn grows(self) -> bool {
        matches!(
            self,
            Self::GhostSeconds
                | Self::MissingSeconds
                | Self::SelfPreservationMinutes
                | Self::FalseProtectionMinutes
                | Self::ConvergenceSeconds
                | Self::TrafficToDeadShare
        )
    }

    /// Whether something may change it that is no fact: a dispatcher that finds two tasks for one.
    #[must_use]
    pub const fn changes_without_a_fact(self) -> bool {
        matches!(self, Self::ReplicationBacklog)
    }

    /// Whether its values are whole numbers.
    #[must_use]
    pub const fn is_count(self) -> bool {
        !self.is_flag() && !self.grows() && !matches!(self, Self::Status | Self::Staleness)
    }

    /// Whether it is of the calls between applications.
    #[must_use]
    pub const fn is_traffic(self) -> bool {
        matches!(self, Self::TrafficToDead | Self::TrafficToDeadShare | Self::Staleness)
    }

    /// Whether it is of the detector of stuck instances.
    #[must_use]
    pub const fn is_of_stuck(self) -> bool {
        matches!(
            self,
            Self::StuckInstances
                | Self::UpButDead
                | Self::AliveButMissing
                | Self::DivergedBetweenPeers
        )
    }

    /// Whether it can be asked for one instance.
    #[must_use]
    pub const fn by_instance(self) -> bool {
        matches!(self, Self::Status | Self::TrafficToDead | Self::Staleness)
    }

    /// Whether it can be asked for one client: what it sees, or the calls that it makes.
    #[must_use]
    pub const fn by_view(self) -> bool {
        matches!(self, Self::RegistrySize | Self::Status) || self.is_traffic()
    }

    /// Whether it can be asked for one application.
    #[must_use]
    pub const fn by_app(self) -> bool {
        matches!(self, Self::RegistrySize | Self::Alive | Self::Ghosts | Self::Missing)
            || self.is_of_stuck()
            || self.is_traffic()
    }
}

/// A kind of line of `events.jsonl`. As many are counted as there are lines; of kinds that only
/// `--events all` lists, as many as it lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A process starts.
    Start,
    /// A graceful stop has ended.
    Exit,
    /// A server accepts connections.
    Listening,
    /// A server that is stopped accepts connections no longer.
    Closed,
    /// A server is opened for traffic.
    OpenForTraffic,
    /// A server executed a request.
    Request,
    /// A client's request got no answer.
    Failed,
    /// A batch was sent.
    ReplicationBatch,
    /// A replication task was dropped, and not for a newer one.
    ReplicationDropped,
    /// The eviction task evicted somebody.
    EvictRun,
    /// What a client sees changed, not only its version.
    View,
    /// An instance's own status changed.
    LocalStatus,
    /// The script did something.
    Fault,
    /// A registry, at the end.
    Registry,
    /// A lease was made or replaced.
    Register,
    /// A lease was renewed.
    Renew,
    /// A lease was cancelled.
    Cancel,
    /// A lease was evicted.
    ExpiredLease,
    /// An override was set or deleted.
    Override,
    /// The threshold changed.
    Threshold,
    /// A minute of renewals is complete, and has not as many as the one before.
    Bucket,
    /// The list of a server's peers changed.
    Peers,
    /// Self-preservation went on or off.
    SelfPreservation,
    /// The dashboard began to warn, or stopped.
    BelowRenewThreshold,
    /// The calls of a second.
    Calls,
    /// An attempt of a call failed.
    CallFailed,
    /// An attempt of a call was sent to an instance that did not run.
    CallToDead,
    /// A load balancer keeps another list.
    Balancer,
    /// A client's constructor threw.
    ConstructFailed,
    /// What a client's own view says of its instance changed.
    RemoteStatus,
    /// A health check threw.
    HealthException,
    /// A change of status found no token.
    OnDemandRateLimited,
    /// A heartbeat or a fetch did not end within its period.
    SupervisorTimeout,
    /// No worker was free for a heartbeat or a fetch.
    SupervisorRejected,
    /// A client's registry does not have the delta's hash.
    HashMismatch,
    /// A fetch failed at every server it asked.
    FetchFailed,
    /// So did a heartbeat, or the registration after it.
    HeartbeatFailed,
    /// So did a registration.
    RegisterFailed,
    /// So did a cancel.
    CancelFailed,
    /// An instance is stuck.
    Stuck,
}

impl EventKind {
    /// Every kind with its name.
    pub const ALL: [(&'static str, Self); 40] = [
        ("start", Self::Start),
        ("exit", Self::Exit),
        ("listening", Self::Listening),
        ("closed", Self::Closed),
        ("open-for-traffic", Self::OpenForTraffic),
        ("request", Self::Request),
        ("failed", Self::Failed),
        ("replication-batch", Self::ReplicationBatch),
        ("replication-dropped", Self::ReplicationDropped),
        ("evict-run", Self::EvictRun),
        ("view", Self::View),
        ("local-status", Self::LocalStatus),
        ("fault", Self::Fault),
        ("registry", Self::Registry),
        ("register", Self::Register),
        ("renew", Self::Renew),
        ("cancel", Self::Cancel),
        ("expired-lease", Self::ExpiredLease),
        ("override", Self::Override),
        ("threshold", Self::Threshold),
        ("bucket", Self::Bucket),
        ("peers", Self::Peers),
        ("self-preservation", Self::SelfPreservation),
        ("below-renew-threshold", Self::BelowRenewThreshold),
        ("calls", Self::Calls),
        ("call-failed", Self::CallFailed),
        ("call-to-dead", Self::CallToDead),
        ("balancer", Self::Balancer),
        ("construct-failed", Self::ConstructFailed),
        ("remote-status", Self::RemoteStatus),
        ("health-exception", Self::HealthException),
        ("on-demand-rate-limited", Self::OnDemandRateLimited),
        ("supervisor-timeout", Self::SupervisorTimeout),
        ("supervisor-rejected", Self::SupervisorRejected),
        ("hash-mismatch", Self::HashMismatch),
        ("fetch-failed", Self::FetchFailed),
        ("heartbeat-failed", Self::HeartbeatFailed),
        ("register-failed", Self::RegisterFailed),
        ("cancel-failed", Self::CancelFailed),
        ("stuck", Self::Stuck),
    ];

    /// Whether its events are of instances, not only of a server.
    #[must_use]
    pub const fn has_instance(self) -> bool {
        !matches!(
            self,
            Self::Listening
                | Self::Closed
                | Self::OpenForTraffic
                | Self::Threshold
                | Self::Bucket
                | Self::Peers
                | Self::SelfPreservation
                | Self::BelowRenewThreshold
                | Self::Calls
        )
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}
