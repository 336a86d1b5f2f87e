//! What processes are called in reports: a server by its name, a client `APP/INDEX`.

use crate::scenario::Plan;
use crate::sim::HostId;

/// The names of hosts.
#[derive(Clone, Debug)]
pub struct Labels {
    servers: Vec<String>,
    /// The names of timeline entries; what they do, if they have none.
    entries: Vec<String>,
    /// For each group: its first host, how many hosts, its application, the index of the first.
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    first: usize,
    len: usize,
    app: String,
    first_index: usize,
}

impl Labels {
    /// The names of a plan's hosts.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let servers = plan.setup.servers.iter().map(|server| server.name.clone()).collect();
        let mut groups = Vec::new();
        for app in &plan.apps {
            let mut first_index = 0;
            for hosts in &app.hosts {
                let app = plan.setup.names.app_name(app.app).to_owned();
                groups.push(Group { first: hosts.start, len: hosts.len(), app, first_index });
                first_index += hosts.len();
            }
        }
        groups.sort_by_key(|group| group.first);
        let entry = |entry: &crate::scenario::EntryPlan| {
            entry.name.clone().unwrap_or_else(|| entry.what.to_owned())
        };
        Self { servers, entries: plan.timeline.iter().map(entry).collect(), groups }
    }

    /// The name of a host.
    #[must_use]
    pub fn host(&self, host: HostId) -> String {
        if let Some(server) = self.servers.get(host.index()) {
            return server.clone();
        }
        let group = self.groups.partition_point(|group| group.first <= host.index());
        match group.checked_sub(1).map(|group| &self.groups[group]) {
            Some(group) if host.index() < group.first + group.len => {
                let index = group.first_index + host.index() - group.first;
                format!("{}/{index}", group.app)
            }
            _ => format!("host {}", host.index()),
        }
    }

    /// The name of a server.
    #[must_use]
    pub fn server(&self, server: HostId) -> &str {
        self.servers.get(server.index()).map_or("", String::as_str)
    }

    /// The name of a timeline entry, or what it does.
    #[must_use]
    pub fn entry(&self, entry: usize) -> &str {
        &self.entries[entry]
    }

    /// All servers in order.
    #[must_use]
    pub fn servers(&self) -> &[String] {
        &self.servers
    }
}
