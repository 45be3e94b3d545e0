//! Targets that come through a page: frames and workers.
use keeptab_link::{Settlement, TargetEnd, TargetId};

use crate::world::{Dialing, World};

const AUTO: &str = r#"{"autoAttach":true,"waitForDebuggerOnStart":false,"flatten":false}"#;

fn with_worker() -> World {
    let mut world = World::open(&["A", "B"]);
    world.model.start_worker("A", "W");
    let token = world.call(Some("A"), "Target.setAutoAttach", AUTO);
    world.reply(token);
    world
}

#[test]
fn a_worker_is_addressed_by_its_target_like_a_page() {
    let mut world = with_worker();
    let info = world.link.target(&TargetId::from("W")).expect("known");
    assert_eq!(info.parent, Some(TargetId::from("A")));
    assert!(info.attached);
    let shown = world.events.iter().find(|event| {
        event.method == "Target.attachedToTarget" && event.params.as_str().contains("target:W")
    });
    assert_eq!(
        shown.and_then(|event| event.target.clone()),
        Some(TargetId::from("A")),
        "it came through its page"
    );
    let token = world.evaluate("W", "in the worker");
    world.reply(token);
    let done = world.model.done.last().expect("ran");
    assert_eq!(done.tab.as_deref(), Some("W"));
    // Chromium's other way of nesting sessions is never asked for.
    let asked = world
        .model
        .done
        .iter()
        .find(|done| done.method == "Target.setAutoAttach");
    assert_eq!(
        asked.map(|done| done.params["flatten"].clone()),
        Some(true.into())
    );
    world.finish();
}

#[test]
fn a_worker_comes_back_through_its_page_with_what_was_set_on_it() {
    let mut world = with_worker();
    world.call(
        Some("W"),
        "Emulation.setUserAgentOverride",
        r#"{"userAgent":"U"}"#,
    );
    world.events.clear();
    world.drop_socket();
    let token = world.evaluate("W", "again");
    world.reply(token);
    let done = world.model.done.last().expect("ran");
    assert_eq!((done.tab.as_deref(), done.agent.as_str()), (Some("W"), "U"));
    assert!(world.gaps[0].gone.is_empty());
    let told = world
        .events
        .iter()
        .any(|event| event.method == "Target.attachedToTarget");
    assert!(!told, "callers know it already");
    world.finish();
}

#[test]
fn a_worker_that_ended_meanwhile_is_gone_and_holds_up_nothing() {
    let mut world = with_worker();
    world.dialing = Dialing::Hang;
    world.drop_socket();
    world.model.tabs.remove("W");
    let lost = world.post(Some("W"), "Runtime.evaluate", "{}");
    world.accept();
    world.run();
    assert_eq!(
        world.end(lost),
        Some(&Settlement::TargetGone(TargetEnd::GoneInGap))
    );
    assert_eq!(world.gaps[0].gone.len(), 1);
    let token = world.evaluate("A", "1");
    world.reply(token);
    world.finish();
}

#[test]
fn a_second_session_on_a_target_is_given_back() {
    let mut world = World::open(&["A"]);
    let params = r#"{"sessionId":"SECOND","targetInfo":{"targetId":"A","type":"page","title":"","url":""},"waitingForDebugger":false}"#;
    world.inject(format!(
        r#"{{"method":"Target.attachedToTarget","params":{params}}}"#
    ));
    let given_back = world.model.done.iter().any(|done| {
        done.method == "Target.detachFromTarget" && done.params["sessionId"] == "SECOND"
    });
    assert!(given_back);
    let token = world.evaluate("A", "1");
    world.reply(token);
    world.finish();
}
