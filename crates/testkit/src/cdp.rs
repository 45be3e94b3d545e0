//! The smallest CDP client: one socket, one command at a time. Checks must not lean on the code they check.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// A command waits this long for its reply.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a command of [`Cdp`] has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CdpFailure {
    /// The browser said no; this is its error object.
    #[error("the browser said no: {0}")]
    Refused(Value),
    /// The connection is lost.
    #[error("the connection is lost: {0}")]
    Lost(Box<Error>),
    /// The connection ended in order.
    #[error("the connection ended: {0}")]
    Ended(String),
    /// No reply came in a minute.
    #[error("no reply within {PATIENCE:?}")]
    Silence,
}

impl From<Error> for CdpFailure {
    fn from(error: Error) -> Self {
        Self::Lost(Box::new(error))
    }
}

/// A plain connection to a browser's endpoint.
#[derive(Debug)]
pub struct Cdp {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last: i64,
    events: VecDeque<Value>,
}

impl Cdp {
    /// Connects to a `ws://` address.
    ///
    /// # Errors
    /// [`CdpFailure::Lost`] with the reason.
    pub async fn connect(ws_url: &str) -> Result<Self, CdpFailure> {
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let (socket, _) = connect_async_with_config(ws_url, Some(config), true).await?;
        Ok(Self {
            socket,
            last: 0,
            events: VecDeque::new(),
        })
    }

    /// Sends one browser-level command and waits for its result.
    ///
    /// # Errors
    /// [`CdpFailure`].
    pub async fn call(&mut self, method: &str, params: Value) -> Result<Value, CdpFailure> {
        self.command(None, method, params).await
    }

    /// Sends one command to an attached target and waits for its result.
    ///
    /// # Errors
    /// [`CdpFailure`].
    pub async fn call_in(
        &mut self,
        session: &str,
        method: &str,
        params: Value,
    ) -> Result<Value, CdpFailure> {
        self.command(Some(session), method, params).await
    }

    /// Opens a tab and attaches to it: `(targetId, sessionId)`.
    ///
    /// # Errors
    /// [`CdpFailure`].
    pub async fn open(&mut self, url: &str) -> Result<(String, String), CdpFailure> {
        let made = self
            .call("Target.createTarget", json!({ "url": url }))
            .await?;
        let target = made["targetId"].as_str().unwrap_or_default().to_owned();
        let session = self.attach(&target).await?;
        Ok((target, session))
    }

    /// Attaches to a target: its sessionId.
    ///
    /// # Errors
    /// [`CdpFailure`].
    pub async fn attach(&mut self, target: &str) -> Result<String, CdpFailure> {
        let params = json!({ "targetId": target, "flatten": true });
        let attached = self.call("Target.attachToTarget", params).await?;
        Ok(attached["sessionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Evaluates an expression by value in an attached tab.
    ///
    /// # Errors
    /// [`CdpFailure`].
    pub async fn eval(&mut self, session: &str, expression: &str) -> Result<Value, CdpFailure> {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call_in(session, "Runtime.evaluate", params).await?;
        Ok(result["result"]["value"].take())
    }

    /// The next event, already come or yet to come.
    ///
    /// # Errors
    /// [`CdpFailure`].
    pub async fn event(&mut self, method: &str) -> Result<Value, CdpFailure> {
        if let Some(at) = self
            .events
            .iter()
            .position(|event| event["method"] == method)
        {
            return Ok(self.events.remove(at).unwrap_or_default());
        }
        loop {
            let message = self.receive().await?;
            if message["method"] == method {
                return Ok(message);
            }
            self.events.push_back(message);
        }
    }

    /// Sends a command and does not wait; returns its id.
    ///
    /// # Errors
    /// [`CdpFailure`].
    pub async fn post(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<i64, CdpFailure> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        self.socket.send(Message::text(message.to_string())).await?;
        Ok(self.last)
    }

    /// The next message of any kind.
    ///
    /// # Errors
    /// [`CdpFailure`].
    pub async fn receive(&mut self) -> Result<Value, CdpFailure> {
        let next = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Ok(serde_json::from_str(&text).unwrap_or_default());
                    }
                    Some(Ok(Message::Close(frame))) => {
                        let said = frame.map_or("without a code".into(), |f| {
                            format!("{} {}", f.code, f.reason)
                        });
                        return Err(CdpFailure::Ended(said));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.into()),
                    None => return Err(CdpFailure::Ended("end of stream".into())),
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .map_err(|_| CdpFailure::Silence)?
    }

    async fn command(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, CdpFailure> {
        let id = self.post(session, method, params).await?;
        loop {
            let mut message = self.receive().await?;
            if message["id"] == id {
                return match message.get_mut("error") {
                    Some(error) => Err(CdpFailure::Refused(error.take())),
                    None => Ok(message["result"].take()),
                };
            }
            self.events.push_back(message);
        }
    }
}
