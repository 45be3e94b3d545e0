//! An endpoint that does not play by the rules.
use std::time::Duration;

use bytes::Bytes;
use keeptab_link::{Cause, Settlement, State};
use proptest::prelude::*;

use crate::world::World;

#[test]
fn answers_to_nothing_are_counted_and_dropped() {
    let mut world = World::open(&["A", "B"]);
    world.stalled = true;
    let token = world.evaluate("A", "1");
    let before = world.link.health(world.now).counters.stray;
    for message in [
        r#"{"id":77777,"result":{}}"#,
        r#"{"id":0,"result":{}}"#,
        r#"{"method":"Page.loadEventFired","params":{},"sessionId":"NOBODY"}"#,
        r#"{"method":"Target.detachedFromTarget","params":{"sessionId":"NOBODY"}}"#,
    ] {
        world
            .link
            .received(world.now, Bytes::from_static(message.as_bytes()));
    }
    assert_eq!(world.link.health(world.now).counters.stray, before + 4);
    assert_eq!(world.end(token), None);
    world.finish();
}

#[test]
fn an_answer_over_the_wrong_session_is_not_believed() {
    let mut world = World::open(&["A", "B"]);
    world.stalled = true;
    let token = world.evaluate("A", "1");
    for id in 1..100 {
        let forged = format!(r#"{{"id":{id},"result":{{"forged":true}},"sessionId":"OTHER"}}"#);
        world.link.received(world.now, Bytes::from(forged));
        let forged = format!(r#"{{"id":{id},"result":{{"forged":true}}}}"#);
        world.link.received(world.now, Bytes::from(forged));
    }
    world.run();
    assert_eq!(world.end(token), None);
    world.stalled = false;
    world.run();
    assert!(!world.reply(token).contains("forged"));
    world.finish();
}

#[test]
fn an_id_of_another_connection_answers_nothing() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    let old = world.evaluate("A", "1");
    world.drop_socket();
    assert_eq!(
        world.end(old).map(Settlement::name),
        Some("outcome_unknown")
    );
    world.stalled = true;
    let new = world.evaluate("A", "2");
    for id in 1..5 {
        world.link.received(
            world.now,
            Bytes::from(format!(
                r#"{{"id":{id},"result":{{"old":true}},"sessionId":"S1-2"}}"#
            )),
        );
    }
    assert_eq!(world.end(new), None);
    world.finish();
}

#[test]
fn an_endpoint_that_talks_nonsense_is_left() {
    let mut world = World::open(&["A"]);
    for _ in 0..20 {
        world.inject("nonsense");
    }
    assert!(world.states.iter().any(|state| matches!(
        state,
        State::Reconnecting {
            cause: Cause::Protocol(_),
            ..
        }
    )));
    assert!(world.link.health(world.now).counters.malformed > 16);
    world.advance(Duration::from_secs(1));
    world.finish();
}

#[test]
fn broken_target_events_do_no_harm() {
    let mut world = World::open(&["A"]);
    for method in [
        "Target.targetCreated",
        "Target.targetInfoChanged",
        "Target.targetDestroyed",
        "Target.targetCrashed",
        "Target.attachedToTarget",
        "Target.detachedFromTarget",
        "Page.frameNavigated",
    ] {
        for params in [
            "{}",
            "[]",
            "null",
            r#"{"targetInfo":5}"#,
            r#"{"targetId":[],"sessionId":{}}"#,
            r#"{"targetInfo":{"targetId":""}}"#,
        ] {
            world.inject(format!(r#"{{"method":"{method}","params":{params}}}"#));
        }
    }
    let token = world.evaluate("A", "1");
    world.reply(token);
    world.finish();
}

#[test]
fn a_flood_of_targets_stays_within_its_bound() {
    let mut world = World::open(&["A"]);
    for n in 0..6000 {
        world.inject(format!(
            r#"{{"method":"Target.targetCreated","params":{{"targetInfo":{{"targetId":"F{n}","type":"other","title":"","url":""}}}}}}"#
        ));
    }
    assert!(world.link.targets().count() <= 4096);
    world.finish();
}

fn token_soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{\"id\":".to_owned()),
        Just(",\"result\":{".to_owned()),
        Just(",\"error\":{".to_owned()),
        Just("{\"method\":\"".to_owned()),
        Just("\",\"params\":{".to_owned()),
        Just(",\"sessionId\":\"".to_owned()),
        Just("Target.attachedToTarget".to_owned()),
        Just("\"sessionId\":\"S1-2\"".to_owned()),
        Just("}".to_owned()),
        Just("\"}".to_owned()),
        Just("\\".to_owned()),
        Just("\u{e9}\u{2028}".to_owned()),
        "[0-9]{1,12}",
        "\\PC{0,6}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_message_can_break_the_link(messages in proptest::collection::vec(token_soup(), 1..12), raw in proptest::collection::vec(any::<u8>(), 0..64)) {
        let mut world = World::open(&["A"]);
        let token = world.evaluate("A", "never");
        for message in messages {
            world.inject(message);
        }
        world.inject(raw);
        world.advance(Duration::from_secs(70));
        prop_assert!(world.end(token).is_some());
        world.finish();
    }
}
