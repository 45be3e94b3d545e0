//! The tabs of a session.

use std::sync::Arc;

use axum::extract::{Path, State};

use super::body::{Body, Data, Reply};
use crate::api::{Opened, TabLine, TabRequest, Tabs};
use crate::registry::Daemon;

pub(super) async fn list(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
) -> Reply<Tabs> {
    daemon.session(&name)?.list_tabs().await.map(Data)
}

pub(super) async fn new(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<TabRequest>,
) -> Reply<Opened> {
    daemon.session(&name)?.new_tab(request).await.map(Data)
}

pub(super) async fn switch(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<TabRequest>,
) -> Reply<TabLine> {
    daemon.session(&name)?.switch_tab(&request).await.map(Data)
}

pub(super) async fn close(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<TabRequest>,
) -> Reply<TabLine> {
    daemon.session(&name)?.close_tab(&request).await.map(Data)
}

pub(super) async fn reload(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<TabRequest>,
) -> Reply<TabLine> {
    daemon.session(&name)?.reload_tab(&request).await.map(Data)
}
