//! A browser behind a keeper's Unix socket.
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use keeptab_link::{DialError, DialInfo, Transport as Carrier};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};

use super::Dialed;
use crate::transport::keeper::{Keeper, Welcome, hello};
use crate::transport::nul::Nul;
use crate::transport::{Framed, MAX_PIPE_MESSAGE, exchange};

/// A welcome lists up to some thousand commands that are not settled.
const MAX_WELCOME: usize = 1024 * 1024;

/// The fencing number of a new owner: later owners have higher ones, also those of another process.
pub(super) fn new_epoch() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Connects as the owner with this fencing number.
pub(super) async fn keeper(
    path: &Path,
    epoch: u64,
    deadline: Instant,
) -> Result<Dialed, DialError> {
    match timeout_at(deadline, connect(path, epoch)).await {
        Ok(dialed) => dialed,
        Err(_) => Err(unreachable(path, "no answer in time")),
    }
}

async fn connect(path: &Path, epoch: u64) -> Result<Dialed, DialError> {
    let stream = UnixStream::connect(path)
        .await
        .map_err(|error| match error.kind() {
            // A keeper that ends removes its socket.
            io::ErrorKind::NotFound => gone(path, "it has ended"),
            // One that was killed leaves its socket, at which nobody listens and nobody ever will.
            io::ErrorKind::ConnectionRefused => gone(path, "it died"),
            _ => unreachable(path, &error.to_string()),
        })?;
    let mut greeting = Framed::new(stream, Nul::new(MAX_WELCOME), BytesMut::new());
    let answer = exchange(&mut greeting, hello(epoch)).await;
    let answer = answer.map_err(|cause| unreachable(path, &cause.to_string()))?;
    let welcome = Welcome::read(&answer).map_err(|why| DialError::Refused {
        status: 409,
        reason: format!("its keeper: {why}").into(),
    })?;
    if let Some(status) = welcome.browser_exited {
        return Err(DialError::Exited {
            status: status.into(),
        });
    }
    let framing = Keeper::new(MAX_PIPE_MESSAGE, welcome.next_id);
    Ok(Dialed {
        transport: Box::new(greeting.reframed(framing)),
        info: DialInfo {
            inheritance: welcome.inheritance(),
            endpoint_identity: welcome.connection,
            transport: Carrier::Keeper,
        },
    })
}

/// Where its socket is tells people nothing, so it is only logged.
fn unreachable(path: &Path, what: &str) -> DialError {
    tracing::debug!(path = %path.display(), "keeper: {what}");
    DialError::Unreachable {
        reason: format!("its keeper: {what}").into(),
    }
}

/// As [`unreachable`], for good.
fn gone(path: &Path, what: &str) -> DialError {
    tracing::debug!(path = %path.display(), "keeper: {what}");
    DialError::Gone {
        reason: format!("its keeper: {what}").into(),
    }
}
