//! `ResponseCacheImpl`: payloads made once and served to everybody, possibly stale.
//!
//! A read-write level (Guava, `expireAfterWrite` on the monotonic clock) is invalidated by changes;
//! a read-only level above it is refreshed by a timer only. Of the keys' other dimensions (JSON or
//! XML, full or compact, V1 or V2, gzip) one combination is modelled: JSON, full, V2.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ServerConfig;
use super::json_size::JsonLength;
use super::payload::Applications;
use super::registry::{At, Registry};
use crate::eureka::{AppId, NameId};

/// `Key`: what can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheKey {
    /// `ALL_APPS`: `GET apps`.
    AllApps,
    /// `ALL_APPS_DELTA`: `GET apps/delta`.
    AllAppsDelta,
    /// `GET apps/{app}`.
    App(AppId),
    /// `GET vips/{vip}`.
    Vip(NameId),
    /// `GET svips/{vip}`.
    SecureVip(NameId),
}

/// A payload; none is Java's empty text, which an unknown application is cached as.
type Value = Option<Arc<Applications>>;

#[derive(Clone, Debug)]
struct Entry {
    value: Value,
    /// Monotonic clock (ns) when it was made.
    stamp: u64,
}

/// Both levels.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponseCache {
    read_write: BTreeMap<CacheKey, Entry>,
    read_only: BTreeMap<CacheKey, Value>,
    use_read_only: bool,
    /// Nanoseconds after which an entry of the read-write level is made anew; read once.
    expires_after: u64,
    /// Deltas made so far.
    version_delta: i64,
}

impl ResponseCache {
    /// `ResponseCacheImpl(…)`: reads its configuration once.
    pub(super) fn init(&mut self, config: &ServerConfig) {
        self.use_read_only = config.use_read_only_response_cache;
        let seconds = config.response_cache_auto_expiration_in_seconds.max(0);
        self.expires_after = (seconds as u64).saturating_mul(1_000_000_000);
    }

    /// `invalidate(appName, vip, secureVip)`: of the read-write level. A VIP address is dropped under
    /// the whole text stored in the instance only, so one of a comma-separated list never is.
    pub(super) fn invalidate(
        &mut self,
        app: AppId,
        vip: Option<NameId>,
        secure_vip: Option<NameId>,
    ) {
        if self.read_write.is_empty() {
            return;
        }
        let vips = vip.map(CacheKey::Vip).into_iter().chain(secure_vip.map(CacheKey::SecureVip));
        let keys = [CacheKey::App(app), CacheKey::AllApps, CacheKey::AllAppsDelta];
        for key in keys.into_iter().chain(vips) {
            self.read_write.remove(&key);
        }
    }

    fn fresh(&self, key: CacheKey, mono: u64) -> Option<Value> {
        let entry = self.read_write.get(&key)?;
        (mono - entry.stamp < self.expires_after).then(|| entry.value.clone())
    }
}

impl Registry {
    /// `ResponseCacheImpl.get(Key)`: the payload, perhaps a stale one; nothing for an application
    /// that had no instances when it was made.
    #[inline(always)]
    pub fn cached(&mut self, at: At<'_>, key: CacheKey) -> Option<Arc<Applications>> {
        if !self.cache.use_read_only {
            return self.read_write(at, key);
        }
        match self.cache.read_only.get(&key) {
            Some(value) => value.clone(),
            None => self.asked_for_first(at, key),
        }
    }

    #[cold]
    fn asked_for_first(&mut self, at: At<'_>, key: CacheKey) -> Value {
        let value = self.read_write(at, key);
        self.cache.read_only.insert(key, value.clone());
        value
    }

    /// The task of the read-only level's timer: every key ever asked for gets what the read-write
    /// level has now.
    pub(super) fn refresh_read_only_cache(&mut self, at: At<'_>) {
        let keys: Vec<CacheKey> = self.cache.read_only.keys().copied().collect();
        for key in keys {
            let value = self.read_write(at, key);
            self.cache.read_only.insert(key, value);
        }
    }

    /// `readWriteCacheMap.get(key)`: made now if it is missing or too old.
    fn read_write(&mut self, at: At<'_>, key: CacheKey) -> Value {
        if let Some(value) = self.cache.fresh(key, at.now.mono) {
            return value;
        }
        let value = self.generate_payload(at, key).map(Arc::new);
        let entry = Entry { value: value.clone(), stamp: at.now.mono };
        self.cache.read_write.insert(key, entry);
        value
    }

    /// `generatePayload(Key)`. The delta's version counts payloads, not changes.
    fn generate_payload(&mut self, at: At<'_>, key: CacheKey) -> Option<Applications> {
        match key {
            CacheKey::AllApps => Some(self.full_payload()),
            CacheKey::AllAppsDelta => {
                self.cache.version_delta += 1;
                Some(self.delta_payload(at, self.cache.version_delta))
            }
            CacheKey::App(app) => {
                let application = self.application(app)?;
                let hash = application.counts;
                let apps = vec![Arc::new(application)];
                Some(Applications { version: 1, hash, apps, json_length: JsonLength::of_one() })
            }
            CacheKey::Vip(vip) => Some(self.vip_payload(at, vip, |info| info.vip_address)),
            CacheKey::SecureVip(vip) => {
                Some(self.vip_payload(at, vip, |info| info.secure_vip_address))
            }
        }
    }
}
