//! Starting a browser for a session: behind a keeper, so that it outlives this daemon.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keeptab_browser::{ConnectKind, Endpoint, LaunchCommand, LaunchOptions, Options};
use keeptab_keeper::{Found, Life, SpawnArgs, SpawnError, SpawnErrorKind, spawn};
use tokio::time::Instant;

use super::connect::remaining;
use super::errors::from_connect;
use crate::error::{ApiError, Code};
use crate::handover::Place;
use crate::registry::Daemon;

/// How long the last process of a browser may hold its profile after the browser ended.
const LET_GO_PATIENCE: Duration = Duration::from_secs(3);

/// A browser that no daemon has asked for since then is ended by its keeper; its profile stays.
const ORPHAN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A browser that runs, and where it is.
pub(super) struct Started {
    pub(super) browser: keeptab_browser::Session,
    pub(super) place: Place,
    /// It was there already: what its tabs show is somebody's work.
    pub(super) found: bool,
}

/// Starts a browser and says where it is. Where a keeper cannot run, the browser is held by a pipe
/// of this process, and ends with it.
///
/// # Errors
/// No browser is installed, the profile is in use, or it does not start in time.
pub(super) async fn start(
    daemon: &Arc<Daemon>,
    name: &str,
    launch: LaunchOptions,
    options: Options,
    deadline: Instant,
) -> Result<Started, ApiError> {
    let state = daemon.paths().keepers().join(format!("{name}.keeper"));
    if let Some(socket) = left_behind(state.clone()).await {
        // The browser of an earlier session of this name, which nobody closed.
        let browser = connect(socket.clone(), options, deadline).await?;
        tracing::info!("session \"{name}\": found its browser still running");
        return Ok(Started {
            browser,
            place: Place::Keeper(socket),
            found: true,
        });
    }
    let command = command(&launch).await?;
    let args = SpawnArgs {
        program: daemon.program().clone(),
        prefix: vec!["keeper".into()],
        socket: daemon.paths().keeper_socket(name),
        state: state.clone(),
        profile: command.profile_dir,
        browser: command.executable,
        flags: command.arguments,
        orphan_after: Some(ORPHAN_AFTER),
        start_patience: Some(remaining(deadline).max(Duration::from_secs(1))),
    };
    let started = tokio::task::spawn_blocking(move || spawn(&args)).await;
    let spawned = match started {
        Ok(Ok(spawned)) => spawned,
        Ok(Err(error)) if error.kind() == SpawnErrorKind::Keeper => {
            tracing::warn!("session \"{name}\": {error}; its browser will end with this daemon");
            return by_pipe(launch, options).await;
        }
        Ok(Err(error)) => return Err(not_started(&error)),
        Err(error) => {
            return Err(ApiError::new(
                Code::Internal,
                format!("starting the browser failed: {error}"),
            ));
        }
    };
    let browser = connect(spawned.socket.clone(), options, deadline).await;
    if browser.is_err() {
        let asked = Found::read(&state).and_then(|found| found.ask_to_end());
        if let Err(error) = asked {
            tracing::warn!("cannot end the keeper of \"{name}\": {error}");
        }
    }
    Ok(Started {
        browser: browser.map_err(ended_at_once)?,
        place: Place::Keeper(spawned.socket),
        found: false,
    })
}

/// A browser that is gone when it has just been started did not start.
fn ended_at_once(error: ApiError) -> ApiError {
    if error.code != Code::BrowserGone {
        return error;
    }
    let ours = ApiError::new(Code::LaunchFailed, error.message);
    match error.details {
        Some(details) => ours.details(details),
        None => ours,
    }
}

/// The command line, once nobody holds the profile: what ended a moment ago may still be letting go
/// of it.
async fn command(launch: &LaunchOptions) -> Result<LaunchCommand, ApiError> {
    let patience = Instant::now() + LET_GO_PATIENCE;
    loop {
        match launch.command() {
            Err(error)
                if error.kind() == ConnectKind::ProfileInUse && Instant::now() < patience =>
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            found => return found.map_err(|error| from_connect(&error)),
        }
    }
}

/// The socket of a keeper that is still there; what a dead one left is cleared away.
async fn left_behind(state: PathBuf) -> Option<PathBuf> {
    let look = move || {
        let found = Found::read(&state).ok()?;
        if found.life == Life::Alive {
            return Some(found.state.socket);
        }
        if let Err(error) = found.clear() {
            tracing::warn!("cannot clear up after a keeper: {error}");
        }
        None
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

/// Takes over the browser of the keeper at this socket.
///
/// # Errors
/// The keeper does not let us, or its browser does not answer.
pub(super) async fn connect(
    socket: PathBuf,
    options: Options,
    deadline: Instant,
) -> Result<keeptab_browser::Session, ApiError> {
    let options = options.with_connect_timeout(remaining(deadline));
    keeptab_browser::Session::connect(Endpoint::Keeper(socket), options)
        .await
        .map_err(|error| from_connect(&error))
}

async fn by_pipe(launch: LaunchOptions, options: Options) -> Result<Started, ApiError> {
    let browser = keeptab_browser::Session::launch(launch, options)
        .await
        .map_err(|error| from_connect(&error))?;
    Ok(Started {
        browser,
        place: Place::Pipe,
        found: false,
    })
}

fn not_started(error: &SpawnError) -> ApiError {
    let ours = ApiError::new(Code::LaunchFailed, error.to_string())
        .details(serde_json::json!({"output": error.output()}));
    match error.hint() {
        Some(hint) => ours.hint(hint),
        None => ours,
    }
}
