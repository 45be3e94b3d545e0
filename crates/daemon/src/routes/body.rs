//! JSON in, JSON out, one envelope.

use std::error::Error as _;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::{Failure, Success};
use crate::error::{ApiError, Code};

/// The largest request body, in bytes. A snippet with a file inside may be large.
pub(crate) const MAX_BODY: usize = 64 * 1024 * 1024;

/// A request body that is JSON and says so.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let headers = request.headers();
        // A form or text/plain is what a web page can send without asking; never take it.
        let declared = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media_type = declared
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            return Err(ApiError::new(
                Code::NotJson,
                "the body is not declared as JSON",
            ));
        }
        let length: Option<usize> = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length| length > MAX_BODY) {
            return Err(too_large());
        }
        let bytes = to_bytes(request.into_body(), MAX_BODY)
            .await
            .map_err(|error| match error.source() {
                Some(cause) if cause.is::<LengthLimitError>() => too_large(),
                _ => ApiError::new(Code::Invalid, format!("the body did not arrive: {error}")),
            })?;
        serde_json::from_slice(&bytes).map(Body).map_err(|error| {
            ApiError::new(Code::Invalid, format!("the body is not right: {error}"))
        })
    }
}

fn too_large() -> ApiError {
    let limit = MAX_BODY / (1024 * 1024);
    ApiError::new(
        Code::TooLarge,
        format!("the request is larger than {limit} MiB, the most that is taken"),
    )
    .hint("send it in parts, or let the page fetch it")
}

/// What a handler returns.
pub(crate) type Reply<T> = Result<Data<T>, ApiError>;

/// A result on its way out.
pub(crate) struct Data<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &Success::new(self.0))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        json(status, &Failure::new(&self))
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = (status, bytes).into_response();
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(error) => {
            tracing::error!("cannot write an answer: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
