//! The daemon is killed, and nothing of a session is lost.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::{Bed, alive, eventually, site};
use crate::events::{follow, until};
use crate::losses::of_keeper;

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

fn kill_daemon(bed: &Bed) -> u32 {
    let pid = bed.daemon_pid();
    signal(pid, "-9");
    eventually("it is gone", || !alive(pid));
    pid
}

/// The result of a snippet that evaluates in the page and waits for it.
fn value(bed: &Bed, expression: &str) -> String {
    bed.page("default", expression)
}

fn active_tab(bed: &Bed) -> String {
    let (code, tabs) = bed.json(["tab"]);
    assert_eq!(code, 0, "{tabs}");
    let all = tabs["data"]["tabs"].as_array().unwrap();
    let active = all.iter().find(|tab| tab["active"] == true).unwrap();
    active["id"].as_str().unwrap().to_owned()
}

fn epoch(bed: &Bed) -> Option<u64> {
    bed.json(["status"]).1["data"]["epoch"].as_u64()
}

#[test]
fn the_next_command_finds_tabs_ids_and_settings_as_they_were() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Kept")]);
    bed.ok([
        "js",
        "await session.Emulation.setUserAgentOverride({userAgent: 'Robot/1'});
         await session.Page.addScriptToEvaluateOnNewDocument({source: 'window.runs = (window.runs || 0) + 1'});
         await session.Runtime.enable()",
    ]);
    value(&bed, "globalThis.mark = 'same document'");
    let tab = active_tab(&bed);
    let object = bed.ok([
        "js",
        "const made = await session.Runtime.evaluate({expression: '({n: 41})'}); return made.result.objectId",
    ]);
    let killed = kill_daemon(&bed);

    assert_eq!(value(&bed, "globalThis.mark"), "same document");
    assert_ne!(bed.daemon_pid(), killed);
    assert_eq!(active_tab(&bed), tab);
    assert_eq!(epoch(&bed), Some(1), "the connection lived on");
    let code = format!(
        "const got = await session.Runtime.callFunctionOn({{objectId: {}, functionDeclaration: 'function() {{ return this.n + 1 }}'}});
         return got.result.value",
        Value::from(object)
    );
    assert_eq!(bed.ok(["js", &code]), "42");
    assert_eq!(value(&bed, "navigator.userAgent"), "Robot/1");
    bed.ok([
        "js",
        &format!(
            "await session.Page.navigate({{url: {}}})",
            Value::from(site.url("/title/Next"))
        ),
    ]);
    eventually("the next document", || bed.title("default") == "Next");
    assert_eq!(
        value(&bed, "String(window.runs)"),
        "1",
        "the script runs once"
    );
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["gaps"], 1, "{status}");
}

#[test]
fn a_dialog_that_was_open_can_be_answered() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Asks")]);
    value(
        &bed,
        "console.log('said before'), setTimeout(() => { globalThis.answer = confirm('Pay?') }, 0), 'asked'",
    );
    eventually("the dialog is open", || {
        bed.run(["js", "await session.Runtime.evaluate({expression: '1'})"])
            .code
            != 0
    });
    kill_daemon(&bed);
    let refused = bed.run(["js", "await session.Runtime.evaluate({expression: '1'})"]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("Pay?"), "{}", refused.stderr);
    bed.ok([
        "js",
        "await session.Page.handleJavaScriptDialog({accept: true})",
    ]);
    assert_eq!(value(&bed, "String(globalThis.answer)"), "true");
    // The tab could not be switched on while the dialog was open; nothing of it is lost, or told twice.
    value(&bed, "console.log('said behind it')");
    let console = || bed.run(["console"]).stdout;
    eventually("it is recorded", || console().contains("said behind it"));
    assert_eq!(console().matches("said before").count(), 1, "{}", console());
}

#[test]
fn a_command_in_flight_at_the_kill_is_named_in_the_console() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Slow")]);
    let code = "await session.Runtime.evaluate({expression: 'globalThis.began = 1, new Promise(() => {})', awaitPromise: true})";
    let mut waiting = bed.command();
    waiting
        .args(["js", code])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut waiting = waiting.spawn().unwrap();
    eventually("it is in flight", || {
        value(&bed, "String(globalThis.began)") == "1"
    });
    kill_daemon(&bed);
    assert_eq!(waiting.wait().unwrap().code(), Some(4), "it is not known");

    let (code, console) = bed.json(["console"]);
    assert_eq!(code, 0, "{console}");
    let entries = console["data"]["entries"].as_array().unwrap();
    let gap = entries.iter().find(|entry| entry["kind"] == "gap").unwrap();
    assert_eq!(
        gap["unknown_methods"],
        json!(["Runtime.evaluate"]),
        "{console}"
    );
    assert!(
        bed.ok(["console"]).contains("Runtime.evaluate"),
        "also for people"
    );
    let (_, status) = bed.json(["status"]);
    let lost = &status["data"]["last_gap"]["unknown_outcomes"];
    assert_eq!(lost[0]["method"], "Runtime.evaluate", "{status}");
    assert_eq!(lost[0]["target"], active_tab(&bed), "{status}");
    let mut events = follow(&bed, "?streams=state&session=default");
    let first = until(&mut events, "how it is", |event| event["snapshot"] == true);
    assert_eq!(first["last_gap"], status["data"]["last_gap"]);
}

#[test]
fn what_was_cleared_does_not_come_back() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Clears")]);
    value(
        &bed,
        "for (let n = 0; n < 3; n++) { console.log('cleared ' + n) }",
    );
    let console = || bed.run(["console"]).stdout;
    eventually("it is recorded", || console().contains("cleared 2"));
    bed.ok(["clear", "console"]);
    kill_daemon(&bed);
    value(&bed, "console.log('after')");
    eventually("what is new is recorded", || console().contains("after"));
    assert!(!console().contains("cleared"), "{}", console());
}

#[test]
fn a_kill_at_any_moment_repeats_no_effect_and_loses_no_answer() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Counts")]);
    value(&bed, "globalThis.seen = {}");
    let mut unknown = 0;
    for round in 0..15_u64 {
        let pid = bed.daemon_pid();
        // Moments spread over the life of the call, start of the process included.
        let moment = Duration::from_micros(500 + round * 1700);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(moment);
            signal(pid, "-9");
        });
        let mut answered = Vec::new();
        for step in 0..4 {
            let key = format!("r{round}s{step}");
            let code = format!(
                "await session.Runtime.evaluate({{expression: \"seen['{key}'] = (seen['{key}'] || 0) + 1\"}})"
            );
            let ran = bed.run(["js", &code]);
            assert!(
                matches!(ran.code, 0 | 4),
                "{key} ended with {}: {}",
                ran.code,
                ran.stderr
            );
            if ran.code == 4 {
                assert!(ran.stderr.contains("unknown"), "{}", ran.stderr);
                unknown += 1;
            }
            answered.push((key, ran.code));
        }
        killer.join().unwrap();
        let seen: Value = serde_json::from_str(&value(&bed, "JSON.stringify(seen)")).unwrap();
        for (key, code) in answered {
            let times = seen[&key].as_u64().unwrap_or(0);
            assert!(times <= 1, "{key} happened {times} times");
            assert!(
                code != 0 || times == 1,
                "{key} was reported and did not happen"
            );
        }
    }
    assert!(unknown <= 15, "at most one call per kill is in doubt");
    assert_eq!(epoch(&bed), Some(1));
}

#[test]
fn a_setting_that_was_answered_is_kept_whenever_the_kill_comes() {
    let (bed, chromium) = (Bed::new(), crate::bed::chromium());
    // Without a keeper the connection ends with the daemon: what was set has to be set again.
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    for round in 0..4 {
        let agent = format!("Robot/{round}");
        bed.ok([
            "js",
            &format!("await session.Emulation.setUserAgentOverride({{userAgent: '{agent}'}})"),
        ]);
        kill_daemon(&bed);
        assert_eq!(value(&bed, "navigator.userAgent"), agent);
    }
    assert_eq!(epoch(&bed), Some(5));
}

#[test]
fn an_older_daemon_that_comes_back_is_refused() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    let old = bed.daemon_pid();
    signal(old, "-STOP");
    // Its place is taken: what a cleaner of temporary files may do, too.
    let run = bed.home().join("run");
    for entry in std::fs::read_dir(&run).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("keeper") {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(bed.title("default"), "Mine");
    let new = bed.daemon_pid();
    assert_ne!(new, old);
    signal(old, "-CONT");
    let log = bed.home().join("data/daemon.log");
    eventually("it says so", || {
        std::fs::read_to_string(&log)
            .unwrap()
            .contains("another owner has taken over")
    });
    // The new one has not noticed.
    let until = Instant::now() + Duration::from_millis(300);
    while Instant::now() < until {
        assert_eq!(bed.title("default"), "Mine");
    }
    assert_eq!(epoch(&bed), Some(1));
    signal(old, "-9");
    eventually("it is gone", || !alive(old));
}

#[test]
fn nothing_is_left_running_after_close() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    kill_daemon(&bed);
    bed.ok(["js", "1"]);
    let state = bed.home().join("data/keepers/default.keeper");
    assert!(state.exists());
    bed.ok(["close"]);
    assert!(!state.exists(), "the keeper ended with the session");
    let (_, sessions) = bed.json(["sessions"]);
    assert_eq!(sessions["data"]["sessions"].as_array().unwrap().len(), 0);
    kill_daemon(&bed);
    bed.ok(["daemon", "start"]);
    let (_, sessions) = bed.json(["sessions"]);
    assert_eq!(
        sessions["data"]["sessions"].as_array().unwrap().len(),
        0,
        "what was closed stays closed"
    );
}

#[test]
fn a_browser_that_died_while_no_daemon_was_there_is_gone() {
    let bed = Bed::new();
    bed.ok(["open", "about:blank"]);
    kill_daemon(&bed);
    signal(of_keeper(&bed, "browserPid"), "-9");
    eventually("its keeper knows", || {
        bed.keeper("default")["exited"].is_string()
    });
    let calls: [&[&str]; 3] = [
        &["js", "await session.Runtime.evaluate({expression: '1'})"],
        &["tab"],
        &["open", "about:blank"],
    ];
    for call in calls {
        let (code, said) = bed.json(call);
        let error = &said["error"];
        assert_eq!(
            (code, &error["code"]),
            (8, &json!("browser_gone")),
            "{said}"
        );
        let text = |field: &str| error[field].as_str().unwrap_or_default();
        assert!(
            text("message").contains("its browser has ended (signal 9)"),
            "{said}"
        );
        assert!(text("hint").starts_with("keeptab close"), "{said}");
    }
    let (_, sessions) = bed.json(["sessions"]);
    assert_eq!(
        sessions["data"]["sessions"][0]["state"], "browser_gone",
        "{sessions}"
    );
    bed.ok(["close"]);
    bed.ok(["open", "about:blank"]);
}
