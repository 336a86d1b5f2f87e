//! A client that is no `DiscoveryClient`: a script or another language's library that speaks the REST
//! interface. It registers, sends heartbeats, and does little else.
//!
//! It asks one server for each request: the one that answered last, else the next of its list.

use super::job::{Step, Worker};
use super::{ClientProcess, Cx, Effect, Phase};

/// What a plain REST client does on top of registering and sending heartbeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestClient {
    /// It registers again when a heartbeat is answered 404. Without this it stays away.
    pub re_registers_on_404: bool,
    /// Its heartbeats have the parameter `status`.
    pub sends_status: bool,
    /// Its heartbeats have the parameter `lastDirtyTimestamp`.
    pub sends_dirty: bool,
}

impl ClientProcess {
    /// It registers at once, with the status it is configured to have.
    pub(super) fn begin_rest(&mut self, cx: &mut Cx<'_>) {
        self.shuffle_servers(cx);
        self.client.phase = Phase::Running;
        cx.out.push(Effect::Constructed);
        self.call(cx, Worker::Application, Step::RegisterAtInit);
    }
}
