//! Taking connections, refusing them, and the HTTP part of each until it is a WebSocket.

use super::http::{self, Head};
use super::relay;
use super::state::Shared;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// The order to refuse connections for a time.
#[derive(Debug)]
pub(super) struct Refuse {
    pub(super) time: Duration,
    pub(super) done: oneshot::Sender<()>,
}

fn socket(at: Option<SocketAddr>) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(at.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))))?;
    Ok(socket)
}

/// Listens on 127.0.0.1, on a free port unless one is given.
pub(super) fn bind(at: Option<SocketAddr>) -> std::io::Result<TcpListener> {
    socket(at)?.listen(1024)
}

/// Takes connections until it is aborted.
pub(super) async fn accept(
    mut listener: TcpListener,
    shared: Arc<Shared>,
    mut orders: mpsc::Receiver<Refuse>,
) {
    loop {
        tokio::select! {
            taken = listener.accept() => {
                if let Ok((client, _)) = taken {
                    let shared = shared.clone();
                    tokio::spawn(async move {
                        // A client that goes away during its handshake is a fault like any other.
                        let _ = serve(client, shared).await;
                    });
                }
            }
            Some(order) = orders.recv() => {
                drop(listener);
                listener = refuse(order, &mut orders, shared.own).await;
            }
        }
    }
}

/// Keeps the port without listening on it, so that connecting is refused, and listens again afterwards.
async fn refuse(
    first: Refuse,
    orders: &mut mpsc::Receiver<Refuse>,
    own: SocketAddr,
) -> TcpListener {
    let mut reserved = socket(Some(own)).ok();
    let mut end = tokio::time::Instant::now() + first.time;
    let _ = first.done.send(());
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(end) => break,
            Some(order) = orders.recv() => {
                end = tokio::time::Instant::now() + order.time;
                let _ = order.done.send(());
            }
        }
    }
    loop {
        let listening = match reserved.take() {
            Some(socket) => socket.listen(1024),
            None => bind(Some(own)),
        };
        match listening {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(mut client: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    shared.note(|state| state.ledger.accepted += 1);
    let Some(mut request) = Head::read(&mut client).await? else {
        return Ok(());
    };
    // In a black hole the request arrives nowhere.
    let mut mode = shared.mode.subscribe();
    let _ = mode
        .wait_for(|mode| !mode.stall_up && !mode.stall_down)
        .await;
    if request.is_upgrade()
        && let Some(answer) = shared.turned_away()
    {
        return http::answer(&mut client, answer.status, answer.retry_after).await;
    }
    let target = shared.lock().upstream.target.clone();
    let mut upstream = match TcpStream::connect(&target).await {
        Ok(upstream) => upstream,
        Err(_) => return relay::reset(client),
    };
    upstream.set_nodelay(true)?;
    if !request.is_upgrade() {
        return http::relay(&mut client, upstream, request, shared.own, &target).await;
    }
    request.set("Host", Some(&target));
    // Compressed frames could not be read here, and the product never offers them on this machine.
    request.set("Sec-WebSocket-Extensions", None);
    upstream.write_all(&request.wire()).await?;
    let Some(response) = Head::read(&mut upstream).await? else {
        return Ok(());
    };
    if response.status() != 101 {
        client.write_all(&response.wire()).await?;
        tokio::io::copy(&mut upstream, &mut client).await?;
        return client.shutdown().await;
    }
    // Entered before the client knows, so that a verb told right after its handshake hits it.
    let (number, orders) = shared.enter();
    // When the client is gone already, the relay finds out.
    let _ = client.write_all(&response.wire()).await;
    relay::run(client, upstream, number, orders, shared).await;
    Ok(())
}
