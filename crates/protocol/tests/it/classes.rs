//! The method classes: complete, reviewed, and safe when in doubt.
use std::collections::BTreeMap;

use keeptab_protocol::{Class, spec};

#[test]
fn every_method_of_the_spec_has_a_class_and_nothing_else_has() {
    let mut methods: Vec<String> = spec::domain_names()
        .iter()
        .flat_map(|name| {
            let domain = spec::domain(name).unwrap();
            domain
                .commands
                .iter()
                .map(move |command| format!("{name}.{}", command.name))
        })
        .collect();
    methods.sort();
    let table: Vec<&str> = Class::table().iter().map(|(name, _)| *name).collect();
    assert_eq!(methods, table);
    assert!(table.len() > 600);
}

#[test]
fn unknown_methods_are_effects() {
    for method in [
        "",
        "Page",
        "Page.",
        "Page.getNothing",
        "Payments.getAll",
        "page.getFrameTree",
    ] {
        assert_eq!(Class::of(method), Class::E, "{method}");
    }
}

#[test]
fn whatever_acts_on_a_page_like_a_person_is_an_effect() {
    for method in [
        "Autofill.trigger",
        "Browser.close",
        "DOM.focus",
        "DOM.highlightNode",
        "DOM.setFileInputFiles",
        "Extensions.triggerAction",
        "FedCm.selectAccount",
        "Fetch.continueRequest",
        "Fetch.fulfillRequest",
        "Input.dispatchKeyEvent",
        "Input.dispatchMouseEvent",
        "Input.dispatchTouchEvent",
        "Input.insertText",
        "Input.synthesizeTapGesture",
        "Network.loadNetworkResource",
        "Network.replayXHR",
        "PWA.install",
        "Page.handleJavaScriptDialog",
        "Page.navigate",
        "Page.navigateToHistoryEntry",
        "Page.reload",
        "WebMCP.invokeTool",
    ] {
        assert_eq!(Class::of(method), Class::E, "{method}");
    }
}

#[test]
fn one_of_each_kind() {
    for (method, class) in [
        ("Browser.getVersion", Class::R),
        ("DOM.getDocument", Class::R),
        ("Page.captureScreenshot", Class::R),
        ("Target.getTargets", Class::R),
        ("DOM.querySelector", Class::R1),
        ("Network.getResponseBody", Class::R1),
        ("Runtime.getProperties", Class::R1),
        ("Browser.grantPermissions", Class::S),
        ("Browser.setDownloadBehavior", Class::S),
        ("Emulation.setTimezoneOverride", Class::S),
        ("Fetch.enable", Class::S),
        ("Network.setExtraHTTPHeaders", Class::S),
        ("Page.addScriptToEvaluateOnNewDocument", Class::S),
        ("Runtime.addBinding", Class::S),
        ("Target.setAutoAttach", Class::S),
        ("WebAuthn.addVirtualAuthenticator", Class::S),
        ("Network.setCookie", Class::I),
        ("Target.closeTarget", Class::I),
        ("IO.read", Class::C),
        ("Target.createTarget", Class::C),
        ("Tracing.start", Class::C),
        ("Runtime.callFunctionOn", Class::Eval),
        ("Runtime.evaluate", Class::Eval),
    ] {
        assert_eq!(Class::of(method), class, "{method}");
    }
}

/// What is set on an id of a connection cannot be set again on the next one, and what is read by
/// such an id must not be asked of the next one.
#[test]
fn nothing_that_takes_ids_of_a_connection_is_repeated_or_restored() {
    let tagged = [
        "DOM.NodeId",
        "Runtime.RemoteObjectId",
        "Fetch.RequestId",
        "IO.StreamHandle",
    ];
    let mut checked = 0;
    for (method, class) in Class::table() {
        let home = method.split_once('.').unwrap().0;
        let takes = spec::command(method)
            .unwrap()
            .parameters
            .iter()
            .any(|field| {
                let reference = field.reference.or_else(|| field.items.as_ref()?.reference);
                reference.is_some_and(|name| {
                    tagged.contains(&name) || tagged.contains(&format!("{home}.{name}").as_str())
                })
            });
        if takes {
            assert!(!matches!(class, Class::R | Class::S), "{method} is {class}");
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} methods take such ids");
}

#[test]
fn every_override_has_a_reason_and_is_in_force() {
    let text = include_str!("../../classes.txt");
    let mut seen = 0;
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let mut words = line.split(' ');
        let (method, class) = (words.next().unwrap(), words.next().unwrap());
        assert!(
            words.count() >= 2,
            "{method} needs a reason that says something"
        );
        assert_eq!(Class::of(method).as_str(), class, "{method}");
        seen += 1;
    }
    assert!(seen > 100);
}

#[test]
fn the_mix_changes_only_on_purpose() {
    let mut counts = BTreeMap::new();
    for (_, class) in Class::table() {
        *counts.entry(class.as_str()).or_insert(0) += 1;
    }
    insta::assert_debug_snapshot!(counts);
}
