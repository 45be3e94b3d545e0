//! What every request must pass before anything happens.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::{ApiError, Code};
use crate::registry::Daemon;
use crate::version::{Build, CLIENT_HEADER, NOTICE_HEADER};

/// The request that an outdated daemon still takes: the one that ends it.
const STOP: &str = "/v1/daemon/stop";

/// Refuses web pages, callers of an ending daemon, and newer clients if we can make way for them.
pub(crate) async fn gate(
    State(daemon): State<Arc<Daemon>>,
    request: Request,
    next: Next,
) -> Response {
    // Only browsers send it, and no web page has any business here.
    if request.headers().contains_key(header::ORIGIN) {
        return ApiError::new(Code::Refused, "requests of web pages are refused").into_response();
    }
    if daemon.is_stopping() {
        return ApiError::new(Code::Stopping, "the daemon is ending; nothing was done")
            .into_response();
    }
    let newer = client_build(request.headers()).filter(|client| client.replaces(daemon.build()));
    let Some(newer) = newer.filter(|_| request.uri().path() != STOP) else {
        let response = next.run(request).await;
        // What the answer tells of is to be on disk when it arrives.
        daemon.saver().saved().await;
        return response;
    };
    let holdouts = daemon.cannot_hand_over();
    if holdouts.is_empty() {
        return ApiError::new(
            Code::DaemonOutdated,
            format!(
                "the daemon is {}, the caller {}",
                daemon.build().version,
                newer.version
            ),
        )
        .details(json!({"build": daemon.build().to_string()}))
        .into_response();
    }
    let mut response = next.run(request).await;
    daemon.saver().saved().await;
    let notice = format!(
        "the daemon is of an older build ({}) and was not replaced, because only it holds the browser of {}; \
         close the session, or end its browser: keeptab daemon restart --discard",
        daemon.build().version,
        holdouts.join(", "),
    );
    if let Ok(value) = HeaderValue::from_str(&notice) {
        response.headers_mut().insert(NOTICE_HEADER, value);
    }
    response
}

fn client_build(headers: &HeaderMap) -> Option<Build> {
    headers.get(CLIENT_HEADER)?.to_str().ok()?.parse().ok()
}
