//! The terminal: results on standard output, talk on standard error, progress where somebody looks.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::args::{Color, Common};
use super::exit::Exit;
use super::files::{self, describe};
use crate::observe::shell_word;
use crate::report::escape;
use crate::study::Pulse;
use crate::time::{Instant, Span};

/// Somebody pressed Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Both output streams, and what went wrong with them.
pub(super) struct Terminal {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    quiet: bool,
    progress: bool,
    /// Why standard output is gone: a closed pipe is no error, anything else is.
    closed: Option<io::Error>,
}

impl Terminal {
    pub(super) fn new(common: &Common) -> Self {
        let choice = match common.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        // Whoever writes files ends in good order; with nothing to put in order, or when asked
        // again, the process ends at once. Without a handler it does too.
        let _ = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) || !files::is_writing() {
                files::exit_without_leftovers(Exit::Interrupted);
            }
        });
        Self {
            out: AutoStream::new(io::stdout(), choice),
            err: AutoStream::new(io::stderr(), choice),
            quiet: common.quiet,
            progress: !common.quiet && !common.no_progress && io::stderr().is_terminal(),
            closed: None,
        }
    }

    /// Prints a result.
    pub(super) fn print(&mut self, text: &str) {
        if self.closed.is_none()
            && let Err(error) = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush())
        {
            self.closed = Some(error);
        }
    }

    /// Says something that is no result; not if it should be quiet.
    pub(super) fn say(&mut self, text: &str) {
        if !self.quiet {
            // There is nowhere left to complain to.
            let _ = self.err.write_all(text.as_bytes());
        }
    }

    /// Says what is wrong.
    pub(super) fn complain(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
    }

    /// `error: PATH: reason`
    pub(super) fn error(&mut self, path: &Path, reason: &str) {
        let path = path.display().to_string();
        let line = format!("\u{1b}[31merror\u{1b}[0m: {}: {}\n", escape(&path), escape(reason));
        self.complain(&line);
    }

    /// A bar of virtual time, if somebody looks.
    pub(super) fn progress(&self, name: &str, duration: Instant) -> Progress {
        let bar = self.bar(duration.nanos() / 1_000_000, "{prefix} {bar:30} {msg}");
        bar.set_prefix(escape(name).into_owned());
        Progress { bar, duration: Some(duration) }
    }

    /// A bar of scenarios that have been run, if somebody looks.
    pub(super) fn progress_of_several(&self, count: usize) -> Progress {
        Progress { bar: self.bar(count as u64, "{bar:30} {pos}/{len} scenarios"), duration: None }
    }

    /// A bar of runs, if somebody looks, of which `done` were done before.
    pub(super) fn progress_of_runs(&self, done: u64, most: u64) -> Runs {
        let bar = self.bar(most, "{bar:30} {pos}/{len} runs  {left}");
        bar.set_position(done);
        // What was done before took none of this time.
        let left = move |state: &ProgressState, text: &mut dyn fmt::Write| {
            let since = state.pos().saturating_sub(done);
            let left = state.len().unwrap_or(most).saturating_sub(state.pos());
            let seconds = state.elapsed().as_secs_f64() * left as f64 / since as f64;
            // A bar that cannot be drawn is no reason to stop.
            let _ = match Duration::try_from_secs_f64(seconds) {
                Ok(time) => write!(text, "{:#} left", HumanDuration(time)),
                Err(_) => Ok(()),
            };
        };
        bar.set_style(bar.style().with_key("left", left));
        Runs(bar)
    }

    /// How many runs something takes whose end nobody knows, if somebody looks.
    pub(super) fn progress_without_end(&self, what: &str) -> Runs {
        let bar = self.bar(0, "{spinner} {prefix}  {pos} runs");
        bar.set_prefix(escape(what).into_owned());
        Runs(bar)
    }

    fn bar(&self, length: u64, template: &str) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// The exit code, given what went wrong with the output.
    pub(super) fn finish(&mut self, exit: Exit) -> Exit {
        match self.closed.take() {
            None => exit,
            // Whoever read us has seen enough: `| head` is no error, and hides none.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
            Some(error) => {
                let reason = format!("cannot write: {}", describe(&error));
                self.error(Path::new("standard output"), &reason);
                exit.max(Exit::Io)
            }
        }
    }
}

/// The progress of one run, or of several.
pub(super) struct Progress {
    bar: ProgressBar,
    /// Of the one run; none if there are several.
    duration: Option<Instant>,
}

impl Progress {
    /// What a run tells how far it is.
    pub(super) fn pulse(&self) -> Beat<'_> {
        Beat(self)
    }

    /// A run has ended: what is said of it stands above the bar.
    pub(super) fn one_is_done(&self, say: impl FnOnce()) {
        if self.duration.is_none() {
            self.bar.inc(1);
        }
        self.bar.suspend(say);
    }
}

/// The progress of a sweep.
pub(super) struct Runs(ProgressBar);

impl Runs {
    /// One more is done, of at most so many.
    pub(super) fn one_is_done(&self, most: u64) {
        self.0.set_length(most);
        self.0.inc(1);
    }

    /// So many are done.
    pub(super) fn so_many_are_done(&self, runs: u64) {
        self.0.set_position(runs);
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The pulse of a run, and its end when Ctrl-C is pressed.
pub(super) struct Beat<'a>(&'a Progress);

impl Pulse for Beat<'_> {
    fn beat(&mut self, now: Instant, events: u64) -> bool {
        let Progress { bar, duration } = self.0;
        if let Some(duration) = *duration
            && !bar.is_hidden()
        {
            bar.set_position(now.nanos() / 1_000_000);
            let whole = |at: Instant| Span::from_secs(at.nanos() / 1_000_000_000);
            let events = match events {
                0..1_000_000 => format!("{}k events", events / 1_000),
                _ => format!("{}.{}M events", events / 1_000_000, events / 100_000 % 10),
            };
            bar.set_message(format!("{}/{}  {events}", whole(now), whole(duration)));
        }
        !interrupted()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Whether Ctrl-C was pressed.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// A panic is a bug of the simulator: says so, with the command that shows it.
pub(super) fn install_panic_hook() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default(panic);
        let words = std::env::args_os();
        let command: Vec<String> = words.map(|word| shell_word(&word.to_string_lossy())).collect();
        let text = format!("this is a bug of eureka-sim; it shows with: {}\n", command.join(" "));
        let _ = io::stderr().write_all(text.as_bytes());
    }));
}
