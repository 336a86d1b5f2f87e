//! From text to plan: reads every part of a scenario in turn and puts the plan together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::apps::{self, Group};
use super::cluster::{self, Cluster};
use super::diagnostics::{Diagnostics, Rejected, Severity};
use super::fleet::{Fleets, Moment};
use super::include::{Files, Loader};
use super::overrides::Changes;
use super::plan::{AppPlan, Plan, ZonePlan};
use super::reader::{Reader, texts};
use super::source::{Place, SourceId, Sources};
use super::timeline::Timeline;
use super::tree::Table;
use super::{expect, fleet, hunt, network, observe, overrides, timeline, units};
use crate::eureka::client::{ClientProfile, Endpoints};
use crate::eureka::{AppId, Names, Release};
use crate::sim::{CallSetup, ClientSetup, HostId, Selection, ServerSetup, Setup, Upgrade};
use crate::time::{Instant, Span};

/// What the parts of a scenario put together.
pub(super) struct Builder {
    pub(super) diags: Diagnostics,
    pub(super) names: Names,
    pub(super) seed: u64,
    pub(super) duration: Span,
    pub(super) profiles: Vec<ClientProfile>,
    pub(super) endpoints: Vec<Endpoints>,
    pub(super) servers: Vec<ServerSetup>,
    /// Zone of each server, by position in the cluster's list.
    pub(super) server_zones: Vec<usize>,
    pub(super) clients: Vec<ClientSetup>,
    pub(super) client_zones: Vec<u16>,
    pub(super) groups: Vec<Group>,
    pub(super) calls: Vec<CallSetup>,
    /// How many instances there are so far.
    pub(super) instances: u64,
    /// How many of them each application has, and then with those that are added later.
    pub(super) sizes: BTreeMap<AppId, usize>,
    pub(super) fleets: Fleets,
    pub(super) unclear: Unclear,
}

/// What could not be understood. It is reported once; that other parts refer to it in vain is no
/// problem of theirs.
#[derive(Debug, Default)]
pub(super) struct Unclear {
    /// The run may be of any length.
    pub(super) duration: bool,
    /// There may be servers of any name.
    pub(super) servers: bool,
    /// There may be applications of any name.
    pub(super) apps: bool,
    /// Applications, in upper case, that may have more instances.
    pub(super) groups_of: BTreeSet<String>,
}

/// Reads a scenario.
///
/// `path` names the file, `text` is its text.
///
/// # Errors
/// With every problem found, if there is an error among them.
pub fn load(
    path: &Path,
    text: &str,
    changes: Changes<'_>,
    files: &dyn Files,
) -> Result<Plan, Rejected> {
    let read = read(path, text, changes, files)?;
    let Read { document, sources, diags, main, is_incomplete } = read;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let place = Place { source: main, span: 0..0 };
    match build(&document, &place, &stem.unwrap_or_default(), changes.seed, diags) {
        Ok((mut plan, diags)) => {
            plan.warnings = diags.into_sorted();
            plan.sources = sources;
            Ok(plan)
        }
        Err(mut diags) => {
            if is_incomplete {
                diags.forget_absences();
            }
            Err(Rejected { sources, diagnostics: diags.into_sorted() })
        }
    }
}

/// A scenario as it was read, with the files it includes and what is changed of it.
struct Read {
    document: Table,
    sources: Sources,
    diags: Diagnostics,
    main: SourceId,
    /// Something of it could not be read.
    is_incomplete: bool,
}

fn read(
    path: &Path,
    text: &str,
    changes: Changes<'_>,
    files: &dyn Files,
) -> Result<Read, Rejected> {
    let mut sources = Sources::default();
    let mut diags = Diagnostics::default();
    let main = sources.add(path.display().to_string(), text);
    let mut loader = Loader {
        files,
        sources: &mut sources,
        diags: &mut diags,
        open: vec![path.to_path_buf()],
        too_many: false,
    };
    let mut document = loader.load(path, main);
    // Of a text that cannot be parsed nobody knows what stands where.
    if diags.has_syntax_errors() {
        return Err(Rejected { sources, diagnostics: diags.into_sorted() });
    }
    let is_incomplete = diags.has_errors();
    overrides::apply(&mut document, changes.sets, &mut sources, &mut diags);
    if let Some(overlay) = changes.overlay {
        overlay.apply(&mut document, &mut sources, &mut diags);
    }
    Ok(Read { document, sources, diags, main, is_incomplete })
}

/// The tree of a scenario, with the files it includes and what is changed of it.
///
/// # Errors
/// If something of it cannot be read.
pub(super) fn tree(
    path: &Path,
    text: &str,
    changes: Changes<'_>,
    files: &dyn Files,
) -> Result<Table, Rejected> {
    let Read { document, sources, diags, .. } = read(path, text, changes, files)?;
    match diags.has_errors() {
        true => Err(Rejected { sources, diagnostics: diags.into_sorted() }),
        false => Ok(document),
    }
}

/// The plan and the warnings, or the problems.
fn build(
    document: &Table,
    place: &Place,
    stem: &str,
    seed: Option<u64>,
    diags: Diagnostics,
) -> Result<(Plan, Diagnostics), Diagnostics> {
    let mut builder = Builder {
        diags,
        names: Names::default(),
        seed: 0,
        duration: Span::ZERO,
        profiles: Vec::new(),
        endpoints: Vec::new(),
        servers: Vec::new(),
        server_zones: Vec::new(),
        clients: Vec::new(),
        client_zones: Vec::new(),
        groups: Vec::new(),
        calls: Vec::new(),
        instances: 0,
        sizes: BTreeMap::new(),
        fleets: Fleets::default(),
        unclear: Unclear::default(),
    };
    let mut reader = Reader::new(document, place, "the scenario");
    let name = name(&mut reader, stem, &mut builder.diags);
    let head = builder.head(&mut reader, seed);
    let cluster_node = reader.node("cluster");
    let eureka = reader.node("eureka");
    let cluster = Cluster::read(cluster_node, eureka, &mut builder);
    cluster::servers(reader.node("servers"), &cluster, &mut builder);
    let groups = apps::read(reader.node("apps"), &cluster, &mut builder);
    // Who belongs to an application when is known before anything else that happens.
    let heads = timeline::heads(reader.peek("timeline"), &mut builder);
    fleet::read(&heads, &mut builder);
    apps::lay_out(groups, &mut builder);
    let (steps, members) = builder.lay_out_steps();
    let network = network::network(reader.node("network"), &cluster, &mut builder);
    let races = network::races(reader.node("sim"), &mut builder.diags);
    let observe = observe::read(reader.node("observe"), &mut builder);
    let hunt = hunt::read(reader.node("hunt"), &cluster, &mut builder);
    reader.knows(&["timeline"]);
    let Timeline { entries, plans } = timeline::read(heads, &cluster, &mut builder);
    let expectations = expect::read(reader.node("expect"), &mut builder);
    reader.node("include");
    reader.finish(&mut builder.diags);

    let Builder { diags, names, seed, duration, profiles, .. } = builder;
    let Builder { endpoints, servers, clients, calls, .. } = builder;
    if diags.has_errors() {
        return Err(diags);
    }
    let mut apps: Vec<AppPlan> = Vec::new();
    let mut positions: BTreeMap<AppId, usize> = BTreeMap::new();
    for group in &builder.groups {
        let position = *positions.entry(group.app).or_insert_with(|| {
            let end = Moment::after(Instant::ZERO + duration);
            let instances = builder.fleets.size(group.app, end);
            apps.push(AppPlan { app: group.app, instances, hosts: Vec::new() });
            apps.len() - 1
        });
        let first = servers.len() + group.clients.start;
        apps[position].hosts.push(first..servers.len() + group.clients.end);
    }
    let zone = |(number, name): (usize, &String)| ZonePlan {
        name: name.clone(),
        servers: builder.server_zones.iter().filter(|of| **of == number).count(),
        clients: builder.client_zones.iter().filter(|of| usize::from(**of) == number).count(),
    };
    let zones = cluster.zones.iter().enumerate().map(zone).collect();
    let setup = Setup {
        seed,
        duration: Instant::ZERO + duration,
        epoch_ms: cluster.epoch_ms,
        names,
        servers,
        clients,
        profiles,
        endpoints,
        network,
        error_bodies: cluster.error_bodies,
        races,
        calls,
        timeline: entries,
        steps,
        members,
    };
    let plan = Plan {
        name,
        about: head.about,
        source: head.source,
        setup: Arc::new(setup),
        apps,
        zones,
        timeline: plans,
        observe,
        hunt,
        expectations,
        warnings: Vec::new(),
        sources: Sources::default(),
    };
    Ok((plan, diags))
}

/// `name`: what the report folder is called.
fn name(reader: &mut Reader<'_>, stem: &str, diags: &mut Diagnostics) -> String {
    let valid = |name: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !name.is_empty() && name.len() <= 100 && name.bytes().all(plain)
    };
    match reader.text("name", diags) {
        Some(name) if valid(&name.value) => name.value,
        Some(name) => {
            let what = "a name (`[a-z0-9-]+`, at most 100 characters)";
            diags.malformed(&name.place, what, &name.value, "`mass-kill-16-percent`");
            name.value
        }
        None if valid(stem) => stem.to_owned(),
        None => {
            diags.missing(&reader.place.clone(), "name", "the scenario", "name = \"my-scenario\"");
            stem.to_owned()
        }
    }
}

struct Head {
    about: String,
    source: Vec<String>,
}

impl Builder {
    fn head(&mut self, reader: &mut Reader<'_>, seed: Option<u64>) -> Head {
        let diags = &mut self.diags;
        let place = reader.place.clone();
        match reader.int("schema", i64::MIN..=i64::MAX, diags) {
            Some(schema) if schema.value != 1 => {
                diags.out_of_range(&schema.place, "`schema`", "1, the only version there is");
            }
            None if reader.present(&["schema"]).is_empty() => {
                diags.missing(&place, "schema", "the scenario", "schema = 1");
            }
            _ => {}
        }
        let own_seed = reader.whole("seed", 0..=u64::MAX, diags).map_or(0, |seed| seed.value);
        self.seed = seed.unwrap_or(own_seed);
        // Nothing lies beyond a duration that is not known.
        self.duration = units::LONGEST;
        self.unclear.duration = true;
        match reader.duration("duration", diags) {
            Some(duration) if duration.value.is_zero() => {
                diags.out_of_range(&duration.place, "`duration`", "longer than 0s");
            }
            Some(duration) => {
                self.duration = duration.value;
                self.unclear.duration = false;
            }
            None if reader.present(&["duration"]).is_empty() => {
                diags.missing(&place, "duration", "the scenario", "duration = \"30m\"");
            }
            None => {}
        }
        let about = reader.text("about", diags).map_or_else(String::new, |about| about.value);
        let source = match reader.node("source") {
            Some(node) => texts(node, diags).into_iter().map(|text| text.value).collect(),
            None => Vec::new(),
        };
        Head { about, source }
    }

    /// Whether a host is a client whose application attaches a health check.
    pub(super) fn has_health_check(&self, host: HostId) -> bool {
        self.profile_of(host).is_some_and(|profile| profile.health_check)
    }

    /// Whether a host is a plain REST client.
    pub(super) fn is_rest(&self, host: HostId) -> bool {
        self.profile_of(host).is_some_and(|profile| profile.rest.is_some())
    }

    /// The profile of a client.
    fn profile_of(&self, host: HostId) -> Option<&ClientProfile> {
        let client = self.clients.get(host.index().checked_sub(self.servers.len())?)?;
        Some(&self.profiles[client.profile as usize])
    }

    /// The number of a profile.
    pub(super) fn profile(&mut self, profile: ClientProfile) -> usize {
        self.profiles.push(profile);
        self.profiles.len() - 1
    }

    /// What changes when selected processes become another release: how their clients are built.
    pub(super) fn upgrade(&mut self, select: &Selection, release: Release) -> Upgrade {
        let mut profiles = BTreeMap::new();
        for host in select.hosts.iter() {
            let before = match host.index().checked_sub(self.servers.len()) {
                None => self.servers[host.index()].profile,
                Some(client) => self.clients[client].profile as usize,
            };
            profiles.entry(before).or_insert_with(|| {
                self.profiles.push(self.profiles[before].clone().upgraded(release));
                self.profiles.len() - 1
            });
        }
        Upgrade { release, profiles }
    }

    /// The number of a list of servers, the same for equal ones.
    pub(super) fn endpoints(&mut self, endpoints: Endpoints) -> usize {
        if let Some(known) = self.endpoints.iter().position(|known| *known == endpoints) {
            return known;
        }
        self.endpoints.push(endpoints);
        self.endpoints.len() - 1
    }
}

impl Plan {
    /// How many warnings there are.
    #[must_use]
    pub fn warning_count(&self) -> usize {
        self.warnings.iter().filter(|warning| warning.severity == Severity::Warning).count()
    }
}
