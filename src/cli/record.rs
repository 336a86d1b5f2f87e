//! One run and the files it leaves: all of them, or none.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::args::{Events, Plot, RunArguments};
use super::files::Staged;
use super::run::json;
use super::terminal::interrupted;
use crate::observe::{EventLevel, EventLog, Recording, RunLog, TraceLog, Watch};
use crate::report::{Figure, divergence_csv, series_csv};
use crate::scenario::Plan;
use crate::study::{self, Pulse};

/// Every file that a run may leave in its folder.
fn all_files() -> Vec<String> {
    let texts = ["series.csv", "divergence.csv", "events.jsonl", "summary.json", "eureka.log"];
    let texts = texts.map(str::to_owned);
    let figures = Figure::ALL
        .into_iter()
        .flat_map(|figure| ["svg", "png"].map(|form| format!("{}.{form}", figure.name())));
    texts.into_iter().chain(figures).collect()
}

/// Why a scenario was not run to its end.
pub(super) enum Failure {
    Interrupted,
    Io(PathBuf, io::Error),
}

/// Runs a scenario and writes its report.
pub(super) fn record(
    plan: &Plan,
    arguments: &RunArguments,
    pulse: &mut dyn Pulse,
) -> Result<Recording, Failure> {
    let folder = arguments.out.join(&plan.name);
    let failed = |error: io::Error| Failure::Io(folder.clone(), error);
    let mut files = Staged::new(&folder).map_err(failed)?;
    let level = match arguments.events {
        Events::Changes => EventLevel::Changes,
        Events::All => EventLevel::All,
        Events::None => EventLevel::None,
    };
    let events = match level {
        EventLevel::None => None,
        _ => Some(EventLog::new(level, plan, files.create("events.jsonl").map_err(failed)?)),
    };
    let log = match arguments.log {
        true => Some(RunLog::new(files.create("eureka.log").map_err(failed)?)),
        false => None,
    };
    let (recording, traces) = match &arguments.trace {
        None => {
            let mut watch = Watch::<false>::new(plan);
            (watch.events, watch.log) = (events, log);
            let (recording, watch) =
                study::run(plan, watch, pulse).map_err(|_| Failure::Interrupted)?;
            written(watch).map_err(failed)?;
            (recording, None)
        }
        Some(folder) => {
            let failed = |error: io::Error| Failure::Io(folder.clone(), error);
            let mut traces = Staged::new(folder).map_err(failed)?;
            let begun = Arc::new(Mutex::new(Vec::new()));
            let mut watch = Watch::<true>::new(plan);
            (watch.events, watch.log) = (events, log);
            watch.trace = Some(trace_log(plan, &traces, &begun));
            let (recording, watch) =
                study::run(plan, watch, pulse).map_err(|_| Failure::Interrupted)?;
            written(watch).map_err(failed)?;
            let names = begun.lock().map(|names| names.clone()).unwrap_or_default();
            names.into_iter().for_each(|name| traces.add(name));
            (recording, Some((folder, traces)))
        }
    };
    write_report(plan, &recording, arguments, &mut files).map_err(failed)?;
    // From here on the files take their places: all of them, or, a moment earlier, none.
    if interrupted() {
        return Err(Failure::Interrupted);
    }
    if let Some((folder, traces)) = traces {
        let failed = |error: io::Error| Failure::Io(folder.clone(), error);
        let earlier = traces_of(plan, folder).map_err(failed)?;
        traces.finish(&earlier).map_err(failed)?;
    }
    files.finish(&all_files()).map_err(failed)?;
    Ok(recording)
}

/// Traces go to files in the staging folder; their names are gathered in `begun`.
fn trace_log(plan: &Plan, traces: &Staged, begun: &Arc<Mutex<Vec<String>>>) -> TraceLog {
    let (staging, begun) = (traces.staging().to_path_buf(), Arc::clone(begun));
    TraceLog::new(
        plan,
        Box::new(move |name| {
            // Server `a.2` and the second process of server `a` would share a file.
            let file = File::create_new(staging.join(name))?;
            if let Ok(mut names) = begun.lock() {
                names.push(name.to_owned());
            }
            Ok(Box::new(BufWriter::new(file)))
        }),
    )
}

/// Files in the folder that are called like traces of the plan's servers.
fn traces_of(plan: &Plan, folder: &Path) -> io::Result<Vec<String>> {
    let is_generation = |text: &str| {
        text.parse::<u32>().is_ok_and(|number| number > 1 && number.to_string() == text)
    };
    let is_trace = |name: &str| {
        let stem = name.strip_suffix(".jsonl");
        plan.setup.servers.iter().any(|server| {
            let rest = stem.and_then(|stem| stem.strip_prefix(server.name.as_str()));
            rest.is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix('.').is_some_and(is_generation)
            })
        })
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.extend(entry?.file_name().into_string().ok().filter(|name| is_trace(name)));
    }
    Ok(found)
}

/// What went wrong with the files that were written during the run.
fn written<const TRACED: bool>(mut watch: Watch<TRACED>) -> io::Result<()> {
    let events = watch.events.as_mut().and_then(EventLog::take_error);
    let log = watch.log.as_mut().and_then(RunLog::take_error);
    let trace = watch.trace.as_mut().and_then(TraceLog::take_error);
    events.or(log).or(trace).map_or(Ok(()), Err)
}

fn write_report(
    plan: &Plan,
    recording: &Recording,
    arguments: &RunArguments,
    files: &mut Staged,
) -> io::Result<()> {
    let calls = !plan.setup.calls.is_empty();
    series_csv(&recording.series, &recording.labels, calls, files.create("series.csv")?)?;
    if let Some(pairs) = &recording.pairs {
        divergence_csv(pairs, &recording.labels, files.create("divergence.csv")?)?;
    }
    files.write("summary.json", json(&recording.summary).as_bytes())?;
    for figure in Figure::ALL.into_iter().filter(|figure| figure.is_of(recording)) {
        if arguments.plots.contains(&Plot::Svg) {
            files
                .write(&format!("{}.svg", figure.name()), figure.svg(plan, recording).as_bytes())?;
        }
        if arguments.plots.contains(&Plot::Png) {
            files.write(&format!("{}.png", figure.name()), &figure.png(plan, recording))?;
        }
    }
    Ok(())
}
