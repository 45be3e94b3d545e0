use crate::bed::{Bed, alive, eventually};
use crate::open::browser_pid;

#[test]
fn a_launched_browser_ends_with_its_session() {
    let bed = Bed::new();
    bed.ok(["open"]);
    let pid = browser_pid(&bed);
    let ran = bed.run(["close"]);
    assert!(
        ran.stderr.contains("its browser has ended"),
        "{}",
        ran.stderr
    );
    eventually("it is gone", || !alive(pid));
    assert!(
        bed.home().join("data/profiles/default").exists(),
        "logins are kept"
    );
    bed.fails(6, ["close"]);
}

#[test]
fn the_scope_ends_too() {
    let bed = Bed::new();
    bed.ok(["js", "globalThis.x = 1"]);
    bed.ok(["close"]);
    assert_eq!(bed.ok(["js", "typeof x"]), "undefined");
}

#[test]
fn discard_throws_the_profile_away() {
    let bed = Bed::new();
    bed.ok(["open"]);
    bed.ok(["close", "--discard"]);
    assert!(!bed.home().join("data/profiles/default").exists());
}
