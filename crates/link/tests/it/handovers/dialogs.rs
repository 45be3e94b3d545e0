//! Dialogs that were open when the owner died, or opened behind it.
use std::time::Duration;

use keeptab_link::{Settlement, State};

use super::{condition, kept, set, set_up};
use crate::world::World;

#[test]
fn a_dialog_that_is_open_can_still_be_answered() {
    let mut world = kept(&["A", "B"]);
    set_up(&mut world);
    world.evaluate("A", "alert()");
    world.advance_ms(150);
    assert_eq!(condition(&world, "A"), "dialog-blocked");
    let left = world.die();
    world.succeed(&left);
    world.advance_ms(500);
    assert_eq!(condition(&world, "A"), "dialog-blocked");
    let refused = world.evaluate("A", "no");
    assert!(matches!(
        world.end(refused),
        Some(Settlement::DialogOpen {
            answerable: true,
            ..
        })
    ));
    let other = world.evaluate("B", "other tabs go on");
    world.reply(other);
    set(
        &mut world,
        Some("A"),
        "Page.handleJavaScriptDialog",
        r#"{"accept":true}"#,
    );
    assert_eq!(condition(&world, "A"), "fine");
    let token = world.evaluate("A", "yes");
    world.reply(token);
    world.finish();
}

#[test]
fn a_dialog_that_was_answered_meanwhile_is_noticed() {
    let mut world = kept(&["A"]);
    world.model.dialog("A", "confirm");
    world.run();
    let left = world.die();
    world.model.answer_dialog("A");
    world.succeed(&left);
    assert_eq!(condition(&world, "A"), "fine");
    let token = world.evaluate("A", "1");
    world.reply(token);
    world.finish();
}

#[test]
fn a_dialog_that_opened_meanwhile_can_be_answered() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let left = world.die();
    world.model.dialog("A", "confirm");
    world.succeed(&left);
    answer_the_dialog(world);
}

#[test]
fn a_dialog_that_opened_before_it_could_be_written_down_can_be_answered() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let left = world.link.snapshot().to_bytes();
    world.model.dialog("A", "confirm");
    world.run();
    assert_eq!(condition(&world, "A"), "dialog-blocked");
    world.die_without_a_word();
    world.succeed(&left);
    answer_the_dialog(world);
}

/// A dialog is open that the snapshot knows nothing of.
fn answer_the_dialog(mut world: World) {
    assert_eq!(condition(&world, "A"), "dialog-blocked");
    let refused = world.evaluate("A", "no");
    assert!(matches!(
        world.end(refused),
        Some(Settlement::DialogOpen {
            answerable: true,
            ..
        })
    ));
    world.advance(Duration::from_secs(60));
    assert_eq!(condition(&world, "A"), "dialog-blocked", "it is not hung");
    set(
        &mut world,
        Some("A"),
        "Page.handleJavaScriptDialog",
        r#"{"accept":true}"#,
    );
    assert_eq!(condition(&world, "A"), "fine");
    let token = world.evaluate("A", "1");
    world.reply(token);
    world.finish();
}

#[test]
fn a_keeper_that_says_nothing_of_dialogs_leaves_a_way_out() {
    let mut world = kept(&["A"]);
    set_up(&mut world);
    let left = world.die();
    world.model.dialog("A", "confirm");
    world.silent_keeper = true;
    world.succeed(&left);
    assert!(matches!(world.link.state(), State::Reconnecting { .. }));
    world.advance_ms(400);
    assert!(matches!(world.link.state(), State::Connected { .. }));
    let waits = world.evaluate("A", "1");
    world.advance(Duration::from_secs(6));
    assert_eq!(condition(&world, "A"), "hung");
    set(
        &mut world,
        Some("A"),
        "Page.handleJavaScriptDialog",
        r#"{"accept":true}"#,
    );
    world.reply(waits);
    assert_eq!(condition(&world, "A"), "fine");
    world.finish();
}
