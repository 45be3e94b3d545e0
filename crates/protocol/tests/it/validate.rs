//! What is refused before it is sent, and in which words.
use std::fmt::Write as _;

use keeptab_protocol::spec::{InvalidKind, validate};

#[test]
fn right_commands_pass() {
    for (method, params) in [
        ("Page.enable", "{}"),
        (
            "Page.navigate",
            r#"{"url":"https://example.org","transitionType":"link"}"#,
        ),
        ("Page.navigate", r#" { "url" : "x" , "referrer" : null } "#),
        (
            "Runtime.evaluate",
            r#"{"expression":"1","awaitPromise":true,"timeout":1.5}"#,
        ),
        (
            "Runtime.callFunctionOn",
            r#"{"functionDeclaration":"f","arguments":[{"value":{"any":[1]}},{}]}"#,
        ),
        (
            "Input.dispatchTouchEvent",
            r#"{"type":"touchStart","touchPoints":[{"x":1,"y":2.5}]}"#,
        ),
        (
            "Emulation.setDeviceMetricsOverride",
            r#"{"width":1e3,"height":10,"deviceScaleFactor":0,"mobile":false}"#,
        ),
        (
            "Network.setExtraHTTPHeaders",
            r#"{"headers":{"X-Anything":"goes"}}"#,
        ),
        (
            "Target.setAutoAttach",
            r#"{"autoAttach":true,"waitForDebuggerOnStart":false,"filter":[{"type":"page","exclude":true}]}"#,
        ),
        (
            "DOM.highlightRect",
            r#"{"x":1,"y":1,"width":1,"height":1,"color":{"r":1,"g":2,"b":3}}"#,
        ),
    ] {
        assert_eq!(validate(method, params), Ok(()), "{method} {params}");
    }
}

#[test]
fn wrong_commands_say_what_is_wrong() {
    let mut lines = String::new();
    for (method, params) in [
        ("navigate", "{}"),
        ("", "{}"),
        ("Pag.navigate", "{}"),
        ("page.navigate", "{}"),
        ("Quux.foo", "{}"),
        ("Page.navigte", "{}"),
        ("Page.xyzzy", "{}"),
        ("Page.frameNavigated", "{}"),
        ("Page.navigate", r#"{"uri":"x"}"#),
        ("Page.navigate", "{}"),
        ("Page.navigate", r#"{"url":5}"#),
        ("Page.navigate", r#"{"url":null}"#),
        ("Page.navigate", r#"{"url":"x","transitionType":"lnk"}"#),
        ("Page.captureScreenshot", r#"{"format":"jpg"}"#),
        ("DOM.highlightRect", r#"{"x":1}"#),
        ("Page.bringToFront", r#"{"now":true}"#),
        (
            "Page.captureScreenshot",
            r#"{"clip":{"x":0,"y":0,"width":1,"heigth":1,"scale":1}}"#,
        ),
        (
            "Page.captureScreenshot",
            r#"{"clip":{"x":0,"y":0,"width":1,"scale":1}}"#,
        ),
        (
            "Input.dispatchTouchEvent",
            r#"{"type":"touchStart","touchPoints":[{"x":1,"y":2},{"x":"1","y":2}]}"#,
        ),
        (
            "Emulation.setDeviceMetricsOverride",
            r#"{"width":10.5,"height":1,"deviceScaleFactor":1,"mobile":false}"#,
        ),
        (
            "Emulation.setDeviceMetricsOverride",
            r#"{"width":10,"height":1,"deviceScaleFactor":1,"mobile":"no"}"#,
        ),
        ("Fetch.enable", r#"{"patterns":{"urlPattern":"*"}}"#),
        ("Page.enable", "[]"),
        ("Page.enable", "{"),
        ("Page.enable", ""),
        ("Page.enable", "{}{}"),
    ] {
        let invalid = validate(method, params).expect_err(params);
        let _ = writeln!(lines, "{method} {params}\n  {:?}: {invalid}", invalid.kind);
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn the_hint_is_a_name_by_itself() {
    let invalid = validate("Page.navigate", r#"{"uri":"x"}"#).unwrap_err();
    assert_eq!(invalid.kind, InvalidKind::UnknownParameter);
    assert_eq!(invalid.hint.as_deref(), Some("url"));
    let invalid = validate("Page.navigte", "{}").unwrap_err();
    assert_eq!(invalid.hint.as_deref(), Some("Page.navigate"));
}

/// What the page gets may nest as deep as it likes.
#[test]
fn depth_is_no_danger() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let params = format!(r#"{{"functionDeclaration":"f","arguments":[{{"value":{deep}}}]}}"#);
    assert_eq!(validate("Runtime.callFunctionOn", &params), Ok(()));
    assert!(validate("Runtime.callFunctionOn", &deep).is_err());
}
