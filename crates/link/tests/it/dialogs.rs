//! Dialogs stop a page; they must not stop a caller.
use std::time::Duration;

use keeptab_link::{Condition, Settlement, TargetId};

use crate::world::World;

fn condition(world: &World) -> &'static str {
    world
        .link
        .target(&TargetId::from("A"))
        .map_or("gone", |info| info.condition.name())
}

#[test]
fn a_command_that_opens_a_dialog_ends_as_dialog_open() {
    let mut world = World::open(&["A"]);
    let token = world.evaluate("A", "alert()");
    assert_eq!(world.end(token), None, "it has a moment to be answered");
    world.advance_ms(150);
    let Some(Settlement::DialogOpen {
        sent: true,
        kind,
        message,
        answerable: true,
    }) = world.end(token)
    else {
        panic!("{:?}", world.end(token))
    };
    assert_eq!((&**kind, &**message), ("alert", "sure?"));
    assert_eq!(condition(&world), "dialog-blocked");
    world.finish();
}

#[test]
fn what_would_hang_is_refused_and_the_rest_passes() {
    let mut world = World::open(&["A", "B"]);
    world.evaluate("A", "alert()");
    world.advance_ms(150);
    let refused = world.evaluate("A", "1");
    assert!(matches!(
        world.end(refused),
        Some(Settlement::DialogOpen { sent: false, .. })
    ));
    assert_eq!(world.runs("1"), 0);
    let other = world.evaluate("B", "2");
    world.reply(other);
    let handled = world.call(
        Some("A"),
        "Page.handleJavaScriptDialog",
        r#"{"accept":true}"#,
    );
    world.reply(handled);
    assert_eq!(condition(&world), "fine");
    let token = world.evaluate("A", "3");
    world.reply(token);
    world.finish();
}

#[test]
fn an_answer_within_the_grace_is_an_answer() {
    let mut world = World::open(&["A"]);
    let token = world.evaluate("A", "never");
    world.model.dialog("A", "confirm");
    world.run();
    world.advance_ms(50);
    let handled = world.call(
        Some("A"),
        "Page.handleJavaScriptDialog",
        r#"{"accept":true}"#,
    );
    world.reply(handled);
    world.advance_ms(500);
    assert_eq!(
        world.end(token),
        None,
        "the dialog is gone and the command goes on"
    );
    world.finish();
}

#[test]
fn a_dialog_left_behind_by_a_loss_is_named_and_has_a_way_out() {
    let mut world = World::open(&["A", "B"]);
    world.evaluate("A", "alert()");
    world.advance_ms(150);
    world.drop_socket();
    let (blocked, free) = (world.evaluate("A", "1"), world.evaluate("B", "2"));
    world.reply(free);
    world.advance_ms(1100);
    assert!(matches!(
        world.end(blocked),
        Some(Settlement::DialogOpen {
            sent: false,
            answerable: false,
            ..
        })
    ));
    assert_eq!(condition(&world), "dialog-blocked (unreachable)");
    let hint = world
        .link
        .target(&TargetId::from("A"))
        .map(|info| info.condition.hint())
        .unwrap_or_default();
    assert!(hint.contains("reload"), "{hint}");
    let answered = world.call(
        Some("A"),
        "Page.handleJavaScriptDialog",
        r#"{"accept":true}"#,
    );
    assert!(matches!(
        world.end(answered),
        Some(Settlement::DialogOpen {
            answerable: false,
            ..
        })
    ));
    let reload = world.call(Some("A"), "Page.reload", "{}");
    world.reply(reload);
    world.run();
    assert_eq!(condition(&world), "fine");
    let token = world.evaluate("A", "3");
    world.reply(token);
    world.finish();
}

#[test]
fn a_dialog_that_went_away_during_the_loss_blocks_nothing() {
    let mut world = World::open(&["A"]);
    world.evaluate("A", "alert()");
    world.advance_ms(150);
    world.dialing = crate::world::Dialing::Hang;
    world.drop_socket();
    world.model.answer_dialog("A");
    world.accept();
    world.run();
    assert_eq!(condition(&world), "fine");
    let token = world.evaluate("A", "1");
    world.reply(token);
    world.finish();
}

#[test]
fn the_dialog_is_shown_with_its_words() {
    let mut world = World::open(&["A"]);
    world.model.dialog("A", "prompt");
    world.run();
    let info = world.link.target(&TargetId::from("A")).expect("there");
    let Condition::Dialog(dialog) = &info.condition else {
        panic!("{:?}", info.condition)
    };
    assert_eq!((&*dialog.kind, &*dialog.message), ("prompt", "sure?"));
    world.advance(Duration::from_secs(1));
    world.finish();
}

#[test]
fn a_dialog_that_opened_during_the_loss_has_the_same_way_out() {
    let mut world = World::open(&["A"]);
    world.call(
        Some("A"),
        "Emulation.setUserAgentOverride",
        r#"{"userAgent":"U"}"#,
    );
    world.dialing = crate::world::Dialing::Hang;
    world.drop_socket();
    world.model.dialog("A", "alert");
    world.accept();
    world.run();
    let waiting = world.evaluate("A", "1");
    world.advance(Duration::from_secs(6));
    assert_eq!(condition(&world), "hung");
    let reload = world.call(Some("A"), "Page.reload", "{}");
    world.reply(reload);
    world.reply(waiting);
    assert_eq!(condition(&world), "fine");
    assert_eq!(
        world.model.done.last().map(|done| done.agent.as_str()),
        Some("U")
    );
    world.finish();
}
