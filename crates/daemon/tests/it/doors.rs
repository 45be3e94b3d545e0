//! Requests that are wrong, hostile or too large.

use std::io::{Read, Write};
use std::time::Duration;

use crate::home::Home;

fn code(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    assert_eq!(value["ok"], false, "{body}");
    assert!(
        value["error"]["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{body}"
    );
    value["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_hundred_megabytes_are_refused() {
    let home = Home::running();
    let body = "x".repeat(100 << 20);
    let (status, answer) = home.post_json("/v1/sessions/a/js", &body);
    assert_eq!((status, code(&answer).as_str()), (413, "too_large"));
    assert!(
        answer.contains("64 MiB") && answer.contains("in parts"),
        "the limit and the way out: {answer}"
    );
    assert_eq!(home.get("/v1/health").0, 200);
}

#[test]
fn a_hundred_megabytes_without_a_declared_length_are_refused_too() {
    let home = Home::running();
    let mut stream = home.connect();
    let head = "POST /v1/sessions/a/js HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                connection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
    for _ in 0..100 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn a_body_that_is_not_json_is_refused_with_the_place() {
    let home = Home::running();
    let (status, answer) = home.post_json("/v1/sessions/a/js", "{\"code\": ");
    assert_eq!((status, code(&answer).as_str()), (400, "invalid"));
    assert!(answer.contains("line 1 column"), "{answer}");
}

#[test]
fn misspelt_and_doubled_fields_are_refused() {
    let home = Home::running();
    for body in [
        r#"{"code": "1", "tiemout_ms": 5}"#,
        r#"{"code": "1", "code": "2"}"#,
        r#"{"code": "1", "__proto__": {}}"#,
        r#"{"code": 1}"#,
        r#"{}"#,
    ] {
        let (status, answer) = home.post_json("/v1/sessions/a/js", body);
        assert_eq!((status, code(&answer).as_str()), (400, "invalid"), "{body}");
    }
}

#[test]
fn what_a_web_page_can_send_is_refused() {
    let home = Home::running();
    let body = r#"{"code": "1"}"#;
    let plain = home.post("/v1/sessions/a/js", "content-type: text/plain\r\n", body);
    assert_eq!((plain.0, code(&plain.1).as_str()), (415, "not_json"));
    let none = home.post("/v1/sessions/a/js", "", body);
    assert_eq!((none.0, code(&none.1).as_str()), (415, "not_json"));
    let page = "content-type: application/json\r\norigin: https://evil.example\r\n";
    let page = home.post("/v1/sessions/a/js", page, body);
    assert_eq!((page.0, code(&page.1).as_str()), (403, "refused"));
    let preflight = home.raw(
        b"OPTIONS /v1/health HTTP/1.1\r\nhost: x\r\norigin: null\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(preflight.0, 403);
    assert!(!preflight.1.to_lowercase().contains("access-control"));
}

#[test]
fn wrong_doors_are_named() {
    let home = Home::running();
    let (status, answer) = home.get("/v2/health");
    assert_eq!((status, code(&answer).as_str()), (404, "no_such_route"));
    let (status, answer) = home.get("/v1/sessions/a/js");
    assert_eq!(
        (status, code(&answer).as_str()),
        (405, "method_not_allowed")
    );
}

#[test]
fn nonsense_and_silence_disturb_nobody() {
    let home = Home::running();
    let (status, _) = home.raw(b"\x16\x03\x01\x02\x00 this is no request\r\n\r\n");
    assert_eq!(status, 400);
    let silent: Vec<_> = (0..100).map(|_| home.connect()).collect();
    assert_eq!(home.get("/v1/health").0, 200);
    drop(silent);
    assert_eq!(home.get("/v1/health").0, 200);
}

#[test]
fn a_header_that_never_ends_is_given_up() {
    let home = Home::running();
    let mut stream = home.connect();
    stream
        .write_all(b"GET /v1/health HTTP/1.1\r\nhost: x\r\nx-slow: ")
        .unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut answer = Vec::new();
    // Ends because the daemon hangs up; the read's own limit would be an error.
    stream.read_to_end(&mut answer).unwrap();
}
