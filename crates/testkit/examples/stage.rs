//! The stage on which `cargo xtask demo` and `cargo xtask bench` play: the test site, a browser with a WebSocket port,
//! and the fault proxy in front of it.
//!
//! It writes one JSON line with the addresses, then answers each line on its input with one JSON line:
//! `cut` (resets every connection), `hole` (holds everything back on the current ones), `pass`, `counts`. It ends, with all
//! it started, when its input does.

use keeptab_testkit::{Cdp, CdpFailure, Chromium, Direction, FaultProxy, Site, block_on};
use serde_json::{Value, json};
use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let (site, browser, proxy) = block_on(async {
        let site = Site::start().await;
        let browser = Chromium::start().await;
        let proxy = FaultProxy::start(&browser.ws_url()).await;
        (site, browser, proxy)
    });
    let target = block_on(first_tab(&browser)).map_err(std::io::Error::other)?;
    say(&json!({
        "site": site.url(""),
        "direct": browser.ws_url(),
        "ws": proxy.ws_url(),
        "profile": browser.profile(),
        "port": browser.port(),
        "pid": browser.pid(),
        "target": target,
        "flags": Chromium::quiet_flags(),
    }))?;
    for line in std::io::stdin().lock().lines() {
        say(&answer(line?.trim(), &proxy))?;
    }
    Ok(())
}

/// The tab with which the browser starts.
async fn first_tab(browser: &Chromium) -> Result<Value, CdpFailure> {
    let mut cdp = Cdp::connect(&browser.ws_url()).await?;
    let mut targets = cdp.call("Target.getTargets", json!({})).await?;
    let infos = targets["targetInfos"].as_array_mut();
    let tab = infos.and_then(|infos| infos.iter_mut().find(|info| info["type"] == "page"));
    Ok(tab.map(|info| info["targetId"].take()).unwrap_or_default())
}

fn answer(order: &str, proxy: &FaultProxy) -> Value {
    match order {
        "cut" => json!({ "hit": proxy.rst() }),
        "hole" => json!({ "hit": proxy.stall_current(Direction::Both) }),
        "pass" => {
            proxy.pass();
            json!({})
        }
        "counts" => {
            json!({ "connections": proxy.connections(), "upgrades": proxy.upgrades(), "live": proxy.live() })
        }
        other => json!({ "error": format!("no order {other:?}") }),
    }
}

fn say(value: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}
