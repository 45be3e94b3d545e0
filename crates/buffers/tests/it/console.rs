//! Console messages.

use keeptab_buffers::{Stream, Taken, What};
use serde_json::json;

use crate::events::{NOON, at, buffers, lines, log, take};

#[test]
fn each_kind_of_message_is_an_entry() {
    let mut b = buffers();
    log(&mut b, "T1", "hello", 1.0);
    let exception = json!({
        "timestamp": (NOON + 2.0) * 1e3,
        "exceptionDetails": {
            "exceptionId": 1, "text": "Uncaught", "lineNumber": 4, "columnNumber": 6,
            "url": "https://a.test/app.js",
            "exception": {
                "type": "object", "subtype": "error", "className": "TypeError",
                "description": "TypeError: x is not a function\n    at f (app.js:5:7)",
            },
        },
    });
    take(&mut b, "T1", "Runtime.exceptionThrown", &exception);
    let entry = json!({"entry": {
        "source": "network", "level": "error", "text": "Failed to load resource: 404",
        "timestamp": (NOON + 3.0) * 1e3, "url": "https://a.test/x.png", "networkRequestId": "7.1",
    }});
    take(&mut b, "T2", "Log.entryAdded", &entry);
    assert_eq!(
        lines(&b, Stream::Console),
        [
            "01 [12:00:01] LOG https://a.test/app.js:10:5 hello",
            "02 [12:00:02] EXCEPTION https://a.test/app.js:5:7 Uncaught TypeError: x is not a \
             function     at f (app.js:5:7)",
            "03 [12:00:03] ERROR https://a.test/x.png Failed to load resource: 404",
        ]
    );
    let third = b.get(Stream::Console, 3).unwrap();
    assert_eq!(third.target.as_deref(), Some("T2"));
    let What::Console(console) = &third.what else {
        panic!("{third:?}")
    };
    assert_eq!(console.request_id.as_deref(), Some("7.1"));
}

#[test]
fn the_stack_reaches_into_what_was_awaited() {
    let mut b = buffers();
    let frame = |name: &str, line| json!({"functionName": name, "scriptId": "1", "url": "u.js", "lineNumber": line, "columnNumber": 0});
    let params = json!({
        "type": "trace", "args": [], "timestamp": NOON * 1e3,
        "stackTrace": {
            "callFrames": [frame("inner", 0), frame("", 1)],
            "parent": {"description": "Promise.then", "callFrames": [frame("outer", 2)]},
        },
    });
    take(&mut b, "T1", "Runtime.consoleAPICalled", &params);
    let What::Console(console) = &b.get(Stream::Console, 1).unwrap().what else {
        panic!()
    };
    let shown: Vec<_> = console
        .stack
        .iter()
        .map(|f| (f.function.as_str(), f.line, f.joined_by.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("inner", 1, None),
            ("", 2, None),
            ("outer", 3, Some("Promise.then"))
        ]
    );
}

#[test]
fn what_is_no_concern_is_passed_over_and_what_is_broken_is_said() {
    let mut b = buffers();
    assert_eq!(
        b.event("T1", "Page.loadEventFired", "{", at(0.0)).unwrap(),
        Taken::Ignored
    );
    assert_eq!(
        b.event("T1", "Network.policyUpdated", "{}", at(0.0))
            .unwrap(),
        Taken::Ignored
    );
    for params in ["{", "[]", "{}", r#"{"type":"log","args":{}}"#] {
        let error = b
            .event("T1", "Runtime.consoleAPICalled", params, at(0.0))
            .unwrap_err();
        assert!(
            error.to_string().contains("Runtime.consoleAPICalled"),
            "{params}"
        );
    }
    assert!(b.is_empty(Stream::Console));
}

#[test]
fn a_huge_message_is_cut() {
    let mut b = buffers();
    log(&mut b, "T1", &"é".repeat(10 << 20), 1.0);
    let What::Console(console) = &b.get(Stream::Console, 1).unwrap().what else {
        panic!()
    };
    assert!(console.text.len() < 70_000 && console.text.ends_with('…'));
    assert_eq!(console.args, None);
    assert!(b.bytes(Stream::Console) < 100_000);
}

#[test]
fn numbers_go_on_after_clearing() {
    let mut b = buffers();
    log(&mut b, "T1", "one", 1.0);
    log(&mut b, "T1", "two", 2.0);
    b.clear(Stream::Console);
    assert!(b.is_empty(Stream::Console));
    assert_eq!(
        log(&mut b, "T1", "three", 3.0),
        Taken::Added(Stream::Console, 3)
    );
    assert_eq!(b.dropped(Stream::Console), 0);
}
