//! Wrong command lines: one clear line, the next command to type, exit code 2.

use crate::bed::Bed;

#[test]
fn mistakes_are_one_line_and_a_hint() {
    let bed = Bed::new();
    for (args, word) in [
        (vec!["opne"], "keeptab open"),
        (vec!["s"], "sessions, status, spec"),
        (vec!["daemon", "sta"], "start, status"),
        (vec!["open", "--hedful"], "--headful"),
        (vec!["--timeout", "soon", "sessions"], "30s"),
        (vec!["attach", "--port", "99999999"], "99999999"),
        (vec!["attach", "--ws", "ws://x", "--port", "1"], "--port"),
        (vec!["attach", "--host", "h"], "--port"),
        (vec!["tab", "switch"], "<Q>"),
        (vec!["console", "abc"], "keeptab help console"),
        (vec!["-q", "-v", "sessions"], "--verbose"),
        (vec!["--session", "../x", "sessions", "extra"], "extra"),
        (vec!["--session", "../x", "tab"], "cannot"),
    ] {
        let said = bed.fails(2, &args);
        assert!(said.starts_with("error: "), "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 2, "{args:?}: {said}");
        assert!(
            said.lines()
                .nth(1)
                .is_some_and(|hint| hint.starts_with("  try: ")),
            "{said}"
        );
    }
}

#[test]
fn with_json_mistakes_are_an_object_too() {
    let bed = Bed::new();
    let (code, json) = bed.json(["opne"]);
    assert_eq!((code, json["ok"].as_bool()), (2, Some(false)));
    assert_eq!(json["error"]["code"], "invalid");
    assert_eq!(json["error"]["hint"], "keeptab open");
}

#[test]
fn nothing_at_all_shows_the_help_and_is_a_mistake() {
    let ran = Bed::new().run::<&str>([]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("Commands:"), "{}", ran.stderr);
}

#[test]
fn unknown_sessions_are_named_with_those_that_exist() {
    let bed = Bed::new();
    let said = bed.fails(6, ["--session", "nope", "tab"]);
    assert!(
        said.contains("\"nope\"") && said.contains("keeptab --session nope open"),
        "{said}"
    );
    bed.ok(["--session", "other", "js", "1"]);
    let said = bed.fails(6, ["--session", "nope", "close"]);
    assert!(said.contains("other"), "{said}");
}

/// Typed as it stands, `keeptab close` would end another session, and its browser with it.
#[test]
fn a_hint_names_the_session_that_the_flag_named() {
    let bed = Bed::new();
    bed.ok(["--session", "f1", "js", "1"]);
    let hint = |said: &str| said.lines().nth(1).unwrap_or_default().to_owned();
    let said = bed.fails(6, ["-s", "f1", "tab"]);
    assert!(
        hint(&said).contains("keeptab --session f1 open URL"),
        "{said}"
    );
    let (_, said) = bed.json(["-s", "f1", "tab"]);
    let said = said["error"]["hint"].as_str().unwrap_or_default();
    assert!(said.contains("keeptab --session f1 open URL"), "{said}");
    let said = bed.fails(2, ["opne", "--session=f1"]);
    assert_eq!(hint(&said), "  try: keeptab --session f1 open");
    let ran = bed.run(["-s", "f1", "sessions", "extra"]);
    assert!(!ran.stderr.contains("--session f1"), "{}", ran.stderr);

    let output = bed
        .command()
        .arg("tab")
        .env("KEEPTAB_SESSION", "f1")
        .output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(hint(&said).contains("keeptab open URL"), "{said}");
}

#[test]
fn a_type_that_no_entry_can_have_is_a_mistake() {
    let bed = Bed::new();
    bed.ok(["js", "1"]);
    for (stream, known) in [("console", "exception"), ("network", "websocket")] {
        let said = bed.fails(2, [stream, "--type", "bogus"]);
        assert!(said.contains("\"bogus\"") && said.contains(known), "{said}");
    }
    bed.ok(["network", "--type", "XHR,Fetch"]);
    let said = bed.fails(2, ["console", "--find", "re:("]);
    assert!(!said.contains("--url"), "{said}");
}

#[test]
fn a_snippet_without_a_browser_is_given_one_hint() {
    let bed = Bed::new();
    let ran = bed.run(["-s", "nosuch", "js", "await session.Target.getTargets()"]);
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    let hints = ran.stderr.matches("hint: ").count() + ran.stderr.matches("try: ").count();
    assert_eq!(hints, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("keeptab --session nosuch open"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_full_disk_below_standard_output_is_an_error() {
    let bed = Bed::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = bed
        .command()
        .args(["spec", "Page"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write the result"));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let bed = Bed::new();
    let mut shell = std::process::Command::new("bash");
    let program = env!("CARGO_BIN_EXE_keeptab");
    shell.args([
        "-c",
        &format!("set -o pipefail; '{program}' spec --dts | head -c 10"),
    ]);
    let output = shell.env("KEEPTAB_HOME", bed.home()).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout.len(), 10);
}
