//! `keeptab version`: which build this is, and which one the daemon is.

use keeptab_daemon::api::Health;
use keeptab_daemon::client::Method;
use keeptab_daemon::{ApiError, exit};
use serde_json::json;

use crate::app::{App, build};

/// Print the version of this program and of the running daemon
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab version
  keeptab --json version")]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args, app: &mut App) -> Result<u8, ApiError> {
    let ours = build();
    let running: Option<Health> = app
        .client()
        .and_then(|client| client.call_running(Method::Get, "/v1/health", &()))
        .unwrap_or_default();
    if app.output().is_json() {
        let daemon =
            running.map(|health| json!({"version": health.version, "build": health.build}));
        app.output()
            .data(json!({"version": ours.version, "build": ours.id, "daemon": daemon}));
        return Ok(exit::OK);
    }
    app.output()
        .text(&format!("keeptab {} ({})", ours.version, ours.id));
    match running {
        Some(health) if health.build.split(' ').nth(1) == Some(ours.id.as_str()) => {
            app.output().detail(&format!(
                "the daemon (process {}) is the same build",
                health.pid
            ));
        }
        Some(health) => app
            .output()
            .note(&format!("the daemon runs another build: {}", health.build)),
        None => app.output().detail("the daemon is not running"),
    }
    Ok(exit::OK)
}
