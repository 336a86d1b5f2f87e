//! The command `explain`: its files, its errors, and that nobody's name does any harm.

use serde_json::{Value, json};

use crate::explain::path;
use crate::sandbox::{Ran, Sandbox};

fn sandbox(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    sandbox.write("m16.toml", std::fs::read(path(16)).expect("a scenario can be read"));
    sandbox
}

/// Explains an instance of that scenario, without figures.
fn explain(sandbox: &Sandbox, instance: &str, more: &[&str]) -> Ran {
    let words = ["explain", "m16.toml", "--instance", instance, "--plots", "none"];
    sandbox.run(&words.iter().chain(more).copied().collect::<Vec<_>>())
}

#[test]
fn the_command_writes_its_files_and_says_what_it_writes() {
    let sandbox = sandbox("explain-files");
    let ran = sandbox.run(&["explain", "m16.toml", "--instance", "ORDERS/0", "--at", "19m"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let folder = "reports/m16-same-millisecond/explain";
    let files = ["png", "svg", "txt"].map(|ending| format!("ORDERS-orders-0000.{ending}"));
    assert_eq!(sandbox.files(folder), files);
    assert_eq!(sandbox.read(&format!("{folder}/ORDERS-orders-0000.txt")), ran.stdout);
    assert!(ran.stdout.contains("Why: M16, two changes in one millisecond"), "{}", ran.stdout);
    let svg = sandbox.read(&format!("{folder}/ORDERS-orders-0000.svg"));
    for word in ["itself", "eureka-0", "seen by LUCKY/0", "DOWN", "stuck-down since 5m00.002s: M16"]
    {
        assert!(svg.contains(word), "{word}");
    }
    // The line that does it again does it again.
    let rerun = ran.stdout.lines().last().expect("there is one").replace("rerun: eureka-sim ", "");
    let again = sandbox.run(&rerun.split(' ').collect::<Vec<_>>());
    assert_eq!(again.stdout, ran.stdout);
    // Figures that are not wanted do not stay beside another text.
    let json = explain(&sandbox, "ORDERS/0", &["--at", "19m", "--format", "json"]);
    assert_eq!(sandbox.files(folder), ["ORDERS-orders-0000.txt"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!(json["verdict"]["mechanism"], "M16");
    assert_eq!((json["at_ms"].as_f64(), &json["own"]), (Some(1_140_000.0), &json!("UP")));
}

#[test]
fn what_cannot_be_explained_is_said() {
    let sandbox = sandbox("explain-errors");
    let ask = |words: &[&str]| {
        let mut all = vec!["explain", "m16.toml", "--plots", "none"];
        all.extend(words);
        let ran = sandbox.run(&all);
        (ran.code, ran.stderr)
    };
    for (words, says) in [
        (
            &["--instance", "ORDRES/0"][..],
            "no application is called `ORDRES`: did you mean `ORDERS/0`?",
        ),
        (&["--instance", "NOBODY/0"], "no application is called `NOBODY`: there are ORDERS, LUCKY"),
        (
            &["--instance", "ORDERS/7"],
            "no instance is called `ORDERS/7`: ORDERS has one instance, ORDERS/0",
        ),
        (&["--instance", "ORDERS/orders-000"], "did you mean `ORDERS/orders-0000`?"),
        (&["--instance", "ORDERS"], "`ORDERS` names no instance: did you mean `ORDERS/0`?"),
        (
            &["--instance", "EUREKA/eureka-9"],
            "no server is the instance `EUREKA/eureka-9`: did you mean `EUREKA/eureka-0:eureka:8761`?",
        ),
        (
            &["--instance", "ORDERS/0", "--at", "31m"],
            "31m00s is beyond the end of the run, which lasts 30m00s",
        ),
        (&["--instance", "ORDERS/0", "--at", "soon"], "`soon` is no time of a run"),
        (
            &["--instance", "ORDERS/0", "--server", "eureka-7"],
            "no server is called `eureka-7`: there are eureka-0",
        ),
    ] {
        let (code, stderr) = ask(words);
        assert_eq!(code, 2, "{words:?}: {stderr}");
        assert!(stderr.contains(says), "{words:?}: {stderr}");
    }
    assert_eq!(ask(&[]).0, 2, "somebody has to be asked about");
    assert_eq!(sandbox.run(&["explain", "m16.toml", "m16.toml", "--instance", "ORDERS/0"]).code, 2);
    assert_eq!(sandbox.run(&["explain", "absent.toml", "--instance", "ORDERS/0"]).code, 4);
    sandbox.write("file", "");
    let out = ["explain", "m16.toml", "--instance", "ORDERS/0", "--out", "file"];
    assert_eq!(sandbox.run(&out).code, 4);
    assert_eq!(sandbox.files("reports"), Vec::<String>::new(), "nothing was written");
}

/// Where nothing is wrong there is nothing to cure, and that is no failure.
#[test]
fn a_healthy_instance_is_said_to_be_healthy() {
    let sandbox = sandbox("explain-healthy");
    let ran = explain(&sandbox, "LUCKY/0", &["--format", "json"]);
    assert_eq!(ran.code, 0);
    let json: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(
        (&json["verdict"]["class"], &json["verdict"]["mechanism"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(json["cures"], json!([]));
    let text = json["verdict"]["text"].as_str().expect("a text");
    assert!(
        text.ends_with("Nothing is wrong with it at any server: there is nothing to cure."),
        "{text}"
    );
    let begin = explain(&sandbox, "LUCKY/0", &["--at", "0s"]);
    assert_eq!(begin.code, 0, "{begin:?}");
}

/// `--fault` and `--set` are of the run that is explained.
#[test]
fn a_changed_scenario_is_explained_as_it_is_run() {
    let sandbox = sandbox("explain-changed");
    let set = ["--at", "19m", "--set", "timeline.up.at=5m1ms"];
    let ran = explain(&sandbox, "ORDERS/0", &set);
    let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Nothing is wrong with it at any server"), "{}", ran.stdout);
    let ran = explain(&sandbox, "ORDERS/0", &["--fault", "cut-5m"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("partition begins"), "{}", ran.stdout);
    assert!(ran.stdout.contains("--fault cut-5m"), "{}", ran.stdout);
}

/// Somebody outside registers an instance of any name at all, and `heal` and faults have names too.
#[test]
fn a_terminal_obeys_no_instance() {
    let sandbox = Sandbox::new("explain-hostile");
    let id = "i\u{1b}[31m\u{202e}";
    let body = json!({"instance": {
        "instanceId": id, "app": "A", "hostName": "h", "ipAddr": "10.0.0.1", "status": "UP",
        "dataCenterInfo": {"name": "MyOwn"},
    }});
    let escaped = |text: &str| -> String {
        text.chars().map(|letter| format!("\\U{:08x}", u32::from(letter))).collect()
    };
    let text = format!(
        "schema = 1\nname = 'hostile'\nduration = '4m'\n[cluster]\nservers = 1\n\
         [[apps]]\nname = 'A'\ninstances = 1\nstart = '70s'\n\
         [[timeline]]\nat = '30s'\n\
         call = {{ server = 'eureka-0', method = 'POST', path = '/apps/A', body = \"{}\" }}\n\
         [[timeline]]\nat = '2m'\nname = \"{}\"\n\
         partition = {{ from = 'clients', to = 'servers' }}\n",
        escaped(&body.to_string()),
        escaped("x\u{1b}[2J"),
    );
    sandbox.write("hostile.toml", text);
    let is_harmless =
        |text: &str| !text.chars().any(|c| c != '\n' && eureka_sim::observe::is_unsafe(c));
    let named = format!("A/{id}");
    for instance in ["A/0", &named] {
        for format in ["text", "json"] {
            let words = ["explain", "hostile.toml", "--instance", instance, "--format", format];
            let ran = sandbox.run(&words);
            assert_eq!(ran.code, 0, "{ran:?}");
            assert!(is_harmless(&ran.stdout) && is_harmless(&ran.stderr), "{:?}", ran.stdout);
        }
    }
    let files = sandbox.files("reports/hostile/explain");
    assert_eq!(files.len(), 6);
    for file in files {
        assert!(file.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)), "{file:?}");
        if !file.ends_with(".png") {
            let text = sandbox.read(&format!("reports/hostile/explain/{file}"));
            assert!(is_harmless(&text), "{file}");
        }
    }
    let unknown = "A/\u{1b}[2J";
    for words in [["--instance", unknown], ["--server", "\u{1b}[2J"], ["--at", "\u{1b}[2J"]] {
        let mut all = vec!["explain", "hostile.toml"];
        if words[0] != "--instance" {
            all.extend(["--instance", "A/0"]);
        }
        all.extend(words);
        let ran = sandbox.run(&all);
        assert_eq!(ran.code, 2);
        assert!(is_harmless(&ran.stderr), "{:?}", ran.stderr);
    }
}
