//! One instance over time: a lane for what it calls itself, one for each server, one for each consumer that
//! is named.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::draw::{Axes, Sheet, shorten};
use super::palette::{GREY, INK};
use super::panels::{self, LABEL_HEIGHT, LABEL_ROWS};
use super::statuses::{LANE, bars};
use super::{Drawing, MOST_SERVERS, WIDTH};
use crate::observe::{FaultWindow, Labels, Place, StoryLane, What};
use crate::scenario::Plan;
use crate::study::explain::Explanation;
use crate::time::Instant;

/// Height of the title.
const TITLE: i32 = 74;
/// Between the process, the servers and the consumers.
const GAP: i32 = 10;

/// The lanes of an instance that was explained, up to that instant.
#[derive(Clone, Copy, Debug)]
pub struct StoryFigure<'a> {
    /// What is drawn.
    pub explained: &'a Explanation,
    /// Of which plan it is.
    pub plan: &'a Plan,
}

impl StoryFigure<'_> {
    /// The figure as SVG.
    #[must_use]
    pub fn svg(self) -> String {
        Drawing::svg(&self)
    }

    /// The figure as PNG.
    #[must_use]
    pub fn png(self) -> Vec<u8> {
        Drawing::png(&self)
    }

    fn lanes(&self) -> impl Iterator<Item = &StoryLane> {
        let is_drawn = |lane: &&StoryLane| match lane.place {
            Place::Server(server) => server.index() < MOST_SERVERS,
            _ => true,
        };
        self.explained.lanes.iter().filter(is_drawn)
    }

    /// What the script does to the instance, and what comes over the network; each a window.
    fn faults(&self, labels: &Labels) -> Vec<FaultWindow> {
        let mut faults: Vec<(Option<usize>, FaultWindow)> = Vec::new();
        for event in &self.explained.events {
            let (from, end) = (event.at, self.explained.at);
            let at_once = |what: String| (None, FaultWindow { what, from, to: from });
            match (&event.what, event.place) {
                (What::Script(what), _) => faults.push(at_once((*what).to_owned())),
                (What::SetStatus(status), _) => faults.push(at_once(format!("set {status}"))),
                (What::SetHealth(answer, _), _) => {
                    faults.push(at_once(format!("health {}", answer.name())));
                }
                (What::Operator(request, _), _) => {
                    let short = request.replace("status?value=", "");
                    faults.push(at_once(short));
                }
                (What::Fault(Some(_), entry), _) => {
                    let what = labels.entry(*entry).to_owned();
                    faults.push((Some(*entry), FaultWindow { what, from, to: end }));
                }
                (What::Fault(None, entry), _) => {
                    let open = faults.iter_mut().rfind(|(of, _)| *of == Some(*entry));
                    if let Some((of, window)) = open {
                        (*of, window.to) = (None, from);
                    }
                }
                _ => {}
            }
        }
        faults.into_iter().map(|(_, window)| window).collect()
    }

    fn height(&self) -> i32 {
        let lanes = self.lanes().count() as i32;
        TITLE + LABEL_HEIGHT * LABEL_ROWS as i32 + lanes * LANE + 2 * GAP + 44
    }
}

impl Drawing for StoryFigure<'_> {
    fn size(&self) -> (u32, u32) {
        (WIDTH, self.height().unsigned_abs())
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &mut Sheet<'_, DB>) {
        let (plan, explained) = (self.plan, self.explained);
        let labels = Labels::new(plan);
        let at = explained.at;
        let name = shorten(&plan.setup.names.full(explained.key), 80);
        let wrong = match explained.main() {
            None => format!("nothing is wrong with it at {at}"),
            Some(finding) => {
                let why = finding
                    .mechanism
                    .map_or_else(String::new, |of| format!(": {}, {}", of.name(), of.sentence()));
                format!("{} since {}{why}", finding.class.name(), finding.since)
            }
        };
        sheet.title(&name, &format!("{}: {wrong}", plan.name));
        let top = TITLE + LABEL_HEIGHT * LABEL_ROWS as i32;
        let end = at.max(Instant::from_nanos(1));
        let axes = Axes::new(sheet.width, (top, self.height() - 40), end, 1.0);
        panels::shade_faults(sheet, &axes, &self.faults(&labels), true);
        panels::time_ticks(sheet, &axes, end, true);
        let mut y = top;
        let mut before: Option<std::mem::Discriminant<Place>> = None;
        for lane in self.lanes() {
            let kind = std::mem::discriminant(&lane.place);
            if before.is_some_and(|before| before != kind) {
                y += GAP;
            }
            before = Some(kind);
            bars(sheet, &axes, &lane.changes, (y + 2, y + LANE - 2));
            let (place, colour) = match lane.place {
                Place::Server(server) => (labels.server(server).to_owned(), INK),
                Place::Client(client) => (format!("seen by {}", labels.host(client)), GREY),
                _ => ("itself".to_owned(), INK),
            };
            let middle = (axes.right + 8, y + LANE / 2);
            sheet.text(&shorten(&place, 24), middle, 13, colour, (HPos::Left, VPos::Center));
            y += LANE;
        }
    }
}
