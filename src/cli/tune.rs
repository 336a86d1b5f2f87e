//! `eureka-sim tune`

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use super::args::{Common, Format, Plot, TuneArguments, TuneReportArguments, path_word};
use super::exit::Exit;
use super::files::{Disk, Staged, describe, read_scenario};
use super::journal::JournalFile;
use super::run::json;
use super::terminal::{Terminal, interrupted};
use crate::observe::shell_word;
use crate::report::{TuneFigure, TuneReport, render_diagnostics, tune_csv};
use crate::scenario::{Files, load};
use crate::study::tune::{
    DEFAULT_PARAM, Param, Request, Row, Rows, Stopped, Sweep, SweepError, Weights,
};

/// Files on disk, and what was read of them.
struct Remembered {
    read: RefCell<Vec<(PathBuf, String)>>,
}

impl Files for Remembered {
    fn read(&self, path: &Path) -> Result<String, String> {
        let text = Disk.read(path)?;
        let mut read = self.read.borrow_mut();
        if !read.iter().any(|(known, _)| known == path) {
            read.push((path.to_path_buf(), text.clone()));
        }
        Ok(text)
    }
}

/// What was said to be wrong, and the exit code that goes with it.
pub(super) type Refused = Exit;

pub(super) fn tune(arguments: &TuneArguments, common: &Common, terminal: &mut Terminal) -> Exit {
    try_tune(arguments, common, terminal).err().unwrap_or(Exit::Ok)
}

fn try_tune(
    arguments: &TuneArguments,
    common: &Common,
    terminal: &mut Terminal,
) -> Result<(), Refused> {
    let weights = weights(&arguments.report, terminal)?;
    let request = request(arguments, terminal)?;
    let sweep = Sweep::new(request).map_err(|error| refused(&error, terminal))?;
    fit(&weights, &sweep, terminal)?;
    let folder = folder(&sweep, &arguments.report);
    let unwritable = |error: &io::Error, terminal: &mut Terminal| {
        terminal.error(&folder, &format!("cannot write: {}", describe(error)));
        Exit::Io
    };
    let files = Staged::new(&folder).map_err(|error| unwritable(&error, terminal))?;
    let opened = JournalFile::open(&folder, &sweep, arguments.shard, arguments.restart);
    let (mut journal, mut rows) = opened.map_err(|no| {
        terminal.error(&folder.join(super::journal::name(arguments.shard)), &no.reason);
        no.exit
    })?;
    files.clean();
    if !rows.is_empty() {
        resume(&sweep, &rows, terminal)?;
    }
    let stopped = run(&sweep, &mut rows, &mut journal, arguments, terminal)?;
    if stopped {
        let done = rows.len();
        let most = sweep.most_runs(arguments.shard);
        // What an earlier sweep has concluded stays until this one concludes something.
        if arguments.shard.is_none() && !folder.join("tune.json").exists() {
            write_csv(&sweep, &rows, files).map_err(|error| unwritable(&error, terminal))?;
        }
        terminal.complain(&format!(
            "interrupted: {done} of at most {most} runs are done and in {}; the same command goes on from there\n",
            journal.path.display()
        ));
        return Err(Exit::Interrupted);
    }
    sweep.prune(&mut rows);
    journal.complete().map_err(|error| unwritable(&error, terminal))?;
    if let Some(shard) = arguments.shard {
        terminal.say(&format!(
            "part {} of {}: {} runs are in {}; when all parts are done, `eureka-sim merge` joins them\n",
            shard.number,
            shard.of,
            rows.len(),
            journal.path.display()
        ));
        return Ok(());
    }
    let rerun = rerun(&sweep.request, &arguments.scenario.display().to_string(), &arguments.report);
    report(&sweep, &rows, weights, (&arguments.report, common, &rerun), files, terminal)
}

/// The weights, if they are any, and the figures do not contradict each other.
pub(super) fn weights(
    arguments: &TuneReportArguments,
    terminal: &mut Terminal,
) -> Result<Weights, Refused> {
    if !Plot::are_sound(&arguments.plots, terminal) {
        return Err(Exit::BadInput);
    }
    Weights::parse(&arguments.weights).map_err(|error| wrong("--weights", &error, terminal))
}

/// Whether the faults that have weights are those of the sweep.
pub(super) fn fit(
    weights: &Weights,
    sweep: &Sweep,
    terminal: &mut Terminal,
) -> Result<(), Refused> {
    let faults = sweep.faults.iter().map(|fault| fault.name.as_str());
    weights.fit(faults).map_err(|error| wrong("--weights", &error, terminal))
}

/// Where the files go.
pub(super) fn folder(sweep: &Sweep, arguments: &TuneReportArguments) -> PathBuf {
    arguments.out.join(&sweep.name).join("tune")
}

/// An argument is wrong.
fn wrong(argument: &str, error: &impl std::fmt::Display, terminal: &mut Terminal) -> Refused {
    terminal.error(Path::new(argument), &error.to_string());
    Exit::BadInput
}

/// Why there is no sweep.
pub(super) fn refused(error: &SweepError, terminal: &mut Terminal) -> Refused {
    match error {
        SweepError::Rejected(rejected) => {
            terminal.complain(&render_diagnostics(&rejected.sources, &rejected.diagnostics));
            Exit::BadInput
        }
        SweepError::Grid(_) | SweepError::Pointless(..) => wrong("--param", error, terminal),
        SweepError::TooMany(_) => wrong("tune", error, terminal),
        _ => wrong("--faults", error, terminal),
    }
}

/// What is asked for, with the texts of all files.
fn request(arguments: &TuneArguments, terminal: &mut Terminal) -> Result<Request, Refused> {
    let path = &arguments.scenario;
    let text = read_scenario(path).map_err(|unreadable| {
        terminal.error(path, &unreadable.reason);
        unreadable.exit
    })?;
    let params = arguments.param.iter().map(|param| Param::parse(param));
    let params: Result<Vec<Param>, _> = params.collect();
    let params = params.map_err(|error| wrong("--param", &error, terminal))?;
    let files = Remembered { read: RefCell::new(Vec::new()) };
    match load(path, &text, arguments.values.changes(), &files) {
        Ok(plan) if plan.warning_count() > 0 => {
            terminal.say(&render_diagnostics(&plan.sources, &plan.warnings));
        }
        Ok(_) => {}
        Err(rejected) => {
            terminal.complain(&render_diagnostics(&rejected.sources, &rejected.diagnostics));
            return Err(Exit::BadInput);
        }
    }
    // Named from the scenario's folder, so that it does not matter where that is.
    let root = path.parent().unwrap_or(Path::new(""));
    let named =
        |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    let included = files.read.into_inner();
    let included = included.into_iter().map(|(path, text)| (named(&path), text));
    Ok(Request {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        files: std::iter::once((named(path), text)).chain(included).collect(),
        sets: arguments.values.set.clone(),
        seed: arguments.values.seed,
        seeds: arguments.seeds,
        params,
        faults: arguments.faults.clone(),
        exhaustive: arguments.exhaustive,
    })
}

/// Some runs are done: says so, and holds one of them against this program.
fn resume(sweep: &Sweep, rows: &Rows, terminal: &mut Terminal) -> Result<(), Refused> {
    terminal.say(&format!("{} runs are done already: going on from there\n", rows.len()));
    match differs(sweep, rows, terminal)? {
        None => Ok(()),
        Some(why) => {
            terminal.error(Path::new("the journal"), &format!("{why}; --restart begins anew"));
            Err(Exit::Nondeterministic)
        }
    }
}

/// Does the first run again: what differs from what it came to, if anything does.
pub(super) fn differs(
    sweep: &Sweep,
    rows: &Rows,
    terminal: &mut Terminal,
) -> Result<Option<String>, Refused> {
    let Some(first) = rows.values().next() else { return Ok(None) };
    let again = sweep.run_one((first.cell, first.seed), &|| !interrupted());
    let again = again.map_err(|stopped| failed(&stopped, terminal))?;
    let what = if again == *first {
        return Ok(None);
    } else if again.digest == first.digest {
        format!("has other costs there than now, with the digest {}", first.digest)
    } else {
        format!("has the digest {} there and {} now", first.digest, again.digest)
    };
    let fault = &sweep.faults[sweep.cells[first.cell as usize].fault].name;
    Ok(Some(format!("seed {} of `{fault}` {what}: it comes from another build", first.seed)))
}

/// Why there is no run, and the exit code that goes with it.
fn failed(stopped: &Stopped, terminal: &mut Terminal) -> Exit {
    match stopped {
        Stopped::Interrupted => Exit::Interrupted,
        Stopped::Rejected(rejected) => {
            terminal.complain(&render_diagnostics(&rejected.sources, &rejected.diagnostics));
            Exit::BadInput
        }
    }
}

/// Runs what is left. True if it was interrupted.
fn run(
    sweep: &Sweep,
    rows: &mut Rows,
    journal: &mut JournalFile,
    arguments: &TuneArguments,
    terminal: &mut Terminal,
) -> Result<bool, Refused> {
    let progress = terminal.progress_of_runs(rows.len() as u64, sweep.most_runs(arguments.shard));
    let mut unwritable = None;
    let done = |row: &Row, most: u64| {
        progress.one_is_done(most);
        match journal.add(row) {
            Ok(()) => true,
            Err(error) => {
                unwritable = Some(error);
                false
            }
        }
    };
    let jobs = arguments.jobs.unwrap_or(0);
    let result = sweep.run(arguments.shard, rows, jobs, || !interrupted(), done);
    drop(progress);
    if let Some(error) = unwritable {
        terminal.error(&journal.path, &format!("cannot write: {}", describe(&error)));
        return Err(Exit::Io);
    }
    match result {
        Ok(()) => Ok(false),
        Err(Stopped::Interrupted) => Ok(true),
        Err(stopped) => Err(failed(&stopped, terminal)),
    }
}

/// Every file that a sweep may leave.
fn all_files() -> Vec<String> {
    let texts = ["tune.csv", "tune.json", "recommended.toml", "application.yml"];
    let texts = texts.map(str::to_owned);
    let figures = TuneFigure::ALL
        .into_iter()
        .flat_map(|figure| ["svg", "png"].map(|form| format!("{}.{form}", figure.name())));
    texts.into_iter().chain(figures).collect()
}

/// The runs of a sweep that came to no end.
fn write_csv(sweep: &Sweep, rows: &Rows, mut files: Staged) -> io::Result<()> {
    files.write("tune.csv", tune_csv(sweep, rows).as_bytes())?;
    files.finish(&[])
}

/// Writes all files of a sweep that has come to its end, and prints what it comes to.
pub(super) fn report(
    sweep: &Sweep,
    rows: &Rows,
    weights: Weights,
    (arguments, common, rerun): (&TuneReportArguments, &Common, &str),
    mut files: Staged,
    terminal: &mut Terminal,
) -> Result<(), Refused> {
    let folder = folder(sweep, arguments);
    let Some(report) = TuneReport::new(sweep, rows, weights) else {
        terminal.error(&folder, "there is nothing to compare: no fault can happen to this fleet");
        return Err(Exit::BadInput);
    };
    let mut write = || -> io::Result<()> {
        files.write("tune.csv", tune_csv(sweep, rows).as_bytes())?;
        files.write("tune.json", json(&report.json()).as_bytes())?;
        files.write("recommended.toml", report.toml().as_bytes())?;
        if let Some(yaml) = report.yaml() {
            files.write("application.yml", yaml.as_bytes())?;
        }
        for figure in TuneFigure::ALL {
            if arguments.plots.contains(&Plot::Svg) {
                files.write(&format!("{}.svg", figure.name()), figure.svg(&report).as_bytes())?;
            }
            if arguments.plots.contains(&Plot::Png) {
                files.write(&format!("{}.png", figure.name()), &figure.png(&report))?;
            }
        }
        Ok(())
    };
    if let Err(error) = write().and_then(|()| files.finish(&all_files())) {
        terminal.error(&folder, &format!("cannot write: {}", describe(&error)));
        return Err(Exit::Io);
    }
    terminal.print(&match common.format {
        Format::Text => report.text(rerun),
        Format::Json => json(&report.json()),
    });
    terminal.say(&format!("figures and tables are in {}\n", folder.display()));
    Ok(())
}

/// The command line that does it again.
pub(super) fn rerun(request: &Request, path: &str, arguments: &TuneReportArguments) -> String {
    let mut words = vec!["eureka-sim tune".to_owned(), path_word(path)];
    words.extend(request.seed.map(|seed| format!("--seed {seed}")));
    words.extend(request.sets.iter().map(|set| format!("--set {}", shell_word(set))));
    let default = Param::parse(DEFAULT_PARAM).ok();
    for param in request.params.iter().filter(|param| Some(*param) != default.as_ref()) {
        let param = format!("{}={}", param.key, param.values.join(","));
        words.push(format!("--param {}", shell_word(&param)));
    }
    if !request.faults.is_empty() {
        words.push(format!("--faults {}", shell_word(&request.faults.join(","))));
    }
    words.push(format!("--seeds {}", request.seeds));
    words.extend(request.exhaustive.then(|| "--exhaustive".to_owned()));
    words.push(format!("--weights {}", shell_word(&arguments.weights)));
    words.join(" ")
}
