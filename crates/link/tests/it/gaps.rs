//! The record of a loss.
use std::time::Duration;

use keeptab_link::{Cause, Epoch, Stream, Verdict};

use crate::world::{Dialing, World};

fn verdict(world: &World, stream: Stream) -> Option<Verdict> {
    world
        .gaps
        .last()?
        .streams
        .iter()
        .find(|gap| gap.stream == stream)
        .map(|gap| gap.verdict)
}

#[test]
fn nobody_who_was_watching_nothing_missed_anything() {
    let mut world = World::open(&["A"]);
    world.drop_socket();
    let gap = &world.gaps[0];
    assert!(gap.nothing_missed(), "{gap:?}");
    assert_eq!((gap.from, gap.to), (Epoch(1), Some(Epoch(2))));
    assert!(
        world
            .lines
            .iter()
            .any(|line| line == "Connection lost (code 1006)"),
        "{:?}",
        world.lines
    );
    assert!(world.lines.last().is_some_and(
        |line| line.starts_with("Reconnected (epoch 2, ") && line.ends_with("nothing missed)")
    ));
    world.finish();
}

#[test]
fn each_stream_has_its_verdict() {
    let mut world = World::open(&["A", "B"]);
    for method in ["Runtime.enable", "Network.enable", "Fetch.enable"] {
        world.call(Some("A"), method, "{}");
    }
    world.drop_socket();
    assert_eq!(verdict(&world, Stream::Console), Some(Verdict::Partial));
    assert_eq!(verdict(&world, Stream::Network), Some(Verdict::Unknown));
    assert_eq!(
        verdict(&world, Stream::Interception),
        Some(Verdict::Unknown)
    );
    assert_eq!(verdict(&world, Stream::Screencast), None);
    assert!(!world.gaps[0].nothing_missed());
    world.finish();
}

/// With the network on, the line sent everybody to the gap record, whatever was in it.
#[test]
fn the_line_says_what_a_loss_has_cost() {
    let said = |enabled: &[&str]| {
        let mut world = World::open(&["A", "B"]);
        for method in enabled {
            for tab in ["A", "B"] {
                world.call(Some(tab), method, "{}");
            }
        }
        world.drop_socket();
        let line = world.lines.last().cloned().unwrap_or_default();
        let (_, cost) = line.split_once(" ms, ").expect("a cost");
        world.finish();
        cost.to_owned()
    };
    assert_eq!(said(&[]), "nothing missed)");
    assert_eq!(
        said(&["Runtime.enable"]),
        "console messages as far as the browser kept them)"
    );
    assert_eq!(
        said(&["Runtime.enable", "Network.enable", "Fetch.enable"]),
        "console messages as far as the browser kept them, requests and paused requests may be missing)"
    );
}

#[test]
fn a_page_that_moved_on_has_lost_its_console() {
    let mut world = World::open(&["A"]);
    world.call(Some("A"), "Runtime.enable", "{}");
    world.dialing = Dialing::Hang;
    world.drop_socket();
    world.model.navigate("A", "http://next/");
    world.accept();
    world.run();
    assert_eq!(verdict(&world, Stream::Console), Some(Verdict::Unknown));
    world.finish();
}

#[test]
fn documents_born_without_our_scripts_are_named() {
    let mut world = World::open(&["A", "B"]);
    for tab in ["A", "B"] {
        world.call(
            Some(tab),
            "Page.addScriptToEvaluateOnNewDocument",
            r#"{"source":"1"}"#,
        );
    }
    world.call(Some("A"), "Page.navigate", r#"{"url":"http://before/"}"#);
    world.dialing = Dialing::Hang;
    world.drop_socket();
    world.model.navigate("B", "http://born/");
    world.accept();
    world.run();
    let born: Vec<(&str, &str)> = world.gaps[0]
        .without_init_scripts
        .iter()
        .map(|born| (born.target.as_str(), &*born.url))
        .collect();
    assert_eq!(born, [("B", "http://born/")]);
    world.finish();
}

#[test]
fn tabs_that_went_and_came_are_named() {
    let mut world = World::open(&["A", "B"]);
    world.dialing = Dialing::Hang;
    world.drop_socket();
    world.model.close("B");
    world.model.open("C", "http://c/");
    let lost = world.post(Some("B"), "Runtime.evaluate", "{}");
    world.accept();
    world.run();
    let gap = &world.gaps[0];
    assert_eq!(
        gap.gone
            .iter()
            .map(|info| info.id.as_str())
            .collect::<Vec<_>>(),
        ["B"]
    );
    assert_eq!(
        gap.new
            .iter()
            .map(|info| info.id.as_str())
            .collect::<Vec<_>>(),
        ["C"]
    );
    assert_eq!(world.end(lost).map(|end| end.name()), Some("target_gone"));
    world.finish();
}

#[test]
fn a_recording_that_ended_is_declared() {
    let mut world = World::open(&["A"]);
    world.call(None, "Tracing.start", "{}");
    world.drop_socket();
    let lost: Vec<&str> = world.gaps[0]
        .not_restored
        .iter()
        .map(|lost| &*lost.method)
        .collect();
    assert_eq!(lost, ["Tracing.start"]);
    world.finish();
}

#[test]
fn two_losses_in_a_row_are_one_record() {
    let mut world = World::open(&["A"]);
    let noticed = world.now;
    world.cut_after = Some(1);
    world.drop_socket();
    world.advance(Duration::from_secs(2));
    assert_eq!(world.gaps.len(), 1);
    let gap = &world.gaps[0];
    assert_eq!(
        (gap.from, gap.to, gap.losses),
        (Epoch(1), Some(Epoch(3)), 2)
    );
    assert_eq!(gap.lost_latest, noticed);
    assert_eq!(gap.cause, Cause::Eof);
    world.finish();
}

#[test]
fn the_record_stands_before_the_first_event_of_the_new_connection() {
    let mut world = World::open(&["A"]);
    world.dialing = Dialing::Hang;
    world.drop_socket();
    world.model.open("C", "about:blank");
    world.events.clear();
    world.accept();
    // Up to the record, no event may have come out.
    while world.gaps.is_empty() {
        assert!(world.events.is_empty());
        let before = world.model.done.len();
        world.run();
        assert!(
            !world.gaps.is_empty() || world.model.done.len() > before,
            "stuck"
        );
    }
    assert!(world.events.iter().all(|event| event.epoch == Epoch(2)));
    world.finish();
}

#[test]
fn a_tab_that_does_not_answer_holds_up_neither_the_record_nor_the_others() {
    let mut world = World::open(&["A", "B"]);
    for tab in ["A", "B"] {
        world.call(
            Some(tab),
            "Emulation.setUserAgentOverride",
            r#"{"userAgent":"U"}"#,
        );
    }
    world.evaluate("A", "for(;;);");
    world.drop_socket();
    let (stuck, free) = (world.evaluate("A", "1"), world.evaluate("B", "2"));
    world.reply(free);
    assert_eq!(world.end(stuck), None);
    world.advance_ms(400);
    assert_eq!(
        world.gaps[0]
            .unanswered
            .iter()
            .map(|id| id.as_str())
            .collect::<Vec<_>>(),
        ["A"]
    );
    world.advance(Duration::from_secs(5));
    assert_eq!(
        world
            .link
            .target(&"A".into())
            .map(|info| info.condition.name()),
        Some("hung")
    );
    world.model.wake("A");
    world.run();
    world.reply(stuck);
    assert_eq!(
        world
            .link
            .target(&"A".into())
            .map(|info| info.condition.name()),
        Some("fine")
    );
    world.finish();
}
