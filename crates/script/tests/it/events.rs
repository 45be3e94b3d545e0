//! Events: only while someone listens, none missed in between, and waiters that never hang.

use keeptab_protocol::Raw;
use keeptab_script::{ErrorKind, Notice, Wanted};

use crate::support::Rig;

fn only(method: &str) -> Wanted {
    Wanted::Methods(vec![method.into()])
}

#[tokio::test]
async fn wait_for_gets_the_event_it_asked_for() {
    let rig = Rig::on_a_tab();
    let waiting = rig.out(
        "const ev = await session.waitFor('Page.frameNavigated', (p) => p.frame.url.includes('example.com'), 10_000); return ev.frame.id",
    );
    let sending = async {
        rig.host.subscribed(&only("Page.frameNavigated")).await;
        rig.host.event(
            "Page.frameNavigated",
            r#"{"frame":{"id":"1","url":"about:blank"}}"#,
        );
        rig.host.event("Page.loadEventFired", r#"{"timestamp":1}"#);
        rig.host.event(
            "Page.frameNavigated",
            r#"{"frame":{"id":"2","url":"https://example.com/"}}"#,
        );
    };
    let (id, ()) = tokio::join!(waiting, sending);
    assert_eq!(id, "2");
    // Nobody listens any more, so nothing is sent to the sandbox.
    rig.host.subscribed(&Wanted::Nothing).await;
}

#[tokio::test]
async fn listening_begins_before_the_next_command_leaves() {
    let rig = Rig::on_a_tab();
    let waiting = rig.out(
        "const loaded = session.waitFor('Page.loadEventFired'); await session.Page.reload(); return (await loaded).timestamp",
    );
    let sending = async {
        rig.host.received(1).await;
        assert_eq!(
            rig.host.state.lock().unwrap().subscriptions.last(),
            Some(&only("Page.loadEventFired"))
        );
        rig.host.event("Page.loadEventFired", r#"{"timestamp":5}"#);
    };
    let (at, ()) = tokio::join!(waiting, sending);
    assert_eq!(at, "5");
}

#[tokio::test]
async fn on_event_hears_everything_until_it_is_switched_off() {
    let rig = Rig::on_a_tab();
    rig.out("globalThis.heard = []; globalThis.off = session.onEvent((method, params, sessionId) => heard.push([method, params, sessionId])); return 1").await;
    rig.host.subscribed(&Wanted::Everything).await;
    rig.host
        .event("Network.requestWillBeSent", r#"{"requestId":"9"}"#);
    rig.host.notify(&Notice::Event {
        method: "Target.targetCreated".into(),
        target: None,
        params: Raw::from_static(r#"{"targetInfo":{}}"#),
    });
    rig.host.notify(&Notice::Dropped(12));
    rig.host
        .notify(&Notice::Gap(Raw::from_static(r#"{"from":1,"to":2}"#)));
    let heard = rig
        .out("while (heard.length < 4) await cdp.sleep(2); return heard")
        .await;
    assert_eq!(
        heard,
        r#"[["Network.requestWillBeSent",{"requestId":"9"},"target:T1"],["Target.targetCreated",{"targetInfo":{}},null],["keeptab.dropped",{"count":12},null],["keeptab.gap",{"from":1,"to":2},null]]"#
    );
    rig.out("off(); return 1").await;
    rig.host.subscribed(&Wanted::Nothing).await;
}

#[tokio::test]
async fn cdp_on_and_cdp_wait_for_filter() {
    let rig = Rig::on_a_tab();
    let waiting = rig.out(
        "const seen = []; const off = cdp.on({event: 'Log.entryAdded', listener: (p) => seen.push(p.n)});
         const one = await cdp.waitFor({event: 'Page.loadEventFired', sessionId: 'target:T1', timeoutMs: 20000}); off(); return [seen, one.timestamp]",
    );
    let sending = async {
        rig.host.subscribed(&Wanted::Everything).await;
        rig.host.event("Log.entryAdded", r#"{"n":1}"#);
        rig.host.event("Network.loadingFinished", r#"{"n":2}"#);
        rig.host.notify(&Notice::Event {
            method: "Page.loadEventFired".into(),
            target: Some("target:OTHER".into()),
            params: Raw::from_static(r#"{"timestamp":1}"#),
        });
        rig.host.event("Page.loadEventFired", r#"{"timestamp":2}"#);
    };
    let (out, ()) = tokio::join!(waiting, sending);
    assert_eq!(out, "[[1],2]");
}

#[tokio::test]
async fn a_waiter_times_out_with_a_hint() {
    let rig = Rig::on_a_tab();
    let error = rig
        .error("await session.waitFor('Network.loadingFinished', null, 30)")
        .await;
    assert_eq!(error.kind, ErrorKind::Deadline);
    assert!(
        error.message.contains("did not come within 30 ms"),
        "{error:?}"
    );
    assert!(
        error
            .hint
            .is_some_and(|hint| hint.contains("session.Network.enable()"))
    );
}

#[tokio::test]
async fn a_waiter_survives_a_reconnect_and_gives_up_when_the_session_is_over() {
    let rig = Rig::on_a_tab();
    let waiting = rig.eval("await session.waitFor('Page.loadEventFired')");
    let losing = async {
        rig.host.subscribed(&only("Page.loadEventFired")).await;
        rig.host.notify(&Notice::Reconnecting);
        rig.host.notify(&Notice::Connected);
        rig.host
            .notify(&Notice::Over("the browser has exited".into()));
    };
    let (outcome, ()) = tokio::join!(waiting, losing);
    let error = outcome.error.expect("failed");
    assert_eq!(error.kind, ErrorKind::NotConnected);
    assert!(
        error.message.contains("the browser has exited"),
        "{error:?}"
    );

    let rig = Rig::on_a_tab();
    let waiting = rig.out("(await session.waitFor('Page.loadEventFired')).timestamp");
    let reconnecting = async {
        rig.host.subscribed(&only("Page.loadEventFired")).await;
        rig.host.notify(&Notice::Reconnecting);
        rig.host.notify(&Notice::Connected);
        rig.host.event("Page.loadEventFired", r#"{"timestamp":3}"#);
    };
    let (out, ()) = tokio::join!(waiting, reconnecting);
    assert_eq!(out, "3");
}

#[tokio::test]
async fn without_a_connection_a_waiter_fails_at_once() {
    let rig = Rig::new();
    let error = rig
        .error("await session.waitFor('Page.loadEventFired')")
        .await;
    assert_eq!(error.kind, ErrorKind::NotConnected);
}

#[tokio::test]
async fn a_throwing_listener_or_predicate_harms_nobody_else() {
    let rig = Rig::on_a_tab();
    rig.out(
        "globalThis.n = 0; session.onEvent(() => { throw new Error('listener') }); session.onEvent(async () => { throw new Error('async listener') }); \
         session.onEvent(() => { n++ }); return 1",
    )
    .await;
    rig.host.subscribed(&Wanted::Everything).await;
    rig.host.event("Page.loadEventFired", "{}");
    let outcome = rig.eval("while (n < 1) await cdp.sleep(2); return n").await;
    assert_eq!(outcome.stdout, "1");
    assert!(
        outcome.stderr.contains("Error: listener")
            && outcome.stderr.contains("Error: async listener"),
        "{}",
        outcome.stderr
    );

    let waiting = rig.error("await session.waitFor('Page.domContentEventFired', () => { throw new Error('predicate') })");
    let sending = async {
        // The onEvent listeners keep everything subscribed, so there is no new subscription to wait for.
        for _ in 0..200 {
            rig.host.event("Page.domContentEventFired", "{}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let error = tokio::select! {
        error = waiting => error,
        () = async { sending.await; std::future::pending::<()>().await } => unreachable!(),
    };
    assert_eq!(error.message, "predicate");
}

#[tokio::test]
async fn events_keep_coming_after_the_snippet_connects_anew() {
    let rig = Rig::new();
    rig.out("globalThis.heard = 0; await session.connect(); session.onEvent(() => { heard++ }); return 1").await;
    rig.host.subscribed(&Wanted::Everything).await;
    rig.host.event("Page.loadEventFired", "{}");
    rig.out("while (heard < 1) await cdp.sleep(2); return heard")
        .await;
    let before = rig.host.state.lock().unwrap().subscriptions.len();
    rig.out("await session.connect({port: 5}); return 1").await;
    assert!(
        rig.host.state.lock().unwrap().subscriptions.len() > before,
        "subscribed to the new connection"
    );
    rig.host.event("Page.loadEventFired", "{}");
    rig.out("while (heard < 2) await cdp.sleep(2); return heard")
        .await;
}
