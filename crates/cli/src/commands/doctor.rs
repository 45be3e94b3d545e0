//! `keeptab doctor`: what is wrong on this machine, and what to do about it.

use keeptab_daemon::doctor::{Verdict, checks};
use keeptab_daemon::{ApiError, exit};

use crate::app::{App, build, paths};

/// Look for what could keep keeptab from working here
///
/// Ends with 0 when everything needed is there, with 1 otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab doctor
  keeptab --json doctor")]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args, app: &mut App) -> Result<u8, ApiError> {
    let paths = paths()?;
    let found = checks(&paths, app.client()?, &build());
    let healthy = found.iter().all(|check| check.verdict != Verdict::Bad);
    if app.output().is_json() {
        app.output()
            .data(serde_json::json!({"healthy": healthy, "checks": found}));
    } else {
        for check in &found {
            let mark = match check.verdict {
                Verdict::Ok => "ok     ",
                Verdict::Warning => "warning",
                _ => "BAD    ",
            };
            app.output()
                .text(&format!("{mark}  {}: {}", check.name, check.found));
            if let Some(advice) = &check.advice {
                app.output().text(&format!("         {advice}"));
            }
        }
    }
    Ok(if healthy { exit::OK } else { exit::FAILED })
}
