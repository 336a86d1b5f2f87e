//! Replays the trace of one server.

use std::io::BufRead;

use serde_json::{Value, json};

use super::Replayed;
use super::lines::{Lines, ReplayError};
use crate::eureka::server::resources::{self, Answer};
use crate::eureka::server::{At, Registry};
use crate::eureka::{InstanceInfo, Names};
use crate::golden::{Advance, Fetch, Header, Mismatch, Op, Pause, Render};
use crate::time::{HostClock, Instant, Now, Span};

/// Drives a core with the lines of a trace and compares what comes out.
pub(super) fn replay(
    header: &Value,
    mut lines: Lines<impl BufRead>,
) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::default();
    let mut server = match Header::parse(header) {
        Ok(header) => Server::new(&header),
        Err(Mismatch { field, expected, got }) => {
            replayed.diverged(1, &field, &expected, &got);
            lines.drain()?;
            return Ok(replayed);
        }
    };
    while let Some((number, line)) = lines.next_json()? {
        replayed.operations += 1;
        let wall = server.now().wall;
        match Op::parse(&line, &mut server.names, wall) {
            Ok(op) => match server.beyond_time(&op) {
                None => server.check(&op, number, &line, &mut replayed),
                Some(wanted) => {
                    let given =
                        ["ns", "ms", "attempts"].into_iter().find(|f| line.get(f).is_some());
                    let field = given.unwrap_or("op");
                    replayed.diverged(number, field, &line[field], &json!(wanted));
                }
            },
            Err(Mismatch { field, expected, got }) => {
                replayed.diverged(number, &field, &expected, &got);
            }
        }
    }
    Ok(replayed)
}

/// How far in ns the clocks of a trace may go either way: the 64 bits of the wall clock with four years
/// to spare, for what Eureka adds to the time.
const FARTHEST: i128 = 9_100_000_000_000_000_000;
/// The most that start-up sync may look for, and the longest it may wait in all: a year in ns.
const MOST_LOOKS: i32 = 100_000;
const LONGEST_SYNC: i128 = 366 * 86_400 * 1_000_000_000;

/// One server process and its clocks.
struct Server {
    names: Names,
    registry: Registry,
    clock: HostClock,
    at: Instant,
    /// What the embedded client sees: the objects that start-up sync registers.
    view: Vec<crate::eureka::server::InfoRef>,
    /// `ev` and `out` of the operation under way.
    events: Vec<Value>,
    out: Vec<Value>,
}

impl Server {
    fn new(header: &Header) -> Self {
        let clock = HostClock::new(header.epoch_ms);
        let at = Instant::ZERO;
        let mut registry = Registry::new(header.setup(), clock.now(at));
        registry.set_eviction_before_rotation(header.eviction_before_rotation);
        Self {
            names: Names::default(),
            registry,
            clock,
            at,
            view: Vec::new(),
            events: Vec::new(),
            out: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        self.clock.now(self.at)
    }

    /// What is wrong with an operation that would lead beyond what its clocks can show, or not end.
    /// Each line alone is bounded when it is read; their sum here.
    fn beyond_time(&self, op: &Op) -> Option<&'static str> {
        let (passes, stepped) = match op {
            Op::Advance(advance) => (i128::from(advance.nanos), 0),
            Op::Pause(pause) => (i128::from(pause.nanos), 0),
            Op::StepWall(ms) => (0, i128::from(*ms) * 1_000_000),
            Op::SyncUp(attempts) => {
                let config = self.registry.config();
                let looks = attempts.unwrap_or(config.registry_sync_retries);
                let wait = i128::from(config.registry_sync_retry_wait_ms) * 1_000_000;
                let all = i128::from(looks) * wait;
                if looks > MOST_LOOKS || all > LONGEST_SYNC {
                    return Some("(not understood: a start-up sync of at most a year is wanted)");
                }
                (all, 0)
            }
            _ => return None,
        };
        let at = i128::from(self.at.nanos()) + passes;
        let wall = i128::from(self.now().wall) * 1_000_000 + passes + stepped;
        let fits = at <= FARTHEST && (-FARTHEST..=FARTHEST).contains(&wall);
        (!fits).then_some("(not understood: a time that clocks can show is wanted)")
    }

    /// Executes an operation and compares everything the line says about it.
    fn check(&mut self, op: &Op, number: u64, line: &Value, replayed: &mut Replayed) {
        self.events.clear();
        self.out.clear();
        let result = self.execute(op);
        self.drain(matches!(op, Op::RenewMany(_)));
        let list = |values: &mut Vec<Value>| {
            let values = std::mem::take(values);
            if values.is_empty() { Value::Null } else { Value::Array(values) }
        };
        let got = [
            ("r", result.unwrap_or(Value::Null)),
            ("out", list(&mut self.out)),
            ("ev", list(&mut self.events)),
            ("wall", json!(self.now().wall)),
            ("s", Render::gauges(&self.registry.gauges(self.now()))),
        ];
        for (field, got) in &got {
            let expected = line.get(field).unwrap_or(&Value::Null);
            if expected != got {
                replayed.diverged(number, field, expected, got);
            }
        }
    }

    /// Executes an operation; its `r`.
    fn execute(&mut self, op: &Op) -> Option<Value> {
        let Self { names, registry, .. } = self;
        let at = At { now: self.clock.now(self.at), names };
        let code = |code: u16| Some(json!({"code": code}));
        match op {
            Op::Init => registry.init(at),
            Op::View(instances) => self.set_view(instances),
            Op::SyncUp(attempts) => return Some(json!({"count": self.sync_up(*attempts)})),
            Op::Open(count) => {
                registry.open_for_traffic(at, *count);
                return Some(json!({"self": "UP"}));
            }
            Op::Register(body, replica) => {
                return code(resources::register(registry, at, (**body).clone(), *replica));
            }
            Op::Renew { key, dirty, overridden, replica } => {
                let answer = resources::renew(registry, at, *key, *dirty, *overridden, *replica);
                return Some(self.answer(answer));
            }
            Op::RenewMany(keys) => return Some(self.renew_many(keys)),
            Op::Cancel(key, replica) => {
                return code(resources::cancel(registry, at, *key, *replica));
            }
            Op::Status(key, value, dirty, replica) => {
                return code(resources::status_update(
                    registry, at, *key, *value, *dirty, *replica,
                ));
            }
            Op::DeleteStatus(key, value, dirty, replica) => {
                return code(resources::delete_status_update(
                    registry, at, *key, *value, *dirty, *replica,
                ));
            }
            Op::SetMetadata(key, metadata) => {
                return code(resources::update_metadata(registry, at, *key, metadata));
            }
            Op::Batch(items) => {
                let mut answers = Vec::new();
                resources::batch_replication(registry, at, items.iter().cloned(), &mut answers);
                let items: Vec<Value> = answers.iter().map(|&answer| self.answer(answer)).collect();
                answers
                    .iter()
                    .filter_map(|answer| answer.instance)
                    .for_each(|info| self.registry.objects_mut().release_info(info));
                return Some(json!({"code": 200, "items": items}));
            }
            Op::Get(fetch) => return Some(self.get(*fetch)),
            Op::Advance(advance) => self.advance(*advance),
            Op::Pause(Pause { nanos, later }) => {
                self.at += Span::from_nanos(*nanos);
                if !later {
                    self.run_timers();
                }
            }
            Op::Timers => self.run_timers(),
            Op::StepWall(ms) => self.clock.step(self.at, ms * 1_000_000),
            Op::Set(key, value) => {
                // A key or value that is not understood changes nothing; `s` will tell.
                let _ = registry.config_mut().set(key, value);
            }
            Op::Evict(additional) => registry.evict(at, *additional),
            Op::Dump => return Some(Render { names }.dump(registry, at.now)),
        }
        None
    }

    /// Groups by application in order of first appearance; of equal ids the last one stays, at its
    /// place (`Applications.addApplication`, `Application.addInstance`).
    fn set_view(&mut self, instances: &[InstanceInfo]) {
        let mut apps = Vec::new();
        for info in instances {
            let app = self.names.app_of(info.key);
            if !apps.contains(&app) {
                apps.push(app);
            }
        }
        for info in self.view.drain(..) {
            self.registry.objects_mut().release_info(info);
        }
        for app in apps {
            for (position, info) in instances.iter().enumerate() {
                let superseded =
                    instances[position + 1..].iter().any(|later| later.key == info.key);
                if self.names.app_of(info.key) == app && !superseded {
                    self.view.push(self.registry.objects_mut().add_info(info.clone()));
                }
            }
        }
        self.registry.set_view_size(self.view.len());
    }

    fn sync_up(&mut self, attempts: Option<i32>) -> i32 {
        let looks = attempts.unwrap_or(self.registry.config().registry_sync_retries);
        for look in 1..=looks {
            let at = At { now: self.clock.now(self.at), names: &self.names };
            let count = self.registry.sync_up_once(at, &self.view);
            if count > 0 {
                return count;
            }
            if self.registry.sync_up_waits_after(look, looks) {
                let wait = self.registry.config().registry_sync_retry_wait_ms;
                let nanos = Span::from_millis(wait as u64).nanos();
                self.advance(Advance { nanos, exclusive: false });
            }
        }
        0
    }

    fn renew_many(&mut self, keys: &[crate::eureka::InstanceKey]) -> Value {
        use resources::{DirtyParameter, StatusParameter};
        let at = At { now: self.clock.now(self.at), names: &self.names };
        let (dirty, overridden) = (DirtyParameter::Absent, StatusParameter::Absent);
        let renew =
            |&key| resources::renew(&mut self.registry, at, key, dirty, overridden, false).code;
        let codes: Vec<u16> = keys.iter().map(renew).collect();
        if codes.iter().all(|&code| code == 200) {
            json!({"all": 200})
        } else {
            json!({"codes": codes})
        }
    }

    fn get(&mut self, fetch: Fetch) -> Value {
        let at = At { now: self.clock.now(self.at), names: &self.names };
        match fetch {
            Fetch::Cached(key) => match resources::fetch(&mut self.registry, at, key) {
                Ok(payload) => Render { names: &self.names }.fetched(fetch, &payload),
                Err(code) => json!({"code": code}),
            },
            Fetch::Instance(key) => {
                let answer = resources::get_instance(&mut self.registry, at, key);
                self.answer(answer)
            }
            Fetch::ById(id) => {
                let answer = resources::get_instance_by_id(&mut self.registry, at, id);
                self.answer(answer)
            }
        }
    }

    /// Time passes and timers run when their threads wake.
    fn advance(&mut self, advance: Advance) {
        let end = self.at + Span::from_nanos(advance.nanos);
        while let Some(wake) = self.registry.next_wake() {
            let wake = HostClock::instant_of_mono(wake);
            if wake > end || (advance.exclusive && wake == end) {
                break;
            }
            self.at = self.at.max(wake);
            self.run_timers();
        }
        self.at = end;
    }

    fn run_timers(&mut self) {
        let at = At { now: self.clock.now(self.at), names: &self.names };
        self.registry.run_timers(at);
        self.drain(false);
    }

    /// Takes what the registry left in its out-lists; `out` of a `renew-many` is not recorded.
    fn drain(&mut self, discard_handed: bool) {
        let render = Render { names: &self.names };
        let wall = self.clock.now(self.at).wall;
        let facts = std::mem::take(self.registry.facts());
        self.events.extend(facts.iter().filter_map(|fact| render.event(fact, wall)));
        let handed = std::mem::take(self.registry.handed());
        for handed in &handed {
            if !discard_handed {
                self.out.push(render.handed(self.registry.objects(), handed));
            }
            if let Some(info) = handed.info() {
                self.registry.objects_mut().release_info(info);
            }
        }
    }

    fn answer(&self, answer: Answer) -> Value {
        let mut value = json!({"code": answer.code});
        if let Some(info) = answer.instance {
            let render = Render { names: &self.names };
            value["instance"] = render.instance(&self.registry.objects()[info]);
        }
        value
    }
}
