//! What Chromium really sends. `recorded/chromium-156-loss.jsonl` holds the
//! events of one page on two connections: on the first it logs all sorts of
//! values, throws, and removes a frame that had logged; then the socket is
//! closed, the page logs on, and a second connection enables the same domains.

use keeptab_buffers::{Stream, Taken, Verdict};
use serde::Deserialize;
use serde_json::Value;

use crate::events::{after, at, buffers, lines, loss, restored};

const RECORDED: &str = include_str!("recorded/chromium-156-loss.jsonl");

#[derive(Deserialize)]
struct Event {
    phase: String,
    method: String,
    params: Value,
}

fn text(params: &Value) -> &str {
    params["args"][0]["value"].as_str().unwrap_or_default()
}

#[test]
fn a_real_replay_brings_what_was_missed_and_nothing_twice() {
    let mut b = buffers();
    let mut lost = false;
    let mut before = 0;
    let mut recovered = Vec::new();
    let mut live = 0;
    for line in RECORDED.lines() {
        let event: Event = serde_json::from_str(line).unwrap();
        if event.phase == "after" && !lost {
            lost = true;
            before = b.len(Stream::Console);
            b.lost(loss(1.0));
        }
        if event.phase == "enabled" {
            b.replay_ended("T1");
            continue;
        }
        let taken = b
            .event("T1", &event.method, &event.params.to_string(), at(9.0))
            .unwrap();
        if lost && matches!(taken, Taken::Added(Stream::Console, _)) {
            match text(&event.params) {
                "live again" => live += 1,
                _ => recovered.push(event.method),
            }
        }
    }
    assert_eq!(before, 22);
    let missed = ["Runtime.consoleAPICalled"; 2].into_iter();
    let missed = missed.chain(["Runtime.exceptionThrown", "Log.entryAdded"]);
    assert_eq!(recovered, missed.collect::<Vec<_>>());
    assert_eq!(live, 1);
    let lines = lines(&b, Stream::Console);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("LOG") && line.ends_with(" obj {a: 1, b: Object} [1, 2, 3]"))
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("EXCEPTION") && line.contains("Uncaught TypeError: late"))
    );

    // The loader was learned from Page.frameNavigated, and is the same.
    let loader = RECORDED
        .lines()
        .filter_map(|line| serde_json::from_str::<Event>(line).ok())
        .filter(|event| event.method == "Page.frameNavigated")
        .filter(|event| event.params["frame"]["parentId"].is_null())
        .filter_map(|event| {
            event.params["frame"]["loaderId"]
                .as_str()
                .map(str::to_owned)
        })
        .next_back()
        .unwrap();
    let verdict = b
        .restored(&restored(5.0, vec![after("T1", &loader)]))
        .unwrap()
        .0;
    assert_eq!(verdict, Verdict::Complete { recovered: 4 });
}

#[test]
fn real_requests_are_told_to_their_end() {
    let mut b = buffers();
    for line in RECORDED.lines() {
        let event: Event = serde_json::from_str(line).unwrap();
        if event.phase == "before" {
            b.event("T1", &event.method, &event.params.to_string(), at(9.0))
                .unwrap();
        }
    }
    let lines = lines(&b, Stream::Network);
    assert!(
        lines[0].starts_with("01 GET http://site.test/ 200 "),
        "{lines:?}"
    );
    assert!(lines[0].contains(" document "), "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("GET http://site.test/missing 404 ")),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("pending")),
        "{lines:?}"
    );
}
