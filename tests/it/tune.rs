//! `tune`: the sweep against closed forms, what is common to its runs, and what is made of them.

use eureka_sim::observe::Costs;
use eureka_sim::report::{TuneReport, tune_csv};
use eureka_sim::study::tune::{Analysis, Param, Request, Row, Rows, Sweep, SweepError, Weights};

/// What is asked of this scenario: exhaustive, one seed, its own timeline or the standard faults.
fn request(text: &str, params: &[&str]) -> Request {
    let param = |text: &&str| Param::parse(text).expect("a parameter");
    Request {
        version: "test".to_owned(),
        files: vec![("fleet.toml".to_owned(), text.to_owned())],
        sets: Vec::new(),
        seed: None,
        seeds: 1,
        params: params.iter().map(param).collect(),
        faults: Vec::new(),
        exhaustive: true,
    }
}

fn run(request: Request) -> (Sweep, Rows) {
    let sweep = Sweep::new(request).unwrap_or_else(|error| panic!("{error}"));
    let mut rows = Rows::new();
    let result = sweep.run(None, &mut rows, 0, || true, |_, _| true);
    assert!(result.is_ok(), "nobody interrupts, and every setting can be run");
    (sweep, rows)
}

/// The rows of a setting, given by its values, and a fault.
fn rows_of<'a>(sweep: &Sweep, rows: &'a Rows, values: &[&str], fault: &str) -> Vec<&'a Row> {
    let is_it = |row: &&Row| {
        let cell = &sweep.cells[row.cell as usize];
        sweep.settings[cell.setting].values == values && sweep.faults[cell.fault].name == fault
    };
    let found: Vec<&Row> = rows.values().filter(is_it).collect();
    assert!(!found.is_empty(), "{values:?} under {fault} was run");
    found
}

fn costs_of(sweep: &Sweep, rows: &Rows, values: &[&str], fault: &str) -> Costs {
    rows_of(sweep, rows, values, fault)[0].costs
}

/// A server that registers nowhere, and a fleet of one application. It hears every heartbeat as it is sent, and
/// from its first 15-minute task on it expects as many clients as there are.
fn fleet(instances: usize) -> String {
    format!(
        r#"
schema = 1
name = "fleet"
duration = "30m"
[[servers]]
name = "eureka-0"
register-with-eureka = false
fetch-registry = true
[network]
latency = "2ms"
[[apps]]
name = "ORDERS"
instances = {instances}
instance-id = "orders-{{index}}-{{n}}"
start = {{ first = "70s", spread = "60s" }}
"#
    )
}

/// `scenarios.md`, appendix 1: the largest simultaneous kill that is still evicted, for servers with peers,
/// after the first 15-minute task. That many are gone at the end, and of one more all stay.
#[test]
fn the_largest_kill_that_is_evicted_is_that_of_the_closed_form() {
    for (instances, largest) in [
        (10, [("0.85", 1), ("0.70", 2), ("0.50", 4), ("0.49", 5)]),
        (20, [("0.85", 2), ("0.70", 5), ("0.50", 9), ("0.49", 10)]),
        (50, [("0.85", 7), ("0.70", 14), ("0.50", 24), ("0.49", 25)]),
        (100, [("0.85", 14), ("0.70", 29), ("0.50", 49), ("0.49", 50)]),
    ] {
        let text = fleet(instances)
            + "[[timeline]]\nname = \"die\"\nat = \"17m\"\nkill = { select = \"clients\", count = 1 }\n";
        let mut counts: Vec<u32> =
            largest.iter().flat_map(|(_, count)| [*count, count + 1]).collect();
        counts.sort_unstable();
        counts.dedup();
        let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
        let (sweep, rows) = run(request(
            &text,
            &[
                "eureka.server.renewal-percent-threshold=0.85,0.70,0.50,0.49",
                &format!("timeline.die.kill.count={}", counts.join(",")),
            ],
        ));
        for (percent, count) in largest {
            for (killed, left) in [(count, 0), (count + 1, u64::from(count + 1))] {
                let values = [percent, &killed.to_string()];
                let row = rows_of(&sweep, &rows, &values, "scenario")[0];
                assert_eq!(row.ending.ghosts, left, "{killed} of {instances} at {percent}");
                assert_eq!(row.costs.evicted_healthy, 0);
            }
        }
    }
}

/// A heartbeat is sent 30 s after the answer to the last one: at 0.85 protection begins by itself when it
/// takes 5.29 s on average, at 0.90 when it takes 3.33 s. The clients start one after the other within one
/// period, so that every minute has the same number of heartbeats.
#[test]
fn protection_begins_by_itself_at_the_latency_of_the_closed_form() {
    for (percent, period, below, above) in
        [("0.85", "35300us", "2600ms", "2690ms"), ("0.90", "33330us", "1620ms", "1710ms")]
    {
        let start = format!("start = {{ first = \"70s\", every = \"{period}\" }}\n");
        let text = fleet(1000).replace("start = { first = \"70s\", spread = \"60s\" }", &start);
        let latencies = format!("network.latency={below},{above}");
        let percents = format!("eureka.server.renewal-percent-threshold={percent}");
        let mut request = request(&text, &[&percents, &latencies]);
        request.faults = vec!["none".to_owned()];
        let (sweep, rows) = run(request);
        for (latency, minutes) in [(below, 0), (above, 14)] {
            let costs = costs_of(&sweep, &rows, &[percent, latency], "none");
            assert_eq!(costs.false_protection_ms, minutes * 60_000, "{percent} at {latency}");
            assert_eq!(costs.no_eviction_ms, costs.false_protection_ms, "nobody is dead");
        }
    }
}

/// With calls of one second a client beats every 31 s: once in 6.5 % of the minutes, else twice. A server of
/// Netflix that expects two or three clients needs two beats of each, so it is without eviction in 12.5 % or
/// 18.1 % of them (`scenarios.md`, appendix 1: 12.6 and 18.4).
#[test]
fn small_fleets_flap_as_often_as_the_closed_form_says() {
    for instances in [2, 3] {
        let text = fleet(instances)
            .replace("latency = \"2ms\"", "latency = \"500ms\"")
            .replace("duration = \"30m\"", "duration = \"20h\"")
            .replace("name = \"eureka-0\"", "name = \"eureka-0\"\nflavor = \"netflix\"");
        let mut request = request(&text, &[]);
        request.faults = vec!["none".to_owned()];
        request.seeds = 6;
        let (sweep, rows) = run(request);
        let rows = rows_of(&sweep, &rows, &[], "none");
        let without: u64 = rows.iter().map(|row| row.costs.no_eviction_ms).sum();
        let since = sweep.cells[0].since.nanos() / 1_000_000;
        let whole = (20 * 3_600_000 - since) * rows.len() as u64;
        let share = without as f64 / whole as f64;
        let beats_once = 2.0 - 60.0 / 31.0;
        let expected = 1.0 - f64::powi(1.0 - beats_once, instances as i32);
        assert!((share - expected).abs() < 0.015, "{instances}: {share:.4}, not {expected:.4}");
    }
}

/// A value that changes nothing leaves every fact as it is, and values that do the same cost the same to the
/// millisecond, seed by seed: latencies, losses, phases and victims are common. Other seeds have others.
#[test]
fn values_of_a_parameter_see_the_same_noise() {
    let text = fleet(40).replace("latency = \"2ms\"", "latency = \"1ms..80ms\"\nloss = \"2%\"");
    let mut request = request(
        &text,
        &[
            "eureka.server.renewal-percent-threshold=0.50,0.60",
            "eureka.server.max-elements-in-peer-replication-pool=10000,20000",
        ],
    );
    request.faults = vec!["deaths-15-percent".to_owned()];
    request.seeds = 3;
    let (sweep, rows) = run(request);
    let of =
        |percent: &str, pool: &str| rows_of(&sweep, &rows, &[percent, pool], "deaths-15-percent");
    let digests = |percent: &str, pool: &str| -> Vec<String> {
        of(percent, pool).iter().map(|row| row.digest.clone()).collect()
    };
    let costs = |percent: &str| -> Vec<Costs> {
        of(percent, "10000").iter().map(|row| row.costs).collect()
    };
    assert_eq!(digests("0.50", "10000"), digests("0.50", "20000"));
    assert_ne!(digests("0.50", "10000"), digests("0.60", "10000"), "the threshold is a fact");
    assert_eq!(costs("0.50"), costs("0.60"));
    assert!(costs("0.50").iter().any(|of| *of != costs("0.50")[0]), "{:?}", costs("0.50"));
}

/// Costs are what the events of the same run say: from each eviction of a healthy instance to its return, from
/// each death to its eviction.
#[test]
fn costs_are_what_the_events_of_the_run_say() {
    let text = fleet(20)
        + &crate::support::entry("17m", "kill = \"instance:ORDERS/3\"")
        + &crate::support::entry(
            "18m",
            "for = \"6m\"\npartition = { from = { select = \"app:ORDERS\", count = 4, pick = \"last\" }, to = \"servers\" }",
        )
        + "[eureka.server]\nrenewal-percent-threshold = 0.5\n";
    let (sweep, rows) = run(request(&text, &[]));
    let row = rows_of(&sweep, &rows, &[], "scenario")[0];
    let events = crate::support::events(&text);
    let time = |event: &serde_json::Value| event["t_ms"].as_f64().expect("every event has a time");
    let after = |kind: &str, id: &str, from: f64| {
        let is_it =
            |of: &&serde_json::Value| of["event"] == kind && of["id"] == id && time(of) > from;
        time(events.iter().find(is_it).unwrap_or_else(|| panic!("{kind} of {id}")))
    };
    let dead = "ORDERS/orders-3-0";
    let ghost = after("expired-lease", dead, 0.0) - 17.0 * 60_000.0;
    let mut missing = 0.0;
    for index in 16..20 {
        let id = format!("ORDERS/orders-{index}-0");
        let evicted = after("expired-lease", &id, 0.0);
        missing += after("register", &id, evicted) - evicted;
    }
    let whole =
        |cost: u64, wanted: f64| assert!((cost as f64 - wanted).abs() <= 1.0, "{cost} {wanted}");
    assert_eq!(row.costs.evicted_healthy, 4);
    whole(row.costs.ghost_ms, ghost);
    whole(row.costs.healthy_missing_ms, missing);
    assert!(missing > 4.0 * 60_000.0, "{missing}");
    assert_eq!((row.ending.evicted, row.ending.ghosts, row.ending.missing), (5, 0, 0));
}

/// What is recommended for this fleet under these faults and weights.
fn recommended(text: &str, faults: &[&str], weights: &str) -> String {
    let mut request = request(text, &["eureka.server.renewal-percent-threshold=0.50..0.95:0.15"]);
    request.faults = faults.iter().map(|name| (*name).to_owned()).collect();
    request.seeds = 2;
    let (sweep, rows) = run(request);
    let weights = Weights::parse(weights).expect("weights");
    let analysis = Analysis::new(&sweep, &rows, weights).expect("all is run");
    sweep.settings[analysis.recommended].values[0].clone()
}

/// What is lost may be dead or cut off: who minds the dead takes a low threshold, who minds the living a high
/// one; and who says that deaths are more frequent minds them more.
#[test]
fn the_recommendation_follows_the_weights() {
    let faults = ["deaths-30-percent", "unreachable-30-percent"];
    let of = |weights: &str| recommended(&fleet(40), &faults, weights);
    assert_eq!(of("healthy=0.1,dead=1"), "0.50");
    assert_eq!(of("healthy=100,dead=1"), "0.80");
    assert_eq!(of("healthy=100,dead=1,deaths=1000"), "0.50");
    assert_eq!(of("healthy=0.1,dead=1,unreachable-30-percent=1000"), "0.80");
}

/// One death of four is a quarter of the renewals: only a low threshold evicts it. Of forty it is nothing.
#[test]
fn the_recommendation_follows_the_size_of_the_fleet() {
    assert_eq!(recommended(&fleet(4), &["one-death"], "healthy=10"), "0.50");
    // All values evict it, so there is no reason to change what the file says.
    let text = fleet(40) + "[eureka.server]\nrenewal-percent-threshold = 0.80\n";
    assert_eq!(recommended(&text, &["one-death"], "healthy=10"), "0.80");
}

/// Slow heartbeats leave too few renewals for a high threshold: nothing would be evicted any more.
#[test]
fn the_recommendation_follows_the_latency() {
    let slow = fleet(40).replace("latency = \"2ms\"", "latency = \"1500ms\"");
    let of = |text: &str| {
        let mut request = request(text, &["eureka.server.renewal-percent-threshold=0.70,0.93"]);
        request.faults = vec!["one-death".to_owned()];
        request.seeds = 2;
        let (sweep, rows) = run(request);
        let analysis = Analysis::new(&sweep, &rows, Weights::default()).expect("all is run");
        let above = analysis.settings[1].above_recommended.mean;
        (sweep.settings[analysis.recommended].values[0].clone(), above)
    };
    let (_, above) = of(&fleet(40));
    assert!(above == 0.0, "both evict it: {above}");
    let (value, above) = of(&slow);
    assert_eq!(value, "0.70");
    assert!(above > 1.0, "{above}");
}

/// A cell stops early when its costs are known: the rows that are left are those of the exhaustive sweep.
#[test]
fn what_is_clear_is_left_out_and_nothing_else_changes() {
    let mut asked = request(&fleet(40), &["eureka.server.renewal-percent-threshold=0.60,0.85"]);
    asked.faults = ["none", "deaths-20-percent", "loss-5-percent"].map(str::to_owned).to_vec();
    asked.seeds = 12;
    asked.exhaustive = false;
    let (sweep, rows) = run(asked.clone());
    let exhaustive = Request { exhaustive: true, ..asked };
    let (whole, all) = run(exhaustive);
    assert_eq!(all.len(), 2 * 3 * 12);
    assert_eq!(whole.left_out_runs(&all), 0);
    let subset = rows.iter().all(|(run, row)| all.get(run) == Some(row));
    assert!(subset, "a run is the same in both");
    let count = |fault| rows_of(&sweep, &rows, &["0.85"], fault).len();
    assert_eq!(count("none"), 5, "nothing happens with any seed");
    assert_eq!(count("deaths-20-percent"), 5, "that they stay is certain");
    assert_eq!(count("loss-5-percent"), 12, "chance decides");
    assert_eq!(sweep.left_out_runs(&rows), (all.len() - rows.len()) as u64);
}

/// Other servers, other faults: two zones can lose one, two servers can be cut off from each other.
#[test]
fn the_standard_faults_are_those_that_the_fleet_can_have() {
    let names = |text: &str| -> (Vec<String>, Vec<String>) {
        let sweep = Sweep::new(request(text, &[])).expect("a sweep");
        let faults = sweep.faults.iter().map(|fault| fault.name.clone()).collect();
        (faults, sweep.left_out.into_iter().map(|(name, _)| name).collect())
    };
    let alone =
        "schema = 1\nname = \"alone\"\nduration = \"5m\"\n[[apps]]\nname = \"A\"\ninstances = 5\n";
    let (faults, left_out) = names(alone);
    for name in ["none", "one-death", "gc-pause", "cut-10m", "unreachable-50-percent"] {
        assert!(faults.iter().any(|known| known == name), "{name}: {faults:?}");
    }
    for name in ["servers-cut", "zone-lost", "deaths-1-percent", "deaths-5-percent"] {
        assert!(left_out.iter().any(|known| known == name), "{name}: {left_out:?}");
    }
    let zones = fleet(100).replace(
        "[network]",
        "[[servers]]\nname = \"eureka-1\"\n[cluster]\nzones = [\"a\", \"b\"]\n[network]",
    );
    let (faults, left_out) = names(&zones.replace("start =", "zone = [\"a\", \"b\"]\nstart ="));
    assert!(faults.iter().any(|name| name == "zone-lost"), "{left_out:?}");
    // One death of a hundred is one percent.
    assert_eq!(left_out, ["deaths-1-percent"]);
}

/// A fault is words of the language: the digest of a row is that of the scenario with them.
#[test]
fn a_row_is_the_run_of_its_scenario() {
    let own = fleet(10) + "[[timeline]]\nat = \"17m\"\nkill = \"instance:ORDERS/3\"\n";
    let (sweep, rows) = run(request(&own, &["eureka.server.renewal-percent-threshold=0.6"]));
    let row = rows_of(&sweep, &rows, &["0.6"], "scenario")[0];
    let text = own + "[eureka.server]\nrenewal-percent-threshold = 0.6\n";
    let (digest, _) = crate::support::closely_watched(&crate::support::plan_of(&text));
    assert_eq!(row.digest, digest);
}

/// Settings with other servers have other faults: they are compared by those that all have.
#[test]
fn settings_are_compared_by_the_faults_that_all_can_have() {
    let text = "schema = 1\nname = \"n\"\nduration = \"5m\"\n[[apps]]\nname = \"A\"\ninstances = 5\n\
                start = \"2m\"\n";
    let mut request = request(text, &["cluster.servers=1,2"]);
    request.faults = Vec::new();
    let sweep = Sweep::new(request).expect("a sweep");
    let cut = sweep.faults.iter().position(|fault| fault.name == "servers-cut").expect("with two");
    let with_it: Vec<usize> =
        sweep.cells.iter().filter(|cell| cell.fault == cut).map(|cell| cell.setting).collect();
    assert_eq!(with_it, [1]);
    // What every run came to does not matter here.
    let row = |(cell, seed)| Row {
        cell,
        seed,
        digest: String::new(),
        events: 1,
        costs: Costs::default(),
        ending: eureka_sim::observe::Ending::default(),
        sizes: Vec::new(),
    };
    let none = Rows::new();
    let rows: Rows = sweep.due(&none, None).into_iter().map(|run| (run, row(run))).collect();
    let analysis = Analysis::new(&sweep, &rows, Weights::default()).expect("every cell has a row");
    assert!(!analysis.common.contains(&cut));
    assert_eq!(analysis.common.len(), sweep.faults.len() - 1);
    let report = TuneReport::new(&sweep, &rows, Weights::default()).expect("all is run");
    let said = report.text("");
    assert!(said.contains("warning[T004]") && said.contains("without servers-cut"), "{said}");
}

/// Rows whose costs are given, for what is computed of them.
fn made_up(asked: Request, costs: impl Fn(usize, usize, u64) -> Costs) -> (Sweep, Rows) {
    let sweep = Sweep::new(asked).expect("a sweep");
    let row = |(cell, seed): (u32, u64)| {
        let place = &sweep.cells[cell as usize];
        Row {
            cell,
            seed,
            digest: format!("{cell:032x}"),
            events: 1,
            costs: costs(place.setting, place.fault, seed),
            ending: eureka_sim::observe::Ending { servers: 2, ..Default::default() },
            sizes: Vec::new(),
        }
    };
    let rows = sweep.due(&Rows::new(), None).into_iter().map(|run| (run, row(run))).collect();
    (sweep, rows)
}

/// Seeds differ by far more than the settings: paired, the difference is as clear as it is.
#[test]
fn differences_are_paired_seed_by_seed() {
    let mut asked = request(&fleet(10), &["eureka.server.renewal-percent-threshold=0.6,0.7,0.85"]);
    asked.faults = vec!["none".to_owned()];
    asked.seeds = 4;
    let minutes = |number: u64| number * 60_000;
    let (sweep, rows) = made_up(asked, |setting, _, seed| Costs {
        ghost_ms: minutes(100 * seed + [1, 2, 2][setting] + u64::from(setting == 2) * seed % 2),
        ..Costs::default()
    });
    let analysis = Analysis::new(&sweep, &rows, Weights::default()).expect("all is run");
    assert_eq!(analysis.recommended, 0);
    let above = analysis.settings[1].above_recommended;
    assert_eq!((above.mean, above.half_width), (1.0, Some(0.0)));
    assert!(analysis.settings[1].means.weighted.half_width.expect("four seeds") > 100.0);
    // 1, 2, 1, 2: 1.5 ± 3.182 · 0.5774 / 2.
    let above = analysis.settings[2].above_recommended;
    assert!((above.mean - 1.5).abs() < 1e-9);
    assert!((above.half_width.expect("four seeds") - 0.9187).abs() < 1e-3, "{above:?}");
}

/// A fault that was clear after five seeds and one that was not: their intervals are those of independent parts.
#[test]
fn faults_with_few_seeds_and_many_are_summed_for_themselves() {
    let mut asked = request(&fleet(10), &["eureka.server.renewal-percent-threshold=0.6,0.7"]);
    asked.faults = ["none", "one-death"].map(str::to_owned).to_vec();
    asked.seeds = 8;
    asked.exhaustive = false;
    let sweep = Sweep::new(asked).expect("a sweep");
    let mut rows = Rows::new();
    // `none` costs the same with every seed, `one-death` 0 or 2 minutes more with 0.7.
    loop {
        let due = sweep.due(&rows, None);
        if due.is_empty() {
            break;
        }
        for (cell, seed) in due {
            let place = &sweep.cells[cell as usize];
            let minutes = match place.fault {
                0 => 5,
                _ => 100 * seed + place.setting as u64 * 2 * (seed % 2),
            };
            let costs = Costs { ghost_ms: minutes * 60_000, ..Costs::default() };
            let row = Row {
                cell,
                seed,
                digest: String::new(),
                events: 1,
                costs,
                ending: eureka_sim::observe::Ending::default(),
                sizes: Vec::new(),
            };
            rows.insert((cell, seed), row);
        }
    }
    assert_eq!(rows.len(), 2 * (5 + 8));
    let analysis = Analysis::new(&sweep, &rows, Weights::default()).expect("all is run");
    let above = analysis.settings[1].above_recommended;
    // Of eight numbers, 0 and 2 in turn: 1 ± 2.365 · 1.069 / √8.
    assert!((above.mean - 1.0).abs() < 1e-9, "{above:?}");
    assert!((above.half_width.expect("eight seeds") - 0.8938).abs() < 1e-3, "{above:?}");
    assert_eq!(analysis.settings[0].ghosts_by_seed.len(), 8);
    // What does not belong to it is taken away.
    let mut more = rows.clone();
    let stranger = Row { seed: 7, ..rows[&(0, 0)].clone() };
    more.insert((0, 7), stranger);
    sweep.prune(&mut more);
    assert_eq!(more, rows);
}

/// Instances that do not register are nobody's victims: the server would not notice.
#[test]
fn the_standard_faults_hit_those_who_register() {
    let text =
        fleet(20) + "[[apps]]\nname = \"WEB\"\ninstances = 80\nregister = false\nstart = \"70s\"\n";
    let mut asked = request(&text, &["eureka.server.renewal-percent-threshold=0.5"]);
    asked.faults = vec!["deaths-30-percent".to_owned()];
    let (sweep, rows) = run(asked);
    assert_eq!(sweep.faults[0].about, "6 of 20 instances are killed at once");
    assert_eq!(rows_of(&sweep, &rows, &["0.5"], "deaths-30-percent")[0].ending.evicted, 6);
}

/// Protection has a reason while somebody is cut off and until the rate has recovered; in another cluster of the
/// same file it has none.
#[test]
fn a_cut_is_a_reason_for_protection_where_it_is() {
    let cluster = |name: &str| {
        format!(
            "[[servers]]\nname = \"{name}\"\npeers = []\nregister-with-eureka = false\nfetch-registry = true\n\
             [[apps]]\nname = \"{name}\"\ninstances = 10\nservers = [\"{name}\"]\nstart = {{ first = \"70s\", spread = \"60s\" }}\n"
        )
    };
    let text = format!(
        "schema = 1\nname = \"two\"\nduration = \"30m\"\n{}{}[[timeline]]\nat = \"17m\"\nfor = \"90s\"\n\
         partition = {{ from = \"app:b\", to = \"server:b\" }}\n",
        cluster("a"),
        cluster("b")
    );
    let false_seconds = |percent: &str| {
        let param = format!("eureka.server.renewal-percent-threshold={percent}");
        let (sweep, rows) = run(request(&text, &[&param]));
        let costs = costs_of(&sweep, &rows, &[percent], "scenario");
        (costs.false_protection_ms / 1000, costs.no_eviction_ms / 1000)
    };
    let (without, all) = false_seconds("0.85");
    assert_eq!(without, 0, "b has a reason, and a is not protected");
    assert!(all >= 120, "{all}");
    // Ten instances beat twenty times a minute at most: both are protected for thirteen minutes, b with a
    // reason for the 90 s of its cut and the two minutes after it.
    assert_eq!(false_seconds("1.0"), (2 * 13 * 60 - 90 - 120, 2 * 13 * 60));
}

/// What the file says stays, if no other value is better for sure; and is named if it is.
#[test]
fn what_the_file_says_stays_unless_another_value_is_better_for_sure() {
    let recommended = |gain: fn(u64) -> u64| {
        let mut asked = request(&fleet(10), &["eureka.server.renewal-percent-threshold=0.6,0.85"]);
        asked.faults = vec!["none".to_owned()];
        asked.seeds = 4;
        let (sweep, rows) = made_up(asked, |setting, _, seed| Costs {
            ghost_ms: 6_000_000 - if setting == 0 { gain(seed) } else { 0 },
            ..Costs::default()
        });
        assert_eq!(sweep.present, Some(1), "0.85 is the default");
        let report = TuneReport::new(&sweep, &rows, Weights::default()).expect("all is run");
        report.json()["recommended"].to_string()
    };
    assert_eq!(recommended(|_| 60_000), r#"{"eureka.server.renewal-percent-threshold":0.6}"#);
    // Better with three seeds and worse with one: chance.
    let by_chance = |seed| if seed == 3 { 0 } else { 6_000 };
    let unsure = |seed| if seed % 2 == 0 { 120_000 } else { 0 };
    assert_eq!(recommended(unsure), r#"{"eureka.server.renewal-percent-threshold":0.85}"#);
    assert_eq!(recommended(by_chance), r#"{"eureka.server.renewal-percent-threshold":0.85}"#);
}

#[test]
fn the_front_is_of_those_that_no_other_beats() {
    let mut asked =
        request(&fleet(10), &["eureka.server.renewal-percent-threshold=0.5,0.6,0.7,0.8"]);
    asked.faults = vec!["none".to_owned()];
    let (sweep, rows) = made_up(asked, |setting, _, _| Costs {
        ghost_ms: [1, 2, 3, 3][setting] * 60_000,
        healthy_missing_ms: [9, 9, 1, 2][setting] * 60_000,
        ..Costs::default()
    });
    let analysis = Analysis::new(&sweep, &rows, Weights::default()).expect("all is run");
    let front: Vec<bool> = analysis.settings.iter().map(|costs| costs.on_front).collect();
    assert_eq!(front, [true, false, true, false]);
}

/// The columns are those of the design, and a row has its costs in seconds.
#[test]
fn the_csv_has_a_row_for_each_run() {
    let mut asked =
        request(&fleet(10), &["cluster.release=1.9.6,2.0.6", "network.latency=1ms..5ms"]);
    asked.faults = vec!["none".to_owned()];
    let (sweep, rows) = made_up(asked, |setting, _, _| Costs {
        evicted_healthy: 3,
        healthy_missing_ms: 90_500,
        ghost_ms: 60_000 * setting as u64,
        calls_to_dead: 7,
        false_protection_ms: 1,
        no_eviction_ms: 120_010,
    });
    let csv = tune_csv(&sweep, &rows);
    let expected = "cluster.release,network.latency,fault,seed,digest,evicted_healthy,healthy_missing_s,ghost_s,\
                    calls_to_dead,false_protection_s,no_eviction_s\n\
                    1.9.6,1ms..5ms,none,0,00000000000000000000000000000000,3,90.5,0,7,0.001,120.01\n\
                    2.0.6,1ms..5ms,none,0,00000000000000000000000000000001,3,90.5,60,7,0.001,120.01\n";
    assert_eq!(csv, expected);
    let report = TuneReport::new(&sweep, &rows, Weights::default()).expect("all is run");
    let json = report.json();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["rows"][1]["ghost_s"], 60);
    assert_eq!(json["rows"][1]["cluster.release"], "2.0.6");
}

/// The warnings that matter more than the value.
#[test]
fn what_matters_more_than_the_value_is_said() {
    let said = |text: &str| -> String {
        let mut asked = request(text, &["eureka.server.renewal-percent-threshold=0.5,0.85,0.9"]);
        asked.faults = vec!["none".to_owned()];
        let (sweep, rows) = made_up(asked, |setting, _, _| Costs {
            ghost_ms: 60_000 * setting as u64,
            ..Costs::default()
        });
        let report = TuneReport::new(&sweep, &rows, Weights::default()).expect("all is run");
        let text = report.text("");
        text.lines().filter(|line| line.contains("warning[")).collect::<Vec<_>>().join("\n")
    };
    let alone = |instances: usize| {
        format!(
            "schema = 1\nname = \"n\"\nduration = \"5m\"\n[[apps]]\nname = \"A\"\ninstances = {instances}\n\
             [[servers]]\nname = \"s\"\nregister-with-eureka = false\n"
        )
    };
    let small = said(&alone(2));
    assert!(
        small.contains("T001") && small.contains("expect 3 clients where there are 2"),
        "{small}"
    );
    assert!(
        small.contains("T002") && small.contains("too small for any of these values"),
        "{small}"
    );
    let slow = "eureka.instance.lease-renewal-interval-in-seconds = 10\n";
    assert!(!small.contains("T006"), "0.85 is what the file says: {small}");
    let other = "[eureka.server]\nrenewal-percent-threshold = 0.49\n";
    assert!(said(&(fleet(100) + other)).contains("T006"));
    let large = said(&(fleet(100) + slow + "[[servers]]\nname = \"eureka-1\"\n"));
    assert!(large.contains("H005") && large.contains("beat every 10 s"), "{large}");
    assert!(!large.contains("T001") && !large.contains("T002"), "{large}");
    assert!(large.contains("T003") && large.contains("0.5 is the least that was tried"), "{large}");
    assert!(large.contains("T005"), "{large}");
    let off = said(&(fleet(100) + "[eureka.server]\nenable-self-preservation = false\n"));
    assert!(off.contains("H001"), "{off}");
    let mut zero = request(&fleet(100), &["eureka.server.renewal-percent-threshold=0"]);
    zero.faults = vec!["none".to_owned()];
    let (sweep, rows) = made_up(zero, |_, _, _| Costs::default());
    let report = TuneReport::new(&sweep, &rows, Weights::default()).expect("all is run");
    assert!(report.text("").contains("H003"), "{}", report.text(""));
}

#[test]
fn what_is_no_sweep_says_why() {
    let refused = |text: &str, params: &[&str], faults: &[&str]| {
        let mut asked = request(text, params);
        asked.faults = faults.iter().map(|name| (*name).to_owned()).collect();
        Sweep::new(asked).err().map_or_else(String::new, |error| error.to_string())
    };
    let text = fleet(10);
    assert!(refused(&text, &["eureka.server.renewal-percent=1"], &[]).contains("renewal-percent"));
    assert!(refused(&text, &[], &["earthquake"]).contains("there is no fault `earthquake`"));
    assert!(refused(&text, &[], &["scenario"]).contains("has no timeline"));
    assert!(refused(&text, &[], &["zone-lost"]).contains("cannot happen here"));
    assert!(refused(&text, &["a=1", "a=2"], &[]).contains("given twice"));
    let mut many = request(&text, &["network.latency=1ms..5000ms:1ms"]);
    many.seeds = 1_000_000;
    assert!(matches!(Sweep::new(many), Err(SweepError::TooMany(_))));
}
