//! `keeptab tab`: the session's tabs.

use clap::Subcommand;
use keeptab_daemon::ApiError;
use keeptab_daemon::api::{Opened, TabLine, TabRequest, Tabs};
use keeptab_daemon::client::Method;

use crate::app::App;
use crate::text::line;

/// List, open, pick and close tabs
///
/// The active tab, marked with *, is the one that commands go to. It only ever changes when you say
/// so: when it is closed, the next command fails and names it.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  keeptab tab
  keeptab tab new https://example.com
  keeptab tab switch 4F2A                 by the beginning of its id
  keeptab tab switch checkout             by a part of its address or title
  keeptab tab reload                      the active one, after a crash
  keeptab tab close                       the active one"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

/// What to do with tabs.
#[derive(Debug, Subcommand)]
enum Action {
    /// Open a tab and make it active
    New {
        /// Where to go; a blank tab without it
        url: Option<String>,
    },
    /// Make another tab active
    Switch {
        /// An id or its beginning, or a part of the address or title
        #[arg(value_name = "Q")]
        query: String,
    },
    /// Load a tab's page again
    ///
    /// The way out when a page has crashed or loops for ever, or when a lost connection left a dialog that
    /// nobody can answer. Returns when the page has a new document. What was typed into it is lost.
    Reload {
        /// An id or its beginning, or a part of the address or title; the active tab without it
        #[arg(value_name = "Q")]
        query: Option<String>,
    },
    /// Close a tab
    Close {
        /// An id or its beginning, or a part of the address or title; the active tab without it
        #[arg(value_name = "Q")]
        query: Option<String>,
    },
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let list = app.session_path("/tabs")?;
    let timeout_ms = app.timeout_ms();
    let request = |query| TabRequest { query, timeout_ms };
    match args.action {
        None => app.request(Method::Get, &list, &(), |out, found: Tabs| {
            if found.tabs.is_empty() {
                out.note("no tabs; open one: keeptab tab new URL");
            }
            for tab in &found.tabs {
                let mark = if tab.active { '*' } else { ' ' };
                out.text(&format!("{mark} {}", describe(tab)));
            }
            if found.elsewhere > 0 {
                out.note(&format!(
                    "{} more belong to other sessions",
                    found.elsewhere
                ));
            }
        }),
        Some(Action::New { url }) => {
            app.request(Method::Post, &list, &request(url), |out, opened: Opened| {
                for note in &opened.notes {
                    out.note(&format!("note: {note}"));
                }
                out.text(&describe(&opened.tab));
            })
        }
        Some(Action::Switch { query }) => {
            let path = format!("{list}/switch");
            app.request(
                Method::Post,
                &path,
                &request(Some(query)),
                |out, tab: TabLine| {
                    out.text(&describe(&tab));
                },
            )
        }
        Some(Action::Reload { query }) => {
            let path = format!("{list}/reload");
            app.request(Method::Post, &path, &request(query), |out, tab: TabLine| {
                out.text(&describe(&tab));
            })
        }
        Some(Action::Close { query }) => {
            let path = format!("{list}/close");
            app.request(Method::Post, &path, &request(query), |out, tab: TabLine| {
                out.note(&format!("closed {}", describe(&tab)));
            })
        }
    }
}

/// One line about a tab: address, title, the beginning of its id, and what is wrong with it.
pub(crate) fn describe(tab: &TabLine) -> String {
    let mut text = line(&tab.url, 120);
    let title = line(&tab.title, 60);
    if !title.is_empty() && title != text {
        text = format!("{text} - {title}");
    }
    text = format!("{text} [{}]", tab.id.get(..8).unwrap_or(&tab.id));
    if tab.state != "ok" {
        text = format!("{text} ({})", tab.state);
    }
    text
}
