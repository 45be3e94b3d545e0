//! CDP events as Chromium sends them, and short ways to take them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keeptab_buffers::{
    Buffers, Filter, Limits, Loss, Restored, Shape, Stream, Taken, TargetAfter, Wall, line,
};
use serde_json::{Value, json};

pub(crate) const NOON: f64 = 1_795_176_000.0;

/// So many seconds after noon of 2026-11-20, UTC.
pub(crate) fn at(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(NOON + seconds)
}

pub(crate) fn wall(seconds: f64) -> Wall {
    Wall::from(at(seconds))
}

pub(crate) fn buffers() -> Buffers {
    Buffers::new(Limits::default())
}

pub(crate) fn take(buffers: &mut Buffers, target: &str, method: &str, params: &Value) -> Taken {
    buffers
        .event(target, method, &params.to_string(), at(30.0))
        .unwrap()
}

pub(crate) fn log_params(text: &str, seconds: f64) -> Value {
    json!({
        "type": "log",
        "args": [{"type": "string", "value": text}],
        "executionContextId": 1,
        "timestamp": (NOON + seconds) * 1e3,
        "stackTrace": {"callFrames": [{
            "functionName": "", "scriptId": "4", "url": "https://a.test/app.js",
            "lineNumber": 9, "columnNumber": 4,
        }]},
    })
}

pub(crate) fn log(buffers: &mut Buffers, target: &str, text: &str, seconds: f64) -> Taken {
    take(
        buffers,
        target,
        "Runtime.consoleAPICalled",
        &log_params(text, seconds),
    )
}

pub(crate) fn request_params(id: &str, url: &str) -> Value {
    json!({
        "requestId": id, "loaderId": "L1", "documentURL": "https://a.test/",
        "request": {
            "url": url, "method": "GET", "headers": {"Accept": "*/*"},
            "initialPriority": "High", "referrerPolicy": "strict-origin",
        },
        "timestamp": 100.0, "wallTime": NOON + 1.0,
        "initiator": {"type": "script", "stack": {"callFrames": [{
            "functionName": "load", "scriptId": "4", "url": "https://a.test/app.js",
            "lineNumber": 9, "columnNumber": 4,
        }]}},
        "redirectHasExtraInfo": false, "type": "XHR", "frameId": "F1",
    })
}

pub(crate) fn request(buffers: &mut Buffers, id: &str, url: &str) -> Taken {
    take(
        buffers,
        "T1",
        "Network.requestWillBeSent",
        &request_params(id, url),
    )
}

pub(crate) fn response(id: &str, status: u16) -> Value {
    json!({
        "requestId": id, "loaderId": "L1", "timestamp": 100.010, "type": "XHR",
        "response": {
            "url": "https://a.test/x", "status": status, "statusText": "OK",
            "headers": {"Content-Type": "application/json"},
            "mimeType": "application/json", "remoteIPAddress": "192.0.2.1", "remotePort": 443,
            "fromDiskCache": false, "encodedDataLength": 300, "protocol": "h2",
            "timing": {
                "requestTime": 100.0, "proxyStart": -1, "dnsStart": 0.1, "dnsEnd": 1.1,
                "connectStart": 1.1, "connectEnd": 4.1, "sslStart": 2.1, "sslEnd": 4.1,
                "sendStart": 4.2, "sendEnd": 4.3, "receiveHeadersEnd": 9.3,
            },
        },
        "hasExtraInfo": false,
    })
}

pub(crate) fn finished(id: &str) -> Value {
    json!({"requestId": id, "timestamp": 100.012, "encodedDataLength": 3_000.0})
}

pub(crate) fn whole_request(buffers: &mut Buffers, id: &str, url: &str, status: u16) {
    request(buffers, id, url);
    take(
        buffers,
        "T1",
        "Network.responseReceived",
        &response(id, status),
    );
    take(buffers, "T1", "Network.loadingFinished", &finished(id));
}

pub(crate) fn loss(seconds: f64) -> Loss {
    Loss {
        from: wall(seconds),
        noticed: wall(seconds + 0.5),
        epoch: 1,
        cause: "connection reset".into(),
    }
}

pub(crate) fn after(target: &str, loader: &str) -> TargetAfter {
    TargetAfter {
        target: target.into(),
        loader_id: Some(loader.into()),
        replayed: true,
    }
}

pub(crate) fn restored(seconds: f64, targets: Vec<TargetAfter>) -> Restored {
    Restored {
        at: wall(seconds),
        epoch: 2,
        same_browser: true,
        targets,
        from: None,
        unknown: Vec::new(),
        without_init_scripts: Vec::new(),
    }
}

/// A stream, one line per entry.
pub(crate) fn lines(buffers: &Buffers, stream: Stream) -> Vec<String> {
    filtered(buffers, stream, &Filter::default())
}

pub(crate) fn filtered(buffers: &Buffers, stream: Stream, filter: &Filter) -> Vec<String> {
    buffers
        .select(stream, filter)
        .into_iter()
        .map(|e| line(e, Shape::default()))
        .collect()
}
