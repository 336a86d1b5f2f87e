//! Connections to a frozen process: its kernel accepts as many as the accept queue holds and drops
//! what comes beyond; the caller's TCP asks again, each second at first, as long as the caller waits
//! for the connection.

use super::super::call::{CallId, Message};
use super::super::fact::Observer;
use super::super::network::{Fate, Leg};
use super::super::queue::EventQueue;
use super::{Event, World};
use crate::eureka::client::AttemptFailure;
use crate::sim::CutMode;
use crate::time::Span;

/// When TCP asks again, in seconds from the first time: Linux from 6.5 on, four times at an even pace
/// (`net.ipv4.tcp_syn_linear_timeouts`) and then each time after twice as long
/// (`net.ipv4.tcp_syn_retries`).
const ASKS_AGAIN_AT: [u64; 10] = [1, 2, 3, 4, 5, 7, 11, 19, 35, 67];
/// When it gives up.
const GIVES_UP_AFTER: Span = Span::from_secs(131);

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// The accept queue of the target is full: nobody answers, and the caller's TCP asks again later.
    #[cold]
    pub(super) fn not_accepted(&mut self, id: CallId) {
        let call = self.calls.get(id);
        if call.caller_done {
            call.server_done = true;
            return;
        }
        let (caller, purpose, sent) = (call.caller, call.purpose, call.sent);
        let connect_by = sent + self.timeouts(caller, &purpose).0.min(GIVES_UP_AFTER);
        let again = ASKS_AGAIN_AT.map(|seconds| sent + Span::from_secs(seconds));
        let again = again.into_iter().find(|&again| again > self.now && again < connect_by);
        let call = self.calls.get(id);
        if let Some(again) = again {
            self.refer(id, again, Event::Connect(id));
        } else {
            call.server_done = true;
            call.message = Message::Failure(AttemptFailure::ConnectTimeout);
            self.refer(id, connect_by.max(self.now), Event::End(id));
        }
    }

    /// TCP asks again for a connection. Once it stands, the answer is waited for from then on.
    #[cold]
    pub(super) fn connect_again(&mut self, id: CallId) {
        let call = self.calls.get(id);
        let (caller, target, purpose) = (call.caller, call.target, call.purpose);
        let (number, generation) = (call.number, call.generation);
        let host = &self.hosts[caller.index()];
        if !host.alive || host.generation != generation {
            // The socket is gone with its process.
            let call = self.calls.get(id);
            call.server_done = true;
            call.message = Message::Failure(AttemptFailure::Reset);
            self.end(id);
            return;
        }
        let call = self.calls.get(id);
        if call.caller_done {
            call.server_done = true;
            self.calls.dereference(id);
            return;
        }
        let read_timeout = self.timeouts(caller, &purpose).1;
        self.calls.get(id).deadline = self.now + read_timeout;
        let link = (caller, target);
        match self.network.fate(&self.streams, link, (caller, number, Leg::Request)) {
            Fate::Arrives(span) => self.forward(id, link, span),
            Fate::Cut(CutMode::Refuse, span) => self.cannot_connect(id, CutMode::Refuse, span),
            Fate::Held(..) | Fate::Lost | Fate::Cut(CutMode::Blackhole, _) => {
                self.not_accepted(id);
            }
        }
        self.calls.dereference(id);
    }
}
