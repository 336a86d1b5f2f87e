//! `TrafficShaper`: how long a dispatcher waits after a failure.

/// Why a batch came to nothing (`TaskProcessor.ProcessingResult`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// 503 or a read timeout: the peer is busy. Retried after a second.
    Congestion,
    /// Any other failure of the network. Retried after a tenth of a second.
    Transient,
    /// Any other answer: the tasks are lost.
    Permanent,
}

/// Milliseconds after congestion, and after a failure of the network.
const CONGESTION_RETRY_DELAY: i64 = 1000;
const NETWORK_FAILURE_RETRY: i64 = 100;

/// Wall clocks (ms) of the last failures; they begin at 0, "long ago", and become none once passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrafficShaper {
    last_congestion: Option<i64>,
    last_network_failure: Option<i64>,
}

impl TrafficShaper {
    pub(super) const fn new() -> Self {
        Self { last_congestion: Some(0), last_network_failure: Some(0) }
    }

    /// `registerFailure(ProcessingResult)`.
    pub(super) fn register_failure(&mut self, failure: Failure, wall: i64) {
        match failure {
            Failure::Congestion => self.last_congestion = Some(wall),
            Failure::Transient => self.last_network_failure = Some(wall),
            Failure::Permanent => {}
        }
    }

    /// `transmissionDelay()`: milliseconds still to wait. A backward step of the clock ends the wait.
    pub(super) fn transmission_delay(&mut self, wall: i64) -> i64 {
        let failures = [
            (&mut self.last_congestion, CONGESTION_RETRY_DELAY),
            (&mut self.last_network_failure, NETWORK_FAILURE_RETRY),
        ];
        for (last, delay) in failures {
            if let Some(failed) = *last {
                let since = wall - failed;
                if (0..delay).contains(&since) {
                    return delay - since;
                }
                *last = None;
            }
        }
        0
    }
}
