//! The two browsers under one small interface.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use keeptab_testkit::{Cdp, ConnectionId, ModelBrowser};
use serde_json::{Value, json};

/// How long silence must last before it counts as "never answers". Only for what must not come.
const SILENCE: Duration = Duration::from_millis(1500);

/// How long something that must come is waited for, on a machine however busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A browser that connections can be made to and dropped.
pub(crate) trait Peer {
    /// Opens a connection and returns its number.
    async fn connect(&mut self) -> usize;
    /// Ends a connection without a farewell.
    async fn drop_connection(&mut self, connection: usize);
    /// Sends a command without waiting; returns its id.
    async fn post(
        &mut self,
        connection: usize,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> i64;
    /// The next message on a connection, `None` when it stays silent for this long.
    async fn next(&mut self, connection: usize, patience: Duration) -> Option<Value>;

    /// Sends a command and waits: its result, or its error message.
    async fn ask(
        &mut self,
        connection: usize,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        let id = self.post(connection, session, method, params).await;
        let mut message = self.until(connection, |message| message["id"] == id).await;
        match message.get_mut("error") {
            Some(error) => Err(error["message"].as_str().unwrap().to_owned()),
            None => Ok(message["result"].take()),
        }
    }

    /// A command that must succeed.
    async fn call(
        &mut self,
        connection: usize,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Value {
        let answer = self.ask(connection, session, method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Waits for a message that must come; what comes before it is dropped.
    async fn until(&mut self, connection: usize, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let next = self.next(connection, PATIENCE).await;
            let message = next.expect("what must come did not come");
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Waits for an event that must come, and gives its params.
    async fn event(&mut self, connection: usize, method: &str) -> Value {
        let mut message = self
            .until(connection, |message| message["method"] == method)
            .await;
        message["params"].take()
    }

    /// Nothing like this comes.
    async fn never(&mut self, connection: usize, unwanted: impl Fn(&Value) -> bool) {
        while let Some(message) = self.next(connection, SILENCE).await {
            assert!(!unwanted(&message), "{message}");
        }
    }

    /// A tab does not answer.
    async fn is_mute(&mut self, connection: usize, session: &str) {
        let ask = json!({"expression": "1+1"});
        let id = self
            .post(connection, Some(session), "Runtime.evaluate", ask)
            .await;
        self.never(connection, |message| message["id"] == id).await;
    }

    /// A new tab: its target id and a session on it.
    async fn tab(&mut self, connection: usize) -> (String, String) {
        let made = self
            .call(
                connection,
                None,
                "Target.createTarget",
                json!({"url": "about:blank"}),
            )
            .await;
        let target = made["targetId"].as_str().unwrap().to_owned();
        let session = self.attach(connection, &target).await;
        (target, session)
    }

    /// Attaches to a target.
    async fn attach(&mut self, connection: usize, target: &str) -> String {
        let params = json!({"targetId": target, "flatten": true});
        let attached = self
            .call(connection, None, "Target.attachToTarget", params)
            .await;
        attached["sessionId"].as_str().unwrap().to_owned()
    }

    /// Evaluates by value.
    async fn evaluate(&mut self, connection: usize, session: &str, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true});
        let mut answer = self
            .call(connection, Some(session), "Runtime.evaluate", params)
            .await;
        answer["result"]["value"].take()
    }

    /// Evaluates until the value is there: a reload is over some time after its reply, and a renderer learns of the
    /// end of a connection some time after the browser did.
    async fn settles(&mut self, connection: usize, session: &str, expression: &str, wanted: Value) {
        let params = json!({"expression": expression, "returnByValue": true});
        let begun = Instant::now();
        loop {
            // In the middle of a navigation the answer is an error.
            let seen = self
                .ask(
                    connection,
                    Some(session),
                    "Runtime.evaluate",
                    params.clone(),
                )
                .await;
            if seen
                .as_ref()
                .is_ok_and(|seen| seen["result"]["value"] == wanted)
            {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{expression} is {seen:?}, not {wanted}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The model.
pub(crate) struct ModelPeer {
    browser: ModelBrowser,
    connections: Vec<ConnectionId>,
    received: HashMap<usize, std::collections::VecDeque<Value>>,
    last: i64,
}

impl ModelPeer {
    pub(crate) fn new() -> Self {
        let mut browser = ModelBrowser::new();
        browser.set_clock(1_700_000_000_000.0);
        Self {
            browser,
            connections: Vec::new(),
            received: HashMap::new(),
            last: 0,
        }
    }
}

impl Peer for ModelPeer {
    async fn connect(&mut self) -> usize {
        self.connections.push(self.browser.connect().unwrap());
        self.connections.len() - 1
    }

    async fn drop_connection(&mut self, connection: usize) {
        self.browser.disconnect(self.connections[connection]);
    }

    async fn post(
        &mut self,
        connection: usize,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> i64 {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        // A renderer's crash is an act on the model, as it is not answered by a real browser either.
        if method == "Page.crash" {
            let target = self
                .browser
                .target_of(self.connections[connection], session.unwrap());
            self.browser.crash_tab(&target.unwrap());
        } else {
            self.browser
                .receive(self.connections[connection], &message.to_string());
        }
        self.last
    }

    async fn next(&mut self, connection: usize, _: Duration) -> Option<Value> {
        while let Some((to, message)) = self.browser.poll() {
            let to = self
                .connections
                .iter()
                .position(|known| *known == to)
                .unwrap();
            let message = serde_json::from_str(&message).unwrap();
            self.received.entry(to).or_default().push_back(message);
        }
        self.received.get_mut(&connection)?.pop_front()
    }
}

/// A real Chromium.
pub(crate) struct RealPeer {
    ws_url: String,
    connections: Vec<Option<Cdp>>,
}

impl RealPeer {
    pub(crate) fn new(ws_url: &str) -> Self {
        Self {
            ws_url: ws_url.to_owned(),
            connections: Vec::new(),
        }
    }
}

impl Peer for RealPeer {
    async fn connect(&mut self) -> usize {
        self.connections
            .push(Some(Cdp::connect(&self.ws_url).await.unwrap()));
        self.connections.len() - 1
    }

    async fn drop_connection(&mut self, connection: usize) {
        self.connections[connection] = None;
        // The browser reads its sockets in turn: once it has answered on a new one, it has seen the end of the old one.
        let mut after = Cdp::connect(&self.ws_url).await.unwrap();
        for _ in 0..2 {
            after.call("Browser.getVersion", json!({})).await.unwrap();
        }
    }

    async fn post(
        &mut self,
        connection: usize,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> i64 {
        self.connections[connection]
            .as_mut()
            .unwrap()
            .post(session, method, params)
            .await
            .unwrap()
    }

    async fn next(&mut self, connection: usize, patience: Duration) -> Option<Value> {
        let connection = self.connections[connection].as_mut().unwrap();
        match tokio::time::timeout(patience, connection.receive()).await {
            Ok(message) => Some(message.unwrap()),
            Err(_) => None,
        }
    }
}
