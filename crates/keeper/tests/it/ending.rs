//! How it ends: asked for, by itself, or for want of an owner.

use std::fs;
use std::time::Duration;

use keeptab_keeper::{Found, Life, wire};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Kept, pid_of, until};

fn ended_cleanly(kept: &Kept) {
    until("keeper and browser are gone", || {
        !kept.keeper_runs() && !kept.browser_runs()
    });
    assert!(!kept.spawned.socket.exists(), "no socket is left");
    assert!(!kept.state.exists(), "no state file is left");
}

#[test]
fn the_owner_ends_it_politely() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    owner.send(&wire::end(false));
    let ended = owner.find(|message| message["keeper"] == "ended");
    assert_eq!(ended["status"], "exit 0");
    ended_cleanly(&kept);
}

#[test]
fn the_owner_ends_it_at_once() {
    let kept = Kept::fake("stubborn");
    let (mut owner, _) = kept.own(1);
    owner.send(&wire::end(true));
    let ended = owner.find(|message| message["keeper"] == "ended");
    assert_eq!(ended["status"], "signal 9");
    ended_cleanly(&kept);
}

#[test]
fn a_browser_that_will_not_close_is_killed_and_takes_no_more_commands() {
    let kept = Kept::fake("stubborn");
    let (mut owner, _) = kept.own(1);
    owner.send(&wire::end(false));
    let id = owner.post("Fake.effect", json!({}));
    let no = owner.find(|message| message["keeper"] == "refused");
    assert_eq!((&no["id"], &no["why"]), (&json!(id), &json!("ending")));
    let ended = owner.find(|message| message["keeper"] == "ended");
    assert_eq!(ended["status"], "signal 9");
    ended_cleanly(&kept);
}

#[test]
fn a_signal_ends_it_politely() {
    for signal in [Signal::TERM, Signal::INT] {
        let kept = Kept::fake("");
        let (mut owner, _) = kept.own(1);
        kill_process(pid_of(kept.spawned.pid), signal).expect("signal");
        let ended = owner.find(|message| message["keeper"] == "ended");
        assert_eq!(ended["status"], "exit 0");
        ended_cleanly(&kept);
    }
}

#[test]
fn an_orphan_is_reaped_only_when_told_so() {
    let kept = Kept::start("", |args| args.orphan_after = Some(Duration::from_secs(2)))
        .expect("the keeper starts");
    let (owner, _) = kept.own(1);
    std::thread::sleep(Duration::from_secs(3));
    assert!(kept.keeper_runs(), "it is no orphan while it has an owner");
    drop(owner);
    ended_cleanly(&kept);
}

#[test]
fn a_browser_that_dies_is_mourned_loudly() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    let id = owner.post("Fake.die", json!({"code": 9}));
    assert_eq!(
        owner.reply(id)["result"]["dying"],
        true,
        "its last reply arrives"
    );
    let exited = owner.next();
    assert_eq!(
        (&exited["keeper"], &exited["status"]),
        (&json!("browser_exited"), &json!("exit 9"))
    );
    let stderr = exited["stderr"].as_str().expect("a file");
    assert!(
        fs::read_to_string(stderr)
            .expect("stderr")
            .contains("last words")
    );
    let late = owner.post("Any.thing", json!({}));
    let no = owner.next();
    assert_eq!(
        (&no["id"], &no["why"]),
        (&json!(late), &json!("browser_exited"))
    );

    // A new owner can still ask what the old one never learned.
    let (mut second, hello) = kept.own(2);
    assert_eq!(hello["browserExited"], "exit 9");
    assert_eq!(second.fate(id)["reply"]["result"]["dying"], true);
    assert!(kept.keeper_runs(), "it waits for its owner");
    drop(second);
    until("the keeper is gone", || !kept.keeper_runs());
    assert!(!kept.spawned.socket.exists());
    let found = Found::read(&kept.state).expect("the state file tells it later");
    assert_eq!(found.life, Life::BrowserExited("exit 9".into()));
    let log = fs::read_to_string(kept.dir.path().join("run/one.keeper.log")).expect("log");
    assert!(
        log.contains("the browser ended by itself (exit 9)"),
        "{log}"
    );
    assert!(found.clear().expect("cleared"));
    // A keeper that was ending while its file was read has removed it by itself.
    assert!(found.clear().expect("nothing is left to clear"));
    let left = fs::read_dir(kept.dir.path().join("run"))
        .expect("dir")
        .count();
    assert_eq!(left, 0, "nothing is left");
}

#[test]
fn a_browser_that_dies_alone_waits_to_be_asked() {
    let kept = Kept::fake("");
    kill_process(pid_of(kept.spawned.browser_pid), Signal::KILL).expect("kill");
    until("the state file says so", || {
        Found::read(&kept.state).is_ok_and(|f| f.life == Life::BrowserExited("signal 9".into()))
    });
    assert!(kept.keeper_runs());
    let (mut owner, hello) = kept.own(1);
    assert_eq!(hello["browserExited"], "signal 9");
    owner.send(&wire::end(false));
    assert_eq!(owner.next(), Value::Null);
    until("the keeper is gone", || !kept.keeper_runs());
}
