//! `eureka-sim hunt`

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant as Clock;

use super::args::{Common, Format, HuntArguments, path_word};
use super::exit::Exit;
use super::files::{Disk, Staged, describe, read_scenario};
use super::run::json;
use super::terminal::{Terminal, interrupted};
use super::walk::files_below;
use crate::observe::{Mechanism, shell_word};
use crate::report::{HuntReport, Told, render_diagnostics, verdict_lines};
use crate::scenario::{Document, load};
use crate::study::explain::{Question, explain};
use crate::study::hunt::{
    Found, Hunt, Kind, LARGEST_SEED, Searched, Shrunk, TURNING_POINTS, case, show, shrink, survey,
};

/// Longest line of an explanation.
const WIDTH: usize = 100;

pub(super) fn hunt(arguments: &HuntArguments, common: &Common, terminal: &mut Terminal) -> Exit {
    try_hunt(arguments, common, terminal).unwrap_or_else(|exit| exit)
}

fn try_hunt(
    arguments: &HuntArguments,
    common: &Common,
    terminal: &mut Terminal,
) -> Result<Exit, Exit> {
    if let Some(word) = arguments.only.iter().find(|word| !Kind::is_word(word)) {
        let words = Kind::words().join(", ");
        let reason = format!("nothing is called `{word}`; there are: {words}");
        terminal.error(Path::new("--only"), &reason);
        return Err(Exit::BadInput);
    }
    if arguments.values.seed.is_some_and(|seed| seed > LARGEST_SEED) {
        let reason = format!("a hunt writes seeds into files, which hold up to {LARGEST_SEED}");
        terminal.error(Path::new("--seed"), &reason);
        return Err(Exit::BadInput);
    }
    let (hunt, seed) = read(arguments, terminal)?;
    let folder = arguments.out.join(&hunt.name).join("hunt");
    let corpus = arguments.corpus.clone().unwrap_or_else(|| arguments.out.join("corpus"));
    // Where nothing can be written, that is known before anything is run.
    let files = Staged::new(&folder).map_err(|error| unwritable(&folder, &error, terminal))?;
    let kept = Staged::new(&corpus).map_err(|error| unwritable(&corpus, &error, terminal))?;
    let gone = gone(&corpus, terminal)?;
    let mut searched = search(&hunt, arguments, terminal);
    let only = &arguments.only;
    let is_asked_for = |kind: Kind| only.is_empty() || only.iter().any(|word| kind.is_called(word));
    let others = searched.catch.values().filter(|found| !is_asked_for(found.kind));
    let others = others.map(|found| (found.kind, found.runs)).collect();
    searched.catch.retain(|kind, _| is_asked_for(*kind));
    let (mut told, mut lost) = (Vec::new(), Vec::new());
    for found in searched.catch.values() {
        if !interrupted() {
            let name = found.kind.name();
            terminal.say(&format!("{name} seen in {} runs: making it small\n", found.runs));
        }
        let progress = terminal.progress_without_end(&found.kind.name());
        let one = tell(found, arguments, &folder, &|runs| progress.so_many_are_done(runs));
        drop(progress);
        match one {
            Some(one) => told.push(one),
            None => lost.push(found.kind),
        }
    }
    let written = write(&told, files, &folder, &corpus, terminal);
    drop(kept);
    let (scenario, runs, is_interrupted) = (hunt.name, searched.runs, searched.is_interrupted);
    let rerun = rerun(arguments, seed, runs);
    let report =
        HuntReport { scenario, seed, runs, told, lost, others, is_interrupted, gone, rerun };
    terminal.print(&match common.format {
        Format::Text => report.text(),
        Format::Json => json(&report.json()),
    });
    written?;
    if interrupted() {
        terminal.complain(
            "interrupted: what was found by then is told, and may not be as small as it could be\n",
        );
        return Ok(Exit::Interrupted);
    }
    let found = !(report.told.is_empty() && report.lost.is_empty());
    Ok(if found { Exit::Failed } else { Exit::Ok })
}

/// Makes a finding small and tells it; as it is, after an interruption.
fn tell(
    found: &Found,
    arguments: &HuntArguments,
    folder: &Path,
    progress: &dyn Fn(u64),
) -> Option<Told> {
    let shrunk = shrink(found, arguments.jobs(), &interrupted, progress)?;
    let releases = match arguments.release.as_slice() {
        _ if interrupted() => &[],
        [] => &TURNING_POINTS[..],
        named => named,
    };
    let (jobs, flavors) = (arguments.jobs(), &arguments.flavor);
    let mut survey = survey(&shrunk.document, shrunk.kind, releases, flavors, jobs, &interrupted);
    if interrupted() {
        survey.clear();
    }
    let why = why(&shrunk, jobs);
    let case = case(&shrunk, &survey, &why)?;
    let path = folder.join(format!("{}.toml", case.name)).display().to_string();
    Some(Told { runs: found.runs, first: found.first, shrunk, case, survey, why, path })
}

/// Explains the instance that is stuck at the end of the small scenario; after an interruption nothing.
fn why(shrunk: &Shrunk, jobs: u16) -> Vec<String> {
    let plan = &shrunk.shown.plan;
    let found = shrunk.shown.first(shrunk.kind).and_then(|(_, finding, _)| *finding);
    let Some(finding) = found.filter(|_| !interrupted()) else { return Vec::new() };
    let server = Some(finding.server);
    let question = Question { key: finding.key, at: plan.setup.duration, server };
    let explained = explain(plan, question, jobs, || ());
    explained.map(|explained| verdict_lines(&explained, plan, WIDTH)).unwrap_or_default()
}

/// The scenario, and its seed.
fn read(arguments: &HuntArguments, terminal: &mut Terminal) -> Result<(Hunt, u64), Exit> {
    let path = &arguments.scenario;
    let text = read_scenario(path).map_err(|unreadable| {
        terminal.error(path, &unreadable.reason);
        unreadable.exit
    })?;
    let changes = arguments.values.changes();
    let loaded = load(path, &text, changes, &Disk)
        .and_then(|plan| Ok((plan, Document::read(path, &text, changes, &Disk)?)));
    let (plan, document) = loaded.map_err(|rejected| {
        terminal.complain(&render_diagnostics(&rejected.sources, &rejected.diagnostics));
        Exit::BadInput
    })?;
    if plan.warning_count() > 0 {
        terminal.say(&render_diagnostics(&plan.sources, &plan.warnings));
    }
    let hunt = Hunt::new(document, &plan).map_err(|error| {
        terminal.error(path, &error.to_string());
        Exit::BadInput
    })?;
    Ok((hunt, plan.setup.seed))
}

fn search(hunt: &Hunt, arguments: &HuntArguments, terminal: &Terminal) -> Searched {
    let asked = arguments.runs.map_or(u64::from(hunt.runs()), u64::from);
    let runs = if arguments.time.is_some() { u64::MAX } else { asked };
    let begun = Clock::now();
    let time_is_left =
        || arguments.time.is_none_or(|time| begun.elapsed().as_nanos() < time.nanos().into());
    let progress = terminal.progress_of_runs(0, asked);
    let mut count = 0;
    let done = || {
        count += 1;
        progress.one_is_done(asked.max(count));
    };
    hunt.search(runs, arguments.jobs(), time_is_left, &interrupted, done)
}

/// Files of the corpus that no longer show what they are named after.
fn gone(corpus: &Path, terminal: &mut Terminal) -> Result<Vec<String>, Exit> {
    if !corpus.is_dir() {
        return Ok(Vec::new());
    }
    let (files, exit) = files_below(corpus, terminal);
    if exit == Exit::Interrupted {
        return Err(exit);
    }
    let mut gone = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "toml"))
    {
        let name =
            file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        // What somebody else has put there is none of ours.
        let Some((kind, _)) = name.rsplit_once('-').filter(|_| is_of_a_hunt(&name)) else {
            continue;
        };
        if interrupted() {
            return Err(Exit::Interrupted);
        }
        let text = match read_scenario(file) {
            Ok(text) => text,
            Err(unreadable) => {
                terminal.error(file, &unreadable.reason);
                continue;
            }
        };
        let document = Document::read(file, &text, Default::default(), &Disk).ok();
        let shown = document.as_ref().and_then(|document| show(document, &interrupted));
        // An expectation has the number of the file that was searched, and stands alone here.
        let is_it = |of: Kind| match of {
            Kind::Broken(_) => kind.starts_with(of.class()),
            Kind::Stuck(..) => of.name() == kind,
        };
        let shows = shown.is_some_and(|shown| shown.kinds.iter().any(|(of, ..)| is_it(*of)));
        if !shows {
            gone.push(file.display().to_string());
        }
    }
    Ok(gone)
}

/// Every case into the report's folder, and into the corpus below the name of its mechanism.
fn write(
    told: &[Told],
    mut files: Staged,
    folder: &Path,
    corpus: &Path,
    terminal: &mut Terminal,
) -> Result<(), Exit> {
    for told in told {
        let name = format!("{}.toml", told.case.name);
        files
            .write(&name, told.case.text.as_bytes())
            .map_err(|error| unwritable(folder, &error, terminal))?;
    }
    files.finish(&earlier(folder)).map_err(|error| unwritable(folder, &error, terminal))?;
    for told in told {
        let mechanism = told.shrunk.kind.mechanism().map_or("unknown", Mechanism::name);
        let place: PathBuf = corpus.join(mechanism);
        let name = format!("{}.toml", told.case.name);
        let mut files =
            Staged::new(&place).map_err(|error| unwritable(&place, &error, terminal))?;
        let written = files.write(&name, told.case.text.as_bytes());
        written
            .and_then(|()| files.finish(&[]))
            .map_err(|error| unwritable(&place, &error, terminal))?;
    }
    Ok(())
}

/// What an earlier hunt has left in a folder; the corpus has it too.
fn earlier(folder: &Path) -> Vec<String> {
    let names =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.strip_suffix(".toml").is_some_and(is_of_a_hunt)).collect()
}

/// `stuck-down-m16-0123abcd`
fn is_of_a_hunt(stem: &str) -> bool {
    stem.rsplit_once('-').is_some_and(|(_, digits)| {
        digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn unwritable(place: &Path, error: &io::Error, terminal: &mut Terminal) -> Exit {
    terminal.error(place, &format!("cannot write: {}", describe(error)));
    Exit::Io
}

/// The command line that does it again: of a search that time has ended, with the number of its runs.
fn rerun(arguments: &HuntArguments, seed: u64, runs: u64) -> String {
    let path = path_word(&arguments.scenario.display().to_string());
    let mut words = vec!["eureka-sim hunt".to_owned(), path];
    words.push(format!("--seed {seed} --runs {runs}"));
    words.extend(arguments.values.words());
    if !arguments.only.is_empty() {
        words.push(format!("--only {}", shell_word(&arguments.only.join(","))));
    }
    if !arguments.release.is_empty() {
        let releases: Vec<String> = arguments.release.iter().map(ToString::to_string).collect();
        words.push(format!("--release {}", releases.join(",")));
    }
    if !arguments.flavor.is_empty() {
        let flavors: Vec<&str> = arguments.flavor.iter().map(|flavor| flavor.name()).collect();
        words.push(format!("--flavor {}", flavors.join(",")));
    }
    words.join(" ")
}
