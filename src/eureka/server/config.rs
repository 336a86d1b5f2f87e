//! `EurekaServerConfig`: the keys under `eureka.server`, with the defaults of each flavour.

use crate::eureka::Flavor;
use crate::eureka::config::{self, ConfigError, ConfigValue, Key, Slot};

/// What one server is configured to do (`EurekaServerConfig`, `EurekaServerConfigBean`). Times are
/// in the unit of the key: `…_ms` milliseconds, `…_seconds` seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// Whether self-preservation exists at all.
    pub enable_self_preservation: bool,
    /// The share of expected renewals below which nothing is evicted, and of the registry that one
    /// eviction run leaves untouched.
    pub renewal_percent_threshold: f64,
    /// Period of the threshold updater ("15 minutes").
    pub renewal_threshold_update_interval_ms: i32,
    /// The heartbeat interval the threshold is computed for.
    pub expected_client_renewal_interval_seconds: i32,
    /// Period of the eviction task.
    pub eviction_interval_timer_in_ms: i64,
    /// How long reads are refused after a start-up sync that found nothing.
    pub wait_time_in_ms_when_sync_empty: i32,
    /// How often start-up sync looks at the embedded client's view.
    pub registry_sync_retries: i32,
    /// Pause between two such looks.
    pub registry_sync_retry_wait_ms: i64,
    /// How long a change stays in deltas.
    pub retention_time_in_ms_in_delta_queue: i64,
    /// Period of the task that drops older changes.
    pub delta_retention_timer_interval_in_ms: i64,
    /// Period of the read-only cache's refresh.
    pub response_cache_update_interval_ms: i64,
    /// Life of an entry of the read-write cache.
    pub response_cache_auto_expiration_in_seconds: i64,
    /// Whether reads go through the read-only cache.
    pub use_read_only_response_cache: bool,
    /// Whether deltas are refused (403).
    pub disable_delta: bool,
    /// Whether heartbeats compare dirty timestamps.
    pub sync_when_timestamp_differs: bool,
    /// Connect timeout towards peers.
    pub peer_node_connect_timeout_ms: i32,
    /// How often (ms) the list of peers is looked at again.
    pub peer_eureka_nodes_update_interval_ms: i32,
    /// Read timeout towards peers.
    pub peer_node_read_timeout_ms: i32,
    /// How many replication tasks may wait for one peer.
    pub max_elements_in_peer_replication_pool: i32,
    /// How many batches may be under way to one peer.
    pub max_threads_for_peer_replication: i32,
    /// Life of a replicated cancel or status change.
    pub max_time_for_replication: i32,
    /// Spring: the expected number of clients before `openForTraffic`
    /// (`eureka.instance.registry.expected-number-of-clients-sending-renews`).
    pub expected_number_of_clients_sending_renews: i32,
    /// Spring: what replaces a count of 0 at `openForTraffic`
    /// (`eureka.instance.registry.default-open-for-traffic-count`).
    pub default_open_for_traffic_count: i32,
}

impl ServerConfig {
    /// The defaults of a flavour. Spring's `registry-sync-retries` of 0 becomes 5 when the server
    /// registers with Eureka; whoever builds the server decides that.
    #[must_use]
    pub fn new(flavor: Flavor) -> Self {
        let spring = flavor == Flavor::SpringCloud;
        let (connect, read) = if spring { (200, 200) } else { (1000, 5000) };
        Self {
            enable_self_preservation: true,
            renewal_percent_threshold: 0.85,
            renewal_threshold_update_interval_ms: 900_000,
            expected_client_renewal_interval_seconds: 30,
            eviction_interval_timer_in_ms: 60_000,
            wait_time_in_ms_when_sync_empty: 300_000,
            registry_sync_retries: if spring { 0 } else { 5 },
            registry_sync_retry_wait_ms: 30_000,
            retention_time_in_ms_in_delta_queue: 180_000,
            delta_retention_timer_interval_in_ms: 30_000,
            response_cache_update_interval_ms: 30_000,
            response_cache_auto_expiration_in_seconds: 180,
            use_read_only_response_cache: true,
            disable_delta: false,
            sync_when_timestamp_differs: true,
            peer_node_connect_timeout_ms: connect,
            peer_eureka_nodes_update_interval_ms: 600_000,
            peer_node_read_timeout_ms: read,
            max_elements_in_peer_replication_pool: 10_000,
            max_threads_for_peer_replication: 20,
            max_time_for_replication: 30_000,
            expected_number_of_clients_sending_renews: i32::from(spring),
            default_open_for_traffic_count: i32::from(spring),
        }
    }

    /// Sets a key under `eureka.server`, in kebab-case or camelCase; false if it has no effect here.
    ///
    /// # Errors
    /// [`ConfigError`] if there is no such key or it does not accept the value.
    pub fn set(&mut self, key: &str, value: &ConfigValue) -> Result<bool, ConfigError> {
        config::set(KEYS, self, key, value)
    }

    /// The keys a registry depends on whose values differ from Netflix's defaults.
    #[must_use]
    pub fn unlike_netflix(&self) -> Vec<(String, ConfigValue)> {
        let (mut own, mut netflix) = (self.clone(), Self::new(Flavor::Netflix));
        let differs = |(name, slot): &Key<Self>| {
            let value = slot(&mut own).value()?;
            let default = slot(&mut netflix).value()?;
            (value != default).then(|| ((*name).to_owned(), value))
        };
        KEYS[..REGISTRY_KEYS].iter().filter_map(differs).collect()
    }

    /// Every key under `eureka.server`, in kebab-case.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        KEYS.iter().map(|(name, _)| *name)
    }
}

/// Longest period that still leaves room for arithmetic: about 292 years in milliseconds.
const MAX_MS: i64 = i64::MAX / 1_000_000;

/// How many keys at the head of the table are the registry's own.
const REGISTRY_KEYS: usize = 15;

/// The table of spec §19; then the Netflix names of the same keys; then keys nothing depends on.
const KEYS: &[Key<ServerConfig>] = &[
    ("enable-self-preservation", |c| Slot::Flag(&mut c.enable_self_preservation)),
    ("renewal-percent-threshold", |c| Slot::Double(&mut c.renewal_percent_threshold)),
    ("renewal-threshold-update-interval-ms", |c| {
        Slot::Int(&mut c.renewal_threshold_update_interval_ms, 1..=i32::MAX)
    }),
    ("expected-client-renewal-interval-seconds", |c| {
        Slot::Int(&mut c.expected_client_renewal_interval_seconds, i32::MIN..=i32::MAX)
    }),
    ("eviction-interval-timer-in-ms", |c| {
        Slot::Long(&mut c.eviction_interval_timer_in_ms, 1..=MAX_MS)
    }),
    ("wait-time-in-ms-when-sync-empty", |c| {
        Slot::Int(&mut c.wait_time_in_ms_when_sync_empty, 0..=i32::MAX)
    }),
    ("registry-sync-retries", |c| Slot::Int(&mut c.registry_sync_retries, 0..=i32::MAX)),
    ("registry-sync-retry-wait-ms", |c| Slot::Long(&mut c.registry_sync_retry_wait_ms, 0..=MAX_MS)),
    ("retention-time-in-m-s-in-delta-queue", |c| {
        Slot::Long(&mut c.retention_time_in_ms_in_delta_queue, 0..=MAX_MS)
    }),
    ("delta-retention-timer-interval-in-ms", |c| {
        Slot::Long(&mut c.delta_retention_timer_interval_in_ms, 1..=MAX_MS)
    }),
    ("response-cache-update-interval-ms", |c| {
        Slot::Long(&mut c.response_cache_update_interval_ms, 1..=MAX_MS)
    }),
    ("response-cache-auto-expiration-in-seconds", |c| {
        Slot::Long(&mut c.response_cache_auto_expiration_in_seconds, 0..=MAX_MS / 1000)
    }),
    ("use-read-only-response-cache", |c| Slot::Flag(&mut c.use_read_only_response_cache)),
    ("disable-delta", |c| Slot::Flag(&mut c.disable_delta)),
    ("sync-when-timestamp-differs", |c| Slot::Flag(&mut c.sync_when_timestamp_differs)),
    ("peer-eureka-nodes-update-interval-ms", |c| {
        Slot::Int(&mut c.peer_eureka_nodes_update_interval_ms, 1..=i32::MAX)
    }),
    ("peer-node-connect-timeout-ms", |c| {
        Slot::Int(&mut c.peer_node_connect_timeout_ms, 1..=i32::MAX)
    }),
    ("peer-node-read-timeout-ms", |c| Slot::Int(&mut c.peer_node_read_timeout_ms, 1..=i32::MAX)),
    ("max-elements-in-peer-replication-pool", |c| {
        Slot::Int(&mut c.max_elements_in_peer_replication_pool, 1..=i32::MAX)
    }),
    ("max-threads-for-peer-replication", |c| {
        Slot::Int(&mut c.max_threads_for_peer_replication, 1..=i32::MAX)
    }),
    ("max-time-for-replication", |c| Slot::Int(&mut c.max_time_for_replication, 0..=i32::MAX)),
    ("expected-number-of-renews-per-min", |c| {
        Slot::Int(&mut c.expected_number_of_clients_sending_renews, 0..=i32::MAX)
    }),
    ("default-open-for-traffic-count", |c| {
        Slot::Int(&mut c.default_open_for_traffic_count, 0..=i32::MAX)
    }),
    ("my-url", |_| Slot::NoEffect),
    ("number-registry-sync-retries", |c| Slot::Int(&mut c.registry_sync_retries, 0..=i32::MAX)),
    ("should-use-read-only-response-cache", |c| Slot::Flag(&mut c.use_read_only_response_cache)),
    ("max-threads-for-status-replication", |_| Slot::NoEffect),
    ("max-elements-in-status-replication-pool", |_| Slot::NoEffect),
    ("min-available-instances-for-peer-replication", |_| Slot::NoEffect),
    ("min-threads-for-peer-replication", |_| Slot::NoEffect),
    ("max-idle-thread-age-in-minutes-for-peer-replication", |_| Slot::NoEffect),
    ("number-of-replication-retries", |_| Slot::NoEffect),
    ("batch-replication", |_| Slot::NoEffect),
    ("peer-eureka-status-refresh-time-interval-ms", |_| Slot::NoEffect),
    ("peer-node-connection-idle-timeout-seconds", |_| Slot::NoEffect),
    ("peer-node-total-connections", |_| Slot::NoEffect),
    ("peer-node-total-connections-per-host", |_| Slot::NoEffect),
    ("rate-limiter-enabled", |_| Slot::NoEffect),
    ("rate-limiter-burst-size", |_| Slot::NoEffect),
    ("rate-limiter-registry-fetch-average-rate", |_| Slot::NoEffect),
    ("rate-limiter-full-fetch-average-rate", |_| Slot::NoEffect),
    ("rate-limiter-throttle-standard-clients", |_| Slot::NoEffect),
    ("rate-limiter-privileged-clients", |_| Slot::NoEffect),
    ("prime-aws-replica-connections", |_| Slot::NoEffect),
];

/// The keys under `eureka.instance.registry` that Spring's server reads.
pub const INSTANCE_REGISTRY_KEYS: &[Key<ServerConfig>] = &[
    ("registry.expected-number-of-clients-sending-renews", |c| {
        Slot::Int(&mut c.expected_number_of_clients_sending_renews, 0..=i32::MAX)
    }),
    ("registry.default-open-for-traffic-count", |c| {
        Slot::Int(&mut c.default_open_for_traffic_count, 0..=i32::MAX)
    }),
];
