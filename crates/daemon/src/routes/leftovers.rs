//! What was left behind: adopting it, and ending it.

use std::sync::Arc;

use axum::extract::{Path, State};

use super::body::{Body, Data, Reply};
use crate::api::{AdoptRequest, Adopted, SweepRequest, Swept};
use crate::leftovers;
use crate::registry::Daemon;

pub(super) async fn adopt(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<AdoptRequest>,
) -> Reply<Adopted> {
    let session = daemon.session_or_new(&name)?;
    let outcome = session.adopt(&request).await;
    daemon.forget_if_unused(&session);
    outcome.map(Data)
}

pub(super) async fn sweep(
    State(daemon): State<Arc<Daemon>>,
    Body(request): Body<SweepRequest>,
) -> Data<Swept> {
    Data(leftovers::sweep(&daemon, &request).await)
}
