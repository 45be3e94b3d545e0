//! A snippet that the worker runs before anybody asks, so that the first real one finds the engine's pages in memory
//! and the commonest domain loaded. A worker is started ahead of its use, so nobody waits for this.
//!
//! Nothing of it leaves the process, and nothing of it is there afterwards.

use std::io;

use bytes::Bytes;
use serde_json::json;

use super::run::Worker;

/// Like most first snippets: it connects, and asks a tab.
const CODE: &str = "await session.connect({wsUrl: 'ws://127.0.0.1'}); await session.use('T'); \
    return (await session.Runtime.evaluate({expression: '1 + 1'})).result.value;";
/// What the calls of the snippet are answered with, in order.
const ANSWERS: [&str; 3] = [
    r#"{"active":null}"#,
    r#""target:T""#,
    r#"{"result":{"type":"number","value":2,"description":"2"}}"#,
];
/// No eval of the owner has it: theirs count from 1. The engine's whole numbers end here.
const ID: u32 = i32::MAX.unsigned_abs();
/// Far more than it takes.
const PATIENCE_MS: u64 = 20_000;

/// Runs the rehearsal on a worker that has not served anything yet.
///
/// # Errors
/// The worker cannot go on.
pub(super) fn rehearse(worker: &Worker<'_>) -> io::Result<()> {
    let state = &worker.state;
    let start = json!({
        "code": CODE, "file": "rehearsal.js", "timeoutMs": PATIENCE_MS, "strict": false,
        "active": null, "connected": false, "assigned": {},
    });
    worker.eval(ID, start.to_string().as_bytes())?;
    for answer in ANSWERS {
        let calls: Vec<u32> = state.calls.borrow().keys().copied().collect();
        for call in calls {
            worker.settle(call, true, Bytes::from_static(answer.as_bytes()))?;
        }
    }
    // On a machine that is out of breath it may not have come to its end. That costs the first call, and no more.
    worker.drop_eval(ID);
    state.calls.borrow_mut().clear();
    state.rejections.borrow_mut().clear();
    let said = state.out.borrow_mut().take();
    debug_assert!(
        String::from_utf8_lossy(&said).ends_with(r#"{"shape":"json"}"#),
        "the rehearsal went wrong: {}",
        String::from_utf8_lossy(&said)
    );
    Ok(())
}
