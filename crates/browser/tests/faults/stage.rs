//! A browser, a proxy before it, a session through it, and a tab on which something of each kind was set.

use keeptab_browser::{
    CallError, CallOptions, Cause, Endpoint, Kind, Options, Session, State, Tab,
};
use keeptab_protocol::{Class, Raw, emulation, page};
use keeptab_testkit::{Chromium, FaultProxy, Site};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than any recovery here takes, on a machine with two busy processors.
pub(crate) const LONG: Duration = Duration::from_secs(90);

const AGENT: &str = "Keeptab-Faults/1";
const ZONE: &str = "Pacific/Auckland";

pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) browser: Chromium,
    pub(crate) proxy: FaultProxy,
    pub(crate) session: Session,
    pub(crate) tab: Tab,
}

/// Commands that are under way when the fault strikes.
pub(crate) struct Pending {
    effect: JoinHandle<Result<Raw, CallError>>,
    read: JoinHandle<Result<Raw, CallError>>,
}

impl Stage {
    pub(crate) async fn set(options: Options) -> Self {
        let site = Site::start().await;
        let browser = Chromium::start().await;
        let proxy = FaultProxy::start(&browser.ws_url()).await;
        let session = Session::connect(Endpoint::Ws(proxy.ws_url()), options)
            .await
            .unwrap();
        let tab = session.new_tab("about:blank").await.unwrap();
        tab.call(&emulation::SetUserAgentOverride::new(AGENT))
            .await
            .unwrap();
        tab.call(&emulation::SetTimezoneOverride::new(ZONE))
            .await
            .unwrap();
        let script = "globalThis.fromInitScript = (globalThis.fromInitScript ?? 0) + 1";
        tab.call(&page::AddScriptToEvaluateOnNewDocument::new(script))
            .await
            .unwrap();
        let stage = Self {
            site,
            browser,
            proxy,
            session,
            tab,
        };
        stage.tab.navigate(&stage.site.url("/")).await.unwrap();
        stage.loaded().await;
        stage.mark().await;
        stage
    }

    /// Leaves something in the document that lives only there.
    pub(crate) async fn mark(&self) {
        let kept: u32 = self.tab.evaluate("globalThis.kept = 7").await.unwrap();
        assert_eq!(kept, 7);
    }

    async fn loaded(&self) {
        let loaded = "new Promise(done => document.readyState === 'complete' ? done(true) : addEventListener('load', () => done(true)))";
        assert!(self.tab.evaluate::<bool>(loaded).await.unwrap());
    }

    /// Sends an effect whose answer never comes, and a read whose answer takes a while, and waits until both are in the
    /// browser.
    pub(crate) async fn pending(&self) -> Pending {
        let url = self.site.url("/effect?key=pending");
        let effect =
            format!("fetch('{url}', {{ mode: 'no-cors' }}).then(() => new Promise(() => {{}}))");
        let effect = self.evaluate(&effect, CallOptions::new().timeout(LONG));
        let read = CallOptions::new().timeout(LONG).class(Class::R);
        let read = self.evaluate(
            "new Promise(done => setTimeout(() => done('read'), 1500))",
            read,
        );
        let effects = || self.site.effects("pending");
        let mut waited = 0;
        while effects() == 0 {
            waited += 1;
            assert!(waited < 3000, "the effect did not happen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Pending { effect, read }
    }

    fn evaluate(
        &self,
        expression: &str,
        options: CallOptions,
    ) -> JoinHandle<Result<Raw, CallError>> {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let (tab, params) = (self.tab.clone(), Raw::of(&params).unwrap());
        tokio::spawn(
            async move { Ok(tab.call_raw("Runtime.evaluate", params, options).await?.raw) },
        )
    }

    /// What must hold after every loss that was overcome.
    pub(crate) async fn recovered(&self, epoch: u32, pending: Pending) {
        self.connected(epoch).await;
        pending.ended(self).await;
        self.same_tab().await;
        self.settled().await;
    }

    /// Waits for this connection or a later one.
    pub(crate) async fn connected(&self, epoch: u32) {
        self.state(|state| matches!(state, State::Connected { epoch: now } if now.0 >= epoch))
            .await;
    }

    /// Waits until the link has given up, and says why.
    pub(crate) async fn given_up(&self) -> Cause {
        match self
            .state(|state| matches!(state, State::Disconnected { .. }))
            .await
        {
            State::Disconnected { cause } => cause,
            other => panic!("not given up but {other:?}"),
        }
    }

    /// Waits until the loss is noticed.
    pub(crate) async fn noticed(&self) -> State {
        self.state(|state| !matches!(state, State::Connected { .. }))
            .await
    }

    async fn state(&self, wanted: impl FnMut(&State) -> bool) -> State {
        let mut states = self.session.state();
        let reached = timeout(LONG, states.wait_for(wanted)).await;
        let Ok(reached) = reached else {
            panic!("still {:?} after {LONG:?}", self.session.status())
        };
        reached.unwrap().clone()
    }

    /// The document is the one of before, and everything that was set is in force for it and for the next one.
    pub(crate) async fn same_tab(&self) {
        let set = "[globalThis.kept, navigator.userAgent, Intl.DateTimeFormat().resolvedOptions().timeZone]";
        let seen: (u32, String, String) = self.tab.evaluate(set).await.unwrap();
        assert_eq!(seen, (7, AGENT.to_owned(), ZONE.to_owned()));
        self.tab
            .navigate(&self.site.url("/title/Next"))
            .await
            .unwrap();
        self.loaded().await;
        let next: (u32, String) = self
            .tab
            .evaluate("[globalThis.fromInitScript, navigator.userAgent]")
            .await
            .unwrap();
        // A connection that the browser still holds runs its copy of the script too.
        let runs = 1 + u32::try_from(self.proxy.held()).unwrap();
        assert_eq!(next, (runs, AGENT.to_owned()), "in the next document");
    }

    /// Nothing is left hanging, and the effect happened once.
    async fn settled(&self) {
        assert_eq!(self.site.effects("pending"), 1, "the effect happened once");
        let health = self.session.status().health;
        assert_eq!((health.in_flight, health.parked), (0, 0), "{health:?}");
    }
}

impl Pending {
    /// The effect may have happened; the read was repeated without a word.
    async fn ended(mut self, stage: &Stage) {
        let error = self.effect().await;
        assert_eq!(error.kind(), Kind::OutcomeUnknown, "{error}");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("look at the page"))
        );
        let read = timeout(LONG, self.read).await.unwrap().unwrap().unwrap();
        assert!(read.as_str().contains("\"read\""), "{}", read.as_str());
        assert!(stage.session.status().health.counters.repeated >= 1);
    }

    async fn effect(&mut self) -> CallError {
        timeout(LONG, &mut self.effect)
            .await
            .expect("it ends")
            .unwrap()
            .expect_err("no answer can come")
    }

    /// When the link gave up, both have ended without an answer.
    pub(crate) async fn ended_for_good(mut self) {
        let error = self.effect().await;
        assert_eq!(error.kind(), Kind::OutcomeUnknown, "{error}");
        let read = timeout(LONG, self.read).await.expect("it ends").unwrap();
        let error = read.expect_err("no answer can come");
        assert!(
            matches!(
                error.kind(),
                Kind::Disconnected | Kind::OutcomeUnknown | Kind::NotSent
            ),
            "{error:?}"
        );
    }
}
