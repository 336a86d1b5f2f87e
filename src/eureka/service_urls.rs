//! `EurekaClientConfig.getEurekaServerServiceUrls`: the URLs of servers as an operator writes them, by
//! zone.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A URL, and the server that answers there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl {
    /// As Eureka compares it: with a slash at its end.
    pub url: Arc<str>,
    /// The server, by number.
    pub server: u16,
}

/// `service-url` and `availability-zones`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrls {
    /// The zones of the region, the own one first; at least one.
    pub zones: Vec<String>,
    /// The URLs of each zone, in the order they are written.
    pub by_zone: BTreeMap<String, Vec<ServiceUrl>>,
}

impl ServiceUrls {
    /// The zone whose URLs are those of every zone that has none.
    pub const DEFAULT_ZONE: &str = "defaultZone";

    /// The URLs of a zone: its own, else those of the default zone.
    #[must_use]
    pub fn of_zone(&self, zone: &str) -> &[ServiceUrl] {
        let own = self.by_zone.get(zone).filter(|urls| !urls.is_empty());
        own.or_else(|| self.by_zone.get(Self::DEFAULT_ZONE)).map_or(&[], Vec::as_slice)
    }

    /// The URLs of all zones, zone after zone (`EndpointUtils.getServiceUrlsFromConfig`): those of a
    /// zone without any repeat those of the default zone.
    pub fn all(&self) -> impl Iterator<Item = &ServiceUrl> {
        self.zones.iter().flat_map(|zone| self.of_zone(zone))
    }
}

impl Default for ServiceUrls {
    /// One zone, and no URLs.
    fn default() -> Self {
        Self { zones: vec![Self::DEFAULT_ZONE.to_owned()], by_zone: BTreeMap::new() }
    }
}
