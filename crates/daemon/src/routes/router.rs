//! The list of doors.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::gate::gate;
use super::{daemon, dialog, js, leftovers, observe, sessions, tabs};
use crate::error::{ApiError, Code};
use crate::registry::Daemon;

/// All of `/v1`.
pub(crate) fn router(state: Arc<Daemon>) -> Router {
    Router::new()
        .route("/v1/health", get(daemon::health))
        .route("/v1/daemon/stop", post(daemon::stop))
        .route("/v1/browsers", get(daemon::browsers))
        .route("/v1/sessions", get(sessions::list))
        .route("/v1/sessions/{name}", get(sessions::status))
        .route("/v1/sessions/{name}/open", post(sessions::open))
        .route("/v1/sessions/{name}/attach", post(sessions::attach))
        .route("/v1/sessions/{name}/close", post(sessions::close))
        .route("/v1/sessions/{name}/reconnect", post(sessions::reconnect))
        .route("/v1/sessions/{name}/tabs", get(tabs::list).post(tabs::new))
        .route("/v1/sessions/{name}/tabs/switch", post(tabs::switch))
        .route("/v1/sessions/{name}/tabs/close", post(tabs::close))
        .route("/v1/sessions/{name}/tabs/reload", post(tabs::reload))
        .route(
            "/v1/sessions/{name}/dialog",
            get(dialog::show).post(dialog::answer),
        )
        .route("/v1/sessions/{name}/js", post(js::js))
        .route("/v1/sessions/{name}/console", get(observe::console))
        .route(
            "/v1/sessions/{name}/console/{number}",
            get(observe::message),
        )
        .route("/v1/sessions/{name}/network", get(observe::network))
        .route(
            "/v1/sessions/{name}/network/{number}",
            get(observe::request),
        )
        .route("/v1/sessions/{name}/clear", post(observe::clear))
        .route("/v1/sessions/{name}/adopt", post(leftovers::adopt))
        .route("/v1/sweep", post(leftovers::sweep))
        .route("/v1/events", get(observe::events))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&state), gate))
        .with_state(state)
}

async fn no_such_route(request: Request) -> ApiError {
    ApiError::new(
        Code::NoSuchRoute,
        format!("there is no {}", request.uri().path()),
    )
    .hint("is the keeptab that asks newer? keeptab daemon restart")
}

async fn wrong_method(request: Request) -> ApiError {
    let (method, path) = (request.method(), request.uri().path());
    ApiError::new(
        Code::MethodNotAllowed,
        format!("{path} does not take {method}"),
    )
}
