//! What tabs said and asked for, and events to follow.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use keeptab_buffers::Stream;

use super::body::{Body, Data, Reply};
use crate::api::{
    ClearRequest, Cleared, Entries, EntriesQuery, EntryDetail, EntryQuery, EventsQuery,
};
use crate::error::{ApiError, Code};
use crate::observe::{Channels, snapshot};
use crate::registry::Daemon;

/// What is followed when nothing else is asked for.
const USUAL: &str = "state,tabs";

type Asked<T> = Result<Query<T>, QueryRejection>;
type Numbered = Result<Path<(String, u64)>, PathRejection>;

pub(super) async fn console(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    query: Asked<EntriesQuery>,
) -> Reply<Entries> {
    list(&daemon, &name, Stream::Console, query).await
}

pub(super) async fn network(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    query: Asked<EntriesQuery>,
) -> Reply<Entries> {
    list(&daemon, &name, Stream::Network, query).await
}

async fn list(
    daemon: &Arc<Daemon>,
    name: &str,
    stream: Stream,
    query: Asked<EntriesQuery>,
) -> Reply<Entries> {
    let query = asked(query)?;
    daemon
        .session(name)?
        .entries(stream, &query)
        .await
        .map(Data)
}

pub(super) async fn message(
    State(daemon): State<Arc<Daemon>>,
    number: Numbered,
    query: Asked<EntryQuery>,
) -> Reply<EntryDetail> {
    one(&daemon, number, Stream::Console, query).await
}

pub(super) async fn request(
    State(daemon): State<Arc<Daemon>>,
    number: Numbered,
    query: Asked<EntryQuery>,
) -> Reply<EntryDetail> {
    one(&daemon, number, Stream::Network, query).await
}

async fn one(
    daemon: &Arc<Daemon>,
    number: Numbered,
    stream: Stream,
    query: Asked<EntryQuery>,
) -> Reply<EntryDetail> {
    let Path((name, number)) =
        number.map_err(|error| ApiError::new(Code::Invalid, error.body_text()))?;
    let query = asked(query)?;
    daemon
        .session(&name)?
        .entry(stream, number, &query)
        .await
        .map(Data)
}

pub(super) async fn clear(
    State(daemon): State<Arc<Daemon>>,
    Path(name): Path<String>,
    Body(request): Body<ClearRequest>,
) -> Reply<Cleared> {
    daemon.session(&name)?.clear(&request).await.map(Data)
}

/// Lines of JSON until the caller hangs up or the daemon ends. It begins with how the sessions are.
pub(super) async fn events(
    State(daemon): State<Arc<Daemon>>,
    query: Asked<EventsQuery>,
) -> Result<Response, ApiError> {
    let query = asked(query)?;
    let channels = Channels::parse(query.streams.as_deref().unwrap_or(USUAL))?;
    let sessions = match &query.session {
        Some(name) => vec![daemon.session(name)?],
        None => daemon.sessions(),
    };
    let mut statuses = Vec::new();
    if channels.state {
        for session in sessions {
            statuses.push(session.status().await);
        }
    }
    // From here to the first line nothing is awaited, so nothing is missed and nothing comes first.
    let follower = daemon.hub().follow(channels, query.session)?;
    for status in &statuses {
        follower.begin_with(&snapshot(status));
    }
    let lines = futures_util::stream::unfold(
        (follower, daemon.stop_signal()),
        |(mut follower, mut stop)| async move {
            let lines = tokio::select! {
                biased;
                // An error means that the sender is gone, which is an end as well.
                _ = stop.wait_for(|stop| *stop) => return None,
                lines = follower.next() => lines,
            };
            Some((Ok::<_, Infallible>(lines), (follower, stop)))
        },
    );
    let mut response = Response::new(HttpBody::from_stream(lines));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn asked<T>(query: Asked<T>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|error| {
        ApiError::new(
            Code::Invalid,
            format!("the query is not right: {}", error.body_text()),
        )
    })
}
