//! What ends is not the connection but something in the browser, or the browser.

use crate::stage::{LONG, Stage};
use keeptab_browser::{Cause, End, Kind, LaunchOptions, Options, Session, State};
use keeptab_link::Condition;
use keeptab_protocol::page;
use keeptab_testkit::Chromium;
use std::time::Duration;
use tokio::time::timeout;

/// Gives up within seconds.
fn impatient() -> Options {
    let mut options = Options::new();
    options.link.backoff.first = Duration::from_millis(50);
    options.link.backoff.max_attempts = 3;
    options
}

#[tokio::test]
async fn an_attached_browser_that_is_killed_is_not_replaced() {
    let stage = Stage::set(impatient()).await;
    let pending = stage.pending().await;
    stage.browser.kill();
    let cause = stage.given_up().await;
    assert!(
        matches!(cause, Cause::Unreachable(_) | Cause::Reset | Cause::Eof),
        "{cause:?}"
    );
    pending.ended_for_good().await;
    let error = stage.tab.evaluate::<u32>("1").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Disconnected, "{error}");
    assert_eq!(stage.site.effects("pending"), 1);
}

#[tokio::test]
async fn another_browser_at_the_same_address_is_not_taken_for_ours() {
    let stage = Stage::set(Options::new()).await;
    // Started first: on a busy machine that takes longer than a page lets a command wait.
    let other = Chromium::start().await;
    let pending = stage.pending().await;
    // The proxy leads to it under the old path, as a service with a fixed address would.
    stage.proxy.set_upstream(&other.ws_url());
    stage.browser.kill();
    let cause = stage.given_up().await;
    assert!(
        matches!(
            cause,
            Cause::Refused { .. } | Cause::Gone(_) | Cause::BrowserReplaced
        ),
        "{cause:?}"
    );
    pending.ended_for_good().await;
    let error = stage.tab.evaluate::<u32>("1").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Disconnected, "{error}");
}

#[tokio::test]
async fn a_launched_browser_that_is_killed_is_known_to_be_dead() {
    let mut launch = LaunchOptions::new();
    for flag in Chromium::quiet_flags() {
        launch = launch.arg(flag);
    }
    let session = Session::launch(launch, Options::new()).await.unwrap();
    let tab = session.new_tab("about:blank").await.unwrap();
    let waiting = tokio::spawn(async move { tab.evaluate::<u32>("new Promise(() => {})").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    kill(session.launched().unwrap().pid);
    let mut states = session.state();
    let state = timeout(LONG, states.wait_for(State::is_final))
        .await
        .unwrap()
        .unwrap()
        .clone();
    let State::Disconnected { cause } = state else {
        panic!("{state:?}")
    };
    assert!(cause.is_browser_dead(), "{cause:?}");
    let error = timeout(LONG, waiting).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::OutcomeUnknown, "{error}");
    session.close(End::Detach).await;
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_tab_that_is_closed_ends_its_commands_and_no_others() {
    let stage = Stage::set(Options::new()).await;
    let doomed = stage.session.new_tab(&stage.site.url("/")).await.unwrap();
    doomed.evaluate::<u32>("1").await.unwrap();
    let before = stage.proxy.forwarded("Runtime.evaluate");
    let pending: Vec<_> = (0..10)
        .map(|_| {
            let tab = doomed.clone();
            tokio::spawn(async move { tab.evaluate::<u32>("new Promise(() => {})").await })
        })
        .collect();
    let sent =
        |proxy: &keeptab_testkit::FaultProxy| proxy.forwarded("Runtime.evaluate") == before + 10;
    stage.proxy.until("ten commands are under way", sent).await;
    doomed.close().await.unwrap();
    for call in pending {
        let error = timeout(LONG, call)
            .await
            .expect("it ends")
            .unwrap()
            .unwrap_err();
        assert_eq!(error.kind(), Kind::TargetGone, "{error}");
    }
    let error = doomed.evaluate::<u32>("1").await.unwrap_err();
    assert_eq!(error.kind(), Kind::TargetGone, "never another tab: {error}");
    stage.same_tab().await;
}

#[tokio::test]
async fn a_dialog_is_said_and_can_be_answered() {
    let stage = Stage::set(Options::new()).await;
    let other = stage.session.new_tab(&stage.site.url("/")).await.unwrap();
    let error = stage
        .tab
        .evaluate::<bool>("globalThis.answer = confirm('really?')")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::DialogOpen, "{error}");
    assert!(error.to_string().contains("really?"), "{error}");
    let error = stage.tab.evaluate::<u32>("1").await.unwrap_err();
    assert_eq!(
        error.kind(),
        Kind::DialogOpen,
        "also for those that come later: {error}"
    );
    assert_eq!(
        other.evaluate::<u32>("1 + 1").await.unwrap(),
        2,
        "other tabs go on"
    );
    stage
        .tab
        .call(&page::HandleJavaScriptDialog::new(true))
        .await
        .unwrap();
    assert!(
        stage
            .tab
            .evaluate::<bool>("globalThis.answer")
            .await
            .unwrap()
    );
    stage.same_tab().await;
}

#[tokio::test]
async fn a_dialog_left_by_a_lost_connection_is_said_and_a_reload_gets_out() {
    let stage = Stage::set(Options::new()).await;
    let other = stage.session.new_tab(&stage.site.url("/")).await.unwrap();
    other.evaluate::<u32>("1").await.unwrap();
    let error = stage
        .tab
        .evaluate::<bool>("confirm('left behind')")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::DialogOpen, "{error}");
    assert_eq!(stage.proxy.rst(), 1);
    stage.connected(2).await;
    assert_eq!(
        other.evaluate::<u32>("1 + 1").await.unwrap(),
        2,
        "other tabs do not wait for it"
    );
    let error = stage.tab.evaluate::<u32>("1").await.unwrap_err();
    assert_eq!(error.kind(), Kind::DialogOpen, "{error}");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("reload")),
        "{error:?}"
    );
    stage.tab.call(&page::Reload::default()).await.unwrap();
    // The browser says when the new document is there, which is a moment after it took the order.
    let free = async {
        while stage
            .tab
            .info()
            .is_some_and(|info| matches!(info.condition, Condition::Dialog(_)))
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, free)
        .await
        .expect("the reload gets out of the dialog");
    assert_eq!(stage.tab.evaluate::<u32>("1 + 1").await.unwrap(), 2);
}

#[tokio::test]
async fn a_frozen_browser_is_waited_for() {
    let stage = Stage::set(Options::new()).await;
    stage.browser.freeze();
    let tab = stage.tab.clone();
    let asked = tokio::spawn(async move { tab.evaluate::<u32>("globalThis.kept").await });
    tokio::time::sleep(Duration::from_secs(3)).await;
    stage.browser.thaw();
    assert_eq!(timeout(LONG, asked).await.unwrap().unwrap().unwrap(), 7);
    assert_eq!(stage.session.status().health.counters.losses, 0);
}
