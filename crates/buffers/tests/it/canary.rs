//! Planted secrets, in every place where they are known to occur, must not be
//! found in any file, in memory that is shown, or in any answer.

use keeptab_buffers::{Bodies, BodiesOptions, Body, Filter, Shape, Stream, detail, json};
use serde_json::json;

use crate::events::{NOON, buffers, log, request_params, response, take};
use crate::persist::{save, store};

const SECRET: &str = "CANARY7f3a9c";

fn secret(suffix: &str) -> String {
    format!("{SECRET}{suffix}")
}

#[test]
fn no_planted_secret_is_kept() {
    let mut b = buffers();
    let s = secret;
    let ws = format!(
        "wss://user:{}@h.test/devtools?token={}&k={}",
        s("a"),
        s("b"),
        s("c")
    );
    log(&mut b, "T1", &format!("connecting to {ws}"), 1.0);
    log(&mut b, "T1", &format!("header Bearer {}", s("d")), 2.0);
    let said = format!(
        "password={}, {{token: '{}', \"apiKey\":\"{}\"}}",
        s("x"),
        s("y"),
        s("z")
    );
    log(&mut b, "T1", &said, 3.0);
    let exception = json!({
        "timestamp": NOON * 1e3,
        "exceptionDetails": {"exceptionId": 1, "text": format!("cannot reach {ws}"), "lineNumber": 0,
            "columnNumber": 0, "url": format!("https://h.test/a.js?access_token={}", s("e"))},
    });
    take(&mut b, "T1", "Runtime.exceptionThrown", &exception);
    let entry = json!({"entry": {"source": "network", "level": "error", "text": ws, "timestamp": 1.0,
        "url": format!("https://u:{}@h.test/", s("f"))}});
    take(&mut b, "T1", "Log.entryAdded", &entry);

    let mut request = request_params(
        "1",
        &format!("https://u:{}@h.test/?api_key={}", s("g"), s("h")),
    );
    request["request"]["method"] = "POST".into();
    request["request"]["headers"] = json!({
        "Cookie": format!("sid={}; b={}", s("i"), s("j")),
        "Authorization": format!("Bearer {}", s("k")),
        "proxy-authorization": format!("Basic {}", s("l")),
        "Referer": format!("https://h.test/?token={}", s("m")),
    });
    request["request"]["postData"] =
        json!({"user": "me", "password": s("n"), "nested": {"apiToken": s("o")}})
            .to_string()
            .into();
    request["request"]["urlFragment"] = format!("#id_token={}", s("p")).into();
    request["initiator"] = json!({"type": "parser", "url": ws, "lineNumber": 3.0});
    take(&mut b, "T1", "Network.requestWillBeSent", &request);
    let extra = json!({"requestId": "1", "headers": {"cookie": format!("sid={}", s("q"))}});
    take(&mut b, "T1", "Network.requestWillBeSentExtraInfo", &extra);
    let mut answer = response("1", 200);
    answer["response"]["headers"] = json!({
        "Set-Cookie": format!("sid={}; Path=/\nt={}; HttpOnly", s("r"), s("s")),
        "Location": format!("https://h.test/?code={}", s("t")),
    });
    take(&mut b, "T1", "Network.responseReceived", &answer);
    let extra = json!({"requestId": "1", "statusCode": 200,
        "headers": {"set-cookie": format!("sid={}", s("u")), "x-api-key": s("v")}});
    take(&mut b, "T1", "Network.responseReceivedExtraInfo", &extra);
    let socket = json!({"requestId": "2", "url": ws, "initiator": {"type": "script"}});
    take(&mut b, "T1", "Network.webSocketCreated", &socket);
    let handshake = json!({"requestId": "2", "timestamp": 1.0,
        "request": {"headers": {"Cookie": format!("sid={}", s("w"))}}});
    take(
        &mut b,
        "T1",
        "Network.webSocketWillSendHandshakeRequest",
        &handshake,
    );

    let dir = tempfile::tempdir().unwrap();
    let mut bodies = Bodies::open(BodiesOptions::new(dir.path().join("bodies"))).unwrap();
    let large = format!("{} {ws}", "x".repeat(10_000));
    let answered = json!({"access_token": s("1"), "at": ws}).to_string();
    let body = bodies.keep(large.as_bytes()).unwrap();
    assert!(matches!(body, Body::File(_)));
    b.set_body("T1", "1", body);
    b.set_body("T1", "2", bodies.keep(answered.as_bytes()).unwrap());
    let opened = store(&dir);
    save(&mut b, &opened);
    opened.close();

    let mut shown = String::new();
    let mut entries = 0;
    for stream in Stream::ALL {
        for entry in b.select(stream, &Filter::default()) {
            shown += &detail(entry, None, Shape::default());
            shown += &json(entry).to_string();
            shown += &format!("{entry:?}");
            entries += 1;
        }
    }
    assert_eq!(entries, 7);
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(shown.contains("[redacted]") && shown.contains("h.test"));
    let mut files = 0;
    for path in files_below(dir.path()) {
        let content = std::fs::read(&path).unwrap();
        files += 1;
        let found = content
            .windows(SECRET.len())
            .position(|part| part == SECRET.as_bytes());
        assert_eq!(found, None, "in {}", path.display());
    }
    assert!(files >= 2, "the store and a body");
}

fn files_below(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path))
        } else {
            files.push(path)
        }
    }
    files
}
