//! The same REPL with a real session and a real browser behind it.

use std::sync::{Arc, Mutex};

use keeptab_browser::{Config, Endpoint, Options, Session};
use keeptab_script::{
    BoxFuture, ConnectOptions, ErrorKind, EvalOutcome, EvalRequest, Host, Limits, Pool, Repl,
    ScriptError,
};
use keeptab_testkit::Chromium;

use crate::support::{AMPLE, patient, program};

#[derive(Default)]
struct RealHost {
    session: Mutex<Option<Session>>,
    active: Mutex<Option<String>>,
}

impl Host for RealHost {
    fn name(&self) -> String {
        "real".into()
    }

    fn session(&self) -> Option<Session> {
        self.session.lock().unwrap().clone()
    }

    fn connect(&self, options: ConnectOptions) -> BoxFuture<'_, Result<(), ScriptError>> {
        Box::pin(async move {
            let endpoint = Endpoint::port(options.port.expect("the tests give a port"));
            // One attempt, so that giving up does not take half a minute.
            let mut config = Config::default();
            config.backoff.max_attempts = 1;
            let session = Session::connect(endpoint, Options::new().with_link(config))
                .await
                .map_err(|e| ScriptError::new(ErrorKind::NotConnected, e.to_string()))?;
            *self.session.lock().unwrap() = Some(session);
            Ok(())
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ScriptError>> {
        self.session.lock().unwrap().take();
        Box::pin(async { Ok(()) })
    }

    fn active_target(&self) -> Option<String> {
        self.active.lock().unwrap().clone()
    }

    fn set_active_target(&self, handle: Option<String>) {
        *self.active.lock().unwrap() = handle;
    }
}

struct Browser {
    chromium: Chromium,
    repl: Repl,
}

impl Browser {
    async fn start() -> Self {
        let chromium = Chromium::start().await;
        let limits: Limits = patient();
        let repl = Repl::new(Pool::new(program(), limits), Arc::new(RealHost::default()));
        let browser = Self { chromium, repl };
        let port = browser.chromium.port();
        browser
            .out(&format!(
                "await session.connect({{port: {port}}}); \
                 const {{targetId}} = await session.Target.createTarget({{url: 'about:blank'}}); \
                 await session.use(targetId); await session.Page.enable(); return 1"
            ))
            .await;
        browser
    }

    async fn eval(&self, code: &str) -> EvalOutcome {
        let request = EvalRequest::new(code).with_timeout(AMPLE);
        self.repl.eval(request).await
    }

    async fn out(&self, code: &str) -> String {
        let outcome = self.eval(code).await;
        assert!(outcome.ok, "{code}: {outcome:#?}");
        outcome.stdout
    }
}

#[tokio::test]
async fn the_skills_first_steps_against_chromium() {
    let browser = Browser::start().await;
    let page = "data:text/html,<title>Example</title><h1>Hello</h1>";
    let navigated = browser
        .out(&format!(
            "const loaded = session.waitFor('Page.loadEventFired', null, 30000); \
             const nav = await session.Page.navigate({{url: '{page}'}}); await loaded; return nav"
        ))
        .await;
    assert!(navigated.contains("frameId"), "{navigated}");
    let title = "(await session.Runtime.evaluate({expression:\"document.title\",returnByValue:true})).result.value";
    assert_eq!(browser.out(title).await, "Example");
    let heading = "const { root } = await session.DOM.getDocument();\n\
                   const { nodeId } = await session.DOM.querySelector({ nodeId: root.nodeId, selector: 'h1' });\n\
                   return (await session.DOM.getOuterHTML({ nodeId })).outerHTML";
    assert_eq!(browser.out(heading).await, "<h1>Hello</h1>");
    assert!(
        browser
            .out("await session.Page.captureScreenshot()")
            .await
            .len()
            > 100
    );
    assert_eq!(
        browser.out("(await listPageTargets()).length > 0").await,
        "true"
    );
    let attached = "const tabs = await listPageTargets(); const { sessionId } = await cdp.attachToTarget({targetId: tabs[0].targetId}); \
                    return [sessionId === 'target:' + tabs[0].targetId, (await cdp.send({method: 'Runtime.evaluate', params: {expression: '6*7'}, sessionId})).result.value]";
    assert_eq!(browser.out(attached).await, "[true,42]");

    let outcome = browser
        .eval("await session.DOM.querySelector({nodeId: 99999, selector: 'x'})")
        .await;
    assert!(
        outcome.stderr.starts_with("Error: CDP -32000: "),
        "{}",
        outcome.stderr
    );
    let thrown = browser
        .eval("await session.Runtime.evaluate({expression: 'nowhere()'}); return 1")
        .await;
    assert!(
        thrown
            .stderr
            .contains("warning: exception in the page: ReferenceError"),
        "{}",
        thrown.stderr
    );

    let gone = browser
        .eval(
            "const id = session.getActiveSession().slice(7); await session.Target.closeTarget({targetId: id}); \
             await session.Runtime.evaluate({expression: '1'})",
        )
        .await;
    assert_eq!(
        gone.error.expect("the tab is gone").kind,
        ErrorKind::TargetGone
    );
    let unknown = browser.eval("await session.use('NOSUCHTARGET')").await;
    assert!(!unknown.ok, "{unknown:?}");
}

#[tokio::test]
async fn a_waiter_gives_up_when_the_browser_is_gone() {
    let browser = Browser::start().await;
    let killing = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        browser.chromium.kill();
    };
    let (outcome, ()) = tokio::join!(
        browser.eval("await session.waitFor('Page.frameNavigated', null, 120000)"),
        killing
    );
    let error = outcome.error.expect("it cannot come any more");
    assert_eq!(error.kind, ErrorKind::NotConnected, "{error:?}");
}
