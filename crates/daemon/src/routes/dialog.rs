//! The dialog of the active tab.

use std::sync::Arc;

use axum::extract::{Path, State};

use super::body::{Body, Data, Reply};
use crate::api::{DialogAnswer, DialogAnswered, OpenDialog};
use crate::registry::Daemon;

pub(super) async fn show(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
) -> Reply<OpenDialog> {
    daemon.session(&name)?.dialog().await.map(Data)
}

pub(super) async fn answer(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<DialogAnswer>,
) -> Reply<DialogAnswered> {
    daemon
        .session(&name)?
        .answer_dialog(request)
        .await
        .map(Data)
}
