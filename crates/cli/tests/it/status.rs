use std::io::{BufRead, BufReader};
use std::process::Stdio;

use keeptab_testkit::{FaultProxy, block_on};

use crate::bed::{Bed, chromium, eventually};

#[test]
fn its_exit_code_tells_what_is_the_matter() {
    let (bed, chromium) = (Bed::new(), chromium());
    let down = bed.fails(8, ["status"]);
    assert!(down.contains("daemon is not running"), "{down}");
    bed.ok(["daemon", "start"]);
    bed.fails(6, ["status"]);
    bed.ok(["js", "1"]);
    assert_eq!(bed.run(["status"]).code, 8, "a scope, but no browser");
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    let said = bed.ok(["status"]);
    assert!(said.contains("default: Connected (epoch 1)"), "{said}");
    assert!(said.contains("Chrom"), "the product: {said}");
    assert!(said.contains("fence: none"), "{said}");
}

#[test]
fn looking_does_not_start_the_daemon() {
    let bed = Bed::new();
    bed.run(["status"]);
    assert!(!bed.home().join("run/keeptab.sock").exists());
}

#[test]
fn watching_tells_every_change_until_the_session_is_closed() {
    let (bed, chromium) = (Bed::new(), chromium());
    let proxy = block_on(FaultProxy::start(&chromium.ws_url()));
    bed.fails(8, ["status", "--watch"]);
    bed.ok(["attach", "--ws", &proxy.ws_url()]);
    let watching = |json: bool| {
        let mut command = bed.command();
        command.args(if json { &["--json"] as &[&str] } else { &[] });
        command.args(["status", "--watch"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("Connected (epoch 1)"), "{first}");
        (child, lines)
    };
    let (mut people, said) = watching(false);
    let (mut program, told) = watching(true);
    assert!(proxy.rst() > 0);
    eventually("it is back", || {
        bed.json(["status"]).1["data"]["epoch"] == 2
            && bed.json(["status"]).1["data"]["healthy"] == true
    });
    bed.ok(["close"]);
    let said: Vec<String> = said.map(Result::unwrap).collect();
    assert!(people.wait().unwrap().success());
    assert!(
        said[0].starts_with("default: Connection lost ("),
        "{said:#?}"
    );
    assert!(
        said.iter()
            .any(|line| line.starts_with("default: Reconnected (epoch 2, ")),
        "{said:#?}"
    );
    assert_eq!(said.last().unwrap(), "default: session closed");

    let told: Vec<serde_json::Value> = told
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    assert!(program.wait().unwrap().success());
    let gap = told.iter().find(|event| event["event"] == "gap").unwrap();
    assert_eq!(
        (gap["epoch_from"].as_u64(), gap["epoch_to"].as_u64()),
        (Some(1), Some(2))
    );
    assert_eq!(gap["same_browser"], true);
}

#[test]
fn which_browser_it_is_is_said_after_a_takeover_too() {
    let bed = Bed::new();
    bed.ok(["open"]);
    let browser = |said: &str| {
        let line = said.lines().find(|line| line.starts_with("browser: "));
        line.map(str::to_owned)
    };
    let before = browser(&bed.ok(["status"]));
    assert!(before.is_some());
    crate::losses::kill(bed.daemon_pid());
    // It starts the next daemon; status does not.
    bed.ok(["tab"]);
    assert_eq!(browser(&bed.ok(["status"])), before);
}
