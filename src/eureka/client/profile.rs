//! What many clients have in common: configuration, transport, release.

use std::sync::Arc;

use super::config::{ClientConfig, InstanceConfig};
use super::health::{HealthAnswer, HealthDuration};
use super::resolver::Endpoints;
use super::rest::RestClient;
use super::transport::Operation;
use crate::eureka::server::CacheKey;
use crate::eureka::{Flavor, InstanceStatus, LeaseInfo, Metadata, NameId, Release};
use crate::time::Span;

/// The HTTP client below Eureka's own: it decides what timeouts, error bodies and interrupts do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpClientKind {
    /// Jersey 1 with Apache HttpClient 4 (Netflix before 2.0).
    Jersey1,
    /// Jersey 3 with `HttpURLConnection` (Netflix from 2.0 on, and every Spring server).
    Jersey3,
    /// Spring's `RestClient` with Apache HttpClient 5.
    RestClient,
    /// Spring's older `RestTemplate`.
    RestTemplate,
    /// Spring's `WebClient`.
    WebClient,
    /// What the recordings of Spring Cloud clusters have in place of a library: `RestClient`'s
    /// timeouts, and no objection to an interrupted thread. Scenarios have no word for it; it is the
    /// default where they say that error answers have no bodies, as the recordings do.
    Recorded,
}

impl HttpClientKind {
    /// Every kind that a scenario can name.
    pub const ALL: [Self; 5] =
        [Self::Jersey1, Self::Jersey3, Self::RestClient, Self::RestTemplate, Self::WebClient];

    /// The name used in scenarios.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jersey1 => "jersey1",
            Self::Jersey3 => "jersey3",
            Self::RestClient => "restclient",
            Self::RestTemplate => "resttemplate",
            Self::WebClient => "webclient",
            Self::Recorded => "recorded",
        }
    }

    /// The Jersey of a release.
    #[must_use]
    pub fn jersey(release: Release) -> Self {
        if release < Release::new(2, 0, 0) { Self::Jersey1 } else { Self::Jersey3 }
    }

    pub(super) const fn is_jersey(self) -> bool {
        matches!(self, Self::Jersey1 | Self::Jersey3)
    }

    /// Over Apache HttpClient 5. Measured with `RestClient`; `RestTemplate` has the same library.
    const fn is_apache_5(self) -> bool {
        matches!(self, Self::RestClient | Self::RestTemplate)
    }

    /// Whether a worker whose supervisor gave up on it gets no connection any more (Apache
    /// HttpClient 5 refuses one to an interrupted thread).
    pub(super) const fn refuses_interrupted_thread(self) -> bool {
        self.is_apache_5()
    }

    /// Whether what was answered 429 or 503 is sent once more, a second later (Apache HttpClient 5).
    pub(super) const fn repeats_after_503(self) -> bool {
        self.is_apache_5()
    }

    /// How often a request goes on the wire whose connection closes each time without an answer:
    /// the library repeats it, on another connection, before Eureka hears of it.
    pub(super) const fn copies_without_answer(self, operation: Operation) -> u8 {
        match (self, operation) {
            // A PUT counts as a request with an entity, though it has none.
            (Self::Jersey1, Operation::Register | Operation::Heartbeat) => 1,
            (Self::Jersey1, _) => 4,
            (Self::Jersey3, _) => 2,
            (Self::RestClient | Self::RestTemplate, Operation::Register) => 1,
            (Self::RestClient | Self::RestTemplate, _) => 2,
            (Self::WebClient | Self::Recorded, _) => 1,
        }
    }

    /// Whether an answer of this status to a heartbeat fails the attempt for its body, instead of
    /// being an answer.
    pub(super) const fn fails_on(self, code: u16, body: ErrorBody) -> bool {
        match self {
            Self::Jersey3 => !matches!(body, ErrorBody::None),
            Self::Jersey1 => matches!(body, ErrorBody::Json),
            // They have no converter for a page; at the body of an error they do not look.
            Self::RestClient | Self::RestTemplate => code < 300 && matches!(body, ErrorBody::Html),
            Self::WebClient | Self::Recorded => false,
        }
    }

    /// Whether the library itself follows a redirect, before Eureka hears of it: a registration
    /// becomes a GET, everything else keeps its method and asks what `Location` says.
    #[must_use]
    pub const fn follows_redirects(self, allow_redirects: bool) -> bool {
        match self {
            Self::Jersey3 => allow_redirects,
            Self::RestClient | Self::RestTemplate => true,
            Self::Jersey1 | Self::WebClient | Self::Recorded => false,
        }
    }
}

/// What the servers' answers carry that are no success of Eureka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorBody {
    /// Nothing.
    None,
    /// Spring Boot's JSON error.
    Json,
    /// A container's HTML page.
    Html,
}

/// What the application around a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// Spring's registers as soon as the client is made, and says DOWN before it goes.
    Spring,
    /// Netflix's calls itself UP when it is warm.
    WarmsUp,
    /// Nothing that it is not told to.
    Scripted,
}

/// Another `DiscoveryClient` that an application makes on its `ApplicationInfoManager`. Whatever else
/// there is to configure is as for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondClient {
    /// The servers it knows.
    pub endpoints: Endpoints,
    /// When it is made, from the process start.
    pub start: Span,
    /// When its `shutdown()` is called, from the process start; none if it ends with the process.
    pub stop: Option<Span>,
}

/// How a client is built and run; shared by all that are alike.
#[derive(Clone, Debug)]
pub struct ClientProfile {
    /// What its application does by itself.
    pub application: Application,
    /// Of `eureka-client`.
    pub release: Release,
    /// Its HTTP client.
    pub http_client: HttpClientKind,
    /// `eureka.client.*`
    pub client: ClientConfig,
    /// `eureka.instance.*`
    pub instance: InstanceConfig,
    /// It is no Java client, but this.
    pub rest: Option<RestClient>,
    /// Another client on the same `ApplicationInfoManager`.
    pub second: Option<Arc<SecondClient>>,
    /// Whether the application attaches a health check at its start.
    pub health_check: bool,
    /// What the application's check answers at first, and how long it takes.
    pub health: (HealthAnswer, HealthDuration),
    /// Whether the check says DOWN where it would say `OUT_OF_SERVICE`.
    pub never_out_of_service: bool,
    /// Registries are handed over as objects, so that no codec refuses to read one on an interrupted
    /// thread: so the recordings of single clients.
    pub registries_come_as_objects: bool,
    /// From process start to the application calling itself UP (Netflix).
    pub warm_up: Span,
    /// Between DOWN and `shutdown()` when it is stopped gracefully (Spring).
    pub drain: Span,
    /// `vipAddress`
    pub vip_address: Option<NameId>,
    /// `secureVipAddress`
    pub secure_vip_address: Option<NameId>,
    /// Metadata from the start.
    pub metadata: Metadata,
    /// `registry-refresh-single-vip-address`: fetches ask for this address only.
    pub single_vip: Option<NameId>,
    /// A race as an option: how long writing the body of a registration takes, from reading the status
    /// to reading the timestamp. Zero for all but those who look for torn bodies.
    pub torn_bodies: Span,
    /// Another one: how long the thread that starts the replicator is held between marking the
    /// instance dirty and scheduling the first run.
    pub replicator_start_takes: Span,
}

impl ClientProfile {
    /// The same of another release. Jersey's client changes with Eureka's major version.
    #[must_use]
    pub fn upgraded(mut self, release: Release) -> Self {
        if self.http_client == HttpClientKind::jersey(self.release) {
            self.http_client = HttpClientKind::jersey(release);
        }
        Self { release, ..self }
    }

    /// A client with the defaults of its flavour.
    #[must_use]
    pub fn new(flavor: Flavor, release: Release, http_client: HttpClientKind) -> Self {
        let application = match flavor {
            Flavor::SpringCloud => Application::Spring,
            Flavor::Netflix => Application::WarmsUp,
        };
        Self {
            application,
            release,
            http_client,
            client: ClientConfig::new(flavor),
            instance: InstanceConfig::new(),
            rest: None,
            second: None,
            health_check: false,
            health: (HealthAnswer::Status(InstanceStatus::Up), HealthDuration::default()),
            never_out_of_service: false,
            registries_come_as_objects: false,
            warm_up: Span::ZERO,
            drain: Span::ZERO,
            vip_address: None,
            secure_vip_address: None,
            metadata: Metadata::default(),
            single_vip: None,
            torn_bodies: Span::ZERO,
            replicator_start_takes: Span::ZERO,
        }
    }

    /// After how long a connection attempt is given up.
    #[must_use]
    pub fn connect_timeout(&self) -> Span {
        if self.http_client.is_jersey() {
            seconds(self.client.eureka_server_connect_timeout_seconds)
        } else {
            Span::from_millis(self.client.timeout_connect_timeout.unsigned_abs().into())
        }
    }

    /// After how long, from sending, an answer is given up.
    #[must_use]
    pub fn read_timeout(&self) -> Span {
        if self.http_client.is_jersey() {
            seconds(self.client.eureka_server_read_timeout_seconds)
        } else {
            Span::from_millis(self.client.timeout_socket_timeout.unsigned_abs().into())
        }
    }

    /// What a full fetch asks for.
    #[must_use]
    pub fn full_fetch(&self) -> CacheKey {
        self.single_vip.map_or(CacheKey::AllApps, CacheKey::Vip)
    }

    pub(super) fn fetch_interval(&self) -> Span {
        seconds(self.client.registry_fetch_interval_seconds)
    }

    pub(super) const fn lease_info(&self) -> LeaseInfo {
        self.instance.lease_info()
    }

    pub(super) fn renewal_interval(&self) -> Span {
        seconds(self.lease_info().renewal_interval_in_secs.get())
    }
}

pub(super) fn seconds(seconds: i32) -> Span {
    Span::from_secs(seconds.unsigned_abs().into())
}
