use crate::bed::{Bed, eventually, site};

fn lines(bed: &Bed, args: &[&str]) -> Vec<String> {
    let all = [&["network"], args].concat();
    bed.ok(all).lines().map(str::to_owned).collect()
}

fn fetch(bed: &Bed, path: &str) {
    let code = format!(
        "const done = await session.Runtime.evaluate({{expression: 'fetch(\"{path}\").then(a => a.text()).then(t => t.length)', \
         awaitPromise: true}}); return done.result.value"
    );
    bed.ok(["js", &code]);
}

#[test]
fn what_a_page_asks_for_is_there_and_can_be_filtered() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    fetch(&bed, "/echo?hello=world");
    fetch(&bed, "/status/404");
    fetch(&bed, "/big?mb=1");
    fetch(&bed, "/slow?ms=300");
    eventually("all answers", || {
        lines(&bed, &["--type", "fetch"])
            .iter()
            .filter(|line| !line.contains("pending"))
            .count()
            == 4
    });
    let first = &lines(&bed, &["--type", "document"])[0];
    assert!(
        first.starts_with("01 GET http://")
            && first.contains("/ 200 ")
            && first.contains(" document "),
        "{first}"
    );
    for (args, expected) in [
        (
            &["--status", "4xx", "--type", "fetch"] as &[&str],
            "/status/404",
        ),
        (&["--failed", "--type", "fetch"], "/status/404"),
        (&["--min-size", "500KB"], "/big"),
        (&["--url", "*/slow*"], "/slow"),
        (&["--min-duration", "250ms", "--url", "slow"], "/slow"),
        (&["--find", "hello=world"], "/echo"),
        (&["--mime", "html", "--url", "slow"], "/slow"),
    ] {
        let found = lines(&bed, args);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{args:?}: {found:#?}"
        );
    }
    let ran = bed.run(["network", "--method", "POST"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    let said = bed.fails(2, ["network", "--status", "many"]);
    assert!(said.contains("--status 4xx"), "{said}");
    bed.fails(6, ["network", "999"]);
}

fn number(bed: &Bed, url: &str) -> String {
    let (_, found) = bed.json(["network", "--url", url, "--tail", "1"]);
    let entries = found["data"]["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["kind"] == "network");
    entry.unwrap()["number"].to_string()
}

#[test]
fn an_entry_has_headers_timing_and_the_body_also_after_a_restart() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    // The second page of a site: nothing of it is missed while the browser changes processes.
    let page = site.url("/title/With%20a%20body");
    bed.ok([
        "js",
        &format!("await session.Page.navigate({{url: '{page}'}})"),
    ]);
    let small = "<!doctype html><meta charset=\"utf-8\"><title>With a body</title>";
    eventually("it is asked for", || {
        !lines(&bed, &["--url", "/title/"]).is_empty()
    });
    let first = number(&bed, "/title/");
    eventually("the body of the page", || {
        bed.ok(["network", &first]).contains(small)
    });
    let detail = bed.ok(["network", &first]);
    for part in [
        "status: 200 OK",
        "timing: ",
        "wait ",
        "request headers:",
        "response headers:",
        "cache-control: no-store",
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    // Large enough to be a file.
    fetch(&bed, "/big?mb=2");
    let number = number(&bed, "/big");
    eventually("the large body", || {
        bed.ok(["network", &number]).len() > 2 << 20
    });
    let (_, entry) = bed.json(["network", &number]);
    assert_eq!(entry["data"]["body"].as_str().unwrap().len(), 2 << 20);
    assert_eq!(entry["data"]["entry"]["body"]["bytes"], 2 << 20);

    eventually("it is saved", || {
        std::fs::metadata(bed.home().join("data/store.db")).is_ok()
    });
    std::thread::sleep(std::time::Duration::from_secs(1));
    let pid = bed.daemon_pid();
    crate::console::kill(pid);
    assert!(bed.ok(["network", &first]).contains(small));
    assert_eq!(
        bed.ok(["network", &number]).matches("xxxx").count() * 4,
        2 << 20
    );
    assert!(bed.ok(["network"]).contains("the daemon was restarted"));
}

#[test]
fn why_there_is_no_body_is_said() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    bed.page("default", "fetch('/slow?ms=60000'); 1");
    eventually("it is under way", || {
        !lines(&bed, &["--url", "slow"]).is_empty()
    });
    let detail = bed.ok(["network", &number(&bed, "slow")]);
    assert!(
        detail.contains("response body: not kept: it has not come yet"),
        "{detail}"
    );
    bed.page(
        "default",
        "fetch('/big?mb=9').then(a => a.text()).then(() => 1); 1",
    );
    eventually("it is complete", || {
        let detail = bed.ok(["network", &number(&bed, "/big")]);
        detail.contains("too large to be kept")
    });
}

#[test]
fn a_request_that_a_snippet_s_disable_may_have_hidden_is_a_line() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    fetch(&bed, "/echo?before");
    bed.ok(["js", "await session.Network.disable(); 1"]);
    fetch(&bed, "/echo?after");
    let hidden = |line: &String| line.contains("GAP") && line.contains("switched Network off");
    eventually("both requests", || {
        lines(&bed, &["--type", "fetch", "--url", "/echo"]).len() >= 2
    });
    eventually("the line", || lines(&bed, &[]).iter().any(hidden));
    let all = lines(&bed, &[]);
    let at = |text: &str| all.iter().position(|line| line.contains(text)).unwrap();
    let line = all.iter().position(hidden).unwrap();
    assert!(at("?before") < line && line < at("?after"), "{all:#?}");
    // The console misses nothing: the browser tells again what it has.
    assert!(!bed.ok(["console"]).contains("GAP"));
}

#[test]
fn a_snippet_that_detaches_from_its_tab_leaves_a_line_and_the_recording_goes_on() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    fetch(&bed, "/echo?before");
    let detach = "const tab = (await listPageTargets())[0]; \
                  await cdp.send({method: 'Target.detachFromTarget', params: {sessionId: 'target:' + tab.targetId}}); return 'done'";
    assert_eq!(bed.run_with(["js"], detach).stdout, "done\n");
    let detached = |line: &String| line.contains("GAP") && line.contains("a snippet detached");
    eventually("the line", || lines(&bed, &[]).iter().any(detached));
    let mut n = 0;
    // The first may come before the tab is listened to again.
    eventually("it is recorded again", || {
        n += 1;
        fetch(&bed, &format!("/echo?after={n}"));
        !lines(&bed, &["--type", "fetch", "--url", "after="]).is_empty()
    });
}

/// Its first requests were once missed, in silence, when the tab was navigated before it had heard of the recording.
#[test]
fn the_first_page_of_a_session_is_recorded_from_its_first_request() {
    let (bed, site) = (Bed::new(), site());
    // At once, so that each is slow.
    let sessions = ["a", "b", "c", "d"];
    std::thread::scope(|scope| {
        for name in sessions {
            let (bed, url) = (&bed, site.url("/asks"));
            scope.spawn(move || bed.ok(["--session", name, "open", &url]));
        }
    });
    for name in sessions {
        let network = || bed.ok(["--session", name, "network"]);
        eventually("all of it, or a line that says that it is not", || {
            let told = network();
            let all = ["GET ", "GET /echo?first", "POST /echo?second"];
            let all = all.map(|what| what.replace(' ', &format!(" {}", site.url(""))));
            all.iter().all(|what| told.contains(what.as_str()))
                || told.contains("the tab did not answer when it was to be listened to")
        });
        assert!(!network().contains(" ? "), "{}", network());
    }
}
