//! What one command costs inside the link: `cargo run --release -p keeptab-link --example round_trip`.
use std::time::{Duration, Instant};

use bytes::Bytes;
use keeptab_link::{Config, DialInfo, Link, Output, Route, Str, Submit, TargetId, Token};
use keeptab_protocol::Raw;

const COMMANDS: u64 = 500_000;
const IN_FLIGHT: u64 = 64;

fn main() {
    let now = Instant::now();
    let mut link = Link::new(Config::default(), now);
    link.open(now);
    link.dialed(now, DialInfo::default());
    for message in [
        r#"{"method":"Target.targetCreated","params":{"targetInfo":{"targetId":"A","type":"page","title":"","url":""}}}"#,
        r#"{"method":"Target.attachedToTarget","params":{"sessionId":"0123456789ABCDEF0123456789ABCDEF","targetInfo":{"targetId":"A","type":"page","title":"","url":""},"waitingForDebugger":false}}"#,
    ] {
        link.received(now, Bytes::from_static(message.as_bytes()));
    }
    while link.poll().is_some() {}

    let method = Str::from_static("Runtime.evaluate");
    let params = Raw::from_static(r#"{"expression":"1+1"}"#);
    let route = Route::Target(TargetId::from("A"));
    let started = Instant::now();
    let (mut settled, mut submitted) = (0, 0);
    while settled < COMMANDS {
        let now = Instant::now();
        for _ in 0..IN_FLIGHT {
            let command = Submit::new(
                Token(submitted),
                route.clone(),
                method.clone(),
                params.clone(),
            );
            link.submit(now, command);
            submitted += 1;
        }
        let mut answers = Vec::with_capacity(IN_FLIGHT as usize);
        while let Some(output) = link.poll() {
            if let Output::Send(frame) = output {
                let id = std::str::from_utf8(&frame[6..])
                    .ok()
                    .and_then(|rest| rest.split(',').next())
                    .unwrap_or("0");
                answers.push(format!(
                    r#"{{"id":{id},"result":{{"result":{{"type":"number","value":2,"description":"2"}}}},"sessionId":"0123456789ABCDEF0123456789ABCDEF"}}"#
                ));
            }
        }
        for answer in answers {
            link.received(now, Bytes::from(answer));
            while let Some(output) = link.poll() {
                settled += u64::from(matches!(output, Output::Settle { .. }));
            }
            let _ = link.poll_timeout();
        }
    }
    let each = started.elapsed() / COMMANDS as u32;
    println!(
        "{each:?} for a command and its answer, {IN_FLIGHT} in flight (the caller's part included)"
    );
    assert!(each < Duration::from_millis(1));
}
