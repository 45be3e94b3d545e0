//! The two browsers under one small interface.

use std::collections::HashMap;
use std::time::Duration;

use keeptab_testkit::{Cdp, ConnectionId, ModelBrowser};
use serde_json::{Value, json};

/// How long silence must last before it counts as "never answers".
const SILENCE: Duration = Duration::from_millis(1500);

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
    /// The next message on a connection, `None` when it stays silent.
    async fn next(&mut self, connection: usize) -> Option<Value>;

    /// Sends a command and waits: its result, or its error message, or `None` when no answer comes.
    async fn ask(
        &mut self,
        connection: usize,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Option<Result<Value, String>> {
        let id = self.post(connection, session, method, params).await;
        let mut message = self
            .until(connection, |message| message["id"] == id)
            .await?;
        Some(match message.get_mut("error") {
            Some(error) => Err(error["message"].as_str().unwrap().to_owned()),
            None => Ok(message["result"].take()),
        })
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
        answer
            .unwrap_or_else(|| panic!("{method} was not answered"))
            .unwrap()
    }

    /// Waits for a message; what comes before it is dropped.
    async fn until(
        &mut self,
        connection: usize,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Option<Value> {
        loop {
            let message = self.next(connection).await?;
            if wanted(&message) {
                return Some(message);
            }
        }
    }

    /// Waits for an event and gives its params.
    async fn event(&mut self, connection: usize, method: &str) -> Option<Value> {
        let mut message = self
            .until(connection, |message| message["method"] == method)
            .await?;
        Some(message["params"].take())
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

    /// Evaluates by value; `None` when the tab does not answer.
    async fn evaluate(
        &mut self,
        connection: usize,
        session: &str,
        expression: &str,
    ) -> Option<Value> {
        let params = json!({"expression": expression, "returnByValue": true});
        let answer = self
            .ask(connection, Some(session), "Runtime.evaluate", params)
            .await?;
        Some(answer.unwrap()["result"]["value"].take())
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

    async fn next(&mut self, connection: usize) -> Option<Value> {
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
        // The browser notices the end of a socket within some milliseconds.
        tokio::time::sleep(Duration::from_millis(300)).await;
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

    async fn next(&mut self, connection: usize) -> Option<Value> {
        let connection = self.connections[connection].as_mut().unwrap();
        match tokio::time::timeout(SILENCE, connection.receive()).await {
            Ok(message) => Some(message.unwrap()),
            Err(_) => None,
        }
    }
}
