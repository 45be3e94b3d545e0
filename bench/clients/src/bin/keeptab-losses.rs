//! Losses on purpose: `keeptab-losses WS_URL RESETS` writes one JSON line with what they cost.

use keeptab_bench_kit::Failure;
use keeptab_browser::{Endpoint, Options, Session, State, Tab};
use keeptab_testkit::{Direction, FaultProxy};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let upstream = args.next().ok_or("the address is missing")?;
    let resets: usize = args.next().ok_or("the number is missing")?.parse()?;
    let result = json!({
        "reset": after_resets(&upstream, resets).await?,
        "hole_fast_ms": hole(&upstream, Options::fast()).await?,
        "hole_default_ms": hole(&upstream, Options::new()).await?,
    });
    println!("{result}");
    Ok(())
}

/// Five tabs with settings on each, and a reset, again and again.
async fn after_resets(upstream: &str, n: usize) -> Result<Vec<Value>, Failure> {
    let proxy = FaultProxy::start(upstream).await;
    let session = Session::connect(Endpoint::Ws(proxy.ws_url()), Options::new()).await?;
    let mut tabs = Vec::new();
    for number in 0..5 {
        let tab = session.new_tab("about:blank").await?;
        set(&tab, number).await?;
        tabs.push(tab);
    }
    let mut results = Vec::new();
    for _ in 0..n {
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
        for (number, tab) in tabs.iter().enumerate() {
            let agent: String = tab.evaluate("navigator.userAgent").await?;
            if agent != format!("bench/{number}") {
                return Err(Failure(format!(
                    "the user agent of tab {number} is {agent:?} after a reset"
                )));
            }
        }
        let usable = begun.elapsed();
        results.push(json!({ "noticed_ms": ms(noticed), "connected_ms": ms(connected), "usable_ms": ms(usable) }));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for tab in tabs {
        tab.close().await?;
    }
    Ok(results)
}

async fn set(tab: &Tab, number: usize) -> Result<(), Failure> {
    use keeptab_protocol::{emulation, network, page, runtime};
    tab.call(&emulation::SetUserAgentOverride::new(format!(
        "bench/{number}"
    )))
    .await?;
    tab.call(&page::AddScriptToEvaluateOnNewDocument::new(
        "window.fromInitScript = true",
    ))
    .await?;
    tab.call(&runtime::Enable::default()).await?;
    tab.call(&network::Enable::default()).await?;
    Ok(())
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
