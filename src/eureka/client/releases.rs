//! What releases of `eureka-client` do differently. The published jars 1.3.4 to 2.0.6 were looked into;
//! where no jar lies between "not yet" and "already", the date is that of the change upstream.
//!
//! Before 1.4.3 the client had another transport by default; here it has the later one.

use super::{Application, ClientProfile};
use crate::eureka::Release;

/// Attaching a health check asks for an update on demand.
const ATTACHING_ASKS: Release = Release::new(1, 4, 3);
/// A registration after a 404 has a new dirty timestamp, and its 204 makes the instance clean
/// (Netflix/eureka#955; not in 1.7.0, in 1.8.8). Before, the instance is sent as it is, and stays as
/// dirty as it was.
const REGISTERS_ANEW: Release = Release::new(1, 8, 1);
/// `shutdown()` waits for the replicator (Netflix/eureka#1023; not in 1.7.0, in 1.8.8).
const SHUTDOWN_WAITS: Release = Release::new(1, 8, 7);
/// `should-unregister-on-shutdown` exists.
const UNREGISTERS_BY_KEY: Release = Release::new(1, 8, 2);
/// `should-enforce-registration-at-init` exists.
const ENFORCES_REGISTRATION: Release = Release::new(1, 8, 4);
/// The default health-check handler replaces none but a missing one (Netflix/eureka#1088).
const HANDLER_IS_SAFE: Release = Release::new(1, 9, 3);
/// `should-enforce-fetch-registry-at-init` exists.
const ENFORCES_FETCH: Release = Release::new(1, 9, 23);
/// The list of servers is shuffled by chance, not by the host's address (upstream commit ebb98c5c).
const SHUFFLES_BY_CHANCE: Release = Release::new(1, 10, 14);
/// Spring's health check answers `null` after the last phase of its lifecycle has stopped: Spring Cloud
/// Netflix 2.2.9 and 3.0.3, which came with this release or the one before.
const STOPPED_CHECKS_SAY_NOTHING: Release = Release::new(1, 10, 14);
/// The result of a health check is written only if the status is still what it was
/// (Netflix/eureka#1569).
const COMPARES_BEFORE_IT_WRITES: Release = Release::new(2, 0, 5);

impl ClientProfile {
    pub(super) fn attaching_asks_for_an_update(&self) -> bool {
        self.release >= ATTACHING_ASKS
    }

    pub(super) fn registers_anew_after_404(&self) -> bool {
        self.release >= REGISTERS_ANEW
    }

    pub(super) fn shutdown_waits(&self) -> bool {
        self.release >= SHUTDOWN_WAITS
    }

    pub(super) fn unregisters_on_shutdown(&self) -> bool {
        let config = &self.client;
        let unregisters = config.should_unregister_on_shutdown || self.release < UNREGISTERS_BY_KEY;
        config.register_with_eureka && unregisters
    }

    pub(super) fn enforces_registration(&self) -> bool {
        let config = &self.client;
        let enforces = config.register_with_eureka && config.should_enforce_registration_at_init;
        enforces && self.release >= ENFORCES_REGISTRATION
    }

    pub(super) fn enforces_fetch(&self) -> bool {
        self.client.should_enforce_fetch_registry_at_init && self.release >= ENFORCES_FETCH
    }

    /// Whether a run of the replicator may put the default handler in the place of one that is
    /// attached at that moment.
    pub(super) fn may_lose_the_handler(&self) -> bool {
        self.release < HANDLER_IS_SAFE
    }

    pub(super) fn shuffles_by_chance(&self) -> bool {
        self.release >= SHUFFLES_BY_CHANCE
    }

    pub(super) fn stopped_checks_say_nothing(&self) -> bool {
        self.application == Application::Spring && self.release >= STOPPED_CHECKS_SAY_NOTHING
    }

    pub(super) fn compares_before_it_writes(&self) -> bool {
        self.release >= COMPARES_BEFORE_IT_WRITES
    }
}
