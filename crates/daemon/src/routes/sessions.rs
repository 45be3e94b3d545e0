//! Sessions as a whole: list, open, attach, status, reconnect, close.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use tokio::time::Instant;

use super::body::{Body, Data, Reply};
use crate::api::{
    AttachRequest, CloseRequest, Closed, OpenRequest, Opened, ReconnectRequest, SessionStatus,
    Sessions,
};
use crate::leftovers;
use crate::registry::Daemon;

/// How long to wait for sessions that are just being taken over from the daemon before: as a rule some
/// milliseconds. Those that take longer are told as `connecting`.
const TAKE_OVER_PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn list(State(daemon): State<Arc<Daemon>>) -> Data<Sessions> {
    let until = Instant::now() + TAKE_OVER_PATIENCE;
    let mut sessions = Vec::new();
    for session in daemon.sessions() {
        session.settled(until).await;
        sessions.push(session.status().await);
    }
    Data(Sessions { sessions })
}

pub(super) async fn status(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
) -> Reply<SessionStatus> {
    let session = daemon.session(&name)?;
    session.settled(Instant::now() + TAKE_OVER_PATIENCE).await;
    let mut status = session.status().await;
    status.left_behind = leftovers::browsers(&daemon, None).await;
    Ok(Data(status))
}

pub(super) async fn open(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<OpenRequest>,
) -> Reply<Opened> {
    let session = daemon.session_or_new(&name)?;
    let outcome = session.open(request).await;
    // A session that never came about leaves no name behind.
    daemon.forget_if_unused(&session);
    outcome.map(Data)
}

pub(super) async fn attach(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<AttachRequest>,
) -> Reply<SessionStatus> {
    let session = daemon.session_or_new(&name)?;
    let outcome = session.attach(request).await;
    daemon.forget_if_unused(&session);
    outcome.map(Data)
}

pub(super) async fn close(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<CloseRequest>,
) -> Reply<Closed> {
    daemon.session(&name)?.close(&request).await.map(Data)
}

pub(super) async fn reconnect(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<ReconnectRequest>,
) -> Reply<SessionStatus> {
    daemon
        .session(&name)?
        .reconnect(request.timeout_ms)
        .await
        .map(Data)
}
