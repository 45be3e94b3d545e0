use serde_json::Value;

use crate::bed::{Bed, alive, eventually, site};

fn only_tab(bed: &Bed, session: &str) -> String {
    let (code, tabs) = bed.json(["--session", session, "tab"]);
    assert_eq!(code, 0, "{tabs}");
    let all = tabs["data"]["tabs"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{tabs}");
    all[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_browser_that_was_left_behind_is_adopted_as_it_is() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    bed.ok([
        "js",
        "await session.Emulation.setUserAgentOverride({userAgent: 'Robot/1'})",
    ]);
    bed.page("default", "globalThis.mark = 'same document'");
    let tab = only_tab(&bed, "default");
    bed.lose_the_records();

    bed.ok(["daemon", "start"]);
    let said = bed.fails(6, ["status"]);
    assert!(said.contains("keeptab --session default adopt"), "{said}");
    let doctor = bed.ok(["doctor"]);
    assert!(
        doctor.contains("warning  left behind:") && doctor.contains("keeptab sweep"),
        "{doctor}"
    );
    let said = bed.run(["daemon", "status"]);
    assert!(said.stderr.contains("left by: default"), "{}", said.stderr);
    bed.ok(["--session", "other", "js", "1"]);
    let said = bed.run(["--session", "other", "status"]);
    assert!(
        said.stdout
            .contains("left behind by other sessions: default"),
        "{}",
        said.stdout
    );

    let said = bed.run(["adopt"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains("adopted Chrome/"), "{}", said.stderr);
    assert!(said.stdout.contains("/title/Mine"), "{}", said.stdout);
    assert_eq!(only_tab(&bed, "default"), tab, "the same tab");
    assert_eq!(bed.page("default", "globalThis.mark"), "same document");
    assert_eq!(bed.page("default", "navigator.userAgent"), "Robot/1");
    assert!(bed.ok(["doctor"]).contains("ok       left behind:"));

    let again = bed.fails(1, ["adopt"]);
    assert!(again.contains("has a browser already"), "{again}");
    let again = bed.fails(1, ["--session", "other", "adopt", "default"]);
    assert!(again.contains("was not left behind"), "{again}");

    // It is a session like any other: the next daemon has it.
    let pid = bed.daemon_pid();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
    eventually("the daemon is gone", || !alive(pid));
    assert_eq!(bed.page("default", "globalThis.mark"), "same document");
}

#[test]
fn it_can_be_adopted_under_another_name_and_is_then_nobody_elses() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["--session", "shop", "open", &site.url("/title/Cart")]);
    bed.lose_the_records();
    bed.ok(["--session", "mine", "adopt", "shop"]);
    assert_eq!(bed.title("mine"), "Cart");

    let said = bed.fails(1, ["--session", "shop", "open", &site.url("/title/Fresh")]);
    assert!(said.contains("is with session \"mine\""), "{said}");
    let said = bed.fails(1, ["--session", "third", "adopt", "shop"]);
    assert!(said.contains("is with session \"mine\""), "{said}");
    assert_eq!(bed.ok(["sessions"]).lines().count(), 1, "no name is left");
    assert_eq!(bed.title("mine"), "Cart");

    let browser = u32::try_from(bed.keeper("shop")["browserPid"].as_u64().unwrap()).unwrap();
    bed.ok(["--session", "mine", "close"]);
    eventually("its browser has ended", || !alive(browser));
    bed.ok(["--session", "shop", "open", &site.url("/title/Fresh")]);
    assert_eq!(bed.title("shop"), "Fresh");
}

#[test]
fn with_none_or_several_it_says_so() {
    let (bed, site) = (Bed::new(), site());
    let said = bed.fails(6, ["adopt"]);
    assert!(said.contains("no browser was left behind"), "{said}");
    assert!(bed.ok(["sessions"]).is_empty());

    bed.ok(["--session", "ant", "open", &site.url("/title/Ant")]);
    bed.ok(["--session", "bee", "open", &site.url("/title/Bee")]);
    bed.lose_the_records();
    let (code, said) = bed.json(["adopt"]);
    assert_eq!(
        (code, said["error"]["code"].as_str()),
        (2, Some("ambiguous")),
        "{said}"
    );
    let text = said.to_string();
    assert!(text.contains("ant") && text.contains("bee"), "{said}");
    let said = bed.fails(6, ["adopt", "cat"]);
    assert!(said.contains("ant, bee"), "{said}");
    bed.ok(["--session", "bee", "adopt"]);
    assert_eq!(bed.title("bee"), "Bee");
    // Now there is no doubt any more.
    bed.ok(["adopt"]);
    assert_eq!(bed.title("default"), "Ant");
}

#[test]
fn opening_a_session_whose_browser_was_left_behind_touches_none_of_its_tabs() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Before")]);
    bed.page("default", "globalThis.mark = 'typed with care'");
    let before = only_tab(&bed, "default");
    bed.lose_the_records();
    let (code, opened) = bed.json(["open", &site.url("/title/After")]);
    assert_eq!(code, 0, "{opened}");
    assert_ne!(opened["data"]["tab"]["id"], Value::from(before.as_str()));
    assert!(
        opened["data"]["notes"]
            .to_string()
            .contains("still running"),
        "{opened}"
    );
    bed.ok(["tab", "switch", &before]);
    assert_eq!(bed.page("default", "globalThis.mark"), "typed with care");
}
