//! A flood towards consumers that do not read. `KEEPTAB_FLOOD=400` plays as many megabytes as that.

use std::process::{Child, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::bed::{Bed, eventually, site};
use crate::events::{follow, until};
use crate::limits::resident;

/// What the daemon may grow by, in KiB: its own bounds for kept entries and for each reader, and what an allocator keeps
/// of the largest message. A daemon that held the flood would grow by all of it.
const ALLOWANCE: u64 = 80 << 10;

const MIB: usize = 1 << 20;

fn megabytes() -> u64 {
    std::env::var("KEEPTAB_FLOOD").map_or(120, |mb| mb.parse().unwrap())
}

fn signal(process: &Child, name: &str) {
    let sent = std::process::Command::new("kill")
        .args([name, &process.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// A program that has begun to follow, and then stands still.
fn stopped_watcher(bed: &Bed) -> Child {
    let mut command = bed.command();
    let mut child = command
        .args(["--json", "status", "--watch"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    let out = child.stdout.as_mut().unwrap();
    std::io::Read::read_exact(out, &mut first).unwrap();
    signal(&child, "-STOP");
    child
}

#[test]
fn a_flood_into_stopped_readers_stays_small_is_counted_and_delays_nobody() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Flood")]);
    bed.ok(["--session", "other", "open", &site.url("/title/Dry")]);
    assert_eq!(bed.title("other"), "Dry");
    let pid = bed.daemon_pid();
    let mut unread = follow(&bed, "?streams=console,network");
    let mut watcher = stopped_watcher(&bed);
    let before = resident(pid);
    let mut most = before;
    let begun = Instant::now();
    let rounds = megabytes() / 20;
    for round in 0..rounds {
        // Forty messages of a quarter of a megabyte, then an answer of ten. What is told of each is
        // some 64 KiB, so that all of them are more than is kept for a reader.
        let said = format!(
            "for (let i = 0; i < 40; i++) console.log('{round}/' + i + 'x'.repeat({})); 1",
            MIB / 4
        );
        bed.page("default", &said);
        let large = format!(
            "(await session.Runtime.evaluate({{expression: \"'y'.repeat({})\", returnByValue: true}})).result.value.length",
            10 * MIB
        );
        assert_eq!(bed.ok(["js", &large]), (10 * MIB).to_string());
        assert_eq!(bed.title("other"), "Dry", "another session answers");
        most = most.max(resident(pid));
    }
    eventually("all of it has come", || {
        bed.ok(["console", "--tail", "1"])
            .contains(&format!("{}/39", rounds - 1))
    });
    most = most.max(resident(pid));
    let took = begun.elapsed();
    println!(
        "{} MB in {took:?}: {before} KiB before, {most} KiB at most",
        rounds * 20
    );
    assert!(most <= before + ALLOWANCE, "{before} KiB -> {most} KiB");
    let dropped = until(&mut unread, "the notice", |event: &Value| {
        event["event"] == "dropped"
    });
    assert!(dropped["count"].as_u64().unwrap() > 0, "{dropped}");
    let (_, status) = bed.json(["status"]);
    assert_eq!(status["data"]["epoch"], 1, "the connection held: {status}");
    signal(&watcher, "-KILL");
    watcher.wait().unwrap();
}
