//! Noticing silence.
use std::time::{Duration, SystemTime};

use keeptab_link::{Cause, Config, Epoch, State, Transport};

use crate::world::World;

const SEC: Duration = Duration::from_secs(1);

#[test]
fn a_black_hole_is_noticed_within_ten_seconds() {
    let mut world = World::open(&["A"]);
    let start = world.now;
    world.stalled = true;
    world.deaf = true;
    world.advance(9 * SEC);
    assert!(world.gaps.is_empty());
    assert_eq!(world.pings, 1);
    world.advance(SEC + SEC / 10);
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(2) });
    let gap = &world.gaps[0];
    assert!(matches!(gap.cause, Cause::Unresponsive { .. }));
    assert!(gap.zombie, "the old socket may live on");
    assert_eq!(gap.lost_earliest, start);
    assert_eq!(gap.lost_latest, start + 10 * SEC);
    world.finish();
}

#[test]
fn the_fast_profile_takes_three_seconds() {
    let mut world = World::with(&["A"], Config::fast());
    world.start();
    world.stalled = true;
    world.deaf = true;
    world.advance(3 * SEC + SEC / 10);
    assert_eq!(world.link.epoch(), Epoch(2));
    world.finish();
}

#[test]
fn a_hole_of_four_seconds_is_no_gap() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    let token = world.evaluate("A", "1");
    world.advance(4 * SEC);
    world.stalled = false;
    world.run();
    world.reply(token);
    world.advance(60 * SEC);
    assert_eq!(world.link.epoch(), Epoch(1));
    assert!(world.gaps.is_empty());
    world.finish();
}

#[test]
fn a_large_message_on_its_way_is_life() {
    let mut world = World::open(&["A"]);
    world.stalled = true;
    for _ in 0..30 {
        world.advance(SEC);
        world.link.alive(world.now);
    }
    assert_eq!(world.link.epoch(), Epoch(1));
    world.finish();
}

#[test]
fn a_connection_that_a_person_allowed_is_given_up_later() {
    let mut world = World::new(&["A"]);
    world.dialing = crate::world::Dialing::Hang;
    world.link.open(world.now);
    world.run();
    world.link.dial_waits_for_human(world.now);
    world.accept();
    world.run();
    world.stalled = true;
    world.deaf = true;
    world.advance(29 * SEC);
    assert_eq!(world.dials.len(), 1);
    world.advance(2 * SEC);
    assert_eq!(world.dials.len(), 2);
    world.finish();
}

#[test]
fn waking_up_asks_at_once_and_has_two_seconds() {
    let mut world = World::open(&["A"]);
    let wall = SystemTime::now();
    world.link.wall_clock(world.now, wall);
    world.stalled = true;
    world.deaf = true;
    world.link.wall_clock(world.now, wall + 7200 * SEC);
    world.run();
    assert_eq!(world.pings, 1);
    world.advance(2 * SEC + SEC / 10);
    assert_eq!(world.link.epoch(), Epoch(2));
    world.finish();
}

#[test]
fn a_clock_that_is_set_back_ends_no_connection_and_no_command() {
    let mut world = World::open(&["A"]);
    let wall = SystemTime::now();
    world.link.wall_clock(world.now, wall);
    world.link.wall_clock(world.now, wall - 3600 * SEC);
    world.run();
    world.advance(60 * SEC);
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(1) });
    assert_eq!(world.link.health(world.now).counters.losses, 0);
    world.finish();
}

#[test]
fn a_silent_browser_behind_a_pipe_keeps_its_pipe() {
    let mut world = World::new(&["A"]);
    world.info.transport = Transport::Pipe;
    world.start();
    world.stalled = true;
    world.advance(31 * SEC);
    assert!(matches!(world.link.state(), State::Unresponsive { .. }));
    assert_eq!(world.pings, 0, "a pipe cannot be pinged");
    assert!(world.is_connected());
    world.stalled = false;
    world.run();
    assert_eq!(world.link.state(), &State::Connected { epoch: Epoch(1) });
    world.finish();
}

#[test]
fn an_idle_link_wakes_up_rarely() {
    let mut world = World::open(&["A"]);
    let before = world.link.health(world.now).counters.probes;
    world.advance(3600 * SEC);
    let probes = world.link.health(world.now).counters.probes - before;
    assert!((700..=720).contains(&probes), "{probes}");
    world.finish();
}
