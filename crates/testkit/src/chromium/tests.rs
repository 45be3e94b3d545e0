use super::Chromium;
use crate::{Cdp, FaultProxy};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn chromium_starts_answers_and_leaves_nothing_behind() {
    let browser = Chromium::start().await;
    let profile = browser.profile().to_owned();
    let mut cdp = Cdp::connect(&browser.ws_url()).await.unwrap();
    // A page that is there at once: one that is still to come would destroy the context under the promise.
    let (_, tab) = cdp.open("about:blank").await.unwrap();
    cdp.call_in(&tab, "Runtime.enable", json!({}))
        .await
        .unwrap();
    assert_eq!(
        cdp.eval(&tab, "new Promise(r => setTimeout(() => r(1 + 1), 10))")
            .await
            .unwrap(),
        2
    );
    assert!(!browser.renderer_pids().is_empty());
    let helpers = super::tree::descendants(browser.pid());
    assert!(!helpers.is_empty());
    drop(browser);
    assert!(!profile.exists());
    let left: Vec<_> = helpers
        .into_iter()
        .filter(|pid| super::tree::has_argument(*pid, "--type=renderer"))
        .collect();
    assert_eq!(left, [0; 0]);
}

#[tokio::test]
async fn chromium_can_be_killed_and_started_again() {
    let browser = Chromium::start().await;
    let (old, profile) = (browser.ws_url(), browser.profile().to_owned());
    assert!(browser.is_running());
    browser.kill();
    assert!(browser.exited(Duration::from_secs(30)).await.is_some());
    let browser = browser.restart().await;
    assert_ne!(browser.ws_url(), old);
    assert_eq!(browser.profile(), profile);
    Cdp::connect(&browser.ws_url())
        .await
        .unwrap()
        .call("Browser.getVersion", json!({}))
        .await
        .unwrap();
}

#[tokio::test]
async fn chromium_answers_through_the_proxy() {
    let browser = Chromium::start().await;
    let proxy = FaultProxy::start(&browser.ws_url()).await;
    let mut cdp = Cdp::connect(&proxy.ws_url()).await.unwrap();
    let (target, tab) = cdp.open("about:blank").await.unwrap();
    cdp.eval(&tab, "window.kept = 7").await.unwrap();
    assert_eq!(proxy.rst(), 1);
    assert!(cdp.call("Browser.getVersion", json!({})).await.is_err());
    let mut cdp = Cdp::connect(&proxy.ws_url()).await.unwrap();
    let tab = cdp.attach(&target).await.unwrap();
    assert_eq!(cdp.eval(&tab, "window.kept").await.unwrap(), 7);
}
