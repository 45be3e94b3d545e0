//! What it costs to keep track: `keeptab-tracking WS_URL N` writes one JSON line with the time of an evaluate, and with
//! the part of it that the link takes, on a tab with settings.
//!
//! The link's part is measured without a socket and holds more than the tracking of settings: deadlines, classes, writing
//! the message, reading the envelope of its answer. So it is an upper bound.

use bytes::Bytes;
use keeptab_bench_clients::recovery::SETTINGS;
use keeptab_bench_kit::Failure;
use keeptab_browser::{CallOptions, Endpoint, Options, Session};
use keeptab_link::{Config, DialInfo, Link, Output, Route, Submit, TargetId, Token};
use keeptab_protocol::Raw;
use serde_json::json;
use std::time::Instant;

const EVALUATE: (&str, &str) = ("Runtime.evaluate", r#"{"expression":"1+1"}"#);
const ANSWER: &str = r#"{"result":{"type":"number","value":2,"description":"2"}}"#;
const SESSION: &str = "0123456789ABCDEF0123456789ABCDEF";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let url = args.next().ok_or("the address is missing")?;
    let n: usize = args.next().ok_or("the number is missing")?.parse()?;
    let evaluate_us = tokio::spawn(round_trip(url, n))
        .await
        .map_err(|_| Failure("the client panicked".into()))??;
    let link_us = in_the_link(n)?;
    println!(
        "{}",
        json!({ "evaluate_us": evaluate_us, "link_us": link_us })
    );
    Ok(())
}

/// The median of an evaluate, in microseconds.
async fn round_trip(url: String, n: usize) -> Result<f64, Failure> {
    let session = Session::connect(Endpoint::Ws(url), Options::new()).await?;
    let tab = session.new_tab("about:blank").await?;
    for (method, params) in SETTINGS {
        tab.call_raw(method, Raw::from_static(params), CallOptions::new())
            .await?;
    }
    let mut times = Vec::with_capacity(n);
    for _ in 0..n {
        let params = Raw::from(EVALUATE.1.to_owned());
        let begun = Instant::now();
        tab.call_raw(EVALUATE.0, params, CallOptions::new()).await?;
        times.push(begun.elapsed());
    }
    tab.close().await?;
    times.sort_unstable();
    Ok(times[n / 2].as_secs_f64() * 1e6)
}

/// The median of the same inside the link, in microseconds.
fn in_the_link(n: usize) -> Result<f64, Failure> {
    let now = Instant::now();
    let mut link = Link::new(Config::default(), now);
    link.open(now);
    link.dialed(now, DialInfo::default());
    let info = json!({ "targetId": "A", "type": "page", "title": "", "url": "" });
    for event in [
        json!({ "method": "Target.targetCreated", "params": { "targetInfo": info } }),
        json!({ "method": "Target.attachedToTarget", "params": {
            "sessionId": SESSION, "targetInfo": info, "waitingForDebugger": false,
        } }),
    ] {
        link.received(now, event.to_string().into());
    }
    while link.poll().is_some() {}
    for (method, params) in SETTINGS {
        once(
            &mut link,
            (method, Raw::from_static(params)),
            r#"{"identifier":"1"}"#,
        )?;
    }
    let mut times = Vec::with_capacity(n);
    for _ in 0..n {
        let params = Raw::from(EVALUATE.1.to_owned());
        let begun = Instant::now();
        once(&mut link, (EVALUATE.0, params), ANSWER)?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[n / 2].as_secs_f64() * 1e6)
}

/// One command and its answer.
fn once(link: &mut Link, (method, params): (&str, Raw), answer: &str) -> Result<(), Failure> {
    let route = Route::Target(TargetId::from("A"));
    let now = Instant::now();
    link.submit(now, Submit::by_name(Token(1), route, method, params));
    let mut sent = None;
    while let Some(output) = link.poll() {
        if let Output::Send(message) = output {
            sent = Some(message);
        }
    }
    let sent = sent.ok_or("the link sent nothing")?;
    let id = sent.get(b"{\"id\":".len()..).unwrap_or_default();
    let digits = id.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let id = std::str::from_utf8(&id[..digits])?;
    let reply = format!("{{\"id\":{id},\"result\":{answer},\"sessionId\":\"{SESSION}\"}}");
    link.received(now, Bytes::from(reply));
    let mut settled = false;
    while let Some(output) = link.poll() {
        settled |= matches!(output, Output::Settle { .. });
    }
    let _ = link.poll_timeout();
    if settled {
        Ok(())
    } else {
        Err(Failure(format!("{method} did not settle")))
    }
}
