//! Which scenarios are meant: files by name, and every scenario of a folder.

use std::path::{Path, PathBuf};

use super::args::ScenarioArguments;
use super::exit::Exit;
use super::files::{Disk, read_scenario};
use super::terminal::Terminal;
use super::walk::files_below;
use crate::report::{escape, render_diagnostics};
use crate::scenario::{Changes, Plan, Rejected, is_scenario, load};
use crate::study::tune::OWN;
use crate::study::{Suite, settled};

/// A scenario that can be run.
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    pub(super) plan: Plan,
}

/// Why a scenario cannot be run.
enum Refused {
    Rejected(Rejected),
    Fault(String),
}

/// The plan of a text, with the fault that was asked for in the place of its timeline.
fn with_fault(path: &Path, text: &str, arguments: &ScenarioArguments) -> Result<Plan, Refused> {
    let load = |changes| load(path, text, changes, &Disk).map_err(Refused::Rejected);
    let changes = arguments.values.changes();
    let plan = load(changes)?;
    // As tune.csv calls the scenario's own timeline.
    let Some(name) = arguments.fault.as_ref().filter(|name| *name != OWN) else {
        return Ok(plan);
    };
    let suite = Suite::new(&plan, settled(&plan));
    let fault = suite.find(name, &[]).map_err(|error| Refused::Fault(error.to_string()))?;
    load(Changes { overlay: Some(&fault.overlay), ..changes })
}

/// What was named on the command line.
pub(super) struct Inputs {
    pub(super) loaded: Vec<Loaded>,
    /// Those that cannot be run, and why.
    pub(super) refused: Vec<(PathBuf, String)>,
    /// Whether a folder was named.
    pub(super) from_folder: bool,
    /// The exit code of those that cannot be run.
    pub(super) exit: Exit,
}

impl Inputs {
    /// Reads them all; what is wrong with them is said.
    pub(super) fn load(arguments: &ScenarioArguments, terminal: &mut Terminal) -> Self {
        let mut inputs =
            Self { loaded: Vec::new(), refused: Vec::new(), from_folder: false, exit: Exit::Ok };
        for path in &arguments.scenarios {
            if !path.is_dir() {
                inputs.add(path, arguments, false, terminal);
                continue;
            }
            inputs.from_folder = true;
            let (files, exit) = files_below(path, terminal);
            inputs.exit = inputs.exit.max(exit);
            let before = inputs.loaded.len() + inputs.refused.len();
            for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "toml")) {
                inputs.add(file, arguments, true, terminal);
            }
            if inputs.loaded.len() + inputs.refused.len() == before && exit == Exit::Ok {
                terminal.error(path, "no scenario in this folder");
                inputs.exit = inputs.exit.max(Exit::BadInput);
            }
        }
        inputs
    }

    fn add(
        &mut self,
        path: &Path,
        arguments: &ScenarioArguments,
        found: bool,
        terminal: &mut Terminal,
    ) {
        let text = match read_scenario(path) {
            Ok(text) => text,
            Err(unreadable) => {
                terminal.error(path, &unreadable.reason);
                self.refuse(path, unreadable.reason, unreadable.exit);
                return;
            }
        };
        // Settings that scenarios include stand in folders too, and so does Cargo.toml.
        if found && !is_scenario(&text) {
            let name = path.display().to_string();
            terminal.say(&format!("{}: no scenario: it has no `schema`\n", escape(&name)));
            return;
        }
        match with_fault(path, &text, arguments) {
            Ok(plan) => self.loaded.push(Loaded { path: path.to_path_buf(), plan }),
            Err(Refused::Rejected(rejected)) => {
                let text = render_diagnostics(&rejected.sources, &rejected.diagnostics);
                terminal.complain(&text);
                self.refuse(path, text, Exit::BadInput);
            }
            Err(Refused::Fault(why)) => {
                terminal.error(path, &why);
                self.refuse(path, why, Exit::BadInput);
            }
        }
    }

    fn refuse(&mut self, path: &Path, why: String, exit: Exit) {
        self.refused.push((path.to_path_buf(), why));
        self.exit = self.exit.max(exit);
    }

    /// Whether two scenarios have one name, and with it one report; says so.
    pub(super) fn name_one_twice(&self, terminal: &mut Terminal) -> bool {
        let mut twice = false;
        for (index, Loaded { path, plan }) in self.loaded.iter().enumerate() {
            if self.loaded[..index].iter().any(|earlier| earlier.plan.name == plan.name) {
                let reason = format!("another scenario of this call is called `{}` too", plan.name);
                terminal.error(path, &reason);
                twice = true;
            }
        }
        twice
    }
}
