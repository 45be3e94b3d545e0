//! Snippets.

use std::sync::Arc;

use axum::extract::{Path, State};

use super::body::{Body, Data, Reply};
use crate::api::{JsRequest, JsResult};
use crate::registry::Daemon;

/// A session of its own is made for an unknown name: a snippet may connect it by itself.
pub(super) async fn js(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<JsRequest>,
) -> Reply<JsResult> {
    daemon.session_or_new(&name)?.js(request).await.map(Data)
}
