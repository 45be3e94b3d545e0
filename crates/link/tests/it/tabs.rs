//! Crashed, hung and closed tabs.
use std::time::Duration;

use keeptab_link::{Settlement, TargetEnd, TargetId};

use crate::world::World;

fn condition(world: &World, tab: &str) -> &'static str {
    world
        .link
        .target(&TargetId::from(tab))
        .map_or("gone", |info| info.condition.name())
}

#[test]
fn a_closed_tab_settles_everything_that_was_meant_for_it() {
    let mut world = World::open(&["A", "B"]);
    let tokens: Vec<u64> = (0..10).map(|_| world.evaluate("A", "never")).collect();
    world.model.close("A");
    world.run();
    for token in tokens {
        assert_eq!(
            world.end(token),
            Some(&Settlement::TargetGone(TargetEnd::Closed))
        );
    }
    let later = world.evaluate("A", "1");
    assert_eq!(
        world.end(later),
        Some(&Settlement::TargetGone(TargetEnd::Unknown))
    );
    assert_eq!(world.runs("1"), 0);
    world.finish();
}

#[test]
fn closing_a_tab_on_purpose_is_a_success() {
    let mut world = World::open(&["A", "B"]);
    let token = world.call(Some("A"), "Page.close", "{}");
    world.reply(token);
    assert_eq!(condition(&world, "A"), "gone");
    world.finish();
}

#[test]
fn a_crash_settles_at_once_and_says_how() {
    let mut world = World::open(&["A", "B"]);
    let token = world.evaluate("A", "never");
    world.model.crash("A");
    world.run();
    let end = TargetEnd::Crashed {
        status: "oom".into(),
        code: 9,
    };
    assert_eq!(world.end(token), Some(&Settlement::TargetGone(end.clone())));
    assert_eq!(condition(&world, "A"), "crashed");
    let later = world.evaluate("A", "1");
    assert_eq!(world.end(later), Some(&Settlement::TargetGone(end)));
    let other = world.evaluate("B", "2");
    world.reply(other);
    world.finish();
}

#[test]
fn a_crashed_tab_is_revived_by_loading_it_again() {
    let mut world = World::open(&["A"]);
    let crash = world.call(Some("A"), "Page.crash", "{}");
    assert_eq!(world.end(crash).map(Settlement::name), Some("target_gone"));
    let reload = world.call(Some("A"), "Page.reload", "{}");
    world.reply(reload);
    assert_eq!(condition(&world, "A"), "fine");
    let token = world.evaluate("A", "1");
    world.reply(token);
    world.finish();
}

#[test]
fn attaching_to_a_crashed_tab_does_not_hang() {
    let mut world = World::new(&["A"]);
    world.model.crash("A");
    world.start();
    let token = world.evaluate("A", "1");
    world.advance_ms(100);
    assert!(matches!(
        world.end(token),
        Some(Settlement::TargetGone(TargetEnd::Crashed { .. }))
    ));
    world.finish();
}

#[test]
fn a_tab_that_crashed_before_a_loss_is_prepared_when_it_is_revived() {
    let mut world = World::open(&["A"]);
    world.call(
        Some("A"),
        "Emulation.setUserAgentOverride",
        r#"{"userAgent":"U"}"#,
    );
    world.model.crash("A");
    world.drop_socket();
    world.advance_ms(500);
    assert_eq!(condition(&world, "A"), "crashed");
    let reload = world.call(Some("A"), "Page.reload", "{}");
    world.reply(reload);
    let token = world.evaluate("A", "1");
    world.reply(token);
    assert_eq!(
        world.model.done.last().map(|done| done.agent.as_str()),
        Some("U")
    );
    assert_eq!(condition(&world, "A"), "fine");
    world.finish();
}

#[test]
fn a_crashed_tab_stays_crashed_when_a_new_connection_is_not_told() {
    let mut world = World::open(&["A"]);
    world.call(
        Some("A"),
        "Emulation.setUserAgentOverride",
        r#"{"userAgent":"U"}"#,
    );
    world.model.crash("A");
    world.run();
    world.model.hides_crashes = true;
    world.drop_socket();
    world.advance(Duration::from_secs(10));
    assert_eq!(condition(&world, "A"), "crashed");
    let refused = world.evaluate("A", "1");
    assert_eq!(
        world.end(refused).map(Settlement::name),
        Some("target_gone")
    );
    let reload = world.call(Some("A"), "Page.reload", "{}");
    world.reply(reload);
    let token = world.evaluate("A", "2");
    world.reply(token);
    world.finish();
}

#[test]
fn a_hung_tab_is_named_and_delays_no_other() {
    let mut world = World::open(&["A", "B"]);
    let stuck = world.evaluate("A", "for(;;);");
    for _ in 0..12 {
        world.advance(Duration::from_secs(1));
        let other = world.evaluate("B", "2");
        world.reply(other);
    }
    assert_eq!(condition(&world, "A"), "hung");
    assert_eq!(condition(&world, "B"), "fine");
    assert_eq!(world.end(stuck), None, "it has its own deadline");
    world.model.wake("A");
    world.run();
    assert_eq!(condition(&world, "A"), "fine");
    world.finish();
}

#[test]
fn a_long_command_does_not_make_a_tab_hung() {
    let mut world = World::open(&["A"]);
    let token = world.evaluate("A", "never");
    for _ in 0..28 {
        world.advance(Duration::from_secs(1));
        world.call(None, "Browser.getVersion", "{}");
    }
    assert_eq!(condition(&world, "A"), "fine");
    assert_eq!(world.end(token), None);
    world.finish();
}

#[test]
fn no_tab_is_blamed_for_a_browser_that_is_silent_altogether() {
    let mut world = World::new(&["A"]);
    // A pipe is not given up for its silence.
    world.info.transport = keeptab_link::Transport::Pipe;
    world.start();
    world.stalled = true;
    world.evaluate("A", "1");
    for _ in 0..29 {
        world.advance(Duration::from_secs(1));
        assert_eq!(condition(&world, "A"), "fine");
    }
    world.finish();
}
