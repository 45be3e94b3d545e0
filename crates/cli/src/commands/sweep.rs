//! `keeptab sweep`: the end of what was left behind.

use keeptab_daemon::api::{Fate, Leftover, SweepRequest, Swept};
use keeptab_daemon::client::Method;
use keeptab_daemon::{ApiError, exit};

use crate::app::App;

/// End and remove what was left behind
///
/// Browsers that run and that no session has are ended, as are those whose keeper is dead; files and
/// sockets of dead keepers, and temporary profiles of browsers that are gone, are removed. What a
/// session has, or is just opening, is never touched, and neither are the profiles of sessions, where
/// the logins are. Each thing is listed with what was done. Ends with 3 when something is still there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab sweep --dry-run                 what was left behind
  keeptab sweep
  keeptab --json sweep")]
pub(crate) struct Args {
    /// List only; end and remove nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let request = SweepRequest {
        dry_run: args.dry_run,
    };
    let response = app.client()?.ask(Method::Post, "/v1/sweep", &request)?;
    let swept: Swept = App::data_of(&response.body)?;
    if app.output().is_json() {
        app.output().envelope(response.body);
    } else {
        if swept.leftovers.is_empty() {
            app.output().note("nothing was left behind");
        }
        for leftover in &swept.leftovers {
            app.output().text(&human(leftover));
        }
        if swept.leftovers.iter().any(|one| one.fate == Fate::Found) {
            app.output()
                .note("keep a browser: keeptab --session NAME adopt; end them all: keeptab sweep");
        }
    }
    let failed = swept.leftovers.iter().any(|one| one.fate == Fate::Failed);
    Ok(if failed { exit::PARTIAL } else { exit::OK })
}

fn human(leftover: &Leftover) -> String {
    let fate = match leftover.fate {
        Fate::Found => "left behind",
        Fate::Ended => "ended",
        Fate::Removed => "removed",
        Fate::LeftAlone => "left alone",
        _ => "FAILED",
    };
    let mut line = format!("{fate:11}  {}", leftover.what);
    // A process is known by its number, a file by its path.
    if leftover.keeper_pid.is_none() && leftover.browser_pid.is_none() {
        line.push_str(&format!("  {}", leftover.path));
    }
    if let Some(why) = &leftover.why {
        line.push_str(&format!("  ({why})"));
    }
    line
}
