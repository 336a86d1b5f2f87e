//! Replays the trace of one client: its script and the answers it got drive a client, whose requests,
//! statuses and views are compared with the recorded ones.

mod driver;
mod judge;
mod process;
mod real;
mod render;
mod stubs;
mod tolerance;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;

use serde_json::{Value, json};

use super::Replayed;
use super::lines::{Lines, ReplayError};
use crate::eureka::Names;
use crate::golden::Mismatch;
use crate::golden::client::{Act, Answer, ClientHeader, Construct, Draw, Mode, act, draw, nanos};

use driver::Driver;
use judge::{Kind, Recorded};
use real::{RealDriver, RealTrace};

/// Something the script does, in the order of the file.
#[derive(Debug)]
struct Scripted {
    /// ns from the start.
    at: u64,
    what: Event,
}

#[derive(Debug)]
enum Event {
    Act(Act),
    Probe,
}

/// A draw, where the trace has it.
#[derive(Debug)]
struct Drawn {
    line: u64,
    at: u64,
    draw: Draw,
}

/// A recorded request, and what it was answered.
#[derive(Debug)]
struct Question {
    at: u64,
    request: Value,
    answer: Answer,
}

/// A whole trace, read.
struct Trace {
    script: VecDeque<Scripted>,
    draws: VecDeque<Drawn>,
    questions: Vec<Question>,
    recorded: Vec<Recorded>,
    /// How many clients the script has made so far.
    clients: u8,
    /// The trace changes what the instance says of itself: bodies show lease and host.
    shows_lease: bool,
    /// It shows callers' lists as the shuffle left them; most show them sorted.
    shows_order: bool,
    /// Wall clock (ns) at the end, as far as it is read.
    wall: i128,
}

/// How far in ns the clock of a trace may go either way.
const FARTHEST: i128 = 9_100_000_000_000_000_000;
const BEYOND: &str = "(not understood: a time that clocks can show wanted)";

/// Why a trace cannot be replayed, if it cannot.
enum Refusal {
    /// A field that is not understood, at its line.
    Mismatch(u64, Box<Mismatch>),
    /// Something that is not modelled.
    Skip(String),
}

/// Drives a client with the lines of a trace and compares what comes out.
pub(super) fn replay(
    header: &Value,
    mut lines: Lines<impl BufRead>,
) -> Result<Replayed, ReplayError> {
    let mut names = Names::default();
    let read = ClientHeader::parse(header).map_err(|wrong| Refusal::Mismatch(1, Box::new(wrong)));
    let replayed = match read {
        Err(refusal) => Err(refusal),
        Ok(header) if header.mode == Mode::Real => {
            let trace = RealTrace::read(&mut lines)?;
            trace.and_then(|trace| RealDriver::new(&header, trace, names)).map(RealDriver::run)
        }
        Ok(header) => {
            let trace = Trace::read(&header, &mut lines, &mut names)?;
            trace.and_then(|trace| Driver::new(&header, trace, names)).map(Driver::run)
        }
    };
    match replayed {
        Ok(replayed) => Ok(replayed),
        Err(Refusal::Skip(reason)) => {
            lines.drain()?;
            Ok(Replayed { skipped: Some(reason), ..Replayed::default() })
        }
        Err(Refusal::Mismatch(line, wrong)) => {
            lines.drain()?;
            let mut replayed = Replayed::default();
            replayed.diverged(line, &wrong.field, &wrong.expected, &wrong.got);
            Ok(replayed)
        }
    }
}

/// A field that is not understood.
fn not_understood(number: u64, field: &str, value: &Value, wanted: &str) -> Refusal {
    let got = Box::new(json!(format!("(not understood: {wanted} wanted)")));
    let expected = Box::new(value.clone());
    Refusal::Mismatch(number, Box::new(Mismatch { field: field.to_owned(), expected, got }))
}

/// What `construct` does beside constructing shows up as acts of its own, which nobody is to do
/// again: how often each is still to come.
#[derive(Debug, Default)]
struct Echoes {
    left: BTreeMap<String, u32>,
    constructed: bool,
}

impl Echoes {
    fn expect(&mut self, construct: &Construct) {
        for echo in construct.echoes() {
            *self.left.entry(echo).or_default() += 1;
        }
    }

    /// Whether this act is one.
    fn takes(&mut self, text: &str) -> bool {
        let left = self.left.get_mut(text).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    }

    /// Reads an act that is none; nothing if it is not understood, or constructs the client again.
    fn act(&mut self, text: &str) -> Option<Act> {
        let act = act(text)?;
        if let Act::Construct(construct) = &act {
            self.expect(construct);
            if std::mem::replace(&mut self.constructed, true) {
                return None;
            }
        }
        Some(act)
    }
}

impl Trace {
    fn read(
        header: &ClientHeader,
        lines: &mut Lines<impl BufRead>,
        names: &mut Names,
    ) -> Result<Result<Self, Refusal>, ReplayError> {
        let mut trace = Self {
            script: VecDeque::new(),
            draws: VecDeque::new(),
            questions: Vec::new(),
            recorded: Vec::new(),
            clients: 0,
            shows_lease: false,
            shows_order: false,
            wall: i128::from(header.epoch_ms) * 1_000_000 + i128::from(header.until),
        };
        if trace.wall > FARTHEST {
            let (field, expected) = ("epoch-ms".to_owned(), Box::new(json!(header.epoch_ms)));
            let got = Box::new(json!(BEYOND));
            let wrong = Mismatch { field, expected, got };
            return Ok(Err(Refusal::Mismatch(1, Box::new(wrong))));
        }
        let mut echoes = Echoes::default();
        let mut last = 0;
        while let Some((number, line)) = lines.next_json()? {
            if let Err(refusal) = trace.add(number, &line, &mut last, &mut echoes, names) {
                return Ok(Err(refusal));
            }
        }
        Ok(Ok(trace))
    }

    fn add(
        &mut self,
        number: u64,
        line: &Value,
        last: &mut u64,
        echoes: &mut Echoes,
        names: &mut Names,
    ) -> Result<(), Refusal> {
        let wrong =
            |field: &str, value: &Value, wanted: &str| not_understood(number, field, value, wanted);
        let mut fields = line.as_object().into_iter().flatten();
        let (Some((t, at)), Some((what, value)), None) =
            (fields.next(), fields.next(), fields.next())
        else {
            return Err(wrong("t", line, "\"t\" and one thing that happened"));
        };
        let at = nanos(at).filter(|at| t == "t" && at >= last);
        let Some(at) = at else {
            return Err(wrong("t", &line["t"], "ms from the start, in the order of time"));
        };
        *last = at;
        let mismatch = |wrong: Mismatch| Refusal::Mismatch(number, Box::new(wrong));
        match what.as_str() {
            "app" => {
                let text = value.as_str().unwrap_or_default();
                if echoes.takes(text) {
                    return Ok(());
                }
                let act = echoes.act(text).ok_or_else(|| wrong("app", value, "an act"))?;
                let clients_wanted = match &act {
                    Act::Construct(_) => 0,
                    Act::SecondClient(_) => 1,
                    Act::SecondShutdown => 2,
                    _ => self.clients,
                };
                if self.clients != clients_wanted {
                    return Err(wrong("app", value, "one client, then a second, then its end"));
                }
                match &act {
                    Act::SecondClient(_) | Act::Construct(_) => self.clients += 1,
                    Act::SetConfig(_) => self.shows_lease = true,
                    Act::StepClock(ms) => {
                        self.wall += i128::from(*ms) * 1_000_000;
                        if !(-FARTHEST..=FARTHEST).contains(&self.wall) {
                            return Err(wrong("app", value, "a time that clocks can show"));
                        }
                    }
                    Act::Preempt(method) => {
                        let method = method.chars().take(80).collect::<String>();
                        return Err(Refusal::Skip(format!("no thread is held in {method} here")));
                    }
                    _ => {}
                }
                self.script.push_back(Scripted { at, what: Event::Act(act) });
            }
            "draw" => {
                let draw = draw(value).map_err(mismatch)?;
                self.draws.push_back(Drawn { line: number, at, draw });
            }
            "stub" | "record" => {}
            kind => {
                let Some(kind) = Kind::of(kind) else {
                    return Err(wrong(kind, value, "a line of a client's trace"));
                };
                if kind == Kind::Request {
                    let answer = Answer::parse(value, names).map_err(mismatch)?;
                    self.questions.push(Question { at, request: value.clone(), answer });
                } else if kind == Kind::View {
                    let lists = value.get("visible").and_then(Value::as_object);
                    let mut lists =
                        lists.into_iter().flatten().filter_map(|(_, ids)| ids.as_array());
                    let sorted = |ids: &Vec<Value>| ids.is_sorted_by_key(|id| id.as_str());
                    self.shows_order |= !lists.all(sorted);
                } else if kind == Kind::Probe {
                    self.script.push_back(Scripted { at, what: Event::Probe });
                }
                self.recorded.push(Recorded { line: number, at, kind, value: value.clone() });
            }
        }
        Ok(())
    }
}
