//! `keeptab open`: a new tab, in a new session if need be.

use std::ffi::OsString;
use std::path::PathBuf;

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
    /// Launch this browser program instead of the one that is found [default: $KEEPTAB_CHROMIUM]
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    policies: PolicyArgs,
}

/// Names the browser to launch when no flag does. The daemon is older than its callers, so what they have
/// in their environment is for them to send.
const CHROMIUM: &str = "KEEPTAB_CHROMIUM";

/// The program as the daemon finds it: it has another working directory.
fn program(flag: Option<PathBuf>, variable: Option<OsString>) -> Option<String> {
    let chosen = flag.or_else(|| {
        let named = variable.filter(|named| !named.is_empty());
        named.map(PathBuf::from)
    })?;
    let absolute = std::path::absolute(&chosen).unwrap_or(chosen);
    Some(absolute.to_string_lossy().into_owned())
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let path = app.session_path("/open")?;
    let request = OpenRequest {
        url: args.url,
        headful: args.headful,
        program: program(args.program, std::env::var_os(CHROMIUM)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_comes_before_the_variable_and_both_become_absolute() {
        let chosen = |flag: Option<&str>, variable: &str| {
            program(flag.map(PathBuf::from), Some(variable.into()))
        };
        assert_eq!(chosen(Some("/a"), "/b").as_deref(), Some("/a"));
        assert_eq!(chosen(None, "/b").as_deref(), Some("/b"));
        assert_eq!(chosen(None, ""), None);
        assert!(chosen(None, "here/chrome").is_some_and(|path| path.starts_with('/')));
    }
}
