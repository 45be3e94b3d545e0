use crate::bed::{Bed, chromium};

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
