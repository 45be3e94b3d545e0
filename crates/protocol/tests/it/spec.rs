//! Looking things up in the embedded definition.
use keeptab_protocol::spec::{self, NameKind};

#[test]
fn every_domain_can_be_read_and_every_reference_leads_somewhere() {
    let mut references = 0;
    for name in spec::domain_names() {
        let domain = spec::domain(name).unwrap_or_else(|| panic!("{name} cannot be read"));
        assert_eq!(domain.name, *name);
        let fields = domain
            .types
            .iter()
            .flat_map(|t| &t.properties)
            .chain(
                domain
                    .commands
                    .iter()
                    .flat_map(|c| c.parameters.iter().chain(&c.returns)),
            )
            .chain(domain.events.iter().flat_map(|e| &e.parameters));
        for field in fields {
            let reference = field.reference.or_else(|| field.items.as_ref()?.reference);
            if let Some(reference) = reference {
                assert!(
                    spec::resolve(domain, reference).is_some(),
                    "{name}: {reference}"
                );
                references += 1;
            }
        }
    }
    assert!(references > 1000);
    assert!(spec::domain_names().is_sorted());
}

#[test]
fn names_lead_to_things() {
    assert_eq!(spec::command("Page.navigate").unwrap().name, "navigate");
    assert_eq!(
        spec::event("Page.frameNavigated").unwrap().name,
        "frameNavigated"
    );
    assert_eq!(spec::type_("Page.Frame").unwrap().name, "Frame");
    for wrong in ["", ".", "Page", "Page.", "Nope.navigate", "page.navigate"] {
        assert!(spec::command(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_wrong_name_finds_the_right_one() {
    for (kind, wrong, right) in [
        (NameKind::Domain, "Pgae", Some("Page")),
        (NameKind::Domain, "Quux", None),
        (NameKind::Method, "Page.navigte", Some("Page.navigate")),
        (NameKind::Method, "page.navigate", Some("Page.navigate")),
        (NameKind::Method, "navigate", Some("Page.navigate")),
        (
            NameKind::Method,
            "Page.screenshot",
            Some("Page.captureScreenshot"),
        ),
        (
            NameKind::Method,
            "Runtme.evaluate",
            Some("Runtime.evaluate"),
        ),
        (NameKind::Method, "Page.evaluate", Some("Runtime.evaluate")),
        (NameKind::Method, "", None),
        (NameKind::Method, "Page.xyzzy", None),
        (
            NameKind::Event,
            "Page.frameNavigate",
            Some("Page.frameNavigated"),
        ),
        (NameKind::Type, "DOM.Nodes", Some("DOM.Node")),
    ] {
        assert_eq!(spec::nearest(kind, wrong), right, "{wrong}");
    }
}

#[test]
fn search_finds_by_name_and_by_words() {
    let names = |query: &str| -> Vec<String> {
        spec::search(query, 5)
            .into_iter()
            .map(|hit| hit.name)
            .collect()
    };
    assert_eq!(names("screenshot")[0], "Page.captureScreenshot");
    assert_eq!(names("navigate")[0], "Page.navigate");
    assert_eq!(names("Runtime.evaluate")[0], "Runtime.evaluate");
    assert!(names("set user agent").contains(&"Emulation.setUserAgentOverride".to_owned()));
    assert!(names("zyxwv").is_empty());
    assert!(names(" . ").is_empty());
    assert_eq!(spec::search("get", 3).len(), 3);
}

#[test]
fn docs_for_people() {
    insta::assert_snapshot!(
        "describe_navigate",
        spec::describe("Page.navigate").unwrap()
    );
    insta::assert_snapshot!(
        "describe_paused",
        spec::describe("Fetch.requestPaused").unwrap()
    );
    insta::assert_snapshot!("describe_type", spec::describe("Page.Viewport").unwrap());
    insta::assert_snapshot!("describe_domain", spec::describe("Inspector").unwrap());
    assert_eq!(spec::describe("Page.nothing"), None);
    assert_eq!(spec::describe("Nothing"), None);
}

#[test]
fn declarations_for_editors() {
    let mut out = String::new();
    spec::dts(&mut out);
    let part = |from: &str, to: &str| {
        let start = out.find(from).unwrap_or_else(|| panic!("no {from}"));
        let end = out[start..].find(to).unwrap() + start + to.len();
        out[start..end].to_owned()
    };
    insta::assert_snapshot!("dts_io", part("  namespace IO {", "\n  }\n"));
    insta::assert_snapshot!("dts_session_io", part("  readonly IO: {", "\n  };\n"));
    assert!(out.contains("'Page.frameNavigated': CDP.Page.FrameNavigatedEvent;"));
    for name in spec::domain_names() {
        assert!(out.contains(&format!("  namespace {name} {{")), "{name}");
    }
    // Every name that is used is declared.
    let mut declared = std::collections::HashSet::new();
    let mut home = "";
    for line in out.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("namespace"), Some(name)) => home = name,
            (Some("type" | "interface"), Some(name)) => {
                declared.insert(format!("{home}.{name}"));
            }
            _ => {}
        }
    }
    let comment = |line: &&str| line.trim_start().starts_with(['*', '/']);
    for line in out.lines().filter(|line| !comment(line)) {
        for used in line.split("CDP.").skip(1) {
            let full = used
                .split(|c: char| c != '.' && !c.is_alphanumeric())
                .next()
                .unwrap();
            assert!(declared.contains(full), "CDP.{full} in {line}");
        }
    }
    // Every comment ends, and every bracket closes.
    assert_eq!(out.matches("/**").count(), out.matches("*/").count());
    let code: String = out.lines().filter(|line| !comment(line)).collect();
    assert_eq!(code.matches('{').count(), code.matches('}').count());
}
