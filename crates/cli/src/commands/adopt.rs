//! `keeptab adopt`: a session over a browser that was left behind.

use keeptab_daemon::ApiError;
use keeptab_daemon::api::{AdoptRequest, Adopted};
use keeptab_daemon::client::Method;

use super::tab::describe;
use crate::app::App;

/// Take over a browser that was left behind
///
/// A browser that keeptab launched outlives the daemon. When the record of its session is lost, it
/// runs on and no session has it; keeptab status, doctor and daemon status say so. This makes it the
/// browser of the session, with its tabs and what was set on them as they are. Without NAME it is the
/// browser that the session of the same name left, or else the only one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab sweep --dry-run                 what was left behind
  keeptab adopt                           the only one
  keeptab --session shop adopt            what session shop left, as session shop
  keeptab --session mine adopt shop       the same, as session mine")]
pub(crate) struct Args {
    /// The session that left it
    #[arg(value_name = "NAME")]
    left_by: Option<String>,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let path = app.session_path("/adopt")?;
    let request = AdoptRequest {
        left_by: args.left_by,
        timeout_ms: app.timeout_ms(),
    };
    app.request(Method::Post, &path, &request, |out, adopted: Adopted| {
        let status = adopted.status;
        let browser = status.browser.as_deref().unwrap_or("the browser");
        out.note(&format!(
            "session {}: adopted {browser}, left by session {}",
            status.session, adopted.left_by
        ));
        match &status.active {
            Some(tab) => out.text(&describe(tab)),
            None if status.tabs == 0 => {
                out.note("it has no tab; open one: keeptab tab new URL");
            }
            None => out.note(&format!(
                "it has {} tabs, none is active; pick one: keeptab tab, then keeptab tab switch ID",
                status.tabs
            )),
        }
    })
}
