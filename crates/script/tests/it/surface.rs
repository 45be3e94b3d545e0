//! Everything a snippet sees, name by name: what the harness skill promises, and the rest.

use keeptab_protocol::spec;

use crate::support::Rig;

#[tokio::test]
async fn every_domain_and_every_method_is_mounted() {
    let rig = Rig::on_a_tab();
    let mounted = rig
        .out("Object.keys(session).filter(k => /^[A-Z]/.test(k))")
        .await;
    assert_eq!(mounted, serde_json::json!(spec::domain_names()).to_string());
    for name in spec::domain_names() {
        let domain = spec::domain(name).expect("listed");
        let methods: Vec<&str> = domain.commands.iter().map(|c| c.name).collect();
        let code = format!(
            "Object.keys(session.{name}).filter(m => typeof session.{name}[m] === 'function')"
        );
        let expected = serde_json::json!(methods).to_string();
        assert_eq!(
            rig.out(&code).await,
            if methods.is_empty() {
                String::new()
            } else {
                expected
            },
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_names_of_the_skill_are_there() {
    let rig = Rig::on_a_tab();
    let functions = "[session.connect, session.use, session.setActiveSession, session.getActiveSession, session.onEvent, session.waitFor, \
                     session.isConnected, session.close, listPageTargets, detectBrowsers, resolveWsUrl, connectToAssignedTarget, \
                     cdp.send, cdp.attachToTarget, cdp.spec, cdp.waitFor, cdp.on, cdp.sleep].every(f => typeof f === 'function')";
    assert_eq!(rig.out(functions).await, "true");
    assert!(!rig.out("await session").await.is_empty());
    assert_eq!(rig.out("`${typeof session.toJSON} ${'Page' in session} ${'Pge' in session} ${typeof session.Page.then}`").await, "undefined true false undefined");
    assert_eq!(
        rig.out(
            "session.Page === session.Page && globalThis.session.Page === globalThis.session.Page"
        )
        .await,
        "true"
    );
}

#[tokio::test]
async fn a_wrong_name_on_session_is_answered_with_the_nearest() {
    let rig = Rig::on_a_tab();
    for (code, meant) in [
        ("session.naviagte({url: 'x'})", "session.Page.navigate"),
        (
            "session.evaluate({expression: '1'})",
            "session.Runtime.evaluate",
        ),
        ("session.conect()", "session.connect"),
        ("session.page", "session.Page"),
    ] {
        let error = rig.error(code).await;
        let hint = error.hint.unwrap_or_default();
        assert_eq!(hint, format!("did you mean {meant}?"), "{code}");
    }
    let error = rig.error("session.qqqqqq").await;
    assert!(error.hint.is_some_and(|hint| hint.contains("keeptab spec")));
}

#[tokio::test]
async fn list_page_targets_leaves_the_browsers_own_pages_out() {
    let rig = Rig::connected();
    rig.host.answer(
        "Target.getTargets",
        r#"{"targetInfos":[{"targetId":"1","type":"page","url":"https://example.com/"},{"targetId":"2","type":"page","url":"chrome://newtab/"},
            {"targetId":"3","type":"page","url":"devtools://devtools/x"},{"targetId":"4","type":"iframe","url":"https://example.com/f"},
            {"targetId":"5","type":"page","url":"about:blank"}]}"#,
    );
    assert_eq!(
        rig.out("(await listPageTargets()).map(t => t.targetId)")
            .await,
        r#"["1","5"]"#
    );
    rig.out("(await listPageTargets()).forEach((t,i)=>globalThis[\"tab\"+i]=t.targetId)")
        .await;
    assert_eq!(
        rig.out("await session.use(globalThis.tab0)").await,
        "target:1"
    );
    let heredoc = "const tabs = await listPageTargets();\nglobalThis.tid = tabs[0].targetId;\nawait session.use(globalThis.tid);\nreturn globalThis.tid;\n";
    assert_eq!(rig.out(heredoc).await, "1");
}

#[tokio::test]
async fn connect_takes_every_form_the_skill_shows() {
    let rig = Rig::new();
    for code in [
        "await session.connect()",
        "await session.connect({ profileDir: '/home/someone/.config/chromium' })",
        "await session.connect({ wsUrl: 'ws://127.0.0.1:9222/devtools/browser/x' })",
        "await session.connect('ws://127.0.0.1:9222/devtools/browser/y')",
        "await session.connect({ profileDir: '/p', timeoutMs: 30_000 })",
        "await session.connect({ port: 9222, host: 'localhost' })",
        "await session.connect({ port: 9222, targetId: 'T3' })",
    ] {
        assert_eq!(rig.out(code).await, "", "{code}");
    }
    let state = rig.host.state.lock().unwrap();
    let seen: Vec<String> = state
        .connects
        .iter()
        .map(|c| {
            serde_json::to_string(&serde_json::json!([
                c.ws_url,
                c.port,
                c.host,
                c.profile_dir,
                c.timeout_ms
            ]))
            .unwrap()
        })
        .collect();
    assert_eq!(
        seen,
        [
            "[null,null,null,null,null]",
            r#"[null,null,null,"/home/someone/.config/chromium",null]"#,
            r#"["ws://127.0.0.1:9222/devtools/browser/x",null,null,null,null]"#,
            r#"["ws://127.0.0.1:9222/devtools/browser/y",null,null,null,null]"#,
            r#"[null,null,null,"/p",30000]"#,
            r#"[null,9222,"localhost",null,null]"#,
            "[null,9222,null,null,null]",
        ]
    );
    assert_eq!(state.active.as_deref(), Some("target:T3"));
}

#[tokio::test]
async fn resolving_goes_to_the_port_that_was_asked_for() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        let body = format!(
            "{{\"Browser\":\"Chrome/1\",\"webSocketDebuggerUrl\":\"ws://127.0.0.1:{port}/devtools/browser/abc\"}}"
        );
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let rig = Rig::new();
    let url = rig
        .out(&format!(
            "await resolveWsUrl({{port: {port}, host: '127.0.0.1'}})"
        ))
        .await;
    assert_eq!(url, format!("ws://127.0.0.1:{port}/devtools/browser/abc"));
    assert!(serving.await.unwrap().starts_with("GET /json/version"));
    let url = "ws://127.0.0.1:1/devtools/browser/given";
    assert_eq!(
        rig.out(&format!("await resolveWsUrl({{wsUrl: '{url}'}})"))
            .await,
        url
    );
}

#[tokio::test]
async fn detecting_browsers_gives_a_list() {
    let rig = Rig::new();
    assert_eq!(
        rig.out("Array.isArray(await detectBrowsers())").await,
        "true"
    );
}

#[tokio::test]
async fn the_spec_answers_by_name_and_by_words() {
    let rig = Rig::new();
    assert_eq!(
        rig.out("(await cdp.spec()).domains.length").await,
        spec::domain_names().len().to_string()
    );
    assert_eq!(rig.out("(await cdp.spec({domain: 'Page'})).commands.find(c => c.name === 'navigate').parameters.find(p => !p.optional).name").await, "url");
    assert_eq!(
        rig.out("(await cdp.spec({query: 'capture screenshot'}))[0].name")
            .await,
        "Page.captureScreenshot"
    );
    assert_eq!(rig.out("CDP.Page.navigate.method").await, "Page.navigate");
    assert_eq!(
        rig.out("CDP.Page.frameNavigated.event").await,
        "Page.frameNavigated"
    );
    assert_eq!(
        rig.out("Object.keys(CDP).length").await,
        spec::domain_names().len().to_string()
    );
}

#[tokio::test]
async fn the_small_web_platform() {
    let rig = Rig::new();
    for (code, out) in [
        (
            "new TextEncoder().encode('hé€😀')",
            "Uint8Array(10) [104,195,169,226,130,172,240,159,152,128]",
        ),
        (
            "new TextDecoder().decode(new Uint8Array([104,195,169,226,130,172,240,159,152,128]))",
            "hé€😀",
        ),
        (
            "new TextDecoder().decode(new Uint8Array([0xef,0xbb,0xbf,65,0xff,0xc3]))",
            "A\u{fffd}\u{fffd}",
        ),
        (
            "const d = new TextDecoder(); return d.decode(new Uint8Array([0xe2,0x82]), {stream: true}) + d.decode(new Uint8Array([0xac]))",
            "€",
        ),
        (
            "try { new TextDecoder('utf-8', {fatal: true}).decode(new Uint8Array([0xff])) } catch (e) { return e.name }",
            "TypeError",
        ),
        ("atob(btoa('hello'))", "hello"),
        (
            "structuredClone({a: new Date(0), b: new Map([[1, new Set([2])]]), c: [1n, /x/g], d: new Uint8Array([1])}).b.get(1).has(2)",
            "true",
        ),
        (
            "const a = {}; a.self = a; const b = structuredClone(a); return b.self === b && b !== a",
            "true",
        ),
        (
            "try { structuredClone(() => 1) } catch (e) { return e.name }",
            "DataCloneError",
        ),
        (
            "structuredClone(new RangeError('x')) instanceof RangeError",
            "true",
        ),
        ("typeof performance.now()", "number"),
        (
            "crypto.randomUUID().match(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/) !== null",
            "true",
        ),
        ("crypto.randomUUID() === crypto.randomUUID()", "false"),
        (
            "new Set(crypto.getRandomValues(new Uint8Array(64))).size > 10",
            "true",
        ),
        (
            "const o = []; setTimeout(() => o.push('t'), 0); queueMicrotask(() => o.push('m')); o.push('s'); await cdp.sleep(20); return o.join('')",
            "smt",
        ),
        (
            "let n = 0; const t = setInterval(() => { if (++n === 3) clearInterval(t) }, 1); await cdp.sleep(100); return n",
            "3",
        ),
        (
            "const t = setTimeout(() => { globalThis.oops = 1 }, 5); clearTimeout(t); await cdp.sleep(30); return typeof oops",
            "undefined",
        ),
        (
            "new Promise(r => setTimeout((a, b) => r(a + b), 1, 2, 3))",
            "5",
        ),
        (
            "try { setTimeout('code') } catch (e) { return e.name }",
            "TypeError",
        ),
        (
            "await Promise.race([cdp.sleep(10000), cdp.sleep({ms: 1}).then(() => 'short')])",
            "short",
        ),
    ] {
        assert_eq!(rig.out(code).await, out, "{code}");
    }
}

#[test]
fn the_declarations_name_what_is_on_session_and_cdp() {
    let dts = keeptab_script::dts();
    for name in [
        "declare const session",
        "declare const cdp",
        "waitFor",
        "onEvent(",
        "setActiveSession(",
        "getActiveSession(",
        "isConnected(",
        "attachToTarget(",
        "namespace Page",
        "interface CdpSession",
        "interface CdpEvents",
    ] {
        assert!(dts.contains(name), "{name}");
    }
}

/// What the language itself puts on `globalThis`, with TypeScript's `lib.esnext` or the engine's own addition.
const LANGUAGE: &str = "Object Function Error EvalError RangeError ReferenceError SyntaxError TypeError URIError InternalError \
    AggregateError SuppressedError Iterator Array parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI \
    encodeURIComponent escape unescape Infinity NaN undefined eval Number Boolean String Math Reflect Symbol DisposableStack \
    globalThis BigInt Date RegExp JSON Proxy Map Set WeakMap WeakSet ArrayBuffer Uint8ClampedArray Int8Array Uint8Array Int16Array \
    Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array Float16Array Float32Array Float64Array DataView Promise \
    AsyncDisposableStack WeakRef FinalizationRegistry";

#[tokio::test]
async fn the_declarations_cover_every_global() {
    let dts = keeptab_script::dts();
    let names = Rig::new()
        .out("Object.getOwnPropertyNames(globalThis).join(' ')")
        .await;
    let language: Vec<&str> = LANGUAGE.split_whitespace().collect();
    let ours: Vec<&str> = names
        .split(' ')
        .filter(|name| !language.contains(name))
        .collect();
    assert!(
        ours.contains(&"session") && ours.contains(&"URL"),
        "{names}"
    );
    for name in ours {
        let declared = [
            ("const", ":"),
            ("var", ":"),
            ("function", "("),
            ("function", "<"),
        ]
        .iter()
        .any(|(kind, after)| dts.contains(&format!("declare {kind} {name}{after}")));
        assert!(declared, "{name} is not declared");
    }
}

/// What a snippet cannot reach is not made for it; what it spells in another way it reaches.
#[tokio::test]
async fn a_name_that_is_spelled_in_another_way_is_there_too() {
    let rig = Rig::new();
    for code in [
        r"typeof \u0063dp.send",
        r"typeof \u{63}onsole.log",
        "eval('typeof cd' + 'p.send')",
        "(0, eval)('typeof cd' + 'p.send')",
        "new Function('return typeof cd' + 'p.send')()",
        "typeof globalThis['cd' + 'p'].send",
        "typeof connectToAssignedTarget",
    ] {
        assert_eq!(rig.out(code).await, "function", "{code}");
    }
    let outcome = rig.eval("eval('cons' + 'ole.log(1)'); return 2").await;
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("2", "1\n")
    );
}
