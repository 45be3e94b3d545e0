//! The connection stays open and nothing comes.

use crate::stage::Stage;
use keeptab_browser::{Cause, Options, State};
use keeptab_testkit::Direction;
use std::time::{Duration, Instant};

/// With the fast timings: silence is noticed after 3 s. The bound leaves room for a busy machine.
async fn noticed_and_survived(hole: impl FnOnce(&Stage) -> usize) {
    let stage = Stage::set(Options::fast()).await;
    let pending = stage.pending().await;
    assert_eq!(hole(&stage), 1, "the fault hit the connection");
    let begun = Instant::now();
    let lost = stage.noticed().await;
    let State::Reconnecting {
        cause: Cause::Unresponsive { silent },
        ..
    } = &lost
    else {
        panic!("not unresponsive but {lost:?}");
    };
    assert!(
        *silent >= Duration::from_secs(2),
        "silent for {silent:?} only"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(9),
        "noticed after {:?}",
        begun.elapsed()
    );
    stage.recovered(2, pending).await;
}

#[tokio::test]
async fn a_black_hole_both_ways() {
    noticed_and_survived(|stage| stage.proxy.stall_current(Direction::Both)).await;
}

#[tokio::test]
async fn a_black_hole_on_the_way_back() {
    noticed_and_survived(|stage| stage.proxy.stall_current(Direction::Down)).await;
}

#[tokio::test]
async fn a_black_hole_that_still_answers_pings() {
    noticed_and_survived(|stage| stage.proxy.stall_answering_pings()).await;
}

#[tokio::test]
async fn a_black_hole_whose_far_end_lives_on() {
    // The browser does not learn that we left: the old connection's settings stay in force beside ours.
    noticed_and_survived(|stage| {
        stage.proxy.hold_upstream(true);
        stage.proxy.stall_current(Direction::Both)
    })
    .await;
}

#[tokio::test]
async fn a_short_hole_is_waited_out() {
    let stage = Stage::set(Options::new()).await;
    assert_eq!(stage.proxy.stall_current(Direction::Both), 1);
    let tab = stage.tab.clone();
    let asked = tokio::spawn(async move { tab.evaluate::<u32>("globalThis.kept").await });
    tokio::time::sleep(Duration::from_secs(4)).await;
    stage.proxy.pass();
    assert_eq!(asked.await.unwrap().unwrap(), 7);
    assert!(matches!(&*stage.session.state().borrow(), State::Connected { epoch } if epoch.0 == 1));
    assert_eq!(stage.proxy.upgrades(), 1);
    assert_eq!(stage.session.status().health.counters.losses, 0);
}
