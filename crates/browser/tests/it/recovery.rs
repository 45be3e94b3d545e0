//! Lost connections: the same tab, with what was set on it.
use std::time::Duration;

use keeptab_browser::{
    CallOptions, Cause, EventFilter, Kind, LaunchOptions, Notice, Options, Session, State,
};
use keeptab_protocol::{Raw, emulation, page};
use keeptab_testkit::Site;
use tokio::time::timeout;

use crate::support::{LONG, is_epoch, tab, through_proxy, until};

#[tokio::test]
async fn after_a_reset_the_same_tab_answers_with_what_was_set_on_it() {
    let (_chromium, proxy, session) = through_proxy(Options::new()).await;
    let site = Site::start().await;
    let tab = tab(&session).await;
    let script = "globalThis.fromInit = 'in force'";
    tab.call(&page::AddScriptToEvaluateOnNewDocument::new(script))
        .await
        .expect("init script");
    tab.call(&emulation::SetUserAgentOverride::new("Keeptab/1"))
        .await
        .expect("user agent");
    tab.navigate(&site.url("/")).await.expect("navigate");
    tab.evaluate::<u32>("globalThis.mark = 7")
        .await
        .expect("mark");
    let mut events = session.events(EventFilter::all(), 1024);

    assert!(proxy.rst() > 0, "a connection was cut");
    until(&session, |state| is_epoch(state, 2)).await;
    let mark: u32 = tab.evaluate("mark").await.expect("the same document");
    assert_eq!(mark, 7);
    tab.navigate(&site.url("/form")).await.expect("navigate");
    let set: (String, String) = tab
        .evaluate("[fromInit, navigator.userAgent]")
        .await
        .expect("what was set");
    assert_eq!(set, ("in force".to_owned(), "Keeptab/1".to_owned()));

    let gap = loop {
        let notice = timeout(LONG, events.next()).await.expect("in time");
        if let Notice::Gap(gap) = notice.expect("the session lives") {
            break gap;
        }
    };
    assert!(gap.same_browser());
    assert_eq!(gap.from.0, 1);
    assert_eq!(session.status().health.counters.losses, 1);
}

#[tokio::test]
async fn commands_in_flight_at_a_reset_end_at_once_and_once() {
    let (_chromium, proxy, session) = through_proxy(Options::new()).await;
    let tab = tab(&session).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let tab = tab.clone();
        calls.spawn(async move { tab.evaluate::<u32>("new Promise(() => {})").await });
    }
    let sent = |proxy: &keeptab_testkit::FaultProxy| proxy.forwarded("Runtime.evaluate") >= 50;
    proxy.until("fifty evaluates", sent).await;
    let before = proxy.count("Runtime.evaluate");
    proxy.rst();
    while let Some(ended) = timeout(LONG, calls.join_next()).await.expect("at once") {
        let error = ended.expect("task").expect_err("no answer can come");
        assert_eq!(error.kind(), Kind::OutcomeUnknown, "{error}");
    }
    until(&session, |state| is_epoch(state, 2)).await;
    assert_eq!(
        proxy.count("Runtime.evaluate"),
        before,
        "no effect is sent twice"
    );
}

#[tokio::test]
async fn a_command_waits_for_the_connection_to_come_back() {
    let (_chromium, proxy, session) = through_proxy(Options::new()).await;
    let tab = tab(&session).await;
    proxy.refuse_for(Duration::from_millis(1500)).await;
    proxy.rst();
    until(&session, |state| {
        matches!(state, State::Reconnecting { .. })
    })
    .await;
    let sum: u32 = tab.evaluate("3 + 4").await.expect("after the outage");
    assert_eq!(sum, 7);
    let soon = CallOptions::new().timeout(Duration::from_millis(300));
    proxy.refuse_for(Duration::from_secs(5)).await;
    proxy.rst();
    let params = Raw::from_static(r#"{"expression":"1"}"#);
    let late = tab
        .call_raw("Runtime.evaluate", params, soon)
        .await
        .expect_err("too long");
    assert!(
        matches!(late.kind(), Kind::Deadline | Kind::OutcomeUnknown),
        "{late}"
    );
}

#[tokio::test]
async fn a_close_frame_that_forbids_is_final() {
    let (_chromium, proxy, session) = through_proxy(Options::new()).await;
    let tab = tab(&session).await;
    proxy.close(1008, "policy");
    let state = until(&session, State::is_final).await;
    assert!(
        matches!(
            &state,
            State::Disconnected {
                cause: Cause::Refused { status: 1008, .. }
            }
        ),
        "{state:?}"
    );
    let refused = tab.evaluate::<u32>("1").await.expect_err("over");
    assert_eq!(refused.kind(), Kind::Disconnected);
    // Somebody who knows better may still ask.
    session.reconnect().await.expect("reconnect");
    assert_eq!(tab.evaluate::<u32>("2").await.expect("again"), 2);
}

#[tokio::test]
async fn a_black_hole_is_noticed_and_left() {
    let (_chromium, proxy, session) = through_proxy(Options::fast()).await;
    let tab = tab(&session).await;
    proxy.stall_current(keeptab_testkit::Direction::Both);
    let begun = std::time::Instant::now();
    until(&session, |state| is_epoch(state, 2)).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(tab.evaluate::<u32>("5").await.expect("answer"), 5);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_killed_browser_is_noticed_at_once_and_never_replaced() {
    let session = Session::launch(LaunchOptions::new(), Options::new())
        .await
        .expect("launch");
    let tab = tab(&session).await;
    let pid = session.launched().expect("ours").pid;
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("pid")).expect("pid");
    let pending = tokio::spawn({
        let tab = tab.clone();
        async move { tab.evaluate::<u32>("new Promise(() => {})").await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kill");
    let begun = std::time::Instant::now();
    let state = until(&session, State::is_final).await;
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        matches!(&state, State::Disconnected { cause } if cause.is_browser_dead()),
        "{state:?}"
    );
    let error = pending.await.expect("task").expect_err("gone");
    assert_eq!(error.kind(), Kind::OutcomeUnknown, "{error}");
    let error = tab.evaluate::<u32>("1").await.expect_err("gone");
    assert_eq!(error.kind(), Kind::Disconnected, "{error}");
}
