//! What is written down for the next owner.
use keeptab_link::{Epoch, Snapshot, SnapshotError, State};
use keeptab_protocol::Raw;
use proptest::prelude::*;

use super::{SCRIPT, UA, kept, set, set_up};

#[test]
fn a_setting_says_that_it_is_to_be_kept_and_a_read_does_not() {
    let mut world = kept(&["A"]);
    let (revision, keeps) = (world.link.revision(), world.keeps);
    for _ in 0..10 {
        world.evaluate("A", "1");
    }
    assert_eq!((world.link.revision(), world.keeps), (revision, keeps));
    set(&mut world, Some("A"), UA, r#"{"userAgent":"U"}"#);
    assert!(world.link.revision() > revision);
    assert_eq!(world.keeps, keeps + 1);
    world.finish();
}

#[test]
fn a_snapshot_of_a_newer_build_or_a_torn_one_is_refused() {
    assert!(matches!(
        Snapshot::from_bytes(br#"{"version":99}"#),
        Err(SnapshotError::Newer { found: 99 })
    ));
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let bytes = world.link.snapshot().to_bytes();
    for length in 0..bytes.len() {
        assert!(Snapshot::from_bytes(&bytes[..length]).is_err());
    }
    world.finish();
}

/// Calls of every kind of ledger entry.
fn calls() -> impl Strategy<Value = Vec<(bool, &'static str, String)>> {
    let text = "[a-zA-Z0-9\\\\\"ä€😀 ]{0,12}";
    let call = (any::<bool>(), 0usize..8, text).prop_map(|(first, which, text)| {
        let text = serde_json::Value::from(text);
        let (method, params) = match which {
            0 => (UA, format!(r#"{{"userAgent":{text}}}"#)),
            1 => (SCRIPT, format!(r#"{{"source":{text}}}"#)),
            2 => ("Runtime.addBinding", format!(r#"{{"name":{text}}}"#)),
            3 => ("Fetch.enable", "{}".to_owned()),
            4 => ("Profiler.start", "{}".to_owned()),
            5 => ("Network.enable", "{}".to_owned()),
            6 => (
                "Network.setExtraHTTPHeaders",
                format!(r#"{{"headers":{{"X":{text}}}}}"#),
            ),
            _ => (
                "Input.dispatchKeyEvent",
                r#"{"type":"rawKeyDown","key":"Shift","code":"ShiftLeft"}"#.to_owned(),
            ),
        };
        (first, method, params)
    });
    prop::collection::vec(call, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_link_that_resumes_knows_what_the_one_before_knew(calls in calls()) {
        let mut world = kept(&["A", "B"]);
        for (first, method, params) in &calls {
            world.call(Some(if *first { "A" } else { "B" }), method, params);
        }
        let written = world.link.snapshot();
        let read = Snapshot::from_bytes(&written.to_bytes()).expect("readable");
        prop_assert_eq!(&read, &written);

        let left = world.die();
        world.succeed(&left);
        prop_assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(1) });
        prop_assert_eq!(world.link.snapshot(), written);
        world.finish();
    }
}

#[test]
fn every_kind_of_setting_is_in_a_snapshot() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    set(&mut world, Some("A"), "Profiler.start", "{}");
    set(
        &mut world,
        Some("A"),
        "Input.dispatchMouseEvent",
        r#"{"type":"mousePressed","x":1,"y":2,"button":"left"}"#,
    );
    world.model.dialog("A", "prompt");
    world.run();
    let snapshot = world.link.snapshot();
    assert_eq!(
        (snapshot.epoch(), snapshot.connection()),
        (Epoch(1), Some("12-1"))
    );
    assert_eq!(snapshot.targets().count(), 1);
    let value: serde_json::Value = Raw::from(String::from_utf8(snapshot.to_bytes()).expect("text"))
        .parse()
        .expect("JSON");
    let target = &value["targets"][0];
    let entries = target["ledger"].as_array().expect("a list");
    let of = |method: &str| entries.iter().find(|entry| entry["method"] == method);
    assert_eq!(of(SCRIPT).expect("added")["added"]["real"], "1");
    assert_eq!(of("Profiler.start").expect("fragile")["fragile"], true);
    assert_eq!(of(UA).expect("set")["params"]["userAgent"], "U");
    assert!(target["held"]["buttons"]["left"].is_object());
    assert_eq!(target["dialog"]["kind"], "prompt");
    assert_eq!(value["browser"][0]["method"], "Browser.grantPermissions");
    assert!(target["session"].is_string());
    world.finish();
}
