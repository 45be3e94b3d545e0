//! More events of a new connection than may wait for the gap record.
use keeptab_link::{Config, Stream, Verdict};

use crate::world::{Dialing, World};

/// A loss while ten tabs are opened, all of which the new connection tells, and the verdict on a console.
fn lose_with_room_for(held_events: usize) -> (World, Verdict) {
    let mut config = Config::default();
    config.limits.held_events = held_events;
    let mut world = World::with(&["A"], config);
    world.start();
    world.call(Some("A"), "Runtime.enable", "{}");
    world.dialing = Dialing::Hang;
    world.drop_socket();
    for tab in 0..10 {
        world.model.open(&format!("T{tab}"), "about:blank");
    }
    world.events.clear();
    world.accept();
    world.run();
    let streams = &world.gaps[0].streams;
    let console = streams.iter().find(|gap| gap.stream == Stream::Console);
    let verdict = console.expect("it was on").verdict;
    (world, verdict)
}

#[test]
fn what_fits_is_told_after_the_record() {
    let (world, verdict) = lose_with_room_for(10_000);
    assert_eq!(verdict, Verdict::Partial);
    assert!(world.events.len() >= 10, "{}", world.events.len());
    world.finish();
}

#[test]
fn what_does_not_fit_is_declared_in_the_record() {
    let (world, verdict) = lose_with_room_for(3);
    assert_eq!(verdict, Verdict::Unknown);
    assert!(world.events.len() <= 3, "{:?}", world.events);
    world.finish();
}
