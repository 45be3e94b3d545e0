//! Accepting connections on the Unix socket: who may, how many, and for how long.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::door::Door;

/// Connections at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 256;
/// How long a client may take for its request head.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How often it is made sure that callers find the daemon.
const LOOK_AFTER: Duration = Duration::from_secs(3);
/// How long a command that is under way may go on after the daemon was told to end.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Serves until `stop` turns true or another daemon has the place, then lets commands that are under way end.
pub(crate) async fn serve(
    door: &mut Door,
    app: Router,
    allowed_uid: u32,
    stop: watch::Receiver<bool>,
    end: impl FnOnce(),
) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stopping = stop.clone();
    let mut looks = tokio::time::interval(LOOK_AFTER);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Some(listener) = door.listener() {
        let accepted = tokio::select! {
            accepted = accept(listener, &permits) => accepted,
            () = told_to_stop(&mut stopping) => break,
            _ = looks.tick() => {
                if door.keep() {
                    continue;
                }
                break;
            }
        };
        while connections.try_join_next().is_some() {}
        if let Some((stream, permit)) = accepted
            && may_enter(&stream, allowed_uid)
        {
            connections.spawn(converse(stream, app.clone(), stop.clone(), permit));
        }
    }
    end();
    door.unlink();
    // Callers that are already in the queue are told that nothing happened.
    while let Some(listener) = door.listener() {
        let Some(stream) = accept_waiting(listener).await else {
            break;
        };
        if may_enter(&stream, allowed_uid)
            && let Ok(permit) = Arc::clone(&permits).try_acquire_owned()
        {
            connections.spawn(converse(stream, app.clone(), stop.clone(), permit));
        }
    }
    door.close();
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
        tracing::warn!("commands were still running and are given up");
    }
}

async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a reason to end as well.
    drop(stop.wait_for(|stop| *stop).await);
}

async fn accept(
    listener: &UnixListener,
    permits: &Arc<Semaphore>,
) -> Option<(UnixStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            // Out of file descriptors, mostly: it passes, and spinning does not help it.
            tracing::warn!("cannot accept a connection: {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn accept_waiting(listener: &UnixListener) -> Option<UnixStream> {
    poll_fn(|cx| match listener.poll_accept(cx) {
        Poll::Ready(Ok((stream, _))) => Poll::Ready(Some(stream)),
        Poll::Ready(Err(_)) | Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// The file's mode keeps others out already; this holds if somebody loosens it.
fn may_enter(stream: &UnixStream, allowed_uid: u32) -> bool {
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == allowed_uid => true,
        Ok(peer) => {
            tracing::warn!("refused a connection of user {}", peer.uid());
            false
        }
        Err(error) => {
            tracing::warn!("refused a connection of an unknown user: {error}");
            false
        }
    }
}

async fn converse(
    stream: UnixStream,
    app: Router,
    mut stop: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = told_to_stop(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!("a connection ended early: {error}");
    }
}
