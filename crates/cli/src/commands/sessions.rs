//! `keeptab sessions`: all of them.

use keeptab_daemon::ApiError;
use keeptab_daemon::api::Sessions;
use keeptab_daemon::client::Method;

use crate::app::App;
use crate::text::line;

/// List the sessions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab sessions
  keeptab --json sessions")]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args, app: &mut App) -> Result<u8, ApiError> {
    app.request(Method::Get, "/v1/sessions", &(), |out, found: Sessions| {
        if found.sessions.is_empty() {
            out.note("no sessions; make one: keeptab open URL");
        }
        let wide = found
            .sessions
            .iter()
            .map(|s| s.session.len())
            .max()
            .unwrap_or(0);
        for session in found.sessions {
            let active = session
                .active
                .map_or_else(String::new, |tab| line(&tab.url, 60));
            let tabs = if session.tabs == 1 {
                "1 tab".into()
            } else {
                format!("{} tabs", session.tabs)
            };
            let text = format!(
                "{:wide$}  {:13}  {tabs:8}  {active}",
                session.session, session.state
            );
            out.text(text.trim_end());
        }
    })
}
