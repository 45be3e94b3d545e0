//! What many write by hand: a blocking tungstenite socket, and every message as a `serde_json::Value`.

use keeptab_bench_kit::{Client, Failure, Tab, Trigger, hello, serve};
use serde_json::{Value, json};
use std::net::TcpStream;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket};

struct Plain {
    socket: WebSocket<TcpStream>,
    last: u64,
    sessions: Vec<String>,
}

impl Plain {
    fn connect(url: &str) -> Result<Self, Failure> {
        let host = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).ok_or("not a ws:// address")?;
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = tungstenite::client::client_with_config(url, stream, Some(config))?;
        Ok(Self { socket, last: 0, sessions: Vec::new() })
    }

    fn post(&mut self, tab: Option<Tab>, method: &str, params: &str) -> Result<u64, Failure> {
        self.last += 1;
        let params: Value = serde_json::from_str(params)?;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = tab.and_then(|tab| self.sessions.get(tab)) {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string()))?;
        Ok(self.last)
    }

    fn receive(&mut self) -> Result<Value, Failure> {
        loop {
            if let Message::Text(text) = self.socket.read()? {
                return Ok(serde_json::from_str(&text)?);
            }
        }
    }

    fn reply(&mut self, mut event: impl FnMut(&Value)) -> Result<Value, Failure> {
        loop {
            let mut message = self.receive()?;
            if message.get("id").is_none() {
                event(&message);
            } else if let Some(error) = message.get("error") {
                return Err(Failure(error.to_string()));
            } else {
                return Ok(message["result"].take());
            }
        }
    }
}

impl Client for Plain {
    async fn open(&mut self, url: &str) -> Result<Tab, Failure> {
        self.post(None, "Target.createTarget", &json!({ "url": url }).to_string())?;
        let target = self.reply(|_| ())?["targetId"].take();
        self.attach(target.as_str().unwrap_or_default()).await
    }

    async fn attach(&mut self, target: &str) -> Result<Tab, Failure> {
        self.post(None, "Target.attachToTarget", &json!({ "targetId": target, "flatten": true }).to_string())?;
        let attached = self.reply(|_| ())?;
        self.sessions.push(attached["sessionId"].as_str().unwrap_or_default().to_owned());
        Ok(self.sessions.len() - 1)
    }

    async fn call(&mut self, tab: Option<Tab>, method: &str, params: &str) -> Result<usize, Failure> {
        self.post(tab, method, params)?;
        self.reply(|_| ())?;
        Ok(0)
    }

    async fn pipeline(&mut self, tab: Tab, command: Trigger<'_>, n: usize, in_flight: usize) -> Result<(), Failure> {
        let mut sent = 0;
        for received in 0..n {
            while sent < n && sent < received + in_flight {
                self.post(Some(tab), command.0, command.1)?;
                sent += 1;
            }
            self.reply(|_| ())?;
        }
        Ok(())
    }

    async fn events(&mut self, tab: Tab, event: &str, n: usize, trigger: Trigger<'_>) -> Result<usize, Failure> {
        let mut came = 0;
        self.post(Some(tab), trigger.0, trigger.1)?;
        self.reply(|message| came += usize::from(message["method"] == event))?;
        while came < n {
            came += usize::from(self.receive()?["method"] == event);
        }
        Ok(came)
    }

    async fn event(&mut self, tab: Tab, event: &str, trigger: Trigger<'_>) -> Result<String, Failure> {
        let mut found = None;
        self.post(Some(tab), trigger.0, trigger.1)?;
        self.reply(|message| {
            if found.is_none() && message["method"] == event {
                found = Some(message["params"].to_string());
            }
        })?;
        found.ok_or_else(|| Failure(format!("no {event}")))
    }
}

fn main() -> Result<(), Failure> {
    let place = hello()?;
    let mut client = Plain::connect(&place.ws)?;
    // Nothing in here waits, so the simplest executor will do.
    futures::executor::block_on(serve(&mut client, &place))
}
