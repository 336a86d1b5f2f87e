//! `[[expect]]`: what must be true of the run.

use super::build::Builder;
use super::claim;
use super::diagnostics::Diagnostics;
use super::fleet::Moment;
use super::metric::{EventKind, Metric};
use super::plan::{Bounds, Expectation, Servers, Subject, Wanted, When};
use super::reader::{Read, Reader, share, window};
use super::select;
use super::tree::{Node, Value};
use crate::eureka::{AppId, InstanceKey, InstanceStatus};
use crate::sim::{CallSetup, HostId};
use crate::time::{Instant, Span};

pub(super) fn read(node: Option<&Node>, builder: &mut Builder) -> Vec<Expectation> {
    match node.map(|node| (&node.value, node)) {
        None => Vec::new(),
        Some((Value::List(list), _)) => {
            list.iter().filter_map(|node| expectation(node, builder)).collect()
        }
        Some((other, node)) => {
            builder.diags.wrong_type(&node.place, "[[expect]] tables", other.kind());
            Vec::new()
        }
    }
}

/// Every key of [[expect]].
const KEYS: [&str; 18] = [
    "label", "claim", "metric", "event", "server", "app", "instance", "view", "equals", "at-least",
    "at-most", "above", "below", "happens", "never", "at", "within", "during",
];
/// Those that are bounds.
const BOUNDS: [&str; 5] = ["equals", "at-least", "at-most", "above", "below"];

fn expectation(node: &Node, builder: &mut Builder) -> Option<Expectation> {
    let mut reader = Reader::of(node, "[[expect]]", &mut builder.diags)?;
    let label = reader.text("label", &mut builder.diags).map(|label| label.value);
    let claim = reader.node("claim").and_then(|node| claim::read(node, &mut builder.diags));
    let found = reader.present(&["metric", "event"]);
    let subject = match found.as_slice() {
        ["metric"] => metric(&mut reader, builder),
        ["event"] => event(&mut reader, builder),
        _ => {
            let place = reader.place.clone();
            builder.diags.not_exactly_one(&place, &found, "`metric`, `event`");
            reader.knows(&KEYS);
            None
        }
    };
    reader.finish(&mut builder.diags);
    let subject = subject?;
    let text = label.unwrap_or_else(|| sentence(&subject, builder));
    Some(Expectation { text, claim, subject })
}

fn metric(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Subject> {
    let before = builder.diags.error_count();
    let name = reader.text("metric", &mut builder.diags);
    let metric = name.as_ref().and_then(|name| named(name, builder));
    let servers = servers(reader, builder);
    let app = app(reader, builder);
    let share = name.is_some_and(|name| name.value.ends_with("-share"));
    let bounds = bounds(reader, metric, share, builder);
    let when = when(reader, builder);
    let instance = instance(reader, when, builder);
    let view = view(reader, when, builder);
    if let Some(metric) = metric {
        check_scope(metric, servers, reader, &mut builder.diags);
    }
    if let Some(metric) = metric.filter(|metric| metric.is_traffic()) {
        check_calls(metric, (app, instance, view), reader, builder);
    }
    if builder.diags.error_count() > before {
        return None;
    }
    let (metric, bounds, when) = (metric?, bounds?, when?);
    Some(Subject::Metric { metric, servers, app, instance, view, bounds, when })
}

/// The metric of this name, if there is one.
pub(super) fn named(name: &Read<String>, builder: &mut Builder) -> Option<Metric> {
    let metric = Metric::ALL.iter().find(|(known, _)| *known == name.value);
    if metric.is_none() {
        let known: Vec<&str> = Metric::ALL.iter().map(|(name, _)| *name).collect();
        builder.diags.unknown_word(&name.place, "metric", &name.value, &known);
    }
    metric.map(|(_, metric)| *metric)
}

/// Whether the metric has what it is asked for.
fn check_scope(metric: Metric, servers: Servers, reader: &Reader<'_>, diags: &mut Diagnostics) {
    let name = metric.name();
    let mut misplaced = |key: &str, message: String, help: &str| {
        diags.misplaced(&reader.key_place(key), message, help);
    };
    if reader.has("instance") && !metric.by_instance() {
        misplaced("instance", format!("`{name}` is not of one instance"), "remove `instance`");
    }
    if reader.has("app") && !metric.by_app() {
        let message = format!("`{name}` cannot be asked for one application");
        misplaced("app", message, "remove `app`");
    }
    if reader.has("view") && !metric.by_view() {
        let message = format!("a client's view has no `{name}`");
        misplaced("view", message, "views have registry-size, status and the metrics of calls");
    }
    if reader.has("view") && reader.has("server") && servers != Servers::Each {
        let message = "a view is a client's, whatever server it came from".to_owned();
        misplaced("server", message, "remove `server` or `view`");
    }
    match servers {
        Servers::Sum if metric.is_global() => {
            let message = format!("`{name}` is one number for the whole run");
            misplaced("server", message, "remove `server`");
        }
        Servers::Sum if metric.is_flag() => {
            let message = format!("`{name}` is true or false, which has no sum");
            misplaced("server", message, "`max` is true if any server's is, `min` if all are");
        }
        Servers::Sum | Servers::Max | Servers::Min if metric == Metric::Status => {
            let message = "a status has no sum, maximum or minimum".to_owned();
            misplaced("server", message, "name a server, or leave it out for each");
        }
        _ => {}
    }
    if metric == Metric::Status && !reader.has("instance") {
        let example = "instance = \"ORDERS/3\"";
        diags.missing(&reader.place.clone(), "instance", "`metric = \"status\"`", example);
    }
}

/// Whether anybody makes the calls that a metric is about.
fn check_calls(
    metric: Metric,
    (app, instance, view): (Option<AppId>, Option<InstanceKey>, Option<HostId>),
    reader: &Reader<'_>,
    builder: &mut Builder,
) {
    // Where something could not be understood, calls may be missing for that reason.
    if builder.diags.has_errors() {
        return;
    }
    let key = ["view", "instance", "app"].into_iter().find(|key| reader.has(key));
    let of_instance = instance.map(|key| builder.names.app_of(key));
    let wanted = |calls: &&CallSetup| {
        app.is_none_or(|app| calls.app == app)
            && of_instance.is_none_or(|app| calls.app == app)
            && view.is_none_or(|caller| calls.callers.contains(&caller.index()))
    };
    if builder.calls.iter().any(|calls| wanted(&calls)) {
        return;
    }
    let place = reader.key_place(key.unwrap_or("metric"));
    builder.diags.nobody_calls(&place, metric.name(), key);
}

fn event(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Subject> {
    let before = builder.diags.error_count();
    let name = reader.text("event", &mut builder.diags);
    let kind = name.as_ref().and_then(|name| kind(name, builder));
    let server = match servers(reader, builder) {
        Servers::One(server) => Some(server),
        Servers::Each => None,
        Servers::Sum | Servers::Max | Servers::Min => {
            let message = "events are counted, not summed".to_owned();
            let place = reader.key_place("server");
            builder.diags.misplaced(&place, message, "name a server, or leave it out");
            None
        }
    };
    let app = app(reader, builder);
    reader.knows(&["instance"]);
    if let Some(kind) = kind.filter(|kind| !kind.has_instance()) {
        for key in reader.present(&["app", "instance"]) {
            let message = format!("`{}` events are of a server, not of an instance", kind.name());
            let help = format!("remove `{key}`");
            builder.diags.misplaced(&reader.key_place(key), message, &help);
        }
    }
    let bounds = count_bounds(reader, builder);
    let timed = !reader.present(&["during", "at", "within"]).is_empty();
    let when = when(reader, builder);
    let instance = instance(reader, when, builder);
    if builder.diags.error_count() > before {
        return None;
    }
    let during = match when? {
        When::During(from, to) | When::Within(from, to) if timed => Some((from, to)),
        _ => None,
    };
    Some(Subject::Event { kind: kind?, server, app, instance, bounds, during })
}

/// The kind of event of this name, if there is one.
fn kind(name: &Read<String>, builder: &mut Builder) -> Option<EventKind> {
    let kind = EventKind::ALL.iter().find(|(known, _)| *known == name.value);
    if kind.is_none() {
        let known: Vec<&str> = EventKind::ALL.iter().map(|(name, _)| *name).collect();
        builder.diags.unknown_word(&name.place, "event", &name.value, &known);
    }
    kind.map(|(_, kind)| *kind)
}

/// `happens`, `never`, or bounds on how often.
fn count_bounds(reader: &mut Reader<'_>, builder: &mut Builder) -> Bounds {
    let bounds = number_bounds(reader, false, builder);
    let happens = reader.flag("happens", &mut builder.diags);
    let never = reader.flag("never", &mut builder.diags);
    let mut found = reader.present(&["happens", "never"]);
    found.extend(reader.present(&BOUNDS).first());
    if found.len() != 1 {
        let wanted = "`happens`, `never`, or a bound on the count";
        builder.diags.not_exactly_one(&reader.place.clone(), &found, wanted);
    }
    match (happens, never) {
        (Some(true), _) | (_, Some(false)) => Bounds { at_least: Some(1.0), ..Bounds::default() },
        (Some(false), _) | (_, Some(true)) => Bounds { at_most: Some(0.0), ..Bounds::default() },
        (None, None) => bounds,
    }
}

fn servers(reader: &mut Reader<'_>, builder: &mut Builder) -> Servers {
    let Some(text) = reader.text("server", &mut builder.diags) else {
        return Servers::Each;
    };
    // A server may be called like an aggregate; the format's words win.
    match text.value.as_str() {
        "*" => Servers::Each,
        "sum" => Servers::Sum,
        "max" => Servers::Max,
        "min" => Servers::Min,
        name => builder.server(name, &text.place).map_or(Servers::Each, Servers::One),
    }
}

/// The client whose view is meant.
fn view(reader: &mut Reader<'_>, when: Option<When>, builder: &mut Builder) -> Option<HostId> {
    let text = reader.text("view", &mut builder.diags)?;
    let host = select::instance(&text.value, &text.place, begin(when), builder)?.host;
    if host.index() < builder.servers.len() {
        let message = format!("`{}` is a server: views are those of clients", text.value);
        builder.diags.misplaced(&text.place, message, "name a client, as in `ORDERS/3`");
        return None;
    }
    Some(host)
}

fn app(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<AppId> {
    let text = reader.text("app", &mut builder.diags)?;
    select::app(&text.value, &text.place, builder)
}

/// An index means the instance that has it when the time of the expectation begins.
fn instance(
    reader: &mut Reader<'_>,
    when: Option<When>,
    builder: &mut Builder,
) -> Option<InstanceKey> {
    let text = reader.text("instance", &mut builder.diags)?;
    select::instance(&text.value, &text.place, begin(when), builder).map(|named| named.key)
}

/// When the time of an expectation begins, which is after all that happens in that instant.
const fn begin(when: Option<When>) -> Moment {
    match when {
        Some(When::During(from, _) | When::Within(from, _)) => Moment::after(from),
        Some(When::Always) | None => Moment::START,
    }
}

/// The bounds of a metric: numbers (or shares), true or false, or a status.
fn bounds(
    reader: &mut Reader<'_>,
    metric: Option<Metric>,
    share: bool,
    builder: &mut Builder,
) -> Option<Bounds> {
    let place = reader.place.clone();
    let given = reader.present(&BOUNDS);
    if given.is_empty() {
        let wanted = "`equals`, `at-least`, `at-most`, `above`, `below`";
        reader.knows(&BOUNDS);
        builder.diags.not_exactly_one(&place, &[], wanted);
        return None;
    }
    let equals = match metric {
        Some(Metric::Status) => status(reader, builder),
        Some(metric) if metric.is_flag() => {
            let flag = reader.flag("equals", &mut builder.diags);
            flag.map(|flag| Wanted::Number(f64::from(u8::from(flag))))
        }
        _ => {
            return Some(number_bounds(reader, share, builder));
        }
    };
    reader.knows(&BOUNDS);
    for key in given.into_iter().filter(|key| *key != "equals") {
        let name = metric.map(Metric::name).unwrap_or_default();
        let message = format!("`{name}` has no order: there is no `{key}`");
        builder.diags.misplaced(&reader.key_place(key), message, "write `equals`");
    }
    equals.map(|equals| Bounds { equals: Some(equals), ..Bounds::default() })
}

fn status(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Wanted> {
    let text = reader.text("equals", &mut builder.diags)?;
    if text.value == "ABSENT" {
        return Some(Wanted::Status(None));
    }
    let status = InstanceStatus::value_of(&text.value);
    if status.is_none() {
        let mut known = InstanceStatus::ALL.map(InstanceStatus::name).to_vec();
        known.push("ABSENT");
        builder.diags.unknown_word(&text.place, "status", &text.value, &known);
    }
    status.map(|status| Wanted::Status(Some(status)))
}

/// Bounds on a number; a share may be written as percentage.
fn number_bounds(reader: &mut Reader<'_>, is_share: bool, builder: &mut Builder) -> Bounds {
    let mut number = |key: &'static str| {
        if is_share {
            let ppb = share(reader.node(key)?, &mut builder.diags)?;
            return Some(f64::from(ppb) / 1e9);
        }
        reader.number(key, &mut builder.diags).map(|number| number.value)
    };
    let bounds = Bounds {
        equals: number("equals").map(Wanted::Number),
        at_least: number("at-least"),
        at_most: number("at-most"),
        above: number("above"),
        below: number("below"),
    };
    if !bounds.can_hold() {
        let message = "no number is within all of these bounds".to_owned();
        builder.diags.misplaced(&reader.place, message, "widen one of them");
    }
    bounds
}

/// `at`, `at` + `within`, `during`, or none: always.
fn when(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<When> {
    let end = builder.duration;
    let diags = &mut builder.diags;
    let place = reader.place.clone();
    let before = diags.error_count();
    let during = reader.node("during").and_then(|node| {
        let (from, to) = window(node, diags)?;
        if to > end {
            diags.beyond_duration(&node.place, "the window", end);
        }
        Some((from, to))
    });
    let at = reader.node("at").and_then(|node| match &node.value {
        Value::Text(word) if word == "end" => Some(end),
        _ => {
            let at = super::reader::duration(node, diags)?;
            if at > end {
                diags.beyond_duration(&node.place, "`at`", end);
            }
            Some(at)
        }
    });
    let within = reader.duration("within", diags);
    let given = reader.present(&["during", "at"]);
    if given.len() == 2 {
        diags.not_exactly_one(&place, &given, "`during`, `at`");
    }
    if let Some(within) = &within
        && given != ["at"]
    {
        let message = "`within` counts from `at`".to_owned();
        diags.misplaced(&within.place, message, "add `at`, or write `during`");
    }
    if let (Some(at), Some(within)) = (at, &within)
        && at <= end
        && at + within.value > end
    {
        diags.beyond_duration(&within.place, "`at` + `within`", end);
    }
    if diags.error_count() > before {
        return None;
    }
    let instant = |span: Span| Instant::ZERO + span;
    Some(match (during, at, within) {
        (Some((from, to)), ..) => When::During(instant(from), instant(to)),
        (_, Some(at), Some(within)) => When::Within(instant(at), instant(at + within.value)),
        (_, Some(at), None) => When::During(instant(at), instant(at)),
        (None, None, _) => When::Always,
    })
}

/// What is shown for an expectation without a label: nearly its words.
fn sentence(subject: &Subject, builder: &Builder) -> String {
    let server = |host: &HostId| builder.servers[host.index()].name.clone();
    let (mut text, bounds, when) = match subject {
        Subject::Metric { metric, servers, app, instance, view, bounds, when } => {
            let mut text = metric.name().to_owned();
            let scope = match (view, servers) {
                (Some(view), _) => {
                    let client = view.index() - builder.servers.len();
                    format!("view {}", builder.names.full(builder.clients[client].key))
                }
                (None, Servers::Each) if metric.is_global() => String::new(),
                (None, Servers::Each) => "*".to_owned(),
                (None, Servers::One(host)) => server(host),
                (None, Servers::Sum) => "sum".to_owned(),
                (None, Servers::Max) => "max".to_owned(),
                (None, Servers::Min) => "min".to_owned(),
            };
            let of = app.map(|app| builder.names.app_name(app).to_owned());
            let of = of.or_else(|| instance.map(|key| builder.names.full(key)));
            let scope: Vec<String> =
                [scope].into_iter().chain(of).filter(|s| !s.is_empty()).collect();
            if !scope.is_empty() {
                text += &format!("[{}]", scope.join(", "));
            }
            let when = match when {
                When::Always => String::new(),
                When::During(from, to) if from == to => format!(" at {from}"),
                When::During(from, to) => format!(" during {from}..{to}"),
                When::Within(from, to) => format!(" at some time in {from}..{to}"),
            };
            (text, bounds, when)
        }
        Subject::Event { kind, server: at, app, instance, bounds, during } => {
            let mut text = kind.name().to_owned();
            let of = app.map(|app| builder.names.app_name(app).to_owned());
            let of = of.or_else(|| instance.map(|key| builder.names.full(key)));
            let scope: Vec<String> = at.as_ref().map(server).into_iter().chain(of).collect();
            if !scope.is_empty() {
                text += &format!("[{}]", scope.join(", "));
            }
            let when = during.map(|(from, to)| format!(" during {from}..{to}")).unwrap_or_default();
            if *bounds == (Bounds { at_least: Some(1.0), ..Bounds::default() }) {
                return format!("{text} happens{when}");
            }
            if *bounds == (Bounds { at_most: Some(0.0), ..Bounds::default() }) {
                return format!("{text} never{when}");
            }
            (text, bounds, when)
        }
    };
    let flag = matches!(subject, Subject::Metric { metric, .. } if metric.is_flag());
    text += &bounds_text(bounds, flag);
    text + &when
}

fn bounds_text(bounds: &Bounds, flag: bool) -> String {
    let mut text = String::new();
    match bounds.equals {
        Some(Wanted::Number(number)) if flag => text += &format!(" is {}", number != 0.0),
        Some(Wanted::Number(number)) => text += &format!(" = {number}"),
        Some(Wanted::Status(Some(status))) => text += &format!(" = {status}"),
        Some(Wanted::Status(None)) => text += " = ABSENT",
        None => {}
    }
    for (sign, bound) in
        [(">=", bounds.at_least), ("<=", bounds.at_most), (">", bounds.above), ("<", bounds.below)]
    {
        if let Some(bound) = bound {
            text += &format!(" {sign} {bound}");
        }
    }
    text
}
