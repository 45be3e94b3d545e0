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

/// How long a browser may take to end: as long as its keeper is patient with it, and a little.
const END_PATIENCE: Duration = Duration::from_secs(22);

/// How long the last process of a browser may hold its profile after the browser ended.
const LET_GO_PATIENCE: Duration = Duration::from_secs(3);

/// A browser that no daemon has asked for since then is ended by its keeper; its profile stays.
const ORPHAN_AFTER: Duration = Duration::from_secs(24 * 3600);

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
) -> Result<(keeptab_browser::Session, Place), ApiError> {
    let state = daemon.paths().keepers().join(format!("{name}.keeper"));
    if let Some(socket) = left_behind(state.clone()).await {
        // The browser of an earlier session of this name, which nobody closed.
        let browser = connect(socket.clone(), options, deadline).await?;
        tracing::info!("session \"{name}\": found its browser still running");
        return Ok((browser, Place::Keeper(socket)));
    }
    let command = command(&launch).await?;
    let args = SpawnArgs {
        program: daemon.program().clone(),
        prefix: vec!["keeper".into()],
        socket: daemon.paths().keeper_socket(name),
        state,
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
        end(spawned.pid);
    }
    Ok((browser?, Place::Keeper(spawned.socket)))
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

async fn connect(
    socket: PathBuf,
    options: Options,
    deadline: Instant,
) -> Result<keeptab_browser::Session, ApiError> {
    let options = options.with_connect_timeout(remaining(deadline));
    keeptab_browser::Session::connect(Endpoint::Keeper(socket), options)
        .await
        .map_err(|error| from_connect(&error))
}

async fn by_pipe(
    launch: LaunchOptions,
    options: Options,
) -> Result<(keeptab_browser::Session, Place), ApiError> {
    let browser = keeptab_browser::Session::launch(launch, options)
        .await
        .map_err(|error| from_connect(&error))?;
    Ok((browser, Place::Pipe))
}

fn not_started(error: &SpawnError) -> ApiError {
    let ours = ApiError::new(Code::LaunchFailed, error.to_string())
        .details(serde_json::json!({"output": error.output()}));
    match error.hint() {
        Some(hint) => ours.hint(hint),
        None => ours,
    }
}

/// Ends the keeper of a session, and with it its browser, politely; returns when both are gone.
///
/// # Errors
/// They are still there after all patience.
pub(super) async fn end_keeper(daemon: &Arc<Daemon>, name: &str) -> Result<(), ApiError> {
    let state = daemon.paths().keepers().join(format!("{name}.keeper"));
    let until = Instant::now() + END_PATIENCE;
    let mut told = false;
    loop {
        // The keeper removes its state file as the last thing it does.
        let Ok(found) = Found::read(&state) else {
            return Ok(());
        };
        if !told {
            end(found.state.pid);
            told = true;
        }
        let browser = found.state.browser_pid;
        if found.life != Life::Alive {
            // A keeper whose browser died by itself leaves its state for whoever asks why.
            let cleared = tokio::task::spawn_blocking(move || found.clear()).await;
            match cleared {
                Ok(Ok(true)) => return Ok(()),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    return Err(ApiError::new(
                        Code::Machine,
                        format!("cannot clear up after the keeper of \"{name}\": {error}"),
                    ));
                }
                Err(error) => return Err(ApiError::new(Code::Internal, error.to_string())),
            }
        }
        if Instant::now() >= until {
            return Err(ApiError::new(
                Code::Deadline,
                format!(
                    "the browser of \"{name}\" (process {}) does not end",
                    browser
                ),
            )
            .hint(format!("kill {}", browser)));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Asks a keeper to end; it closes its browser first.
fn end(pid: u32) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid
        && let Err(error) = rustix::process::kill_process(pid, rustix::process::Signal::TERM)
    {
        tracing::warn!("cannot end the keeper: {error}");
    }
}
