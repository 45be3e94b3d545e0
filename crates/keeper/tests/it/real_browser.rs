//! With Chromium: what survives its owner.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use keeptab_keeper::wire;
use serde_json::{Value, json};

use crate::support::{Client, Kept, until};

/// Where Chromium is. `KEEPTAB_BROWSER` names another.
fn chromium() -> PathBuf {
    std::env::var_os("KEEPTAB_BROWSER")
        .unwrap_or_else(|| "chromium".into())
        .into()
}

fn flags() -> Vec<OsString> {
    let mut flags = vec![
        "--headless=new",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];
    if rustix::process::geteuid().is_root() {
        flags.push("--no-sandbox");
    }
    flags.into_iter().map(OsString::from).collect()
}

fn kept() -> Kept {
    Kept::start("", |args| {
        args.browser = chromium();
        args.flags = flags();
    })
    .expect("Chromium starts")
}

/// Attaches to a new tab; returns its targetId and raw sessionId.
fn new_tab(owner: &mut Client) -> (String, String) {
    let made = owner.call("Target.createTarget", json!({"url": "about:blank"}));
    let target = made["result"]["targetId"]
        .as_str()
        .expect("targetId")
        .to_owned();
    let attached = owner.call(
        "Target.attachToTarget",
        json!({"targetId": target, "flatten": true}),
    );
    let session = attached["result"]["sessionId"]
        .as_str()
        .expect("sessionId")
        .to_owned();
    (target, session)
}

fn evaluate(owner: &mut Client, session: &str, expression: &str) -> Value {
    let reply = owner.call_in(
        session,
        "Runtime.evaluate",
        json!({"expression": expression, "returnByValue": true}),
    );
    reply["result"]["result"]["value"].clone()
}

#[test]
fn everything_survives_the_owner() {
    let kept = kept();
    assert!(
        kept.spawned.version.contains('/'),
        "{}",
        kept.spawned.version
    );
    let (mut first, hello) = kept.own(1);
    let (target, session) = new_tab(&mut first);
    first.call_in(&session, "Page.enable", json!({}));
    first.call_in(
        &session,
        "Emulation.setUserAgentOverride",
        json!({"userAgent": "kept/1"}),
    );
    evaluate(&mut first, &session, "globalThis.counter = 41");
    let object = first.call_in(
        &session,
        "Runtime.evaluate",
        json!({"expression": "({mine: 'still here'})"}),
    );
    let object = object["result"]["result"]["objectId"]
        .as_str()
        .expect("objectId")
        .to_owned();
    // An effect whose reply nobody reads, and a dialog that nobody answers.
    let effect = first.post_in(
        Some(&session),
        "Runtime.evaluate",
        json!({"expression": "++counter"}),
    );
    let asked = first.post_in(
        Some(&session),
        "Runtime.evaluate",
        json!({"expression": "confirm('really?')", "returnByValue": true}),
    );
    first.find(|message| message["method"] == "Page.javascriptDialogOpening");
    drop(first);

    let (mut second, again) = kept.own(2);
    assert_eq!(
        again["connection"], hello["connection"],
        "the same CDP connection"
    );
    assert_eq!(second.fate(asked)["state"], "sent");
    assert_eq!(
        second.fate(effect)["reply"]["result"]["result"]["value"],
        42
    );
    let targets = second.call("Target.getTargets", json!({}));
    let found = targets["result"]["targetInfos"]
        .as_array()
        .expect("targets");
    assert!(
        found
            .iter()
            .any(|t| t["targetId"] == target.as_str() && t["attached"] == true)
    );
    second.call_in(
        &session,
        "Page.handleJavaScriptDialog",
        json!({"accept": true}),
    );
    until("the page goes on", || {
        second.fate(asked)["state"] == "replied"
    });
    assert_eq!(
        second.fate(asked)["reply"]["result"]["result"]["value"],
        true
    );
    assert_eq!(
        evaluate(&mut second, &session, "navigator.userAgent"),
        "kept/1"
    );
    assert_eq!(
        evaluate(&mut second, &session, "counter"),
        42,
        "the effect ran once"
    );
    let mine = second.call_in(
        &session,
        "Runtime.callFunctionOn",
        json!({"objectId": object, "functionDeclaration": "function() { return this.mine }"}),
    );
    assert_eq!(
        mine["result"]["result"]["value"], "still here",
        "object ids live on"
    );

    second.send(&wire::end(false));
    let ended = second.find(|message| message["keeper"] == "ended");
    assert_eq!(ended["status"], "exit 0");
    until("all is gone", || {
        !kept.keeper_runs() && !kept.browser_runs()
    });
    assert!(
        !kept.dir.path().join("profile/SingletonLock").exists(),
        "a clean end"
    );
}

#[test]
fn large_messages_pass_both_ways() {
    let kept = kept();
    let (mut owner, _) = kept.own(1);
    let (_, session) = new_tab(&mut owner);
    let down = evaluate(&mut owner, &session, "'x'.repeat(30e6)");
    assert_eq!(down.as_str().map(str::len), Some(30_000_000));
    let up = format!("'{}'.length", "y".repeat(10_000_000));
    assert_eq!(evaluate(&mut owner, &session, &up), 10_000_000);
}

#[test]
fn half_a_command_is_no_command() {
    let kept = kept();
    let (mut first, _) = kept.own(1);
    let (_, session) = new_tab(&mut first);
    // Whole but for its NUL, and so long that its start was passed on already.
    let (id, filler) = (first.id, " ".repeat(600_000));
    first.send(
        format!(
            "{{\"id\":{id},\"method\":\"Runtime.evaluate\",\"params\":{{\"expression\":\
             \"globalThis.ran = 1;{filler}\"}},\"sessionId\":\"{session}\"}}"
        )
        .as_bytes(),
    );
    drop(first);
    until("the owner is gone", || {
        let mut guest = kept.raw();
        guest.send(&wire::hello(1, "again"));
        guest.next()["keeper"] == 1
    });
    let (mut second, _) = kept.own(2);
    assert_eq!(second.fate(id)["state"], "unseen");
    assert_eq!(evaluate(&mut second, &session, "typeof ran"), "undefined");
}

#[test]
fn a_browser_that_is_killed_is_reported() {
    let kept = kept();
    let (mut owner, _) = kept.own(1);
    rustix::process::kill_process(
        crate::support::pid_of(kept.spawned.browser_pid),
        rustix::process::Signal::KILL,
    )
    .expect("kill");
    let killed = Instant::now();
    let exited = owner.find(|message| message["keeper"] == "browser_exited");
    assert_eq!(exited["status"], "signal 9");
    println!("told after {:?}", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_killed_keeper_takes_its_browser_along() {
    let kept = kept();
    rustix::process::kill_process(
        crate::support::pid_of(kept.spawned.pid),
        rustix::process::Signal::KILL,
    )
    .expect("kill");
    until("Chromium saw the end of its pipe", || !kept.browser_runs());
}

#[test]
fn the_hop_is_measured() {
    let kept = kept();
    let (mut owner, _) = kept.own(1);
    let (_, session) = new_tab(&mut owner);
    let mut times: Vec<Duration> = (0..500)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(evaluate(&mut owner, &session, "1+1"), 2);
            start.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "evaluate through the keeper: p50 {:?}, p95 {:?}",
        times[250], times[475]
    );
    assert!(times[250] < Duration::from_millis(50), "{:?}", times[250]);
}
