use crate::bed::{Bed, chromium, site};

#[test]
fn results_are_printed_raw() {
    let bed = Bed::new();
    for (code, stdout) in [
        ("1 + 1", "2\n"),
        ("'a;b'", "a;b\n"),
        ("({a: 1, b: [2, 3]})", "{\"a\":1,\"b\":[2,3]}\n"),
        ("true", "true\n"),
        ("10n ** 20n", "100000000000000000000\n"),
        ("undefined", ""),
        ("null", ""),
        ("''", ""),
        ("[]", ""),
        ("({})", ""),
        ("const a = 1; a", ""),
        ("const a = 1; return a", "1\n"),
        ("1 // one", "1\n"),
        ("NaN", "NaN\n"),
    ] {
        let ran = bed.run(["js", code]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, stdout),
            "{code}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_snippet_comes_from_an_argument_a_file_or_standard_input() {
    let bed = Bed::new();
    let file = bed.home().join("snippet.js");
    std::fs::write(&file, "const n = 20;\nreturn n + 1;\n").unwrap();
    assert_eq!(bed.ok(["js", "-f", file.to_str().unwrap()]), "21");
    assert_eq!(
        bed.run_with(["js"], "const n = 1\nreturn n + 1\n").stdout,
        "2\n"
    );
    assert_eq!(bed.run_with(["js", "-"], "3").stdout, "3\n");
    let said = bed.fails(2, ["js", "-f", "/no/such/file.js"]);
    assert!(said.contains("/no/such/file.js"), "{said}");
}

#[test]
fn what_is_on_global_this_stays() {
    let bed = Bed::new();
    bed.ok(["js", "globalThis.list = [1]; let gone = 2"]);
    bed.ok(["js", "list.push(2)"]);
    assert_eq!(bed.ok(["js", "list"]), "[1,2]");
    assert_eq!(bed.ok(["js", "typeof gone"]), "undefined");
}

#[test]
fn errors_go_to_standard_error_with_a_stack() {
    let bed = Bed::new();
    let said = bed.fails(
        1,
        ["js", "function inner() { throw new Error('boom') } inner()"],
    );
    assert!(said.contains("boom") && said.contains("inner"), "{said}");
    let said = bed.fails(1, ["js", "const a = ;"]);
    assert!(
        said.contains("SyntaxError") && said.contains('^'),
        "line and caret: {said}"
    );
    let (code, json) = bed.json(["js", "throw new Error('boom')"]);
    assert_eq!((code, json["error"]["code"].as_str()), (1, Some("script")));
    assert!(
        json["error"]["details"]["stderr"]
            .as_str()
            .unwrap()
            .contains("boom")
    );
}

#[test]
fn wrong_names_fail_before_anything_is_sent_with_the_nearest() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    for (code, word) in [
        (
            "await session.Page.navigatte({url: 'about:blank'})",
            "navigate",
        ),
        ("await session.Pagee.navigate({url: 'about:blank'})", "Page"),
        ("await session.Page.navigate({uri: 'about:blank'})", "url"),
    ] {
        let said = bed.fails(1, ["js", code]);
        assert!(said.contains(word), "{code}: {said}");
    }
}

#[test]
fn a_hint_is_given_once() {
    let bed = Bed::new();
    let said = bed.fails(1, ["js", "await session.Pagee.navigate({})"]);
    assert_eq!(said.matches("session.Page?").count(), 1, "{said}");
}

#[test]
fn a_browser_that_says_no_is_exit_one_with_its_code() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    let said = bed.fails(1, ["js", "await session.DOM.describeNode({nodeId: 99999})"]);
    assert!(said.contains("CDP -32"), "{said}");
}

#[test]
fn exceptions_of_the_page_are_seen() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    let code = "await session.Runtime.evaluate({expression: 'nope.nope'}); return 'went on'";
    let ran = bed.run(["js", code]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "went on\n"));
    assert!(ran.stderr.contains("nope is not defined"), "{}", ran.stderr);
    let said = bed.fails(1, ["js", "--strict", code]);
    assert!(said.contains("nope is not defined"), "{said}");
}

#[test]
fn endless_loops_end_at_the_deadline_and_the_session_goes_on() {
    let bed = Bed::new();
    bed.ok(["js", "1"]);
    let ran = bed.run(["--timeout", "1s", "js", "for (;;) {}"]);
    assert_eq!(ran.code, 124, "{}", ran.stderr);
    assert_eq!(bed.ok(["js", "2"]), "2");
}

#[test]
fn memory_without_end_is_stopped() {
    let bed = Bed::new();
    let ran = bed.run([
        "js",
        "const a = []; for (;;) a.push(new Array(10000).fill(1))",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(bed.ok(["js", "2"]), "2");
}

#[test]
fn a_hundred_megabytes_of_output_are_cut_and_said() {
    let bed = Bed::new();
    let ran = bed.run([
        "--timeout",
        "60s",
        "js",
        "const line = 'x'.repeat(1 << 20); for (let i = 0; i < 100; i++) console.log(line)",
    ]);
    assert!(ran.stderr.len() < 20 << 20, "{}", ran.stderr.len());
    let end = &ran.stderr[ran.stderr.len().saturating_sub(500)..];
    assert!(end.contains("cut") || end.contains("more"), "{end}");
    assert_eq!(bed.ok(["js", "2"]), "2");
}

#[test]
fn late_throws_and_unhandled_rejections_kill_nothing() {
    let bed = Bed::new();
    bed.ok(["js", "globalThis.kept = 1; setTimeout(() => { throw new Error('late') }, 10); Promise.reject(new Error('lost'))"]);
    std::thread::sleep(std::time::Duration::from_millis(100));
    let ran = bed.run(["js", "kept"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "1\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_a_browser_it_says_how_to_get_one() {
    let bed = Bed::new();
    let said = bed.fails(
        6,
        ["js", "await session.Page.navigate({url: 'about:blank'})"],
    );
    assert!(said.contains("keeptab open"), "{said}");
}

#[test]
fn a_snippet_can_connect_by_itself() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    bed.ok([
        "js",
        &format!("await session.connect({{wsUrl: '{}'}})", chromium.ws_url()),
    ]);
    let code = format!(
        "const tabs = await listPageTargets();\nawait session.use(tabs[0].targetId);\n\
         await session.Page.enable();\n\
         const loaded = session.waitFor('Page.loadEventFired', () => true, 20000);\n\
         await session.Page.navigate({{url: '{}'}});\nawait loaded;\nreturn tabs.length;",
        site.url("/title/Snippet")
    );
    assert_eq!(bed.run_with(["js"], &code).stdout, "1\n");
    assert_eq!(bed.title("default"), "Snippet");
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["active"]["title"], "Snippet", "{status}");
}

#[test]
fn the_assigned_target_of_the_caller_is_connected_to() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let port = chromium.port().to_string();
    bed.ok(["--session", "maker", "attach", "--port", &port]);
    let (_, opened) = bed.json([
        "--session",
        "maker",
        "tab",
        "new",
        &site.url("/title/Assigned"),
    ]);
    bed.ok(["--session", "maker", "close"]);
    let id = opened["data"]["tab"]["id"].as_str().unwrap();
    let output = bed
        .command()
        .args(["js", "await connectToAssignedTarget()"])
        .env("BU_TARGET_ID", id)
        .env("BU_CDP_PORT", &port)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(bed.title("default"), "Assigned");
    let mut wrong = bed.command();
    let output = wrong
        .args(["js", "1"])
        .env("BU_CDP_PORT", "many")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn navigating_beyond_the_web_and_ending_the_browser_are_refused() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    for code in [
        "await session.Page.navigate({url: 'file:///etc/passwd'})",
        "await session.Browser.close()",
        "await session.Target.exposeDevToolsProtocol({targetId: 'x'})",
    ] {
        let said = bed.fails(7, ["js", code]);
        assert!(said.contains("refused"), "{code}: {said}");
    }
    assert!(chromium.is_running());
}

#[test]
fn a_snippet_that_catches_an_error_can_go_on() {
    let bed = Bed::new();
    let code = "try { await session.Page.enable() } catch (e) { return 'caught' }";
    assert_eq!(bed.ok(["js", code]), "caught");
}

#[test]
fn connecting_to_the_browser_it_holds_keeps_the_active_tab_and_what_was_set() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    bed.ok(["tab", "new", &site.url("/title/Mine")]);
    bed.page("default", "console.log('said before')");
    let profile = chromium.profile().to_string_lossy().into_owned();
    for options in [
        format!("port: {}", chromium.port()),
        format!("port: {}, host: 'localhost'", chromium.port()),
        format!("wsUrl: '{}'", chromium.ws_url()),
        format!("profileDir: '{profile}'"),
    ] {
        bed.ok(["js", &format!("await session.connect({{{options}}})")]);
        assert_eq!(bed.title("default"), "Mine", "{options}");
        let (_, status) = bed.json(["status"]);
        assert_eq!(status["data"]["epoch"], 1, "{options}");
    }
    assert!(bed.ok(["console"]).contains("said before"));
}

#[test]
fn a_result_that_is_cut_is_partial() {
    let bed = Bed::new();
    let ran = bed.run(["js", "'x'.repeat(100e6)"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(ran.stdout.len(), (32 << 20) + 1);
    assert!(ran.stderr.contains("cut at"), "{}", ran.stderr);
    let (code, answer) = bed.json(["js", "'x'.repeat(100e6)"]);
    assert_eq!((code, answer["data"]["cut"].as_bool()), (3, Some(true)));
    let (code, answer) = bed.json(["js", "'x'"]);
    assert_eq!((code, answer["data"]["cut"].as_bool()), (0, Some(false)));
}

#[test]
fn what_reaches_outside_the_page_is_refused_and_the_way_to_allow_it_is_named() {
    let (bed, chromium) = (Bed::new(), chromium());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    let code = "Object.keys(await session.Storage.getCookies())";
    let said = bed.fails(7, ["js", code]);
    assert!(
        said.contains("Storage.getCookies is refused")
            && said.contains("--allow Storage.getCookies"),
        "{said}"
    );
    for allowed in ["Storage.getCookies", "SystemInfo.*,Storage.*"] {
        assert_eq!(bed.ok(["js", "--allow", allowed, code]), r#"["cookies"]"#);
    }
    let mut command = bed.command();
    let output = command
        .args(["js", code])
        .env("KEEPTAB_ALLOW", "Storage.getCookies")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    bed.fails(7, ["js", code]);
    let said = bed.fails(2, ["js", "--allow", "Storage.getCookie", code]);
    assert!(said.contains("--allow Storage.getCookies"), "{said}");
    let ends = "await session.Browser.close()";
    let said = bed.fails(7, ["js", "--allow", "Browser.*", ends]);
    assert!(said.contains("keeptab close"), "{said}");
}
