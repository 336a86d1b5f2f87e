//! The client of a trace with its clock, as the drivers of both kinds of traces run it.

use std::sync::Arc;

use serde_json::json;

use super::Refusal;
use crate::eureka::client::{
    Application, ClientProcess, ClientProfile, Cx, Draws, Effect, Endpoints, Jobs, Views, Which,
};
use crate::eureka::config::{ConfigError, ConfigValue};
use crate::eureka::{InstanceKey, Names};
use crate::golden::Mismatch;
use crate::golden::client::{Act, ClientHeader};
use crate::time::{HostClock, Instant, Now};

/// What the header of a trace says.
pub(super) struct Settings {
    pub(super) profile: ClientProfile,
    /// Zones of the region, each with the same servers: the recorder's own key.
    pub(super) zones: usize,
    /// The regions that fetches ask for.
    pub(super) regions: Option<String>,
    /// `allow-redirects`, which only HTTP libraries read.
    pub(super) allow_redirects: bool,
}

impl Settings {
    pub(super) fn of(header: &ClientHeader, names: &mut Names) -> Result<Self, Refusal> {
        let mut profile = ClientProfile::new(header.flavor, header.release, header.transport);
        profile.application = Application::Scripted;
        let mut settings = Self { profile, zones: 1, regions: None, allow_redirects: false };
        for (key, value) in &header.config {
            match (key.as_str(), value) {
                ("eureka.client.region-zones", ConfigValue::Text(list)) => {
                    settings.zones = list.split(',').count();
                }
                ("eureka.client.fetch-remote-regions-registry", ConfigValue::Text(list)) => {
                    settings.regions = Some(list.clone());
                }
                ("eureka.client.allow-redirects", ConfigValue::Flag(allow)) => {
                    settings.allow_redirects = *allow;
                }
                _ => configure(&mut settings.profile, key, value)?,
            }
        }
        let profile = &mut settings.profile;
        let vip = &profile.client.registry_refresh_single_vip_address;
        profile.single_vip = (!vip.is_empty()).then(|| names.intern(vip));
        Ok(settings)
    }
}

/// Sets a key of the header's configuration. The recorder leaves out the `should-` of some.
fn configure(profile: &mut ClientProfile, key: &str, value: &ConfigValue) -> Result<(), Refusal> {
    let result = if let Some(rest) = key.strip_prefix("eureka.client.") {
        let client = &mut profile.client;
        match client.set(rest, value) {
            Err(ConfigError::UnknownKey) => client.set(&format!("should-{rest}"), value),
            result => result,
        }
    } else if let Some(rest) = key.strip_prefix("eureka.instance.") {
        profile.instance.set(rest, value)
    } else {
        Err(ConfigError::UnknownKey)
    };
    match result {
        Ok(_) => Ok(()),
        Err(ConfigError::NotYet) => Err(Refusal::Skip(format!("{key} is not modelled"))),
        Err(_) => {
            let expected = crate::golden::config_json(value);
            let got = json!("(not understood: a setting wanted)");
            let field = format!("config.{key}");
            let wrong = Mismatch { field, expected: Box::new(expected), got: Box::new(got) };
            Err(Refusal::Mismatch(1, Box::new(wrong)))
        }
    }
}

/// The client, and what it shares with others.
pub(super) struct Process<D> {
    pub(super) profile: ClientProfile,
    pub(super) endpoints: Endpoints,
    pub(super) draws: D,
    /// ns from the start of the trace.
    pub(super) now: u64,
    pub(super) client: Option<ClientProcess>,
    pub(super) jobs: Jobs,
    pub(super) views: Views,
    key: InstanceKey,
    clock: HostClock,
}

impl<D: Draws> Process<D> {
    /// The client of a trace, not started: instance `i1` of application `A`.
    pub(super) fn new(
        profile: ClientProfile,
        endpoints: Endpoints,
        draws: D,
        epoch_ms: i64,
        names: &mut Names,
    ) -> Self {
        let app = names.app("A");
        Self {
            profile,
            endpoints,
            draws,
            now: 0,
            client: None,
            jobs: Jobs::default(),
            views: Views::default(),
            key: names.instance(app, "i1"),
            clock: HostClock::new(epoch_ms),
        }
    }

    /// When (ns) the first of its threads goes on.
    pub(super) fn next_wake(&self) -> Option<u64> {
        let mono = self.client.as_ref().and_then(ClientProcess::next_wake);
        mono.map(|mono| HostClock::instant_of_mono(mono).nanos())
    }

    /// What its clocks show.
    pub(super) fn clock_now(&self) -> Now {
        self.clock.now(Instant::from_nanos(self.now))
    }

    /// It starts; what it does.
    pub(super) fn start(&mut self) -> Vec<Effect> {
        let key = self.key;
        let (client, effects) = self.within(|cx| ClientProcess::start(cx, key));
        self.client = Some(client);
        effects
    }

    /// A thread of the client runs until it waits; what it does.
    pub(super) fn run(&mut self, act: impl FnOnce(&mut ClientProcess, &mut Cx<'_>)) -> Vec<Effect> {
        let Some(mut client) = self.client.take() else {
            return Vec::new();
        };
        let ((), effects) = self.within(|cx| act(&mut client, cx));
        self.client = Some(client);
        effects
    }

    fn within<R>(&mut self, act: impl FnOnce(&mut Cx<'_>) -> R) -> (R, Vec<Effect>) {
        let now = self.clock_now();
        let mut out = Vec::new();
        let result = act(&mut Cx {
            now,
            until: now.mono,
            profile: &self.profile,
            endpoints: &self.endpoints,
            jobs: &mut self.jobs,
            views: &mut self.views,
            draws: &mut self.draws,
            tell_routine: true,
            out: &mut out,
        });
        (result, out)
    }

    /// Something that the application does, or that is done to its process; what the client does then.
    /// Its start, and what concerns everybody, are the driver's.
    pub(super) fn perform(&mut self, act: Act) -> Vec<Effect> {
        match act {
            Act::SetStatus(status) => self.run(|client, cx| client.set_instance_status(cx, status)),
            Act::SetMetadata(key, value) => self.run(|client, cx| {
                let mut metadata = client.metadata().cloned().unwrap_or_default();
                Arc::make_mut(&mut metadata).insert(Arc::from(key), Arc::from(value));
                client.set_metadata(cx, metadata);
            }),
            Act::SetConfig(change) => self.run(|client, cx| client.configure_instance(cx, change)),
            Act::Health(answer, duration) => {
                if let Some(client) = &mut self.client {
                    client.set_health(answer, duration);
                } else {
                    self.profile.health = (answer, duration);
                }
                Vec::new()
            }
            Act::RegisterHealth => self.run(ClientProcess::register_health_check),
            Act::RegisterCallback => self.run(|client, _| client.register_health_check_callback()),
            Act::Shutdown(first) => self.run(|client, cx| {
                if let Some(status) = first {
                    client.set_instance_status(cx, status);
                }
                client.shutdown(cx, Which::First);
            }),
            Act::StepClock(ms) => {
                self.clock.step(Instant::from_nanos(self.now), ms * 1_000_000);
                Vec::new()
            }
            Act::Torn(span) => {
                self.profile.torn_bodies = span;
                Vec::new()
            }
            Act::SecondClient(servers) => {
                let endpoints = Endpoints { own_zone: servers, ..Endpoints::default() };
                self.run(|client, cx| client.construct_second(cx, endpoints))
            }
            Act::SecondShutdown => self.run(|client, cx| client.shutdown(cx, Which::Second)),
            // Read before the start, or nobody's here; and no trace with the last is replayed.
            Act::HoldReplicatorStart(_)
            | Act::Construct(_)
            | Act::Pause(_)
            | Act::HandOffImmediate
            | Act::Preempt(_) => Vec::new(),
        }
    }
}
