use crate::bed::{Bed, eventually, site};

#[test]
fn what_is_cleared_is_gone_and_numbers_go_on() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/title/Page")]);
    bed.page("default", "console.log('one')");
    eventually("both", || {
        !bed.ok(["console"]).is_empty() && bed.ok(["network"]).contains(" 200 ")
    });
    let ran = bed.run(["clear", "console"]);
    assert!(
        ran.stderr.contains("of the console, 0 of the network"),
        "{}",
        ran.stderr
    );
    assert_eq!(bed.run(["console"]).stdout, "");
    assert!(!bed.ok(["network"]).is_empty());
    // A replay does not bring it back.
    bed.ok(["reconnect"]);
    bed.page("default", "console.log('two')");
    eventually("the next one", || bed.ok(["console"]).contains("two"));
    let console = bed.ok(["console"]);
    assert!(
        !console.contains("one") && !console.contains("01 ["),
        "{console}"
    );

    let (_, cleared) = bed.json(["clear"]);
    assert!(cleared["data"]["network"].as_u64() > Some(0), "{cleared}");
    assert_eq!(bed.run(["network"]).stdout, "");
    bed.fails(2, ["clear", "everything"]);
}

#[test]
fn a_closed_session_leaves_nothing() {
    let (bed, site) = (Bed::new(), site());
    bed.ok(["open", &site.url("/")]);
    bed.page("default", "fetch('/big?mb=1').then(a => a.text()); 1");
    let bodies = bed.home().join("data/bodies/default");
    eventually("a body is kept", || bodies.exists());
    bed.ok(["close"]);
    assert!(!bodies.exists());
    bed.ok(["open"]);
    let ran = bed.run(["network", "--all", "--url", "big"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
}

#[test]
fn what_was_cleared_is_not_said_never_to_have_been_recorded() {
    let bed = Bed::new();
    bed.ok(["open"]);
    assert_eq!(
        bed.run(["console"]).stderr.trim(),
        "nothing was recorded yet"
    );
    bed.page("default", "console.log('one')");
    eventually("it is recorded", || bed.ok(["console"]).contains("one"));
    bed.ok(["clear"]);
    assert_eq!(
        bed.run(["console"]).stderr.trim(),
        "nothing was recorded since it was cleared"
    );
}
