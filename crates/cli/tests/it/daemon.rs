use std::process::Stdio;

use keeptab_testkit::Ran;

use crate::bed::{Bed, alive, chromium, eventually};

#[test]
fn it_starts_once_and_stops() {
    let bed = Bed::new();
    let down = bed.fails(8, ["daemon", "status"]);
    assert!(down.contains("keeptab daemon start"), "{down}");
    bed.ok(["daemon", "start"]);
    let pid = bed.daemon_pid();
    let again = bed.run(["daemon", "start"]);
    assert!(
        again
            .stderr
            .contains(&format!("already running, process {pid}")),
        "{}",
        again.stderr
    );
    bed.ok(["daemon", "stop"]);
    // What was answered is that its place is free; the process ends right behind.
    eventually("it is gone", || !alive(pid));
    assert_eq!(
        bed.run(["daemon", "stop"]).stderr,
        "the daemon was not running\n"
    );
}

#[test]
fn twenty_callers_at_once_share_one_daemon() {
    let bed = Bed::new();
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let mut command = bed.command();
            command
                .args(["--json", "daemon", "start"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut pids = std::collections::BTreeSet::new();
    let mut started = 0;
    for caller in callers {
        let output = caller.wait_with_output().unwrap();
        assert!(output.status.success());
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        pids.insert(answer["data"]["pid"].as_u64().unwrap());
        started += u32::from(answer["data"]["started"] == true);
    }
    assert_eq!(pids.len(), 1, "{pids:?}");
    assert!(started >= 1);
    assert_eq!(pids.first().copied(), Some(u64::from(bed.daemon_pid())));
}

#[test]
fn a_killed_daemon_is_replaced_without_a_word() {
    let bed = Bed::new();
    bed.ok(["daemon", "start"]);
    let first = bed.daemon_pid();
    kill(first);
    assert!(
        bed.home().join("run/keeptab.sock").exists(),
        "its socket is left behind"
    );
    assert_eq!(bed.ok(["js", "6 * 7"]), "42");
    assert_ne!(bed.daemon_pid(), first);
}

fn kill(pid: u32) {
    let pid_text = pid.to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-9", &pid_text])
            .status()
            .unwrap()
            .success()
    );
    eventually("the daemon is gone", || !alive(pid));
}

#[test]
fn it_holds_no_pipe_of_whoever_started_it() {
    let bed = Bed::new();
    // With descriptor 9 open in the daemon, the shell's `cat` would never see the end.
    let program = env!("CARGO_BIN_EXE_keeptab");
    let script = format!("( '{program}' daemon start 9>&1 ) | cat");
    let output = std::process::Command::new("timeout")
        .args(["60", "bash", "-c", &script])
        .env("KEEPTAB_HOME", bed.home())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    bed.daemon_pid();
}

#[test]
fn the_foreground_daemon_logs_to_the_terminal_and_ends_on_sigterm() {
    let bed = Bed::new();
    let mut command = bed.command();
    let child = command
        .args(["daemon", "run"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    eventually("it answers", || bed.run(["daemon", "status"]).code == 0);
    let second = bed.fails(1, ["daemon", "run"]);
    assert!(second.contains(&format!("process {pid}")), "{second}");
    assert!(
        std::process::Command::new("kill")
            .arg(pid.to_string())
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("started") && said.contains("SIGTERM"),
        "{said}"
    );
}

#[test]
fn the_log_can_be_read_and_followed() {
    let bed = Bed::new();
    let none = bed.fails(6, ["daemon", "logs"]);
    assert!(none.contains("no log"), "{none}");
    bed.ok(["daemon", "start"]);
    assert!(bed.ok(["daemon", "logs", "-n", "1"]).contains("started"));
    let mut follower = bed
        .command()
        .args(["daemon", "logs", "-f", "-n", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(follower.stdout.take().unwrap()));
    assert!(lines.next().unwrap().unwrap().contains("started"));
    bed.ok(["daemon", "stop"]);
    assert!(lines.any(|line| line.unwrap().contains("daemon ended")));
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn sessions_on_attached_browsers_survive_a_restart() {
    let bed = Bed::new();
    let chromium = chromium();
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    bed.page("default", "globalThis.mark = 'still here'");
    let before = bed.daemon_pid();
    bed.ok(["daemon", "restart"]);
    assert_ne!(bed.daemon_pid(), before);
    assert_eq!(bed.page("default", "globalThis.mark"), "still here");
    // The same when there was no time to say goodbye.
    kill(bed.daemon_pid());
    assert_eq!(bed.page("default", "globalThis.mark"), "still here");
}

#[test]
fn a_browser_that_ended_meanwhile_is_an_error_and_never_a_fresh_one() {
    let bed = Bed::new();
    let chromium = chromium();
    bed.ok(["attach", "--ws", &chromium.ws_url()]);
    bed.ok(["daemon", "stop"]);
    chromium.kill();
    let said = bed.fails(8, ["tab"]);
    assert!(said.contains("default"), "{said}");
    let said = bed.fails(8, ["open", "about:blank"]);
    assert!(said.contains("keeptab"), "{said}");
    assert_eq!(bed.run(["status"]).code, 8);
    bed.ok(["close"]);
    assert_eq!(bed.run(["status"]).code, 6);
}

#[test]
fn an_older_daemon_is_replaced_and_its_sessions_stay() {
    let bed = Bed::new();
    let chromium = chromium();
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    bed.page("default", "globalThis.mark = 'kept'");
    let before = bed.daemon_pid();
    let newer = newer_copy(&bed);
    let ran = run_copy(&bed, &newer, &["--json", "sessions"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("default"), "{}", ran.stdout);
    assert_ne!(bed.daemon_pid(), before, "the newer one took its place");
    assert_eq!(
        bed.page("default", "globalThis.mark"),
        "kept",
        "and serves the older caller as well"
    );
}

/// The same program with another source hash and a later file time, as after an upgrade.
fn newer_copy(bed: &Bed) -> std::path::PathBuf {
    let mut bytes = std::fs::read(env!("CARGO_BIN_EXE_keeptab")).unwrap();
    let (_, json) = bed.json(["version"]);
    let id = json["data"]["build"].as_str().unwrap().as_bytes().to_vec();
    let mut found = 0;
    let mut at = 0;
    while let Some(next) = bytes[at..]
        .windows(id.len())
        .position(|window| window == id)
    {
        at += next;
        bytes[at..at + id.len()].copy_from_slice(&b"f".repeat(id.len()));
        found += 1;
    }
    assert!(found > 0, "the hash is in the file");
    let copy = bed.home().join("keeptab-newer");
    std::fs::write(&copy, bytes).unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&copy, mode).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    std::fs::File::options()
        .append(true)
        .open(&copy)
        .unwrap()
        .set_modified(later)
        .unwrap();
    copy
}

fn run_copy(bed: &Bed, program: &std::path::Path, args: &[&str]) -> Ran {
    let output = std::process::Command::new(program)
        .args(args)
        .env("KEEPTAB_HOME", bed.home())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_disk_that_takes_nothing_more_is_a_warning_and_sessions_go_on() {
    let bed = Bed::new();
    let chromium = chromium();
    std::fs::create_dir_all(bed.home().join("data")).unwrap();
    // No file of this daemon may grow by a single byte: what a full disk does, on any system.
    let program = env!("CARGO_BIN_EXE_keeptab");
    let mut daemon = std::process::Command::new("bash")
        .args(["-c", &format!("ulimit -f 0; exec '{program}' daemon run")])
        .env("KEEPTAB_HOME", bed.home())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it answers", || bed.run(["daemon", "status"]).code == 0);
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    bed.page("default", "1");
    let (_, status) = bed.json(["daemon", "status"]);
    let warning = status["data"]["warnings"][0]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        warning.contains("sessions would not survive") || warning.contains("entries"),
        "{status}"
    );
    bed.ok(["close"]);
    bed.ok(["daemon", "stop"]);
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}

#[test]
fn a_stopped_daemon_is_named_within_the_timeout() {
    let bed = Bed::new();
    bed.ok(["daemon", "start"]);
    let pid = bed.daemon_pid();
    let signal = |name: &str| {
        let sent = std::process::Command::new("kill")
            .args([name, &pid.to_string()])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    let limit = std::time::Duration::from_secs(20);
    for args in [
        &["daemon", "status"][..],
        &["daemon", "restart"],
        &["daemon", "stop"],
        &["status"],
        &["status", "--watch"],
        &["js", "1"],
        &["tab"],
    ] {
        let begin = std::time::Instant::now();
        let ran = bed.run(["--timeout", "20s"].iter().chain(args));
        assert!(begin.elapsed() < limit, "{args:?}: {:?}", begin.elapsed());
        assert_eq!(ran.code, 124, "{args:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!("process {pid}"))
                && ran.stderr.contains(&format!("kill -CONT {pid}")),
            "{args:?}: {}",
            ran.stderr
        );
    }
    signal("-CONT");
    assert_eq!(bed.ok(["js", "6 * 7"]), "42");
}
