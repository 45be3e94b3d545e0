//! The end of a keeper and its browser, and what is left when one of them died.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keeptab_keeper::{Found, clear_beside};
use tokio::time::Instant;

use crate::error::{ApiError, Code};
use crate::registry::Daemon;

/// How long a browser may take to end: as long as its keeper is patient with it, and a little.
const END_PATIENCE: Duration = Duration::from_secs(22);

/// How long the browser of a dead keeper may take to save its profile.
const ALONE_PATIENCE: Duration = Duration::from_secs(5);

/// How often is looked.
const LOOK: Duration = Duration::from_millis(10);

/// Ends the keeper of a session, and with it its browser, politely; returns when both are gone.
///
/// # Errors
/// They are still there after all patience.
pub(crate) async fn end_keeper(daemon: &Arc<Daemon>, name: &str) -> Result<(), ApiError> {
    let path = daemon.paths().keepers().join(format!("{name}.keeper"));
    let until = Instant::now() + END_PATIENCE;
    let mut told = false;
    loop {
        // The keeper removes its state file as the last thing it does.
        let Ok(found) = Found::read(&path) else {
            if !path.exists() {
                clear_beside(&path);
            }
            return Ok(());
        };
        if !told {
            told = true;
            if let Err(error) = found.ask_to_end() {
                tracing::warn!("cannot end the keeper of \"{name}\": {error}");
            }
        }
        // It leaves its state behind when it died, or its browser did by itself.
        if !found.keeper_runs() && clear(found.clone(), &path).await? {
            return Ok(());
        }
        if Instant::now() >= until {
            let browser = found.state.browser_pid;
            return Err(ApiError::new(
                Code::Deadline,
                format!("the browser of \"{name}\" (process {browser}) does not end"),
            )
            .hint(format!("kill {browser}")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Ends the browser of a dead keeper, if it still runs, and removes the keeper's files. False when there
/// is a keeper again.
async fn clear(found: Found, path: &Path) -> Result<bool, ApiError> {
    let until = Instant::now() + ALONE_PATIENCE;
    // As a rule it ends by itself, because its pipe has.
    if let Err(error) = found.ask_browser_to_end() {
        tracing::warn!(
            "cannot end process {} of {}: {error}",
            found.state.browser_pid,
            path.display()
        );
    }
    while found.browser_runs() && Instant::now() < until {
        tokio::time::sleep(LOOK).await;
    }
    let there = found.clone();
    let cleared = tokio::task::spawn_blocking(move || there.clear())
        .await
        .map_err(|error| ApiError::new(Code::Internal, error.to_string()))?
        .map_err(|error| {
            ApiError::new(
                Code::Machine,
                format!("cannot clear up after {}: {error}", path.display()),
            )
        })?;
    let until = Instant::now() + ALONE_PATIENCE;
    while cleared && found.browser_runs() && Instant::now() < until {
        tokio::time::sleep(LOOK).await;
    }
    Ok(cleared)
}
