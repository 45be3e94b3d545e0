//! keeptab's own library as a measured client.

use futures_util::{StreamExt, stream};
use keeptab_bench_kit::{Client, Failure, Tab as Number, Trigger};
use keeptab_browser::{CallOptions, EventFilter, Events, Notice, Route, Session, Tab};
use keeptab_protocol::Raw;

/// Events that may wait; more than any workload sends.
const CAPACITY: usize = 100_000;

/// A session and the tabs opened in it.
pub struct Product {
    session: Session,
    tabs: Vec<Tab>,
}

impl Product {
    /// Over a session that is open.
    pub fn new(session: Session) -> Self {
        Self {
            session,
            tabs: Vec::new(),
        }
    }
}

fn raw(params: &str) -> Raw {
    Raw::from(params.to_owned())
}

async fn next(events: &mut Events) -> Result<Raw, Failure> {
    loop {
        match events.next().await {
            Some(Notice::Event(event)) => return Ok(event.params),
            Some(Notice::Dropped(n)) => return Err(Failure(format!("{n} events were dropped"))),
            Some(_) => {}
            None => return Err("the session ended".into()),
        }
    }
}

impl Client for Product {
    async fn open(&mut self, url: &str) -> Result<Number, Failure> {
        self.tabs.push(self.session.new_tab(url).await?);
        Ok(self.tabs.len() - 1)
    }

    async fn attach(&mut self, target: &str) -> Result<Number, Failure> {
        self.tabs.push(self.session.tab(target));
        Ok(self.tabs.len() - 1)
    }

    async fn call(
        &mut self,
        tab: Option<Number>,
        method: &str,
        params: &str,
    ) -> Result<usize, Failure> {
        let (params, options) = (raw(params), CallOptions::new());
        let reply = match tab {
            Some(tab) => self.tabs[tab].call_raw(method, params, options).await?,
            None => {
                self.session
                    .call_raw(Route::Browser, method, params, options)
                    .await?
            }
        };
        Ok(reply.raw.len())
    }

    async fn pipeline(
        &mut self,
        tab: Number,
        command: Trigger<'_>,
        n: usize,
        in_flight: usize,
    ) -> Result<(), Failure> {
        let (tab, params) = (&self.tabs[tab], raw(command.1));
        let mut replies = stream::iter(0..n)
            .map(|_| tab.call_raw(command.0, params.clone(), CallOptions::new()))
            .buffer_unordered(in_flight);
        while let Some(reply) = replies.next().await {
            reply?;
        }
        Ok(())
    }

    async fn events(
        &mut self,
        tab: Number,
        event: &str,
        n: usize,
        trigger: Trigger<'_>,
    ) -> Result<usize, Failure> {
        let tab = &self.tabs[tab];
        let mut events = tab.events(EventFilter::methods([event]), CAPACITY);
        let command = tab.call_raw(trigger.0, raw(trigger.1), CallOptions::new());
        let count = async {
            for _ in 0..n {
                next(&mut events).await?;
            }
            Ok::<_, Failure>(n)
        };
        let (reply, came) = tokio::join!(command, count);
        reply?;
        came
    }

    async fn event(
        &mut self,
        tab: Number,
        event: &str,
        trigger: Trigger<'_>,
    ) -> Result<String, Failure> {
        let tab = &self.tabs[tab];
        let mut events = tab.events(EventFilter::methods([event]), CAPACITY);
        tab.call_raw(trigger.0, raw(trigger.1), CallOptions::new())
            .await?;
        Ok(next(&mut events).await?.as_str().to_owned())
    }
}
