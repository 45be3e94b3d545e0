//! `keeptab browsers`: what could be attached to.

use keeptab_daemon::ApiError;
use keeptab_daemon::api::Browsers;
use keeptab_daemon::client::Method;

use crate::app::App;

/// List the running browsers that allow remote debugging
///
/// The one that was started last comes first; it is the one that `keeptab attach` takes. One that was
/// started with a fixed --remote-debugging-port does not say so in its profile, and is not listed:
/// `keeptab attach --port N`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab browsers
  keeptab --json browsers")]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args, app: &mut App) -> Result<u8, ApiError> {
    app.request(Method::Get, "/v1/browsers", &(), |out, found: Browsers| {
        if found.browsers.is_empty() {
            out.note(
                "no running browser says that it allows remote debugging; one with a fixed port: keeptab attach --port N; \
                 in Chrome, open chrome://inspect/#remote-debugging and tick the box; or: keeptab open URL",
            );
        }
        for browser in found.browsers {
            out.text(&format!(
                "{}  port {}  {}",
                browser.name, browser.port, browser.profile_dir
            ));
            out.text(&format!("  {}", browser.ws_url));
        }
    })
}
