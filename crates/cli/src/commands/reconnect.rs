//! `keeptab reconnect`: a new connection to the same browser, now.

use keeptab_daemon::ApiError;
use keeptab_daemon::api::SessionStatus;
use keeptab_daemon::client::Method;

use crate::app::App;

/// Connect to the session's browser again, at once
///
/// Also after recovery gave up. It is always the same browser; when that has ended, the command
/// fails with exit 8.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab reconnect
  keeptab --session shop --timeout 2m reconnect")]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args, app: &mut App) -> Result<u8, ApiError> {
    let path = app.session_path("/reconnect")?;
    let request = serde_json::json!({"timeout_ms": app.timeout_ms()});
    app.request(
        Method::Post,
        &path,
        &request,
        |out, status: SessionStatus| {
            out.text(&format!("{}: {}", status.session, status.detail));
        },
    )
}
