//! What the operating system lets a worker do.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::Rig;

#[test]
fn native_code_in_a_worker_gets_nowhere() {
    let output = Command::new(env!("CARGO_BIN_EXE_keeptab-js-worker"))
        .arg("try-to-escape")
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("runs");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        said.lines().count(),
        19,
        "it did not get to the end: {said}"
    );
    let possible: Vec<&str> = said
        .lines()
        .filter(|line| !line.contains(": refused ("))
        .collect();
    assert_eq!(possible, [""; 0], "{said}");
    assert!(!PathBuf::from("/tmp/keeptab-escaped").exists());
}

/// Directories in /proc of the processes this test started.
fn children() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for task in std::fs::read_dir("/proc/self/task")
        .expect("/proc")
        .flatten()
    {
        let list = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(
            list.split_whitespace()
                .map(|pid| PathBuf::from("/proc").join(pid)),
        );
    }
    found
}

#[tokio::test]
async fn a_running_worker_is_shut_in_and_small() {
    let rig = Rig::on_a_tab();
    rig.out("await session.Page.enable(); await session.Page.navigate({url: 'about:blank'}); globalThis.x = 1; return x").await;
    let workers = children();
    assert!(!workers.is_empty());
    let mut confined = 0;
    for worker in workers {
        let read = |name: &str| std::fs::read_to_string(worker.join(name)).unwrap_or_default();
        let status = read("status");
        let field = |name: &str| {
            status
                .lines()
                .find_map(|l| l.strip_prefix(name))
                .unwrap_or("")
                .trim()
                .to_owned()
        };
        if field("Seccomp:") != "2" {
            // The spare may still be starting.
            continue;
        }
        confined += 1;
        assert_eq!(field("NoNewPrivs:"), "1");
        assert_eq!(field("Threads:"), "1");
        assert_eq!(read("environ"), "");
        let resident: u64 = field("VmRSS:")
            .trim_end_matches(" kB")
            .trim()
            .parse()
            .expect("a number");
        eprintln!("worker: {resident} kB resident");
        // The debug build is larger than the product.
        assert!(resident < 16 << 10, "{resident} kB resident");
    }
    assert!(confined > 0);
}

#[tokio::test]
async fn snippets_see_no_system() {
    let rig = Rig::new();
    let names = "['process', 'require', 'module', 'Deno', 'Bun', 'std', 'os', 'bjson', 'fetch', 'XMLHttpRequest', 'WebSocket', \
                 'Worker', 'SharedArrayBuffer', 'Atomics', 'print', 'scriptArgs', 'native', 'kt', 'importScripts', 'gc']";
    assert_eq!(
        rig.out(&format!(
            "{names}.filter(n => typeof globalThis[n] !== 'undefined')"
        ))
        .await,
        ""
    );
    assert_eq!(
        rig.out("Function('return this')() === globalThis").await,
        "true"
    );
    for code in [
        "await import('os')",
        "await import('std')",
        "await import('file:///etc/passwd')",
        "await import('/etc/passwd')",
    ] {
        assert!(
            rig.error(code)
                .await
                .message
                .contains("could not load module"),
            "{code}"
        );
    }
}

#[test]
fn a_worker_ends_when_its_owner_does() {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_keeptab-js-worker"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("starts");
    drop(worker.stdin.take());
    let ended = (0..3000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        worker.try_wait().expect("can be asked").is_some()
    });
    if !ended {
        let _ = worker.kill();
    }
    assert!(ended, "the worker outlives its owner");
}
