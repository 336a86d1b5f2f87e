//! What a transport remembers: `SessionedEurekaHttpClient` over `RetryableEurekaHttpClient` over
//! `RedirectingEurekaHttpClient`.
//!
//! Registration traffic and fetches each have a stack of their own over one shared list of servers.
//! A stack stays with the server that answered last (the *pin*), and keeps away from servers that
//! failed (the *quarantine*) until too many are there or its session ends.

use super::profile::ErrorBody;

/// Which stack a call goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StackKind {
    /// register, heartbeat, cancel
    Registration,
    /// fetches
    Query,
}

/// What a call asks for; decides which answers are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Register,
    Heartbeat,
    Cancel,
    Delta,
    Full,
}

impl Operation {
    /// `ServerStatusEvaluators`: whether an answer is the result of the call. Anything else counts as
    /// a failed attempt, and the next server is asked.
    pub(super) const fn accepts(self, code: u16) -> bool {
        let success = code >= 200 && code < 300;
        match self {
            Self::Cancel => true,
            Self::Register | Self::Heartbeat => success || matches!(code, 302 | 404),
            Self::Delta => success || matches!(code, 302 | 403 | 404),
            Self::Full => success || code == 302,
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Outcome<B> {
    /// The server answered.
    Answered {
        /// The HTTP status.
        code: u16,
        /// The entity of a success.
        body: Option<B>,
        /// What an error carries.
        error_body: ErrorBody,
        /// Of a 302: the server that `Location` names, if its path is one of Eureka's (`…/v2/apps…`).
        location: Option<u16>,
    },
    /// It did not.
    Failed(AttemptFailure),
}

/// Why an attempt got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptFailure {
    /// Nobody listens.
    Refused,
    /// No connection within the connect timeout.
    ConnectTimeout,
    /// No answer within the read timeout; the request may have been executed.
    ReadTimeout,
    /// The connection closed before a byte of the answer came: the server died with the request
    /// unanswered.
    Reset,
    /// The HTTP library gave it up: its connections were closed, or it was redirected too often.
    Aborted,
}

impl AttemptFailure {
    /// The name used in reports: `read-timeout`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::ConnectTimeout => "connect-timeout",
            Self::ReadTimeout => "read-timeout",
            Self::Reset => "reset",
            Self::Aborted => "aborted",
        }
    }
}

/// Why an attempt sent nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// The thread's interrupt flag is set, and the HTTP library gives it no connection.
    Interrupted,
    /// The transport was closed.
    ClientClosed,
}

/// `RedirectingEurekaHttpClient`: the client of one endpoint of the list. A new one is made for each
/// endpoint tried, so that a late failure of an old one does not unpin a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EndpointClient {
    /// The server of the list.
    pub(super) endpoint: u16,
    /// Its number among the clients that its session made.
    pub(super) number: u16,
    /// The server it talks to, once one has answered it: another one after a redirect.
    target: u16,
}

impl EndpointClient {
    const NO_SERVER: u16 = u16::MAX;
    const NONE: Self = Self { endpoint: Self::NO_SERVER, number: 0, target: Self::NO_SERVER };

    /// The server that answers it for good; none before the first answer.
    pub(super) fn target(self) -> Option<u16> {
        (self.target != Self::NO_SERVER).then_some(self.target)
    }

    /// The same, after an exception made it forget who answered.
    pub(super) const fn without_target(self) -> Self {
        Self { target: Self::NO_SERVER, ..self }
    }

    /// The same, answered by `server`.
    pub(super) const fn answered_by(self, server: u16) -> Self {
        Self { target: server, ..self }
    }
}

/// Something about a server, or the client of an endpoint, in one session of one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quarantined {
    pub(super) stack: StackKind,
    pub(super) session: u16,
    /// The server; or the client's number.
    pub(super) what: u16,
}

/// `RetryableEurekaHttpClient` of one session: its pin. The quarantine is with what is rare.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retryable {
    pub(super) session: u16,
    /// Calls under way that began in this session.
    pub(super) calls: u16,
    clients_made: u16,
    pinned: EndpointClient,
}

impl Retryable {
    const fn new(session: u16) -> Self {
        Self { session, calls: 0, clients_made: 0, pinned: EndpointClient::NONE }
    }

    pub(super) fn pinned(&self) -> Option<EndpointClient> {
        (self.pinned != EndpointClient::NONE).then_some(self.pinned)
    }

    /// The server that answered last; `u16::MAX` if none is pinned.
    pub(super) const fn server(&self) -> u16 {
        self.pinned.target
    }

    /// A new client for an endpoint of the list.
    pub(super) const fn endpoint_client(&mut self, server: u16) -> EndpointClient {
        self.clients_made = self.clients_made.wrapping_add(1);
        let number = self.clients_made;
        EndpointClient { endpoint: server, number, target: EndpointClient::NO_SERVER }
    }

    /// An accepted answer: the session stays with that client.
    pub(super) const fn pin(&mut self, client: EndpointClient) {
        self.pinned = client;
    }

    /// A failed attempt unpins that client, and no newer one.
    pub(super) fn unpin(&mut self, client: EndpointClient) {
        if self.pinned.number == client.number {
            self.pinned = EndpointClient::NONE;
        }
    }
}

/// One stack. Packed: a hundred thousand clients have two each.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(4))]
pub(super) struct Stack {
    /// Wall clock (ms) at which the session ends; 0 before the first.
    session_end: i64,
    pub(super) present: Retryable,
}

impl Stack {
    pub(super) const fn new() -> Self {
        Self { session_end: 0, present: Retryable::new(0) }
    }

    /// `SessionedEurekaHttpClient.execute`: whether a new session begins now.
    pub(super) const fn session_is_over(&self, wall: i64) -> bool {
        wall >= self.session_end
    }

    /// A new session, without pin; `draw` is uniform in [0, 1). What is left of the old one.
    pub(super) fn begin_session(&mut self, interval_ms: i64, wall: i64, draw: f64) -> Retryable {
        // Java: sessionDurationMs + (long) (random deviation of half of it either way).
        let deviation = (interval_ms as f64 * (draw - 0.5)) as i64;
        self.session_end = wall.saturating_add(interval_ms + deviation);
        self.begin_retryable()
    }

    /// A new `RetryableEurekaHttpClient` in the same session; the old one.
    pub(super) fn begin_retryable(&mut self) -> Retryable {
        let next = Retryable::new(self.present.session.wrapping_add(1));
        std::mem::replace(&mut self.present, next)
    }
}

/// `RetryableEurekaHttpClient.getHostCandidates()`: at how many servers in quarantine all are forgiven.
pub(super) fn quarantine_threshold(servers: usize, refresh_percentage: f64) -> usize {
    ((servers as f64 * refresh_percentage) as usize).min(servers)
}
