//! Sessions share nothing: no scope, no tab, no active tab.

use crate::bed::{Bed, chromium, eventually, site};

#[test]
fn scopes_are_apart() {
    let bed = Bed::new();
    bed.ok(["--session", "a", "js", "globalThis.x = 'a'"]);
    assert_eq!(bed.ok(["--session", "b", "js", "typeof x"]), "undefined");
    bed.ok(["--session", "b", "js", "globalThis.x = 'b'"]);
    assert_eq!(bed.ok(["--session", "a", "js", "x"]), "a");
}

#[test]
fn on_one_browser_each_sees_its_own_tabs() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let port = chromium.port().to_string();
    for (session, page) in [("a", "/title/Apple"), ("b", "/title/Bean")] {
        bed.ok(["--session", session, "attach", "--port", &port]);
        bed.ok(["--session", session, "tab", "new", &site.url(page)]);
    }
    let tabs = bed.ok(["--session", "a", "tab"]);
    assert!(tabs.contains("Apple") && !tabs.contains("Bean"), "{tabs}");
    let seen = bed.ok([
        "--session",
        "b",
        "js",
        "(await listPageTargets()).map(t => t.title).join()",
    ]);
    assert!(seen.contains("Bean") && !seen.contains("Apple"), "{seen}");
    let said = bed.fails(6, ["--session", "a", "tab", "switch", "Bean"]);
    assert!(said.contains("Bean"), "{said}");
    assert_eq!(bed.title("a"), "Apple");
    assert_eq!(bed.title("b"), "Bean");
}

#[test]
fn another_sessions_tab_cannot_be_driven_or_closed_by_its_id() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let port = chromium.port().to_string();
    bed.ok(["--session", "a", "attach", "--port", &port]);
    let (_, opened) = bed.json(["--session", "a", "tab", "new", &site.url("/title/Mine")]);
    let id = opened["data"]["tab"]["id"].as_str().unwrap().to_owned();
    bed.ok(["--session", "b", "attach", "--port", &port]);
    for code in [
        format!("await session.use('{id}')"),
        format!("await session.Target.closeTarget({{targetId: '{id}'}})"),
        format!(
            "await cdp.send({{method: 'Runtime.evaluate', params: {{expression: '1'}}, sessionId: 'target:{id}'}})"
        ),
    ] {
        let said = bed.fails(7, ["--session", "b", "js", &code]);
        assert!(said.contains("session \"a\""), "{code}: {said}");
    }
    assert_eq!(bed.title("a"), "Mine");
}

#[test]
fn a_popup_belongs_to_whoever_opened_it() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let port = chromium.port().to_string();
    bed.ok(["--session", "a", "attach", "--port", &port]);
    bed.ok(["--session", "a", "tab", "new", &site.url("/popup")]);
    bed.ok(["--session", "b", "attach", "--port", &port]);
    bed.ok([
        "--session",
        "a",
        "js",
        "await session.Runtime.evaluate({expression: 'open_popup()', userGesture: true})",
    ]);
    eventually("the popup is there", || {
        bed.ok(["--session", "a", "tab"]).contains("Popup")
    });
    assert!(!bed.ok(["--session", "b", "tab"]).contains("Popup"));
}

#[test]
fn two_callers_at_once_in_one_session_both_get_their_own_answer() {
    let bed = Bed::new();
    bed.ok(["js", "globalThis.n = 0"]);
    let callers: Vec<_> = (0..8)
        .map(|number| {
            let code =
                format!("n += 1; await new Promise(r => setTimeout(r, 50)); return {number}");
            bed.command()
                .args(["js", &code])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for (number, caller) in callers.into_iter().enumerate() {
        let output = caller.wait_with_output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            number.to_string()
        );
    }
    assert_eq!(bed.ok(["js", "n"]), "8");
}
