//! chromiumoxide, with commands whose parameters and results are plain JSON.

use chromiumoxide::cdp::browser_protocol::network::{EventLoadingFinished, EventRequestWillBeSent};
use chromiumoxide::cdp::js_protocol::runtime::EventConsoleApiCalled;
use chromiumoxide::types::{Command, Method, MethodId};
use chromiumoxide::{Browser, Page};
use futures::{FutureExt, StreamExt};
use keeptab_bench_kit::{Client, Failure, Tab, Trigger, hello, serve};
use serde::{Serialize, Serializer};
use serde_json::Value;

struct Raw {
    method: String,
    params: Value,
}

impl Raw {
    fn new((method, params): Trigger<'_>) -> Result<Self, Failure> {
        Ok(Self { method: method.to_owned(), params: serde_json::from_str(params)? })
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.params.serialize(serializer)
    }
}

impl Method for Raw {
    fn identifier(&self) -> MethodId {
        self.method.clone().into()
    }
}

impl Command for Raw {
    type Response = Value;
}

struct Oxide {
    browser: Browser,
    pages: Vec<Page>,
}

impl Client for Oxide {
    async fn open(&mut self, url: &str) -> Result<Tab, Failure> {
        self.pages.push(self.browser.new_page(url).await?);
        Ok(self.pages.len() - 1)
    }

    async fn attach(&mut self, target: &str) -> Result<Tab, Failure> {
        self.browser.fetch_targets().await?;
        // It becomes known as a page a moment after its target.
        loop {
            let pages = self.browser.pages().await?;
            if let Some(page) = pages.into_iter().find(|page| page.target_id().inner() == target) {
                self.pages.push(page);
                return Ok(self.pages.len() - 1);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn call(&mut self, tab: Option<Tab>, method: &str, params: &str) -> Result<usize, Failure> {
        let command = Raw::new((method, params))?;
        match tab {
            Some(tab) => self.pages[tab].execute(command).await?,
            None => self.browser.execute(command).await?,
        };
        Ok(0)
    }

    async fn pipeline(&mut self, tab: Tab, command: Trigger<'_>, n: usize, in_flight: usize) -> Result<(), Failure> {
        let page = &self.pages[tab];
        let mut results = futures::stream::iter(0..n)
            .map(|_| async move { Ok::<_, Failure>(page.execute(Raw::new(command)?).await?) })
            .buffer_unordered(in_flight);
        while let Some(result) = results.next().await {
            result?;
        }
        Ok(())
    }

    async fn events(&mut self, tab: Tab, event: &str, n: usize, trigger: Trigger<'_>) -> Result<usize, Failure> {
        let page = &self.pages[tab];
        let mut events = match event {
            "Runtime.consoleAPICalled" => page.event_listener::<EventConsoleApiCalled>().await?.map(|_| ()).boxed(),
            "Network.loadingFinished" => page.event_listener::<EventLoadingFinished>().await?.map(|_| ()).boxed(),
            other => return Err(Failure(format!("no listener for {other}"))),
        };
        let command = page.execute(Raw::new(trigger)?);
        let count = async {
            let mut came = 0;
            while came < n && events.next().await.is_some() {
                came += 1;
            }
            came
        };
        let (result, came) = futures::join!(command, count);
        result?;
        Ok(came)
    }

    async fn event(&mut self, tab: Tab, _: &str, trigger: Trigger<'_>) -> Result<String, Failure> {
        let page = &self.pages[tab];
        let mut events = page.event_listener::<EventRequestWillBeSent>().await?;
        let command = page.execute(Raw::new(trigger)?).map(|_| ());
        let (event, ()) = futures::join!(events.next(), command);
        let event = event.ok_or("no event")?;
        Ok(format!("{{\"requestId\":\"{}\"}}", event.request_id.inner()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let place = hello()?;
    let (browser, mut handler) = Browser::connect(&place.ws).await?;
    let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
    let mut client = Oxide { browser, pages: Vec::new() };
    let served = serve(&mut client, &place).await;
    events.abort();
    served
}
