//! Losses on purpose: `keeptab-losses WS_URL RESETS` writes one JSON line with what they cost.

use keeptab_bench_clients::recovery::{
    ANSWER, QUESTION, SETTINGS, TABS, by_hand, close_tabs, open_tabs,
};
use keeptab_bench_kit::Failure;
use keeptab_browser::{CallOptions, Endpoint, Options, Session, State, Tab};
use keeptab_protocol::Raw;
use keeptab_testkit::{Direction, FaultProxy};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Between two losses: one that follows sooner is a fresh connection that fails, which is not always
/// replaced at once.
const PAUSE: Duration = Duration::from_millis(500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let upstream = args.next().ok_or("the address is missing")?;
    let resets: usize = args.next().ok_or("the number is missing")?.parse()?;
    // Half of it before and half of it after, so that whatever the machine does meanwhile hits both.
    let mut hand = hand(&upstream, resets.div_ceil(2)).await?;
    let reset = after_resets(&upstream, resets).await?;
    hand.extend(self::hand(&upstream, resets / 2).await?);
    let result = json!({
        "reset": reset,
        "by_hand_ms": hand,
        "hole_fast_ms": hole(&upstream, Options::fast()).await?,
        "hole_default_ms": hole(&upstream, Options::new()).await?,
    });
    println!("{result}");
    Ok(())
}

/// What the browser itself takes.
async fn hand(upstream: &str, n: usize) -> Result<Vec<f64>, Failure> {
    let targets = open_tabs(upstream).await?;
    let mut times = Vec::new();
    for _ in 0..n {
        times.push(ms(by_hand(upstream, &targets).await?));
        tokio::time::sleep(PAUSE).await;
    }
    close_tabs(upstream, &targets).await?;
    Ok(times)
}

/// Tabs with settings on each, and a reset, again and again.
async fn after_resets(upstream: &str, n: usize) -> Result<Vec<Value>, Failure> {
    let proxy = FaultProxy::start(upstream).await;
    let session = Session::connect(Endpoint::Ws(proxy.ws_url()), Options::new()).await?;
    let mut tabs = Vec::new();
    for _ in 0..TABS {
        let tab = session.new_tab("about:blank").await?;
        for (method, params) in SETTINGS {
            let params = Raw::from_static(params);
            tab.call_raw(method, params, CallOptions::new()).await?;
        }
        tabs.push(tab);
    }
    let mut results = Vec::new();
    for _ in 0..n {
        tokio::time::sleep(PAUSE).await;
        let mut state = session.state();
        state.mark_unchanged();
        let begun = Instant::now();
        proxy.rst();
        state
            .wait_for(|state| !matches!(state, State::Connected { .. }))
            .await?;
        let noticed = begun.elapsed();
        state
            .wait_for(|state| matches!(state, State::Connected { .. }))
            .await?;
        let connected = begun.elapsed();
        let answers = futures_util::future::try_join_all(tabs.iter().map(ask)).await?;
        if let Some(wrong) = answers.iter().find(|answer| *answer != ANSWER) {
            return Err(Failure(format!(
                "a tab answers {wrong:?} after a reset, not {ANSWER:?}"
            )));
        }
        let usable = begun.elapsed();
        results.push(json!({ "noticed_ms": ms(noticed), "connected_ms": ms(connected), "usable_ms": ms(usable) }));
    }
    for tab in tabs {
        tab.close().await?;
    }
    Ok(results)
}

async fn ask(tab: &Tab) -> Result<String, Failure> {
    Ok(tab.evaluate(QUESTION).await?)
}

/// A connection that says nothing any more.
async fn hole(upstream: &str, options: Options) -> Result<f64, Failure> {
    let proxy = FaultProxy::start(upstream).await;
    let session = Session::connect(Endpoint::Ws(proxy.ws_url()), options).await?;
    let mut state = session.state();
    state.mark_unchanged();
    proxy.stall_current(Direction::Both);
    let begun = Instant::now();
    state
        .wait_for(|state| !matches!(state, State::Connected { .. }))
        .await?;
    Ok(ms(begun.elapsed()))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
