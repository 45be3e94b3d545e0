//! What people and programs see.

use keeptab_buffers::{Shape, Stream, Taken, detail, json, line, note_of_drops};
use serde_json::json;

use crate::events::{
    NOON, after, buffers, log, loss, request, response, restored, take, whole_request,
};

#[test]
fn lines_carry_the_number_and_nothing_a_terminal_obeys() {
    let mut b = buffers();
    log(&mut b, "T1", "a\u{1b}[31mred\nsecond\u{7}", 1.0);
    let shape = Shape {
        utc_offset: 3_600,
        max_text: 10,
    };
    let entry = b.get(Stream::Console, 1).unwrap();
    assert_eq!(
        line(entry, shape),
        "01 [13:00:01] LOG https://a.test/app.js:10:5 a[31mred …"
    );
    assert_eq!(note_of_drops(0), None);
    assert_eq!(
        note_of_drops(1).unwrap(),
        "-- 1 older entry dropped to stay within bounds --"
    );
}

#[test]
fn drilling_into_a_message() {
    let mut b = buffers();
    let params = json!({
        "type": "error", "timestamp": (NOON + 1.0) * 1e3,
        "args": [{"type": "string", "value": "bad\nthing"}, {"type": "number", "value": 7, "description": "7"}],
        "stackTrace": {
            "callFrames": [
                {"functionName": "f", "scriptId": "1", "url": "https://a.test/a.js", "lineNumber": 0, "columnNumber": 1},
                {"functionName": "", "scriptId": "1", "url": "", "lineNumber": -1, "columnNumber": -1},
            ],
            "parent": {"description": "setTimeout", "callFrames": [
                {"functionName": "start", "scriptId": "1", "url": "https://a.test/a.js", "lineNumber": 8, "columnNumber": 2},
            ]},
        },
    });
    take(&mut b, "T1", "Runtime.consoleAPICalled", &params);
    insta::assert_snapshot!(detail(b.get(Stream::Console, 1).unwrap(), None, Shape::default()), @r#"
    01 [12:00:01] ERROR
    source: console.error
    message:
      bad
      thing 7
    stack:
      at f (https://a.test/a.js:1:2)
      at (anonymous) ((unknown place))
      -- setTimeout --
      at start (https://a.test/a.js:9:3)
    args:
      [{"type":"string","value":"bad\nthing"},{"description":"7","type":"number","value":7}]
    target: T1
    "#);
}

#[test]
fn drilling_into_a_request() {
    let mut b = buffers();
    whole_request(&mut b, "7.1", "https://a.test/x", 200);
    let entry = b.get(Stream::Network, 1).unwrap();
    insta::assert_snapshot!(detail(entry, Some("{\"a\":\n1}"), Shape::default()), @r#"
    01 [12:00:01] GET https://a.test/x
    status: 200 OK
    outcome: finished
    type: xhr
    mime: application/json
    protocol: h2
    remote: 192.0.2.1:443
    size: 3KB
    duration: 12ms
    timing: dns 1ms, connect 3ms, tls 2ms, send 0ms, wait 5ms
    initiator: script https://a.test/app.js:10
    request id: 7.1
    request headers:
      Accept: */*
    response headers:
      Content-Type: application/json
    response body:
      {"a":
      1}
    target: T1
    "#);
}

#[test]
fn drilling_into_a_gap() {
    let mut b = buffers();
    b.document("T1", "L1");
    b.lost(loss(1.0));
    let mut back = restored(4.0, vec![after("T1", "L2"), after("T2", "L3")]);
    back.unknown = vec!["Input.dispatchMouseEvent".into(), "Page.navigate".into()];
    b.restored(&back);
    insta::assert_snapshot!(detail(b.get(Stream::Console, 1).unwrap(), None, Shape::default()), @r"
    01 GAP
    cause: connection reset
    last event: 2026-11-20T12:00:01.000Z
    noticed: 2026-11-20T12:00:01.500Z
    over: 2026-11-20T12:00:04.000Z
    epoch: 1 to 2
    same browser: yes
    result: 0 recovered, more may be missing: a page navigated; a target is new
    commands with unknown outcome: 2
    of these: Input.dispatchMouseEvent, Page.navigate
    targets new: T2
    ");
}

#[test]
fn programs_get_one_object_per_entry() {
    let mut b = buffers();
    log(&mut b, "T1", "hi", 1.0);
    let console = json(b.get(Stream::Console, 1).unwrap());
    assert_eq!(console["kind"], "console");
    assert_eq!(console["number"], 1);
    assert_eq!(console["time"], "2026-11-20T12:00:01.000Z");
    assert_eq!(console["level"], "info");
    assert_eq!(console["args"], json!([{"type": "string", "value": "hi"}]));

    assert_eq!(
        request(&mut b, "1", "https://a.test/x"),
        Taken::Added(Stream::Network, 1)
    );
    take(
        &mut b,
        "T1",
        "Network.responseReceived",
        &response("1", 503),
    );
    let network = json(b.get(Stream::Network, 1).unwrap());
    assert_eq!(network["kind"], "network");
    assert_eq!(
        (&network["status"], &network["outcome"]),
        (&json!(503), &json!("pending"))
    );
    assert_eq!(network["response_headers"][0]["name"], "Content-Type");

    b.lost(loss(2.0));
    let gap = json(b.get(Stream::Network, 2).unwrap());
    assert_eq!(
        (&gap["kind"], &gap["result"]),
        (&json!("gap"), &json!("open"))
    );
    b.restored(&restored(3.0, vec![]));
    let gap = json(b.get(Stream::Network, 2).unwrap());
    assert_eq!(
        (&gap["result"], &gap["to"]),
        (&json!("unknown"), &json!("2026-11-20T12:00:03.000Z"))
    );
}
