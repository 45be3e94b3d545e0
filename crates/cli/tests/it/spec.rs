use crate::bed::Bed;

#[test]
fn a_command_is_described_with_parameters_and_results() {
    let bed = Bed::new();
    let text = bed.ok(["spec", "Page.navigate"]);
    for word in ["Page.navigate", "url", "frameId", "errorText"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert_eq!(bed.ok(["spec", "session.Page.navigate"]), text);
    assert!(
        !bed.home().join("run/keeptab.sock").exists(),
        "no daemon is needed"
    );
}

#[test]
fn words_are_searched_for() {
    let bed = Bed::new();
    let found = bed.ok(["spec", "capture", "screenshot"]);
    assert!(found.contains("Page.captureScreenshot"), "{found}");
    let (code, json) = bed.json(["spec", "screenshot"]);
    assert_eq!(code, 0);
    assert!(
        json["data"]["hits"]
            .as_array()
            .is_some_and(|hits| !hits.is_empty())
    );
}

#[test]
fn without_a_query_the_domains_are_listed() {
    let domains = Bed::new().ok(["spec"]);
    assert!(domains.lines().any(|line| line == "Page") && domains.lines().count() > 40);
}

#[test]
fn a_wrong_name_brings_the_nearest_right_one() {
    let said = Bed::new().fails(6, ["spec", "Page.navigatte"]);
    assert!(said.contains("keeptab spec Page.navigate"), "{said}");
}

#[test]
fn the_declarations_name_what_a_snippet_sees() {
    let dts = Bed::new().ok(["spec", "--dts"]);
    for word in ["listPageTargets", "detectBrowsers", "session", "navigate"] {
        assert!(dts.contains(word), "{word}");
    }
}

#[test]
fn names_are_understood_as_people_copy_and_type_them() {
    let bed = Bed::new();
    let text = bed.ok(["spec", "Page.navigate"]);
    for typed in [
        "page.navigate",
        "CDP.Page.navigate",
        "session.Page.navigate({url: 'https://example.com'})",
        "await session.Page.navigate({})",
    ] {
        assert_eq!(bed.ok(["spec", typed]), text, "{typed}");
    }
    assert_eq!(bed.ok(["spec", "page"]), bed.ok(["spec", "Page"]));
}

#[test]
fn what_a_snippet_sees_besides_the_protocol_is_described() {
    let bed = Bed::new();
    for (name, word) in [
        ("listPageTargets", "chrome://"),
        ("await listPageTargets()", "chrome://"),
        ("detectBrowsers", "profileDir"),
        ("resolveWsUrl", "WebSocket address"),
        ("connectToAssignedTarget", "BU_TARGET_ID"),
        ("session.connect", "the running one"),
        ("session.use", "active one"),
        ("session.waitFor", "predicate"),
        ("session.onEvent", "listener"),
        ("cdp.send", "method: string"),
    ] {
        let text = bed.ok(["spec", name]);
        assert!(text.contains(word), "{name}: {text}");
    }
}

#[test]
fn a_sentence_finds_what_its_last_words_are_about() {
    let ran = Bed::new().run(["spec", "take a screenshot"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("Page.captureScreenshot"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("screenshot\""), "{}", ran.stderr);
}
