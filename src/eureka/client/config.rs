//! `EurekaClientConfig` and `EurekaInstanceConfig`: the keys under `eureka.client` and
//! `eureka.instance`, with the defaults of each flavour.

use crate::eureka::config::{self, ConfigError, ConfigValue, Key, Slot};
use crate::eureka::{Flavor, InstanceStatus, LeaseInfo};

/// What one client is configured to do. Times are in the unit of the key.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientConfig {
    /// Period of fetches.
    pub registry_fetch_interval_seconds: i32,
    /// Period of the replicator.
    pub instance_info_replication_interval_seconds: i32,
    /// Delay of its first run.
    pub initial_instance_info_replication_interval_seconds: i32,
    /// Period at which the list of servers is resolved (and shuffled) again.
    pub eureka_service_url_poll_interval_seconds: i32,
    /// How many heartbeats may be under way at once.
    pub heartbeat_executor_thread_pool_size: i32,
    /// How many times its period a heartbeat may be delayed after timeouts.
    pub heartbeat_executor_exponential_back_off_bound: i32,
    /// How many fetches may be under way at once.
    pub cache_refresh_executor_thread_pool_size: i32,
    /// How many times its period a fetch may be delayed after timeouts.
    pub cache_refresh_executor_exponential_back_off_bound: i32,
    /// Read timeout of the Jersey transports.
    pub eureka_server_read_timeout_seconds: i32,
    /// Connect timeout of the Jersey transports.
    pub eureka_server_connect_timeout_seconds: i32,
    /// Connect timeout (ms) of Spring's own transports.
    pub timeout_connect_timeout: i32,
    /// Read timeout (ms) of Spring's own transports.
    pub timeout_socket_timeout: i32,
    /// Whether the client registers its instance and sends heartbeats.
    pub register_with_eureka: bool,
    /// Whether it fetches the registry.
    pub fetch_registry: bool,
    /// Whether a status change is sent at once.
    pub on_demand_update_status_change: bool,
    /// Whether `shutdown()` sends a cancel.
    pub should_unregister_on_shutdown: bool,
    /// Whether every fetch is a full one.
    pub disable_delta: bool,
    /// Whether every delta is followed by a full fetch.
    pub log_delta_diff: bool,
    /// Whether callers see UP instances only.
    pub filter_only_up_instances: bool,
    /// After about how many seconds a client forgets its server and starts at the head of the list.
    pub sessioned_client_reconnect_interval_seconds: i32,
    /// At which share of the servers in quarantine all are forgiven.
    pub retryable_client_quarantine_refresh_percentage: f64,
    /// `region`.
    pub region: String,
    /// Whether a first fetch that fails makes the constructor throw.
    pub should_enforce_fetch_registry_at_init: bool,
    /// Whether the constructor registers, and throws if that fails.
    pub should_enforce_registration_at_init: bool,
    /// The one VIP address to fetch; empty for all.
    pub registry_refresh_single_vip_address: String,
    /// Whether Spring attaches a health check.
    pub healthcheck_enabled: bool,
    /// Whether there is a client at all.
    pub enabled: bool,
}

impl ClientConfig {
    /// The defaults of a flavour.
    #[must_use]
    pub fn new(flavor: Flavor) -> Self {
        let pool = if flavor == Flavor::SpringCloud { 2 } else { 5 };
        Self {
            registry_fetch_interval_seconds: 30,
            instance_info_replication_interval_seconds: 30,
            initial_instance_info_replication_interval_seconds: 40,
            eureka_service_url_poll_interval_seconds: 300,
            heartbeat_executor_thread_pool_size: pool,
            heartbeat_executor_exponential_back_off_bound: 10,
            cache_refresh_executor_thread_pool_size: pool,
            cache_refresh_executor_exponential_back_off_bound: 10,
            eureka_server_read_timeout_seconds: 8,
            eureka_server_connect_timeout_seconds: 5,
            timeout_connect_timeout: 180_000,
            timeout_socket_timeout: 180_000,
            register_with_eureka: true,
            fetch_registry: true,
            on_demand_update_status_change: true,
            should_unregister_on_shutdown: true,
            disable_delta: false,
            log_delta_diff: false,
            filter_only_up_instances: true,
            sessioned_client_reconnect_interval_seconds: 1200,
            retryable_client_quarantine_refresh_percentage: 0.66,
            region: "us-east-1".to_owned(),
            should_enforce_fetch_registry_at_init: false,
            should_enforce_registration_at_init: false,
            registry_refresh_single_vip_address: String::new(),
            healthcheck_enabled: false,
            enabled: true,
        }
    }

    /// Sets a key under `eureka.client`; false if it has no effect here.
    ///
    /// # Errors
    /// [`ConfigError`] if there is no such key or it does not accept the value.
    pub fn set(&mut self, key: &str, value: &ConfigValue) -> Result<bool, ConfigError> {
        config::set(KEYS, self, key, value)
    }

    /// Every key under `eureka.client`, in kebab-case. The maps `service-url` and
    /// `availability-zones` are the scenario's.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        KEYS.iter().map(|(name, _)| *name)
    }
}

/// What an instance is configured to say of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceConfig {
    /// Seconds between heartbeats.
    pub lease_renewal_interval_in_seconds: i32,
    /// Seconds of a lease.
    pub lease_expiration_duration_in_seconds: i32,
    /// Whether the instance is UP from its construction.
    pub instance_enabled_onit: bool,
    /// The status it takes when it registers (Spring).
    pub initial_status: InstanceStatus,
    /// Whether Spring makes the client on a thread of its own: the status is set before there is one.
    pub async_client_initialization: bool,
}

impl InstanceConfig {
    /// The defaults of either flavour.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lease_renewal_interval_in_seconds: LeaseInfo::DEFAULT_RENEWAL_INTERVAL,
            lease_expiration_duration_in_seconds: LeaseInfo::DEFAULT_DURATION,
            instance_enabled_onit: false,
            initial_status: InstanceStatus::Up,
            async_client_initialization: false,
        }
    }

    /// Sets a key under `eureka.instance`; false if it has no effect here.
    ///
    /// # Errors
    /// [`ConfigError`] if there is no such key or it does not accept the value.
    pub fn set(&mut self, key: &str, value: &ConfigValue) -> Result<bool, ConfigError> {
        config::set(INSTANCE_KEYS, self, key, value)
    }

    /// Every key under `eureka.instance`, in kebab-case.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        INSTANCE_KEYS.iter().map(|(name, _)| *name)
    }

    /// The lease the client asks for; what is not positive becomes the default.
    #[must_use]
    pub const fn lease_info(&self) -> LeaseInfo {
        LeaseInfo::new(
            self.lease_renewal_interval_in_seconds,
            self.lease_expiration_duration_in_seconds,
        )
    }
}

impl Default for InstanceConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// The table of client spec §2. Keys whose effect is not modelled yet are refused, not ignored.
const KEYS: &[Key<ClientConfig>] = &[
    ("registry-fetch-interval-seconds", |c| {
        Slot::Int(&mut c.registry_fetch_interval_seconds, 1..=i32::MAX)
    }),
    ("instance-info-replication-interval-seconds", |c| {
        Slot::Int(&mut c.instance_info_replication_interval_seconds, 1..=i32::MAX)
    }),
    ("initial-instance-info-replication-interval-seconds", |c| {
        Slot::Int(&mut c.initial_instance_info_replication_interval_seconds, 0..=i32::MAX)
    }),
    ("eureka-service-url-poll-interval-seconds", |c| {
        Slot::Int(&mut c.eureka_service_url_poll_interval_seconds, 1..=i32::MAX)
    }),
    ("heartbeat-executor-thread-pool-size", |c| {
        Slot::Int(&mut c.heartbeat_executor_thread_pool_size, 1..=255)
    }),
    ("heartbeat-executor-exponential-back-off-bound", |c| {
        Slot::Int(&mut c.heartbeat_executor_exponential_back_off_bound, 1..=i32::MAX)
    }),
    ("cache-refresh-executor-thread-pool-size", |c| {
        Slot::Int(&mut c.cache_refresh_executor_thread_pool_size, 1..=255)
    }),
    ("cache-refresh-executor-exponential-back-off-bound", |c| {
        Slot::Int(&mut c.cache_refresh_executor_exponential_back_off_bound, 1..=i32::MAX)
    }),
    ("eureka-server-read-timeout-seconds", |c| {
        Slot::Int(&mut c.eureka_server_read_timeout_seconds, 1..=i32::MAX)
    }),
    ("eureka-server-connect-timeout-seconds", |c| {
        Slot::Int(&mut c.eureka_server_connect_timeout_seconds, 1..=i32::MAX)
    }),
    ("timeout.connect-timeout", |c| Slot::Int(&mut c.timeout_connect_timeout, 1..=i32::MAX)),
    ("timeout.socket-timeout", |c| Slot::Int(&mut c.timeout_socket_timeout, 1..=i32::MAX)),
    ("timeout.connect-request-timeout", |_| Slot::NoEffect),
    ("rest-template-timeout.connect-timeout", |c| {
        Slot::Int(&mut c.timeout_connect_timeout, 1..=i32::MAX)
    }),
    ("rest-template-timeout.socket-timeout", |c| {
        Slot::Int(&mut c.timeout_socket_timeout, 1..=i32::MAX)
    }),
    ("rest-template-timeout.connect-request-timeout", |_| Slot::NoEffect),
    ("register-with-eureka", |c| Slot::Flag(&mut c.register_with_eureka)),
    ("fetch-registry", |c| Slot::Flag(&mut c.fetch_registry)),
    ("on-demand-update-status-change", |c| Slot::Flag(&mut c.on_demand_update_status_change)),
    ("should-unregister-on-shutdown", |c| Slot::Flag(&mut c.should_unregister_on_shutdown)),
    ("disable-delta", |c| Slot::Flag(&mut c.disable_delta)),
    ("log-delta-diff", |c| Slot::Flag(&mut c.log_delta_diff)),
    ("filter-only-up-instances", |c| Slot::Flag(&mut c.filter_only_up_instances)),
    ("should-filter-only-up-instances", |c| Slot::Flag(&mut c.filter_only_up_instances)),
    ("transport.sessioned-client-reconnect-interval-seconds", |c| {
        Slot::Int(&mut c.sessioned_client_reconnect_interval_seconds, 0..=i32::MAX)
    }),
    ("transport.retryable-client-quarantine-refresh-percentage", |c| {
        Slot::Double(&mut c.retryable_client_quarantine_refresh_percentage)
    }),
    ("region", |c| Slot::Text(&mut c.region)),
    ("healthcheck.enabled", |c| Slot::Flag(&mut c.healthcheck_enabled)),
    ("should-enforce-registration-at-init", |c| {
        Slot::Flag(&mut c.should_enforce_registration_at_init)
    }),
    ("should-enforce-fetch-registry-at-init", |c| {
        Slot::Flag(&mut c.should_enforce_fetch_registry_at_init)
    }),
    ("registry-refresh-single-vip-address", |c| {
        Slot::Text(&mut c.registry_refresh_single_vip_address)
    }),
    ("fetch-remote-regions-registry", |_| Slot::NotYet),
    ("transport.bootstrap-resolver-for-query", |_| Slot::NotYet),
    ("transport.async-resolver-refresh-interval-ms", |_| Slot::NoEffect),
    ("transport.async-resolver-warm-up-timeout-ms", |_| Slot::NoEffect),
    ("transport.async-executor-thread-pool-size", |_| Slot::NoEffect),
    ("allow-redirects", |_| Slot::NoEffect),
    ("eureka-connection-idle-timeout-seconds", |_| Slot::NoEffect),
    ("eureka-server-total-connections", |_| Slot::NoEffect),
    ("eureka-server-total-connections-per-host", |_| Slot::NoEffect),
    ("prefer-same-zone-eureka", |_| Slot::NoEffect),
    ("g-zip-content", |_| Slot::NoEffect),
    ("use-dns-for-fetching-service-urls", |_| Slot::NotYetBut(false)),
    ("enabled", |c| Slot::Flag(&mut c.enabled)),
    ("refresh.enable", |_| Slot::NoEffect),
    ("restclient.enabled", |_| Slot::NoEffect),
    ("webclient.enabled", |_| Slot::NotYetBut(false)),
    ("encoder-name", |_| Slot::NoEffect),
    ("decoder-name", |_| Slot::NoEffect),
    ("client-data-accept", |_| Slot::NoEffect),
];

const INSTANCE_KEYS: &[Key<InstanceConfig>] = &[
    ("lease-renewal-interval-in-seconds", |c| {
        Slot::Int(&mut c.lease_renewal_interval_in_seconds, 1..=i32::MAX)
    }),
    ("lease-expiration-duration-in-seconds", |c| {
        Slot::Int(&mut c.lease_expiration_duration_in_seconds, 1..=i32::MAX)
    }),
    ("instance-enabled-onit", |c| Slot::Flag(&mut c.instance_enabled_onit)),
    ("initial-status", |c| Slot::Status(&mut c.initial_status)),
    ("async-client-initialization", |c| Slot::Flag(&mut c.async_client_initialization)),
    ("appname", |_| Slot::NoEffect),
    ("app-group-name", |_| Slot::NoEffect),
    ("hostname", |_| Slot::NoEffect),
    ("ip-address", |_| Slot::NoEffect),
    ("prefer-ip-address", |_| Slot::NoEffect),
    ("instance-id", |_| Slot::NoEffect),
    ("non-secure-port", |_| Slot::NoEffect),
    ("non-secure-port-enabled", |_| Slot::NoEffect),
    ("secure-port", |_| Slot::NoEffect),
    ("secure-port-enabled", |_| Slot::NoEffect),
    ("virtual-host-name", |_| Slot::NoEffect),
    ("secure-virtual-host-name", |_| Slot::NoEffect),
    ("status-page-url-path", |_| Slot::NoEffect),
    ("home-page-url-path", |_| Slot::NoEffect),
    ("health-check-url-path", |_| Slot::NoEffect),
    ("data-center-info", |_| Slot::NoEffect),
];
