//! What a recovery consists of, and the least that it can take: the same done by hand over the floor.

use crate::{Floor, WebSocket};
use keeptab_bench_kit::{Failure, between};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Tabs that come back at once.
pub const TABS: usize = 5;

/// What is set on each of them, as methods and their parameters.
pub const SETTINGS: [(&str, &str); 7] = [
    ("Emulation.setUserAgentOverride", r#"{"userAgent":"bench"}"#),
    (
        "Emulation.setDeviceMetricsOverride",
        r#"{"width":800,"height":600,"deviceScaleFactor":1,"mobile":false}"#,
    ),
    (
        "Emulation.setGeolocationOverride",
        r#"{"latitude":1,"longitude":2,"accuracy":3}"#,
    ),
    (
        "Network.setExtraHTTPHeaders",
        r#"{"headers":{"X-Bench":"1"}}"#,
    ),
    (
        "Page.addScriptToEvaluateOnNewDocument",
        r#"{"source":"window.fromInitScript = true"}"#,
    ),
    ("Network.enable", "{}"),
    ("Runtime.enable", "{}"),
];

/// What each tab is asked when it is back.
pub const QUESTION: &str = "[navigator.userAgent, innerWidth].join()";

/// What it answers when everything is in force.
pub const ANSWER: &str = "bench,800";

/// Opens tabs for [`by_hand`].
///
/// # Errors
/// [`Failure`] when the browser is gone.
pub async fn open_tabs(url: &str) -> Result<Vec<String>, Failure> {
    let mut floor = Floor::new(WebSocket::<TcpStream>::connect(url).await?);
    let mut targets = Vec::new();
    for _ in 0..TABS {
        let made = floor
            .text("Target.createTarget", r#"{"url":"about:blank"}"#)
            .await?;
        let id = between(&made, "\"targetId\":\"", "\"").ok_or("no targetId")?;
        targets.push(id.to_owned());
    }
    Ok(targets)
}

/// Closes them.
///
/// # Errors
/// [`Failure`] when the browser is gone.
pub async fn close_tabs(url: &str, targets: &[String]) -> Result<(), Failure> {
    let mut floor = Floor::new(WebSocket::<TcpStream>::connect(url).await?);
    for target in targets {
        let params = format!("{{\"targetId\":\"{target}\"}}");
        floor.text("Target.closeTarget", &params).await?;
    }
    Ok(())
}

/// Connects, looks which targets there are, attaches, sets everything and asks each tab: three bursts, and nothing checked
/// but the answers of the tabs. What it takes is the browser's own part of a recovery.
///
/// # Errors
/// [`Failure`] when the browser is gone, or a tab sees something else than was set.
pub async fn by_hand(url: &str, targets: &[String]) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let mut floor = Floor::new(WebSocket::<TcpStream>::connect(url).await?);
    floor.text("Target.getTargets", "{}").await?;
    floor.attach_all(targets).await?;
    let ask = serde_json::json!({ "expression": QUESTION }).to_string();
    let mut expected = Vec::new();
    for tab in 0..targets.len() {
        let calls = SETTINGS.iter().copied();
        for (method, params) in calls.chain([("Runtime.evaluate", ask.as_str())]) {
            floor.send(Some(tab), method, params).await?;
            expected.push(method);
        }
    }
    let mut right = 0;
    for _ in expected {
        let answer = |message: &[u8]| String::from_utf8_lossy(message).contains(ANSWER);
        right += usize::from(floor.reply(|_| (), answer).await?);
    }
    if right != targets.len() {
        return Err(Failure(format!(
            "{right} of {} tabs are as they were",
            targets.len()
        )));
    }
    Ok(begun.elapsed())
}
