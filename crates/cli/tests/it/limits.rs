//! A machine that has nothing left to give: descriptors, space on the disk, and losses that do not end.

use std::path::Path;
use std::process::Command;

use keeptab_testkit::{FaultProxy, block_on};

use crate::bed::{Bed, chromium, eventually, site};

const ANSWERS: [&str; 2] = ["js", "1 + 1"];

fn open_files(pid: u32) -> usize {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    open.count()
}

/// What a process holds in memory, in KiB.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

/// Allows a running process so many descriptors.
fn allow_files(pid: u32, files: usize) {
    let set = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &format!("--nofile={files}:4096")])
        .status();
    assert!(set.unwrap().success(), "prlimit is part of util-linux");
}

#[test]
fn a_daemon_out_of_descriptors_says_so_keeps_its_session_and_recovers() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Kept")]);
    assert_eq!(bed.ok(ANSWERS), "2");
    let pid = bed.daemon_pid();
    // The next spare worker starts a moment after one was taken, and has descriptors too.
    let mut used = open_files(pid);
    let mut same = 0;
    eventually("nothing starts any more", || {
        let now = open_files(pid);
        same = if now == used { same + 1 } else { 0 };
        used = now;
        same >= 20
    });

    // One connection fits, another browser does not.
    allow_files(pid, used + 1);
    let said = bed.fails(1, ["--session", "more", "open"]);
    assert!(said.contains("Too many open files"), "{said}");
    assert!(said.contains("ulimit -n"), "{said}");
    assert!(!said.contains("installed"), "{said}");
    assert_eq!(bed.title("default"), "Kept", "the session goes on");

    // Not even a connection fits: the caller waits until one does.
    allow_files(pid, 3);
    let log = bed.home().join("data/daemon.log");
    let mut waiting = bed.command();
    waiting.args(ANSWERS).stdout(std::process::Stdio::piped());
    let mut waiting = waiting.spawn().unwrap();
    eventually("the log says why", || {
        let log = std::fs::read_to_string(&log).unwrap();
        log.contains("cannot accept a connection: Too many open files")
    });
    assert!(waiting.try_wait().unwrap().is_none(), "it is not refused");
    allow_files(pid, 4096);
    let answered = waiting.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&answered.stdout), "2\n");

    assert_eq!(bed.title("default"), "Kept");
    bed.ok(["--session", "more", "open"]);
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["epoch"], 1, "nothing was lost: {status}");
    assert_eq!(bed.daemon_pid(), pid, "it is the same daemon");
}

/// How many losses: `KEEPTAB_LOSSES=1000` for the long run.
fn losses_to_play() -> u64 {
    std::env::var("KEEPTAB_LOSSES").map_or(100, |n| n.parse().unwrap())
}

#[test]
fn losses_in_a_row_leave_no_memory_and_no_descriptor_behind() {
    let (bed, chromium) = (Bed::new(), chromium());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    bed.ok([
        "js",
        "await session.Emulation.setUserAgentOverride({userAgent: 'Robot/1'});
         await session.Page.addScriptToEvaluateOnNewDocument({source: 'globalThis.initial = 7'});
         await session.Runtime.enable()",
    ]);
    let pid = bed.daemon_pid();
    let mut lost = 0;
    let mut lose = |times: u64| {
        for n in 0..times {
            // After some losses in a row a link takes its time. Who asks for a new connection is in a hurry.
            if n % 5 == 4 {
                bed.ok(["reconnect"]);
            } else {
                assert_eq!(proxy.rst(), 1);
            }
            lost += 1;
            eventually("it is back", || {
                let (_, status) = bed.json(["status"]);
                status["data"]["epoch"] == lost + 1 && status["data"]["healthy"] == true
            });
        }
    };
    // Whatever grows once has grown after these.
    lose(25);
    let before = (open_files(pid), resident(pid));
    let losses = losses_to_play();
    lose(losses);
    assert_eq!(bed.page("default", "navigator.userAgent"), "Robot/1");
    let after = (open_files(pid), resident(pid));
    println!("after {losses} losses: descriptors and KiB {before:?} -> {after:?}");
    assert!(
        after.0 <= before.0 + 2,
        "descriptors: {before:?} -> {after:?}"
    );
    // Gap records are kept, up to a bound, and are small.
    assert!(
        after.1 <= before.1 + 4096 + 4 * losses,
        "KiB: {before:?} -> {after:?}"
    );
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["gaps"], 25 + losses, "{status}");
}

/// A file system of this many MiB, for as long as it lives. `None` where nobody lets us mount one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path, mib: u32) -> Option<Self> {
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={mib}m,mode=700"),
                "tmpfs",
            ])
            .arg(at)
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(Self(at))
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        // A page at a time, to the last one.
        while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy"]).arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_sessions_go_on_and_writing_returns_with_the_space() {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    let data = bed.home().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let Some(disk) = SmallDisk::mount(&data, 16) else {
        println!("skipped: mounting a tmpfs takes root");
        return;
    };
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    bed.ok(["tab", "new", &site.url("/title/Before")]);
    let warnings = || {
        let (_, status) = bed.json(["daemon", "status"]);
        status["data"]["warnings"].to_string()
    };
    assert_eq!(warnings(), "[]");

    disk.fill();
    // Messages to keep and a body to keep, more than the last page holds.
    bed.page(
        "default",
        "for (let i = 0; i < 200; i++) console.log(i + 'x'.repeat(2000)); fetch('/title/Body').then(a => a.text())",
    );
    eventually("it is said", || warnings().len() > 2);
    assert_eq!(bed.title("default"), "Before", "sessions go on");
    assert!(bed.ok(["console", "--tail", "1"]).contains("199"));
    let said = bed.fails(1, ["--session", "more", "open"]);
    assert!(said.contains("the disk is full"), "{said}");
    assert!(said.contains(data.to_str().unwrap()), "{said}");

    disk.free();
    bed.page("default", "console.log('after the space came back')");
    eventually("nothing is wrong any more", || warnings() == "[]");
    // What was written since outlives a restart.
    bed.ok([
        "js",
        "await session.Emulation.setUserAgentOverride({userAgent: 'Robot/2'})",
    ]);
    bed.ok(["daemon", "restart"]);
    eventually("it is taken over", || bed.run(["status"]).code == 0);
    assert_eq!(bed.page("default", "navigator.userAgent"), "Robot/2");
    bed.ok(["daemon", "stop", "--discard"]);
}
