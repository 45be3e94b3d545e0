//! `keeptab completions`: for shells.

use clap::CommandFactory;
use clap_complete::Shell;
use keeptab_daemon::{ApiError, exit};

use crate::app::App;
use crate::args::Cli;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab completions bash > ~/.local/share/bash-completion/completions/keeptab
  keeptab completions zsh > ~/.zfunc/_keeptab
  keeptab completions fish > ~/.config/fish/completions/keeptab.fish")]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keeptab", &mut script);
    let script = String::from_utf8_lossy(&script);
    if app.output().is_json() {
        app.output()
            .data(serde_json::json!({"shell": args.shell.to_string(), "script": script}));
    } else {
        app.output().text(&script);
    }
    Ok(exit::OK)
}
