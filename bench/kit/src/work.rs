//! The workloads. Those of the peers in other languages do the same in the same order.

use crate::client::{Client, Failure, Tab};
use crate::serve::{Figures, Order};
use crate::text::between;
use std::time::Instant;

const EVALUATE: (&str, &str) = ("Runtime.evaluate", r#"{"expression":"1+1"}"#);

pub(crate) struct Work<'a, C> {
    client: &'a mut C,
    site: &'a str,
    tab: Tab,
}

impl<'a, C: Client> Work<'a, C> {
    pub(crate) async fn begin(client: &'a mut C, site: &'a str) -> Result<Self, Failure> {
        let tab = client.open(&format!("{site}/fetches")).await?;
        Ok(Self { client, site, tab })
    }

    pub(crate) async fn run(&mut self, order: &Order) -> Result<Figures, Failure> {
        // The browser gives a tab behind others less time, and paints it not at all.
        let _ = self.call("Page.bringToFront", "{}").await;
        match order.work.as_str() {
            "evaluate" => self.one_by_one(Some(self.tab), EVALUATE, order.n).await,
            "version" => {
                self.one_by_one(None, ("Browser.getVersion", "{}"), order.n)
                    .await
            }
            "pipelined" => {
                let begun = Instant::now();
                self.client
                    .pipeline(self.tab, EVALUATE, order.n, 64)
                    .await?;
                Ok(whole(begun, order.n))
            }
            "string" => self.string(order.n, "x").await,
            // Two bytes in UTF-8, six when escaped.
            "mixed_string" => self.string(order.n / 8, "a\\u00e4\\n\\u20ac\\\"x").await,
            "screenshot" => self.screenshot().await,
            "body" => self.body(order.n).await,
            "console" => self.console(order.n).await,
            "network" => self.network(order.n).await,
            "tabs" => self.tabs(order.n).await,
            "tree" => self.tree(order.n).await,
            other => Err(Failure(format!("no workload {other}"))),
        }
    }

    async fn one_by_one(
        &mut self,
        tab: Option<Tab>,
        (method, params): (&str, &str),
        n: usize,
    ) -> Result<Figures, Failure> {
        let mut times = Vec::with_capacity(n);
        let begun = Instant::now();
        for _ in 0..n {
            let begun = Instant::now();
            self.client.call(tab, method, params).await?;
            times.push(begun.elapsed());
        }
        let mut figures = whole(begun, n);
        times.sort_unstable();
        figures.p50_us = times.get(n / 2).map(|time| time.as_secs_f64() * 1e6);
        Ok(figures)
    }

    async fn call(&mut self, method: &str, params: &str) -> Result<usize, Failure> {
        self.client.call(Some(self.tab), method, params).await
    }

    async fn string(&mut self, n: usize, unit: &str) -> Result<Figures, Failure> {
        let code = format!("window.long = '{unit}'.repeat({n}); 0");
        self.call(
            "Runtime.evaluate",
            &serde_json::json!({ "expression": code }).to_string(),
        )
        .await?;
        let begun = Instant::now();
        let size = self
            .call(
                "Runtime.evaluate",
                r#"{"expression":"window.long","returnByValue":true}"#,
            )
            .await?;
        let figures = whole(begun, 1);
        if size != 0 && size < n {
            return Err(Failure(format!("only {size} bytes came")));
        }
        self.call("Runtime.evaluate", r#"{"expression":"window.long = 0"}"#)
            .await?;
        Ok(figures)
    }

    async fn screenshot(&mut self) -> Result<Figures, Failure> {
        let fill = r#"{"expression":"document.body.innerHTML = Array.from({ length: 20000 }, (_, i) => `<span style=\"color: hsl(${i}, 80%, 50%)\">word ${i}</span> `).join('')"}"#;
        self.call("Runtime.evaluate", fill).await?;
        let clip = r#"{"format":"png","captureBeyondViewport":true,"clip":{"x":0,"y":0,"width":1920,"height":8000,"scale":1}}"#;
        let begun = Instant::now();
        self.call("Page.captureScreenshot", clip).await?;
        Ok(whole(begun, 1))
    }

    async fn body(&mut self, megabytes: usize) -> Result<Figures, Failure> {
        self.call(
            "Network.enable",
            r#"{"maxTotalBufferSize":200000000,"maxResourceBufferSize":100000000}"#,
        )
        .await?;
        let code = format!("fetch('/big?mb={megabytes}').then(r => r.text()).then(t => t.length)");
        let params = serde_json::json!({ "expression": code, "awaitPromise": true }).to_string();
        let event = self
            .client
            .event(
                self.tab,
                "Network.requestWillBeSent",
                ("Runtime.evaluate", &params),
            )
            .await?;
        let id = between(&event, "\"requestId\":\"", "\"").ok_or("no request id")?;
        let params = format!("{{\"requestId\":\"{id}\"}}");
        let begun = Instant::now();
        let size = self.call("Network.getResponseBody", &params).await?;
        let figures = whole(begun, 1);
        if size != 0 && size < megabytes << 20 {
            return Err(Failure(format!("only {size} bytes came")));
        }
        self.call("Network.disable", "{}").await?;
        Ok(figures)
    }

    async fn console(&mut self, n: usize) -> Result<Figures, Failure> {
        self.call("Runtime.enable", "{}").await?;
        let code = format!("for (let i = 0; i < {n}; i++) console.log('message', i, 'of a page')");
        let params = serde_json::json!({ "expression": code }).to_string();
        let begun = Instant::now();
        let came = self
            .client
            .events(
                self.tab,
                "Runtime.consoleAPICalled",
                n,
                ("Runtime.evaluate", &params),
            )
            .await?;
        let figures = whole(begun, came);
        self.call("Runtime.disable", "{}").await?;
        self.call("Runtime.discardConsoleEntries", "{}").await?;
        complete(came, n).map(|()| figures)
    }

    async fn network(&mut self, n: usize) -> Result<Figures, Failure> {
        self.call("Network.enable", "{}").await?;
        let params =
            serde_json::json!({ "expression": format!("fetches({n})"), "awaitPromise": true })
                .to_string();
        let begun = Instant::now();
        let came = self
            .client
            .events(
                self.tab,
                "Network.loadingFinished",
                n,
                ("Runtime.evaluate", &params),
            )
            .await?;
        let figures = whole(begun, came);
        self.call("Network.disable", "{}").await?;
        complete(came, n).map(|()| figures)
    }

    async fn tabs(&mut self, n: usize) -> Result<Figures, Failure> {
        let begun = Instant::now();
        let mut ring = Vec::new();
        for _ in 0..50 {
            let tab = self.client.open("about:blank").await?;
            self.client.call(Some(tab), EVALUATE.0, EVALUATE.1).await?;
            ring.push(tab);
        }
        let opened = begun.elapsed();
        let mut times = Vec::with_capacity(n);
        for tab in ring.iter().cycle().take(n) {
            let begun = Instant::now();
            self.client.call(Some(*tab), EVALUATE.0, EVALUATE.1).await?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        for tab in ring {
            self.close(tab).await;
        }
        let p50_us = times.get(n / 2).map(|time| time.as_secs_f64() * 1e6);
        Ok(Figures {
            wall_us: opened.as_secs_f64() * 1e6,
            p50_us,
            ops: n,
        })
    }

    async fn tree(&mut self, elements: usize) -> Result<Figures, Failure> {
        let tab = self
            .client
            .open(&format!("{}/app?n={elements}", self.site))
            .await?;
        let ready = r#"{"expression":"new Promise(r => document.readyState === 'complete' ? r(1) : onload = r)","awaitPromise":true}"#;
        self.client
            .call(Some(tab), "Runtime.evaluate", ready)
            .await?;
        // The first one builds the tree in the page.
        self.client
            .call(Some(tab), "Accessibility.getFullAXTree", "{}")
            .await?;
        let begun = Instant::now();
        self.client
            .call(Some(tab), "Accessibility.getFullAXTree", "{}")
            .await?;
        let figures = whole(begun, 1);
        self.close(tab).await;
        Ok(figures)
    }

    /// Closes a tab. Some clients drop its session before they see the reply, which is no failure here.
    async fn close(&mut self, tab: Tab) {
        let _ = self.client.call(Some(tab), "Page.close", "{}").await;
    }
}

fn whole(begun: Instant, ops: usize) -> Figures {
    Figures {
        wall_us: begun.elapsed().as_secs_f64() * 1e6,
        p50_us: None,
        ops,
    }
}

fn complete(came: usize, n: usize) -> Result<(), Failure> {
    if came == n {
        Ok(())
    } else {
        Err(Failure(format!("{came} of {n} events came")))
    }
}
