//! How a keeper starts, and how it says that it did not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use keeptab_keeper::{Found, Life, SpawnErrorKind, State, list, spawn};
use rustix::process::{Signal, kill_process};

use crate::support::{Kept, args, pid_of, runs, until};

#[test]
fn a_keeper_is_found_by_its_state_file() {
    let kept = Kept::fake("");
    let state = State::read(&kept.state).expect("state");
    assert_eq!(
        (state.pid, state.browser_pid),
        (kept.spawned.pid, kept.spawned.browser_pid)
    );
    assert_eq!(state.version, "Fake/1.0");
    assert_eq!(state.profile, kept.dir.path().join("profile"));
    assert_eq!(state.socket, kept.spawned.socket);
    let mode =
        |path: &std::path::Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&kept.spawned.socket), 0o600);
    assert_eq!(mode(&kept.state), 0o600);
    assert_eq!(mode(kept.state.parent().expect("dir")), 0o700);

    fs::write(kept.dir.path().join("run/bad.keeper"), "{}").expect("write");
    let found = list(kept.state.parent().expect("dir")).expect("list");
    assert_eq!(found.len(), 2);
    assert!(found[0].is_err());
    let one = found[1].as_ref().expect("readable");
    assert_eq!(one.life, Life::Alive);
    assert!(
        !one.clear().expect("clear"),
        "a living keeper is left alone"
    );
    assert!(kept.keeper_runs() && kept.state.exists());
    assert!(
        list(&kept.dir.path().join("nowhere"))
            .expect("list")
            .is_empty()
    );
}

#[test]
fn it_belongs_to_nobody() {
    let kept = Kept::fake("");
    let stat = fs::read_to_string(format!("/proc/{}/stat", kept.spawned.pid)).expect("stat");
    let fields: Vec<i64> = stat
        .rsplit(')')
        .next()
        .expect("fields")
        .split_whitespace()
        .skip(1)
        .take(3)
        .map(|n| n.parse().expect("number"))
        .collect();
    let [parent, _, session] = fields[..] else {
        panic!("{stat}")
    };
    assert_ne!(parent, i64::from(std::process::id()), "not our child");
    assert_eq!(session, i64::from(kept.spawned.pid), "its own session");
}

#[test]
fn a_browser_that_dies_at_once_is_quoted() {
    let error = Kept::start("dies", |_| {}).err().expect("refused");
    assert_eq!(error.kind(), SpawnErrorKind::Start);
    assert!(error.to_string().contains("exit 7"), "{error}");
    assert!(
        error.output().contains("without --no-sandbox"),
        "{}",
        error.output()
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("--no-sandbox"))
    );
}

#[test]
fn a_browser_that_never_answers_is_killed() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut args = args(dir.path(), "mute");
    args.start_patience = Some(Duration::from_secs(1));
    let error = spawn(&args).expect_err("refused");
    assert!(
        error.to_string().contains("did not answer in time"),
        "{error}"
    );
    assert!(error.output().contains("hello from stderr"));
    assert!(!args.socket.exists() && !args.state.exists());
}

#[test]
fn what_is_missing_is_named() {
    let error = Kept::start("", |args| args.browser = "/nowhere/chrome".into())
        .err()
        .expect("refused");
    assert_eq!(error.kind(), SpawnErrorKind::Start);
    assert!(error.to_string().contains("/nowhere/chrome"), "{error}");
    let error = Kept::start("", |args| args.program = "/nowhere/keeptab".into())
        .err()
        .expect("refused");
    assert_eq!(error.kind(), SpawnErrorKind::Keeper);
    let error = Kept::start("", |args| args.prefix = vec!["--wrong".into()])
        .err()
        .expect("refused");
    assert!(error.output().contains("usage:"), "{}", error.output());
}

#[test]
fn a_directory_open_to_others_is_refused() {
    let error = Kept::start("", |args| {
        let open = args.profile.with_file_name("open");
        fs::create_dir(&open).expect("mkdir");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("chmod");
        args.socket = open.join("s");
    });
    let error = error.err().expect("refused");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("chmod 700")),
        "{error}"
    );
}

#[test]
fn two_keepers_never_share_a_socket() {
    let kept = Kept::fake("");
    let mut again = args(kept.dir.path(), "");
    again.state = kept.dir.path().join("run/two.keeper");
    let error = spawn(&again).expect_err("refused");
    assert!(error.to_string().contains("another keeper"), "{error}");
    kept.own(1);
}

#[test]
fn what_a_killed_keeper_left_is_cleared() {
    let kept = Kept::fake("stubborn");
    kill_process(pid_of(kept.spawned.pid), Signal::KILL).expect("kill");
    until("the keeper is gone", || !runs(kept.spawned.pid));
    assert!(kept.browser_runs(), "this browser does not mind");
    let found = Found::read(&kept.state).expect("state");
    assert_eq!(found.life, Life::Dead);
    assert!(found.clear().expect("cleared"));
    until("the browser is gone", || !kept.browser_runs());
    assert!(!kept.state.exists() && !kept.spawned.socket.exists());
    // A socket that nobody listens on is no obstacle for the next one.
    fs::write(&kept.spawned.socket, "").expect("write");
    let spawned = spawn(&args(kept.dir.path(), "")).expect("starts again");
    kill_process(pid_of(spawned.pid), Signal::TERM).expect("ask it to end");
    until("it ended", || !runs(spawned.pid));
}
