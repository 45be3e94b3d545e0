use std::io::Write;
use std::process::{Child, Output, Stdio};

use crate::bed::{Bed, eventually};
use crate::losses::kill;

/// Kills the sandboxes of the daemon, as a system that is out of memory does.
fn kill_workers(bed: &Bed) {
    let daemon = bed.daemon_pid();
    let mut killed = 0;
    for task in std::fs::read_dir(format!("/proc/{daemon}/task")).unwrap() {
        let children = task.unwrap().path().join("children");
        for pid in std::fs::read_to_string(children)
            .unwrap()
            .split_whitespace()
        {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if line
                .split(|byte| *byte == 0)
                .any(|word| word == b"js-worker")
            {
                kill(pid.parse().unwrap());
                killed += 1;
            }
        }
    }
    assert!(killed > 0, "there was a sandbox to kill");
}

fn start(bed: &Bed, code: &str) -> Child {
    let mut command = bed.command();
    command
        .args(["js", code])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn killed_after_an_effect_its_outcome_is_unknown() {
    let bed = Bed::new();
    bed.ok(["open", "about:blank"]);
    let running = start(
        &bed,
        "await session.Runtime.evaluate({awaitPromise: true, expression: 'window.w = (window.w || 0) + 1; new Promise(() => {})'})",
    );
    eventually("it has happened", || {
        bed.page("default", "String(window.w)") == "1"
    });
    kill_workers(&bed);
    let ended = running.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{}", said(&ended));
    for part in [
        "Runtime.evaluate (not answered)",
        "look at the page",
        "globalThis is gone",
    ] {
        assert!(said(&ended).contains(part), "{}", said(&ended));
    }
    assert_eq!(bed.page("default", "String(window.w)"), "1", "sent once");
}

#[test]
fn killed_after_reads_it_is_said_to_be_safe_to_repeat() {
    let bed = Bed::new();
    bed.ok(["open", "about:blank"]);
    let running = start(
        &bed,
        "await session.Page.getFrameTree(); globalThis.read = 'yes'; await cdp.sleep(60000)",
    );
    eventually("it has read", || {
        bed.ok(["js", "String(globalThis.read)"]) == "yes"
    });
    kill_workers(&bed);
    let ended = running.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
    assert!(said(&ended).contains("safe to repeat"), "{}", said(&ended));
}

#[test]
fn it_ends_when_nobody_is_there_any_more() {
    let bed = Bed::new();
    let mut worker = bed
        .command()
        .arg("js-worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = worker.stdin.take().unwrap();
    // Bytes that are no frame must not keep it either.
    let _ = stdin.write_all(b"nonsense");
    drop(stdin);
    crate::bed::eventually("it ends", || worker.try_wait().unwrap().is_some());
}

#[test]
fn it_is_not_advertised() {
    let help = Bed::new().ok(["--help"]);
    assert!(!help.contains("js-worker"), "{help}");
}
