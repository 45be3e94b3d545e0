//! Calls, typed and by name, and every way they end.
use std::time::Duration;

use keeptab_browser::{CallOptions, End, Endpoint, Kind, Options, Route, Session, State};
use keeptab_protocol::{Raw, browser, runtime};
use keeptab_testkit::Chromium;

use crate::support::{LONG, attached, tab, until};

#[tokio::test]
async fn typed_raw_and_wrong_calls() {
    let (_chromium, session) = attached().await;
    let version = session
        .call(&browser::GetVersion::default())
        .await
        .expect("version");
    assert!(version.product.contains("Chrome"), "{}", version.product);

    let tab = tab(&session).await;
    let sum: u32 = tab.evaluate("1 + 41").await.expect("sum");
    assert_eq!(sum, 42);
    let later: String = tab
        .evaluate("new Promise(r => setTimeout(r, 20, 'done'))")
        .await
        .expect("later");
    assert_eq!(later, "done");
    let nothing: Option<u32> = tab.evaluate("undefined").await.expect("nothing");
    assert_eq!(nothing, None);

    let params = Raw::from_static(r#"{"expression":"'ä' + \"\\u2028\"","returnByValue":true}"#);
    let reply = tab
        .call_raw("Runtime.evaluate", params, CallOptions::new())
        .await
        .expect("raw");
    assert_eq!(reply.epoch.0, 1);
    let evaluated: runtime::EvaluateReturns = reply.raw.parse().expect("shape");
    let value = evaluated.result.value.expect("value");
    assert_eq!(value.parse::<String>().expect("text"), "ä\u{2028}");

    let thrown = tab
        .evaluate::<u32>("throw new TypeError('on purpose')")
        .await
        .expect_err("thrown");
    assert_eq!(thrown.kind(), Kind::Protocol);
    assert!(
        thrown.to_string().contains("TypeError: on purpose"),
        "{thrown}"
    );

    let unfit = tab.evaluate::<u32>("'text'").await.expect_err("unfit");
    assert_eq!(unfit.kind(), Kind::InvalidReply);

    let none = Raw::object_empty();
    let unknown = session
        .call_raw(Route::Browser, "No.such", none, CallOptions::new())
        .await;
    let unknown = unknown.expect_err("unknown");
    assert_eq!(unknown.kind(), Kind::Protocol);
    assert_eq!(unknown.cdp().map(|cdp| cdp.code), Some(-32601), "{unknown}");

    let lost = session.tab("0123456789ABCDEF0123456789ABCDEF");
    let lost = lost.evaluate::<u32>("1").await.expect_err("no such tab");
    assert_eq!(lost.kind(), Kind::TargetGone, "{lost}");
    session.close(End::Detach).await;
}

#[tokio::test]
async fn many_calls_at_once_each_get_their_own_answer() {
    let (_chromium, session) = attached().await;
    let tab = tab(&session).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..500_u32 {
        let tab = tab.clone();
        calls.spawn(async move { (n, tab.evaluate::<u32>(&format!("{n} * 2")).await) });
    }
    while let Some(done) = calls.join_next().await {
        let (n, answer) = done.expect("task");
        assert_eq!(answer.expect("answer"), n * 2);
    }
}

#[tokio::test]
async fn large_values_in_both_directions() {
    let (_chromium, session) = attached().await;
    let tab = tab(&session).await;
    let text: String = tab
        .evaluate("'xä'.repeat(10 << 20)")
        .await
        .expect("20 M characters");
    assert_eq!(text.len(), 30 << 20);
    drop(text);

    let long = format!("'{}'.length", "y".repeat(30 << 20));
    let length: usize = tab.evaluate(&long).await.expect("a long command");
    assert_eq!(length, 30 << 20);

    let too_long = format!("'{}'", "y".repeat(65 << 20));
    let refused = tab
        .evaluate::<String>(&too_long)
        .await
        .expect_err("too long");
    assert_eq!(refused.kind(), Kind::TooLarge);
    let fine: u32 = tab.evaluate("7").await.expect("the session goes on");
    assert_eq!(fine, 7);
}

#[tokio::test]
async fn a_deadline_and_a_caller_that_goes_away() {
    let (_chromium, session) = attached().await;
    let tab = tab(&session).await;
    let mut never = runtime::Evaluate::new("new Promise(() => {})");
    never.await_promise = Some(true);
    let soon = CallOptions::new().timeout(Duration::from_millis(200));
    let late = tab.call_with(&never, soon).await.expect_err("never");
    assert_eq!(late.kind(), Kind::Deadline);
    assert!(!late.is_safe_to_repeat());

    let dropped = tokio::time::timeout(Duration::from_millis(50), tab.call(&never)).await;
    assert!(dropped.is_err());
    let fine: u32 = tab.evaluate("7").await.expect("the session goes on");
    assert_eq!(fine, 7);
    let late = session.status().health.counters.late;
    assert_eq!(late, 0, "nothing answered a call twice");
}

#[tokio::test]
async fn two_sessions_with_one_browser_do_not_disturb_each_other() {
    let chromium = Chromium::start().await;
    let endpoint = || Endpoint::Profile(chromium.profile().to_owned());
    let one = Session::connect(endpoint(), Options::new())
        .await
        .expect("one");
    let two = Session::connect(endpoint(), Options::new())
        .await
        .expect("two");
    let tab = tab(&one).await;
    tab.evaluate::<u32>("globalThis.mark = 5")
        .await
        .expect("mark");
    let same = two.tab(tab.target_id().clone());
    assert_eq!(same.evaluate::<u32>("mark").await.expect("mark"), 5);
    one.close(End::Detach).await;
    assert_eq!(same.evaluate::<u32>("mark + 1").await.expect("still"), 6);
    let over = tab.evaluate::<u32>("mark").await.expect_err("closed");
    assert_eq!(over.kind(), Kind::Disconnected);
    assert!(chromium.is_running());
}

#[tokio::test]
async fn the_last_handle_ends_the_link_and_leaves_the_browser() {
    let (chromium, session) = attached().await;
    let mut state = session.state();
    let clone = session.clone();
    drop(session);
    clone
        .call(&browser::GetVersion::default())
        .await
        .expect("a clone is enough");
    drop(clone);
    let closed = tokio::time::timeout(LONG, state.wait_for(|state| *state == State::Closed));
    assert!(matches!(closed.await, Ok(Ok(_) | Err(_))), "the link ends");
    assert!(chromium.is_running());
}

#[tokio::test]
async fn closing_the_browser_ends_it_and_everybody_is_told() {
    let (chromium, session) = attached().await;
    let tab = tab(&session).await;
    let pending = tokio::spawn(async move { tab.evaluate::<u32>("new Promise(() => {})").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    session.close(End::Browser).await;
    assert!(chromium.exited(LONG).await.is_some(), "the browser ends");
    assert!(
        pending.await.expect("task").is_err(),
        "nobody waits for ever"
    );
    assert_eq!(
        until(&session, |state| state.is_final()).await,
        State::Closed
    );
}

#[tokio::test]
async fn an_address_where_nobody_is_fails_at_once() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("port");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    let failed = Session::connect(Endpoint::port(port), Options::new());
    let failed = tokio::time::timeout(Duration::from_secs(5), failed)
        .await
        .expect("at once");
    let error = failed.err().expect("nobody");
    assert_eq!(
        error.kind(),
        keeptab_browser::ConnectKind::Unreachable,
        "{error}"
    );
    assert!(error.hint().is_some());
}
