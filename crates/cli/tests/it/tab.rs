use crate::bed::{Bed, chromium, eventually, site};

/// A session with the tabs First and Second, of which Second is active.
fn two() -> (Bed, keeptab_testkit::Chromium, keeptab_testkit::Site) {
    let (bed, chromium, site) = (Bed::new(), chromium(), site());
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    bed.ok(["tab", "new", &site.url("/title/First")]);
    bed.ok(["tab", "new", &site.url("/title/Second")]);
    (bed, chromium, site)
}

#[test]
fn they_are_listed_with_the_active_one_marked() {
    let (bed, _chromium, _site) = two();
    let listed = bed.ok(["tab"]);
    let active: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("* "))
        .collect();
    assert_eq!(active.len(), 1, "{listed}");
    assert!(active[0].contains("/title/Second - Second ["), "{listed}");
}

#[test]
fn switching_takes_an_id_an_address_or_a_title() {
    let (bed, _chromium, _site) = two();
    bed.ok(["tab", "switch", "title/First"]);
    assert_eq!(bed.title("default"), "First");
    bed.ok(["tab", "switch", "second"]);
    assert_eq!(bed.title("default"), "Second");
    let (_, tabs) = bed.json(["tab"]);
    let first = tabs["data"]["tabs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|tab| tab["title"] == "First");
    let id = first.unwrap()["id"].as_str().unwrap()[..12].to_lowercase();
    bed.ok(["tab", "switch", &id]);
    assert_eq!(bed.title("default"), "First");
}

#[test]
fn what_fits_several_or_none_changes_nothing() {
    let (bed, _chromium, _site) = two();
    let said = bed.fails(2, ["tab", "switch", "/title/"]);
    assert!(said.contains("First") && said.contains("Second"), "{said}");
    let said = bed.fails(6, ["tab", "switch", "third"]);
    assert!(said.contains("third"), "{said}");
    assert_eq!(bed.title("default"), "Second");
}

#[test]
fn a_closed_active_tab_is_an_error_that_names_it() {
    let (bed, _chromium, _site) = two();
    // Closed by somebody else: the page itself, or a person.
    bed.ok(["js", "const {targetInfos} = await session.Target.getTargets({}); \
        await session.Target.closeTarget({targetId: targetInfos.find(t => t.title === 'Second').targetId})"]);
    eventually("it is gone", || !bed.ok(["tab"]).contains("Second"));
    let said = bed.fails(
        6,
        ["js", "await session.Runtime.evaluate({expression: '1'})"],
    );
    assert!(said.contains("/title/Second"), "{said}");
    let said = bed.fails(6, ["tab", "close"]);
    assert!(said.contains("/title/Second"), "{said}");
    bed.ok(["tab", "switch", "First"]);
    assert_eq!(bed.title("default"), "First");
}

#[test]
fn closing_the_active_tab_makes_no_other_one_active() {
    let (bed, _chromium, _site) = two();
    let ran = bed.run(["tab", "close"]);
    assert!(
        ran.stderr.contains("closed") && ran.stderr.contains("Second"),
        "{}",
        ran.stderr
    );
    eventually("it is gone", || !bed.ok(["tab"]).contains("Second"));
    assert!(!bed.ok(["tab"]).contains("* "));
    let said = bed.fails(6, ["tab", "close"]);
    assert!(said.contains("no active tab"), "{said}");
}

#[test]
fn titles_cannot_play_tricks_on_the_terminal() {
    let (bed, _chromium, _site) = two();
    bed.page(
        "default",
        "document.title = '\\u001b]0;owned\\u0007\\u001b[31mred\\u202e'",
    );
    eventually("the title arrives", || bed.ok(["tab"]).contains("red"));
    let listed = bed.ok(["tab"]);
    assert!(
        !listed.contains('\u{1b}') && !listed.contains('\u{7}') && !listed.contains('\u{202e}'),
        "{listed:?}"
    );
}

#[test]
fn a_tab_that_is_said_to_be_closed_is_gone_at_that_moment() {
    let (bed, _chromium, site) = two();
    bed.ok(["tab", "close", "title/First"]);
    assert!(!bed.ok(["tab"]).contains("/title/First"));
    // One that would like to be asked first, once it was touched: Chromium asks or not, but what is said is true.
    bed.ok(["tab", "new", &site.url("/beforeunload")]);
    bed.ok([
        "js",
        "await session.Runtime.evaluate({expression: '1', userGesture: true})",
    ]);
    let (code, said) = bed.json(["tab", "close"]);
    let there = bed.ok(["tab"]).contains("/beforeunload");
    match code {
        0 => assert!(!there),
        1 => {
            assert!(there);
            assert_eq!(said["error"]["code"], "dialog_open", "{said}");
            let hint = said["error"]["hint"].as_str().unwrap();
            assert!(hint.contains("keeptab dialog accept"), "{said}");
        }
        _ => panic!("{said}"),
    }
}
