//! What can be lost, by name: the state, the exit code and what to type next.

use keeptab_testkit::{Chromium, Site};

use crate::bed::{Bed, alive, chromium, eventually, site};

const ASK: [&str; 2] = ["js", "await session.Runtime.evaluate({expression: '1'})"];

fn attached() -> (Bed, Chromium, Site) {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    bed.ok(["tab", "new", &site.url("/title/Mine")]);
    (bed, chromium, site)
}

fn state(bed: &Bed) -> String {
    let (_, status) = bed.json(["status"]);
    status["data"]["state"].as_str().unwrap().to_owned()
}

/// Kills a process that this test has caused to be started.
pub(crate) fn kill(pid: u32) {
    assert!(pid > 1);
    let killed = std::process::Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success(), "there was a process to kill");
}

/// A number in the state file of the keeper of session `default`.
pub(crate) fn of_keeper(bed: &Bed, field: &str) -> u32 {
    let text = std::fs::read_to_string(bed.home().join("data/keepers/default.keeper")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    u32::try_from(state[field].as_u64().unwrap()).unwrap()
}

#[test]
fn a_crashed_page_is_named_and_comes_back_by_a_reload() {
    let (bed, chromium, _site) = attached();
    for pid in chromium.renderer_pids() {
        chromium.kill_renderer(pid);
    }
    eventually("the crash is noticed", || {
        bed.ok(["tab"]).contains("(crashed)")
    });
    let (code, said) = bed.json(ASK);
    assert_eq!(
        (code, said["error"]["code"].as_str()),
        (6, Some("tab_crashed")),
        "{said}"
    );
    assert!(
        said["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("keeptab tab reload"),
        "{said}"
    );
    assert_eq!(state(&bed), "connected", "the browser is not at fault");
    bed.ok(["tab", "reload"]);
    eventually("it is back", || bed.run(ASK).code == 0);
    let listed = bed.ok(["tab"]);
    let active = listed.lines().find(|line| line.starts_with("* "));
    assert!(!active.unwrap().contains("(crashed)"), "{listed}");
}

const LOOP: &str = "await session.Runtime.evaluate({expression: 'for(;;);'})";

#[test]
fn a_page_that_loops_is_hung_and_comes_back_by_a_reload() {
    let (bed, _chromium, site) = attached();
    let (code, said) = bed.json(["--timeout", "25s", "js", LOOP]);
    assert_eq!(
        (code, said["error"]["code"].as_str()),
        (124, Some("tab_hung")),
        "{said}"
    );
    let hint = said["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("keeptab tab reload"), "{said}");
    assert!(hint.contains("keeptab tab close"), "{said}");
    assert!(bed.ok(["tab"]).contains("(hung)"));
    // Another tab is not held up.
    bed.ok(["tab", "new", &site.url("/title/Other")]);
    assert_eq!(bed.title("default"), "Other");
    bed.ok(["tab", "reload", "title/Mine"]);
    bed.ok(["tab", "switch", "title/Mine"]);
    assert_eq!(bed.title("default"), "Mine");
}

#[test]
fn a_reload_is_only_done_when_the_page_has_a_new_document() {
    let (bed, _chromium, _site) = attached();
    bed.page("default", "globalThis.mark = 'old'");
    // Too short for anybody to know that the page is hung.
    bed.fails(124, ["--timeout", "3s", "js", LOOP]);
    bed.ok(["tab", "reload"]);
    assert_eq!(bed.page("default", "String(globalThis.mark)"), "undefined");
}

#[test]
fn a_reload_that_ends_on_an_error_page_is_not_done() {
    let (bed, _chromium, site) = attached();
    let address = site.url("/title/Mine");
    drop(site);
    let (code, said) = bed.json(["tab", "reload"]);
    let error = &said["error"];
    assert_eq!(
        (code, error["code"].as_str()),
        (1, Some("failed")),
        "{said}"
    );
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&address), "{said}");
    assert!(message.contains("net::ERR_CONNECTION_REFUSED"), "{said}");
    assert_eq!(error["details"]["net_error"], "net::ERR_CONNECTION_REFUSED");
    assert!(
        error["hint"].as_str().unwrap().contains("tab reload"),
        "{said}"
    );
}

#[test]
fn a_loop_that_outlived_its_connection_is_said_to_be_hung_and_is_only_closed() {
    let (bed, _chromium, _site) = attached();
    bed.fails(124, ["--timeout", "3s", "js", LOOP]);
    // Chromium lets no connection end a loop that is older than itself.
    bed.ok(["reconnect"]);
    let said = bed.fails(124, ["--timeout", "6s", "tab", "reload"]);
    assert!(said.contains("keeptab tab close"), "{said}");
    bed.ok(["tab", "close"]);
    assert!(!bed.ok(["tab"]).contains("* "));
}

#[test]
fn a_tab_that_another_client_closes_is_gone() {
    let (bed, chromium, _site) = attached();
    bed.ok([
        "--session",
        "other",
        "attach",
        "--port",
        &chromium.port().to_string(),
    ]);
    let (_, tabs) = bed.json(["tab"]);
    let id = tabs["data"]["tabs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|tab| tab["active"] == true)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // Past the fence between sessions, as a person or another program would.
    let url = format!("http://127.0.0.1:{}/json/close/{id}", chromium.port());
    let closed = std::process::Command::new("curl")
        .args(["-sS", &url])
        .output()
        .unwrap();
    assert!(closed.status.success());
    eventually("it is gone", || !bed.ok(["tab"]).contains("/title/Mine"));
    let (code, said) = bed.json(ASK);
    assert_eq!(
        (code, said["error"]["code"].as_str()),
        (6, Some("tab_gone")),
        "{said}"
    );
    assert!(
        said["error"]["message"]
            .as_str()
            .unwrap()
            .contains("/title/Mine"),
        "{said}"
    );
}

#[test]
fn the_death_of_an_attached_browser_is_final() {
    let (bed, chromium, _site) = attached();
    chromium.kill();
    eventually("it is given up", || state(&bed) == "disconnected");
    let (code, said) = bed.json(ASK);
    assert_eq!(code, 8, "{said}");
    assert_eq!(bed.run(["status"]).code, 8);
    assert!(
        bed.run(["status"]).stdout.contains("try: keeptab"),
        "a way on is named"
    );
}

#[test]
fn another_browser_in_its_place_is_not_taken_for_ours() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    bed.ok(["attach", "--profile", &chromium.profile().to_string_lossy()]);
    bed.ok(["tab", "new", &site.url("/title/Mine")]);
    let _other = keeptab_testkit::block_on(chromium.restart());
    eventually("it is told apart", || state(&bed) == "browser_replaced");
    let (code, said) = bed.json(ASK);
    assert_eq!(
        (code, said["error"]["code"].as_str()),
        (8, Some("browser_replaced")),
        "{said}"
    );
    assert!(
        said["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("keeptab attach"),
        "{said}"
    );
}

#[test]
fn a_silent_browser_is_named_and_comes_back_as_it_was() {
    let (bed, chromium, _site) = attached();
    bed.page("default", "globalThis.mark = 'same'");
    chromium.freeze();
    eventually("its silence is noticed", || state(&bed) != "connected");
    assert_eq!(bed.run(["status"]).code, 8);
    chromium.thaw();
    eventually("it is back", || state(&bed) == "connected");
    assert_eq!(bed.page("default", "globalThis.mark"), "same");
}

#[test]
fn a_launched_browser_that_dies_is_an_error_and_never_a_fresh_one() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    kill(of_keeper(&bed, "browserPid"));
    eventually("the death is noticed", || state(&bed) == "browser_gone");
    let (code, said) = bed.json(ASK);
    assert_eq!(
        (code, said["error"]["code"].as_str()),
        (8, Some("browser_gone")),
        "{said}"
    );
    bed.fails(8, ["open", &site.url("/title/Fresh")]);
    assert_eq!(site.hits("/title/Fresh"), 0);
    bed.fails(8, ["tab"]);
    bed.fails(8, ["dialog"]);
}

#[test]
fn the_death_of_a_keeper_is_loud() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Mine")]);
    let browser = of_keeper(&bed, "browserPid");
    kill(of_keeper(&bed, "pid"));
    eventually("the death is noticed", || state(&bed) == "keeper_died");
    let (code, said) = bed.json(ASK);
    assert_eq!(
        (code, said["error"]["code"].as_str()),
        (8, Some("keeper_died")),
        "{said}"
    );
    assert!(
        said["error"]["message"]
            .as_str()
            .unwrap()
            .contains("keeper died"),
        "{said}"
    );
    assert!(
        said["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("keeptab close"),
        "{said}"
    );
    bed.ok(["close"]);
    eventually("nothing is left", || !alive(browser));
    bed.ok(["open", &site.url("/title/Again")]);
}
