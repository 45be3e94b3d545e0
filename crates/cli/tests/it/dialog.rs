use keeptab_testkit::{Chromium, FaultProxy, Site, block_on};

use crate::bed::{Bed, chromium, eventually, site};

fn at_dialogs(endpoint: impl FnOnce(&Chromium) -> [String; 3]) -> (Bed, Chromium, Site) {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    bed.ok(endpoint(&chromium));
    bed.ok(["tab", "new", &site.url("/dialogs")]);
    (bed, chromium, site)
}

fn direct(chromium: &Chromium) -> [String; 3] {
    [
        "attach".into(),
        "--port".into(),
        chromium.port().to_string(),
    ]
}

/// Lets the page open a dialog by itself, and waits until it is noticed.
fn ask(bed: &Bed, kind: &str) {
    bed.page("default", &format!("setTimeout(() => ask('{kind}'), 20)"));
    eventually("the dialog is noticed", || bed.run(["dialog"]).code == 0);
}

fn answer(bed: &Bed) -> String {
    eventually("the page goes on", || {
        bed.page("default", "'answer' in window") == "true"
    });
    bed.page("default", "String(window.answer)")
}

#[test]
fn without_one_there_is_nothing_to_answer() {
    let (bed, _chromium, _site) = at_dialogs(direct);
    for args in [
        &["dialog"][..],
        &["dialog", "accept"],
        &["dialog", "dismiss"],
    ] {
        let said = bed.fails(6, args);
        assert!(said.contains("no dialog is open"), "{said}");
    }
    bed.fails(6, ["--session", "nobody", "dialog"]);
}

#[test]
fn it_is_shown_and_accepted_or_dismissed() {
    let (bed, _chromium, _site) = at_dialogs(direct);
    ask(&bed, "confirm");
    let shown = bed.ok(["dialog"]);
    assert!(
        shown.starts_with("confirm: ") && shown.contains("/dialogs"),
        "{shown}"
    );
    let blocked = bed.fails(
        1,
        ["js", "await session.Runtime.evaluate({expression: '1'})"],
    );
    assert!(blocked.contains("keeptab dialog accept"), "{blocked}");
    assert!(bed.ok(["tab"]).contains("(dialog-blocked)"));
    bed.ok(["dialog", "accept"]);
    assert_eq!(answer(&bed), "true");
    bed.page("default", "delete window.answer");
    ask(&bed, "confirm");
    let ran = bed.run(["dialog", "dismiss"]);
    assert!(ran.stderr.contains("dismissed confirm"), "{}", ran.stderr);
    assert_eq!(answer(&bed), "false");
}

#[test]
fn a_prompt_takes_what_is_typed_or_its_own_proposal() {
    let (bed, _chromium, _site) = at_dialogs(direct);
    ask(&bed, "prompt");
    bed.ok(["dialog", "accept", "Ada \"the first\""]);
    assert_eq!(answer(&bed), "Ada \"the first\"");
    bed.page(
        "default",
        "delete window.answer; setTimeout(() => { window.answer = prompt('name', 'Grace') }, 20)",
    );
    eventually("the dialog is noticed", || bed.run(["dialog"]).code == 0);
    let (_, shown) = bed.json(["dialog"]);
    assert_eq!(shown["data"]["default_prompt"], "Grace", "{shown}");
    bed.ok(["dialog", "accept"]);
    assert_eq!(answer(&bed), "Grace");
}

#[test]
fn leaving_a_page_that_objects() {
    let (bed, _chromium, site) = at_dialogs(direct);
    bed.ok(["tab", "new", &site.url("/beforeunload")]);
    // Only a page that somebody has touched may object.
    bed.ok([
        "js",
        "await session.Runtime.evaluate({expression: '1', userGesture: true})",
    ]);
    for type_ in ["mousePressed", "mouseReleased"] {
        let click = format!(
            "await session.Input.dispatchMouseEvent({{type: '{type_}', x: 20, y: 20, button: 'left', clickCount: 1}})"
        );
        bed.ok(["js", &click]);
    }
    let go = format!(
        "await session.Page.navigate({{url: '{}'}})",
        site.url("/title/Left")
    );
    let said = bed.fails(1, ["js", &go]);
    assert!(said.contains("beforeunload"), "{said}");
    assert!(bed.ok(["dialog"]).starts_with("beforeunload"));
    bed.ok(["dialog", "accept"]);
    eventually("it is left", || bed.ok(["tab"]).contains("/title/Left"));
}

#[test]
fn after_a_drop_a_connection_that_saw_it_can_still_answer() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    bed.ok(["tab", "new", &site.url("/dialogs")]);
    bed.ok([
        "--session",
        "beside",
        "attach",
        "--port",
        &chromium.port().to_string(),
    ]);
    ask(&bed, "confirm");
    assert!(proxy.rst() > 0);
    eventually("the link is back", || {
        bed.json(["status"]).1["data"]["epoch"] == 2
    });
    let ran = bed.run(["dialog", "accept"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("session beside"), "{}", ran.stderr);
    assert_eq!(answer(&bed), "true");
}

#[test]
fn after_a_drop_that_left_it_unreachable_the_way_out_is_named_and_works() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    bed.ok(["tab", "new", &site.url("/dialogs")]);
    ask(&bed, "alert");
    assert!(proxy.rst() > 0);
    eventually("the link is back", || {
        bed.json(["status"]).1["data"]["epoch"] == 2
    });
    let ran = bed.run(["dialog"]);
    assert!(
        ran.code == 0 && ran.stderr.contains("keeptab tab reload"),
        "{}",
        ran.stderr
    );
    let said = bed.fails(1, ["dialog", "accept"]);
    assert!(said.contains("keeptab tab reload"), "{said}");
    bed.ok(["tab", "reload"]);
    eventually("the page is usable", || bed.run(["dialog"]).code == 6);
    assert_eq!(bed.page("default", "1 + 1"), "2");
}

#[test]
fn snippets_that_a_dialog_or_a_crash_stops_are_told_what_to_type() {
    let (bed, chromium, site) = at_dialogs(direct);
    ask(&bed, "confirm");
    let ask_again = ["js", "await session.Runtime.evaluate({expression: '1'})"];
    let said = bed.fails(1, ask_again);
    assert!(!said.contains("Page.handleJavaScriptDialog"), "{said}");
    assert_eq!(said.matches("keeptab dialog accept").count(), 1, "{said}");
    // The same from another tab, with the way there.
    let (_, tabs) = bed.json(["tab"]);
    let tabs = tabs["data"]["tabs"].as_array().unwrap().clone();
    let blocked = tabs.iter().find(|tab| tab["active"] == true).unwrap();
    let id = blocked["id"].as_str().unwrap();
    bed.ok(["tab", "new", &site.url("/title/Other")]);
    let code = format!(
        "await cdp.send({{method: 'Runtime.evaluate', params: {{expression: '1'}}, sessionId: 'target:{id}'}})"
    );
    let said = bed.fails(1, ["js", &code]);
    assert!(
        said.contains(&format!(
            "keeptab tab switch {}, then: keeptab dialog",
            &id[..8]
        )),
        "{said}"
    );
    bed.ok(["tab", "switch", &id[..8]]);
    bed.ok(["dialog", "accept"]);
    for pid in chromium.renderer_pids() {
        chromium.kill_renderer(pid);
    }
    eventually("the crash is noticed", || {
        bed.ok(["tab"]).contains("(crashed)")
    });
    let said = bed.fails(6, ask_again);
    assert_eq!(said.matches("keeptab tab reload").count(), 1, "{said}");
}
