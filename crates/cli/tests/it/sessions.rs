use crate::bed::{Bed, chromium, site};

#[test]
fn they_are_listed_by_name_with_their_state() {
    let (bed, chromium) = (Bed::new(), chromium());
    let none = bed.run(["sessions"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
    assert!(none.stderr.contains("keeptab open"), "{}", none.stderr);
    bed.ok([
        "--session",
        "zoo",
        "attach",
        "--port",
        &chromium.port().to_string(),
    ]);
    bed.ok(["--session", "ant", "js", "1"]);
    let listed = bed.ok(["sessions"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(
        lines[0].starts_with("ant") && lines[0].contains("no_browser"),
        "{listed}"
    );
    assert!(
        lines[1].starts_with("zoo") && lines[1].contains("connected"),
        "{listed}"
    );
}

#[test]
fn right_after_a_restart_they_are_shown_as_they_are() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/One")]);
    bed.ok(["tab", "new", &site.url("/title/Two")]);
    bed.ok(["daemon", "restart"]);
    let listed = bed.ok(["sessions"]);
    assert!(
        listed.contains("connected ") && listed.contains("2 tabs") && listed.contains("/title/Two"),
        "{listed}"
    );
    bed.ok(["daemon", "restart"]);
    let (code, status) = bed.json(["status"]);
    assert_eq!(
        (code, status["data"]["state"].as_str()),
        (0, Some("connected")),
        "{status}"
    );
}

#[test]
fn one_that_is_still_being_taken_over_is_not_called_disconnected() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/One")]);
    bed.ok(["tab", "new", &site.url("/title/Two")]);
    bed.ok(["daemon", "stop"]);
    let keeper = bed.keeper("default")["pid"].as_u64().unwrap().to_string();
    let signal = |name: &str| {
        let sent = std::process::Command::new("kill")
            .args([name, &keeper])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    let listed = bed.ok(["sessions"]);
    signal("-CONT");
    assert!(
        listed.contains("connecting") && listed.contains("2 tabs"),
        "{listed}"
    );
    assert_eq!(bed.title("default"), "Two");
}

#[test]
fn the_environment_names_the_session() {
    let bed = Bed::new();
    let output = bed
        .command()
        .args(["js", "1"])
        .env("KEEPTAB_SESSION", "named")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(bed.ok(["sessions"]).starts_with("named"));
}
