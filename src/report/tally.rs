//! Several runs: a line for each, what does not hold below it, and a total.

use super::style::{BAD, DIM, END, GOOD, escape};
use crate::observe::Summary;
use crate::time::Span;

/// What has come of the runs so far.
pub struct Tally {
    /// Characters of the longest path.
    width: usize,
    runs: usize,
    failed: usize,
    refused: usize,
    expectations: usize,
    holding: usize,
    events: u64,
    virtual_ms: u64,
}

impl Tally {
    /// Of no runs so far; the scenarios to be run stand at `paths`.
    #[must_use]
    pub fn new(paths: impl Iterator<Item = String>) -> Self {
        Self {
            width: paths.map(|path| escape(&path).chars().count()).max().unwrap_or(0),
            runs: 0,
            failed: 0,
            refused: 0,
            expectations: 0,
            holding: 0,
            events: 0,
            virtual_ms: 0,
        }
    }

    /// One was run: its line, with colours.
    pub fn ran(&mut self, path: &str, summary: &Summary) -> String {
        let all = summary.expectations.len();
        let holding = summary.expectations.iter().filter(|expectation| expectation.ok).count();
        self.runs += 1;
        self.failed += usize::from(!summary.ok());
        self.expectations += all;
        self.holding += holding;
        self.events += summary.events;
        self.virtual_ms += summary.virtual_ms;
        let (colour, sign) = if summary.ok() { (GOOD, "✓") } else { (BAD, "✗") };
        let count = match all {
            0 => "no expectations: nothing was checked".to_owned(),
            _ => format!("{holding} of {all} hold"),
        };
        let (path, width) = (escape(path), self.width);
        let mut text = format!("{colour}{sign}{END} {path:<width$}  {DIM}{count}{END}\n");
        for expectation in summary.expectations.iter().filter(|expectation| !expectation.ok) {
            let sentence = escape(&expectation.text);
            text += &format!("    {BAD}✗{END} {sentence}  {}\n", expectation.detail);
        }
        text
    }

    /// One could not be run, or its report not be written.
    pub fn refused(&mut self) {
        self.refused += 1;
    }

    /// The last line.
    #[must_use]
    pub fn total(&self) -> String {
        let scenarios = |count: usize| match count {
            1 => "1 scenario".to_owned(),
            count => format!("{count} scenarios"),
        };
        let mut parts = vec![format!("{} run", scenarios(self.runs))];
        match self.failed {
            0 => {}
            1 => parts.push(format!("{BAD}1 fails{END}")),
            failed => parts.push(format!("{BAD}{failed} fail{END}")),
        }
        match self.refused {
            0 => {}
            refused => parts.push(format!("{BAD}{} could not be run{END}", scenarios(refused))),
        }
        let time = Span::from_millis(self.virtual_ms);
        format!(
            "{}: {} of {} expectations hold; {time} simulated, {} events\n",
            parts.join(", "),
            self.holding,
            self.expectations,
            self.events,
        )
    }
}
