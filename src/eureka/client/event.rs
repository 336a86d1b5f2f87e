//! What the threads of a client tell: what its log and its event listeners would say.

use super::health::HealthAnswer;
use crate::eureka::InstanceStatus;
use crate::time::Span;

/// Which of the clients that share an `ApplicationInfoManager`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one the process began with.
    First,
    /// One that was made later.
    Second,
}

/// Which supervised task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervised {
    /// `DiscoveryClient.HeartbeatThread`
    Heartbeat,
    /// `DiscoveryClient.CacheRefreshThread`
    CacheRefresh,
}

/// Why a call failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFailure {
    /// The list of servers is empty.
    NoServers,
    /// Every server of the list had failed.
    NoKnownServer,
    /// The third attempt failed.
    RetryLimit,
}

impl CallFailure {
    /// Class and message of the exception.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoServers => {
                "TransportException: There is no known eureka server; cluster server list is empty"
            }
            Self::NoKnownServer => "TransportException: Cannot execute request on any known server",
            Self::RetryLimit => {
                "TransportException: Retry limit reached; giving up on completing the request"
            }
        }
    }
}

/// Why the constructor threw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstructFailure {
    /// `enforce-fetch-registry-at-init`, and the first fetch failed.
    Fetch,
    /// `enforce-registration-at-init`, and the call failed.
    Register(CallFailure),
    /// `enforce-registration-at-init`, and the answer was not 204.
    Response,
}

impl ConstructFailure {
    /// Class and message of the exception at the root.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Fetch => {
                "IllegalStateException: Fetch registry error at startup. Initial fetch failed."
            }
            Self::Register(failure) => failure.message(),
            Self::Response => {
                "IllegalStateException: Registration error at startup. Invalid server response."
            }
        }
    }
}

/// Something that happened inside a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// The constructor returned.
    Constructed(Which),
    /// The constructor threw.
    ConstructFailed(ConstructFailure),
    /// A call of `shutdown()` returned.
    ShutdownReturned(Which),
    /// The transport was closed.
    TransportShutdown,
    /// A fetch ended without an exception, whether it stored something or not.
    CacheRefreshed,
    /// A scheduled fetch ended without an exception, its last step included.
    RefreshSucceeded,
    /// The status of the own instance in the local registry changed.
    RemoteStatus(InstanceStatus, InstanceStatus),
    /// The health-check handler is asked, with this status and this answer to come.
    HealthEvaluate(InstanceStatus, HealthAnswer),
    /// It has answered after a while.
    HealthEvaluated,
    /// It threw.
    HealthException,
    /// It was interrupted.
    HealthInterrupted,
    /// The health-check callback was asked: UP or DOWN.
    Callback(InstanceStatus),
    /// An update on demand found no token.
    OnDemandRateLimited,
    /// An update on demand found its scheduler stopped.
    OnDemandAfterStop,
    /// A run did not end within its period.
    SupervisorTimeout(Supervised),
    /// No worker was free.
    SupervisorRejected(Supervised),
    /// The supervisor waits this long from now on.
    SupervisorDelay(Supervised, Span),
    /// The hash of the local registry differs from the delta's (or the difference is to be logged).
    HashMismatch,
    /// Another fetch was faster: the payload is dropped.
    GenerationLost,
    /// The delta had no body: a full fetch follows.
    DeltaRefused,
    /// A full fetch had no body.
    FullBodyNull,
    /// The full fetch after a hash mismatch had no body.
    ReconcileBodyNull,
    /// A fetch raised an exception.
    FetchFailed(CallFailure),
    /// A heartbeat renewed the lease, or registered the instance.
    HeartbeatSucceeded,
    /// A heartbeat, or the registration after it, raised an exception.
    HeartbeatFailed(CallFailure),
    /// A registration raised an exception.
    RegisterFailed(CallFailure),
    /// A run of the replicator ended with an exception.
    ReplicatorFailed(CallFailure),
    /// The cancel raised an exception.
    CancelFailed(CallFailure),
    /// The HTTP library's pause before it repeats a request was interrupted.
    HttpRetryInterrupted,
}

impl ClientEvent {
    /// Its name, if it is something to look at when a client does not do what is expected of it: a
    /// failure, an update that was dropped, a status that came back.
    #[must_use]
    pub const fn notable(self) -> Option<&'static str> {
        Some(match self {
            Self::ConstructFailed(_) => "construct-failed",
            Self::RemoteStatus(..) => "remote-status",
            Self::HealthException => "health-exception",
            Self::OnDemandRateLimited => "on-demand-rate-limited",
            Self::SupervisorTimeout(_) => "supervisor-timeout",
            Self::SupervisorRejected(_) => "supervisor-rejected",
            Self::HashMismatch => "hash-mismatch",
            Self::FetchFailed(_) => "fetch-failed",
            Self::HeartbeatFailed(_) => "heartbeat-failed",
            Self::RegisterFailed(_) => "register-failed",
            Self::CancelFailed(_) => "cancel-failed",
            _ => return None,
        })
    }
}
