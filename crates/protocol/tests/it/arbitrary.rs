//! Whatever arrives: no panic, no endless work, no change where nothing may change.
use bytes::Bytes;
use keeptab_protocol::handles::{check_params, tag_event, tag_result};
use keeptab_protocol::{Class, Raw, spec};
use proptest::prelude::*;

/// Text that looks enough like a command to get far.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\"objectId\":".to_owned()),
        Just("\"nodeId\":".to_owned()),
        Just("\"nodeIds\":[".to_owned()),
        Just("\"root\":{".to_owned()),
        Just("\"children\":[{".to_owned()),
        Just("\"arguments\":[{".to_owned()),
        Just("\"e2:1\"".to_owned()),
        Just("-".to_owned()),
        Just("1e400".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("nul".to_owned()),
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(Class::table()).prop_map(|(name, _)| name)
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), method in method()) {
        if let Ok(raw) = Raw::from_utf8(Bytes::from(bytes)) {
            let _ = spec::validate(method, raw.as_str());
            let _ = check_params(method, raw.clone(), 2);
            let _ = tag_result(method, raw, 2);
        }
    }

    #[test]
    fn nearly_right_text_never_panics(text in nearly_json(), epoch in any::<u32>()) {
        for method in ["DOM.getDocument", "Runtime.callFunctionOn", "DOM.pushNodesByBackendIdsToFrontend", "Overlay.highlightNode"] {
            let raw = Raw::from(text.clone());
            let valid = spec::validate(method, &text).is_ok();
            let checked = check_params(method, raw.clone(), epoch);
            let tagged = tag_result(method, raw.clone(), epoch);
            let _ = tag_event("DOM.setChildNodes", raw.clone(), epoch);
            let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            // Only JSON is valid, and JSON stays JSON.
            prop_assert!(is_json || !valid);
            prop_assert!(!is_json || tagged.parse::<serde_json::Value>().is_ok());
            if let (true, Ok(sent)) = (is_json, checked) {
                prop_assert!(sent.parse::<serde_json::Value>().is_ok());
            }
        }
    }
}

proptest! {
    // Looks through every name of the protocol several times per case.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_name_gets_an_answer(name in "\\PC{0,100}") {
        let _ = spec::validate(&name, "{}");
        let _ = spec::describe(&name);
        for kind in [spec::NameKind::Domain, spec::NameKind::Method, spec::NameKind::Event, spec::NameKind::Type] {
            let _ = spec::nearest(kind, &name);
        }
        prop_assert_eq!(Class::of(&format!("{name}?")), Class::E);
    }
}

#[test]
fn deep_trees_neither_crash_nor_take_long() {
    let depth = 100_000;
    let deep = format!(
        r#"{{"root":{}{{"nodeId":1}}{}}}"#,
        r#"{"nodeId":1,"contentDocument":"#.repeat(depth),
        "}".repeat(depth)
    );
    let tagged = tag_result("DOM.getDocument", Raw::from(deep), 2);
    assert!(
        tagged
            .as_str()
            .starts_with(r#"{"root":{"nodeId":4294967297,"#)
    );
    // The method takes lists of ids; a list in a list in a list is none.
    let lists = format!(
        r#"{{"nodeIds":{}{}}}"#,
        "[".repeat(depth),
        "]".repeat(depth)
    );
    let _ = check_params("CSS.getComputedStyleForNode", Raw::from(lists.clone()), 2);
    assert!(spec::validate("DOM.getDocument", &lists).is_err());
}
