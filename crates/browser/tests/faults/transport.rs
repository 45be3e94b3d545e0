//! The connection ends, in every way a connection can end.

use crate::stage::{LONG, Stage};
use keeptab_browser::{CallOptions, Cause, Options, State};
use keeptab_testkit::{DropWhen, How, Throttle};
use std::time::Duration;
use tokio::time::timeout;

/// Plays a fault that ends the connection, and looks at what is left.
async fn survives(fault: impl FnOnce(&Stage) -> usize) -> Cause {
    let stage = Stage::set(Options::new()).await;
    let pending = stage.pending().await;
    let mut states = stage.session.state();
    states.mark_unchanged();
    assert_eq!(fault(&stage), 1, "the fault hit the connection");
    let lost = stage.noticed().await;
    stage.recovered(2, pending).await;
    assert_eq!(stage.proxy.upgrades(), 2, "one new connection");
    assert_eq!(stage.session.status().health.counters.losses, 1);
    match lost {
        State::Reconnecting { cause, .. } => cause,
        other => panic!("not lost but {other:?}"),
    }
}

#[tokio::test]
async fn rst() {
    let cause = survives(|stage| stage.proxy.rst()).await;
    assert_eq!(cause, Cause::Reset);
}

#[tokio::test]
async fn fin() {
    let cause = survives(|stage| stage.proxy.fin()).await;
    assert_eq!(cause, Cause::Eof);
}

#[tokio::test]
async fn close_1000() {
    let cause = survives(|stage| stage.proxy.close(1000, "")).await;
    assert!(
        matches!(cause, Cause::CloseFrame { code: 1000, .. }),
        "{cause:?}"
    );
}

#[tokio::test]
async fn close_1001_of_an_edge_that_restarts() {
    let cause = survives(|stage| stage.proxy.close(1001, "going away")).await;
    assert!(
        matches!(cause, Cause::CloseFrame { code: 1001, .. }),
        "{cause:?}"
    );
}

#[tokio::test]
async fn close_1009_of_a_peer_that_finds_a_message_too_big() {
    let cause = survives(|stage| stage.proxy.close(1009, "too big")).await;
    assert!(
        matches!(cause, Cause::CloseFrame { code: 1009, .. }),
        "{cause:?}"
    );
}

#[tokio::test]
async fn close_1011_of_a_peer_in_trouble_is_given_time() {
    let stage = Stage::set(Options::new()).await;
    let pending = stage.pending().await;
    let mut states = stage.session.state();
    assert_eq!(stage.proxy.close(1011, "internal error"), 1);
    // Where the others are called again at once.
    let waits = |state: &State| matches!(state, State::Reconnecting { next: Some(_), .. });
    timeout(LONG, states.wait_for(waits))
        .await
        .expect("it waits")
        .unwrap();
    stage.recovered(2, pending).await;
    assert_eq!(stage.proxy.upgrades(), 2, "one new connection");
}

#[tokio::test]
async fn a_close_frame_with_tcp_held_open() {
    let cause = survives(|stage| stage.proxy.close_held(1001, "")).await;
    assert!(
        matches!(cause, Cause::CloseFrame { code: 1001, .. }),
        "{cause:?}"
    );
}

#[tokio::test]
async fn cut_in_the_middle_of_a_frame() {
    let stage = Stage::set(Options::new()).await;
    let pending = stage.pending().await;
    assert_eq!(stage.proxy.cut_mid_frame(), 1);
    // Its answer is the frame that is cut. It is a read, so it is asked for once more and answered.
    let tree = keeptab_protocol::dom::GetDocument {
        depth: Some(-1),
        ..Default::default()
    };
    stage.tab.call(&tree).await.unwrap();
    stage.recovered(2, pending).await;
}

#[tokio::test]
async fn a_drop_between_an_effect_and_its_answer_repeats_nothing() {
    let stage = Stage::set(Options::new()).await;
    stage
        .proxy
        .drop_on("Input.insertText", DropWhen::AtReply, How::Rst);
    let typed = keeptab_protocol::input::InsertText::new("once");
    let error = stage.tab.call(&typed).await.unwrap_err();
    assert_eq!(
        error.kind(),
        keeptab_browser::Kind::OutcomeUnknown,
        "{error}"
    );
    stage.connected(2).await;
    stage.same_tab().await;
    assert_eq!(
        (
            stage.proxy.count("Input.insertText"),
            stage.proxy.forwarded("Input.insertText")
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn a_large_command_on_a_slow_link_is_no_silence() {
    let mut options = Options::new();
    options.link.probe_after = Duration::from_secs(2);
    options.link.dead_after = Duration::from_secs(10);
    let stage = Stage::set(options).await;
    // Half as long again as the link may be silent. Once all is written, some 10 MB are still on their way, and
    // Chromium says nothing while it reads the whole: on a busy machine the rest of the ten seconds is for that.
    stage.proxy.throttle(Throttle {
        bytes_per_second: Some(3_000_000),
        latency: Duration::ZERO,
    });
    let expression = format!("'{}'.length", "x".repeat(45 << 20));
    let mut command = keeptab_protocol::runtime::Evaluate::new(expression.as_str());
    command.return_by_value = Some(true);
    let patience = CallOptions::new().timeout(LONG);
    let done = stage.tab.call_with(&command, patience).await.unwrap();
    let length = done.result.value.expect("a value").parse::<usize>();
    assert_eq!(length.unwrap(), 45 << 20);
    stage.proxy.pass();
    assert_eq!(stage.session.status().health.counters.losses, 0);
    stage.same_tab().await;
}
