//! What several of these tests need.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use eureka_sim::observe::{EventLevel, EventLog, Recording, TraceLog, Watch};
use eureka_sim::scenario::{self, Files, Plan};
use eureka_sim::study;
use flate2::read::MultiGzDecoder;

/// For scenarios that include nothing.
pub(crate) struct NoIncludes;

impl Files for NoIncludes {
    fn read(&self, path: &Path) -> Result<String, String> {
        Err(format!("{}: nothing is included here", path.display()))
    }
}

/// A file in memory, read while somebody else owns its other end.
#[derive(Clone, Default)]
pub(crate) struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl SharedBuffer {
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().expect("no writer panicked");
        String::from_utf8(bytes.clone()).expect("what is written is text")
    }
}

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text of a `.gz` file.
pub(crate) fn unzipped(path: &Path) -> String {
    let mut text = String::new();
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let read = MultiGzDecoder::new(file).read_to_string(&mut text);
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}

/// The plan of a scenario file, which has no problems.
pub(crate) fn plan(path: &Path) -> Plan {
    let text = std::fs::read_to_string(path).expect("a scenario can be read");
    scenario::load(path, &text, scenario::Changes::default(), &NoIncludes).unwrap_or_else(|no| {
        panic!("{}", eureka_sim::report::render_diagnostics(&no.sources, &no.diagnostics))
    })
}

/// The scenarios below `scenarios/`, those of its folders included, by path.
pub(crate) fn shipped_scenarios() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("scenarios")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            // What is hunted is nothing yet; `hunts` looks at it.
            if path.is_dir() && !path.ends_with("hunt") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() >= 25, "the project ships scenarios");
    found
}

/// A shipped scenario and its run, with series, verdicts and `events.jsonl` observed.
pub(crate) struct Shipped {
    pub(crate) path: PathBuf,
    pub(crate) plan: Plan,
    pub(crate) recording: Recording,
}

impl Shipped {
    /// The folder it stands in.
    pub(crate) fn folder(&self) -> String {
        let name = self.path.parent().and_then(Path::file_name);
        name.expect("scenarios are in folders").to_string_lossy().into_owned()
    }
}

/// Every shipped scenario, by path; run once for all tests.
pub(crate) fn shipped() -> &'static [Shipped] {
    static SHIPPED: OnceLock<Vec<Shipped>> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let run = |path: &PathBuf| {
            let plan = plan(path);
            let mut watch = Watch::<false>::new(&plan);
            watch.events = Some(EventLog::new(EventLevel::Changes, &plan, Box::new(io::sink())));
            let (recording, _) = study::run(&plan, watch, &mut ()).expect("nobody interrupts");
            Shipped { path: path.clone(), plan, recording }
        };
        let mut all = Vec::new();
        study::in_order(&shipped_scenarios(), 0, run, |shipped| all.push(shipped));
        all
    })
}

/// The scenarios of the recorded clusters, by name.
pub(crate) fn recorded_scenarios() -> Vec<PathBuf> {
    let mut found = entries("tests/golden/cluster");
    found.retain(|path| path.is_dir());
    assert_eq!(found.len(), 21, "the project carries the recorded clusters");
    found.into_iter().map(|folder| folder.join("scenario.toml")).collect()
}

/// What is in a folder of the project, sorted.
pub(crate) fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("a folder of the project can be read");
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.expect("so can its entries").path()).collect();
    found.sort();
    found
}

/// Two servers that register nowhere, and one client that tells the first of them: its heartbeats reach
/// it at 30.002 s and every 30.004 s from then on; the batch for the other leaves half a second later.
pub(crate) const PAIR: &str = r#"
[cluster]
error-bodies = "none"
[[servers]]
name = "eureka-0"
register-with-eureka = false
[[servers]]
name = "eureka-1"
register-with-eureka = false
[network]
latency = "2ms"
[[apps]]
name = "A"
instances = 1
instance-id = "a"
servers = ["eureka-0"]
start = "30s"
"#;

/// An entry of the timeline.
pub(crate) fn entry(at: &str, action: &str) -> String {
    format!("[[timeline]]\nat = \"{at}\"\n{action}\n")
}

/// The plan of this text, which has no problems.
pub(crate) fn plan_of(text: &str) -> Plan {
    let plan =
        scenario::load(Path::new("test.toml"), text, scenario::Changes::default(), &NoIncludes);
    plan.unwrap_or_else(|no| {
        panic!("{}", eureka_sim::report::render_diagnostics(&no.sources, &no.diagnostics))
    })
}

/// Every event of a run of this scenario.
pub(crate) fn events(text: &str) -> Vec<serde_json::Value> {
    events_of(&plan_of(text), EventLevel::All)
}

/// What a run writes to `events.jsonl`.
pub(crate) fn events_of(plan: &Plan, level: EventLevel) -> Vec<serde_json::Value> {
    let buffer = SharedBuffer::default();
    let mut watch = Watch::<false>::new(plan);
    watch.events = Some(EventLog::new(level, plan, Box::new(buffer.clone())));
    let _ = study::run(plan, watch, &mut ()).expect("nobody interrupts");
    let parsed = |line| serde_json::from_str(line).expect("a line is JSON");
    buffer.text().lines().map(parsed).collect()
}

/// The traces of every process of a run's servers, by name.
pub(crate) fn traces(plan: &Plan) -> Vec<(String, String)> {
    closely_watched(plan).1
}

/// The digest of a run whose every operation and event is written down, and the traces of every
/// process of its servers, by name.
pub(crate) fn closely_watched(plan: &Plan) -> (String, Vec<(String, String)>) {
    let files: Arc<Mutex<Vec<(String, SharedBuffer)>>> = Arc::default();
    let shared = Arc::clone(&files);
    let open = move |name: &str| {
        let buffer = SharedBuffer::default();
        shared.lock().expect("nobody panicked").push((name.to_owned(), buffer.clone()));
        Ok(Box::new(buffer) as Box<dyn Write>)
    };
    let mut watch = Watch::<true>::new(plan);
    watch.events = Some(EventLog::new(EventLevel::All, plan, Box::new(io::sink())));
    watch.trace = Some(TraceLog::new(plan, Box::new(open)));
    let (recording, mut watch) = study::run(plan, watch, &mut ()).expect("nobody interrupts");
    let error = watch.trace.as_mut().and_then(TraceLog::take_error);
    assert!(error.is_none(), "{}: {error:?}", plan.name);
    drop(watch);
    let files = files.lock().expect("nobody panicked");
    let traces = files.iter().map(|(name, buffer)| (name.clone(), buffer.text())).collect();
    (recording.summary.digest, traces)
}
