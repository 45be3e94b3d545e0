//! `keeptab attach`: a session on a browser that runs already.

use keeptab_daemon::ApiError;
use keeptab_daemon::api::{AttachRequest, SessionStatus};
use keeptab_daemon::client::Method;

use super::tab::describe;
use crate::app::App;
use crate::entries::RecordArgs;
use crate::policies::PolicyArgs;

/// Make a session on a browser that is already running
///
/// Without any option, the running browser that was started last is taken. The browser stays when
/// the session is closed. Tabs which another session uses are not shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab attach                                  the browser started last
  keeptab attach --port 9222
  keeptab attach --ws ws://127.0.0.1:9222/devtools/browser/…
  keeptab attach --profile ~/.config/chromium
  keeptab --session work attach --browser brave
  keeptab browsers                                what could be attached to")]
pub(crate) struct Args {
    /// Its WebSocket address
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "host", "profile", "browser"])]
    ws: Option<String>,
    /// Its debugging port
    #[arg(long, value_name = "N", conflicts_with_all = ["profile", "browser"])]
    port: Option<u16>,
    /// The host of the port [default: this machine]
    #[arg(long, value_name = "HOST", requires = "port")]
    host: Option<String>,
    /// Its profile directory
    #[arg(long, value_name = "DIR", conflicts_with = "browser")]
    profile: Option<std::path::PathBuf>,
    /// Its name, or a part of it, as `keeptab browsers` prints it
    #[arg(long, value_name = "NAME")]
    browser: Option<String>,
    /// The tab to make active: an id or its beginning
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    policies: PolicyArgs,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let path = app.session_path("/attach")?;
    // The daemon has another working directory.
    let profile = args.profile.map(|dir| {
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        dir.to_string_lossy().into_owned()
    });
    let request = AttachRequest {
        ws: args.ws,
        port: args.port,
        host: args.host,
        profile,
        browser: args.browser,
        target: args.target,
        record: args.record.chosen(),
        policies: args.policies.chosen(),
        timeout_ms: app.timeout_ms(),
    };
    app.request(Method::Post, &path, &request, |out, status: SessionStatus| {
        let browser = status.browser.as_deref().unwrap_or("browser");
        out.note(&format!("session {}: attached to {browser} at {}", status.session, status.endpoint));
        match &status.active {
            Some(tab) => out.text(&describe(tab)),
            None if status.tabs == 0 => out.note("it has no tab yet; open one: keeptab tab new URL"),
            None => out.note(&format!(
                "it has {} tabs, none is active; pick one: keeptab tab, then keeptab tab switch ID",
                status.tabs
            )),
        }
    })
}
