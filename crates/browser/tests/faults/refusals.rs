//! The way back is closed, for a time or for good.

use crate::stage::{LONG, Stage};
use keeptab_browser::{CallOptions, Cause, Kind, Options};
use keeptab_protocol::runtime;
use keeptab_testkit::Answer;
use std::time::Duration;

#[tokio::test]
async fn refused_for_20_s() {
    let stage = Stage::set(Options::new()).await;
    let pending = stage.pending().await;
    stage.proxy.refuse_for(Duration::from_secs(20)).await;
    assert_eq!(stage.proxy.rst(), 1);
    stage.noticed().await;
    // A command given while there is no connection waits for it.
    let kept = runtime::Evaluate::new("globalThis.kept");
    let waited = stage
        .tab
        .call_with(&kept, CallOptions::new().timeout(LONG))
        .await
        .unwrap();
    assert_eq!(waited.result.value.unwrap().as_str(), "7");
    stage.recovered(2, pending).await;
    assert_eq!(stage.proxy.upgrades(), 2);
}

#[tokio::test]
async fn status_503_for_8_s() {
    let stage = Stage::set(Options::new()).await;
    let pending = stage.pending().await;
    let busy = Answer {
        status: 503,
        retry_after: Some(Duration::from_secs(3)),
    };
    stage.proxy.answer_upgrades(busy, Duration::from_secs(8));
    assert_eq!(stage.proxy.rst(), 1);
    stage.recovered(2, pending).await;
    let tries = stage.proxy.turned_away();
    assert!(
        (1..=4).contains(&tries),
        "asked {tries} times where every 3 s was allowed"
    );
}

#[tokio::test]
async fn a_refusal_ends_it_at_once() {
    for status in [401, 403, 404, 410] {
        let stage = Stage::set(Options::new()).await;
        let pending = stage.pending().await;
        stage.proxy.answer_upgrades(Answer::status(status), LONG);
        assert_eq!(stage.proxy.rst(), 1);
        let cause = stage.given_up().await;
        match (&cause, status) {
            (Cause::Gone(_), 410) => {}
            (Cause::Refused { status: said, .. }, _) => assert_eq!(*said, status),
            _ => panic!("{status}: {cause:?}"),
        }
        pending.ended_for_good().await;
        let error = stage.tab.evaluate::<u32>("1").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Disconnected, "{status}: {error}");
        assert_eq!(stage.proxy.turned_away(), 1, "{status}: no second try");
        assert_eq!(stage.site.effects("pending"), 1);
    }
}

#[tokio::test]
async fn close_1008_and_4001_are_refusals_too() {
    for code in [1008, 4001] {
        let stage = Stage::set(Options::new()).await;
        let pending = stage.pending().await;
        assert_eq!(stage.proxy.close(code, "not you"), 1);
        let cause = stage.given_up().await;
        assert!(
            matches!(&cause, Cause::Refused { status, reason } if *status == code && &**reason == "not you"),
            "{cause:?}"
        );
        pending.ended_for_good().await;
        assert_eq!(stage.proxy.connections(), 1, "no second try");
    }
}

#[tokio::test]
async fn a_person_may_try_again_after_a_refusal() {
    let stage = Stage::set(Options::new()).await;
    stage.proxy.answer_upgrades(Answer::status(403), LONG);
    stage.proxy.rst();
    stage.given_up().await;
    stage.proxy.pass();
    stage.session.reconnect().await.unwrap();
    stage.same_tab().await;
}
