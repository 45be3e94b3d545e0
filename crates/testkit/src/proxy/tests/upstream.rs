//! A server that answers every command with its id, and what only the proxy's tests need.

use crate::{Cdp, CdpFailure, FaultProxy};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

/// The server: how many commands it got, and how many sockets it holds.
pub(super) struct Server {
    pub(super) url: String,
    pub(super) commands: Arc<AtomicU64>,
    pub(super) open: Arc<AtomicU64>,
}

pub(super) async fn server() -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!(
        "ws://{}/devtools/browser/test",
        listener.local_addr().unwrap()
    );
    let (commands, open) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let server = Server {
        url,
        commands: commands.clone(),
        open: open.clone(),
    };
    crate::background::handle().spawn(async move {
        let listener = TcpListener::from_std(listener.into_std().unwrap()).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let (commands, open) = (commands.clone(), open.clone());
            tokio::spawn(async move {
                let Ok(mut socket) = accept_async(stream).await else {
                    return;
                };
                open.fetch_add(1, Ordering::SeqCst);
                while let Some(Ok(message)) = socket.next().await {
                    let Message::Text(text) = message else {
                        continue;
                    };
                    commands.fetch_add(1, Ordering::SeqCst);
                    let command: Value = serde_json::from_str(&text).unwrap();
                    let filler =
                        "x".repeat(command["params"]["size"].as_u64().unwrap_or(0) as usize);
                    let reply = format!(
                        r#"{{"id":{},"result":{{"filler":"{filler}"}}}}"#,
                        command["id"]
                    );
                    if socket.send(Message::text(reply)).await.is_err() {
                        break;
                    }
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    server
}

pub(super) async fn through_proxy() -> (Server, FaultProxy, Cdp) {
    let server = server().await;
    let proxy = FaultProxy::start(&server.url).await;
    let mut client = Cdp::connect(&proxy.ws_url()).await.unwrap();
    client.call("Test.first", json!({})).await.unwrap();
    (server, proxy, client)
}

/// Whether nothing comes for a while.
pub(super) async fn silent(client: &mut Cdp) -> bool {
    tokio::time::timeout(Duration::from_millis(300), client.receive())
        .await
        .is_err()
}

/// What the client's socket says at its end.
pub(super) async fn end(client: &mut Cdp) -> String {
    loop {
        match client.receive().await {
            Ok(_) => {}
            Err(CdpFailure::Lost(error)) => return error.to_string(),
            Err(other) => return other.to_string(),
        }
    }
}

/// Waits until a counter has this value.
pub(super) async fn reaches(counter: &AtomicU64, value: u64) {
    let wait = async {
        while counter.load(Ordering::SeqCst) != value {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .expect("the counter did not get there");
}
