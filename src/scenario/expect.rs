//! `[[expect]]`: what must be true of the run.

use super::build::Builder;
use super::metric::{EventKind, Metric};
use super::plan::{Bounds, Expectation, Servers, Subject, Wanted, When};
use super::reader::{Reader, window};
use super::select;
use super::tree::{Node, Value};
use super::units;
use crate::eureka::InstanceStatus;
use crate::sim::HostId;
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

fn expectation(node: &Node, builder: &mut Builder) -> Option<Expectation> {
    let mut reader = Reader::of(node, "[[expect]]", &mut builder.diags)?;
    let label = reader.text("label", &mut builder.diags).map(|label| label.value);
    let found = reader.present(&["metric", "event"]);
    let subject = match found.as_slice() {
        ["metric"] => metric(&mut reader, builder),
        ["event"] => event(&mut reader, builder),
        _ => {
            let place = reader.place.clone();
            builder.diags.not_exactly_one(&place, &found, "`metric`, `event`");
            return None;
        }
    };
    reader.finish(&mut builder.diags);
    let subject = subject?;
    let text = label.unwrap_or_else(|| sentence(&subject, builder));
    Some(Expectation { text, subject })
}

fn metric(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Subject> {
    let name = reader.text("metric", &mut builder.diags)?;
    let metric = Metric::ALL.iter().find(|(known, _)| *known == name.value).map(|(_, m)| *m);
    if metric.is_none() {
        if Metric::LATER.contains(&name.value.as_str()) {
            builder.diags.not_yet(&name.place, &format!("the metric `{}`", name.value));
        } else {
            let known: Vec<&str> = Metric::ALL.iter().map(|(name, _)| *name).collect();
            builder.diags.unknown_name(&name.place, "metric", &name.value, &known);
        }
    }
    let servers = servers(reader, builder);
    let app = app(reader, builder);
    let instance = instance(reader, builder);
    let view = match reader.text("view", &mut builder.diags) {
        Some(text) => Some(select::instance(&text.value, &text.place, builder)?.0),
        None => None,
    };
    let bounds = bounds(reader, metric, builder);
    let when = when(reader, builder);
    let metric = metric?;
    let place = reader.place.clone();
    let diags = &mut builder.diags;
    match (metric == Metric::Status, instance.is_some()) {
        (true, false) => {
            diags.missing(&place, "instance", "`metric = \"status\"`", "instance = \"ORDERS/3\"");
            return None;
        }
        (false, true) => {
            let message = format!("`{}` is not of one instance", metric.name());
            diags.misplaced(&reader.key_place("instance"), message, "remove `instance`");
        }
        _ => {}
    }
    if app.is_some() && !metric.by_app() {
        let message = format!("`{}` cannot be asked for one application", metric.name());
        diags.misplaced(&reader.key_place("app"), message, "remove `app`");
    }
    if view.is_some() && !matches!(metric, Metric::RegistrySize | Metric::Status) {
        let message = format!("a client's view has no `{}`", metric.name());
        diags.misplaced(&reader.key_place("view"), message, "views have registry-size and status");
    }
    Some(Subject::Metric { metric, servers, app, instance, view, bounds: bounds?, when: when? })
}

fn event(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<Subject> {
    let name = reader.text("event", &mut builder.diags)?;
    let kind = EventKind::ALL.iter().find(|(known, _)| *known == name.value).map(|(_, k)| *k);
    if kind.is_none() {
        if name.value == "stuck" {
            builder.diags.not_yet(&name.place, "the event `stuck`");
        } else {
            let known: Vec<&str> = EventKind::ALL.iter().map(|(name, _)| *name).collect();
            builder.diags.unknown_name(&name.place, "event", &name.value, &known);
        }
    }
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
    let instance = instance(reader, builder);
    let mut bounds = number_bounds(reader, builder);
    let happens = reader.flag("happens", &mut builder.diags);
    let never = reader.flag("never", &mut builder.diags);
    if happens == Some(true) || never == Some(false) {
        bounds.at_least = Some(1.0);
    }
    if never == Some(true) || happens == Some(false) {
        bounds.at_most = Some(0.0);
    }
    if bounds == Bounds::default() {
        let place = reader.place.clone();
        let wanted = "`happens`, `never`, `equals`, `at-least`, `at-most`, `above`, `below`";
        builder.diags.not_exactly_one(&place, &[], wanted);
    }
    let timed = !reader.present(&["during", "at", "within"]).is_empty();
    let during = match when(reader, builder) {
        Some(When::During(from, to) | When::Within(from, to)) if timed => Some((from, to)),
        Some(_) => None,
        None => return None,
    };
    Some(Subject::Event { kind: kind?, server, app, instance, bounds, during })
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

fn app(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<crate::eureka::AppId> {
    let text = reader.text("app", &mut builder.diags)?;
    select::app(&text.value, &text.place, builder)
}

fn instance(reader: &mut Reader<'_>, builder: &mut Builder) -> Option<crate::eureka::InstanceKey> {
    let text = reader.text("instance", &mut builder.diags)?;
    select::instance(&text.value, &text.place, builder).map(|(_, key)| key)
}

/// The bounds of a metric: numbers, true or false, or a status.
fn bounds(
    reader: &mut Reader<'_>,
    metric: Option<Metric>,
    builder: &mut Builder,
) -> Option<Bounds> {
    let place = reader.place.clone();
    let bounds = match metric {
        Some(Metric::Status) => Bounds { equals: status(reader, builder), ..Bounds::default() },
        Some(metric) if metric.is_flag() => {
            let flag = reader.flag("equals", &mut builder.diags);
            let equals = flag.map(|flag| Wanted::Number(f64::from(u8::from(flag))));
            Bounds { equals, ..Bounds::default() }
        }
        _ => number_bounds(reader, builder),
    };
    let keys = ["equals", "at-least", "at-most", "above", "below"];
    if bounds == Bounds::default() {
        if reader.present(&keys).is_empty() {
            let wanted = "`equals`, `at-least`, `at-most`, `above`, `below`";
            builder.diags.not_exactly_one(&place, &[], wanted);
        }
        return None;
    }
    Some(bounds)
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
        builder.diags.unknown_name(&text.place, "status", &text.value, &known);
    }
    status.map(|status| Wanted::Status(Some(status)))
}

fn number_bounds(reader: &mut Reader<'_>, builder: &mut Builder) -> Bounds {
    let mut number = |key: &'static str| {
        if let Some(Node { value: Value::Text(text), .. }) = reader.node(key)
            && let Some(ppb) = units::percentage(text)
        {
            return Some(f64::from(ppb) / 1e9);
        }
        reader.number(key, &mut builder.diags).map(|number| number.value)
    };
    Bounds {
        equals: number("equals").map(Wanted::Number),
        at_least: number("at-least"),
        at_most: number("at-most"),
        above: number("above"),
        below: number("below"),
    }
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
    if diags.error_count() > before {
        return None;
    }
    let instant = |span: Span| Instant::ZERO + span;
    Some(match (during, at, within) {
        (Some((from, to)), ..) => When::During(instant(from), instant(to)),
        (_, Some(at), Some(within)) => {
            When::Within(instant(at), instant((at + within.value).min(end)))
        }
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
