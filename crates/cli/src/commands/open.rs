//! `keeptab open`: a new tab, in a new session if need be.

use keeptab_daemon::ApiError;
use keeptab_daemon::api::{OpenRequest, Opened};
use keeptab_daemon::client::Method;

use super::tab::describe;
use crate::app::App;
use crate::entries::RecordArgs;
use crate::policies::PolicyArgs;

/// Open a tab, and make the session if need be
///
/// Without a session of this name a browser is launched for it, with a profile of its own that is
/// found again when a session of the same name is opened later. The new tab becomes the active one.
/// When the session's browser has died, this is an error (exit 8) and never a fresh browser in its
/// place, unless the session was told so before: --on-browser-death relaunch. Policies are kept with
/// the session; without the flag they stay as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab open https://example.com
  keeptab open localhost:3000
  keeptab --session shop open --headful shop.example
  keeptab open --on-browser-death relaunch --on-crash reload shop.example
  keeptab open                            a blank tab")]
pub(crate) struct Args {
    /// Where to go; a blank tab without it
    url: Option<String>,
    /// Show the browser's window, when a browser is launched
    #[arg(long)]
    headful: bool,
    /// Launch this browser program instead of the one that is found
    #[arg(long, value_name = "FILE")]
    program: Option<String>,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    policies: PolicyArgs,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let path = app.session_path("/open")?;
    let request = OpenRequest {
        url: args.url,
        headful: args.headful,
        program: args.program,
        record: args.record.chosen(),
        policies: args.policies.chosen(),
        timeout_ms: app.timeout_ms(),
    };
    app.request(Method::Post, &path, &request, |out, opened: Opened| {
        if opened.created {
            out.note(&format!("session {}: launched a browser", opened.session));
        }
        for note in &opened.notes {
            out.note(&format!("note: {note}"));
        }
        out.text(&describe(&opened.tab));
    })
}
