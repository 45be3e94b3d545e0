//! The daemon itself: how it does, its end, and what it can see on this machine.

use std::sync::Arc;

use axum::extract::State;
use keeptab_browser::find::running_browsers;

use super::body::{Body, Data, Reply};
use crate::api::{BrowserLine, Browsers, Health, StopRequest, Stopped};
use crate::registry::Daemon;

pub(super) async fn health(State(daemon): State<Arc<Daemon>>) -> Data<Health> {
    Data(daemon.health())
}

pub(super) async fn stop(
    State(daemon): State<Arc<Daemon>>,
    Body(request): Body<StopRequest>,
) -> Reply<Stopped> {
    daemon.stop(&request).await.map(Data)
}

pub(super) async fn browsers() -> Data<Browsers> {
    let browsers = running_browsers()
        .await
        .into_iter()
        .map(|browser| BrowserLine {
            name: browser.name,
            profile_dir: browser.profile_dir.display().to_string(),
            port: browser.port,
            ws_url: browser.ws_url,
        })
        .collect();
    Data(Browsers { browsers })
}
