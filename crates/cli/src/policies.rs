//! What a session does by itself; for the commands that make one.

use keeptab_daemon::api::{OnBrowserDeath, OnCrash, PolicyChoice};

/// The policies that can be chosen on the command line.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Policies")]
pub(crate) struct PolicyArgs {
    /// When a page crashes: report it, or reload the page at once [default: report]
    #[arg(long, value_name = "WHAT")]
    on_crash: Option<OnCrash>,
    /// When the browser dies: fail, or relaunch it with its profile and tabs [default: fail]
    #[arg(long, value_name = "WHAT")]
    on_browser_death: Option<OnBrowserDeath>,
}

impl PolicyArgs {
    pub(crate) fn chosen(&self) -> PolicyChoice {
        PolicyChoice {
            on_crash: self.on_crash,
            on_browser_death: self.on_browser_death,
        }
    }
}
