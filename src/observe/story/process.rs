//! What an instance's own process goes through.

use super::Story;
use super::what::{Place, Unheard, What};
use crate::eureka::client::ClientEvent;
use crate::sim::{Fact, FaultFact, FleetChange, HostId, RequestLine, WorldView};
use crate::time::Instant;

impl Story {
    /// A fact, if it is about the process (or the network around it).
    pub(super) fn of_process(&mut self, at: Instant, fact: &Fact<'_>, world: &WorldView<'_>) {
        let what = match fact {
            Fact::Started(host, generation) if world.key(*host) == self.key => {
                self.host = Some(*host);
                self.health = None;
                self.is_gone_for_good = false;
                Some(What::Started(*generation))
            }
            Fact::Exited(host, _) if self.is_it(*host, world) => Some(What::Exited),
            Fact::LocalStatus { client, status, dirty } if self.is_it(*client, world) => {
                let tokens = tokens(*client, world);
                Some(What::OwnStatus { status: *status, dirty: *dirty, tokens })
            }
            Fact::InClient(host, event) if self.is_it(*host, world) && is_told(*event) => {
                Some(What::Client { event: *event, tokens: tokens(*host, world) })
            }
            Fact::Failed { from, to, request, outcome } if self.is_it(*from, world) => {
                let outcome = Unheard::Failed(*outcome);
                name(*request).map(|request| What::Unheard { to: *to, request, outcome })
            }
            Fact::TurnedAway { from, to, request, code } if self.is_it(*from, world) => {
                let outcome = Unheard::Code(*code);
                name(*request).map(|request| What::Unheard { to: *to, request, outcome })
            }
            Fact::Fault(fault) => self.of_script(at, fault, world),
            _ => None,
        };
        if let Some(what) = what {
            self.is_touched = true;
            self.told.push(at, Place::Process, what);
        }
    }

    /// Whether a host is the instance.
    pub(super) fn is_it(&self, host: HostId, world: &WorldView<'_>) -> bool {
        self.host == Some(host) && world.key(host) == self.key
    }

    fn of_script(
        &mut self,
        at: Instant,
        fault: &FaultFact<'_>,
        world: &WorldView<'_>,
    ) -> Option<What> {
        if let FaultFact::Network { what, entry, from, to } = fault {
            let servers =
                |set: &crate::sim::HostSet| world.server_hosts().any(|server| set.contains(server));
            let own = |set: &crate::sim::HostSet| self.host.is_some_and(|own| set.contains(own));
            let concerns = *what == "fail"
                || (servers(from) && servers(to))
                || (own(from) && servers(to))
                || (servers(from) && own(to));
            if concerns {
                self.faults.push(*entry);
                self.told.push(at, Place::Network, What::Fault(Some(*what), *entry));
            }
            return None;
        }
        if let FaultFact::Heal { entry } = fault {
            if let Some(known) = self.faults.iter().position(|of| of == entry) {
                self.faults.remove(known);
                self.told.push(at, Place::Network, What::Fault(None, *entry));
            }
            return None;
        }
        if let FaultFact::Fleet { change, members, .. } = fault {
            let goes = matches!(change, FleetChange::Remove | FleetChange::Replace);
            let mut hosts = members.iter().map(|member| member.host);
            let own = self.host.filter(|host| world.key(*host) == self.key);
            if goes && own.is_some_and(|own| hosts.any(|host| host == own)) {
                self.is_gone_for_good = !members
                    .iter()
                    .any(|member| Some(member.host) == own && member.key == self.key)
                    || *change == FleetChange::Remove;
                return Some(What::Script(change.name()));
            }
            return None;
        }
        let host = fault.host().filter(|host| self.is_it(*host, world))?;
        Some(match fault {
            FaultFact::Process(what, _) => What::Script(what),
            FaultFact::SetStatus(_, status) => What::SetStatus(*status),
            FaultFact::SetHealth(_, answer, duration) => {
                self.health = Some((*answer, *duration));
                What::SetHealth(*answer, duration.takes)
            }
            FaultFact::StepClock(_, by) => What::StepClock(*by),
            FaultFact::SkewClock(_, ppm) => What::SkewClock(*ppm),
            FaultFact::SetConfig(_, key, _) if !world.is_server(host) => {
                What::Configured((*key).to_owned())
            }
            _ => return None,
        })
    }
}

/// Tokens of a client's rate limiter that are left now.
fn tokens(host: HostId, world: &WorldView<'_>) -> Option<i64> {
    let profile = world.setup().profile_of(host);
    let interval = profile.client.instance_info_replication_interval_seconds;
    let client = world.client(host).filter(|_| interval > 0 && profile.rest.is_none())?;
    client.tokens(interval, world.clocks(host).wall)
}

/// What an instance is registered by and judged by; fetches are about others.
const fn name(request: RequestLine) -> Option<&'static str> {
    match request {
        RequestLine::Register(_) => Some("registration"),
        RequestLine::Heartbeat(_) => Some("heartbeat"),
        RequestLine::Cancel(_) => Some("DELETE"),
        RequestLine::Get(_) => None,
    }
}

/// Whether it has to do with what the instance is called.
const fn is_told(event: ClientEvent) -> bool {
    match event {
        ClientEvent::HashMismatch | ClientEvent::FetchFailed(_) => false,
        ClientEvent::SupervisorTimeout(of) | ClientEvent::SupervisorRejected(of) => {
            matches!(of, crate::eureka::client::Supervised::Heartbeat)
        }
        event => event.notable().is_some(),
    }
}
