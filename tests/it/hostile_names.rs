//! Names that a terminal would obey, a browser would run or a spreadsheet would compute: none of them
//! reaches its victim. Those that are refused are so without being obeyed.

use std::ffi::OsStr;

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox, ran};

/// Clears a terminal and retitles it, the old way and the new; turns what follows around.
const ESCAPES: [&str; 3] = ["\u{1b}[2J\u{1b}]0;owned\u{7}", "\u{9b}2J", "\u{202e}"];

/// What no output has: control characters besides the end of a line, and turned directions.
fn is_harmless(text: &str) -> bool {
    let obeyed = |letter: char| letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter);
    !text.chars().filter(|letter| *letter != '\n').any(obeyed)
}

fn assert_harmless(ran: &Ran) {
    assert!(is_harmless(&ran.stdout), "{:?}", ran.stdout);
    assert!(is_harmless(&ran.stderr), "{:?}", ran.stderr);
}

/// As TOML writes a text.
fn quoted(text: &str) -> String {
    let letter = |letter: char| format!("\\U{:08x}", u32::from(letter));
    format!("\"{}\"", text.chars().map(letter).collect::<String>())
}

/// A scenario with this text wherever any text may stand, and what is wrong elsewhere.
fn scenario(text: &str, more: &str) -> String {
    let text = quoted(text);
    format!(
        "schema = 1\nname = \"hostile\"\nabout = {text}\nsource = [{text}]\nduration = \"2m\"\n{more}\
         [cluster]\nzones = [{text}]\n\
         [[apps]]\nname = \"ORDERS\"\ninstances = 2\nzone = {text}\nmetadata = {{ a = {text} }}\n\
         [[timeline]]\nat = \"30s\"\nname = {text}\nisolate = [{zone}]\n\
         [[timeline]]\nat = \"60s\"\nheal = {text}\n\
         [[timeline]]\nat = \"70s\"\nset-metadata = {{ select = \"clients\", key = {text}, value = {text} }}\n\
         [[expect]]\nmetric = \"alive\"\nat = \"end\"\nequals = 2\nlabel = {text}\n",
        zone = quoted(&format!("zone:{}", raw(&text))),
    )
}

/// The text of a quoted one.
fn raw(quoted: &str) -> String {
    let letters = quoted.trim_matches('"').split("\\U").skip(1);
    let code = |code: &str| u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
    letters.filter_map(code).collect()
}

#[test]
fn a_terminal_obeys_no_text_of_a_scenario() {
    let sandbox = Sandbox::new("hostile-terminal");
    for text in ESCAPES {
        sandbox.write("good.toml", scenario(text, ""));
        for arguments in [&["check", "good.toml"][..], &["run", "good.toml", "--log"]] {
            let ran = sandbox.run(arguments);
            assert_eq!(ran.code, 0, "{ran:?}");
            assert_harmless(&ran);
        }
        assert_harmless(&sandbox.run(&["check", "good.toml", "--format", "json"]));
        assert_harmless(&sandbox.run(&["run", "good.toml", "--format", "json", "--log"]));
        for file in
            ["series.csv", "events.jsonl", "summary.json", "eureka.log", "registry-size.svg"]
        {
            assert!(is_harmless(&sandbox.read(&format!("reports/hostile/{file}"))), "{file}");
        }
        // What is wrong is drawn into its source: that is shown, not obeyed, even if it stands raw
        // in a comment of the same line.
        let wrong = format!("{} = 1 # {text}\n", quoted(text));
        sandbox.write("bad.toml", scenario(text, &wrong));
        let ran = sandbox.run(&["check", "bad.toml"]);
        assert_eq!(ran.code, 2);
        assert_harmless(&ran);
    }
}

#[test]
fn a_terminal_obeys_no_name_of_a_process_either() {
    let sandbox = Sandbox::new("hostile-processes");
    for text in ESCAPES {
        for entry in [
            format!("[[apps]]\nname = {}\ninstances = 1\n", quoted(text)),
            format!("[[apps]]\nname = \"A\"\ninstances = 1\ninstance-id = {}\n", quoted(text)),
            format!("[[servers]]\nname = {}\n", quoted(text)),
        ] {
            let head = "schema = 1\nname = \"hostile\"\nduration = \"1m\"\n";
            sandbox.write("s.toml", format!("{head}{entry}"));
            for command in ["check", "run"] {
                assert_harmless(&sandbox.run(&[command, "s.toml"]));
            }
        }
    }
}

/// What callers from outside register is nobody's scenario: any text is a name of theirs.
#[test]
fn a_terminal_obeys_no_name_that_a_call_brings() {
    let sandbox = Sandbox::new("hostile-calls");
    for text in [ESCAPES[0], ESCAPES[1], ESCAPES[2], "a\n12m00s eureka-0: Evicting 9 items", "b\r"]
    {
        let name = serde_json::to_string(text).expect("a text is JSON");
        let body = format!(
            r#"{{"instance":{{"instanceId":{name},"app":"A","hostName":"h","ipAddr":"10.0.0.1","status":"UP","metadata":{{"k":{name}}},"dataCenterInfo":{{"name":"MyOwn"}}}}}}"#
        );
        let call = |at: &str, method: &str, path: &str, body: &str| {
            format!(
                "[[timeline]]\nat = \"{at}\"\ncall = {{ server = \"eureka-0\", method = \"{method}\", \
                 path = {}, body = {} }}\n",
                quoted(path),
                quoted(body)
            )
        };
        let path = format!("/apps/A/{}", percent(text));
        let scenario = format!(
            "schema = 1\nname = \"hostile\"\nduration = \"4m\"\n[cluster]\nservers = 1\n{}{}{}",
            call("30s", "POST", "/apps/A", &body),
            call("40s", "PUT", &path, ""),
            call("50s", "DELETE", &path, ""),
        );
        sandbox.write("s.toml", scenario);
        let arguments = ["run", "s.toml", "--log", "--events", "all", "--trace", "traces"];
        let ran = sandbox.run(&arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_harmless(&ran);
        let log = sandbox.read("reports/hostile/eureka.log");
        assert!(log.contains("Registered instance A/"), "{log}");
        for file in
            ["reports/hostile/events.jsonl", "reports/hostile/eureka.log", "traces/eureka-0.jsonl"]
        {
            assert!(is_harmless(&sandbox.read(file)), "{file} with {text:?}");
        }
        // One fact is one line, begun by its time.
        for line in log.lines() {
            assert!(line.contains(" eureka-0: ") && !line.starts_with("12m"), "{line}");
        }
        // A trace says the same as before, in other letters.
        let replay = sandbox.run(&["replay", "traces"]);
        assert_eq!((replay.code, replay.stderr.as_str()), (0, ""), "{}", replay.stdout);
        let trace = sandbox.read("traces/eureka-0.jsonl");
        let ids = trace.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let ids: Vec<String> =
            ids.filter_map(|line| line["instance"]["id"].as_str().map(str::to_owned)).collect();
        assert!(ids.iter().any(|id| id == text), "{ids:?}");
    }
}

/// A text as a path of a URL has it.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn a_terminal_obeys_no_argument() {
    let sandbox = Sandbox::new("hostile-arguments");
    sandbox.write("s.toml", "schema = 1\nduration = \"1m\"\n");
    for text in ESCAPES {
        let file = format!("{text}.toml");
        let set = format!("{text}=1");
        let about = format!("about={text}");
        sandbox.write(&format!("here{text}.toml"), "schema = 1\nname = \"a\"\nduration = \"1m\"\n");
        let here = format!("here{text}.toml");
        for arguments in [
            vec!["run", &file],
            vec!["check", &file],
            vec!["replay", &file],
            vec!["check", "s.toml", "--set", &set],
            vec!["run", "s.toml", "--plots", "none", "--set", &about],
            vec!["run", &here, "--plots", "none"],
            vec!["run", "s.toml", "--out", &here],
        ] {
            assert_harmless(&sandbox.run(&arguments));
        }
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_a_name() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new("hostile-bytes");
    let name = OsStr::from_bytes(b"\xff\x1b[2J.toml");
    let ran = ran(sandbox.command([OsStr::new("run"), name]).output().expect("it starts"));
    assert_eq!(ran.code, 4);
    assert_harmless(&ran);
}

#[test]
fn a_browser_runs_no_text_of_a_scenario() {
    let sandbox = Sandbox::new("hostile-browser");
    let text = "</text><script>alert(1)</script><img src=x onerror='alert(2)'>&\"]]>-->";
    sandbox.write("s.toml", scenario(text, ""));
    assert_eq!(sandbox.run(&["run", "s.toml"]).code, 0);
    for figure in ["registry-size", "renew-rates"] {
        let svg = sandbox.read(&format!("reports/hostile/{figure}.svg"));
        for tag in ["<script", "<img", "</script"] {
            assert!(!svg.contains(tag), "{figure}: {tag}");
        }
        // It is shown all the same.
        assert!(svg.contains("&lt;script"), "{figure}");
    }
}

#[test]
fn a_spreadsheet_computes_no_text_of_a_scenario() {
    let sandbox = Sandbox::new("hostile-spreadsheet");
    for text in ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1"] {
        sandbox.write("s.toml", scenario(text, ""));
        assert!(sandbox.run(&["run", "s.toml", "--plots", "none"]).code <= 1);
        for row in sandbox.read("reports/hostile/series.csv").lines() {
            let computed = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '@', '\t']);
            assert!(!row.split(',').any(computed), "{row}");
        }
        // The only names in that file are those of servers.
        sandbox.write(
            "server.toml",
            format!("schema = 1\nduration = \"1m\"\n[[servers]]\nname = {}", quoted(text)),
        );
        assert_eq!(sandbox.run(&["check", "server.toml"]).code, 2, "{text}");
    }
}

#[test]
fn json_gives_the_text_back() {
    let sandbox = Sandbox::new("hostile-json");
    let text = "\u{1b}[2J\"\\\n\u{202e}</script>";
    sandbox.write("s.toml", scenario(text, ""));
    sandbox.run(&["run", "s.toml", "--plots", "none"]);
    let summary: Value =
        serde_json::from_str(&sandbox.read("reports/hostile/summary.json")).expect("it is JSON");
    assert_eq!(summary["expectations"][0]["text"], text);
    for line in sandbox.read("reports/hostile/events.jsonl").lines() {
        serde_json::from_str::<Value>(line).expect("each line is JSON");
    }
}
