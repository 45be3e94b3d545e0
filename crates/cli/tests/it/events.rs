//! Following events over the daemon's socket, as another program would.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use crate::bed::{Bed, eventually, site};

/// Begins to follow; what comes is read as lines of JSON, whatever their pieces.
pub(crate) fn follow(bed: &Bed, query: &str) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(bed.home().join("run/keeptab.sock")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let request = format!("GET /v1/events{query} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "{head}");
    }
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(
        head.to_lowercase().contains("application/x-ndjson"),
        "{head}"
    );
    stream
}

/// The next event; sizes of pieces are no JSON objects and are passed over.
fn next(stream: &mut BufReader<UnixStream>) -> Value {
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
        if line.starts_with('{') {
            return serde_json::from_str(&line).unwrap();
        }
    }
}

pub(crate) fn until(
    stream: &mut BufReader<UnixStream>,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let mut seen = Vec::new();
    loop {
        let event = next(stream);
        if wanted(&event) {
            return event;
        }
        assert!(seen.len() < 50_000, "never: {what}: {seen:#?}");
        seen.push(event);
    }
}

#[test]
fn tabs_messages_and_requests_are_told_as_they_come() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open"]);
    let mut stream = follow(&bed, "?streams=state,tabs,console,network&session=default");
    let first = next(&mut stream);
    assert_eq!(
        (first["event"].as_str(), first["snapshot"].as_bool()),
        (Some("state"), Some(true))
    );
    assert_eq!(first["state"], "connected");
    bed.ok(["tab", "new", &site.url("/console?n=1")]);
    until(&mut stream, "the tab", |e| {
        e["event"] == "tab" && e["what"] == "opened"
    });
    until(&mut stream, "the message", |e| {
        e["event"] == "console" && e["entry"]["text"] == "a warning"
    });
    bed.page("default", "fetch('/echo?x').then(a => a.text()); 1");
    until(&mut stream, "the answer", |e| {
        e["event"] == "network"
            && e["new"] == false
            && e["entry"]["url"].as_str().unwrap().contains("/echo")
    });
    bed.page("default", "setTimeout(() => alert('a question'), 10); 1");
    let dialog = until(&mut stream, "the dialog", |e| e["what"] == "dialog");
    assert_eq!(dialog["dialog"]["message"], "a question");
    bed.ok([
        "js",
        "await session.Page.handleJavaScriptDialog({accept: true})",
    ]);
    bed.ok(["tab", "close"]);
    until(&mut stream, "the end of the tab", |e| e["what"] == "closed");
    bed.ok(["close"]);
    until(&mut stream, "the end", |e| {
        e["event"] == "session" && e["what"] == "closed"
    });
}

#[test]
fn one_who_does_not_read_loses_events_and_disturbs_nobody() {
    let bed = Bed::new();
    bed.ok(["open"]);
    let mut slow = follow(&bed, "?streams=console");
    let mut quick = follow(&bed, "?streams=console");
    let reading = std::thread::spawn(move || {
        until(&mut quick, "the end of the flood", |e| {
            e["event"] == "console" && e["entry"]["text"].as_str().unwrap().contains("flood 19")
        })
    });
    for n in 0..20 {
        let code = format!(
            "for (let i = 0; i < 500; i++) console.log('flood {n} ' + 'x'.repeat(2000)); 1"
        );
        bed.page("default", &code);
    }
    reading.join().unwrap();
    // Everybody else has gone on: the daemon answers, and has all of it.
    eventually("the last one", || {
        bed.ok(["console", "--tail", "1"]).contains("flood 19")
    });
    assert_eq!(bed.run(["status"]).code, 0);
    let dropped = until(&mut slow, "the notice", |e| e["event"] == "dropped");
    assert!(dropped["count"].as_u64().unwrap() > 0, "{dropped}");
}

#[test]
fn those_who_go_away_leave_no_trace() {
    let bed = Bed::new();
    bed.ok(["daemon", "start"]);
    let pid = bed.daemon_pid();
    let open_files = || {
        std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .count()
    };
    let before = open_files();
    // More than may follow at once.
    for _ in 0..4 {
        let all: Vec<_> = (0..50).map(|_| follow(&bed, "")).collect();
        drop(all);
        eventually("they are forgotten", || open_files() <= before + 2);
    }
    bed.ok(["daemon", "stop"]);
}
