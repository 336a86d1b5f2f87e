//! `explain`: the story of an instance says what the run did, the verdict why, and cures are runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use eureka_sim::observe::{EventLevel, Place, Story, StoryEvent, What};
use eureka_sim::report::{explain_json, explain_text};
use eureka_sim::scenario::Plan;
use eureka_sim::sim::HostId;
use eureka_sim::study::explain::{Explanation, Fork, Question, explain};
use eureka_sim::study::{self, Interrupted};
use eureka_sim::time::Instant;
use serde_json::{Value, json};

use crate::support::{entries, events_of, plan, plan_of};

/// The scenario of a mechanism.
pub(crate) fn path(number: u32) -> PathBuf {
    let prefix = format!("m{number:02}-");
    let is = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    };
    let found = entries("scenarios/stuck").into_iter().find(is);
    found.unwrap_or_else(|| panic!("M{number} has no scenario"))
}

fn asked(plan: &Plan, instance: &str, at: Option<&str>) -> Explanation {
    let question = Question::new(plan, instance, at, None);
    let question = question.unwrap_or_else(|why| panic!("{instance} {at:?}: {why}"));
    explain(plan, question, 0, || ()).expect("nobody interrupts")
}

fn told(plan: &Plan, instance: &str, at: Option<&str>) -> Value {
    explain_json(&asked(plan, instance, at), None, plan)
}

/// What is asked about each mechanism's scenario, and what is to come out.
struct Case {
    number: u32,
    instance: &'static str,
    at: &'static str,
    class: &'static str,
    mechanism: &'static str,
    works: &'static str,
    fails: &'static str,
}

/// `ends with` in `scenarios/stuck/README.md` changes what has been; these are what somebody on call can do.
const CASES: [Case; 20] = [
    case(
        1,
        "ORDERS/0",
        "30m",
        ("stuck-down", "M1"),
        "down-then-up override-up restart",
        "wait change re-register",
    ),
    case(
        2,
        "ORDERS/0",
        "30m",
        ("stuck-down", "M2"),
        "delete-lease start no-self-preservation",
        "wait",
    ),
    case(
        3,
        "ORDERS/0",
        "30m",
        ("stuck-down", "M3"),
        "override-up restart",
        "wait change down-then-up re-register",
    ),
    case(
        4,
        "KILLED/0",
        "30m",
        ("stuck-down", "M4"),
        "delete-lease start no-self-preservation",
        "wait",
    ),
    case(
        5,
        "ORDERS/0",
        "10m",
        ("stuck-down", "M5"),
        "re-register override-up restart",
        "wait change down-then-up",
    ),
    case(
        6,
        "ORDERS/0",
        "19m",
        ("stuck-out-of-service", "M6"),
        "down-then-up re-register override-up restart",
        "wait change",
    ),
    case(
        7,
        "REPLACED/0",
        "20m",
        ("stuck-out-of-service", "M7"),
        "re-register delete-override override-up restart",
        "wait change down-then-up",
    ),
    case(
        7,
        "RETURNED/0",
        "24m",
        ("stuck-out-of-service", "M7"),
        "re-register delete-override override-up restart",
        "wait change down-then-up",
    ),
    case(
        7,
        "MISTYPED/0",
        "24m",
        ("stuck-unknown", "M7"),
        "re-register delete-override override-up restart",
        "wait change down-then-up",
    ),
    case(
        8,
        "ORDERS/0",
        "10m",
        ("stuck-starting", "M8"),
        "change down-then-up re-register override-up restart",
        "wait",
    ),
    case(
        9,
        "ORDERS/0",
        "10m",
        ("stuck-down", "M9"),
        "re-register override-up restart",
        "wait change down-then-up",
    ),
    case(
        11,
        "ORDERS/0",
        "19m",
        ("stuck-down", "M11"),
        "wait change down-then-up re-register override-up restart",
        "",
    ),
    case(
        12,
        "ORDERS/0",
        "5m1s",
        ("stuck-down", "M12"),
        "wait change down-then-up re-register override-up restart",
        "",
    ),
    case(
        13,
        "CARTS/0",
        "19m",
        ("stuck-starting", "M13"),
        "down-then-up override-up",
        "wait change re-register restart",
    ),
    case(
        14,
        "PAYMENTS/1",
        "30m",
        ("up-but-dead", "M14"),
        "delete-lease start no-self-preservation",
        "wait",
    ),
    case(
        15,
        "ORDERS/0",
        "29m",
        ("alive-but-missing", "M15"),
        "start-servers",
        "wait change down-then-up restart",
    ),
    case(
        16,
        "ORDERS/0",
        "19m",
        ("stuck-down", "M16"),
        "change down-then-up re-register override-up restart",
        "wait",
    ),
    case(
        16,
        "ORDERS/orders-0000",
        "6m",
        ("stuck-down", "M16"),
        "change down-then-up re-register override-up restart",
        "wait",
    ),
    case(
        17,
        "ORDERS/0",
        "30m",
        ("stuck-down", "M17"),
        "down-then-up override-up",
        "wait change re-register restart",
    ),
    case(
        18,
        "ORDERS/0",
        "29m",
        ("alive-but-missing", "M18"),
        "wait change down-then-up re-register override-up restart",
        "",
    ),
];

const fn case(
    number: u32,
    instance: &'static str,
    at: &'static str,
    (class, mechanism): (&'static str, &'static str),
    works: &'static str,
    fails: &'static str,
) -> Case {
    Case { number, instance, at, class, mechanism, works, fails }
}

/// Every case with its plan and its explanation; each explained once for all tests.
fn explained() -> &'static [(Plan, Explanation)] {
    static EXPLAINED: OnceLock<Vec<(Plan, Explanation)>> = OnceLock::new();
    EXPLAINED.get_or_init(|| {
        let of = |case: &Case| {
            let plan = plan(&path(case.number));
            let explained = asked(&plan, case.instance, Some(case.at));
            (plan, explained)
        };
        CASES.iter().map(of).collect()
    })
}

fn cases() -> impl Iterator<Item = (&'static Case, &'static Plan, &'static Explanation)> {
    CASES.iter().zip(explained()).map(|(case, (plan, explained))| (case, plan, explained))
}

#[test]
fn each_mechanism_is_named_and_each_cure_is_judged() {
    for (case, plan, explained) in cases() {
        let json = explain_json(explained, None, plan);
        let what = format!("M{} {} at {}", case.number, case.instance, case.at);
        assert_eq!(json["verdict"]["class"], case.class, "{what}");
        assert_eq!(json["verdict"]["mechanism"], case.mechanism, "{what}");
        let text = json["verdict"]["text"].as_str().expect("a verdict is a text");
        assert!(text.contains(&format!("Why: {},", case.mechanism)), "{what}: {text}");
        let cures = json["cures"].as_array().expect("cures are a list");
        let named = |works: bool| -> String {
            let these = cures.iter().filter(|cure| cure["works"] == works);
            let names: Vec<&str> = these.filter_map(|cure| cure["cure"].as_str()).collect();
            names.join(" ")
        };
        assert_eq!(named(true), case.works, "{what}");
        assert_eq!(named(false), case.fails, "{what}");
        let at = json["at_ms"].as_f64().expect("a time");
        for cure in cures {
            let then = cure["at_ms"].as_f64();
            assert_eq!(then.is_some(), cure["works"] == true, "{what}: {cure}");
            assert!(then.is_none_or(|then| then >= at), "{what}: {cure}");
        }
    }
}

/// A fork is the run itself up to and including its instant, whatever is done then, and whatever the script
/// would have done later.
#[test]
fn forks_are_the_run_itself_up_to_their_instant() {
    for (case, plan, explained) in cases() {
        for tried in &explained.cures {
            let fork = Fork::new(plan, explained.at, tried.cure.entries());
            assert_eq!(
                fork.digest(),
                explained.digest,
                "M{} {} at {}: {}",
                case.number,
                case.instance,
                case.at,
                tried.cure.name()
            );
        }
    }
}

/// So are those of a fleet with consumers, `scale`, `deploy` and random picks before and after the instant.
#[test]
fn forks_of_a_fleet_in_motion_are_too() {
    let plan = plan_of(
        "schema = 1\nname = 's'\nduration = '30m'\nseed = 7\n[cluster]\nservers = 2\n\
         [network]\nlatency = '1ms..9ms'\nloss = '1%'\n\
         [[apps]]\nname = 'ORDERS'\ninstances = 20\nstart = { first = '70s', spread = '30s' }\n\
         [[apps]]\nname = 'WEB'\ninstances = 3\nstart = '80s'\n\
         calls = { app = 'ORDERS', per-second = 2.0 }\n\
         [[timeline]]\nat = '4m'\nkill = { select = 'app:ORDERS', count = 4 }\n\
         [[timeline]]\nat = '5m'\ndeploy = { app = 'ORDERS', batch = 5, every = '1m' }\n\
         [[timeline]]\nat = '15m'\nscale = { app = 'ORDERS', to = 30 }\n\
         [[timeline]]\nat = '16m'\nkill = { select = 'app:ORDERS', share = '20%' }\n",
    );
    let question = Question::new(&plan, "ORDERS/0", Some("6m30s"), None).expect("it is one");
    let base = explain(&plan, question, 0, || ()).expect("nobody interrupts");
    let whole = study::digest::<eureka_sim::sim::queue::TimingWheel<_>>(&plan);
    assert_ne!(base.digest, whole.0, "the run goes on after that");
    for host in [2, 5, 23] {
        let host = HostId::new(host);
        for cure in [
            eureka_sim::study::explain::Cure::Wait,
            eureka_sim::study::explain::Cure::Change(host),
            eureka_sim::study::explain::Cure::Restart(host),
        ] {
            let fork = Fork::new(&plan, base.at, cure.entries());
            assert_eq!(fork.digest(), base.digest, "{cure:?}");
        }
    }
}

/// What the script does after the instant is nobody's cure: in M16 a change at 20 minutes. What has begun goes
/// on: in M11 the gateway is mended at 20 minutes.
#[test]
fn a_fork_knows_nothing_of_what_the_script_would_have_done() {
    let m16 = plan(&path(16));
    assert_eq!(
        told(&m16, "ORDERS/0", Some("19m"))["cures"][0],
        json!({"cure": "wait", "works": false, "at_ms": null})
    );
    assert_eq!(
        told(&m16, "ORDERS/0", None)["verdict"]["class"],
        Value::Null,
        "the file's own change ends it"
    );
    let m11 = plan(&path(11));
    let wait = &told(&m11, "ORDERS/0", Some("19m"))["cures"][0];
    assert_eq!(wait["works"], true);
    assert!(
        wait["at_ms"].as_f64().is_some_and(|at| (1_200_000.0..1_230_000.0).contains(&at)),
        "{wait}"
    );
}

fn number(event: &StoryEvent, counts: impl Fn(&What) -> bool) -> u64 {
    if counts(&event.what) { event.count } else { 0 }
}

/// Registrations, heartbeats, cancellations and overrides in a story, by server and kind.
fn in_story(plan: &Plan, explained: &Explanation) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for event in &explained.events {
        let Place::Server(server) = event.place else { continue };
        let kind = match &event.what {
            What::Registered { status, .. } => format!("register {status}"),
            What::Heartbeat { code, .. } => format!("heartbeat {code}"),
            What::Deleted { .. } => "cancel".to_owned(),
            What::Evict(of) if of.rank.is_some() => "cancel".to_owned(),
            What::Override(..) => "override".to_owned(),
            _ => continue,
        };
        let name = &plan.setup.servers[server.index()].name;
        *counts.entry(format!("{name} {kind}")).or_default() += event.count;
    }
    counts
}

/// The same in the events of the run.
fn in_events(plan: &Plan, explained: &Explanation) -> BTreeMap<String, u64> {
    let id = plan.setup.names.full(explained.key);
    let until = explained.at.nanos() as f64 / 1e6;
    let mut counts = BTreeMap::new();
    for event in events_of(plan, EventLevel::All) {
        let is_of = event["id"] == id.as_str();
        let beats = event["method"] == "PUT" && event["path"] == format!("apps/{id}").as_str();
        let kind = match event["event"].as_str() {
            Some("register") if is_of => {
                format!("register {}", event["status"].as_str().expect("a status"))
            }
            Some("request") if beats => format!("heartbeat {}", event["code"]),
            Some("cancel" | "expired-lease") if is_of => "cancel".to_owned(),
            Some("override") if is_of => "override".to_owned(),
            _ => continue,
        };
        if event["t_ms"].as_f64().expect("a time") <= until {
            let server = event["server"].as_str().expect("a server");
            *counts.entry(format!("{server} {kind}")).or_default() += 1;
        }
    }
    counts
}

#[test]
fn a_story_has_all_that_the_events_of_the_run_have() {
    for (case, plan, explained) in cases() {
        let story = in_story(plan, explained);
        assert!(!story.is_empty());
        assert_eq!(story, in_events(plan, explained), "M{} {}", case.number, case.instance);
        let own = explained
            .events
            .iter()
            .map(|event| number(event, |what| matches!(what, What::OwnStatus { .. })));
        assert!(own.sum::<u64>() > 0, "M{}: it has said something", case.number);
        assert!(explained.events.is_sorted_by_key(|event| event.at), "M{}", case.number);
    }
}

fn texts(json: &Value, place: &str) -> Vec<String> {
    let events = json["events"].as_array().expect("events are a list");
    let here = events.iter().filter(|event| event["place"] == place);
    here.map(|event| event["text"].as_str().expect("a text").to_owned()).collect()
}

/// Both numbers of each comparison, and the rule that decided.
#[test]
fn rules_and_numbers_are_those_that_were_compared() {
    let m6 = told(&plan(&path(6)), "ORDERS/0", Some("19m"));
    let latch = m6["events"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|event| event["rule"] == "LeaseExistsRule");
    let latch = latch.expect("the rule has decided");
    assert_eq!(latch["brought"], json!({"status": "UP", "dirty": 130_008}));
    assert_eq!(latch["stored"], json!({"status": "OUT_OF_SERVICE", "dirty": 70_004}));
    assert_eq!((&latch["status"], &latch["kept"]), (&json!("OUT_OF_SERVICE"), &json!("brought")));
    let beats = texts(&m6, "eureka-0").pop().expect("there are some");
    assert_eq!(
        beats,
        "34 heartbeats answered 200, until 18m40.142s (client's timestamp 130008 = registry's 130008); \
         lease until 21m40.142s, 2 × 90s later"
    );

    let m5 = told(&plan(&path(5)), "ORDERS/0", Some("10m"));
    let m5 = texts(&m5, "eureka-0");
    assert!(
        m5[m5.len() - 2].contains(
            "as UP, timestamp 320004; stored was DOWN, timestamp 900000, newer: kept instead"
        ),
        "{m5:#?}"
    );
    assert!(
        m5[m5.len() - 1].contains(
            "answered 200, until 9m50.038s (client's timestamp 320004 < registry's 900000"
        ),
        "{m5:#?}"
    );

    let m9 = told(&plan(&path(9)), "ORDERS/0", Some("10m"));
    let conflict =
        m9["events"].as_array().expect("a list").iter().find(|event| event["code"] == 409);
    let conflict = conflict.expect("a peer has answered 409");
    assert_eq!((&conflict["place"], &conflict["from"]), (&json!("eureka-1"), &json!("eureka-0")));
    assert_eq!(
        (&conflict["dirty"], &conflict["stored_dirty"]),
        (&json!(380_004), &json!(3_900_000))
    );
    let adopted =
        m9["events"].as_array().expect("a list").iter().any(|event| event["what"] == "adopted");
    let given_up = texts(&m9, "eureka-0")
        .iter()
        .any(|text| text.contains("eureka-1 is never told: Cancel is given up, too old"));
    assert!(adopted && given_up);

    let m12 = told(&plan(&path(12)), "ORDERS/0", Some("5m1s"));
    let own = texts(&m12, "itself");
    assert_eq!(own[own.len() - 3..][0], "its application is told to be UP");
    assert!(
        own[own.len() - 1]
            .ends_with("waits for the next periodic run or heartbeat; rate limiter 0/2"),
        "{own:#?}"
    );

    let m7 = told(&plan(&path(7)), "MISTYPED/0", Some("20m"));
    let overridden = m7["events"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|event| event["rule"] == "OverrideExistsRule");
    let times: u64 = overridden.map(|event| event["count"].as_u64().unwrap_or(1)).sum();
    assert!(times > 30, "each of its registrations: {times}");
    assert!(
        m7["events"].as_array().is_some_and(|events| events.len() < 40),
        "and all of them are folded"
    );
}

/// Seven of twenty die at once, and three may be evicted in a run: each learns its place in the draw.
#[test]
fn the_eviction_lottery_tells_each_its_rank() {
    let plan = plan_of(
        "schema = 1\nname = 's'\nduration = '20m'\n[cluster]\n[[servers]]\nname = 'e'\nregister-with-eureka = false\n\
         [eureka.server]\nenable-self-preservation = false\n[network]\nlatency = '2ms'\n\
         [[apps]]\nname = 'A'\ninstances = 20\nstart = '70s'\n\
         [[timeline]]\nat = '5m'\nkill = { select = 'app:A', count = 7, pick = 'first' }",
    );
    let mut ranks: Vec<String> = Vec::new();
    for index in 0..7 {
        let story = told(&plan, &format!("A/{index}"), Some("9m"));
        let texts = texts(&story, "e");
        let drawn = texts.iter().filter(|text| text.contains("its lease expired at"));
        ranks.extend(drawn.map(|text| {
            text.split(": ").nth(1).or(text.split(", ").nth(1)).expect("it says").to_owned()
        }));
    }
    ranks.sort();
    let first: Vec<&String> =
        ranks.iter().filter(|rank| rank.ends_with("out of 7 expired")).collect();
    assert_eq!(
        first,
        [
            "evicted, drawn as 1st of limit 3 out of 7 expired",
            "evicted, drawn as 2nd of limit 3 out of 7 expired",
            "evicted, drawn as 3rd of limit 3 out of 7 expired"
        ]
    );
    assert!(ranks.iter().any(|rank| rank.contains("3 of 7 expired may be evicted")), "{ranks:#?}");
    let protected = told(&plan_of_protected(), "A/0", Some("12m"));
    let kept = texts(&protected, "e")
        .into_iter()
        .find(|text| text.contains("not evicted"))
        .expect("it is kept");
    assert!(kept.contains("self-preservation, renews 26 ≤ threshold 35"), "{kept}");
    assert_eq!(protected["servers"], json!([{"name": "e", "status": "UP", "since_ms": 70_006}]));
}

fn plan_of_protected() -> Plan {
    plan_of(
        "schema = 1\nname = 's'\nduration = '20m'\n[cluster]\n[[servers]]\nname = 'e'\nregister-with-eureka = false\n\
         [network]\nlatency = '2ms'\n[[apps]]\nname = 'A'\ninstances = 20\nstart = '70s'\n\
         [[timeline]]\nat = '5m'\nkill = { select = 'app:A', count = 7, pick = 'first' }",
    )
}

/// An index means who has it then; an id means one instance, whoever has its index.
#[test]
fn an_index_is_the_instance_that_has_it_at_the_time() {
    let plan = plan_of(
        "schema = 1\nname = 's'\nduration = '10m'\n[cluster]\n[network]\nlatency = '2ms'\n\
         [[apps]]\nname = 'A'\ninstances = 1\nstart = '70s'\ninstance-id = 'a-{n}'\n\
         [[timeline]]\nat = '5m'\ndeploy = { app = 'A' }",
    );
    let id = |text: &str, at: &str| told(&plan, text, Some(at))["instance"].clone();
    assert_eq!(id("A/0", "4m"), "A/a-0");
    let later = id("A/0", "6m");
    assert_eq!(later, "A/a-1");
    assert_eq!(id("a/a-0", "6m"), "A/a-0", "names of applications in any case");
    let gone = told(&plan, "A/a-0", Some("9m"));
    assert_eq!(gone["own"], Value::Null);
    assert_eq!(gone["cures"].as_array().map(Vec::len), Some(0), "it went as it should: {gone}");
    let m7 = self::plan(&path(7));
    let server = told(&m7, "EUREKA/eureka-1:eureka:8761", Some("9m"));
    assert_eq!(server["own"], "UP", "servers are instances too: {server}");
}

/// A story that is stopped in the middle is the beginning of the whole.
#[test]
fn nothing_is_told_of_what_comes_later() {
    let plan = plan(&path(1));
    let (early, late) = (told(&plan, "ORDERS/0", Some("4m")), told(&plan, "ORDERS/0", Some("5m")));
    let (early, late) = (early["events"].as_array(), late["events"].as_array());
    let (early, late) = (early.expect("a list"), late.expect("a list"));
    assert!(early.iter().all(|event| event["t_ms"].as_f64() <= Some(240_000.0)));
    assert!(late.len() > early.len());
    let kind = |event: &Value| (event["t_ms"].clone(), event["what"].clone());
    assert!(early.iter().zip(late).all(|(one, other)| kind(one) == kind(other)));
}

#[test]
fn an_interrupted_explanation_says_so() {
    struct Never;
    impl study::Pulse for Never {
        fn beat(&mut self, _now: Instant, _events: u64) -> bool {
            false
        }
    }
    let plan =
        plan_of("schema = 1\nname = 's'\nduration = '2h'\n[[apps]]\nname = 'A'\ninstances = 50\n");
    let question = Question::new(&plan, "A/0", None, None).expect("it is one");
    assert_eq!(explain(&plan, question, 0, || Never).err(), Some(Interrupted));
}

/// What a program reads: exactly these keys.
#[test]
fn the_json_has_the_keys_it_promises() {
    let (_, plan, explained) = cases().next().expect("there are cases");
    let json = explain_json(explained, None, plan);
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(
        keys(&json),
        ["schema", "instance", "at_ms", "own", "servers", "events", "verdict", "cures"]
    );
    assert_eq!(json["schema"], 1);
    assert_eq!(keys(&json["servers"][0]), ["name", "status", "since_ms"]);
    assert_eq!(keys(&json["verdict"]), ["class", "mechanism", "text"]);
    assert_eq!(keys(&json["cures"][0]), ["cure", "works", "at_ms"]);
    for event in json["events"].as_array().expect("a list") {
        let first: Vec<String> = keys(event).into_iter().take(5).collect();
        assert_eq!(first, ["t_ms", "place", "what", "rule", "text"], "{event}");
    }
}

/// Lines are short enough for a terminal, and the text of the verdict is in both forms.
#[test]
fn the_text_is_in_columns_that_fit() {
    for (case, plan, explained) in cases() {
        let text = explain_text(explained, None, plan, "eureka-sim explain …");
        let plain = anstream::adapter::strip_str(&text).to_string();
        for line in plain.lines() {
            assert!(line.chars().count() <= 120, "M{}: {line}", case.number);
        }
        let words =
            |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
        let verdict = explain_json(explained, None, plan)["verdict"]["text"].clone();
        assert!(words(&plain).contains(verdict.as_str().expect("a text")), "M{}", case.number);
    }
}

#[test]
fn one_server_may_be_asked_alone() {
    let plan = plan(&path(9));
    let question =
        Question::new(&plan, "ORDERS/0", Some("10m"), Some("eureka-1")).expect("it is one");
    let explained = explain(&plan, question, 0, || ()).expect("nobody interrupts");
    let json = explain_json(&explained, question.server, &plan);
    let mut places: Vec<&str> = json["events"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|event| event["place"].as_str())
        .collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places, ["eureka-1", "itself"]);
    assert_eq!(
        json["servers"].as_array().map(Vec::len),
        Some(2),
        "the verdict is about all of them"
    );
}

/// A story needs no more than a plan and a key: others may watch with it.
#[test]
fn stories_are_told_to_library_users_too() {
    let plan = plan(&path(1));
    let key = Question::new(&plan, "ORDERS/0", None, None).expect("it is one").key;
    let (events, lanes) = Story::new(&plan, key).into_parts();
    assert!(events.is_empty(), "nothing has happened yet");
    assert_eq!(lanes.len(), 3, "itself, one server, one consumer");
}
