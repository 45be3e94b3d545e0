//! Large messages, floods, stalls, absent and killed owners.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keeptab_keeper::wire;
use rustix::process::{Signal, kill_process};
use serde_json::json;

use crate::support::{Kept, pid_of, until};

/// Resident memory of the keeper, in KiB.
fn resident(kept: &Kept) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", kept.spawned.pid)).expect("status");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("VmRSS");
    line.split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number")
}

/// Processor time of the keeper, in clock ticks.
fn processor_time(kept: &Kept) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", kept.spawned.pid)).expect("stat");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("fields")
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
}

#[test]
fn large_messages_pass_without_being_held() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    for size in [1, 65_500, 65_536, 262_144, 1_000_000] {
        let reply = owner.call("Fake.big", json!({"size": size}));
        assert_eq!(reply["result"]["text"].as_str().map(str::len), Some(size));
    }
    let before = processor_time(&kept);
    let reply = owner.call("Fake.big", json!({"size": 30_000_000}));
    assert_eq!(
        reply["result"]["text"].as_str().map(str::len),
        Some(30_000_000)
    );
    let up = "u".repeat(30_000_000);
    let reply = owner.call("Fake.take", json!({"text": up}));
    assert_eq!(
        reply["result"]["length"],
        30_000_000 + r#"{"text": ""}"#.len()
    );
    // Quadratic work would be minutes; the clock has 100 ticks a second.
    let spent = processor_time(&kept) - before;
    assert!(spent < 500, "{spent} ticks for 60 MB");
    let rss = resident(&kept);
    println!("resident after 60 MB: {rss} KiB");
    assert!(rss < 8 * 1024, "{rss} KiB");
    // Too long to keep, but its fate is known.
    let big = owner.fate(6);
    assert_eq!(big["state"], "replied");
    assert!(big["bytes"].as_u64() > Some(30_000_000) && big.get("reply").is_none());
    assert_eq!(owner.seen()["broken"], 0);
}

#[test]
fn a_keeper_is_small() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    for _ in 0..3000 {
        owner.call(
            "Any.thing",
            json!({"filler": "some parameters of a usual length"}),
        );
    }
    let rss = resident(&kept);
    println!("resident after 3000 calls: {rss} KiB");
    assert!(rss < 6 * 1024, "{rss} KiB");
}

#[test]
fn events_for_nobody_are_counted() {
    let kept = Kept::fake("");
    let (mut first, _) = kept.own(1);
    first.post("Fake.sleep", json!({"ms": 500}));
    let flood = first.post("Fake.events", json!({"count": 5000, "size": 2000}));
    // The keeper heeds its owner in order: now the command has left.
    assert_eq!(first.fate(flood)["state"], "sent");
    drop(first);
    // 10 MB for nobody must not stop the browser: its reply comes after them.
    std::thread::sleep(Duration::from_secs(1));
    let mut told = 0;
    let mut epoch = 2;
    until("the flood is over", || {
        let (mut owner, hello) = kept.own(epoch);
        epoch += 1;
        told += hello["dropped"].as_u64().expect("dropped");
        let over = owner.fate(flood)["state"] == "replied";
        drop(owner);
        std::thread::sleep(Duration::from_millis(200));
        over
    });
    assert!(told > 1000 && told <= 5000, "{told} of 5000 events");
    assert_eq!(kept.own(epoch).1["dropped"], 0, "each is counted once");
    assert!(resident(&kept) < 8 * 1024);
}

#[test]
fn an_owner_that_reads_nothing_fills_nothing() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    let flood = owner.post("Fake.events", json!({"count": 20_000, "size": 2000}));
    // 40 MB towards an owner that does not read.
    std::thread::sleep(Duration::from_secs(2));
    assert!(resident(&kept) < 8 * 1024);
    let before = processor_time(&kept);
    std::thread::sleep(Duration::from_secs(1));
    assert!(
        processor_time(&kept) - before < 20,
        "it sleeps while it waits"
    );
    let mut events = 0;
    owner.find(|message| {
        events += u32::from(message["method"] == "Fake.event");
        message["id"] == flood
    });
    assert_eq!(events, 20_000, "waiting loses nothing");
}

#[test]
fn a_browser_that_reads_nothing_fills_nothing() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    owner.post("Fake.sleep", json!({"ms": 1500}));
    let command = format!("{{\"text\":\"{}\"}}", "c".repeat(10_000));
    let params: serde_json::Value = serde_json::from_str(&command).expect("JSON");
    // A thread reads, or replies and commands would wait for each other.
    let mut reader = owner.another_end();
    let last = owner.id + 2999;
    let reading = std::thread::spawn(move || reader.reply(last));
    for _ in 0..3000 {
        owner.post("Any.thing", params.clone());
    }
    assert!(reading.join().expect("read").get("result").is_some());
    assert!(resident(&kept) < 8 * 1024);
}

#[test]
fn asking_without_listening_fills_nothing() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    for _ in 0..500 {
        owner.call("Any.thing", json!({}));
    }
    rustix::io::ioctl_fionbio(&owner.writer, true).expect("nonblocking");
    let question = wire::ask_ledger().repeat(1000);
    for _ in 0..200 {
        let _ = std::io::Write::write(&mut owner.writer, &question);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(resident(&kept) < 8 * 1024, "{} KiB", resident(&kept));
    drop(owner);
    let (mut next, _) = kept.own(2);
    assert!(next.call("Any.thing", json!({})).get("result").is_some());
}

#[test]
fn half_a_command_never_runs() {
    let kept = Kept::fake("");
    for (epoch, length, broken) in [(1, 1000, 0), (3, 400_000, 1), (5, 3_000_000, 2)] {
        let (mut owner, _) = kept.own(epoch);
        let id = owner.id;
        let text = "x".repeat(length);
        owner.send(
            format!("{{\"id\":{id},\"method\":\"Fake.effect\",\"params\":{{\"text\":\"{text}")
                .as_bytes(),
        );
        drop(owner);
        // The same epoch may come back once the old connection is seen to be over.
        until("the owner is gone", || {
            let mut guest = kept.raw();
            guest.send(&wire::hello(epoch, "again"));
            guest.next()["keeper"] == 1
        });
        let (mut owner, _) = kept.own(epoch + 1);
        assert_eq!(owner.fate(id)["state"], "unseen");
        let seen = owner.seen();
        assert_eq!(
            (&seen["effects"], &seen["broken"]),
            (&json!(0), &json!(broken))
        );
    }
}

#[test]
fn our_words_never_fall_into_the_middle_of_a_message() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    let half = owner.post("Fake.half", json!({"size": 200_000, "ms": 300}));
    std::thread::sleep(Duration::from_millis(150));
    owner.say("{\"keeper\":\"ping\"}");
    let first = owner.next();
    assert_eq!(first["id"], half);
    assert_eq!(
        first["result"]["text"].as_str().map(str::len),
        Some(200_000)
    );
    assert_eq!(owner.next(), json!({"keeper": "pong"}));
}

#[test]
fn a_new_owner_never_sees_half_a_message() {
    let kept = Kept::fake("");
    let (mut first, _) = kept.own(1);
    let half = first.post("Fake.half", json!({"size": 300_000, "ms": 500}));
    std::thread::sleep(Duration::from_millis(200));
    let (mut second, _) = kept.own(2);
    // The old one sees that it was cut off, and then why.
    let cut = first.next();
    assert!(cut.is_string() || cut["keeper"] == "superseded", "{cut}");
    assert!(second.call("Any.thing", json!({})).get("result").is_some());
    let fate = second.fate(half);
    assert_eq!(fate["state"], "replied");
    assert!(fate["bytes"].as_u64() > Some(300_000));
}

/// The owner dies once the keeper has taken its commands: what a busy keeper has not read by then was never sent.
#[test]
fn kill_9_of_the_owner_loses_no_reply() {
    let kept = Kept::fake("");
    let sender = "import socket, sys, time\n\
        s = socket.socket(socket.AF_UNIX)\n\
        s.connect(sys.argv[1])\n\
        s.sendall(b'{\"hello\":1,\"epoch\":1,\"client\":\"doomed\"}\\0')\n\
        for i in range(1, 51): s.sendall(b'{\"id\":%d,\"method\":\"Fake.effect\"}\\0' % i)\n\
        s.sendall(b'{\"keeper\":\"ping\"}\\0')\n\
        heard = b''\n\
        while b'pong' not in heard: heard += s.recv(65536)\n\
        print('taken', flush=True)\n\
        time.sleep(600)\n";
    let mut doomed = Command::new("python3")
        .args(["-c", sender])
        .arg(&kept.spawned.socket)
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut line = String::new();
    let out = doomed.stdout.take().expect("stdout");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("a line");
    kill_process(pid_of(doomed.id()), Signal::KILL).expect("kill");
    doomed.wait().expect("wait");
    let (mut owner, hello) = kept.own(2);
    assert_eq!(hello["inFlight"].as_array().map(Vec::len), Some(50));
    assert_eq!(hello["nextId"], 51);
    for id in 1..=50 {
        until("it is answered", || owner.fate(id)["state"] == "replied");
        assert_eq!(owner.fate(id)["reply"]["id"], id);
    }
    assert_eq!(
        owner.seen()["seen"].as_array().map(Vec::len),
        Some(51),
        "each was sent once"
    );
}

#[test]
fn a_stopped_owner_is_let_go_in_time_and_the_browser_goes_on() {
    let kept = Kept::fake("");
    let (mut owner, _) = kept.own(1);
    owner.post("Fake.events", json!({"count": 5000, "size": 2000}));
    let start = Instant::now();
    // It keeps the browser waiting. Someone else finds the epoch taken until it is let go.
    let mut free = false;
    while !free && start.elapsed() < Duration::from_secs(50) {
        std::thread::sleep(Duration::from_secs(1));
        let mut guest = kept.raw();
        guest.send(&wire::hello(1, "same epoch"));
        free = guest.next()["keeper"] == 1;
    }
    assert!(
        free && start.elapsed() > Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    let (mut next, _) = kept.own(2);
    assert!(next.call("Any.thing", json!({})).get("result").is_some());
}
