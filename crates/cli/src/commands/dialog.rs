//! `keeptab dialog`: the JavaScript dialog that blocks the active tab.

use clap::Subcommand;
use keeptab_daemon::ApiError;
use keeptab_daemon::api::{DialogAnswer, DialogAnswered, OpenDialog};
use keeptab_daemon::client::Method;

use super::tab::describe;
use crate::app::App;
use crate::text::line;

/// Show or answer the dialog of the active tab
///
/// While a page shows an alert, a confirm, a prompt or "Leave site?", nothing else on it goes on. Ends
/// with 6 when none is open. A dialog that was open when the connection was lost can sometimes not be
/// answered any more; then `keeptab tab reload` is the way out.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  keeptab dialog                          what it says
  keeptab dialog accept
  keeptab dialog accept \"Ada Lovelace\"    the answer to a prompt
  keeptab dialog dismiss"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

/// What to answer.
#[derive(Debug, Subcommand)]
enum Action {
    /// Say OK, or leave the page
    Accept {
        /// What to type into a prompt; its own proposal without it
        text: Option<String>,
    },
    /// Say Cancel, or stay on the page
    Dismiss,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let path = app.session_path("/dialog")?;
    let (accept, text) = match args.action {
        None => {
            return app.request(Method::Get, &path, &(), |out, open: OpenDialog| {
                out.text(&human(&open));
                if !open.answerable {
                    out.note(
                        "it cannot be answered any more; load the page again: keeptab tab reload",
                    );
                }
            });
        }
        Some(Action::Accept { text }) => (true, text),
        Some(Action::Dismiss) => (false, None),
    };
    let answer = DialogAnswer {
        accept,
        text,
        timeout_ms: app.timeout_ms(),
    };
    app.request(
        Method::Post,
        &path,
        &answer,
        |out, answered: DialogAnswered| {
            let did = if answered.accepted {
                "accepted"
            } else {
                "dismissed"
            };
            // Its tab is described as it was while the dialog was open.
            let mut dialog = answered.dialog;
            "ok".clone_into(&mut dialog.tab.state);
            out.note(&format!("{did} {}", human(&dialog)));
            if let Some(by) = &answered.by {
                out.note(&format!("over the connection of session {by}"));
            }
        },
    )
}

fn human(open: &OpenDialog) -> String {
    let mut text = format!("{}: {}", open.kind, line(&open.message, 500));
    if !open.default_prompt.is_empty() {
        text = format!("{text} [{}]", line(&open.default_prompt, 200));
    }
    format!("{text} in {}", describe(&open.tab))
}
