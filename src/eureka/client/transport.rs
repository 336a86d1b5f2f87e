//! The client's transport: `SessionedEurekaHttpClient` over `RetryableEurekaHttpClient`.
//!
//! Registration traffic and fetches each have a stack of their own over one shared list of servers.
//! A stack stays with the server that answered last (the *pin*), and keeps away from servers that
//! failed (the *quarantine*) until too many are there or its session ends.

use super::profile::ErrorBody;

/// Attempts of one call, the one at the pinned server included.
pub(super) const MAX_ATTEMPTS: u8 = 3;

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
    /// The server died with the request unanswered.
    Reset,
}

/// The endpoint client a stack is pinned to. A new one is made for each endpoint tried, so that a
/// late failure of an old one does not unpin a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EndpointClient {
    pub(super) server: u16,
    pub(super) number: u32,
}

/// `RetryableEurekaHttpClient`: the pin and the quarantine of one session.
#[derive(Clone, Debug, Default)]
pub(super) struct Retryable {
    session: u32,
    /// Calls under way that began in this session.
    calls: u16,
    clients_made: u32,
    pinned: Option<EndpointClient>,
    /// Servers that failed, by their number.
    quarantine: Vec<u16>,
}

impl Retryable {
    pub(super) const fn pinned(&self) -> Option<EndpointClient> {
        self.pinned
    }

    /// A new client for an endpoint of the list.
    pub(super) fn endpoint_client(&mut self, server: u16) -> EndpointClient {
        self.clients_made += 1;
        EndpointClient { server, number: self.clients_made }
    }

    /// `RetryableEurekaHttpClient.getHostCandidates()`: the list without the quarantined servers,
    /// unless so many are there that all are forgiven.
    pub(super) fn host_candidates(&mut self, servers: &[u16], refresh_percentage: f64) -> Vec<u16> {
        self.quarantine.retain(|server| servers.contains(server));
        let threshold = (servers.len() as f64 * refresh_percentage) as usize;
        let threshold = threshold.min(servers.len());
        if self.quarantine.is_empty() {
            return servers.to_vec();
        }
        if self.quarantine.len() >= threshold {
            self.quarantine.clear();
            return servers.to_vec();
        }
        servers.iter().copied().filter(|server| !self.quarantine.contains(server)).collect()
    }

    /// An accepted answer: the session stays with that server.
    pub(super) fn succeeded(&mut self, client: EndpointClient) {
        self.pinned = Some(client);
    }

    /// A failed attempt: unpins that client; a server from the list goes into quarantine.
    pub(super) fn failed(&mut self, client: EndpointClient, from_list: bool) {
        if self.pinned == Some(client) {
            self.pinned = None;
        }
        if from_list && !self.quarantine.contains(&client.server) {
            self.quarantine.push(client.server);
        }
    }
}

/// One stack.
#[derive(Clone, Debug, Default)]
pub(super) struct Stack {
    /// Wall clock (ms) at which the session began; 0 before the first.
    session_start: i64,
    /// Milliseconds it lasts.
    session_length: i64,
    present: Retryable,
    /// Sessions that are over, but not for the calls that began in them.
    past: Vec<Retryable>,
}

impl Stack {
    /// `SessionedEurekaHttpClient.execute`: begins a new session, without pin and quarantine, if the
    /// present one is over. `draw` is uniform in [0, 1). The call belongs to the session returned,
    /// whatever begins meanwhile, until [`Stack::call_over`].
    pub(super) fn begin_call(
        &mut self,
        interval_ms: i64,
        wall: i64,
        draw: impl FnOnce() -> f64,
    ) -> u32 {
        if wall - self.session_start >= self.session_length {
            self.session_start = wall;
            // Java: sessionDurationMs + (long) (random deviation of half of it either way).
            let deviation = (interval_ms as f64 * (draw() - 0.5)) as i64;
            self.session_length = interval_ms + deviation;
            let session = self.present.session + 1;
            let next = Retryable { session, ..Retryable::default() };
            let over = std::mem::replace(&mut self.present, next);
            if over.calls > 0 {
                self.past.push(over);
            }
        }
        self.present.calls += 1;
        self.present.session
    }

    /// The session of a call under way.
    pub(super) fn session(&mut self, number: u32) -> &mut Retryable {
        if self.present.session == number {
            return &mut self.present;
        }
        let past = self.past.iter_mut().find(|past| past.session == number);
        past.expect("a session is kept as long as calls of it are under way")
    }

    /// A call of that session has ended.
    pub(super) fn call_over(&mut self, number: u32) {
        self.session(number).calls -= 1;
        self.past.retain(|past| past.calls > 0);
    }
}
