//! One process of the browser dies, and the browser goes on.

use crate::stage::{LONG, Stage};
use keeptab_browser::{CallError, Endpoint, Kind, Options, Session};
use keeptab_link::{Condition, TargetEnd};
use keeptab_testkit::{Chromium, Site};
use std::time::Duration;
use tokio::time::timeout;

async fn never(tab: keeptab_browser::Tab) -> CallError {
    let answer = tab.evaluate::<u32>("new Promise(() => {})");
    timeout(LONG, answer)
        .await
        .expect("it ends")
        .expect_err("no answer can come")
}

#[tokio::test]
async fn a_killed_renderer_ends_its_commands_and_no_connection() {
    let stage = Stage::set(Options::new()).await;
    let before = stage.proxy.forwarded("Runtime.evaluate");
    let pending: Vec<_> = (0..10)
        .map(|_| tokio::spawn(never(stage.tab.clone())))
        .collect();
    let sent =
        |proxy: &keeptab_testkit::FaultProxy| proxy.forwarded("Runtime.evaluate") == before + 10;
    stage.proxy.until("ten commands are under way", sent).await;
    for pid in stage.browser.renderer_pids() {
        stage.browser.kill_renderer(pid);
    }
    for ended in pending {
        let error = ended.await.unwrap();
        assert_eq!(error.kind(), Kind::TargetGone, "{error}");
    }
    let condition = stage.tab.info().unwrap().condition;
    assert!(
        matches!(&condition, Condition::Crashed(TargetEnd::Crashed { status, .. }) if &**status == "killed"),
        "{condition:?}"
    );
    // Loading revives it, with what was set on it.
    stage.tab.navigate(&stage.site.url("/")).await.unwrap();
    stage.mark().await;
    stage.same_tab().await;
    assert_eq!(stage.session.status().health.counters.losses, 0);
}

#[tokio::test]
async fn a_renderer_that_ran_out_of_memory_ends_its_commands_and_is_named() {
    let site = Site::start().await;
    let browser = Chromium::builder()
        .flag("--js-flags=--max-old-space-size=64")
        .start()
        .await;
    let session = Session::connect(Endpoint::Ws(browser.ws_url()), Options::new())
        .await
        .unwrap();
    let tab = session.new_tab(&site.url("/")).await.unwrap();
    let hog = "globalThis.all = []; for (;;) all.push(new Array(10000).fill(Math.random()))";
    let error = timeout(LONG, tab.evaluate::<u32>(hog)).await.unwrap();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), Kind::TargetGone, "{error}");
    // The word is Chromium's own: `oom` on some systems, `crashed` on Linux.
    let condition = tab.info().unwrap().condition;
    assert!(
        matches!(&condition, Condition::Crashed(TargetEnd::Crashed { status, .. }) if ["oom", "crashed"].contains(&&**status)),
        "{condition:?}"
    );
    let fine = session.new_tab(&site.url("/")).await.unwrap();
    assert_eq!(fine.evaluate::<u32>("1 + 1").await.unwrap(), 2);
}

#[tokio::test]
async fn a_killed_gpu_process_is_no_loss_and_no_gap() {
    let stage = Stage::set(Options::new()).await;
    let old = stage.browser.gpu_pids();
    assert!(!old.is_empty(), "there is a process to kill");
    for pid in &old {
        stage.browser.kill_renderer(*pid);
    }
    let mut waited = 0;
    while stage.browser.gpu_pids().iter().any(|pid| old.contains(pid)) {
        waited += 1;
        assert!(waited < 3000, "it is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stage.same_tab().await;
    let counters = stage.session.status().health.counters;
    assert_eq!((counters.losses, counters.gaps), (0, 0));
}
