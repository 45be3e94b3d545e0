//! `keeptab close`: the end of a session.

use keeptab_daemon::ApiError;
use keeptab_daemon::api::{CloseRequest, Closed};
use keeptab_daemon::client::Method;

use crate::app::App;

/// End the session
///
/// A browser that was launched for the session ends with it; its profile, with all logins, stays
/// for the next session of this name unless --discard is given. A browser that was attached to
/// goes on running.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab close
  keeptab --session shop close --discard")]
pub(crate) struct Args {
    /// Also throw away the profile of the browser
    #[arg(long)]
    discard: bool,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let path = app.session_path("/close")?;
    let request = CloseRequest {
        discard: args.discard,
    };
    app.request(Method::Post, &path, &request, |out, closed: Closed| {
        out.note(&format!(
            "session {}: closed; {}",
            closed.session, closed.browser
        ));
    })
}
