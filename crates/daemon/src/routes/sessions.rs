//! Sessions as a whole: list, open, attach, status, reconnect, close.

use std::sync::Arc;

use axum::extract::{Path, State};

use super::body::{Body, Data, Reply};
use crate::api::{
    AttachRequest, CloseRequest, Closed, OpenRequest, Opened, ReconnectRequest, SessionStatus,
    Sessions,
};
use crate::registry::Daemon;

pub(super) async fn list(State(daemon): State<Arc<Daemon>>) -> Data<Sessions> {
    let mut sessions = Vec::new();
    for session in daemon.sessions() {
        sessions.push(session.status().await);
    }
    Data(Sessions { sessions })
}

pub(super) async fn status(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
) -> Reply<SessionStatus> {
    Ok(Data(daemon.session(&name)?.status().await))
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
