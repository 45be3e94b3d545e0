//! What a session does by itself, when it was told to.

use crate::bed::{Bed, chromium, eventually, site};
use crate::losses::{kill, of_keeper};

#[test]
fn they_are_shown_kept_and_changed_one_by_one() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", "--on-crash", "reload", &site.url("/title/A")]);
    let policies = |bed: &Bed| bed.json(["status"]).1["data"]["policies"].clone();
    assert_eq!(
        policies(&bed),
        serde_json::json!({"on_crash": "reload", "on_browser_death": "fail"})
    );
    bed.ok(["open", "--on-browser-death", "relaunch"]);
    bed.ok(["daemon", "restart"]);
    assert_eq!(
        policies(&bed),
        serde_json::json!({"on_crash": "reload", "on_browser_death": "relaunch"})
    );
    // The new daemon takes the browser over in its own time, and says so meanwhile with exit 8.
    eventually("the browser is taken over", || {
        bed.run(["status"]).code == 0
    });
    assert!(
        bed.ok(["status"])
            .contains("on crash reload, on browser death relaunch")
    );
    bed.fails(2, ["open", "--on-crash", "panic"]);
}

#[test]
fn a_browser_that_is_not_ours_is_never_launched_again() {
    let (bed, chromium) = (Bed::new(), chromium());
    let port = chromium.port().to_string();
    let said = bed.fails(
        2,
        ["attach", "--port", &port, "--on-browser-death", "relaunch"],
    );
    assert!(said.contains("keeptab open --on-browser-death"), "{said}");
    bed.fails(6, ["status"]);
}

#[test]
fn a_crashed_page_is_loaded_again_at_once_and_that_is_said() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    bed.ok([
        "attach",
        "--port",
        &chromium.port().to_string(),
        "--on-crash",
        "reload",
    ]);
    bed.ok(["tab", "new", &site.url("/title/Mine")]);
    let before = site.hits("/title/Mine");
    for pid in chromium.renderer_pids() {
        chromium.kill_renderer(pid);
    }
    eventually("it was loaded again", || site.hits("/title/Mine") > before);
    eventually("it is usable", || {
        bed.run(["js", "await session.Runtime.evaluate({expression: '1'})"])
            .code
            == 0
    });
    let said = bed.ok(["status"]);
    assert!(said.contains("crashed and was loaded again"), "{said}");
}

#[test]
fn a_dead_browser_is_launched_again_with_tabs_and_settings() {
    let (bed, site) = (Bed::new(), site());
    bed.ok([
        "open",
        "--on-browser-death",
        "relaunch",
        &site.url("/title/First"),
    ]);
    bed.ok(["tab", "new", &site.url("/title/Second")]);
    bed.ok([
        "js",
        "await session.Emulation.setTimezoneOverride({timezoneId: 'Asia/Tokyo'}); \
        await session.Page.addScriptToEvaluateOnNewDocument({source: 'globalThis.initial = 7'})",
    ]);
    let (_, tabs) = bed.json(["tab"]);
    let ids: Vec<String> = tabs["data"]["tabs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tab| tab["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 2, "{tabs}");
    bed.ok(["js", "globalThis.kept = 'the scope'"]);

    kill(of_keeper(&bed, "browserPid"));
    eventually("it was launched again", || {
        bed.run(["status"]).stdout.contains("was launched again")
    });

    let listed = bed.ok(["tab"]);
    assert!(
        listed.contains("/title/First") && listed.contains("/title/Second"),
        "{listed}"
    );
    assert_eq!(listed.lines().count(), 2, "{listed}");
    eventually("the active tab is loaded", || {
        bed.title("default") == "Second"
    });
    let zone = "Intl.DateTimeFormat().resolvedOptions().timeZone";
    assert_eq!(bed.page("default", zone), "Asia/Tokyo");
    assert_eq!(
        bed.page("default", "globalThis.initial"),
        "7",
        "before the first document"
    );
    assert_eq!(bed.ok(["js", "kept"]), "the scope");

    // The old ids are refused, and name the new ones.
    for old in &ids {
        let use_it = format!(
            "await session.use('{old}'); await session.Runtime.evaluate({{expression: '1'}})"
        );
        let said = bed.fails(6, ["js", &use_it]);
        assert!(said.contains("opened again as"), "{said}");
        let said = bed.fails(6, ["tab", "switch", old]);
        assert!(said.contains("keeptab tab switch"), "{said}");
    }
    let said = bed.ok(["status"]);
    for lost in ["sessionStorage", "forms", "heap"] {
        assert!(said.contains(lost), "{said}");
    }
    // Once more: a death may follow another.
    kill(of_keeper(&bed, "browserPid"));
    eventually("it was launched again", || {
        bed.run(["status"])
            .stdout
            .matches("was launched again")
            .count()
            == 2
    });
    assert!(
        bed.fails(6, ["tab", "switch", &ids[0]])
            .contains("opened again as")
    );
}

#[test]
fn also_when_its_keeper_died() {
    let (bed, site) = (Bed::new(), site());
    bed.ok([
        "open",
        "--on-browser-death",
        "relaunch",
        &site.url("/title/First"),
    ]);
    kill(of_keeper(&bed, "pid"));
    eventually("it was launched again", || {
        bed.run(["status"]).stdout.contains("was launched again")
    });
    eventually("the tab is loaded", || bed.title("default") == "First");
}
