use std::time::Duration;

use keeptab_testkit::{Answer, FaultProxy, block_on};

use crate::bed::{Bed, alive, chromium, eventually, site};

/// The lines of `keeptab console` with these further arguments.
pub(crate) fn lines(bed: &Bed, args: &[&str]) -> Vec<String> {
    let all = [&["console"], args].concat();
    bed.ok(all).lines().map(str::to_owned).collect()
}

fn has(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

#[test]
fn what_a_page_says_is_there_and_can_be_filtered() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/console?n=3")]);
    eventually("all of it", || {
        has(&lines(&bed, &[]), "uncaught on purpose")
    });
    let all = lines(&bed, &[]);
    for (kind, text) in [
        // The object is shown in full unless the browser stored the message first.
        ("LOG", "a log "),
        ("INFO", "an info"),
        ("WARN", "a warning"),
        ("ERROR", "an error"),
        ("DEBUG", "a debug message"),
        ("EXCEPTION", "uncaught on purpose"),
    ] {
        assert!(
            all.iter()
                .any(|line| line.contains(kind) && line.contains(text)),
            "{kind} {text}: {all:#?}"
        );
    }
    assert!(all[0].starts_with("01 ["), "{all:#?}");

    let found = lines(&bed, &["--find", "LINE", "--tail", "2"]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[1].ends_with("line 2"), "{found:#?}");
    let errors = lines(&bed, &["--type", "exception,warning"]);
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert_eq!(lines(&bed, &["--range", "2-3"]), all[1..3]);
    assert_eq!(lines(&bed, &["--head", "1"]), all[..1]);
    // More may have come meanwhile, such as the browser's word on a missing icon; nothing else.
    let recent = lines(&bed, &["--since", "1h"]);
    let by_now = lines(&bed, &[]);
    assert!(recent.starts_with(&all), "{recent:#?}");
    assert!(by_now.starts_with(&recent), "{by_now:#?}");
    let ran = bed.run(["console", "--find", "nowhere"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(ran.stderr.contains("nothing fits"), "{}", ran.stderr);

    let (_, found) = bed.json(["console", "--find", "a warning"]);
    let entry = &found["data"]["entries"][0];
    assert_eq!(
        (entry["level"].as_str(), entry["kind"].as_str()),
        (Some("warning"), Some("console"))
    );
    let number = entry["number"].to_string();
    let detail = bed.ok(["console", &number]);
    assert!(
        detail.contains("source: console.warning\nmessage:\n  a warning\nstack:\n  at (anonymous)"),
        "{detail}"
    );
}

#[test]
fn what_is_not_there_or_makes_no_sense_is_said() {
    let bed = Bed::new();
    let said = bed.fails(6, ["console"]);
    assert!(said.contains("no session"), "{said}");
    bed.ok(["open"]);
    let said = bed.fails(6, ["console", "99"]);
    assert!(said.contains("no console entry 99"), "{said}");
    let said = bed.fails(2, ["console", "--range", "9"]);
    assert!(said.contains("--range 10-20"), "{said}");
    let said = bed.fails(2, ["console", "--find", "re:("]);
    assert!(said.contains("re:("), "{said}");
    bed.fails(6, ["console", "--tab", "no such tab"]);
    let ran = bed.run(["console"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
}

#[test]
fn a_page_cannot_reach_the_terminal() {
    let bed = Bed::new();
    bed.ok(["open"]);
    bed.page("default", r"console.log('a\u001b[31mb\u0007c\u202ed')");
    eventually("it is there", || !lines(&bed, &[]).is_empty());
    let said = bed.ok(["console"]);
    assert!(said.ends_with("a[31mbcd"), "{said:?}");
    let said = bed.ok(["console", "1"]);
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
}

#[test]
fn each_tab_has_its_own_and_all_shows_all_popups_too() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/popup")]);
    bed.page("default", "console.log('in the first')");
    // Only a person's click may open a window.
    bed.ok([
        "js",
        "await session.Runtime.evaluate({expression: 'open_popup(); 1', userGesture: true})",
    ]);
    eventually("the popup has loaded", || {
        bed.page("default", "popup.document.title") == "Popup"
    });
    bed.page("default", "popup.console.log('in the popup')");
    eventually("the popup's message", || {
        has(&lines(&bed, &["--all"]), "in the popup")
    });
    assert!(has(&lines(&bed, &["--tab", "title/Popup"]), "in the popup"));
    let own = lines(&bed, &[]);
    assert!(
        has(&own, "in the first") && !has(&own, "in the popup"),
        "{own:#?}"
    );
    // Of which tab it is, is said when they are mixed.
    let (_, tabs) = bed.json(["tab"]);
    let tabs = tabs["data"]["tabs"].as_array().unwrap();
    assert_eq!(tabs.len(), 2);
    let all = lines(&bed, &["--all", "--find", "in the first"]);
    let first = tabs.iter().find(|tab| tab["active"] == true).unwrap();
    let id = &first["id"].as_str().unwrap()[..8];
    assert!(all[0].ends_with(&format!("[{id}]")), "{all:#?}");
}

/// The page counts to `n`, one message each, and says how far it is.
fn count(bed: &Bed, n: u32, every_ms: u32) {
    bed.page(
        "default",
        &format!(
            "globalThis.at = 0; const timer = setInterval(() => {{ console.log('tick', at); \
             if (++at === {n}) clearInterval(timer) }}, {every_ms}); 1"
        ),
    );
}

fn counted(bed: &Bed) -> u32 {
    bed.page("default", "at").parse().unwrap()
}

/// Every tick is there, once.
fn check_ticks(lines: &[String], n: u32) {
    for tick in 0..n {
        let text = format!(" tick {tick}");
        let times = lines.iter().filter(|line| line.ends_with(&text)).count();
        assert_eq!(times, 1, "tick {tick}: {lines:#?}");
    }
}

/// What was to run in it before all else did not.
#[test]
fn a_document_born_in_a_gap_without_its_init_scripts_is_named_on_its_line() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    bed.ok(["open", &site.url("/title/Before")]);
    bed.ok([
        "js",
        "await session.Page.addScriptToEvaluateOnNewDocument({source: 'globalThis.first = 1'})",
    ]);
    let there = site.url("/title/Meanwhile");
    bed.page(
        "default",
        &format!("setTimeout(() => location.href = '{there}', 1000); 1"),
    );
    proxy.answer_upgrades(Answer::status(503), Duration::from_millis(2500));
    assert!(proxy.rst() > 0, "there was a connection to cut");
    // Nothing is asked of the page before: a question that meets the cut is an unknown outcome.
    let told = format!("; without its init scripts: {there} --");
    eventually("the line", || has(&lines(&bed, &[]), &told));
    assert_eq!(bed.title("default"), "Meanwhile");
    assert_eq!(bed.page("default", "String(globalThis.first)"), "undefined");
    // From the next document on they run again.
    bed.ok(["tab", "reload"]);
    assert_eq!(bed.page("default", "String(globalThis.first)"), "1");
}

#[test]
fn a_loss_is_a_line_and_what_was_said_meanwhile_comes_back_once() {
    let (bed, chromium) = (Bed::new(), chromium());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    count(&bed, 150, 20);
    eventually("it counts", || counted(&bed) > 5);
    // Nothing comes through for a while, and the page goes on.
    proxy.answer_upgrades(Answer::status(503), Duration::from_millis(700));
    assert!(proxy.rst() > 0, "there was a connection to cut");
    eventually("it is done", || counted(&bed) == 150);
    eventually("the last one is there", || {
        has(&lines(&bed, &[]), " tick 149")
    });

    let all = lines(&bed, &[]);
    check_ticks(&all, 150);
    let gaps: Vec<_> = all.iter().filter(|line| line.contains("-- GAP")).collect();
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    assert!(
        gaps[0].contains("connection lost") && gaps[0].contains("recovered, nothing missed"),
        "{gaps:#?}"
    );
    // Network cannot be had back, and that is said as well.
    let network = bed.ok(["network"]);
    assert!(network.contains("does not replay requests"), "{network}");
    // No filter of content hides it.
    assert!(has(&lines(&bed, &["--type", "error"]), "-- GAP"));
    let (_, found) = bed.json(["console", "--all"]);
    let entries = found["data"]["entries"].as_array().unwrap();
    let gap = entries.iter().find(|entry| entry["kind"] == "gap").unwrap();
    assert_eq!(
        (gap["result"].as_str(), gap["same_browser"].as_bool()),
        (Some("complete"), Some(true))
    );
    assert!(gap["recovered"].as_u64().unwrap() > 0, "{gap}");
    assert!(
        gap["epoch_to"].as_u64() > gap["epoch_from"].as_u64(),
        "{gap}"
    );
    let number = gap["number"].to_string();
    let detail = bed.ok(["console", &number]);
    assert!(detail.contains("same browser: yes"), "{detail}");
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["gaps"], 1, "{status}");
}

/// Ends a daemon without warning. It is gone when its last thread is: until then the socket takes
/// connections that nobody answers.
pub(crate) fn kill(pid: u32) {
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
    let threads = || std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    eventually("it is gone", || !alive(pid) && threads() <= 1);
}

#[test]
fn a_killed_daemon_loses_nothing_that_the_browser_has() {
    let bed = Bed::new();
    bed.ok(["open"]);
    count(&bed, 100, 20);
    // Some of them saved, some not yet, some said while nobody listened.
    eventually("it counts", || counted(&bed) > 30);
    let pid = bed.daemon_pid();
    kill(pid);
    eventually("it is done", || counted(&bed) == 100);
    eventually("the last one is there", || {
        has(&lines(&bed, &[]), " tick 99")
    });
    let all = lines(&bed, &[]);
    check_ticks(&all, 100);
    let gaps: Vec<_> = all.iter().filter(|line| line.contains("-- GAP")).collect();
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    assert!(gaps[0].contains("the daemon was restarted"), "{gaps:#?}");

    // Also one that is stopped in good order leaves a gap, and numbers go on.
    bed.ok(["daemon", "stop"]);
    bed.page("default", "console.log('behind the restart')");
    eventually("it is recorded", || {
        has(&lines(&bed, &[]), "behind the restart")
    });
    let again = lines(&bed, &[]);
    assert_eq!(again[..all.len()], all[..]);
    check_ticks(&again, 100);
    assert_eq!(again.len(), all.len() + 2, "{again:#?}");
}

/// The gap began at the last entry, however long ago that was: a session in which nothing happens writes nothing.
#[test]
fn the_gap_of_a_killed_daemon_begins_when_it_was_last_there() {
    let bed = Bed::new();
    bed.ok(["open"]);
    bed.page("default", "console.log('the last one')");
    eventually("it is recorded", || has(&lines(&bed, &[]), "the last one"));
    let said = std::time::SystemTime::now();
    let mark = bed.home().join("data/alive/default");
    let is_there = |after: std::time::SystemTime| {
        std::fs::metadata(&mark).is_ok_and(|about| about.modified().unwrap() > after)
    };
    // So much later that the line, which shows whole seconds, differs.
    eventually("the daemon lives on", || {
        is_there(said + std::time::Duration::from_secs(3))
    });
    kill(bed.daemon_pid());
    bed.ok(["tab"]);
    let entries = |all: &serde_json::Value| all["data"]["entries"].as_array().unwrap().clone();
    let mut gap = serde_json::Value::Null;
    eventually("the gap is over", || {
        let (_, all) = bed.json(["console"]);
        gap = entries(&all)
            .into_iter()
            .find(|entry| entry["kind"] == "gap")
            .unwrap_or_default();
        gap["to"].is_string()
    });
    // All of these times are written in the same way, which sorts as they do.
    let (_, all) = bed.json(["console"]);
    let last = entries(&all)[0]["time"].as_str().unwrap().to_owned();
    let from = gap["from"].as_str().unwrap().to_owned();
    let seconds = |time: &str| {
        let clock = &time[time.find('T').unwrap() + 1..];
        let parts: Vec<u64> = clock[..8]
            .split(':')
            .map(|part| part.parse().unwrap())
            .collect();
        parts[0] * 3600 + parts[1] * 60 + parts[2]
    };
    // Modulo a day, should it be midnight.
    let between = (seconds(&from) + 86_400 - seconds(&last)) % 86_400;
    assert!((2..43_200).contains(&between), "{last} {gap}");
    bed.ok(["close"]);
    assert!(!mark.exists(), "nothing is left of a closed session");
}

#[test]
fn nothing_is_recorded_when_nobody_wants_it() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", "--no-record", &site.url("/console?n=1")]);
    bed.ok([
        "--session",
        "half",
        "open",
        "--record",
        "network",
        &site.url("/console?n=1"),
    ]);
    eventually("requests", || {
        !bed.ok(["--session", "half", "network"]).is_empty()
    });
    for session in ["default", "half"] {
        let ran = bed.run(["--session", session, "console"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{session}");
        assert!(ran.stderr.contains("does not record"), "{}", ran.stderr);
    }
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["record"], "none");
    assert_eq!(bed.run(["network"]).stdout, "");
    bed.ok(["reconnect"]);
    assert_eq!(bed.run(["console"]).stdout, "", "not even gaps");
}

#[test]
fn entries_go_to_files_of_three_kinds() {
    let bed = Bed::new();
    bed.ok(["open"]);
    bed.page("default", "console.log('one'); console.error('two')");
    eventually("both", || lines(&bed, &[]).len() == 2);
    let file = |name: &str| bed.home().join(name).to_str().unwrap().to_owned();
    let (text, array, objects) = (file("a.txt"), file("a.json"), file("a.jsonl"));
    bed.ok(["console", "save", &text]);
    let written = std::fs::read_to_string(&text).unwrap();
    assert_eq!(written.lines().collect::<Vec<_>>(), lines(&bed, &[]));
    bed.ok(["console", "save", &array, "--type", "error"]);
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&array).unwrap()).unwrap();
    assert_eq!(written.as_array().unwrap().len(), 1);
    assert_eq!(written[0]["text"], "two");
    let (_, said) = bed.json(["console", "save", &objects]);
    assert_eq!(said["data"]["entries"], 2);
    let written = std::fs::read_to_string(&objects).unwrap();
    for (line, text) in written.lines().zip(["one", "two"]) {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["text"], text);
    }
    let said = bed.fails(1, ["console", "save", "/nonexistent/place/x.txt"]);
    assert!(said.contains("/nonexistent/place/x.txt"), "{said}");
}

#[test]
fn a_snippet_that_disables_domains_does_not_end_the_recording() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Recorded")]);
    bed.page("default", "console.log('said before')");
    eventually("the first", || has(&lines(&bed, &[]), "said before"));
    let code = "for (const domain of ['Runtime', 'Log', 'Network']) {\n\
                  await session[domain].enable();\n\
                  await session[domain].disable();\n\
                }\nreturn 'done'";
    assert_eq!(bed.run_with(["js"], code).stdout, "done\n");
    bed.page("default", "console.log('said after')");
    bed.page(
        "default",
        "fetch('/title/fetched-after').then(done => done.status)",
    );
    eventually("the second", || has(&lines(&bed, &[]), "said after"));
    eventually("the request", || {
        bed.ok(["network"]).contains("/title/fetched-after")
    });
    let all = lines(&bed, &[]);
    for text in ["said before", "said after"] {
        let times = all.iter().filter(|line| line.contains(text)).count();
        assert_eq!(times, 1, "{text}: {all:#?}");
    }
}

#[test]
fn a_snippet_that_enables_runtime_is_told_of_the_contexts_that_are_there() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Contexts")]);
    bed.page("default", "console.log('said once')");
    eventually("it is there", || has(&lines(&bed, &[]), "said once"));
    let code = "const main = event => event.context.auxData.isDefault;\n\
                const told = session.waitFor('Runtime.executionContextCreated', main, 20000);\n\
                await session.Runtime.enable();\n\
                const contextId = (await told).context.id;\n\
                const expression = 'document.title';\n\
                return (await session.Runtime.evaluate({expression, contextId})).result.value";
    for _ in 0..2 {
        let ran = bed.run_with(["js"], code);
        assert_eq!(ran.stdout, "Contexts\n", "{}", ran.stderr);
    }
    let all = lines(&bed, &[]);
    let times = all.iter().filter(|line| line.contains("said once")).count();
    assert_eq!(times, 1, "{all:#?}");
}
