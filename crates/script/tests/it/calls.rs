//! Commands: where they go, what is checked first, and how they fail.

use std::time::Duration;

use keeptab_protocol::Raw;
use keeptab_script::{Assigned, ErrorKind, EvalRequest, ScriptError};

use crate::support::{AMPLE, Rig};

#[tokio::test]
async fn results_come_without_an_envelope() {
    let rig = Rig::on_a_tab();
    rig.host
        .answer("Page.navigate", r#"{"frameId":"F1","loaderId":"L1"}"#);
    assert_eq!(
        rig.out("await session.Page.navigate({url: 'https://example.com'})")
            .await,
        r#"{"frameId":"F1","loaderId":"L1"}"#
    );
    rig.host.answer(
        "Runtime.evaluate",
        r#"{"result":{"type":"string","value":"Example Domain"}}"#,
    );
    let code = "(await session.Runtime.evaluate({expression:\"document.title\",returnByValue:true})).result.value";
    assert_eq!(rig.out(code).await, "Example Domain");
    assert_eq!(rig.out("await session.DOM.enable()").await, "");
    assert_eq!(
        rig.host.commands(),
        [
            r#"Page.navigate target:T1 {"url":"https://example.com"}"#,
            r#"Runtime.evaluate target:T1 {"expression":"document.title","returnByValue":true}"#,
            "DOM.enable target:T1 {}",
        ]
    );
}

#[tokio::test]
async fn browser_and_target_go_to_the_browser_and_the_rest_to_the_active_tab() {
    let rig = Rig::connected();
    rig.out("await session.Browser.getVersion()").await;
    let error = rig.error("await session.Page.enable()").await;
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("no tab is active"), "{error:?}");
    assert!(error.hint.is_some_and(|hint| hint.contains("session.use(")));

    assert_eq!(rig.out("await session.use('T7')").await, "target:T7");
    assert_eq!(rig.out("session.getActiveSession()").await, "target:T7");
    rig.out("await session.Page.enable()").await;
    rig.out("await session.Target.getTargets({})").await;
    rig.out("await session.Page.enable(undefined, {sessionId: 'target:T8'})")
        .await;
    rig.out("session.setActiveSession(undefined)").await;
    assert_eq!(rig.out("session.getActiveSession()").await, "");
    rig.error("await session.Page.enable()").await;
    rig.out("session.setActiveSession('target:T9'); await session.Page.enable()")
        .await;
    assert_eq!(
        rig.host.state.lock().unwrap().active.as_deref(),
        Some("target:T9")
    );
    assert_eq!(
        rig.host.commands(),
        [
            "Browser.getVersion - {}",
            r#"Target.attachToTarget - {"flatten":true,"targetId":"T7"}"#,
            "Page.enable target:T7 {}",
            "Target.getTargets - {}",
            "Page.enable target:T8 {}",
            "Page.enable target:T9 {}",
        ]
    );
}

#[tokio::test]
async fn two_evals_at_once_drive_their_own_tabs() {
    let rig = Rig::on_a_tab();
    rig.host.delay("Page.enable", Duration::from_millis(20));
    let code = |tab: &str| {
        format!(
            "await session.use('{tab}'); for (let i = 0; i < 3; i++) await session.Page.enable(); return session.getActiveSession()"
        )
    };
    let run = |tab| {
        rig.repl
            .eval(EvalRequest::new(code(tab)).with_timeout(AMPLE))
    };
    let (a, b) = tokio::join!(run("A"), run("B"));
    assert_eq!(
        (a.stdout.as_str(), b.stdout.as_str()),
        ("target:A", "target:B")
    );
    let commands = rig.host.commands();
    for tab in ["A", "B"] {
        let sent = commands
            .iter()
            .filter(|c| **c == format!("Page.enable target:{tab} {{}}"))
            .count();
        assert_eq!(sent, 3, "{commands:?}");
    }
}

#[tokio::test]
async fn wrong_names_fail_before_anything_is_sent() {
    let rig = Rig::on_a_tab();
    for (code, message, hint) in [
        (
            "await session.Pge.navigate({url: 'x'})",
            "no domain session.Pge",
            "session.Page",
        ),
        (
            "await session.Page.navigte({url: 'x'})",
            "no method Page.navigte",
            "session.Page.navigate",
        ),
        ("session.conect()", "no name session.conect", ""),
        (
            "await session.Page.navigate({ulr: 'x'})",
            "ulr",
            "keeptab spec Page.navigate",
        ),
        (
            "await session.Page.navigate()",
            "url",
            "keeptab spec Page.navigate",
        ),
        (
            "await session.Page.navigate({url: 5})",
            "url",
            "keeptab spec Page.navigate",
        ),
        (
            "await session.Page.navigate('https://example.com')",
            "takes one object",
            "keeptab spec Page.navigate",
        ),
        ("await session.Page.navigate([1])", "takes one object", ""),
        (
            "await cdp.send({method: 'Page.navigte', params: {}})",
            "navigte",
            "",
        ),
        ("await cdp.send({method: 'Nope.x'})", "Nope", ""),
        ("await cdp.send('Page.enable')", "one object", ""),
        ("await cdp.send({})", "needs a method", ""),
        (
            "await session.waitFor('Page.loadEventFird')",
            "no event Page.loadEventFird",
            "Page.loadEventFired",
        ),
        ("await session.use()", "needs a targetId", ""),
        (
            "session.setActiveSession('ABC')",
            "not a session handle",
            "",
        ),
        ("await session.connect({prot: 9222})", "option prot", "port"),
        ("await session.connect({port: 'x'})", "wrong options", ""),
        ("session.onEvent('x')", "needs a function", ""),
        ("CDP.Pge", "no domain CDP.Pge", "CDP.Page"),
        ("await cdp.spec({domain: 'Pag'})", "no domain Pag", "Page"),
    ] {
        let error = rig.error(code).await;
        assert_eq!(error.kind, ErrorKind::Invalid, "{code}: {error:?}");
        assert!(error.message.contains(message), "{code}: {error:?}");
        assert!(
            error.hint.clone().unwrap_or_default().contains(hint),
            "{code}: {error:?}"
        );
    }
    assert_eq!(rig.host.commands(), [""; 0]);
}

#[tokio::test]
async fn a_browsers_no_is_an_error_with_its_code_and_the_snippets_line() {
    let rig = Rig::on_a_tab();
    rig.host.answer_with("Page.navigate", |_| {
        Err(
            ScriptError::new(ErrorKind::Protocol, "CDP -32602: Invalid parameters")
                .with_code(-32602),
        )
    });
    let outcome = rig
        .eval("const url = 'x';\nawait session.Page.navigate({url})")
        .await;
    assert!(!outcome.ok);
    assert!(
        outcome
            .stderr
            .starts_with("Error: CDP -32602: Invalid parameters\n"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("(snippet.js:2:"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("keeptab:"), "{}", outcome.stderr);
    let error = outcome.error.expect("failed");
    assert_eq!(
        (error.kind, error.code),
        (ErrorKind::Protocol, Some(-32602))
    );
}

#[tokio::test]
async fn every_settlement_has_its_kind_and_can_be_caught() {
    let rig = Rig::on_a_tab();
    for kind in [
        ErrorKind::OutcomeUnknown,
        ErrorKind::TargetGone,
        ErrorKind::DialogOpen,
        ErrorKind::Deadline,
        ErrorKind::NotSent,
        ErrorKind::StaleHandle,
    ] {
        rig.host.answer_with("Page.reload", move |_| {
            Err(ScriptError::new(kind, "it failed").with_hint("do this"))
        });
        let caught = "try { await session.Page.reload() } catch (e) { return [e instanceof Error, e.kind, e.message, e.hint] }";
        assert_eq!(
            rig.out(caught).await,
            format!("[true,\"{kind}\",\"it failed\",\"do this\"]")
        );
        let outcome = rig.eval("await session.Page.reload()").await;
        assert!(
            outcome.stderr.ends_with("hint: do this\n"),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.error.expect("failed").kind, kind);
    }
}

#[tokio::test]
async fn what_a_policy_refuses_is_not_sent() {
    let rig = Rig::on_a_tab();
    rig.host
        .state
        .lock()
        .unwrap()
        .refused
        .push("Browser.close".into());
    let error = rig.error("await session.Browser.close()").await;
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(rig.host.commands(), [""; 0]);
}

#[tokio::test]
async fn a_caller_allows_a_refused_method_for_as_long_as_its_snippet_runs() {
    let rig = Rig::on_a_tab();
    let refused = ["SystemInfo.getInfo", "Storage.getCookies"].map(String::from);
    rig.host.state.lock().unwrap().refused.extend(refused);
    let run = async |allow: &str, method: &str| {
        let code = format!("await session.{method}(); return 'sent'");
        let mut request = EvalRequest::new(code).with_timeout(AMPLE);
        request.allow.push(allow.into());
        rig.repl.eval(request).await
    };
    for (allow, method) in [
        ("SystemInfo.getInfo", "SystemInfo.getInfo"),
        ("Storage.*", "Storage.getCookies"),
    ] {
        let outcome = run(allow, method).await;
        assert_eq!(outcome.stdout, "sent", "{allow}: {outcome:?}");
    }
    for (allow, method) in [
        ("System.*", "SystemInfo.getInfo"),
        ("Storage", "Storage.getCookies"),
        ("", "Storage.getCookies"),
    ] {
        let outcome = run(allow, method).await;
        let kind = outcome.error.expect("refused").kind;
        assert_eq!(kind, ErrorKind::Refused, "{allow}");
    }
    let error = rig.error("await session.Storage.getCookies()").await;
    assert_eq!(error.kind, ErrorKind::Refused, "it ended with its snippet");
}

#[tokio::test]
async fn exceptions_in_the_page_are_visible() {
    let rig = Rig::on_a_tab();
    rig.host.answer(
        "Runtime.evaluate",
        r#"{"result":{"type":"object"},"exceptionDetails":{"text":"Uncaught","exception":{"type":"object","description":"Error: boom\n    at <anonymous>:1:7"}}}"#,
    );
    let code = "const r = await session.Runtime.evaluate({expression: 'x'}); return 'done'";
    let outcome = rig.eval(code).await;
    assert_eq!(outcome.stdout, "done");
    assert!(
        outcome
            .stderr
            .starts_with("warning: exception in the page: Error: boom"),
        "{}",
        outcome.stderr
    );
    let mut strict = EvalRequest::new(code).with_timeout(AMPLE);
    strict.strict = true;
    let outcome = rig.repl.eval(strict).await;
    assert_eq!(
        outcome.error.expect("failed").kind,
        ErrorKind::PageException
    );
}

#[tokio::test]
async fn failed_navigations_are_visible() {
    let rig = Rig::on_a_tab();
    rig.host.answer(
        "Page.navigate",
        r#"{"frameId":"F","errorText":"net::ERR_NAME_NOT_RESOLVED"}"#,
    );
    let code = "await session.Page.navigate({url: 'http://nowhere.invalid'})";
    let outcome = rig.eval(code).await;
    assert!(outcome.ok && outcome.stdout.contains("errorText"));
    assert_eq!(
        outcome.stderr,
        "warning: navigation failed: net::ERR_NAME_NOT_RESOLVED\n"
    );
    let mut strict = EvalRequest::new(code).with_timeout(AMPLE);
    strict.strict = true;
    let outcome = rig.repl.eval(strict).await;
    assert_eq!(
        outcome.error.expect("failed").kind,
        ErrorKind::NavigationFailed
    );
}

#[tokio::test]
async fn answers_out_of_order_reach_their_callers() {
    let rig = Rig::on_a_tab();
    rig.host
        .delay("Page.getFrameTree", Duration::from_millis(60));
    rig.host.answer("Page.getFrameTree", r#"{"slow":1}"#);
    rig.host.answer("Page.getLayoutMetrics", r#"{"fast":1}"#);
    let code = "const order = []; await Promise.all([session.Page.getFrameTree().then(r => order.push(r)), \
                session.Page.getLayoutMetrics().then(r => order.push(r))]); return order";
    assert_eq!(rig.out(code).await, r#"[{"fast":1},{"slow":1}]"#);
}

#[tokio::test]
async fn a_large_result_arrives_whole() {
    let rig = Rig::on_a_tab();
    let body = "é".repeat(10_000_000);
    let json = format!("{{\"body\":\"{body}\",\"base64Encoded\":false}}");
    let raw = Raw::from_utf8(json.into()).unwrap();
    rig.host
        .answer_with("Network.getResponseBody", move |_| Ok(raw.clone()));
    let out = rig
        .out("(await session.Network.getResponseBody({requestId: '1'})).body.length")
        .await;
    assert_eq!(out, "10000000");
    let out = rig
        .out("(await session.Network.getResponseBody({requestId: '1'})).body")
        .await;
    assert!(out == body, "{} bytes", out.len());
}

#[tokio::test]
async fn timeouts_of_single_calls_are_passed_on() {
    let rig = Rig::on_a_tab();
    rig.out("await session.Page.enable({}, {timeoutMs: 1500}); await cdp.send({method: 'Page.disable', timeoutMs: 20})").await;
    let state = rig.host.state.lock().unwrap();
    let timeouts: Vec<_> = state.commands.iter().map(|c| c.timeout).collect();
    assert_eq!(
        timeouts,
        [
            Some(Duration::from_millis(1500)),
            Some(Duration::from_millis(20))
        ]
    );
}

#[tokio::test]
async fn a_call_has_the_time_of_its_snippet_and_says_itself_what_became_of_it() {
    let rig = Rig::on_a_tab();
    for seconds in [9, 90] {
        let request = EvalRequest::new("await session.Page.enable()");
        let outcome = rig
            .repl
            .eval(request.with_timeout(Duration::from_secs(seconds)))
            .await;
        assert!(outcome.ok, "{outcome:#?}");
    }
    let state = rig.host.state.lock().unwrap();
    let [short, long] = [0, 1].map(|at| state.commands[at].timeout.unwrap());
    assert!(
        (Duration::from_secs(1)..Duration::from_secs(9)).contains(&short),
        "{short:?}"
    );
    assert!(
        (Duration::from_secs(60)..Duration::from_secs(90)).contains(&long),
        "{long:?}"
    );
}

#[tokio::test]
async fn without_a_browser_the_next_step_is_said() {
    let rig = Rig::new();
    for code in [
        "await session.Page.enable()",
        "await listPageTargets()",
        "await session.use('T')",
    ] {
        let error = rig.error(code).await;
        assert_eq!(error.kind, ErrorKind::NotConnected, "{code}: {error:?}");
        assert_eq!(
            error.hint.as_deref(),
            Some("await session.connect()"),
            "{code}"
        );
    }
    assert_eq!(rig.out("session.isConnected()").await, "false");
    assert_eq!(
        rig.out("await session.connect(); return session.isConnected()")
            .await,
        "true"
    );
    assert_eq!(rig.out("session.isConnected()").await, "true");
    assert_eq!(
        rig.out("await session.close(); return session.isConnected()")
            .await,
        "false"
    );
    let error = rig.error("await session.connect({port: 1})").await;
    assert_eq!(
        (error.kind, error.hint.as_deref()),
        (ErrorKind::NotConnected, Some("await detectBrowsers()"))
    );
}

#[tokio::test]
async fn the_assigned_target_is_connected_attached_and_enabled() {
    let rig = Rig::new();
    let mut request = EvalRequest::new("await connectToAssignedTarget()").with_timeout(AMPLE);
    request.assigned = Assigned {
        target_id: Some("T5".into()),
        port: Some(9333),
    };
    let outcome = rig.repl.eval(request).await;
    assert_eq!(outcome.stdout, "target:T5", "{outcome:?}");
    let mut commands = rig.host.commands();
    commands[1..].sort();
    assert_eq!(
        commands,
        [
            r#"Target.attachToTarget - {"flatten":true,"targetId":"T5"}"#,
            "DOM.enable target:T5 {}",
            "Network.enable target:T5 {}",
            "Page.enable target:T5 {}",
            "Runtime.enable target:T5 {}",
        ]
    );
    assert_eq!(rig.host.state.lock().unwrap().connects[0].port, Some(9333));
    // The environment is the caller's, not the session's.
    let error = rig.error("await connectToAssignedTarget()").await;
    assert!(error.message.contains("BU_TARGET_ID"), "{error:?}");
}

/// What the link sends is what a snippet may send: it once was refused at 48 MiB, without a word about the limit.
#[tokio::test]
async fn a_command_of_64_mib_leaves_and_a_longer_one_names_the_limit() {
    let rig = Rig::on_a_tab();
    let limit = 64 << 20;
    let evaluate = |bytes: usize| {
        let around = "Runtime.evaluate".len() + r#"{"expression":""}"#.len();
        let text = bytes - around;
        format!("await session.Runtime.evaluate({{expression: 'x'.repeat({text})}})")
    };
    rig.host.answer("Runtime.evaluate", "{}");
    rig.out(&evaluate(limit)).await;
    assert_eq!(rig.host.commands().len(), 1);
    let error = rig.error(&evaluate(limit + 1)).await;
    assert!(
        error.message.contains("64 MiB") && error.message.contains("in parts"),
        "{error:?}"
    );
    assert_eq!(rig.host.commands().len(), 1, "nothing of it has left");
}
